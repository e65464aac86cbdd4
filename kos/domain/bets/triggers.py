"""Offers that pay on something rarer than a loss, and bonuses that must be turned over.

A refund that hangs on a trigger (second place, a bore draw) is not fed into the lay: it is not
paid on every loss. The bet is laid plainly, and the refund has an expected value, or is itself
locked in by a lay of the trigger. An early payout is a trigger too: the bet is paid, S b, and the
lay may yet win. All numbers are exact.
"""

from __future__ import annotations

from fractions import Fraction


def trigger_value(qualifying_profit: Fraction, cash: Fraction, probability: Fraction) -> Fraction:
    """Expected pounds: the (negative) balanced profit plus the chance of the refund or payout."""
    return qualifying_profit + probability * cash


def trigger_break_even(qualifying_loss: Fraction, cash: Fraction) -> Fraction:
    """Chance of lost-and-triggered at which the offer breaks even: Q / (r R), or Q / (S b)."""
    return qualifying_loss / cash


def trigger_lay(
    refund_cash: Fraction, lay_odds: Fraction, commission: Fraction
) -> tuple[Fraction, Fraction]:
    """(lay stake on the trigger, gain that it locks in whatever happens)."""
    stake = refund_cash / (lay_odds - commission)
    return stake, stake * (1 - commission)


def turnover_cost(
    bonus: Fraction, turnover_multiple: Fraction, retention_per_bet: Fraction
) -> Fraction:
    """What turning a bonus over so many times loses: a £40 bonus four times at 96 % costs £6.40."""
    return bonus * turnover_multiple * (1 - retention_per_bet)
