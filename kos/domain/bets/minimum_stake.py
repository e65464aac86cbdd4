"""Whether an exchange accepts so small a bet.

A bet passes with its stake, or with its payout (stake times price) when the stake is too small.
The limits are per account and change: they are arguments. A stake is never raised to the
minimum here; that would be another bet.
"""

from __future__ import annotations

from fractions import Fraction

from kos.domain.money import rounded

GBP_MIN_STAKE = Fraction(1)
GBP_MIN_PAYOUT = Fraction(10)
"""Limits that an open client library carries for sterling accounts; not confirmed for all."""


def is_placeable(
    stake: Fraction,
    odds: Fraction,
    min_stake: Fraction = GBP_MIN_STAKE,
    min_payout: Fraction = GBP_MIN_PAYOUT,
) -> bool:
    """Whether stake or payout reach the limit: £0.84 passes at 13.0, not at 5.0."""
    return stake >= min_stake or pays_enough(stake, odds, min_payout)


def pays_enough(stake: Fraction, odds: Fraction, min_payout: Fraction = GBP_MIN_PAYOUT) -> bool:
    """Whether the payout, stake times price, reaches the limit."""
    return stake * odds >= min_payout


def undercuts_liability(stake: Fraction, odds: Fraction) -> bool:
    """Whether a lay's liability in whole pence is less than what it owes.

    £0.02 at 1.65 owes £0.013 and would pay £0.01.
    """
    owed = stake * (odds - 1)
    return rounded(owed) < owed
