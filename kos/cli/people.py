"""``kos people``: who may talk to KOS, kept by the ledger; the terminal is the local admin's."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

import typer
from msgspec.structs import replace

from kos.cli.door import (
    Door,
    KeyOption,
    key_of,
    moment_said,
    operator,
    show,
)
from kos.cli.settings import (
    JsonOption,
    StateDirOption,
    command_group,
    print_json,
    print_result,
)
from kos.domain.people.conversation import TELEGRAM, Person, Seat
from kos.errors import InvalidInput
from kos.messages import (
    CommandRecorded,
    GetParticipants,
    GetPeople,
    ParticipantsListed,
    PeopleListed,
    PutInvitation,
    SetPerson,
)

_LONGEST_LIFE_H = 24 * 30

people_app = command_group("People: who can use KOS on Telegram, their roles, and invitations.")

User = Annotated[
    str, typer.Argument(metavar="USER_ID", help="Telegram user ID: a number, not a username.")
]
SeatOption = Annotated[
    Seat,
    typer.Option(
        "--seat", help="Their role. Participants see and change only their own offers and books."
    ),
]
ParticipantOption = Annotated[
    str,
    typer.Option(
        "--participant", "-p", help="The participant they are (required for the participant role)."
    ),
]


@people_app.command("list")
def list_people(
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Include removed people.")] = False,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """List the people with access in the ledger. For those in the settings: `kos config show`."""
    from kos.views.people import people_table

    people = _people(Door(state_dir), everybody=everybody)
    show(people, people_table(people), as_json=as_json)


@people_app.command("add")
def add(
    user_id: User,
    name: Annotated[str, typer.Argument(help="Display name.")],
    *,
    seat: SeatOption = Seat.PARTICIPANT,
    participant: ParticipantOption = "",
    key: KeyOption = None,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Give someone access, or change their role or name."""
    person = Person(user=_user(user_id), name=name, seat=seat, participant=participant)
    door = Door(state_dir)
    _set(door, person, key)
    _say_if_unknown(door, participant)
    text = f"{person.user}: {name} has the role {seat.value}{_of(participant)}"
    print_result(person, text, as_json=as_json)


@people_app.command("remove")
def remove(
    user_id: User,
    *,
    key: KeyOption = None,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Remove someone's access. Their records are kept."""
    user = _user(user_id)
    door = Door(state_dir)
    people = {person.user: person for person in _people(door, everybody=True)}
    if user not in people:
        raise InvalidInput("user id", user_id, "a user ID from `kos people list`")
    gone = replace(people[user], is_active=False)
    _set(door, gone, key)
    print_result(gone, f"{user}: {gone.name} no longer has access", as_json=as_json)


@people_app.command("invite")
def invite(
    *,
    seat: SeatOption = Seat.PARTICIPANT,
    participant: ParticipantOption = "",
    hours: Annotated[
        int,
        typer.Option(
            "--hours", min=1, max=_LONGEST_LIFE_H, help="How long the code is valid, in hours."
        ),
    ] = 24,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Create a one-time invitation code. It is shown only once."""
    from kos.domain.people.invitations import CODE_BYTES, code_digest
    from kos.views.offers import shown_time

    code = secrets.token_urlsafe(CODE_BYTES)
    made_at = moment_said(None)
    command = PutInvitation(
        command_id=key_of(None),
        by=operator(),
        occurred_at=made_at,
        code_digest=code_digest(code),
        seat=seat,
        participant=participant,
        expires_at=made_at + timedelta(hours=hours),
    )
    door = Door(state_dir)
    door.do(command, CommandRecorded)
    _say_if_unknown(door, participant)
    if as_json:
        expires_at = command.expires_at
        print_json(
            {"code": code, "seat": seat, "participant": participant, "expires_at": expires_at}
        )
        return
    typer.echo(code)
    typer.echo(
        f"a one-time code for the role {seat.value}{_of(participant)}, valid until"
        f" {shown_time(command.expires_at)} UK time: send `/start {code}` to the bot",
        err=True,
    )


def _user(user_id: str) -> str:
    number = user_id.removeprefix(TELEGRAM)
    if not (number.isascii() and number.isdecimal()):
        raise InvalidInput("user id", user_id, "a Telegram user ID, a number such as 123456789")
    return f"{TELEGRAM}{number}"


def _people(door: Door, *, everybody: bool) -> tuple[Person, ...]:
    if not door.path.exists():
        return ()  # the first word makes the ledger
    return door.ask(GetPeople(with_inactive=everybody), PeopleListed).people


def _set(door: Door, person: Person, key: str | None) -> None:
    command = SetPerson(
        command_id=key_of(key), by=operator(), occurred_at=moment_said(None), person=person
    )
    door.do(command, CommandRecorded)


def _of(participant: str) -> str:
    return f" as {participant}" if participant else ""


def _say_if_unknown(door: Door, participant: str) -> None:
    """A seat may be given before its participant joins; a misspelt one would see nothing."""
    if not participant:
        return
    listed = door.ask(GetParticipants(participant=participant), ParticipantsListed)
    if not listed.participants:
        typer.echo(
            f"there is no participant {participant} yet:"
            f" kos books record {participant} joined name=...",
            err=True,
        )
