"""A table as a view gives it: headings and cells of text, no layout."""

from __future__ import annotations

import msgspec


class TableView(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal, a chat or a page renders as a table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    """Columns of figures, to be set to the right."""
