"""Whether the daemon may be called ready, and alive, as a service manager wants to know it."""

from __future__ import annotations

import msgspec

from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed

FRESH_S = 5.0
"""A node that has not said for so long how it is counts as silent."""

_LIVING = frozenset({"running", "starting", "backing_off"})
"""An actor that is being restarted is looked after: that is what its supervisor is for."""


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """How the daemon is, for whoever watches over it."""

    is_up: bool
    """Every critical actor runs, in a node that runs."""
    silent: tuple[str, ...]
    """Critical actors of which nothing good is known, each with the reason. Any: not alive."""
    awaited: tuple[str, ...]
    """What has not come in yet of the first answers of remote services."""
    problems: tuple[str, ...]
    """What goes wrong without being fatal, such as a refused key."""

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
        system: As the nodes said at their last ping.
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
                problems.append(f"{actor.name} is parked: {actor.last_error}")
    silent += [f"{name}: nobody knows it" for name in sorted(missing)]
    return Readiness(
        is_up=is_up and not silent,
        silent=tuple(silent),
        awaited=tuple(awaited),
        problems=tuple(problems),
    )


def _silence(node: NodeDescribed, actor: ActorDescribed) -> str:
    """Why nothing good is known of an actor; empty when all is well."""
    if node.state != "running":
        return f"node {node.name} is {node.state}"
    if node.since_pong_s is None:
        return f"node {node.name} has not spoken yet"
    if node.since_pong_s > FRESH_S:
        return f"node {node.name} is silent"
    if actor.state not in _LIVING:
        return f"it is {actor.state}"
    return ""
