"""Logins to the exchange and the tokens they gave."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

USERNAME: Final = "sandbox-username"
PASSWORD: Final = "sandbox-password"  # noqa: S105 - opens nothing but the sandbox
_LOGINS_A_MINUTE: Final = 100
_BAN_S: Final = 1200.0
_SESSION_S: Final = 12 * 3600.0


@dataclass(slots=True)
class _Session:
    expires_at: float


class Sessions:
    """Logins and the tokens they gave. Safe to use from any thread.

    Args:
        now: The wall clock.
        username: The one account's name.
        password: Its password.
    """

    def __init__(
        self, now: Callable[[], float], username: str = USERNAME, password: str = PASSWORD
    ) -> None:
        self._now = now
        self._account = (username, password)
        self._open: dict[str, _Session] = {}
        self._logins: deque[float] = deque()
        self._banned_until = 0.0
        self._lock = threading.Lock()
        self.refusal = ""
        """When set, every login is refused with this status, e.g. ``ACCOUNT_NOW_LOCKED``."""

    def login(self, username: str, password: str) -> tuple[str, str]:
        """Gives a token and SUCCESS, or an empty token and the reason."""
        now = self._now()
        with self._lock:
            if self.refusal:
                return "", self.refusal
            if now < self._banned_until:
                return "", "TEMPORARY_BAN_TOO_MANY_REQUESTS"
            if (username, password) != self._account:
                return "", "INVALID_USERNAME_OR_PASSWORD"
            while self._logins and self._logins[0] <= now - 60:
                self._logins.popleft()
            if len(self._logins) >= _LOGINS_A_MINUTE:
                self._banned_until = now + _BAN_S
                return "", "TEMPORARY_BAN_TOO_MANY_REQUESTS"
            self._logins.append(now)
            token = secrets.token_urlsafe(32)
            self._open[token] = _Session(now + _SESSION_S)
            return token, "SUCCESS"

    def is_open(self, token: str | None) -> bool:
        """Says whether a token is good."""
        with self._lock:
            session = self._open.get(token or "")
            return session is not None and self._now() < session.expires_at

    def extend(self, token: str) -> bool:
        """Gives a session its full time again; False when it is not open."""
        if not self.is_open(token):
            return False
        with self._lock:
            self._open[token] = _Session(self._now() + _SESSION_S)
        return True

    def close(self, token: str) -> bool:
        """Ends one session; False when it is not open."""
        is_open = self.is_open(token)
        with self._lock:
            self._open.pop(token, None)
        return is_open

    def expire_all(self) -> None:
        """Forgets every session, as the service may at any time."""
        with self._lock:
            self._open.clear()
