"""Books: balances, profit, exposure, float and statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime

import msgspec

from kos.desk.arguments import Arguments, quoted, tidy
from kos.desk.charts import MISSING, profit_chart
from kos.desk.command import ADMINS, Command, DeskContext, DeskReply, Scope, Subject, reply_of
from kos.desk.dialogue import confirm
from kos.desk.formatting import TextPart, bold, button, in_rows, page_of, say, table
from kos.desk.recording import record_fact
from kos.domain.books.calendar import uk_date, uk_time
from kos.domain.books.double_entry import RESULTS, AccountKind, pounds
from kos.domain.books.lines import ProfitLine, StatementLine
from kos.domain.books.periods import ALLOWED, Period, is_period, read_period
from kos.domain.market.places import place_name
from kos.domain.money import read_count
from kos.domain.offers.facts import EntryReversed, Role
from kos.domain.people.conversation import Answer
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import LEDGER, BooksDescribed, GetBooks, GetStatement, StatementListed
from kos.views.books import balances_table, floats_table, statement_csv
from kos.views.names import profit_name
from kos.views.table import TableView

_ROWS = 25
_MOST_LINES = 12
_DEFAULT = "month"
_RESULT_KINDS = frozenset(kind.value for kind in RESULTS)
_HELD = frozenset({"bank", "transit", "bookmaker", "exchange"})
"""Accounts of money or free bets, not of equity or profit."""
_EXPOSED = ("staked", "exposure", "transit")


def _asked(visit: DeskContext) -> tuple[str, Scope, str, Period]:
    """The name of the scope, the scope and the period that the words mean."""
    visit.words.refuse_others("page")
    who, period = "", ""
    for word in visit.words.plain:
        if is_period(word) and not period:
            period = word.casefold()
        elif not who:
            who = word
        else:
            raise InvalidInput("period", tidy(word, 40), ALLOWED)
    scope = visit.about(who)
    name = scope.get("participant", "") or "everyone"
    return name, scope, period or _DEFAULT, read_period("period", period or _DEFAULT, visit.now)


def _books(visit: DeskContext, scope: Scope, span: Period = (None, None)) -> BooksDescribed:
    question = GetBooks(since=span[0], until=span[1], **scope)
    return visit.asker.ask(LEDGER, question, BooksDescribed)


def _balance(visit: DeskContext) -> DeskReply:
    """Every account with a balance, and the total."""
    books = _books(visit, _asked(visit)[1])
    held = [
        line for line in books.balances if line.balance and line.account.partition(":")[0] in _HELD
    ]
    total = f"Capital {pounds(books.capital)} ({pounds(books.locked)} tied up)"
    return _tabled(visit, "Balances", total, balances_table(held))


def _exposure(visit: DeskContext) -> DeskReply:
    """Money in open bets and in transit."""
    books = _books(visit, _asked(visit)[1])
    held = [
        line
        for line in books.balances
        if line.balance and any(part in line.account.split(":") for part in _EXPOSED)
    ]
    at_risk = pounds(sum(line.balance for line in held))
    total = f"{at_risk} at risk or in transit, out of {pounds(books.capital)}"
    return _tabled(visit, "Exposure", total, balances_table(held), "No open bets.")


def _float(visit: DeskContext) -> DeskReply:
    """The free balance for laying at each exchange."""
    books = _books(visit, _asked(visit)[1])
    total = f"Available to lay {pounds(sum(line.free for line in books.floats))}"
    return _tabled(visit, "Float", total, floats_table(books.floats))


def _tabled(
    visit: DeskContext, title: str, total: str, view: TableView, empty: str = "No records yet."
) -> DeskReply:
    """A table in pages; who each row is about is left out if all are about one participant."""
    name, scope, _, _ = _asked(visit)
    if "participant" in scope:
        view = msgspec.structs.replace(
            view,
            headings=view.headings[1:],
            rows=tuple(row[1:] for row in view.rows),
            numbers=frozenset(number - 1 for number in view.numbers),
        )
    page = page_of([("",) for _ in view.rows], visit.page, _ROWS)
    first = (page.number - 1) * _ROWS
    shown = msgspec.structs.replace(view, rows=view.rows[first : first + _ROWS])
    body: TextPart = table(shown) if view.rows else empty
    turners = page.turners(" ".join((f"/{visit.name}", *map(quoted, visit.words.plain))))
    return reply_of(
        bold(f"{title}: {tidy(name, 60)}"),
        f"\n{total}\n",
        body,
        buttons=turners,
        is_edit=visit.is_edit,
    )


# --- profit ----------------------------------------------------------------------------------------


def _profit(visit: DeskContext) -> DeskReply:
    """Profit for a period, by kind and place, with a chart."""
    name, scope, period, span = _asked(visit)
    books = _books(visit, scope, span)
    about = f"{tidy(name, 60)}, {_period_words(period, visit.now)}"
    title = f"Profit for {about}: {pounds(books.profit)}"
    parts: list[TextPart] = [
        bold(title),
        _made("By type", books.by_kind),
        _made("By bookmaker and exchange", books.by_venue, place_name),
        _made("By month", books.by_month),
    ]
    answers: list[Answer] = []
    days = _by_day(visit, scope, span)
    if days:
        try:
            png = profit_chart(
                f"Profit for {about}",
                days,
                [(place_name(venue), pence) for venue, pence in _sums(books.by_venue)],
            )
        except InvalidInput:
            parts.append(f"\n\n{MISSING}")
        else:
            caption = say(bold(title))
            answers.append(msgspec.structs.replace(caption, picture=png))
    who = visit.words.plain[0] if visit.words.plain and "participant" in scope else ""
    others = [
        button(other, " ".join(filter(None, ("/profit", quoted(who) if who else "", other))))
        for other in ("week", "month", "year", "all")
        if other != period and len(who.encode()) < _NAME_FITS
    ]
    return DeskReply(answers=(*answers, say(*parts, buttons=in_rows(others, 4))))


_NAME_FITS = 30
_PERIOD_WORDS = {"all": "all time", "tax": "this tax year", "week": "this week"}


def _period_words(period: str, now: datetime) -> str:
    """``December 2026`` for the current month, ``last 30 days``; others as typed."""
    today = uk_date(now)
    if period == "month":
        return f"{today:%B %Y}"
    if period == "year":
        return f"{today:%Y}"
    if period[:-1].isdecimal() and period.endswith("d"):
        return f"last {period[:-1]} days"
    return _PERIOD_WORDS.get(period, period)


def _made(
    title: str, lines: Iterable[ProfitLine], name_of: Callable[[str], str] = profit_name
) -> str:
    sums = sorted(_sums(lines), key=lambda total: (-abs(total[1]), total[0]))
    shown = "".join(
        f"\n  {tidy(name_of(name), 40)} {pounds(pence)}"
        for name, pence in sums[:_MOST_LINES]
        if pence
    )
    more = f"\n  and {len(sums) - _MOST_LINES} more" if len(sums) > _MOST_LINES else ""
    return f"\n\n{title}{shown}{more}" if shown else ""


def _sums(lines: Iterable[ProfitLine]) -> list[tuple[str, int]]:
    """Profit by name, over all participants."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.name] += line.profit
    return list(sums.items())


def _by_day(visit: DeskContext, scope: Scope, span: Period) -> list[tuple[date, int]]:
    made: Counter[date] = Counter()
    for line in _postings(visit, scope, span):
        if line.account in _RESULT_KINDS:
            made[uk_date(line.occurred_at)] -= line.amount
    return sorted(made.items())


def _postings(visit: DeskContext, scope: Scope, span: Period) -> tuple[StatementLine, ...]:
    question = GetStatement(since=span[0], until=span[1], **scope)
    return visit.asker.ask(LEDGER, question, StatementListed, timeout_s=30.0).lines


def _statement(visit: DeskContext) -> DeskReply:
    """A statement for a period, as a CSV file."""
    name, scope, period, span = _asked(visit)
    lines = _postings(visit, scope, span)
    text = (
        f"Statement for {tidy(name, 60)}, {_period_words(period, visit.now)}: {len(lines):,}"
        f" {'entry' if len(lines) == 1 else 'entries'}"
    )
    if not lines:
        return reply_of(text)
    file = statement_csv(lines).encode("utf-8", "replace")
    plain = "".join(char if char.isalnum() and char.isascii() else "-" for char in name)[:40]
    return DeskReply(
        answers=(
            msgspec.structs.replace(
                say(text), file=file, file_name=f"statement-{plain}-{period}.csv"
            ),
        )
    )


# --- an entry undone ---------------------------------------------------------------------------


def _undo(visit: DeskContext) -> DeskReply:
    """Undo a participant's own entry; the facts of an offer are undone on the offer."""
    if len(visit.words.plain) != 2:  # noqa: PLR2004 - who and which
        raise InvalidInput("undo", tidy(visit.words.text(), 60), "WHO ENTRY [reason=...]")
    who, typed = visit.words.plain
    number = read_count("entry", typed, most=10**8)
    if visit.action is not None:
        return _reversed(visit, who, number)
    visit.words.refuse_others("reason")
    lines = [
        line
        for line in _postings(visit, {"participant": who}, (None, None))
        if line.transaction == number
    ]
    if not lines:
        raise CommandNotAllowed(
            f"{tidy(who, 40)} has no entry {number}. /statement lists the entry numbers."
        )
    if any(line.instance for line in lines):
        raise CommandNotAllowed(
            f"Entry {number} belongs to offer {lines[0].instance}."
            f" Undo it from /offer {lines[0].instance}."
        )
    reason = tidy(visit.words.get("reason") or "entered by mistake", 200)
    shown = "".join(
        f"\n{AccountKind(line.account).label}, {tidy(place_name(line.venue), 40)}".rstrip(", ")
        + f": {pounds(-line.amount)}"
        for line in lines
    )
    most = max(abs(line.amount) for line in lines)
    return confirm(
        visit,
        bold(f"Undo entry {number} for {tidy(who, 40)}"),
        f"\n{tidy(lines[0].what, 120)}, {uk_time(lines[0].occurred_at)} UK time{shown}"
        f"\nReason: {reason}",
        command=f"/undo {Arguments((who, str(number)), {'reason': reason}).text()}",
        label=f"Undo {pounds(most)}",
        participant=who,
    )


def _reversed(visit: DeskContext, who: str, number: int) -> DeskReply:
    fact = EntryReversed(transaction=number, reason=visit.words.get("reason"))
    record_fact(visit, fact, who, role=Role.SUPERVISOR)
    return DeskReply(answers=(say(f"✓ Entry {number} for {who} undone."),), notice="recorded")


_PERIODS = f"Periods: {ALLOWED}. Default: this month."

COMMANDS = (
    Command(
        "balance", _balance, "Balances at every bookmaker and exchange", Subject.BOOKS, "[WHO]"
    ),
    Command(
        "profit",
        _profit,
        "Profit for a period, with a chart",
        Subject.BOOKS,
        "[WHO] [PERIOD]",
        details=_PERIODS,
        examples=("/profit", "/profit ann 30d", "/profit 2026-27"),
        is_slow=True,
    ),
    Command("exposure", _exposure, "Money in open bets and in transit", Subject.BOOKS, "[WHO]"),
    Command("float", _float, "Free balance for laying at each exchange", Subject.BOOKS, "[WHO]"),
    Command(
        "statement",
        _statement,
        "Statement for a period, as a CSV file",
        Subject.BOOKS,
        "[WHO] [PERIOD]",
        details=_PERIODS,
        is_slow=True,
    ),
    Command(
        "undo",
        _undo,
        "Undo a money entry recorded by mistake",
        Subject.BOOKS,
        "WHO ENTRY [reason=...]",
        seats=ADMINS,
        details="The number of an entry is in /statement. To reopen an offer closed by mistake, use "
        "the button under /offer.",
        is_turn=True,
    ),
)
