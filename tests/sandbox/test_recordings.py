"""Recorded answers are served as they were, at times that are now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kos.sandbox import Sandbox
from tests.sandbox.conftest import ExchangeCaller, FeedCaller, Json

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def event(
    event_id: str, sport: str, commence: Json, stamp: Json, *, market_stamp: bool = True
) -> Json:
    outcomes = [{"name": "Aba", "price": 2.1}, {"name": "Ceo", "price": 3}]
    market: Json = {"key": "h2h", "outcomes": outcomes}
    if market_stamp:
        market["last_update"] = stamp
    lay = {"key": "h2h_lay", "outcomes": outcomes, "last_update": stamp}
    return {
        "id": event_id * 32, "sport_key": sport, "sport_title": "Aba League", "commence_time": commence,
        "home_team": "Aba", "away_team": "Ceo",
        "bookmakers": [
            {"key": "betfair_ex_uk", "title": "Betfair", "last_update": stamp, "markets": [market, lay]},
            {"key": "somebody", "title": "Somebody", "last_update": stamp, "markets": [market]},
            {"key": "draftkings", "title": "DraftKings", "last_update": stamp, "markets": [market]},
        ],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    odds = [
        event("a", "soccer_aba", "2024-03-10T15:00:00Z", "2024-03-10T12:00:00Z"),
        event(
            "b", "soccer_aba", "2024-03-10T11:00:00Z", "2024-03-10T11:50:00Z", market_stamp=False
        ),
    ]
    (tmp_path / "odds.json").write_text(json.dumps(odds))
    wrapped = {"timestamp": 1, "data": [event("c", "icehockey_aba", 1_600_000_000, 1_599_999_000)]}
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "wrapped.json").write_text(json.dumps(wrapped))
    sports = [
        {"key": "soccer_aba", "group": "Soccer", "title": "Aba", "description": "x", "active": True, "has_outrights": False},
        {"key": "golf_aba_winner", "group": "Golf", "title": "Aba", "description": "x", "active": True, "has_outrights": True},
    ]  # fmt: skip
    (tmp_path / "sports.json").write_text(json.dumps(sports))
    (tmp_path / "broken.json").write_text("{")
    return tmp_path


@pytest.fixture
def recorded(folder: Path) -> Iterator[FeedCaller]:
    with Sandbox(1, recordings=folder, now=lambda: NOW) as sandbox:
        caller = FeedCaller(sandbox)
        yield caller
        caller.session.close()


def test_sports_are_built_from_the_files(recorded: FeedCaller) -> None:
    rows = {row["key"]: row for row in recorded.get("/sports").json()}
    assert set(rows) == {"soccer_aba", "icehockey_aba"}
    assert rows["icehockey_aba"]["group"] == "Ice Hockey"
    everything = {row["key"]: row["active"] for row in recorded.get("/sports", all="true").json()}
    assert everything["golf_aba_winner"] is False


def test_times_are_moved_to_now_as_a_whole(recorded: FeedCaller) -> None:
    events = {e["id"][0]: e for e in recorded.get("/sports/soccer_aba/odds", regions="uk").json()}
    assert events["a"]["commence_time"] == "2027-01-15T11:00:00Z"
    assert events["b"]["commence_time"] == "2027-01-15T07:00:00Z"
    assert events["a"]["bookmakers"][0]["last_update"] == "2027-01-15T08:00:00Z"
    assert events["b"]["bookmakers"][0]["last_update"] == "2027-01-15T07:50:00Z"
    assert "last_update" not in events["b"]["bookmakers"][0]["markets"][0]


def test_regions_bookmakers_and_lay_prices_are_chosen_as_asked(recorded: FeedCaller) -> None:
    (first, *_) = recorded.get("/sports/soccer_aba/odds", regions="uk").json()
    assert [block["key"] for block in first["bookmakers"]] == ["betfair_ex_uk", "somebody"]
    assert [market["key"] for market in first["bookmakers"][0]["markets"]] == ["h2h", "h2h_lay"]
    (first, *_) = recorded.get("/sports/soccer_aba/odds", bookmakers="draftkings").json()
    assert [block["key"] for block in first["bookmakers"]] == ["draftkings"]
    assert (
        recorded.get("/sports/soccer_aba/odds", regions="uk", markets="totals").json()[0][
            "bookmakers"
        ]
        == []
    )


def test_wrapped_answers_and_unix_times_are_understood(recorded: FeedCaller) -> None:
    (only,) = recorded.get("/sports/icehockey_aba/odds", regions="uk", dateFormat="unix").json()
    assert only["commence_time"] == NOW + 1000
    assert only["bookmakers"][0]["last_update"] == NOW


def test_american_recordings_are_served_in_the_format_that_is_asked_for(tmp_path: Path) -> None:
    told = event("d", "soccer_aba", "2024-03-10T15:00:00Z", "2024-03-10T12:00:00Z")
    for block in told["bookmakers"]:
        for market in block["markets"]:
            market["outcomes"] = [{"name": "Aba", "price": -200}, {"name": "Ceo", "price": 150}]
    (tmp_path / "odds.json").write_text(json.dumps([told]))
    with Sandbox(1, recordings=tmp_path, now=lambda: NOW) as sandbox:
        caller = FeedCaller(sandbox)
        seen = {}
        for form in ("decimal", "american"):
            (only,) = caller.get("/sports/soccer_aba/odds", regions="uk", oddsFormat=form).json()
            outcomes = only["bookmakers"][0]["markets"][0]["outcomes"]
            seen[form] = [outcome["price"] for outcome in outcomes]
        caller.session.close()
    assert seen == {"decimal": [1.5, 2.5], "american": [-200, 150]}


def test_times_can_be_left_as_they_were(folder: Path) -> None:
    with Sandbox(1, recordings=folder, is_shifted=False) as sandbox:
        caller = FeedCaller(sandbox)
        events = caller.get("/sports/soccer_aba/odds", regions="uk").json()
        caller.session.close()
    assert [event["commence_time"] for event in events] == [
        "2024-03-10T11:00:00Z",
        "2024-03-10T15:00:00Z",
    ]
    assert events[1]["bookmakers"][0]["last_update"] == "2024-03-10T12:00:00Z"


def test_the_exchange_serves_recorded_catalogues_and_books_alone(folder: Path) -> None:
    catalogue = {
        "marketId": "1.77", "marketName": "Match Odds", "marketStartTime": "2024-03-10T15:00:00.000Z", "totalMatched": 9.0,
        "description": {"marketType": "MATCH_ODDS", "marketBaseRate": 2.5},
        "runners": [
            {"selectionId": 5, "runnerName": "Aba", "handicap": 0.0, "sortPriority": 1},
            {"selectionId": 6, "runnerName": "Ceo", "handicap": 0.0, "sortPriority": 2},
        ],
        "eventType": {"id": "1", "name": "Soccer"}, "event": {"id": "3", "name": "Aba v Ceo"},
    }  # fmt: skip
    book = {
        "marketId": "1.77", "inplay": False, "status": "SUSPENDED", "version": 8,
        "runners": [{"selectionId": 5, "ex": {"availableToBack": [{"price": 2, "size": 7.5}]}}],
    }  # fmt: skip
    (folder / "catalogue.json").write_text(
        json.dumps({"jsonrpc": "2.0", "result": [catalogue], "id": 1})
    )
    (folder / "book.json").write_text(json.dumps({"jsonrpc": "2.0", "result": [book], "id": 1}))
    with Sandbox(1, recordings=folder, now=lambda: NOW) as sandbox:
        caller = ExchangeCaller(sandbox)
        caller.login()
        projection = ["MARKET_START_TIME", "RUNNER_DESCRIPTION"]
        (row,) = caller.call(
            "listMarketCatalogue", filter={}, maxResults=9, marketProjection=projection
        )
        best = {"priceData": ["EX_BEST_OFFERS"]}
        (shown,) = caller.call("listMarketBook", marketIds=["1.77", "1.78"], priceProjection=best)
        caller.session.close()
    assert row["marketStartTime"] == "2027-01-15T09:00:00.000Z"
    assert [runner["runnerName"] for runner in row["runners"]] == ["Aba", "Ceo"]
    assert (shown["status"], shown["version"]) == ("SUSPENDED", 8)
    first, second = shown["runners"]
    assert first["ex"]["availableToBack"] == [{"price": 2.0, "size": 7.5}]
    assert second["ex"] == {"availableToBack": [], "availableToLay": [], "tradedVolume": []}


def test_a_folder_without_odds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no recorded odds"):
        Sandbox(1, recordings=tmp_path)
