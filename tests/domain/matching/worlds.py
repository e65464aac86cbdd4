"""Small worlds of fixtures for the matcher's tests, drawn with a seed."""

from __future__ import annotations

import random
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from kos.domain.matching import BookmakerFixture, ExchangeFixture

START = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
_NAMES = Path(__file__).parents[2] / "data" / "matching_names.toml"
_EVENT_TYPES = {
    "soccer": "Soccer",
    "basketball": "Basketball",
    "icehockey": "Ice Hockey",
    "cricket": "Cricket",
    "rugbyleague": "Rugby League",
    "aussierules": "Australian Rules",
}
_KEYS = {"colleges": "ncaab"}


class League(NamedTuple):
    sport: str
    heading: str
    competition: str
    is_at: bool
    teams: tuple[tuple[str, str], ...]

    @property
    def sport_key(self) -> str:
        return f"{self.sport}_{_KEYS.get(self.heading, self.heading)}_league"


class World(NamedTuple):
    left: list[BookmakerFixture]
    right: list[ExchangeFixture]
    truth: dict[str, str]


def leagues() -> list[League]:
    table = tomllib.loads(_NAMES.read_text(encoding="utf-8"))
    return [
        League(
            sport,
            heading,
            group["comp"],
            group.get("at", False),
            tuple(
                (one.strip(), other.strip())
                for line in group["teams"].strip().splitlines()
                for one, other in [line.split("|")]
            ),
        )
        for sport, groups in table.items()
        for heading, group in groups.items()
    ]


def draw(chosen: list[League], seed: int, *, rounds: int = 6) -> World:
    """Rounds of every league; a tenth of the events on one side only; traps beside the rest."""
    rng = random.Random(seed)
    left: list[BookmakerFixture] = []
    right: list[ExchangeFixture] = []
    truth: dict[str, str] = {}

    def put(league: League, home: str, away: str, at: datetime) -> str:
        name = f"{away} @ {home}" if league.is_at else f"{home} v {away}"
        runners = (home, away, "The Draw") if league.sport == "soccer" else (home, away)
        event = f"R{len(right)}"
        right.append(
            ExchangeFixture(
                event, _EVENT_TYPES[league.sport], league.competition, name, at, runners
            )
        )
        return event

    for league in chosen:
        for number in range(rounds):
            teams = list(league.teams)
            rng.shuffle(teams)
            for home, away in zip(teams[::2], teams[1::2], strict=True):
                at = START + timedelta(days=3 * number, minutes=rng.choice((0, 150, 300)))
                there = at + timedelta(minutes=rng.choice((0, 0, 0, 5, 10)))
                roll = rng.random()
                event = put(league, home[1], away[1], there) if roll < 0.95 else ""
                if roll > 0.05:
                    name = f"L{len(left)}"
                    left.append(BookmakerFixture(name, league.sport_key, at, home[0], away[0]))
                    if event:
                        truth[name] = event
                if rng.random() < 0.1:
                    other = rng.choice([t for t in teams if t not in (home, away)])
                    put(league, home[1], other[1], there)
                if league.sport == "soccer" and rng.random() < 0.15:
                    mark = rng.choice((" (W)", " U21", " II", " (Res)"))
                    put(league, home[1] + mark, away[1] + mark, there)
    rng.shuffle(left)
    rng.shuffle(right)
    return World(left, right, truth)
