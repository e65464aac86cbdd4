"""Readers of parsed but untrusted JSON, shared by the adapters of both services.

A value of the right kind, or a named refusal; what is left out is collected by its path.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from kos.domain.market.quotes import Drop

MAX_DROPS: Final = 5_000
"""Of one body; more are counted in one last line."""

MAX_TEXT: Final = 300
"""Characters of a name or a code."""

_MAX_DIGITS: Final = 40
_MAX_EXPONENT: Final = 30
_NAN: Final = Decimal("NaN")

_T = TypeVar("_T")


class Untrusted(Exception):  # noqa: N818 - the text is a drop's reason; it never leaves the adapters
    """A value that cannot be trusted."""


class NotJson(Exception):  # noqa: N818 - as above
    """A body that is no JSON at all."""


class Drops:
    """Collects what is left out of one body, up to a bound."""

    def __init__(self) -> None:
        self._listed: list[Drop] = []
        self._unlisted = 0

    def add(self, path: str, reason: str) -> None:
        """Note one thing left out."""
        if len(self._listed) < MAX_DROPS:
            self._listed.append(Drop(path, reason))
        else:
            self._unlisted += 1

    def listed(self) -> tuple[Drop, ...]:
        """All notes, with one last line for those beyond the bound."""
        if not self._unlisted:
            return tuple(self._listed)
        return (*self._listed, Drop(f"{self._unlisted} more", "further drops not listed"))


def _number(text: str) -> Decimal:
    """The number digit for digit; NaN for one that no honest answer holds.

    Endless digits and wild exponents end here, so that no arithmetic ever meets them.
    """
    if len(text) > _MAX_DIGITS:
        return _NAN
    try:
        value = Decimal(text)
    except ArithmeticError:  # an exponent beyond Decimal's own bounds
        return _NAN
    return value if -_MAX_EXPONENT < value.adjusted() < _MAX_EXPONENT else _NAN


_FAST: Final = msgspec.json.Decoder(float_hook=_number)


def parse(body: bytes) -> Any:
    """Any JSON as Python values; fractions are Decimal, digit for digit as they were sent.

    Whole numbers are int or Decimal. msgspec reads it; what it refuses by the letter (such as the
    bare NaN and Infinity that a service can send in fields KOS does not read) gets a second chance.

    Raises:
        NotJson: It is not JSON, or nests too deep.
    """
    try:
        return _FAST.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(body, parse_float=_number, parse_int=_number, parse_constant=Decimal)
    except (ValueError, RecursionError):
        pass
    raise NotJson  # out of the except block: the error before holds the body


def read_each(
    values: list[Any], path: str, drops: Drops, read: Callable[[Any, str, Drops], _T]
) -> list[_T]:
    """What ``read`` makes of each value that it does not refuse."""
    good = []
    for i, value in enumerate(values):
        try:
            good.append(read(value, f"{path}[{i}]", drops))
        except Untrusted as refused:
            drops.add(f"{path}[{i}]", str(refused))
    return good


def mapping(value: Any, what: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Untrusted(f"{what} missing" if value is None else f"{what} not an object")
    return value
