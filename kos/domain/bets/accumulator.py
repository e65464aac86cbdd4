"""Accumulators: n legs that must all win, laid leg by leg, all at once, or not at all.

The odds product is O. Laid one after another, each leg only if all before it won, every path
ends with the same balance B. With ``g_i = (l_i - c_i)/(1 - c_i)`` and ``G = prod g_i``, what the
bet must recover at leg i, ``X_i = at risk + B + liabilities paid so far``, grows by g_i a leg and
ends at the payout, hence ``X_1 = payout / G``. The lay on leg i is ``X_i / (1 - c_i)``. All
numbers are exact fractions of pounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import prod
from operator import mul

import msgspec

ZERO = Fraction(0)
ONE = Fraction(1)


class AccumulatorLeg(msgspec.Struct, frozen=True, gc=False):
    """One leg: back odds (1 where another leg carries the product), lay odds, commission."""

    back_odds: Fraction
    lay_odds: Fraction
    commission: Fraction

    @property
    def growth(self) -> Fraction:
        """What must be recovered after this leg per pound before it: (l - c)/(1 - c)."""
        return (self.lay_odds - self.commission) / (1 - self.commission)


class LayPlan(msgspec.Struct, frozen=True):
    """Lay stakes leg by leg and the balance that they lead to."""

    lay_stakes: tuple[Fraction, ...]
    balance: Fraction
    """Profit on every path; a lock-in may pay a refund on top of it after an early loser."""


def combined_odds(odds: Sequence[Fraction]) -> Fraction:
    """The odds product; a void leg counts as 1."""
    return prod(odds, start=ONE)


def rating(legs: Sequence[AccumulatorLeg]) -> Fraction:
    """What is left of one pound staked in cash and laid in sequence: prod b_i / g_i."""
    return prod((leg.back_odds / leg.growth for leg in legs), start=ONE)


def sequential(
    at_risk: Fraction,
    payout: Fraction,
    legs: Sequence[AccumulatorLeg],
    refund: Fraction = ZERO,
    liability_paid: Fraction = ZERO,
) -> LayPlan:
    """Lays one leg after another, with a `refund` in cash when any leg loses.

    Once prices have moved, the legs still to come are planned again with `liability_paid` for
    those that have won.

    Args:
        at_risk: What the bet costs if it loses: the stake, 0 for a free bet.
        payout: What it pays above -at_risk if all win: S O, F(O-1) for a free bet not returned.
        legs: In the order in which they are settled.
        refund: Cash value of a refund that any losing leg brings.
        liability_paid: What the lays on legs already won have cost.

    £20 on 1.60/1.63, 1.75/1.79, 2.10/2.16 with 2 % lays £18.52, £30.43, £54.95 for -£1.85.
    """
    return _plan(at_risk + liability_paid, (payout - refund) / _growth(legs), legs, refund)


def lock_in(
    at_risk: Fraction,
    payout: Fraction,
    legs: Sequence[AccumulatorLeg],
    refund: Fraction,
    liability_paid: Fraction = ZERO,
) -> LayPlan:
    """Lays for insurance that refunds when exactly one leg loses.

    Only a loss on the last leg is refunded for sure, so the last lay is smaller by the refund;
    a refund after an earlier loser comes on top, when all the others win.
    """
    last = legs[-1]
    saved = refund * (last.lay_odds - 1) / (1 - last.commission)
    plan = _plan(at_risk + liability_paid, (payout + saved) / _growth(legs), legs, ZERO)
    last_stake = plan.lay_stakes[-1] - refund / (1 - last.commission)
    return LayPlan((*plan.lay_stakes[:-1], last_stake), plan.balance)


def all_at_once(
    payout: Fraction, legs: Sequence[AccumulatorLeg], refund: Fraction = ZERO
) -> tuple[Fraction, ...]:
    """Lay stakes placed together, for kick-offs that overlap: (payout - refund)/(l_j - c_j).

    All legs winning and exactly one losing pay the same; see `all_at_once_results`.
    """
    return tuple((payout - refund) / (leg.lay_odds - leg.commission) for leg in legs)


def all_at_once_results(
    win: Fraction,
    at_risk: Fraction,
    lay_stakes: Sequence[Fraction],
    legs: Sequence[AccumulatorLeg],
    refund: Fraction = ZERO,
) -> tuple[Fraction, Fraction, Fraction]:
    """(all win, the worst single loser, all lose) with any lay stakes placed together.

    The refund is due when exactly one leg loses.
    """
    paid = liabilities(lay_stakes, legs)
    kept = [stake * (1 - leg.commission) for stake, leg in zip(lay_stakes, legs, strict=True)]
    liability = sum(paid, ZERO)
    one_loses = refund - at_risk - liability + min(map(sum, zip(paid, kept, strict=True)))
    all_lose = sum(kept, ZERO) - at_risk + (refund if len(legs) == 1 else ZERO)
    return win - liability, one_loses, all_lose


def unlaid_value(
    at_risk: Fraction,
    win: Fraction,
    probabilities: Sequence[Fraction],
    refund: Fraction = ZERO,
) -> Fraction:
    """Expected pounds of an accumulator left unlaid, with a refund when exactly one leg loses.

    Args:
        at_risk: What it costs if it loses.
        win: Profit if all legs win.
        probabilities: Fair chance of each leg.
        refund: Cash value of the refund.
    """
    all_win = prod(probabilities, start=ONE)
    one_loses = sum((all_win / p * (1 - p) for p in probabilities), ZERO)
    return all_win * win - (1 - all_win) * at_risk + one_loses * refund


def liabilities(
    lay_stakes: Sequence[Fraction], legs: Sequence[AccumulatorLeg]
) -> tuple[Fraction, ...]:
    """What each lay pays out if its leg wins."""
    return tuple(stake * (leg.lay_odds - 1) for stake, leg in zip(lay_stakes, legs, strict=True))


def sequential_results(
    win: Fraction,
    at_risk: Fraction,
    lay_stakes: Sequence[Fraction],
    legs: Sequence[AccumulatorLeg],
    refunds: Sequence[Fraction],
) -> tuple[Fraction, ...]:
    """Total of each path with any lay stakes: first loser at leg 1 .. n, then all win.

    `refunds` is the cash that a first loss at each leg brings for sure.
    """
    paid = (ZERO, *accumulate(liabilities(lay_stakes, legs)))
    losing = tuple(
        stake * (1 - leg.commission) - before - at_risk + refund
        for stake, leg, before, refund in zip(lay_stakes, legs, paid, refunds, strict=False)
    )
    return (*losing, win - paid[-1])


def _growth(legs: Sequence[AccumulatorLeg]) -> Fraction:
    return prod((leg.growth for leg in legs), start=ONE)


def _plan(
    at_risk: Fraction, first_recovery: Fraction, legs: Sequence[AccumulatorLeg], refund: Fraction
) -> LayPlan:
    recoveries = accumulate((leg.growth for leg in legs[:-1]), mul, initial=first_recovery)
    stakes = tuple(
        recovery / (1 - leg.commission) for recovery, leg in zip(recoveries, legs, strict=True)
    )
    return LayPlan(stakes, first_recovery - at_risk + refund)
