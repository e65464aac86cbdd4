"""What several bets in one market pay on each outcome, and what they put at stake together.

Bets on different runners of one winner market offset each other, so the exposure of all is at
most the sum of their exposures. All numbers are exact fractions of pounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction

import msgspec


class ExchangeSide(StrEnum):
    """Which side of the exchange's book a bet takes."""

    BACK = "back"
    LAY = "lay"


class MarketBet(msgspec.Struct, frozen=True, gc=False):
    """A matched bet on one selection of a market that has one winner."""

    side: ExchangeSide
    selection: str
    odds: Fraction
    stake: Fraction

    def result(self, *, won: bool) -> Fraction:
        """Pounds before commission if the selection wins, or does not."""
        amount = self.stake * (self.odds - 1) if won else -self.stake
        return amount if self.side is ExchangeSide.BACK else -amount


def result_if(winner: str, bets: Iterable[MarketBet]) -> Fraction:
    """Gross result of all bets when `winner` wins; a name none of them is on is any other."""
    return sum((bet.result(won=bet.selection == winner) for bet in bets), Fraction(0))


def worst_result_if(
    winner: str, matched: Iterable[MarketBet], unmatched: Iterable[MarketBet]
) -> Fraction:
    """The same with those unmatched bets matched that make it worst."""
    lost = (min(bet.result(won=bet.selection == winner), Fraction(0)) for bet in unmatched)
    return result_if(winner, matched) + sum(lost, Fraction(0))


def exposure(results: Iterable[Fraction]) -> Fraction:
    """The most that can be lost over a market's outcomes, given each outcome's gross result."""
    return max(Fraction(0), -min(results))


def shortfall(required: Fraction, available: Fraction) -> Fraction:
    """Pounds missing for a liability; 0 when the float carries it."""
    return max(Fraction(0), required - available)
