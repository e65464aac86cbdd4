"""Values never change: whoever needs another value makes another."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import msgspec

import kos

CHANGEABLE = {
    # What is read off the wire and taken apart at once.
    *("_Body", "_FeedOutcome", "_FeedMarket", "_PartMarket", "_Bookmaker", "_FeedEvent"),
    *("_BotResult", "_BotAnswer", "_OutgoingFrame", "BatchRequest", "BatchAnswer", "BatchRefusal"),
    # What somebody keeps for himself and counts with, and gives to nobody.
    *("_MarketState", "_Window", "_Open", "FileReplayed", "_CallCounts", "_Talk", "_Bucket"),
    *("Job", "OutgoingQueue", "Status", "_MessageParts", "_People", "Turn", "Tally", "Letter"),
    *("_Series", "_Slot", "Child", "RestartPlan", "_SupervisedNode", "_Hook", "Timer"),
}


def classes() -> Iterator[type[Any]]:
    """Every class of KOS itself; the sandbox plays the world outside."""
    for module in pkgutil.walk_packages(kos.__path__, "kos."):
        if ".sandbox" not in module.name and not module.name.endswith("__main__"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and value.__module__ == module.name:
                    yield value


def is_changeable(kind: type[Any]) -> bool:
    """Whether a field of its values can be set; what is neither struct nor dataclass is no value."""
    if issubclass(kind, msgspec.Struct):
        return not kind.__struct_config__.frozen
    parameters = getattr(kind, "__dataclass_params__", None)
    return dataclasses.is_dataclass(kind) and not (parameters and parameters.frozen)


def test_every_value_is_frozen_but_those_that_nobody_else_sees() -> None:
    assert {kind.__name__ for kind in classes() if is_changeable(kind)} == CHANGEABLE
