"""The schema as numbered forward steps; a file goes through those it has not been through.

Each step runs in one transaction together with its number, so that a file is at one version or
the next, never between. A file of a newer KOS is refused and not touched.
"""

from __future__ import annotations

from pathlib import Path

from kos.db import APPLICATION_ID, Database, meaning, refuse_newer, schema_version

_COMMANDS = """
CREATE TABLE commands (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE CHECK (length(command_id) BETWEEN 1 AND 200),
    kind TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 16),
    user_id TEXT,
    answer BLOB NOT NULL,
    recorded_at TEXT NOT NULL CHECK (recorded_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE TRIGGER commands_are_never_changed BEFORE UPDATE ON commands
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER commands_are_never_removed BEFORE DELETE ON commands
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;

CREATE TABLE credits_spent (
    sequence INTEGER PRIMARY KEY
        REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    sport_key TEXT NOT NULL CHECK (sport_key <> ''),
    credits INTEGER NOT NULL CHECK (credits >= 0),
    spent_at TEXT NOT NULL CHECK (spent_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX idx_credits_spent_spent_at ON credits_spent (spent_at);
CREATE TRIGGER credits_spent_are_never_changed BEFORE UPDATE ON credits_spent
BEGIN SELECT RAISE(ABORT, 'credits_spent is append-only'); END;
CREATE TRIGGER credits_spent_are_never_removed BEFORE DELETE ON credits_spent
BEGIN SELECT RAISE(ABORT, 'credits_spent is append-only'); END;

CREATE TABLE alias_facts (
    sequence INTEGER PRIMARY KEY
        REFERENCES commands (sequence) DEFERRABLE INITIALLY DEFERRED,
    sport TEXT NOT NULL,
    feed_name TEXT NOT NULL CHECK (feed_name <> ''),
    exchange_name TEXT NOT NULL CHECK (exchange_name <> ''),
    verdict TEXT NOT NULL CHECK (verdict IN ('confirmed', 'rejected', 'withdrawn')),
    evidence TEXT NOT NULL,
    decided_by TEXT NOT NULL CHECK (decided_by <> ''),
    decided_at TEXT NOT NULL CHECK (decided_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
CREATE INDEX idx_alias_facts_pair ON alias_facts (sport, feed_name, exchange_name, sequence);
CREATE TRIGGER alias_facts_are_never_changed BEFORE UPDATE ON alias_facts
BEGIN SELECT RAISE(ABORT, 'alias_facts is append-only'); END;
CREATE TRIGGER alias_facts_are_never_removed BEFORE DELETE ON alias_facts
BEGIN SELECT RAISE(ABORT, 'alias_facts is append-only'); END;
"""

MIGRATIONS: tuple[str, ...] = (_COMMANDS,)
"""Step n is at index n - 1. A step that has been released is never edited."""

SCHEMA_VERSION = len(MIGRATIONS)


def migrate(database: Database, path: Path, target: int = SCHEMA_VERSION) -> int:
    """Bring the file to ``target``; gives the version it had before.

    Raises:
        DatabaseRefused: The file is of a newer KOS than this one.
    """
    with meaning(path):
        before = schema_version(database)
        refuse_newer(path, before, SCHEMA_VERSION)
        for number, script in enumerate(MIGRATIONS[before:target], before + 1):
            connection = database.raw()
            try:
                # One script, one transaction: executescript itself commits nothing more.
                connection.executescript(
                    f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};\n{script}\n"
                    f"PRAGMA user_version = {number}; COMMIT;"
                )
            except Exception:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    return before
