from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.bets import dutch, multi_lay
from kos.domain.market import commission
from kos.errors import InvalidInput
from tests.domain.maths_strategies import ODDS, ODDS_LISTS, RATES, STAKES
from tests.profiles import examples


@given(STAKES, ODDS_LISTS)
@settings(max_examples=examples(80))
def test_every_outcome_of_a_dutch_returns_the_same_and_gains_iff_the_book_is_below_one(
    total: Fraction, odds: list[Fraction]
) -> None:
    amount = dutch.return_of_total(total, odds)
    stakes = dutch.stakes_returning(amount, odds)
    assert sum(stakes) == total
    profits = dutch.profits(stakes, odds)
    assert set(profits) == {amount - total}
    assert (amount > total) == (dutch.book_sum(odds) < 1)


@given(STAKES, ODDS_LISTS)
@settings(max_examples=examples(60))
def test_target_profit_is_met_exactly_or_refused(target: Fraction, odds: list[Fraction]) -> None:
    if dutch.book_sum(odds) >= 1:
        with pytest.raises(InvalidInput, match="book sum"):
            dutch.return_for_profit(target, odds)
        return
    stakes = dutch.stakes_returning(dutch.return_for_profit(target, odds), odds)
    assert set(dutch.profits(stakes, odds)) == {target}


@given(STAKES, ODDS_LISTS, RATES)
@settings(max_examples=examples(60))
def test_sharing_one_market_never_costs_more_than_a_fee_on_each_winner(
    total: Fraction, odds: list[Fraction], rate: Fraction
) -> None:
    effective = [commission.back_odds_after_commission(price, rate) for price in odds]
    stakes = dutch.stakes_returning(dutch.return_of_total(total, effective), effective)
    apart = dutch.profits(stakes, effective)
    together = dutch.profits_in_one_market(stakes, odds, [rate] * len(odds))
    assert all(shared >= alone for shared, alone in zip(together, apart, strict=True))


@given(ODDS_LISTS)
@settings(max_examples=examples(40))
def test_a_group_is_shorter_than_each_of_its_members(odds: list[Fraction]) -> None:
    assert dutch.group_odds(odds) < min(odds)


@given(ODDS, RATES)
@settings(max_examples=examples(60))
def test_back_and_lay_are_an_arbitrage_exactly_when_the_back_beats_the_lay_after_fees(
    price: Fraction, rate: Fraction
) -> None:
    for back in (price, price + Fraction(1, 10)):
        book = dutch.book_sum((back, commission.lay_as_back_odds(price, rate)))
        assert (book < 1) == (back * (1 - rate) > price - rate)


@given(STAKES, ODDS, st.lists(ODDS, min_size=1, max_size=6), RATES)
@settings(max_examples=examples(80))
def test_lays_on_several_runners_of_one_market_balance_or_are_refused(
    stake: Fraction, back: Fraction, lays: list[Fraction], rate: Fraction
) -> None:
    win, lose = stake * (back - 1), -stake
    if sum(1 / odds for odds in lays) >= 1:
        with pytest.raises(InvalidInput, match="lay_odds"):
            multi_lay.stakes_in_one_market(win, lose, lays, rate)
        return
    stakes = multi_lay.stakes_in_one_market(win, lose, lays, rate)
    winning, none_wins = multi_lay.results_in_one_market(
        win, lose, list(zip(lays, stakes, strict=True)), rate
    )
    assert {*winning, none_wins} == {none_wins}
    if len(lays) == 1:
        assert stakes[0] == stake * back / (lays[0] - rate)


@given(STAKES, ODDS, st.lists(st.tuples(ODDS, RATES), min_size=1, max_size=6))
@settings(max_examples=examples(60))
def test_lays_in_markets_apart_balance(
    stake: Fraction, back: Fraction, lays: list[tuple[Fraction, Fraction]]
) -> None:
    win, lose = stake * (back - 1), -stake
    stakes = multi_lay.stakes_in_markets_apart(win, lose, lays)
    winning, none_wins = multi_lay.results_in_markets_apart(
        win,
        lose,
        [(odds, laid, rate) for (odds, rate), laid in zip(lays, stakes, strict=True)],
    )
    assert {*winning, none_wins} == {none_wins}
