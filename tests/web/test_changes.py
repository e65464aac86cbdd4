"""Whoever looks at the changes sees the picture as it is, however seldom they look."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.web.changes import Changes, Picture
from tests.profiles import examples

Shown = dict[str, int]


def picture(shown: Shown, fact: int = 0) -> Picture:
    return Picture(
        rows={
            name: msgspec.json.encode({"id": name, "value": value}) for name, value in shown.items()
        },
        facts={"fact": msgspec.json.encode(fact)},
    )


class Reader:
    """A browser: keeps rows by id and applies what it is told."""

    def __init__(self) -> None:
        self.version = 0
        self.rows: dict[str, int] = {}
        self.order: list[str] = []
        self.facts: dict[str, Any] = {}

    def look(self, changes: Changes) -> None:
        told = msgspec.json.decode(changes.since(self.version))
        if "all" in told:
            self.rows.clear()
        for row in told.get("all", told.get("set", [])):
            self.rows[row["id"]] = row["value"]
        for name in told.get("gone", []):
            self.rows.pop(name, None)  # it may have come and gone meanwhile
        self.order = told.get("order", self.order)
        self.facts |= told["facts"]
        self.version = told["version"]


SHOWN = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 3), max_size=6)


@settings(max_examples=examples(150))
@given(st.lists(st.tuples(SHOWN, st.integers(0, 2), st.booleans()), min_size=1, max_size=12))
def test_a_reader_who_looks_now_and_then_sees_the_newest_picture(
    steps: list[tuple[Shown, int, bool]],
) -> None:
    changes, seldom = Changes(), Reader()
    for shown, fact, looks in steps:
        changes.show(picture(shown, fact))
        if looks:
            seldom.look(changes)
    last, fact, _ = steps[-1]
    for reader in (seldom, Reader()):
        reader.look(changes)
        assert reader.rows == last
        assert reader.order == list(last)
        assert reader.facts == {"fact": fact}


def test_the_same_picture_again_is_no_news() -> None:
    changes = Changes()
    assert changes.show(picture({"a": 1}))
    version = changes.version
    assert not changes.show(picture({"a": 1}))
    assert changes.version == version


def test_only_the_row_that_changed_is_told() -> None:
    changes = Changes()
    changes.show(picture({"a": 1, "b": 1}))
    version = changes.version
    changes.show(picture({"a": 1, "b": 2}))
    told = msgspec.json.decode(changes.since(version))
    assert told["set"] == [{"id": "b", "value": 2}]
    assert told["gone"] == []
    assert "order" not in told
    assert told["facts"] == {}


def test_fifty_readers_of_one_version_get_the_very_same_bytes() -> None:
    changes = Changes()
    changes.show(picture({"a": 1}))
    assert len({id(changes.since(0)) for _ in range(50)}) == 1
