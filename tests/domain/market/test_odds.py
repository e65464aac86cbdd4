from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market import odds
from kos.errors import InvalidInput
from tests.profiles import examples

PROFITS = st.fractions(min_value=Fraction(1, 200), max_value=500, max_denominator=200)


@pytest.mark.parametrize(
    ("spelling", "exact"),
    [
        ("2.5", Fraction(5, 2)),
        ("8/13", Fraction(21, 13)),
        (" 13 / 8 ", Fraction(21, 8)),
        ("evens", Fraction(2)),
        ("+275", Fraction(15, 4)),
        ("-250", Fraction(7, 5)),
        ("100/30", Fraction(13, 3)),
    ],
)
def test_every_spelling_is_read_exactly(spelling: str, exact: Fraction) -> None:
    assert odds.read_odds("odds", spelling) == exact


@pytest.mark.parametrize(
    "nonsense",
    ["1", "0.5", "-2.5", "NaN", "inf", "", "2,5", "0/1", "1/0", "+50", "-99", "1e3", "2" * 60, "٢"],
)
def test_what_is_not_odds_above_one_is_refused_by_name(nonsense: str) -> None:
    with pytest.raises(InvalidInput, match="back_odds"):
        odds.read_odds("back_odds", nonsense)


@given(PROFITS)
@settings(max_examples=examples(100))
def test_fractional_spelling_comes_back_unchanged(profit: Fraction) -> None:
    assert odds.read_odds("odds", odds.to_fractional(1 + profit)) == 1 + profit


@given(st.integers(100, 100_000), st.booleans())
@settings(max_examples=examples(100))
def test_whole_american_odds_come_back_unchanged(size: int, favourite: bool) -> None:
    american = -size if favourite and size != 100 else size
    exact = odds.from_american(Fraction(american))
    assert odds.to_american(exact) == american
    assert odds.read_odds("odds", odds.to_american_display(exact)) == exact


def test_odds_are_shown_as_a_bookmaker_chalks_them() -> None:
    assert odds.to_traditional(Fraction("1.6667")) == "4/6"
    assert odds.to_traditional(Fraction("2.5")) == "6/4"
    assert odds.to_traditional(Fraction("4.33")) == "100/30"
    assert odds.to_traditional(Fraction("1.62")) == "8/13"
    assert odds.to_american_display(Fraction(21, 13)) == "-163"
    assert odds.to_american_display(Fraction(2)) == "+100"


def test_minimum_odds_are_inclusive_and_exact() -> None:
    assert odds.is_at_least(Decimal("1.50"), odds.read_odds("odds", "1/2"))
    assert odds.is_at_least(odds.read_odds("odds", "8/13"), odds.read_odds("odds", "8/13"))
    assert not odds.is_at_least(Decimal("1.61"), odds.read_odds("odds", "8/13"))
    assert odds.implied_probability(Fraction(4)) == Fraction(1, 4)


def test_evens_is_evens_in_every_spelling_and_a_void_leg_has_its_own_word() -> None:
    for spelling in ("1/1", "evens", "EVS", "+100", "-100", "2"):
        assert odds.read_odds("odds", spelling) == 2
        assert odds.read_odds("odds", spelling, word_for_one="void") == 2
    for spelling in ("void", "Void", "1", "1.00"):
        assert odds.read_odds("odds", spelling, word_for_one="void") == 1
        with pytest.raises(InvalidInput):
            odds.read_odds("odds", spelling)
    with pytest.raises(InvalidInput, match="void for one that counts as 1"):
        odds.read_odds("odds", "0.99", word_for_one="void")


@pytest.mark.parametrize(
    "nonsense", ["1,50", "1,000", "1_0", "Infinity", "1e1", "2%", "£2", "6/4/2", "1.5/2", "void"]
)
def test_what_is_not_odds_is_refused_in_a_sentence(nonsense: str) -> None:
    with pytest.raises(
        InvalidInput, match=r"^Minimum odds .+\. Enter odds above 1, up to 1,000: .+$"
    ):
        odds.read_odds("minimum odds", nonsense, odds.MOST_ODDS)


def test_the_longest_odds_are_allowed_and_no_longer_ones() -> None:
    assert odds.read_odds("odds", "1000", odds.MOST_ODDS) == 1000
    assert odds.read_odds("odds", "999/1", odds.MOST_ODDS) == 1000
    assert odds.read_odds("odds", "1000000") == odds.MAX_ODDS
    for text, most in (("1000.01", odds.MOST_ODDS), ("1000/1", odds.MOST_ODDS), ("1000001", 10**6)):
        with pytest.raises(InvalidInput):
            odds.read_odds("odds", text, most)


def test_odds_as_a_decimal_have_every_digit_that_ends() -> None:
    assert odds.as_decimal(Fraction(5, 2)) == Decimal("2.5")
    assert str(odds.as_decimal(Fraction(21, 13))).startswith("1.615384615384615384615")


@pytest.mark.parametrize("american", [Fraction(99), Fraction(-99), Fraction(0)])
def test_american_odds_begin_at_a_hundred(american: Fraction) -> None:
    with pytest.raises(InvalidInput, match=r"\+100 and above, or -100 and below"):
        odds.from_american(american)
