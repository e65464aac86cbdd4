"""Values never change, and no limit, wait or default changes without anybody seeing it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import ModuleType
from typing import Any

import msgspec

import kos
from tests.agreed import assert_agreed

TAKEN_APART = {
    "_Body", "_FeedOutcome", "_FeedMarket", "_PartMarket", "_Bookmaker", "_FeedEvent", "_BotResult",
    "_BotAnswer", "_OutgoingFrame", "BatchRequest", "BatchAnswer", "BatchRefusal",
}  # fmt: skip
"""What is read off the wire, or written to it, and taken apart at once."""
COUNTED_WITH = {
    "_MarketState", "_Window", "_Open", "FileReplayed", "_Talk", "_Bucket", "Job", "OutgoingQueue",
    "Status", "_MessageParts", "_People", "Turn", "Tally", "Letter", "_Series", "_Slot", "Child",
    "RestartPlan", "_SupervisedNode", "_Hook", "Timer",
}  # fmt: skip
"""What somebody keeps for himself and counts with, and gives to nobody."""

FIGURES = (int, float, Decimal, Fraction, timedelta)


def modules() -> Iterator[ModuleType]:
    """Every module of KOS itself; the sandbox plays the world outside."""
    for module in pkgutil.walk_packages(kos.__path__, "kos."):
        if ".sandbox" not in module.name and not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def classes() -> Iterator[type[Any]]:
    """Every class of these modules."""
    for module in modules():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def is_changeable(kind: type[Any]) -> bool:
    """Whether a field of its values can be set; what is neither struct nor dataclass is no value."""
    if issubclass(kind, msgspec.Struct):
        return not kind.__struct_config__.frozen
    parameters = getattr(kind, "__dataclass_params__", None)
    return dataclasses.is_dataclass(kind) and not (parameters and parameters.frozen)


def constants(module: ModuleType) -> Iterator[str]:
    """The figures that a module gives a name in capitals."""
    for node in ast.parse(inspect.getsource(module)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            name = target.id if isinstance(target, ast.Name) else ""
            value = getattr(module, name, None)
            if name.isupper() and isinstance(value, FIGURES) and not isinstance(value, bool):
                yield f"{name} = {value!r}"


def defaults(kind: type[Any]) -> Iterator[str]:
    """What a field is where nobody says."""
    fields: list[Any] = []
    if issubclass(kind, msgspec.Struct):
        fields = list(msgspec.structs.fields(kind))
    elif dataclasses.is_dataclass(kind):
        fields = list(dataclasses.fields(kind))
    for field in fields:
        if isinstance(field.default, (*FIGURES, str, Enum)):
            yield f"{kind.__name__}.{field.name} = {field.default!r}"


def test_every_value_is_frozen_but_those_that_nobody_else_sees() -> None:
    assert {
        kind.__name__ for kind in classes() if is_changeable(kind)
    } == TAKEN_APART | COUNTED_WITH


def test_every_limit_and_wait_is_as_agreed() -> None:
    lines = [
        f"{module.__name__}: {constant}"
        for module in modules()
        for constant in sorted(constants(module))
    ]
    assert_agreed("limits.txt", "\n".join(sorted(lines)))


def test_every_default_of_a_value_is_as_agreed() -> None:
    assert_agreed(
        "defaults.txt", "\n".join(sorted({line for kind in classes() for line in defaults(kind)}))
    )
