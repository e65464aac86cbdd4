"""Meters: what a process counts and times, carried to the main process by every answered ping.

One table per process, as it is one process that is scraped for. Counting is a dictionary entry
behind a lock, well below a microsecond, so it may stand anywhere but in the innermost loop.
Figures begin at nought with the process: a reader that knows counters (Prometheus does) takes
a fall for a restart.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass

import msgspec

SECONDS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Bounds that fit most durations, in seconds."""

MAX_SERIES = 2_000
"""Of one process. Labels are meant to be few; what would go beyond is not counted."""


class Meter(msgspec.Struct, frozen=True, array_like=True):
    """One counter, or one histogram, as it stands."""

    name: str
    labels: dict[str, str]
    value: float
    """What was counted; of a histogram, the sum of what was observed."""
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, rising; empty for a counter."""
    counts: tuple[int, ...] = ()
    """How many fell into each bucket, and one more for those above all bounds."""


@dataclass(slots=True)
class _Series:
    name: str
    labels: dict[str, str]
    bounds: tuple[float, ...]
    counts: list[int]
    value: float = 0.0


class Meters:
    """Counters and histograms by name and labels. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], _Series] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Count ``amount`` (0 or more) events of ``name``."""
        with self._lock:
            series = self._of(name, labels, ())
            if series is not None:
                series.value += amount

    def observe(
        self, name: str, value: float, bounds: tuple[float, ...] = SECONDS, **labels: str
    ) -> None:
        """Put ``value`` into its bucket; the bounds of the first call hold."""
        with self._lock:
            series = self._of(name, labels, bounds)
            if series is not None:
                series.value += value
                series.counts[bisect_left(series.bounds, value)] += 1

    def read(self) -> tuple[Meter, ...]:
        """All of them as they stand."""
        with self._lock:
            return tuple(
                Meter(series.name, series.labels, series.value, series.bounds, tuple(series.counts))
                for series in self._series.values()
            )

    def _of(self, name: str, labels: dict[str, str], bounds: tuple[float, ...]) -> _Series | None:
        key = (name, tuple(sorted(labels.items())))
        series = self._series.get(key)
        if series is None and len(self._series) < MAX_SERIES:
            counts = [0] * (len(bounds) + 1) if bounds else []
            series = self._series[key] = _Series(name, labels, bounds, counts)
        return series


meters = Meters()
"""This process's own."""
