"""Bets settled before the books began, read from CSV: KOS's own form and Betfair's statements.

KOS's own form has the columns ``date, venue, category, side, description, stake, odds, profit,
reference``; date, venue and profit are needed. Betfair's account statement and its profit and
loss table come in several layouts; their columns are known by their names, in any order.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books.calendar import read_moment
from kos.domain.market.odds import as_decimal, read_odds
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.money import read_pence
from kos.domain.offers.catalogue import csv_rows
from kos.domain.offers.facts import PastBetImported
from kos.errors import InvalidInput

COLUMNS = (
    "date", "venue", "category", "side", "description", "stake", "odds", "profit", "reference",
)  # fmt: skip
_NEEDED = ("date", "venue", "profit")

_BETFAIR = {
    "date": ("settled date", "settled", "date", "item date"),
    "description": ("description", "market", "event"),
    "amount": ("profit/loss", "profit / loss", "amount", "p&l", "net amount"),
    "credit": ("credit", "amount in", "money in", "in"),
    "debit": ("debit", "amount out", "money out", "out"),
    "reference": ("ref id", "refid", "ref", "reference", "bet id", "bet ref", "transaction id"),
}
"""What a column is for, and the names it goes by, currency signs left out."""

_PAYMENT = re.compile(
    r"\b(deposit|withdraw\w*|transfer\w*|card|paypal|opening balance|closing balance)\b",
    re.IGNORECASE,
)
_COMMISSION = re.compile(r"\bcommission\b", re.IGNORECASE)
_LAY = re.compile(r"\blay\b", re.IGNORECASE)


class PastBet(msgspec.Struct, frozen=True):
    """One line of a file: the fact and when it was settled."""

    fact: PastBetImported
    settled_at: datetime


class PastBets(msgspec.Struct, frozen=True):
    """What a file holds."""

    bets: tuple[PastBet, ...]
    skipped: tuple[str, ...]
    """Lines that are no bets (deposits, withdrawals, balances), with the reason."""


def from_csv(text: str) -> PastBets:
    """The bets of a CSV text in KOS's own form.

    Raises:
        InvalidInput: A column is unknown or missing, or a line cannot be read; says which.
    """
    rows = _rows(text)
    names = {name for _, row in rows for name in row}
    unknown, missing = names - set(COLUMNS), set(_NEEDED) - names
    if rows and (unknown or missing):
        raise InvalidInput(
            "columns", sorted(names), f"{', '.join(COLUMNS)} ({', '.join(_NEEDED)} are needed)"
        )
    seen: Counter[str] = Counter()
    bets = []
    for number, row in rows:
        where = f"line {number}"
        stake, odds = row.get("stake", ""), row.get("odds", "")
        fact = PastBetImported(
            reference=row.get("reference") or _reference(row, seen),
            venue=row["venue"],
            category=row.get("category") or "value",
            profit=read_pence(f"{where} profit", row["profit"]),
            side=_side(row.get("side") or "back", where),
            description=row.get("description", ""),
            stake=read_pence(f"{where} stake", stake) if stake else None,
            odds=as_decimal(read_odds(f"{where} odds", odds)) if odds else None,
        )
        if not fact.venue:
            raise InvalidInput(f"{where} venue", "", "a bookmaker's or exchange's name")
        bets.append(PastBet(fact, read_moment(f"{where} date", row["date"], None)))
    return PastBets(tuple(bets), ())


def from_betfair(text: str) -> PastBets:
    """The bets and commissions of a Betfair account statement or profit and loss table.

    Raises:
        InvalidInput: It has no column for a date or an amount, or a line cannot be read.
    """
    rows = _rows(text)
    names = {name for _, row in rows for name in row}
    column = {
        use: next((name for name in headings if name in names), None)
        for use, headings in _BETFAIR.items()
    }
    has_amount = column["amount"] or (column["credit"] and column["debit"])
    if rows and not (column["date"] and has_amount):
        raise InvalidInput(
            "columns", sorted(names), "a date, and an amount or a credit and a debit column"
        )
    seen: Counter[str] = Counter()
    bets: list[PastBet] = []
    skipped: list[str] = []
    for number, row in rows:
        where = f"line {number}"
        what = row.get(column["description"] or "", "")
        profit = _betfair_amount(row, column, where)
        if _PAYMENT.search(what):
            skipped.append(f"{where}: {what} (a payment, no bet)")
            continue
        if profit is None:
            skipped.append(f"{where}: {what or 'no amount'}")
            continue
        reference = row.get(column["reference"] or "", "")
        fact = PastBetImported(
            # One reference may stand on a bet and on the commission of its market.
            reference=f"betfair {_reference({**row, 'ref': reference}, seen)}",
            venue=OWN_EXCHANGE,
            category="commission" if _COMMISSION.search(what) else "value",
            profit=profit,
            side=ExchangeSide.LAY if _LAY.search(what) else ExchangeSide.BACK,
            description=f"{what} ({reference})" if reference else what,
        )
        bets.append(PastBet(fact, read_moment(f"{where} date", row[column["date"] or ""], None)))
    return PastBets(tuple(bets), tuple(skipped))


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    _, rows = csv_rows(text, skipinitialspace=True)
    return [(line, {_bare(name): cell.strip() for name, cell in row.items()}) for line, row in rows]


def _bare(name: str) -> str:
    """A column's name without its currency: ``Profit/Loss (£)`` is ``profit/loss``."""
    return re.sub(r"\s*\([^)]*\)", "", name).strip().lower()


def _betfair_amount(
    row: Mapping[str, str], column: Mapping[str, str | None], where: str
) -> int | None:
    uses = ("amount",) if column["amount"] else ("credit", "debit")
    cells = {use: row[column[use] or ""] for use in uses}
    amounts = {
        use: _signed(cell, where) for use, cell in cells.items() if cell not in {"", "-", "--"}
    }
    if not amounts:
        return None
    return amounts.get("amount", 0) + amounts.get("credit", 0) - abs(amounts.get("debit", 0))


def _signed(text: str, where: str) -> int:
    """Pence of ``-£1.20``, ``(1.20)`` or ``+1.20``."""
    is_loss = text.startswith("(") and text.endswith(")")
    pence = read_pence(f"{where} amount", text[1:-1] if is_loss else text)
    return -pence if is_loss else pence


def _side(text: str, where: str) -> ExchangeSide:
    try:
        return ExchangeSide(text.lower())
    except ValueError as error:
        raise InvalidInput(f"{where} side", text, "back or lay") from error


def _reference(row: Mapping[str, str], seen: Counter[str]) -> str:
    """A name for a line without one: the same line again is the same bet, its twin another."""
    text = "\x1f".join(f"{name}={cell}" for name, cell in sorted(row.items()))
    mark = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    seen[mark] += 1
    return mark if seen[mark] == 1 else f"{mark}-{seen[mark]}"
