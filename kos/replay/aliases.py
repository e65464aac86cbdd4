"""People's decisions about names, for a replay: from a ledger, or from a file to share."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from kos.db import meaning, open_for_reading
from kos.domain.matching.aliases import AliasTable, alias_table, shared_aliases
from kos.errors import InvalidInput
from kos.storage import queries

_SQLITE: Final = b"SQLite format 3\0"


def read_aliases(path: Path) -> AliasTable:
    """The decisions in force in a file.

    Args:
        path: A ledger, which is only read, or JSON lines from ``kos aliases export``.

    Raises:
        InvalidInput: It cannot be read, or a line is not a decision about names.
        DatabaseRefused: The ledger cannot be read.
    """
    try:
        with path.open("rb") as file:
            is_ledger = file.read(len(_SQLITE)) == _SQLITE
        text = "" if is_ledger else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(
            "--aliases", str(path), "a ledger, or a file from kos aliases export"
        ) from None
    if not is_ledger:
        return alias_table(shared_aliases(text, str(path)))
    with closing(open_for_reading(path)) as database, meaning(path):
        return alias_table(queries.aliases(database).aliases)
