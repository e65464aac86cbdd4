"""Sports, events and scores."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.json_fields import Drops, read_each
from kos.adapters.oddsapi.listings import EventScore, decode_sports, read_event_head, read_score
from kos.domain.market.quotes import Drop, EventQuotes, Sport
from kos.errors import RemoteUnavailable
from tests.adapters.oddsapi.bodies import KICKOFF, SEEN, rubbish
from tests.profiles import examples

EPL = {
    "key": "soccer_epl",
    "group": "Soccer",
    "title": "EPL",
    "description": "English Premier League",
    "active": True,
    "has_outrights": False,
}
HEAD = {
    "id": "a" * 32,
    "sport_key": "soccer_epl",
    "sport_title": "EPL",
    "commence_time": KICKOFF,
    "home_team": "Leeds United",
    "away_team": "Hull City",
}


def encoded(*values: Any) -> bytes:
    return json.dumps(values).encode()


def test_sports_are_read() -> None:
    sports, drops = decode_sports(encoded(EPL, {"key": "new_key"}, EPL))
    assert sports == (
        Sport("soccer_epl", "Soccer", "EPL", active=True, has_outrights=False),
        Sport("new_key", "Unknown", "new_key", active=True, has_outrights=False),
    )
    assert drops == ()


def test_a_bad_sport_is_dropped_by_itself() -> None:
    sports, drops = decode_sports(encoded({**EPL, "active": "yes"}, EPL, {**EPL, "key": ""}))
    assert [sport.key for sport in sports] == ["soccer_epl"]
    assert [(drop.path, drop.reason) for drop in drops] == [
        ("[0]", "active not true or false"),
        ("[2]", "key empty"),
    ]


def events_of(*values: Any) -> tuple[list[EventQuotes], tuple[Drop, ...]]:
    drops = Drops()
    return read_each(list(values), "", drops, read_event_head), drops.listed()


def scores_of(*values: Any) -> tuple[list[EventScore], tuple[Drop, ...]]:
    drops = Drops()
    return read_each(list(values), "", drops, read_score), drops.listed()


def test_events_are_read_without_bookmakers() -> None:
    events, drops = events_of(HEAD, {**HEAD, "id": None})
    assert (events[0].home, events[0].bookmakers) == ("Leeds United", ())
    assert [drop.reason for drop in drops] == ["id missing"]


def test_scores_are_read_before_during_and_after() -> None:
    rows = [{"name": "Leeds United", "score": "2"}, {"name": "Hull City", "score": 1}]
    scores, drops = scores_of(
        {**HEAD, "completed": True, "scores": rows, "last_update": SEEN},
        {**HEAD, "id": "b", "completed": False, "scores": None, "last_update": None},
        {**HEAD, "id": "c", "completed": False, "scores": [{"name": "x", "score": None}]},
    )
    assert scores[0].scores == (("Leeds United", "2"), ("Hull City", "1"))
    assert scores[0].is_completed
    assert (scores[1].scores, scores[1].updated_at) == ((), None)
    assert [drop.reason for drop in drops] == ["score not a text"]


def test_scores_that_are_no_list_are_dropped_with_the_reason() -> None:
    scores, drops = scores_of({**HEAD, "completed": True, "scores": {"Leeds United": "2"}}, HEAD)
    assert [score.scores for score in scores] == [()]
    assert [drop.reason for drop in drops] == ["scores not a list"]


@settings(max_examples=examples(100))
@given(st.lists(rubbish | st.dictionaries(st.sampled_from([*EPL, *HEAD]), rubbish), max_size=4))
def test_rubbish_never_crashes_a_listing(values: list[Any]) -> None:
    sports, drops = decode_sports(json.dumps(values).encode())
    assert len(sports) + len(drops) <= len(values)
    assert all(sport.key.strip() for sport in sports)
    events, dropped = events_of(*values)
    assert len(events) + len(dropped) == len(values)
    assert all(event.id.strip() for event in events)
    scores, dropped = scores_of(*values)
    assert len(scores) + len(dropped) == len(values)
    assert all(score.event.id.strip() for score in scores)


@pytest.mark.parametrize("raw", [b"", b"{}", b"<html>", b'{"error_code": "INVALID_KEY"}'])
def test_what_is_no_list_fails(raw: bytes) -> None:
    with pytest.raises(RemoteUnavailable):
        decode_sports(raw)


def test_a_score_names_its_event() -> None:
    (score,), _ = scores_of({**HEAD, "completed": False, "scores": None})
    (event,), _ = events_of(HEAD)
    assert score.event == event
