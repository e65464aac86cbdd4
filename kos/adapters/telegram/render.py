"""An answer as Telegram takes it: plain text with entities, never markup, within its limits.

Telegram counts in UTF-16 units: 4096 of a message, 1024 of a caption. A longer text is split at the
borders of lines; what does not fit a caption follows as a message. Foreign text stands in the
text as it is, so there is nothing to escape and nothing that could break out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from kos.domain.people.conversation import (
    MAX_CAPTION,
    MAX_DATA,
    MAX_NOTICE,
    MAX_TEXT,
    Answer,
    Button,
    Span,
    Style,
)

MAX_ENTITIES: Final = 100
MAX_LABEL: Final = 60

_KEPT_CONTROLS: Final = frozenset("\n\t")
_DROPPED: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_TURNERS: Final = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)
"""Characters that turn the reading direction of what follows."""

_KINDS: Final = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.CODE: "code",
    Style.TABLE: "pre",
    Style.LINK: "text_link",
}


class Entity(msgspec.Struct, frozen=True):
    """A styled piece of a text, in UTF-16 units."""

    kind: str
    offset: int
    length: int
    url: str = ""


class StyledText(msgspec.Struct, frozen=True):
    """A text with its styled pieces."""

    text: str
    entities: tuple[Entity, ...] = ()


class MessageForm(StrEnum):
    """What a message is made of."""

    TEXT = "text"
    PICTURE = "picture"
    FILE = "file"


class Outgoing(msgspec.Struct, frozen=True):
    """One message as it goes out."""

    form: MessageForm
    text: StyledText
    buttons: tuple[tuple[Button, ...], ...] = ()
    content: bytes = b""
    file_name: str = ""


def rendered(answer: Answer) -> tuple[Outgoing, ...]:
    """The messages of an answer, the buttons under the last one; at least one."""
    whole = text_of(answer.spans)
    buttons = _buttons(answer.buttons)
    if answer.picture or answer.file_name:
        first, *rest = split(whole, MAX_CAPTION, then=MAX_TEXT)
        form = MessageForm.PICTURE if answer.picture else MessageForm.FILE
        content = answer.picture or answer.file
        name = _file_name(answer.file_name or "picture.png")
        parts = [Outgoing(form, first, content=content, file_name=name)]
    else:
        parts, rest = [], split(whole, MAX_TEXT)
        if not any(part.text.strip() for part in rest):
            rest = [StyledText("(nothing)")]
    parts += [Outgoing(MessageForm.TEXT, part) for part in rest if part.text.strip()]
    parts[-1] = msgspec.structs.replace(parts[-1], buttons=buttons)
    return tuple(parts)


def text_of(spans: Iterable[Span]) -> StyledText:
    """Spans as one text with entities, tidy and with no empty entity."""
    pieces: list[str] = []
    entities: list[Entity] = []
    at = 0
    for span in spans:
        shown = shown_text(span.text)
        if span.style is Style.TABLE and pieces and not pieces[-1].endswith("\n"):
            shown = shown.strip("\n")
            pieces.append("\n")
            at += 1
        length = units(shown)
        kind = _KINDS.get(span.style)
        is_link = span.style is Style.LINK
        if kind and shown.strip() and (not is_link or _is_safe(span.url)):
            entities.append(Entity(kind, at, length, span.url if is_link else ""))
        pieces.append(shown)
        at += length
    return StyledText("".join(pieces), tuple(entities[:MAX_ENTITIES]))


def split(text: StyledText, most: int, *, then: int | None = None) -> list[StyledText]:
    """A text in pieces of at most ``most`` units (the later ones ``then``), at borders of lines.

    An entity that crosses a border is one in each piece. Nothing is lost but the line break at
    which it was split.
    """
    pieces: list[StyledText] = []
    rest, limit = text, most
    while units(rest.text) > limit:
        cut = _border(rest.text, limit)
        head = rest.text[:cut]
        tail = rest.text[cut:]
        skipped = 1 if tail.startswith("\n") else 0
        at = units(head)
        pieces.append(StyledText(head, _within(rest.entities, 0, at)))
        rest = StyledText(tail[skipped:], _within(rest.entities, at + skipped, at + units(tail)))
        limit = then or most
    pieces.append(rest)
    return pieces


def shown_text(text: str) -> str:
    """Foreign text without what draws nothing or turns the line round."""
    return "".join(
        char
        for char in text
        if char in _KEPT_CONTROLS
        or (char not in _TURNERS and unicodedata.category(char) not in _DROPPED)
    )


def notice_text(text: str) -> str:
    """A word on a pressed button, within its limit."""
    shown = shown_text(text)
    return shown if len(shown) <= MAX_NOTICE else shown[: MAX_NOTICE - 1] + "…"


def units(text: str) -> int:
    """The length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _border(text: str, limit: int) -> int:
    """How many characters go into the first piece, at least one."""
    # The limit in characters: those beyond the basic plane are two units.
    size = 0
    fits = 0
    for char in text:
        size += 2 if ord(char) > 0xFFFF else 1  # noqa: PLR2004 - the basic plane's last
        if size > limit:
            break
        fits += 1
    at_line = text.rfind("\n", 0, fits + 1)
    if at_line > 0:
        return at_line
    at_word = text.rfind(" ", 0, fits)
    return at_word + 1 if at_word > fits // 2 else max(1, fits)


def _within(entities: Sequence[Entity], start: int, end: int) -> tuple[Entity, ...]:
    """The parts of entities between two places, counted from the first."""
    parts = []
    for entity in entities:
        first, last = max(entity.offset, start), min(entity.offset + entity.length, end)
        if first < last:
            parts.append(Entity(entity.kind, first - start, last - first, entity.url))
    return tuple(parts)


def _buttons(rows: Sequence[Sequence[Button]]) -> tuple[tuple[Button, ...], ...]:
    kept = []
    for row in rows:
        shown = tuple(
            Button(_label(button.label), button.data)
            for button in row
            if 1 <= len(button.data.encode("utf-8", "replace")) <= MAX_DATA
        )
        if shown:
            kept.append(shown)
    return tuple(kept)


def _label(text: str) -> str:
    shown = " ".join(shown_text(text).split())
    return (shown if len(shown) <= MAX_LABEL else shown[: MAX_LABEL - 1] + "…") or "?"


def _is_safe(url: str) -> bool:
    return url.startswith("https://") and not any(char.isspace() for char in url) and "@" not in url


def _file_name(name: str) -> str:
    kept = "".join(char for char in name if char.isascii() and (char.isalnum() or char in "-_."))
    return kept.lstrip(".")[:80] or "file"
