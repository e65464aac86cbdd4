"""A fact is the same, and is refused in the same words, in chat, on the page and at the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from kos.domain.offers.facts import (
    MONEY_FACTS,
    OFFER_FACTS,
    Fact,
    LayMatched,
    QualifierPlaced,
)
from kos.domain.offers.forms import FACT_FORMS, FactForm, FieldForm
from kos.domain.offers.suggestions import FormContext
from kos.domain.offers.typed_facts import FieldKind, spoken, spoken_names
from kos.errors import InvalidInput
from kos.web.forms import FIELD, happened_at, page_form, typed_fact

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
FACTS: dict[str, type[Fact]] = OFFER_FACTS | MONEY_FACTS
GOOD = {
    FieldKind.MONEY: "£1,012.50",
    FieldKind.ODDS: "6/4",
    FieldKind.RATE: "2%",
    FieldKind.MOMENT: "3 jul 12:30",
    FieldKind.TICK: "true",
    FieldKind.NUMBER: "2",
    FieldKind.PLACE: "Smarkets",
    FieldKind.BET: "A1",
    FieldKind.TOKEN: "t1",
    FieldKind.TEXT: "Leeds & York",
}
BAD = {
    FieldKind.MONEY: "1,50",
    FieldKind.ODDS: "1/0",
    FieldKind.RATE: "2",
    FieldKind.MOMENT: "soon",
    FieldKind.CHOICE: "purple",
    FieldKind.NUMBER: "1.5",
}


def fields_of(form: FactForm) -> Iterator[FieldForm]:
    yield from form.fields
    for part in form.parts:
        yield from part.fields


def good(field: FieldForm) -> str:
    return field.field.choices[-1].upper() if field.field.choices else GOOD[field.field.kind]


def at_terminal(form: FactForm, typed: Mapping[str, str]) -> Fact:
    return spoken(FACTS, form.name, [f"{path}={text}" for path, text in typed.items()], NOW)


def on_the_page(form: FactForm, typed: Mapping[str, str]) -> Fact:
    return typed_fact(FACTS, form.name, {FIELD + path: text for path, text in typed.items()}, NOW)


def answers_in_chat(form: FactForm, typed: Mapping[str, str]) -> dict[str, str]:
    """The answers to the questions one by one; the rest with the command."""
    asked = {field.path: field for field in form.fields if field.asking.question}
    answers = form.answers({path: typed[path] for path in typed if path not in asked}, NOW)
    for path, field in asked.items():
        answers[field.word] = field.answer(typed[path], FormContext(), NOW)
    return answers


def in_chat(form: FactForm, typed: Mapping[str, str]) -> Fact:
    answers = answers_in_chat(form, typed)
    return spoken(FACTS, form.name, [f"{word}={text}" for word, text in answers.items()], NOW)


@pytest.mark.parametrize("name", spoken_names(FACTS))
def test_every_way_records_the_same_fact_from_the_same_values(name: str) -> None:
    form = FACT_FORMS[name]
    typed = {field.path: good(field) for field in fields_of(form)}
    facts = [way(form, typed) for way in (at_terminal, on_the_page, in_chat)]
    assert facts[0] == facts[1] == facts[2]
    assert type(facts[0]) is form.kind


@pytest.mark.parametrize("name", spoken_names(FACTS))
def test_every_way_refuses_a_wrong_value_with_the_same_sentence(name: str) -> None:
    form = FACT_FORMS[name]
    typed = {field.path: good(field) for field in fields_of(form)}
    for field in fields_of(form):
        if field.field.kind not in BAD:
            continue
        wrong = typed | {field.path: BAD[field.field.kind]}
        refusals = set()
        for way in (at_terminal, on_the_page, answers_in_chat):
            with pytest.raises(InvalidInput) as refusal:
                way(form, wrong)
            assert refusal.value.field == field.field.name
            refusals.add(str(refusal.value))
        assert len(refusals) == 1


def paths_of(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """Every field of a struct and of its parts, found without the code of the forms."""
    for info in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        inner = info.type
        is_many = isinstance(inner, msgspec.inspect.VarTupleType)
        part = inner.item_type if isinstance(inner, msgspec.inspect.VarTupleType) else inner
        name = f"{prefix}{info.name}{'.0' if is_many else ''}"
        if isinstance(part, msgspec.inspect.StructType):
            yield from paths_of(part.cls, f"{name}.")
        else:
            yield name


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_described_with_exactly_the_fields_of_its_struct(name: str) -> None:
    form = FACT_FORMS[name]
    by_ledger = ("terms", "postings.")
    fields = [path for path in paths_of(FACTS[name]) if not path.startswith(by_ledger)]
    described = [field.path for field in fields_of(form)]
    assert sorted(described) == sorted(fields)
    assert form.kind is FACTS[name]
    assert form.meaning.endswith(".")


def test_no_two_facts_have_one_label_and_no_two_fields_one_word() -> None:
    assert len({form.label for form in FACT_FORMS.values()}) == len(FACT_FORMS)
    for form in FACT_FORMS.values():
        words = [field.word for field in form.fields]
        assert len(set(words)) == len(words)
        assert set(FACT_FORMS) == set(FACTS)


@pytest.mark.parametrize("name", spoken_names(FACTS))
def test_the_page_shows_every_field_but_those_of_the_terminal_only(name: str) -> None:
    page = page_form(FACT_FORMS[name], FormContext(), {}, NOW)
    shown = [*page.needed, *page.further, *(field for part in page.parts for field in part.fields)]
    hidden = {"odds_shown", "event_id", "hold"}
    for field in FACT_FORMS[name].fields:
        is_shown = field.path in {each.form.path for each in shown}
        assert is_shown == (field.field.name not in hidden or field.field.is_required)
    assert all(field.form.field.label for field in shown)


def test_an_empty_form_is_refused_by_its_first_missing_field() -> None:
    with pytest.raises(InvalidInput, match="amount"):
        on_the_page(FACT_FORMS["deposit_cleared"], {})


def test_a_part_left_out_leaves_no_gap() -> None:
    form = FACT_FORMS["free_bet_settled"]
    typed = {
        "settled.0.bet": "a",
        "settled.0.result": "",
        "settled.1.bet": "b",
        "settled.1.result": "won",
    }
    said = {"settled.0.bet": "b", "settled.0.result": "won"}
    assert on_the_page(form, typed) == at_terminal(form, said)


def test_ticks_on_the_page_are_off_unless_they_are_set() -> None:
    lay = {"bet": "l1", "exchange": "smarkets", "market": "1.1", "selection": "Leeds"}
    typed = {f"lay.{name}": text for name, text in lay.items()} | {
        "lay.stake": "5",
        "lay.odds": "2",
    }
    fact = on_the_page(FACT_FORMS["lay_matched"], typed)
    assert isinstance(fact, LayMatched)
    assert not fact.lay.is_single_winner
    form = page_form(FACT_FORMS["lay_matched"], FormContext(), {}, NOW)
    values = {field.form.path: field.value for field in (*form.needed, *form.further)}
    assert values["lay.is_single_winner"] == "true"


def test_odds_are_kept_as_they_were_typed() -> None:
    typed = {"back.bet": "q1", "back.stake": "10", "back.odds": "6/4"}
    for way in (at_terminal, on_the_page):
        fact = way(FACT_FORMS["qualifier_placed"], typed)
        assert isinstance(fact, QualifierPlaced)
        assert (fact.back.odds, fact.back.odds_shown) == (Decimal("2.5"), "6/4")


def test_the_time_of_a_form_is_in_the_uk() -> None:
    assert happened_at({"at": "2026-07-01T12:00"}) == datetime(2026, 7, 1, 11, tzinfo=UTC)
    assert abs((happened_at({}) - datetime.now(UTC)).total_seconds()) < 5
    with pytest.raises(InvalidInput, match="When cannot be 'soon'"):
        happened_at({"at": "soon"})


@pytest.mark.parametrize("name", ["no_such_fact", "cash_advanced"])
def test_a_fact_that_no_one_records_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        typed_fact(OFFER_FACTS, name, {"f.token": "t"}, NOW)
