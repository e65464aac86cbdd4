"""A command: a function of a visit, with everything that is declared about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypedDict

import msgspec

from kos.asking import Asker
from kos.desk.arguments import Arguments
from kos.desk.formatting import Rows, TextPart, bold, page_of, say
from kos.domain.money import read_count
from kos.domain.people.conversation import Action, Answer, Kept, Person, Seat
from kos.errors import CommandNotAllowed
from kos.messages import LEDGER, GetKept, KeptListed, OperatorSaid
from kos.runtime.protocol import Message

EVERYBODY = frozenset(Seat)
STAFF = frozenset({Seat.ADMIN, Seat.OPERATOR})
ADMINS = frozenset({Seat.ADMIN})


class Subject(StrEnum):
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


def kept_value(asker: Asker, owner: str, name: str) -> str:
    """A value that is stored for an owner, as JSON; empty for none."""
    kept = asker.ask(LEDGER, GetKept(owner=owner, prefix=name), KeptListed).kept
    return next((entry.value for entry in kept if entry.name == name), "")


def reply_of(*parts: TextPart, buttons: Rows = (), is_edit: bool = False) -> DeskReply:
    """One message, and nothing stored."""
    return DeskReply(answers=(say(*parts, buttons=buttons, is_edit=is_edit),))


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

    @property
    def page(self) -> int:
        """The page asked for, from 1.

        Raises:
            InvalidInput: It is not a number.
        """
        return read_count("page", self.words.get("page") or "1")

    def keep(
        self, name: str, value: object, expires_at: datetime | None = None, *, owner: str = ""
    ) -> Kept:
        """A value to store as JSON for the person, or another owner."""
        encoded = msgspec.json.encode(value).decode()
        return Kept(owner=owner or self.user, name=name, value=encoded, expires_at=expires_at)

    def kept_value(self, name: str, *, owner: str = "") -> str:
        """A value stored for the person, or another owner, as JSON; empty for none."""
        return kept_value(self.asker, owner or self.user, name)

    def listed(
        self,
        title: str,
        blocks: Sequence[tuple[TextPart, ...]],
        size: int,
        command: str,
        *,
        empty: str = "",
        buttons: Rows = (),
    ) -> DeskReply:
        """The page asked for of a list, under its title.

        Args:
            title: In bold.
            blocks: The entries.
            size: Entries of a page.
            command: As typed, without the page.
            empty: Shown if there are no entries.
            buttons: Above those that turn the page.
        """
        page = page_of(blocks, self.page, size)
        body = page.parts() if blocks else (empty,)
        rows = (*buttons, *page.turners(command))
        return reply_of(bold(title), "\n\n", *body, buttons=rows, is_edit=self.is_edit)

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
    subject: Subject
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

    @property
    def usage(self) -> str:
        """As it is typed: ``/calc [KIND name=value ...]``."""
        return f"/{self.name} {self.arguments}".rstrip()
