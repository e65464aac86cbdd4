"""The exchange's classic price ladder: 350 prices from 1.01 to 1000."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

_BANDS: Final = ((101, 200, 1), (200, 300, 2), (300, 400, 5), (400, 600, 10), (600, 1000, 20), (1000, 2000, 50),
                 (2000, 3000, 100), (3000, 5000, 200), (5000, 10000, 500), (10000, 100001, 1000))  # fmt: skip
TICKS: Final = tuple(cents / 100 for low, high, step in _BANDS for cents in range(low, high, step))
"""All valid prices, rising."""


def at_or_below(price: float) -> int:
    """Gives the index in TICKS of the highest price that is not above ``price`` (0 below 1.01)."""
    return max(0, bisect_right(TICKS, price + 1e-9) - 1)


def at_or_above(price: float) -> int:
    """Gives the index in TICKS of the lowest price that is not below ``price`` (the last above 1000)."""
    return min(len(TICKS) - 1, bisect_left(TICKS, price - 1e-9))
