"""Every way to fail, met by real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog

from kos.runtime import (
    ActorFailed,
    AskTimeout,
    Message,
    NoSuchActor,
    OnExhausted,
    PeerDied,
    Restart,
    Strategy,
    System,
    SystemStartFailed,
)
from tests.runtime.cast import (
    MESSAGES,
    Fail,
    Forward,
    Kept,
    Note,
    Recall,
    Say,
    WhoAreYou,
)
from tests.runtime.conftest import SetStage, Stage, eventually, keeper, node


def tell(stage: Stage, actor: str, message: Message) -> None:
    """Tell as a client cannot: over the registry, as an actor without a name would."""
    stage.client._registry.tell(None, actor, message)


def test_a_killed_node_comes_back_and_the_same_reference_reaches_it(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")), node("two", keeper("b")))
    before = here.ask("a", Forward(to="b"))
    here.kill("two")
    after = eventually(lambda: here.ask("a", Forward(to="b")))
    assert after != before
    two = here.node("two")
    assert (two.restarts, two.incarnation) == (1, 2)
    assert "SIGKILL" in two.last_error
    assert here.node("one").restarts == 0


def test_a_waiting_ask_fails_by_name_when_the_process_dies(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")), node("two", keeper("b")))
    with pytest.raises(PeerDied):
        here.ask("b", Fail(how="kill"), 60)
    here.who("b")
    with pytest.raises(PeerDied):
        here.ask("b", Fail(how="os._exit"), 60)
    here.who("b")
    assert "exit code 9" in here.node("two").last_error


def test_a_stopped_node_is_hung_its_stacks_are_logged_and_it_is_replaced(stage: SetStage) -> None:
    with structlog.testing.capture_logs() as logs:
        here = stage(node("one", keeper("a"), hang_after_s=0.3))
        first = here.who("a").pid
        os.kill(first, signal.SIGSTOP)
        with contextlib.suppress(PeerDied):  # it may yet answer in the moment of its stack dump
            here.ask("a", WhoAreYou(), 60)
        eventually(lambda: here.who("a").pid != first)
    dumped = [each for each in logs if each["event"] == "node.stacks_dumped"]
    assert len(dumped) == 1
    assert "supervisor.py" in dumped[0]["stacks"]
    assert "hung" in here.node("one").last_error


@pytest.mark.parametrize("how", ["spin", "block"])
def test_an_actor_stuck_in_one_message_costs_its_node(stage: SetStage, how: str) -> None:
    with structlog.testing.capture_logs() as logs:
        here = stage(node("one", keeper("a", hang_after_s=0.3), keeper("b")))
        first = here.who("a").pid
        with pytest.raises(PeerDied):
            here.ask("a", Fail(how=how), 60)
        assert here.who("a").pid != first
    assert "actor a is stuck" in here.node("one").last_error
    stacks = next(each["stacks"] for each in logs if each["event"] == "node.stacks_dumped")
    assert "come_to_harm" in stacks


def test_a_stuck_actor_does_not_stop_others_from_being_described(stage: SetStage) -> None:
    here = stage(node("one", keeper("a"), keeper("b")))
    tell(here, "a", Fail(how="block"))
    stuck = here.when("a", lambda found: found.busy_s > 0.2)
    assert stuck.state == "running"
    before = here.actor("b")
    assert before is not None
    here.when("b", lambda now: now.pulse == {"kept": 0, "waiting": 0})
    here.system.request_stop()
    here.system.request_stop()
    here.wait()


def test_an_exception_in_an_ask_goes_to_the_asker_and_the_actor_lives_on(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")))
    with pytest.raises(ActorFailed) as caught:
        here.ask("a", Fail(how="raise"))
    assert (caught.value.actor, caught.value.error_type) == ("a", "ValueError")
    assert caught.value.text == "on demand"
    assert here.who("a").incarnation == 1


@pytest.mark.parametrize(("how", "kind"), [("base", "Catastrophe"), ("exit", "SystemExit")])
def test_a_base_exception_ends_its_actor_alone(stage: SetStage, how: str, kind: str) -> None:
    here = stage(node("one", keeper("a"), keeper("b")))
    pid = here.who("b").pid
    with pytest.raises(ActorFailed, match=kind):
        here.ask("a", Fail(how=how))
    eventually(lambda: here.who("a").incarnation == 2)
    tell(here, "a", Fail(how=how))
    eventually(lambda: here.who("a").incarnation == 3)
    b = here.who("b")
    assert (b.incarnation, b.pid) == (1, pid)


def test_a_thread_that_is_gone_without_a_word_is_found_and_replaced(stage: SetStage) -> None:
    here = stage(node("one", keeper("a"), keeper("b")))
    tell(here, "a", Fail(how="vanish"))
    eventually(lambda: here.who("a").incarnation == 2)
    here.when("a", lambda now: now.last_error == "its thread is gone")
    assert here.who("b").incarnation == 1


def test_a_poison_message_is_set_aside_and_those_behind_it_are_handled(
    stage: SetStage, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    here = stage(node("one", keeper("a", "Gated", args=str(gate))))
    for message in (Note(number=-1), Fail(how="raise"), Note(number=1), Note(number=2)):
        tell(here, "a", message)
    gate.touch()
    kept = here.ask("a", Recall())
    assert kept == Kept(seen=("note 1", "note 2"))
    described = here.when("a", lambda now: now.restarts == 1)
    assert described.dead_letters == {"poison": 1}
    assert "ValueError: on demand" in described.last_error


def test_an_answer_that_is_none_or_unknown_is_told_to_the_asker(stage: SetStage) -> None:
    here = stage(node("one", keeper("a")))
    with pytest.raises(ActorFailed, match="NoAnswer"):
        here.ask("a", Fail(how="nothing"))
    with pytest.raises(ActorFailed, match="Unlisted"):
        here.ask("a", Fail(how="unlisted"))
    assert here.who("a").incarnation == 1


def test_a_deferred_reply_comes_later_as_an_answer_an_error_or_the_actors_end(
    stage: SetStage,
) -> None:
    here = stage(node("one", keeper("a")), node("two", keeper("b")))
    for how, outcome in (("pay", "paid"), ("refuse", "no money"), ("base", "Catastrophe")):
        answers: list[object] = []
        thread = _in_thread(answers, here)
        here.when("a", lambda now: now.since_message_s is not None)
        _until_owed(here)
        tell(here, "a", Fail(how=how))
        thread.join(10)
        assert outcome in repr(answers[0]), how


def _in_thread(answers: list[object], here: Stage) -> threading.Thread:
    def wait() -> None:
        try:
            answers.append(here.ask("a", Fail(how="owe"), 10))
        except ActorFailed as error:
            answers.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def _until_owed(here: Stage) -> None:
    before = here.actor("a")
    assert before is not None
    handled = before.handled
    here.ask("a", Say(text="a mark behind it"))
    here.when("a", lambda now: now.handled > handled)


def test_a_failed_first_start_fails_the_system_with_the_reason(tmp_path: Path) -> None:
    nodes = (
        node("one", keeper("a")),
        node("two", keeper("b", "Stillborn", args=str(tmp_path))),
    )
    system = System(name="test", nodes=nodes, messages=MESSAGES, run_dir=tmp_path / "run")
    with pytest.raises(SystemStartFailed, match=r"node two .* actor b .* the file is there"):
        system.start()
    assert [each.state for each in system.describe().nodes] == ["stopped", "stopped"]


def test_a_start_that_takes_too_long_fails_with_the_reason(tmp_path: Path) -> None:
    nodes = (node("one", keeper("a", "NeverReady", start_timeout_s=0.2)),)
    system = System(name="test", nodes=nodes, messages=MESSAGES, run_dir=tmp_path / "run")
    with pytest.raises(SystemStartFailed, match=r"actor a did not start within 0.2 s"):
        system.start()


def test_a_node_that_cannot_be_described_to_its_process_is_refused(tmp_path: Path) -> None:
    nodes = (node("one", keeper("a", args=lambda: None)),)
    system = System(name="test", nodes=nodes, messages=MESSAGES, run_dir=tmp_path / "run")
    with pytest.raises(SystemStartFailed, match="picklable"):
        system.start()


def test_a_restart_whose_start_fails_is_tried_again_until_it_holds(
    stage: SetStage, tmp_path: Path
) -> None:
    thorn = tmp_path / "thorn"
    child = keeper(
        "a", "Stillborn", args=str(thorn), backoff_first_s=0.05, max_restarts=1000, backoff_cap_s=1
    )
    here = stage(node("one", child))
    thorn.touch()
    tell(here, "a", Fail(how="raise"))
    here.when("a", lambda now: now.restarts >= 2)
    thorn.unlink()
    assert here.who("a").incarnation >= 3
    assert here.node("one").restarts == 0


def test_a_storm_of_restarts_escalates_through_the_node_to_the_end(stage: SetStage) -> None:
    child = keeper("a", max_restarts=2)
    here = stage(node("one", child, max_restarts=1))
    pids = set()
    for _ in range(6):
        try:
            pids.add(here.ask("a", WhoAreYou()).pid)  # type: ignore[attr-defined]
            tell(here, "a", Fail(how="raise"))
        except (PeerDied, AskTimeout):
            break
        _until_changed(here, "a")
    assert here.wait() == 70
    assert len(pids) == 2


def _until_changed(here: Stage, actor: str) -> None:
    """Wait until the failure has had its effect: another incarnation, node or none at all."""
    before = here.system.describe().nodes[0]
    seen = {each.name: each.restarts for each in before.actors}

    def changed() -> bool:
        now = here.system.describe().nodes[0]
        restarts = {each.name: each.restarts for each in now.actors}
        if now.incarnation != before.incarnation:
            return now.state == "running" or here.exit_code is not None
        return here.exit_code is not None or restarts.get(actor, 0) > seen.get(actor, 0)

    eventually(changed)


def test_a_parked_actor_leaves_its_node_alone_and_answers_asks_at_once(stage: SetStage) -> None:
    child = keeper("a", max_restarts=1, on_exhausted=OnExhausted.PARK, backoff_cap_s=1000)
    here = stage(node("one", child, keeper("b")))
    for _ in range(2):
        here.who("a")
        tell(here, "a", Fail(how="raise"))
        _until_state(here)
    parked = here.when("a", lambda now: now.state == "parked")
    assert parked.restarts == 1
    with pytest.raises(ActorFailed, match="Parked"):
        here.ask("a", WhoAreYou(), 60)
    assert here.who("b").incarnation == 1
    assert here.node("one").restarts == 0


def _until_state(here: Stage) -> None:
    eventually(
        lambda: (
            (now := here.actor("a"))
            and now.dead_letters.get("poison", 0) > now.restarts - (now.state != "parked")
            and now
        )
    )


def test_a_parked_actor_is_tried_again(stage: SetStage) -> None:
    child = keeper("a", max_restarts=0, on_exhausted=OnExhausted.PARK, backoff_cap_s=0.05)
    here = stage(node("one", child))
    tell(here, "a", Fail(how="raise"))
    eventually(lambda: here.who("a").incarnation == 2)


def test_one_for_all_and_rest_for_one_take_the_right_siblings_along(stage: SetStage) -> None:
    here = stage(
        node("all", *(keeper(f"a{each}") for each in "123"), strategy=Strategy.ONE_FOR_ALL),
        node("rest", *(keeper(f"r{each}") for each in "123"), strategy=Strategy.REST_FOR_ONE),
    )
    tell(here, "a2", Fail(how="raise"))
    tell(here, "r2", Fail(how="raise"))
    for name in ("a1", "a2", "a3", "r2", "r3"):
        eventually(lambda name=name: here.who(name).incarnation == 2)  # type: ignore[misc]
    assert here.who("r1").incarnation == 1


def test_a_temporary_bystander_does_not_come_back(stage: SetStage) -> None:
    here = stage(
        node(
            "all",
            keeper("a"),
            keeper("guest", restart=Restart.TEMPORARY),
            strategy=Strategy.ONE_FOR_ALL,
        )
    )
    here.who("guest")
    tell(here, "a", Fail(how="raise"))
    eventually(lambda: here.who("a").incarnation == 2)
    with pytest.raises(NoSuchActor):
        here.ask("guest", WhoAreYou())


def test_a_transient_actor_that_fails_starts_again(stage: SetStage) -> None:
    here = stage(node("one", keeper("a", restart=Restart.TRANSIENT), keeper("b")))
    tell(here, "a", Fail(how="raise"))
    eventually(lambda: here.who("a").incarnation == 2)
    assert here.who("b").incarnation == 1


def test_a_stop_is_bounded_for_all_nodes_together_whatever_each_may_take(stage: SetStage) -> None:
    patient: dict[str, Any] = {"stop_timeout_s": 3600.0}
    set_up = stage(
        *(
            node(name, keeper(f"keeper-{name}", **patient), hang_after_s=3600.0, **patient)
            for name in ("one", "two")
        ),
        stop_within_s=0.5,
    )
    for name in ("one", "two"):
        with pytest.raises(AskTimeout):
            set_up.ask(f"keeper-{name}", Fail(how="block"), 0.1)
    assert set_up.stop() == 0
