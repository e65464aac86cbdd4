"""What a command is: a function of a visit, with everything that is declared about it beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

import msgspec

from kos.desk.arguments import Arguments
from kos.desk.office import Office
from kos.domain.people.conversation import Action, Answer, Kept, Person, Seat
from kos.errors import CommandNotAllowed
from kos.messages import OperatorSaid
from kos.runtime.protocol import Message

EVERYBODY = frozenset(Seat)
STAFF = frozenset({Seat.ADMIN, Seat.OPERATOR})
ADMINS = frozenset({Seat.ADMIN})


class CommandGroup(StrEnum):
    """What a command is about; the order of help."""

    SIGNALS = "Signals"
    OFFERS = "Offers"
    BOOKS = "Books"
    CALCULATORS = "Calculators"
    ALERTS = "Alerts"
    OPERATIONS = "Operations"
    PEOPLE = "People"
    HELP = "Help"


class Scope(TypedDict, total=False):
    """Whose books a question is about, as the fields of a :class:`LedgerQuery`."""

    participant: str
    operator: str


class DeskReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a command comes to."""

    answers: tuple[Answer, ...] = ()
    notice: str = ""
    kept: tuple[Kept, ...] = ()
    actions: tuple[Action, ...] = ()
    used: tuple[str, ...] = ()
    tells: tuple[tuple[str, Message], ...] = ()
    """Told to actors once it is concluded."""
    is_private: bool = False
    """Its answers are stored nowhere: shown once, or never."""
    is_turn: bool = False
    """It changed something or took a step of a dialogue: it is concluded with its answers, so
    that it counts once and its answers outlive a crash."""


@dataclass(frozen=True, kw_only=True)
class Premises:
    """What the desk is told about the place it stands in."""

    is_simulated: bool = False
    recheck_credits: int = 1
    """What one poll of a sport key costs at most."""
    version: str = ""
    commands: tuple[Command, ...] = ()
    """The whole table, for help."""
    forms: Mapping[str, Any] = field(default_factory=dict)
    """The dialogues there are, each a :class:`kos.desk.dialogue.DialogueForm`."""


@dataclass(frozen=True, kw_only=True)
class DeskContext:
    """One word of one person, and what is needed to answer it."""

    said: OperatorSaid
    person: Person
    office: Office
    premises: Premises
    name: str
    """The command as typed, without its slash."""
    words: Arguments
    action: Action | None = None
    """The stored action by whose button it came; None for a typed word."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What the desk remembers between visits, none of it needed for a right answer."""

    @property
    def now(self) -> datetime:
        """The time."""
        return self.office.now()

    @property
    def user(self) -> str:
        """Who speaks."""
        return self.person.user

    @property
    def is_edit(self) -> bool:
        """Whether the answer replaces the message whose button was pressed."""
        return bool(self.said.pressed and self.said.message_id)

    def about(self, who: str = "") -> Scope:
        """Whose books a question is about: the own, somebody's, or, of the staff, everybody's.

        Raises:
            CommandNotAllowed: A participant asks about somebody else.
        """
        own = self.person.participant
        if self.person.seat is Seat.PARTICIPANT:
            if who not in {"", own}:
                raise CommandNotAllowed("you see and move your own offers and books only")
            return {"participant": own}
        return {"participant": who} if who else {"operator": self.user}

    def fact_id(self, number: int = 1) -> str:
        """The idempotency key of the n-th thing that this word has recorded."""
        return f"{self.said.said_id}:{number}"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and what is declared about it."""

    name: str
    """1 to 32 of ``a-z0-9_``, without the slash."""
    run: Callable[[DeskContext], DeskReply]
    summary: str
    subject: CommandGroup
    seats: frozenset[Seat]
    """Who may; nobody else."""
    arguments: str = ""
    """As help shows them."""
    details: str = ""
    examples: tuple[str, ...] = ()
    is_family: bool = False
    """``NAME_x`` is the same as ``NAME x``."""
    is_turn: bool = False
    """It may change something or take a step of a dialogue: it is heard once."""
    is_slow: bool = False
    """It must not hold up the same person's next word."""
    is_once: bool = False
    """What its button does cannot be said again safely: the button is used up before."""
    is_hidden: bool = False
    """Understood, but in no menu: what buttons and dialogues say."""
