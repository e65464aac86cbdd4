"""The Books page: profit over time, balances, and every entry."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kos.domain.books.calendar import uk_date, uk_midnight
from kos.domain.books.double_entry import RESULTS, pounds
from kos.domain.books.lines import BalanceLine, ProfitLine, StatementLine
from kos.domain.books.periods import read_period
from kos.domain.market.places import place_name
from kos.domain.offers.facts import MONEY_FACTS, MoneyFact
from kos.domain.offers.forms import FACT_FORMS
from kos.domain.offers.suggestions import FormContext
from kos.errors import ActorUnavailable, CommandNotAllowed, InvalidInput, WaitAndRetry
from kos.messages import LEDGER, BooksDescribed
from kos.views.books import floats_table, statement_csv, statement_table
from kos.views.names import account_name, profit_name
from kos.web.changes import Picture
from kos.web.forms import FIELD, happened_at, moment_shown, page_form, typed_fact
from kos.web.ledger import LedgerAsking
from kos.web.live import Hub
from kos.web.pages import FormFields, Pages, events, key_of, new_key, words_of

INTERVAL_S = 3.0
_MOST_LINES = 200
_MOST_POINTS = 2000
_RESULTS = frozenset(kind.value for kind in RESULTS)
_FACTS = (
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
"""Facts about a participant's money that have a form, the usual ones first."""
_PERIODS = {
    "all": "All time",
    "30d": "Last 30 days",
    "month": "This month",
    "tax": "This tax year",
    "year": "This year",
}
_PARTICIPANT = re.compile(r"\S{1,100}")


class _BooksScope(msgspec.Struct, frozen=True):
    """Whose books, and which period."""

    participant: str
    period: str
    since: datetime | None


class BookPages:
    """Money.

    Args:
        pages: The templates.
        hub: The live queries.
        ledger: The link to the ledger.
    """

    def __init__(self, pages: Pages, hub: Hub, ledger: LedgerAsking) -> None:
        self._pages = pages
        self._hub = hub
        self._ledger = ledger

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/books", self._page),
            Route("/books/stream", self._stream),
            Route("/books/statement.csv", self._csv),
            self._pages.post("/books/record", self._record),
        ]

    async def _page(self, request: Request) -> Response:
        return await self._show(request, refusal="", opened="", typed={})

    async def _show(
        self,
        request: Request,
        *,
        refusal: str,
        opened: str,
        typed: Mapping[str, str],
        key: str = "",
    ) -> Response:
        scope = _scope(words_of(request))
        now = datetime.now(UTC)
        people = await self._ledger.participants()
        restricted = {bookmaker for person in people for bookmaker in person.restricted}
        context = FormContext(restricted=tuple(sorted(restricted)))
        picture = await self._picture(scope)
        parts = {
            name[1:]: msgspec.json.decode(part, type=str)
            for name, part in picture.facts.items()
            if name.startswith("#")
        }
        return self._pages.page(
            request,
            "books.html",
            parts=parts,
            scope=scope,
            periods=_PERIODS,
            people=people,
            query=f"participant={scope.participant}&period={scope.period}",
            forms=[
                page_form(FACT_FORMS[name], context, typed if name == opened else {}, now)
                for name in _FACTS
            ],
            refusal=refusal,
            opened=opened,
            typed_participant=typed.get("participant", scope.participant),
            key=key or new_key(),
            now=moment_shown(now),
        )

    async def _stream(self, request: Request) -> Response:
        scope = _scope(words_of(request))
        key = ("books", scope.participant, scope.period)
        return events(
            self._hub.stream(
                # The scope is made again each time: "this month" moves on.
                LEDGER,
                key,
                lambda: self._picture(_scope(words_of(request))),
                INTERVAL_S,
            )
        )

    async def _picture(self, scope: _BooksScope) -> Picture:
        books = await self._ledger.books(scope.participant, scope.since, None)
        listed = await self._ledger.statement(scope.participant, scope.since, None)
        show = self._pages.render
        shown = listed.lines[-_MOST_LINES:]
        parts = {
            "totals": show("part_totals.html", books=books, pounds=pounds),
            "profits": show("part_profits.html", tables=_profit_tables(books)),
            "balances": show(
                "part_balances.html",
                groups=_balances(books.balances),
                account_name=account_name,
                floats=floats_table(books.floats),
                pounds=pounds,
            ),
            "statement": show(
                "part_statement.html",
                view=statement_table(reversed(shown)),
                more=len(listed.lines) - len(shown),
            ),
        }
        facts = {f"#{name}": msgspec.json.encode(part) for name, part in parts.items()}
        facts["series"] = msgspec.json.encode(profit_series(listed.lines))
        return Picture(rows={}, facts=facts)

    async def _csv(self, request: Request) -> Response:
        scope = _scope(words_of(request))
        listed = await self._ledger.statement(scope.participant, scope.since, None)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", f"kos-{scope.participant or 'all'}-{scope.period}")
        return Response(
            statement_csv(listed.lines),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}.csv"'},
        )

    async def _record(self, request: Request, form: FormFields) -> Response:
        name, participant = form.get("fact", ""), form.get("participant", "").strip()
        try:
            key = key_of(form)
            _check_whom(participant, name)
            at = happened_at(form)
            fact = cast("MoneyFact", typed_fact(MONEY_FACTS, name, form, at))
            await self._ledger.record(
                f"web:{key}", participant, fact, note=form.get("note", ""), occurred_at=at
            )
        except (InvalidInput, CommandNotAllowed, WaitAndRetry) as why:
            typed = {field.removeprefix(FIELD): text for field, text in form.items()}
            kept = form.get("key", "") if isinstance(why, WaitAndRetry) else ""
            try:
                return await self._show(
                    request, refusal=str(why), opened=name, typed=typed, key=kept
                )
            except ActorUnavailable:
                raise why from None
        self._hub.hurry()
        return RedirectResponse("/books", 303)


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
        ("By participant", _by_participant(books.by_kind)),
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
        widest = max((abs(profit) for _, profit in ordered), default=0) or 1
        tables.append(
            (
                title,
                [
                    (
                        (place_name(name) if lines is books.by_venue else profit_name(name))
                        or "Other",
                        pounds(profit),
                        "gain" if profit > 0 else "loss" if profit < 0 else "",
                        max(1, round(abs(profit) / widest * 100)) if profit else 0,
                    )
                    for name, profit in ordered[:20]
                ],
            )
        )
    return tables


def _by_participant(lines: Iterable[ProfitLine]) -> list[ProfitLine]:
    return [
        ProfitLine(participant=line.participant, name=line.participant, profit=line.profit)
        for line in lines
    ]


def _balances(lines: Iterable[BalanceLine]) -> list[tuple[str, list[BalanceLine]]]:
    """Accounts with a balance, by participant."""
    groups: dict[str, list[BalanceLine]] = defaultdict(list)
    for line in lines:
        is_place = line.account.partition(":")[0] in {"bank", "transit", "bookmaker", "exchange"}
        if line.balance and is_place:
            groups[line.participant].append(line)
    return sorted(groups.items())


def _check_whom(participant: str, fact: str) -> None:
    if _PARTICIPANT.fullmatch(participant) is None:
        raise InvalidInput("participant", participant[:80], "an ID without spaces")
    if fact not in _FACTS:
        raise InvalidInput("fact", fact[:80], f"one of {', '.join(_FACTS)}")


def _scope(words: Mapping[str, str]) -> _BooksScope:
    participant = words.get("participant", "")
    period = words.get("period", "all")
    if period not in _PERIODS or (participant and _PARTICIPANT.fullmatch(participant) is None):
        raise HTTPException(400, f"Choose a period: {', '.join(_PERIODS.values())}.")
    since, _ = read_period("period", period, datetime.now(UTC))
    return _BooksScope(participant, period, since)
