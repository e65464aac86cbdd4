"""The door to the database: the writer's lock, opening, pragmas and what SQLite's errors mean.

The ledger is one SQLite file in WAL mode. One process writes it, under an operating system lock
that is taken before the file is opened; everyone else opens it read only. Schema and queries
live in :mod:`kos.storage`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import peewee

from kos.errors import DatabaseRefused, DatabaseUnavailable, KosError

StructT = TypeVar("StructT", bound=msgspec.Struct)

APPLICATION_ID = 0x4B4F534C
"""``KOSL`` in the file's header: a file with another mark is not ours and is not touched."""

FILE_NAME = "ledger.db"
"""The ledger's name in the state directory."""

MAX_NAME = 200
"""Characters of a name or an ID that is kept."""

_BY_EFFECTIVE_ID = os.access in os.supports_effective_ids
_LOCK_SUFFIX = ".lock"
_LOCK_BYTES = 128
_READER_WAIT_MS = 2_000

_RETRY = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class _Holder(msgspec.Struct, frozen=True):
    """What stands in the lock file."""

    pid: int
    acknowledged: int
    """The highest sequence that was ever answered as durable."""


class WriterLock:
    """The right to write one ledger file, held until :meth:`release` or the process's end.

    The lock file also keeps the highest sequence that was acknowledged. It is written after
    each commit and never synced, so that it costs next to nothing; a ledger that opens with less
    than it has lost acknowledged entries (a cut WAL, an old copy put in place) and says so.

    Args:
        path: The database file; its lock stands beside it.

    Raises:
        DatabaseRefused: Another process holds it, named by its process id; or the folder is
            not writable.
    """

    def __init__(self, path: Path) -> None:
        real = path.resolve()
        self.path = real.with_name(real.name + _LOCK_SUFFIX)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseRefused(
                f"{self.path}: cannot open the writer's lock ({error.strerror}); "
                "make the state directory exist and be writable by this user"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._read()
            os.close(self._file)
            who = f"process {holder.pid}" if holder is not None and holder.pid else "a process"
            raise DatabaseRefused(
                f"{real}: {who} is already writing to it; stop that one first, or use it"
            ) from error
        state = self._read()
        self.acknowledged = state.acknowledged if state is not None else 0
        self._write()

    def acknowledge(self, sequence: int) -> None:
        """Note that everything up to ``sequence`` is durable and about to be answered."""
        if sequence > self.acknowledged:
            self.acknowledged = sequence
            self._write()

    def forget(self, sequence: int) -> None:
        """Set the mark back to ``sequence``: what is after it is known and accepted as lost."""
        self.acknowledged = sequence
        self._write()

    def release(self) -> None:
        """Give the right up; the lock file stays, since removing it would let two in."""
        os.close(self._file)

    def _read(self) -> _Holder | None:
        try:
            return msgspec.json.decode(os.pread(self._file, _LOCK_BYTES, 0), type=_Holder)
        except msgspec.DecodeError:
            return None

    def _write(self) -> None:
        # A full disk must not lose the answer of a commit that did come through. The bytes
        # were reserved by the first write, so that only an I/O error can get here at all.
        with suppress(OSError):
            text = msgspec.json.encode(_Holder(os.getpid(), self.acknowledged))
            os.pwrite(self._file, text.ljust(_LOCK_BYTES), 0)


def acknowledged(path: Path) -> int:
    """The highest acknowledged sequence of the ledger at ``path``; 0 where none is noted."""
    real = path.resolve()
    try:
        text = real.with_name(real.name + _LOCK_SUFFIX).read_bytes()
        return msgspec.json.decode(text, type=_Holder).acknowledged
    except (OSError, msgspec.DecodeError):
        return 0


class Database(peewee.SqliteDatabase):
    """One connection to the ledger file, with typed doors to its rows."""

    def raw(self) -> sqlite3.Connection:
        """The connection below peewee, for the writer's hot path and for SQLite's own tools."""
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        return connection

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """All rows of one query, each a tuple in the order of its columns."""
        rows: list[Any] = self.execute_sql(sql, values).fetchall()  # type: ignore[no-untyped-call]
        return rows

    def named(
        self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[dict[str, Any]]:
        """All rows of one query, each by the names of its columns."""
        return named(self.execute_sql(sql, values))  # type: ignore[no-untyped-call]

    def structs(
        self, kind: type[StructT], sql: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> tuple[StructT, ...]:
        """All rows of one query, each column in the field of its name."""
        return tuple(struct_of(row, kind) for row in self.named(sql, values))

    def value(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """The first column of the first row."""
        return self.rows(sql, values)[0][0]


def open_for_writing(path: Path, newest: int) -> Database:
    """The ledger file, created if need be: WAL, FULL sync, foreign keys on, private to its owner.

    Args:
        path: The file; the caller holds its :class:`WriterLock`.
        newest: The newest schema version that the caller knows.

    Raises:
        DatabaseRefused: It is damaged, of a newer schema, not a ledger, or not writable; the
            file is then as it was.
        DatabaseUnavailable: The disk is full or another connection has locked it.
    """
    database = Database(
        str(path),
        pragmas=(
            ("journal_mode", "wal"),
            ("synchronous", "full"),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("busy_timeout", 0),
            ("wal_autocheckpoint", 1000),
        ),
    )
    mask = os.umask(0o077)
    try:
        with meaning(path):
            _refuse_strangers(path, newest)
            if path.exists() and not os.access(path, os.W_OK, effective_ids=_BY_EFFECTIVE_ID):
                raise DatabaseRefused(
                    f"{path}: the file is not writable; give this user write access to it"
                )
            database.connect()
            mode = database.value("PRAGMA journal_mode")
            if mode != "wal":
                raise DatabaseRefused(
                    f"{path}: this file system cannot keep a write-ahead log (it answers {mode}); "
                    "put the state directory on a local disk"
                )
    except KosError:
        database.close()
        raise
    finally:
        os.umask(mask)
    return database


def open_for_reading(path: Path) -> Database:
    """A read-only connection; it sees only what is committed and can change nothing.

    Raises:
        DatabaseRefused: There is no ledger there, or it cannot be read.
    """
    if not path.exists():
        raise DatabaseRefused(f"{path}: no ledger yet; the first write creates it")
    database = Database(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        pragmas=(("query_only", 1), ("foreign_keys", 1), ("busy_timeout", _READER_WAIT_MS)),
    )
    try:
        with meaning(path):
            database.connect()
            if database.value("PRAGMA application_id") != APPLICATION_ID:
                raise DatabaseRefused(f"{path}: this is not a KOS ledger")
    except KosError:
        database.close()
        raise
    return database


def schema_version(database: Database) -> int:
    """The number of the last migration that the file has been through; 0 for an empty file."""
    return int(database.value("PRAGMA user_version"))


@contextmanager
def meaning(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into ours: who must act, and how.

    Raises:
        DatabaseUnavailable: Full disk, busy file: nothing was saved, try again later.
        DatabaseRefused: Damaged, read only or not openable: a person has to act.
    """
    try:
        yield
    except (peewee.PeeweeException, sqlite3.Error) as error:
        raise _meaning_of(path, error) from error


def _meaning_of(path: Path, error: Exception) -> KosError:
    cause = error.__cause__ if isinstance(error.__cause__, sqlite3.Error) else error
    if not isinstance(cause, sqlite3.Error) and isinstance(error.__context__, sqlite3.Error):
        cause = error.__context__
    extended = getattr(cause, "sqlite_errorcode", None)
    code = None if extended is None else extended & 0xFF
    text = str(error)
    if code in _RETRY:
        why = (
            "the disk is full"
            if code == sqlite3.SQLITE_FULL
            else "another connection has locked it"
        )
        return DatabaseUnavailable(
            "ledger",
            f"{path}: {why} ({text}); nothing was saved; KOS tries again on the next command",
        )
    if code in _DAMAGED:
        return DatabaseRefused(
            f"{path}: the file is damaged ({text}); keep a copy, then "
            "`kos ledger restore` the latest backup"
        )
    if code == sqlite3.SQLITE_READONLY:
        return DatabaseRefused(
            f"{path}: the file is read-only; give this user write access to it and its folder"
        )
    if code == sqlite3.SQLITE_IOERR:
        return DatabaseUnavailable(
            "ledger", f"{path}: the disk refuses reading or writing ({text}); nothing was saved"
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return DatabaseRefused(f"{path}: cannot be opened; check that its folder exists ({text})")
    return DatabaseRefused(f"{path}: {type(error).__name__}: {text}")


def _refuse_strangers(path: Path, newest: int) -> None:
    """Refuse a file that is not ours, or of a newer KOS, before anything could be written."""
    if not path.exists() or path.stat().st_size == 0:
        return
    probe = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        (mark,) = probe.execute("PRAGMA application_id").fetchone()
        (tables,) = probe.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (version,) = probe.execute("PRAGMA user_version").fetchone()
    finally:
        probe.close()
    if mark != APPLICATION_ID and tables:
        raise DatabaseRefused(
            f"{path}: this database belongs to another program; choose another file"
        )
    refuse_newer(path, version, newest)


def refuse_newer(path: Path, version: int, newest: int) -> None:
    """Refuse a schema that this KOS does not know.

    Raises:
        DatabaseRefused: It is newer; the text names both versions.
    """
    if version > newest:
        raise DatabaseRefused(
            f"{path}: its schema is version {version}, this KOS knows up to {newest}; "
            "upgrade KOS, or restore a backup made by this version"
        )


def stamp(moment: datetime) -> str:
    """A moment as the database keeps it: UTC, microseconds, so that text order is time order.

    >>> stamp(datetime(2026, 11, 23, 12, tzinfo=UTC))
    '2026-11-23T12:00:00.000000Z'
    """
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def moment(text: str) -> datetime:
    """The moment that :func:`stamp` wrote."""
    return datetime.fromisoformat(text)


def named(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    """The rows of a cursor, each by the names of its columns."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def struct_of(row: Mapping[str, Any], kind: type[StructT]) -> StructT:
    """A row as a struct: 0 and 1 as truth, text as times and members of enums."""
    return msgspec.convert(row, kind, strict=False)
