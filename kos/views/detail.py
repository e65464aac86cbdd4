"""One opportunity in detail: the bets, the outcomes, and how it is ranked."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from kos.domain.market.freshness import age_s
from kos.domain.opportunities.opportunity import (
    FREE_BETS,
    BetKind,
    Opportunity,
    OpportunityState,
    Rejection,
)
from kos.views.opportunities import (
    OpportunityRow,
    brief_percent,
    duration,
    opportunity_row,
    percent,
    pounds,
    uk_day,
)

_PLACES: Final = 5
_ONE_PLAYER: Final = ("tennis", "mma", "boxing", "golf")
_TOKENS: Final = {
    BetKind.FREE_BET_SNR: "with the free bet, stake not returned",
    BetKind.FREE_BET_SR: "with the free bet, stake returned",
    BetKind.REFUND: "refunded if it loses",
}


class FactorRow(msgspec.Struct, frozen=True):
    """One figure behind the order, in words."""

    name: str
    value: str
    """With its unit."""
    why: str


class OpportunityDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity as it is now, or why it is no longer available."""

    row: OpportunityRow | None
    """None: it is no longer available."""
    gone: str
    """Why and since when, in sentences; empty while it is available."""
    steps: tuple[str, ...]
    """The bets, in order."""
    outcomes: tuple[tuple[str, str], ...]
    """Each outcome, and its profit."""
    factors: tuple[FactorRow, ...]
    """The factors of the score in order, then everything else that counts."""


def opportunity_detail_view(state: OpportunityState) -> OpportunityDetail:
    """The present state of an opportunity, in words."""
    opportunity = state.opportunity
    if opportunity is None:
        return OpportunityDetail(row=None, gone=_gone(state), steps=(), outcomes=(), factors=())
    row = opportunity_row(opportunity, state.as_of)
    refund = f", including the {row.refund} refund" if row.refund else ""
    return OpportunityDetail(
        row=row,
        gone="",
        steps=(_back_step(opportunity, row), _lay_step(row)),
        outcomes=(
            (_winning(opportunity, row), row.if_back_wins),
            ("Any other result", row.if_back_loses + refund),
        ),
        factors=factor_rows(opportunity),
    )


def _winning(opportunity: Opportunity, row: OpportunityRow) -> str:
    """The event that the back bet wins; a team is plural, one player is not."""
    if row.selection.casefold() == "draw":
        return "If it is a draw"
    is_one = opportunity.sport_key.startswith(_ONE_PLAYER) or not (
        opportunity.home and opportunity.away
    )
    return f"If {row.selection} {'wins' if is_one else 'win'}"


def _back_step(opportunity: Opportunity, row: OpportunityRow) -> str:
    step = f"Back {row.selection} at {row.bookmaker}: {row.stake} at {row.back_odds}"
    return f"{step}, {_TOKENS[opportunity.kind]}" if opportunity.kind in _TOKENS else step


def _lay_step(row: OpportunityRow) -> str:
    lay = f"{row.lay_stake} at {row.lay_odds}"
    return f"Lay {row.selection} at {row.exchange}: {lay}, liability {row.liability}"


def factor_rows(opportunity: Opportunity) -> tuple[FactorRow, ...]:
    """Each factor of the score with its value, unit and reason; then everything else that counts."""
    factors = opportunity.factors
    return (
        FactorRow("Free bet value", _pounds(factors.free_bet_value), _value_why(opportunity)),
        FactorRow("Qualifying loss", _pounds(factors.max_loss), _loss_why(opportunity)),
        FactorRow(
            "Minutes to start",
            f"{factors.minutes_to_kickoff:.0f} min",
            "divides: if all else is equal, the earlier start ranks higher",
        ),
        FactorRow("Retention", _percent(factors.retention), _retention_why(opportunity)),
        FactorRow("Fill", _percent(factors.fill), _fill_why(opportunity)),
        FactorRow(
            "Score",
            f"{opportunity.score:.{_PLACES}g} per minute",
            "free bet value ÷ loss ÷ minutes × retention × fill",  # noqa: RUF001 - the sign is meant
        ),
        FactorRow(
            "Tier",
            str(opportunity.tier),
            "makes a profit, so it ranks above every loss-making bet, in order of profit"
            if opportunity.tier
            else "has a qualifying loss, so the score sets its rank",
        ),
        FactorRow(
            "Liquidity floor",
            _pounds(factors.liquidity_floor),
            "pass or fail: unknown"
            if opportunity.lay_available is None
            else f"pass or fail: passed, {pounds(opportunity.lay_available)} available",
        ),
        FactorRow(
            "Rating",
            percent(opportunity.rating),
            "what you keep of each £1 staked; above 100% is an arb",
        ),
        FactorRow(
            "Commission",
            brief_percent(opportunity.commission),
            "charged on net winnings in the exchange market",
        ),
        FactorRow(
            "Name match",
            _percent(opportunity.match_confidence),
            "same feed, or names certain"
            if opportunity.match_confidence >= 1
            else "how sure KOS is that both are the same event",
        ),
    )


def _value_why(opportunity: Opportunity) -> str:
    if opportunity.kind in FREE_BETS:
        return "value of the free bet"
    if Decimal(repr(opportunity.factors.free_bet_value)) == opportunity.stake:
        return "your stake, as no free bet value was given"
    return "value of the free bet you earn"


def _loss_why(opportunity: Opportunity) -> str:
    if opportunity.tier:
        return "divides: no loss, so the minimum loss is used"
    if opportunity.kind in FREE_BETS:
        return "divides: the part of the free bet you do not turn into cash"
    return "divides: the loss in the worse outcome"


def _retention_why(opportunity: Opportunity) -> str:
    if opportunity.kind in FREE_BETS:
        return "cash kept as a share of the free bet's value"
    if opportunity.kind is BetKind.REFUND:
        return "what £1 of refund is valued at"
    return "assumed for a future free bet (from your settings)"


def _fill_why(opportunity: Opportunity) -> str:
    if opportunity.lay_available is None:
        return "liquidity unknown; assumed to be enough"
    available, needed = pounds(opportunity.lay_available), pounds(opportunity.lay_stake)
    return f"{available} available at this price; you need {needed}"


def _gone(state: OpportunityState) -> str:
    reason = state.rejection or Rejection.NOT_QUOTED
    since = ""
    if state.since is not None:
        ago = duration(age_s(state.as_of, state.since))
        since = f" since {uk_day(state.since, state.as_of).removeprefix('today, ')} ({ago} ago)"
    return f"No longer available{since}: {reason.value}. Check both sites before you bet."


def _percent(share: float) -> str:
    return brief_percent(Decimal(repr(share)))


def _pounds(amount: float) -> str:
    return pounds(Decimal(repr(amount)))
