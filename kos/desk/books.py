"""Books: what there is and where, what was made, what may be laid, and every posting of a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from kos.desk.arguments import Arguments, count_of, quoted, tidy
from kos.desk.charts import MISSING, profit_chart
from kos.desk.command import (
    ADMINS,
    EVERYBODY,
    Command,
    CommandGroup,
    DeskContext,
    DeskReply,
    Scope,
)
from kos.desk.dialogue import confirm
from kos.desk.formatting import (
    MAX_DATA,
    TextPart,
    bold,
    button,
    in_rows,
    page_of,
    say,
    table,
)
from kos.desk.recording import record_fact
from kos.domain.books.double_entry import RESULTS, AccountKind, pounds
from kos.domain.books.lines import ProfitLine, StatementLine
from kos.domain.books.periods import ALLOWED, Period, is_period, period_of
from kos.domain.offers.facts import EntryReversed, Role
from kos.domain.people.conversation import Answer
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    BooksDescribed,
    GetBooks,
    GetStatement,
    StatementListed,
)
from kos.views.books import balances_table, floats_table, statement_csv
from kos.views.opportunities import uk_time
from kos.views.table import TableView

_ROWS = 25
_MOST_LINES = 12
_DEFAULT = "month"
_RESULT_KINDS = frozenset(kind.value for kind in RESULTS)
_EXPOSED = ("staked", "exposure", "transit")


def _asked(visit: DeskContext) -> tuple[str, Scope, str, Period]:
    """Who and which period the words say: the name of the scope, the scope, the period."""
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
    name = scope.get("participant", "") or "everybody"
    return name, scope, period or _DEFAULT, period_of(period or _DEFAULT, visit.now)


def _books(visit: DeskContext, scope: Scope, span: Period = (None, None)) -> BooksDescribed:
    question = GetBooks(since=span[0], until=span[1], **scope)
    return visit.office.ask("ledger", question, BooksDescribed)


def _balance(visit: DeskContext) -> DeskReply:
    """Every account that holds something, and the sum of all."""
    name, scope, _, _ = _asked(visit)
    books = _books(visit, scope)
    held = [line for line in books.balances if line.balance and _is_held(line.account)]
    view = balances_table(held)
    own = "participant" in scope
    view = _without_who(view) if own else view
    head: list[TextPart] = [
        bold(f"Balances of {tidy(name, 60)}"),
        f"\ncapital {pounds(books.capital)}, of which tied up {pounds(books.locked)}\n",
    ]
    return _tabled(visit, head, view)


def _is_held(account: str) -> bool:
    """Whether an account is money or a token, and no equity or result."""
    head = account.partition(":")[0]
    return head in {"bank", "transit", "bookmaker", "exchange"}


def _exposure(visit: DeskContext) -> DeskReply:
    """Money that a result or a transfer decides over."""
    name, scope, _, _ = _asked(visit)
    books = _books(visit, scope)
    held = [
        line
        for line in books.balances
        if line.balance and any(part in line.account.split(":") for part in _EXPOSED)
    ]
    total = sum(line.balance for line in held)
    view = balances_table(held)
    view = _without_who(view) if "participant" in scope else view
    head: list[TextPart] = [
        bold(f"Exposure of {tidy(name, 60)}"),
        f"\n{pounds(total)} on open bets or on its way, of {pounds(books.capital)} in all\n",
    ]
    return _tabled(visit, head, view)


def _float(visit: DeskContext) -> DeskReply:
    """What may be laid at each exchange."""
    name, scope, _, _ = _asked(visit)
    books = _books(visit, scope)
    view = floats_table(books.floats)
    view = _without_who(view) if "participant" in scope else view
    free = sum(line.free for line in books.floats)
    head: list[TextPart] = [bold(f"Float of {tidy(name, 60)}"), f"\nfree to lay {pounds(free)}\n"]
    return _tabled(visit, head, view)


def _without_who(view: TableView) -> TableView:
    return msgspec.structs.replace(
        view,
        headings=view.headings[1:],
        rows=tuple(row[1:] for row in view.rows),
        numbers=frozenset(number - 1 for number in view.numbers),
    )


def _tabled(visit: DeskContext, head: Sequence[TextPart], view: TableView) -> DeskReply:
    """A table in pages."""
    page = page_of([("",) for _ in view.rows],
                   count_of("page", visit.words.get("page") or "1"), _ROWS)  # fmt: skip
    first = (page.number - 1) * _ROWS
    shown = msgspec.structs.replace(view, rows=view.rows[first : first + _ROWS])
    body: TextPart = table(shown) if view.rows else "Nothing is recorded yet."
    typed = " ".join((f"/{visit.name}", *map(quoted, visit.words.plain)))
    turners = page.turners(typed) if len(typed.encode()) < MAX_DATA - 9 else ()
    return DeskReply(answers=(say(*head, body, buttons=turners, is_edit=visit.is_edit),))


# --- profit ----------------------------------------------------------------------------------------


def _profit(visit: DeskContext) -> DeskReply:
    """What was made within a period, by kind and place, with a chart over time."""
    name, scope, period, span = _asked(visit)
    books = _books(visit, scope, span)
    parts: list[TextPart] = [
        bold(f"Profit of {tidy(name, 60)}, {period}: {pounds(books.profit)}"),
        _made("by kind", books.by_kind),
        _made("by place", books.by_venue),
        _made("by month", books.by_month),
    ]
    answers: list[Answer] = []
    days = _by_day(visit, scope, span)
    if days:
        try:
            png = profit_chart(f"Profit of {name}, {period}", days, _sums(books.by_venue))
        except InvalidInput:
            parts.append(f"\n\n{MISSING}")
        else:
            caption = say(bold(f"Profit of {tidy(name, 60)}, {period}: {pounds(books.profit)}"))
            answers.append(msgspec.structs.replace(caption, picture=png))
    who = visit.words.plain[0] if visit.words.plain and "participant" in scope else ""
    others = [
        button(each, " ".join(filter(None, ("/profit", quoted(who) if who else "", each))))
        for each in ("week", "month", "year", "all")
        if each != period and len(who.encode()) < _NAME_FITS
    ]
    return DeskReply(answers=(*answers, say(*parts, buttons=in_rows(others, 4))))


_NAME_FITS = 30


def _made(title: str, lines: Iterable[ProfitLine]) -> str:
    sums = sorted(_sums(lines), key=lambda each: (-abs(each[1]), each[0]))
    shown = "".join(
        f"\n  {tidy(name, 40)} {pounds(pence)}" for name, pence in sums[:_MOST_LINES] if pence
    )
    more = f"\n  and {len(sums) - _MOST_LINES} more" if len(sums) > _MOST_LINES else ""
    return f"\n\n{title}{shown}{more}" if shown else ""


def _sums(lines: Iterable[ProfitLine]) -> list[tuple[str, int]]:
    """Profit by name, over all participants."""
    found: Counter[str] = Counter()
    for line in lines:
        found[line.name] += line.profit
    return list(found.items())


def _by_day(visit: DeskContext, scope: Scope, span: Period) -> list[tuple[date, int]]:
    made: Counter[date] = Counter()
    for line in _postings(visit, scope, span):
        if line.account in _RESULT_KINDS:
            made[line.occurred_at.date()] -= line.amount
    return sorted(made.items())


def _postings(visit: DeskContext, scope: Scope, span: Period) -> tuple[StatementLine, ...]:
    question = GetStatement(since=span[0], until=span[1], **scope)
    return visit.office.ask("ledger", question, StatementListed, timeout_s=30.0).lines


def _statement(visit: DeskContext) -> DeskReply:
    """Every posting of a period as a CSV file."""
    name, scope, period, span = _asked(visit)
    lines = _postings(visit, scope, span)
    text = f"Statement of {tidy(name, 60)}, {period}: {len(lines)} postings"
    if not lines:
        return DeskReply(answers=(say(text),))
    file = statement_csv(lines).encode("utf-8", "replace")
    plain = "".join(char if char.isalnum() and char.isascii() else "-" for char in name)[:40]
    return DeskReply(
        answers=(
            msgspec.structs.replace(
                say(text), file=file, file_name=f"statement-{plain}-{period}.csv"
            ),
        )
    )


# --- an entry taken back ---------------------------------------------------------------------------


def _undo(visit: DeskContext) -> DeskReply:
    """Take a participant's own entry back; an offer's facts are undone by the offer itself."""
    if len(visit.words.plain) != 2:  # noqa: PLR2004 - who and which
        raise InvalidInput("undo", tidy(visit.words.text(), 60), "WHO ENTRY [reason=...]")
    who, typed = visit.words.plain
    number = count_of("entry", typed, 10**8)
    if visit.action is not None:
        return _reversed(visit, who, number)
    visit.words.refuse_others("reason")
    lines = [
        line
        for line in _postings(visit, {"participant": who}, (None, None))
        if line.transaction == number
    ]
    if not lines:
        raise InvalidInput("entry", typed, f"an entry of {tidy(who, 40)}, see /statement")
    if any(line.instance for line in lines):
        raise CommandNotAllowed(
            f"entry {number} belongs to offer {lines[0].instance}: /offer shows what undoes it"
        )
    reason = tidy(visit.words.get("reason") or "entered by mistake", 200)
    shown = "".join(
        f"\n{AccountKind(line.account).value} {tidy(line.venue, 40)} {pounds(-line.amount)}"
        for line in lines
    )
    most = max(abs(line.amount) for line in lines)
    return confirm(
        visit,
        bold(f"Take back entry {number} of {tidy(who, 40)}"),
        f"\n{tidy(lines[0].what, 120)}, {uk_time(lines[0].occurred_at)} UK time{shown}"
        f"\nreason: {reason}",
        command=f"/undo {Arguments((who, str(number)), {'reason': reason}).text()}",
        label=f"Take back {pounds(most)}",
        participant=who,
    )


def _reversed(visit: DeskContext, who: str, number: int) -> DeskReply:
    fact = EntryReversed(transaction=number, reason=visit.words.get("reason"))
    record_fact(visit, fact, who, role=Role.SUPERVISOR)
    return DeskReply(answers=(say(f"✓ Entry {number} of {who} is taken back."),), notice="recorded")


_PERIODS = f"Periods: {ALLOWED}. Without one it is this month."

COMMANDS = (
    Command(
        name="balance",
        run=_balance,
        summary="What there is, and where",
        subject=CommandGroup.BOOKS,
        seats=EVERYBODY,
        arguments="[WHO]",
    ),
    Command(
        name="profit",
        run=_profit,
        summary="What was made, with a chart",
        subject=CommandGroup.BOOKS,
        seats=EVERYBODY,
        arguments="[WHO] [PERIOD]",
        details=_PERIODS,
        examples=("/profit", "/profit ann 30d", "/profit 2026-27"),
        is_slow=True,
    ),
    Command(
        name="exposure",
        run=_exposure,
        summary="Money on open bets and on its way",
        subject=CommandGroup.BOOKS,
        seats=EVERYBODY,
        arguments="[WHO]",
    ),
    Command(
        name="float",
        run=_float,
        summary="What may be laid at each exchange",
        subject=CommandGroup.BOOKS,
        seats=EVERYBODY,
        arguments="[WHO]",
    ),
    Command(
        name="statement",
        run=_statement,
        summary="Every posting of a period, as a CSV file",
        subject=CommandGroup.BOOKS,
        seats=EVERYBODY,
        arguments="[WHO] [PERIOD]",
        details=_PERIODS,
        is_slow=True,
    ),
    Command(
        name="undo",
        run=_undo,
        summary="Take back an entry of somebody's own money",
        subject=CommandGroup.BOOKS,
        seats=ADMINS,
        arguments="WHO ENTRY [reason=...]",
        details="The number of an entry is in /statement. A wrong end of an offer is undone by "
        "its button under /offer.",
        is_turn=True,
    ),
)
