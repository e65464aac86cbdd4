"""``kos books``: balances, profit, float, statements, and facts of a participant's own money."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kos.cli.door import (
    Door,
    KeyOption,
    exit_if_refused,
    operator,
    read_in,
    show,
    write_out,
)
from kos.cli.facts import (
    AtOption,
    ByOption,
    NoteOption,
    Participant,
    ParticipantOption,
    SupervisorOption,
    record_fact,
)
from kos.cli.settings import JsonOption, StateDirOption, command_group, print_result
from kos.domain.books.calendar import read_moment
from kos.domain.books.double_entry import pounds
from kos.domain.offers.facts import MONEY_FACTS, Source
from kos.errors import InvalidInput
from kos.messages import (
    BooksDescribed,
    FactRecorded,
    GetBooks,
    GetParticipants,
    GetStatement,
    ParticipantsListed,
    RecordFact,
    StatementListed,
)

books_app = command_group("Books: balances, profit, float and statements, to the penny.")

SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Start: a UK time, or a period: 30d, month, tax, 3 dec.",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="End, not included: a UK time, e.g. 3 dec, or 2026-12-08 18:15.",
    ),
]
YearOption = Annotated[
    str | None,
    typer.Option(
        "--year",
        metavar="YEAR",
        help="2026, or 2026-27 for the tax year from 6 April to 5 April (UK days).",
    ),
]


@books_app.command("show")
def show_books(
    participant: ParticipantOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    year: YearOption = None,
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Show current balances and float, and profit for a period by venue, offer and month."""
    from kos.domain.market.places import place_name
    from kos.views.books import balances_table, floats_table, profit_table

    first, last = _span(since, until, year)
    who = "" if participant else operator()
    question = GetBooks(participant=participant or "", operator=who, since=first, until=last)
    books = Door(state_dir).ask(question, BooksDescribed)
    show(
        books,
        balances_table(books.balances),
        floats_table(books.floats),
        profit_table("Profit by kind", books.by_kind),
        profit_table("Profit by venue", books.by_venue, place_name),
        profit_table("Profit by offer", books.by_offer),
        profit_table("Profit by month", books.by_month),
        as_json=as_json,
    )
    if not as_json:
        typer.echo(
            f"capital {pounds(books.capital)} (tied up {pounds(books.locked)}); "
            f"profit {pounds(books.profit)}; trial balance {pounds(books.trial_balance)}"
        )


@books_app.command("record")
def record(
    participant: Participant,
    fact: Annotated[str, typer.Argument(help="What happened (see kos books facts).")],
    words: Annotated[
        list[str] | None, typer.Argument(help="field=value ... with amounts in pounds.")
    ] = None,
    *,
    at: AtOption = None,
    key: KeyOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    supervisor: SupervisorOption = False,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Record a money event, e.g. ann opened amount=100."""
    from kos.views.names import fact_name

    answer = record_fact(
        state_dir,
        MONEY_FACTS,
        fact,
        words,
        at=at,
        key=key,
        by=by,
        supervisor=supervisor,
        participant=participant,
        note=note,
    )
    entries = ", ".join(map(str, answer.transactions))
    posted = f"; entries posted: {entries}" if entries else ""
    print_result(answer, f"{participant}: {fact_name(fact)} recorded{posted}", as_json=as_json)


@books_app.command("facts")
def facts() -> None:
    """List the money facts you can record, with their fields; fields in brackets are optional."""
    from kos.domain.offers.typed_facts import spoken_names
    from kos.views.facts import listed_facts

    typer.echo(listed_facts(spoken_names(MONEY_FACTS)))


@books_app.command("participants")
def participants(*, as_json: JsonOption = False, state_dir: StateDirOption = None) -> None:
    """List participants."""
    from kos.views.books import participants_table

    listed = Door(state_dir).ask(GetParticipants(operator=operator()), ParticipantsListed)
    show(listed.participants, participants_table(listed.participants), as_json=as_json)


@books_app.command("statement")
def statement(
    participant: Participant,
    since: SinceOption = None,
    until: UntilOption = None,
    year: YearOption = None,
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """List one participant's postings in a period."""
    from kos.views.books import statement_table

    listed = _statement(state_dir, participant, _span(since, until, year))
    show(listed.lines, statement_table(listed.lines), as_json=as_json)


@books_app.command("export")
def export_books(
    target: Annotated[
        Path | None, typer.Argument(help="A new file, CSV unless it ends in .json.")
    ] = None,
    participant: ParticipantOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    year: YearOption = None,
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Write postings as CSV or JSON: one participant's or, for an operator, everyone's."""
    from kos.views.books import statement_csv

    listed = _statement(state_dir, participant or "", _span(since, until, year))
    if as_json or (target is not None and target.suffix.lower() == ".json"):
        write_out(msgspec.json.encode(listed.lines).decode() + "\n", target)
    else:
        write_out(statement_csv(listed.lines), target)


@books_app.command("import")
def import_bets(
    participant: Participant,
    source: Annotated[Path, typer.Argument(help="A CSV file of settled bets.")],
    *,
    form: Annotated[
        str, typer.Option("--format", help="kos, or betfair for a Betfair statement or P&L table.")
    ] = "kos",
    state_dir: StateDirOption = None,
) -> None:
    """Import bets settled before you started using KOS. Importing a file twice is safe."""
    from kos.domain.offers.past_bets import from_betfair, from_csv

    readers = {"kos": from_csv, "betfair": from_betfair}
    if form not in readers:
        raise InvalidInput("--format", form, " or ".join(readers))
    imported = readers[form](read_in(source))
    commands = [
        RecordFact(
            command_id=f"past:{participant}:{bet.fact.reference}"[:200],
            by=operator(),
            occurred_at=bet.settled_at,
            participant=participant,
            fact=bet.fact,
            source=Source.IMPORT,
        )
        for bet in imported.bets
    ]
    answers, refusals = Door(state_dir).do_all(commands, FactRecorded)
    for line in imported.skipped:
        typer.echo(f"skipped {line}", err=True)
    typer.echo(f"{len(answers)} past bets of {participant} imported")
    exit_if_refused(refusals)


def _statement(
    state_dir: Path | None, participant: str, span: tuple[datetime | None, datetime | None]
) -> StatementListed:
    who = "" if participant else operator()
    question = GetStatement(participant=participant, operator=who, since=span[0], until=span[1])
    return Door(state_dir).ask(question, StatementListed)


def _span(
    since: str | None, until: str | None, year: str | None
) -> tuple[datetime | None, datetime | None]:
    """From when on, and until before when."""
    from kos.domain.books.periods import is_period, read_period, read_year

    if year is not None:
        if since or until:
            raise InvalidInput("--year", year, "either a year, or --since and --until")
        return read_year("--year", year)
    now = datetime.now(UTC)
    first = None
    if since is not None and is_period(since):
        first, _ = read_period("--since", since, now)
    elif since is not None:
        first = read_moment("--since", since, now, is_past=True)
    return first, None if until is None else read_moment("--until", until, now, is_past=True)
