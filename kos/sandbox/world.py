"""A seeded world of fixtures that roll forward: the same for a seed and a moment, wherever it is asked.

Each league plays rounds without end (every side once a round, pairings by the circle method), so the
fixtures of any moment follow from the seed and the moment alone; nothing is kept but a cache. Beside
the leagues' own matches there are doubles (the same two again within hours or days) and, on the
exchange only, decoys: women's, reserves' and doubles' matches of the same names at about the same time.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from kos.sandbox.fixtures import DAY_S, HORIZON_S, Fixture, draw_fixture
from kos.sandbox.leagues import LEAGUES, League, Side, Style

_LISTED: Final = 13
"""Fixtures a league has listed at a time, about."""
_SLOTS: Final = 64
_ROUNDS: Final = 4096
_ROUNDS_NEAR: Final = 40
"""No fixture is listed further than this from the round now played."""
_DOUBLES_FROM: Final = 16
_DECOYS_FROM: Final = 32
_AFTER_S: Final = 3 * 3600.0
"""How long a finished fixture is still remembered, for scores and settled markets."""
_WOMENS_COMPETITION: Final = "Womens Matches"
_RESERVES_COMPETITION: Final = "Reserve Matches"


_Drawn = Callable[[int, Side, Side, float, float], Fixture]


def _round_s(league: League) -> float:
    pairs = len(league.sides) // 2
    return max(6 * 3600.0, math.ceil(HORIZON_S / 3600 * pairs / _LISTED) * 3600.0)


def _kickoff(league: League, start: float, length: float, share: float, mix: int) -> float:
    """Puts a match at a share of its round, then on the league's hours and minutes of that day."""
    wanted = start + share * length
    midnight = wanted - wanted % DAY_S
    first, last = league.hours
    grid = league.discipline.minute_grid
    slots = (last - first) * (60 // grid) + 1
    return midnight + first * 3600 + mix % slots * grid * 60


class World:
    """All fixtures of all leagues, as a function of the seed and world time.

    Args:
        seed: Any whole number; the same seed gives the same world.
        leagues: The leagues to play.
        tempo: How many times faster than in life the market's opinion swings.
    """

    def __init__(
        self, seed: int = 1, leagues: tuple[League, ...] = LEAGUES, tempo: float = 1.0
    ) -> None:
        self.seed = seed
        self._tempo = tempo
        self.leagues = leagues
        self._index = {league.key: index for index, league in enumerate(leagues)}
        self._rounds: dict[tuple[int, int], tuple[Fixture, ...]] = {}
        self._lock = threading.Lock()

    def league(self, key: str) -> League | None:
        """Gives the league of a sport key, or None when the world has no such key."""
        index = self._index.get(key)
        return None if index is None else self.leagues[index]

    def fixtures(self, key: str, at: float) -> list[Fixture]:
        """Gives a league's fixtures listed or not long over at a moment, by kickoff; decoys included."""
        index = self._index[key]
        length = _round_s(self.leagues[index])
        first = int((at - 3 * DAY_S - length) // length)
        last = int((at + HORIZON_S + DAY_S) // length)
        found = [
            fixture
            for number in range(first, last + 1)
            for fixture in self._round(index, number)
            if fixture.listed_at <= at < fixture.ends_at + _AFTER_S
        ]
        found.sort(key=lambda fixture: (fixture.kickoff(at), fixture.uid))
        self._forget(index, first)
        return found

    def on_feed(self, key: str, at: float) -> list[Fixture]:
        """Gives what the odds feed lists: upcoming and in play, never over, no decoys."""
        return [f for f in self.fixtures(key, at) if f.on_feed and at < f.ends_at]

    def on_exchange(self, at: float) -> Iterator[Fixture]:
        """Gives what the exchange lists: upcoming and in play where it goes in play."""
        for league in self.leagues:
            for fixture in self.fixtures(league.key, at):
                if fixture.on_exchange and at < (
                    fixture.ends_at if fixture.goes_in_play else fixture.off_at + 300
                ):
                    yield fixture

    def by_uid(self, uid: int, at: float) -> Fixture | None:
        """Gives the fixture of a uid that is listed or not long over, or None."""
        index, place = divmod(uid // _SLOTS, _ROUNDS)
        if not 0 <= index < len(self.leagues):
            return None
        current = int(at // _round_s(self.leagues[index]))
        number = current + (place - current + _ROUNDS // 2) % _ROUNDS - _ROUNDS // 2
        if abs(number - current) > _ROUNDS_NEAR:
            return None
        found = next(
            (fixture for fixture in self._round(index, number) if fixture.uid == uid), None
        )
        return (
            found
            if found is not None and found.listed_at <= at < found.ends_at + _AFTER_S
            else None
        )

    def _forget(self, index: int, before: int) -> None:
        with self._lock:
            for stale in [key for key in self._rounds if key[0] == index and key[1] < before]:
                del self._rounds[stale]

    def _round(self, index: int, number: int) -> tuple[Fixture, ...]:
        cached = self._rounds.get((index, number))
        if cached is None:
            cached = tuple(self._draw_round(index, number))
            with self._lock:
                self._rounds[index, number] = cached
        return cached

    def _draw_round(self, index: int, number: int) -> Iterator[Fixture]:
        league = self.leagues[index]
        length = _round_s(league)
        count = len(league.sides)
        pairs = count // 2
        ring = [0, *((number + place) % (count - 1) + 1 for place in range(count - 1))]
        for slot in range(pairs):
            one, two = ring[slot], ring[count - 1 - slot]
            if (number + slot) % 2:
                one, two = two, one
            mix = self.seed * 7919 + number * 104729 + slot * 1299709 + index * 15485863
            planned = _kickoff(league, number * length, length, (slot + 0.3) / pairs, mix >> 3)
            edge = 1.7 * (two - one) / count
            yield from self._draw_slot(
                index, number, slot, league.sides[one], league.sides[two], edge, planned
            )

    def _draw_slot(
        self,
        index: int,
        number: int,
        slot: int,
        home: Side,
        away: Side,
        edge: float,
        planned: float,
    ) -> Iterator[Fixture]:
        league = self.leagues[index]

        def drawn(place: int, home: Side, away: Side, edge: float, planned: float) -> Fixture:
            return draw_fixture(
                seed=self.seed,
                league=league,
                uid=(index * _ROUNDS + number % _ROUNDS) * _SLOTS + place,
                number=(index << 40) + number * _SLOTS + place,
                home=home,
                away=away,
                edge=edge,
                planned_at=planned,
                tempo=self._tempo,
            )

        fixture = drawn(slot, home, away, edge, planned)
        yield fixture
        dice = int(fixture.feed_id[:6], 16) / 0x1000000
        style = league.discipline.style
        if style is not Style.PEOPLE and dice < 0.06:
            if league.discipline.group == "Baseball":
                yield replace(
                    drawn(_DOUBLES_FROM + slot, home, away, edge, planned + 4 * 3600), kind="double"
                )
            else:
                later = max(1, round(_round_s(league) / 2 / DAY_S)) * DAY_S
                yield replace(
                    drawn(_DOUBLES_FROM + slot, away, home, -edge, planned + later), kind="double"
                )
        decoy = self._decoy(fixture, drawn, slot, dice)
        if decoy is not None:
            yield decoy

    def _decoy(self, fixture: Fixture, drawn: _Drawn, slot: int, dice: float) -> Fixture | None:
        """Gives a namesake match on the exchange alone, for some fixtures of some sports."""
        league = fixture.league
        group = league.discipline.group
        home, away = fixture.home, fixture.away
        if group == "Soccer" and not league.women and dice > 0.88:
            is_women = dice > 0.94
            mark = " (W)" if is_women else (" U21", " (Res)", " II")[slot % 3]
            kind = "women" if is_women else "reserves"
            competition = _WOMENS_COMPETITION if is_women else _RESERVES_COMPETITION
        elif group in {"Rugby League", "Aussie Rules", "Cricket"} and dice > 0.85:
            mark, kind, competition = " Women", "women", f"{league.competition} Womens"
        elif group == "Tennis" and dice > 0.85:
            mark, kind, competition = "/Ram", "doubles", f"{league.competition} Doubles"
        else:
            return None
        one = Side(home.feed, (home.exchange + mark)[:23], (home.runner + mark)[:23])
        two = Side(away.feed, (away.exchange + mark)[:23], (away.runner + mark)[:23])
        shift = (-5400.0, 0.0, 0.0, 7200.0)[slot % 4]
        decoy = drawn(_DECOYS_FROM + slot, one, two, 0.2, fixture.planned_at + shift)
        return replace(
            decoy,
            kind=kind,
            competition=competition,
            on_feed=False,
            on_exchange=True,
            liquidity=decoy.liquidity * 0.3,
        )
