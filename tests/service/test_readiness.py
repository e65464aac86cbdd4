"""When the daemon counts as ready and as alive."""

from __future__ import annotations

from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed
from kos.service.readiness import FRESH_S, Readiness, readiness


def actor(name: str, state: str = "running", **pulse: str | float) -> ActorDescribed:
    return ActorDescribed(
        name=name, state=state, incarnation=1, restarts=0, mailbox=0, handled=0, pulse=pulse
    )


def node(
    name: str, *actors: ActorDescribed, state: str = "running", since_s: float | None = 0.5
) -> NodeDescribed:
    return NodeDescribed(
        name=name,
        pid=1,
        state=state,
        incarnation=1,
        restarts=0,
        since_pong_s=since_s,
        actors=actors,
    )


def judge(*nodes: NodeDescribed, critical: frozenset[str] = frozenset({"a", "b"})) -> Readiness:
    system = SystemDescribed(name="kos", pid=1, uptime_s=1, is_stopping=False, nodes=nodes)
    return readiness(system, critical)


def test_all_is_well_when_every_critical_actor_runs_in_a_node_that_speaks() -> None:
    found = judge(node("n", actor("a"), actor("b")), node("m", actor("c", "parked")))
    assert found.is_up
    assert not found.silent
    assert found.status.startswith("degraded: c is on hold")
    assert judge(node("n", actor("a"), actor("b"))).status == "running"


def test_a_node_that_does_not_speak_silences_its_critical_actors() -> None:
    for silent in (
        node("n", actor("a"), actor("b"), since_s=FRESH_S + 0.1),
        node("n", actor("a"), actor("b"), since_s=None),
        node("n", actor("a"), actor("b"), state="hung"),
    ):
        found = judge(silent)
        assert len(found.silent) == 2
        assert not found.is_up
        assert found.status.startswith("not alive: a: node n")


def test_an_actor_on_its_way_back_is_looked_after_but_not_up() -> None:
    found = judge(node("n", actor("a", "backing_off"), actor("b")))
    assert not found.silent
    assert not found.is_up


def test_a_critical_actor_that_is_parked_or_unknown_is_silent() -> None:
    assert judge(node("n", actor("a", "parked"), actor("b"))).silent == ("a: it is on hold",)
    assert judge(node("n", actor("a"))).silent == ("b: unknown",)


def test_what_is_awaited_and_what_goes_wrong_is_told() -> None:
    found = judge(node("n", actor("a", awaits="the list"), actor("b", problem="key refused")))
    assert found.awaited == ("a: the list",)
    assert found.problems == ("b: key refused",)
    assert found.is_up
