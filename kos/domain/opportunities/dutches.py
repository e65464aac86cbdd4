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
    OpportunityQuery,
    Ranking,
    ScoreFactors,
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


class DutchOpportunity(msgspec.Struct, frozen=True, kw_only=True):
    """All outcomes of one event covered, ready to be placed by hand.

    Every figure but `rating` and `book_sum` is recomputed from the rounded stakes.
    """

    id: str
    """Stable while the event and the asked bookmaker's outcome live; its legs may change."""
    kind: BetKind
    """Of the first leg; all others are own money."""
    sport_key: str
    sport_title: str
    event_id: str
    home: str
    away: str
    kickoff: datetime
    market_key: str
    legs: tuple[DutchLeg, ...]
    """First that of the bookmaker asked for, else the first outcome's."""
    outcomes: tuple[OutcomeProfit, ...]
    """Every outcome of the event: home, away and, where there is one, the draw."""
    stake: Decimal
    """As asked for: on the first leg if a bookmaker was named, else in total."""
    total: Decimal
    """The sum of the legs' outlays: the money that is tied up."""
    profit: Decimal
    """The worst outcome."""
    rating: Decimal
    """What is left of one pound, stakes unrounded: of the first leg's if a bookmaker was named (as
    a pair's rating, so the two compare), else of the total. Above 1 is an arb. For a free bet or
    a refund it is that of own money at the same prices."""
    book_sum: Decimal
    """The sum of the inverse effective odds; below 1 is an arb."""
    retention: Decimal
    """As `kos.domain.opportunities.opportunity.Opportunity` has it."""
    score: float
    tier: int
    """1 where no outcome loses, else 0."""
    factors: ScoreFactors
    refund: Decimal | None = None
    """Pounds, face: what comes back if the first leg loses; None: this kind brings none."""
    refund_worth: Decimal | None = None
    """Pounds: what the profits of the other outcomes count it as."""


class DutchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator asks: the best N dutches, within filters."""

    bookmaker: str | None = None
    """Feed key of the place where one leg must be; None: anywhere."""
    kind: BetKind = BetKind.QUALIFYING
    """Of the leg at that place; other kinds than qualifying need one."""
    stake: Decimal = Decimal(10)
    """Pounds: on the leg at that place, without one in total."""
    free_bet_value: Decimal | None = None
    """Face of the free bet that a qualifying leg unlocks, pounds."""
    refund_value: Decimal | None = None
    is_refund_cash: bool = False
    limit: int = 10
    sport: str | None = None
    """A sport key or its beginning."""
    event_id: str | None = None
    """Only this event: refreshes a dutch on the screen."""
    with_exchanges: bool = True
    """Whether legs may be on exchanges, backs and lays; False: bookmakers alone."""
    min_odds: Decimal | None = None
    """Of the leg at the named place, after an exchange's commission; without one of every back."""
    max_odds: Decimal | None = None
    min_liquidity: Decimal | None = None
    """Pounds at the price of each exchange leg; an unknown one does not pass."""
    max_minutes_to_kickoff: float | None = None
    only_arbs: bool = False
    """Only those that gain on every outcome."""
    ranking: Ranking = Ranking.RATING
    """`Ranking.RATING` orders by percent, `Ranking.VALUE` by pounds; rankings by liability or
    capital are for pairs."""


class DutchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The ranked answer. Of each event, or outcome of the named bookmaker, the best dutch."""

    as_of: datetime
    dutches: tuple[DutchOpportunity, ...]
    considered: int
    """Events looked at; with a bookmaker its prices."""
    rejected: dict[str, int]
    """`kos.domain.opportunities.opportunity.Rejection` to count. The rest ranks lower: without a look at its
    stakes, where its prices alone put it below."""


def terms_of(query: DutchQuery) -> OpportunityQuery:
    """The question about the first leg alone, as the scoring of pairs understands it."""
    return OpportunityQuery(
        kind=query.kind,
        stake=query.stake,
        bookmaker=query.bookmaker,
        free_bet_value=query.free_bet_value,
        refund_value=query.refund_value,
        is_refund_cash=query.is_refund_cash,
        limit=query.limit,
        sport=query.sport,
        min_odds=query.min_odds,
        max_odds=query.max_odds,
        min_liquidity=query.min_liquidity,
        max_minutes_to_kickoff=query.max_minutes_to_kickoff,
        ranking=query.ranking,
    )


def dutch_of(query: OpportunityQuery, *, with_exchanges: bool) -> DutchQuery:
    """The query about dutches for the same bet within the same filters."""
    return DutchQuery(
        bookmaker=query.bookmaker,
        kind=query.kind,
        stake=query.stake,
        free_bet_value=query.free_bet_value,
        refund_value=query.refund_value,
        is_refund_cash=query.is_refund_cash,
        limit=query.limit,
        sport=query.sport,
        with_exchanges=with_exchanges,
        min_odds=query.min_odds,
        max_odds=query.max_odds,
        min_liquidity=query.min_liquidity,
        max_minutes_to_kickoff=query.max_minutes_to_kickoff,
        only_arbs=query.only_arbs,
        ranking=query.ranking,
    )


def check_dutch_query(query: DutchQuery) -> None:
    """Refuse a question that makes no sense.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    check_query(terms_of(query))
    if query.bookmaker is None and query.kind is not BetKind.QUALIFYING:
        raise InvalidInput("bookmaker", query.bookmaker, f"one for the {query.kind.value} bet")
    if query.bookmaker is None and query.free_bet_value is not None:
        raise InvalidInput("bookmaker", query.bookmaker, "one that gives the free bet")
    if query.ranking in {Ranking.VALUE_PER_LIABILITY, Ranking.RETURN_ON_CAPITAL}:
        raise InvalidInput("ranking", query.ranking.value, "seed, rating, value or value_per_hour")
    if query.only_arbs and query.kind is not BetKind.QUALIFYING:
        raise InvalidInput("only_arbs", query.kind.value, "qualifying bets")
