"""What was typed as filters, read where every face has it read."""

from __future__ import annotations

import pytest

from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.filters import SignalKind
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.opportunities.queries import (
    canonical,
    dutch_query,
    needs_names,
    opportunity_query,
    signal_kind,
)
from kos.errors import InvalidInput
from tests.opportunity_questions import DUTCH_QUESTIONS, LIMIT, QUESTIONS, SEEN, Asked


def query_of(asked: Asked) -> OpportunityQuery | DutchQuery:
    texts = canonical(asked.filters, asked.kind)
    if asked.kind is SignalKind.DUTCH:
        return dutch_query(texts, SEEN, LIMIT)
    return opportunity_query(asked.kind, texts, SEEN, LIMIT)


@pytest.mark.parametrize("asked", [*QUESTIONS, *DUTCH_QUESTIONS])
def test_a_question_is_read_or_refused_whole(asked: Asked) -> None:
    if asked.query is not None:
        assert query_of(asked) == asked.query
        return
    with pytest.raises(InvalidInput) as refused:
        query_of(asked)
    assert str(refused.value) == asked.refusal


def test_the_kind_is_one_of_those_that_can_be_asked_for_here() -> None:
    assert signal_kind({}) is SignalKind.QUALIFYING
    assert signal_kind(canonical({"Kind": "dutching"})) is SignalKind.DUTCH
    with pytest.raises(InvalidInput, match="Enter qualifying or arbs"):
        signal_kind({"kind": "dutch"}, (SignalKind.QUALIFYING, SignalKind.ARBS))


def test_a_dutch_takes_its_leg_as_its_kind_and_no_other_kind_is_named_twice() -> None:
    assert canonical({"kind": "snr"}, SignalKind.DUTCH) == {"leg": "snr"}
    with pytest.raises(InvalidInput, match="Filter cannot be 'kind'"):
        canonical({"kind": "snr"}, SignalKind.ARBS)


@pytest.mark.parametrize(("typed", "hint"), [("bookmakr", "did you mean bookmaker?"), ("##", "")])
def test_a_filter_that_there_is_not_is_refused_with_the_nearest(typed: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        canonical({typed: "1"})
    assert hint in refused.value.allowed
    assert ("did you mean" in refused.value.allowed) is bool(hint)


def test_one_filter_has_one_value_by_whatever_names() -> None:
    assert canonical({"min": "2", "min_odds": "2", "odds": "2 to 6"}) == {
        "min_odds": "2",
        "max_odds": "6",
    }
    with pytest.raises(InvalidInput, match="2 and 3"):
        canonical({"min": "2", "min_odds": "3"})


def test_a_switch_that_is_off_says_nothing() -> None:
    assert canonical({"hide_arbs": "0"}) == {}
    assert canonical({"hide_arbs": "0", "only_arbs": "yes"}) == {"arbs": "only"}


@pytest.mark.parametrize(
    ("typed", "needed"),
    [({"Bookmaker": "x"}, True), ({"sport": "x"}, True), ({"stake": "1", "zz": "2"}, False)],
)
def test_names_are_needed_where_a_bookmaker_or_a_sport_is_named(
    typed: dict[str, str], *, needed: bool
) -> None:
    assert needs_names(typed) is needed
