"""An exchange's price ladder: the odds it accepts, and distances on it in ticks.

A ladder is a row of bands, each with a step; a price on a boundary belongs to both its bands.
All arithmetic is on whole hundredths, so a tick is exact. Bookmaker odds are never snapped.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from fractions import Fraction

from kos.errors import InvalidInput


class Ladder:
    """The valid prices of one kind of market, numbered from 0 at the shortest.

    Args:
        bands: (from, to, step) in hundredths of decimal odds, each starting where the one
            before ends.
    """

    def __init__(self, name: str, bands: tuple[tuple[int, int, int], ...]) -> None:
        self.name = name
        self._bands = bands
        self._starts = [start for start, _, _ in bands]
        self._first_index: list[int] = []
        count = 0
        for start, end, step in bands:
            self._first_index.append(count)
            count += (end - start) // step
        self.count = count + 1
        """How many prices are valid."""
        self.lowest = _price(bands[0][0])
        self.highest = _price(bands[-1][1])
        self._range = f"between {self.lowest} and {self.highest} ({name})"

    def price(self, index: int) -> Decimal:
        """The price with this number, two decimals.

        Raises:
            InvalidInput: There is no such price.
        """
        if not 0 <= index < self.count:
            raise InvalidInput("tick", index, f"a price {self._range}")
        band = bisect_right(self._first_index, index) - 1
        start, _, step = self._bands[band]
        return _price(start + (index - self._first_index[band]) * step)

    def prices(self) -> tuple[Decimal, ...]:
        """Every valid price, ascending."""
        return tuple(self.price(index) for index in range(self.count))

    def is_valid(self, price: Decimal | Fraction) -> bool:
        """Whether the exchange takes an order at exactly this price."""
        low, high = self._around(price)
        return low == high

    def index(self, price: Decimal | Fraction) -> int:
        """The number of a valid price.

        Raises:
            InvalidInput: The price is not on the ladder.
        """
        low, high = self._around(price)
        if low != high:
            raise InvalidInput("price", price, f"a price on the ladder ({self.name})")
        return low

    def ticks_between(self, first: Decimal | Fraction, second: Decimal | Fraction) -> int:
        """Ticks from the first valid price up to the second; negative when it is lower."""
        return self.index(second) - self.index(first)

    def offset(self, price: Decimal | Fraction, ticks: int) -> Decimal:
        """The price so many ticks above (below, when negative) a valid price."""
        return self.price(self.index(price) + ticks)

    def up(self, price: Decimal | Fraction) -> Decimal:
        """The next valid price at or above: where a lay meant to match now is placed."""
        return self.price(self._around(price)[1])

    def down(self, price: Decimal | Fraction) -> Decimal:
        """The next valid price at or below: where a lay that may wait is placed."""
        return self.price(self._around(price)[0])

    def next_up(self, price: Decimal | Fraction) -> Decimal:
        """The first valid price above."""
        return self.price(self._around(price)[0] + 1)

    def next_down(self, price: Decimal | Fraction) -> Decimal:
        """The first valid price below."""
        return self.price(self._around(price)[1] - 1)

    def nearest(self, price: Decimal | Fraction) -> Decimal:
        """The closest valid price; the higher of two equally close."""
        below, above = self.down(price), self.up(price)
        target = Fraction(price)
        return below if target - Fraction(below) < Fraction(above) - target else above

    def _around(self, price: Decimal | Fraction) -> tuple[int, int]:
        """Numbers of the valid prices at or below and at or above `price`."""
        if not self.lowest <= price <= self.highest:
            raise InvalidInput("price", price, self._range)
        hundredths = Fraction(price) * 100
        band = min(bisect_right(self._starts, hundredths), len(self._bands)) - 1
        start, _, step = self._bands[band]
        whole, rest = divmod(hundredths - start, step)
        low = self._first_index[band] + int(whole)
        return low, low if rest == 0 else low + 1


def _price(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)


BETFAIR = Ladder(
    "Betfair odds markets",
    (
        (101, 200, 1),
        (200, 300, 2),
        (300, 400, 5),
        (400, 600, 10),
        (600, 1000, 20),
        (1000, 2000, 50),
        (2000, 3000, 100),
        (3000, 5000, 200),
        (5000, 10000, 500),
        (10000, 100000, 1000),
    ),
)
"""350 prices from 1.01 to 1000."""

BETFAIR_LINES = Ladder("Betfair handicap and goal lines", ((101, 100000, 1),))
"""Steps of 0.01 all the way."""
