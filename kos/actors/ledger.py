"""The one writer of the database, as an actor: commands that wait together share one commit."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kos.db import FILE_NAME, open_for_reading
from kos.errors import DatabaseRefused, WaitAndRetry
from kos.messages import (
    LEDGER,
    CommandRecorded,
    CommandRefused,
    Conclude,
    GetOutbox,
    LedgerCommand,
    OutboxFilled,
    RecordCreditsSpent,
)
from kos.runtime import (
    DEFERRED,
    Actor,
    ChildSpec,
    Context,
    Deferred,
    MailboxFull,
    Message,
    NoSuchActor,
    Reply,
    meters,
)
from kos.storage.answers import answer
from kos.storage.ledger import MAX_BATCH, Ledger
from kos.storage.outbox import outbox

_JOBS_SHOWN = 20
_MAX_WAIT_S = 0.010
"""A command waits no longer than this for company."""

_Gathered = tuple[LedgerCommand, Reply | None, str]
"""A command with its reply and its job."""


class LedgerArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger is told at its start."""

    path: str
    """The database file."""


def spec(state_dir: Path) -> ChildSpec:
    """How it is supervised: always there, alone in its node, and alone with its file."""
    return ChildSpec(
        name=LEDGER,
        factory="kos.actors.ledger:LedgerActor",
        args=LedgerArgs(path=str(state_dir / FILE_NAME)),
    )


class LedgerActor(Actor):
    """Gathers commands while more wait, commits them at once, then answers each.

    A start that finds the file in other hands, damaged or newer fails with the reason. When a
    commit fails (a full disk), nothing of it is stored and each sender hears why; the actor
    lives on with the lock and tries the next one.
    """

    def __init__(self, context: Context, args: LedgerArgs) -> None:
        super().__init__(context, args)
        self._path = Path(args.path)
        self._gathered: list[_Gathered] = []
        self._gathered_since = 0.0
        self._commits = 0
        self._commands = 0
        self._failures = 0
        self._last_commit_at: datetime | None = None

    def started(self) -> None:
        self._ledger = Ledger(self._path)
        try:
            self._reader = open_for_reading(self._path)
        except BaseException:
            self._ledger.close()
            raise
        self.context.log.info("ledger.opened", path=str(self._path), sequence=self._ledger.sequence)
        # The end of the former incarnation may have come between a promise and the word about it.
        if outbox(self._reader, GetOutbox(limit=0), datetime.now(UTC)).waiting:
            self._tell_of_promises()

    def receive(self, message: Message) -> Message | Deferred | None:
        if isinstance(message, LedgerCommand):
            return self._gather(message)
        # What was told before a question is part of its answer.
        self._commit()
        # The reader sees what is committed and, whatever the question, can change nothing.
        return answer(self._reader, self._path, message, datetime.now(UTC))

    def idle(self) -> None:
        self._commit()

    def stopping(self) -> None:
        self._commit()
        self._reader.close()
        self._ledger.close()
        self.context.log.info("ledger.closed", sequence=self._ledger.sequence)

    def pulse(self) -> dict[str, str | int | float]:
        return {
            "commands": self._commands,
            "commits": self._commits,
            "failed_commits": self._failures,
            "sequence": self._ledger.sequence,
            "last_commit_at": self._last_commit_at.isoformat() if self._last_commit_at else "",
            "size_bytes": _size(self._path),
            "wal_bytes": _size(self._path.with_name(self._path.name + "-wal")),
            "outbox_waiting": outbox(self._reader, GetOutbox(limit=0), datetime.now(UTC)).waiting,
        }

    def _gather(self, command: LedgerCommand) -> Deferred | None:
        is_asked = self.context.is_asked()
        if not self._gathered:
            self._gathered_since = time.monotonic()
        reply = self.context.reply_later() if is_asked else None
        self._gathered.append((command, reply, self.context.job_id))
        waited_s = time.monotonic() - self._gathered_since
        if len(self._gathered) >= MAX_BATCH or waited_s >= _MAX_WAIT_S:
            self._commit()
        return DEFERRED if is_asked else None

    def _commit(self) -> None:
        if not self._gathered:
            return
        gathered, self._gathered = self._gathered, []
        began = time.monotonic()
        try:
            answers = self._ledger.execute([command for command, _, _ in gathered])
        except Exception as error:  # rolled back whole; every sender hears of it
            self._failures += 1
            meters.count("commits_total", outcome="failed")
            self.context.log.critical(
                "ledger.commit_failed",
                commands=len(gathered),
                reason=str(error),
                exc_info=not isinstance(error, (WaitAndRetry, DatabaseRefused)),
            )
            for _, reply, _ in gathered:
                if reply is not None:
                    reply.fail(error)
            return
        self._commits += 1
        self._commands += len(gathered)
        self._last_commit_at = datetime.now(UTC)
        refused = sum(isinstance(word, CommandRefused) for word in answers)
        meters.count("commits_total", outcome="done")
        meters.observe("commit_seconds", time.monotonic() - began)
        meters.count("commands_total", len(answers) - refused, outcome="done")
        meters.count("commands_total", refused, outcome="refused")
        self._log_commit(gathered, refused, began)
        has_promised = False
        for (command, reply, _), word in zip(gathered, answers, strict=True):
            if reply is not None:
                reply.send(word)
            if isinstance(command, Conclude) and command.promises:
                has_promised |= isinstance(word, CommandRecorded)
        if has_promised:
            self._tell_of_promises()

    def _log_commit(self, gathered: list[_Gathered], refused: int, began: float) -> None:
        """One line for all of a commit; of nothing but credits, which come and go, for the author."""
        is_routine = all(isinstance(command, RecordCreditsSpent) for command, _, _ in gathered)
        log = self.context.log.bind(
            commands=len(gathered),
            kinds=sorted({type(command).__name__ for command, _, _ in gathered}),
            refused=refused,
            sequence=self._ledger.sequence,
            elapsed_ms=round((time.monotonic() - began) * 1000, 1),
            job_ids=list(dict.fromkeys(job for _, _, job in gathered))[:_JOBS_SHOWN],
        )
        if is_routine:
            log.debug("ledger.committed")
        else:
            log.info("ledger.committed")

    def _tell_of_promises(self) -> None:
        """Tell the bot, where there is one that takes it; it asks by itself when it starts."""
        with suppress(NoSuchActor, MailboxFull):
            self.context.ref("bot").tell(OutboxFilled())


def _size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
