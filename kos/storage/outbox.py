"""Messages that KOS owes: promised in a commit, listed until it is known what became of them.

A promise waits in one row. Of several on one topic in one chat the newest waits and the older are
superseded in the commit that promises it. What is settled loses its text at once and its row after
some time; the row is kept so long because it tells which message a topic became.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kos.db import MAX_NAME, Database, moment, stamp
from kos.domain.people.conversation import Answer, OutboxEntry, Promise, PromiseOutcome, Urgency
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import GetOutbox, MarkDelivered, OutboxListed

MAX_LISTED = 500
"""Entries in one answer at most, whatever is asked for."""
_MAX_LISTED_CHARACTERS = 8_000_000
"""Pictures and files are large: a list ends here, after one entry at least."""
_MAX_REASON = 500
_MAX_INTEGER = 2**63 - 1

_ORDER = {urgency: rank for rank, urgency in enumerate(Urgency)}
_URGENCIES = tuple(Urgency)
_encode = msgspec.json.Encoder().encode
_ANSWERS: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)

_PROMISE = "chat, urgency, topic, edits, expires_at, answer"
_TOPIC_MESSAGE = (
    "COALESCE((SELECT message_id FROM outbox AS former WHERE former.topic <> ''"
    " AND former.message_id <> 0 AND former.chat = outbox.chat AND former.topic = outbox.topic"
    " ORDER BY former.entry_id DESC LIMIT 1), 0)"
)


def check_promise(promise: Promise) -> None:
    """Refuse a promise that could not be kept in the outbox.

    Raises:
        InvalidInput: Says which value.
    """
    if not 0 < len(promise.chat) <= MAX_NAME:
        raise InvalidInput("chat", promise.chat[:MAX_NAME], f"1 to {MAX_NAME} characters")
    if len(promise.topic) > MAX_NAME:
        raise InvalidInput("topic", promise.topic[:MAX_NAME], f"up to {MAX_NAME} characters")
    if not 0 <= promise.edits <= _MAX_INTEGER:
        raise InvalidInput("edits", promise.edits, "a message's number, or 0")
    if promise.expires_at is not None and promise.expires_at.tzinfo is None:
        raise InvalidInput("expires_at", promise.expires_at, "a time with its zone")


def promise_all(
    connection: sqlite3.Connection, promises: Iterable[Promise], sequence: int, recorded_at: str
) -> None:
    """Write checked promises; each takes the place of one on its topic that waits."""
    run = connection.execute
    for promise in promises:
        if promise.topic:
            run(
                "UPDATE outbox SET outcome = 'superseded', answer = NULL, settled_at = ?"
                " WHERE chat = ? AND topic = ? AND topic <> '' AND outcome = 'waiting'",
                (recorded_at, promise.chat, promise.topic),
            )
        run(
            "INSERT INTO outbox (chat, urgency, topic, edits, answer, promised_at, expires_at,"
            " outcome, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",
            (
                promise.chat,
                _ORDER[promise.urgency],
                promise.topic,
                promise.edits,
                _encode(promise.answer).decode(),
                recorded_at,
                None if promise.expires_at is None else stamp(promise.expires_at),
                sequence,
            ),
        )


def mark_delivered(
    connection: sqlite3.Connection, command: MarkDelivered, recorded_at: str
) -> None:
    """Note what became of a promise; once it is settled, only that it was sent after all.

    Raises:
        InvalidInput: It is said to wait, or a number that cannot be.
        CommandNotAllowed: Nothing was promised under that number, or it is long past.
    """
    if command.outcome is PromiseOutcome.WAITING:
        raise InvalidInput("outcome", command.outcome.value, "the outcome of the delivery")
    if not 0 <= command.message_id <= _MAX_INTEGER:
        raise InvalidInput("message_id", command.message_id, "a message's number, or 0")
    if not 0 < command.entry_id <= _MAX_INTEGER:
        raise InvalidInput("entry_id", command.entry_id, "the number of a promise")
    row = connection.execute(
        "SELECT outcome FROM outbox WHERE entry_id = ?", (command.entry_id,)
    ).fetchone()
    if row is None:
        raise CommandNotAllowed(
            f"There is no promise {command.entry_id}: the number is wrong or the promise is too old."
        )
    before = PromiseOutcome(row[0])
    if before is PromiseOutcome.SENT or (
        before is not PromiseOutcome.WAITING and command.outcome is not PromiseOutcome.SENT
    ):
        return
    connection.execute(
        "UPDATE outbox SET outcome = ?, message_id = ?, reason = ?, settled_at = ?, answer = NULL"
        " WHERE entry_id = ?",
        (
            command.outcome.value,
            command.message_id if command.outcome is PromiseOutcome.SENT else 0,
            command.reason[:_MAX_REASON],
            recorded_at,
            command.entry_id,
        ),
    )


def outbox(database: Database, query: GetOutbox, now: datetime) -> OutboxListed:
    """What waits and is still worth sending, most urgent first, then oldest."""
    values = {"now": stamp(now), "resting": _encode(query.without_chats).decode()}
    worth = "outcome = 'waiting' AND (expires_at IS NULL OR expires_at > :now)"
    limit = max(0, min(query.limit, MAX_LISTED))
    cursor = database.raw().execute(
        "SELECT entry_id, promised_at,"  # noqa: S608 - constants
        f" CASE topic WHEN '' THEN 0 ELSE {_TOPIC_MESSAGE} END, {_PROMISE}"
        f" FROM outbox WHERE {worth}"
        " AND chat NOT IN (SELECT value FROM json_each(:resting))"
        f" ORDER BY urgency, entry_id LIMIT {limit}",
        values,
    )
    entries: list[OutboxEntry] = []
    characters = 0
    for number, promised_at, topic_message, *promise in cursor:
        characters += len(promise[-1])
        if entries and characters > _MAX_LISTED_CHARACTERS:
            break
        entries.append(
            OutboxEntry(
                entry_id=number,
                promise=_promise(promise),
                promised_at=moment(promised_at),
                topic_message=topic_message,
            )
        )
    cursor.close()
    waiting = database.value(f"SELECT COUNT(*) FROM outbox WHERE {worth}", values)  # noqa: S608 - constants
    return OutboxListed(entries=tuple(entries), waiting=waiting)


def every_waiting(database: Database) -> Iterator[tuple[int, Promise]]:
    """All promises that wait, in the order they were made, each with the command that made it."""
    for sequence, *row in database.rows(
        f"SELECT sequence, {_PROMISE} FROM outbox WHERE outcome = 'waiting' ORDER BY entry_id"  # noqa: S608 - constants
    ):
        yield sequence, _promise(row)


def unreadable(database: Database) -> Iterator[tuple[int, str]]:
    """Promises that wait and whose text is none, by number, with what is wrong."""
    for number, answer in database.rows(
        "SELECT entry_id, answer FROM outbox WHERE outcome = 'waiting' ORDER BY entry_id"
    ):
        try:
            _ANSWERS.decode(answer)
        except msgspec.MsgspecError as error:
            yield number, str(error)


def _promise(row: Sequence[Any]) -> Promise:
    chat, rank, topic, edits, expires, answer = row
    return Promise(
        chat=chat,
        answer=_ANSWERS.decode(answer),
        urgency=_URGENCIES[rank],
        topic=topic,
        edits=edits,
        expires_at=None if expires is None else moment(expires),
    )
