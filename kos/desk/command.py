"""A command: a function of a visit, with everything that is declared about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypedDict

import msgspec

from kos.asking import Asker
from kos.desk.arguments import Arguments
from kos.domain.people.conversation import Action, Answer, Kept, Person, Seat
from kos.errors import CommandNotAllowed
from kos.messages import OperatorSaid
from kos.runtime.protocol import Message

EVERYBODY = frozenset(Seat)
STAFF = frozenset({Seat.ADMIN, Seat.OPERATOR})
ADMINS = frozenset({Seat.ADMIN})


class CommandGroup(StrEnum):
    """The subject of a command, in the order of help."""

    SIGNALS = "Opportunities"
    OFFERS = "Offers"
    BOOKS = "Books"
    CALCULATORS = "Calculators"
    ALERTS = "Alerts"
    OPERATIONS = "System"
    PEOPLE = "People"
    HELP = "Help"


class Scope(TypedDict, total=False):
    """Whose books a query is about, as fields of a :class:`LedgerQuery`."""

    participant: str
    operator: str


class DeskReply(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a command."""

    answers: tuple[Answer, ...] = ()
    notice: str = ""
    kept: tuple[Kept, ...] = ()
    actions: tuple[Action, ...] = ()
    used: tuple[str, ...] = ()
    tells: tuple[tuple[str, Message], ...] = ()
    """Messages to send to actors after the commit."""
    is_private: bool = False
    """Its answers are not stored: they are shown at most once."""
    is_turn: bool = False
    """It changed something or took a step of a dialogue: it is committed with its answers, so
    that it counts once and its answers survive a crash."""


@dataclass(frozen=True, kw_only=True)
class Premises:
    """What the desk needs to know about its installation."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The time, UTC."""
    is_simulated: bool = False
    recheck_credits: int = 1
    """The maximum cost of one poll of a sport key, in credits."""
    version: str = ""
    commands: tuple[Command, ...] = ()
    """The whole table, for help."""
    forms: Mapping[str, Any] = field(default_factory=dict)
    """The dialogues, each a :class:`kos.desk.dialogue.DialogueForm`."""


@dataclass(frozen=True, kw_only=True)
class DeskContext:
    """One message from one person, with everything needed to answer it."""

    said: OperatorSaid
    person: Person
    asker: Asker
    premises: Premises
    name: str
    """The command as typed, without its slash."""
    words: Arguments
    action: Action | None = None
    """The stored action of the button pressed; None for typed text."""
    memory: dict[str, Any] = field(default_factory=dict)
    """A cache between visits; no answer depends on it."""

    @property
    def now(self) -> datetime:
        """The time."""
        return self.premises.clock()

    @property
    def user(self) -> str:
        """The user ID of the person."""
        return self.person.user

    @property
    def is_edit(self) -> bool:
        """Whether the answer replaces the message whose button was pressed."""
        return bool(self.said.pressed and self.said.message_id)

    def about(self, who: str = "") -> Scope:
        """Whose books a query is about: your own, someone else's, or for staff everyone's.

        Raises:
            CommandNotAllowed: A participant asks about someone else.
        """
        own = self.person.participant
        if self.person.seat is Seat.PARTICIPANT:
            if who not in {"", own}:
                raise CommandNotAllowed("You can only see and change your own offers and books.")
            return {"participant": own}
        return {"participant": who} if who else {"operator": self.user}

    def fact_id(self, number: int = 1) -> str:
        """The idempotency key of the nth record made by this message."""
        return f"{self.said.said_id}:{number}"


@dataclass(frozen=True)
class Command:
    """A command and what is declared about it."""

    name: str
    """1 to 32 of ``a-z0-9_``, without the slash."""
    run: Callable[[DeskContext], DeskReply]
    summary: str
    subject: CommandGroup
    arguments: str = ""
    """As shown by help."""
    _: KW_ONLY
    seats: frozenset[Seat] = EVERYBODY
    """The roles that can use it."""
    details: str = ""
    examples: tuple[str, ...] = ()
    is_family: bool = False
    """``NAME_x`` is the same as ``NAME x``."""
    is_turn: bool = False
    """It can change something or take a step of a dialogue: it is carried out once."""
    is_slow: bool = False
    """It must not delay the same person's next message."""
    is_once: bool = False
    """Its button cannot be repeated safely: the button is marked as used first."""
    is_hidden: bool = False
    """Not in any menu: sent by buttons and dialogues."""
