"""What signals of a whole process group mean to a child that is only starting."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from kos.runtime.signals import GROUP_SIGNALS, signals_held
from tests.runtime.conftest import SetStage, keeper, node


def masks(status: str) -> dict[str, set[int]]:
    """The sets of signals in a process's status file."""
    found = {}
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in {"SigBlk", "SigIgn"}:
            bits = int(value, 16)
            found[name] = {number for number in range(1, 32) if bits >> (number - 1) & 1}
    return found


def test_a_child_is_born_with_the_signals_of_its_group_held_back() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with signals_held():
        child = subprocess.run(
            [sys.executable, "-c", "print(open('/proc/self/status').read())"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert masks(child.stdout)["SigBlk"] >= {int(number) for number in GROUP_SIGNALS}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_what_came_for_this_thread_meanwhile_comes_a_moment_later() -> None:
    came: list[int] = []
    former = signal.signal(signal.SIGHUP, lambda number, _frame: came.append(number))
    try:
        with signals_held():
            signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
            assert came == []
        assert came == [signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, former)


def test_a_node_ignores_them_once_it_is_settled(stage: SetStage) -> None:
    set_up = stage(node("one", keeper("somebody")))
    pid = set_up.who("somebody").pid
    found = masks(Path(f"/proc/{pid}/status").read_text("utf-8"))
    group = {int(number) for number in GROUP_SIGNALS}
    assert found["SigIgn"] >= group
    assert not found["SigBlk"] & group
