from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kos.domain.bets import accumulator
from kos.domain.bets.accumulator import AccumulatorLeg
from tests.domain.maths_strategies import CHANCES, LEGS, STAKES
from tests.profiles import examples

ZERO = Fraction(0)


def payout_of(stake: Fraction, legs: list[AccumulatorLeg]) -> Fraction:
    return stake * accumulator.combined_odds([leg.back_odds for leg in legs])


@given(STAKES, LEGS, st.booleans(), STAKES)
@settings(max_examples=examples(80))
def test_every_path_of_a_sequence_ends_with_the_same_balance(
    stake: Fraction, legs: list[AccumulatorLeg], is_free: bool, refund: Fraction
) -> None:
    at_risk = ZERO if is_free else stake
    payout = payout_of(stake, legs) - (stake if is_free else ZERO)
    plan = accumulator.sequential(at_risk, payout, legs, refund)
    paths = accumulator.sequential_results(
        payout - at_risk, at_risk, plan.lay_stakes, legs, [refund] * len(legs)
    )
    assert set(paths) == {plan.balance}


@given(STAKES, LEGS)
@settings(max_examples=examples(60))
def test_balance_of_a_cash_sequence_is_what_the_rating_says(
    stake: Fraction, legs: list[AccumulatorLeg]
) -> None:
    plan = accumulator.sequential(stake, payout_of(stake, legs), legs)
    assert plan.balance == stake * (accumulator.rating(legs) - 1)


@given(STAKES, LEGS)
@settings(max_examples=examples(60))
def test_replanning_at_unchanged_prices_keeps_the_balance(
    stake: Fraction, legs: list[AccumulatorLeg]
) -> None:
    assume(len(legs) > 1)
    payout = payout_of(stake, legs)
    plan = accumulator.sequential(stake, payout, legs)
    paid = accumulator.liabilities(plan.lay_stakes[:1], legs[:1])[0]
    again = accumulator.sequential(stake, payout, legs[1:], liability_paid=paid)
    assert again.lay_stakes == plan.lay_stakes[1:]
    assert again.balance == plan.balance


@given(STAKES, LEGS, STAKES)
@settings(max_examples=examples(60))
def test_lock_in_counts_a_refund_only_where_it_is_sure(
    stake: Fraction, legs: list[AccumulatorLeg], refund: Fraction
) -> None:
    payout = payout_of(stake, legs)
    plan = accumulator.lock_in(stake, payout, legs, refund)
    refunds = [ZERO] * (len(legs) - 1) + [refund]
    paths = accumulator.sequential_results(payout - stake, stake, plan.lay_stakes, legs, refunds)
    assert set(paths) == {plan.balance}
    assert plan.balance > accumulator.sequential(stake, payout, legs).balance


@given(STAKES, LEGS, STAKES)
@settings(max_examples=examples(60))
def test_lays_placed_together_pay_the_same_for_no_loser_and_for_one(
    stake: Fraction, legs: list[AccumulatorLeg], refund: Fraction
) -> None:
    payout = payout_of(stake, legs)
    stakes = accumulator.all_at_once(payout, legs, refund)
    all_win, one_loses, all_lose = accumulator.all_at_once_results(
        payout - stake, stake, stakes, legs, refund
    )
    assert all_win == one_loses
    losers = len(legs)
    extra = (losers - 1) * payout - (losers if losers > 1 else 0) * refund
    assert all_lose == all_win + extra


@given(STAKES, st.lists(CHANCES, min_size=1, max_size=8), STAKES)
@settings(max_examples=examples(60))
def test_fair_odds_without_refund_are_worth_nothing_and_a_refund_only_adds(
    stake: Fraction, chances: list[Fraction], refund: Fraction
) -> None:
    win = stake / accumulator.combined_odds(chances) - stake
    assert accumulator.unlaid_value(stake, win, chances) == 0
    assert 0 < accumulator.unlaid_value(stake, win, chances, refund) <= refund
