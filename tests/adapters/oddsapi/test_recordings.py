"""Recognising what people keep in files, and the snapshots inside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.oddsapi.payloads import OddsFormat
from kos.adapters.oddsapi.recordings import (
    FeedFileKind,
    FeedRecording,
    FeedSnapshot,
    decode_recording,
)
from kos.errors import AccessRefused
from tests.adapters.oddsapi.bodies import KICKOFF, SEEN, body, event, match_event, mutated, rubbish
from tests.profiles import examples

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENT = match_event(2.5, 3.1, 2.9)
HEAD = {key: value for key, value in EVENT.items() if key != "bookmakers"}


def recorded(value: Any) -> FeedRecording:
    return decode_recording(json.dumps(value).encode())


def only(recording: FeedRecording) -> FeedSnapshot:
    (snapshot,) = recording.snapshots()
    return snapshot


def prices(snapshot: FeedSnapshot) -> list[str]:
    return [
        f"{quote.name} {quote.price}"
        for found in snapshot.events
        for books in found.bookmakers
        for market in books.markets
        for quote in market.outcomes
    ]


ALL = ["Leeds United 2.5", "Hull City 3.1", "Draw 2.9"]


@pytest.mark.parametrize(
    ("value", "kind", "as_of"),
    [
        ([EVENT], FeedFileKind.ODDS, AT),
        (EVENT, FeedFileKind.EVENT_ODDS, AT),
        (
            {
                "timestamp": "2026-11-23T12:10:00Z",
                "previous_timestamp": None,
                "next_timestamp": None,
                "data": [EVENT],
            },
            FeedFileKind.HISTORICAL,
            AT.replace(minute=10),
        ),
        (
            {"timestamp": "2026-11-23T12:10:00Z", "previous_timestamp": "x", "data": EVENT},
            FeedFileKind.HISTORICAL,
            AT.replace(minute=10),
        ),
        (
            {"timestamp": 1795435800000, "data": [EVENT]},
            FeedFileKind.WRAPPED,
            AT.replace(minute=10),
        ),
        ({"timestamp": 1795435800, "data": [EVENT]}, FeedFileKind.WRAPPED, AT.replace(minute=10)),
        (
            {"timestamp": "2026-11-23T12:10:00", "data": [EVENT]},
            FeedFileKind.WRAPPED,
            AT.replace(minute=10),
        ),
        ({"timestamp": "lunch", "data": [EVENT]}, FeedFileKind.WRAPPED, AT),
        (
            {"soccer_epl": {"timestamp": 1795435800.5, "data": [EVENT]}},
            FeedFileKind.CACHE,
            datetime(2026, 11, 23, 12, 10, 0, 500000, UTC),
        ),
        ({"soccer_epl": [EVENT]}, FeedFileKind.CACHE, AT),
        (
            {"request": {}, "status": 200, "recorded_at": "2026-11-23T12:10:00Z", "body": [EVENT]},
            FeedFileKind.ODDS,
            AT.replace(minute=10),
        ),
    ],
)
def test_each_form_of_odds_is_recognised_with_its_time(
    value: Any, kind: FeedFileKind, as_of: datetime
) -> None:
    recording = recorded(value)
    assert recording.kind is kind
    snapshot = only(recording)
    assert snapshot.as_of == as_of
    assert prices(snapshot) == ALL


def test_snapshots_come_oldest_first_and_can_be_read_again() -> None:
    times = ["2026-11-23T12:10:00Z", "2026-11-23T12:00:00Z", None]
    recording = recorded(
        [{"timestamp": at, "previous_timestamp": None, "data": [EVENT]} for at in times]
        + [{"timestamp": times[0], "data": [event()]}]
    )
    assert recording.kind is FeedFileKind.HISTORICAL
    found = [snapshot.as_of for snapshot in recording.snapshots()]
    assert found == [AT, AT, AT.replace(minute=10), AT.replace(minute=10)]
    assert len(list(recording.snapshots())) == 4


def test_lists_without_prices_are_recognised() -> None:
    events = recorded([HEAD])
    assert events.kind is FeedFileKind.EVENTS
    assert (only(events).as_of, only(events).events[0].home) == (None, "Leeds United")
    scores = recorded([{**HEAD, "completed": False, "scores": None, "last_update": None}])
    assert scores.kind is FeedFileKind.SCORES
    assert len(scores.scores) == 1
    sports = recorded([{"key": "soccer_epl", "group": "Soccer", "title": "EPL", "active": True}])
    assert sports.kind is FeedFileKind.SPORTS
    assert sports.sports[0].title == "EPL"
    assert recorded([]).kind is FeedFileKind.ODDS


def test_recorded_refusals_keep_their_meaning() -> None:
    refusal = {"message": "no", "error_code": "INVALID_KEY"}
    for value in (refusal, {"request": {}, "status": 401, "quota": {}, "body": refusal}):
        recording = recorded(value)
        assert recording.kind is FeedFileKind.ERROR
        assert isinstance(recording.error, AccessRefused)
        assert list(recording.snapshots()) == []
    assert recorded({"status": 502, "body": "<html>"}).kind is FeedFileKind.ERROR
    assert recorded({"status": "?", "body": None}).kind is FeedFileKind.ERROR


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"the_odds_api_team": "Leeds", "betfair_selection_id": 7}]',
        b'{"a": {"b": 1}}',
        b"{}",
        b"[1, 2]",
        b"name,other\n1,2\n",
        b"",
        b"hello",
    ],
)
def test_what_is_no_payload_is_named_so(raw: bytes) -> None:
    recording = decode_recording(raw)
    assert recording.kind is FeedFileKind.NOT_A_PAYLOAD
    assert recording.note
    assert list(recording.snapshots()) == []


@pytest.mark.parametrize("raw", [b"[{", b"[" * 100_000, b"\xff\xfe\x80", b'{"a": 1}}'])
def test_what_cannot_be_read_is_named_so(raw: bytes) -> None:
    assert decode_recording(raw).kind is FeedFileKind.UNREADABLE


def test_american_recordings_are_converted_and_say_so() -> None:
    snapshot = only(recorded([match_event(-200, 150, 400)]))
    assert snapshot.odds_format is OddsFormat.AMERICAN
    assert prices(snapshot) == ["Leeds United 1.5", "Hull City 2.5", "Draw 5"]


def test_a_snapshot_of_doubtful_format_is_empty_and_says_why() -> None:
    snapshot = only(recorded([match_event(-200, -150, 1.9)]))
    assert snapshot.events == ()
    assert "american and decimal" in snapshot.drops[0].reason


# --- CSV --------------------------------------------------------------------------------------

HEADER = (
    "event_id,sport_key,sport_title,commence_time,home_team,away_team,snapshot_time,market_type,"
    "bookmaker_key,bookmaker_title,last_update,market,outcome_name,price,point,implied_prob"
)


def row(
    name: str,
    price: str,
    *,
    at: str = "2026-11-23T12:01:00.5+00:00",
    book: str = "coral",
    market: str = "h2h",
    point: str = "",
) -> str:
    return (
        f"{'a' * 32},soccer_epl,EPL,{KICKOFF},Leeds United,Hull City,{at},main,"
        f"{book},{book.title()},{SEEN},{market},{name},{price},{point},0.4"
    )


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def test_odds_csv_is_put_together_by_snapshot_in_order() -> None:
    later = "2026-11-23T12:05:00+00:00"
    recording = decode_recording(
        csv_of(
            row("Leeds United", "2.6", at=later),
            row("Leeds United", "2.5"),
            row("Over", "1.9", market="totals", point="2.5"),
            row("Hull City", "3.1"),
            row("Hull City", "3.2", book="betway"),
        ),
    )
    assert recording.kind is FeedFileKind.ODDS_CSV
    first, second = recording.snapshots()
    assert first.as_of == datetime(2026, 11, 23, 12, 1, 0, 500000, UTC)
    assert prices(first) == ["Leeds United 2.5", "Hull City 3.1", "Over 1.9", "Hull City 3.2"]
    assert first.events[0].bookmakers[0].markets[1].outcomes[0].point == Decimal("2.5")
    assert first.events[0].bookmakers[0].markets[0].updated_at == AT
    assert prices(second) == ["Leeds United 2.6"]
    assert len(list(recording.snapshots())) == 2


def test_bad_rows_and_prices_are_dropped_by_themselves() -> None:
    recording = decode_recording(
        csv_of(row("Draw", "2.9"), "too,short", row("Hull City", "1.0"), row("Leeds United", "")),
    )
    snapshots = list(recording.snapshots())
    assert prices(snapshots[0]) == ["Draw 2.9"]
    assert [(drop.path, drop.reason) for found in snapshots for drop in found.drops] == [
        ("[0].bookmakers[0].markets[0].outcomes[2]", "price missing"),
        ("[0].bookmakers[0].markets[0].outcomes[1]", "price not above 1"),
        ("row 3", "row with too few or too many columns"),
    ]


def test_a_quotation_that_never_ends_costs_its_row_and_a_nameless_book_has_its_key_as_its_name() -> (
    None
):
    nameless = row("Draw", "2.9").replace(",Coral,", ",,")
    recording = decode_recording(csv_of(row("Hull City", "3.1"), '"a"b,c', nameless))
    snapshots = list(recording.snapshots())
    assert prices(snapshots[0]) == ["Hull City 3.1", "Draw 2.9"]
    assert snapshots[0].events[0].bookmakers[0].title == "Coral"
    assert [drop.reason for found in snapshots for drop in found.drops] == ["row not readable"]
    (alone,) = decode_recording(csv_of(nameless)).snapshots()
    assert alone.events[0].bookmakers[0].title == "coral"


def test_american_csv_is_converted() -> None:
    recording = decode_recording(csv_of(row("Draw", "-200"), row("Hull City", "150")))
    snapshot = only(recording)
    assert snapshot.odds_format is OddsFormat.AMERICAN
    assert prices(snapshot) == ["Draw 1.5", "Hull City 2.5"]


def test_odds_csv_with_an_index_column_and_outrights_without_sides() -> None:
    plain = row("A. Golfer", "12.0", market="outrights").replace("Leeds United,Hull City", ",")
    snapshot = only(decode_recording(csv_of("0," + plain, header="," + HEADER)))
    assert prices(snapshot) == ["A. Golfer 12.0"]
    assert snapshot.events[0].home is None


def test_events_csv_has_a_snapshot_of_heads() -> None:
    recording = decode_recording(
        csv_of(
            f"e1,soccer_epl,EPL,Leeds United,Hull City,{KICKOFF},2026-11-23T12:00:00+00:00",
            f"e2,soccer_epl,EPL,Leeds United,,{KICKOFF},2026-11-23T12:00:00+00:00",
            header="event_id,sport_key,sport_title,home_team,away_team,commence_time,snapshot_time",
        ),
    )
    assert recording.kind is FeedFileKind.EVENTS_CSV
    snapshot = only(recording)
    assert (snapshot.as_of, [found.away for found in snapshot.events]) == (AT, ["Hull City", None])


def test_scores_csv_is_put_together_by_event() -> None:
    recording = decode_recording(
        csv_of(
            f"e1,soccer_epl,Leeds United,Hull City,{KICKOFF},True,{SEEN},Leeds United,2",
            f"e1,soccer_epl,Leeds United,Hull City,{KICKOFF},True,{SEEN},Hull City,1",
            f"e2,soccer_epl,Leeds United,Hull City,{KICKOFF},False,,,",
            f"e3,soccer_epl,Leeds United,Hull City,{KICKOFF},maybe,,,",
            header="event_id,sport_key,home_team,away_team,commence_time,completed,last_update,"
            "score_name,score_value",
        ),
    )
    assert recording.kind is FeedFileKind.SCORES_CSV
    assert recording.scores[0].scores == (("Leeds United", "2"), ("Hull City", "1"))
    assert recording.scores[1].scores == ()
    assert [drop.reason for drop in recording.drops] == ["completed not true or false"]


def test_sports_csv_is_read() -> None:
    recording = decode_recording(
        csv_of(
            "soccer_epl,Soccer,EPL,English,True,False",
            "x,Y,Z,,False,",
            header="key,group,title,description,active,has_outrights",
        ),
    )
    assert recording.kind is FeedFileKind.SPORTS_CSV
    assert [sport.active for sport in recording.sports] == [True, False]


# --- whatever comes ---------------------------------------------------------------------------


@settings(max_examples=examples(150), deadline=None)
@given(rubbish | mutated() | st.lists(rubbish, max_size=3), st.integers(0, 3))
def test_any_json_is_recognised_as_something(value: Any, wrap: int) -> None:
    for _ in range(wrap):
        value = {"timestamp": 1795435800000, "data": value}
    recording = recorded(value)
    for snapshot in recording.snapshots():
        assert snapshot.as_of is None or snapshot.as_of.tzinfo is UTC
        assert all(Decimal(price.rpartition(" ")[2]) > 1 for price in prices(snapshot))


@settings(max_examples=examples(150), deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400), st.booleans())
def test_any_bytes_are_recognised_as_something(junk: bytes, at: int, is_csv: bool) -> None:
    sound = csv_of(row("Draw", "2.9"), row("Hull City", "3.1")) if is_csv else body(EVENT)
    recording = decode_recording(sound[:at] + junk + sound[at:])
    for snapshot in recording.snapshots():
        assert all(Decimal(price.rpartition(" ")[2]) > 1 for price in prices(snapshot))
