"""The doctor at the remote services: the sandbox's real HTTP, and a server with scripted faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from kos.doctor import remotes
from kos.doctor.finding import Finding, Level
from kos.doctor.subject import ExaminedSystem
from kos.sandbox import Sandbox
from tests.adapters.loopback import Answer, Handler, answer, loopback
from tests.doctor.patients import patient

OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE
CANARY = "canary-7f3a9c"
TOKEN = f"123456789:{CANARY}{'x' * 30}"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=3, credits_a_month=1000) as running:
        yield running


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remotes, "_CALL_S", (20.0, 20.0))


def at_sandbox(sandbox: Sandbox, folder: Path, **environ: str) -> ExaminedSystem:
    at = sandbox.addresses
    given = {
        "KOS_ODDS_API__URL": at.odds_api_url,
        "KOS_ODDS_API__KEY": at.api_key,
        "KOS_ODDS_API__MONTHLY_CREDITS": "1000",
        "KOS_BETFAIR__APP_KEY": at.betfair_app_key,
        "KOS_BETFAIR__USERNAME": at.betfair_username,
        "KOS_BETFAIR__PASSWORD": at.betfair_password,
        "KOS_BETFAIR__IDENTITY_URL": at.betfair_url,
    }
    return patient(folder, **(given | environ))


def test_right_keys_are_found_right_and_cost_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    subject = at_sandbox(sandbox, tmp_path)
    used = sandbox.credits_used
    (odds,) = remotes.odds_api(subject)
    assert (odds.level, "credits left" in odds.found) == (OK, True)
    assert remotes.betfair(subject)[0].level is OK
    assert remotes.clock(subject)[0].level is OK
    assert sandbox.credits_used == used


def test_wrong_keys_are_failures_with_a_remedy_and_no_secret(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    subject = at_sandbox(sandbox, tmp_path, KOS_ODDS_API__KEY=CANARY, KOS_BETFAIR__PASSWORD=CANARY)
    for found in (*remotes.odds_api(subject), *remotes.betfair(subject)):
        assert found.level is FAILURE
        assert found.remedy
        assert CANARY not in str(found)


def test_nothing_set_up_is_no_failure(tmp_path: Path) -> None:
    subject = patient(tmp_path)
    assert remotes.odds_api(subject)[0].level is WARNING
    assert remotes.betfair(subject)[0].level is OK
    assert remotes.telegram(subject)[0].level is OK
    assert remotes.proxies(subject) == ()


def silent(handler: Handler) -> None:
    """Take the question and say nothing until the test is over."""
    handler.server.released.wait(30)


def test_a_remote_that_never_answers_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "_CALL_S", (5.0, 0.3))
    with loopback(silent) as server:
        subject = patient(tmp_path, KOS_ODDS_API__URL=server.url, KOS_ODDS_API__KEY=CANARY)
        (found,) = remotes.odds_api(subject)
        (clock,) = remotes.clock(subject)
    assert (found.level, clock.level) == (FAILURE, WARNING)
    assert CANARY not in str(found)


@pytest.mark.parametrize(("ahead_s", "level"), [(0, OK), (20, WARNING), (-3600, FAILURE)])
def test_the_clock_is_compared_with_the_date_header(
    tmp_path: Path, ahead_s: int, level: Level
) -> None:
    def dated(handler: Handler) -> None:
        now = datetime.now(UTC) + timedelta(seconds=ahead_s)
        handler.send_response_only(401)
        handler.send_header("Date", format_datetime(now, usegmt=True))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with loopback(dated) as server:
        (found,) = remotes.clock(patient(tmp_path, KOS_ODDS_API__URL=server.url))
        assert "key" not in server.seen[0].path.lower()
    assert found.level is level, found


def test_the_way_of_the_daemon_is_tried_and_its_login_is_not_told(tmp_path: Path) -> None:
    with loopback(answer()) as server:
        there = server.url.replace("http://", "http://{username}-{session}:{password}@")
        environ = {
            "KOS_PROXIES__USED_BY": "odds_api",
            "KOS_PROXIES__URL": there,
            "KOS_PROXIES__USERNAME": CANARY,
            "KOS_PROXIES__PASSWORD": CANARY,
            "KOS_ODDS_API__URL": "http://odds.example",
        }
        subject = patient(tmp_path, **environ)
        assert [each.level for each in remotes.proxies(subject)] == [OK]
        assert server.seen[0].path.startswith("http://odds.example/")
    found = [*remotes.proxies(subject), *remotes.clock(subject)]
    assert [each.level for each in found] == [FAILURE, WARNING]
    assert CANARY not in str(found)


def said(result: object, status: int = 200) -> Answer:
    return answer(status, json.dumps({"ok": status == 200, "result": result}).encode())


def at_telegram(tmp_path: Path, *script: Answer) -> tuple[list[Finding], list[str]]:
    with loopback(*script) as server:
        subject = patient(tmp_path, KOS_TELEGRAM__URL=server.url, KOS_TELEGRAM__TOKEN=TOKEN)
        found = remotes.telegram(subject)
        asked = [each.path for each in server.seen]
    assert CANARY not in str(found)
    return list(found), asked


ME = said({"id": 1, "is_bot": True, "username": "kos_bot"})


def test_a_good_bot_is_named_and_no_update_is_confirmed(tmp_path: Path) -> None:
    found, asked = at_telegram(tmp_path, ME, said({"url": ""}), said([]))
    assert [each.level for each in found] == [OK, OK, OK]
    assert "@kos_bot" in found[0].found
    assert asked[2].partition("?")[0].endswith("/getUpdates")
    assert "offset" not in asked[2]


def test_the_sandboxs_bot_is_well(sandbox: Sandbox, tmp_path: Path) -> None:
    at = sandbox.addresses
    subject = patient(
        tmp_path, KOS_TELEGRAM__URL=at.telegram_url, KOS_TELEGRAM__TOKEN=at.telegram_token
    )
    found = remotes.telegram(subject)
    assert [each.level for each in found] == [OK, OK, OK], found
    assert at.telegram_token not in str(found)


def test_a_refused_token_ends_the_questions(tmp_path: Path) -> None:
    found, asked = at_telegram(tmp_path, said(None, 401))
    assert [each.level for each in found] == [FAILURE]
    assert len(asked) == 1


def test_a_webhook_that_is_set_and_a_second_reader_are_failures(tmp_path: Path) -> None:
    found, asked = at_telegram(tmp_path, ME, said({"url": f"https://other.example/{CANARY}"}))
    assert [each.level for each in found] == [OK, FAILURE]
    assert "other.example" in found[1].found
    assert len(asked) == 2
    found, _ = at_telegram(tmp_path, ME, said({"url": ""}), said(None, 409))
    assert [each.level for each in found] == [OK, OK, FAILURE]


@pytest.mark.parametrize("body", [b"<html>no bot here</html>", b"[]", b'{"result": 7}'])
def test_a_server_that_speaks_otherwise_breaks_nothing(tmp_path: Path, body: bytes) -> None:
    found, _ = at_telegram(tmp_path, answer(200, body))
    assert found
