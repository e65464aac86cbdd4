"""One participant's data as a whole: to take along, and to remove."""

from __future__ import annotations

import sqlite3

from kos.db import Database
from kos.domain.books import pounds
from kos.domain.portfolio import Portfolio
from kos.errors import CommandNotAllowed

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
        raise CommandNotAllowed(f"there is no participant {user!r}")
    open_bets = [
        f"{state.id}/{bet.id}" for state in portfolio.offers.values() for bet in state.open_bets()
    ]
    if open_bets:
        raise CommandNotAllowed(
            f"{user} has open bets ({', '.join(open_bets)}); settle them before erasing"
        )
    on_way = sum(sum(state.transit.values()) for state in portfolio.offers.values())
    if on_way:
        raise CommandNotAllowed(f"{pounds(on_way)} of {user} is on its way; record its arrival")
    connection.execute(
        "INSERT INTO erasures (user_id, erased_by, erased_at) VALUES (?, ?, ?)",
        (user, erased_by, erased_at),
    )
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user,))  # noqa: S608 - constants


def everything(
    database: Database, participant: str
) -> dict[str, list[dict[str, str | int | None]]]:
    """All rows about one participant by table, for them to take along; nobody else's."""
    found: dict[str, list[dict[str, str | int | None]]] = {}
    for table in sorted(_TABLES):
        names = [row[1] for row in database.rows(f"PRAGMA table_info({table})")]
        rows = database.rows(
            f"SELECT * FROM {table} WHERE user_id = ? ORDER BY rowid",  # noqa: S608 - constants
            (participant,),
        )
        found[table] = [
            {
                name: value.decode(errors="replace") if name == "answer" else value
                for name, value in zip(names, row, strict=True)
                if name != "digest"
            }
            for row in rows
        ]
    return found
