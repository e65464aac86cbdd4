"""Decimal and American odds, as the feed's ``oddsFormat`` asks for them."""

from __future__ import annotations


def american(price: float) -> int:
    """Gives American odds of decimal odds: +150 for 2.5, -200 for 1.5."""
    if price <= 1:
        return -100000
    return round((price - 1) * 100) if price >= 2 else round(-100 / (price - 1))


def decimal(price: float) -> float:
    """Gives decimal odds of American odds, to four places: 2.5 for +150, 1.5 for -200."""
    return round(1 + (price / 100 if price > 0 else -100 / price), 4)
