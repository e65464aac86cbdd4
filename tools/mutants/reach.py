"""Which tests reach a line: chosen by path and imports, measured once, kept by the tree's hash."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tools.mutants import inside
from tools.mutants.operators import Mutant
from tools.mutants.pool import Task, run

APART = ("tests/system", "tests/packaging", "tests/docs", "tests/squid", "tests/emulator")
"""Tests of the whole daemon, or with needs of their own: slow, and run only where asked for."""

EVERYWHERE = ("tests/architecture/test_values.py", "tests/docs/test_references.py")
"""Tests that look at every module without importing it by name."""

RECORD_LIMIT_S = 1200.0


def module_of(path: str) -> str:
    """The dotted name of a file of the tree."""
    return ".".join(PurePosixPath(path).with_suffix("").parts).removesuffix(".__init__")


@dataclass
class Reach:
    """What was measured.

    Args:
        seconds: how long each test takes.
        by_line: of each file of `kos`, the tests that reach each line in a test.
        failed: tests that fail without any mutant; they notice nothing.
        near: of each file of `kos`, the test files beside it or with its name in their imports.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    by_line: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    near: dict[str, list[str]] = field(default_factory=dict)

    def choose(self, mutant: Mutant, budget_s: float) -> dict[str, float]:
        """The tests that reach a mutant and their seconds, nearest and quickest first.

        A line that runs at import is reached by every test that reaches its module, and by every
        test in a file that imports it.
        """
        by_line = self.by_line.get(mutant.path, {})
        near = self.near.get(mutant.path, [])
        if mutant.is_at_import:
            reached = set().union(*by_line.values())
            reached |= {name for name in self.seconds if name.partition("::")[0] in near}
        else:
            lines = range(mutant.statement, mutant.line + 1)
            reached = set().union(*(by_line.get(line, set()) for line in lines))
        return dict(self._ordered(mutant, reached, budget_s))

    def _ordered(
        self, mutant: Mutant, reached: set[str], budget_s: float
    ) -> Iterable[tuple[str, float]]:
        stem = PurePosixPath(mutant.path).stem
        files: dict[str, float] = {}
        for name in reached:
            file = name.partition("::")[0]
            files[file] = files.get(file, 0.0) + self.seconds[name]
        place = {
            file: (f"test_{stem}" not in file, files[file])
            for file in sorted(files, key=lambda file: (files[file], file))
        }
        spent = 0.0
        for name in sorted(
            reached, key=lambda name: (place[name.partition("::")[0]], self.seconds[name], name)
        ):
            spent += self.seconds[name]
            if spent > budget_s:
                return
            yield name, self.seconds[name]


def near(paths: Iterable[str], files: Sequence[str], root: Path, wide: Sequence[str]) -> Reach:
    """The test files of each path: those of the mirrored folder, of its name, and that import it."""
    apart = tuple(folder for folder in APART if folder not in wide)
    tests = [
        name
        for name in files
        if name in EVERYWHERE or (name.startswith("tests/") and not name.startswith(apart))
        if PurePosixPath(name).match("test_*.py")
    ]
    imports = {name: _imported(ast.parse((root / name).read_bytes())) for name in tests}
    chosen = {}
    for path in paths:
        folder = PurePosixPath("tests", *PurePosixPath(path).parts[1:-1])
        while folder != PurePosixPath("tests") and not any(
            name.startswith(f"{folder}/") for name in tests
        ):
            folder = folder.parent
        module, stem = module_of(path), PurePosixPath(path).stem
        chosen[path] = [
            name
            for name in tests
            if module in imports[name]
            or name in EVERYWHERE
            or (folder != PurePosixPath("tests") and name.startswith(f"{folder}/"))
            or PurePosixPath(name).name.startswith(f"test_{stem}")
            or name.startswith(tuple(wide) or "\0")
        ]
    return Reach(near=chosen)


def _imported(tree: ast.Module) -> set[str]:
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules


def measure(
    reach: Reach, files: Sequence[str], root: Path, trees: list[Path], kept: Path
) -> tuple[Reach, int]:
    """Runs each file of tests once, or reads what an earlier run of the same tree kept.

    Returns:
        what was measured, and how many files had to be run.
    """
    wanted = sorted({name for names in reach.near.values() for name in names})
    stamp = _stamp(files, root)
    places = {
        name: kept / f"{hashlib.sha256(stamp + (root / name).read_bytes()).hexdigest()[:24]}.json"
        for name in wanted
    }
    missing = [name for name in wanted if not places[name].exists()]
    kept.mkdir(parents=True, exist_ok=True)
    tasks = (
        Task(name, lambda tree, name=name: inside.record(tree, name), RECORD_LIMIT_S)  # type: ignore[misc]
        for name in missing
    )
    for ended in run(tasks, trees):
        value = ended.value or {"seconds": {}, "failed": [str(ended.name)], "lines": {}}
        places[str(ended.name)].write_text(json.dumps(value))
    for name in wanted:
        _add(reach, json.loads(places[name].read_text()))
    return reach, len(missing)


def _stamp(files: Sequence[str], root: Path) -> bytes:
    """A hash of all that a test can reach, the other tests left out."""
    total = hashlib.sha256()
    for name in files:
        path = PurePosixPath(name)
        is_support = path.parts[0] == "tests" and not path.name.startswith("test_")
        if path.parts[0] == "kos" or is_support or name in {"setup.cfg", "constraints.txt"}:
            total.update(name.encode() + (root / name).read_bytes())
    return total.digest()


def _add(reach: Reach, measured: dict[str, dict[str, dict[str, list[int]]]]) -> None:
    names = list(measured["seconds"])
    reach.seconds.update(measured["seconds"])  # type: ignore[arg-type]
    reach.failed.extend(measured["failed"])
    for path, lines in measured["lines"].items():
        known = reach.by_line.setdefault(path, {})
        for line, numbers in lines.items():
            known.setdefault(int(line), set()).update(names[number] for number in numbers)
