"""The page's HTTP server in a thread of its own: opened on one socket, closed in order."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
import uvicorn

from kos.asking import Asker
from kos.config.settings import WebSettings
from kos.domain.opportunities.scoring import ScoringRules
from kos.web.app import web_app
from kos.web.asker import PageAsker
from kos.web.live import Hub

_BACKLOG = 128
_ASKERS = 6
"""Threads in which questions wait for their answers, so that the loop never waits."""
_CLOSE_S = 3.0

log = structlog.get_logger()


class WebServer:
    """One life of the page.

    Args:
        web: The settings of the page.
        rules: The scoring rules, for the age of prices.
        is_simulated: Whether the markets are the sandbox's.
        log_file: The log to read warnings from; it need not exist.
        asker: Asks the actors; used from threads of the server.
    """

    def __init__(
        self,
        web: WebSettings,
        rules: ScoringRules,
        *,
        is_simulated: bool,
        log_file: Path,
        asker: Asker,
    ) -> None:
        self._web = web
        self._pool = ThreadPoolExecutor(_ASKERS, thread_name_prefix="page asks")
        self._hub = Hub()
        asking = PageAsker(asker, self._pool)
        self._app = web_app(
            web, rules, self._hub, asking, is_simulated=is_simulated, log_file=log_file
        )
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.address = ""

    def open(self) -> None:
        """Listen and serve; returns immediately.

        Raises:
            OSError: The address is not available.
        """
        web = self._web
        family, kind, protocol, _, place = socket.getaddrinfo(
            web.host, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            self._pool.shutdown(wait=False)
            raise
        port = listener.getsockname()[1]
        shown = f"[{web.host}]" if ":" in web.host else web.host
        self.address = f"http://{shown}:{port}/"
        self._socket = listener
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._serve, args=(self._server, listener), name="page", daemon=True
        )
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it still serves."""
        return self._thread is not None and self._thread.is_alive()

    def counts(self) -> dict[str, str | int | float]:
        """The number of streams and queries now."""
        return {"streams": self._hub.streams, "questions": self._hub.questions}

    def close(self) -> None:
        """End the open streams, then the server; returns when its thread has ended."""
        self._hub.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_CLOSE_S)
        if self._socket is not None:
            self._socket.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        try:
            server.run(sockets=[listener])
        except Exception:
            log.exception("dashboard.failed", address=self.address)
