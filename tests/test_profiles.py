"""The hypothesis profiles: what `long` runs more of, what it keeps, and that no test is left out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.profiles import FAILURES

ROOT = Path(__file__).parents[1]
LITERAL = re.compile(r"max_examples\s*=\s*\d")
PROPERTIES = """
import collections, json, pathlib
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests.profiles import examples

drawn = collections.defaultdict(list)

@given(st.integers())
def test_plain(number):
    drawn["plain"].append(number)

@settings(max_examples=examples(7))
@given(st.integers())
def test_counted(number):
    drawn["counted"].append(number)

class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        drawn["machine"].append(0)

    @rule()
    def step(self):
        pass

Machine.TestCase.settings = settings(max_examples=examples(3), stateful_step_count=2)
TestMachine = Machine.TestCase

def test_z():
    pathlib.Path("drawn.json").write_text(json.dumps(drawn))
"""
FAILURE = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_small(number):
    assert number < 1000
"""


def run(folder: Path, profile: str, text: str) -> str:
    """What pytest prints of a file of property tests run under a profile."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_properties.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.profiles"]
    environment = {
        **os.environ,
        "HYPOTHESIS_PROFILE": profile,
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": "_hypothesis_pytestplugin",
    }
    return subprocess.run(
        [*command, "test_properties.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def drawn(folder: Path, profile: str) -> dict[str, list[int]]:
    """Every example of the three property tests under a profile."""
    output = run(folder, profile, PROPERTIES)
    assert "4 passed" in output, output
    examples: dict[str, list[int]] = json.loads((folder / "drawn.json").read_text())
    return examples


def test_the_long_profile_runs_ten_times_the_examples_and_new_ones(tmp_path: Path) -> None:
    usual, long = drawn(tmp_path, "ci"), drawn(tmp_path, "long")
    assert {name: len(each) for name, each in usual.items()} == {
        "plain": 100,
        "counted": 7,
        "machine": 3,
    }
    assert {name: len(each) for name, each in long.items()} == {
        "plain": 1000,
        "counted": 70,
        "machine": 30,
    }
    assert long["plain"][: len(usual["plain"])] != usual["plain"]


def test_the_long_profile_keeps_the_example_that_failed(tmp_path: Path) -> None:
    assert "@reproduce_failure" in run(tmp_path, "long", FAILURE)
    assert any((tmp_path / FAILURES).rglob("*"))


def test_the_usual_profile_keeps_nothing(tmp_path: Path) -> None:
    assert "1 failed" in run(tmp_path, "ci", FAILURE)
    assert not (tmp_path / FAILURES).exists()


def test_every_property_test_takes_its_count_from_the_profile() -> None:
    written = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LITERAL.search(line)
    ]
    assert not written, "write max_examples=examples(…), so that `make test-long` runs more"
