"""Odds in the three spellings of the field, exact: decimal, fractional and American.

Decimal odds include the stake. Whatever is read becomes a `Fraction`, so that 8/13 stays
21/13 and is not taken for 1.62; rounding waits for the display.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from decimal import Decimal
from fractions import Fraction

from kos.domain.money import MAX_DIGITS, rounded
from kos.errors import InvalidInput

MAX_ODDS = 1_000_000
"""The longest odds of any bet; a single market has none above `MOST_ODDS`."""
MOST_ODDS = 1000

HUNDRED = 100
ONE = Fraction(1)

_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_FRACTIONAL = re.compile(r"(\d+)\s*[/-]\s*(\d+)", re.ASCII)
_AMERICAN = re.compile(r"[+-]\d+(?:\.\d+)?", re.ASCII)
_SIGNED = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_EVENS = frozenset({"evens", "evs", "even", "evn"})
_AMERICAN_ALLOWED = "American odds: +100 and above, or -100 and below"

_CHALKED = """
    1/100 1/50 1/33 1/25 1/20 1/16 1/14 1/12 1/10 1/9 1/8 1/7 1/6 2/11 1/5 2/9 1/4 2/7 3/10 1/3
    4/11 2/5 4/9 1/2 8/15 4/7 8/13 4/6 8/11 4/5 5/6 10/11 1/1 11/10 6/5 5/4 11/8 7/5 6/4 8/5 13/8
    7/4 9/5 15/8 2/1 11/5 9/4 12/5 5/2 13/5 11/4 14/5 3/1 100/30 7/2 18/5 4/1 9/2 5/1 11/2 6/1
    13/2 7/1 15/2 8/1 17/2 9/1 10/1 11/1 12/1 14/1 16/1 18/1 20/1 22/1 25/1 28/1 33/1 40/1 50/1
    66/1 80/1 100/1 125/1 150/1 200/1 250/1 300/1 500/1 1000/1
"""
_TRADITIONAL = {Fraction(chalked): chalked for chalked in _CHALKED.split()}
_RUNGS = sorted(_TRADITIONAL)


def read_odds(field: str, text: str, most: int = MAX_ODDS, *, word_for_one: str = "") -> Fraction:
    """Exact decimal odds from any spelling: ``2.5``, ``13/8``, ``evens``, ``+150``, ``-200``.

    ``1/1`` is evens, which is 2.

    Args:
        field: What the odds are, for the refusal.
        text: As typed.
        most: The longest odds allowed, decimal.
        word_for_one: The word, such as ``void``, for a leg that counts nothing. With it, the word
            and decimal odds of exactly 1 give 1; without it, 1 is refused.

    Raises:
        InvalidInput: Not odds above 1, or above `most`.
    """
    typed = text.strip()
    odds = Fraction(0)
    if len(typed) <= MAX_DIGITS:
        if word_for_one and typed.lower() == word_for_one:
            odds = ONE
        elif _NUMBER.fullmatch(typed):
            odds = Fraction(typed)
        elif typed.lower() in _EVENS or _FRACTIONAL.fullmatch(typed):
            odds = _of_fraction(typed) or odds
        elif _AMERICAN.fullmatch(typed):
            odds = _of_american(Fraction(typed)) or odds
    if not (1 < odds <= most or (word_for_one and odds == 1)):
        raise InvalidInput(field, text, odds_allowed(most, word_for_one))
    return odds


def odds_allowed(most: int = MAX_ODDS, word_for_one: str = "") -> str:
    """What :func:`read_odds` reads, for a refusal."""
    spellings = "decimal (2.5), fractional (13/8, evens) or American (+150, -200)"
    one = f"; {word_for_one} for one that counts as 1" if word_for_one else ""
    return f"odds above 1, up to {most:,}: {spellings}{one}"


def as_decimal(odds: Fraction) -> Decimal:
    """Exact odds as a decimal, to 28 digits where they do not end: ``8/13`` is 1.6153..."""
    return Decimal(odds.numerator) / Decimal(odds.denominator)


def from_fractional(text: str, field: str = "fractional") -> Fraction:
    """Decimal odds of fractional ones: ``8/13`` is 21/13, ``evens`` is 2.

    Raises:
        InvalidInput: Not a fraction of whole numbers above 0.
    """
    typed = text.strip()
    odds = _of_fraction(typed) if len(typed) <= MAX_DIGITS else None
    if odds is None:
        raise InvalidInput(field, text, "a fraction of whole numbers above 0 such as 13/8")
    return odds


def _of_fraction(typed: str) -> Fraction | None:
    if typed.lower() in _EVENS:
        return Fraction(2)
    match = _FRACTIONAL.fullmatch(typed)
    if match is None or int(match[1]) == 0 or int(match[2]) == 0:
        return None
    return 1 + Fraction(int(match[1]), int(match[2]))


def from_american(american: Fraction, field: str = "american") -> Fraction:
    """Decimal odds of American ones: +275 is 3.75, -250 is 1.40.

    Raises:
        InvalidInput: Between -100 and 100, where American odds do not exist.
    """
    odds = _of_american(american)
    if odds is None:
        raise InvalidInput(field, str(american), _AMERICAN_ALLOWED)
    return odds


def _of_american(american: Fraction) -> Fraction | None:
    if american >= HUNDRED:
        return 1 + american / HUNDRED
    return 1 + HUNDRED / -american if american <= -HUNDRED else None


def from_american_text(text: str, field: str = "american") -> Fraction:
    """Decimal odds of American ones as typed: ``+150``, ``150``, ``-200``.

    Raises:
        InvalidInput: Not a number, or between -100 and 100.
    """
    typed = text.strip()
    if len(typed) > MAX_DIGITS or not _SIGNED.fullmatch(typed):
        raise InvalidInput(field, text, _AMERICAN_ALLOWED)
    return from_american(Fraction(typed), field)


def to_american(odds: Fraction) -> Fraction:
    """American odds, unrounded: evens and longer are positive, so evens is +100."""
    profit = odds - 1
    return HUNDRED * profit if profit >= 1 else -HUNDRED / profit


def to_american_display(odds: Fraction) -> str:
    """American odds as printed, whole and signed: ``-163`` for 8/13."""
    return f"{int(rounded(to_american(odds), 0)):+d}"


def to_fractional(odds: Fraction) -> str:
    """Exact fractional odds in lowest terms: ``13/8``, ``1/1`` for evens."""
    profit = odds - 1
    return f"{profit.numerator}/{profit.denominator}"


def to_traditional(odds: Fraction) -> str:
    """The nearest fraction that a British bookmaker would chalk up, for display only.

    4/6 stands for 2/3, 6/4 for 3/2 and 100/30 for 10/3; evens is ``1/1``.
    """
    profit = odds - 1
    at = bisect_left(_RUNGS, profit)
    nearest = min(_RUNGS[max(at - 1, 0) : at + 1], key=lambda fraction: abs(fraction - profit))
    return _TRADITIONAL[nearest]


def implied_probability(odds: Fraction) -> Fraction:
    """The chance that the odds stand for, bookmaker's margin included."""
    return 1 / odds


def is_at_least(
    odds: Fraction | Decimal, minimum: Fraction | Decimal, *, is_inclusive: bool = True
) -> bool:
    """Whether odds meet an offer's minimum, compared exactly: 1/2 is 1.5, evens is 2.

    Minimums are inclusive unless the terms say "greater than".
    """
    exact, least = Fraction(odds), Fraction(minimum)
    return exact >= least if is_inclusive else exact > least
