"""The world as the exchange tells it: markets with their runners, and books with depth."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from zlib import crc32

from kos.sandbox.clock import WorldClock
from kos.sandbox.fixtures import Fixture
from kos.sandbox.leagues import League, Style
from kos.sandbox.prices import Prices, Runner
from kos.sandbox.world import World

DRAW_ID: Final = 58805
_TEST_DRAW_ID: Final = 60443
_UNDER_ID: Final = 47972
_OVER_ID: Final = 47973
_FINISHED_S: Final = 3600.0
"""How long a settled market can still be asked for."""
_DELAY_S: Final = 60.0
"""A delayed key sees prices of the last whole minute."""
_HIDDEN: Final = "xxDNDxx"


@dataclass(frozen=True, slots=True)
class Selection:
    """One runner of a market."""

    id: int
    name: str
    sort_priority: int
    handicap: float = 0.0


@dataclass(frozen=True, slots=True)
class Market:
    """One market as its catalogue describes it. Times are wall seconds."""

    id: str
    name: str
    type: str
    event_id: str
    event_name: str
    event_type_id: str
    event_type: str
    competition: str
    """Empty where there is none."""
    competition_id: str
    country: str
    start: float
    open_date: float
    selections: tuple[Selection, ...]
    total_matched: float
    base_rate: float = 5.0
    discount_allowed: bool = False
    turns_in_play: bool = True
    betting_type: str = "ODDS"


@dataclass(frozen=True, slots=True)
class Book:
    """One market's state and prices at one moment. ``runners`` are in the order of its selections."""

    status: str
    is_in_play: bool
    version: int
    runners: tuple[Runner, ...]
    total_matched: float
    winner: int | None = None
    """Selection id once it is settled."""
    start: float | None = None
    """The start as it stands now, wall seconds."""


class Exchange(Protocol):
    """Where the exchange's servers get their data: a world or recordings."""

    def markets(self) -> dict[str, Market]:
        """Gives every market that is not settled, by id."""

    def book(
        self, market_id: str, *, is_virtual: bool, is_delayed: bool, at: float | None = None
    ) -> Book | None:
        """Gives a market's book, also a settled one's for a while; None when it is unknown.

        Args:
            market_id: Its id.
            is_virtual: With cross-matched offers.
            is_delayed: As a delayed key sees it.
            at: Wall seconds; None for now. Any moment of the last ten minutes can be asked for.
        """


def competition_id(name: str) -> str:
    """Gives the exchange's id of a competition."""
    return str(10_000_000 + crc32(name.encode()) % 10_000_000)


def _selection_id(fixture: Fixture, name: str) -> int:
    return 100_000 + crc32(f"{fixture.league.discipline.group}:{name}".encode()) % 60_000_000


@dataclass(slots=True)
class _Listing:
    """What the exchange lists, kept for a second."""

    until: float = -math.inf
    since: float = math.inf
    markets: dict[str, Market] = field(default_factory=dict)


class WorldExchange:
    """The exchange of a world.

    Args:
        world: Its fixtures.
        prices: Its prices.
        clock: World time and wall time.
    """

    def __init__(self, world: World, prices: Prices, clock: WorldClock) -> None:
        self._world = world
        self._prices = prices
        self._clock = clock
        self._listing = _Listing()
        self._lock = threading.Lock()

    def markets(self) -> dict[str, Market]:
        """Gives every market that is not settled, by id."""
        wall = self._clock.wall(self._clock.now())
        with self._lock:
            kept = self._listing
            if kept.since <= wall < kept.until:
                return kept.markets
            at = self._clock.now()
            found = {
                market.id: market for f in self._world.on_exchange(at) for market in self._of(f, at)
            }
            found.update((market.id, market) for market in self._containers(at))
            self._listing = _Listing(wall + 1.0, wall, found)
            return found

    # -- markets ---------------------------------------------------------------------------------

    def start(self, fixture: Fixture, at: float) -> float:
        """Gives the exchange's start of a fixture, wall seconds; the real off once it is in play."""
        start = (
            fixture.off_at if at >= fixture.off_at else fixture.kickoff(at) + fixture.start_shift_s
        )
        return self._clock.wall(start)

    def _of(self, fixture: Fixture, at: float) -> list[Market]:
        league = fixture.league
        discipline = league.discipline
        main = Market(
            id=_market_id(fixture.uid, 0),
            name=discipline.market_name,
            type=discipline.market_type,
            event_id=str(30_000_000 + fixture.uid),
            event_name=fixture.event_name,
            event_type_id=discipline.event_type_id,
            event_type=discipline.event_type,
            competition=fixture.competition,
            competition_id=competition_id(fixture.competition),
            country=league.country,
            start=self.start(fixture, at),
            open_date=self._clock.wall(fixture.kickoff(at) + fixture.start_shift_s),
            selections=self._selections(fixture),
            total_matched=_matched(fixture, at),
            base_rate=_base_rate(league),
            turns_in_play=fixture.goes_in_play,
        )
        if fixture.kind not in {"plain", "double"}:
            return [main]
        markets = [main]
        if discipline.group == "Soccer":
            goals = (
                Selection(_UNDER_ID, "Under 2.5 Goals", 1),
                Selection(_OVER_ID, "Over 2.5 Goals", 2),
            )
            markets.append(
                replace(
                    main, id=_market_id(fixture.uid, 1), name="Over/Under 2.5 Goals", type="OVER_UNDER_25",
                    selections=goals, total_matched=round(main.total_matched * 0.3, 2),
                )
            )  # fmt: skip
        elif discipline.market_type == "MONEY_LINE":
            draw = Selection(DRAW_ID, "The Draw", 3)
            markets.append(
                replace(
                    main, id=_market_id(fixture.uid, 2), name="Regular Time Match Odds", type="RT_MATCH_ODDS",
                    selections=(*main.selections, draw), total_matched=round(main.total_matched * 0.1, 2),
                )
            )  # fmt: skip
        return markets

    @staticmethod
    def _order(fixture: Fixture) -> tuple[int, ...]:
        """Gives which of home (0), away (1) and draw (2) the exchange lists first, second and third."""
        is_away_first = fixture.is_swapped or fixture.league.discipline.style is Style.AWAY_AT_HOME
        order = (1, 0) if is_away_first else (0, 1)
        return (*order, 2) if fixture.league.discipline.has_draw else order

    def _selections(self, fixture: Fixture) -> tuple[Selection, ...]:
        names = (fixture.home.runner, fixture.away.runner, "The Draw")
        draw = _TEST_DRAW_ID if fixture.league.discipline.event_type == "Cricket" else DRAW_ID
        return tuple(
            Selection(
                draw if which == 2 else _selection_id(fixture, names[which]),
                names[which],
                place + 1,
            )
            for place, which in enumerate(self._order(fixture))
        )

    def _containers(self, at: float) -> list[Market]:
        """Gives what stands beside matches: a season's winner market per big league, and a hidden event."""
        season = self._clock.wall(at - at % 8_640_000 + 17_280_000)
        rows = []
        for index, league in enumerate(self._world.leagues):
            if league.popularity < 0.6 or league.discipline.style is Style.PEOPLE:
                continue
            rows.append(
                self._container(index, league, " " * (index % 7 == 0) + league.competition, season)
            )
        hidden = self._container(9999, self._world.leagues[0], "Arsenal v Chelsea", 4_070_908_800.0)
        rows.append(
            replace(
                hidden,
                type="MATCH_ODDS",
                competition=_HIDDEN,
                competition_id=competition_id(_HIDDEN),
            )
        )
        return rows

    @staticmethod
    def _container(index: int, league: League, name: str, start: float) -> Market:
        discipline = league.discipline
        return Market(
            id=f"1.1{index:08d}",
            name="Winner",
            type="WINNER",
            event_id=str(20_000_000 + index),
            event_name=name,
            event_type_id=discipline.event_type_id,
            event_type=discipline.event_type,
            competition=league.competition,
            competition_id=competition_id(league.competition),
            country=league.country,
            start=start,
            open_date=start,
            selections=tuple(
                Selection(
                    100_000 + crc32(f"{discipline.group}:{side.runner}".encode()) % 60_000_000,
                    side.runner,
                    n + 1,
                )
                for n, side in enumerate(league.sides)
            ),
            total_matched=0.0,
        )

    # -- books -----------------------------------------------------------------------------------

    def book(
        self, market_id: str, *, is_virtual: bool, is_delayed: bool, at: float | None = None
    ) -> Book | None:
        """Gives a market's book, also a settled one's for a while; None when it is unknown."""
        moment = self._clock.now() if at is None else self._clock.world(at)
        if is_delayed:
            moment -= moment % _DELAY_S
        place = _place(market_id)
        if place is None:
            container = self.markets().get(market_id)
            if container is None:
                return None
            empty = tuple(Runner((), ()) for _ in container.selections)
            return Book("OPEN", is_in_play=False, version=1, runners=empty, total_matched=0.0)
        uid, kind = place
        fixture = self._world.by_uid(uid, moment)
        if fixture is None or not fixture.on_exchange:
            return None
        ends_at = fixture.ends_at if fixture.goes_in_play else fixture.off_at + 300
        if moment >= ends_at + _FINISHED_S:
            return None
        return self._book(fixture, kind, moment, is_over=moment >= ends_at, is_virtual=is_virtual)

    def _book(
        self, fixture: Fixture, kind: int, at: float, *, is_over: bool, is_virtual: bool
    ) -> Book:
        start = self.start(fixture, at)
        matched = _matched(fixture, at)
        if is_over:
            winner = self._winner(fixture, kind)
            return Book("CLOSED", is_in_play=fixture.goes_in_play, version=fixture.version(at), runners=(), total_matched=matched,
                        winner=winner, start=start)  # fmt: skip
        if kind == 1:
            ladder = self._prices.totals_ladder(fixture, at, is_virtual=is_virtual)
        elif kind == 2:
            ladder = self._regular_time(fixture, at, is_virtual=is_virtual)
        else:
            ladder = self._prices.ladder(fixture, at, is_virtual=is_virtual)
        if kind != 1:
            order = (*self._order(fixture)[:2], 2)[: len(ladder)]
            ladder = tuple(ladder[which] for which in order)
        return Book(
            "SUSPENDED" if fixture.is_paused(at) else "OPEN",
            is_in_play=fixture.goes_in_play and at >= fixture.off_at,
            version=fixture.version(at),
            runners=ladder,
            total_matched=matched,
            start=start,
        )

    def _regular_time(self, fixture: Fixture, at: float, *, is_virtual: bool) -> tuple[Runner, ...]:
        draw = fixture.league.discipline.draw_base

        def chances(moment: float) -> tuple[float, ...]:
            home, away = fixture.probabilities(moment)
            level = draw * 4 * home * away
            return (home * (1 - level), away * (1 - level), max(0.003, level))

        return self._prices.market_ladder(fixture, chances, at, is_virtual=is_virtual, house=26)

    def _winner(self, fixture: Fixture, kind: int) -> int:
        if kind == 1:
            return _OVER_ID if sum(fixture.score(fixture.ends_at)) > 2.5 else _UNDER_ID
        selections = self._selections(fixture)
        order = self._order(fixture)
        return selections[order.index(fixture.winner())].id


def _market_id(uid: int, kind: int) -> str:
    return f"1.{200_000_000 + uid * 4 + kind}"


def _place(market_id: str) -> tuple[int, int] | None:
    """Gives the fixture's uid and the kind of market of an id, or None for any other id."""
    head, _, tail = market_id.partition(".")
    if head != "1" or not tail.isdecimal() or int(tail) < 200_000_000:
        return None
    return divmod(int(tail) - 200_000_000, 4)


def _matched(fixture: Fixture, at: float) -> float:
    days_left = max(0.0, fixture.off_at - at) / 86400
    return round(3_000_000 * fixture.liquidity**3 / math.pow(0.2 + days_left, 1.5) + 12.5, 2)


def _base_rate(league: League) -> float:
    if league.discipline.event_type_id == "61420":
        return 6.0
    return 2.0 if crc32(league.key.encode()) % 2 else 5.0
