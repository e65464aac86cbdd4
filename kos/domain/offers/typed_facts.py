"""Facts from typed words: ``stake=10 odds=6/4 bet=A1`` beside the name of a fact.

The one reading of a fact's structs: which fields it has, how each is typed, which parts it holds.
The terminal, the dialogue of the desk and the page's form all come through here. A word of a part
(the back bet, the lay) may stand by its own name where it is clear; several parts are
``lays.0.stake=5 lays.1.stake=4``.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from kos.domain import money
from kos.domain.books.calendar import MOMENTS, read_moment
from kos.domain.books.double_entry import MAX_PENCE, Pence
from kos.domain.market.commission import read_rate
from kos.domain.market.odds import as_decimal, read_odds
from kos.domain.offers.catalogue import ANY_ODDS, Offer
from kos.domain.offers.facts import CashAdvanced, Fact, Moment, Settlement
from kos.errors import InvalidInput

_PENCE_META = get_args(Pence)[1]
_MISSING = re.compile(r"missing required field `(\w+)`")
_BY_LEDGER = frozenset({"terms", "postings"})
"""Filled in by the ledger, never typed."""
_SIGNED = frozenset({"difference", "profit", "expected_win", "expected_lose"})
_STAKES = frozenset({"stake", "face", "liability"})
_ODDS = ("back", "odds")
"""The odds of a bet at a bookmaker, kept as they were typed as well."""
_PAST = frozenset({"placed_at", "matched_at"})
"""Moments that have happened when a fact is recorded."""
_YES = frozenset({"true", "yes", "y", "on", "1"})
_NO = frozenset({"false", "no", "n", "off", "0"})


class FieldKind(StrEnum):
    """How a field is typed."""

    MONEY = "money"
    ODDS = "odds"
    RATE = "rate"
    MOMENT = "moment"
    TICK = "tick"
    CHOICE = "choice"
    NUMBER = "number"
    PLACE = "place"
    """The key of a bookmaker or an exchange."""
    BET = "bet"
    """The reference of a bet."""
    TOKEN = "token"  # noqa: S105 - a free bet
    TEXT = "text"


_KINDS: Mapping[object, FieldKind] = {
    Moment: FieldKind.MOMENT,
    bool: FieldKind.TICK,
    int: FieldKind.NUMBER,
}
_KIND_OF_TEXT: Mapping[str, FieldKind] = {
    **dict.fromkeys(("exchange", "venue", "bookmaker"), FieldKind.PLACE),
    **dict.fromkeys(("bet", "covers"), FieldKind.BET),
    "token": FieldKind.TOKEN,
}
_LABELS = {
    "bet": "Bet reference",
    "covers": "Hedges bet",
    "credit_due_by": "Credit due by",
    "difference": "Difference (minus if the account shows less)",
    "expected_lose": "Expected result if it loses",
    "expected_win": "Expected result if it wins",
    "expires_at": "Expires",
    "face": "Free bet value",
    "is_divisible": "Can be split",
    "is_instant": "Already received",
    "is_single_winner": "One winner",
    "kickoff": "Start time",
    "matched_at": "Matched at",
    "met_by": "Triggered by",
    "min_odds": "Minimum odds",
    "more_due": "More free bets to come",
    "odds_shown": "Odds as printed",
    "part": "Part-settled stake (leave blank if all)",
    "placed_at": "Placed at",
    "released": "Liability released (leave blank if all)",
    "token": "Free bet",
}
_KIND_HELP: Mapping[FieldKind, str] = {
    FieldKind.MONEY: "pounds and pence, e.g. 9.92",
    FieldKind.ODDS: "odds in any format, e.g. 2.50, 6/4 or evens",
    FieldKind.RATE: "a rate, e.g. 2%",
    FieldKind.MOMENT: f"a time such as 7d, {MOMENTS}",
    FieldKind.TICK: "yes or no",
    FieldKind.NUMBER: "a whole number",
    FieldKind.PLACE: "the key of a bookmaker or exchange, e.g. williamhill",
    FieldKind.BET: "the reference of a bet",
    FieldKind.TOKEN: "the name of a free bet",
    FieldKind.TEXT: "a few words",
}


@dataclass(frozen=True, kw_only=True)
class StructField:
    """One field of a fact or of one of its parts."""

    name: str
    kind: FieldKind
    is_required: bool
    is_on: bool = False
    """A tick that is set unless it is cleared."""
    least: Decimal | None = None
    """Of an amount, in pounds; None for one with a sign."""
    choices: tuple[str, ...] = ()
    part: type[msgspec.Struct] | None = None
    """The struct that it holds, if it is a part."""
    is_many: bool = False
    """The part may be there several times."""

    def read(self, text: str, at: datetime) -> object:
        """The value of a typed text.

        Args:
            text: As typed.
            at: When the fact happened: what ``+7d`` counts from.

        Raises:
            InvalidInput: It is not a value of this field.
        """
        typed = text.strip()
        if not typed:
            raise InvalidInput(self.name, "", self.allowed)
        reader = _READERS.get(self.kind)
        return typed if reader is None else reader(self, typed, at)

    @property
    def label(self) -> str:
        """Its name in words."""
        return _LABELS.get(self.name, self.name.replace("_", " ").capitalize())

    @property
    def allowed(self) -> str:
        """What may be typed."""
        return f"one of {', '.join(self.choices)}" if self.choices else _KIND_HELP[self.kind]


def _pence(field: StructField, typed: str, _: datetime) -> int:
    if field.least is None:
        return money.read_pence(field.name, typed)
    most = money.MOST_POUNDS if field.least else money.from_pence(MAX_PENCE)
    return money.to_pence(money.read_pounds(field.name, typed, field.least, most))


def _is_yes(field: StructField, typed: str, _: datetime) -> bool:
    if typed.casefold() not in _YES | _NO:
        raise InvalidInput(field.name, typed, field.allowed)
    return typed.casefold() in _YES


def _choice(field: StructField, typed: str, _: datetime) -> str:
    wanted = typed.casefold().replace(" ", "_").replace("-", "_")
    keys = {choice.replace("-", "_"): choice for choice in field.choices}
    near = [choice for key, choice in keys.items() if key.startswith(wanted)]
    if wanted in keys or len(near) == 1:
        return keys.get(wanted, near[0])
    raise InvalidInput(field.name, typed, field.allowed)


_READERS: Mapping[FieldKind, Callable[[StructField, str, datetime], object]] = {
    FieldKind.MONEY: _pence,
    FieldKind.ODDS: lambda field, typed, _: as_decimal(
        read_odds(field.name, typed, word_for_one=ANY_ODDS if field.name == "min_odds" else "")
    ),
    FieldKind.RATE: lambda field, typed, _: read_rate(field.name, typed),
    FieldKind.MOMENT: lambda field, typed, at: read_moment(
        field.name, typed, at, is_past=field.name in _PAST
    ),
    FieldKind.TICK: _is_yes,
    FieldKind.CHOICE: _choice,
    FieldKind.NUMBER: lambda field, typed, _: money.read_count(field.name, typed, most=MAX_PENCE),
    FieldKind.PLACE: lambda _field, typed, _at: typed.casefold(),
}
"""How each kind is read; a kind that is not here is text."""


@cache
def fields_of(kind: type[msgspec.Struct]) -> Mapping[str, StructField]:
    """The fields of a fact, or of a part, that a person may type, by their names."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {}
    for field in msgspec.structs.fields(kind):
        if field.name in _BY_LEDGER:
            continue
        part, is_many = _part(hints[field.name])
        how, choices = _kind(hints[field.name], field.name)
        fields[field.name] = StructField(
            name=field.name,
            kind=how,
            is_required=field.required,
            is_on=field.default is True,
            least=_least(kind, field.name),
            choices=choices,
            part=part,
            is_many=is_many,
        )
    return fields


def spoken(facts: Mapping[str, type[Fact]], name: str, words: Iterable[str], at: datetime) -> Fact:
    """The fact of that name from its words.

    Args:
        facts: The facts that may be named.
        name: One of them.
        words: ``field=value`` each.
        at: When it happened: what ``+7d`` counts from.

    Raises:
        InvalidInput: The fact or a word is unknown, lacks a value or has a wrong one.
    """
    kind = facts.get(name)
    if kind is None or kind is CashAdvanced:
        raise InvalidInput("fact", name, f"one of {', '.join(spoken_names(facts))}")
    typed: dict[str, Any] = {}
    odds_shown = ""
    for word in words:
        path, equals, value = word.partition("=")
        if not equals or not path:
            raise InvalidInput(name, word, "field=value")
        whole, field = resolve(kind, path, name)
        read = field.read(value, at)
        part = typed
        for parent in whole[:-1]:
            part = part.setdefault(parent, {})
        if whole[-1] in part:
            raise InvalidInput("word", word, "each word only once")
        part[whole[-1]] = read
        if whole == _ODDS:
            odds_shown = value.strip()
    if odds_shown:
        typed["back"].setdefault("odds_shown", odds_shown)
    try:
        return msgspec.convert(_nested(kind, typed), kind)
    except msgspec.ValidationError as error:
        missing = _MISSING.search(str(error))
        what, value = (missing[1], "") if missing else (name, str(error))
        raise InvalidInput(what, value, f"{name}: {describe(kind)}") from error


def spoken_names(facts: Mapping[str, type[Fact]]) -> tuple[str, ...]:
    """The names of the facts that a person may record."""
    return tuple(name for name, kind in facts.items() if kind is not CashAdvanced)


def describe(kind: type[msgspec.Struct]) -> str:
    """The words of a fact, those it needs first: ``bet stake odds [kickoff] lays.0.bet``."""
    fields = fields_of(kind).values()
    needed = [
        describe(field.part) if field.part else field.name for field in fields if field.is_required
    ]
    free = [
        f"[{field.name}.0.(...)]" if field.part else f"[{field.name}]"
        for field in fields
        if not field.is_required
    ]
    return " ".join((*needed, *free))


def resolve(
    kind: type[msgspec.Struct], word: str, fact: str
) -> tuple[tuple[str, ...], StructField]:
    """The full path of a typed word, and its field.

    A part's word may come without the part's name, and without the number of the first.

    Raises:
        InvalidInput: The fact has no such field.
    """
    fields = fields_of(kind)
    head, *rest = word.split(".")
    if head not in fields and not rest:
        parts = (field for field in fields.values() if field.part and head in fields_of(field.part))
        head, rest = next(((field.name, [head]) for field in parts), (head, rest))
    field = fields.get(head)
    number = ["0"] if field is not None and field.is_many else []
    if number and rest and rest[0].isdecimal():
        number, rest = rest[:1], rest[1:]
    if field is None or bool(rest) != bool(field.part):
        raise InvalidInput(fact, word, describe(kind))
    if field.part is None:
        return (head,), field
    inner, inner_field = resolve(field.part, ".".join(rest), fact)
    return (head, *number, *inner), inner_field


def _least(kind: type[msgspec.Struct], name: str) -> Decimal | None:
    if name in _SIGNED or (kind is Settlement and name == "amount"):
        return None
    return money.PENNY if name in _STAKES else money.NOTHING


def _kind(hint: Any, name: str) -> tuple[FieldKind, tuple[str, ...]]:
    kind = get_args(hint)[0] if get_origin(hint) in {Union, types.UnionType} else hint
    if get_origin(kind) is Annotated and _PENCE_META in get_args(kind):
        return FieldKind.MONEY, ()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return FieldKind.CHOICE, tuple(choice.value for choice in kind)
    if kind is Decimal:
        return FieldKind.ODDS if name.endswith("odds") else FieldKind.RATE, ()
    return _KINDS.get(kind) or _KIND_OF_TEXT.get(name, FieldKind.TEXT), ()


def _part(hint: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The struct that a field holds, and whether it holds several of them."""
    if get_origin(hint) is tuple:
        part, _ = _part(get_args(hint)[0])
        return part, part is not None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint is not Offer:
        return hint, False
    return None, False


def _nested(kind: type[msgspec.Struct], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the parts that can be several as lists, in the order of their numbers."""
    several = {name for name, field in fields_of(kind).items() if field.is_many}
    return {
        name: [value[n] for n in sorted(value, key=int)] if name in several else value
        for name, value in typed.items()
    }
