"""``kos health`` and ``kos status`` by a heartbeat file alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kos.cli.app import app
from kos.observability.redact import Redactor
from kos.runtime import SystemDescribed
from kos.service.heartbeat import FILE_NAME, HeartbeatFile
from tests.service.beats import fetcher, node, system


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setenv("KOS_SERVICE__STATE_DIR", str(folder))
    return folder


def kos(line: str) -> Result:
    return CliRunner().invoke(app, line.split())


def told(folder: Path, described: SystemDescribed, *, is_simulated: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    file = HeartbeatFile(
        folder / FILE_NAME, interval_s=5.0, is_simulated=is_simulated, redactor=Redactor()
    )
    file.write(file.beat(described))


def ended() -> int:
    """The number of a process that is no more."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait(30)
    return done.pid


def well(pid: int) -> SystemDescribed:
    return system(pid=pid)


def troubled(pid: int) -> SystemDescribed:
    return system(node("feeds", fetcher("soccer_epl", problem="HTTP 500")), pid=pid)


def test_a_daemon_that_is_well_is_ok_with_exit_code_0(state: Path) -> None:
    told(state, well(os.getpid()))
    assert (kos("health").output, kos("health --quiet").output) == ("ok\n", "")
    assert kos("health --strict").exit_code == 0


def test_a_degraded_one_exits_0_unless_that_is_asked_for(state: Path) -> None:
    told(state, troubled(os.getpid()))
    shown = kos("health")
    assert shown.exit_code == 0
    assert shown.output == "degraded\n  fetcher.soccer_epl: HTTP 500\n"
    assert kos("health --strict").exit_code == 1


def test_one_that_has_ended_has_failed(state: Path) -> None:
    told(state, well(ended()))
    assert kos("health --quiet").exit_code == 1
    answer = json.loads(kos("health --json").output)
    assert answer["state"] == "failed"
    assert "has ended" in answer["reasons"][0]


def test_where_none_has_run_it_has_failed_and_says_what_to_do(state: Path) -> None:
    shown = kos("health")
    assert shown.exit_code == 1
    assert "Start KOS with: kos run" in shown.output
    assert str(state) in shown.output


def test_what_is_no_heartbeat_is_told_in_words(state: Path) -> None:
    (state / FILE_NAME).write_text("{}")
    shown = kos("health")
    assert shown.exit_code == 1
    assert "another version" in shown.output


def test_the_sandboxs_daemon_is_shown_while_it_alone_lives(state: Path) -> None:
    told(state, well(ended()))
    told(state / "sandbox", well(os.getpid()), is_simulated=True)
    assert kos("health").exit_code == 0
    assert "SIMULATED" in kos("status").output
    told(state, troubled(os.getpid()))
    assert "degraded" in kos("status").output
    assert "SIMULATED" not in kos("status").output


def test_status_shows_what_stands_in_the_heartbeat_though_nobody_answers(state: Path) -> None:
    told(state, well(ended()))
    text = " ".join(kos("status").output.split())
    for part in (
        "failed",
        "2 of 2 competitions",
        "300 of 500 credits left",
        "entry 5",
        "has ended",
    ):
        assert part in text
    answer = json.loads(kos("status --json").output)
    assert answer["health"]["state"] == "failed"
    assert {sport["sport_key"] for sport in answer["heartbeat"]["sports"]} == {
        "soccer_epl",
        "tennis_atp",
    }
