"""Folding: what is said again and again is written once, and then counted.

The first line of a trouble is written at once. While the same goes on, one line a window says
how often it was, with the facts of the last; when it has been quiet for a window, it is
forgotten, and would be new again. The level is part of what is compared, so that a
trouble which grows worse is always written. Pure: time is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import msgspec

from kos.observability.vocabulary import is_folded, is_measure

MAX_OPEN = 1_000
"""Different troubles that are followed at a time; what is new beyond them is simply written."""

_DURATION = re.compile(r"\d+(?:\.\d+)?(?=\s?(?:s|ms|seconds|bytes)\b)")

Line = dict[str, Any]


class _Open(msgspec.Struct):
    due: float
    """When the window ends."""
    repeats: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    last: Line = msgspec.field(default_factory=dict)


class Folder:
    """Decides what is written.

    Args:
        window_s: How often a trouble that goes on is written; 0 writes everything.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._open: dict[Hashable, _Open] = {}

    def offer(self, line: Mapping[str, Any], now: float) -> bool:
        """Whether ``line`` is to be written now; if not, it is counted."""
        if not self._window_s or not is_folded(str(line.get("event")), str(line.get("level"))):
            return True
        key = _key_of(line)
        window = self._open.get(key)
        if window is None or (window.due <= now and not window.repeats):
            if window is None and len(self._open) >= MAX_OPEN:
                self._forget_quiet(now)
            if window is not None or len(self._open) < MAX_OPEN:
                self._open[key] = _Open(due=now + self._window_s)
            return True
        if not window.repeats:
            window.first_at = now
        window.repeats += 1
        window.last_at = now
        window.last = dict(line)
        return False

    def due(self, now: float) -> list[Line]:
        """The lines of windows that have ended by ``now``; quiet troubles are forgotten."""
        lines = []
        for key, window in list(self._open.items()):
            if window.due > now:
                continue
            if window.repeats:
                lines.append(_summary(window))
                self._open[key] = _Open(due=now + self._window_s)
            else:
                del self._open[key]
        return lines

    def _forget_quiet(self, now: float) -> None:
        for key, window in list(self._open.items()):
            if window.due <= now and not window.repeats:
                del self._open[key]

    def next_due(self) -> float | None:
        """When the next window ends that has something to say; None when none has."""
        return min((window.due for window in self._open.values() if window.repeats), default=None)

    def rest(self) -> list[Line]:
        """What was counted and not yet written, as the process ends."""
        lines = [_summary(window) for window in self._open.values() if window.repeats]
        self._open.clear()
        return lines


def _summary(window: _Open) -> Line:
    line = window.last
    line.pop("exception", None)  # the first line has it
    return line | {"repeats": window.repeats, "span_s": round(window.last_at - window.first_at, 1)}


def _key_of(line: Mapping[str, Any]) -> Hashable:
    """What makes it the same: level, event and every fact that is no measure."""
    return tuple(
        (key, _DURATION.sub("#", value) if isinstance(value, str) else repr(value))
        for key, value in sorted(line.items())
        if not is_measure(key)
    )
