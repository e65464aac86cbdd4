"""The Books page: profit over time, balances, and every entry."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kos.domain.books.calendar import uk_date, uk_midnight
from kos.domain.books.double_entry import RESULTS, pounds
from kos.domain.books.lines import BalanceLine, StatementLine
from kos.domain.books.periods import read_period
from kos.domain.market.places import place_name
from kos.domain.offers.facts import MONEY_FACTS
from kos.domain.offers.forms import FACT_FORMS
from kos.domain.offers.suggestions import FormContext
from kos.messages import LEDGER, BooksDescribed, StatementListed
from kos.views.books import floats_table, statement_csv, statement_table
from kos.views.names import account_name, profit_name
from kos.web.changes import Picture, picture_of
from kos.web.forms import moment_shown, page_forms
from kos.web.pages import FormFields, events, new_key, words_of
from kos.web.recording import PARTICIPANT, RecordingPages

INTERVAL_S = 3.0
_MOST_LINES = 200
_MOST_POINTS = 2000
_RESULTS = frozenset(kind.value for kind in RESULTS)
_FACTS = {
    name: MONEY_FACTS[name]
    for name in (
        "joined",
        "opened",
        "money_sent",
        "money_arrived",
        "drawn",
        "bonus_paid",
        "adjusted",
        "withdrawal_requested",
        "withdrawal_arrived",
        "bookmaker_restricted",
        "bookmaker_cleared",
        "paused",
        "resumed",
    )
}
"""Facts about a participant's money that have a form, the usual ones first."""
_PERIODS = {
    "all": "All time",
    "30d": "Last 30 days",
    "month": "This month",
    "tax": "This tax year",
    "year": "This year",
}


class _BooksScope(msgspec.Struct, frozen=True):
    """Whose books, and which period."""

    participant: str
    period: str
    since: datetime | None


class BookPages(RecordingPages):
    """Money."""

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/books", self._plain),
            Route("/books/stream", self._stream),
            Route("/books/statement.csv", self._csv),
            self._pages.post("/books/record", self._record_money),
        ]

    async def _show(
        self, request: Request, opened: str, refusal: str, typed: Mapping[str, str], key: str
    ) -> Response:
        scope = _scope(words_of(request))
        now = datetime.now(UTC)
        people = await self._ledger.participants()
        restricted = {bookmaker for person in people for bookmaker in person.restricted}
        context = FormContext(restricted=tuple(sorted(restricted)))
        return self._pages.page(
            request,
            "books.html",
            parts=await self._parts(scope),
            scope=scope,
            periods=_PERIODS,
            people=people,
            query=f"participant={scope.participant}&period={scope.period}",
            forms=page_forms((FACT_FORMS[name] for name in _FACTS), context, opened, typed, now),
            refusal=refusal,
            opened=opened,
            typed_participant=typed.get("participant", scope.participant),
            key=key or new_key(),
            now=moment_shown(now),
        )

    async def _stream(self, request: Request) -> Response:
        scope = _scope(words_of(request))
        key = ("books", scope.participant, scope.period)

        async def picture() -> Picture:
            return await self._picture(_scope(words_of(request)))  # again: "this month" moves on

        return events(self._hub.stream(LEDGER, key, picture, INTERVAL_S))

    async def _picture(self, scope: _BooksScope) -> Picture:
        listed = await self._ledger.statement(scope.participant, scope.since)
        series = msgspec.json.encode(profit_series(listed.lines))
        return picture_of(await self._parts(scope, listed), series=series)

    async def _parts(
        self, scope: _BooksScope, listed: StatementListed | None = None
    ) -> dict[str, str]:
        books = await self._ledger.books(scope.participant, scope.since)
        listed = listed or await self._ledger.statement(scope.participant, scope.since)
        show = self._pages.render
        shown = listed.lines[-_MOST_LINES:]
        return {
            "totals": show("part_totals.html", books=books),
            "profits": show("part_profits.html", tables=_profit_tables(books)),
            "balances": show(
                "part_balances.html",
                groups=_balances(books.balances),
                account_name=account_name,
                floats=floats_table(books.floats),
            ),
            "statement": show(
                "part_statement.html",
                view=statement_table(reversed(shown)),
                more=len(listed.lines) - len(shown),
            ),
        }

    async def _csv(self, request: Request) -> Response:
        scope = _scope(words_of(request))
        listed = await self._ledger.statement(scope.participant, scope.since)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", f"kos-{scope.participant or 'all'}-{scope.period}")
        return Response(
            statement_csv(listed.lines),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}.csv"'},
        )

    async def _record_money(self, request: Request, form: FormFields) -> Response:
        return await self._record(request, form, _FACTS, form.get("participant", "").strip())


def profit_series(lines: Iterable[StatementLine]) -> dict[str, list[float | int]]:
    """Total profit, in pence, at the end of each UK day with a profit or loss.

    ``{"days": [Unix seconds], "profit": [pence]}``, starting from 0 the day before.
    """
    by_day: dict[date, int] = defaultdict(int)
    for line in lines:
        if line.account in _RESULTS:
            by_day[uk_date(line.occurred_at)] -= line.amount
    days: list[float | int] = []
    profit: list[float | int] = []
    total = 0
    for day in sorted(by_day):
        if not days:
            days.append(int(uk_midnight(day - timedelta(days=1)).timestamp()))
            profit.append(0)
        total += by_day[day]
        days.append(int(uk_midnight(day).timestamp()))
        profit.append(total)
    return {"days": days[-_MOST_POINTS:], "profit": profit[-_MOST_POINTS:]}


def _profit_tables(books: BooksDescribed) -> list[tuple[str, list[tuple[str, str, str, int]]]]:
    """Each title, with the name, amount, sign and share of the largest (percent) of each line."""
    kinds = (
        ("By bookmaker and exchange", books.by_venue),
        ("By participant", [replace(line, name=line.participant) for line in books.by_kind]),
        ("By type", books.by_kind),
        ("By offer", books.by_offer),
        ("By month", books.by_month),
    )
    tables = []
    for title, lines in kinds:
        totals: dict[str, int] = defaultdict(int)
        for line in lines:
            totals[line.name] += line.profit
        ordered = sorted(totals.items(), key=lambda item: -item[1])
        if title == "By month":
            ordered = sorted(totals.items(), reverse=True)
        widest = max(map(abs, totals.values()), default=0) or 1
        name_of = place_name if lines is books.by_venue else profit_name
        rows = [
            (
                name_of(name) or "Other",
                pounds(profit),
                "gain" if profit > 0 else "loss" if profit < 0 else "",
                max(1, round(abs(profit) / widest * 100)) if profit else 0,
            )
            for name, profit in ordered[:20]
        ]
        tables.append((title, rows))
    return tables


def _balances(lines: Iterable[BalanceLine]) -> list[tuple[str, list[BalanceLine]]]:
    """Accounts with a balance, by participant."""
    groups: dict[str, list[BalanceLine]] = defaultdict(list)
    for line in lines:
        is_place = line.account.partition(":")[0] in {"bank", "transit", "bookmaker", "exchange"}
        if line.balance and is_place:
            groups[line.participant].append(line)
    return sorted(groups.items())


def _scope(words: Mapping[str, str]) -> _BooksScope:
    participant = words.get("participant", "")
    period = words.get("period", "all")
    if period not in _PERIODS or (participant and PARTICIPANT.fullmatch(participant) is None):
        raise HTTPException(400, f"Choose a period: {', '.join(_PERIODS.values())}.")
    since, _ = read_period("period", period, datetime.now(UTC))
    return _BooksScope(participant, period, since)
