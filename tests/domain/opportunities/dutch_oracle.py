"""The plainest reading of the rules of dutches, in fractions: every combination, then the best.

It shares no arithmetic with the ranker. With e_i the effective odds of what covers each outcome and
B = sum 1/e_i, a total T is staked T/(e_i B); with a first bet at a named place, Bw and Bl what it
pays on a win and on a loss, each other leg is staked (Bw - Bl)/e_i. Stakes are rounded to the
penny, a lay's as the lay stake, and each outcome is added up from what was typed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from kos.domain.market.quotes import BookmakerQuotes, EventQuotes, MarketBook, MarketQuotes
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.dutches import DutchOpportunity, DutchQuery, LegSide
from kos.domain.opportunities.opportunity import BetKind, Ranking, Rejection
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
from tests.domain.opportunities.pair_oracle import (
    gain_of,
    halted,
    hours_of,
    kept_of_a_pound,
    minutes_to,
    sides,
)

ZERO = Fraction(0)
NAMES = {runner: name for name, runner in RUNNERS.items()}
OUTCOMES = ("Leeds", "York", "Draw")


class Price(NamedTuple):
    """One bet that could be made."""

    side: LegSide
    outcome: str
    place: str
    family: str
    odds: Fraction
    fee: Fraction
    available: Fraction | None
    is_exchange: bool
    is_known: bool
    """Whether it ranks as of known liquidity."""
    seen_at: datetime
    is_certain: bool

    @property
    def effective(self) -> Fraction:
        if self.side is LegSide.LAY:
            return 1 + (1 - self.fee) / (self.odds - 1)
        return 1 + (self.odds - 1) * (1 - self.fee)

    def covers(self, outcome: str) -> bool:
        return (self.outcome == outcome) == (self.side is LegSide.BACK)


Legs = tuple[Price, ...]


class Dutch(NamedTuple):
    """The best combination of an event or of one first bet, and where it ranks."""

    is_known: bool
    tier: int
    """As it ranks: 0 unless the seed's score orders."""
    merit: Fraction
    profit: Fraction
    score: Fraction
    minutes: Fraction
    key: tuple[str, str]
    """The event, and the outcome at the named place."""
    legs: Legs
    stakes: tuple[Fraction, ...]
    profits: dict[str, Fraction]
    rating: Fraction

    @property
    def rank(self) -> tuple[bool, int, Fraction, Fraction, Fraction, Fraction]:
        return (*self[:5], -self.minutes)


class ExpectedDutches(NamedTuple):
    """What must be answered to a question without a limit."""

    dutches: list[list[Dutch]]
    """Of each event or first bet the best; several where their sums are equal."""
    considered: int
    at_once: dict[str, int]
    """Rejections that need no look at combinations, so that no limit changes them."""
    rejected: dict[str, int]


class Start(NamedTuple):
    """What is combined: all prices of an event, or those that go with one first bet."""

    quotes: EventQuotes
    first: Price | None
    has_draw: bool
    """The form of the first bet."""


def expected_dutches(
    seen: Scene, query: DutchQuery, rules: ScoringRules, now: datetime
) -> ExpectedDutches:
    """Judge every combination of every event."""
    dutches: list[list[Dutch]] = []
    at_once: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    considered = 0
    for quotes in seen.events():
        for start in starts_of(seen, quotes, query, rules, now):
            considered += 1
            if isinstance(start, Rejection):
                at_once[start.value] += 1
                continue
            judged = judge(seen, start, query, rules, now)
            if isinstance(judged, Rejection):
                rejected[judged.value] += 1
            else:
                dutches.append(judged)
    return ExpectedDutches(dutches, considered, dict(at_once), dict(at_once + rejected))


# --- prices ----------------------------------------------------------------------------------------


def starts_of(
    seen: Scene, quotes: EventQuotes, query: DutchQuery, rules: ScoringRules, now: datetime
) -> Iterator[Start | Rejection]:
    refused = refused_event(seen, quotes, query, rules, now)
    if query.bookmaker is None:
        yield refused or Start(quotes, None, has_draw=False)
        return
    facts = sport_of(quotes.sport_key)
    for maker in quotes.bookmakers:
        if maker.key != query.bookmaker:
            continue
        found = next(market for market in maker.markets if market.key == "h2h")
        prices = {price.outcome: price for price in feed_prices(maker, found, rules)}
        for outcome in found.outcomes:
            if refused is not None:
                yield refused
            elif outcome.name == "Draw" and facts.is_draw_excluded:
                yield Rejection.DRAW
            elif is_other_form(found, quotes):
                yield Rejection.OTHER_BET
            elif is_stale(found.updated_at, now):
                yield Rejection.STALE_BACK
            else:
                yield first_bet(quotes, prices[outcome.name], found, query, rules)


def first_bet(
    quotes: EventQuotes,
    price: Price,
    found: MarketQuotes,
    query: DutchQuery,
    rules: ScoringRules,
) -> Start | Rejection:
    if (refused := refused_size(price, quotes, rules)) is not None:
        return refused
    return refused_odds(price, query) or Start(quotes, price, is_drawn(found))


def refused_event(
    seen: Scene, quotes: EventQuotes, query: DutchQuery, rules: ScoringRules, now: datetime
) -> Rejection | None:
    minutes, most = minutes_to(quotes, now), query.max_minutes_to_kickoff
    if minutes <= 0:
        return Rejection.STARTED
    if (refused := halted(own_book(seen, quotes))) is not None:
        return refused
    if minutes < rules.min_minutes_to_kickoff:
        return Rejection.TOO_SOON
    return Rejection.TOO_LATE if most is not None and minutes > most else None


def refused_odds(price: Price, query: DutchQuery) -> Rejection | None:
    if query.min_odds is not None and price.effective < query.min_odds:
        return Rejection.ODDS_TOO_LOW
    if query.max_odds is not None and price.effective > query.max_odds:
        return Rejection.ODDS_TOO_HIGH
    return None


def refused_size(price: Price, quotes: EventQuotes, rules: ScoringRules) -> Rejection | None:
    if not price.is_exchange:
        return None
    if price.available is None:
        is_refused = rules.unknown_liquidity is UnknownLiquidity.REJECT
        return Rejection.UNKNOWN_LIQUIDITY if is_refused else None
    floor = sport_of(quotes.sport_key).liquidity_floor
    return Rejection.BELOW_FLOOR if price.available < floor else None


def is_other_form(found: MarketQuotes, quotes: EventQuotes) -> bool:
    """Whether a block is not the sport's bet; of a lay only a draw too many shows it."""
    size = sport_of(quotes.sport_key).h2h_outcomes
    if found.key == "h2h_lay":
        return size == 2 and is_drawn(found)
    return size is not None and is_drawn(found) != (size == 3)


def prices_of(
    seen: Scene, quotes: EventQuotes, rules: ScoringRules, now: datetime, *, has_draw: bool
) -> Iterator[Price]:
    """Every price of this form of the bet that counts."""
    own = own_book(seen, quotes)
    size = sport_of(quotes.sport_key).h2h_outcomes
    for maker in quotes.bookmakers:
        for found in maker.markets:
            if maker.key.startswith("betfair") and (
                is_live(own, now) or maker.key != newest_betfair(found.key, quotes, now)
            ):
                continue
            if is_other_form(found, quotes) or is_stale(found.updated_at, now):
                continue
            if is_drawn(found) == has_draw or (found.key == "h2h_lay" and size is not None):
                yield from usable(feed_prices(maker, found, rules), quotes, rules)
    if own is not None and is_live(own, now):
        market = next(market for market in seen.markets if market.market_id == own.market_id)
        is_own_drawn = any(runner.name == "The Draw" for runner in market.runners)
        if is_own_drawn == (has_draw if size is None else size == 3):
            yield from usable(own_prices(seen, quotes, own), quotes, rules)


def usable(prices: Iterator[Price], quotes: EventQuotes, rules: ScoringRules) -> Iterator[Price]:
    return (price for price in prices if refused_size(price, quotes, rules) is None)


def newest_betfair(key: str, quotes: EventQuotes, now: datetime) -> str | None:
    """Of the two keys of one order book, the one read last; a back must count at all."""
    stamps = [
        (found.updated_at or NOW, maker.key)
        for maker in quotes.bookmakers
        for found in maker.markets
        if found.key == key
        and maker.key.startswith("betfair")
        and (
            key == "h2h_lay"
            or not (is_other_form(found, quotes) or is_stale(found.updated_at, now))
        )
    ]
    return max(stamps)[1] if stamps else None


def feed_prices(
    maker: BookmakerQuotes, found: MarketQuotes, rules: ScoringRules
) -> Iterator[Price]:
    is_exchange = maker.key in rules.commissions
    is_equal = rules.unknown_liquidity is UnknownLiquidity.EQUAL
    for outcome in found.outcomes:
        limit = outcome.limit if is_exchange else None
        yield Price(
            LegSide.LAY if found.key == "h2h_lay" else LegSide.BACK,
            outcome.name,
            maker.key,
            "betfair" if maker.key.startswith("betfair") else maker.key,
            Fraction(outcome.price),
            Fraction(rules.commissions.get(maker.key, 0)),
            None if limit is None else Fraction(limit),
            is_exchange=is_exchange,
            is_known=not is_exchange or limit is not None or is_equal,
            seen_at=found.updated_at or NOW,
            is_certain=True,
        )


def own_prices(seen: Scene, quotes: EventQuotes, own: MarketBook) -> Iterator[Price]:
    matched = own_match(seen, quotes)
    for runner in own.runners:
        levels = [(LegSide.LAY, level) for level in runner.to_lay]
        levels += [(LegSide.BACK, level) for level in runner.to_back]
        for side, level in levels:
            yield Price(
                side,
                NAMES[runner.selection_id],
                "betfair",
                "betfair",
                Fraction(level.price),
                Fraction(5, 100),
                Fraction(level.size),
                is_exchange=True,
                is_known=True,
                seen_at=own.received_at,
                is_certain=matched is not None and matched.confidence == 1,
            )


# --- combinations ----------------------------------------------------------------------------------


def book_of(legs: Legs) -> Fraction:
    return sum((1 / leg.effective for leg in legs), ZERO)


def combinations(
    seen: Scene, start: Start, query: DutchQuery, rules: ScoringRules, now: datetime
) -> Iterator[tuple[Legs, bool]]:
    """Every set of bets that covers all outcomes, the first bet first, and the form of the bet."""
    for has_draw in (False, True):
        if start.first is not None and has_draw != start.has_draw:
            continue
        outcomes = OUTCOMES[: 2 + has_draw]
        prices = [
            price
            for price in prices_of(seen, start.quotes, rules, now, has_draw=has_draw)
            if price.outcome in outcomes and is_wanted(price, query)
        ]
        backs = {
            outcome: [
                price for price in prices if price.side is LegSide.BACK and price.outcome == outcome
            ]
            for outcome in outcomes
        }
        if start.first is not None:
            backs[start.first.outcome] = [start.first]
            outcomes = (
                start.first.outcome,
                *(outcome for outcome in outcomes if outcome != start.first.outcome),
            )
        for legs in itertools.product(*(backs[outcome] for outcome in outcomes)):
            yield legs, has_draw
        for outcome in outcomes if start.first is None else outcomes[:1]:
            lays = [p for p in prices if p.side is LegSide.LAY and p.outcome == outcome]
            for pair in itertools.product(backs[outcome], lays):
                yield pair, has_draw


def is_wanted(price: Price, query: DutchQuery) -> bool:
    """Whether a price may be a leg besides the first bet."""
    if price.is_exchange:
        if not query.with_exchanges:
            return False
        if query.min_liquidity is not None and (
            price.available is None or price.available < query.min_liquidity
        ):
            return False
    if price.side is LegSide.LAY or query.bookmaker is not None:
        return True
    return refused_odds(price, query) is None


def refused_legs(legs: Legs, start: Start, rules: ScoringRules, now: datetime) -> Rejection | None:
    if len({leg.family for leg in legs}) < len(legs):
        return Rejection.INCOMPLETE
    first, last = legs[0], legs[-1]
    is_pair = last.side is LegSide.LAY
    if is_pair and last.odds < first.effective * Fraction(95, 100):
        return Rejection.INVERTED
    book = book_of(legs)
    rating = 1 + first.effective * (1 - book) if is_pair or start.first else 1 / book
    if rating > Fraction(rules.max_rating) and not all(
        leg.is_certain and (now - leg.seen_at).total_seconds() <= rules.brand_new_s for leg in legs
    ):
        return Rejection.TOO_GOOD
    return None


def judge(
    seen: Scene, start: Start, query: DutchQuery, rules: ScoringRules, now: datetime
) -> list[Dutch] | Rejection:
    """The cheapest combinations that can be placed, known liquidity first, or the first refusal."""
    found = [
        ((not all(leg.is_known for leg in legs), book_of(legs)), legs, has_draw)
        for legs, has_draw in combinations(seen, start, query, rules, now)
    ]
    found.sort(key=lambda combination: combination[0])
    reason: Rejection | None = None
    best: list[Dutch] = []
    best_place = None
    for place, legs, has_draw in found:
        if best and place != best_place:
            return best
        judged = refused_legs(legs, start, rules, now) or stake_all(legs, start, query, rules)
        if isinstance(judged, Rejection):
            if reason in {None, Rejection.INCOMPLETE}:
                reason = judged
            continue
        ranked = rank(Bets(legs, judged, has_draw=has_draw), start, query, rules, now)
        if isinstance(ranked, Rejection):
            return best or ranked
        best.append(ranked)
        best_place = place
    return best or reason or Rejection.INCOMPLETE


# --- money -----------------------------------------------------------------------------------------


def stake_all(
    legs: Legs, start: Start, query: DutchQuery, rules: ScoringRules
) -> tuple[Fraction, ...] | Rejection:
    """What is typed for each leg."""
    first = legs[0]
    if start.first is None:
        returned = Fraction(query.stake) / book_of(legs)
        typed = [pennies_of(returned / first.effective)]
    else:
        win, lose = sides(query, first.effective, rules)
        returned = win - lose
        typed = [Fraction(query.stake)]
    for leg in legs[1:]:
        outlay = returned / leg.effective
        typed.append(pennies_of(outlay / (leg.odds - 1) if leg.side is LegSide.LAY else outlay))
    for leg, stake in zip(legs, typed, strict=True):
        is_small = stake < rules.min_lay_stake and stake * leg.odds < rules.min_lay_payout
        if stake <= 0 or (leg.is_exchange and is_small):
            return Rejection.LAY_TOO_SMALL
    return tuple(typed)


def outlay_of(leg: Price, stake: Fraction) -> Fraction:
    return stake * (leg.odds - 1) if leg.side is LegSide.LAY else stake


class Bets(NamedTuple):
    """Legs with what is typed for each."""

    legs: Legs
    stakes: tuple[Fraction, ...]
    has_draw: bool


def profits_of(
    bets: Bets, start: Start, query: DutchQuery, rules: ScoringRules
) -> dict[str, Fraction]:
    """What is left on each outcome, added up leg by leg."""
    legs, stakes, has_draw = bets
    first = legs[0]
    if start.first is None:
        win, lose = stakes[0] * (first.effective - 1), -stakes[0]
    else:
        win, lose = sides(query, first.effective, rules)
    profits = {}
    for outcome in OUTCOMES[: 2 + has_draw]:
        profits[outcome] = win if first.covers(outcome) else lose
        for leg, stake in zip(legs[1:], stakes[1:], strict=True):
            if not leg.covers(outcome):
                profits[outcome] -= outlay_of(leg, stake)
            elif leg.side is LegSide.LAY:
                profits[outcome] += stake * (1 - leg.fee)
            else:
                profits[outcome] += stake * (leg.odds - 1) * (1 - leg.fee)
    return profits


def rank(
    bets: Bets, start: Start, query: DutchQuery, rules: ScoringRules, now: datetime
) -> Dutch | Rejection:
    """What a combination brings, and its place in the order asked for."""
    legs, stakes, _ = bets
    terms, first = query, legs[0]
    profits = profits_of(bets, start, query, rules)
    profit = min(profits.values())
    gain = gain_of(terms, profit, rules)
    if gain.is_worthless:
        return Rejection.NO_VALUE
    book = book_of(legs)
    rating = 1 / book if start.first is None else 1 + first.effective * (1 - book)
    if query.only_arbs and not (rating > 1 and profit > 0):
        return Rejection.NO_ARB
    minutes = minutes_to(start.quotes, now)
    fills = [
        leg.available / stake
        for leg, stake in zip(legs, stakes, strict=True)
        if leg.available is not None
    ]
    score = gain.face / max(gain.loss, Fraction(rules.least_loss)) / minutes * gain.retention
    score *= min(Fraction(1), *fills) if fills else 1
    is_lossless, is_seed = gain.loss <= 0, query.ranking is Ranking.SEED
    if query.ranking is Ranking.SEED:
        merit = profit if is_lossless else score
    elif query.ranking is Ranking.VALUE:
        merit = gain.value
    elif query.ranking is Ranking.VALUE_PER_HOUR:
        merit = gain.value / hours_of(start.quotes, minutes, rules)
    elif start.first is None:
        merit = rating
    else:
        whole, lost = sides(terms, first.effective, rules)
        merit = kept_of_a_pound(terms, whole - (whole - lost) * (book - 1 / first.effective))
    return Dutch(
        is_known=all(leg.is_known for leg in legs),
        tier=int(is_lossless and is_seed),
        merit=merit,
        profit=profit,
        score=score,
        minutes=minutes,
        key=(start.quotes.id, "" if start.first is None else start.first.outcome),
        legs=legs,
        stakes=stakes,
        profits=profits,
        rating=rating,
    )


# --- comparison ------------------------------------------------------------------------------------


def key_of(shown: DutchOpportunity, query: DutchQuery) -> tuple[str, str]:
    return shown.event_id, shown.legs[0].outcome if query.bookmaker else ""


def legs_of(shown: DutchOpportunity) -> list[tuple[str, str, str, Fraction]]:
    return [(leg.side.value, leg.outcome, leg.place, Fraction(leg.odds)) for leg in shown.legs]


def settled(
    shown: tuple[DutchOpportunity, ...], dutches: list[list[Dutch]], query: DutchQuery
) -> list[Dutch]:
    """One dutch of each event or first bet, the best first: of equal sums the one shown."""
    legs = {key_of(each, query): legs_of(each) for each in shown}
    chosen = []
    for equals in dutches:
        wanted = legs.get(equals[0].key)
        fitting = [
            dutch
            for dutch in equals
            if [(leg.side.value, leg.outcome, leg.place, leg.odds) for leg in dutch.legs] == wanted
        ]
        chosen.append(fitting[0] if fitting else equals[0])
    chosen.sort(key=lambda dutch: dutch.rank, reverse=True)
    return chosen


def assert_shown_dutches(
    shown: tuple[DutchOpportunity, ...], dutches: list[Dutch], query: DutchQuery, limit: int
) -> None:
    """The dutches shown are the first of all, in order and to the penny."""
    assert len(shown) == min(limit, len(dutches))
    by_key = {dutch.key: dutch for dutch in dutches}
    assert len({key_of(each, query) for each in shown}) == len(shown)
    for opportunity, wanted in zip(shown, dutches, strict=False):
        dutch = by_key[key_of(opportunity, query)]
        assert_figures(opportunity, dutch, query)
        if dutch is wanted or dutch.rank == wanted.rank:
            continue
        # Only what floats cannot tell apart may stand the other way round.
        assert dutch[:2] == wanted[:2]
        assert is_near(dutch.merit, wanted.merit)
        if (dutch.merit, dutch.profit) == (wanted.merit, wanted.profit):
            assert is_near(dutch.score, wanted.score)
    for one, other in itertools.pairwise(shown):
        if by_key[key_of(one, query)].rank == by_key[key_of(other, query)].rank:
            assert one.id < other.id


def assert_figures(shown: DutchOpportunity, dutch: Dutch, query: DutchQuery) -> None:
    """Every figure of a dutch, recomputed."""
    assert legs_of(shown) == [
        (leg.side.value, leg.outcome, leg.place, leg.odds) for leg in dutch.legs
    ]
    assert tuple(Fraction(leg.stake) for leg in shown.legs) == dutch.stakes
    outlays = [outlay_of(leg, stake) for leg, stake in zip(dutch.legs, dutch.stakes, strict=True)]
    if query.kind in {BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}:
        outlays[0] = ZERO
    assert [Fraction(leg.outlay) for leg in shown.legs] == [pennies_of(each) for each in outlays]
    assert Fraction(shown.total) == sum(map(pennies_of, outlays))
    assert {each.outcome: Fraction(each.profit) for each in shown.outcomes} == {
        name: pennies_of(profit) for name, profit in dutch.profits.items()
    }
    assert Fraction(shown.profit) == pennies_of(dutch.profit)
    assert is_near(Fraction(shown.rating), dutch.rating)
    assert is_near(Fraction(shown.score), dutch.score)
    assert is_near(Fraction(shown.book_sum), book_of(dutch.legs))
    for leg in shown.legs:
        covered = {name for name in dutch.profits if (name == leg.outcome) == (leg.side == "back")}
        assert set(leg.covers) == covered
