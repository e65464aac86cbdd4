"""A table as a view gives it: headings and cells of text, no layout."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec


class TableView(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal, a chat or a page renders as a table."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    """Columns of figures, to be set to the right."""


def table_of(
    title: str,
    headings: Iterable[str],
    rows: Iterable[tuple[str, ...]],
    numbers: Collection[int] = (),
) -> TableView:
    """A table of rows as they come; ``numbers`` are the columns of figures."""
    return TableView(
        title=title, headings=tuple(headings), rows=tuple(rows), numbers=frozenset(numbers)
    )
