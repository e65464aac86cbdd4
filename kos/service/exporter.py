"""Serves metrics over HTTP by the server that comes with prometheus_client.

Threads in the main process, which only read what the supervising loop last handed over: a
slow or greedy scraper holds up no one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from kos.runtime import SystemDescribed
from kos.service.health import Judgement
from kos.service.heartbeat import Heartbeat
from kos.service.metrics import Collector

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
        self._server: tuple[WSGIServer, Thread] | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Collector(self))

    def start(self) -> str:
        """Listen; gives the address, or an empty text where that is not possible.

        A port in other hands does not keep KOS from working: it is logged, and nothing served.
        """
        try:
            self._server = start_http_server(self._port, self._host, self._registry)
        except OSError as error:
            address = f"{self._host}:{self._port}"
            _log.error("metrics.not_served", address=address, error=str(error))
            return ""
        address = f"http://{self._host}:{self._server[0].server_port}/metrics"
        _log.info("metrics.served", address=address)
        return address

    def stop(self) -> None:
        """Close the port; returns when nothing listens any more."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            thread.join()
            server.server_close()
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
