"""Each actor says what it takes, and its dispatch is closed by `assert_never` over all of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.house import trees

WRITER = "kos/actors/ledger.py"
"""Its dispatch is its room's: commands and questions, each over a union of its own."""
CLOSED = {
    path: ("receive", path.split("/")[-1].removesuffix(".py").capitalize() + "Message")
    for path, tree in trees().items()
    if path.startswith("kos/actors/") and path != WRITER
    if any(isinstance(node, ast.ClassDef) and node.name.endswith("Actor") for node in tree.body)
} | {
    "kos/storage/ledger.py": ("_handle", "StoredCommand"),
    "kos/storage/answers.py": ("_answer", "Question"),
}
"""By module: the function that dispatches, and the union over which it does."""


def function_of(path: str, name: str) -> ast.FunctionDef:
    (function,) = (
        node
        for node in ast.walk(trees()[path])
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return function


def members(path: str, name: str) -> Iterator[str]:
    """The messages of a union that a module declares; unions within it are taken apart."""
    declared = {
        node.targets[0].id: node.value
        for node in trees()[path].body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(declared[name]):
        if isinstance(node, ast.Name):
            if node.id in declared:
                yield from members(path, node.id)
            else:
                yield node.id


def is_assert_never(case: ast.match_case) -> bool:
    (statement, *_) = case.body
    return (
        isinstance(case.pattern, ast.MatchAs)
        and case.pattern.pattern is None
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == "assert_never"
    )


def taken(case: ast.match_case) -> set[str]:
    """The messages that a case takes whatever is in them."""
    if case.guard is not None:
        return set()
    return {
        node.cls.id
        for node in ast.walk(case.pattern)
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name)
    }


def test_every_actor_is_looked_at() -> None:
    factories = {
        text.partition(":")[0].replace(".", "/") + ".py"
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(text := node.value, str)
        if text.startswith("kos.actors.") and ":" in text
    }
    assert {path for path in CLOSED if path.startswith("kos/actors/")} == factories - {WRITER}


@pytest.mark.parametrize("path", CLOSED)
def test_a_dispatch_takes_its_whole_union_and_is_closed(path: str) -> None:
    function, union = CLOSED[path]
    (match,) = (
        node
        for statement in function_of(path, function).body
        for node in ast.walk(statement)
        if isinstance(node, ast.Match) and any(map(is_assert_never, node.cases))
    )
    *cases, last = match.cases
    assert is_assert_never(last)
    assert set[str]().union(*map(taken, cases)) == set(members(path, union))


@pytest.mark.parametrize("path", CLOSED)
def test_what_is_outside_the_union_is_refused_before_the_dispatch(path: str) -> None:
    _, union = CLOSED[path]
    checks = [
        node
        for node in ast.walk(trees()[path])
        if isinstance(node, ast.Call)
        and ast.unparse(node).startswith("isinstance(")
        and ast.unparse(node).endswith(f", {union})")
    ]
    assert checks, f"{path} never asks whether a message is a {union}"
