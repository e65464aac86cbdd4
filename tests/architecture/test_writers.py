"""One place writes the database."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.house import texts, trees

WRITES = re.compile(
    r"\b(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into|update\s+\S+\s+set|delete\s+from"
    r"|create\s+(?:\w+\s+)?(?:table|index|trigger|view)|drop\s+(?:table|index|trigger|view)"
    r"|alter\s+table|vacuum\s+into)\b",
    re.IGNORECASE,
)
OPENERS = {
    "open_for_writing": {"kos/storage/ledger.py"},
    "WriterLock": {"kos/storage/ledger.py", "kos/storage/backup.py"},
    "SqliteDatabase": {"kos/db.py"},
    "connect": {"kos/db.py", "kos/storage/backup.py"},
}
"""What opens the file so that it could be written, and the modules that may call it."""


def callers(name: str) -> set[str]:
    """The modules that call a function, or build on a class, of this name; of sqlite3 for `connect`."""
    wanted = {name, f"peewee.{name}"} if name != "connect" else {"sqlite3.connect"}
    found = set()
    for path, tree in trees().items():
        for node in ast.walk(tree):
            used = [node.func] if isinstance(node, ast.Call) else getattr(node, "bases", [])
            if any(ast.unparse(each) in wanted for each in used):
                found.add(path)
    return found


def test_only_storage_has_a_statement_that_writes() -> None:
    writers = {
        path for path, tree in trees().items() if any(WRITES.search(text) for text in texts(tree))
    }
    assert "kos/storage/ledger.py" in writers
    assert {path for path in writers if not path.startswith("kos/storage/")} == set()


@pytest.mark.parametrize("name", OPENERS)
def test_only_the_writer_opens_the_file_for_writing(name: str) -> None:
    assert callers(name) == OPENERS[name]


def test_the_writer_takes_its_lock_before_it_opens_the_file() -> None:
    (writer,) = (
        node
        for node in trees()["kos/storage/ledger.py"].body
        if isinstance(node, ast.ClassDef) and node.name == "Ledger"
    )
    calls = [
        (node.lineno, node.func.id)
        for node in ast.walk(writer)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"WriterLock", "open_for_writing"}
    ]
    assert [name for _, name in sorted(calls)] == ["WriterLock", "open_for_writing"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO facts VALUES (?)",
        "insert or ignore into a",
        "UPDATE {} SET x = 1",
        "DELETE FROM a",
    ],
)
def test_a_statement_that_writes_would_be_found(statement: str) -> None:
    assert WRITES.search(statement)
