"""The contracts of imports: kept by the tree, and broken by a file that nobody has named in them."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

LEAKS = {
    "layers": ("storage", "kos.views.table"),
    "layers-of-the-domain": ("domain/market", "kos.domain.people.alerts"),
    "domain-is-pure": ("domain/offers", "socket"),
    "web-server": ("doctor", "starlette"),
    "requests": ("service", "requests"),
    "peewee": ("desk", "peewee"),
    "aiogram": ("desk", "aiogram"),
    "pykka": ("actors", "pykka"),
    "prometheus": ("observability", "prometheus_client"),
    "matplotlib": ("views", "matplotlib"),
    "terminal": ("views", "rich"),
    "sandbox": ("actors", "kos.sandbox.server"),
    "one-writer": ("doctor", "kos.storage.ledger"),
    "rapidfuzz": ("web", "rapidfuzz"),
}
"""By contract: a room that may not, and what its new file imports."""

CONTRACT = "importlinter:contract:"


def contracts() -> dict[str, str]:
    """Each contract's id and name."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return {
        section.removeprefix(CONTRACT): config[section]["name"]
        for section in config.sections()
        if section.startswith(CONTRACT)
    }


def lint(folder: Path) -> dict[str, str]:
    """What breaks each contract in a copy of the tree, by its name."""
    program = ROOT / "tests" / "architecture" / "linted.py"
    ended = subprocess.run(
        [sys.executable, str(program)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    broken: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
    return broken


def copy_to(folder: Path) -> Path:
    shutil.copytree(ROOT / "kos", folder / "kos", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", folder)
    return folder


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What breaks each contract in a copy with one new file for each, and a room of no layer."""
    folder = copy_to(tmp_path_factory.mktemp("leaky"))
    for contract, (room, imported) in LEAKS.items():
        name = f"leak_{contract.replace('-', '_')}.py"
        (folder / "kos" / room / name).write_text(f"import {imported}\n")
    (folder / "kos" / "annexe").mkdir()
    (folder / "kos" / "annexe" / "__init__.py").touch()
    (folder / "kos" / "domain" / "shed.py").touch()
    return lint(folder)


def test_the_tree_keeps_every_contract(tmp_path: Path) -> None:
    assert lint(copy_to(tmp_path)) == dict.fromkeys(contracts().values(), "")


def test_every_contract_is_tried() -> None:
    assert set(LEAKS) == set(contracts())


@pytest.mark.parametrize("contract", LEAKS)
def test_a_new_file_that_nobody_named_breaks_the_contract(
    contract: str, leaky: dict[str, str]
) -> None:
    assert f"leak_{contract.replace('-', '_')}" in leaky[contracts()[contract]]


@pytest.mark.parametrize(
    ("contract", "room"), [("layers", "annexe"), ("layers-of-the-domain", "shed")]
)
def test_a_room_in_no_layer_breaks_the_contract(
    contract: str, room: str, leaky: dict[str, str]
) -> None:
    assert room in leaky[contracts()[contract]]
