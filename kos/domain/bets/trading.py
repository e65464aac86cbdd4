"""Getting out of a position: a lay too many, a back to lay off, a payout that came early.

All numbers are exact fractions of pounds and of one.
"""

from __future__ import annotations

from fractions import Fraction

from kos.domain.market.commission import after_commission


def back_against_lay(
    lay_stake: Fraction,
    lay_odds: Fraction,
    commission: Fraction,
    back_odds: Fraction,
    back_commission: Fraction,
) -> Fraction:
    """The back stake elsewhere that neutralises an unwanted lay.

    ``L (l - c) / (x - (x - 1) c_x)``: £5.00 too much laid at 4.2 (2 %) asks for £5.23 at 4.0.
    """
    paid_per_pound = back_odds - (back_odds - 1) * back_commission
    return lay_stake * (lay_odds - commission) / paid_per_pound


def closing_stake(stake: Fraction, odds: Fraction, closing_odds: Fraction) -> Fraction:
    """The stake on the other side that closes a back or a lay in its own market: S b / x.

    The fee there is on the net of both.
    """
    return stake * odds / closing_odds


def pair_result(
    back_stake: Fraction,
    back_odds: Fraction,
    lay_stake: Fraction,
    lay_odds: Fraction,
    commission: Fraction,
) -> tuple[Fraction, Fraction]:
    """(if it wins, if not) of a back and a lay in one market, fee on the net of both."""
    return (
        after_commission(back_stake * (back_odds - 1) - lay_stake * (lay_odds - 1), commission),
        after_commission(lay_stake - back_stake, commission),
    )
