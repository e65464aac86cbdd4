"""One opportunity in detail: what to do, what it brings, and why it ranks where it does."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from kos.domain.market.freshness import age_s
from kos.domain.opportunities.opportunity import BetKind, Opportunity, OpportunityState, Rejection
from kos.views.opportunities import (
    OpportunityRow,
    duration,
    opportunity_row,
    percent,
    pounds,
    uk_time,
)

_PLACES: Final = 5
_TOKENS: Final = {
    BetKind.FREE_BET_SNR: "with the free bet, stake not returned",
    BetKind.FREE_BET_SR: "with the free bet, stake returned",
    BetKind.REFUND: "own money, refunded if it loses",
}


class FactorRow(msgspec.Struct, frozen=True):
    """One figure behind the order, in words."""

    name: str
    value: str
    """With its unit."""
    why: str


class OpportunityDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity as it is now, or why it is not offered any more."""

    row: OpportunityRow | None
    """None: it is gone."""
    gone: str
    """Why and since when, a sentence; empty while it is offered."""
    steps: tuple[str, ...]
    """What a person does, in order."""
    outcomes: tuple[tuple[str, str], ...]
    """What happens, and what is left then."""
    factors: tuple[FactorRow, ...]
    """Of the score in the order of its product, then what else decides."""


def opportunity_detail_view(state: OpportunityState) -> OpportunityDetail:
    """What has become of an opportunity, in words."""
    found = state.opportunity
    if found is None:
        return OpportunityDetail(row=None, gone=_gone(state), steps=(), outcomes=(), factors=())
    row = opportunity_row(found, state.as_of)
    return OpportunityDetail(
        row=row,
        gone="",
        steps=(_back_step(found, row), _lay_step(row)),
        outcomes=(
            (f"{row.selection} wins", row.if_back_wins),
            (
                f"{row.selection} does not win",
                row.if_back_loses
                + (f", the refund of {row.refund} included" if row.refund else ""),
            ),
        ),
        factors=factor_rows(found),
    )


def _back_step(found: Opportunity, row: OpportunityRow) -> str:
    step = f"Back {row.selection} at {row.bookmaker}: {row.stake} at {row.back_odds}"
    return f"{step}, {_TOKENS[found.kind]}" if found.kind in _TOKENS else step


def _lay_step(row: OpportunityRow) -> str:
    lay = f"{row.lay_stake} at {row.lay_odds}"
    return f"Lay {row.selection} at {row.exchange}: {lay}, liability {row.liability}"


def factor_rows(found: Opportunity) -> tuple[FactorRow, ...]:
    """Each factor of the score with its value, its unit and its reason; then what else decides."""
    factors = found.factors
    return (
        FactorRow("Free bet value", _pounds(factors.free_bet_value), _value_why(found)),
        FactorRow("Max loss", _pounds(factors.max_loss), _loss_why(found)),
        FactorRow(
            "Minutes to kickoff",
            f"{factors.minutes_to_kickoff:.0f} min",
            "divides: of two equal pairs the sooner one ranks higher",
        ),
        FactorRow("Retention", percent(Decimal(repr(factors.retention))), _retention_why(found)),
        FactorRow("Fill", percent(Decimal(repr(factors.fill))), _fill_why(found)),
        FactorRow(
            "Score",
            f"{found.score:.{_PLACES}g} per minute",
            "free bet value / max loss / minutes * retention * fill",
        ),
        FactorRow(
            "Tier",
            str(found.tier),
            "nothing is lost, so it stands before all that lose and is ordered by its profit"
            if found.tier
            else "something is lost, so the score orders it",
        ),
        FactorRow(
            "Liquidity floor",
            _pounds(factors.liquidity_floor),
            "a gate, not a factor: not known whether it is passed"
            if found.lay_available is None
            else f"a gate, not a factor: passed with {pounds(found.lay_available)}",
        ),
        FactorRow(
            "Rating",
            percent(found.rating),
            "what is left of a pound of own money at these prices; above 100% is an arb",
        ),
        FactorRow("Commission", percent(found.commission), "on net winnings of the lay's market"),
        FactorRow(
            "Name match",
            percent(Decimal(repr(found.match_confidence))),
            "back and lay come from one feed, or the names are certain"
            if found.match_confidence >= 1
            else "how sure it is that both sides mean the same event",
        ),
    )


def _value_why(found: Opportunity) -> str:
    if found.kind in {BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}:
        return "the face of the free bet"
    if Decimal(repr(found.factors.free_bet_value)) == found.stake:
        return "the stake, as no other free bet is unlocked"
    return "the face of the free bet that the bet unlocks"


def _loss_why(found: Opportunity) -> str:
    if found.tier:
        return "divides: nothing is lost, which counts as the least loss"
    if found.kind in {BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}:
        return "divides: the part of the free bet's face that does not become cash"
    return "divides: what the pair loses in its worse outcome"


def _retention_why(found: Opportunity) -> str:
    if found.kind in {BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}:
        return "the cash this pair makes of the free bet, by its face"
    if found.kind is BetKind.REFUND:
        return "what a pound of the refund counts for"
    return "assumed for a free bet still to come, from the settings"


def _fill_why(found: Opportunity) -> str:
    if found.lay_available is None:
        return "the source does not tell how much can be laid; taken as enough"
    return f"{pounds(found.lay_available)} can be laid at this price, {pounds(found.lay_stake)} is needed"


def _gone(state: OpportunityState) -> str:
    reason = state.rejection or Rejection.NOT_QUOTED
    if state.since is None:
        return f"Not offered any more: {reason.value}"
    ago = duration(age_s(state.as_of, state.since))
    return f"Not offered any more: {reason.value}, known since {uk_time(state.since)} ({ago} ago)"


def _pounds(amount: float) -> str:
    return pounds(Decimal(repr(amount)))
