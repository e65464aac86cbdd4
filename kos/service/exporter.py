"""Serves metrics over HTTP: ``GET /metrics``, and nothing else.

A thread in the main process, which only reads what the supervising loop last handed over: a
slow or greedy scraper holds up no one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from kos.runtime import SystemDescribed
from kos.service.health import Judgement
from kos.service.heartbeat import Heartbeat
from kos.service.metrics import Collector

_TIMEOUT_S = 10.0
"""A client that says nothing for so long is let go."""

_log = structlog.get_logger()


class Exporter:
    """Holds the last figures and answers scrapes from them.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._figures: tuple[Heartbeat, SystemDescribed, Judgement] | None = None
        self._server: ThreadingHTTPServer | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Collector(self))

    def start(self) -> str:
        """Listen; gives the address, or an empty text where that is not possible.

        A port in other hands does not keep KOS from working: it is logged, and nothing served.
        """
        try:
            server = ThreadingHTTPServer((self._host, self._port), _handler(self.text))
        except OSError as error:
            address = f"{self._host}:{self._port}"
            _log.error("metrics.not_served", address=address, error=str(error))
            return ""
        self._server = server
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        address = f"http://{self._host}:{server.server_address[1]}/metrics"
        _log.info("metrics.served", address=address)
        return address

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, beat: Heartbeat, system: SystemDescribed, judgement: Judgement) -> None:
        """Answer from these figures from now on."""
        self._figures = (beat, system, judgement)

    def figures(self) -> tuple[Heartbeat, SystemDescribed, Judgement] | None:
        """What was taken last."""
        return self._figures

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def text(self) -> bytes:
        """A scrape's answer."""
        return generate_latest(self._registry)


def _handler(text: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_S
        server_version = "kos"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body = text()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
            """Scrapes are no events."""

    return Handler
