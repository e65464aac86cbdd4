"""Known other names of teams and people: what the world knows, and what an operator has settled.

The tables in this package (``*.toml``) hold true facts of the world, each line one team with its
names. They serve twice: two names of one team are the same without any letter in common, and two
names of two known teams are never the same however alike they look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import combinations

import msgspec

from kos.domain.matching.normalise import name_words, read_data, strip_marks, vocabulary
from kos.errors import InvalidInput

_SPORTS_OF = {
    "soccer": ("football.toml", "nations.toml"),
    "basketball": ("north_america.toml", "others.toml", "colleges.toml", "nations.toml"),
    "americanfootball": ("north_america.toml", "colleges.toml"),
    "baseball": ("north_america.toml", "colleges.toml", "nations.toml"),
    "icehockey": ("north_america.toml", "nations.toml"),
    "lacrosse": ("others.toml", "colleges.toml"),
    "cricket": ("others.toml", "nations.toml"),
    "rugbyleague": ("others.toml", "nations.toml"),
    "rugbyunion": ("others.toml", "nations.toml"),
    "aussierules": ("others.toml",),
    "handball": ("others.toml", "nations.toml"),
    "volleyball": ("nations.toml",),
}
"""Which tables hold teams of a sport."""


class AliasPair(msgspec.Struct, frozen=True, gc=False):
    """One settled pair of names within a sport."""

    sport: str
    """The sport's key as in ``kos.domain.market.sports``: ``soccer``."""
    left: str
    """The bookmaker feed's name, as printed."""
    right: str
    """The exchange's name, as printed."""


class AliasTable(msgspec.Struct, frozen=True):
    """What an operator has settled: pairs that are one team, and pairs that never are."""

    confirmed: tuple[AliasPair, ...] = ()
    banned: tuple[AliasPair, ...] = ()


class _Table:
    """The teams of one sport by their names: as printed, and with the club letters left out."""

    def __init__(self, sport: str, leave_out: frozenset[str]) -> None:
        self.full: dict[str, frozenset[int]] = {}
        self.core: dict[str, frozenset[int]] = {}
        self.headings: dict[int, str] = {}
        letters = vocabulary(sport).letters
        for heading, names in teams_of(sport):
            if heading in leave_out:
                continue
            team = len(self.headings)
            self.headings[team] = heading
            for name in names:
                tokens = name_words(strip_marks(name, sport).base, sport)
                full = " ".join(tokens)
                core = " ".join(t for t in tokens if t not in letters and not t.isdigit()) or full
                self.full[full] = self.full.get(full, _NONE) | {team}
                self.core[core] = self.core.get(core, _NONE) | {team}


class Knowledge:
    """The packaged tables: from a name to the teams that bear it. A sport is read when first asked.

    Args:
        leave_out: Headings (countries, leagues) to do without, to see what a matcher is worth
            that has never heard of a competition.
    """

    def __init__(self, *, leave_out: frozenset[str] = frozenset()) -> None:
        self._leave_out = leave_out
        self._tables: dict[str, _Table] = {}
        self.given_names = _given_names()

    def teams(self, sport: str, full: str, core: str, country: str) -> frozenset[int]:
        """Teams of a sport known under the full name, else under the name without club letters.

        Args:
            sport: The sport's key.
            full: The name's words.
            core: The same without club letters.
            country: Where given, only teams under that heading (a country or league).
        """
        table = self._tables.get(sport)
        if table is None:
            table = self._tables[sport] = _Table(sport, self._leave_out)
        teams = table.full.get(full)
        if teams is None:
            teams = table.core.get(core, _NONE)
        headings = Counter(table.headings[team] for team in teams)
        return frozenset(
            team
            for team in teams
            # What two teams of one league are called tells neither.
            if headings[heading := table.headings[team]] == 1
            and (not country or heading in {country, "nations"})
        )


_NONE: frozenset[int] = frozenset()


def teams_of(sport: str) -> list[tuple[str, list[str]]]:
    """Heading and names of every team in the tables of a sport."""
    teams: list[tuple[str, list[str]]] = []
    for name in _SPORTS_OF.get(sport, ()):
        table = read_data(name)
        groups = table.get(sport) or {k: v for k, v in table.items() if isinstance(v, str)}
        for heading, block in groups.items():
            teams.extend((heading, _names(line)) for line in block.splitlines() if line.strip())
    return teams


def _names(line: str) -> list[str]:
    """All names on a line; a college's stand with and without its nickname."""
    schools, _, mascots = line.partition(";")
    names = [name.strip() for name in schools.split("|")]
    nicknames = [nick.strip() for nick in mascots.split("|") if nick.strip()]
    return names + [f"{name} {nick}" for name in names for nick in nicknames]


def _given_names() -> dict[str, frozenset[str]]:
    together: dict[str, set[str]] = defaultdict(set)
    for line in read_data("people.toml")["given_names"].splitlines():
        for one, other in combinations(line.split(), 2):
            together[one].add(other)
            together[other].add(one)
    return {name: frozenset(others) for name, others in together.items()}


@cache
def knowledge() -> Knowledge:
    """The packaged tables, shared by all matchers of the process."""
    return Knowledge()


class NamePair(msgspec.Struct, frozen=True):
    """Two names that may be one side."""

    sport: str
    """The sport as the matcher and aliases name it."""
    feed_name: str
    exchange_name: str
    score: float
    """How well they agree, 0 to 1; 1 is beyond doubt."""
    why: str


class AliasVerdict(StrEnum):
    """A person's decision about two names."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """An earlier decision is undone."""


class SettledAlias(msgspec.Struct, frozen=True):
    """The decision in force for two names."""

    sport: str
    feed_name: str
    exchange_name: str
    verdict: AliasVerdict
    evidence: str
    decided_by: str
    decided_at: datetime


class SharedAlias(msgspec.Struct, frozen=True):
    """A decision as it is exported to others, without the person who made it."""

    sport: str
    feed_name: str
    exchange_name: str
    verdict: AliasVerdict
    evidence: str = ""


def shared_aliases(text: str, source: str) -> tuple[SharedAlias, ...]:
    """The decisions in a file of JSON lines, as ``kos aliases export`` writes it.

    Args:
        text: The contents; empty lines are skipped.
        source: Its name, for refusals.

    Raises:
        InvalidInput: A line is not such a decision; names the line.
    """
    aliases = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            aliases.append(msgspec.json.decode(line, type=SharedAlias))
        except msgspec.MsgspecError:
            where = f"{source} line {number}"
            raise InvalidInput(where, line, "a line from kos aliases export") from None
    return tuple(aliases)


def alias_table(settled: Iterable[SettledAlias | SharedAlias]) -> AliasTable:
    """Decisions in force as the matcher takes them, in a fixed order so that they can be compared."""
    pairs: dict[AliasVerdict, list[AliasPair]] = defaultdict(list)
    for alias in settled:
        pairs[alias.verdict].append(AliasPair(alias.sport, alias.feed_name, alias.exchange_name))

    def of(verdict: AliasVerdict) -> tuple[AliasPair, ...]:
        return tuple(sorted(pairs[verdict], key=msgspec.structs.astuple))

    return AliasTable(confirmed=of(AliasVerdict.CONFIRMED), banned=of(AliasVerdict.REJECTED))
