"""Known other names of teams and people: what the world knows, and what an operator has settled.

The tables in this package (``*.toml``) hold true facts of the world, each line one team with its
names. They serve twice: two names of one team are the same without any letter in common, and two
names of two known teams are never the same however alike they look.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import Any

import msgspec

from kos.domain.matching.normalise import Words, read_data, tokenise, words

_TABLES = ("football.toml", "north_america.toml", "colleges.toml", "others.toml", "nations.toml")


class AliasFact(msgspec.Struct, frozen=True, gc=False):
    """One settled pair of names within a sport."""

    sport: str
    """The sport's key as in ``kos.domain.sports``: ``soccer``."""
    left: str
    """The bookmaker feed's name, as printed."""
    right: str
    """The exchange's name, as printed."""


class AliasTable(msgspec.Struct, frozen=True):
    """What an operator has settled: pairs that are one team, and pairs that never are."""

    confirmed: tuple[AliasFact, ...] = ()
    banned: tuple[AliasFact, ...] = ()


class Knowledge:
    """The packaged tables, by sport: from a name's key to the teams that bear it."""

    def __init__(self) -> None:
        self._teams: dict[str, dict[str, frozenset[int]]] = {}
        self._countries: dict[int, str] = {}
        self._mascots: dict[str, str] = {}
        self.given_names: dict[str, frozenset[str]] = {}
        self._load()

    def teams(self, sport: str, key: str, core: str) -> frozenset[int]:
        """Teams of a sport known under the full key, else under the key without club letters."""
        table = self._teams.get(sport)
        if table is None:
            return _NONE
        return table.get(key) or table.get(core, _NONE)

    def country(self, team: int) -> str:
        """The country or league heading that a team stands under."""
        return self._countries[team]

    def _load(self) -> None:
        known = words()
        number = 0
        for name in _TABLES:
            for sport, groups in read_data(name).items():
                table = self._teams.setdefault(sport, {})
                for heading, lines in groups.items():
                    for names in _lines(lines):
                        number += 1
                        self._countries[number] = heading
                        for key in _keys(names, known):
                            table[key] = table.get(key, _NONE) | {number}
        for line in read_data("people.toml")["given_names"].splitlines():
            for one, other in combinations(line.split(), 2):
                self.given_names[one] = self.given_names.get(one, _NO_NAMES) | {other}
                self.given_names[other] = self.given_names.get(other, _NO_NAMES) | {one}


_NONE: frozenset[int] = frozenset()
_NO_NAMES: frozenset[str] = frozenset()


def _lines(block: Any) -> list[list[str]]:
    return [
        [name.strip() for name in line.split("|")]
        for line in str(block).splitlines()
        if line.strip()
    ]


def _keys(names: list[str], known: Words) -> set[str]:
    keys: set[str] = set()
    for name in names:
        tokens = tokenise(name)
        keys.add(" ".join(tokens))
        core = [t for t in tokens if t not in known.letters]
        if name is names[0] and core:
            keys.add(" ".join(core))
    return keys


@cache
def knowledge() -> Knowledge:
    """The packaged tables, read once."""
    return Knowledge()
