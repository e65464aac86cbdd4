"""Decisions about names as they are shared between people."""

from __future__ import annotations

import msgspec
import pytest

from kos.domain.matching.aliases import AliasVerdict, SharedAlias, shared_aliases
from kos.errors import InvalidInput

WOLVES = SharedAlias("soccer", "Wolves", "Wolverhampton", AliasVerdict.CONFIRMED, "seen")
INTER = SharedAlias("soccer", "Inter", "Inter Turku", AliasVerdict.REJECTED)


def test_shared_decisions_are_read_line_by_line() -> None:
    lines = [msgspec.json.encode(alias).decode() for alias in (WOLVES, INTER)]
    assert shared_aliases("\n\n".join(lines) + "\n", "names.jsonl") == (WOLVES, INTER)


@pytest.mark.parametrize("line", ["wolves", "{}", '{"sport": "soccer", "verdict": "perhaps"}'])
def test_a_line_that_is_no_decision_is_named(line: str) -> None:
    text = f"{msgspec.json.encode(WOLVES).decode()}\n{line}\n"
    with pytest.raises(InvalidInput) as refused:
        shared_aliases(text, "names.jsonl")
    assert refused.value.field == "names.jsonl line 2"
