"""Facts as text: their fields, and the answers that a confirmation shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from kos.domain.books.double_entry import pounds
from kos.domain.market.places import place_name
from kos.domain.offers.forms import FACT_FORMS, FactForm
from kos.domain.offers.typed_facts import FieldKind, StructField, describe
from kos.views.names import BONUS_NAMES, readable
from kos.views.opportunities import brief_percent, uk_day


def listed_facts(names: Iterable[str]) -> str:
    """One line per fact, with the words it takes; those in brackets may be left out."""
    return "\n".join(_usage(FACT_FORMS[name]) for name in names)


def described_fact(form: FactForm) -> str:
    """A fact with each of its fields: name, label and what may be typed."""
    rows = field_rows(form)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else []
    lines = [f"  {name:<{widths[0]}}  {label:<{widths[1]}}  {takes}" for name, label, takes in rows]
    return "\n".join((_usage(form), f"{form.label}. {form.meaning}", *lines))


def field_rows(form: FactForm) -> list[tuple[str, str, str]]:
    """The fields of a fact: name, in brackets if it may be left out; label; what may be typed."""
    fields = [(entry.word, entry.field) for entry in form.fields]
    parts = [(entry.path, entry.field) for part in form.parts for entry in part.fields]
    return [
        (word if is_needed and field.is_required else f"[{word}]", field.label, field.allowed)
        for some, is_needed in ((fields, True), (parts, False))
        for word, field in some
    ]


def _usage(form: FactForm) -> str:
    return f"{form.name}: {describe(form.kind)}"


def answer_shown(field: StructField, text: str, now: datetime) -> str:
    """An answer for people."""
    show = _SHOWN.get(field.kind)
    return text if show is None else show(field.read(text, now), now)


_SHOWN: Mapping[FieldKind, Callable[[Any, datetime], str]] = {
    FieldKind.MONEY: lambda pence, _: pounds(pence),
    FieldKind.RATE: lambda rate, _: brief_percent(rate),
    FieldKind.MOMENT: lambda moment, now: f"{uk_day(moment, now)} (UK time)",
    FieldKind.PLACE: lambda key, _: place_name(key),
    FieldKind.TICK: lambda is_set, _: "yes" if is_set else "no",
    FieldKind.CHOICE: lambda choice, _: BONUS_NAMES.get(choice, readable(choice)),
}
