"""The daemon's word to the service manager: when it is ready, fed, degraded and stopping."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from kos.runtime import System, SystemDescribed
from kos.service.systemd import ServiceManager
from kos.service.watchdog import FIRST_ANSWERS_S, Watchdog
from tests.service.beats import actor, node, system

CRITICAL = frozenset({"ledger", "scorer"})


class StandingSystem:
    """Describes itself as a test says, and keeps what it is asked to do."""

    def __init__(self, described: SystemDescribed) -> None:
        self.described = described
        self.hooks: list[tuple[float, Callable[[], None]]] = []
        self.callbacks: list[Callable[[Any], None]] = []

    def describe(self) -> SystemDescribed:
        return self.described

    def every(self, seconds: float, hook: Callable[[], None]) -> None:
        self.hooks.append((seconds, hook))

    def on_change(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)


class Ear:
    """What a service manager hears."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(0)
        self.socket.bind(str(path))

    def heard(self) -> list[str]:
        words = []
        while True:
            try:
                words.append(self.socket.recv(500).decode())
            except BlockingIOError:
                return words


def running(*states: str, **facts: Any) -> SystemDescribed:
    names = ("ledger", "scorer")
    actors = (actor(name, state=state) for name, state in zip(names, states, strict=True))
    return system(node("engine", *actors), **facts)


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    made = Ear(tmp_path / "notify")
    yield made
    made.socket.close()


def watched(
    described: SystemDescribed, tmp_path: Path, watchdog_us: str = ""
) -> tuple[StandingSystem, Watchdog]:
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": watchdog_us}
    standing = StandingSystem(described)
    return standing, Watchdog(cast("System", standing), ServiceManager(environ), CRITICAL)


def test_it_is_ready_once_everything_critical_runs_and_then_fed(ear: Ear, tmp_path: Path) -> None:
    standing, watchdog = watched(running("running", "starting"), tmp_path, "20000000")
    watchdog.look()
    assert not [word for word in ear.heard() if not word.startswith("STATUS=starting; ")]
    standing.described = running("running", "running")
    watchdog.look()
    assert [word for word in ear.heard() if "starting" not in word] == ["READY=1", "STATUS=running"]
    watchdog.look()
    assert ear.heard() == ["WATCHDOG=1"]
    watchdog.look()
    assert ear.heard() == [], "fed twice within the time at most"


def test_without_a_watchdog_it_is_not_fed(ear: Ear, tmp_path: Path) -> None:
    _, watchdog = watched(running("running", "running"), tmp_path)
    for _ in range(3):
        watchdog.look()
    assert "WATCHDOG=1" not in ear.heard()


def test_while_something_critical_is_silent_it_is_not_fed_and_the_status_says_so(
    ear: Ear, tmp_path: Path
) -> None:
    standing, watchdog = watched(running("running", "running"), tmp_path, "20000000")
    watchdog.look()
    ear.heard()
    standing.described = running("running", "parked")
    watchdog.look()
    assert ear.heard() == ["STATUS=not alive: scorer: it is on hold"]


def test_remote_services_are_awaited_for_a_while_and_no_longer(ear: Ear, tmp_path: Path) -> None:
    def new(uptime_s: float) -> SystemDescribed:
        sports = actor("sports", pulse={"problem": "odds-api: no connection"})
        engine = node("engine", actor("ledger"), actor("scorer"), sports)
        return system(engine, uptime_s=uptime_s)

    standing, watchdog = watched(new(FIRST_ANSWERS_S), tmp_path)
    watchdog.look()
    heard = ear.heard()
    standing.described = new(FIRST_ANSWERS_S + 1)
    watchdog.look()
    assert "READY=1" in [*heard, *ear.heard()]


def test_the_stop_is_told_once_and_nothing_after_it(ear: Ear, tmp_path: Path) -> None:
    stopping = msgspec.structs.replace(running("running", "running"), is_stopping=True)
    _, watchdog = watched(stopping, tmp_path, "20000000")
    watchdog.look()
    watchdog.look()
    assert ear.heard() == ["STOPPING=1", "STATUS=stopping"]


@pytest.mark.parametrize(
    ("watchdog_us", "seconds"), [("", 1.0), ("20000000", 1.0), ("2000000", 0.5)]
)
def test_it_looks_every_second_and_four_times_within_a_short_watchdog(
    ear: Ear, tmp_path: Path, watchdog_us: str, seconds: float
) -> None:
    standing, watchdog = watched(running("running", "running"), tmp_path, watchdog_us)
    ((every_s, look),) = standing.hooks
    assert (every_s, look) == (seconds, watchdog.look)
    (on_change,) = standing.callbacks
    on_change(None)
    assert "READY=1" in ear.heard(), "a change is looked at at once"


def test_where_nobody_listens_nothing_is_looked_at() -> None:
    standing = StandingSystem(running("running", "running"))
    Watchdog(cast("System", standing), ServiceManager({}), CRITICAL)
    assert (standing.hooks, standing.callbacks) == ([], [])
