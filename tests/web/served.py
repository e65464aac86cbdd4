"""The page's real server on loopback, with actors that answer as a test says."""

from __future__ import annotations

import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from kos.asking import Asker
from kos.config.settings import WebSettings
from kos.domain.opportunities.scoring import ScoringRules
from kos.runtime import Message, NoSuchActor
from kos.web.server import WebServer

DEADLINE_S = 90.0

Answers = Callable[[Message], Message]
Fields = Mapping[str, str] | Sequence[tuple[str, str]]
"""Of a form."""


class Cast:
    """Actors by name, each a function; what they were asked is counted."""

    def __init__(self, **actors: Answers) -> None:
        self.actors = actors
        self.asked: Counter[str] = Counter()
        self.heard = threading.Condition()

    def ask(self, actor: str, message: Message, _timeout_s: float) -> Message:
        """As an actor's reference asks."""
        with self.heard:
            self.asked[actor] += 1
            self.heard.notify_all()
        answers = self.actors.get(actor.removeprefix("@"))
        if answers is None:
            raise NoSuchActor(actor)
        return answers(message)

    def await_asked(self, actor: str, times: int) -> None:
        """Wait until an actor was asked so often in all."""
        with self.heard:
            assert self.heard.wait_for(lambda: self.asked[actor] >= times, DEADLINE_S)


@contextmanager
def serving(cast: Cast, web: WebSettings | None = None) -> Iterator[WebServer]:
    """The page while it is open."""
    server = WebServer(
        web or WebSettings(port=0),
        ScoringRules(),
        is_simulated=True,
        log_file=Path("absent.log"),
        asker=Asker(cast.ask, patience_s=0.2),
    )
    server.open()
    try:
        yield server
    finally:
        server.close()
        assert not server.is_alive, "the page's thread outlived its close"


class Answered:
    """An answer, whole."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()


def port_of(server: WebServer) -> int:
    """Where it listens."""
    return int(server.address.rstrip("/").rpartition(":")[2])


def call(
    server: WebServer,
    path: str,
    *,
    form: Fields | None = None,
    headers: Mapping[str, str | None] | None = None,
) -> Answered:
    """One request; a form makes it a POST as the page itself would send it.

    A header that is None is not sent.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=DEADLINE_S)
    sent: dict[str, str | None] = {"Accept": "text/html"}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent["Sec-Fetch-Site"] = "same-origin"
    sent |= headers or {}
    given = {name: value for name, value in sent.items() if value is not None}
    try:
        if form is None:
            connection.request("GET", path, headers=given)
        else:
            connection.request("POST", path, urlencode(form), given)
        return Answered(connection.getresponse())
    finally:
        connection.close()


@contextmanager
def listening(server: WebServer, path: str) -> Iterator[Iterator[bytes]]:
    """The data of a stream's events, one by one."""
    with socket.create_connection(("127.0.0.1", port_of(server)), DEADLINE_S) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.status == 200, answer.read()
        yield _events(answer)


def _events(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while line := answer.readline():
        if line.startswith(b"data: "):
            yield line[6:].rstrip()
