"""Who may talk to KOS: facts about people, the last of each counts, and one-time invitations."""

from __future__ import annotations

import re
import sqlite3

from kos.db import MAX_NAME, Database, named, stamp, struct_of
from kos.domain.people.conversation import Person, Seat
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    AcceptInvitation,
    GetPeople,
    LedgerCommand,
    PeopleListed,
    PersonSeated,
    PutInvitation,
    SetPerson,
)

NOT_GOOD = "This code is not valid: it is wrong, used or expired. Ask for a new one."
"""The one answer to every invalid code, so that a guess learns nothing from it."""

_MAX_USER = 100
_DIGEST = re.compile(r"[0-9a-f]{64}")
_USER = re.compile(r"[a-z][a-z0-9_-]*:\S+")

_FACT = "person_id, name, seat, user_id, is_active, added_by, added_at"
_PERSON = (
    "person_id AS user, name, seat, COALESCE(user_id, '') AS participant, is_active, added_by,"
    " added_at"
)
_LAST = (
    "sequence = (SELECT MAX(sequence) FROM people_facts AS later"
    " WHERE later.person_id = people_facts.person_id)"
)


def people(database: Database, query: GetPeople) -> PeopleListed:
    """The people with access, in the order added; removed people if asked."""
    listed = database.structs(
        Person,
        f"SELECT {_PERSON} FROM people_facts WHERE {_LAST} AND (is_active = 1 OR ?)"  # noqa: S608 - constants
        " ORDER BY people_facts.added_at, sequence",
        (query.with_inactive,),
    )
    return PeopleListed(people=listed)


def persons_of(connection: sqlite3.Connection, participant: str) -> list[str]:
    """The people whose last fact says that they are this participant."""
    return [
        person
        for (person,) in connection.execute(
            f"SELECT person_id FROM people_facts WHERE user_id = ? AND {_LAST}"  # noqa: S608 - constants
            " ORDER BY person_id",
            (participant,),
        )
    ]


def set_person(connection: sqlite3.Connection, command: SetPerson, sequence: int) -> None:
    """Write a fact about a person.

    Raises:
        InvalidInput: An id, name or seat that cannot be.
        CommandNotAllowed: The participant was erased.
    """
    person = command.person
    _check_person(person.user, person.name)
    _check_seat(connection, person.seat, person.participant)
    _write(connection, command, sequence, person, added_by=command.by)


def put_invitation(connection: sqlite3.Connection, command: PutInvitation, sequence: int) -> None:
    """Write an invitation.

    Raises:
        InvalidInput: No digest, an end that is no time or has passed, or a seat that cannot be.
        CommandNotAllowed: The code was given out before, or the participant was erased.
    """
    if not _DIGEST.fullmatch(command.code_digest):
        raise InvalidInput("code_digest", "(not shown)", "a SHA-256 in lower-case hex")
    if command.expires_at.tzinfo is None or command.expires_at <= command.occurred_at:
        raise InvalidInput("expires_at", command.expires_at, "a later time with its zone")
    _check_seat(connection, command.seat, command.participant)
    run = connection.execute
    if run("SELECT 1 FROM invitations WHERE code_digest = ?", (command.code_digest,)).fetchone():
        raise CommandNotAllowed("This code has been issued before. Create a new one.")
    run(
        "INSERT INTO invitations (sequence, code_digest, seat, user_id, expires_at, made_by,"
        " made_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            sequence,
            command.code_digest,
            command.seat.value,
            command.participant or None,
            stamp(command.expires_at),
            command.by,
            stamp(command.occurred_at),
        ),
    )


def accept_invitation(
    connection: sqlite3.Connection, command: AcceptInvitation, sequence: int
) -> PersonSeated:
    """Seat the bearer of a code and use it up.

    Raises:
        InvalidInput: An id that cannot be.
        CommandNotAllowed: They have a seat, or the code is not good.
    """
    name = command.name.strip() or command.user
    _check_person(command.user, name)
    if _is_active(connection, command.user):
        # Said before the code is looked at, so that it tells nothing about the code.
        raise CommandNotAllowed("You already have access. An admin can change your role.")
    row = connection.execute(
        "SELECT sequence, seat, user_id, made_by FROM invitations"
        " WHERE code_digest = ? AND accepted IS NULL AND expires_at > ?",
        (command.code_digest, stamp(command.occurred_at)),
    ).fetchone()
    if row is None:
        raise CommandNotAllowed(NOT_GOOD)
    invitation, seat, participant, made_by = row
    person = Person(user=command.user, name=name, seat=Seat(seat), participant=participant or "")
    connection.execute(
        "UPDATE invitations SET accepted = ?, accepted_by = ? WHERE sequence = ?",
        (sequence, command.user, invitation),
    )
    _write(connection, command, sequence, person, added_by=made_by)
    seated = seated_by(connection, command.command_id, sequence)
    assert seated is not None  # noqa: S101 - it was written a moment ago
    return seated


def seated_by(
    connection: sqlite3.Connection, command_id: str, sequence: int
) -> PersonSeated | None:
    """The answer to an acceptance, made again from its fact; None when the person was erased."""
    rows = named(
        connection.execute(f"SELECT {_PERSON} FROM people_facts WHERE sequence = ?", (sequence,))  # noqa: S608 - constants
    )
    if not rows:
        return None
    person = struct_of(rows[0], Person)
    return PersonSeated(command_id=command_id, sequence=sequence, person=person)


def _write(
    connection: sqlite3.Connection,
    command: LedgerCommand,
    sequence: int,
    person: Person,
    added_by: str,
) -> None:
    """A fact; who added someone, and when, stays while they stay."""
    decided_at = stamp(command.occurred_at)
    since = connection.execute(
        "SELECT is_active, added_by, added_at FROM people_facts WHERE person_id = ?"
        " ORDER BY sequence DESC LIMIT 1",
        (person.user,),
    ).fetchone()
    is_known = since is not None and (since[0] or not person.is_active)
    connection.execute(
        f"INSERT INTO people_facts (sequence, {_FACT}, decided_by, decided_at)"  # noqa: S608 - constants
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sequence,
            person.user,
            person.name,
            person.seat.value,
            person.participant or None,
            person.is_active,
            *(since[1:] if is_known else (added_by, decided_at)),
            command.by,
            decided_at,
        ),
    )


def _is_active(connection: sqlite3.Connection, user: str) -> bool:
    row = connection.execute(
        "SELECT is_active FROM people_facts WHERE person_id = ? ORDER BY sequence DESC LIMIT 1",
        (user,),
    ).fetchone()
    return row is not None and bool(row[0])


def _check_person(user: str, name: str) -> None:
    if len(user) > _MAX_USER or not _USER.fullmatch(user):
        raise InvalidInput(
            "user", user[:_MAX_USER], "telegram:<user ID>, or the ID from another screen"
        )
    screen, _, number = user.partition(":")
    if screen == "telegram" and not (number.isascii() and number.isdecimal()):
        raise InvalidInput(
            "user", user, "telegram:<user ID> with a number; usernames can change hands"
        )
    if not 0 < len(name.strip()) <= len(name) <= MAX_NAME:
        raise InvalidInput("name", name[:MAX_NAME], f"1 to {MAX_NAME} characters")


def _check_seat(connection: sqlite3.Connection, seat: Seat, participant: str) -> None:
    if seat is Seat.PARTICIPANT and not participant:
        raise InvalidInput("participant", "", "the participant whose offers and books they see")
    if connection.execute("SELECT 1 FROM erasures WHERE user_id = ?", (participant,)).fetchone():
        raise CommandNotAllowed(f"{participant} was erased. That ID cannot be used again.")
