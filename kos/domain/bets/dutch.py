"""Dutching: stakes on all outcomes of an event so that each pays the same; arbitrage is its gain.

Everything works on effective odds e_i, fees included (`kos.domain.market.commission`), of bets that
cover outcomes which exclude each other and leave none out. The book sum is ``B = sum 1/e_i``;
there is an arbitrage if and only if ``B < 1``. All numbers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kos.domain.money import rounded
from kos.errors import InvalidInput

ZERO = Fraction(0)


def book_sum(effective: Sequence[Fraction]) -> Fraction:
    """B, the price of a certain pound: below 1 is an arbitrage."""
    return sum((1 / odds for odds in effective), ZERO)


def stakes_returning(amount: Fraction, effective: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Stakes that each return `amount`, stake included."""
    return tuple(amount / odds for odds in effective)


def return_of_total(total_stake: Fraction, effective: Sequence[Fraction]) -> Fraction:
    """What a total stake, spread so that each outcome pays the same, returns: T / B."""
    return total_stake / book_sum(effective)


def return_for_profit(target: Fraction, effective: Sequence[Fraction]) -> Fraction:
    """The return at which every outcome leaves `target` as profit: A / (1 - B).

    Raises:
        InvalidInput: The book sum is not below 1, so no stakes reach a profit.
    """
    book = book_sum(effective)
    if book >= 1:
        raise InvalidInput(
            "odds", f"book sum {rounded(book * 100)}%", "odds whose book sum is below 100%"
        )
    return target / (1 - book)


def group_odds(effective: Sequence[Fraction]) -> Fraction:
    """The odds of one bet equal to a dutched group: 1 / sum(1/e)."""
    return 1 / book_sum(effective)


def profits(stakes: Sequence[Fraction], effective: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Profit of each outcome with any stakes, so also with those rounded to what is typed."""
    total = sum(stakes, ZERO)
    return tuple(stake * odds - total for stake, odds in zip(stakes, effective, strict=True))


def profits_in_one_market(
    stakes: Sequence[Fraction], odds: Sequence[Fraction], rates: Sequence[Fraction | None]
) -> tuple[Fraction, ...]:
    """Profit of each outcome where some backs share one exchange market and its net-win fee.

    Args:
        stakes: Back stakes, one per outcome.
        odds: Quoted odds, fees not included.
        rates: The market's commission for a bet on the exchange, None for a bookmaker's bet.

    Returns:
        Never less than with a fee on each winning bet alone.
    """
    on_exchange = sum(
        (stake for stake, rate in zip(stakes, rates, strict=True) if rate is not None), ZERO
    )
    total = sum(stakes, ZERO)
    results = []
    for stake, price, rate in zip(stakes, odds, rates, strict=True):
        fee = ZERO if rate is None else rate * max(stake * price - on_exchange, ZERO)
        results.append(stake * price - total - fee)
    return tuple(results)
