"""What several rooms share is said once."""

from __future__ import annotations

import ast
from collections import defaultdict

import pytest

from tests.architecture.house import constants, texts, trees

SAID_ONCE = ("@system", "fetcher.", "telegram:", "h2h", "h2h_lay")
"""Texts that nobody writes out but the module that names them."""


def test_no_constant_text_stands_in_two_modules() -> None:
    homes = defaultdict(set)
    for path, tree in trees().items():
        for _, value in constants(tree):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                homes[value.value].add(path)
    assert {text: paths for text, paths in homes.items() if len(text) > 2 and len(paths) > 1} == {}


def test_no_limit_stands_in_two_modules() -> None:
    homes = defaultdict(set)
    for path, tree in trees().items():
        for name, value in constants(tree):
            if name.startswith(("MAX_", "MIN_")) and not isinstance(value, ast.Name):
                homes[name, ast.unparse(value)].add(path)
    assert {limit: paths for limit, paths in homes.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("text", SAID_ONCE)
def test_a_shared_text_is_written_out_once(text: str) -> None:
    assert [path for path, tree in trees().items() for said in texts(tree) if said == text] == [
        path
        for path, tree in trees().items()
        for _, value in constants(tree)
        if isinstance(value, ast.Constant) and value.value == text
    ]


def test_the_banner_of_simulated_markets_is_written_out_once() -> None:
    banners = [
        path
        for path, tree in trees().items()
        for text in texts(tree)
        if text.startswith("SIMULATED MARKETS")
    ]
    assert banners == ["kos/views/simulated.py"]


def test_one_function_says_what_a_draw_is() -> None:
    functions = [
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_") == "is_draw"
    ]
    assert functions == ["kos/domain/market/outcomes.py"]
    spellings = {"the draw", "tie", "unentschieden", "match nul"}
    spelt = {
        path
        for path, tree in trees().items()
        for text in texts(tree)
        if text.casefold() in spellings
    }
    assert spelt == {"kos/domain/market/outcomes.py"}
