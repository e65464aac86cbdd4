import pytest
from hypothesis import given
from hypothesis import strategies as st

from kos.domain.market.outcomes import DRAW, BetForm, form_of, is_draw, outcome_name
from kos.domain.matching.outcomes import assign_outcomes

SPELLINGS = ("Draw", "The Draw", "Tie", "X", "Unentschieden", "Match nul")


@given(st.sampled_from(SPELLINGS), st.sampled_from((str.upper, str.lower, str.title)), st.data())
def test_a_draw_is_known_in_any_case_and_spacing(
    name: str, cased: object, data: st.DataObject
) -> None:
    gap = data.draw(st.sampled_from((" ", "  ", "\t", "\u00a0")))
    edge = data.draw(st.sampled_from(("", " ", "\u2003")))
    typed = edge + gap.join(cased(name).split()) + edge  # type: ignore[operator]
    assert is_draw(typed)
    assert outcome_name(typed) == DRAW
    assert form_of(["Boston Bruins", typed]) is BetForm.THREE_WAY
    given = assign_outcomes(("A", "B", typed), ("A", "B", "The Draw"), lambda a, b: float(a == b))
    assert given == {"A": 0, "B": 1, typed: 2}


@pytest.mark.parametrize(
    "name", ["Drawn", "Tied", "XX", "", "Draw No Bet", "Drax", "The Tie Break"]
)
def test_what_only_looks_like_a_draw_is_none(name: str) -> None:
    assert not is_draw(name)
    assert outcome_name(name) == name


def test_a_third_outcome_of_an_unknown_name_makes_no_two_way_bet() -> None:
    assert form_of(["A", "B"]) is BetForm.TWO_WAY
    assert form_of(["A", "B", "Neither"]) is BetForm.THREE_WAY
