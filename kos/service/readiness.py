"""Whether the daemon is ready and alive, for a service manager."""

from __future__ import annotations

import msgspec

from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed
from kos.service.health import state_words

FRESH_S = 5.0
"""A node that has not reported for this long counts as silent."""

_LIVING = frozenset({"running", "starting", "backing_off"})
"""An actor that is being restarted is fine: its supervisor takes care of it."""


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon's status, for a service manager."""

    is_up: bool
    """Every critical actor is running, in a running node."""
    silent: tuple[str, ...]
    """Critical actors that are not known to be working, each with the reason. Any: not alive."""
    awaited: tuple[str, ...]
    """First answers of remote services that have not arrived yet."""
    problems: tuple[str, ...]
    """Problems that are not fatal, such as a refused key."""

    @property
    def status(self) -> str:
        """One line for a person."""
        for what, lines in (
            ("not alive", self.silent),
            ("awaited", self.awaited),
            ("degraded", self.problems),
        ):
            if lines:
                more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
                return f"{what}: {lines[0]}{more}"
        return "running"


def readiness(system: SystemDescribed, critical: frozenset[str]) -> Readiness:
    """Judge a described system.

    Args:
        system: As reported at the last ping of each node.
        critical: The actors without which KOS does not do its work.
    """
    silent: list[str] = []
    awaited: list[str] = []
    problems: list[str] = []
    missing = set(critical)
    is_up = True
    for node in system.nodes:
        for actor in node.actors:
            missing.discard(actor.name)
            if actor.name in critical and (reason := _silence(node, actor)):
                silent.append(f"{actor.name}: {reason}")
            is_up = is_up and (actor.name not in critical or actor.state == "running")
            if what := actor.pulse.get("awaits"):
                awaited.append(f"{actor.name}: {what}")
            if problem := actor.pulse.get("problem"):
                problems.append(f"{actor.name}: {problem}")
            elif actor.state == "parked":
                problems.append(f"{actor.name} is on hold: {actor.last_error}")
    silent += [f"{name}: unknown" for name in sorted(missing)]
    return Readiness(
        is_up=is_up and not silent,
        silent=tuple(silent),
        awaited=tuple(awaited),
        problems=tuple(problems),
    )


def _silence(node: NodeDescribed, actor: ActorDescribed) -> str:
    """Why an actor is not known to be working; empty when it is."""
    if node.state != "running":
        return f"node {node.name} is {state_words(node.state)}"
    if node.since_pong_s is None:
        return f"node {node.name} has not reported yet"
    if node.since_pong_s > FRESH_S:
        return f"node {node.name} has stopped reporting"
    if actor.state not in _LIVING:
        return f"it is {state_words(actor.state)}"
    return ""
