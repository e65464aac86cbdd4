"""Scores: the worked figures, and what holds for every pair."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kos.domain.bets.lay import LaySolution
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.opportunity import (
    BetKind,
    OpportunityQuery,
    Ranking,
    Rejection,
    ScoreFactors,
)
from kos.domain.opportunities.scoring import (
    Assessment,
    PairTerms,
    ScoringRules,
    UnknownLiquidity,
    assess,
    minutes_between,
    seed_score,
)
from tests.profiles import examples
from tests.strategies import lay_odds_near, odds, pounds

D = Decimal
RULES = ScoringRules()
TERMS = PairTerms(
    back_odds=D("2.50"),
    lay_odds=D("2.54"),
    commission=D("0.02"),
    available=D(180),
    minutes=90.0,
    duration_minutes=115.0,
    floor=D(50),
)
QUALIFIER = OpportunityQuery(stake=D(10))
SNR_60 = OpportunityQuery(kind=BetKind.FREE_BET_SNR, stake=D(60))


def shown(
    terms: PairTerms, query: OpportunityQuery, rules: ScoringRules = RULES
) -> Assessment[LaySolution]:
    assessed = assess(terms, query, rules)
    assert isinstance(assessed, Assessment), assessed
    return assessed


def ask(query: OpportunityQuery, **changes: Any) -> OpportunityQuery:
    return msgspec.structs.replace(query, **changes)


def test_worked_qualifier_ninety_minutes_out() -> None:
    assessed = shown(TERMS, QUALIFIER)
    assert assessed.factors.max_loss == pytest.approx(0.2784)
    assert assessed.score == pytest.approx(0.299330, abs=5e-7)
    assert assessed.tier == 0
    assert assessed.stakes.lay_stake == D("9.92")
    assert assessed.stakes.profit == D("-0.28")


def test_worked_qualifier_half_the_time_and_a_worse_lay() -> None:
    assessed = shown(TERMS._replace(minutes=45.0, lay_odds=D("2.58")), QUALIFIER)
    assert assessed.factors.max_loss == pytest.approx(0.4366)
    assert assessed.score == pytest.approx(0.381738, abs=5e-7)


def test_worked_arb_is_in_tier_one_with_the_least_loss() -> None:
    assessed = shown(TERMS._replace(lay_odds=D("2.40")), QUALIFIER)
    assert assessed.stakes.profit == D("0.29")
    assert assessed.factors.max_loss == pytest.approx(0.01)
    assert assessed.score == pytest.approx(8.3333, abs=5e-5)
    assert assessed.tier == 1


def test_three_minutes_before_kickoff_is_too_soon() -> None:
    assert assess(TERMS._replace(minutes=3.0), QUALIFIER, RULES) is Rejection.TOO_SOON
    assert assess(TERMS._replace(minutes=5.0), QUALIFIER, RULES) is not Rejection.TOO_SOON
    assert assess(TERMS._replace(minutes=0.0), QUALIFIER, RULES) is Rejection.STARTED
    assert assess(TERMS._replace(minutes=-90.0), QUALIFIER, RULES) is Rejection.STARTED


def test_worked_free_bet_with_too_little_to_lay() -> None:
    terms = TERMS._replace(
        back_odds=D("6.0"), lay_odds=D("6.4"), available=D(40), floor=D(30), minutes=240.0
    )
    assessed = shown(terms, SNR_60)
    assert float(assessed.retention) == pytest.approx(0.7680, abs=5e-5)
    assert assessed.factors.max_loss == pytest.approx(13.92, abs=5e-3)
    assert assessed.factors.fill == pytest.approx(0.8507, abs=5e-5)
    assert assessed.score == pytest.approx(0.011733, abs=5e-7)
    below = assess(terms._replace(available=D(25)), SNR_60, RULES)
    assert below is Rejection.BELOW_FLOOR


@pytest.mark.parametrize(
    ("ranking", "merit"),
    [
        (Ranking.VALUE, 22.2216),
        (Ranking.VALUE_PER_HOUR, 5.0313),
        (Ranking.RETURN_ON_CAPITAL, 0.1990),
        (Ranking.VALUE_PER_LIABILITY, 1.4546),
        (Ranking.RATING, 0.972222),
    ],
)
def test_worked_other_rankings_of_the_first_qualifier(ranking: Ranking, merit: float) -> None:
    assessed = shown(TERMS, ask(QUALIFIER, free_bet_value=D(30), ranking=ranking))
    assert assessed.rank[2] == pytest.approx(merit, abs=6e-5)


def test_a_free_bets_score_follows_its_retention() -> None:
    better = shown(TERMS._replace(back_odds=D("6.0"), lay_odds=D("6.2")), SNR_60)
    worse = shown(TERMS._replace(back_odds=D("6.0"), lay_odds=D("6.4")), SNR_60)
    assert better.retention > worse.retention
    assert better.score > worse.score
    assert better.factors.free_bet_value / better.factors.max_loss == pytest.approx(
        1 / (1 - float(better.retention))
    )


def test_lay_at_exactly_095_of_the_back_passes_and_one_tick_less_is_rejected() -> None:
    terms = TERMS._replace(back_odds=D("4.0"), lay_odds=D("3.80"))
    assert shown(terms, QUALIFIER).tier == 1
    assert assess(terms._replace(lay_odds=D("3.75")), QUALIFIER, RULES) is Rejection.INVERTED
    assert assess(terms._replace(lay_odds=D("3.7999")), QUALIFIER, RULES) is Rejection.INVERTED


def test_a_lay_below_the_exchanges_minimum_is_refused_unless_its_payout_is_large_enough() -> None:
    penny_bet = ask(QUALIFIER, stake=D("0.84"))
    assert assess(TERMS, penny_bet, RULES) is Rejection.LAY_TOO_SMALL
    long_odds = TERMS._replace(back_odds=D(13), lay_odds=D("13.5"))
    assert isinstance(assess(long_odds, penny_bet, RULES), Assessment)
    # Laid £0.80 at 12.50 pays exactly £10.00; laid £0.79 it does not.
    edge = TERMS._replace(back_odds=D("12.48"), lay_odds=D("12.5"))
    assert shown(edge, ask(QUALIFIER, stake=D("0.80"))).stakes.lay_stake == D("0.80")
    assert assess(edge, ask(QUALIFIER, stake=D("0.79")), RULES) is Rejection.LAY_TOO_SMALL


def test_a_lay_stake_that_rounds_to_nothing_is_refused_even_without_a_minimum() -> None:
    rules = ScoringRules(min_lay_stake=D(0), min_lay_payout=D(0))
    crumb = ask(QUALIFIER, stake=D("0.001"))
    assert assess(TERMS, crumb, rules) is Rejection.LAY_TOO_SMALL


def test_liability_is_capped_inclusively() -> None:
    liability = D("9.92") * D("1.54")
    assert isinstance(assess(TERMS, ask(QUALIFIER, max_liability=liability), RULES), Assessment)
    capped = assess(TERMS, ask(QUALIFIER, max_liability=liability - D("0.0001")), RULES)
    assert capped is Rejection.OVER_LIABILITY


def test_a_qualifier_that_costs_more_than_its_free_bet_brings_is_refused() -> None:
    terrible = TERMS._replace(back_odds=D("2.0"), lay_odds=D("4.0"))
    offer = ask(QUALIFIER, free_bet_value=D(5))
    assert assess(terrible, offer, RULES) is Rejection.NO_VALUE
    assert isinstance(assess(terrible, QUALIFIER, RULES), Assessment)


def test_arbs_are_hidden_on_request() -> None:
    arb = TERMS._replace(lay_odds=D("2.40"))
    assert assess(arb, ask(QUALIFIER, hide_arbs=True), RULES) is Rejection.ARB


def test_unknown_liquidity_ranks_last_equal_or_not_at_all_as_the_rules_say() -> None:
    unknown = TERMS._replace(available=None)
    worse = TERMS._replace(lay_odds=D("2.7"))
    assert shown(unknown, QUALIFIER).factors.fill == 1.0
    assert shown(unknown, QUALIFIER).rank < shown(worse, QUALIFIER).rank
    equal = ScoringRules(unknown_liquidity=UnknownLiquidity.EQUAL)
    assert shown(unknown, QUALIFIER, equal).rank > shown(worse, QUALIFIER, equal).rank
    reject = ScoringRules(unknown_liquidity=UnknownLiquidity.REJECT)
    assert assess(unknown, QUALIFIER, reject) is Rejection.UNKNOWN_LIQUIDITY
    wanted = ask(QUALIFIER, min_liquidity=D(1))
    assert assess(unknown, wanted, RULES) is Rejection.UNKNOWN_LIQUIDITY


def test_floor_is_the_sports_own_unless_the_longest_fitting_setting_says_otherwise() -> None:
    rules = ScoringRules(liquidity_floors={"soccer": D(10), "soccer_epl": D(75)})
    assert RULES.floor_of("soccer_epl", sport_of("soccer_epl")) == D(50)
    assert RULES.floor_of("basketball_nba", sport_of("basketball_nba")) == D(30)
    assert rules.floor_of("soccer_epl", sport_of("soccer_epl")) == D(75)
    assert rules.floor_of("soccer_italy_serie_a", sport_of("soccer_italy_serie_a")) == D(10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"least_loss": D(0)},
        {"snr_retention": D(0)},
        {"snr_retention": D("1.01")},
        {"max_rating": D("NaN")},
        {"commissions": {"smarkets": D(2)}},
        {"betfair_discount": D(-1)},
        {"liquidity_floors": {"soccer": D(-1)}},
    ],
)
def test_rules_under_which_a_score_could_be_senseless_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ScoringRules(**wrong)


def test_minutes_are_a_real_number_and_negative_after_kickoff() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert minutes_between(now, now + timedelta(seconds=90)) == 1.5
    assert minutes_between(now, now - timedelta(seconds=30)) == -0.5


@st.composite
def terms(draw: st.DrawFn) -> PairTerms:
    """Any pair: also too late, inverted, too thin."""
    back = draw(odds())
    return PairTerms(
        back_odds=back,
        lay_odds=draw(lay_odds_near(back)),
        commission=draw(st.decimals(0, D("0.10"), places=3)),
        available=draw(st.none() | pounds(max_value=10_000)),
        minutes=draw(st.floats(-100, 20_000)),
        duration_minutes=draw(st.floats(10, 7200)),
        floor=draw(pounds(max_value=100)),
    )


@st.composite
def open_terms(draw: st.DrawFn) -> PairTerms:
    """A pair that only its money can refuse."""
    pair = draw(terms())
    return pair._replace(
        lay_odds=max(pair.lay_odds, pair.back_odds),
        minutes=draw(st.floats(5, 20_000)),
        available=draw(pounds(min_value="100", max_value=10_000)),
    )


queries = st.builds(
    OpportunityQuery,
    kind=st.sampled_from(BetKind),
    stake=pounds(max_value=1_000),
    free_bet_value=st.none() | pounds(max_value=1_000),
    ranking=st.sampled_from(Ranking),
)


@given(terms(), queries)
def test_every_pair_is_refused_by_name_or_scored_finite_and_positive(
    pair: PairTerms, query: OpportunityQuery
) -> None:
    assessed = assess(pair, query, RULES)
    if isinstance(assessed, Rejection):
        return
    factors = assessed.factors
    for factor in (
        factors.free_bet_value,
        factors.max_loss,
        factors.minutes_to_kickoff,
        factors.retention,
        assessed.score,
    ):
        assert math.isfinite(factor)
        assert factor > 0
    assert 0 < factors.fill <= 1
    assert math.isfinite(assessed.rank[2])
    assert factors.max_loss >= 0.01
    assert pair.minutes >= 5
    assert 100 * pair.lay_odds >= 95 * pair.back_odds
    own_money = {BetKind.QUALIFYING, BetKind.REFUND}
    without_loss = D(0) if query.kind in own_money else query.stake
    assert assessed.tier == (assessed.stakes.exact_profit >= without_loss)


@given(open_terms(), queries)
def test_money_agrees_with_an_independent_recomputation_in_fractions(
    pair: PairTerms, query: OpportunityQuery
) -> None:
    assessed = assess(pair, query, RULES)
    assume(isinstance(assessed, Assessment))
    assert isinstance(assessed, Assessment)
    stake, back, lay = Fraction(query.stake), Fraction(pair.back_odds), Fraction(pair.lay_odds)
    kept = 1 - Fraction(pair.commission)
    laid = Fraction(assessed.stakes.lay_stake)
    win = stake * (back if query.kind is BetKind.FREE_BET_SR else back - 1)
    lose = {
        BetKind.QUALIFYING: -stake,
        BetKind.REFUND: -stake * (1 - Fraction(RULES.snr_retention)),
    }.get(query.kind, Fraction(0))
    if_wins, if_loses = win - laid * (lay - 1), lose + laid * kept
    assert abs(Fraction(assessed.stakes.if_back_wins) - if_wins) <= Fraction(1, 200)
    assert abs(Fraction(assessed.stakes.if_back_loses) - if_loses) <= Fraction(1, 200)
    assert Fraction(assessed.stakes.exact_profit) == min(if_wins, if_loses)
    # one penny of lay stake moves the two outcomes apart by at most its whole odds
    assert abs(if_wins - if_loses) <= Fraction(1, 200) * (lay - 1 + kept)
    assert abs(Fraction(assessed.stakes.liability) - laid * (lay - 1)) <= Fraction(1, 200)


factor_values = st.floats(1e-3, 1e4)


@given(
    st.builds(
        ScoreFactors,
        free_bet_value=factor_values,
        max_loss=st.floats(0.01, 1e4),
        minutes_to_kickoff=st.floats(5, 1e5),
        retention=st.floats(1e-3, 1),
        fill=st.floats(1e-3, 1),
        liquidity_floor=st.just(0.0),
    ),
    st.sampled_from(
        [
            ("free_bet_value", 1),
            ("retention", 1),
            ("fill", 1),
            ("max_loss", -1),
            ("minutes_to_kickoff", -1),
        ]
    ),
    st.floats(1.01, 10),
)
def test_score_rises_with_value_retention_and_fill_and_falls_with_loss_and_time(
    factors: ScoreFactors, moved: tuple[str, int], by: float
) -> None:
    name, direction = moved
    changed = msgspec.structs.replace(factors, **{name: getattr(factors, name) * by})
    assert (seed_score(changed) - seed_score(factors)) * direction > 0


@given(st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.floats(1e-2, 1e2))
def test_score_does_not_know_the_currency(value: float, loss: float, rate: float) -> None:
    here = ScoreFactors(value, loss, 60.0, 0.75, 1.0, 0.0)
    there = ScoreFactors(value * rate, loss * rate, 60.0, 0.75, 1.0, 0.0)
    assert seed_score(there) == pytest.approx(seed_score(here), rel=1e-9)


@settings(max_examples=examples(60))
@given(open_terms(), queries, st.integers(2, 50))
def test_a_larger_available_amount_never_lowers_the_rank(
    pair: PairTerms, query: OpportunityQuery, times: int
) -> None:
    assert pair.available is not None
    assessed = assess(pair, query, RULES)
    assume(isinstance(assessed, Assessment))
    deeper = assess(pair._replace(available=pair.available * times), query, RULES)
    assert isinstance(assessed, Assessment)
    assert isinstance(deeper, Assessment)
    assert deeper.rank >= assessed.rank


@settings(max_examples=examples(60))
@given(open_terms(), queries)
def test_a_later_kickoff_never_raises_the_rank_of_a_pair_with_a_loss(
    pair: PairTerms, query: OpportunityQuery
) -> None:
    seed = ask(query, ranking=Ranking.SEED)
    assessed = assess(pair, seed, RULES)
    assume(isinstance(assessed, Assessment))
    later = assess(pair._replace(minutes=pair.minutes + 60), seed, RULES)
    assert isinstance(assessed, Assessment)
    assert isinstance(later, Assessment)
    assert later.rank < assessed.rank
    assert later.score < assessed.score
