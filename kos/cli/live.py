"""The live terminal table of ``kos run --live``: the daemon seen through its own door."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from kos.cli.tables import console, feeds_line, opportunities_table
from kos.config.settings import Settings
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery
from kos.main import connect_to_daemon
from kos.messages import BudgetDescribed, GetBudget, GetOpportunities, OpportunitiesRanked
from kos.runtime import Client, RuntimeFault
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
                with connect_to_daemon(self._settings) as client:
                    if health_view(client.describe()).fetchers_with_prices:
                        self._console.print(self._screen(client))
                        wait_s = _PRINT_EVERY_S
            except RuntimeFault:
                wait_s = _REFRESH_S

    def _draw_live(self) -> None:
        client: Client | None = None
        with Live(console=self._console, auto_refresh=False, transient=False) as live:
            live.update(Text("KOS is starting…"), refresh=True)
            while not self._ended.wait(_REFRESH_S):
                try:
                    client = client or connect_to_daemon(self._settings)
                    live.update(self._screen(client), refresh=True)
                except RuntimeFault as fault:
                    if client is not None:
                        client.close()
                        client = None
                    if not self._ended.is_set():
                        live.update(
                            Text(f"Cannot reach the daemon: {fault}. Trying again…"), refresh=True
                        )
            if client is not None:
                client.close()

    def _screen(self, client: Client) -> Group:
        tables = []
        rows = (self._console.height - 2) // len(_KINDS) - _LINES_AROUND
        for kind in _KINDS:
            query = OpportunityQuery(kind=kind, limit=max(1, min(rows, _MOST_ROWS)))
            answer = client.ask("scorer", GetOpportunities(query=query), timeout_s=_TIMEOUT_S)
            if not isinstance(answer, OpportunitiesRanked):
                raise TypeError(f"scorer answered {type(answer).__name__}")
            tables.append(opportunities_table(answer, query, self._console.width))
        budget = client.ask("budget", GetBudget(), timeout_s=_TIMEOUT_S)
        described = budget if isinstance(budget, BudgetDescribed) else None
        return Group(*tables, feeds_line(client.describe(), described))
