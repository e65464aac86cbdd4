"""Books as people read them: balances, profit, float, statements and who takes part."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import (
    BalanceLine,
    FloatLine,
    ParticipantLine,
    ProfitLine,
    StatementLine,
)
from kos.domain.money import from_pence
from kos.views.offers import shown_time
from kos.views.table import TableView


def balances_table(balances: Iterable[BalanceLine]) -> TableView:
    """Every account with its balance; debit positive."""
    return TableView(
        title="Balances",
        headings=("who", "account", "balance"),
        rows=tuple((line.participant, line.account, pounds(line.balance)) for line in balances),
        numbers=frozenset({2}),
    )


def floats_table(floats: Iterable[FloatLine]) -> TableView:
    """What is free to lay at each exchange."""
    return TableView(
        title="Float",
        headings=("who", "exchange", "available", "exposure", "reserved", "free"),
        rows=tuple(
            (
                line.participant,
                line.exchange,
                pounds(line.available),
                pounds(line.exposure),
                pounds(line.reserved),
                pounds(line.free),
            )
            for line in floats
        ),
        numbers=frozenset({2, 3, 4, 5}),
    )


def profit_table(title: str, lines: Iterable[ProfitLine]) -> TableView:
    """What was made, by whatever the title says."""
    return TableView(
        title=title,
        headings=("who", "of", "profit"),
        rows=tuple((line.participant, line.name, pounds(line.profit)) for line in lines),
        numbers=frozenset({2}),
    )


STATEMENT_COLUMNS = (
    "transaction",
    "when",
    "who",
    "account",
    "venue",
    "amount",
    "what",
    "instance",
    "bet",
)


def statement_table(lines: Iterable[StatementLine]) -> TableView:
    """Every posting of a time."""
    return TableView(
        title="Statement",
        headings=STATEMENT_COLUMNS,
        rows=tuple(
            (
                str(line.transaction),
                shown_time(line.occurred_at),
                line.participant,
                line.account,
                line.venue,
                pounds(line.amount),
                line.what,
                line.instance,
                line.bet,
            )
            for line in lines
        ),
        numbers=frozenset({0, 5}),
    )


def statement_csv(lines: Iterable[StatementLine]) -> str:
    """The postings as CSV, amounts in pounds; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(STATEMENT_COLUMNS)
    for line in lines:
        writer.writerow(
            (
                line.transaction,
                line.occurred_at.isoformat(),
                _harmless(line.participant),
                _harmless(line.account),
                _harmless(line.venue),
                f"{from_pence(line.amount):f}",
                _harmless(line.what),
                _harmless(line.instance),
                _harmless(line.bet),
            )
        )
    return out.getvalue()


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula, whatever blanks stand before it."""
    text = text.replace("\r", " ")  # which the writer leaves bare, and readers take for a new line
    begins = text.lstrip()[:1]
    is_formula = begins in {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}
    return f"'{text}" if (begins and is_formula) or text[:1] in {"\t", "\n"} else text


def participants_table(participants: Iterable[ParticipantLine]) -> TableView:
    """Who takes part, and where they are restricted."""
    return TableView(
        title="Participants",
        headings=("id", "name", "since", "state", "restricted at"),
        rows=tuple(
            (
                line.participant,
                line.name,
                shown_time(line.joined_at),
                "active" if line.is_active else "paused",
                ", ".join(line.restricted),
            )
            for line in participants
        ),
    )
