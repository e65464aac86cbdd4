"""Short ways to say how a daemon is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kos.runtime import ActorDescribed, Meter, NodeDescribed, SystemDescribed
from kos.service.heartbeat import Heartbeat, beat_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Pulse = dict[str, str | int | float]


def actor(name: str, **facts: Any) -> ActorDescribed:
    given: dict[str, Any] = {
        "state": "running",
        "incarnation": 1,
        "restarts": 0,
        "mailbox": 0,
        "handled": 0,
        **facts,
    }
    return ActorDescribed(name=name, **given)


def node(name: str, *actors: ActorDescribed, **facts: Any) -> NodeDescribed:
    given: dict[str, Any] = {
        "pid": 12,
        "state": "running",
        "incarnation": 1,
        "restarts": 0,
        "since_pong_s": 0.5,
        "rss_kb": 1000,
        **facts,
    }
    return NodeDescribed(name=name, actors=actors, **given)


def fetcher(sport_key: str, age_s: float | None = 30.0, **facts: Any) -> ActorDescribed:
    fetched_at = "" if age_s is None else (NOW - timedelta(seconds=age_s)).isoformat()
    pulse: Pulse = {"fetched_at": fetched_at, "events": 8, "problem": "", **facts}
    return actor(f"fetcher.{sport_key}", pulse=pulse)


def budget(left: int = 300) -> ActorDescribed:
    return actor(
        "budget",
        pulse={
            "credits_used": 200,
            "credits_left": left,
            "credits_allowance": 500,
            "credits_reserve": 25,
            "credits_reset_at": "2026-12-01T00:00:00+00:00",
            "credits_last_until": "",
            "polls_today": 7,
        },
    )


def ledger(**facts: Any) -> ActorDescribed:
    pulse: Pulse = {
        "commands": 5,
        "commits": 4,
        "failed_commits": 0,
        "sequence": 5,
        "last_commit_at": (NOW - timedelta(seconds=8)).isoformat(),
        "size_bytes": 4096,
        "wal_bytes": 2048,
        **facts,
    }
    return actor("ledger", pulse=pulse)


def system(*nodes: NodeDescribed, uptime_s: float = 3600.0, **facts: Any) -> SystemDescribed:
    given = nodes or (
        node("ledger", ledger()),
        node(
            "feeds",
            budget(),
            fetcher("soccer_epl"),
            fetcher("tennis_atp", 300.0),
            meters=(Meter("polls_total", {"outcome": "done"}, 4.0),),
        ),
    )
    return SystemDescribed(
        name="kos",
        pid=facts.pop("pid", 11),
        uptime_s=uptime_s,
        is_stopping=facts.pop("is_stopping", False),
        nodes=given,
    )


def beat(described: SystemDescribed | None = None, **facts: Any) -> Heartbeat:
    given: dict[str, Any] = {
        "now": NOW,
        "interval_s": 5.0,
        "is_simulated": False,
        "started_at": NOW - timedelta(hours=1),
        **facts,
    }
    return beat_of(described or system(), **given)
