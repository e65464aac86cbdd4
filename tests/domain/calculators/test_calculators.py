from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.calculators import KINDS, calculate
from kos.errors import InvalidInput
from tests.agreed import assert_agreed
from tests.profiles import examples

WORKED = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data/maths/worked.jsonl").read_text().splitlines()
]
QUALIFYING = {"back_stake": "10", "back_odds": "2.5", "lay_odds": "2.54", "commission": "0.02"}


@pytest.mark.parametrize("case", WORKED, ids=lambda case: f"{case['kind']}: {case['id']}")
def test_worked_case_comes_out_to_the_penny(case: dict[str, Any]) -> None:
    outputs = calculate(case["kind"], case["inputs"])
    assert {name: outputs.get(name) for name in case["expected"]} == case["expected"]


def test_every_kind_has_a_worked_case() -> None:
    assert {case["kind"] for case in WORKED} == set(KINDS)


@pytest.mark.parametrize("case", WORKED, ids=lambda case: f"{case['kind']}: {case['id']}")
def test_outputs_are_those_that_the_table_names(case: dict[str, Any]) -> None:
    patterns = [name.replace("#", "[0-9]*") for name in KINDS[case["kind"]].outputs]
    for name in calculate(case["kind"], case["inputs"]):
        assert any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns), name


def test_every_kind_says_what_it_computes_and_what_it_allows() -> None:
    for kind, calculator in KINDS.items():
        assert calculator.summary.endswith("."), kind
        for name, entry in calculator.inputs.items():
            assert entry.name == name
            assert entry.reader.allowed


def test_defaults_are_written_as_a_person_types_them() -> None:
    for case in WORKED:
        calculator = KINDS[case["kind"]]
        defaults = {
            name: entry.default
            for name, entry in calculator.inputs.items()
            if entry.default and name not in case["inputs"] and not entry.is_list
        }
        given_all = calculate(case["kind"], {**case["inputs"], **defaults})
        assert given_all == calculate(case["kind"], case["inputs"]), case["id"]


def test_without_a_bank_kelly_gives_the_share_alone() -> None:
    inputs = {"decimal_odds": "2.1", "probability": "0.5"}
    assert set(calculate("kelly", inputs)) == {"stake_fraction"}
    assert set(calculate("kelly", {**inputs, "bank": "100"})) == {"stake_fraction", "stake"}


def test_without_lays_an_each_way_bet_has_its_returns_alone() -> None:
    inputs = {"win_odds": "9", "place_fraction": "0.2", "unit_stake": "10"}
    assert calculate("each_way", inputs) == {
        "place_odds": "2.60",
        "win_return": "90.00",
        "place_return": "26.00",
        "total_return": "116.00",
        "total_staked": "20.00",
    }


@pytest.mark.parametrize("nonsense", ["NaN", "inf", "-Infinity", "", " ", "ten", "1e2", "1_0", "٣"])
@pytest.mark.parametrize("field", sorted(QUALIFYING))
def test_what_is_no_number_is_refused_by_name(field: str, nonsense: str) -> None:
    with pytest.raises(InvalidInput, match=rf"(?i)^{field} ") as refused:
        calculate("qualifying", {**QUALIFYING, field: nonsense})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("back_stake", "0"),
        ("back_stake", "-10"),
        ("back_stake", "1000000000.01"),
        ("back_stake", "1" * 5000),
        ("back_stake", 10**4000),
        ("back_stake", True),
        ("back_stake", [10]),
        ("back_stake", float("nan")),
        ("back_odds", "1"),
        ("back_odds", "0.5"),
        ("back_odds", "1000001"),
        ("lay_odds", "1.0000"),
        ("lay_odds", "-2.5"),
        ("lay_odds", {"odds": 2}),
        ("commission", "1"),
        ("commission", "-0.01"),
        ("commission", "2"),
        ("bias", "1.01"),
        ("probability", "1.5"),
        ("free_bet", "snr"),
        ("rounding", "nearest"),
    ],
)
def test_values_out_of_range_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        calculate("qualifying", {**QUALIFYING, field: value})
    assert refused.value.field == field
    assert refused.value.allowed


def test_unknown_kinds_and_unknown_missing_and_doubled_inputs_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Kind cannot be"):
        calculate("qualifing", QUALIFYING)
    with pytest.raises(InvalidInput, match="back_od"):
        calculate("qualifying", {**QUALIFYING, "back_od": "2"})
    with pytest.raises(InvalidInput, match="lay_odds"):
        calculate("qualifying", {"back_stake": "10", "back_odds": "2.5"})
    with pytest.raises(InvalidInput, match="stake"):
        calculate("qualifying", {**QUALIFYING, "stake": "10"})


@pytest.mark.parametrize(
    ("kind", "inputs", "field"),
    [
        ("dutch_total", {"total_stake": "10", "odds": ["2"]}, "odds"),
        ("dutch_total", {"total_stake": "10", "odds": ["2", "x"]}, "odds[2]"),
        ("dutch_total", {"total_stake": "10", "odds": ["2"] * 101}, "odds"),
        ("dutch_total", {"total_stake": "10", "odds": ["2", "3"], "fees": ["0"] * 3}, "fees"),
        ("dutch_target_profit", {"target_profit": "10", "odds": ["2", "2"]}, "odds"),
        ("sequential_lay", {"stake": "10", "legs": []}, "legs"),
        ("sequential_lay", {"stake": "10", "legs": [{"lay_odds": "2"}]}, "legs[1].back_odds"),
        ("sequential_lay", {"stake": "10", "legs": ["2:2:0:1"]}, "legs[1]"),
        ("sequential_lay", {"stake": "10", "legs": ["1:2"]}, "legs"),
        ("sequential_lay", {"stake": "10", "legs": [{"odds": "2"}]}, "legs[1].odds"),
        ("rollover_bonus", {"bonus": "10"}, "stake"),
        ("rollover_bonus", {"bonus": "10", "turnover_multiple": "4"}, "retention_per_bet"),
        ("refund_if_loses", QUALIFYING | {"refund_if_back_loses": "30"}, "refund_if_back_loses"),
        ("commission", {"rate": "0.02"}, "net_winnings"),
        ("commission", {"net_winnings": "5"}, "market_base_rate"),
        ("exposure", {"market": "1X2", "lays": ["Leeds:2:10"]}, "selection"),
        ("exposure", {}, "selection"),
        ("exposure", {"lays": ["A-B:2:10", "A B:2:10"]}, "selection"),
        ("dutch_mixed", {"legs": ["2", "3"]}, "total_stake"),
        ("dutch_mixed", {"legs": ["2", "3", "4:lay"], "total_stake": "9"}, "legs"),
        ("dutch_mixed", {"legs": ["2", "3"], "total_stake": "9", "free_bet": "snr"}, "free_bet"),
        ("dutch_or_lay", QUALIFYING | {"others": ["2:lay"]}, "others"),
        ("multi_lay", {"back_stake": 1, "back_odds": 2, "lay_odds": ["1.5", "2"]}, "lay_odds"),
        ("odds_conversion", {"decimal": "2", "american": "100"}, "decimal"),
        ("odds_conversion", {"american": "50"}, "american"),
        ("odds_conversion", {"fractional": "2.5"}, "fractional"),
        ("ladder", {"price": "1001"}, "price"),
        ("ladder", {"price": "2", "ticks": "400"}, "tick"),
        ("ladder", {"ticks": "1"}, "price"),
        ("overround", {"odds": ["2", "3"], "winners": "2"}, "winners"),
        ("kelly", {"probability": "0.5"}, "decimal_odds"),
        ("price_boost", QUALIFYING | {"boosted_odds": "2.4"}, "boosted_odds"),
        ("sequential_lay", {"stake": 1, "legs": ["2:2"], "refund_on_losing_leg": 3}, "refund_on_losing_leg"),
        ("accumulator_lay_all", {"stake": 1, "legs": ["2:2"], "refund_on_losing_leg": 3}, "refund_on_losing_leg"),
        ("accumulator_no_lay", {"stake": 1, "probabilities": ["0.5"]}, "odds"),
        ("accumulator_no_lay", {"stake": 1, "probabilities": ["0.5"], "odds": [2, 2]}, "probabilities"),
        ("dutch_fixed_first", {"first_stake": 1, "first_odds": 2, "other_odds": 2, "refund_if_first_loses": 3}, "refund_if_first_loses"),
        ("dutch_mixed", {"legs": ["2", "2:lay"], "total_stake": "9", "same_market": "yes"}, "same_market"),
        ("dutch_mixed", {"legs": ["2:exchange:0.02", "2:exchange"], "total_stake": "9", "same_market": "yes"}, "same_market"),
        ("multi_lay", {"back_stake": 1, "back_odds": 2, "lay_odds": [3, 4], "commission": [0, "0.02"]}, "commission"),
        ("dead_heat", {"stake": 1, "odds": 2, "tied": 2, "places_left": 3}, "places_left"),
        ("each_way_fair_edge", {"runners": 2.5, "odds": 2, "places": 1, "place_fraction": 1}, "runners"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_together_are_refused_by_name(
    kind: str, inputs: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        calculate(kind, inputs)
    assert refused.value.field == field


def test_numbers_of_json_and_other_spellings_mean_the_same() -> None:
    expected = calculate("qualifying", QUALIFYING)
    for back_odds in (2.5, "6/4", "+150", " 2.50 "):
        inputs = {"back_stake": 10, "back_odds": back_odds, "lay_odds": 2.54, "commission": 0.02}
        assert calculate("qualifying", inputs) == expected
    assert calculate("qualifying", {**QUALIFYING, "bias": None, "free_bet": "None"}) == expected


GARBAGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text("0123456789.+-/eE_:, NaNinf£%½٣\x00", max_size=30),
    st.sampled_from(["0", "1", "-1", "1.01", "0.99", "1000000", "1/3", "+100", "-100", "NaN"]),
    st.lists(st.sampled_from(["0.5", "1", "1.01", "3", "x"]), max_size=4),
    st.dictionaries(
        st.sampled_from(["odds", "stake", "side"]), st.sampled_from(["1.5", "", "lay"]), max_size=3
    ),
)


@given(st.sampled_from(WORKED), st.data())
@settings(max_examples=examples(400))
def test_any_input_is_either_computed_or_refused_by_name(
    case: dict[str, Any], data: st.DataObject
) -> None:
    inputs = dict(case["inputs"])
    for name in data.draw(st.sets(st.sampled_from(sorted(KINDS[case["kind"]].inputs)), max_size=3)):
        inputs[name] = data.draw(GARBAGE)
    try:
        outputs = calculate(case["kind"], inputs)
    except InvalidInput as error:
        outputs = {error.field: error.allowed}
    assert outputs
    for name, value in outputs.items():
        assert name
        assert isinstance(value, str)
        assert value not in {"", "nan", "-0.00"}


def test_number_too_long_to_print_is_refused_without_printing_it() -> None:
    with pytest.raises(InvalidInput, match="bits"):
        calculate("qualifying", {**QUALIFYING, "back_stake": 10**5000})


def test_what_each_calculator_takes_and_gives_is_as_agreed() -> None:
    lines = []
    for kind in KINDS.values():
        lines += [f"\n{kind.kind}: {kind.summary} / {' '.join(kind.outputs)}"]
        lines += [
            f"  {given.name}{' *' if given.is_required else ''} [{given.default}] {given.reader.allowed}"
            for given in kind.inputs.values()
        ]
    assert_agreed("calculators.txt", "\n".join(lines))
