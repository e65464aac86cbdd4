"""PURE: which children restart after one has ended, after how long, and when to give up.

One function serves the supervisor of the actors in a node and the supervisor of the nodes in
a system. It knows no clock, no thread and no randomness: all that is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from kos.runtime.spec import OnExhausted, Restart, RestartPolicy, Strategy


@dataclass(frozen=True, kw_only=True)
class ChildRecord:
    """What a supervisor remembers of one child between its starts.

    Attributes:
        name: The child's name.
        policy: Its share of the specification.
        restarts: Moments of its restarts within the window, in monotonic seconds, rising.
        streak: Restarts since it last ran for a quiet time.
        started_at: When it last started, in monotonic seconds.
    """

    name: str
    policy: RestartPolicy
    restarts: tuple[float, ...] = ()
    streak: int = 0
    started_at: float = 0.0


class RestartVerdict(Enum):
    """What is to be done about an end."""

    LEAVE = "leave"
    """It stays ended, and so it should."""
    RESTART = "restart"
    """It is started again after the wait."""
    PARK = "park"
    """Its budget is spent; it alone is tried again after a long wait."""
    ESCALATE = "escalate"
    """Its budget is spent; the supervisor gives up."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a supervisor has to carry out.

    Attributes:
        verdict: What is to be done.
        record: The ended child's record from now on.
        stop: Siblings to stop first, in this order (the reverse of the start).
        start: Children to start after the wait, in this order.
        delay_s: The wait in seconds.
    """

    verdict: RestartVerdict
    record: ChildRecord
    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    delay_s: float = 0.0


def backoff_s(policy: RestartPolicy, streak: int, chance: float) -> float:
    """Seconds to wait before the ``streak``-th restart in a row (the first is 1).

    Args:
        policy: First wait, cap and jitter.
        streak: 1 or more.
        chance: A random number from 0 to 1.

    Returns:
        ``first * 2**(streak-1)``, at most the cap, plus ``chance`` times the jitter's share.
        With a first wait of 0.2 and a jitter of 0.2, the third restart waits 0.8 to 0.96 s.
    """
    doublings = min(streak - 1, 62)
    wait = min(policy.backoff_first_s * 2.0**doublings, policy.backoff_cap_s)
    return wait * (1 + policy.backoff_jitter * chance)


def decide(
    strategy: Strategy,
    siblings: Sequence[ChildRecord],
    ended: str,
    *,
    is_failure: bool,
    now: float,
    chance: float,
) -> Decision:
    """What to do now that ``ended`` has ended without being told to.

    Args:
        strategy: Who is restarted together.
        siblings: All children in the order of their start, the ended one included.
        ended: The name of the one that ended.
        is_failure: Whether it failed; False is an end of its own will.
        now: Monotonic seconds.
        chance: A random number from 0 to 1, for the jitter.

    Returns:
        The decision. Restarts never exceed ``max_restarts`` in any ``within_s`` seconds,
        unless the child is one to be parked: then they go on at the pace of the cap.
    """
    record = next(sibling for sibling in siblings if sibling.name == ended)
    policy = record.policy
    if policy.restart is Restart.TEMPORARY or (
        policy.restart is Restart.TRANSIENT and not is_failure
    ):
        return Decision(verdict=RestartVerdict.LEAVE, record=record)
    recent = tuple(at for at in record.restarts if now - at < policy.within_s)
    was_quiet = now - record.started_at >= policy.quiet_reset_s
    streak = 1 if was_quiet else record.streak + 1
    if len(recent) >= policy.max_restarts:
        spent = replace(record, restarts=recent, streak=streak)
        if policy.on_exhausted is OnExhausted.ESCALATE:
            return Decision(verdict=RestartVerdict.ESCALATE, record=spent)
        wait = policy.backoff_cap_s * (1 + policy.backoff_jitter * chance)
        return Decision(verdict=RestartVerdict.PARK, record=spent, start=(ended,), delay_s=wait)
    stop, start = _group(strategy, siblings, ended)
    return Decision(
        verdict=RestartVerdict.RESTART,
        record=replace(record, restarts=(*recent, now), streak=streak),
        stop=stop,
        start=start,
        delay_s=backoff_s(policy, streak, chance),
    )


def _group(
    strategy: Strategy, siblings: Sequence[ChildRecord], ended: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = [sibling.name for sibling in siblings]
    match strategy:
        case Strategy.ONE_FOR_ONE:
            group = [ended]
        case Strategy.ONE_FOR_ALL:
            group = names
        case Strategy.REST_FOR_ONE:
            group = names[names.index(ended) :]
    temporary = {
        sibling.name for sibling in siblings if sibling.policy.restart is Restart.TEMPORARY
    }
    stop = tuple(name for name in reversed(group) if name != ended)
    return stop, tuple(name for name in group if name not in temporary)
