"""The live terminal table of ``kos run --live``: the daemon seen through its own door."""

from __future__ import annotations

import threading
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from kos.asking import Asker
from kos.cli.settings import daemon_asker
from kos.cli.tables import console, feeds_line, opportunities_table
from kos.config.settings import Settings
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery
from kos.errors import WaitAndRetry
from kos.messages import BudgetDescribed, GetBudget, GetOpportunities, OpportunitiesRanked
from kos.runtime import SYSTEM, Describe, SystemDescribed
from kos.views.health import health_view

_REFRESH_S = 1.0
_TIMEOUT_S = 3.0
_MOST_ROWS = 40
_PRINT_EVERY_S = 30.0
_KINDS = (BetKind.QUALIFYING, BetKind.FREE_BET_SNR)
_LINES_AROUND = 5
"""Lines of one table that are no rows: notice, title, heading, summary, and one to spare."""


class LiveTable:
    """Asks the daemon every second, from a thread of its own, and redraws.

    It connects like any other client, so that it shows what an operator would get, and goes on
    asking while nodes restart. Without a terminal it prints the same screen every half minute.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._console = console()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="live-table", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(_TIMEOUT_S)

    def _draw(self) -> None:
        if self._console.is_terminal:
            self._draw_live()
        else:
            self._print_now_and_then()

    def _print_now_and_then(self) -> None:
        """For a pipe or a file: the whole screen once there are prices, then every half minute."""
        wait_s = _REFRESH_S
        while not self._ended.wait(wait_s):
            try:
                with daemon_asker(self._settings) as asker:
                    if health_view(_described(asker)).fetchers_with_prices:
                        self._console.print(self._screen(asker))
                        wait_s = _PRINT_EVERY_S
            except WaitAndRetry:
                wait_s = _REFRESH_S

    def _draw_live(self) -> None:
        with (
            daemon_asker(self._settings) as asker,
            Live(console=self._console, auto_refresh=False, transient=False) as live,
        ):
            live.update(Text("KOS is starting…"), refresh=True)
            has_started = False
            while not self._ended.wait(_REFRESH_S):
                try:
                    live.update(self._screen(asker), refresh=True)
                    has_started = True
                except WaitAndRetry as away:
                    if has_started and not self._ended.is_set():
                        live.update(Text(str(away)), refresh=True)

    def _screen(self, asker: Asker) -> Group:
        tables = []
        rows = (self._console.height - 2) // len(_KINDS) - _LINES_AROUND
        for kind in _KINDS:
            query = OpportunityQuery(kind=kind, limit=max(1, min(rows, _MOST_ROWS)))
            question = GetOpportunities(query=query)
            answer = asker.ask("scorer", question, OpportunitiesRanked, _TIMEOUT_S)
            tables.append(opportunities_table(answer, query, self._console.width))
        budget = asker.ask("budget", GetBudget(), BudgetDescribed, _TIMEOUT_S)
        return Group(*tables, feeds_line(_described(asker), budget))


def _described(asker: Asker) -> SystemDescribed:
    return asker.ask(SYSTEM, Describe(), SystemDescribed, _TIMEOUT_S)
