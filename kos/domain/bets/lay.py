"""The lay that makes one back bet pay the same whether it wins or loses.

One master formula serves every kind of bet. Let the bookmaker side, each bonus valued in cash,
pay ``back_win`` if the selection wins and ``back_lose`` if it does not, and lay a stake L at
odds l with commission c on the exchange's net winnings::

    W(L) = back_win  - L (l - 1)          if the selection wins
    Z(L) = back_lose + L (1 - c)          if it does not

``W = Z`` gives ``L* = (back_win - back_lose) / (l - c)``. `kos.domain.bets.kinds` has the rows that
feed it. Functions marked generic take `Decimal` or `Fraction` throughout; the rounded ones take
`Decimal`, because a ranking calls them thousands of times. Twenty-eight digits leave no doubt
about a half penny for any odds and stakes that an exchange quotes.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from kos.domain.money import Exact, pennies
from kos.errors import InvalidInput

ONE = Decimal(1)


class LaySolution(msgspec.Struct, frozen=True, gc=False):
    """A lay stake as it is typed, and what follows from it. Pounds."""

    exact_lay_stake: Decimal
    """Unrounded."""
    lay_stake: Decimal
    """To the penny, half away from zero; every figure below is recomputed from it."""
    liability: Decimal
    if_back_wins: Decimal
    if_back_loses: Decimal
    profit: Decimal
    """The smaller of the two outcomes before they were rounded, rounded last."""
    exact_profit: Decimal
    """The same unrounded, for ranking."""


def check_lay_terms(lay_odds: Decimal, commission: Decimal) -> None:
    """Refuse odds of 1 or less, and a commission outside [0, 1).

    Raises:
        InvalidInput: Names the term; NaN and infinities are refused too.
    """
    if not (lay_odds.is_finite() and lay_odds > 1):
        raise InvalidInput("lay_odds", lay_odds, "finite decimal odds above 1")
    if not (commission.is_finite() and 0 <= commission < 1):
        raise InvalidInput("commission", commission, "a fraction from 0 to below 1")


def equalising_stake(
    back_win: Exact, back_lose: Exact, lay_odds: Exact, commission: Exact
) -> Exact:
    """The exact lay stake L* at which both outcomes pay the same; generic, unchecked.

    Negative where the back side pays more when the selection loses.
    """
    return (back_win - back_lose) / (lay_odds - commission)


def outcomes(
    back_win: Exact, back_lose: Exact, lay_stake: Exact, lay_odds: Exact, commission: Exact
) -> tuple[Exact, Exact]:
    """Exact totals (if the selection wins, if it does not) for any lay stake; generic."""
    return (
        back_win - lay_stake * (lay_odds - 1),
        back_lose + lay_stake * (1 - commission),
    )


def break_even_stakes(
    back_win: Exact, back_lose: Exact, lay_odds: Exact, commission: Exact
) -> tuple[Exact, Exact]:
    """Exact (underlay, overlay): the lays with one outcome at nothing; generic.

    The lay at which a win pays nothing is back_win/(l-1), that at which a loss pays nothing is
    -back_lose/(1-c). The smaller is the underlay, the larger the overlay; which outcome each
    frees depends on whether the balanced profit is negative or positive. Neither is below 0.
    """
    zero = lay_odds - lay_odds
    win_free = max(back_win / (lay_odds - 1), zero)
    lose_free = max(-back_lose / (1 - commission), zero)
    return min(win_free, lose_free), max(win_free, lose_free)


def biased_stake(
    back_win: Exact, back_lose: Exact, lay_odds: Exact, commission: Exact, bias: Exact
) -> Exact:
    """The exact lay stake on the slider from underlay (-1) over balanced (0) to overlay (1)."""
    balanced = equalising_stake(back_win, back_lose, lay_odds, commission)
    underlay, overlay = break_even_stakes(back_win, back_lose, lay_odds, commission)
    if bias < 0:
        return balanced + bias * (balanced - underlay)
    return balanced + bias * (overlay - balanced)


def expected_value(if_wins: Exact, if_loses: Exact, probability: Exact) -> Exact:
    """Pounds expected when the selection wins with this probability; generic."""
    return probability * if_wins + (1 - probability) * if_loses


def balance(
    back_win: Decimal, back_lose: Decimal, lay_odds: Decimal, commission: Decimal
) -> LaySolution:
    """The balanced lay of one back bet, rounded to the stake that is typed.

    ``balance(15, -10, 2.54, 0.02)`` (a cash bet of £10 at 2.50) lays £9.92 with a liability of
    £15.28 and loses £0.28 either way.

    Args:
        back_win: What the bookmaker side pays if the selection wins, pounds.
        back_lose: The same if it does not; at most `back_win`.
        lay_odds: Decimal odds above 1.
        commission: Rate on the exchange's net winnings, 0 <= rate < 1.

    Raises:
        InvalidInput: A term is out of range, or `back_lose` is above `back_win`, which no lay
            can balance.
    """
    check_lay_terms(lay_odds, commission)
    if not back_win.is_finite():
        raise InvalidInput("back_win", back_win, "a finite amount in pounds")
    if not (back_lose.is_finite() and back_lose <= back_win):
        raise InvalidInput("back_lose", back_lose, f"up to the profit if the bet wins ({back_win})")
    exact = equalising_stake(back_win, back_lose, lay_odds, commission)
    return lay_of(back_win, back_lose, lay_odds, commission, exact)


def lay_of(
    back_win: Decimal,
    back_lose: Decimal,
    lay_odds: Decimal,
    commission: Decimal,
    exact_stake: Decimal,
) -> LaySolution:
    """What any lay stake leads to, first rounded to the penny; terms as in `balance`."""
    stake = pennies(exact_stake)
    liability = stake * (lay_odds - ONE)
    wins = back_win - liability
    loses = back_lose + stake * (ONE - commission)
    least = min(wins, loses)
    return LaySolution(
        exact_stake,
        stake,
        pennies(liability),
        pennies(wins),
        pennies(loses),
        pennies(least),
        least,
    )
