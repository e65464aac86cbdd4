"""What an unlaid bet is worth, and how much of a bank it deserves.

All numbers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kos.domain.market.commission import lay_as_back_odds

ZERO = Fraction(0)
SIMULTANEOUS_CAP = Fraction(1, 4)
"""Share of the bank that bets open together may take by default."""


def edge(odds: Fraction, probability: Fraction) -> Fraction:
    """Expected profit per pound backed: b p - 1."""
    return odds * probability - 1


def value_of_back(
    stake: Fraction, odds: Fraction, probability: Fraction, commission: Fraction = ZERO
) -> Fraction:
    """Expected pounds of a back, with a fee on winnings where an exchange takes it."""
    return stake * (probability * (odds - 1) * (1 - commission) - (1 - probability))


def value_of_lay(
    stake: Fraction, odds: Fraction, probability: Fraction, commission: Fraction = ZERO
) -> Fraction:
    """Expected pounds of a lay: L((1-p)(1-c) - p(l-1))."""
    return stake * ((1 - probability) * (1 - commission) - probability * (odds - 1))


def value_of_free_bet(face: Fraction, odds: Fraction, probability: Fraction) -> Fraction:
    """Expected pounds of a free bet whose stake is not returned, left unlaid."""
    return face * (odds - 1) * probability


def kelly(odds: Fraction, probability: Fraction) -> Fraction:
    """Share of the bank that makes it grow fastest, (b p - 1)/(b - 1); 0 without an edge."""
    return max(edge(odds, probability) / (odds - 1), ZERO)


def kelly_lay(lay_odds: Fraction, probability: Fraction, commission: Fraction) -> Fraction:
    """The same for a lay, as a share of the bank put up as liability."""
    return kelly(lay_as_back_odds(lay_odds, commission), 1 - probability)


def scaled_to_cap(
    shares: Sequence[Fraction], cap: Fraction = SIMULTANEOUS_CAP
) -> tuple[Fraction, ...]:
    """Shares of bets open together, shrunk alike so that their sum keeps to the cap."""
    total = sum(shares, ZERO)
    if total <= cap:
        return tuple(shares)
    return tuple(share * cap / total for share in shares)
