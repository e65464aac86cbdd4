"""Reminders about an offer that fall due with time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from kos.domain.books.double_entry import pounds
from kos.domain.market.places import place_name
from kos.domain.offers.state import HedgeStatus, OfferState, Phase, hedge_status, in_game


class ReminderKind(StrEnum):
    """What a reminder is about."""

    UNHEDGED = "unhedged"
    UNSETTLED = "unsettled"
    IN_TRANSIT = "in_transit"
    CREDIT_OVERDUE = "credit_overdue"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class Reminder(msgspec.Struct, frozen=True):
    """Something about an offer that is due by now."""

    instance: str
    what: str
    due_at: datetime
    kind: ReminderKind


_Due = tuple[ReminderKind, str, datetime]

_NOT_HEDGED = {HedgeStatus.UNHEDGED: "is not hedged", HedgeStatus.PART: "is only partly hedged"}

_TOKEN_WARNINGS = (timedelta(hours=3), timedelta(hours=24), timedelta(hours=48))
_SETTLEMENT_OVERDUE = timedelta(hours=5)
"""Kickoff, two hours of play and three of patience."""
_TRANSIT_OVERDUE = timedelta(days=5)


def reminders(state: OfferState, now: datetime) -> tuple[Reminder, ...]:
    """What needs attention now, earliest first; nothing for a closed offer."""
    if state.is_closed:
        return ()
    entries = (*_about_bets(state, now), *_about_money(state, now), *_about_tokens(state, now))
    listed = [Reminder(state.id, what, due, kind) for kind, what, due in entries]
    return tuple(sorted(listed, key=lambda reminder: reminder.due_at))


def _about_bets(state: OfferState, now: datetime) -> Iterator[_Due]:
    for bet in state.open_bets():
        if bet.kickoff is None or bet.is_exchange:
            continue
        status = hedge_status(state, bet.id)
        if status is not HedgeStatus.HEDGED:
            yield ReminderKind.UNHEDGED, f"bet {bet.id} {_NOT_HEDGED[status]}", bet.kickoff
        overdue = bet.kickoff + _SETTLEMENT_OVERDUE
        if now >= overdue:
            yield ReminderKind.UNSETTLED, f"bet {bet.id} is overdue for settlement", overdue


def _about_money(state: OfferState, now: datetime) -> Iterator[_Due]:
    for venue, since in state.transit_since.items():
        overdue = since + _TRANSIT_OVERDUE
        if now >= overdue:
            amount = pounds(state.transit[venue])
            what = f"{amount} is still in transit between {place_name(venue)} and the bank"
            yield ReminderKind.IN_TRANSIT, what, overdue
    due = state.credit_due_by
    if state.phase is Phase.FREE_BET_PENDING and due is not None and now >= due:
        yield ReminderKind.CREDIT_OVERDUE, "the free bet has not been credited on time", due


def _about_tokens(state: OfferState, now: datetime) -> Iterator[_Due]:
    for token in in_game(state):
        if token.phase is not Phase.FREE_BET_CREDITED or token.expires_at is None:
            continue
        left = token.expires_at - now
        warning = next((notice for notice in _TOKEN_WARNINGS if left <= notice), None)
        if left <= timedelta(0):
            yield ReminderKind.EXPIRED, f"free bet {token.id} has expired", token.expires_at
        elif warning is not None:
            hours = warning // timedelta(hours=1)
            what = f"free bet {token.id} expires within {hours} hours"
            yield ReminderKind.EXPIRING, what, token.expires_at
