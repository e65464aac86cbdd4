"""Each migration from a file of the version before; strangers and newer files are left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from kos.db import APPLICATION_ID, Database, open_for_writing, schema_version
from kos.errors import DatabaseRefused, DatabaseUnavailable
from kos.messages import CommandRecorded, RecordCreditsSpent
from kos.storage.ledger import Ledger, identity
from kos.storage.migrations import MIGRATIONS, SCHEMA_VERSION, migrate, open_as_it_is
from kos.storage.verify import expected_schema, schema_of, verify
from tests.storage.desks import desk_at, promise
from tests.storage.ledgers import NOON, begin, dump

STAMP = "2026-11-23T12:00:00.000000Z"


def file_of_version(path: Path, version: int) -> Database:
    database = open_for_writing(path, SCHEMA_VERSION)
    migrate(database, path, version)
    return database


def test_version_1_keeps_its_rows_and_becomes_version_2(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    database = file_of_version(path, 1)
    run = database.raw().execute
    run("BEGIN")
    run(
        "INSERT INTO commands VALUES (1, 'c', 'RecordCreditsSpent', zeroblob(16), NULL, x'7b7d', ?)",
        (STAMP,),
    )
    run("INSERT INTO credits_spent VALUES (1, 'soccer_epl', 3, ?)", (STAMP,))
    run("COMMIT")
    database.close()
    tables = ("commands", "credits_spent", "alias_facts")
    before = dump(path, tables)
    assert before["credits_spent"]
    ledger = Ledger(path)
    try:
        assert schema_version(ledger.database) == SCHEMA_VERSION
        assert ledger.sequence == 1
        begin(ledger, "A")
        assert verify(ledger.database, path).problems == ()
    finally:
        ledger.close()
    assert dump(path, tables)["credits_spent"] == before["credits_spent"]


def test_version_2_keeps_its_answers_and_takes_people_and_promises(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    database = file_of_version(path, 2)
    spent = RecordCreditsSpent(
        command_id="c", by="budget", occurred_at=NOON, sport_key="soccer_epl", credits=3
    )
    answered = CommandRecorded(command_id="c", sequence=1)
    run = database.raw().execute
    run("BEGIN")
    run(
        "INSERT INTO commands VALUES (1, 'c', 'RecordCreditsSpent', ?, NULL, ?, ?)",
        (identity(spent), msgspec.json.encode(answered), STAMP),
    )
    run("INSERT INTO credits_spent VALUES (1, 'soccer_epl', 3, ?)", (STAMP,))
    run("INSERT INTO erasures VALUES ('Z', 'ann', ?)", (STAMP,))
    run("COMMIT")
    database.close()
    before = dump(path, ("commands", "credits_spent", "erasures"))
    with desk_at(path) as desk:
        assert desk.ledger.execute([spent]) == [answered]
        assert dump(path, tuple(before)) == before
        desk.seat("telegram:7")
        desk.promise(promise("hello"))
        assert desk.waiting() == ["hello"]
        desk.sound()


@pytest.mark.parametrize("version", range(SCHEMA_VERSION))
def test_every_version_comes_to_the_same_schema(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    file_of_version(path, version).close()
    ledger = Ledger(path)
    try:
        assert schema_of(ledger.database) == expected_schema()
    finally:
        ledger.close()


def test_a_step_that_fails_leaves_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    file_of_version(path, 1).close()
    broken = (MIGRATIONS[0], "CREATE TABLE half (x) STRICT; CREATE TABLE commands (y);")
    monkeypatch.setattr("kos.storage.migrations.MIGRATIONS", broken)
    with pytest.raises(DatabaseRefused, match=r"near|exists|unknown|missing"):
        Ledger(path)
    monkeypatch.undo()
    database = file_of_version(path, 1)
    try:
        assert schema_version(database) == 1
        assert "table half" not in schema_of(database)
    finally:
        database.close()


def test_a_file_of_a_newer_kos_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    newer = sqlite3.connect(path)
    newer.execute("CREATE TABLE later (x)")
    newer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.commit()
    newer.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match=f"version {SCHEMA_VERSION + 1}.*upgrade KOS"):
        Ledger(path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ledger.db", "ledger.db.lock"]


def test_a_file_that_another_connection_holds_is_brought_up_to_date_later(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    file_of_version(path, 1).close()
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="another connection"):
        Ledger(path)
    other.close()
    Ledger(path).close()
    database = open_as_it_is(path)
    try:
        assert schema_version(database) == SCHEMA_VERSION
    finally:
        database.close()


def test_readers_refuse_a_schema_that_is_not_theirs(tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    file_of_version(older, 1).close()
    with pytest.raises(DatabaseRefused, match="start the daemon once"):
        open_as_it_is(older)
    newer = tmp_path / "newer.db"
    database = file_of_version(newer, SCHEMA_VERSION)
    database.raw().execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    with pytest.raises(DatabaseRefused, match="upgrade KOS"):
        open_as_it_is(newer)


def test_a_database_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match="another program"):
        Ledger(path)
    assert path.read_bytes() == before


def test_tables_are_strict() -> None:
    for name, text in expected_schema().items():
        if name.startswith("table ") and name != "table sqlite_sequence":
            assert text.rstrip().endswith("STRICT"), name
