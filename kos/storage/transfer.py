"""The whole ledger as text, one command a line, and back: a copy that any version can read.

An import says the same commands again under their own ids. So it can be repeated, continued, or
read into a ledger that has some of them already, and nothing is applied twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kos.db import Database, moment
from kos.domain.matching.aliases import AliasVerdict
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.facts import DepositSent, Fact, MoneyFact, OfferFact, Role, Source
from kos.domain.people.conversation import Action, Kept, Person, Promise, Seat
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
_FACTS: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(OfferFact | MoneyFact)
_TERMS: msgspec.json.Decoder[Offer] = msgspec.json.Decoder(Offer)


def exported(database: Database) -> Iterator[bytes]:
    """Every accepted command as a line of JSON, in the order they were recorded.

    A conclusion comes with what is left of it: values that still hold, buttons that were not
    pressed, promises that wait. What became of a promise is not told.
    """
    made: list[tuple[int, LedgerCommand]] = [
        *_facts(database),
        *_catalogue(database),
        *_credits(database),
        *_aliases(database),
        *_people(database),
        *_invitations(database),
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
    for sequence, command_id, user, instance, payload, by, role, source, note, at in database.rows(
        "SELECT sequence, command_id, events.user_id, offer_id, payload, recorded_by, role,"
        " source, note, occurred_at FROM events JOIN commands USING (sequence)"
        " WHERE is_said = 1"
    ):
        fact = _FACTS.decode(payload)
        if isinstance(fact, DepositSent):
            # The terms come again from the catalogue, whose revisions are exported in place.
            fact = msgspec.structs.replace(fact, terms=None)
        yield (
            sequence,
            RecordFact(
                command_id=command_id,
                by=by,
                occurred_at=moment(at),
                participant=user,
                fact=fact,  # type: ignore[arg-type]  # the decoder gives one of the union
                instance=instance,
                role=Role(role),
                source=Source(source),
                note=note,
            ),
        )


def _catalogue(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    together: dict[int, tuple[str, str, list[Offer]]] = {}
    for sequence, command_id, recorded_at, terms in database.rows(
        "SELECT sequence, command_id, recorded_at, terms FROM catalogue"
        " JOIN commands USING (sequence) ORDER BY sequence, catalogue.rowid"
    ):
        offers = together.setdefault(sequence, (command_id, recorded_at, []))[2]
        offers.append(_TERMS.decode(terms))
    for sequence, (command_id, recorded_at, offers) in together.items():
        yield (
            sequence,
            PutOffers(
                command_id=command_id,
                by="import",
                occurred_at=moment(recorded_at),
                offers=tuple(offers),
            ),
        )


def _credits(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for sequence, command_id, sport_key, spent, at in database.rows(
        "SELECT sequence, command_id, sport_key, credits, spent_at FROM credits_spent"
        " JOIN commands USING (sequence)"
    ):
        yield (
            sequence,
            RecordCreditsSpent(
                command_id=command_id,
                by="import",
                occurred_at=moment(at),
                sport_key=sport_key,
                credits=spent,
            ),
        )


def _aliases(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for sequence, command_id, sport, feed, exchange, verdict, evidence, by, at in database.rows(
        "SELECT sequence, command_id, sport, feed_name, exchange_name, verdict, evidence,"
        " decided_by, decided_at FROM alias_facts JOIN commands USING (sequence)"
    ):
        yield (
            sequence,
            RecordAlias(
                command_id=command_id,
                by=by,
                occurred_at=moment(at),
                sport=sport,
                feed_name=feed,
                exchange_name=exchange,
                verdict=AliasVerdict(verdict),
                evidence=evidence,
            ),
        )


def _people(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for (
        sequence,
        command_id,
        kind,
        user,
        name,
        seat,
        participant,
        active,
        by,
        at,
        digest,
    ) in database.rows(
        "SELECT people_facts.sequence, command_id, kind, person_id, name, people_facts.seat,"
        " people_facts.user_id, is_active, decided_by, decided_at, code_digest"
        " FROM people_facts JOIN commands USING (sequence)"
        " LEFT JOIN invitations ON accepted = people_facts.sequence"
    ):
        if kind == AcceptInvitation.__name__:
            yield (
                sequence,
                AcceptInvitation(
                    command_id=command_id,
                    by=by,
                    occurred_at=moment(at),
                    code_digest=digest,
                    user=user,
                    name=name,
                ),
            )
            continue
        person = Person(
            user=user,
            name=name,
            seat=Seat(seat),
            participant=participant or "",
            is_active=bool(active),
        )
        yield (
            sequence,
            SetPerson(command_id=command_id, by=by, occurred_at=moment(at), person=person),
        )


def _invitations(database: Database) -> Iterator[tuple[int, LedgerCommand]]:
    for sequence, command_id, digest, seat, participant, expires_at, by, at in database.rows(
        "SELECT sequence, command_id, code_digest, seat, invitations.user_id, expires_at, made_by,"
        " made_at FROM invitations JOIN commands USING (sequence)"
    ):
        yield (
            sequence,
            PutInvitation(
                command_id=command_id,
                by=by,
                occurred_at=moment(at),
                code_digest=digest,
                seat=Seat(seat),
                participant=participant or "",
                expires_at=moment(expires_at),
            ),
        )


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
    for sequence, command_id, recorded_at in database.rows(
        "SELECT sequence, command_id, recorded_at FROM commands"
        " WHERE kind = 'Conclude' AND answer = x''"
    ):
        yield (
            sequence,
            Conclude(
                command_id=command_id,
                by="import",
                occurred_at=moment(recorded_at),
                kept=tuple(kept.get(sequence, ())),
                actions=tuple(actions.get(sequence, ())),
                promises=tuple(promises.get(sequence, ())),
            ),
        )
