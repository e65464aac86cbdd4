"""A calculator's inputs as a person types them."""

from __future__ import annotations

import pytest

from kos.domain.calculators import KINDS
from kos.domain.calculators.spoken import label_of, spoken_inputs
from kos.errors import InvalidInput


def spoken(kind: str, *words: tuple[str, str]) -> dict[str, object]:
    return spoken_inputs(
        KINDS[kind], [(f"--{name}", name, value) for name, value in words], "--odds, --legs"
    )


def test_a_single_input_is_kept_as_typed_under_its_own_name() -> None:
    assert spoken("qualifying", ("stake", " 10 "), ("lay_odds", "2,5")) == {
        "back_stake": " 10 ",
        "lay_odds": "2,5",
    }


@pytest.mark.parametrize(
    ("words", "entries"),
    [
        ((("odds", "2, 3.5"), ("odds", "4")), ["2", "3.5", "4"]),
        ((("odds", "[2, 3.5]"), ("odds", "4")), [2, "3.5", "4"]),
        ((("odds", "[]"),), []),
    ],
)
def test_a_list_comes_with_commas_by_repetition_or_as_json(
    words: tuple[tuple[str, str], ...], entries: list[object]
) -> None:
    assert spoken("dutch_total", *words) == {"odds": entries}


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("1.6:1.63:0.02", "1.6:1.63:0.02"),
        ("back-odds = 1.6,lay_odds=1.63", {"back_odds": "1.6", "lay_odds": "1.63"}),
        ('{"back_odds": 1.6, "lay_odds": "1.63"}', {"back_odds": "1.6", "lay_odds": "1.63"}),
    ],
)
def test_an_entry_with_fields_comes_by_name_in_order_or_as_json(text: str, entry: object) -> None:
    assert spoken("sequential_lay", ("legs", text)) == {"legs": [entry]}


@pytest.mark.parametrize(
    ("kind", "words", "field"),
    [
        ("qualifying", (("lay_ods", "2"),), "--lay_ods"),
        ("qualifying", (("back_stake", "2"), ("stake", "2")), "--stake"),
        ("dutch_total", (("odds", "[2,"),), "--odds"),
        ("sequential_lay", (("legs", "{legs}"),), "--legs"),
    ],
)
def test_an_input_that_is_unknown_doubled_or_broken_is_refused_as_it_was_typed(
    kind: str, words: tuple[tuple[str, str], ...], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        spoken(kind, *words)
    assert (refused.value.field, refused.value.value) == (field, words[-1][1])


@pytest.mark.parametrize(
    ("output", "label"),
    [
        ("lay_stake", "Lay stake"),
        ("rating_pct", "Rating"),
        ("return_", "Return"),
        ("p1", "P1"),
        ("", ""),
    ],
)
def test_an_output_is_labelled_in_words(output: str, label: str) -> None:
    assert label_of(output) == label


@pytest.mark.parametrize(
    ("kind", "name", "is_list", "fields"),
    [
        ("qualifying", "back_stake", False, ()),
        ("dutch_total", "odds", True, ()),
        ("sequential_lay", "legs", True, ("back_odds", "lay_odds", "commission")),
    ],
)
def test_an_input_says_whether_it_is_a_list_and_of_which_fields(
    kind: str, name: str, is_list: bool, fields: tuple[str, ...]
) -> None:
    known = KINDS[kind].inputs[name]
    assert (known.is_list, known.fields) == (is_list, fields)
