"""Durable commands a second: the ledger beside plain sqlite3 doing the same inserts.

    python -m benchmarks.ledger [--seconds 2] [--folder DIR]

Prints JSON. In short slices, taken in turns so that the moods of a disk fall on all alike:

* ``alone``: one client, each command answered before the next: one commit each;
* ``waiting_64``: 64 clients that wait, so that up to 50 commands share a commit;
* ``plain_each`` and ``plain_group``: sqlite3 with the very same rows and the very same schema
  (constraints, indexes, triggers), one commit for each command's rows, and one for 50 commands.

Two kinds of command: ``credits`` (one row beside the command's own) and ``money`` (a fact, an
entry of two postings with its balances, a transaction). ``actor_64`` is the same over the
runtime: 64 threads of this process asking the ledger's own process.
"""

from __future__ import annotations

import argparse
import itertools
import json
import queue
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from kos.actors import ledger as ledger_actor
from kos.db import open_for_writing
from kos.domain.offers import facts as f
from kos.messages import MESSAGES, LedgerCommand, RecordCreditsSpent, RecordFact
from kos.runtime import NodeSpec, System, connect
from kos.storage.ledger import MAX_BATCH, Ledger
from kos.storage.migrations import SCHEMA_VERSION, migrate
from kos.storage.verify import verify

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLIENTS = 64

_numbers = itertools.count()


def credits_command() -> LedgerCommand:
    return RecordCreditsSpent(
        command_id=f"credits-{next(_numbers)}",
        by="budget",
        occurred_at=NOON,
        sport_key="soccer_epl",
        credits=1,
    )


def money_command() -> LedgerCommand:
    return RecordFact(
        command_id=f"money-{next(_numbers)}",
        by="bench",
        occurred_at=NOON,
        participant="A",
        fact=f.Opened(amount=1),
    )


def joined() -> LedgerCommand:
    return RecordFact(
        command_id="join", by="bench", occurred_at=NOON, participant="A", fact=f.Joined(name="Ann")
    )


COMMANDS: dict[str, Callable[[], LedgerCommand]] = {
    "credits": credits_command,
    "money": money_command,
}


# --- the ledger ------------------------------------------------------------------------------


class Alone:
    """One client, one command at a time."""

    def __init__(self, folder: Path, make: Callable[[], LedgerCommand]) -> None:
        self.ledger = Ledger(folder / "alone.db")
        self.ledger.execute([joined()])
        self._make = make

    def slice(self, seconds: float) -> float:
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            self.ledger.execute([self._make()])
            done += 1
        return done / (time.perf_counter() - start)

    def close(self) -> None:
        self.ledger.close()


class Waiting:
    """64 clients that wait for their answers; the writer takes what waits, 50 at most."""

    def __init__(self, folder: Path, make: Callable[[], LedgerCommand]) -> None:
        self.ledger = Ledger(folder / "waiting.db")
        self.ledger.execute([joined()])
        self._make = make

    def slice(self, seconds: float) -> float:
        """The clients are played by one queue: each answer puts that client's next command in."""
        box: queue.SimpleQueue[LedgerCommand] = queue.SimpleQueue()
        for _ in range(CLIENTS):
            box.put(self._make())
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            batch = [box.get() for _ in range(min(MAX_BATCH, box.qsize()))]
            answers = self.ledger.execute(batch)
            for _ in answers:
                box.put(self._make())
            done += len(answers)
        return done / (time.perf_counter() - start)

    def close(self) -> None:
        problems = verify(self.ledger.database, self.ledger.path).problems
        self.ledger.close()
        if problems:
            raise SystemExit(f"the ledger is not sound after the run: {problems}")


class Actor:
    """64 threads asking the ledger's process over the runtime."""

    def __init__(self, folder: Path, make: Callable[[], LedgerCommand]) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        state = folder / "actor"
        state.mkdir()
        self._system = System(
            name="bench",
            nodes=(NodeSpec(name="ledger", children=(ledger_actor.spec(state),)),),
            messages=MESSAGES,
            run_dir=state / "run",
        )
        self._system.start()
        self._loop = threading.Thread(target=self._system.run)
        self._loop.start()
        self._client = connect(state / "run", MESSAGES)
        self._client.describe()
        self._client.ask("ledger", joined(), timeout_s=10)
        self._make = make

    def slice(self, seconds: float) -> float:
        stop = threading.Event()
        counts = [0] * CLIENTS

        def ask(number: int) -> None:
            while not stop.is_set():
                self._client.ask("ledger", self._make(), timeout_s=30)
                counts[number] += 1

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - start)

    def close(self) -> None:
        self._client.close()
        self._system.request_stop()
        self._loop.join()


# --- plain sqlite3 with the same rows ----------------------------------------------------------


class Plain:
    """sqlite3 and nothing else: rows known beforehand, the ledger's schema, FULL sync."""

    def __init__(self, folder: Path, name: str, kind: str, group: int) -> None:
        path = folder / f"{name}.db"
        database = open_for_writing(path, SCHEMA_VERSION)
        migrate(database, path)
        database.close()
        template = Ledger(folder / f"{name}-template.db")
        template.execute([joined(), COMMANDS[kind]()])
        self._rows = template_rows(template)
        template.close()
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("synchronous = FULL", "foreign_keys = 1", "secure_delete = 1"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._group = group
        self._next = 3
        for sql, values in self._rows.before:
            self._connection.execute(sql, values)

    def slice(self, seconds: float) -> float:
        run = self._connection.execute
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            run("BEGIN IMMEDIATE")
            for _ in range(self._group):
                number = self._next
                for sql, place in self._rows.each:
                    run(sql, place(number))
                self._next = number + 1
            run("COMMIT")
            done += self._group
        return done / (time.perf_counter() - start)

    def close(self) -> None:
        self._connection.close()


class Rows:
    """What the ledger wrote for its first rows, and how to write those of any further command."""

    def __init__(self) -> None:
        self.before: list[tuple[str, tuple[Any, ...]]] = []
        self.each: list[tuple[str, Callable[[int], tuple[Any, ...]]]] = []


_TABLES = ("commands", "credits_spent", "events", "postings", "transactions")
_NUMBERED = {"sequence", "transaction_id"}


def template_rows(ledger: Ledger) -> Rows:
    """Inserts made from the rows of one joined participant and one command of the kind."""
    rows = Rows()
    connection = ledger.database.raw()
    for table in ("participants", "commands", "events", "accounts"):
        where = "" if table in {"participants", "accounts"} else " WHERE sequence = 1"
        for row in connection.execute(f"SELECT * FROM {table}{where}"):  # noqa: S608 - constants
            values = (*row[:4], 0) if table == "accounts" else tuple(row)
            marks = ", ".join("?" * len(values))
            rows.before.append((f"INSERT INTO {table} VALUES ({marks})", values))  # noqa: S608
    for table in _TABLES:
        names = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
        where = " WHERE transaction_id = 1" if table in {"postings", "transactions"} else ""
        where = where or " WHERE sequence = 2"
        for row in connection.execute(f"SELECT * FROM {table}{where}"):  # noqa: S608 - constants
            marks = ", ".join("?" * len(row))
            rows.each.append((f"INSERT INTO {table} VALUES ({marks})", _numbered(names, row)))  # noqa: S608
    return rows


def _numbered(names: Sequence[str], row: Sequence[Any]) -> Callable[[int], tuple[Any, ...]]:
    def values(number: int) -> tuple[Any, ...]:
        return tuple(
            number if name in _NUMBERED else f"plain-{number}" if name == "command_id" else value
            for name, value in zip(names, row, strict=True)
        )

    return values


# --- the run -------------------------------------------------------------------------------------


def measured(kind: str, folder: Path, seconds: float, rounds: int) -> dict[str, Any]:
    make = COMMANDS[kind]
    ways: dict[str, Any] = {
        "alone": Alone(folder, make),
        "plain_each": Plain(folder, "each", kind, 1),
        "waiting_64": Waiting(folder, make),
        "plain_group": Plain(folder, "group", kind, MAX_BATCH),
        "actor_64": Actor(folder, make),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for turn in range(rounds):
            for name in rotated(list(ways), turn):
                found[name].append(ways[name].slice(seconds))
    finally:
        for way in ways.values():
            way.close()
    rates = {name: round(statistics.median(values)) for name, values in found.items()}
    return {
        "commands_a_second": rates,
        "slices": {name: [round(value) for value in values] for name, values in found.items()},
        "alone_of_plain_each": round(rates["alone"] / rates["plain_each"], 3),
        "waiting_of_plain_group": round(rates["waiting_64"] / rates["plain_group"], 3),
        "actor_of_plain_group": round(rates["actor_64"] / rates["plain_group"], 3),
    }


def rotated(names: list[str], turn: int) -> Iterator[str]:
    turn %= len(names)
    yield from names[turn:] + names[:turn]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a slice")
    parser.add_argument("--rounds", type=int, default=5, help="slices of each way")
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    chosen = parser.parse_args()
    answer: dict[str, Any] = {"sqlite": sqlite3.sqlite_version, "batch": MAX_BATCH}
    for kind in COMMANDS:
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            answer[kind] = measured(kind, Path(folder), chosen.seconds, chosen.rounds)
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
