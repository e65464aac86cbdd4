"""Money to the penny: the rounding rules, each applied once, where a person types or reads a sum.

Inside a calculation money is an exact `Decimal` or `Fraction` number of pounds; binary floats
never touch it (``round(2.675, 2)`` is 2.67). Sums become pennies at the border, half away from
zero, as published matched-betting calculators print them.
"""

from __future__ import annotations

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
