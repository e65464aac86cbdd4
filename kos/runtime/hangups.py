"""Notices that a peer has hung up on a socket that no one reads at the moment.

One thread per process waits for hang-ups alone: data that arrives does not wake it.
"""

from __future__ import annotations

import contextlib
import select
import threading
from collections.abc import Callable

_IDLE_S = 1.0
"""The watching thread looks so often whether there is still something to watch, and else ends."""


class Hangups:
    """Calls back once when the other side of a socket is gone.

    Where the system has no ``epoll`` nothing is called: a death is then noticed at the next use.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[int, Callable[[], None]] = {}
        self._epoll: select.epoll | None = None

    def watch(self, fileno: int, call: Callable[[], None]) -> None:
        """Call ``call`` in the watching thread when the peer of ``fileno`` hangs up."""
        if not hasattr(select, "epoll"):
            return
        with self._lock:
            if self._epoll is None:
                self._epoll = select.epoll()
                threading.Thread(
                    target=self._run, args=(self._epoll,), name="hangups", daemon=True
                ).start()
            self._calls[fileno] = call
            self._epoll.register(fileno, select.EPOLLRDHUP | select.EPOLLONESHOT)

    def forget(self, fileno: int) -> None:
        """Stop watching it; call this before closing the socket."""
        with self._lock:
            if self._calls.pop(fileno, None) is not None and self._epoll is not None:
                with contextlib.suppress(OSError):
                    self._epoll.unregister(fileno)

    def _run(self, epoll: select.epoll) -> None:
        while True:
            for fileno, _ in epoll.poll(_IDLE_S):
                call = self._calls.get(fileno)
                if call is not None:
                    call()
            with self._lock:
                if not self._calls:
                    self._epoll = None
                    epoll.close()
                    return
