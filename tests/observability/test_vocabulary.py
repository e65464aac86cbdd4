"""Every line that KOS logs is in the vocabulary: read over the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kos.observability.vocabulary import COMMON_KEYS, EVENTS, KEYS, LEVELS
from tests.vocabulary import problems_of

PACKAGE = Path(__file__).resolve().parents[2] / "kos"
METHODS = {"exception": "error", **{level: level for level in LEVELS}}
LOGGERS = {"log", "_log"}
PROCESSING = {"exc_info", "stack_info"}
"""What structlog makes ``exception`` and ``stack`` of."""


class Call:
    """One call of a logger in the source."""

    def __init__(self, place: str, node: ast.Call, method: str) -> None:
        self.place = place
        self.level = METHODS[method]
        first = node.args[0] if node.args else None
        self.event = first.value if isinstance(first, ast.Constant) else None
        self.keys = frozenset(word.arg for word in node.keywords if word.arg) - PROCESSING
        self.is_plain = (
            isinstance(self.event, str)
            and len(node.args) == 1
            and all(word.arg for word in node.keywords)
        )


def is_logger(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    return name in LOGGERS


def calls(text: str, place: str) -> Iterator[Call]:
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
            and is_logger(node.func.value)
        ):
            yield Call(f"{place}:{node.lineno}", node, node.func.attr)


def bound_keys(text: str) -> set[str]:
    return {
        word.arg or "**"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "bind"
        for word in node.keywords
    }


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def all_calls() -> list[Call]:
    return [
        call
        for path in sources()
        for call in calls(path.read_text("utf-8"), str(path.relative_to(PACKAGE.parent)))
    ]


def test_every_logged_event_is_in_the_vocabulary_at_its_level_with_its_keys() -> None:
    found = []
    for call in all_calls():
        if not call.is_plain or not isinstance(call.event, str):
            found.append(f"{call.place}: the event must be a constant text, its facts named keys")
            continue
        found += [
            f"{call.place}: {problem}" for problem in problems_of(call.event, call.level, call.keys)
        ]
    assert not found, "\n".join(found)


def test_every_bound_key_is_in_the_vocabulary() -> None:
    known = set(KEYS) | set(COMMON_KEYS)
    bound = {
        f"{path.relative_to(PACKAGE.parent)}: {key}"
        for path in sources()
        if "get_logger" in path.read_text("utf-8") or "log.bind" in path.read_text("utf-8")
        for key in bound_keys(path.read_text("utf-8")) - known
    }
    assert not bound


def test_the_vocabulary_holds_nothing_that_is_never_logged() -> None:
    logged = {call.event for call in all_calls()}
    # A library's line gets its level from the library, so its method is not written out.
    assert set(EVENTS) - logged == {"library.logged"}


def test_every_declared_key_has_one_meaning_and_is_used() -> None:
    assert not set(KEYS) & set(COMMON_KEYS)
    assert {key for event in EVENTS.values() for key in event.keys} == set(KEYS)
    assert all(level in LEVELS for event in EVENTS.values() for level in event.levels)


def test_every_event_and_key_says_what_it_means() -> None:
    assert all(event.meaning for event in EVENTS.values())
    assert all(key.meaning for key in (*KEYS.values(), *COMMON_KEYS.values()))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('log.info("nobody.knows_it")', "not in the vocabulary"),
        ('log.error("quotes.fetched")', "is logged as error, declared as info"),
        ('self.context.log.info("sports.listed", colour=1)', "does not declare: colour"),
    ],
)
def test_a_strange_line_is_found(line: str, said: str) -> None:
    (call,) = calls(line, "x.py")
    assert said in problems_of(str(call.event), call.level, call.keys)[0]


@pytest.mark.parametrize(
    "line", ['log.info(f"{x}")', 'log.info("a.b", **facts)', "_log.info(name)"]
)
def test_an_event_that_is_no_constant_text_is_found(line: str) -> None:
    (call,) = calls(line, "x.py")
    assert not call.is_plain
