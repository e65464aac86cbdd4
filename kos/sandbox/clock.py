"""World time and wall time: the world may run faster than the clock on the wall.

The world is a function of world seconds. What a server prints is converted back, so that a client
sees a world that agrees with its own clock: at a speed of 60 a match lasts two minutes, and a
kickoff a day away is printed 24 minutes from now.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime


class WorldClock:
    """Converts between wall time and world time, both in seconds since 1970 UTC.

    Args:
        speed: World seconds per wall second, above 0.
        now: The wall clock.
        start: World time at the moment of construction; None for the wall's own.
    """

    def __init__(
        self,
        speed: float = 1.0,
        now: Callable[[], float] = time.time,
        start: datetime | None = None,
    ) -> None:
        if speed <= 0:
            raise ValueError(f"speed: {speed!r} is not allowed; expected a number above 0")
        self.speed = speed
        self._now = now
        self._wall_start = now()
        self._world_start = self._wall_start if start is None else start.timestamp()
        self._held = threading.local()

    def now(self) -> float:
        """Gives world time, or the moment at which this thread holds it."""
        held: float | None = getattr(self._held, "at", None)
        return self.world(self._now()) if held is None else held

    @contextlib.contextmanager
    def held(self, wall: float) -> Iterator[None]:
        """Lets world time stand still in this thread, at what it was at a wall time."""
        self._held.at = self.world(wall)
        try:
            yield
        finally:
            self._held.at = None

    def world(self, wall: float) -> float:
        """Gives the world time that a wall time stands for."""
        return self._world_start + (wall - self._wall_start) * self.speed

    def wall(self, world: float) -> float:
        """Gives the wall time at which the world reaches a world time.

        With ``start`` at a speed of 1 the printed times are the world's own: the world then stands in
        another year, and so do its stamps.
        """
        if self.speed == 1.0:
            return world
        return self._wall_start + (world - self._world_start) / self.speed


def iso(seconds: float) -> str:
    """Gives ``2026-03-01T19:45:00Z``: whole seconds, UTC, as the odds feed prints times."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_ms(seconds: float) -> str:
    """Gives ``2026-03-01T19:45:00.000Z``, as the exchange prints times."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
