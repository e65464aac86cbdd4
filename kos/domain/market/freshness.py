"""How long a price counts after it was seen.

A price has two ages: since KOS received it, and since its source read it. It is fresh as long as
both are within their limits, and worth nothing afterwards. A limit is inclusive: a price exactly
as old as allowed is still fresh.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache


@lru_cache(maxsize=64)
def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def fresh_until(
    received_at: datetime,
    received_limit_s: float,
    updated_at: datetime | None = None,
    updated_limit_s: float = 0.0,
) -> datetime:
    """The last moment at which a price still counts.

    Args:
        received_at: When KOS had it.
        received_limit_s: How long it counts from then, seconds.
        updated_at: The source's own time of the price. None where it does not say; a time after
            ``received_at`` is a clock that runs ahead, and counts as ``received_at``.
        updated_limit_s: How long it counts from the source's time, seconds.
    """
    until = received_at + _span(received_limit_s)
    if updated_at is None:
        return until
    return min(until, min(updated_at, received_at) + _span(updated_limit_s))


def age_s(now: datetime, seen_at: datetime) -> float:
    """Seconds since ``seen_at``, at least 0 (clocks differ a little)."""
    return max(0.0, (now - seen_at).total_seconds())
