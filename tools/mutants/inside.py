"""What runs in a fork: pytest on the copy of the tree, with what it reached or who noticed."""

from __future__ import annotations

import os
import time
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


class _Recorder:
    """Notes which lines of `kos` each test reaches, and how long it takes."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self._since = 0.0

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.measured.switch_context(nodeid)
        self._since = time.perf_counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
        if report.when == "teardown":
            self.seconds[report.nodeid] = time.perf_counter() - self._since
            self.measured.switch_context("")


def record(tree: Path, file: str) -> dict[str, Any]:
    """Runs a file of tests: seconds of each test that passes, and by line who reaches it."""
    os.environ["HYPOTHESIS_PROFILE"] = "ci"
    os.environ["COVERAGE_CORE"] = "ctrace"
    measured = coverage.Coverage(
        data_file=None, config_file=False, source=[str(tree / "kos")], messages=False
    )
    recorder = _Recorder(measured)
    measured.start()
    options = [option for option in PLAIN if option != "-x"]
    pytest.main([*options, f"--basetemp={tree.with_suffix('.tmp')}", file], plugins=[recorder])
    measured.stop()
    data = measured.get_data()
    passed = [name for name in recorder.seconds if name not in recorder.failed]
    number = {name: index for index, name in enumerate(passed)}
    lines = {
        str(Path(path).relative_to(tree)): {
            line: found
            for line, names in data.contexts_by_lineno(path).items()
            if (found := sorted(number[name] for name in names if name in number))
        }
        for path in data.measured_files()
    }
    return {
        "seconds": {name: round(recorder.seconds[name], 4) for name in passed},
        "failed": sorted(recorder.failed),
        "lines": {path: found for path, found in lines.items() if found},
    }


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
    code = pytest.main([*PLAIN, f"--basetemp={tree.with_suffix('.tmp')}", *files], plugins=[chosen])
    if code != pytest.ExitCode.OK and not chosen.noticed_by:
        chosen.noticed_by = f"the collection of {', '.join(files)}"
    return {"noticed_by": chosen.noticed_by, "ran": chosen.ran}
