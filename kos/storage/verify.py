"""Whether the file is what it must be: its schema, its sums, and that facts fold to what is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kos.db import Database, acknowledged, meaning, schema_version, stamp
from kos.domain.books.double_entry import MEMO, Entry
from kos.domain.offers.portfolio import Portfolio
from kos.errors import KosError
from kos.messages import LedgerVerified
from kos.storage.migrations import MIGRATIONS, SCHEMA_VERSION
from kos.storage.outbox import unreadable
from kos.storage.portfolios import folded, reservations

_COUNTED = (
    "commands", "credits_spent", "alias_facts", "participants", "catalogue", "offers", "events",
    "transactions", "postings", "accounts", "people_facts", "invitations", "kept", "actions",
    "outbox",
)  # fmt: skip


def verify(database: Database, path: Path) -> LedgerVerified:
    """Everything that does not hold, in words; it reads one consistent state and changes nothing.

    Checked: the file's own integrity and foreign keys; the schema, object by object; that each
    transaction and each participant's books sum to zero; that balances are the sums of their
    postings; that folding all facts from zero gives the stored offers, balances, reservations,
    restrictions and, entry by entry, the stored transactions; that nothing acknowledged is missing;
    that what people were seated by, and what words left behind, comes from commands that do so,
    and that each promise that waits can be read.
    """
    with meaning(path):
        connection = database.raw()
        connection.execute("BEGIN")
        try:
            problems = list(_problems(database, path))
            counts = {
                table: int(database.value(f"SELECT COUNT(*) FROM {table}"))  # noqa: S608 - constants
                for table in _COUNTED
            }
        finally:
            connection.execute("ROLLBACK")
    return LedgerVerified(problems=tuple(problems), counts=counts)


def _problems(database: Database, path: Path) -> Iterator[str]:
    for (problem,) in database.rows("PRAGMA integrity_check"):
        if problem != "ok":
            yield f"integrity: {problem}"
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} points to nothing in {parent}"
    version = schema_version(database)
    if version != SCHEMA_VERSION:
        yield f"schema: version {version}, expected {SCHEMA_VERSION}"
        return
    yield from _schema_problems(database)
    yield from _sum_problems(database)
    yield from _desk_problems(database)
    last = database.value(
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'commands'), 0)"
    )
    if acknowledged(path) > last:
        yield f"{acknowledged(path) - last} acknowledged entries after number {last} are missing"
    for (participant,) in database.rows(
        "SELECT user_id FROM participants UNION SELECT user_id FROM events ORDER BY 1"
    ):
        yield from _fold_problems(database, participant)


def schema_of(database: Database) -> dict[str, str]:
    """Every table, index and trigger of a file with the text that made it."""
    return dict(
        database.rows("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    )


def expected_schema() -> dict[str, str]:
    """What :func:`schema_of` gives for a file that went through every migration."""
    fresh = Database(":memory:")
    try:
        for script in MIGRATIONS:
            fresh.raw().executescript(script)
        return schema_of(fresh)
    finally:
        fresh.close()


def _schema_problems(database: Database) -> Iterator[str]:
    stored, expected = schema_of(database), expected_schema()
    for name in sorted({*stored, *expected}):
        if name not in stored:
            yield f"schema: {name} is missing"
        elif name not in expected:
            yield f"schema: {name} is not ours"
        elif stored[name] != expected[name]:
            yield f"schema: {name} was changed"


def _sum_problems(database: Database) -> Iterator[str]:
    for number, total in database.rows(
        "SELECT transaction_id, SUM(amount) FROM postings GROUP BY transaction_id"
        " HAVING SUM(amount) <> 0"
    ):
        yield f"transaction {number} sums to {total} pence, not 0"
    memo = ", ".join(f"'{kind.value}'" for kind in sorted(MEMO))
    for user, total, pair in database.rows(
        "SELECT user_id, SUM(balance),"  # noqa: S608 - constants
        f" COALESCE(SUM(balance) FILTER (WHERE kind IN ({memo})), 0) FROM accounts GROUP BY user_id"
    ):
        if total or pair:
            yield f"books of {user}: trial balance {total}, memo pair {pair} pence, both must be 0"
    for user, kind, venue, balance, total in database.rows(
        "SELECT accounts.user_id, kind, accounts.venue, balance, COALESCE(SUM(amount), 0)"
        " FROM accounts LEFT JOIN postings USING (account_id) GROUP BY account_id"
        " HAVING balance <> COALESCE(SUM(amount), 0)"
    ):
        yield f"account {kind} {venue} of {user} holds {balance}, its postings sum to {total} pence"


_MADE_BY = {
    "people_facts": ("SetPerson", "AcceptInvitation"),
    "invitations": ("PutInvitation",),
    "kept": ("Conclude",),
    "actions": ("Conclude",),
    "outbox": ("Conclude",),
}


def _desk_problems(database: Database) -> Iterator[str]:
    for table, kinds in _MADE_BY.items():
        for sequence, kind in database.rows(
            f"SELECT DISTINCT sequence, kind FROM {table} JOIN commands USING (sequence)"  # noqa: S608 - constants
            " WHERE kind NOT IN (SELECT value FROM json_each(?)) OR commands.answer <> x''",
            (json.dumps(kinds),),
        ):
            yield f"{table} has a row of command {sequence}, a {kind}, which leaves none there"
    for sequence, user in database.rows(
        "SELECT accepted, accepted_by FROM invitations LEFT JOIN people_facts"
        " ON people_facts.sequence = accepted AND person_id = accepted_by"
        " WHERE accepted IS NOT NULL AND person_id IS NULL"
    ):
        yield f"the invitation that {user} accepted by command {sequence} gave no one access"
    for number, fault in unreadable(database):
        yield f"promise {number} cannot be read: {fault}"


def _fold_problems(database: Database, participant: str) -> Iterator[str]:
    portfolio = Portfolio(participant=participant)
    stored = _stored_entries(database, participant)
    try:
        for recorded, after, done in folded(database, participant):
            portfolio = after
            for ordinal, one in enumerate(done):
                here = (recorded.sequence, ordinal)
                made = [_lines(entry) for entry in one.entries]
                if made != stored.pop(here, []):
                    yield f"the entries of command {here[0]} are not those its fact makes"
    except (KosError, msgspec.MsgspecError) as error:
        yield f"the facts of {participant} do not fold: {error}"
        return
    yield from (f"the entries of command {here[0]} belong to no fact" for here in stored)
    for what, folded_to, stored_as in _projections(database, portfolio):
        if folded_to != stored_as:
            yield f"{what} of {participant} as stored is not what the facts fold to"


def _lines(entry: Entry) -> tuple[str, list[tuple[str, str, int, str, str]]]:
    return entry.what, [
        (line.account.kind.value, line.account.venue, line.amount, line.instance, line.bet)
        for line in entry.postings
    ]


def _stored_entries(
    database: Database, participant: str
) -> dict[tuple[int, int], list[tuple[str, list[tuple[str, str, int, str, str]]]]]:
    by_number: dict[int, tuple[tuple[int, int], str, list[tuple[str, str, int, str, str]]]] = {}
    for number, sequence, ordinal, what, *line in database.rows(
        "SELECT transaction_id, sequence, ordinal, what, kind, accounts.venue, amount,"
        " postings.offer_id, bet_id FROM transactions JOIN postings USING (transaction_id)"
        " JOIN accounts USING (account_id) WHERE transactions.user_id = ?"
        " ORDER BY transaction_id, postings.rowid",
        (participant,),
    ):
        by_number.setdefault(number, ((sequence, ordinal), what, []))[2].append(tuple(line))
    by_event: dict[tuple[int, int], list[tuple[str, list[tuple[str, str, int, str, str]]]]] = {}
    for place, what, lines in by_number.values():
        by_event.setdefault(place, []).append((what, lines))
    return by_event


def _projections(database: Database, portfolio: Portfolio) -> Iterator[tuple[str, Any, Any]]:
    user = (portfolio.participant,)
    yield (
        "the balances",
        {(key.kind.value, key.venue): pence for key, pence in portfolio.balances.items()},
        {
            (kind, venue): balance
            for kind, venue, balance in database.rows(
                "SELECT kind, venue, balance FROM accounts WHERE user_id = ?", user
            )
        },
    )
    yield (
        "the offers",
        {
            state.id: (
                state.phase.name,
                state.version,
                None if state.outcome is None else state.outcome.value,
                None if state.closed_at is None else stamp(state.closed_at),
            )
            for state in portfolio.offers.values()
        },
        {
            instance: tuple(rest)
            for instance, *rest in database.rows(
                "SELECT offer_id, state, version, outcome, closed_at FROM offers WHERE user_id = ?",
                user,
            )
        },
    )
    yield (
        "the reservations",
        reservations(portfolio),
        {
            (holder, exchange): (amount, until)
            for holder, exchange, amount, until in database.rows(
                "SELECT holder, exchange, amount, expires_at FROM reservations WHERE user_id = ?",
                user,
            )
        },
    )
    yield (
        "the restrictions",
        portfolio.restricted,
        dict(database.rows("SELECT bookmaker, reason FROM restrictions WHERE user_id = ?", user)),
    )
    yield (
        "the membership",
        [(portfolio.name, int(portfolio.is_active))],
        database.rows("SELECT name, is_active FROM participants WHERE user_id = ?", user),
    )
