from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.money import (
    Rounding,
    from_pence,
    pennies,
    read_count,
    read_pence,
    read_pounds,
    rounded,
    to_pence,
    to_step,
)
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


@pytest.mark.parametrize(
    ("text", "pounds"),
    [
        ("10", "10.00"),
        (" 10. ", "10.00"),
        (".5", "0.50"),
        ("£9.92", "9.92"),
        ("£ 9.92", "9.92"),
        ("9.920", "9.92"),
        ("1,000", "1000.00"),
        ("£12,345.67", "12345.67"),
        ("+5", "5.00"),
        ("100,000", "100000.00"),
    ],
)
def test_an_amount_is_read_as_pounds_and_pence(text: str, pounds: str) -> None:
    assert str(read_pounds("stake", text)) == pounds
    assert read_pence("stake", text) == to_pence(D(pounds))


@pytest.mark.parametrize("text", ["-£0.28", "£-0.28", "-0.28"])
def test_a_loss_is_read_where_losses_count(text: str) -> None:
    assert read_pence("profit", text) == -28
    assert read_pounds("profit", text, least=D(-1)) == D("-0.28")
    with pytest.raises(InvalidInput, match=r"from £0\.01 to £100,000, in pounds and pence"):
        read_pounds("stake", text)


NO_NUMBERS = (
    "", " ", "£", "ten", "1,50", "1,0000", "0,001", ",100", "1_0", "1e3", "NaN", "nan", "Infinity",
    "-inf", "٣", "\uff11", "²", "--5", "-£-5", "££5", "5£", "1 000", "1.2.3", "6/4", "2%", "0x10",
    "9" * 25,
)  # fmt: skip
"""No amounts and no counts."""


@pytest.mark.parametrize("text", [*NO_NUMBERS, "0.001", "9.999"])
def test_what_is_no_amount_is_refused_by_name_in_a_sentence(text: str) -> None:
    for read in (read_pounds, read_pence):
        with pytest.raises(InvalidInput, match=r"^Stake .+\. Enter an amount .+\.$") as refused:
            read("stake", text)
        assert (refused.value.field, refused.value.value) == ("stake", text)


def test_the_bounds_of_an_amount_are_allowed_and_named() -> None:
    assert read_pounds("stake", "0.01") == D("0.01")
    assert read_pounds("stake", "100000") == 100_000
    assert read_pounds("stake", "2.50", least=D("2.5"), most=D(5)) == D("2.50")
    for text in ("0", "100000.01"):
        with pytest.raises(InvalidInput, match=r"an amount from £0\.01 to £100,000"):
            read_pounds("stake", text)
    with pytest.raises(InvalidInput, match=r"an amount from -£1 to £5"):
        read_pounds("stake", "5.01", least=D(-1), most=D(5))


@given(st.integers(-(10**12), 10**12))
@settings(max_examples=examples(100))
def test_an_amount_that_is_written_out_is_read_back(pence: int) -> None:
    written = f"{from_pence(pence):,}"
    assert read_pence("amount", written) == pence
    assert read_pence("amount", written.replace(",", "")) == pence


def test_a_count_is_read_within_its_bounds() -> None:
    assert read_count("page", " 3 ") == 3
    assert read_count("page", "1,616") == 1616
    assert read_count("minutes", "5", least=5, most=10) == 5
    assert read_count("minutes", "10", least=5, most=10) == 10
    for text in ("4", "11"):
        with pytest.raises(InvalidInput, match="a whole number from 5 to 10"):
            read_count("minutes", text, least=5, most=10)


@pytest.mark.parametrize("text", [*NO_NUMBERS, "0", "-1", "+1", "1.0", "1.5", "£3", "10,001"])
def test_what_is_no_count_is_refused_by_name_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Page .+\. Enter a whole number .+\.$") as refused:
        read_count("page", text)
    assert (refused.value.field, refused.value.value) == ("page", text)
