"""Runs work in forks of a warm process, each in a copy of the tree, and keeps time limits."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WARM = (
    "pytest",
    "coverage",
    "hypothesis.stateful",
    "hypothesis.strategies",
    "msgspec",
    "peewee",
    "pykka",
    "requests",
    "rich.console",
    "starlette.applications",
    "structlog",
    "typer",
)
"""What the tests import anyway, and what therefore is imported once and forked."""

TICK_S = 0.02


class WorkFailed(Exception):  # noqa: N818 - the name says what happened
    """The work itself broke, as opposed to a test in it."""


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Args:
        name: which one, for the caller.
        work: what the fork does, in the tree that it is given; its value must be JSON.
        limit_s: after so many seconds the fork is killed with all that it started.
        change: a file of the tree, and what it holds meanwhile.
    """

    name: int | str
    work: Callable[[Path], Any]
    limit_s: float
    change: tuple[str, bytes] | None = None


@dataclass(frozen=True)
class Ended:
    """How a task ended: its value, or none where its time was up or the process died of it."""

    name: int | str
    value: Any
    seconds: float
    is_late: bool


@dataclass(frozen=True)
class _Running:
    task: Task
    tree: Path
    since: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


def copy_tree(root: Path, files: Iterable[str], to: Path) -> Path:
    """A copy of some files of a tree."""
    for name in files:
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target, follow_symlinks=False)
    return to


def run(tasks: Iterable[Task], trees: list[Path]) -> Iterator[Ended]:
    """Does the tasks, one at a time in each tree, and yields each as it ends.

    Raises:
        WorkFailed: the work broke; what it printed is in the message.
    """
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    waiting, free, running = iter(tasks), list(trees), dict[int, _Running]()
    seconds_on = 0
    try:
        while True:
            while free and (task := next(waiting, None)) is not None:
                seconds_on += 1
                tree = free.pop()
                _write(task, tree, seconds_on)
                running[_fork(task, tree)] = _Running(task, tree, time.monotonic())
            if not running:
                return
            for process in _gone(running):
                ended = running.pop(process)
                _restore(ended.task, ended.tree)
                free.append(ended.tree)
                yield _result(ended)
            time.sleep(TICK_S)
    finally:
        for process in running:
            _kill(process)


def _write(task: Task, tree: Path, seconds_on: int) -> None:
    """Puts the change in, dated so that no compiled file of another change is taken for it."""
    if task.change is None:
        return
    path = tree / task.change[0]
    shutil.copy2(path, tree.with_suffix(".original"))
    path.write_bytes(task.change[1])
    moment = int(time.time()) + seconds_on
    os.utime(path, (moment, moment))


def _restore(task: Task, tree: Path) -> None:
    if task.change is not None:
        shutil.copy2(tree.with_suffix(".original"), tree / task.change[0])


def _fork(task: Task, tree: Path) -> int:
    tree.with_suffix(".json").unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    try:  # the fork: nothing of it may return into the caller
        os.setsid()
        log = os.open(tree.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        own = {Path.cwd(), tree}
        os.chdir(tree)
        sys.path[:] = [str(tree), *(path for path in sys.path if Path(path).resolve() not in own)]
        os.environ["PYTHONPATH"] = str(tree)
        value = task.work(tree)
        tree.with_suffix(".json").write_text(json.dumps(value))
    except BaseException:  # noqa: BLE001 - whatever it is, the caller is told of it by the log
        traceback.print_exc()
        os._exit(70)
    finally:
        sys.stdout.flush()
        os._exit(0)


def _gone(running: dict[int, _Running]) -> list[int]:
    """The processes that have ended, or whose time is up."""
    gone = []
    for process, what in running.items():
        if os.waitpid(process, os.WNOHANG)[0]:
            _kill(process)
            gone.append(process)
        elif what.seconds > what.task.limit_s:
            _kill(process)
            os.waitpid(process, 0)
            gone.append(process)
    return gone


def _kill(process: int) -> None:
    """Ends a fork and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _result(ended: _Running) -> Ended:
    path, log = ended.tree.with_suffix(".json"), ended.tree.with_suffix(".log")
    is_late = ended.seconds > ended.task.limit_s
    if path.exists():
        return Ended(ended.task.name, json.loads(path.read_text()), ended.seconds, is_late=False)
    text = log.read_text(errors="replace")
    if "Traceback" in text and "tools/mutants" in text.rpartition("Traceback")[2]:
        raise WorkFailed(text[-4000:])
    return Ended(ended.task.name, None, ended.seconds, is_late)
