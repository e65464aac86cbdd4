"""The modules of `kos` as their text, for the tests that read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def trees() -> dict[str, ast.Module]:
    """Each module of the program by its path, but for the sandbox: the tests' own remote services."""
    paths = sorted((ROOT / "kos").rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in paths
        if "sandbox" not in path.parts
    }


def texts(tree: ast.AST) -> Iterator[str]:
    """Every literal text; what an f-string fills in stands as ``{}``."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in node.values}
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
        ):
            yield node.value


def constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """The constants of a module: names in capitals, without leading underscores, and their values."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id.isupper() and isinstance(value, ast.expr):
            yield target.id.lstrip("_"), value
