"""The one writer: commands in, durable answers out, in groups that share one commit.

Everything but the actor's shell is here, so that it can be tested and measured without one. A
batch is one transaction. A command is decided before it writes anything, so that a refused one
leaves nothing behind; should one fail after it has written, the batch is rolled back and done
again with a savepoint for each, and the command undoes itself and nothing else. Answers are given
only after the commit, which waits for the disk.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import msgspec
import peewee
import structlog

from kos.db import WriterLock, meaning, open_for_writing, stamp
from kos.domain.matching.aliases import AliasVerdict
from kos.domain.offers.catalogue import checked
from kos.domain.offers.facts import DepositSent, EntryReversed, MoneyFact, OfferFact
from kos.domain.people.conversation import PromiseOutcome
from kos.errors import CommandNotAllowed, DatabaseRefused, InvalidInput, OperatorMustAct
from kos.messages import (
    AcceptInvitation,
    CommandRecorded,
    CommandRefused,
    Conclude,
    EraseParticipant,
    FactRecorded,
    LedgerCommand,
    MarkDelivered,
    PersonSeated,
    PutInvitation,
    PutOffers,
    RecordAlias,
    RecordCreditsSpent,
    RecordFact,
    SetPerson,
)
from kos.storage.conclusions import conclude
from kos.storage.erasure import erase
from kos.storage.migrations import SCHEMA_VERSION, migrate
from kos.storage.outbox import mark_delivered
from kos.storage.people import (
    NOT_GOOD,
    accept_invitation,
    put_invitation,
    seated_by,
    set_person,
)
from kos.storage.portfolios import Portfolios, terms_text
from kos.storage.queries import latest_terms
from kos.storage.retention import Retention

MAX_BATCH = 50
"""Commands that share one commit at most."""

_MAX_COMMAND_ID = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNSAID = b""
"""An answer that is not stored because it can be made again from what is."""

_NOT_ITS_FAULT = (sqlite3.Error, peewee.PeeweeException, MemoryError)
"""Failures of the file or the machine: no command is refused for them, the batch fails."""

DeskCommand = SetPerson | PutInvitation | Conclude | MarkDelivered
"""The commands about people and what is promised to them."""
StoredCommand = (
    RecordFact
    | PutOffers
    | EraseParticipant
    | RecordCreditsSpent
    | RecordAlias
    | AcceptInvitation
    | DeskCommand
)
"""The commands that the ledger carries out."""
LedgerAnswer = CommandRecorded | CommandRefused | FactRecorded | PersonSeated

_log = structlog.get_logger()

_ANSWERS: msgspec.json.Decoder[LedgerAnswer] = msgspec.json.Decoder(LedgerAnswer)
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class _FailedMidwayError(Exception):
    """A command failed after it had written something: the batch is done again, with savepoints."""


class Ledger:
    """The open ledger of this process, the only one that writes it.

    Opening takes the lock, opens the file, brings its schema up to date and checks that nothing
    acknowledged is missing. Use it from one thread.

    Args:
        path: The database file; its folder exists.
        now: Where the time of recording comes from.

    Raises:
        DatabaseRefused: Another process writes it, or the file cannot be used; says which.
        DatabaseUnavailable: Not now: the disk is full.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._now = now
        self._next = 1
        self._is_cleaning = False
        self._retention = Retention()
        self._lock = WriterLock(path)
        try:
            self.database = open_for_writing(path, SCHEMA_VERSION)
            try:
                migrate(self.database, path)
                self._connection = self.database.raw()
                with meaning(path):
                    self._check_whole()
                    self._portfolios = Portfolios(self.database)
            except BaseException:
                self.database.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @property
    def sequence(self) -> int:
        """The place of the last command in the ledger."""
        return self._next - 1

    def execute(self, commands: Sequence[LedgerCommand]) -> list[LedgerAnswer]:
        """Carry out the commands in order and commit them together; the answers in that order.

        Raises:
            DatabaseUnavailable: Nothing of the whole batch is stored; send it again later.
            DatabaseRefused: The file is damaged or was made read only; nothing is stored.
        """
        with meaning(self.path):
            try:
                answers = self._together(commands, with_savepoints=False)
            except _FailedMidwayError:
                answers = self._together(commands, with_savepoints=True)
        self._lock.acknowledge(self.sequence)
        if self._is_cleaning:
            self._clean()
        return answers

    def close(self) -> None:
        """Close the file, which empties its WAL, and give up the lock."""
        try:
            self.database.close()
        finally:
            self._lock.release()

    def _together(
        self, commands: Sequence[LedgerCommand], *, with_savepoints: bool
    ) -> list[LedgerAnswer]:
        """One transaction. Savepoints cost a quarter of the time, and are hardly ever needed."""
        first = self._next
        run = self._connection.execute
        now = self._now()
        recorded_at = stamp(now)
        try:
            if self._connection.in_transaction:
                run("ROLLBACK")  # left by a failure that could not even be rolled back
            run("BEGIN IMMEDIATE")
            answers = [
                self._carry_out(command, recorded_at, with_savepoint=with_savepoints)
                for command in commands
            ]
            self._retention.tidy(self._connection, now)
            run("COMMIT")
        except BaseException:
            self._next = first
            self._portfolios.forget()
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        return answers

    def _carry_out(
        self, command: LedgerCommand, recorded_at: str, *, with_savepoint: bool
    ) -> LedgerAnswer:
        run = self._connection.execute
        command_id = command.command_id
        try:
            digest = identity(command)
        except (ValueError, OverflowError, TypeError) as error:
            return CommandRefused(
                command_id=command_id, reason=f"a value in it cannot be stored: {error}"
            )
        first_answer = self._first_answer(command_id, digest)
        if first_answer is not None:
            return first_answer
        if not 0 < len(command_id) <= _MAX_COMMAND_ID:
            return CommandRefused(
                command_id=command_id,
                reason=f"command_id: expected 1 to {_MAX_COMMAND_ID} characters",
            )
        sequence = self._next
        changes = self._connection.total_changes
        if with_savepoint:
            run("SAVEPOINT command")
        answer: LedgerAnswer
        try:
            answer = self._handle(command, sequence, recorded_at)
        except Exception as error:
            if isinstance(error, _NOT_ITS_FAULT) and not isinstance(error, sqlite3.IntegrityError):
                raise
            if self._connection.total_changes != changes and not with_savepoint:
                raise _FailedMidwayError from error
            if with_savepoint:
                run("ROLLBACK TO command")
            if not isinstance(error, OperatorMustAct):
                self._portfolios.forget()
            answer = CommandRefused(command_id=command_id, reason=self._reason(command, error))
        run(
            "INSERT INTO commands (sequence, command_id, kind, digest, user_id, answer, recorded_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                sequence,
                command_id,
                type(command).__name__,
                digest,
                command.participant if isinstance(command, RecordFact) else None,
                _stored(answer),
                recorded_at,
            ),
        )
        if with_savepoint:
            run("RELEASE command")
        self._next = sequence + 1
        return answer

    def _first_answer(self, command_id: str, digest: bytes) -> LedgerAnswer | None:
        """What was answered under that id; None when it is new."""
        row = self._connection.execute(
            "SELECT digest, answer, kind, sequence FROM commands WHERE command_id = ?",
            (command_id,),
        ).fetchone()
        if row is None:
            return None
        if row[0] != digest:
            return CommandRefused(
                command_id=command_id,
                reason=f"command id {command_id!r} was used for another command; use a new one",
            )
        _, stored, kind, sequence = row
        if stored != _UNSAID:
            return _ANSWERS.decode(stored)
        if kind != AcceptInvitation.__name__:
            return CommandRecorded(command_id=command_id, sequence=sequence)
        return seated_by(self._connection, command_id, sequence) or CommandRefused(
            command_id=command_id, reason=NOT_GOOD
        )

    def _reason(self, command: LedgerCommand, error: Exception) -> str:
        """Why a command is refused, for its sender."""
        if isinstance(error, OperatorMustAct):
            return str(error)
        if isinstance(error, sqlite3.IntegrityError):
            return f"the ledger's rules refuse it: {error}"
        # Our bug, or a value that no rule foresaw.
        _log.error("command.crashed", kind=type(command).__name__, exc_info=error)
        return (
            f"KOS cannot apply it ({type(error).__name__}: {error}); check its values, "
            "and report it with the log if they are right"
        )

    def _handle(self, command: LedgerCommand, sequence: int, recorded_at: str) -> LedgerAnswer:
        if not command.by:
            raise InvalidInput("by", command.by, "a user's ID or an actor's name")
        if command.occurred_at.tzinfo is None:
            raise InvalidInput("occurred_at", command.occurred_at, "a time with its zone")
        if not isinstance(command, StoredCommand):
            raise CommandNotAllowed(f"the ledger does not know {type(command).__name__}")
        match command:
            case RecordFact():
                return self._portfolios.record(command, sequence, recorded_at)
            case PutOffers():
                self._put_offers(command, sequence)
            case EraseParticipant():
                self._erase(command, recorded_at)
            case RecordCreditsSpent():
                self._record_credits(command, sequence)
            case RecordAlias():
                self._record_alias(command, sequence)
            case AcceptInvitation():
                return accept_invitation(self._connection, command, sequence)
            case SetPerson() | PutInvitation() | Conclude() | MarkDelivered():
                self._handle_desk(command, sequence, recorded_at)
            case _:
                assert_never(command)
        return CommandRecorded(command_id=command.command_id, sequence=sequence)

    def _handle_desk(self, command: DeskCommand, sequence: int, recorded_at: str) -> None:
        """What people at the desk are, say and are owed."""
        match command:
            case SetPerson():
                set_person(self._connection, command, sequence)
            case PutInvitation():
                put_invitation(self._connection, command, sequence)
            case Conclude():
                conclude(self._connection, command, sequence, recorded_at)
            case MarkDelivered():
                mark_delivered(self._connection, command, recorded_at)
            case _:
                assert_never(command)

    def _record_credits(self, command: RecordCreditsSpent, sequence: int) -> None:
        if command.credits < 0:
            raise InvalidInput("credits", command.credits, "0 or more")
        if not command.sport_key:
            raise InvalidInput("sport_key", command.sport_key, "a sport key of the odds feed")
        self._connection.execute(
            "INSERT INTO credits_spent (sequence, sport_key, credits, spent_at)"
            " VALUES (?, ?, ?, ?)",
            (sequence, command.sport_key, command.credits, stamp(command.occurred_at)),
        )

    def _record_alias(self, command: RecordAlias, sequence: int) -> None:
        for field, text, allowed in (
            ("sport", command.sport, "the sport of the two names"),
            ("feed_name", command.feed_name, "the bookmakers' name"),
            ("exchange_name", command.exchange_name, "the exchange's name"),
        ):
            if not text:
                raise InvalidInput(field, text, allowed)
        run = self._connection.execute
        pair = (command.sport, command.feed_name, command.exchange_name)
        if command.verdict is AliasVerdict.WITHDRAWN:
            last = run(
                "SELECT verdict FROM alias_facts WHERE sport = ? AND feed_name = ?"
                " AND exchange_name = ? ORDER BY sequence DESC LIMIT 1",
                pair,
            ).fetchone()
            if last is None or last[0] == AliasVerdict.WITHDRAWN:
                raise CommandNotAllowed(
                    f"There is no decision about {command.feed_name!r} and "
                    f"{command.exchange_name!r} in {command.sport}, so there is nothing to undo."
                )
        run(
            "INSERT INTO alias_facts (sequence, sport, feed_name, exchange_name, verdict,"
            " evidence, decided_by, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sequence,
                *pair,
                command.verdict.value,
                command.evidence,
                command.by,
                stamp(command.occurred_at),
            ),
        )

    def _put_offers(self, command: PutOffers, sequence: int) -> None:
        if not command.offers:
            raise InvalidInput("offer", None, "at least one")
        for offer in command.offers:
            checked(offer)
            if latest_terms(self.database, offer.key) == offer:
                continue
            self._connection.execute(
                "INSERT INTO catalogue (offer_key, revision, terms, sequence) VALUES (?, 1 +"
                " COALESCE((SELECT MAX(revision) FROM catalogue WHERE offer_key = ?), 0), ?, ?)",
                (offer.key, offer.key, terms_text(offer), sequence),
            )

    def _erase(self, command: EraseParticipant, recorded_at: str) -> None:
        if not command.reason.strip():
            raise InvalidInput("reason", command.reason, "the reason for the erasure")
        erase(self._connection, self._portfolios.of(command.participant), command.by, recorded_at)
        self._portfolios.forget()
        self._is_cleaning = True

    def _clean(self) -> None:
        """Empty the WAL, which still holds what was erased; later, if a reader is in the way."""
        # What failed here is tried again after the next commit: the erasure itself is durable.
        with suppress(sqlite3.Error):
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._is_cleaning = bool(busy)

    def _check_whole(self) -> None:
        (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DatabaseRefused(
                f"{self.path}: the file is damaged ({verdict}); keep a copy, then "
                "`kos ledger restore` the latest backup"
            )
        row = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'commands'"
        ).fetchone()
        self._next = (row[0] if row is not None else 0) + 1
        missing = self._lock.acknowledged - self.sequence
        if missing > 0:
            raise DatabaseRefused(
                f"{self.path}: {missing} acknowledged entries after number {self.sequence} are "
                "missing (a cut write-ahead log, or an old copy put in place); put the file and "
                "its -wal back, or `kos ledger restore` a backup, or accept the loss by name "
                "with `kos ledger accept-loss`"
            )


def identity(command: LedgerCommand) -> bytes:
    """What makes two commands the same: what is said, not who says it and when it happened.

    A conclusion is its id and nothing more. Its text is written again when a command comes twice, from
    prices and ages that have moved on, and the command means the same; told that
    the id was used for another command, they would neither get their answer nor could do anything
    about it. What became of a promise is its id and the promise, since a bot that did not hear the
    answer may have sent a second message meanwhile.
    """
    command = msgspec.structs.replace(command, occurred_at=_EPOCH, by="")
    match command:
        case RecordFact():
            command = msgspec.structs.replace(command, fact=_as_said(command.fact))
        case SetPerson():
            person = msgspec.structs.replace(command.person, added_by="", added_at=None)
            command = msgspec.structs.replace(command, person=person)
        case Conclude():
            command = Conclude(command_id=command.command_id, by="", occurred_at=_EPOCH)
        case MarkDelivered():
            command = MarkDelivered(
                command_id=command.command_id,
                by="",
                occurred_at=_EPOCH,
                entry_id=command.entry_id,
                outcome=PromiseOutcome.WAITING,
            )
        case _:
            pass
    return hashlib.blake2b(_pack(command), digest_size=16).digest()


def _stored(answer: LedgerAnswer) -> bytes:
    """An answer as the file keeps it.

    Nothing for the plain ones, which are most and are told by their row; and nothing for a
    person's, whose name and id stand in one place only, from which they can be erased.
    """
    if isinstance(answer, CommandRecorded | PersonSeated):
        return _UNSAID
    return _encode(answer)


def _as_said(fact: OfferFact | MoneyFact) -> OfferFact | MoneyFact:
    """A fact without what the ledger fills in."""
    if isinstance(fact, DepositSent):
        return msgspec.structs.replace(fact, terms=None)
    if isinstance(fact, EntryReversed):
        return msgspec.structs.replace(fact, postings=())
    return fact
