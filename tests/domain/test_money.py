from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.money import Rounding, from_pence, pennies, rounded, to_pence, to_step
from kos.errors import InvalidInput
from tests.profiles import examples

D = Decimal


@pytest.mark.parametrize(
    ("exact", "shown"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("-0.004", "0.00")],
)
def test_half_pennies_go_away_from_zero_and_nothing_has_no_sign(exact: str, shown: str) -> None:
    assert str(pennies(D(exact))) == str(rounded(D(exact))) == shown
    assert str(rounded(Fraction(exact))) == shown


def test_guaranteed_figures_round_against_the_user() -> None:
    assert rounded(D("1.239"), 2, Rounding.FLOOR) == rounded(Fraction("1.239"), 2, Rounding.FLOOR)
    assert rounded(D("-1.231"), 2, Rounding.FLOOR) == D("-1.24")
    assert rounded(Fraction("1.231"), 2, Rounding.CEILING) == D("1.24")
    assert rounded(D("-1.239"), 2, Rounding.CEILING) == D("-1.23")


@given(
    st.decimals(-(10**9), 10**9, places=6),
    st.integers(0, 5),
    st.sampled_from(Rounding),
)
@settings(max_examples=examples(150))
def test_decimals_and_fractions_round_alike(
    value: Decimal, places: int, rounding: Rounding
) -> None:
    from_decimal = rounded(value, places, rounding)
    assert str(from_decimal) == str(rounded(Fraction(value), places, rounding))
    assert abs(from_decimal - value) < D(1).scaleb(-places)


@given(st.integers(-(10**12), 10**12))
@settings(max_examples=examples(60))
def test_pence_and_pounds_are_inverse(pence: int) -> None:
    assert to_pence(from_pence(pence)) == pence


def test_typed_stake_is_a_whole_step_and_never_below_the_minimum() -> None:
    half = Fraction("0.50")
    assert to_step(Fraction("9.87"), half) == 10
    assert to_step(Fraction("9.70"), half) == Fraction("9.50")
    assert to_step(Fraction("9.70"), half, minimum=Fraction("9.60")) == 10
    assert to_step(Fraction(1, 3)) == Fraction("0.33")
    with pytest.raises(InvalidInput, match="Step cannot be"):
        to_step(Fraction(1), Fraction(0))
    with pytest.raises(InvalidInput, match="Stake cannot be"):
        to_step(Fraction(-1))
