"""People: who has access, invitations by a code that is shown once, and removal."""

from __future__ import annotations

import secrets
from datetime import timedelta

import msgspec

from kos.desk.arguments import one_of, quoted, tidy
from kos.desk.command import ADMINS, Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.dialogue import confirm
from kos.desk.formatting import TextPart, bold, button, code, in_rows, say
from kos.desk.roles import NO_PARTICIPANTS, Seats, role_of
from kos.domain.books.calendar import read_duration, uk_time
from kos.domain.people.conversation import MAX_DATA, Person, Seat
from kos.domain.people.invitations import CODE_BYTES, DEFAULT_LIFE, code_digest
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    LEDGER,
    CommandRecorded,
    GetParticipants,
    GetPeople,
    ParticipantsListed,
    PeopleListed,
    PutInvitation,
    SetPerson,
)

_PAGE = 10
_LONGEST = timedelta(days=14)


def _people(visit: DeskContext) -> DeskReply:
    """The people with access, from the settings and from the ledger."""
    visit.words.refuse_others("page")
    listed = visit.asker.ask(LEDGER, GetPeople(), PeopleListed).people
    fixed = _seats(visit).fixed()
    blocks: list[tuple[TextPart, ...]] = [
        (bold(user), f": {seat}, from the settings") for user, seat in sorted(fixed.items())
    ]
    for person in listed:
        own = f" ({tidy(person.participant, 40)})" if person.participant else ""
        since = f", since {uk_time(person.added_at)}" if person.added_at else ""
        who = f" {tidy(person.user, 60)}: {person.seat}{own}{since}"
        blocks.append((bold(tidy(person.name, 60)), who))
    leaving = [
        button(f"Remove {person.name}", command)
        for person in listed
        if len((command := f"/remove {quoted(person.user)}").encode()) <= MAX_DATA
    ]
    empty = "No one except users of this machine's terminal."
    rows = in_rows(leaving[:20])
    return visit.listed("People", blocks, _PAGE, "/people", empty=empty, buttons=rows)


def _seats(visit: DeskContext) -> Seats:
    seats: Seats = visit.memory["seats"]
    return seats


def _remove(visit: DeskContext) -> DeskReply:
    """Remove someone's access."""
    user = visit.words.first()
    listed = visit.asker.ask(LEDGER, GetPeople(), PeopleListed).people
    person = next((person for person in listed if person.user == user), None)
    if person is None:
        raise InvalidInput(
            "user",
            tidy(user, 60),
            "a user listed in /people (to remove one of the settings, edit the settings)",
        )
    if visit.action is None:
        return confirm(
            visit,
            bold(f"Remove {tidy(person.name, 60)} ({tidy(person.user, 60)})?"),
            " They will lose access. Their books and offers are kept.",
            command=f"/remove {quoted(person.user)}",
            label="Remove",
        )
    _set(visit, msgspec.structs.replace(person, is_active=False))
    return DeskReply(
        answers=(say(f"✓ {tidy(person.name, 60)} no longer has access."),), notice="removed"
    )


def _set(visit: DeskContext, person: Person) -> None:
    visit.asker.do(
        SetPerson(command_id=visit.fact_id(), by=visit.user, occurred_at=visit.now, person=person),
        CommandRecorded,
    )
    _seats(visit).forget()


def _invite(visit: DeskContext) -> DeskReply:
    """Create a one-time invitation code."""
    visit.words.refuse_others("valid")
    seat = Seat(one_of("seat", visit.words.first(), [seat.value for seat in Seat]))
    participant = visit.words.plain[1] if len(visit.words.plain) > 1 else ""
    if seat is Seat.PARTICIPANT:
        _check_participant(visit, participant)
    elif participant:
        raise CommandNotAllowed(f"Leave the participant out: {seat}s see everyone.")
    typed = visit.words.get("valid")
    valid = read_duration("valid", typed) if typed else DEFAULT_LIFE
    if valid > _LONGEST:
        raise InvalidInput("valid", typed, "up to 14d")
    secret = secrets.token_urlsafe(CODE_BYTES)
    digest = code_digest(secret)
    visit.asker.do(
        PutInvitation(
            command_id=f"{visit.fact_id()}:{digest[:8]}",
            by=visit.user,
            occurred_at=visit.now,
            code_digest=digest,
            seat=seat,
            participant=participant,
            expires_at=visit.now + valid,
        ),
        CommandRecorded,
    )
    whose = f" ({tidy(participant, 40)})" if participant else ""
    return DeskReply(
        answers=(
            say(
                bold(f"Invitation for {role_of(seat)}{whose}"),
                f", valid until {uk_time(visit.now + valid)} UK time. It is shown only once. "
                "The first person to send this to the bot gets access:\n",
                code(f"/start {secret}"),
            ),
        ),
        is_turn=True,
        is_private=True,
    )


def _check_participant(visit: DeskContext, participant: str) -> None:
    listed = visit.asker.ask(
        LEDGER, GetParticipants(operator=visit.user), ParticipantsListed
    ).participants
    names = [line.participant for line in listed]
    if participant not in names:
        if not names:
            raise CommandNotAllowed(NO_PARTICIPANTS)
        raise InvalidInput("who", tidy(participant, 40), f"one of {tidy(', '.join(names), 300)}")


def _join(visit: DeskContext) -> DeskReply:
    return reply_of(
        f"You already have access, as {role_of(visit.person.seat)}. Send /help for the commands."
    )


COMMANDS = (
    Command("people", _people, "Who has access", Subject.PEOPLE, seats=ADMINS),
    Command(
        "invite",
        _invite,
        "Create a one-time invitation code",
        Subject.PEOPLE,
        "admin|operator|participant [WHO] [valid=24h]",
        seats=ADMINS,
        examples=("/invite operator", "/invite participant ann valid=2h"),
        is_turn=True,
    ),
    Command(
        "remove",
        _remove,
        "Remove someone's access",
        Subject.PEOPLE,
        "USER",
        seats=ADMINS,
        is_turn=True,
    ),
    Command("join", _join, "Accept an invitation", Subject.PEOPLE, "CODE", is_hidden=True),
)
