"""Time as the runtime sees it: UTC for people and records, a monotonic count for intervals."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from. Intervals are never taken from :meth:`now`: it can jump."""

    def now(self) -> datetime:
        """The present moment in UTC, timezone-aware."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never goes back."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment in UTC, timezone-aware."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never goes back."""
        return time.monotonic()


class FakeClock:
    """A clock that stands still until it is told to go on; for tests.

    Args:
        start: The first answer of :meth:`now`; must be timezone-aware.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            msg = "a clock starts at a timezone-aware moment"
            raise ValueError(msg)
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The moment that was set, plus all that has been advanced."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced since the start."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` (0 or more) go by."""
        if seconds < 0:
            msg = f"time does not go back: {seconds}"
            raise ValueError(msg)
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock alone by ``seconds``, as an operator or a time server would."""
        self._now += timedelta(seconds=seconds)
