"""An authenticated forward proxy on loopback: HTTP, CONNECT and SOCKS5 on one port.

It knows one password. Any user name of the form that is asked for logs in, so that each session
name in it is a way out of its own; who came by which is recorded. It leads to loopback alone.
"""

from __future__ import annotations

import base64
import re
import selectors
import socket
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

PASSWORD: Final = "let-me-through"  # noqa: S105 - the sandbox's own

_SOCKS: Final = 5
_NO_METHOD: Final = 0xFF
_WITH_LOGIN: Final = 2
_BY_NAME: Final = 3
_MAX_HEAD: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Passage:
    """One connection through the proxy."""

    username: str
    session: str
    """What the user name says behind ``-session-``; empty without."""
    target: str
    """``host:port``."""
    path: str = ""
    """What was asked for, without its query; a tunnel does not show it."""


@dataclass
class _State:
    password: str
    user_pattern: re.Pattern[str]
    passages: list[Passage] = field(default_factory=list)
    refused: int = 0
    closed_sessions: set[str] = field(default_factory=set)
    is_everything_closed: bool = False
    open_sockets: set[socket.socket] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)


class ProxyServer:
    """The proxy, running while the context lasts.

    Args:
        password: The one that is right.
        user_pattern: Which user names are.
    """

    def __init__(self, password: str = PASSWORD, user_pattern: str = r"user-\w+(-\w+)*") -> None:
        self._state = _State(password, re.compile(user_pattern))
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.state = self._state
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and cut what is open."""
        self._server.shutdown()
        self._server.server_close()
        self.cut()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Who went through so far, in order."""
        with self._state.changed:
            return tuple(self._state.passages)

    @property
    def refused(self) -> int:
        """Logins that were refused."""
        with self._state.changed:
            return self._state.refused

    def wait_for(self, passages: int, timeout_s: float) -> bool:
        """Whether that many went through within the time."""
        with self._state.changed:
            return self._state.changed.wait_for(
                lambda: len(self._state.passages) >= passages, timeout_s
            )

    def close_session(self, session: str) -> None:
        """Give no connection to this session any more (502), and cut those that it has."""
        with self._state.changed:
            self._state.closed_sessions.add(session)
        self.cut()

    def close_all(self, *, is_closed: bool = True) -> None:
        """Give no connection to anybody, or give them again."""
        with self._state.changed:
            self._state.is_everything_closed = is_closed
        if is_closed:
            self.cut()

    def cut(self) -> None:
        """Cut every connection that is open."""
        with self._state.changed:
            sockets = list(self._state.open_sockets)
        for each in sockets:
            _shut(each)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    state: _State

    def handle_error(self, request: object, client_address: object) -> None:
        """A peer that went away is no news."""


class _RefusedError(Exception):
    """The client is told no; the text is the answer's bytes in the client's protocol."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


class _Connection(socketserver.BaseRequestHandler):
    request: socket.socket
    server: _Server

    def handle(self) -> None:
        state = self.server.state
        with state.changed:
            state.open_sockets.add(self.request)
        try:
            first = self.request.recv(1, socket.MSG_PEEK)
            if first == bytes([_SOCKS]):
                self._socks()
            elif first:
                self._http()
        except _RefusedError as refused:
            self.request.sendall(refused.answer)
        finally:
            with state.changed:
                state.open_sockets.discard(self.request)

    def _http(self) -> None:
        head, rest = self._read_head()
        lines = head.decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ", 2)
        headers = [line for line in lines[1:] if line]
        username = self._logged_in(headers)
        if method == "CONNECT":
            host, _, text = target.rpartition(":")
            way = self._open(username, host, int(text), _status(403), _status(502))
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pump(self.request, way, rest)
            return
        parts = urlsplit(target)
        port = parts.port or 80
        host = parts.hostname or ""
        way = self._open(username, host, port, _status(403), _status(502), parts.path)
        path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        kept = [each for each in headers if not each.lower().startswith(("proxy-", "connection:"))]
        # One request a connection: the next one comes with a head of its own.
        text = "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close", "", ""])
        way.sendall(text.encode("latin-1"))
        _pump(self.request, way, rest)

    def _read_head(self) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self.request.recv(4096)
            if not chunk or len(data) > _MAX_HEAD:
                raise _RefusedError(_status(400))
            data += chunk
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    def _logged_in(self, headers: list[str]) -> str:
        found = next(
            (each for each in headers if each.lower().startswith("proxy-authorization: basic ")), ""
        )
        try:
            login = base64.b64decode(found.rpartition(" ")[2]).decode()
        except ValueError:
            login = ""
        username, _, password = login.partition(":")
        self._check(username, password, _status(407, 'Proxy-Authenticate: Basic realm="sandbox"'))
        return username

    def _check(self, username: str, password: str, answer: bytes) -> None:
        state = self.server.state
        if password == state.password and state.user_pattern.fullmatch(username):
            return
        with state.changed:
            state.refused += 1
            state.changed.notify_all()
        raise _RefusedError(answer)

    def _socks(self) -> None:
        _, count = self._exactly(2)
        methods = self._exactly(count)
        if _WITH_LOGIN not in methods:
            raise _RefusedError(bytes([_SOCKS, _NO_METHOD]))
        self.request.sendall(bytes([_SOCKS, _WITH_LOGIN]))
        _, length = self._exactly(2)
        username = self._exactly(length).decode()
        password = self._exactly(self._exactly(1)[0]).decode()
        self._check(username, password, bytes([1, 1]))
        self.request.sendall(bytes([1, 0]))
        _, _, _, kind = self._exactly(4)
        if kind == _BY_NAME:
            host = self._exactly(self._exactly(1)[0]).decode()
        else:
            host = socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6,
                self._exactly(4 if kind == 1 else 16),
            )
        (port,) = struct.unpack(">H", self._exactly(2))
        nothing = bytes([1]) + bytes(6)
        way = self._open(
            username, host, port, bytes([_SOCKS, 2, 0]) + nothing, bytes([_SOCKS, 1, 0]) + nothing
        )
        self.request.sendall(bytes([_SOCKS, 0, 0]) + nothing)
        _pump(self.request, way, b"")

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.request.recv(count - len(data))
            if not chunk:
                raise ConnectionError
            data += chunk
        return data

    def _open(
        self,
        username: str,
        host: str,
        port: int,
        forbidden: bytes,
        broken: bytes,
        path: str = "",
    ) -> socket.socket:
        state = self.server.state
        if host not in _LOOPBACK:
            raise _RefusedError(forbidden)
        session = username.partition("-session-")[2].partition("-")[0]
        with state.changed:
            is_closed = state.is_everything_closed or session in state.closed_sessions
        if is_closed:
            raise _RefusedError(broken)
        try:
            way = socket.create_connection((host, port), 5.0)
        except OSError as error:
            raise _RefusedError(broken) from error
        with state.changed:
            state.passages.append(Passage(username, session, f"{host}:{port}", path))
            state.changed.notify_all()
        return way


def _status(code: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Proxy", *headers, "Content-Length: 0", "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


def _pump(client: socket.socket, way: socket.socket, first: bytes) -> None:
    """Carry bytes both ways until either side ends."""
    with way, selectors.DefaultSelector() as ready:
        if first:
            way.sendall(first)
        ready.register(client, selectors.EVENT_READ, way)
        ready.register(way, selectors.EVENT_READ, client)
        while True:
            for key, _ in ready.select():
                source = key.fileobj
                assert isinstance(source, socket.socket)  # noqa: S101 - what was registered
                try:
                    data = source.recv(65536)
                    if not data:
                        return
                    key.data.sendall(data)
                except OSError:
                    return


def _shut(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
