"""Messages that come later, or again and again, into an actor's own mailbox."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Timer:
    """One appointment; it ends when cancelled, with its actor's incarnation, or when done."""

    due: float
    interval_s: float | None
    _deliver: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Deliver nothing more. Said twice it changes nothing; any thread may say it."""
        self.is_cancelled = True

    def fire(self) -> None:
        """Deliver now, unless cancelled."""
        if self.is_cancelled:
            return
        self.is_cancelled = self.interval_s is None
        self._deliver()


class Timers:
    """The appointments of all actors in a node, kept by one thread.

    A repeated appointment that comes late does not catch up: what was missed is skipped.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._condition = threading.Condition()
        self._has_thread = False

    def add(self, delay_s: float, interval_s: float | None, deliver: Callable[[], None]) -> Timer:
        """Deliver after ``delay_s`` seconds, and then every ``interval_s`` unless None."""
        if delay_s < 0 or (interval_s is not None and interval_s <= 0):
            msg = f"a timer cannot wait {delay_s} s and repeat every {interval_s} s"
            raise ValueError(msg)
        timer = Timer(time.monotonic() + delay_s, interval_s, deliver)
        with self._condition:
            heapq.heappush(self._heap, (timer.due, next(self._numbers), timer))
            if not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._run, name="timers", daemon=True).start()
            self._condition.notify()
        return timer

    def _run(self) -> None:
        while True:
            try:
                self._next_due().fire()
            except Exception as error:  # noqa: BLE001 - one appointment must not end all others
                _log.exception("timer.failed", error=repr(error))

    def _next_due(self) -> Timer:
        with self._condition:
            while True:
                now = time.monotonic()
                if not self._heap:
                    self._condition.wait()
                elif self._heap[0][2].is_cancelled:
                    heapq.heappop(self._heap)
                elif self._heap[0][0] > now:
                    self._condition.wait(self._heap[0][0] - now)
                else:
                    timer = heapq.heappop(self._heap)[2]
                    self._again(timer, now)
                    return timer

    def _again(self, timer: Timer, now: float) -> None:
        if timer.interval_s is None:
            return
        timer.due += timer.interval_s
        if timer.due <= now:
            timer.due = now + timer.interval_s
        heapq.heappush(self._heap, (timer.due, next(self._numbers), timer))
