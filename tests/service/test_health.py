"""How KOS is judged by its heartbeat, and how the file is written and read."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kos.observability.redact import Redactor
from kos.runtime import SystemDescribed
from kos.service.health import HealthState, Judgement, Seen, judge
from kos.service.heartbeat import Heartbeat, HeartbeatFile, boot_id, read
from tests.agreed import assert_agreed
from tests.service.beats import NOW, actor, beat, budget, fetcher, ledger, node, system


def seen(told: Heartbeat, after_s: float = 2.0, **facts: Any) -> Seen:
    given: dict[str, Any] = {
        "now": NOW + timedelta(seconds=after_s),
        "monotonic_s": told.written_monotonic_s + after_s,
        "boot_id": told.boot_id,
        "is_process_there": True,
        **facts,
    }
    return Seen(**given)


def judged(described: SystemDescribed | None = None, **facts: Any) -> Judgement:
    told = beat(described)
    return judge(told, seen(told, **facts))


def test_a_daemon_of_which_nothing_bad_is_told_is_ok() -> None:
    assert judged() == Judgement(state=HealthState.OK, reasons=(), age_s=2.0)
    assert judged().sentence == "ok"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"after_s": 60.0}, "no heartbeat for 60s"),
        ({"is_process_there": False}, "process 11 has ended"),
        ({"boot_id": "another"}, "the machine has restarted"),
    ],
)
def test_a_silent_daemon_has_failed_whatever_it_once_told(facts: dict[str, Any], said: str) -> None:
    if "boot_id" in facts and not boot_id():
        pytest.skip("this system has no boot id")
    found = judged(system(node("feeds", fetcher("soccer_epl", problem="HTTP 500"))), **facts)
    assert found.state is HealthState.FAILED
    assert len(found.reasons) == 1
    assert said in found.reasons[0]


def test_the_age_is_told_by_the_clock_that_nobody_sets() -> None:
    told = beat()
    turned_back = seen(told, now=NOW - timedelta(days=1))
    assert judge(told, turned_back).age_s == 2.0
    elsewhere = seen(told, boot_id="")
    assert judge(told, elsewhere).age_s == pytest.approx(2.0)


TROUBLES = [
    (system(node("feeds", state="backing_off", last_error="SIGKILL")), "degraded", "SIGKILL"),
    (system(node("feeds", state="parked")), "failed", "node feeds is parked"),
    (system(node("feeds", state="stopped"), uptime_s=5), "degraded", "node feeds is stopped"),
    (system(node("feeds", since_pong_s=99.0)), "failed", "not responded for 99 s"),
    (
        system(node("feeds", actor("sports", state="parked", last_error="E: x"))),
        "degraded",
        "sports is parked: E: x",
    ),
    (
        system(node("feeds", fetcher("soccer_epl", problem="odds-api: HTTP 500"))),
        "degraded",
        "fetcher.soccer_epl: odds-api: HTTP 500",
    ),
    (system(node("feeds", actor("scorer", mailbox=900))), "degraded", "900 messages wait"),
    (system(node("feeds", fetcher("soccer_epl", None))), "degraded", "no sport key has prices"),
    (
        system(
            node(
                "feeds",
                fetcher("soccer_epl", next_poll_at=(NOW - timedelta(minutes=9)).isoformat()),
            )
        ),
        "degraded",
        "polls are overdue: soccer_epl",
    ),
    (system(node("feeds", budget(left=25))), "degraded", "until 1 December"),
    (system(node("ledger", ledger(wal_bytes=1 << 30))), "degraded", "1024 MiB"),
    (system(is_stopping=True), "degraded", "stopping"),
]


@pytest.mark.parametrize(("described", "state", "said"), TROUBLES)
def test_each_trouble_is_named_and_weighed(
    described: SystemDescribed, state: str, said: str
) -> None:
    found = judged(described)
    assert found.state == state
    assert said in found.reasons[0]


def test_every_trouble_reads_as_agreed() -> None:
    late = (NOW - timedelta(minutes=9)).isoformat()
    two_late = node(
        "feeds", *(fetcher(key, next_poll_at=late) for key in ("soccer_epl", "tennis_atp"))
    )
    lines = [judged(described).sentence for described, *_ in TROUBLES]
    lines += judged(system(two_late, uptime_s=1e6)).reasons
    assert_agreed("health.txt", "\n".join(lines))


def test_the_gravest_reason_stands_first() -> None:
    found = judged(
        system(node("feeds", fetcher("soccer_epl", problem="slow")), node("ledger", state="parked"))
    )
    assert found.state is HealthState.FAILED
    assert found.sentence == "failed: node ledger is parked (and 1 more)"


def test_the_file_is_whole_private_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    file = HeartbeatFile(path, interval_s=5.0, is_simulated=True, redactor=Redactor())
    for _ in range(2):
        told = file.beat(system())
        file.write(told)
    assert read(path) == told
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["heartbeat.json"]
    assert told.is_simulated
    assert {sport.sport_key: sport.age_s is not None for sport in told.sports} == {
        "soccer_epl": True,
        "tennis_atp": True,
    }
    assert told.credits is not None
    assert told.credits.remaining == 300
    assert told.database is not None
    assert (told.database.size_bytes, told.database.sequence) == (4096, 5)


def test_what_waits_is_told_by_its_place() -> None:
    told = beat(
        system(
            node("engine", actor("scorer", mailbox=3)),
            node("ledger", ledger(outbox_waiting=2, other_waiting=0)),
        )
    )
    assert told.queues == {"scorer": 3, "ledger.outbox": 2}


def test_no_secret_that_an_error_told_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    file = HeartbeatFile(
        path, interval_s=5.0, is_simulated=False, redactor=Redactor(("canary-canary",))
    )
    trouble = "GET https://x/?apiKey=canary-canary refused, password=unknown-canary"
    described = system(
        node("feeds", fetcher("soccer_epl", problem=trouble), last_error=trouble),
    )
    file.write(file.beat(described))
    assert "canary" not in path.read_text()
    assert read(path).sports[0].problem.startswith("GET https://x/")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    path.write_text(json.dumps({"schema": 1, "version": "0.0.1"}))
    with pytest.raises(msgspec.MsgspecError):
        read(path)
