"""The picture's pairs on random markets, against the plainest reading of the rules."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery, Ranking, Rejection
from kos.domain.opportunities.scoring import ScoringRules, UnknownLiquidity
from tests.builders import NOW, bookmaker, event, quotes_market
from tests.domain.opportunities.market_scenes import (
    Reached,
    in_pounds,
    limit_of,
    news_of,
    parts,
    scene,
    seeds,
    sizes,
    stakes,
    tell,
    told,
)
from tests.domain.opportunities.pair_oracle import assert_shown, expected
from tests.profiles import examples

D = Decimal
RULES = ScoringRules()
MOST = 500

every_kind = pytest.mark.parametrize("kind", BetKind)
every_ranking = pytest.mark.parametrize("ranking", Ranking)

EQUAL = ScoringRules(unknown_liquidity=UnknownLiquidity.EQUAL, max_rating=D("1.01"))
KNOWN = ScoringRules(unknown_liquidity=UnknownLiquidity.REJECT, min_lay_stake=D(0))
moments = st.sampled_from([0, 0, 0, 0, 1, 11, 30, 60, 100, 121]).map(
    lambda later: NOW + timedelta(seconds=later)
)
filters: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {},
        {},
        {"bookmaker": "coral"},
        {"bookmaker": "smarkets"},
        {"exchange": "betfair"},
        {"min_odds": D("1.9")},
        {"max_odds": D("4.0")},
        {"min_liquidity": D(60)},
        {"max_liability": D("2.5")},
        {"max_minutes_to_kickoff": 90.0},
    ]
)
"""Most of the time no more than one, so that most questions have an answer."""
# Amounts are shares of the stake.
offers: dict[BetKind, st.SearchStrategy[dict[str, Any]]] = {
    BetKind.QUALIFYING: st.sampled_from(
        [
            {},
            {},
            {"hide_arbs": True},
            {"only_arbs": True},
            {"free_bet_value": D(1)},
            {"free_bet_value": D("0.06")},
        ]
    ),
    BetKind.FREE_BET_SNR: st.sampled_from([{}, {"hide_arbs": True}]),
    BetKind.FREE_BET_SR: st.sampled_from([{}, {"hide_arbs": True}]),
    BetKind.REFUND: st.sampled_from(
        [
            {},
            {"hide_arbs": True},
            {"is_refund_cash": True},
            {"refund_value": D("0.1")},
            {"refund_value": D("0.4"), "free_bet_value": D("0.5")},
            {"refund_value": D("1.5"), "is_refund_cash": True},
        ]
    ),
}


class Problem(NamedTuple):
    """What is asked, and by which rules."""

    query: OpportunityQuery
    rules: ScoringRules


@st.composite
def problems(
    draw: st.DrawFn, kind: BetKind | None = None, ranking: Ranking | None = None
) -> Problem:
    """A question with everything that its kind allows."""
    kind = kind or draw(st.sampled_from(BetKind))
    rules = draw(st.sampled_from([RULES, RULES, EQUAL, KNOWN]))
    terms = draw(offers[kind])
    # Where the exchange takes any lay, a stake at which a penny decides.
    stake = draw(st.sampled_from([D("0.12"), D("0.40"), D(10)]) if rules is KNOWN else stakes)
    terms = terms | ({} if "only_arbs" in terms else draw(filters))
    query = OpportunityQuery(
        kind=kind,
        ranking=ranking or draw(st.sampled_from(Ranking)),
        stake=stake,
        limit=MOST,
        **in_pounds(terms, stake),
    )
    return Problem(query, rules)


@every_kind
@every_ranking
def test_the_best_are_those_that_pricing_everything_gives_in_any_order_of_news(
    kind: BetKind, ranking: Ranking
) -> None:
    reached = Reached()

    @settings(max_examples=examples(12))
    @given(seeds, sizes, problems(kind, ranking), moments, parts)
    def holds(seed: int, size: int, problem: Problem, now: datetime, part: float) -> None:
        query, rules = problem
        seen = scene(f"{kind}{ranking}{seed}", events=size)
        picture = told(seen, random.Random(seed), rules)
        wanted = expected(seen, query, rules, now)
        limit = limit_of(part, len(wanted.offers))
        reached.add(len(wanted.offers), limit)
        for most in (limit, MOST):
            answer = picture.best(msgspec.structs.replace(query, limit=most), now)
            assert_shown(answer.opportunities, wanted.offers, most)
            assert answer.rejected == wanted.rejected
            assert answer.considered == wanted.considered

    holds()
    reached.check()


@every_kind
@every_ranking
def test_fewer_are_the_first_of_more(kind: BetKind, ranking: Ranking) -> None:
    reached = Reached()

    @settings(max_examples=examples(20))
    @given(seeds, sizes, st.lists(problems(kind, ranking), min_size=3, max_size=3))
    def holds(seed: int, size: int, asked: list[Problem]) -> None:
        seen = scene(f"{kind}{ranking}{seed}", events=size, edges=0.02)
        pictures: dict[UnknownLiquidity, MarketSnapshot] = {}
        for query, rules in asked:
            picture = pictures.get(rules.unknown_liquidity)
            if picture is None:
                picture = told(seen, random.Random(seed), rules)
                pictures[rules.unknown_liquidity] = picture
            everything = picture.best(query, NOW)
            count = len(everything.opportunities)
            for limit in {limit_of(part, count) for part in (0.0, 0.1, 0.3, 0.7)}:
                fewer = picture.best(msgspec.structs.replace(query, limit=limit), NOW)
                assert fewer.opportunities == everything.opportunities[:limit]
                assert fewer.rejected == everything.rejected
                assert fewer.considered == everything.considered
                reached.add(count, limit)

    holds()
    reached.check()


# Just before and just after prices go stale, are no longer brand new, and kickoffs come too close.
turns = [0, 0, 10.1, 30, 30.1, 60, 60.1, 121, 901, 3600]


def test_what_was_asked_before_changes_no_answer() -> None:
    """One picture is told more and asked again; one that was never asked agrees."""
    reached = Reached()
    scenes = changed = 0

    @settings(max_examples=examples(40))
    @given(
        seeds,
        sizes,
        st.lists(problems(), min_size=2, max_size=2),
        st.lists(st.sampled_from(turns), min_size=3, max_size=3),
        st.integers(1, 12),
    )
    def holds(seed: int, size: int, asked: list[Problem], times: list[float], limit: int) -> None:
        nonlocal scenes, changed
        order = random.Random(seed)
        seen = scene(seed, events=size)
        news = news_of(seen)
        order.shuffle(news)
        rules = asked[0].rules
        queries = [query for query, _ in asked]
        # An exchange's own prices stand no longer than the moment.
        queries.append(OpportunityQuery(bookmaker="smarkets"))
        picture, told_so_far = MarketSnapshot(rules), 0
        answers = []
        for stage, later in enumerate((*sorted(times), *times)):
            upto = len(news) * (stage + 3) // 5
            for step in news[told_so_far:upto]:
                tell(picture, seen, step)
            told_so_far = max(told_so_far, upto)
            fresh = MarketSnapshot(rules)
            for step in news[:told_so_far]:
                tell(fresh, seen, step)
            now = NOW + timedelta(seconds=later)
            for query in queries:
                few = msgspec.structs.replace(query, limit=limit)
                answer = picture.best(few, now)
                assert answer == fresh.best(few, now)
                if stage >= len(times):
                    answers.append((query, answer.opportunities))
                    reached.add(len(answer.opportunities), limit)
        scenes += 1
        changed += any(
            ours != theirs for query, ours in answers for other, theirs in answers if query == other
        )
        picture.forget(NOW)
        picture.keep_sports(seen.quotes)

    holds()
    assert changed >= 0.5 * scenes, f"time changed an answer in {changed} of {scenes}"
    assert reached.filled >= 0.4 * reached.examples


def test_a_lay_that_rounds_to_a_penny_below_the_minimum_is_counted_as_refused() -> None:
    prices = quotes_market({"Leeds": "2.50", "Draw": "3.0", "York": "3.0"})
    lays = quotes_market({"Leeds": "2.54"}, key="h2h_lay", limits={"Leeds": 900})
    picture = MarketSnapshot(RULES)
    makers = bookmaker("coral", prices), bookmaker("smarkets", prices, lays)
    picture.apply_quotes("soccer_epl", (event(*makers),), NOW)
    answer = picture.best(OpportunityQuery(stake=D(1)), NOW)  # lays £0.992
    assert answer.opportunities == ()
    assert answer.rejected == {Rejection.NO_LAY.value: 2, Rejection.LAY_TOO_SMALL.value: 1}
