"""``kos doctor`` as a person types it, with secrets planted everywhere."""

from __future__ import annotations

import json
from pathlib import Path

from kos.sandbox import Sandbox
from tests.cli.test_config import kos

CANARY = "canary-7f3a9c"


def test_the_doctor_tells_what_it_found_and_what_to_do_but_no_secret(tmp_path: Path) -> None:
    with Sandbox(seed=3) as sandbox:
        environment = {
            "KOS_CONFIG": str(tmp_path / "absent.toml"),
            "KOS_SERVICE__STATE_DIR": str(tmp_path / "state"),
            "KOS_ODDS_API__URL": sandbox.odds_api_url,
            "KOS_ODDS_API__KEY": CANARY,
            "KOS_PROXIES__USED_BY": "betfair",
            "KOS_PROXIES__URL": "http://{username}-{session}:{password}@127.0.0.1:1",
            "KOS_PROXIES__USERNAME": CANARY,
            "KOS_PROXIES__PASSWORD": CANARY,
            "KOS_BETFAIR__APP_KEY": CANARY,
            "KOS_BETFAIR__USERNAME": CANARY,
            "KOS_BETFAIR__PASSWORD": CANARY,
            "KOS_BETFAIR__IDENTITY_URL": sandbox.betfair_url,
        }
        told = kos("doctor", **environment)
        counted = kos("doctor", "--json", **environment)
    assert told.returncode == counted.returncode == 2
    assert "-> " in told.stdout
    for each in (told, counted):
        assert CANARY not in each.stdout + each.stderr
        assert "Traceback" not in each.stderr
    answer = json.loads(counted.stdout)
    assert answer["exit_code"] == 2
    levels = {each["check"]: each["level"] for each in answer["findings"]}
    assert levels["betfair"] == levels["odds api"] == levels["proxies"] == "failure"
    assert levels["settings"] == levels["time zones"] == "ok"


def test_the_state_directory_of_the_option_is_examined(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    told = kos(
        "doctor", "--json", "--state-dir", str(folder), KOS_ODDS_API__URL="http://127.0.0.1:1"
    )
    found = {each["check"]: each["found"] for each in json.loads(told.stdout)["findings"]}
    assert found["state directory"] == f"{folder} will be created on first start"


def test_settings_that_do_not_hold_are_a_finding_too(tmp_path: Path) -> None:
    file = tmp_path / "kos.toml"
    file.write_text('[service]\nlog_level = "loud"\n[odds_api]\nurl = "http://127.0.0.1:1"\n')
    told = kos("doctor", "--config", str(file), KOS_ODDS_API__URL="http://127.0.0.1:1")
    assert told.returncode == 2
    assert "log_level = 'loud'" in told.stdout
