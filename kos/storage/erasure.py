"""One participant's data as a whole: to take along, and to remove."""

from __future__ import annotations

import json
import sqlite3

from kos.db import Database
from kos.domain.books.double_entry import pounds
from kos.domain.offers.portfolio import Portfolio
from kos.errors import CommandNotAllowed
from kos.storage.people import persons_of

_TABLES = (
    "postings",
    "transactions",
    "events",
    "offers",
    "accounts",
    "reservations",
    "restrictions",
    "commands",
    "participants",
)
"""Every table with rows of a participant, in an order that keeps the foreign keys."""

_PERSONS = "(SELECT value FROM json_each(:persons))"
_DESK = {
    "invitations": f"user_id = :user OR accepted_by IN {_PERSONS}",
    "kept": f"owner IN {_PERSONS}",
    "actions": f"user_id = :user OR person_id IN {_PERSONS}",
    "outbox": f"chat IN {_PERSONS}",
    "people_facts": f"user_id = :user OR person_id IN {_PERSONS}",
}
"""Rows about the people who are a participant: theirs by who talks, or by whose offers it is.

A person's own chat bears their id; what was said in a group is not theirs alone. People come
last: the file lets go of the rest by what they are.
"""

_NOT_TOLD = frozenset({"digest", "code_digest"})


def erase(
    connection: sqlite3.Connection, portfolio: Portfolio, erased_by: str, erased_at: str
) -> None:
    """Remove every row about the participant; what stays is the id, who erased it, and when.

    A participant's entries balance among themselves, so the books of all others are untouched.

    Raises:
        CommandNotAllowed: There is no such participant, or a bet or money on its way is open.
    """
    user = portfolio.participant
    if not portfolio.has_joined:
        raise CommandNotAllowed(f"There is no participant {user}.")
    open_bets = [
        f"{state.id}/{bet.id}" for state in portfolio.offers.values() for bet in state.open_bets()
    ]
    if open_bets:
        raise CommandNotAllowed(
            f"{user} has open bets ({', '.join(open_bets)}). Settle them before erasing."
        )
    on_way = sum(sum(state.transit.values()) for state in portfolio.offers.values())
    if on_way:
        raise CommandNotAllowed(
            f"{pounds(on_way)} of {user} is in transit. Record its arrival first."
        )
    connection.execute(
        "INSERT INTO erasures (user_id, erased_by, erased_at) VALUES (?, ?, ?)",
        (user, erased_by, erased_at),
    )
    _erase_persons(connection, user, erased_at)
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user,))  # noqa: S608 - constants


def _erase_persons(connection: sqlite3.Connection, user: str, erased_at: str) -> None:
    values = {"user": user, "persons": _persons(connection, user), "now": erased_at}
    connection.execute(
        "UPDATE outbox SET outcome = 'undeliverable', answer = NULL, settled_at = :now"  # noqa: S608 - constants
        f" WHERE outcome = 'waiting' AND {_DESK['outbox']}",
        values,
    )
    for table, theirs in _DESK.items():
        if table == "people_facts":
            # A person's facts may go while one of them still names the erased participant.
            theirs_first = f"({theirs}) AND user_id IS NOT :user"
            connection.execute(f"DELETE FROM {table} WHERE {theirs_first}", values)  # noqa: S608 - constants
        connection.execute(f"DELETE FROM {table} WHERE {theirs}", values)  # noqa: S608 - constants


def _persons(connection: sqlite3.Connection, participant: str) -> str:
    return json.dumps(persons_of(connection, participant))


def _rows(
    database: Database, table: str, where: str, values: dict[str, str]
) -> list[dict[str, str | int | None]]:
    names = [row[1] for row in database.rows(f"PRAGMA table_info({table})")]
    return [
        {
            name: value.decode(errors="replace") if isinstance(value, bytes) else value
            for name, value in zip(names, row, strict=True)
            if name not in _NOT_TOLD
        }
        for row in database.rows(f"SELECT * FROM {table} WHERE {where}", values)  # noqa: S608 - constants
    ]


def everything(
    database: Database, participant: str
) -> dict[str, list[dict[str, str | int | None]]]:
    """All rows about one participant by table, for them to take along; no one else's."""
    values = {"user": participant, "persons": _persons(database.raw(), participant)}
    tables = {
        table: _rows(database, table, "user_id = :user ORDER BY rowid", values) for table in _TABLES
    }
    tables |= {table: _rows(database, table, theirs, values) for table, theirs in _DESK.items()}
    return dict(sorted(tables.items()))
