"""The whole ledger as text, one command a line, and back: a copy that any version can read.

An import says the same commands again under their own ids. So it can be repeated, continued, or
read into a ledger that has some of them already, and nothing is applied twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from kos.db import Database, struct_of
from kos.domain.people.conversation import Action, Kept, Promise
from kos.errors import InvalidInput
from kos.messages import (
    AcceptInvitation,
    CommandRefused,
    Conclude,
    LedgerCommand,
    PutInvitation,
    PutOffers,
    RecordAlias,
    RecordCreditsSpent,
    RecordFact,
    SetPerson,
)
from kos.storage.conclusions import every_action, every_kept_value
from kos.storage.ledger import MAX_BATCH, Ledger
from kos.storage.outbox import every_waiting

_Command = (
    RecordFact
    | PutOffers
    | RecordAlias
    | RecordCreditsSpent
    | SetPerson
    | PutInvitation
    | AcceptInvitation
    | Conclude
)

_encode = msgspec.json.Encoder(decimal_format="string").encode
_COMMANDS: msgspec.json.Decoder[_Command] = msgspec.json.Decoder(_Command)


def exported(database: Database) -> Iterator[bytes]:
    """Every accepted command as a line of JSON, in the order they were recorded.

    A conclusion comes with what is left of it: values that still hold, buttons that were not
    pressed, promises that wait. What became of a promise is not told.
    """
    made: list[tuple[int, LedgerCommand]] = [
        *_facts(database),
        *_catalogue(database),
        *_tabled(database),
        *_people(database),
        *_conclusions(database),
    ]
    for _, command in sorted(made, key=lambda item: item[0]):
        yield _encode(command) + b"\n"


class Imported(msgspec.Struct, frozen=True):
    """What became of an import."""

    recorded: int
    """Commands that are in the ledger now, whether new or there before."""
    refused: tuple[str, ...]
    """Commands the ledger refused, with its reason."""


def imported(ledger: Ledger, lines: Iterable[bytes]) -> Imported:
    """Carry out exported commands; everything read so far is durable when it returns.

    Raises:
        InvalidInput: A line is no command; those before it are recorded.
        DatabaseUnavailable: Not now; import the same text again later.
    """
    recorded = 0
    refused: list[str] = []
    batch: list[LedgerCommand] = []

    def flush() -> None:
        nonlocal recorded
        for answer in ledger.execute(batch):
            if isinstance(answer, CommandRefused):
                refused.append(f"{answer.command_id}: {answer.reason}")
            else:
                recorded += 1
        batch.clear()

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            batch.append(_COMMANDS.decode(line))
        except msgspec.DecodeError as error:
            flush()
            raise InvalidInput(f"line {number}", error, "a line of `kos ledger export`") from error
        if len(batch) >= MAX_BATCH:
            flush()
    if batch:
        flush()
    return Imported(recorded, tuple(refused))


def _facts(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for row in database.named(
        "SELECT sequence, command_id, events.user_id AS participant, offer_id AS instance,"
        " payload, recorded_by AS by, role, source, note, occurred_at"
        " FROM events JOIN commands USING (sequence) WHERE is_said = 1"
    ):
        fact = msgspec.json.decode(row["payload"])
        # The terms come again from the catalogue, whose revisions are exported in place.
        fact.pop("terms", None)
        yield row["sequence"], struct_of(row | {"fact": fact}, RecordFact)


def _catalogue(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    together: dict[int, tuple[dict[str, Any], list[Any]]] = {}
    for row in database.named(
        "SELECT sequence, command_id, 'import' AS by, recorded_at AS occurred_at, terms"
        " FROM catalogue JOIN commands USING (sequence) ORDER BY sequence, catalogue.rowid"
    ):
        offers = together.setdefault(row["sequence"], (row, []))[1]
        offers.append(msgspec.json.decode(row["terms"]))
    for sequence, (row, offers) in together.items():
        yield sequence, struct_of(row | {"offers": offers}, PutOffers)


_TABLES: dict[type[LedgerCommand], str] = {
    RecordCreditsSpent: (
        "'import' AS by, spent_at AS occurred_at, sport_key, credits FROM credits_spent"
    ),
    RecordAlias: (
        "decided_by AS by, decided_at AS occurred_at, sport, feed_name, exchange_name, verdict,"
        " evidence FROM alias_facts"
    ),
    PutInvitation: (
        "made_by AS by, made_at AS occurred_at, code_digest, seat,"
        " COALESCE(invitations.user_id, '') AS participant, expires_at FROM invitations"
    ),
}
"""Commands that are one row each, every column under the name of its field."""


def _tabled(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for kind, columns in _TABLES.items():
        for row in database.named(
            f"SELECT sequence, command_id, {columns} JOIN commands USING (sequence)"
        ):
            yield row["sequence"], struct_of(row, kind)


def _people(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for row in database.named(
        "SELECT people_facts.sequence, command_id, kind, person_id AS user, name,"
        " people_facts.seat, COALESCE(people_facts.user_id, '') AS participant, is_active,"
        " decided_by AS by, decided_at AS occurred_at, code_digest"
        " FROM people_facts JOIN commands USING (sequence)"
        " LEFT JOIN invitations ON accepted = people_facts.sequence"
    ):
        is_bearer = row["kind"] == AcceptInvitation.__name__
        kind = AcceptInvitation if is_bearer else SetPerson
        yield row["sequence"], struct_of(row | {"person": row}, kind)


def _conclusions(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    kept: dict[int, list[Kept]] = {}
    actions: dict[int, list[Action]] = {}
    promises: dict[int, list[Promise]] = {}
    for sequence, value in every_kept_value(database):
        kept.setdefault(sequence, []).append(value)
    for sequence, action in every_action(database):
        if action.used_at is None:
            actions.setdefault(sequence, []).append(action)
    for sequence, promise in every_waiting(database):
        promises.setdefault(sequence, []).append(promise)
    for row in database.named(
        "SELECT sequence, command_id, 'import' AS by, recorded_at AS occurred_at FROM commands"
        " WHERE kind = 'Conclude' AND answer = x''"
    ):
        sequence = row["sequence"]
        yield (
            sequence,
            msgspec.structs.replace(
                struct_of(row, Conclude),
                kept=tuple(kept.get(sequence, ())),
                actions=tuple(actions.get(sequence, ())),
                promises=tuple(promises.get(sequence, ())),
            ),
        )
