"""The plainest reading of the rules of back/lay pairs, in fractions: prices all, then sorts.

It shares no arithmetic with the ranker. Money follows from the one formula of a balanced lay: with
Bw and Bl what the bookmaker side pays on a win and on a loss, the lay stake is
L = (Bw - Bl)/(l - c), rounded to the penny; then W = Bw - L(l - 1) and Z = Bl + L(1 - c).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from kos.domain.market.quotes import BookmakerQuotes, EventQuotes, MarketBook, MarketQuotes
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.opportunity import (
    BetKind,
    BetQuery,
    Opportunity,
    OpportunityQuery,
    Ranking,
    Rejection,
    opportunity_id,
)
from kos.domain.opportunities.scoring import ScoringRules, UnknownLiquidity
from tests.builders import NOW
from tests.domain.opportunities.market_scenes import (
    RUNNERS,
    Scene,
    is_drawn,
    is_live,
    is_near,
    is_stale,
    own_book,
    own_match,
    pennies_of,
)

ZERO = Fraction(0)
NAMES = {runner: name for name, runner in RUNNERS.items()}


class BackPrice(NamedTuple):
    """One price of the bookmaker side."""

    quotes: EventQuotes
    maker: str
    outcome: str
    odds: Fraction
    """After an exchange's commission."""
    fee: Fraction
    has_draw: bool
    updated_at: datetime | None


class LayPrice(NamedTuple):
    """The best lay of one outcome at one exchange."""

    exchange: str
    outcome: str
    odds: Fraction
    commission: Fraction
    available: Fraction | None
    has_draw: bool
    is_other_bet: bool
    is_stale: bool
    seen_at: datetime
    is_certain: bool

    @property
    def keep(self) -> Fraction:
        return (1 - self.commission) / (self.odds - self.commission)


class Offer(NamedTuple):
    """A pair that may be shown, and where it ranks."""

    is_known: bool
    tier: int
    """As it ranks: 0 unless the seed's score orders."""
    merit: Fraction
    profit: Fraction
    score: Fraction
    retention: Fraction
    minutes: Fraction
    back: BackPrice
    lay: LayPrice
    lay_stake: Fraction
    wins: Fraction
    loses: Fraction
    is_lossless: bool

    @property
    def rank(self) -> tuple[bool, int, Fraction, Fraction, Fraction, Fraction, Fraction]:
        return (*self[:6], -self.minutes)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.back.quotes.id, self.back.outcome, self.back.maker, self.lay.exchange

    @property
    def id(self) -> str:
        event_id, *others = self.key
        return opportunity_id(event_id, "h2h", *others)


class Expected(NamedTuple):
    """What must be answered to a question without a limit."""

    offers: list[Offer]
    """The best first."""
    considered: int
    rejected: dict[str, int]


def expected(seen: Scene, query: OpportunityQuery, rules: ScoringRules, now: datetime) -> Expected:
    """Judge every back price with every lay."""
    offers: list[Offer] = []
    rejected: Counter[str] = Counter()
    considered = 0
    asked = Asked(query, rules, now)
    for quotes in seen.events():
        backs = list(backs_of(quotes, query, rules))
        considered += len(backs)
        refused = refused_event(seen, quotes, query, rules, now)
        lays = sorted(
            (*own_lays(seen, quotes, now), *feed_lays(seen, quotes, rules, now)),
            key=lambda lay: -lay.keep,
        )
        for back in backs:
            judged = refused or judge(seen, back, lays, asked)
            if isinstance(judged, Rejection):
                rejected[judged.value] += 1
            else:
                offers.append(judged)
    offers.sort(key=lambda offer: offer.id)
    offers.sort(key=lambda offer: offer.rank, reverse=True)
    return Expected(offers, considered, dict(rejected))


# --- prices ----------------------------------------------------------------------------------------


def market_of(maker: BookmakerQuotes, key: str) -> MarketQuotes | None:
    return next((found for found in maker.markets if found.key == key), None)


def backs_of(
    quotes: EventQuotes, query: OpportunityQuery, rules: ScoringRules
) -> Iterator[BackPrice]:
    """The prices of the bookmaker asked for, or of all that are no exchanges."""
    for maker in quotes.bookmakers:
        fee = Fraction(rules.commissions.get(maker.key, 0))
        if maker.key != query.bookmaker if query.bookmaker else fee:
            continue
        found = market_of(maker, "h2h")
        assert found is not None
        for outcome in found.outcomes:
            odds = 1 + (Fraction(outcome.price) - 1) * (1 - fee)
            yield BackPrice(
                quotes, maker.key, outcome.name, odds, fee, is_drawn(found), found.updated_at
            )


def own_lays(seen: Scene, quotes: EventQuotes, now: datetime) -> Iterator[LayPrice]:
    own, matched = own_book(seen, quotes), own_match(seen, quotes)
    if own is None or matched is None:
        return
    market = next(found for found in seen.markets if found.market_id == own.market_id)
    has_draw = any(runner.name == "The Draw" for runner in market.runners)
    size = sport_of(quotes.sport_key).h2h_outcomes
    for runner in own.runners:
        for level in runner.to_lay:
            yield LayPrice(
                "betfair",
                NAMES[runner.selection_id],
                Fraction(level.price),
                Fraction(5, 100),
                Fraction(level.size),
                has_draw,
                is_other_bet=size is not None and has_draw != (size == 3),
                is_stale=not is_live(own, now),
                seen_at=own.received_at,
                is_certain=matched.confidence == 1,
            )


def feed_lays(
    seen: Scene, quotes: EventQuotes, rules: ScoringRules, now: datetime
) -> Iterator[LayPrice]:
    """The feed's lays; of one order book under two keys the later reading, if the own is not live."""
    blocks = [
        (maker.key, found)
        for maker in quotes.bookmakers
        if (found := market_of(maker, "h2h_lay")) is not None
    ]
    betfair = [
        (found.updated_at or NOW, key, found) for key, found in blocks if key.startswith("betfair")
    ]
    blocks = [(key, found) for key, found in blocks if not key.startswith("betfair")]
    if betfair and not is_live(own_book(seen, quotes), now):
        _, key, found = max(betfair, key=lambda reading: reading[:2])
        blocks.append((key, found))
    for key, found in blocks:
        for outcome in found.outcomes:
            yield LayPrice(
                key,
                outcome.name,
                Fraction(outcome.price),
                Fraction(rules.commissions[key]),
                None if outcome.limit is None else Fraction(outcome.limit),
                is_drawn(found),
                is_other_bet=is_drawn(found) and sport_of(quotes.sport_key).h2h_outcomes == 2,
                is_stale=is_stale(found.updated_at, now),
                seen_at=found.updated_at or NOW,
                is_certain=True,
            )


# --- refusals --------------------------------------------------------------------------------------


def minutes_to(quotes: EventQuotes, now: datetime) -> Fraction:
    return Fraction((quotes.kickoff - now).total_seconds()) / 60


def halted(own: MarketBook | None) -> Rejection | None:
    if own is not None and own.is_in_play:
        return Rejection.IN_PLAY
    return Rejection.SUSPENDED if own is not None and own.status != "OPEN" else None


def refused_event(
    seen: Scene, quotes: EventQuotes, query: OpportunityQuery, rules: ScoringRules, now: datetime
) -> Rejection | None:
    minutes, most = minutes_to(quotes, now), query.max_minutes_to_kickoff
    if minutes <= 0:
        return Rejection.STARTED
    if (refused := halted(own_book(seen, quotes))) is not None:
        return refused
    if minutes < rules.min_minutes_to_kickoff:
        return Rejection.TOO_SOON
    return Rejection.TOO_LATE if most is not None and minutes > most else None


def refused_back(back: BackPrice, now: datetime) -> Rejection | None:
    facts = sport_of(back.quotes.sport_key)
    if back.outcome == "Draw" and facts.is_draw_excluded:
        return Rejection.DRAW
    if facts.h2h_outcomes is not None and back.has_draw != (facts.h2h_outcomes == 3):
        return Rejection.OTHER_BET
    return Rejection.STALE_BACK if is_stale(back.updated_at, now) else None


def refused_lay(back: BackPrice, lay: LayPrice, rules: ScoringRules) -> Rejection | None:
    """Why a lay never covers a back price, its age apart."""
    facts = sport_of(back.quotes.sport_key)
    is_free_form = facts.h2h_outcomes is None
    if lay.is_other_bet:
        return Rejection.OTHER_BET
    if lay.available is None and rules.unknown_liquidity is UnknownLiquidity.REJECT:
        return Rejection.UNKNOWN_LIQUIDITY
    if lay.available is not None and lay.available < facts.liquidity_floor:
        return Rejection.BELOW_FLOOR
    if is_free_form and lay.has_draw != back.has_draw:
        return Rejection.OTHER_BET
    if back.fee and back.maker[:7] == lay.exchange[:7]:
        return Rejection.NO_LAY
    return Rejection.INVERTED if lay.odds < back.odds * Fraction(95, 100) else None


def without_lays(seen: Scene, quotes: EventQuotes) -> Rejection:
    """What to say of an outcome that nothing covers."""
    if own_match(seen, quotes) or any(market_of(maker, "h2h_lay") for maker in quotes.bookmakers):
        return Rejection.NO_LAY
    verdicts = {m.verdict for m in seen.matches[quotes.sport_key] if m.event_id == quotes.id}
    return Rejection.DOUBTFUL if "doubt" in verdicts else Rejection.UNMATCHED


def is_believed(back: BackPrice, lay: LayPrice, rules: ScoringRules, now: datetime) -> bool:
    if back.odds * lay.keep <= Fraction(rules.max_rating):
        return True
    oldest = min(lay.seen_at, back.updated_at or NOW)
    return lay.is_certain and (now - oldest).total_seconds() <= rules.brand_new_s


class Asked(NamedTuple):
    """What is asked, by which rules and when."""

    query: OpportunityQuery
    rules: ScoringRules
    now: datetime


def judge(seen: Scene, back: BackPrice, lays: list[LayPrice], asked: Asked) -> Offer | Rejection:
    """The offer of one back price, or why there is none: of several reasons that of the best lay."""
    if (refused := refused_back(back, asked.now)) is not None:
        return refused
    fitting = covering(seen, back, lays, asked)
    if isinstance(fitting, Rejection):
        return fitting
    query = asked.query
    if query.min_odds is not None and back.odds < query.min_odds:
        return Rejection.ODDS_TOO_LOW
    if query.max_odds is not None and back.odds > query.max_odds:
        return Rejection.ODDS_TOO_HIGH
    return judge_lays(back, fitting, asked)


def covering(
    seen: Scene, back: BackPrice, lays: list[LayPrice], asked: Asked
) -> list[LayPrice] | Rejection:
    """The lays that may cover a back price now, at least one, or why none does."""
    fitting, reasons = [], []
    for lay in (lay for lay in lays if lay.outcome == back.outcome):
        reason = refused_lay(back, lay, asked.rules)
        if reason is None and not lay.is_stale:
            fitting.append(lay)
        reasons.append(reason or Rejection.STALE_LAY)
    if not fitting:
        if Rejection.STALE_LAY in reasons:
            return Rejection.STALE_LAY
        return reasons[0] if reasons else without_lays(seen, back.quotes)
    fitting = [lay for lay in fitting if is_believed(back, lay, asked.rules, asked.now)]
    return fitting or Rejection.TOO_GOOD


def judge_lays(back: BackPrice, fitting: list[LayPrice], asked: Asked) -> Offer | Rejection:
    """The best offer with the lays asked for, or why the best of them makes none."""
    query = asked.query
    lays, reasons = [], []
    for lay in fitting:
        if query.exchange is not None and not lay.exchange.startswith(query.exchange):
            continue
        if query.min_liquidity is None or (
            lay.available is not None and lay.available >= query.min_liquidity
        ):
            lays.append(lay)
        elif lay.available is None:
            reasons.append(Rejection.UNKNOWN_LIQUIDITY)
        else:
            reasons.append(Rejection.TOO_LITTLE)
    if not lays:
        return reasons[0] if reasons else Rejection.NO_LAY
    if query.only_arbs and back.odds * lays[0].keep < 1:
        return Rejection.NO_ARB
    judged = [price(back, lay, asked) for lay in lays]
    offers = [offer for offer in judged if isinstance(offer, Offer)]
    if offers:
        return max(offers, key=lambda offer: offer.rank)
    (first, *_) = judged
    return first


# --- money -----------------------------------------------------------------------------------------


def sides(query: BetQuery, odds: Fraction, rules: ScoringRules) -> tuple[Fraction, Fraction]:
    """What the bookmaker side pays if the selection wins, and if it does not."""
    stake = Fraction(query.stake)
    if query.kind is BetKind.FREE_BET_SNR:
        return stake * (odds - 1), ZERO
    if query.kind is BetKind.FREE_BET_SR:
        return stake * odds, ZERO
    return stake * (odds - 1), refund(query, rules) - stake


def refund(query: BetQuery, rules: ScoringRules) -> Fraction:
    """What a refund counts for."""
    if query.kind is not BetKind.REFUND:
        return ZERO
    face = Fraction(query.stake if query.refund_value is None else query.refund_value)
    return face if query.is_refund_cash else face * Fraction(rules.snr_retention)


def is_own_money(query: BetQuery) -> bool:
    return query.kind in {BetKind.QUALIFYING, BetKind.REFUND}


def kept_of_a_pound(query: BetQuery, guaranteed: Fraction) -> Fraction:
    """The rating: the unrounded result as a share of the stake, own money itself counted in."""
    return guaranteed / Fraction(query.stake) + (1 if is_own_money(query) else 0)


class Gain(NamedTuple):
    """What a profit is worth for a question."""

    face: Fraction
    loss: Fraction
    retention: Fraction
    value: Fraction
    is_worthless: bool


def gain_of(query: BetQuery, profit: Fraction, rules: ScoringRules) -> Gain:
    stake = Fraction(query.stake)
    if not is_own_money(query):
        return Gain(stake, stake - profit, profit / stake, profit, profit <= 0)
    face = None if query.free_bet_value is None else Fraction(query.free_bet_value)
    assumed = Fraction(rules.snr_retention)
    value = profit + assumed * (face or 0)
    is_offer = face is not None or query.kind is BetKind.REFUND
    return Gain(
        stake if face is None else face,
        -profit,
        Fraction(1) if query.kind is BetKind.REFUND and query.is_refund_cash else assumed,
        value,
        is_offer and value <= 0,
    )


def price(back: BackPrice, lay: LayPrice, asked: Asked) -> Offer | Rejection:
    """One pair in money, or why the money rules it out."""
    query, rules, now = asked
    win, lose = sides(query, back.odds, rules)
    exact = (win - lose) / (lay.odds - lay.commission)
    laid = pennies_of(exact)
    if laid <= 0 or (laid < rules.min_lay_stake and laid * lay.odds < rules.min_lay_payout):
        return Rejection.LAY_TOO_SMALL
    liability = laid * (lay.odds - 1)
    wins, loses = win - liability, lose + laid * (1 - lay.commission)
    profit = min(wins, loses)
    gain = gain_of(query, profit, rules)
    if gain.is_worthless:
        return Rejection.NO_VALUE
    rating = back.odds * lay.keep
    is_lossless = gain.loss <= 0
    if query.hide_arbs and (rating > 1 if query.kind is BetKind.REFUND else is_lossless):
        return Rejection.ARB
    if query.only_arbs and not (rating > 1 and profit > 0):
        return Rejection.NO_ARB
    if query.max_liability is not None and liability > query.max_liability:
        return Rejection.OVER_LIABILITY
    minutes = minutes_to(back.quotes, now)
    score = gain.face / max(gain.loss, Fraction(rules.least_loss)) / minutes * gain.retention
    if lay.available is not None:
        score *= min(Fraction(1), lay.available / laid)
    guaranteed = lose + exact * (1 - lay.commission)
    return Offer(
        is_known=lay.available is not None or rules.unknown_liquidity is UnknownLiquidity.EQUAL,
        tier=int(is_lossless and query.ranking is Ranking.SEED),
        merit=merit_of(
            query,
            rating=kept_of_a_pound(query, guaranteed),
            seed=profit if is_lossless else score,
            value=gain.value,
            liability=liability,
            hours=hours_of(back.quotes, minutes, rules),
        ),
        profit=profit,
        score=score,
        retention=gain.retention,
        minutes=minutes,
        back=back,
        lay=lay,
        lay_stake=laid,
        wins=wins,
        loses=loses,
        is_lossless=is_lossless,
    )


def hours_of(quotes: EventQuotes, minutes: Fraction, rules: ScoringRules) -> Fraction:
    """Until the money is back: to the kickoff, the event itself, its settlement."""
    duration = Fraction(sport_of(quotes.sport_key).duration.total_seconds()) / 60
    return (minutes + duration + Fraction(rules.settlement_minutes)) / 60


def merit_of(
    query: OpportunityQuery,
    *,
    rating: Fraction,
    seed: Fraction,
    value: Fraction,
    liability: Fraction,
    hours: Fraction,
) -> Fraction:
    """What the ranking asked for orders by."""
    capital = liability + (Fraction(query.stake) if is_own_money(query) else 0)
    return {
        Ranking.SEED: seed,
        Ranking.RATING: rating,
        Ranking.VALUE: value,
        Ranking.VALUE_PER_HOUR: value / hours,
        Ranking.VALUE_PER_LIABILITY: value / liability,
        Ranking.RETURN_ON_CAPITAL: value / capital / hours,
    }[query.ranking]


# --- comparison ------------------------------------------------------------------------------------


def key_of(shown: Opportunity) -> tuple[str, str, str, str]:
    return shown.event_id, shown.outcome, shown.bookmaker, shown.exchange


def assert_shown(shown: tuple[Opportunity, ...], offers: list[Offer], limit: int) -> None:
    """The pairs shown are the first of all offers, in order and to the penny."""
    assert len(shown) == min(limit, len(offers))
    assert len({opportunity.id for opportunity in shown}) == len(shown)
    by_key = {offer.key: offer for offer in offers}
    for opportunity, wanted in zip(shown, offers, strict=False):
        offer = by_key[key_of(opportunity)]
        assert_figures(opportunity, offer)
        if offer is wanted:
            continue
        # Only what floats cannot tell apart may stand the other way round.
        assert offer[:2] == wanted[:2]
        assert is_near(offer.merit, wanted.merit)
        if (offer.merit, offer.profit) == (wanted.merit, wanted.profit):
            assert offer.score != wanted.score
            assert is_near(offer.score, wanted.score)


def assert_figures(shown: Opportunity, offer: Offer) -> None:
    """Every figure of a pair, recomputed."""
    pounds = (shown.lay_stake, shown.liability, shown.if_back_wins, shown.if_back_loses)
    exact = (offer.lay_stake, offer.lay_stake * (offer.lay.odds - 1), offer.wins, offer.loses)
    assert [Fraction(amount) for amount in pounds] == [pennies_of(amount) for amount in exact]
    assert shown.profit == pennies_of(offer.profit)
    assert shown.tier == int(offer.is_lossless)
    ratios = map(Fraction, (shown.rating, shown.retention, Decimal(shown.score)))
    wanted = (offer.back.odds * offer.lay.keep, offer.retention, offer.score)
    assert all(is_near(a, b) for a, b in zip(ratios, wanted, strict=True))
    assert shown.lay_odds == offer.lay.odds
    assert shown.lay_available == offer.lay.available
    assert shown.commission == offer.lay.commission
