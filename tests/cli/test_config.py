"""``kos config`` as a person types it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def kos(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kos", *arguments],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_init_writes_a_private_file_that_holds_and_never_replaces_one(tmp_path: Path) -> None:
    file = tmp_path / "kos.toml"
    assert kos("config", "init", str(file)).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    checked = kos("config", "check", "--config", str(file))
    assert (checked.returncode, str(file) in checked.stdout) == (0, True)
    file.write_text("[service]\n")
    refused = kos("config", "init", str(file))
    assert refused.returncode == 2
    assert file.read_text() == "[service]\n"


def test_check_tells_every_error_at_once_and_exits_with_78(tmp_path: Path) -> None:
    file = tmp_path / "kos.toml"
    file.write_text('[service]\nlog_level = "loud"\nheartbeat_s = 0\n[odds_ap]\n')
    refused = kos("config", "check", "-c", str(file))
    assert refused.returncode == 78
    for part in ("log_level = 'loud'", "heartbeat_s = 0", "[odds_ap]"):
        assert part in refused.stderr
    assert kos("run", "-c", str(file)).returncode == 78


def test_show_masks_secrets_and_names_sources(tmp_path: Path) -> None:
    shown = kos(
        "config", "show", "--json", "--changed",
        KOS_CONFIG=str(tmp_path / "absent.toml"), KOS_ODDS_API__KEY="canary-7f3a9c",
    )  # fmt: skip
    assert "canary" not in shown.stdout + shown.stderr
    (row,) = json.loads(shown.stdout)
    assert (row["key"], row["value"], row["source"]) == (
        "odds_api.key",
        '"***"',
        "$KOS_ODDS_API__KEY",
    )
