"""Dockerfile and compose file, as far as they can be held to the code without an engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.main import get_command

from kos.cli.app import app
from kos.config.described import rows
from kos.config.load import credential_name

REPOSITORY = Path(__file__).resolve().parents[2]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined."""
    text = (REPOSITORY / "Dockerfile").read_text("utf-8")
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    document = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))
    found: dict[str, Any] = document["services"]["kos"]
    return found


def test_what_the_image_copies_is_there_and_let_in() -> None:
    allowed = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    copied = [name for word, rest in instructions() if word == "COPY" for name in rest.split()[:-1]]
    assert copied
    for name in copied:
        assert (REPOSITORY / name).exists()
        assert f"!{name}" in allowed


def test_the_last_stage_runs_kos_as_nobody_in_particular() -> None:
    last = instructions()
    last = last[max(i for i, (word, _) in enumerate(last) if word == "FROM") :]
    said = dict(last)
    assert said["USER"] == "10001:10001"
    assert json.loads(said["ENTRYPOINT"]) == ["kos"]
    assert json.loads(said["CMD"]) == ["run"]
    assert not any(word == "COPY" for word, _ in last)


def test_the_commands_that_the_image_runs_exist() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    (check,) = (rest for word, rest in instructions() if word == "HEALTHCHECK")
    kos, command, option = json.loads(check.partition("CMD ")[2])
    assert (kos, command) == ("kos", "health")
    assert option in {name for each in commands["health"].params for name in each.opts}
    assert "run" in commands


def test_the_environment_of_the_image_is_known_to_the_settings() -> None:
    (said,) = (rest for word, rest in instructions() if word == "ENV")
    named = set(re.findall(r"(KOS_\w+)=", said))
    assert named <= {row.variable for row in rows()}


def test_the_container_may_do_next_to_nothing(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["user"] == "10001:10001"
    assert service["stop_grace_period"] == "30s"
    assert "ports" not in service
    assert "environment" not in service


def test_its_secrets_have_the_names_that_kos_looks_for(service: dict[str, Any]) -> None:
    known = {credential_name(row.key) for row in rows() if row.is_secret}
    assert set(service["secrets"]) <= known
