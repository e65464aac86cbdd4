"""What an operator says to KOS and is told, whatever the screen: text in spans, never in markup.

Names of teams and bookmakers, and notes that people typed, are foreign text. They stand in a
:class:`Span` as they are, and each screen shows a span's text literally: there is nothing to
escape and nothing that could break out. Lengths are limited where a screen has limits.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from kos import NAME

KOS = NAME
"""Owner of what is kept for the whole, and not for a person."""
PAUSE = "pause"
"""Kept by :data:`KOS`: while it is there, nothing is polled and no opportunity is announced."""
TELEGRAM = "telegram:"
"""The beginning of a user or a chat of Telegram; its number follows."""

MAX_TEXT = 4096
MAX_CAPTION = 1024
"""Of a message, and of one with a picture, in UTF-16 code units as Telegram counts them."""
MAX_DATA = 64
"""Bytes of what a button says."""
MAX_NOTICE = 200
"""Characters of a notice for a pressed button."""


class Seat(StrEnum):
    """What a person may do at the operator's desk."""

    ADMIN = "admin"
    """Everything: people, pauses, what costs credits."""
    OPERATOR = "operator"
    """Signals, everyone's offers and books, names in doubt."""
    PARTICIPANT = "participant"
    """Signals, and the own offers and books."""


class Style(StrEnum):
    """How a span looks; a screen without it shows plain text."""

    PLAIN = "plain"
    BOLD = "bold"
    ITALIC = "italic"
    CODE = "code"
    """Fixed width within a line."""
    TABLE = "table"
    """Fixed width, a block of lines."""
    LINK = "link"


class Span(msgspec.Struct, frozen=True):
    """A piece of text in one style."""

    text: str
    style: Style = Style.PLAIN
    url: str = ""
    """Where a ``LINK`` leads: https only, to a host that a feed or KOS itself named."""


class Button(msgspec.Struct, frozen=True):
    """A button under an answer.

    ``data`` beginning with ``/`` is a command, no more than if the person had typed it. Anything
    else is the id of an :class:`Action` that the ledger keeps; what does not agree with the
    stored action is refused.
    """

    label: str
    data: str
    """1 to 64 bytes."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a person."""

    spans: tuple[Span, ...]
    buttons: tuple[tuple[Button, ...], ...] = ()
    """Rows of buttons."""
    is_edit: bool = False
    """Replaces the message whose button was pressed, where the screen can."""
    picture: bytes = b""
    """A PNG; the spans are its caption."""
    file: bytes = b""
    file_name: str = ""
    """Set for a file; the spans are its caption."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a button does once, for one person, while nothing has changed meanwhile."""

    action_id: str
    """Random, 16 characters of ``A-Za-z0-9_-``."""
    user: str
    """Who alone may press it."""
    command: str
    """What the desk does, as a typed command would say it."""
    participant: str = ""
    instance: str = ""
    """The offer instance it is about; empty for none."""
    expected_version: int | None = None
    """The instance's count of facts for which it was shown."""
    expires_at: datetime
    used_at: datetime | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A small durable value of one owner: a dialogue's state, a preference, a pause."""

    owner: str
    """A user, or ``kos`` for the whole."""
    name: str
    value: str
    """JSON; empty forgets it."""
    expires_at: datetime | None = None


class Urgency(StrEnum):
    """In which order promised messages go out, first to last."""

    CONFIRMATION = "confirmation"
    ALERT = "alert"
    DIGEST = "digest"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A message that KOS owes a chat: it survives every crash until it is delivered."""

    chat: str
    """``telegram:<chat id>``."""
    answer: Answer
    urgency: Urgency = Urgency.CONFIRMATION
    topic: str = ""
    """Messages on one topic in one chat edit the first in place; empty: always a new one."""
    edits: int = 0
    """The message to replace, as the chat numbers it; 0 for none."""
    expires_at: datetime | None = None
    """Not worth sending after this."""


class PromiseOutcome(StrEnum):
    """What became of a promise."""

    WAITING = "waiting"
    SENT = "sent"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """A newer one on the same topic took its place before it went out."""
    UNDELIVERABLE = "undeliverable"
    """The chat refuses it for good: blocked, gone, or the message is impossible."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who may talk to KOS."""

    user: str
    """``telegram:<user id>``; ids, never user names, which change hands."""
    name: str
    seat: Seat
    participant: str = ""
    """Whose offers and books are theirs; required for a participant."""
    is_active: bool = True
    added_by: str = ""
    added_at: datetime | None = None


class OutboxEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A promise that waits."""

    entry_id: int
    promise: Promise
    promised_at: datetime
    topic_message: int = 0
    """The message that the last one on this topic became in this chat; 0 for none."""


class MenuLine(msgspec.Struct, frozen=True):
    """A command in a menu."""

    command: str
    """Without the slash: 1 to 32 of ``a-z0-9_``."""
    summary: str
    """At most 256 characters."""
