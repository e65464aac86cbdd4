"""The picture's dutches on random markets, against every combination there is."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, Ranking
from kos.domain.opportunities.scoring import ScoringRules, UnknownLiquidity
from tests.builders import NOW
from tests.domain.opportunities.dutch_oracle import assert_shown_dutches, expected_dutches, settled
from tests.domain.opportunities.market_scenes import (
    Reached,
    in_pounds,
    limit_of,
    parts,
    scene,
    seeds,
    told,
)
from tests.profiles import examples

D = Decimal
RULES = ScoringRules()
EQUAL = ScoringRules(unknown_liquidity=UnknownLiquidity.EQUAL, max_rating=D("1.02"))
KNOWN = ScoringRules(unknown_liquidity=UnknownLiquidity.REJECT, min_lay_stake=D(0))
MOST = 500

every_kind = pytest.mark.parametrize("kind", BetKind)
every_ranking = pytest.mark.parametrize(
    "ranking", [Ranking.SEED, Ranking.RATING, Ranking.VALUE, Ranking.VALUE_PER_HOUR]
)
moments = st.sampled_from([0, 0, 0, 11, 31, 100, 121]).map(
    lambda later: NOW + timedelta(seconds=later)
)
sizes = st.integers(9, 13)
# Amounts are shares of the stake.
offers: dict[BetKind, st.SearchStrategy[dict[str, Any]]] = {
    BetKind.QUALIFYING: st.sampled_from(
        [{}, {}, {"only_arbs": True}, {"free_bet_value": D(1)}, {"free_bet_value": D("0.06")}]
    ),
    BetKind.FREE_BET_SNR: st.just({}),
    BetKind.FREE_BET_SR: st.just({}),
    BetKind.REFUND: st.sampled_from(
        [{}, {"is_refund_cash": True}, {"refund_value": D("0.1")}, {"refund_value": D("1.5")}]
    ),
}
filters: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {},
        {},
        {"with_exchanges": False},
        {"min_liquidity": D(60)},
        {"min_odds": D("1.5")},
        {"max_odds": D("6.0")},
        {"max_minutes_to_kickoff": 90.0},
    ]
)


class Problem(NamedTuple):
    """What is asked, and by which rules."""

    query: DutchQuery
    rules: ScoringRules


@st.composite
def problems(
    draw: st.DrawFn, kind: BetKind | None = None, ranking: Ranking | None = None
) -> Problem:
    """A question with everything that its kind allows; only a qualifier may go without a place."""
    kind = kind or draw(st.sampled_from(BetKind))
    places: list[str | None] = ["coral", "coral", "coral", "smarkets"]
    places += [None, None, None] if kind is BetKind.QUALIFYING else []
    bookmaker = draw(st.sampled_from(places))
    terms = draw(offers[kind])
    if bookmaker is None:
        terms = {name: given for name, given in terms.items() if name != "free_bet_value"}
    rules = draw(st.sampled_from([RULES, RULES, EQUAL, KNOWN]))
    stake = draw(
        # Where the exchange takes any lay, a stake at which a penny decides.
        st.sampled_from([D("0.40"), D(2), D(10)])
        if rules is KNOWN
        else st.sampled_from([D(10), D("33.33"), D(2000), D(150)])
    )
    query = DutchQuery(
        bookmaker=bookmaker,
        kind=kind,
        ranking=ranking or draw(st.sampled_from([Ranking.RATING, Ranking.VALUE])),
        stake=stake,
        limit=MOST,
        **in_pounds(terms, stake),
        **draw(filters),
    )
    return Problem(query, rules)


@every_kind
@every_ranking
def test_the_best_are_those_of_all_combinations_in_order(kind: BetKind, ranking: Ranking) -> None:
    reached = Reached()

    @settings(max_examples=examples(14))
    @given(seeds, sizes, problems(kind, ranking), moments, parts)
    def holds(seed: int, size: int, problem: Problem, now: datetime, part: float) -> None:
        query, rules = problem
        seen = scene(f"{kind}{ranking}{seed}", events=size)
        picture = told(seen, random.Random(seed), rules)
        wanted = expected_dutches(seen, query, rules, now)
        answer = picture.dutches(query, now)
        dutches = settled(answer.dutches, wanted.dutches, query)
        assert_shown_dutches(answer.dutches, dutches, query, MOST)
        assert answer.considered == wanted.considered
        assert len(answer.dutches) + sum(answer.rejected.values()) == answer.considered
        if not query.only_arbs:  # else prices alone may say that there is no arb
            assert answer.rejected == wanted.rejected
        count = len(dutches)
        limit = limit_of(part, count)
        reached.add(count, limit)
        fewer = picture.dutches(msgspec.structs.replace(query, limit=limit), now)
        assert_shown_dutches(fewer.dutches, dutches, query, limit)
        for reason, refused in answer.rejected.items():
            most = fewer.rejected.get(reason, 0)
            assert wanted.at_once.get(reason, 0) <= most <= refused

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
            everything = picture.dutches(query, NOW)
            count = len(everything.dutches)
            for limit in {limit_of(part, count) for part in (0.0, 0.1, 0.3, 0.7)}:
                fewer = picture.dutches(msgspec.structs.replace(query, limit=limit), NOW)
                assert fewer.dutches == everything.dutches[:limit]
                assert fewer.considered == everything.considered
                assert all(
                    refused <= everything.rejected[reason]
                    for reason, refused in fewer.rejected.items()
                )
                reached.add(count, limit)

    holds()
    reached.check()


def test_what_was_asked_before_changes_no_dutch() -> None:
    reached = Reached()

    @settings(max_examples=examples(30))
    @given(
        seeds,
        sizes,
        st.lists(st.tuples(problems(), moments), min_size=2, max_size=3),
        st.integers(1, 12),
    )
    def holds(seed: int, size: int, asked: list[tuple[Problem, datetime]], limit: int) -> None:
        seen = scene(seed, events=size)
        picture = told(seen, random.Random(seed), RULES)
        for (query, _), now in (*asked, *reversed(asked)):
            fresh = told(seen, random.Random(seed), RULES)
            few = msgspec.structs.replace(query, limit=limit)
            answer = picture.dutches(few, now)
            assert answer == fresh.dutches(few, now)
            reached.add(len(answer.dutches), 0)

    holds()
    assert reached.filled >= 0.7 * reached.examples
