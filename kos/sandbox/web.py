"""The HTTP ground of every sandbox server: threads, keep-alive, gzip, faults and counters.

A service is a function from a request to an answer; this module owns the sockets. Handlers run in a
thread per connection; a service must therefore be safe to call from several threads.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from kos.sandbox.faults import KINDS, Fault, Faults

CONTROL: Final = "/__sandbox__/"
"""Paths below this are the sandbox's own: ``faults`` (GET, POST, DELETE), ``counters`` (GET), and what a service adds."""
_GZIP_FROM: Final = 512
_EMPTY_RPC: Final = b'{"jsonrpc":"2.0","result":[],"id":1}'
_HTML: Final = (
    b"<html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One call as a service sees it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    """Parameters in order, decoded; a name may stand twice."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    has_certificate: bool | None = None
    """Whether the client showed a certificate; None where it could not, on plain HTTP."""
    is_gone: Callable[[], bool] = field(default=lambda: False, compare=False)
    """Says whether the client has hung up meanwhile; it can't be told on HTTPS."""

    def one(self, name: str) -> str | None:
        """Gives a query parameter's last value, or None."""
        return dict(self.query).get(name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answers."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


def as_json(value: Any) -> bytes:
    """Gives compact JSON in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Counters:
    """Calls per endpoint, and whatever else a test wants to add up. Safe to use from any thread."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, by: int = 1) -> None:
        """Adds to one counter."""
        with self._lock:
            self._counts[name] += by

    def __getitem__(self, name: str) -> int:
        with self._lock:
            return self._counts[name]

    def snapshot(self) -> dict[str, int]:
        """Gives all counters as they are now."""
        with self._lock:
            return dict(self._counts)


Service = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What faults do beside changing one answer; each service gives what applies to it."""

    held: Callable[[float], AbstractContextManager[None]] | None = None
    """Lets the service's time stand still at a wall time, for a ``stale`` rule."""
    expire: Callable[[], None] | None = None
    """Forgets all sessions, for an ``expired_session`` rule."""
    overdrawn: Callable[[], Answer] | None = None
    """Gives the answer to a key without credits."""
    limited: Callable[[], Answer] | None = None
    """Gives the answer to too many calls."""
    refusal: Callable[[Fault], Answer] | None = None
    """Gives a ``refusal`` in the service's own form; a ``rate_limit`` too, where it is given."""
    seen: Callable[[Request], None] | None = None
    """Hears of every call before a fault may strike it."""
    control: Callable[[Request], Answer] | None = None
    """Answers the sandbox's own paths beyond ``faults`` and ``counters``; the path is without CONTROL."""
    name_of: Callable[[Request], str] = field(default=lambda request: request.path)
    """The endpoint's name for counters and fault paths."""


def _kinds(hooks: Hooks) -> tuple[str, ...]:
    """Gives the faults that mean something to a service; it leaves the others' rules alone."""
    needed = {
        "stale": hooks.held,
        "expired_session": hooks.expire,
        "out_of_credits": hooks.overdrawn,
        "refusal": hooks.refusal,
    }
    return tuple(
        kind
        for kind in KINDS
        if not kind.startswith("stream") and (kind not in needed or needed[kind] is not None)
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.open_sockets: set[socket.socket] = set()
        self.sockets_lock = threading.Lock()
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a client that hangs up; a fault of the sandbox itself is told on stderr."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class HttpServer:
    """One service on one loopback port.

    Args:
        name: ``odds_api`` or ``betfair``: the service in fault rules.
        service: Answers requests.
        faults: The rules in force.
        counters: Counts every call as ``<name>.<endpoint>`` and every fault as ``fault.<kind>``.
        hooks: See Hooks.
        tls: For HTTPS; None for plain HTTP.
        port: 0 for a free one.
    """

    def __init__(
        self,
        name: str,
        service: Service,
        *,
        faults: Faults,
        counters: Counters,
        hooks: Hooks | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.name = name
        self._service = service
        self._faults = faults
        self._counters = counters
        self._hooks = hooks or Hooks()
        self._kinds = _kinds(self._hooks)
        self._closing = threading.Event()
        self.tls = tls
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``, or ``https://localhost:<port>`` with TLS."""
        return (
            f"http://127.0.0.1:{self._port}"
            if self.tls is None
            else f"https://localhost:{self._port}"
        )

    def start(self) -> None:
        """Listens, on the same port as before if it listened before."""
        if self._server is not None:
            return
        self._closing.clear()
        self._server = _Server(("127.0.0.1", self._port), self._handler())
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=f"sandbox-{self.name}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every connection; calls then meet a refused connection."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._server = None
        self._closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
        with server.sockets_lock:
            sockets = list(server.open_sockets)
        for connection in sockets:
            _cut(connection)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(_Handler):
            owner = outer

        return Handler

    def respond(self, request: Request, handler: _Handler) -> None:
        """Answers one request: the control paths, a fault, or the service."""
        if self._closing.is_set():  # a connection that was accepted while the port closed
            handler.hang_up()
            return
        if request.path.startswith(CONTROL):
            handler.send(request, self._control(request))
            return
        endpoint = self._hooks.name_of(request)
        self._counters.add(f"{self.name}.{endpoint}")
        self._counters.add(f"{self.name}.calls")
        if self._hooks.seen is not None:
            self._hooks.seen(request)
        fault = self._faults.strike(self.name, endpoint, self._kinds)
        if fault is None:
            handler.send(request, self._service(request))
            return
        self._counters.add(f"fault.{fault.kind}")
        self._misbehave(fault, request, handler)

    def _misbehave(self, fault: Fault, request: Request, handler: _Handler) -> None:  # noqa: C901, PLR0912 - one arm a kind
        match fault.kind:
            case "slow":
                self._closing.wait(fault.delay_s)
                handler.send(request, self._service(request))
            case "hang":
                self._closing.wait(fault.delay_s)
                handler.hang_up()
            case "disconnect":
                handler.hang_up()
            case "lost_reply":
                self._service(request)
                handler.hang_up()
            case "refusal" | "rate_limit" if self._hooks.refusal is not None:
                handler.send(request, self._hooks.refusal(fault))
            case "rate_limit":
                handler.send(request, self._limited(fault))
            case "server_error":
                handler.send(
                    request,
                    Answer(
                        fault.status or 500, b"Internal Server Error", content_type="text/plain"
                    ),
                )
            case "html":
                handler.send(request, Answer(fault.status or 200, _HTML, content_type="text/html"))
            case "cut_body":
                handler.send(request, self._service(request), cut="body")
            case "cut_gzip":
                handler.send(request, self._service(request), cut="gzip")
            case "garbage":
                good = self._service(request)
                handler.send(
                    request,
                    Answer(good.status, good.body[: len(good.body) // 2] + b"\x00}]", good.headers),
                )
            case "empty":
                handler.send(
                    request, Answer(200, _EMPTY_RPC if "json-rpc" in request.path else b"[]")
                )
            case "out_of_credits" if self._hooks.overdrawn is not None:
                handler.send(request, self._hooks.overdrawn())
            case "expired_session" if self._hooks.expire is not None:
                self._hooks.expire()
                handler.send(request, self._service(request))
            case "stale" if self._hooks.held is not None:
                with self._hooks.held(fault.since):
                    answer = self._service(request)
                handler.send(request, answer)
            case _:
                handler.send(request, self._service(request))

    def _limited(self, fault: Fault) -> Answer:
        limited = self._hooks.limited
        answer = Answer(body=b"Too many requests") if limited is None else limited()
        wait = fault.retry_after_s
        extra = () if wait is None else (("Retry-After", f"{wait:g}"),)
        return Answer(fault.status or 429, answer.body, answer.headers + extra)

    def _control(self, request: Request) -> Answer:
        what = request.path[len(CONTROL) :]
        if what == "counters":
            return Answer(body=as_json(self._counters.snapshot()))
        if what == "faults" and request.method == "POST":
            try:
                self._faults.add(Fault(**json.loads(request.body)))
            except (TypeError, ValueError) as error:
                return Answer(400, as_json({"message": str(error)}))
        elif what == "faults" and request.method == "DELETE":
            self._faults.clear()
        elif what != "faults" and self._hooks.control is not None:
            return self._hooks.control(replace(request, path=what))
        elif what != "faults":
            return Answer(404, as_json({"message": "expected counters or faults"}))
        return Answer(body=as_json([asdict(rule) for rule in self._faults.rules()]))


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may be faster
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Turns sockets into requests; quiet."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    owner: HttpServer

    def setup(self) -> None:
        context = self.owner.tls
        if context is not None:
            self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()
        server = self.server
        if isinstance(server, _Server):
            with server.sockets_lock:
                server.open_sockets.add(self.connection)

    def finish(self) -> None:
        server = self.server
        if isinstance(server, _Server):
            with server.sockets_lock:
                server.open_sockets.discard(self.connection)
        super().finish()
        if self.owner.tls is not None:
            self.connection.close()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
            has_certificate=(
                bool(self.connection.getpeercert())
                if isinstance(self.connection, ssl.SSLSocket)
                else None
            ),
            is_gone=self._is_gone,
        )
        try:
            self.owner.respond(request, self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _is_gone(self) -> bool:
        if isinstance(self.connection, ssl.SSLSocket):
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _body(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or "").lower():
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(length) if length else b""
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    def send(self, request: Request, answer: Answer, cut: str = "") -> None:
        """Sends an answer, gzipped where the client takes it; ``cut`` breaks the body on purpose."""
        body = answer.body
        is_zipped = "gzip" in request.headers.get("accept-encoding", "") and (
            len(body) >= _GZIP_FROM or cut == "gzip"
        )
        if is_zipped:
            body = gzip.compress(body, compresslevel=1, mtime=0)
        if cut == "gzip":
            body = body[: len(body) // 2]
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        if is_zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut == "body" else body)
        if cut == "body":
            self.hang_up()

    def hang_up(self) -> None:
        """Closes the connection without another byte."""
        self.close_connection = True
        self.wfile.flush()
        _cut(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Says nothing: the caller counts."""
