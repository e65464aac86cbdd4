"""What is past its use goes by itself, a bounded piece with a commit that is made anyway."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from kos.db import stamp

KEPT_FOR = timedelta(days=30)
"""How long settled promises, actions that are over and expired values stay in the file."""
PAUSE = timedelta(minutes=1)
"""How often it is looked, unless a piece was left over."""
MAX_ROWS = 100
"""Rows of each kind in one commit at most."""

_EXPIRE = (
    "UPDATE outbox SET outcome = 'expired', answer = NULL, settled_at = :now WHERE entry_id IN"
    " (SELECT entry_id FROM outbox WHERE outcome = 'waiting' AND expires_at <= :now"
    "  ORDER BY expires_at LIMIT :rows)"
)
_REMOVE_SETTLED = (
    "DELETE FROM outbox WHERE entry_id IN (SELECT entry_id FROM outbox"
    " WHERE settled_at IS NOT NULL AND settled_at < :past ORDER BY settled_at LIMIT :rows)"
)
_REMOVE_OVER = (
    "DELETE FROM actions WHERE action_id IN (SELECT action_id FROM actions"
    " WHERE COALESCE(used_at, expires_at) < :past"
    " ORDER BY COALESCE(used_at, expires_at) LIMIT :rows)"
)
_REMOVE_EXPIRED = (
    "DELETE FROM kept WHERE (owner, name) IN (SELECT owner, name FROM kept"
    " WHERE expires_at IS NOT NULL AND expires_at < :past ORDER BY expires_at LIMIT :rows)"
)
_STEPS = (_EXPIRE, _REMOVE_SETTLED, _REMOVE_OVER, _REMOVE_EXPIRED)


class Retention:
    """Tidies within the writer's transactions, by the writer's clock."""

    def __init__(self) -> None:
        self._looked_at: datetime | None = None

    def tidy(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Mark what expired while it waited and remove what is long past, when it is time to."""
        # A clock that was set back must not stop it until it has caught up.
        if self._looked_at is not None and abs(now - self._looked_at) < PAUSE:
            return
        values = {"now": stamp(now), "past": stamp(now - KEPT_FOR), "rows": MAX_ROWS}
        touched = [connection.execute(sql, values).rowcount for sql in _STEPS]
        self._looked_at = None if max(touched) >= MAX_ROWS else now
