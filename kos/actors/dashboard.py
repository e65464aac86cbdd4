"""Runs the web page: a thread of its own with the server's loop, looked after by this actor."""

from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import msgspec

from kos.asking import Asker
from kos.config.settings import Settings, WebSettings
from kos.domain.opportunities.scoring import ScoringRules
from kos.messages import Tick
from kos.observability.logs import LOG_FILE
from kos.runtime import Actor, ChildSpec, Message, OnExhausted

if TYPE_CHECKING:
    from kos.web.server import WebServer

DashboardMessage = Tick
"""The messages that it takes."""

_LOOK = Tick(what="look after the page")
_LOOK_EVERY_S = 1.0
_RETRY_AFTER = timedelta(seconds=5)


class DashboardArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is told at its start."""

    web: WebSettings
    rules: ScoringRules
    is_simulated: bool
    log_file: str
    """Where warnings can be read."""


def spec(settings: Settings) -> ChildSpec:
    """How it is supervised: tried again for ever, and parked rather than given up."""
    return ChildSpec(
        name="dashboard",
        factory="kos.actors.dashboard:DashboardActor",
        args=DashboardArgs(
            web=settings.web,
            rules=settings.scoring,
            is_simulated=settings.service.is_simulated,
            log_file=str(settings.state_dir / LOG_FILE),
        ),
        on_exhausted=OnExhausted.PARK,
    )


class DashboardActor(Actor):
    """Opens the page's port, tries again while it is taken, and sees that its thread lives.

    The server's thread asks other actors by itself: this one never waits for a browser.
    """

    _server: WebServer | None = None
    _problem = ""
    _looks_until_retry = 0

    def started(self) -> None:
        self._open()
        self.context.every(_LOOK_EVERY_S, _LOOK)

    def receive(self, message: Message) -> None:
        if not isinstance(message, DashboardMessage):
            raise TypeError(f"dashboard takes no {type(message).__name__}")
        match message:
            case Tick():
                self._look()
            case _:
                assert_never(message)

    def stopping(self) -> None:
        if self._server is not None:
            self._server.close()

    def pulse(self) -> dict[str, str | int | float]:
        if self._server is None:
            return {"problem": self._problem}
        return {"address": self._server.address, **self._server.counts()}

    def _look(self) -> None:
        if self._server is None:
            self._looks_until_retry -= 1
            if self._looks_until_retry <= 0:
                self._open()
        elif not self._server.is_alive:
            self._server = None
            raise RuntimeError("the web page's server has stopped; see the log for the reason")

    def _open(self) -> None:
        # Here and not above: the main process imports this module for its specification alone.
        from kos.web.server import WebServer  # noqa: PLC0415

        args: DashboardArgs = self.args
        server = WebServer(
            args.web,
            args.rules,
            is_simulated=args.is_simulated,
            log_file=Path(args.log_file),
            asker=Asker.within(self.context),
        )
        try:
            server.open()
        except OSError as error:
            self._looks_until_retry = int(_RETRY_AFTER.total_seconds() / _LOOK_EVERY_S)
            is_taken = error.errno == errno.EADDRINUSE
            problem = (
                f"{args.web.host}:{args.web.port} "
                + ("is in use by another program" if is_taken else f"cannot be opened ({error})")
                + "; set another web.port, or stop the other program. KOS tries again every 5 seconds"
            )
            if problem != self._problem:
                self._problem = problem
                self.context.log.warning(
                    "dashboard.refused", address=args.web.address, reason=problem
                )
            return
        self._server, self._problem = server, ""
        self.context.log.info("dashboard.opened", address=server.address)
