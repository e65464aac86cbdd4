"""The addresses of the web page and their handlers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from kos.config.settings import WebSettings
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import CommandNotAllowed, InvalidInput, WaitAndRetry
from kos.runtime import SYSTEM, Describe, SystemDescribed
from kos.web.asker import PageAsker
from kos.web.books import BookPages
from kos.web.guard import Guard, Sessions
from kos.web.ledger import LedgerAsking
from kos.web.live import Hub, TooMany
from kos.web.login import LoginPages
from kos.web.market import MarketPages
from kos.web.offers import OfferPages
from kos.web.pages import Pages
from kos.web.system import SystemPages

STATIC = Path(__file__).parent / "static"

log = structlog.get_logger()


class WebApp:
    """The whole page except its socket.

    Args:
        web: The settings of the page.
        rules: The scoring rules, for the age of prices.
        is_simulated: Whether the markets are the sandbox's.
        log_file: The log to read warnings from.
        asker: Asks the actors.
    """

    def __init__(
        self,
        web: WebSettings,
        rules: ScoringRules,
        *,
        is_simulated: bool,
        log_file: Path,
        asker: PageAsker,
    ) -> None:
        self._asker = asker
        self._loop: asyncio.AbstractEventLoop | None = None
        self.hub = Hub()
        self.sessions = Sessions(web.token.reveal())
        pages = Pages(self.sessions, is_simulated=is_simulated)
        ledger = LedgerAsking(asker)
        rooms = (
            LoginPages(pages, self.sessions),
            MarketPages(pages, self.hub, asker, rules),
            OfferPages(pages, self.hub, ledger),
            BookPages(pages, self.hub, ledger),
            SystemPages(pages, self.hub, asker, log_file, is_simulated=is_simulated),
        )
        routes: list[BaseRoute] = [
            Route("/", lambda _: RedirectResponse("/opportunities", 303)),
            Route("/healthz", _alive),
            Route("/readyz", self._ready),
            Route("/favicon.ico", lambda _: RedirectResponse("/static/icon.svg", 301)),
            Mount("/static", StaticFiles(directory=STATIC)),
            *(route for room in rooms for route in room.routes()),
        ]
        self._app = Guard(
            Starlette(
                routes=routes,
                exception_handlers={
                    HTTPException: pages.on_http_error,
                    InvalidInput: pages.on_invalid_input,
                    CommandNotAllowed: pages.on_invalid_input,
                    WaitAndRetry: pages.on_not_answered,
                    TooMany: pages.on_not_answered,
                    Exception: pages.on_failure,
                },
            ),
            web,
            self.sessions,
        )

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application."""
        self._loop = asyncio.get_running_loop()
        await self._app(scope, receive, send)

    def close(self) -> None:
        """End every open stream; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.hub.close)

    def counts(self) -> dict[str, str | int | float]:
        """The number of streams and queries now."""
        return {"streams": self.hub.streams, "questions": self.hub.questions}

    async def _ready(self, _: Request) -> Response:
        try:
            described = await self._asker.ask(SYSTEM, Describe(), SystemDescribed)
        except WaitAndRetry as why:
            return PlainTextResponse(f"not ready: {why}\n", 503)
        waiting = [node.name for node in described.nodes if node.state != "running"]
        if waiting:
            return PlainTextResponse(f"not ready: {', '.join(waiting)}\n", 503)
        return PlainTextResponse("ready\n")


def _alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")
