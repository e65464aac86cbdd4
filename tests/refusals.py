"""Which refusals a test has reached: every ``raise`` of a module, by file and line."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

Refusal = tuple[str, int]
"""A module's name and the line of one of its ``raise`` statements."""


def refusals_in(modules: Iterable[ModuleType]) -> set[Refusal]:
    """Every ``raise`` of the modules that makes an error of its own."""
    return {
        (module.__name__, node.lineno)
        for module in modules
        for node in ast.walk(ast.parse(_source(module)))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    }


@contextmanager
def noting_refusals(modules: Iterable[ModuleType]) -> Iterator[set[Refusal]]:
    """Collect the lines of the modules on which an error arises, caught later or not."""
    names = {str(module.__file__): module.__name__ for module in modules}
    reached: set[Refusal] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> Any:
        name = names.get(frame.f_code.co_filename)
        if name is None:
            return None
        frame.f_trace_lines = False
        if event == "exception":
            reached.add((name, frame.f_lineno))
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        yield reached
    finally:
        sys.settrace(before)


def _source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text()
