"""A priced back and lay as operators see it, and the query that finds it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from kos.domain.money import MOST_POUNDS
from kos.errors import InvalidInput

MAX_LIMIT = 500
MAX_STAKE = MOST_POUNDS


class BetKind(StrEnum):
    """What the back bet is staked with, which decides the lay stake and the ranking."""

    QUALIFYING = "qualifying"
    FREE_BET_SNR = "snr"
    FREE_BET_SR = "sr"
    REFUND = "refund"
    """Own money, with a refund if the bet loses: as a free bet, or in cash."""


FREE_BETS: Final = frozenset({BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR})
"""Kinds that are staked with a free bet, so that retention means something."""


class ScoreFactors(msgspec.Struct, frozen=True):
    """Every factor of the default score by name, so that operators can see how it is made up.

    ``score = (free_bet_value / max_loss) * (1 / minutes) * retention * fill``, each made total
    and finite; floats, because they only rank.
    """

    free_bet_value: float
    """Pounds: value of the free bet earned or used; the stake if neither."""
    max_loss: float
    """Pounds, at least 0.01."""
    minutes_to_kickoff: float
    """At least the minimum of the settings."""
    retention: float
    """Cash kept from each £1 of free bet, 0 to about 1."""
    fill: float
    """Liquidity: min(1, available / lay stake), once the floor is passed; 1 when unknown."""
    liquidity_floor: float
    """Pounds: the floor this sport key must pass."""


class PricedBet(msgspec.Struct, frozen=True, kw_only=True):
    """What a pair and a dutch show alike: the event, the bet asked about, and what it is worth."""

    id: str
    """Stable: made from the event, market, outcome, bookmaker and exchange; a dutch's legs may
    change."""
    kind: BetKind
    """Of a dutch: of its first leg; all others are own money."""
    sport_key: str
    sport_title: str
    event_id: str
    home: str
    away: str
    kickoff: datetime
    market_key: str
    """The odds feed's market, ``h2h``."""
    stake: Decimal
    """Back stake or value of the free bet; of a dutch without a bookmaker the total asked for."""
    profit: Decimal
    """The worst outcome; if negative, the qualifying loss."""
    rating: Decimal
    """b(1-c)/(l-c): what you keep of each £1 staked. Above 1 is an arb. For a free bet or a refund
    it is that of own money at the same prices. Of a dutch, stakes unrounded: of the first leg's
    £1 if a bookmaker was named, so that the two compare, else of the total's."""
    retention: Decimal
    """Cash kept as a share of the free bet's value; for a qualifying bet the assumed retention of
    the settings, for a refund what £1 of it is valued at: 1 in cash, else the assumed
    retention."""
    score: float
    tier: int
    """1 for an arb or better (no outcome loses), else 0; sorts first."""
    factors: ScoreFactors
    refund: Decimal | None = None
    """Pounds: the refund if the back bet loses; None: this kind has none."""
    refund_worth: Decimal | None = None
    """Pounds, to the penny: the value of the refund within the profits."""

    @property
    def event(self) -> str:
        """``Home v Away``; the competition where the event has no two sides."""
        return f"{self.home} v {self.away}" if self.home and self.away else self.sport_title


class Opportunity(PricedBet, frozen=True, kw_only=True):
    """One back bet at a bookmaker and the lay that covers it, ready to be placed by hand.

    Money is pounds to the penny, recomputed from the rounded lay stake; ratios are exact
    until shown. ``age`` questions are answered by the times, never by a stored age.
    """

    outcome: str
    """The selection to back and to lay, as the bookmaker feed prints it."""
    bookmaker: str
    bookmaker_title: str
    back_odds: Decimal
    back_updated_at: datetime
    """Source's time of the back price, or the time of the fetch when the feed gives none."""
    back_received_at: datetime
    exchange: str
    """``betfair`` (own account) or the feed's exchange key, e.g. ``smarkets``."""
    market_id: str | None
    selection_id: int | None
    lay_odds: Decimal
    lay_available: Decimal | None
    """Pounds available to lay at the best price; None: the source does not say, shown as unknown."""
    lay_updated_at: datetime
    lay_received_at: datetime
    is_delayed: bool
    commission: Decimal
    """Fraction of net winnings charged on the lay's market."""
    lay_stake: Decimal
    liability: Decimal
    if_back_wins: Decimal
    if_back_loses: Decimal
    match_confidence: float
    """1.0 where back and lay come from the same feed and need no name matching."""
    link: str | None = None


class Ranking(StrEnum):
    """Sort orders; ``SEED`` is the default. See `kos.domain.opportunities.scoring`."""

    SEED = "seed"
    RATING = "rating"
    """What other tools show: b(1-c)/(l-c), for a free bet its retention."""
    VALUE = "value"
    """Most pounds."""
    VALUE_PER_HOUR = "value_per_hour"
    """Pounds per hour that the money is tied up: turns a small bank over."""
    VALUE_PER_LIABILITY = "value_per_liability"
    """Pounds per pound of exchange liability: where the exchange float is short."""
    RETURN_ON_CAPITAL = "return_on_capital"
    """Pounds per hour and per pound tied up on both sides."""


class Rejection(StrEnum):
    """Why a back price was excluded. Operators read these texts."""

    STARTED = "already started"
    IN_PLAY = "exchange market already in play"
    SUSPENDED = "exchange market not open"
    TOO_SOON = "starts too soon"
    TOO_LATE = "starts after your time limit"
    DRAW = "no draw in this sport"
    OTHER_BET = "bookmaker and exchange markets are different bets"
    DOUBTFUL = "event match uncertain"
    UNMATCHED = "no lay market known"
    NO_LAY = "no lay price"
    STALE_BACK = "stale bookmaker price"
    STALE_LAY = "stale lay price"
    DELAYED = "delayed lay price"
    ODDS_TOO_LOW = "back odds below the minimum"
    ODDS_TOO_HIGH = "back odds above the maximum"
    INVERTED = "lay odds more than 5% below back odds"
    TOO_GOOD = "too good to be true"
    BELOW_FLOOR = "below liquidity floor"
    UNKNOWN_LIQUIDITY = "liquidity unknown"
    TOO_LITTLE = "liquidity below your minimum"
    LAY_TOO_SMALL = "lay stake below the exchange's minimum"
    OVER_LIABILITY = "liability above the maximum"
    NO_VALUE = "costs more than it is worth"
    ARB = "arb hidden"
    NO_ARB = "not an arb"
    NOT_QUOTED = "price withdrawn"
    """Only for an opportunity asked for by its id: the event, outcome or place has no price now."""
    SUPERSEDED = "replaced by your own account's price"
    """Only for an opportunity asked for by its id."""
    INCOMPLETE = "not every outcome can be covered"
    """Only for a dutch."""


class BetQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about one bet, to be covered by a lay or by a dutch, within filters."""

    kind: BetKind = BetKind.QUALIFYING
    stake: Decimal = Decimal(10)
    """Back stake or value of the free bet, pounds; of a dutch without a bookmaker the total."""
    bookmaker: str | None = None
    """Feed key of where the bet is placed, e.g. ``coral``; None means all."""
    free_bet_value: Decimal | None = None
    """Value of the free bet that a qualifying bet earns; None ranks it by its stake."""
    refund_value: Decimal | None = None
    """Pounds: the refund if a `BetKind.REFUND` loses; None means the stake."""
    is_refund_cash: bool = False
    """The refund is paid in cash and counts in full, not as a free bet at the assumed retention."""
    limit: int = 10
    sport: str | None = None
    """A sport key or its start, e.g. ``soccer`` or ``soccer_epl``."""
    min_odds: Decimal | None = None
    """Of the back; of a dutch's after an exchange's commission, and without a bookmaker of all."""
    max_odds: Decimal | None = None
    min_liquidity: Decimal | None = None
    """Pounds at each exchange price; an unknown liquidity does not pass when this is given."""
    max_minutes_to_kickoff: float | None = None
    only_arbs: bool = False
    """Only those rated above 1 that also make a profit with rounded stakes; for qualifying bets.
    `Ranking.RATING` orders them by percent, `Ranking.VALUE` by pounds."""
    ranking: Ranking = Ranking.SEED


class OpportunityQuery(BetQuery, frozen=True, kw_only=True):
    """A query: the best N for a bookmaker, kind and stake, within filters."""

    exchange: str | None = None
    max_liability: Decimal | None = None
    hide_arbs: bool = False


class OpportunityAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The ranked answer, with a count of what was excluded and why."""

    as_of: datetime
    opportunities: tuple[Opportunity, ...]
    considered: int
    """Back prices considered for this query, each with its best lay."""
    rejected: dict[str, int]
    """`Rejection` to count; what is neither rejected nor shown was eligible but ranked lower."""


def opportunity_id(event_id: str, *parts: str) -> str:
    """A short stable name: 8 characters for the event and 8 for the rest."""
    return event_tag(event_id) + _tag("\0".join((event_id, *parts)))


@lru_cache(maxsize=65_536)
def event_tag(event_id: str) -> str:
    """The prefix of the ids of an event's opportunities."""
    return _tag(event_id)


def _tag(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


class OpportunityState(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity as it is now, or why it is no longer available."""

    as_of: datetime
    opportunity: Opportunity | None
    """None: it is not available now."""
    rejection: Rejection | None = None
    """Why not."""
    since: datetime | None = None
    """Since when; None if unknown, or if it is still available."""


class SignalPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A bookmaker or an exchange that has prices now."""

    key: str
    """The feed's key; ``betfair`` for the own account."""
    title: str
    events: int
    """Coming events for which it has a price that is not stale."""


class SignalSport(msgspec.Struct, frozen=True, kw_only=True):
    """A sport key that has prices now."""

    key: str
    title: str
    events: int
    """Coming events."""


class SignalKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The bookmakers, exchanges and sports with prices now, each list in the order of its keys."""

    as_of: datetime
    bookmakers: tuple[SignalPlace, ...]
    exchanges: tuple[SignalPlace, ...]
    """Where bets can be laid, or backed if asked for by name."""
    sports: tuple[SignalSport, ...]


def check_query(query: BetQuery) -> None:
    """Refuse a query that makes no sense.

    Raises:
        InvalidInput: Names the field, what was given and what is allowed.
    """
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidInput("limit", query.limit, f"1 to {MAX_LIMIT}")
    for field in ("stake", "free_bet_value", "refund_value"):
        money: Decimal | None = getattr(query, field)
        if money is not None and not (money.is_finite() and 0 < money <= MAX_STAKE):
            raise InvalidInput(field, money, f"an amount from £0.01 to £{MAX_STAKE:,}")
    if query.kind is not BetKind.REFUND and (query.refund_value or query.is_refund_cash):
        raise InvalidInput("refund_value", query.kind.value, "the kind refund")
    hides_arbs = isinstance(query, OpportunityQuery) and query.hide_arbs
    if query.only_arbs and (hides_arbs or query.kind is not BetKind.QUALIFYING):
        raise InvalidInput("only_arbs", query.kind.value, "qualifying bets, arbs not hidden")
    for field in ("min_odds", "max_odds"):
        odds: Decimal | None = getattr(query, field)
        if odds is not None and not (odds.is_finite() and odds >= 1):
            raise InvalidInput(field, odds, "decimal odds of 1 or more")
    for field in ("min_liquidity", "max_liability"):
        pounds: Decimal | None = getattr(query, field, None)
        if pounds is not None and not (pounds.is_finite() and pounds >= 0):
            raise InvalidInput(field, pounds, "an amount of £0 or more")
    minutes = query.max_minutes_to_kickoff
    if minutes is not None and not minutes > 0:
        raise InvalidInput("max_minutes_to_kickoff", minutes, "a number of minutes above 0")
