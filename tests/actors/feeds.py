"""The odds feed on loopback, as a test scripts it: its sports, its prices, its refusals."""

from __future__ import annotations

import json
from typing import Any

from kos.config.settings import OddsApiSettings, Secret
from tests.adapters.loopback import Answer, Loopback, answer

KEY = "feed-key-4711"
QUOTA = {"X-Requests-Used": "7", "X-Requests-Remaining": "493", "X-Requests-Last": "1"}


def feed_settings(server: Loopback, **changed: Any) -> OddsApiSettings:
    """Settings whose feed is this server."""
    plain: dict[str, Any] = {"key": Secret(KEY), "url": server.url}
    return OddsApiSettings(**{**plain, **changed})


def good(*rows: Any, quota: dict[str, str] | None = None) -> Answer:
    """An answer with these rows and the server's counters."""
    return answer(200, json.dumps(rows).encode(), QUOTA if quota is None else quota)


def refused(code: str = "INVALID_KEY", status: int = 401) -> Answer:
    """The feed refuses the key."""
    return answer(status, json.dumps({"error_code": code, "message": "no"}).encode())


def busy(retry_after_s: int) -> Answer:
    """The feed asks for a wait so long that the call is not repeated in it."""
    return answer(429, b"{}", {"Retry-After": str(retry_after_s)})


BROKEN = answer(200, b"<html>Sorry</html>")
"""A page instead of JSON: to be tried again later, and not within the call."""
