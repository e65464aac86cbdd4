"""Readers: text or numbers in, exact and checked values out.

A reader knows what it allows, in words, and refuses everything else by the input's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar

import msgspec

from kos.domain.market.commission import rate_in
from kos.domain.market.odds import MAX_ODDS, odds_allowed, read_odds
from kos.domain.money import MAX_DIGITS, amount_in, number_in
from kos.errors import InvalidInput

T = TypeVar("T")

MAX_ENTRIES = 100
MAX_NAME = 80
MAX_BITS = 128
CACHED_NUMBERS = 8192
"""Stakes, prices and rates repeat; reading one again then costs a look-up."""

_QUOTIENT = re.compile(r"\d+/0*[1-9]\d*", re.ASCII)


class Reader(Protocol):
    """Something that turns one given value into an exact one."""

    @property
    def allowed(self) -> str:
        """What is accepted, in words, for errors and for the list of kinds."""

    def read(self, field: str, value: object) -> Any:
        """The value as its calculator takes it.

        Raises:
            InvalidInput: Anything that is not `allowed`; names `field`.
        """


def as_text(field: str, value: object, allowed: str, longest: int = MAX_DIGITS) -> str:
    """The characters of a value that a person typed or JSON carried."""
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, int) and value.bit_length() > MAX_BITS:
        # Writing it out costs the square of its length; it is refused by its size.
        raise InvalidInput(field, f"a number of {value.bit_length()} bits", allowed)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        text = str(value)
    else:
        raise InvalidInput(field, value, allowed)
    if not text or len(text) > longest:
        raise InvalidInput(field, value, f"{allowed}, in 1 to {longest} characters")
    return text


def _exact(read: Callable[[str], Decimal | None]) -> Callable[[str], Fraction | None]:
    """The exact number that `read` finds in a text; None if it finds none."""

    @lru_cache(CACHED_NUMBERS)
    def exact(text: str) -> Fraction | None:
        number = read(text)
        return None if number is None else Fraction(number)

    return exact


plain = _exact(number_in)
"""Numbers such as ``10`` and ``1,000.50``."""
pounds = _exact(amount_in)
"""The same, with or without ``£``."""
_rate = _exact(rate_in)


def share(text: str) -> Fraction | None:
    """A share of one: ``2%``, ``0.02``, ``1/4``."""
    return Fraction(text) if _QUOTIENT.fullmatch(text) else _rate(text)


_odds = lru_cache(CACHED_NUMBERS)(partial(read_odds, ""))


class Number(msgspec.Struct, frozen=True):
    """A number within bounds."""

    allowed: str
    low: int
    high: int
    exact: Callable[[str], Fraction | None] = plain
    """How it is typed: `plain`, `pounds` or `share`."""
    above: bool = False
    """The lower bound itself is refused."""
    below: bool = False
    """The upper bound itself is refused."""

    def read(self, field: str, value: object) -> Fraction:
        """The exact number."""
        number = self.exact(as_text(field, value, self.allowed))
        if (
            number is None
            or not self.low <= number <= self.high
            or (self.above and number == self.low)
            or (self.below and number == self.high)
        ):
            raise InvalidInput(field, value, self.allowed)
        return number


class Whole:
    """A whole number within bounds."""

    def __init__(self, low: int, high: int) -> None:
        self.allowed = f"a whole number from {low} to {high}"
        self._numbers = Number(self.allowed, low, high)

    def read(self, field: str, value: object) -> int:
        """The whole number."""
        number = self._numbers.read(field, value)
        if number.denominator != 1:
            raise InvalidInput(field, value, self.allowed)
        return number.numerator


class OddsReader:
    """Odds in any spelling, above 1.

    Args:
        most: The longest odds allowed.
        word_for_one: The word for a leg that counts nothing, which is read as 1, as is 1 itself.
    """

    def __init__(self, most: int = MAX_ODDS, word_for_one: str = "") -> None:
        self.allowed = odds_allowed(most, word_for_one)
        self._most = most
        self._word_for_one = word_for_one

    def read(self, field: str, value: object) -> Fraction:
        """Exact decimal odds."""
        text = as_text(field, value, self.allowed)
        try:
            return _odds(text, self._most, word_for_one=self._word_for_one)
        except InvalidInput:
            raise InvalidInput(field, value, self.allowed) from None


class ShortText(msgspec.Struct, frozen=True):
    """A short text that its calculator reads on its own."""

    allowed: str

    def read(self, field: str, value: object) -> str:
        """The text as typed."""
        return as_text(field, value, self.allowed, MAX_NAME)


class Choice:
    """One of a few words; case, spaces and hyphens do not matter."""

    def __init__(self, words: Mapping[str, object]) -> None:
        self.allowed = "one of " + ", ".join(words)
        self._values = {_word(word): value for word, value in words.items()}

    def word_for(self, value: object) -> str:
        """The first word that stands for a value."""
        return next(word for word, meant in self._values.items() if meant == value)

    def read(self, field: str, value: object) -> Any:
        """What the word stands for."""
        if isinstance(value, str) and (word := _word(value)) in self._values:
            return self._values[word]
        raise InvalidInput(field, value, self.allowed)


def _word(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


class Many:
    """A list of values; a single value stands for a list of one."""

    def __init__(self, each: Reader, least: int = 1) -> None:
        self.each = each
        self._least = least
        self.allowed = f"a list of {least} to {MAX_ENTRIES}, each {each.allowed}"

    def read(self, field: str, value: object) -> tuple[Any, ...]:
        """Every entry read, in order; an error names the entry's number."""
        entries = value if isinstance(value, list | tuple) else [value]
        if not self._least <= len(entries) <= MAX_ENTRIES:
            raise InvalidInput(
                field,
                f"{len(entries)} entries",
                f"a list of {self._least} to {MAX_ENTRIES} entries",
            )
        return tuple(
            self.each.read(f"{field}[{number}]", entry)
            for number, entry in enumerate(entries, start=1)
        )


class RecordReader:
    """A JSON object, or the same fields in order as ``1.60:1.63:0.02``.

    Args:
        make: Called with the fields by name, in order.
        fields: Reader of each field, in order.
        defaults: Values of the fields that may be left out.
    """

    def __init__(
        self, make: Callable[..., T], fields: Mapping[str, Reader], **defaults: object
    ) -> None:
        self._make = make
        self.fields = fields
        self._defaults = defaults
        optional = {name: f"[{name}]" for name in defaults}
        self.allowed = "an object with " + ", ".join(optional.get(name, name) for name in fields)

    def read(self, field: str, value: object) -> Any:
        """What `make` makes of the fields."""
        if isinstance(value, str):
            value = self._from_text(field, value)
        if not isinstance(value, Mapping):
            raise InvalidInput(field, value, self.allowed)
        for name in value:
            if name not in self.fields:
                raise InvalidInput(f"{field}.{name}", value[name], self.allowed)
        made: dict[str, object] = {}
        for name, reader in self.fields.items():
            if value.get(name) is not None:
                made[name] = reader.read(f"{field}.{name}", value[name])
            elif name in self._defaults:
                made[name] = self._defaults[name]
            else:
                raise InvalidInput(f"{field}.{name}", None, reader.allowed)
        return self._make(**made)

    def _from_text(self, field: str, text: str) -> dict[str, str]:
        parts = [part.strip() for part in text.split(":")]
        if len(parts) > len(self.fields):
            raise InvalidInput(field, text, f"up to {':'.join(self.fields)}")
        return {name: part for name, part in zip(self.fields, parts, strict=False) if part}
