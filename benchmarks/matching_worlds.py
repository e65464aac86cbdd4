"""Seeded worlds of football fixtures from lists of clubs that the matcher has never read.

The lists are in openfootball's form (``*.clubs.txt``: a name, then lines of other names after a
bar). A world takes two different names of each club, prints one on the bookmaker's side and one on
the exchange's, draws rounds of fixtures, and adds what misleads: women, youth, reserves, another
opponent at the same time, return legs, events on one side only, kickoffs that differ.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from kos.domain.matching import BookmakerFixture, ExchangeFixture

_START = datetime(2026, 9, 5, 12, 0, tzinfo=UTC)


class World(NamedTuple):
    left: list[BookmakerFixture]
    right: list[ExchangeFixture]
    truth: dict[str, tuple[str, bool]]
    """Bookmaker event to exchange event and whether the sides are turned."""
    kinds: dict[str, str]
    """Exchange event without partner to the kind of trap it is."""


def read_clubs(folder: Path) -> dict[str, list[list[str]]]:
    """Country to its clubs, each with all its names."""
    found: dict[str, list[list[str]]] = {}
    for path in sorted(folder.rglob("*.clubs.txt")):
        clubs = list(_clubs(path.read_text(encoding="utf-8")))
        if len(clubs) >= 6:
            found[path.stem.split(".")[0]] = clubs
    return found


def _clubs(text: str) -> Iterator[list[str]]:
    names: list[str] = []
    for raw in text.splitlines():
        line = raw.split("#")[0].rstrip()
        if not line.strip() or line.startswith("="):
            continue
        if line.lstrip().startswith("|"):
            names += [n for part in line.split("|") if (n := _name(part))]
        else:
            if len(set(names)) >= 2:
                yield list(dict.fromkeys(names))
            names = [n] if (n := _name(line.split(",")[0])) else []
    if len(set(names)) >= 2:
        yield list(dict.fromkeys(names))


def _name(part: str) -> str:
    if "[" in part:  # names in other languages
        return ""
    return re.sub(r"\s*\(.*?\)|\s*\d{4}-\d{0,4}", "", part).strip().strip("$")


def make_world(countries: dict[str, list[list[str]]], seed: int, *, rounds: int = 9) -> World:
    """One world: every country plays some rounds, half of them as return legs."""
    rng = random.Random(seed)
    left: list[BookmakerFixture] = []
    right: list[ExchangeFixture] = []
    truth: dict[str, tuple[str, bool]] = {}
    kinds: dict[str, str] = {}

    def list_right(name: str, at: datetime, competition: str, runners: tuple[str, str]) -> str:
        event = f"R{len(right)}"
        right.append(
            ExchangeFixture(event, "Soccer", competition, name, at, (*runners, "The Draw"))
        )
        return event

    for country, clubs in countries.items():
        chosen = rng.sample(clubs, min(len(clubs), 16) // 2 * 2)
        printed = _two_names(chosen, rng)
        key, competition = f"soccer_{country}_league", f"{country.upper()} League"
        for number in range(rounds):
            order = list(range(len(chosen)))
            rng.shuffle(order)
            day = _START + timedelta(days=number * 4 + rng.randint(0, 1))
            for a, b in zip(order[::2], order[1::2], strict=True):
                at = day + timedelta(minutes=rng.choice((0, 150, 300, 465)))
                (la, ra), (lb, rb) = printed[a], printed[b]
                shift = rng.choices((0, 5, -5, 15, 60, 120), (86, 4, 4, 3, 2, 1))[0]
                there = at + timedelta(minutes=shift)
                roll = rng.random()
                event = ""
                if roll < 0.94:
                    turned = rng.random() < 0.03
                    home, away = (rb, ra) if turned else (ra, rb)
                    event = list_right(f"{home} v {away}", there, competition, (home, away))
                if roll > 0.06:
                    fixture = f"L{len(left)}"
                    left.append(BookmakerFixture(fixture, key, at, la, lb))
                    if event:
                        truth[fixture] = (event, turned)
                trap = rng.random()
                if trap < 0.10:
                    mark = rng.choice((" (W)", " U21", " U19", " II", " B", " (Res)"))
                    where = rng.choice((competition, "Friendly Matches"))
                    home, away = ra + mark, rb + mark
                    kinds[list_right(f"{home} v {away}", there, where, (home, away))] = mark.strip()
                elif trap < 0.16:
                    other = printed[rng.randrange(len(printed))][1]
                    if other not in {ra, rb}:
                        home, away = (ra, other) if rng.random() < 0.5 else (other, rb)
                        kinds[list_right(f"{home} v {away}", there, competition, (home, away))] = (
                            "opponent differs"
                        )
    rng.shuffle(left)
    rng.shuffle(right)
    return World(left, right, truth, kinds)


def _two_names(clubs: list[list[str]], rng: random.Random) -> list[tuple[str, str]]:
    """A name for each side's list, no name borne by two clubs of the league."""
    bearers: dict[str, int] = defaultdict(int)
    for names in clubs:
        for name in names:
            bearers[name] += 1
    printed = []
    for names in clubs:
        own = [n for n in names if bearers[n] == 1] or names
        one = rng.choice(own)
        other = min(rng.sample(own, min(2, len(own))), key=len)
        printed.append((one, other))
    return printed
