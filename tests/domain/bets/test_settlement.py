from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings

from kos.domain.bets import each_way, lay, settlement, triggers
from kos.errors import InvalidInput
from tests.domain.maths_strategies import CHANCES, ODDS, RATES, STAKES
from tests.profiles import examples

F = Fraction


@given(STAKES, ODDS, ODDS, ODDS, RATES)
@settings(max_examples=examples(80))
def test_both_halves_laid_pay_the_same_and_the_extra_place_comes_on_top(
    stake: Fraction, win_odds: Fraction, win_lay: Fraction, place_lay: Fraction, rate: Fraction
) -> None:
    place_odds = each_way.place_odds(win_odds, F(1, 5))
    for is_free in (False, True):
        win = each_way.part(stake, win_odds, is_free_bet=is_free)
        place = each_way.part(stake, place_odds, is_free_bet=is_free)
        results = each_way.results(
            win,
            place,
            (lay.equalising_stake(win[0], F(0), win_lay, rate), win_lay, rate),
            (lay.equalising_stake(place[0], F(0), place_lay, rate), place_lay, rate),
        )
        assert results.if_wins == results.if_places == results.if_unplaced
        assert results.if_extra_place == results.if_unplaced + place[0]


def test_more_places_than_runners_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Places cannot be"):
        each_way.fair_edges(3, F(5), 4, F(1, 5))


@given(STAKES, ODDS)
@settings(max_examples=examples(40))
def test_plain_results_are_the_edge_of_dead_heat_and_rule_4(
    stake: Fraction, odds: Fraction
) -> None:
    assert settlement.dead_heat_return(stake, odds, 1, 1) == stake * odds
    assert settlement.dead_heat_lay(stake, odds, 1, 1) == -stake * (odds - 1)
    assert settlement.rule4_odds(odds, settlement.rule4_deduction([])) == odds
    tied = settlement.dead_heat_return(stake, odds, 3, 2) - stake
    assert tied == -settlement.dead_heat_lay(stake, odds, 3, 2)


def test_deductions_add_up_to_their_limit() -> None:
    assert settlement.rule4_deduction([F("0.25"), F("0.05")]) == F("0.3")
    assert settlement.rule4_deduction([F("0.75"), F("0.5")]) == F("0.9")
    assert settlement.rule4_odds(F(8), F("0.15")) == F("6.95")


@given(STAKES, ODDS, RATES, CHANCES)
@settings(max_examples=examples(40))
def test_laid_trigger_locks_the_same_gain_and_break_even_is_worth_nothing(
    refund: Fraction, odds: Fraction, rate: Fraction, loss: Fraction
) -> None:
    stake, gain = triggers.trigger_lay(refund, odds, rate)
    assert refund - stake * (odds - 1) == gain == stake * (1 - rate)
    chance = triggers.trigger_break_even(loss, refund)
    assert triggers.trigger_value(-loss, refund, chance) == 0
