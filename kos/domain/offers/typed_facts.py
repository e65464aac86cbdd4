"""Facts from typed words: ``stake=10 odds=6/4 bet=A1`` beside the name of a fact.

Money is typed in pounds, odds in any spelling, rates as ``2%`` or ``0.02``, and moments in UK time
(``thu 18:15``, ``3 dec 12:30``) or counted from the moment of the fact (``7d``, ``+48h``). A word of a part (the back bet, the lay) may stand
by its own name where it is clear; several parts are ``lays.0.stake=5 lays.1.stake=4``.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from kos.domain.books.calendar import read_moment
from kos.domain.books.double_entry import Pence
from kos.domain.market.commission import read_rate
from kos.domain.market.odds import as_decimal, read_odds
from kos.domain.money import read_pence
from kos.domain.offers.catalogue import ANY_ODDS, Offer
from kos.domain.offers.facts import Back, CashAdvanced, Fact, Moment
from kos.errors import InvalidInput

_PAST = frozenset({"placed_at", "matched_at"})
"""Moments that have happened when a fact is recorded."""
_PENCE_META = get_args(Pence)[1]
_HIDDEN = frozenset({"terms", "postings"})
"""Filled in by the ledger, never typed."""


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
    said: dict[str, Any] = {}
    for word in words:
        path, equals, value = word.partition("=")
        if not equals or not path:
            raise InvalidInput(name, word, "field=value")
        _place(said, _path(kind, path, name), value, word)
    try:
        return msgspec.convert(_typed(kind, said, at), kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(name, error, f"{name}: {describe(kind)}") from error


def spoken_names(facts: Mapping[str, type[Fact]]) -> tuple[str, ...]:
    """The names of the facts that a person may say."""
    return tuple(name for name, kind in facts.items() if kind is not CashAdvanced)


def describe(kind: type[Any]) -> str:
    """The words of a fact, those it needs first: ``bet stake odds [kickoff] lays.0.bet``."""
    needed: list[str] = []
    free: list[str] = []
    for field in msgspec.structs.fields(kind):
        if field.name in _HIDDEN:
            continue
        part, _ = _part(_hints(kind)[field.name])
        if part is None:
            (needed if field.required else free).append(field.name)
            continue
        inner = describe(part)
        if field.required:
            needed.append(inner)
        else:
            free.append(f"{field.name}.0.(...)")
    return " ".join((*needed, *(f"[{name}]" for name in free)))


def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _part(hint: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The struct that a field holds, and whether it holds several of them."""
    if get_origin(hint) is tuple:
        part, _ = _part(get_args(hint)[0])
        return part, part is not None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint is not Offer:
        return hint, False
    return None, False


def _path(kind: type[Any], path: str, fact: str) -> list[str]:
    """The full path of a typed word; a part's word may come without the part's name."""
    head, *rest = path.split(".")
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    if head in fields and head not in _HIDDEN:
        part, is_many = _part(_hints(kind)[head])
        if not rest or part is None:
            return [head, *rest]
        if is_many and rest[0].isdecimal():
            return [head, rest[0], *rest[1:]]
        return [head, *(["0"] if is_many else []), *rest]
    if not rest:
        for name in fields:
            part, is_many = _part(_hints(kind)[name])
            if part is not None and head in part.__struct_fields__:
                return [name, *(["0"] if is_many else []), head]
    raise InvalidInput(fact, path, describe(kind))


def _place(said: dict[str, Any], path: list[str], value: str, word: str) -> None:
    *parents, last = path
    here = said
    for name in parents:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise InvalidInput("word", word, "each word only once")
    if last in here:
        raise InvalidInput("word", word, "each word only once")
    here[last] = value


def _typed(kind: type[Any], said: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    hints = _hints(kind)
    typed: dict[str, Any] = {}
    for name, value in said.items():
        if name not in hints:
            raise InvalidInput("word", name, describe(kind))
        part, is_many = _part(hints[name])
        if part is not None and is_many and isinstance(value, dict):
            ordered = sorted(value.items(), key=lambda item: int(item[0]))
            typed[name] = [_typed(part, inner, at) for _, inner in ordered]
        elif part is not None and isinstance(value, dict):
            typed[name] = _typed(part, value, at)
        else:
            typed[name] = _value(hints[name], str(value), name, at)
    if kind is Back and "odds" in said:
        typed.setdefault("odds_shown", said["odds"])
    return typed


def _value(hint: Any, text: str, name: str, at: datetime) -> object:
    kinds = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    for kind in kinds:
        if get_origin(kind) is Annotated and _PENCE_META in get_args(kind):
            return read_pence(name, text)
        if kind is Decimal and name.endswith("odds"):
            word_for_one = ANY_ODDS if name == "min_odds" else ""
            return str(as_decimal(read_odds(name, text, word_for_one=word_for_one)))
        if kind is Decimal and name == "commission":
            return str(read_rate(name, text))
        if is_moment(kind):
            return read_moment(name, text, at, is_past=name in _PAST)
    return text


def is_moment(hint: Any) -> bool:
    """Whether a field of this type is typed as a date and time."""
    kinds = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    return any(kind in {datetime, Moment} for kind in kinds)
