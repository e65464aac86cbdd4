"""PURE: from a heartbeat to ok, degraded or failed, with every reason.

*Failed* is what a restart of KOS, or a person at the machine, has to mend: nothing is written
any more, the process is gone, a node or an actor without which nothing works is down. *Degraded*
is what KOS works around or waits out: a sport key that cannot be read, a refused login, credits
that have run out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from kos.runtime import ActorDescribed, NodeDescribed
from kos.service.heartbeat import Heartbeat


class HealthState(StrEnum):
    """How it is, from well to ill."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


class HealthRules(msgspec.Struct, frozen=True, kw_only=True):
    """Where well ends."""

    missed_beats: int = 3
    """A heartbeat older than so many intervals is a silence."""
    least_silence_s: float = 15.0
    """But never less than this, in seconds."""
    pong_s: float = 30.0
    """A node that has not said for so long how it is."""
    settling_s: float = 120.0
    """What is not there yet so soon after the start is on its way."""
    late_poll_s: float = 180.0
    """A poll that is overdue by more."""
    mailbox: int = 500
    """More messages that wait."""
    wal_bytes: int = 256 * 1024 * 1024
    """A larger write-ahead log means that it is not being emptied."""


RULES = HealthRules()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader knows by itself."""

    now: datetime
    monotonic_s: float
    """The machine's clock that no one sets."""
    boot_id: str
    is_process_there: bool | None = None
    """Whether the writer's process exists; None where that is unknown."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """How KOS is, and why."""

    state: HealthState
    reasons: tuple[str, ...]
    """Gravest first; empty when all is well."""
    age_s: float
    """Of the heartbeat, in seconds."""

    @property
    def sentence(self) -> str:
        """One line for a person."""
        more = f" (and {len(self.reasons) - 1} more)" if len(self.reasons) > 1 else ""
        return f"{self.state}: {self.reasons[0]}{more}" if self.reasons else str(self.state)


Finding = tuple[HealthState, str]


def judge(beat: Heartbeat, seen: Seen, rules: HealthRules = RULES) -> Judgement:
    """How KOS is by its heartbeat, as ``seen``."""
    age_s = age_of(beat, seen)
    findings = list(_silence(beat, seen, age_s, rules))
    if not findings:  # what a silent daemon once said of its parts says nothing
        findings = [*_nodes(beat, rules), *_feeds(beat, seen.now, rules), *_stores(beat, rules)]
    grave = sorted(findings, key=lambda finding: finding[0] is not HealthState.FAILED)
    return Judgement(
        state=grave[0][0] if grave else HealthState.OK,
        reasons=tuple(dict.fromkeys(reason for _, reason in grave)),
        age_s=age_s,
    )


def age_of(beat: Heartbeat, seen: Seen) -> float:
    """Seconds since it was written: by the clock no one sets, else by the wall clock."""
    if beat.boot_id and beat.boot_id == seen.boot_id:
        return max(0.0, seen.monotonic_s - beat.written_monotonic_s)
    return max(0.0, (seen.now - beat.written_at).total_seconds())


def _silence(beat: Heartbeat, seen: Seen, age_s: float, rules: HealthRules) -> Iterator[Finding]:
    if beat.boot_id and seen.boot_id and beat.boot_id != seen.boot_id:
        yield HealthState.FAILED, "the machine has restarted since; KOS has not"
    elif seen.is_process_there is False:
        yield HealthState.FAILED, f"process {beat.pid} has ended"
    elif age_s > max(rules.least_silence_s, rules.missed_beats * beat.interval_s):
        reason = f"no heartbeat for {age_s:.0f}s: process {beat.pid} is not responding or cannot write it"
        yield HealthState.FAILED, reason


def _nodes(beat: Heartbeat, rules: HealthRules) -> Iterator[Finding]:
    if beat.system.is_stopping:
        yield HealthState.DEGRADED, "KOS is stopping"
        return
    is_settling = beat.system.uptime_s < rules.settling_s
    for node in beat.system.nodes:
        yield from _node(node, is_settling=is_settling, rules=rules)


def _node(node: NodeDescribed, *, is_settling: bool, rules: HealthRules) -> Iterator[Finding]:
    if node.state != "running":
        is_lost = node.state in {"parked", "stopped"} and not is_settling
        why = f": {node.last_error}" if node.last_error else ""
        yield (
            HealthState.FAILED if is_lost else HealthState.DEGRADED,
            f"node {node.name} is {node.state}{why}",
        )
    elif node.since_pong_s is not None and node.since_pong_s > rules.pong_s:
        yield (
            HealthState.FAILED,
            f"node {node.name} has not responded for {node.since_pong_s:.0f} s",
        )
    for actor in node.actors:
        yield from _actor(actor, rules)


def _actor(actor: ActorDescribed, rules: HealthRules) -> Iterator[Finding]:
    if actor.state in {"parked", "backing_off"}:
        yield HealthState.DEGRADED, f"{actor.name} is {actor.state}: {actor.last_error}"
    elif problem := actor.pulse.get("problem"):
        yield HealthState.DEGRADED, f"{actor.name}: {problem}"
    if actor.mailbox > rules.mailbox:
        yield HealthState.DEGRADED, f"{actor.mailbox} messages waiting for {actor.name}"


def _feeds(beat: Heartbeat, now: datetime, rules: HealthRules) -> Iterator[Finding]:
    if beat.system.uptime_s < rules.settling_s:
        return
    late = [
        sport.sport_key
        for sport in beat.sports
        if not sport.problem
        and sport.next_poll_at is not None
        and now - sport.next_poll_at > timedelta(seconds=rules.late_poll_s)
    ]
    if late:
        more = f" and {len(late) - 1} more" if len(late) > 1 else ""
        yield HealthState.DEGRADED, f"polls are overdue: {late[0]}{more}"
    if beat.sports and not any(sport.fetched_at for sport in beat.sports):
        yield HealthState.DEGRADED, "no sport key has prices"
    if beat.credits is not None and beat.credits.remaining <= beat.credits.reserve:
        day = f"{beat.credits.resets_at:%-d %B}"
        yield HealthState.DEGRADED, f"only reserve credits are left until {day}"


def _stores(beat: Heartbeat, rules: HealthRules) -> Iterator[Finding]:
    database = beat.database
    if database is not None and database.wal_bytes > rules.wal_bytes:
        size = database.wal_bytes // (1024 * 1024)
        yield HealthState.DEGRADED, f"the database's write-ahead log has grown to {size} MiB"


def state_words(state: str) -> str:
    """The state of a node or actor as people read it."""
    return {"parked": "on hold"}.get(state, state.replace("_", " "))
