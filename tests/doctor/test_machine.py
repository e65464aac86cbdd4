"""What the doctor sees on a machine: real folders, files, sockets and processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kos.doctor import machine
from kos.doctor.finding import Level
from kos.doctor.machine import file_system_of
from kos.storage.ledger import Ledger
from tests.doctor.patients import patient

OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE


def test_python_and_its_packages_are_well_where_the_tests_run(tmp_path: Path) -> None:
    (found,) = machine.python(patient(tmp_path))
    assert found.level is OK, found


def test_the_state_directory_is_judged_by_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert machine.state_dir(patient(tmp_path))[0].level is OK
    tmp_path.chmod(0o750)
    (found,) = machine.state_dir(patient(tmp_path))
    assert (found.level, f"chmod 700 {tmp_path}") == (WARNING, found.remedy)
    assert machine.state_dir(patient(tmp_path / "a" / "b"))[0].level is OK


def test_the_kind_of_disk_is_that_of_the_nearest_mount() -> None:
    mounts = (
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "40 22 0:40 / /srv rw - nfs4 server:/x rw\n"
        "41 22 0:41 / /srv/my\\040disk rw - xfs /dev/sdb rw\n"
    )
    assert file_system_of(Path("/var/lib/kos"), mounts) == "ext4"
    assert file_system_of(Path("/srv/kos"), mounts) == "nfs4"
    assert file_system_of(Path("/srv/my disk/kos"), mounts) == "xfs"
    assert file_system_of(Path("/srvother"), mounts) == "ext4"


def test_a_database_is_verified_and_a_damaged_one_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    assert machine.database(patient(tmp_path))[0].level is OK
    Ledger(path).close()
    (sound,) = machine.database(patient(tmp_path))
    assert (sound.level, "sound" in sound.found) == (OK, True)
    path.write_bytes(b"no database at all" * 100)
    (damaged,) = machine.database(patient(tmp_path))
    assert (damaged.level, str(path) in damaged.found) == (FAILURE, True)


def test_what_a_killed_daemon_left_is_told_from_one_that_hangs(tmp_path: Path) -> None:
    assert machine.daemon(patient(tmp_path))[0].level is OK
    run = tmp_path / "run"
    run.mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid, level in ((ended.pid, WARNING), (os.getpid(), FAILURE)):
        record = {"name": "kos", "pid": pid, "sockets": str(run / "sockets")}
        (run / "runtime.json").write_text(json.dumps(record))
        (found,) = machine.daemon(patient(tmp_path))
        assert (found.level, str(pid) in found.found) == (level, True)


def test_a_port_that_another_program_holds_is_a_failure(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        subject = patient(tmp_path, KOS_METRICS__IS_ENABLED="true", KOS_METRICS__PORT=str(port))
        found = {each.check: each.level for each in machine.ports(subject)}
    assert found["metrics"] is FAILURE
    assert {each.check: each.level for each in machine.ports(subject)}["metrics"] is OK


def test_the_redaction_is_tried_on_the_secrets_of_the_settings(tmp_path: Path) -> None:
    subject = patient(tmp_path, KOS_ODDS_API__KEY="canary-7f3a9c")
    (found,) = machine.redaction(subject)
    assert found.level is OK
    assert "canary" not in str(found)


def test_secrets_in_the_environment_are_a_warning_that_names_the_setting_alone(
    tmp_path: Path,
) -> None:
    (found,) = machine.secrets(patient(tmp_path, KOS_ODDS_API__KEY="canary-7f3a9c"))
    assert found.level is WARNING
    assert "odds_api.key" in found.found
    assert "canary" not in str(found)


def test_the_heartbeat_matters_only_while_a_daemon_runs(tmp_path: Path) -> None:
    old = datetime.now(UTC) - timedelta(hours=1)
    (tmp_path / "heartbeat.json").write_text(json.dumps({"written_at": old.isoformat()}))
    assert machine.heartbeat(patient(tmp_path))[0].level is OK


@pytest.mark.parametrize("look", [machine.disk, machine.open_files, machine.time_zones])
def test_the_rest_finds_something_anywhere(look: object, tmp_path: Path) -> None:
    assert callable(look)
    assert look(patient(tmp_path / "not" / "yet"))


def test_an_address_of_the_newer_internet_protocol_is_tried_as_one() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as taken:
        taken.bind(("::1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not machine._is_free("::1", port)
    assert machine._is_free("::1", port)
