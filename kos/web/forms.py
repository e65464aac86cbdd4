"""The page's form of a fact: its description with the values that are known, and the way back.

The fields have the full names of the words of ``kos offers record`` (``back.stake``), so that a
form becomes the same words, read by the same reader and checked by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kos.domain.books.calendar import LONDON, read_moment
from kos.domain.offers.facts import Fact
from kos.domain.offers.forms import FACT_FORMS, FactForm, FieldForm, PartForm, is_shown
from kos.domain.offers.suggestions import LEFT_OUT, FormContext
from kos.domain.offers.typed_facts import FieldKind, spoken
from kos.errors import InvalidInput

FIELD = "f."
"""The prefix of each field of a fact."""


@dataclass(frozen=True, kw_only=True)
class PageField:
    """One field of a page's form."""

    form: FieldForm
    value: str
    is_needed: bool
    suggestions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PagePart:
    """An optional part of a page's form, such as a lay that was matched immediately."""

    legend: str
    fields: tuple[PageField, ...]


@dataclass(frozen=True, kw_only=True)
class PageForm:
    """One fact as a form on the page."""

    fact: FactForm
    needed: tuple[PageField, ...]
    further: tuple[PageField, ...]
    parts: tuple[PagePart, ...]


def page_form(
    form: FactForm, context: FormContext, typed: Mapping[str, str], now: datetime
) -> PageForm:
    """The form of a fact, filled in as far as known.

    Args:
        form: The description of the fact.
        context: The state of its offer.
        typed: Full field name to what was typed before, where the form was refused.
        now: What a suggestion such as ``+7d`` counts from.
    """
    fields = tuple(_filled(form.fields, context, typed, now))
    return PageForm(
        fact=form,
        needed=tuple(field for field in fields if field.is_needed),
        further=tuple(field for field in fields if not field.is_needed),
        parts=tuple(part for entry in form.parts for part in _parts(entry, context, typed, now)),
    )


def page_forms(
    forms: Iterable[FactForm],
    context: FormContext,
    opened: str,
    typed: Mapping[str, str],
    now: datetime,
) -> list[PageForm]:
    """Forms of facts. The one that was refused keeps what was typed."""
    return [page_form(form, context, typed if form.name == opened else {}, now) for form in forms]


def typed_fact(
    facts: Mapping[str, type[Fact]], name: str, form: Mapping[str, str], at: datetime
) -> Fact:
    """The fact of a filled-in form.

    Raises:
        InvalidInput: A value is missing or wrong.
    """
    if name not in facts:
        raise InvalidInput("fact", name, "one of the facts listed")
    typed = {
        field.removeprefix(FIELD): text.strip()
        for field, text in form.items()
        if field.startswith(FIELD)
    }
    return spoken(facts, name, _words(FACT_FORMS[name], typed), at)


def happened_at(form: Mapping[str, str]) -> datetime:
    """When the fact of a form happened, in UTC: now unless it says.

    Raises:
        InvalidInput: It is not a date and time.
    """
    now = datetime.now(UTC)
    return read_moment("when", form["at"], now, is_past=True) if form.get("at") else now


def moment_shown(moment: datetime) -> str:
    """A moment for a browser's date and time field."""
    return f"{moment.astimezone(LONDON):%Y-%m-%dT%H:%M}"


def _filled(
    fields: Iterable[FieldForm], context: FormContext, typed: Mapping[str, str], now: datetime
) -> Iterator[PageField]:
    for form in filter(lambda form: is_shown(form.field), fields):
        field, is_tick = form.field, form.field.kind is FieldKind.TICK
        suggestions = tuple(value for _, value in form.choices(context))
        answer = form.known(context) or (suggestions[0] if len(suggestions) == 1 else "")
        value = "" if answer == LEFT_OUT else answer
        if value and field.kind is FieldKind.MOMENT:
            value = moment_shown(read_moment(field.name, value, now))
        if is_tick:
            value = value or ("true" if field.is_on else "")
        context = context.with_answer(form.word, value)
        yield PageField(
            form=form,
            value=typed.get(form.path, "" if typed and is_tick else value),
            is_needed=field.is_required and not is_tick,
            suggestions=suggestions,
        )


def _parts(
    part: PartForm, context: FormContext, typed: Mapping[str, str], now: datetime
) -> Iterator[PagePart]:
    bets = [bet.bet for bet in context.open_bets()] if part.is_per_bet else [""]
    for number, bet in enumerate(bets):
        about = {part.path("bet", number): bet} if bet else {}
        fields = _filled(part.numbered(number), context, about | dict(typed), now)
        yield PagePart(
            legend=part.legend.format(bet=bet),
            fields=tuple(replace(field, is_needed=False) for field in fields),
        )


def _words(form: FactForm, typed: Mapping[str, str]) -> Iterator[str]:
    """The typed fields as words; optional parts only if filled in."""
    yield from _filled_in(form.fields, typed)
    for part in form.parts:
        there = [
            number for number in _numbers(part, typed) if typed.get(part.path(part.decides, number))
        ]
        # A part left out leaves no gap in the numbers.
        for place, number in enumerate(there):
            fields = zip(part.numbered(place), part.numbered(number), strict=True)
            yield from _filled_in(
                part.numbered(place), {field.path: typed.get(old.path, "") for field, old in fields}
            )


def _numbers(part: PartForm, typed: Mapping[str, str]) -> list[int]:
    numbers = {path.split(".")[1] for path in typed if path.startswith(f"{part.name}.")}
    return sorted(int(number) for number in numbers if number.isdecimal() and number.isascii())


def _filled_in(fields: Iterable[FieldForm], typed: Mapping[str, str]) -> Iterator[str]:
    for field in fields:
        text = typed.get(field.path, "")
        if field.field.kind is FieldKind.TICK:
            yield f"{field.path}={'true' if text else 'false'}"
        elif text:
            yield f"{field.path}={text}"
