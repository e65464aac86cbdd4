"""Threads for the desk: each person's messages in order, and no one waits for anyone else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

Task = Callable[[], None]

MAX_WAITING = 50
"""The maximum number of messages of one person that can wait."""


class PersonQueues:
    """A few threads and a queue for each person.

    Tasks of one lane run in order, one at a time; slow ones can run beside them, on at most half
    of the threads, so that quick ones always have some.

    Args:
        threads: How many tasks can run at the same time.
    """

    def __init__(self, threads: int = 8) -> None:
        self._most = threads
        self._running = 0
        self._lanes: dict[str, deque[Task]] = {}
        self._ready: deque[str] = deque()
        self._beside: deque[Task] = deque()
        self._most_beside = max(1, threads // 2)
        self._running_beside = 0
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, lane: str, task: Task) -> bool:
        """Queue a task in its lane; whether there was room. It keeps this job's context."""
        run = partial(copy_context().run, task)
        with self._changed:
            waiting = self._lanes.get(lane)
            if self._is_closed or (waiting is not None and len(waiting) >= MAX_WAITING):
                return False
            if waiting is None:
                self._lanes[lane] = deque([run])
                self._ready.append(lane)
            else:
                waiting.append(run)
            self._call()
        return True

    def beside(self, task: Task) -> None:
        """Queue a task beside all lanes. It keeps this job's context."""
        run = partial(copy_context().run, task)
        with self._changed:
            self._beside.append(run)
            self._call()

    def close(self) -> None:
        """Refuse further tasks; running ones finish."""
        with self._changed:
            self._is_closed = True
            self._lanes.clear()
            self._ready.clear()
            self._beside.clear()
            self._changed.notify_all()

    def _call(self) -> None:
        """Wake a thread, or start one if all are busy and more are allowed."""
        self._changed.notify()
        if self._running < self._most:
            self._running += 1
            threading.Thread(target=self._work, name="desk", daemon=True).start()

    def _work(self) -> None:
        try:
            while (waiting := self._next()) is not None:
                lane, task = waiting
                try:
                    task()
                finally:
                    self._step_on(lane)
        finally:
            with self._changed:
                self._running -= 1

    def _next(self) -> tuple[str | None, Task] | None:
        """Wait for a task with its lane (None: beside all lanes). None after closing."""
        with self._changed:
            while not self._is_closed:
                if self._ready:
                    lane = self._ready.popleft()
                    return lane, self._lanes[lane].popleft()
                if self._beside and self._running_beside < self._most_beside:
                    self._running_beside += 1
                    return None, self._beside.popleft()
                self._changed.wait()
            return None

    def _step_on(self, lane: str | None) -> None:
        """A task has ended: the next in its lane can run; an empty lane is closed."""
        with self._changed:
            if lane is None:
                self._running_beside -= 1
            elif self._lanes.get(lane):
                self._ready.append(lane)
            else:
                self._lanes.pop(lane, None)
            self._changed.notify()
