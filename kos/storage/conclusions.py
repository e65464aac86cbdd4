"""What one word of a person leaves behind, in one commit: kept values, buttons, promises."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime

import msgspec

from kos.db import MAX_NAME, Database, stamp, struct_of
from kos.domain.people.conversation import Action, Kept
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    ActionDescribed,
    Conclude,
    ConclusionDescribed,
    GetAction,
    GetConclusion,
    GetKept,
    KeptListed,
)
from kos.storage.outbox import check_promise, promise_all

_MAX_VALUE = 65_536
_MAX_COMMAND = 4_096
_ACTION_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_KEPT = "owner, name, value, expires_at"
_ACTION = (
    "action_id, person_id AS user, command, COALESCE(user_id, '') AS participant,"
    " offer_id AS instance, expected_version, expires_at, used_at"
)
_AFTER_ALL = chr(0x10FFFF)
"""No text that begins with a prefix comes after the prefix and this."""


def conclude(
    connection: sqlite3.Connection, command: Conclude, sequence: int, recorded_at: str
) -> None:
    """Write all that a word leaves behind.

    Raises:
        InvalidInput: A value that cannot be kept.
        CommandNotAllowed: An action is used already or unknown, or its id was given out before.
    """
    for kept in command.kept:
        _check_kept(kept)
    for action in command.actions:
        _check_action(action)
    for promise in command.promises:
        check_promise(promise)
    _check_new(connection, command.actions)
    _check_unused(connection, command.used)
    run = connection.execute
    for action_id in command.used:
        run("UPDATE actions SET used_at = ? WHERE action_id = ?", (recorded_at, action_id))
    for kept in command.kept:
        _keep(connection, kept, sequence)
    for action in command.actions:
        run(
            "INSERT INTO actions (action_id, person_id, command, user_id, offer_id,"
            " expected_version, expires_at, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                action.action_id,
                action.user,
                action.command,
                action.participant or None,
                action.instance,
                action.expected_version,
                stamp(action.expires_at),
                sequence,
            ),
        )
    promise_all(connection, command.promises, sequence, recorded_at)


def conclusion(database: Database, query: GetConclusion) -> ConclusionDescribed:
    """Whether the word was concluded; a conclusion that was refused is none."""
    rows = database.rows(
        "SELECT 1 FROM commands WHERE command_id = ? AND kind = 'Conclude' AND answer = x''",
        (query.said_id,),
    )
    return ConclusionDescribed(is_concluded=bool(rows))


def kept_values(database: Database, query: GetKept, now: datetime) -> KeptListed:
    """Values of one owner or all whose names begin as asked, without those that have expired."""
    listed = database.structs(
        Kept,
        f"SELECT {_KEPT} FROM kept"  # noqa: S608 - constants
        f" WHERE {'owner = :owner' if query.owner else '1'} AND name >= :prefix AND name < :end"
        " AND (expires_at IS NULL OR expires_at > :now) ORDER BY owner, name",
        {
            "owner": query.owner,
            "prefix": query.prefix,
            "end": query.prefix + _AFTER_ALL,
            "now": stamp(now),
        },
    )
    return KeptListed(kept=listed)


def action(database: Database, query: GetAction) -> ActionDescribed:
    """The stored action, used or expired as it may be."""
    actions = database.structs(
        Action,
        f"SELECT {_ACTION} FROM actions WHERE action_id = ?",  # noqa: S608 - constants
        (query.action_id,),
    )
    return ActionDescribed(action=actions[0] if actions else None)


def every_kept_value(database: Database) -> Iterator[tuple[int, Kept]]:
    """All values in the file, each with the command that last set it."""
    for row in database.named(f"SELECT sequence, {_KEPT} FROM kept"):  # noqa: S608 - constants
        yield row["sequence"], struct_of(row, Kept)


def every_action(database: Database) -> Iterator[tuple[int, Action]]:
    """All actions in the file, each with the command that showed it."""
    for row in database.named(f"SELECT sequence, {_ACTION} FROM actions"):  # noqa: S608 - constants
        yield row["sequence"], struct_of(row, Action)


def _keep(connection: sqlite3.Connection, kept: Kept, sequence: int) -> None:
    if not kept.value:
        connection.execute("DELETE FROM kept WHERE owner = ? AND name = ?", (kept.owner, kept.name))
        return
    connection.execute(
        "INSERT INTO kept (owner, name, value, expires_at, sequence) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (owner, name) DO UPDATE SET value = excluded.value,"
        " expires_at = excluded.expires_at, sequence = excluded.sequence",
        (
            kept.owner,
            kept.name,
            kept.value,
            None if kept.expires_at is None else stamp(kept.expires_at),
            sequence,
        ),
    )


def _check_kept(kept: Kept) -> None:
    for what, text in (("owner", kept.owner), ("name", kept.name)):
        if not 0 < len(text) <= MAX_NAME:
            raise InvalidInput(f"kept {what}", text[:MAX_NAME], f"1 to {MAX_NAME} characters")
    if kept.expires_at is not None and kept.expires_at.tzinfo is None:
        raise InvalidInput("kept expires_at", kept.expires_at, "a time with its zone")
    if not kept.value:
        return
    if len(kept.value) > _MAX_VALUE:
        raise InvalidInput(
            f"length of kept {kept.name}", len(kept.value), f"at most {_MAX_VALUE:,} characters"
        )
    try:
        msgspec.json.decode(kept.value)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidInput(f"kept {kept.name}", kept.value[:MAX_NAME], f"JSON ({error})") from None


def _check_action(action: Action) -> None:
    if not _ACTION_ID.fullmatch(action.action_id):
        raise InvalidInput("action_id", action.action_id[:64], "16 characters of A-Za-z0-9_-")
    if not 0 < len(action.user) <= MAX_NAME:
        raise InvalidInput(
            "action user", action.user[:MAX_NAME], "the ID of the person who can press it"
        )
    if not 0 < len(action.command) <= _MAX_COMMAND:
        raise InvalidInput(
            "action command", action.command[:MAX_NAME], f"1 to {_MAX_COMMAND:,} characters"
        )
    if action.expires_at.tzinfo is None:
        raise InvalidInput("action expires_at", action.expires_at, "a time with its zone")
    if action.used_at is not None:
        raise InvalidInput("action used_at", action.used_at, "no time: a new button is unused")


def _check_new(connection: sqlite3.Connection, actions: tuple[Action, ...]) -> None:
    seen: set[str] = set()
    for action in actions:
        if action.action_id in seen or _used_at(connection, action.action_id) is not None:
            raise CommandNotAllowed(
                f"Action {action.action_id} has been issued before. Use a new ID."
            )
        seen.add(action.action_id)


def _check_unused(connection: sqlite3.Connection, used: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for action_id in used:
        row = _used_at(connection, action_id)
        if row is None:
            raise CommandNotAllowed("This button is unknown or has expired. Run the command again.")
        if row[0] is not None or action_id in seen:
            raise CommandNotAllowed("This button has already been used. Run the command again.")
        seen.add(action_id)


def _used_at(connection: sqlite3.Connection, action_id: str) -> tuple[str | None] | None:
    """When it was used, in a tuple; None for an unknown action."""
    row: tuple[str | None] | None = connection.execute(
        "SELECT used_at FROM actions WHERE action_id = ?", (action_id,)
    ).fetchone()
    return row
