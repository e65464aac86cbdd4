from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.bets import value
from kos.domain.market import fair_odds
from kos.domain.market.fair_odds import Method
from kos.errors import InvalidInput
from tests.domain.maths_strategies import CHANCES, ODDS, RATES
from tests.profiles import examples

F = Fraction


@st.composite
def books(draw: st.DrawFn, outcomes: int | None = None) -> list[Fraction]:
    """Odds of one event with a margin up to a fifth, as a bookmaker makes them."""
    size = outcomes or draw(st.integers(2, 12))
    weights = draw(st.lists(st.integers(1, 60), min_size=size, max_size=size))
    margin = F(draw(st.integers(1, 20)), 100)
    return [F(sum(weights), weight) / (1 + margin) for weight in weights]


@given(books(), st.sampled_from(Method))
@settings(max_examples=examples(150))
def test_every_method_gives_chances_that_sum_to_one_in_the_order_of_the_odds(
    odds: list[Fraction], method: Method
) -> None:
    if any(price <= 1 for price in odds):
        return
    try:
        book = fair_odds.remove_overround(odds, method)
    except InvalidInput:
        assert method is Method.ADDITIVE
        return
    assert sum(book.probabilities) == pytest.approx(1, abs=1e-12)
    assert all(0 < chance < 1 for chance in book.probabilities)
    ranked = sorted(zip(odds, book.probabilities, strict=True))
    chances = [chance for _, chance in ranked]
    assert all(a >= b - 1e-12 for a, b in pairwise(chances))
    assert book.method is method


@given(books(outcomes=2))
@settings(max_examples=examples(80))
def test_shin_equals_additive_for_two_outcomes(odds: list[Fraction]) -> None:
    if any(price <= 1 for price in odds):
        return
    try:
        additive = fair_odds.remove_overround(odds, Method.ADDITIVE)
    except InvalidInput:
        return
    shin = fair_odds.remove_overround(odds, Method.SHIN)
    assert shin.probabilities == pytest.approx(additive.probabilities, abs=1e-9)


def test_book_without_margin_falls_back_and_says_so() -> None:
    for method in Method:
        book = fair_odds.remove_overround([F("2.1"), F("2.1")], method)
        assert book.method is Method.MULTIPLICATIVE
        assert book.probabilities == (0.5, 0.5)
        assert book.parameter is None


def test_additive_refuses_a_chance_below_nothing() -> None:
    with pytest.raises(InvalidInput, match="method"):
        fair_odds.remove_overround([F("1.05"), F(15), F(500)], Method.ADDITIVE)


def test_place_market_sums_to_its_places() -> None:
    odds = [F("1.5"), F("1.6"), F("2.2"), F(4), F(6)]
    for method in (Method.MULTIPLICATIVE, Method.POWER, Method.ODDS_RATIO, Method.ADDITIVE):
        book = fair_odds.remove_overround(odds, method, winners=2)
        assert sum(book.probabilities) == pytest.approx(2, abs=1e-12)
    with pytest.raises(InvalidInput, match="several"):
        fair_odds.remove_overround(odds, Method.SHIN, winners=2)


def test_extreme_books_still_converge() -> None:
    for odds in ([F("1.01"), F(20), F(1000)], [F("1.2")] * 30, [F("1.0001"), F("1.0001")]):
        for method in (Method.POWER, Method.ODDS_RATIO, Method.SHIN):
            book = fair_odds.remove_overround(odds, method)
            assert sum(book.probabilities) == pytest.approx(1, abs=1e-9)


def test_shin_is_the_default_from_three_outcomes_on() -> None:
    assert fair_odds.default_method(2) is Method.MULTIPLICATIVE
    assert fair_odds.default_method(3) is Method.SHIN


@given(ODDS, ODDS)
@settings(max_examples=examples(40))
def test_middle_lies_between_the_best_prices(first: Fraction, second: Fraction) -> None:
    back, lay = min(first, second), max(first, second)
    assert 1 / lay <= fair_odds.exchange_mid(back, lay) <= 1 / back
    assert fair_odds.micro_price(back, lay, F(5), F(5)) == fair_odds.exchange_mid(back, lay)


@given(ODDS, CHANCES, RATES)
@settings(max_examples=examples(80))
def test_kelly_stakes_nothing_without_an_edge_and_never_the_whole_bank(
    odds: Fraction, chance: Fraction, rate: Fraction
) -> None:
    share = value.kelly(odds, chance)
    assert 0 <= share < 1
    assert (share > 0) == (value.edge(odds, chance) > 0)
    assert (share > 0) == (value.value_of_back(F(1), odds, chance) > 0)
    laid = value.kelly_lay(odds, chance, rate)
    assert (laid > 0) == (value.value_of_lay(F(1), odds, chance, rate) > 0)


@given(st.lists(CHANCES, max_size=6))
@settings(max_examples=examples(40))
def test_bets_open_together_keep_to_the_cap(shares: list[Fraction]) -> None:
    scaled = value.scaled_to_cap(shares)
    assert sum(scaled) <= value.SIMULTANEOUS_CAP or not shares
    assert all(0 <= new <= old for new, old in zip(scaled, shares, strict=True))
