"""What is offered on a fixture: each bookmaker's prices and the exchange's ladder, at any moment.

Every number is a function of the seed, the fixture and world time. A bookmaker is read by the feed on
a grid of its own; between two readings nothing about it changes, so readings are numbered and a
reader may keep what it made of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from kos.sandbox import ticks
from kos.sandbox.bookmakers import Bookmaker
from kos.sandbox.fixtures import DAY_S, Fixture

_Chances = Callable[[float], tuple[float, ...]]

LEVELS: Final = 10
_BOOK_PERIOD_S: Final = 60.0
_EXCHANGE_PERIOD_S: Final = 30.0
_LADDER_PERIOD_S: Final = 2.0
_MASK: Final = (1 << 64) - 1


def mix(*parts: int) -> int:
    """Gives 64 well-stirred bits of some whole numbers; the same for the same numbers."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ (part & _MASK)) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
        state = (state * 0x94D049BB133111EB) & _MASK
        state ^= state >> 32
    return state


def unit(*parts: int) -> float:
    """Gives a number from 0 to below 1 for some whole numbers."""
    return (mix(*parts) >> 11) / (1 << 53)


def bell(*parts: int) -> float:
    """Gives a roughly normal number (mean 0, deviation 1, within 3.5) for some whole numbers."""
    bits = mix(*parts)
    total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return (total / 65536.0 - 2.0) * 1.7320508


def _number(name: str) -> int:
    return crc32(name.encode())


@dataclass(frozen=True, slots=True)
class Offer:
    """One outcome's price; ``point`` for handicaps and totals, ``size`` in pounds on exchanges."""

    name: str
    price: float
    point: float | None = None
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one bookmaker on one fixture. Times are world seconds."""

    number: int
    read_at: float
    """When the feed read it: its ``last_update``."""
    markets: tuple[tuple[str, tuple[Offer, ...]], ...]
    """(market key, offers); empty when the bookmaker does not quote the fixture now."""


@dataclass(frozen=True, slots=True)
class Level:
    """One price of the ladder and the pounds that wait there."""

    price: float
    size: float


@dataclass(frozen=True, slots=True)
class Runner:
    """Both sides of one runner's book, best first."""

    to_back: tuple[Level, ...]
    to_lay: tuple[Level, ...]


def outcome_names(fixture: Fixture) -> tuple[str, ...]:
    """Gives the feed's names of a fixture's outcomes: home, away and, where there is one, the draw."""
    names = (fixture.home.feed, fixture.away.feed)
    return (*names, "Draw") if fixture.league.discipline.has_draw else names


class Prices:
    """All prices of a seeded world.

    Args:
        seed: The world's.
        tempo: How many times faster than in life bookmakers' and layers' views wander.
    """

    def __init__(self, seed: int = 1, tempo: float = 1.0) -> None:
        self._seed = seed
        self._tempo = tempo

    # -- bookmakers ------------------------------------------------------------------------------

    def reading_at(self, bookmaker: Bookmaker, fixture: Fixture, at: float) -> tuple[int, float]:
        """Gives the number and the moment of the feed's latest reading of a bookmaker on a fixture.

        One reading in 40 comes late by minutes: the stamp tells.
        """
        period = _EXCHANGE_PERIOD_S if bookmaker.is_exchange else _BOOK_PERIOD_S
        if fixture.off_at - 6 * 3600 < at:
            period /= 1.5
        phase = unit(self._seed, fixture.uid, _number(bookmaker.key)) * period
        number = int((at - phase) // period)
        late = mix(self._seed, number // 12, fixture.uid, _number(bookmaker.key), 3) % 40
        if late == 0 and number % 12:
            number -= number % 12
        return number, number * period + phase

    def reading(self, bookmaker: Bookmaker, fixture: Fixture, at: float) -> Reading:
        """Gives the latest reading of a bookmaker on a fixture, with h2h and, where it quotes them, more."""
        number, read_at = self.reading_at(bookmaker, fixture, at)
        if bookmaker.is_exchange:
            markets = self._exchange_markets(bookmaker, fixture, read_at)
        else:
            markets = self._book_markets(bookmaker, fixture, read_at)
        return Reading(number, read_at, markets)

    def quotes(self, bookmaker: Bookmaker, fixture: Fixture) -> bool:
        """Says whether a bookmaker quotes a fixture at all."""
        popularity = fixture.league.popularity
        chance = bookmaker.coverage * (0.55 + 0.45 * popularity)
        if bookmaker.is_exchange:
            chance = bookmaker.coverage * (0.6 + 0.4 * popularity) if fixture.on_exchange else 0.0
        return unit(self._seed, fixture.uid, _number(bookmaker.key), 1) < chance

    def _book_markets(
        self, bookmaker: Bookmaker, fixture: Fixture, read_at: float
    ) -> tuple[tuple[str, tuple[Offer, ...]], ...]:
        brand, desk = _number(bookmaker.key), _number(bookmaker.desk)
        if not self.quotes(bookmaker, fixture):
            return ()
        if fixture.is_paused(read_at) and mix(self._seed, fixture.uid, brand, 2) % 4:
            return ()
        lag = bookmaker.lag_s
        window = int(read_at // 2700)
        if mix(self._seed, window, fixture.uid, desk, 4) % 33 == 0:
            lag += 1500.0
        seen_at = read_at - lag
        fair = fixture.probabilities(seen_at)
        mood = int(seen_at * self._tempo // 5400)
        share = seen_at * self._tempo / 5400 - mood
        views = []
        for index, probability in enumerate(fair):
            lasting = bell(self._seed, fixture.uid, desk, index, 5)
            passing = bell(self._seed, fixture.uid, desk, index, mood) * (1 - share)
            passing += bell(self._seed, fixture.uid, desk, index, mood + 1) * share
            view = bookmaker.opinion * (1.3 * lasting + 1.2 * passing)
            views.append(probability**bookmaker.longshot * math.exp(view * (1 - probability)))
        overround = bookmaker.overround(fixture.league.popularity)
        total = sum(views)
        boosted = mix(self._seed, int(read_at // 10800), fixture.uid, brand, 6) % 900
        offers = []
        for index, (name, view) in enumerate(zip(outcome_names(fixture), views, strict=True)):
            price = total / (view * overround)
            if boosted == index:
                price = 1 + (price - 1) * 1.12
            offers.append(Offer(name, bookmaker.rounded(min(price, 501.0))))
        offers.sort(key=lambda offer: (offer.name == "Draw", offer.name))
        markets = [("h2h", tuple(offers))]
        if bookmaker.sidelines and fixture.league.discipline.totals_line is not None:
            markets.extend(self._sidelines(bookmaker, fixture, seen_at, overround))
        return tuple(markets)

    def _sidelines(
        self, bookmaker: Bookmaker, fixture: Fixture, seen_at: float, overround: float
    ) -> list[tuple[str, tuple[Offer, ...]]]:
        line = fixture.league.discipline.totals_line
        if line is None:
            return []
        over = fixture.over(line, seen_at)
        handicap = -round(fixture.strength * fixture.margin_spread) + (
            0.5 if fixture.strength > 0 else -0.5
        )
        covers = fixture.covers(handicap, seen_at)
        home, away = fixture.home.feed, fixture.away.feed

        def asked(chance: float) -> float:
            return bookmaker.rounded(1 / (chance * overround))

        spreads = sorted(
            (Offer(home, asked(covers), handicap), Offer(away, asked(1 - covers), -handicap)),
            key=lambda o: o.name,
        )
        totals = (Offer("Over", asked(over), line), Offer("Under", asked(1 - over), line))
        return [("spreads", tuple(spreads)), ("totals", totals)]

    # -- exchanges -------------------------------------------------------------------------------

    def _exchange_markets(
        self, bookmaker: Bookmaker, fixture: Fixture, read_at: float
    ) -> tuple[tuple[str, tuple[Offer, ...]], ...]:
        brand = _number(bookmaker.key)
        if not self.quotes(bookmaker, fixture) or fixture.is_paused(read_at):
            return ()
        house = 0 if bookmaker.key.startswith("betfair_ex") else brand
        runners = self.ladder(fixture, read_at, house=house)
        named = sorted(
            zip(outcome_names(fixture), runners, strict=True),
            key=lambda pair: (pair[0] == "Draw", pair[0]),
        )
        back = tuple(
            Offer(n, r.to_back[0].price, size=r.to_back[0].size) for n, r in named if r.to_back
        )
        lay = tuple(
            Offer(n, r.to_lay[0].price, size=r.to_lay[0].size) if r.to_lay else Offer(n, 1000.0)
            for n, r in named
        )
        markets = [("h2h", back)] if back else []
        if mix(self._seed, fixture.uid, brand, 8) % 25:  # one block in 25 is back-only
            markets.append(("h2h_lay", lay))
        return tuple(markets)

    def ladder(
        self, fixture: Fixture, at: float, *, is_virtual: bool = True, house: int = 0
    ) -> tuple[Runner, ...]:
        """Gives the exchange's book on a fixture's main market, in the order home, away, draw.

        Args:
            fixture: The fixture.
            at: World seconds; prices change every two seconds.
            is_virtual: With cross-matched offers, as the site shows; without, some prices are worse.
            house: 0 for the main exchange, another number for a smaller one with a book of its own.
        """
        return self.market_ladder(
            fixture, fixture.probabilities, at, is_virtual=is_virtual, house=house
        )

    def totals_ladder(
        self, fixture: Fixture, at: float, *, is_virtual: bool = True
    ) -> tuple[Runner, ...]:
        """Gives the exchange's book on the goals market of 2.5, in the order under, over."""

        def chances(moment: float) -> tuple[float, ...]:
            over = fixture.over(2.5, moment)
            return (1 - over, over)

        return self.market_ladder(fixture, chances, at, is_virtual=is_virtual, house=25)

    def market_ladder(
        self, fixture: Fixture, chances: _Chances, at: float, *, is_virtual: bool, house: int
    ) -> tuple[Runner, ...]:
        """Gives one book from fair chances: spread and sizes follow the fixture's liquidity."""
        bucket = int(at // _LADDER_PERIOD_S)
        seen_at = bucket * _LADDER_PERIOD_S
        slow = int(seen_at * self._tempo // 20)
        ahead = max(0.0, fixture.off_at - seen_at)
        liquidity = fixture.liquidity * (
            1.0 if ahead < DAY_S / 4 else 0.9 if ahead < DAY_S else 0.75
        )
        if house not in {0, 25}:
            liquidity *= 0.7
        runners = []
        for index, probability in enumerate(chances(seen_at)):
            where = (self._seed, fixture.uid, house, index)
            gap = 0.006 + 0.11 * (1 - liquidity) ** 3 * (0.4 + unit(*where, slow // 9, 1))
            price = 1 + (1 / probability - 1) * math.exp(
                0.008 * bell(*where, slow // 3, 2) * (1.4 - liquidity)
            )
            stretch = 1 + gap * (0.5 + 0.5 * min(price, 12) / 4)
            best_back = ticks.at_or_below(1 + (price - 1) / stretch)
            best_lay = max(best_back + 1, ticks.at_or_above(1 + (price - 1) * stretch))
            if not is_virtual:
                best_back -= mix(*where, slow, 3) % 3
                best_lay += mix(*where, slow, 4) % 3
            runners.append(
                Runner(
                    self._side(best_back, -1, price, liquidity, (*where, slow, 5)),
                    self._side(best_lay, 1, price, liquidity, (*where, slow, 6)),
                )
            )
        return tuple(runners)

    @staticmethod
    def _side(
        best: int, direction: int, price: float, liquidity: float, where: tuple[int, ...]
    ) -> tuple[Level, ...]:
        levels = []
        index = best
        depth = LEVELS if liquidity > 0.12 else mix(*where) % 5
        typical = 4 + 6000 * liquidity**3 / max(1.0, price - 0.4)
        for place in range(depth):
            if not 0 <= index < len(ticks.TICKS):
                break
            noise = mix(*where, place)
            size = typical * (1 + 0.5 * place) * math.exp(((noise & 0xFFFF) / 65536.0 - 0.5) * 2.4)
            levels.append(Level(ticks.TICKS[index], max(2.0, round(size, 2))))
            index += direction * (1 + (noise >> 20) % (1 if liquidity > 0.6 else 4))
        return tuple(levels)
