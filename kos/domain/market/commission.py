"""What an exchange charges: once per market, on the positive net winnings of one participant.

Rates belong to a participant and a market, so they are always arguments. Effective odds
translate a fee into the odds of an equivalent bet without one. All numbers are exact.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from kos.domain.money import number_in
from kos.errors import InvalidInput

POINTS_PER_POUND = 10
"""Betfair counts one point per ten pence of commission."""


def rate_in(text: str) -> Decimal | None:
    """The share of one that a person typed, as a percentage or plain; None if it is not a number.

    ``2%`` is 0.02, and so is ``0.02``.
    """
    typed = text.strip()
    number = number_in(typed.removesuffix("%").rstrip())
    return number.scaleb(-2) if number is not None and typed.endswith("%") else number


def read_rate(field: str, text: str) -> Decimal:
    """A rate as typed: ``2%``, ``0.02``; from 0 to below 1.

    A bare ``2`` is refused: it could mean 2% or 200%.

    Raises:
        InvalidInput: It is not a rate.
    """
    rate = rate_in(text)
    if rate is None or not 0 <= rate < 1:
        raise InvalidInput(field, text, "a rate from 0% to below 100%, e.g. 2% or 0.02")
    return rate


def discounted_rate(market_base_rate: Fraction, discount: Fraction) -> Fraction:
    """The rate that a participant pays: 5 % with a discount of 12 % is 4.40 %."""
    return market_base_rate * (1 - discount)


def commission_on(net: Fraction, rate: Fraction) -> Fraction:
    """The fee on a market's net result; none on a loss."""
    return rate * net if net > 0 else Fraction(0)


def after_commission(net: Fraction, rate: Fraction) -> Fraction:
    """A market's net result less the fee."""
    return net * (1 - rate) if net > 0 else net


def commission_on_smaller_of_stake_and_winnings(
    stake: Fraction, winnings: Fraction, rate: Fraction
) -> Fraction:
    """The other model in use: each bet pays on min(stake, winnings), won or lost."""
    return rate * min(stake, winnings)


def back_odds_after_commission(odds: Fraction, rate: Fraction) -> Fraction:
    """Effective odds of a back with a fee on its winnings: 1 + (b-1)(1-c)."""
    return 1 + (odds - 1) * (1 - rate)


def back_odds_after_fee_on_return(odds: Fraction, rate: Fraction) -> Fraction:
    """Effective odds where a fee is taken from the whole return, b(1-c).

    No exchange charges so; some published calculators do, and their figures need it.
    """
    return odds * (1 - rate)


def lay_as_back_odds(lay_odds: Fraction, rate: Fraction) -> Fraction:
    """A lay seen as a back of the opposite, staking the liability: 1 + (1-c)/(l-1).

    A lay at 1.80 with 2 % is a back of everything else at 2.2250.
    """
    return 1 + (1 - rate) / (lay_odds - 1)
