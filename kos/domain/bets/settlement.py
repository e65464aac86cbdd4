"""How bets are paid when a race does not end plainly: Rule 4, dead heats, void legs.

All numbers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

MAX_RULE4_DEDUCTION = Fraction(9, 10)
"""Tattersalls Rule 4(c) takes at most 90p in the pound; a firm may cap it lower."""


def rule4_deduction(
    deductions: Sequence[Fraction], cap: Fraction = MAX_RULE4_DEDUCTION
) -> Fraction:
    """Deductions of several withdrawals added, up to the cap."""
    return min(sum(deductions, Fraction(0)), cap)


def rule4_odds(odds: Fraction, deduction: Fraction) -> Fraction:
    """Odds after a deduction from winnings: 8.0 less 15 % is 6.95."""
    return 1 + (odds - 1) * (1 - deduction)


def dead_heat_return(stake: Fraction, odds: Fraction, tied: int, places_left: int) -> Fraction:
    """What a back returns when `tied` runners share `places_left` places: S b k/m."""
    return stake * odds * Fraction(places_left, tied)


def dead_heat_lay(stake: Fraction, odds: Fraction, tied: int, places_left: int) -> Fraction:
    """What a lay wins or loses then, before commission: L(1 - k/m) - L(k/m)(l - 1)."""
    share = Fraction(places_left, tied)
    return stake * (1 - share) - stake * share * (odds - 1)
