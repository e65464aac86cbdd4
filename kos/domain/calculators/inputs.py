"""Reading the inputs of calculators: text or numbers in, exact and checked values out.

A reader knows what it allows, in words, and refuses everything else by the input's name. The
annotated types at the end are what a calculator's signature is written with; the table of kinds
is read off these signatures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Protocol, TypeVar

from kos.domain.accumulator import Leg
from kos.domain.exposure import MarketBet, Side
from kos.domain.fair_odds import Method
from kos.domain.ladder import BETFAIR, BETFAIR_LINES, Ladder
from kos.domain.odds import MAX_DIGITS, decimal_odds
from kos.errors import InvalidInput

T = TypeVar("T")

MAX_MONEY = 10**9
MAX_ODDS = 10**6
MAX_ENTRIES = 100
MAX_NAME = 80
MAX_BITS = 128
ZERO = Fraction(0)
ONE = Fraction(1)

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_QUOTIENT = re.compile(r"\d+/0*[1-9]\d*", re.ASCII)
CACHED_NUMBERS = 8192
"""Stakes, prices and rates repeat; reading one again then costs a look-up."""


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


@lru_cache(CACHED_NUMBERS)
def _exact(text: str) -> Fraction | None:
    if _NUMBER.fullmatch(text) or _QUOTIENT.fullmatch(text):
        return Fraction(text)
    return None


@lru_cache(CACHED_NUMBERS)
def _odds(text: str) -> Fraction:
    return decimal_odds(text)


class Number:
    """A plain number within bounds: ``10``, ``2.50``, ``1/4``; no exponents, no separators.

    Args:
        allowed: In words.
        low: Lower bound.
        high: Upper bound.
        above: The lower bound itself is refused.
        below: The upper bound itself is refused.
    """

    def __init__(
        self,
        allowed: str,
        low: Fraction | int,
        high: Fraction | int,
        *,
        above: bool = False,
        below: bool = False,
    ) -> None:
        self.allowed = allowed
        self._low = low
        self._high = high
        self._above = above
        self._below = below

    def read(self, field: str, value: object) -> Fraction:
        """The exact number."""
        number = _exact(as_text(field, value, self.allowed))
        if (
            number is None
            or not self._low <= number <= self._high
            or (self._above and number == self._low)
            or (self._below and number == self._high)
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
    """Odds in any spelling, above 1; with `or_one`, also exactly 1 (a leg that counts nothing)."""

    def __init__(self, *, or_one: bool = False) -> None:
        self.allowed = (
            f"odds {'of at least' if or_one else 'above'} 1, up to {MAX_ODDS}: decimal (2.5),"
            " fractional (13/8, evens) or American (+150, -200)"
        )
        self._or_one = or_one

    def read(self, field: str, value: object) -> Fraction:
        """Exact decimal odds."""
        text = as_text(field, value, self.allowed)
        if self._or_one and _exact(text) == 1:
            return ONE
        try:
            odds = _odds(text)
        except InvalidInput:
            raise InvalidInput(field, value, self.allowed) from None
        if odds > MAX_ODDS:
            raise InvalidInput(field, value, self.allowed)
        return odds


class Text:
    """A short text that its calculator reads on its own."""

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed

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


class Record:
    """A JSON object, or the same fields in order as ``1.60:1.63:0.02``.

    Args:
        make: Called with the fields by name.
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
        made = dict(self._defaults)
        for name, reader in self.fields.items():
            if value.get(name) is not None:
                made[name] = reader.read(f"{field}.{name}", value[name])
            elif name not in made:
                raise InvalidInput(f"{field}.{name}", None, f"{reader.allowed} (it is missing)")
        return self._make(**made)

    def _from_text(self, field: str, text: str) -> dict[str, str]:
        parts = [part.strip() for part in text.split(":")]
        if len(parts) > len(self.fields):
            raise InvalidInput(field, text, f"at most {':'.join(self.fields)}")
        return {name: part for name, part in zip(self.fields, parts, strict=False) if part}


class FreeBet(StrEnum):
    """What a back bet is staked with."""

    NONE = "none"
    SNR = "snr"
    SR = "sr"


class FeeBase(StrEnum):
    """What a fee on a back bet is taken from."""

    WINNINGS = "winnings"
    RETURN = "return"


class AccumulatorMode(StrEnum):
    """What an accumulator is staked with, and what is refunded."""

    NORMAL = "normal"
    SNR = "snr"
    SR = "sr"
    REFUND = "refund"
    """A cash bet with a refund when any leg loses."""
    LOCK_IN = "lock_in"
    """A cash bet with a refund when exactly one leg loses."""


class Cover(StrEnum):
    """What kind of bet covers an outcome."""

    BACK = "back"
    EXCHANGE = "exchange"
    LAY = "lay"


class CoverLeg:
    """One bet of a mixed dutch, as quoted."""

    __slots__ = ("commission", "odds", "type")

    def __init__(self, odds: Fraction, type: Cover, commission: Fraction) -> None:  # noqa: A002 - the input's name
        self.odds = odds
        self.type = type
        self.commission = commission


def words(enum: type[StrEnum], **more: object) -> Choice:
    """A choice of an enumeration's members, with other spellings by keyword."""
    return Choice({member.value: member for member in enum} | more)


_money = Number("pounds above 0, up to 1000000000", 0, MAX_MONEY, above=True)
_amount = Number("pounds, 0 to 1000000000", 0, MAX_MONEY)
_balance = Number("pounds, negative or not, up to 1000000000", -MAX_MONEY, MAX_MONEY)
_rate = Number("a fraction of one, 0 up to but not 1 (0.02 is 2%)", 0, 1, below=True)
_retention = Number("cash per pound of bonus, 0 to 1", 0, 1)
_rating = Number("what is left per pound staked, 0 to 2", 0, 2)
_probability = Number("a probability, 0 to 1", 0, 1)
_chance = Number("a probability above 0 and below 1", 0, 1, above=True, below=True)
_share = Number("a fraction above 0, up to 1 (1/4, 0.25)", 0, 1, above=True)
_odds_reader = OddsReader()
_leg_odds_reader = OddsReader(or_one=True)
_name = Text("a name")

Money = Annotated[Fraction, _money]
Amount = Annotated[Fraction, _amount]
Balance = Annotated[Fraction, _balance]
Rate = Annotated[Fraction, _rate]
Retention = Annotated[Fraction, _retention]
Rating = Annotated[Fraction, _rating]
Probability = Annotated[Fraction, _probability]
Share = Annotated[Fraction, _share]
Odds = Annotated[Fraction, _odds_reader]
Price = Annotated[Fraction, Number("a price from 1.01 to 1000", Fraction(101, 100), 1000)]
Bias = Annotated[Fraction, Number("-1 (underlay) over 0 (balanced) to 1 (overlay)", -1, 1)]
Multiple = Annotated[Fraction, Number("a multiple, 0 to 1000", 0, 1000)]
Ticks = Annotated[int, Whole(-100_000, 100_000)]
Count = Annotated[int, Whole(1, 1000)]
Words = Annotated[str, _name]

YesNo = Annotated[
    bool, Choice({"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False})
]
AnyBet = Annotated[FreeBet, words(FreeBet)]
CashBet = Annotated[FreeBet, Choice({"none": FreeBet.NONE})]
SnrBet = Annotated[FreeBet, Choice({"snr": FreeBet.SNR})]
SrBet = Annotated[FreeBet, Choice({"sr": FreeBet.SR})]
FeeModel = Annotated[
    str, Choice({"net_win": "net_win", "smaller_of_stake_and_winnings": "smaller"})
]
Fees = Annotated[FeeBase, words(FeeBase, total_return=FeeBase.RETURN)]
Mode = Annotated[
    AccumulatorMode,
    words(AccumulatorMode, none=AccumulatorMode.NORMAL, cash=AccumulatorMode.NORMAL),
]
StakeOrSnr = Annotated[FreeBet, Choice({"none": FreeBet.NONE, "snr": FreeBet.SNR})]
BackOrLay = Annotated[
    str, Choice({"back": "back", "lay": "lay", "snr": "snr", "free_bet_snr": "snr"})
]
LadderName = Annotated[
    Ladder,
    Choice(
        {
            "betfair": BETFAIR,
            "betfair_lines": BETFAIR_LINES,
            "Betfair odds markets 1.01..1000": BETFAIR,
        }
    ),
]
Spelling = Annotated[str, Text("odds in this spelling, such as 13/8 or -150")]
RoundingMode = Annotated[bool, Choice({"calculator": False, "conservative": True})]
MarginMethod = Annotated[Method, words(Method, proportional=Method.MULTIPLICATIVE)]
BetSide = Annotated[Side, words(Side)]

OddsList = Annotated[tuple[Fraction, ...], Many(_odds_reader)]
OutcomeOdds = Annotated[tuple[Fraction, ...], Many(_odds_reader, 2)]
LegOdds = Annotated[tuple[Fraction, ...], Many(_leg_odds_reader)]
Rates = Annotated[tuple[Fraction, ...], Many(_rate)]
Deductions = Annotated[tuple[Fraction, ...], Many(_rate)]
Chances = Annotated[tuple[Fraction, ...], Many(_chance)]
Amounts = Annotated[tuple[Fraction, ...], Many(_amount, 0)]
Names = Annotated[tuple[str, ...], Many(_name, 2)]

Legs = Annotated[
    tuple[Leg, ...],
    Many(
        Record(
            Leg,
            {"back_odds": _leg_odds_reader, "lay_odds": _odds_reader, "commission": _rate},
            commission=ZERO,
        )
    ),
]


def _matched(
    stake: Fraction, odds: Fraction, commission: Fraction | None
) -> tuple[Fraction, Fraction, Fraction | None]:
    return stake, odds, commission


Matched = Annotated[
    tuple[tuple[Fraction, Fraction, Fraction | None], ...],
    Many(
        Record(
            _matched,
            {"stake": _amount, "odds": _odds_reader, "commission": _rate},
            commission=None,
        ),
        0,
    ),
]


def _level(odds: Fraction, available: Fraction) -> tuple[Fraction, Fraction]:
    return odds, available


Levels = Annotated[
    tuple[tuple[Fraction, Fraction], ...],
    Many(Record(_level, {"odds": _odds_reader, "available": _amount})),
]


def _lay_on(selection: str, odds: Fraction, stake: Fraction) -> MarketBet:
    return MarketBet(Side.LAY, selection, odds, stake)


def _back_on(selection: str, odds: Fraction, stake: Fraction) -> MarketBet:
    return MarketBet(Side.BACK, selection, odds, stake)


_on_selection: dict[str, Reader] = {"selection": _name, "odds": _odds_reader, "stake": _money}
Lays = Annotated[tuple[MarketBet, ...], Many(Record(_lay_on, _on_selection), 0)]
Backs = Annotated[tuple[MarketBet, ...], Many(Record(_back_on, _on_selection), 0)]
Bets = Annotated[
    tuple[MarketBet, ...],
    Many(
        Record(
            MarketBet,
            {"side": words(Side), "odds": _odds_reader, "stake": _money, "selection": _name},
            selection="",
        )
    ),
]
CoverLegs = Annotated[
    tuple[CoverLeg, ...],
    Many(
        Record(
            CoverLeg,
            {"odds": _odds_reader, "type": words(Cover), "commission": _rate},
            type=Cover.BACK,
            commission=ZERO,
        )
    ),
]


def _bonus(face: Fraction, retention: Fraction) -> Fraction:
    return face * retention


Bonuses = Annotated[
    tuple[Fraction, ...], Many(Record(_bonus, {"face": _money, "retention": _retention}), 0)
]


def _value_bet(odds: Fraction, probability: Fraction) -> tuple[Fraction, Fraction]:
    return odds, probability


ValueBets = Annotated[
    tuple[tuple[Fraction, Fraction], ...],
    Many(Record(_value_bet, {"odds": _odds_reader, "probability": _probability})),
]


def needed(field: str, value: T | None, why: str) -> T:
    """An optional input that the others given make necessary.

    Raises:
        InvalidInput: It was not given.
    """
    if value is None:
        raise InvalidInput(field, None, f"a value: {why}")
    return value


def spread(field: str, values: tuple[T, ...], length: int) -> tuple[T, ...]:
    """One value for all, or one each.

    Raises:
        InvalidInput: Another number of values.
    """
    if len(values) == 1:
        return values * length
    if len(values) != length:
        raise InvalidInput(field, f"{len(values)} values", f"1 or {length} values")
    return values
