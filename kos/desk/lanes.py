"""Threads that do the desk's work: one person's words in their order, nobody waits for another."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

Task = Callable[[], None]

MAX_WAITING = 50
"""Words of one person that may wait; a person types no more."""


class Lanes:
    """A few threads and a queue for each person.

    Tasks of one lane run one after another, in order; slow ones may be run beside them.

    Args:
        threads: How many tasks may run at once.
    """

    def __init__(self, threads: int = 8) -> None:
        self._most = threads
        self._running = 0
        self._lanes: dict[str, deque[Task]] = {}
        self._ready: deque[str] = deque()
        self._beside: deque[Task] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, lane: str, task: Task) -> bool:
        """Do a task after those of its lane; whether there was room. It works for this job."""
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
        """Do a task beside all lanes. It works for this job."""
        run = partial(copy_context().run, task)
        with self._changed:
            self._beside.append(run)
            self._call()

    def close(self) -> None:
        """Take nothing more; what runs is left to end by itself."""
        with self._changed:
            self._is_closed = True
            self._lanes.clear()
            self._ready.clear()
            self._beside.clear()
            self._changed.notify_all()

    def _call(self) -> None:
        """Wake a thread, or start one where all are busy and there may be more."""
        self._changed.notify()
        if self._running < self._most:
            self._running += 1
            threading.Thread(target=self._work, name="desk", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._ready or self._beside or self._is_closed):
                    self._changed.wait()
                if self._is_closed:
                    return
                lane = self._ready.popleft() if self._ready else None
                task = self._beside.popleft() if lane is None else self._lanes[lane].popleft()
            try:
                task()
            finally:
                with self._changed:
                    self._step_on(lane)

    def _step_on(self, lane: str | None) -> None:
        """The next task of a lane may run; an empty lane is closed."""
        if lane is None or lane not in self._lanes:
            return
        if self._lanes[lane]:
            self._ready.append(lane)
            self._changed.notify()
        else:
            del self._lanes[lane]
