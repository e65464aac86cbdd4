"""The systemd unit: one text, hardened, and only with credentials that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kos.cli.app import app
from kos.service.unit import SYSUSERS, reference, unit

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def kos(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_the_packaged_copies_are_what_kos_writes() -> None:
    assert (PACKAGING / "kos.service").read_text("utf-8") == reference()
    assert (PACKAGING / "kos.sysusers").read_text("utf-8") == SYSUSERS


def test_the_unit_says_what_the_daemon_counts_on() -> None:
    lines = reference().splitlines()
    for line in (
        "Type=notify",
        "WatchdogSec=60",
        "KillMode=mixed",
        "RestartPreventExitStatus=78",
        "LoadCredential=odds-api-key:/etc/kos/credentials/odds-api-key",
        "User=kos",
    ):
        assert line in lines


@needs_systemd
def test_systemd_scores_its_exposure_at_one_and_a_half_or_better() -> None:
    found = analyze("security", "--offline=true", "--no-pager", str(PACKAGING / "kos.service"))
    score = re.search(r"exposure level for kos\.service: ([0-9.]+)", found.stdout)
    assert score is not None, found.stdout + found.stderr
    assert float(score[1]) <= 1.5


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    for name, is_user in (("system.service", False), ("user.service", True)):
        file = tmp_path / name
        file.write_text(unit(sys.executable, is_user=is_user, secrets=["odds_api.key"]), "utf-8")
        assert "Unknown" not in analyze("verify", str(file)).stderr


def test_only_secrets_that_exist_are_loaded(tmp_path: Path) -> None:
    credentials = tmp_path / "etc" / "kos" / "credentials"
    credentials.mkdir(parents=True)
    (credentials / "betfair-app-key").write_text("canary-7f3a9c")
    (credentials / "unknown").write_text("x")
    printed = kos("service", "print", "--root", str(tmp_path), "--executable", "/opt/kos/bin/kos")
    loaded = re.findall(r"(?m)^LoadCredential=(.*)$", printed)
    assert loaded == ["betfair-app-key:/etc/kos/credentials/betfair-app-key"]
    assert "canary" not in printed


def test_install_writes_unit_and_account_and_says_what_comes_next(tmp_path: Path) -> None:
    said = kos("service", "install", "--root", str(tmp_path), "--executable", "/opt/kos/bin/kos")
    written = (tmp_path / "etc/systemd/system/kos.service").read_text("utf-8")
    assert written == unit("/opt/kos/bin/kos")
    assert (tmp_path / "etc/sysusers.d/kos.conf").read_text("utf-8") == SYSUSERS
    assert "systemctl daemon-reload" in said


def test_the_user_variant_asks_for_nothing_that_only_root_may_give() -> None:
    text = unit("/home/ann/.local/bin/kos", is_user=True, secrets=["odds_api.key"])
    for word in ("User=", "LoadCredential", "ProtectSystem", "PrivateUsers", "Capability"):
        assert word not in text
    assert "WantedBy=default.target" in text
