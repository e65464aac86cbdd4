"""SIGHUP: the settings are read again, and what may change while KOS runs is taken over.

The whole file is checked first, and one that does not hold changes nothing. What may change is
listed in :data:`LIVE`; of everything else the log says that it needs a restart. An actor is handed
its new args and takes them in, or is restarted in order: see :meth:`kos.runtime.Actor.renewed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog

from kos.config.settings import Settings, tables
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidSettings

LIVE: Mapping[str, frozenset[str]] = {
    "odds_api": frozenset(
        {
            "sports",
            "sports_excluded",
            "max_sports",
            "monthly_credits",
            "reserve_credits",
            "min_interval_s",
            "max_interval_s",
        }
    ),
    "scoring": frozenset(ScoringRules.__struct_fields__),
    "service": frozenset({"log_level"}),
    "telegram": frozenset({"admins", "operators", "groups"}),
}
"""By table, the settings that take effect without a restart."""

_log = structlog.get_logger()


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the settings in force when others are read."""

    settings: Settings
    """Those in force, with the changes that need no restart."""
    changed: tuple[str, ...]
    """Keys that take effect now."""
    waiting: tuple[str, ...]
    """Keys that take effect at the next start."""


def merge(present: Settings, fresh: Settings) -> Merged:
    """Take over from ``fresh`` what may change while KOS runs."""
    merged: dict[str, Any] = {}
    changed: list[str] = []
    waiting: list[str] = []
    for table in tables():
        old, new = getattr(present, table), getattr(fresh, table)
        live = LIVE.get(table, frozenset())
        other = [name for name in old.__struct_fields__ if getattr(old, name) != getattr(new, name)]
        changed += [f"{table}.{name}" for name in other if name in live]
        waiting += [f"{table}.{name}" for name in other if name not in live]
        taken = {name: getattr(new, name) for name in other if name in live}
        merged[table] = msgspec.structs.replace(old, **taken)
    return Merged(settings=Settings(**merged), changed=tuple(changed), waiting=tuple(waiting))


class Reload:
    """Called at each SIGHUP, in the main loop.

    Args:
        settings: Those in force.
        read: Reads all settings afresh; raises InvalidSettings.
        apply: Takes over merged settings.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Settings],
        apply: Callable[[Settings], None],
    ) -> None:
        self._settings = settings
        self._read = read
        self._apply = apply

    def __call__(self) -> None:
        """Read, check, take over, and say in the log what became of it."""
        try:
            fresh = self._read()
        except InvalidSettings as refused:
            _log.error("settings.refused", problems=refused.problems)
            return
        merged = merge(self._settings, fresh)
        if merged.changed:
            self._apply(merged.settings)
            self._settings = merged.settings
        if merged.waiting:
            _log.warning("settings.await_restart", changed=merged.waiting)
        _log.info("settings.reloaded", changed=merged.changed)
