"""What runs in a fork: pytest on the copy of the tree, with what it reached or who noticed."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

PLAIN = (
    "-q",
    "-x",
    *("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
"""Options of every run: the given order, nothing kept, stop at the first failure."""

TIMES_AS_LONG = 10
"""A test that takes so many times its usual seconds, and at least the wait, hangs."""


RUNNING_TEST = "MUTANTS_RUNNING_TEST"
CHILD = """
[run]
parallel = true
sigterm = true
patch = _exit
context = ${{{running}}}
source = {source}
data_file = {data_file}
"""
"""How coverage measures a process that a test starts, under the name of that test."""


class _Recorder:
    """Notes which lines of `kos` each test reaches, and how long it takes.

    A process that a test starts may outlive it, as the daemon of a module does; what it reaches
    counts for every test until no process is left.
    """

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self.groups: dict[str, list[str]] = {}
        self._group: list[str] = []
        self._since = 0.0

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._group = self._group if _has_children() else []
        self._group.append(nodeid)
        self.groups[nodeid] = self._group
        self.measured.switch_context(nodeid)
        os.environ[RUNNING_TEST] = nodeid
        self._since = time.perf_counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        if report.when == "teardown":
            self.seconds[report.nodeid] = time.perf_counter() - self._since
            self.measured.switch_context("")

    def since(self, name: str) -> list[str]:
        """A test that started a process, and those that met it."""
        group = self.groups.get(name, [])
        return group[group.index(name) :] if group else []


def record(tree: Path, file: str) -> dict[str, Any]:
    """Runs a file of tests: seconds of each test that passes, and by line who reaches it."""
    source, own, started = tree / "kos", tree.with_suffix(".tmp"), tree.with_suffix(".coverage")
    shutil.rmtree(started, ignore_errors=True)
    started.mkdir()
    settings = started / "rc"
    settings.write_text(
        CHILD.format(running=RUNNING_TEST, source=source, data_file=started / "data")
    )
    os.environ["HYPOTHESIS_PROFILE"] = "ci"
    os.environ["COVERAGE_CORE"] = "ctrace"
    os.environ["COVERAGE_PROCESS_START"] = str(settings)
    measured = coverage.Coverage(
        data_file=None, config_file=False, source=[str(source)], messages=False
    )
    recorder = _Recorder(measured)
    measured.start()
    options = [option for option in PLAIN if option != "-x"]
    pytest.main([*options, f"--basetemp={own}", file], plugins=[recorder])
    measured.stop()
    passed = [name for name in recorder.seconds if name not in recorder.failed]
    number = {name: index for index, name in enumerate(passed)}
    lines: dict[str, dict[int, set[int]]] = {}
    for is_other, path, line, name in _reached(measured.get_data(), sorted(started.glob("data.*"))):
        tests = recorder.since(name) if is_other else [name]
        lines.setdefault(str(path.relative_to(tree)), {}).setdefault(line, set()).update(
            number[test] for test in tests if test in number
        )
    return {
        "seconds": {name: round(recorder.seconds[name], 4) for name in passed},
        "failed": sorted(recorder.failed),
        "lines": {
            path: {line: sorted(tests) for line, tests in found.items() if tests}
            for path, found in lines.items()
        },
    }


def _reached(
    own: coverage.CoverageData, others: list[Path]
) -> Iterator[tuple[bool, Path, int, str]]:
    """Whether a process beside the tests reached a line, which line of which file, in which test."""
    measured = [(False, own)]
    for path in others:
        data = coverage.CoverageData(basename=str(path))
        with contextlib.suppress(coverage.CoverageException):  # killed while it wrote
            data.read()
            measured.append((True, data))
    for is_other, data in measured:
        for file in data.measured_files():
            for line, names in data.contexts_by_lineno(file).items():
                for name in names:
                    yield is_other, Path(file), line, name


def _has_children() -> bool:
    """Whether a process that this one started is still there; Python's own helper is none."""
    for listed in Path("/proc/self/task").glob("*/children"):
        for child in listed.read_text().split():
            with contextlib.suppress(OSError):
                if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
                    return True
    return False


class _Chosen:
    """Keeps the chosen tests alone, in their order, and notes the first one that fails."""

    def __init__(self, seconds: dict[str, float], wait_s: float) -> None:
        self.seconds = seconds
        self.wait_s = wait_s
        self.order = {name: place for place, name in enumerate(seconds)}
        self.ran = 0
        self.noticed_by = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self.order]
        items.sort(key=lambda item: self.order[item.nodeid])
        for item in items:
            limit = max(self.wait_s, TIMES_AS_LONG * self.seconds[item.nodeid])
            item.add_marker(pytest.mark.timeout(limit))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call"
        if report.failed and not self.noticed_by:
            self.noticed_by = report.nodeid


def notice(tree: Path, seconds: dict[str, float], wait_s: float) -> dict[str, Any]:
    """Runs the chosen tests until one fails; says which, or how many ran in vain."""
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    chosen = _Chosen(seconds, wait_s)
    files = list(dict.fromkeys(name.partition("::")[0] for name in seconds))
    options = [*PLAIN, f"--basetemp={tree.with_suffix('.tmp')}"]
    try:
        code = pytest.main([*options, *files], plugins=[chosen])
    except pytest.PytestUnraisableExceptionWarning:  # of the last collection, after the last test
        code = pytest.ExitCode.TESTS_FAILED
        chosen.noticed_by = chosen.noticed_by or "the end of the session"
    if code != pytest.ExitCode.OK and not chosen.noticed_by:
        chosen.noticed_by = f"the collection of {', '.join(files)}"
    return {"noticed_by": chosen.noticed_by, "ran": chosen.ran}
