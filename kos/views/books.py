"""Books as tables: balances, profit, float, statements and participants."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable

from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import (
    BalanceLine,
    FloatLine,
    ParticipantLine,
    ProfitLine,
    StatementLine,
)
from kos.domain.market.places import place_name
from kos.domain.money import from_pence
from kos.views.names import account_name, profit_name
from kos.views.offers import shown_time
from kos.views.table import TableView, table_of


def balances_table(balances: Iterable[BalanceLine]) -> TableView:
    """Every account with its balance; debits are positive."""
    rows = (
        (line.participant, account_name(line.account), pounds(line.balance)) for line in balances
    )
    return table_of("Balances", ("who", "account", "balance"), rows, {2})


def floats_table(floats: Iterable[FloatLine]) -> TableView:
    """The free balance for laying at each exchange."""
    rows = (
        (
            line.participant,
            place_name(line.exchange),
            *map(pounds, (line.available, line.exposure, line.reserved, line.free)),
        )
        for line in floats
    )
    headings = ("who", "exchange", "available", "exposure", "reserved", "free")
    return table_of("Float", headings, rows, {2, 3, 4, 5})


def profit_table(
    title: str, lines: Iterable[ProfitLine], name_of: Callable[[str], str] = profit_name
) -> TableView:
    """Profit, by the grouping that the title names."""
    rows = ((line.participant, name_of(line.name), pounds(line.profit)) for line in lines)
    return table_of(title, ("who", "from", "profit"), rows, {2})


def statement_table(lines: Iterable[StatementLine]) -> TableView:
    """Every entry of a period."""
    rows = (
        (
            str(line.transaction),
            shown_time(line.occurred_at),
            line.participant,
            account_name(line.account),
            place_name(line.venue),
            pounds(line.amount),
            line.what,
            line.instance,
            line.bet,
        )
        for line in lines
    )
    headings = ("entry", "when", "who", "account", "where", "amount", "what", "offer", "bet")
    return table_of("Statement", headings, rows, {0, 5})


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


def statement_csv(lines: Iterable[StatementLine]) -> str:
    """The entries as CSV, amounts in pounds; no spreadsheet reads a cell as a formula."""
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
    """Text that no spreadsheet reads as a formula, whatever blanks come before it."""
    text = text.replace("\r", " ")  # which the writer leaves bare, and readers take for a new line
    begins = text.lstrip()[:1]
    is_formula = begins in {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}
    return f"'{text}" if (begins and is_formula) or text[:1] in {"\t", "\n"} else text


def participants_table(participants: Iterable[ParticipantLine]) -> TableView:
    """Participants, and where they are restricted."""
    rows = (
        (
            line.participant,
            line.name,
            shown_time(line.joined_at),
            "active" if line.is_active else "paused",
            ", ".join(map(place_name, line.restricted)),
        )
        for line in participants
    )
    return table_of("Participants", ("ID", "name", "since", "state", "restricted at"), rows)
