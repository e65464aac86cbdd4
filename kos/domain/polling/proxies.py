"""A pool of proxy sessions: who goes through which, which one rests, and when it is tried again.

A session is one way out, named by an id that the provider turns into one address. Each sport
key stays with its session, so that a remote sees one caller and not a crowd; sessions carry about
the same number of keys. A session that fails again and again is retired: its keys move on at
once, and after a rest, which doubles each time, a check decides whether it serves again. Its next
life has a new id, for which the provider gives a new address.

Pure: what happened goes in with the time, a new pool comes out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

RETIRE_AFTER = 3
"""Failures in a row; the gateway itself asks for two more tries with the same id."""
REST_LONGEST = timedelta(minutes=30)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One way out."""

    slot: int
    """0 and up."""
    session_id: str
    """What the provider is told: letters and digits."""
    lives: int = 1
    failures: int = 0
    """In a row."""
    rests: int = 0
    """Retirements in a row; sets how long the next rest is."""
    resting_until: datetime | None = None
    is_on_trial: bool = False
    """Its rest is over and it has not answered yet: it serves no one but a check."""
    last_problem: str = ""
    checked_at: datetime | None = None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions, and who goes through which."""

    sessions: tuple[Session, ...]
    assigned: Mapping[str, int] = {}
    """Key to slot."""


def open_pool(size: int, seed: str) -> Pool:
    """A pool of ``size`` sessions, 1 or more.

    Args:
        size: How many ways out.
        seed: Makes ids that no other installation has and that stay over a restart.
    """
    return Pool(
        sessions=tuple(
            Session(slot=slot, session_id=session_id(seed, slot, 1)) for slot in range(size)
        )
    )


def session_id(seed: str, slot: int, life: int) -> str:
    """An id of 12 letters and digits that says nothing about who it is for."""
    return hashlib.sha256(f"{seed}/{slot}/{life}".encode()).hexdigest()[:12]


def assign(pool: Pool, key: str) -> tuple[Pool, Session | None]:
    """The session of a key, as before while it serves; None while none serves."""
    serving = {session.slot: session for session in pool.sessions if serves(session)}
    slot = pool.assigned.get(key)
    if slot in serving:
        return pool, serving[slot]
    if not serving:
        return pool, None
    loads = Counter(dict.fromkeys(serving, 0))
    loads.update(slot for slot in pool.assigned.values() if slot in serving)
    least = min(serving, key=lambda slot: (loads[slot], slot))
    assigned = {**pool.assigned, key: least}
    return msgspec.structs.replace(pool, assigned=assigned), serving[least]


def forget(pool: Pool, keys: frozenset[str]) -> Pool:
    """Only these keys are left."""
    assigned = {key: slot for key, slot in pool.assigned.items() if key in keys}
    return msgspec.structs.replace(pool, assigned=assigned)


def serves(session: Session) -> bool:
    """Whether keys may go through it."""
    return session.resting_until is None and not session.is_on_trial


def succeeded(pool: Pool, used_id: str, now: datetime) -> Pool:
    """A call through it was answered, by whatever status of the remote."""

    def changed(session: Session) -> Session:
        return Session(
            slot=session.slot, session_id=session.session_id, lives=session.lives, checked_at=now
        )

    after = _with(pool, used_id, changed)
    was_away = any(
        session.session_id == used_id and not serves(session) for session in pool.sessions
    )
    return _balanced(after) if was_away else after


def failed(
    pool: Pool, used_id: str, problem: str, now: datetime, *, seed: str, rest_first: timedelta
) -> Pool:
    """A call did not come through the session; a word on an id of a former life is nothing."""

    def changed(session: Session) -> Session:
        failures = session.failures + 1
        if failures < RETIRE_AFTER and not session.is_on_trial:
            return msgspec.structs.replace(
                session, failures=failures, last_problem=problem, checked_at=now
            )
        rest = min(REST_LONGEST, rest_first * 2 ** min(session.rests, 16))
        life = session.lives + 1
        return Session(
            slot=session.slot,
            session_id=session_id(seed, session.slot, life),
            lives=life,
            rests=session.rests + 1,
            resting_until=now + rest,
            last_problem=problem,
            checked_at=now,
        )

    return _with(pool, used_id, changed)


def refreshed(pool: Pool, now: datetime) -> Pool:
    """Those whose rest is over are on trial."""
    sessions = tuple(
        msgspec.structs.replace(session, resting_until=None, is_on_trial=True)
        if session.resting_until is not None and session.resting_until <= now
        else session
        for session in pool.sessions
    )
    return msgspec.structs.replace(pool, sessions=sessions)


def due_check(pool: Pool, now: datetime, every: timedelta) -> Session | None:
    """The session to check next: one on trial, else one that no one has used for ``every``."""
    waiting = [
        session
        for session in pool.sessions
        if session.is_on_trial
        or (serves(session) and (session.checked_at is None or now - session.checked_at >= every))
    ]
    always = datetime.min.replace(tzinfo=now.tzinfo)
    return min(
        waiting,
        key=lambda session: (not session.is_on_trial, session.checked_at or always),
        default=None,
    )


def next_trial(pool: Pool) -> datetime | None:
    """When the first resting session is tried again; None while none rests."""
    return min(
        (session.resting_until for session in pool.sessions if session.resting_until), default=None
    )


def _with(pool: Pool, used_id: str, change: Callable[[Session], Session]) -> Pool:
    sessions = tuple(
        change(session) if session.session_id == used_id else session for session in pool.sessions
    )
    return msgspec.structs.replace(pool, sessions=sessions)


def _balanced(pool: Pool) -> Pool:
    """Loads that differ by one at most among those that serve (one at least), with the fewest moves."""
    serving = [session.slot for session in pool.sessions if serves(session)]
    assigned = dict(pool.assigned)
    loads = Counter(dict.fromkeys(serving, 0))
    loads.update(slot for slot in assigned.values() if slot in loads)
    while True:
        most, least = max(serving, key=loads.__getitem__), min(serving, key=loads.__getitem__)
        if loads[most] - loads[least] <= 1:
            break
        key = max(key for key, slot in assigned.items() if slot == most)
        assigned[key] = least
        loads[most] -= 1
        loads[least] += 1
    return msgspec.structs.replace(pool, assigned=assigned)
