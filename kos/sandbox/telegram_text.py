"""Text as Telegram keeps it: cleaned and trimmed, with entities counted in UTF-16 units, or parsed from HTML.

The order of checks and the words of the refusals follow the public sources of the Bot API server and TDLib.
Markdown is not played: a call that asks for it is refused.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kos.sandbox.telegram_form import Form, bad

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
_BYTES_LIMIT: Final = 1 << 15
_FOUND_BY_TELEGRAM: Final = frozenset({
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number",
})  # fmt: skip
_STYLES: Final = frozenset({
    "bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code",
    "pre", "text_link", "text_mention", "custom_emoji",
})  # fmt: skip
_TAGS: Final = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
    "a": "text_link", "tg-spoiler": "spoiler", "span": "spoiler", "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}  # fmt: skip
_REFERENCE: Final = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_ATTRIBUTE: Final = re.compile(
    r"""([^\s=>/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?\s*"""
)
_URL: Final = re.compile(r"tg://\S+|(?:https?://)?[^\s/?#.]+\.[^\s/?#]+\S*")
_REMOVED: Final = re.compile("[\r\u2028-\u202e]")
_BLANKED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text that Telegram took."""

    text: str
    entities: list[Entity] = field(default_factory=list)


def units(text: str) -> int:
    """Counts UTF-16 code units, as entity offsets and limits do."""
    return len(text.encode("utf-16-le")) // 2


def message_text(form: Form) -> Formatted:
    """Gives the text of a message.

    Raises:
        Refusal: It is empty, too long, or its entities are wrong.
    """
    if not form.text("text"):
        raise bad("message text is empty")
    found = _formatted(form, "text", "entities")
    if not found.text:
        raise bad("text must be non-empty")
    if units(found.text) > TEXT_LIMIT:
        raise bad("message is too long")
    return found


def caption(form: Form) -> Formatted:
    """Gives the caption of a file, which may be empty.

    Raises:
        Refusal: It is too long, or its entities are wrong.
    """
    found = _formatted(form, "caption", "caption_entities")
    if units(found.text) > CAPTION_LIMIT:
        raise bad("message caption is too long")
    return found


def _formatted(form: Form, name: str, entities_name: str) -> Formatted:
    text, mode = form.text(name), form.text("parse_mode").lower()
    if len(text.encode()) > _BYTES_LIMIT:
        raise bad("text is too long")
    if text and mode == "html":
        return _cleaned(*parse_html(text))
    if text and mode not in {"", "none"}:
        raise bad("unsupported parse_mode")
    given = form.structure(entities_name, f"can't parse {entities_name} JSON object")
    entities = [_entity(row) for row in given] if isinstance(given, list) else []
    return _cleaned(text, [row for row in entities if row])


def _entity(row: Any) -> Entity:
    """Gives an entity as it is kept; empty where Telegram finds it by itself."""
    if not isinstance(row, dict):
        raise bad("can't parse MessageEntity: expected an Object")
    for name in ("offset", "length"):
        if name not in row:
            raise bad(f"can't parse MessageEntity: Can't find field \"{name}\"")
        if not isinstance(row[name], int):
            raise bad(f'can\'t parse MessageEntity: Field "{name}" must be of type Number')
        if row[name] < 0:
            raise bad(f"receive an entity with incorrect {name} {row[name]}")
    kind = row.get("type")
    if kind in _FOUND_BY_TELEGRAM:
        return {}
    if kind not in _STYLES:
        raise bad("can't parse MessageEntity: Unsupported type specified")
    if kind == "text_link":
        check_url(row.get("url", ""), "entity")
    return {name: value for name, value in row.items() if value is not None}


def check_url(url: Any, where: str) -> None:
    """Refuses an address that Telegram would not open.

    Raises:
        Refusal: It has no host with a dot, or a scheme of its own.
    """
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise bad(f"{where} URL '{url}' is invalid: Wrong HTTP URL")


def _cleaned(text: str, entities: list[Entity]) -> Formatted:
    """Blanks control characters, drops what turns lines and directions, trims, and moves entities along."""
    whole = _BLANKED.sub(" ", text)
    moved = _moves(whole)
    whole = _REMOVED.sub("", whole)
    entities = sorted(entities, key=lambda row: (row["offset"], -row["length"]))
    end = units(whole.rstrip())
    first = min(
        (moved[row["offset"]] for row in entities if row["offset"] < len(moved)), default=end
    )
    start = min(units(whole) - units(whole.lstrip()), max(first, 0))
    rows = []
    for row in entities:
        begin, after = row["offset"], row["offset"] + row["length"]
        if after >= len(moved):
            raise bad(
                f"entity beginning at UTF-16 offset {begin} ends after the end of the text"
                f" at UTF-16 offset {after}"
            )
        if moved[begin] < 0:
            raise bad(f"entity begins in a middle of a UTF-16 symbol at byte offset {begin}")
        if moved[after] < 0:
            raise bad(
                f"entity beginning at UTF-16 offset {begin} ends in a middle of a UTF-16 symbol"
                f" at byte offset {after}"
            )
        length = min(moved[after], end) - moved[begin]
        if length > 0:
            rows.append({**row, "offset": moved[begin] - start, "length": length})
    cut = whole.encode("utf-16-le")[2 * start : 2 * max(start, end)]
    return Formatted(cut.decode("utf-16-le"), rows)


def _moves(text: str) -> Sequence[int]:
    """Gives for each UTF-16 offset of a text where it lies once ``_REMOVED`` is out; -1 within a symbol."""
    if text.isascii() and "\r" not in text:
        return range(len(text) + 1)
    moved, at = [0], 0
    for character in text:
        size = 2 if character > "\uffff" else 1
        at += 0 if _REMOVED.match(character) else size
        moved.extend([-1] * (size - 1) + [at])
    return moved


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Gives the plain text and the entities of Telegram's HTML.

    Raises:
        Refusal: A tag is unknown, unclosed or closes another one; offsets are in bytes of UTF-8.
    """
    text, at = "", 0
    entities: list[Entity] = []
    open_tags: list[tuple[str, int, Entity]] = []
    while at < len(source):
        if source[at] == "&" and (reference := _REFERENCE.match(source, at)):
            text += html.unescape(reference.group())
            at = reference.end()
        elif source[at] != "<":
            text += source[at]
            at += 1
        elif source.startswith("</", at):
            at = _close(source, at, text, open_tags, entities)
        else:
            tag, extra, at = _open(source, at)
            open_tags.append((tag, units(text), extra))
    if open_tags:
        raise _unparsed(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return text, entities


def _unparsed(reason: str) -> Exception:
    return bad(f"can't parse entities: {reason}")


def _bytes(source: str, at: int) -> int:
    return len(source[:at].encode())


def _open(source: str, at: int) -> tuple[str, Entity, int]:
    """Gives a start tag's name, what its entity says beyond its place, and where the text goes on."""
    begin, end = _bytes(source, at), at + 1
    while end < len(source) and not source[end].isspace() and source[end] not in "/>":
        end += 1
    name = source[at + 1 : end].lower()
    if end == len(source):
        raise _unparsed(f"Unclosed start tag at byte offset {begin}")
    if name not in _TAGS:
        raise _unparsed(f'Unsupported start tag "{name}" at byte offset {begin}')
    attributes, end = _attributes(source, end, name, begin)
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
    extra: Entity = {"type": _TAGS[name]}
    if name == "a":
        extra["url"] = attributes.get("href", "")
    elif name == "tg-emoji":
        extra["custom_emoji_id"] = attributes.get("emoji-id", "")
    elif name == "blockquote" and "expandable" in attributes:
        extra["type"] = "expandable_blockquote"
    elif name == "code" and attributes.get("class", "").startswith("language-"):
        extra["language"] = attributes["class"].removeprefix("language-")
    return name, extra, end + 1


def _attributes(source: str, at: int, name: str, begin: int) -> tuple[dict[str, str], int]:
    """Gives a start tag's attributes, by names in lower case, and where its bracket closes."""
    attributes: dict[str, str] = {}
    while at < len(source) and source[at].isspace():
        at += 1
    while at < len(source) and source[at] != ">":
        found = _ATTRIBUTE.match(source, at)
        if found is None:
            raise _unparsed(f'Empty attribute name in the tag "{name}" at byte offset {begin}')
        attributes[found[1].lower()] = html.unescape(found[2] or found[3] or found[4] or "")
        at = found.end()
    if at >= len(source):
        raise _unparsed(f'Unclosed start tag "{name}" at byte offset {begin}')
    return attributes, at


def _close(
    source: str,
    at: int,
    text: str,
    open_tags: list[tuple[str, int, Entity]],
    entities: list[Entity],
) -> int:
    """Ends the innermost open tag and gives where the text goes on."""
    begin, end = _bytes(source, at), source.find(">", at)
    if not open_tags:
        raise _unparsed(f"Unexpected end tag at byte offset {begin}")
    if end < 0:
        raise _unparsed(f"Unclosed end tag at byte offset {begin}")
    name = source[at + 2 : end].strip().lower()
    tag, offset, extra = open_tags.pop()
    if name and name != tag:
        raise _unparsed(
            f'Unmatched end tag at byte offset {begin}, expected "</{tag}>", found "</{name}>"'
        )
    length = units(text) - offset
    if length and (extra["type"] != "text_link" or _URL.fullmatch(extra["url"])):
        entities.append({**extra, "offset": offset, "length": length})
    return end + 1
