"""Lays in parts: what is matched already, what is still to lay, and a walk down the prices.

With matched portions (L_j, l_j, c_j) the totals are ``W = back_win - sum L_j (l_j - 1)`` and
``Z = back_lose + sum L_j (1 - c_j)``; they are equal once ``sum L_j (l_j - c_j)`` reaches
``back_win - back_lose``. Each portion keeps its own commission, so several exchanges may share
one bet. All numbers are exact fractions of pounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import msgspec

from kos.domain.money import DEFAULT_PLACES, PENNY, Rounding, rounded

ZERO = Fraction(0)


class MatchedLay(msgspec.Struct, frozen=True, gc=False):
    """A lay, or a part of one, that an exchange has matched."""

    stake: Fraction
    odds: Fraction
    commission: Fraction


class Fill(msgspec.Struct, frozen=True):
    """A lay stake walked through the prices on offer."""

    matched: tuple[MatchedLay, ...]
    unmatched: Fraction
    """Lay stake still missing, at the last price looked at; shown, never laid silently."""

    @property
    def average_odds(self) -> Fraction | None:
        """Average of the prices by stake, for display only; None when nothing was matched."""
        stake = sum((part.stake for part in self.matched), ZERO)
        if not stake:
            return None
        return sum((part.stake * part.odds for part in self.matched), ZERO) / stake


def remaining_stake(
    back_win: Fraction,
    back_lose: Fraction,
    matched: Iterable[MatchedLay],
    lay_odds: Fraction,
    commission: Fraction,
) -> Fraction:
    """The next lay that balances the bet; negative when too much is laid already.

    £4 of a £10 bet at 7.0 matched at 7.4 leaves £5.34 to lay at 7.6 (2 % commission).
    """
    covered = sum((part.stake * (part.odds - part.commission) for part in matched), ZERO)
    return (back_win - back_lose - covered) / (lay_odds - commission)


def totals(
    back_win: Fraction, back_lose: Fraction, matched: Iterable[MatchedLay]
) -> tuple[Fraction, Fraction]:
    """(if the selection wins, if it does not) with all these lays."""
    if_wins, if_loses = back_win, back_lose
    for part in matched:
        if_wins -= part.stake * (part.odds - 1)
        if_loses += part.stake * (1 - part.commission)
    return if_wins, if_loses


def liability(matched: Iterable[MatchedLay]) -> Fraction:
    """What all these lays pay out together if the selection wins."""
    return sum((part.stake * (part.odds - 1) for part in matched), ZERO)


def walk(
    back_win: Fraction,
    back_lose: Fraction,
    levels: Iterable[tuple[Fraction, Fraction]],
    commission: Fraction,
    minimum: Fraction = Fraction(PENNY),
) -> Fill:
    """Lay at each price on offer, best first, until the bet is balanced.

    Args:
        back_win: What the bookmaker side pays if the selection wins.
        back_lose: The same if it does not.
        levels: (odds, pounds available to lay) with the lowest odds first.
        commission: Rate on the exchange's net winnings.
        minimum: The walk ends once less than this stake is missing.

    Returns:
        Stakes to the penny, as they would be typed, and what is left unhedged.
    """
    matched: list[MatchedLay] = []
    missing = ZERO
    for odds, available in levels:
        missing = remaining_stake(back_win, back_lose, matched, odds, commission)
        if missing < minimum:
            break
        stake = min(rounded(missing), rounded(available, DEFAULT_PLACES, Rounding.FLOOR))
        if stake > 0:
            matched.append(MatchedLay(Fraction(stake), odds, commission))
            missing = remaining_stake(back_win, back_lose, matched, odds, commission)
    return Fill(tuple(matched), max(missing, ZERO))
