"""The whole daemon under a service manager: what it tells, and with which code it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kos.sandbox import Sandbox
from tests.system.conftest import DEADLINE_S, MONTHLY_CREDITS, Daemon

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(400),  # several deadlines, each generous, may come one after the other
]
EAR_S = 90.0
FEW = "soccer_epl,basketball_nba"
"""Sport keys enough for what is shown here."""


class Ear:
    """The service manager's end of the notification socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(EAR_S)
        self.heard: list[str] = []

    def until(self, is_it: Callable[[str], bool]) -> list[str]:
        """What is said from now on, up to and with the first word that is it."""
        begin = len(self.heard)
        deadline = time.monotonic() + EAR_S
        while time.monotonic() < deadline:
            self.heard.append(self._socket.recv(4096).decode())
            if is_it(self.heard[-1]):
                return self.heard[begin:]
        pytest.fail(f"never said; heard {self.heard}")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS, calls_a_second=100
    ) as running:
        yield running


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    listening = Ear(tmp_path / "notify")
    yield listening
    listening.close()


def test_ready_when_it_serves_alive_while_all_is_fresh_stopping_at_the_end(
    sandbox: Sandbox, ear: Ear, tmp_path: Path
) -> None:
    daemon = Daemon(
        sandbox,
        tmp_path / "state",
        NOTIFY_SOCKET=str(tmp_path / "notify"),
        WATCHDOG_USEC="1000000",
        KOS_ODDS_API__SPORTS=FEW,
    )
    try:
        before = ear.until("READY=1".__eq__)
        assert "WATCHDOG=1" not in before
        # The page is no reason to wait: KOS is ready without it.
        nodes = [node for node in daemon.describe().nodes if node.name != "web"]
        assert all(node.state == "running" for node in nodes)
        ear.until("WATCHDOG=1".__eq__)
        daemon.until(lambda: daemon.node("web").state == "running", "the page")
        for node in daemon.describe().nodes:
            environ = Path(f"/proc/{node.pid}/environ").read_bytes()
            assert b"NOTIFY_SOCKET" not in environ
            assert b"WATCHDOG" not in environ
        daemon.until(
            lambda: all(node.state == "running" for node in daemon.describe().nodes), "all nodes"
        )
        examined = json.loads(daemon.command("doctor", "--json").stdout)
        found = {each["check"]: (each["level"], each["found"]) for each in examined["findings"]}
        assert found["daemon"] == ("ok", f"running (process {daemon.process.pid})")
        assert "running daemon" in found["betfair"][1]
        daemon.until(lambda: tell_stacks(daemon), "the stacks of every node")
        # A node that says nothing any more: not fed until it is back, and then fed again.
        engine = daemon.node("engine").pid
        os.kill(engine, signal.SIGSTOP)
        ear.until(lambda said: said.startswith("STATUS=not alive: scorer"))
        os.kill(engine, signal.SIGKILL)  # sooner than its supervisor would
        silence = ear.until(lambda said: "STATUS=" in said and "not alive" not in said)
        assert "WATCHDOG=1" not in silence
        ear.until("WATCHDOG=1".__eq__)
        daemon.process.send_signal(signal.SIGTERM)
        ear.until("STOPPING=1".__eq__)
        assert daemon.process.wait(DEADLINE_S) == 0
    finally:
        daemon.stop()


def test_a_refused_key_is_told_as_degraded_and_the_service_is_ready(
    sandbox: Sandbox, ear: Ear, tmp_path: Path
) -> None:
    daemon = Daemon(
        sandbox,
        tmp_path / "state",
        NOTIFY_SOCKET=str(tmp_path / "notify"),
        KOS_ODDS_API__KEY="not-a-key-of-the-feed",
        KOS_ODDS_API__SPORTS=FEW,
    )
    try:
        ear.until("READY=1".__eq__)
        ear.until(lambda said: said.startswith("STATUS=degraded: sports"))
        assert not any("not-a-key-of-the-feed" in each for each in ear.heard)
    finally:
        assert daemon.stop() == 0


def test_a_database_that_is_not_ours_ends_the_start_with_78_and_a_sentence(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with sqlite3.connect(state / "ledger.db") as database:
        database.execute("CREATE TABLE another_program (x)")
    database.close()
    daemon = Daemon(sandbox, state)
    assert daemon.process.wait(DEADLINE_S) == 78
    last = daemon.log.read_text("utf-8").splitlines()[-1]
    assert last.startswith("kos: node ledger did not start")
    assert "ledger.db" in last


def lines_of(daemon: Daemon, event: str) -> list[dict[str, Any]]:
    """What the daemon has logged of an event."""
    lines = daemon.log.read_text("utf-8").splitlines(keepends=True)
    found = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n"))
    return [line for line in found if line["event"] == event]


def fetchers(daemon: Daemon) -> set[str]:
    """The sport keys that are polled."""
    actors = daemon.node("feeds").actors
    return {each.name for each in actors if each.name.startswith("fetcher.")}


def tell_stacks(daemon: Daemon) -> bool:
    """Ask where all threads stand; whether every node has told so far."""
    daemon.process.send_signal(signal.SIGUSR1)
    lines = lines_of(daemon, "node.stacks_told")
    told = {line["node"] for line in lines if "most recent call first" in line["stacks"]}
    return told == {node.name for node in daemon.describe().nodes}


def renewed(daemon: Daemon) -> set[tuple[object, object]]:
    """Who was handed new args, and whether it restarts for them."""
    return {(line["actor"], line["is_restarting"]) for line in lines_of(daemon, "actor.renewed")}


def test_a_hangup_takes_over_what_may_change_and_an_invalid_file_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "kos.toml"
    few = '[odds_api]\nsports = ["soccer_epl", "basketball_nba"]\n'
    file.write_text(f'[service]\nlog_level = "warning"\n{few}')
    daemon = Daemon(sandbox, tmp_path / "state", KOS_CONFIG=str(file))
    try:
        daemon.until(lambda: len(fetchers(daemon)) == 2, "both sport keys")
        file.write_text('[odds_api]\nsports = ["soccer_epl"]\n[scoring]\nmax_rating = -1\n')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.until(lambda: bool(lines_of(daemon, "settings.refused")), "a refusal")
        (refused,) = lines_of(daemon, "settings.refused")
        assert "max_rating" in str(refused["problems"])
        assert len(fetchers(daemon)) == 2
        assert '"level":"info"' not in daemon.log.read_text("utf-8")

        file.write_text(
            '[odds_api]\nsports = ["soccer_epl"]\nregions = ["eu"]\n'
            '[scoring]\nmin_minutes_to_kickoff = 600\n[service]\nlog_level = "info"\n'
        )
        daemon.process.send_signal(signal.SIGHUP)
        daemon.until(lambda: fetchers(daemon) == {"fetcher.soccer_epl"}, "one sport key")
        daemon.until(lambda: bool(lines_of(daemon, "settings.reloaded")), "the log's word")
        (reloaded,) = lines_of(daemon, "settings.reloaded")
        assert reloaded["changed"] == [
            "odds_api.sports",
            "scoring.min_minutes_to_kickoff",
            "service.log_level",
        ]
        (waiting,) = lines_of(daemon, "settings.await_restart")
        assert waiting["changed"] == ["odds_api.regions"]
        taken_in = {("scorer", False), ("budget", False), ("sports", False)}
        daemon.until(lambda: taken_in <= renewed(daemon), "whoever can took it in")
    finally:
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.log.read_text("utf-8")
