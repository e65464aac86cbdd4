"""Facts as forms: every fact that can be recorded has a form, made from its own fields.

The fields have the names of the words of ``kos offers record`` (``back.stake``), so that a form
becomes the same words, read by the same reader and checked by the same rules.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from kos.domain.books.calendar import LONDON
from kos.domain.books.double_entry import Pence
from kos.domain.offers.facts import Fact, Lay, Planned, Settlement
from kos.domain.offers.typed_facts import spoken
from kos.errors import InvalidInput
from kos.views.names import fact_name

FIELD = "f."
"""The prefix of each field of a fact."""

_HIDDEN = frozenset({"terms", "postings", "odds_shown", "event_id", "hold"})
_HUNDRED = 100
_PENCE_META = get_args(Pence)[1]
_DECIDES: Mapping[type[msgspec.Struct], str] = {
    Settlement: "result",
    Lay: "stake",
    Planned: "liability",
}
"""The field of an optional part that decides: while it is empty, the part is left out."""
_LABELS = {
    "bet": "Bet reference",
    "met_by": "Triggered by",
    "is_instant": "Already received",
    "is_single_winner": "One winner",
    "token": "Free bet",
    "instance": "Offer",
    "is_divisible": "Can be split",
    "more_due": "More free bets to come",
    "face": "Free bet value",
    "part": "Part-settled stake (leave blank if all)",
    "covers": "Hedges bet",
    "expires_at": "Expires (UK time)",
    "kickoff": "Start time (UK)",
    "placed_at": "Placed at (UK time)",
    "matched_at": "Matched at (UK time)",
    "credit_due_by": "Credit due by (UK time)",
}


class FieldKind(StrEnum):
    """How a field is typed."""

    MONEY = "money"
    ODDS = "odds"
    SHARE = "share"
    """Typed as a percentage."""
    MOMENT = "moment"
    TICK = "tick"
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form."""

    name: str
    label: str
    kind: FieldKind
    value: str = ""
    is_needed: bool = False
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


class OptionalPart(msgspec.Struct, frozen=True, kw_only=True):
    """An optional part, such as a lay that was matched immediately."""

    legend: str
    fields: tuple[Field, ...]


class FactForm(msgspec.Struct, frozen=True, kw_only=True):
    """One fact as a form."""

    fact: str
    title: str
    meaning: str
    needed: tuple[Field, ...]
    further: tuple[Field, ...]
    parts: tuple[OptionalPart, ...]


def fact_form(
    name: str,
    kind: type[Fact],
    values: Mapping[str, str],
    suggestions: Mapping[str, tuple[str, ...]],
    open_bets: tuple[str, ...] = (),
) -> FactForm:
    """The form of a fact.

    Args:
        name: The name of the fact.
        kind: Its type.
        values: Field name, whole or its last part, to its value.
        suggestions: Last part of a field's name to suggested values.
        open_bets: Bets that a settlement can be about: each gets its part of the form.
    """
    fields = list(_fields(kind, "", is_needed=True))
    filled = [
        msgspec.structs.replace(
            each,
            value=values.get(each.name, values.get(_last(each.name), each.value)),
            suggestions=suggestions.get(_last(each.name), ()),
        )
        for each in fields
    ]
    return FactForm(
        fact=name,
        title=fact_name(name),
        meaning=(kind.__doc__ or "").partition("\n")[0],
        needed=tuple(each for each in filled if each.is_needed),
        further=tuple(each for each in filled if not each.is_needed),
        parts=tuple(_parts(kind, values, suggestions, open_bets)),
    )


def typed_fact(
    facts: Mapping[str, type[Fact]], name: str, form: Mapping[str, str], at: datetime
) -> Fact:
    """The fact of a filled-in form.

    Raises:
        InvalidInput: A value is missing or wrong.
    """
    kind = facts.get(name)
    if kind is None:
        raise InvalidInput("fact", name, "one of the facts listed")
    typed = {
        field.removeprefix(FIELD): text.strip()
        for field, text in form.items()
        if field.startswith(FIELD)
    }
    return spoken(facts, name, list(_words(kind, typed)), at)


def moment_typed(text: str, field: str) -> datetime:
    """A moment from a browser's date and time field, in UK time.

    Raises:
        InvalidInput: It is not a date and time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, text, "a date and time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)


def moment_shown(moment: datetime) -> str:
    """A moment for a browser's date and time field."""
    return f"{moment.astimezone(LONDON):%Y-%m-%dT%H:%M}"


def _fields(kind: type[msgspec.Struct], path: str, *, is_needed: bool) -> Iterator[Field]:
    """The plain fields of a struct and of its required parts."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        part, is_many = _part(hint)
        is_hidden = field.name in _HIDDEN or part is not None
        if is_hidden and not field.required:
            continue
        name = f"{path}{field.name}"
        if part is not None:
            yield from _fields(part, f"{name}.0." if is_many else f"{name}.", is_needed=is_needed)
            continue
        how, choices = _kind(hint, field.name)
        yield Field(
            name=name,
            label=_LABELS.get(field.name, field.name.replace("_", " ").capitalize()),
            kind=how,
            value="true" if field.default is True else "",
            is_needed=is_needed and field.required and how is not FieldKind.TICK,
            choices=choices,
        )


def _parts(
    kind: type[msgspec.Struct],
    values: Mapping[str, str],
    suggestions: Mapping[str, tuple[str, ...]],
    open_bets: tuple[str, ...],
) -> Iterator[OptionalPart]:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        part, is_many = _part(hints[field.name])
        if part is None or part not in _DECIDES or field.required or not is_many:
            continue
        bets: tuple[str, ...] = open_bets if part is Settlement else ("",)
        for number, bet in enumerate(bets):
            path = f"{field.name}.{number}."
            own = {f"{path}bet": bet} if bet else {}
            yield OptionalPart(
                legend=_legend(part, bet),
                fields=tuple(
                    msgspec.structs.replace(
                        each,
                        value=own.get(each.name, values.get(each.name, each.value)),
                        suggestions=suggestions.get(_last(each.name), ()),
                    )
                    for each in _fields(part, path, is_needed=False)
                ),
            )


def _legend(part: type[msgspec.Struct], bet: str) -> str:
    if part is Settlement:
        return f"Settlement of {bet}"
    return "Lay (if matched)" if part is Lay else "Liability to reserve for the lay"


_KINDS: Mapping[type, FieldKind] = {
    bool: FieldKind.TICK,
    datetime: FieldKind.MOMENT,
    int: FieldKind.NUMBER,
    Decimal: FieldKind.ODDS,
}


def _kind(hint: Any, name: str) -> tuple[FieldKind, tuple[str, ...]]:
    kinds = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    kind = kinds[0]
    if get_origin(kind) is Annotated:
        if _PENCE_META in get_args(kind):
            return FieldKind.MONEY, ()
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return FieldKind.CHOICE, tuple(each.value for each in kind)
    if kind is Decimal and name == "commission":
        return FieldKind.SHARE, ()
    return _KINDS.get(kind, FieldKind.TEXT), ()


def _part(hint: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    if get_origin(hint) is tuple:
        part, _ = _part(get_args(hint)[0])
        return part, part is not None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint, False
    return None, False


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _words(kind: type[msgspec.Struct], typed: Mapping[str, str]) -> Iterator[str]:
    """The typed fields as words; optional parts only if filled in."""
    names = {each.name: each for each in _fields(kind, "", is_needed=True)}
    yield from _said(names.values(), typed)
    hints = get_type_hints(kind, include_extras=True)
    said = 0
    for field in msgspec.structs.fields(kind):
        part, is_many = _part(hints[field.name])
        if part is None or part not in _DECIDES or field.required or not is_many:
            continue
        said = 0
        for number in _numbers(field.name, typed):
            path = f"{field.name}.{number}."
            if not typed.get(path + _DECIDES[part]):
                continue
            # A part left out leaves no gap in the numbers.
            for word in _said(_fields(part, path, is_needed=False), typed):
                yield f"{field.name}.{said}.{word.removeprefix(path)}"
            said += 1


def _numbers(name: str, typed: Mapping[str, str]) -> list[int]:
    found = {path.split(".")[1] for path in typed if path.startswith(f"{name}.")}
    return sorted(int(each) for each in found if each.isdecimal() and each.isascii())


def _said(fields: Iterable[Field], typed: Mapping[str, str]) -> Iterator[str]:
    for field in fields:
        text = typed.get(field.name, "")
        match field.kind:
            case FieldKind.TICK:
                yield f"{field.name}={'true' if text else 'false'}"
            case _ if not text:
                continue
            case FieldKind.MOMENT:
                yield f"{field.name}={moment_typed(text, field.label).isoformat()}"
            case FieldKind.SHARE:
                yield f"{field.name}={_share(text, field.label)}"
            case _:
                yield f"{field.name}={text}"


def _share(text: str, label: str) -> str:
    try:
        share = Decimal(text.removesuffix("%").strip()) / _HUNDRED
    except InvalidOperation:
        raise InvalidInput(label, text, "a percentage, e.g. 2") from None
    return f"{share:f}"
