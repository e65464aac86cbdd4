"""The mutants: which wrong lines are made, and that a noticed, a surviving and an unreached one differ."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.mutants.draw import room_of
from tools.mutants.operators import mutants

ROOT = Path(__file__).parents[2]

SUMS = """
def paid(stake, limit):
    if stake > limit:
        return limit
    return stake


def doubled(number):
    return number * 2


def lonely(number):
    return number - 3


def forever(number):
    while number > 0:
        number -= 1
    return number


def tripled(number):
    return number * 3
"""
TESTS = """
import subprocess
import sys

from kos.sums import doubled, forever, paid

def test_paid():
    assert [paid(1, 2), paid(2, 2), paid(3, 2)] == [1, 2, 2]

def test_doubled():
    doubled(4)

def test_forever():
    assert forever(3) == 0

def test_tripled_by_a_process_of_its_own():
    code = "from kos.sums import tripled; print(tripled(2))"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"6\\n"
"""
ALLOWED = """
[[mutant]]
path = "kos/sums.py"
before = "if stake > limit:"
after = "if (stake >= limit):"
reason = "at the limit both amounts are one"
"""


@dataclass(frozen=True)
class Run:
    """What a run said."""

    code: int
    text: str
    said: dict[str, Any]

    @property
    def outcomes(self) -> dict[tuple[str, str], str]:
        return {(each["before"], each["after"]): each["outcome"] for each in self.said["mutants"]}


def run(tree: Path, *options: str) -> Run:
    command = [
        sys.executable,
        "-m",
        "tools.mutants",
        "--root",
        str(tree),
        "--seed",
        "1",
        "--wait",
        "2",
    ]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Run(done.returncode, done.stderr, json.loads(done.stdout or "{}"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small tree under git: a module with four functions, of which the tests ask three."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / "kos").mkdir()
    (folder / "tests").mkdir()
    for name, text in {
        "kos/__init__.py": "",
        "kos/sums.py": SUMS,
        "tests/__init__.py": "",
        "tests/test_sums.py": TESTS,
        "setup.cfg": "[tool:pytest]\n",
        ".gitignore": "build/\n",
        "equivalent.toml": ALLOWED,
    }.items():
        (folder / name).write_text(text)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "sums"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def made(source: str) -> set[str]:
    return {mutant.after for mutant in mutants("kos/a.py", source.encode())}


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("a < b", {"(a <= b)", "(a >= b)"}),
        ("a == b", {"(a != b)"}),
        ("a in b", {"(a not in b)"}),
        ("a and b", {"(a or b)"}),
        ("not a", {"(a)"}),
        ("a + b", {"(a - b)"}),
        ("7", {"(8)", "(6)"}),
        ("True", {"False"}),
        ('a = Decimal("1.01")', {'a = Decimal("2.01")', 'a = Decimal("0.01")'}),
        ("a.quantize(b, ROUND_HALF_UP)", {"a.quantize(b, 'ROUND_DOWN')", "pass"}),
        ("a(b)", {"pass"}),
        ("log.info(a)", set()),
        ("if a > 1: self._log.info(a)", set()),
        ("class A(B, gc=False, kw_only=True): pass", set()),
        ("class A(B, frozen=True): pass", {"class A(B, frozen=False): pass"}),
        ("raise a", {"pass"}),
        ("a.b = c", {"pass"}),
        ("if a: pass", {"if True: pass", "if False: pass"}),
        ("def f() -> 1: return a", {"def f() -> 1: return None"}),
        ("def f(): return None", set()),
        ('f"{a + 1}"', set()),
    ],
)
def test_the_wrong_lines_of_a_line(source: str, wrong: set[str]) -> None:
    assert made(source) == wrong


def test_a_mutant_changes_its_own_characters_alone() -> None:
    source = 'odds = "é", a > 1\nstake = b > 1\n'.encode()
    [first] = [m for m in mutants("kos/a.py", source) if m.after == "stake = (b >= 1)"]
    assert first.apply(source) == 'odds = "é", a > 1\nstake = (b >= 1)\n'.encode()


def test_a_room_is_a_folder() -> None:
    assert room_of("kos/domain/offers/placing.py") == "kos/domain/offers"
    assert room_of("kos/main.py") == "kos"


def test_noticed_surviving_and_unreached_mutants_are_told_apart(tree: Path) -> None:
    before = subprocess.check_output(["git", "status", "--porcelain"], cwd=tree)
    done = run(tree, "all", "--allow", "equivalent.toml")
    seen = done.outcomes
    assert done.code == 1
    assert "too few" in done.text
    assert {seen[key] for key in seen if "stake" in key[0] or "limit" in key[0]} == {"noticed"}
    assert ("if stake > limit:", "if (stake >= limit):") not in seen
    assert {seen[key] for key in seen if "number * 2" in key[0]} == {"survived"}
    assert {seen[key] for key in seen if "number - 3" in key[0]} == {"unreached"}
    assert {seen[key] for key in seen if "number * 3" in key[0]} == {"noticed"}
    assert {seen[key] for key in seen if "number -= 1" in key[0]} == {"noticed"}
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=tree) == before
    assert (tree / "kos/sums.py").read_text() == SUMS


def test_a_floor_of_its_own_decides_for_its_path(tree: Path) -> None:
    low = ("all", "--floor", "1", "--count", "4")
    assert run(tree, *low).code == 0
    assert run(tree, *low, "--floor-of", "kos/sums=100").code == 1
    lost = run(tree, *low, "--floor-of", "kos/gone=100")
    assert (lost.code, lost.text) == (2, "mutants: a floor for kos/gone, which holds no module\n")


def test_without_rooms_the_changed_files_alone_are_mutated(tree: Path) -> None:
    assert "no module changed since main" in run(tree).text
    (tree / "kos/new.py").write_text("def one():\n    return 1\n")
    try:
        [mutant] = run(tree).said["mutants"]
    finally:
        (tree / "kos/new.py").unlink()
    assert (mutant["path"], mutant["outcome"]) == ("kos/new.py", "unreached")


def test_an_allowed_mutant_has_a_reason_and_is_still_one(tree: Path, tmp_path: Path) -> None:
    listed = tmp_path / "allowed.toml"
    listed.write_text(ALLOWED.replace("at the limit both amounts are one", ""))
    assert "has a reason" in run(tree, "all", "--allow", str(listed)).text
    listed.write_text(ALLOWED.replace(">= limit", ">= more"))
    assert "no mutant any more" in run(tree, "all", "--allow", str(listed)).text
