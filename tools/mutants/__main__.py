"""`python -m tools.mutants`: are wrong lines noticed? See docs/contribute/tests.md."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.mutants import draw, inside, reach
from tools.mutants.operators import Mutant
from tools.mutants.pool import Ended, Task, copy_tree, run

KEPT = Path("build/mutants")
"""Where a tree keeps what was measured of it."""

SPARE_S, TIMES_AS_LONG = 60.0, 4
"""The chosen tests have so many seconds, and so many times their usual ones."""

FEW = 10
"""A room with fewer mutants than this shows too little to fail for."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant: noticed by a test, late, died, survived, or unreached."""

    mutant: Mutant
    outcome: str
    noticed_by: str
    ran: int
    seconds: float

    @property
    def is_noticed(self) -> bool:
        """Whether the tests fail with it."""
        return self.outcome in {"noticed", "late", "died"}


@dataclass(frozen=True)
class Row:
    """The figures of one room, and the share in percent that it has to reach."""

    room: str
    drawn: int
    noticed: int
    unreached: int
    floor: float | None

    @property
    def share(self) -> float:
        """Of a hundred mutants, so many are noticed."""
        return 100 * self.noticed / self.drawn if self.drawn else 100.0

    @property
    def holds(self) -> bool:
        """Whether the floor is reached."""
        return self.floor is None or self.share >= self.floor


def main(arguments: list[str] | None = None) -> int:
    """Draws the mutants, tries them, prints the table and the JSON."""
    options = _options(arguments)
    root = options.root.resolve()
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no fork outlives it
    try:
        files = draw.tree_files(root)
        floors = _floors(options.floor_of, files)
        paths = draw.modules(root, files, options.rooms, options.base)
        drawn = draw.draw(
            root, paths, draw.allowed(root / options.allow), options.count, options.seed
        )
    except draw.NothingToDo as problem:
        print(f"mutants: {problem}", file=sys.stderr)
        return 2
    _say(f"seed {options.seed}: {len(drawn)} mutants in {len({m.path for m in drawn})} files")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [
            copy_tree(root, files, Path(folder) / f"tree{number}") for number in range(options.jobs)
        ]
        measured, fresh = reach.measure(
            reach.near({m.path for m in drawn}, files, root, options.wide),
            files,
            root,
            trees,
            root / KEPT,
        )
        _say(f"{len(measured.seconds)} tests measured, {fresh} files anew")
        for name in measured.failed:
            _say(f"fails without a mutant, and is not asked: {name}")
        verdicts = list(_try(drawn, measured, trees, root, options))
    rows = _rows(verdicts, floors, options.floor)
    _print(rows, verdicts)
    print(_json(options, rows, verdicts, measured, time.monotonic() - started))
    return 0 if all(row.holds for row in rows) else 1


def _try(
    drawn: list[Mutant],
    measured: reach.Reach,
    trees: list[Path],
    root: Path,
    options: argparse.Namespace,
) -> Iterator[Verdict]:
    """Each mutant's verdict as it falls; before them, each tree has to pass without any."""
    chosen = {
        number: measured.choose(mutant, options.budget) for number, mutant in enumerate(drawn)
    }
    asked = {number: tests for number, tests in chosen.items() if tests}
    for number in chosen.keys() - asked.keys():
        yield Verdict(drawn[number], "unreached", "", 0, 0.0)
    if asked:
        proof = min(asked.values(), key=lambda tests: sum(tests.values()))
        for ended in run((_task(-1, proof, None, options.wait) for _ in trees), trees):
            if ended.value is None or ended.value["noticed_by"]:
                raise SystemExit(f"mutants: the tests fail without a mutant: {ended}")
    tasks = (
        _task(
            number,
            tests,
            (drawn[number].path, drawn[number].apply((root / drawn[number].path).read_bytes())),
            options.wait,
        )
        for number, tests in asked.items()
    )
    for count, ended in enumerate(run(tasks, trees), 1):
        verdict = _verdict(drawn[int(ended.name)], ended)
        mutant = verdict.mutant
        _say(f"{count}/{len(asked)} {verdict.outcome} {mutant.path}:{mutant.line}")
        yield verdict


def _task(
    number: int, tests: dict[str, float], change: tuple[str, bytes] | None, wait_s: float
) -> Task:
    limit = SPARE_S + TIMES_AS_LONG * sum(tests.values())
    return Task(number, lambda tree: inside.notice(tree, tests, wait_s), limit, change)


def _verdict(mutant: Mutant, ended: Ended) -> Verdict:
    if ended.value is None:
        return Verdict(mutant, "late" if ended.is_late else "died", "", 0, ended.seconds)
    noticed_by = ended.value["noticed_by"]
    outcome = "noticed" if noticed_by else "survived"
    return Verdict(mutant, outcome, noticed_by, ended.value["ran"], ended.seconds)


def _rows(verdicts: list[Verdict], floors: dict[str, float], floor: float) -> list[Row]:
    """A row for each room, for each path with a floor of its own, and for all."""

    def row(name: str, of_it: list[Verdict], least: float | None) -> Row:
        noticed = sum(verdict.is_noticed for verdict in of_it)
        unreached = sum(verdict.outcome == "unreached" for verdict in of_it)
        return Row(name, len(of_it), noticed, unreached, least)

    rooms: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        rooms.setdefault(draw.room_of(verdict.mutant.path), []).append(verdict)
    own = {
        path: of_it
        for path in floors
        if (of_it := [verdict for verdict in verdicts if draw.is_in(verdict.mutant.path, path)])
    }
    return [
        *(
            row(room, of_it, floor if len(of_it) >= FEW else None)
            for room, of_it in sorted(rooms.items())
            if room not in own
        ),
        *(row(path, of_it, floors[path]) for path, of_it in own.items()),
        row("all", verdicts, floor),
    ]


def _floors(written: list[str], files: list[str]) -> dict[str, float]:
    """`PATH=PERCENT` read; a path that is no more is refused, so that no floor is lost."""
    floors = {}
    for text in written:
        path, _, percent = text.partition("=")
        if not any(draw.is_in(name, path) for name in files):
            raise draw.NothingToDo(f"a floor for {path}, which holds no module")
        floors[path] = float(percent)
    return floors


def _print(rows: list[Row], verdicts: list[Verdict]) -> None:
    _say(f"\n{'room':36}{'drawn':>7}{'noticed':>9}{'unreached':>11}{'share':>9}{'floor':>8}")
    for row in rows:
        floor = "" if row.floor is None else f"{row.floor:.0f} %"
        _say(
            f"{row.room:36}{row.drawn:>7}{row.noticed:>9}{row.unreached:>11}"
            f"{row.share:>7.1f} %{floor:>8}{'' if row.holds else '  too few'}"
        )
    for verdict in verdicts:
        if not verdict.is_noticed:
            mutant = verdict.mutant
            _say(f"\n{mutant.path}:{mutant.line} {mutant.operator}, {verdict.outcome}")
            _say(f"  - {mutant.before}\n  + {mutant.after}")


def _json(
    options: argparse.Namespace,
    rows: list[Row],
    verdicts: list[Verdict],
    measured: reach.Reach,
    seconds: float,
) -> str:
    def said(verdict: Verdict) -> dict[str, Any]:
        mutant = asdict(verdict.mutant)
        kept = {name: mutant[name] for name in ("path", "line", "operator", "before", "after")}
        return {
            **kept,
            "outcome": verdict.outcome,
            "noticed_by": verdict.noticed_by,
            "tests_ran": verdict.ran,
            "seconds": round(verdict.seconds, 2),
        }

    return json.dumps(
        {
            "seed": options.seed,
            "seconds": round(seconds, 1),
            "rooms": [{**asdict(row), "share": round(row.share, 1)} for row in rows],
            "failing_without_a_mutant": measured.failed,
            "mutants": [said(verdict) for verdict in verdicts],
        },
        indent=1,
    )


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", help="folders or modules; `all`; else what changed")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="of the tree")
    parser.add_argument("--base", default="main", help="the revision to compare with")
    parser.add_argument("--count", type=int, default=60, help="of mutants")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of tests a mutant")
    parser.add_argument("--wait", type=float, default=15.0, help="seconds till a test hangs")
    parser.add_argument("--floor", type=float, default=90.0, help="percent, of all and each room")
    parser.add_argument("--floor-of", action="append", default=[], metavar="PATH=PERCENT")
    parser.add_argument(
        "--wide",
        action="append",
        default=[],
        metavar="TESTS",
        help="a folder of tests to ask as well",
    )
    parser.add_argument("--allow", default="tools/mutants/equivalent.toml", help="a list")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
