"""Fair probabilities from prices: the bookmaker's margin taken out, or the exchange's middle.

With ``pi_i = 1/o_i`` and book sum ``B = sum pi_i``, each method says which share of the margin
``B - 1`` a price carries. Power and odds ratio give long shots more of it than a plain division
does; Shin explains the margin by bettors who know more. Their parameter is found numerically,
in floats: a probability ranks and informs, it is not money. Sources of the formulas: Shin 1993
(insiders), Cheung 2015 (odds ratio), Clarke, Kovalchik and Ingram 2017 (power).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec

from kos.domain.money import rounded
from kos.errors import InvalidInput

TOLERANCE = 1e-14
MAX_ITERATIONS = 200


class Method(StrEnum):
    """How the margin is taken out."""

    MULTIPLICATIVE = "multiplicative"
    ADDITIVE = "additive"
    POWER = "power"
    ODDS_RATIO = "odds_ratio"
    SHIN = "shin"


class FairBook(msgspec.Struct, frozen=True):
    """Probabilities that sum to the number of winners."""

    probabilities: tuple[float, ...]
    method: Method
    """The one used: multiplicative where the book has no margin to explain."""
    parameter: float | None
    """Exponent, odds ratio or share of insiders; None for methods without one."""


def default_method(outcomes: int) -> Method:
    """Shin from three outcomes on; for two a plain division."""
    return Method.SHIN if outcomes > 2 else Method.MULTIPLICATIVE  # noqa: PLR2004 - as it says


def remove_overround(odds: Sequence[Fraction], method: Method, winners: int = 1) -> FairBook:
    """Fair probabilities of all outcomes of one event.

    Args:
        odds: One price per outcome; with one missing there are no fair odds.
        method: Used only where the book sum is above the number of winners: a book without
            margin falls back to multiplicative, and says so.
        winners: How many outcomes win: 1, or the places of a place market.

    Raises:
        InvalidInput: A probability would not lie between 0 and 1, or Shin is asked for a
            market with several winners, which its model does not know.
    """
    prices = [1 / price for price in odds]
    book = sum(prices, Fraction(0))
    if method is Method.SHIN and winners > 1:
        raise InvalidInput("method", method.value, "another method when several outcomes win")
    if book <= winners or method is Method.MULTIPLICATIVE:
        used, parameter = Method.MULTIPLICATIVE, None
        probabilities = tuple(float(price * winners / book) for price in prices)
    elif method is Method.ADDITIVE:
        used, parameter = method, None
        excess = (book - winners) / len(prices)
        probabilities = tuple(float(price - excess) for price in prices)
    else:
        used = method
        parameter, probabilities = _fitted(method, [float(price) for price in prices], winners)
    if not all(0 < probability < 1 for probability in probabilities):
        raise InvalidInput(
            "method",
            used.value,
            f"a method that keeps every probability between 0 and 1 for a book of {rounded(book * 100)}%",
        )
    return FairBook(probabilities, used, parameter)


def _fitted(method: Method, prices: list[float], winners: int) -> tuple[float, tuple[float, ...]]:
    book = math.fsum(prices)
    share: Callable[[float, float], float]
    if method is Method.POWER:
        share, low, high = _power_share, 1.0, 2.0
    elif method is Method.ODDS_RATIO:
        share, low, high = _odds_ratio_share, 1.0, 2.0
    else:

        def share(price: float, z: float) -> float:
            return (math.sqrt(z * z + 4 * (1 - z) * price * price / book) - z) / (2 * (1 - z))

        low, high = 0.0, 1 - 1e-9

    def excess(parameter: float) -> float:
        return math.fsum(share(price, parameter) for price in prices) - winners

    if method is not Method.SHIN:
        while excess(high) > 0:
            low, high = high, high * 2
    parameter = _root(excess, low, high)
    return parameter, tuple(share(price, parameter) for price in prices)


def _power_share(price: float, exponent: float) -> float:
    return float(price**exponent)


def _odds_ratio_share(price: float, ratio: float) -> float:
    return price / (ratio + price - ratio * price)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a falling function between two bounds, by false position (Illinois).

    A bound that is kept twice has its value halved, so that both ends close in.
    """
    at_low, at_high = function(low), function(high)
    kept = rounds = 0
    while (
        rounds < MAX_ITERATIONS
        and at_low != at_high
        and high - low > TOLERANCE * max(1.0, abs(high))
    ):
        rounds += 1
        middle = min(max((low * at_high - high * at_low) / (at_high - at_low), low), high)
        at_middle = function(middle)
        if abs(at_middle) <= TOLERANCE:
            return middle
        if at_middle > 0:
            low, at_low = middle, at_middle
            if kept == 1:
                at_high /= 2
            kept = 1
        else:
            high, at_high = middle, at_middle
            if kept == -1:
                at_low /= 2
            kept = -1
    return (low + high) / 2


def exchange_mid(best_back: Fraction, best_lay: Fraction) -> Fraction:
    """Probability halfway between the best prices: the mean of their chances, not of the odds."""
    return (1 / best_back + 1 / best_lay) / 2


def micro_price(
    best_back: Fraction, best_lay: Fraction, back_size: Fraction, lay_size: Fraction
) -> Fraction:
    """Probability between the best prices, nearer to the side with less money waiting.

    (v_l / b + v_b / l) / (v_l + v_b) with v_l the size to lay and v_b the size to back.
    """
    return (lay_size / best_back + back_size / best_lay) / (lay_size + back_size)
