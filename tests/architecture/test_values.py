"""The domain's values never change: whoever needs another value makes another."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import msgspec

import kos.domain

NOTES = {"_MarketState", "_Window"}
"""What a cache writes down for itself, and gives to nobody."""


def structs() -> Iterator[type[msgspec.Struct]]:
    for module in pkgutil.walk_packages(kos.domain.__path__, "kos.domain."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, msgspec.Struct)
                and value.__module__ == module.name
            ):
                yield value


def test_every_struct_of_the_domain_is_frozen() -> None:
    changeable = {struct.__name__ for struct in structs() if not struct.__struct_config__.frozen}
    assert changeable == NOTES
