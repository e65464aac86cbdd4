"""The lines of lists, books and statements about offers and money.

Money is whole pence throughout; a debit is positive, a credit negative.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from kos.domain.books.double_entry import Pence


class OfferLine(msgspec.Struct, frozen=True, kw_only=True):
    """One offer instance in a list. Money is pence."""

    participant: str
    instance: str
    offer: str
    bookmaker: str
    phase: str
    outcome: str | None
    version: int
    started_at: datetime
    closed_at: datetime | None
    profit: Pence
    locked: Pence
    """Stakes, exposure and money on its way."""
    bonus: Pence
    """Face of the tokens in the wallet."""


class ReminderLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something about an open offer that time has made urgent."""

    participant: str
    instance: str
    bookmaker: str
    what: str
    due_at: datetime
    kind: str
    """As `kos.domain.offers.due.ReminderKind` names it."""


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One posting."""

    transaction: int
    occurred_at: datetime
    participant: str
    account: str
    venue: str
    amount: Pence
    """Debit positive, credit negative."""
    what: str
    instance: str
    bet: str


class RecordedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of an instance as it was recorded."""

    number: int
    fact: str
    phase: str
    """After it."""
    recorded_by: str
    source: str
    note: str
    occurred_at: datetime
    recorded_at: datetime
    posted: tuple[StatementLine, ...]
    """The lines of its entries, in their order."""


class BetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bet of an instance. Money is pence."""

    bet: str
    side: str
    venue: str
    selection: str
    stake: Pence
    odds: Decimal
    open_stake: Pence
    result: str | None
    profit: Pence
    hedge: str
    """unhedged, part or hedged for a back; empty for what hedges."""


class BalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account. Money is pence."""

    participant: str
    account: str
    balance: Pence


class ProfitLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was made within the time asked for, by one venue, offer or month. Money is pence."""

    participant: str
    name: str
    profit: Pence


class FloatLine(msgspec.Struct, frozen=True, kw_only=True):
    """The float of a participant at an exchange. Money is pence."""

    participant: str
    exchange: str
    available: Pence
    exposure: Pence
    reserved: Pence
    """For lays that are planned or held."""
    free: Pence


class ParticipantLine(msgspec.Struct, frozen=True, kw_only=True):
    """One participant."""

    participant: str
    name: str
    is_active: bool
    joined_at: datetime
    restricted: dict[str, str]
    """Bookmaker to reason."""
