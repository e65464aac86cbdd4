"""The small parts: specifications, clocks, timers."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from kos.runtime import ChildSpec, NodeSpec, SpecRefused
from kos.runtime.timers import Timers

CHILD = ChildSpec(name="a", factory="m:A")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": ""}, "must not be empty"),
        ({"name": "a/b"}, "must not be empty nor hold"),
        ({"name": "@a"}, "must not be empty nor hold"),
        ({"factory": "module.Class"}, "must read 'package.module:Class'"),
        ({"max_restarts": -1}, "max_restarts is -1"),
        ({"within_s": 0}, "within_s is 0"),
        ({"backoff_first_s": -1}, "backoff_first_s is -1"),
        ({"backoff_cap_s": 0.1}, "backoff_cap_s is 0.1"),
        ({"backoff_jitter": 1.5}, "backoff_jitter is 1.5"),
        ({"quiet_reset_s": -1}, "quiet_reset_s is -1"),
        ({"start_timeout_s": 0}, "start_timeout_s is 0"),
        ({"stop_timeout_s": 0}, "stop_timeout_s is 0"),
        ({"mailbox_capacity": 0}, "mailbox_capacity is 0"),
        ({"hang_after_s": 0}, "hang_after_s is 0"),
    ],
)
def test_a_faulty_child_is_refused_with_the_reason(change: dict[str, object], problem: str) -> None:
    with pytest.raises(SpecRefused, match=problem):
        ChildSpec(**({"name": "a", "factory": "m:A"} | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"children": (CHILD, CHILD)}, "the name 'a' is used twice"),
        ({"ping_interval_s": 0}, "ping_interval_s is 0"),
        ({"hang_after_s": 0.5}, "must not be below ping_interval_s"),
        ({"start_timeout_s": -1}, "start_timeout_s is -1"),
    ],
)
def test_a_faulty_node_is_refused_with_the_reason(change: dict[str, object], problem: str) -> None:
    with pytest.raises(SpecRefused, match=problem):
        NodeSpec(**({"name": "n", "children": ()} | change))  # type: ignore[arg-type]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SpecRefused) as caught:
        ChildSpec(name="", factory="x", max_restarts=-1)
    assert len(caught.value.problems) == 3


def test_timers_fire_in_the_order_they_are_due_whatever_the_order_they_were_set() -> None:
    timers, fired = Timers(), queue.SimpleQueue[str]()
    timers.add(0.06, None, lambda: fired.put("last"))
    timers.add(0.03, None, lambda: fired.put("cancelled")).cancel()
    timers.add(0.0, None, lambda: fired.put("first"))
    assert [fired.get(timeout=5) for _ in range(2)] == ["first", "last"]


def test_a_repeated_timer_skips_what_it_missed_while_its_thread_was_held_up() -> None:
    timers, fired, gate = Timers(), queue.SimpleQueue[float](), threading.Event()

    def fire() -> None:
        fired.put(time.monotonic())
        gate.wait(10)

    timer = timers.add(0.0, 0.05, fire)
    first = fired.get(timeout=10)
    while time.monotonic() < first + 0.2:
        time.sleep(0.01)
    gate.set()
    second, third, fourth = (fired.get(timeout=10) for _ in range(3))
    timer.cancel()
    assert second >= first + 0.2
    assert third >= second + 0.04, "at once after the late one: it caught up"
    assert fourth > third


def test_a_timer_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot wait"):
        Timers().add(-1, None, lambda: None)
    with pytest.raises(ValueError, match="repeat every 0"):
        Timers().add(0, 0, lambda: None)
