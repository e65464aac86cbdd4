"""The daemon's word to the service manager: ready, alive, reloading, stopping, and a status line.

The watchdog is fed from the supervising loop, and only while nothing critical is silent. A thread
that feeds it regardless would hide the very deadlock that it is there to end.
"""

from __future__ import annotations

import time

import structlog

from kos.runtime import System
from kos.service.readiness import readiness
from kos.service.systemd import ServiceManager

FIRST_ANSWERS_S = 20.0
"""Remote services have so long to answer first; then KOS is ready, and says that it is degraded."""

_LOOK_S = 1.0

_log = structlog.get_logger()


class Watchdog:
    """Looks at the system from its own loop and tells the service manager.

    Args:
        system: Not yet started.
        manager: Whom to tell.
        critical: The actors without which the watchdog is not fed.
    """

    def __init__(self, system: System, manager: ServiceManager, critical: frozenset[str]) -> None:
        self._system = system
        self._manager = manager
        self._critical = critical
        self._fed_at = 0.0
        self._is_ready = False
        self._is_stopping = False
        if manager.is_there:
            look_s = min(_LOOK_S, manager.watchdog_s / 4) if manager.watchdog_s else _LOOK_S
            system.every(look_s, self.look)
            system.on_change(lambda _: self.look())

    def look(self) -> None:
        """Judge the system as it is now, and tell."""
        described = self._system.describe()
        if described.is_stopping:
            if not self._is_stopping:
                self._is_stopping = True
                self._manager.stopping()
                self._manager.status("stopping")
            return
        state = readiness(described, self._critical)
        self._manager.status(state.status if self._is_ready else f"starting; {state.status}")
        if state.silent:
            return
        if self._is_ready:
            self._feed()
        elif state.is_up and (not state.awaited or described.uptime_s > FIRST_ANSWERS_S):
            self._is_ready = self._manager.ready()
            if self._is_ready:
                self._manager.status(state.status)
                _log.info("service.ready", status=state.status)

    def _feed(self) -> None:
        now = time.monotonic()
        if self._manager.watchdog_s and now - self._fed_at >= self._manager.watchdog_s / 2:
            self._fed_at = now
            self._manager.alive()
