"""A stream server on loopback with TLS whose answers a test scripts, connection by connection."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import trustme

Script = Callable[["Peer"], None]


class Peer:
    """The server's side of one connection."""

    def __init__(self, tls: ssl.SSLSocket, heard: list[dict[str, Any]]) -> None:
        self._tls = tls
        self._reader = tls.makefile("rb")
        self._heard = heard

    def hear(self) -> dict[str, Any]:
        """The client's next message; ends the script where the client went away."""
        line = self._reader.readline()
        if not line:
            raise ConnectionError
        assert line.endswith(b"\r\n")
        message: dict[str, Any] = json.loads(line)
        self._heard.append(message)
        return message

    def say(self, *messages: dict[str, Any]) -> None:
        self.say_raw(b"".join(json.dumps(m).encode() + b"\r\n" for m in messages))

    def say_raw(self, data: bytes) -> None:
        self._tls.sendall(data)

    def greet(self) -> dict[str, Any]:
        """Everything up to the subscription, which is returned."""
        self.say({"op": "connection", "connectionId": "002-230915140112-174"})
        authentication = self.hear()
        self.say(
            {
                "op": "status",
                "id": authentication["id"],
                "statusCode": "SUCCESS",
                "connectionClosed": False,
                "connectionsAvailable": 9,
            }
        )
        subscription = self.hear()
        self.accept(subscription)
        return subscription

    def accept(self, subscription: dict[str, Any]) -> None:
        self.say({"op": "status", "id": subscription["id"], "statusCode": "SUCCESS"})

    def wait_for_end(self) -> None:
        """Until the client closes."""
        while True:
            self.hear()


def failure(code: str, *, closed: bool = True, id_: int | None = None) -> dict[str, Any]:
    return {
        "op": "status",
        "id": id_,
        "statusCode": "FAILURE",
        "errorCode": code,
        "errorMessage": "{op='authentication', session='secret-token-1='}",
        "connectionClosed": closed,
    }


class StreamServer:
    def __init__(self, authority: trustme.CA, scripts: list[Script]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._scripts = scripts
        self.heard: list[dict[str, Any]] = []
        self.connections = 0
        self.failures: queue.Queue[BaseException] = queue.Queue()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        """One connection after the other; the last script serves all further ones."""
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            try:
                with self._context.wrap_socket(plain, server_side=True) as tls:
                    self._open.append(tls)
                    script(Peer(tls, self.heard))
            except OSError:
                pass
            except Exception as error:  # noqa: BLE001 - shown by the test
                self.failures.put(error)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        if not self.failures.empty():
            raise self.failures.get()


@contextlib.contextmanager
def streaming(authority: trustme.CA, *scripts: Script) -> Iterator[StreamServer]:
    server = StreamServer(authority, list(scripts))
    server.start()
    try:
        yield server
    finally:
        server.stop()
