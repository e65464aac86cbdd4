"""A dutch as an operator is shown it, and the question that asks for it.

A dutch covers every outcome of an event so that each pays the same: a back of each outcome, each
at another place, or a back of one outcome and a lay of the same, which covers all others. The
arithmetic is in `kos.domain.bets.dutch`, the search in `kos.domain.opportunities.dutch_ranking`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from kos.domain.opportunities.opportunity import (
    BetKind,
    BetQuery,
    PricedBet,
    Ranking,
    check_query,
)
from kos.errors import InvalidInput


class LegSide(StrEnum):
    """What is done at a leg's place."""

    BACK = "back"
    LAY = "lay"


class DutchLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One bet of a dutch. Money is pounds to the penny."""

    side: LegSide
    outcome: str
    """The selection to back or to lay, as the feed prints it."""
    covers: tuple[str, ...]
    """The outcomes on which this leg wins: its own, or for a lay all others."""
    place: str
    """Key of the bookmaker or exchange; ``betfair`` is the own account."""
    place_title: str
    is_exchange: bool
    odds: Decimal
    """As quoted."""
    commission: Decimal
    """On net winnings, a fraction of one; 0 at a bookmaker."""
    effective_odds: Decimal
    """Of a back, without a fee, of what it covers; exact for a back, to 28 digits for a lay."""
    stake: Decimal
    """As typed: the back stake, the face of the free bet, or the lay stake."""
    outlay: Decimal
    """What is lost if the leg fails: the stake, a lay's liability, nothing for a free bet."""
    available: Decimal | None
    """Pounds at this price on an exchange; None: not known, or a bookmaker, who never tells."""
    updated_at: datetime
    """The source's time of the price, or that of its fetch where it gives none."""
    received_at: datetime
    is_delayed: bool = False
    match_confidence: float = 1.0
    market_id: str | None = None
    selection_id: int | None = None
    link: str | None = None


class OutcomeProfit(msgspec.Struct, frozen=True):
    """What a dutch leaves if one outcome happens."""

    outcome: str
    profit: Decimal
    """Pounds to the penny, of the rounded stakes."""


class DutchOpportunity(PricedBet, frozen=True, kw_only=True):
    """All outcomes of one event covered, ready to be placed by hand.

    Every figure but `rating` and `book_sum` is recomputed from the rounded stakes.
    """

    legs: tuple[DutchLeg, ...]
    """First that of the bookmaker asked for, else the first outcome's."""
    outcomes: tuple[OutcomeProfit, ...]
    """Every outcome of the event: home, away and, where there is one, the draw."""
    total: Decimal
    """The sum of the legs' outlays: the money that is tied up."""
    book_sum: Decimal
    """The sum of the inverse effective odds; below 1 is an arb."""


class DutchQuery(BetQuery, frozen=True, kw_only=True):
    """What an operator asks: the best N dutches, within filters.

    The bet is the leg at the bookmaker; without one it is all legs, of own money.
    """

    event_id: str | None = None
    """Only this event: refreshes a dutch on the screen."""
    with_exchanges: bool = True
    """Whether legs may be on exchanges, backs and lays; False: bookmakers alone."""
    ranking: Ranking = Ranking.RATING
    """Rankings by liability or capital are for pairs."""


class DutchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The ranked answer. Of each event, or outcome of the named bookmaker, the best dutch."""

    as_of: datetime
    dutches: tuple[DutchOpportunity, ...]
    considered: int
    """Events looked at; with a bookmaker its prices."""
    rejected: dict[str, int]
    """`kos.domain.opportunities.opportunity.Rejection` to count. The rest ranks lower: without a look at its
    stakes, where its prices alone put it below."""


def check_dutch_query(query: DutchQuery) -> None:
    """Refuse a question that makes no sense.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    if query.only_arbs and query.kind is not BetKind.QUALIFYING:
        raise InvalidInput("only_arbs", query.kind.value, "qualifying bets")
    check_query(query)
    if query.bookmaker is None and query.kind is not BetKind.QUALIFYING:
        raise InvalidInput("bookmaker", query.bookmaker, f"one for the {query.kind.value} bet")
    if query.bookmaker is None and query.free_bet_value is not None:
        raise InvalidInput("bookmaker", query.bookmaker, "one that gives the free bet")
    if query.ranking in {Ranking.VALUE_PER_LIABILITY, Ranking.RETURN_ON_CAPITAL}:
        raise InvalidInput("ranking", query.ranking.value, "seed, rating, value or value_per_hour")
