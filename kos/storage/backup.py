"""Consistent copies of the ledger while it runs, and the way back from one."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from kos.db import Database, WriterLock, meaning, open_for_reading, refuse_newer, schema_version
from kos.errors import DatabaseRefused, InvalidInput
from kos.messages import LedgerBackedUp
from kos.storage.migrations import SCHEMA_VERSION
from kos.storage.verify import verify


def back_up(path: Path, target: Path) -> LedgerBackedUp:
    """Copy the ledger to ``target`` in one consistent state, check the copy, then name it.

    The writer goes on meanwhile. A copy that is cut short never bears the target's name.

    Raises:
        InvalidInput: The target exists already.
        DatabaseRefused: The ledger cannot be read, or the copy is not sound.
        DatabaseUnavailable: The disk is full.
    """
    if target.exists():
        raise InvalidInput("target", str(target), "a file name that does not exist yet")
    if not target.parent.is_dir():
        raise InvalidInput("target", str(target), "a file in a folder that exists")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    source = open_for_reading(path)
    try:
        with meaning(target):
            sequence = _copy(source, partial)
        _refuse_unsound(partial, path)
        os.link(partial, target)
    except FileExistsError as error:
        raise InvalidInput("target", str(target), "a file name that does not exist yet") from error
    finally:
        source.close()
        partial.unlink(missing_ok=True)
    return LedgerBackedUp(target=str(target), sequence=sequence)


def restore(backup: Path, path: Path) -> Path | None:
    """Put a backup in the ledger's place; gives where the former file went, None if none was.

    Raises:
        DatabaseRefused: A daemon is writing the ledger, or the backup is not sound.
    """
    _refuse_unsound(backup, backup)
    lock = WriterLock(path)
    try:
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        source = open_for_reading(backup)
        try:
            with meaning(path):
                sequence = _copy(source, partial)
        finally:
            source.close()
        aside = _set_aside(path)
        partial.replace(path)
        lock.forget(sequence)
    finally:
        lock.release()
    return aside


def accept_loss(path: Path) -> int:
    """Accept that acknowledged entries are gone; gives how many. The ledger opens again then.

    Raises:
        DatabaseRefused: A daemon is writing it, or it cannot be read.
    """
    lock = WriterLock(path)
    try:
        database = open_for_reading(path)
        try:
            with meaning(path):
                last = _last_sequence(database)
        finally:
            database.close()
        lost = max(0, lock.acknowledged - last)
        lock.forget(last)
    finally:
        lock.release()
    return lost


def _copy(source: Database, target: Path) -> int:
    """Copy page by page; gives the last sequence in the copy."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    copy = sqlite3.connect(target)
    try:
        source.raw().backup(copy)
        # A copy is one file: without a log of its own it can be carried about.
        copy.execute("PRAGMA journal_mode = DELETE")
        (last,) = copy.execute(_LAST).fetchone()
    finally:
        copy.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return int(last)


_LAST = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'commands'), 0)"


def _last_sequence(database: Database) -> int:
    return int(database.value(_LAST))


def _refuse_unsound(file: Path, named: Path) -> None:
    copy = open_for_reading(file)
    try:
        with meaning(file):
            version = schema_version(copy)
            refuse_newer(file, version, SCHEMA_VERSION)
            if version < SCHEMA_VERSION:
                # An older file is checked by SQLite alone; opening it brings it up to date.
                problems = [text for (text,) in copy.rows("PRAGMA integrity_check") if text != "ok"]
            else:
                problems = list(verify(copy, file).problems)
    finally:
        copy.close()
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise DatabaseRefused(f"{named}: not sound: {problems[0]}{more}; see `kos ledger verify`")


def _set_aside(path: Path) -> Path | None:
    """Move the present file, with its log, out of the way; it is never deleted."""
    if not path.exists():
        return None
    stamped = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.before-restore-{stamped}")
    for suffix in ("-wal", "-shm", ""):
        present = path.with_name(path.name + suffix)
        if present.exists():
            present.rename(aside.with_name(aside.name + suffix))
    return aside
