"""Answers within every screen's limits: spans, tables of fixed width, pages and buttons.

A Telegram message can have 4096 UTF-16 units, a caption 1024, a button's data 64 bytes. A list
that is longer is paged; a text that is longer is cut with an ellipsis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from kos.desk.arguments import tidy
from kos.domain.people.conversation import (
    MAX_CAPTION,
    MAX_DATA,
    MAX_TEXT,
    Answer,
    Button,
    Span,
    Style,
)
from kos.errors import KosBug
from kos.views.table import TableView

MAX_SPANS = 90
"""Telegram shows up to a hundred styled parts of a message."""
MAX_LABEL = 40
_CELL = 24
"""Characters of a cell in a table; a phone has little more room."""

Rows = tuple[tuple[Button, ...], ...]
TextPart = Span | str


def bold(text: str) -> Span:
    """In bold."""
    return Span(text, Style.BOLD)


def italic(text: str) -> Span:
    """In italics."""
    return Span(text, Style.ITALIC)


def code(text: str) -> Span:
    """Text to copy."""
    return Span(text, Style.CODE)


def link(label: str, url: str) -> Span:
    """A link; plain text if the address is not safe to open."""
    tidied = tidy(url, 2000)
    is_safe = tidied == url and url.startswith("https://") and " " not in url and "@" not in url
    return Span(label, Style.LINK, url) if is_safe else Span(label)


def button(label: str, data: str) -> Button:
    """A button.

    Raises:
        KosBug: Its data is too long for a screen.
    """
    if not 1 <= len(data.encode()) <= MAX_DATA:
        raise KosBug(f"a button's data has 1 to {MAX_DATA} bytes: {data!r}")
    return Button(tidy(label, MAX_LABEL) or "?", data)


def in_rows(buttons: Iterable[Button], width: int = 2) -> Rows:
    """Buttons in rows of ``width``."""
    row = tuple(buttons)
    return tuple(row[start : start + width] for start in range(0, len(row), width))


def say(*parts: TextPart, buttons: Rows = (), is_edit: bool = False) -> Answer:
    """One message made of spans and plain texts, cut to fit."""
    return fitted(Answer(spans=_spans(parts), buttons=buttons, is_edit=is_edit))


def fitted(answer: Answer) -> Answer:
    """The answer within the limits of every screen."""
    has_caption = bool(answer.picture or answer.file_name)
    left = MAX_CAPTION if has_caption else MAX_TEXT
    spans: list[Span] = []
    for number, span in enumerate(answer.spans):
        if number >= MAX_SPANS:
            spans.append(Span("…"))
            break
        size = units(span.text)
        if size <= left:
            spans.append(span)
            left -= size
            continue
        spans.append(msgspec.structs.replace(span, text=_cut(span.text, left)))
        break
    shown = tuple(span for span in spans if span.text)
    if not has_caption and not "".join(span.text for span in shown).strip():
        shown = (Span("(nothing)"),)
    return msgspec.structs.replace(answer, spans=shown)


def units(text: str) -> int:
    """The length of a text as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def table(view: TableView) -> Span:
    """A table as a block of fixed width."""
    cells = [view.headings, *view.rows]
    shown = [[tidy(cell, _CELL) for cell in row] for row in cells]
    widths = [max(len(row[column]) for row in shown) for column in range(len(view.headings))]
    lines = []
    for row in shown:
        padded = [
            cell.rjust(width) if number in view.numbers else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(" ".join(padded).rstrip())
    return Span("\n".join(lines), Style.TABLE)


class Page(msgspec.Struct, frozen=True):
    """One page of a list."""

    blocks: tuple[tuple[TextPart, ...], ...]
    number: int
    """From 1."""
    count: int

    def parts(self) -> tuple[TextPart, ...]:
        """The blocks of the page, with an empty line between them."""
        parts: list[TextPart] = []
        for block in self.blocks:
            parts += ["\n\n" if parts else "", *block]
        return tuple(parts)

    def turners(self, command: str) -> Rows:
        """Buttons to the pages before and after; none for a single page or too long a command.

        Args:
            command: As typed, without the page.
        """
        if self.count <= 1 or len(f"{command} page={self.count}".encode()) > MAX_DATA:
            return ()
        row = []
        if self.number > 1:
            row.append(button("Previous", f"{command} page={self.number - 1}"))
        row.append(button(f"Page {self.number} of {self.count}", f"{command} page={self.number}"))
        if self.number < self.count:
            row.append(button("Next", f"{command} page={self.number + 1}"))
        return (tuple(row),)


def page_of(blocks: Sequence[tuple[TextPart, ...]], number: int, size: int) -> Page:
    """A page of a list, or the last one if there are fewer.

    Args:
        blocks: The entries.
        number: From 1.
        size: Entries of a page.
    """
    count = max(1, -(-len(blocks) // size))
    at = min(max(1, number), count)
    return Page(tuple(blocks[(at - 1) * size : at * size]), at, count)


def _spans(parts: Iterable[TextPart]) -> tuple[Span, ...]:
    """Spans, with adjacent plain ones joined."""
    spans: list[Span] = []
    for part in parts:
        span = Span(part) if isinstance(part, str) else part
        if spans and span.style is Style.PLAIN and spans[-1].style is Style.PLAIN:
            spans[-1] = Span(spans[-1].text + span.text)
        elif span.text:
            spans.append(span)
    return tuple(spans)


def _cut(text: str, most: int) -> str:
    if most < 1:
        return ""
    cut = text.encode("utf-16-le", "surrogatepass")[: (most - 1) * 2]
    return cut.decode("utf-16-le", "ignore") + "…"
