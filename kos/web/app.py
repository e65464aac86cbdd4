"""The addresses of the web page and their handlers."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

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
from kos.web.pages import PageHandler, Pages
from kos.web.system import SystemPages

STATIC = Path(__file__).parent / "static"


def web_app(
    web: WebSettings,
    rules: ScoringRules,
    hub: Hub,
    asker: PageAsker,
    *,
    is_simulated: bool,
    log_file: Path,
) -> ASGIApp:
    """The whole page except its socket; the arguments are those of its server."""
    sessions = Sessions(web.token.reveal())
    pages = Pages(sessions, is_simulated=is_simulated)
    ledger = LedgerAsking(asker)
    rooms = (
        LoginPages(pages, sessions),
        MarketPages(pages, hub, asker, rules),
        OfferPages(pages, hub, ledger),
        BookPages(pages, hub, ledger),
        SystemPages(pages, hub, asker, log_file, is_simulated=is_simulated),
    )
    routes: list[BaseRoute] = [
        Route("/", lambda _: RedirectResponse("/opportunities", 303)),
        Route("/healthz", lambda _: PlainTextResponse("ok\n")),
        Route("/readyz", _ready(asker)),
        Route("/favicon.ico", lambda _: RedirectResponse("/static/icon.svg", 301)),
        Mount("/static", StaticFiles(directory=STATIC)),
        *(route for room in rooms for route in room.routes()),
    ]
    handlers = {
        HTTPException: pages.on_http_error,
        InvalidInput: pages.saying(400),
        CommandNotAllowed: pages.saying(400),
        WaitAndRetry: pages.saying(503),
        TooMany: pages.saying(503),
        Exception: pages.on_failure,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), web, sessions)


def _ready(asker: PageAsker) -> PageHandler:
    async def answer(_: Request) -> Response:
        try:
            described = await asker.ask(SYSTEM, Describe(), SystemDescribed)
        except WaitAndRetry as why:
            return PlainTextResponse(f"not ready: {why}\n", 503)
        waiting = [node.name for node in described.nodes if node.state != "running"]
        if waiting:
            return PlainTextResponse(f"not ready: {', '.join(waiting)}\n", 503)
        return PlainTextResponse("ready\n")

    return answer
