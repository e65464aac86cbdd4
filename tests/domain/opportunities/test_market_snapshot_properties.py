"""The picture's answers on random markets, against the plainest reading of the rules."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.quotes import (
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    Verdict,
)
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, Opportunity, OpportunityQuery, Ranking
from kos.domain.opportunities.ranking import Ranker
from kos.domain.opportunities.scoring import (
    Assessment,
    PairTerms,
    ScoringRules,
    UnknownLiquidity,
    assess,
)
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market
from tests.profiles import examples

D = Decimal
RULES = ScoringRules()
THREE = {"Leeds": 1, "York": 2, "Draw": 3}
TWO = {"Leeds": 1, "York": 2}
NAMES = {1: "Leeds", 2: "York", 3: "Draw"}
KEYS = ["coral", "betway", "skybet", "smarkets", "matchbook", "betfair_ex_uk", "betfair_ex_eu"]


class Scene(NamedTuple):
    """Everything that was seen, as it would be told to a picture."""

    quotes: dict[str, tuple[EventQuotes, ...]]
    matches: dict[str, tuple[EventMatch, ...]]
    markets: tuple[ExchangeMarket, ...]
    books: tuple[MarketBook, ...]


def scene(seed: int) -> Scene:
    """A small random market, full of edges."""
    rng = random.Random(seed)
    quotes: dict[str, tuple[EventQuotes, ...]] = {}
    matches: dict[str, tuple[EventMatch, ...]] = {}
    markets, books = [], []
    for sport_key in rng.sample(
        ["soccer_epl", "basketball_nba", "rugbyunion_six_nations", "tennis_atp_x"],
        rng.randint(1, 3),
    ):
        events, found = [], []
        for number in range(rng.randint(1, 4)):
            event_id, market_id = f"{sport_key}{number}", f"1.{sport_key}{number}"
            fair = {
                name: rng.choice([1.2, 1.9, 2.5, 4.0, 13.0]) * rng.uniform(0.9, 1.1)
                for name in rng.choice([THREE, THREE, TWO])
            }
            events.append(
                event(
                    *[
                        bookmaker(
                            key,
                            quotes_market(prices(rng, fair, 0.9, 1.03), updated_at=stamp(rng)),
                            *(
                                [
                                    quotes_market(
                                        prices(rng, fair, 0.97, 1.12),
                                        key="h2h_lay",
                                        updated_at=stamp(rng),
                                        limits={n: rng.choice(["5", "40", "900"]) for n in fair}
                                        if rng.random() < 0.5
                                        else None,
                                    )
                                ]
                                if key in RULES.commissions
                                else []
                            ),
                        )
                        for key in rng.sample(
                            KEYS,
                            rng.randint(1, 6),
                        )
                    ],
                    id=event_id,
                    sport_key=sport_key,
                    kickoff=NOW
                    + timedelta(minutes=rng.choice([0, 4, 5, 90, 90, 90, 90, 90, 300, 2000])),
                )
            )
            names = {"Leeds": 1, "York": 2} | ({"The Draw": 3} if rng.random() < 0.6 else {})
            if rng.random() < 0.7:
                verdict = rng.choice([Verdict.MATCH] * 4 + [Verdict.DOUBT, Verdict.NONE])
                found.append(
                    match(
                        THREE,
                        event_id=event_id,
                        market_id=market_id,
                        verdict=verdict,
                        sport_key=sport_key,
                        confidence=rng.choice([1.0, 0.96]),
                    )
                )
                markets.append(exchange_market(names, market_id=market_id))
            if rng.random() < 0.8:
                lays = prices(rng, {str(i): f for i, f in enumerate(fair.values(), 1)}, 0.97, 1.1)
                books.append(
                    book(
                        {
                            int(i): (p, rng.choice(["4", "50", "700"]))
                            for i, p in lays.items()
                            if rng.random() < 0.9
                        },
                        market_id=market_id,
                        status=rng.choice(["OPEN"] * 8 + ["SUSPENDED"]),
                        is_in_play=rng.random() < 0.08,
                        received_at=NOW - timedelta(seconds=rng.choice([0, 0, 0, 20, 120, 121])),
                        backs={
                            int(i): (f"{max(D('1.01'), D(p) * D('0.97')):.2f}", "60")
                            for i, p in lays.items()
                        },
                    )
                )
        quotes[sport_key] = tuple(events)
        matches[sport_key] = tuple(found)
    return Scene(quotes, matches, tuple(markets), tuple(books))


def stamp(rng: random.Random) -> datetime | None:
    return rng.choice(
        [None, *(NOW - timedelta(seconds=age) for age in (0, 0, 0, 10, 30, 31, 60, 1800, 1801))]
    )


def prices(rng: random.Random, fair: dict[str, float], low: float, high: float) -> dict[str, str]:
    return {name: f"{max(1.01, odds * rng.uniform(low, high)):.2f}" for name, odds in fair.items()}


def told(seen: Scene, order: random.Random, rules: ScoringRules) -> MarketSnapshot:
    """The scene told in some order, a part of it twice."""
    picture = MarketSnapshot(rules)
    steps: list[tuple[str, Any]] = [("quotes", key) for key in seen.quotes]
    steps += [("matches", key) for key in seen.matches]
    steps += [("book", one) for one in seen.books]
    steps += order.sample(steps, len(steps) // 2)
    order.shuffle(steps)
    for kind, what in steps:
        tell(picture, (kind, what, seen))
    return picture


class Seen(NamedTuple):
    """One lay price as the oracle reads it."""

    exchange: str
    outcome: str
    odds: Decimal
    available: Decimal | None
    commission: Decimal
    has_draw: bool
    seen_at: datetime
    is_certain: bool


Pair = tuple[tuple[Any, ...], str, str, str, str]


def plainly(
    seen: Scene, query: OpportunityQuery, rules: ScoringRules, now: datetime
) -> tuple[list[Pair], int]:
    """Every pair that may be shown, best first, and how many back prices were asked of."""
    best: list[Pair] = []
    considered = 0
    for sport_key, events in seen.quotes.items():
        for one in events:
            own = own_book(seen, one)
            halted = own is not None and (own.is_in_play or own.status != "OPEN")
            lays = [*feed_lays(one, own, rules, now), *own_lays(seen, one, own, now)]
            for maker in one.bookmakers:
                if maker.key != query.bookmaker and (
                    query.bookmaker is not None or maker.key in rules.commissions
                ):
                    continue
                backs = next(found for found in maker.markets if found.key == "h2h")
                considered += len(backs.outcomes)
                if halted or aged(backs.updated_at, now):
                    continue
                fee = rules.commissions.get(maker.key, D(0))
                has_draw = any(outcome.name == "Draw" for outcome in backs.outcomes)
                facts = sport_of(sport_key)
                if facts.h2h_outcomes is not None and has_draw != (facts.h2h_outcomes == 3):
                    continue
                for outcome in backs.outcomes:
                    back = 1 + (outcome.price - 1) * (1 - fee)
                    pairs: list[Pair] = []
                    for lay in lays:
                        if (
                            lay.outcome != outcome.name
                            or (facts.h2h_outcomes is None and lay.has_draw != has_draw)
                            or (fee and maker.key[:7] == lay.exchange[:7])
                            or not lay.exchange.startswith(query.exchange or "")
                            or not is_believed(back, backs.updated_at, lay, rules, now)
                            or back < (query.min_odds or 0)
                            or back > (query.max_odds or 1000)
                        ):
                            continue
                        assessed = assess(
                            PairTerms(
                                back,
                                lay.odds,
                                lay.commission,
                                lay.available,
                                (one.kickoff - now).total_seconds() / 60,
                                facts.duration.total_seconds() / 60,
                                rules.floor_of(sport_key, facts),
                            ),
                            query,
                            rules,
                        )
                        if isinstance(assessed, Assessment):
                            pairs.append(
                                (assessed.rank, one.id, outcome.name, maker.key, lay.exchange)
                            )
                    if pairs:
                        best.append(max(pairs, key=lambda pair: pair[0]))
    best.sort(key=lambda pair: pair[0], reverse=True)
    return best, considered


def own_match(seen: Scene, one: EventQuotes) -> EventMatch | None:
    for matched in seen.matches[one.sport_key]:
        if matched.event_id == one.id and matched.verdict is Verdict.MATCH:
            return matched
    return None


def own_book(seen: Scene, one: EventQuotes) -> MarketBook | None:
    matched = own_match(seen, one)
    for found in seen.books:
        if matched is not None and found.market_id == matched.market_id:
            return found
    return None


def is_live(own: MarketBook | None, now: datetime) -> bool:
    return own is not None and (now - own.received_at).total_seconds() <= 120


def own_lays(
    seen: Scene, one: EventQuotes, own: MarketBook | None, now: datetime
) -> Iterator[Seen]:
    matched = own_match(seen, one)
    if own is None or matched is None or not is_live(own, now):
        return
    market = next(found for found in seen.markets if found.market_id == own.market_id)
    has_draw = any(runner.name == "The Draw" for runner in market.runners)
    expected = sport_of(one.sport_key).h2h_outcomes
    if expected is not None and has_draw != (expected == 3):
        return
    for runner in own.runners:
        for level in runner.to_lay:
            yield Seen(
                "betfair",
                NAMES[runner.selection_id],
                level.price,
                level.size,
                D("0.05"),
                has_draw,
                own.received_at,
                matched.confidence == 1,
            )


def feed_lays(
    one: EventQuotes, own: MarketBook | None, rules: ScoringRules, now: datetime
) -> Iterator[Seen]:
    blocks = [
        (maker.key, found)
        for maker in one.bookmakers
        for found in maker.markets
        if found.key == "h2h_lay"
    ]
    newest = max(
        ((found.updated_at or NOW, key) for key, found in blocks if key[:7] == "betfair"),
        default=None,
    )
    for key, found in blocks:
        if key[:7] == "betfair" and (is_live(own, now) or newest is None or key != newest[1]):
            continue
        has_draw = any(outcome.name == "Draw" for outcome in found.outcomes)
        if aged(found.updated_at, now) or (has_draw and sport_of(one.sport_key).h2h_outcomes == 2):
            continue
        for outcome in found.outcomes:
            yield Seen(
                key,
                outcome.name,
                outcome.price,
                outcome.limit,
                rules.commissions[key],
                has_draw,
                found.updated_at or NOW,
                is_certain=True,
            )


def is_believed(
    back: Decimal, updated_at: datetime | None, lay: Seen, rules: ScoringRules, now: datetime
) -> bool:
    rating = Fraction(back) * (1 - Fraction(lay.commission)) / Fraction(lay.odds - lay.commission)
    if rating <= Fraction(rules.max_rating):
        return True
    oldest = min(lay.seen_at, updated_at or NOW)
    return lay.is_certain and (now - oldest).total_seconds() <= 30


def aged(updated_at: datetime | None, now: datetime) -> bool:
    return (now - NOW).total_seconds() > 900 or (now - (updated_at or NOW)).total_seconds() > 1800


rule_sets = st.sampled_from(
    [
        RULES,
        ScoringRules(unknown_liquidity=UnknownLiquidity.EQUAL, max_rating=D("1.01")),
        ScoringRules(unknown_liquidity=UnknownLiquidity.REJECT, min_lay_stake=D(0)),
    ]
)


def question(refund: tuple[Decimal | None, bool], is_arb: bool, **given: Any) -> OpportunityQuery:
    if given["kind"] is BetKind.REFUND:
        given["refund_value"], given["is_refund_cash"] = refund
    if given["kind"] is BetKind.QUALIFYING and is_arb:
        given |= {"only_arbs": True, "hide_arbs": False}
    return OpportunityQuery(**given)


questions = st.builds(
    question,
    refund=st.tuples(st.sampled_from([None, D(5), D(25), D(90)]), st.booleans()),
    is_arb=st.sampled_from([True, False, False]),
    kind=st.sampled_from(BetKind),
    stake=st.sampled_from([D("0.5"), D(1), D(10), D(10), D(25), D("33.33"), D(500)]),
    bookmaker=st.sampled_from([None, None, "coral", "smarkets"]),
    free_bet_value=st.sampled_from([None, D(1), D(30)]),
    limit=st.just(500),
    exchange=st.sampled_from([None, None, None, None, "smarkets", "betfair"]),
    min_odds=st.sampled_from([None, None, None, None, D("1.9")]),
    max_odds=st.sampled_from([None, None, None, None, D("4.0")]),
    min_liquidity=st.sampled_from([None, None, None, None, D(50)]),
    max_liability=st.sampled_from([None, None, D("15.00")]),
    hide_arbs=st.booleans(),
    ranking=st.sampled_from(Ranking),
)
seeds = st.integers(0, 10**6)
moments = st.sampled_from([0, 0, 0, 0, 1, 11, 100, 101, 120, 121, 900, 901]).map(
    lambda later: NOW + timedelta(seconds=later)
)


def named(found: Opportunity) -> tuple[str, str, str, str]:
    return found.event_id, found.outcome, found.bookmaker, found.exchange


@settings(max_examples=examples(250))
@given(seeds, seeds, questions, rule_sets, moments)
def test_the_answer_is_the_one_that_pricing_everything_gives_in_any_order_of_news(
    seed: int, order: int, query: OpportunityQuery, rules: ScoringRules, now: datetime
) -> None:
    seen = scene(seed)
    answer = told(seen, random.Random(order), rules).best(query, now)
    expected, considered = plainly(seen, query, rules, now)
    assert answer.considered == considered
    assert len(answer.opportunities) + sum(answer.rejected.values()) == considered
    ranks = {pair[1:]: pair[0] for pair in expected}
    found = [named(opportunity) for opportunity in answer.opportunities]
    assert [ranks[pair] for pair in found] == [pair[0] for pair in expected]
    assert Counter(found) == Counter(pair[1:] for pair in expected)


@settings(max_examples=examples(60))
@given(
    st.lists(seeds, min_size=1, max_size=2),
    st.lists(st.tuples(questions, moments), min_size=2, max_size=3),
    st.randoms(use_true_random=False),
)
def test_what_was_asked_before_changes_no_answer(
    scenes: list[int], asked: list[tuple[OpportunityQuery, datetime]], order: random.Random
) -> None:
    """One picture is told more and asked again; a look at every event anew agrees."""
    picture = MarketSnapshot(RULES)
    for seed in scenes:
        seen = scene(seed)
        steps: list[tuple[str, Any, Scene]] = [("quotes", key, seen) for key in seen.quotes]
        steps += [("matches", key, seen) for key in seen.matches]
        steps += [("book", one, seen) for one in seen.books]
        order.shuffle(steps)
        for step in steps:
            tell(picture, step)
            if order.random() < 0.3:
                picture.best(*order.choice(asked))
        for query, now in (*asked, *reversed(asked)):
            anew = Ranker(query, RULES, now)
            for sport in picture._sports.values():
                for board in sport.boards.values():
                    anew.consider(anew.survey((board,)))
            answer, expected = picture.best(query, now), anew.answer()
            assert answer == expected
        picture.forget(asked[0][1])
        picture.keep_sports(seen.quotes)


def tell(picture: MarketSnapshot, step: tuple[str, Any, Scene]) -> None:
    kind, what, seen = step
    if kind == "quotes":
        picture.apply_quotes(what, seen.quotes[what], NOW)
    elif kind == "matches":
        picture.apply_matches(what, seen.matches[what], seen.markets)
    else:
        picture.apply_books((what,))


@settings(max_examples=examples(60))
@given(seeds, questions, st.integers(1, 12))
def test_fewer_are_the_first_of_more(seed: int, query: OpportunityQuery, limit: int) -> None:
    picture = told(scene(seed), random.Random(seed), RULES)
    everything = picture.best(query, NOW)
    first = picture.best(msgspec.structs.replace(query, limit=limit), NOW)
    assert first.opportunities == everything.opportunities[:limit]
    assert first.rejected == everything.rejected


@settings(max_examples=examples(60))
@given(seeds, questions)
def test_money_shown_agrees_with_a_recomputation_in_fractions(
    seed: int, query: OpportunityQuery
) -> None:
    for found in told(scene(seed), random.Random(seed), RULES).best(query, NOW).opportunities:
        fee = Fraction(RULES.commissions.get(found.bookmaker, D(0)))
        back = 1 + (Fraction(found.back_odds) - 1) * (1 - fee)
        stake, laid = Fraction(found.stake), Fraction(found.lay_stake)
        win = stake * (back if found.kind is BetKind.FREE_BET_SR else back - 1)
        lose = Fraction(found.refund or 0) * (
            1 if query.is_refund_cash else Fraction(RULES.snr_retention)
        ) - (stake if found.kind in {BetKind.QUALIFYING, BetKind.REFUND} else 0)
        wins = win - laid * (Fraction(found.lay_odds) - 1)
        loses = lose + laid * (1 - Fraction(found.commission))
        half_penny = Fraction(1, 200)
        assert abs(wins - Fraction(found.if_back_wins)) <= half_penny
        assert abs(loses - Fraction(found.if_back_loses)) <= half_penny
        assert abs(min(wins, loses) - Fraction(found.profit)) <= half_penny
        balanced = (win - lose) / (Fraction(found.lay_odds) - Fraction(found.commission))
        assert abs(laid - balanced) <= half_penny
