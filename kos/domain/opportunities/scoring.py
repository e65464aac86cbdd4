"""What a back/lay pair is worth and where it ranks, each factor by name.

The default score is the seed's::

    score = (free_bet_value / max_loss) * (1 / minutes) * retention * fill

made total: every factor is positive and finite for every pair that may be shown, and what could
make it otherwise is a named `Rejection`, never a number. With P the worse outcome of the
rounded lay stake:

* ``free_bet_value`` F: face of the free bet that a qualifier unlocks; for a bare qualifier its
  stake; for a free bet its own face. Pounds.
* ``max_loss``: a qualifier's -P; for a free bet F - P, the part of its face that does not become
  cash. Never below ``least_loss``, because between one penny and two nothing real changes. A
  refund on every loss is in P already, so such a bet hardly ever loses.
* ``minutes`` to kickoff, never below ``min_minutes_to_kickoff``.
* ``retention``: assumed for the free bet that a qualifier unlocks or a refund is paid in, 1 for a
  refund in cash, P / F for a free bet.
* ``fill``: min(1, available / lay stake) once the sport's floor is passed. The floor itself is a
  gate: as a factor in pounds it would rank a £50 league above a £30 league for no reason.

A pair without a loss is in tier 1, where the score says little (``max_loss`` is the same for
all), so tier 1 comes first and is ordered by profit. Worked: £10 at 2.50 laid at 2.54 with 2 %
commission, 90 minutes before kickoff, scores 0.29933.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Generic, NamedTuple, TypeVar, assert_never

import msgspec
from msgspec import Meta

from kos.domain.bets import kinds
from kos.domain.bets.lay import LaySolution, balance
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.market.sports import SportFacts
from kos.domain.opportunities.opportunity import (
    BetKind,
    BetQuery,
    OpportunityQuery,
    Ranking,
    Rejection,
    ScoreFactors,
)

ZERO = Decimal(0)
MINUTES_PER_HOUR = 60.0
SECONDS_PER_MINUTE = 60.0


class UnknownLiquidity(StrEnum):
    """What to do with a lay price whose source does not tell how much waits behind it."""

    LAST = "last"
    """Shown, below every pair whose liquidity is known."""
    EQUAL = "equal"
    """Ranked as if there were enough."""
    REJECT = "reject"
    """Never shown."""


class ScoringRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as a fresh, liquid and worthwhile opportunity. Money is in pounds."""

    max_fetch_age_s: Annotated[
        float, Meta(description="how long a feed price counts after it is fetched (seconds)", gt=0)
    ] = 900.0
    max_source_age_s: Annotated[
        float,
        Meta(description="how long it counts after the feed itself read it (seconds)", gt=0),
    ] = 1800.0
    max_exchange_age_s: Annotated[
        float,
        Meta(description="how long a price from your own exchange account counts (seconds)", gt=0),
    ] = 120.0
    use_delayed_prices: Annotated[
        bool,
        Meta(description="include exchange prices delayed by up to 180 seconds, with a warning"),
    ] = True
    min_minutes_to_kickoff: Annotated[
        float, Meta(description="hide events that start sooner than this (minutes)", gt=0)
    ] = 5.0
    least_loss: Annotated[Decimal, Meta(description="smallest loss used in the score (pounds)")] = (
        Decimal("0.01")
    )
    snr_retention: Annotated[
        Decimal, Meta(description="cash expected from each £1 of a free bet not yet placed")
    ] = Decimal("0.75")
    max_rating: Annotated[
        Decimal,
        Meta(
            description="reject pairs rated above this unless names are certain and both prices are new"
        ),
    ] = Decimal("1.06")
    brand_new_s: Annotated[
        float, Meta(description="how old a new price can be for max_rating (seconds)", gt=0)
    ] = 30.0
    commissions: Annotated[
        dict[str, Decimal],
        Meta(
            description="commission on net winnings by exchange key, a fraction from 0 to below 1"
        ),
    ] = msgspec.field(
        default_factory=lambda: {
            OWN_EXCHANGE: Decimal("0.05"),
            "betfair_ex_uk": Decimal("0.05"),
            "betfair_ex_eu": Decimal("0.05"),
            "matchbook": Decimal("0.02"),
            "smarkets": Decimal("0.02"),
        }
    )
    betfair_discount: Annotated[
        Decimal,
        Meta(description="discount on Betfair's market base rate, a fraction from 0 to below 1"),
    ] = ZERO
    liquidity_floors: Annotated[
        dict[str, Decimal],
        Meta(description="minimum liquidity at the best lay price, by sport (pounds)"),
    ] = msgspec.field(default_factory=dict)
    unknown_liquidity: Annotated[
        UnknownLiquidity, Meta(description="include pairs whose liquidity is unknown")
    ] = UnknownLiquidity.LAST
    use_feed_limits: Annotated[
        bool,
        Meta(description="treat the feed's bet limit on a lay price as pounds available"),
    ] = True
    min_lay_stake: Annotated[
        Decimal, Meta(description="smallest lay stake the exchange takes (pounds)...")
    ] = Decimal("1.00")
    min_lay_payout: Annotated[
        Decimal, Meta(description="...unless stake times odds reaches this (pounds)")
    ] = Decimal("10.00")
    settlement_minutes: Annotated[
        float, Meta(description="time from the end of an event until the money is returned", ge=0)
    ] = 60.0
    max_events: Annotated[int, Meta(description="events kept in memory", ge=1)] = 50_000
    max_books: Annotated[int, Meta(description="exchange books kept in memory", ge=1)] = 50_000

    def __post_init__(self) -> None:
        """Refuse rules under which a score could be infinite, negative or meaningless."""
        if not (self.least_loss.is_finite() and self.least_loss > 0):
            raise ValueError(
                f"least_loss must be an amount in pounds above 0, not {self.least_loss}"
            )
        if not (self.snr_retention.is_finite() and 0 < self.snr_retention <= 1):
            raise ValueError(f"snr_retention must be above 0 and up to 1, not {self.snr_retention}")
        if not (self.max_rating.is_finite() and self.max_rating > 0):
            raise ValueError(f"max_rating must be above 0, not {self.max_rating}")
        rates = {**self.commissions, "betfair_discount": self.betfair_discount}
        for name, rate in rates.items():
            if not (rate.is_finite() and 0 <= rate < 1):
                raise ValueError(f"{name}: {rate} is not a fraction from 0 to below 1")
        pounds = {
            **self.liquidity_floors,
            "min_lay_stake": self.min_lay_stake,
            "min_lay_payout": self.min_lay_payout,
        }
        for name, amount in pounds.items():
            if not (amount.is_finite() and amount >= 0):
                raise ValueError(f"{name}: {amount} is not an amount in pounds")

    @property
    def is_unknown_equal(self) -> bool:
        """Whether an unknown liquidity ranks as a known one."""
        return self.unknown_liquidity is UnknownLiquidity.EQUAL

    def floor_of(self, sport_key: str, facts: SportFacts) -> Decimal:
        """Pounds that must wait at the best lay price; the longest fitting setting decides."""
        fitting = [key for key in self.liquidity_floors if sport_key.startswith(key)]
        if not fitting:
            return facts.liquidity_floor
        return self.liquidity_floors[max(fitting, key=len)]


class PairTerms(NamedTuple):
    """What is known of one pair, whatever the stake."""

    back_odds: Decimal
    """After the back side's own commission, where it is an exchange."""
    lay_odds: Decimal
    commission: Decimal
    available: Decimal | None
    """Pounds at the best lay price; None: unknown."""
    minutes: float
    """To kickoff, as a real number."""
    duration_minutes: float
    """From kickoff until the event is usually over."""
    floor: Decimal
    """Pounds."""


class Worth(NamedTuple):
    """What a bet brings and costs, exact."""

    bonus_face: Decimal
    """Pounds: what the score calls the free bet's value."""
    max_loss: Decimal
    """Pounds; not above 0 where nothing is lost."""
    retention: Decimal
    value: Decimal
    """Pounds: the profit, with the free bet that is unlocked."""
    is_worthless: bool
    """An offer that costs as much as it brings."""


StakesT = TypeVar("StakesT")
Rank = tuple[int, int, float, Decimal, float, Decimal, float]
"""Sort key, best last: known liquidity, tier, merit, profit, score, retention, -minutes."""


class Assessment(msgspec.Struct, Generic[StakesT], frozen=True, gc=False, kw_only=True):
    """One bet and what covers it, priced for one question."""

    stakes: StakesT
    """Of a pair its lay, of a dutch what is bet on each leg."""
    profit: Decimal
    """Pounds, exact: the worst outcome."""
    rating: Decimal
    retention: Decimal
    tier: int
    score: float
    factors: ScoreFactors
    rank: Rank


def minutes_between(now: datetime, kickoff: datetime) -> float:
    """Minutes to kickoff as a real number; negative once it has passed."""
    return (kickoff - now).total_seconds() / SECONDS_PER_MINUTE


def is_own_money(kind: BetKind) -> bool:
    """Whether the stake is the operator's, so that it can be lost."""
    return kind in {BetKind.QUALIFYING, BetKind.REFUND}


def bonus_retention(query: BetQuery, rules: ScoringRules) -> Decimal:
    """What one pound of a bonus still to come counts for."""
    is_cash = query.kind is BetKind.REFUND and query.is_refund_cash
    return Decimal(1) if is_cash else rules.snr_retention


def refund_of(query: BetQuery, rules: ScoringRules) -> tuple[Decimal, Decimal]:
    """What comes back if the bet loses, pounds: its face, and what it counts for."""
    if query.kind is not BetKind.REFUND:
        return ZERO, ZERO
    face = query.stake if query.refund_value is None else query.refund_value
    return face, face * bonus_retention(query, rules)


def back_sides(query: BetQuery, odds: Decimal, rules: ScoringRules) -> tuple[Decimal, Decimal]:
    """What the bookmaker pays if the selection wins and if it does not, for each kind of bet."""
    match query.kind:
        case BetKind.QUALIFYING:
            return kinds.qualifying(query.stake, odds)
        case BetKind.FREE_BET_SNR:
            return kinds.free_bet_snr(query.stake, odds)
        case BetKind.FREE_BET_SR:
            return kinds.free_bet_sr(query.stake, odds)
        case BetKind.REFUND:
            face, _ = refund_of(query, rules)
            return kinds.refund_if_loses(query.stake, odds, face, bonus_retention(query, rules))
        case _:
            assert_never(query.kind)


def worth_of(query: BetQuery, profit: Decimal, rules: ScoringRules) -> Worth:
    """What a bet that leaves ``profit`` whatever happens is worth, and what it costs.

    Args:
        query: Kind, stake and what the bet unlocks.
        profit: Pounds, exact: the worst outcome, a refund on every loss counted in.
        rules: What a free bet not yet placed counts for.
    """
    stake, face = query.stake, query.free_bet_value
    if not is_own_money(query.kind):
        return Worth(stake, stake - profit, profit / stake, profit, profit <= 0)
    bonus = ZERO if face is None else rules.snr_retention * face
    is_offer = face is not None or query.kind is BetKind.REFUND
    return Worth(
        stake if face is None else face,
        -profit,
        bonus_retention(query, rules),
        profit + bonus,
        is_offer and bonus + profit <= 0,
    )


def seed_score(factors: ScoreFactors) -> float:
    """The seed's score of factors that are in range: finite and above 0."""
    worth = factors.free_bet_value / factors.max_loss
    return worth / factors.minutes_to_kickoff * factors.retention * factors.fill


def is_placeable(lay_stake: Decimal, lay_odds: Decimal, rules: ScoringRules) -> bool:
    """Whether the exchange takes so small a lay; it is never rounded up to the minimum."""
    if lay_stake <= 0:
        return False
    return lay_stake >= rules.min_lay_stake or lay_stake * lay_odds >= rules.min_lay_payout


def assess(  # noqa: PLR0911 - each refusal leaves at once
    terms: PairTerms, query: OpportunityQuery, rules: ScoringRules
) -> Assessment[LaySolution] | Rejection:
    """Price a pair for a question, or say why it is not offered.

    Decides all that depends on stake and money; whether the prices are fresh, open and of the
    same bet is left to the caller. Money is recomputed from the lay stake as typed.
    """
    refused = _refused_unpriced(terms, query, rules)
    if refused is not None:
        return refused
    wins, loses = back_sides(query, terms.back_odds, rules)
    if wins <= loses:  # such a refund needs no lay
        return Rejection.LAY_TOO_SMALL
    lay = balance(wins, loses, terms.lay_odds, terms.commission)
    if not is_placeable(lay.lay_stake, terms.lay_odds, rules):
        return Rejection.LAY_TOO_SMALL
    profit = lay.exact_profit
    worth = worth_of(query, profit, rules)
    if worth.is_worthless:
        return Rejection.NO_VALUE
    rating = kinds.rating(terms.back_odds, terms.lay_odds, terms.commission)
    # A refund is meant to gain; that alone makes its prices no arb.
    is_arb = rating > 1 if query.kind is BetKind.REFUND else worth.max_loss <= 0
    if is_arb and query.hide_arbs:
        return Rejection.ARB
    if query.only_arbs and not (rating > 1 and profit > 0):
        return Rejection.NO_ARB
    liability = lay.lay_stake * (terms.lay_odds - 1)
    if query.max_liability is not None and liability > query.max_liability:
        return Rejection.OVER_LIABILITY
    available = terms.available
    return weighed(
        lay,
        worth,
        query,
        rules,
        profit=profit,
        rating=rating,
        kept=_kept(terms, rating, query, rules) if query.ranking is Ranking.RATING else 0.0,
        liability=liability,
        fill=1.0 if available is None else min(1.0, float(available / lay.lay_stake)),
        is_known=available is not None or rules.is_unknown_equal,
        minutes=terms.minutes,
        duration_minutes=terms.duration_minutes,
        floor=terms.floor,
    )


def weighed(
    stakes: StakesT,
    worth: Worth,
    query: BetQuery,
    rules: ScoringRules,
    *,
    profit: Decimal,
    rating: Decimal,
    kept: float,
    fill: float,
    is_known: bool,
    minutes: float,
    duration_minutes: float,
    floor: Decimal,
    liability: Decimal = ZERO,
) -> Assessment[StakesT]:
    """Score and rank what may be offered.

    Args:
        stakes: What is bet to cover it.
        worth: What that brings and costs.
        query: Decides the order.
        rules: Least loss, least minutes and the time until settlement.
        profit: Pounds, exact: the worst outcome.
        rating: Of own money at these prices.
        kept: What `Ranking.RATING` orders by; plays no part in another order.
        fill: Liquidity, 0 to 1.
        is_known: Whether it ranks as one of known liquidity.
        minutes: To kickoff.
        duration_minutes: From kickoff until the event is usually over.
        floor: Pounds that must wait at an exchange's price.
        liability: Pounds; for the orders that weigh it, which are a pair's alone.
    """
    least_minutes = max(minutes, rules.min_minutes_to_kickoff)
    factors = _factors(worth, rules, least_minutes, fill, floor)
    score = seed_score(factors)
    tier = int(worth.max_loss <= 0)
    match query.ranking:
        case Ranking.SEED:
            merit = float(profit) if tier else score
        case Ranking.RATING:
            merit = kept
        case _:
            hours = lock_up_hours(least_minutes, duration_minutes, rules)
            merit = _value_for(query, worth, liability, hours)
    shown_tier = tier if query.ranking is Ranking.SEED else 0
    return Assessment(
        stakes=stakes,
        profit=profit,
        rating=rating,
        retention=worth.retention,
        tier=tier,
        score=score,
        factors=factors,
        rank=(int(is_known), shown_tier, merit, profit, score, worth.retention, -minutes),
    )


def _factors(
    worth: Worth, rules: ScoringRules, least_minutes: float, fill: float, floor: Decimal
) -> ScoreFactors:
    """What the score is made of."""
    return ScoreFactors(
        free_bet_value=float(worth.bonus_face),
        max_loss=float(max(worth.max_loss, rules.least_loss)),
        minutes_to_kickoff=least_minutes,
        retention=float(worth.retention),
        fill=fill,
        liquidity_floor=float(floor),
    )


def _value_for(query: BetQuery, worth: Worth, liability: Decimal, hours: float) -> float:
    """The value, or the value for what it takes: hours of lock-up, liability, capital."""
    match query.ranking:
        case Ranking.VALUE_PER_HOUR:
            return float(worth.value) / hours
        case Ranking.VALUE_PER_LIABILITY:
            return float(worth.value / liability)
        case Ranking.RETURN_ON_CAPITAL:
            capital = liability + (query.stake if is_own_money(query.kind) else ZERO)
            return float(worth.value / capital) / hours
        case Ranking.VALUE | Ranking.SEED | Ranking.RATING:
            return float(worth.value)
        case _:
            assert_never(query.ranking)


def _kept(terms: PairTerms, rating: Decimal, query: BetQuery, rules: ScoringRules) -> float:
    """What is left of one pound of the kind of bet asked about."""
    if query.kind is BetKind.FREE_BET_SNR:
        return float(kinds.snr_retention(terms.back_odds, terms.lay_odds, terms.commission))
    if query.kind is BetKind.REFUND:
        lost = 1 - rating / terms.back_odds
        return float(rating + lost * refund_of(query, rules)[1] / query.stake)
    return float(rating)


def _refused_unpriced(
    terms: PairTerms, query: OpportunityQuery, rules: ScoringRules
) -> Rejection | None:
    if terms.minutes <= 0:
        return Rejection.STARTED
    if terms.minutes < rules.min_minutes_to_kickoff:
        return Rejection.TOO_SOON
    if kinds.is_suspect_pair(terms.back_odds, terms.lay_odds):
        return Rejection.INVERTED
    refused = refused_for_size(terms.available, terms.floor, rules)
    if refused is not None or query.min_liquidity is None:
        return refused
    if terms.available is None:
        return Rejection.UNKNOWN_LIQUIDITY
    return Rejection.TOO_LITTLE if terms.available < query.min_liquidity else None


def refused_for_size(
    available: Decimal | None, floor: Decimal, rules: ScoringRules
) -> Rejection | None:
    """Whether what waits at an exchange's price is too little for any question."""
    if available is None:
        if rules.unknown_liquidity is UnknownLiquidity.REJECT:
            return Rejection.UNKNOWN_LIQUIDITY
    elif available < floor or available <= 0:
        return Rejection.BELOW_FLOOR
    return None


def lock_up_hours(minutes: float, duration_minutes: float, rules: ScoringRules) -> float:
    """Hours until the money is back: to kickoff, the event itself, settlement and credit."""
    return (minutes + duration_minutes + rules.settlement_minutes) / MINUTES_PER_HOUR
