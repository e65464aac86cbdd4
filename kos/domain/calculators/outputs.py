"""Writing results: the one place where a calculator's exact numbers become text.

Money and percentages have two decimals, prices as many as they are quoted with.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from kos.domain.money import Rounding, shown

Outputs = dict[str, str]

EQUIVALENT_ODDS_PLACES = 3
ODDS_PLACES = 4
RATIO_PLACES = 6
PROBABILITY_PLACES = 9


def money(pounds: Fraction, rounding: Rounding = Rounding.CALCULATOR) -> str:
    """Pounds to the penny."""
    return shown(pounds, 2, rounding)


def numbered(name: str, amounts: Iterable[Fraction], start: int = 1) -> Outputs:
    """Money as ``name_1``, ``name_2``... in order."""
    return {f"{name}_{number}": money(pounds) for number, pounds in enumerate(amounts, start)}


def by_result(wins: Fraction, loses: Fraction, rounding: Rounding = Rounding.CALCULATOR) -> Outputs:
    """What a bet makes if it wins, if it does not, and so at least."""
    return {
        "profit_if_back_wins": money(wins, rounding),
        "profit_if_back_loses": money(loses, rounding),
        "guaranteed": money(min(wins, loses), rounding),
    }


def percent(ratio: Fraction) -> str:
    """A ratio as a percentage with two decimals: 0.6333.. is ``63.33``."""
    return shown(ratio * 100, 2)


def yes_no(holds: bool) -> str:
    """``yes`` or ``no``."""
    return "yes" if holds else "no"


def typed(pounds: Fraction) -> Fraction:
    """A stake as it is typed: to the penny."""
    return Fraction(shown(pounds, 2))
