"""Which files get wrong lines, and which of all the mutants of a room are tried."""

from __future__ import annotations

import random
import subprocess
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from tools.mutants.operators import Mutant, mutants

EVERYTHING = "all"
LEFT_OUT = ("kos/sandbox",)
"""Tools of the tests, which no test is for: mutated only where named."""


class NothingToDo(Exception):  # noqa: N818 - the name says what happened
    """The choice of files or the list of allowed mutants cannot be followed."""


def git(root: Path, *arguments: str) -> str:
    """What a git command prints.

    Raises:
        NothingToDo: git refuses, for example an unknown revision.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NothingToDo(done.stderr.strip())
    return done.stdout


def tree_files(root: Path) -> list[str]:
    """The files of the work tree that git knows or would add."""
    listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard")
    return sorted(name for name in set(listed.splitlines()) if (root / name).is_file())


def changed_files(root: Path, base: str) -> list[str]:
    """Modules that are new or changed since a revision; what only moved is left out."""
    listed = git(root, "diff", "--name-status", "-M", "--diff-filter=d", base, "--", "kos")
    rows = [line.split("\t") for line in listed.splitlines()]
    new = git(root, "ls-files", "--others", "--exclude-standard", "--", "kos").splitlines()
    return [*(row[-1] for row in rows if row[0] != "R100"), *new]


def modules(root: Path, files: Sequence[str], rooms: Sequence[str], base: str) -> list[str]:
    """The modules to mutate: of the rooms, where there are any, else those that changed.

    Raises:
        NothingToDo: a room holds no module, or nothing changed.
    """
    ours = [name for name in files if name.startswith("kos/") and name.endswith(".py")]
    kept = [name for name in ours if not name.startswith(LEFT_OUT)]
    if not rooms:
        changed = set(changed_files(root, base))
        found = [name for name in kept if name in changed]
        if not found:
            raise NothingToDo(f"no module changed since {base}; name another base, or rooms")
        return found
    found = []
    for room in rooms:
        inside = kept if room == EVERYTHING else [name for name in ours if is_in(name, room)]
        if not inside:
            raise NothingToDo(f"{room} holds no module")
        found += inside
    return sorted(set(found))


def is_in(path: str, room: str) -> bool:
    """Whether a file is of a room: a folder, or a module with or without its `.py`."""
    room = room.rstrip("/")
    return path in {room, f"{room}.py"} or path.startswith(f"{room}/")


def room_of(path: str) -> str:
    """The room of a file: its folder, three parts deep at most."""
    return "/".join(PurePosixPath(path).parent.parts[:3])


def allowed(path: Path) -> set[tuple[str, str, str]]:
    """Mutants that change nothing one can see: the file, the line, and what it becomes.

    Raises:
        NothingToDo: an entry without a reason.
    """
    if not path.exists():
        return set()
    entries = tomllib.loads(path.read_text()).get("mutant", [])
    for entry in entries:
        if not entry.get("reason"):
            raise NothingToDo(f"{path}: {entry.get('path')}: every allowed mutant has a reason")
    return {(entry["path"], entry["before"], entry["after"]) for entry in entries}


def draw(
    root: Path, paths: Iterable[str], allow: set[tuple[str, str, str]], count: int, seed: int
) -> list[Mutant]:
    """So many mutants, one a line at most, as many of each room as of another.

    Raises:
        NothingToDo: an allowed mutant of these files that can no longer be made.
    """
    chance = random.Random(seed)  # noqa: S311 - a draw, no secret
    rooms: dict[str, list[list[Mutant]]] = {}
    stale = set(allow)
    for path in paths:
        lines: dict[int, list[Mutant]] = {}
        for mutant in mutants(path, (root / path).read_bytes()):
            sign = (path, mutant.before, mutant.after)
            stale.discard(sign)
            if sign not in allow:
                lines.setdefault(mutant.line, []).append(mutant)
        rooms.setdefault(room_of(path), []).extend(lines.values())
    if gone := [sign for sign in stale if sign[0] in set(paths) or not (root / sign[0]).exists()]:
        raise NothingToDo(f"allowed, but no mutant any more: {gone}")
    queues = [chance.sample(lines, len(lines)) for _, lines in sorted(rooms.items())]
    drawn: list[Mutant] = []
    while len(drawn) < count and any(queues):
        for queue in queues:
            if queue and len(drawn) < count:
                mutant = chance.choice(queue.pop())
                if _compiles(mutant.apply((root / mutant.path).read_bytes())):
                    drawn.append(mutant)
    return drawn


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
