"""Money to the penny: the rounding rules, and the one reader of the amounts that people type.

Inside a calculation money is an exact `Decimal` or `Fraction` number of pounds; binary floats
never touch it (``round(2.675, 2)`` is 2.67). Sums become pennies at the border, half away from
zero, as published matched-betting calculators print them.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache
from math import ceil
from typing import TypeVar

from kos.errors import InvalidInput

Exact = TypeVar("Exact", Decimal, Fraction)
"""An exact number: formulas that only add, multiply and divide serve both types."""

PENNY = Decimal("0.01")
NOTHING = Decimal("0.00")
DEFAULT_PLACES = 2
MOST_POUNDS = Decimal(100_000)
"""The largest amount that a stake or a filter takes."""
MAX_DIGITS = 24
"""Longer numbers are refused: no price or stake needs them, and they are cheap to send."""

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)", re.ASCII
)
_POUNDS = re.compile(r"(?P<before>[+-]?)£ ?(?P<rest>[+-]?[\d.].*)", re.ASCII | re.DOTALL)


class Rounding(StrEnum):
    """How a figure is brought to the penny."""

    CALCULATOR = "calculator"
    """Half away from zero: 0.005 becomes 0.01 and -0.005 becomes -0.01."""
    FLOOR = "floor"
    """Towards less: what the profit of the worse outcome or a bookmaker's return may be trusted to be."""
    CEILING = "ceiling"
    """Towards more: what a liability or a commission may cost."""


_DECIMAL_MODE = {
    Rounding.CALCULATOR: ROUND_HALF_UP,
    Rounding.FLOOR: ROUND_FLOOR,
    Rounding.CEILING: ROUND_CEILING,
}


@cache
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def rounded(
    value: Decimal | Fraction,
    places: int = DEFAULT_PLACES,
    rounding: Rounding = Rounding.CALCULATOR,
) -> Decimal:
    """`value` at `places` decimals, pounds to the penny unless told otherwise; never -0.00.

    >>> rounded(Fraction(-1, 200))
    Decimal('-0.01')
    """
    if isinstance(value, Decimal):
        result = value.quantize(_unit(places), _DECIMAL_MODE[rounding])
        return result or abs(result)
    return Decimal(shown(value, places, rounding))


def shown(
    value: Fraction, places: int = DEFAULT_PLACES, rounding: Rounding = Rounding.CALCULATOR
) -> str:
    """The text of a fraction at `places` decimals, however many digits it takes; never -0.00."""
    scaled, denominator = value.numerator * 10**places, value.denominator
    if rounding is Rounding.CALCULATOR:
        units = (2 * abs(scaled) + denominator) // (2 * denominator)
        sign = "-" if scaled < 0 < units else ""
    else:
        signed = scaled // denominator
        if rounding is Rounding.CEILING:
            signed = -(-scaled // denominator)
        units = abs(signed)
        sign = "-" if signed < 0 else ""
    if not places:
        return f"{sign}{units}"
    digits = str(units).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def pennies(value: Decimal) -> Decimal:
    """`value` to the penny, half away from zero and never -0.00: the rule of figures shown."""
    return value.quantize(PENNY, ROUND_HALF_UP) or NOTHING


def to_pence(value: Decimal | Fraction, rounding: Rounding = Rounding.CALCULATOR) -> int:
    """Whole pence of an amount in pounds."""
    return int(rounded(value, DEFAULT_PLACES, rounding).scaleb(DEFAULT_PLACES))


def from_pence(pence: int) -> Decimal:
    """Pounds, with two decimals, of whole pence."""
    return Decimal(pence).scaleb(-DEFAULT_PLACES)


def to_step(
    stake: Fraction, step: Fraction = Fraction(PENNY), minimum: Fraction = Fraction(0)
) -> Fraction:
    """The stake a person types: the nearest whole step, half a step up, never below a minimum.

    Args:
        stake: Pounds, not negative.
        step: What stakes are a multiple of: 0.01, 0.50, 1.00, 5.00.
        minimum: The least stake an offer accepts; where the nearest step falls below it, the
            first step at or above it is taken.

    Raises:
        InvalidInput: `step` is not above zero or `stake` is below zero.
    """
    if not step > 0:
        raise InvalidInput("step", str(step), "an amount in pounds above 0")
    if stake < 0:
        raise InvalidInput("stake", str(stake), "an amount in pounds of 0 or more")
    typed = int(rounded(stake / step, 0)) * step
    return typed if typed >= minimum else ceil(minimum / step) * step


# --- typed ------------------------------------------------------------------------------------------


def number_in(text: str) -> Decimal | None:
    """The plain number that a person typed, exact; None if it is not one.

    A sign, digits with commas only between groups of three, and decimals: ``10``, ``-0.5``,
    ``1,000.50``. Not ``1,50``, ``1_0``, ``1e3``, ``NaN``, ``Infinity`` or other scripts' digits.
    """
    typed = text.strip()
    match = _NUMBER.fullmatch(typed) if len(typed) <= MAX_DIGITS else None
    return None if match is None else Decimal(match["sign"] + match["whole"].replace(",", ""))


def amount_in(text: str) -> Decimal | None:
    """The number of pounds that a person typed, with or without ``£``; None if it is not one.

    The sign may stand on either side of the ``£``: ``-£0.28`` and ``£-0.28``.
    """
    typed = text.strip()
    match = _POUNDS.fullmatch(typed)
    return number_in(typed if match is None else match["before"] + match["rest"])


def read_pounds(
    field: str, text: str, least: Decimal = PENNY, most: Decimal = MOST_POUNDS
) -> Decimal:
    """Pounds and pence as typed, with two decimals: ``10``, ``£9.92``, ``1,000.50``.

    Args:
        field: What the amount is, for the refusal.
        text: As typed.
        least: The least amount allowed, in pounds; below zero where losses count.
        most: The largest.

    Raises:
        InvalidInput: It is not an amount, has a part of a penny, or is out of range.
    """
    amount = amount_in(text)
    if amount is None or not least <= amount <= most or amount != pennies(amount):
        allowed = f"an amount from {_pounds(least)} to {_pounds(most)}, in pounds and pence"
        raise InvalidInput(field, text, allowed)
    return pennies(amount)


def read_pence(field: str, text: str) -> int:
    """Whole pence of an amount of any size and sign, typed in pounds: ``9.92``, ``-£1,000.50``.

    Raises:
        InvalidInput: It is not an amount, or has a part of a penny.
    """
    amount = amount_in(text)
    if amount is None or amount != pennies(amount):
        raise InvalidInput(field, text, "an amount in pounds and pence, e.g. 9.92")
    return to_pence(amount)


def read_count(field: str, text: str, least: int = 1, most: int = 10_000) -> int:
    """A whole number as typed: ``3``, ``1,616``.

    Raises:
        InvalidInput: It is not a whole number in range.
    """
    typed = text.strip()
    number = number_in(typed) if typed[:1].isdecimal() and "." not in typed else None
    if number is None or not least <= number <= most:
        raise InvalidInput(field, text, f"a whole number from {least:,} to {most:,}")
    return int(number)


def _pounds(amount: Decimal) -> str:
    """``£0.01``, ``-£5``, ``£100,000``: whole pounds without pence."""
    shown_amount = amount.to_integral_value() if amount == amount.to_integral_value() else amount
    return f"{'-' if amount < 0 else ''}£{abs(shown_amount):,}"
