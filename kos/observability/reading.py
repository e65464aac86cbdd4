"""Reading the log again: which lines are wanted, from files that are turned meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

from kos.messages import FETCHER
from kos.observability.vocabulary import LEVELS

_LOOK_S = 0.2
"""How often a followed file is looked at."""

Line = dict[str, Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted; what is None wants all."""

    level: str | None = None
    """This grave or graver."""
    event: str | None = None
    """An event, or the beginning of some that ends in a dot: ``quotes.``"""
    node: str | None = None
    actor: str | None = None
    """An actor, or the beginning of some that ends in a dot: ``fetcher.``"""
    sport_key: str | None = None
    """A sport key or its beginning; also the lines of its fetcher."""
    job_id: str | None = None
    since: datetime | None = None

    def takes(self, line: Line) -> bool:
        """Whether ``line`` is wanted."""
        actor = str(line.get("actor", ""))
        return (
            (self.level is None or _rank(line.get("level")) >= LEVELS.index(self.level))
            and (self.event is None or _is(self.event, str(line.get("event", ""))))
            and (self.node is None or line.get("node") == self.node)
            and (self.actor is None or _is(self.actor, actor))
            and (self.job_id is None or self.job_id in _jobs(line))
            and (
                self.sport_key is None
                or str(line.get("sport_key", "")).startswith(self.sport_key)
                or actor.startswith(FETCHER + self.sport_key)
            )
            and (self.since is None or _is_after(line.get("ts"), self.since))
        )


def parse(text: str) -> Line | None:
    """The line that a text holds; None where it is none of KOS's."""
    try:
        line = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return line if isinstance(line, dict) and "event" in line else None


class LogFile:
    """A log and its turned files, read from the oldest line on.

    Args:
        path: ``kos.log``; it may be absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _open(path)
        self._rest = ""
        """The beginning of a line that is not whole yet."""

    def past(self) -> Iterator[str]:
        """All whole lines that are there."""
        for older in reversed(self._turned()):
            with contextlib.suppress(FileNotFoundError), _opened(older) as file:
                yield from file
        yield from self._whole()

    def coming(self) -> Iterator[str]:
        """What is written after that, for ever; goes along when the file is turned."""
        while True:
            lines = list(self._whole())
            yield from lines
            if not lines and not self._follow():
                time.sleep(_LOOK_S)

    def close(self) -> None:
        """Stop reading."""
        if self._file is not None:
            self._file.close()

    def _turned(self) -> list[Path]:
        """The turned files, newest first; not one that was still current when we opened it."""
        turned = []
        number = 1
        while (older := self._path.with_name(f"{self._path.name}.{number}")).exists():
            if not self._is_ours(older):
                turned.append(older)
            number += 1
        return turned

    def _whole(self) -> Iterator[str]:
        if self._file is None:
            return
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        yield from lines

    def _follow(self) -> bool:
        """Open what has the name now, once nothing more is in what had it; whether it did so."""
        if not self._path.exists() or self._is_ours(self._path):
            return False
        if self._file is not None:
            # What was written between our last read and the turn is still to be had.
            if more := self._file.read():
                self._rest += more
                return True
            self._file.close()
        self._file = _open(self._path)
        return True

    def _is_ours(self, path: Path) -> bool:
        if self._file is None:
            return False
        try:
            return os.path.samestat(path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False


def _open(path: Path) -> TextIO | None:
    try:
        return _opened(path)
    except FileNotFoundError:
        return None


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace")


def _jobs(line: Line) -> list[object]:
    several = line.get("job_ids")
    return [line.get("job_id"), *(several if isinstance(several, list) else ())]


def _rank(level: object) -> int:
    return LEVELS.index(level) if isinstance(level, str) and level in LEVELS else 0


def _is(wanted: str, value: str) -> bool:
    return value.startswith(wanted) if wanted.endswith(".") else value == wanted


def _is_after(ts: object, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(ts)) >= moment
    except (ValueError, TypeError):
        return False
