"""The odds feed of the sandbox keeps to the documented format."""

from __future__ import annotations

import json
import re
import time

import pytest
import requests

from kos.sandbox import Sandbox
from kos.sandbox.bookmakers import uk_bookmakers
from kos.sandbox.ticks import TICKS
from tests.sandbox.conftest import FeedCaller, Json


def refusal(response: requests.Response) -> tuple[int, str]:
    assert response.text.endswith("\n")
    body = response.json()
    assert set(body) == {"message", "error_code", "details_url"}
    assert body["details_url"].endswith("#" + body["error_code"].lower().replace("_", "-"))
    return response.status_code, body["error_code"]


def test_sports_are_free_and_at_least_66_are_active(client: FeedCaller) -> None:
    answer = client.get("/sports")
    rows = answer.json()
    assert answer.headers["x-requests-last"] == "0"
    assert len(rows) >= 66
    assert all(
        set(row) == {"key", "group", "title", "description", "active", "has_outrights"}
        for row in rows
    )
    assert all(row["active"] for row in rows)
    everything = client.get("/sports", all="true").json()
    assert len(everything) > len(rows)
    assert refusal(client.get("/sports", all="yes")) == (422, "INVALID_ALL_SPORTS_PARAM")


def test_odds_cost_markets_times_regions_and_the_headers_add_up(
    client: FeedCaller, sandbox: Sandbox
) -> None:
    before = int(client.get("/sports").headers["x-requests-used"])
    answer = client.get("/sports/soccer_epl/odds", regions="uk,eu", markets="h2h,totals")
    assert answer.headers["x-requests-last"] == "4"
    used, left = int(answer.headers["x-requests-used"]), int(answer.headers["x-requests-remaining"])
    assert used == before + 4
    assert used + left == 1_000_000
    assert sandbox.credits_used == used


def test_each_started_group_of_ten_bookmakers_costs_as_one_region(client: FeedCaller) -> None:
    keys = [bookmaker.key for bookmaker in uk_bookmakers()]
    ten = client.get("/sports/soccer_epl/odds", bookmakers=",".join(keys[:10]))
    eleven = client.get(
        "/sports/soccer_epl/odds", bookmakers=",".join(keys[:11]), regions="uk,eu,us"
    )
    assert (ten.headers["x-requests-last"], eleven.headers["x-requests-last"]) == ("1", "2")
    seen = {block["key"] for event in ten.json() for block in event["bookmakers"]}
    assert seen <= set(keys[:10])


def test_odds_without_an_event_are_free(client: FeedCaller) -> None:
    answer = client.get(
        "/sports/soccer_epl/odds", regions="uk", commenceTimeFrom="2099-01-01T00:00:00Z"
    )
    assert answer.json() == []
    assert answer.headers["x-requests-last"] == "0"


def test_events_have_the_documented_shape(client: FeedCaller) -> None:
    events: Json = client.get("/sports/soccer_epl/odds", regions="uk").json()
    assert 5 <= len(events) <= 25
    for event in events:
        assert set(event) == {
            "id", "sport_key", "sport_title", "commence_time", "home_team", "away_team", "bookmakers",
        }  # fmt: skip
        assert re.fullmatch(r"[0-9a-f]{32}", event["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["commence_time"])
        for block in event["bookmakers"]:
            assert set(block) == {"key", "title", "last_update", "markets"}
            for market in block["markets"]:
                assert market["key"] in {"h2h", "h2h_lay"}
                names = [outcome["name"] for outcome in market["outcomes"]]
                assert set(names) <= {event["home_team"], event["away_team"], "Draw"}
                assert names == sorted(names, key=lambda name: (name == "Draw", name))
                assert all(set(outcome) == {"name", "price"} for outcome in market["outcomes"])


def test_exchanges_answer_with_lay_prices_on_the_ladder_for_nothing(client: FeedCaller) -> None:
    answer = client.get(
        "/sports/soccer_epl/odds",
        bookmakers="betfair_ex_uk,smarkets,matchbook",
        includeBetLimits="true",
    )
    assert answer.headers["x-requests-last"] == "1"
    lay = [
        outcome
        for event in answer.json()
        for block in event["bookmakers"]
        for market in block["markets"]
        if market["key"] == "h2h_lay"
        for outcome in market["outcomes"]
    ]
    assert lay
    assert all(outcome["price"] in TICKS for outcome in lay)
    assert all("bet_limit" in outcome for outcome in lay)


def test_event_odds_are_one_object_without_bookmaker_stamps(client: FeedCaller) -> None:
    event_id = client.get("/sports/soccer_epl/events").json()[-1]["id"]
    answer = client.get(
        f"/sports/soccer_epl/events/{event_id}/odds", regions="uk", markets="h2h,btts,btts_h1"
    )
    event = answer.json()
    assert event["id"] == event_id
    assert all("last_update" not in block for block in event["bookmakers"])
    returned = {market["key"] for block in event["bookmakers"] for market in block["markets"]} - {
        "h2h_lay"
    }
    assert answer.headers["x-requests-last"] == str(len(returned))


def test_formats_can_be_chosen(client: FeedCaller) -> None:
    events = client.get(
        "/sports/soccer_epl/odds", regions="uk", dateFormat="unix", oddsFormat="american"
    ).json()
    assert all(isinstance(event["commence_time"], int) for event in events)
    prices = [
        outcome["price"]
        for e in events
        for b in e["bookmakers"]
        for m in b["markets"]
        for outcome in m["outcomes"]
    ]
    assert all(isinstance(price, int) and abs(price) >= 100 for price in prices)


def test_numbers_without_a_fraction_are_printed_as_integers(client: FeedCaller) -> None:
    text = client.get("/sports/soccer_epl/odds", regions="uk").text
    prices = re.findall(r'"price":([0-9.]+)', text)
    assert any("." not in price for price in prices)
    assert not any(price.endswith(".0") for price in prices)


def test_upcoming_is_live_games_and_the_next_eight(client: FeedCaller) -> None:
    events = client.get("/sports/upcoming/odds", regions="uk", dateFormat="unix").json()
    now = time.time()
    assert sum(event["commence_time"] > now for event in events) == 8


def test_scores_cost_one_or_two(client: FeedCaller) -> None:
    assert client.get("/sports/soccer_epl/scores").headers["x-requests-last"] == "1"
    answer = client.get("/sports/soccer_epl/scores", daysFrom="3")
    assert answer.headers["x-requests-last"] == "2"
    for row in answer.json():
        assert set(row) == {
            "id", "sport_key", "sport_title", "commence_time", "completed", "home_team", "away_team", "scores", "last_update",
        }  # fmt: skip
        assert (row["scores"] is None) == (row["last_update"] is None)


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/sports/soccer_moon/odds", {"regions": "nowhere"}, (404, "UNKNOWN_SPORT")),
        ("/sports/soccer_epl/odds", {}, (422, "MISSING_REGION")),
        ("/sports/soccer_epl/odds", {"regions": "mars"}, (422, "INVALID_REGION")),
        ("/sports/soccer_epl/odds", {"bookmakers": "Not A Key"}, (422, "INVALID_BOOKMAKERS")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "markets": "not_a_market"}, (422, "INVALID_MARKET")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "markets": "btts"}, (422, "INVALID_MARKET")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "markets": "outrights"}, (422, "INVALID_MARKET_COMBO")),
        ("/sports/basketball_nba_championship_winner/odds", {"regions": "uk", "markets": "h2h"}, (422, "INVALID_MARKET_COMBO")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "dateFormat": "new"}, (422, "INVALID_DATE_FORMAT")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "oddsFormat": "new"}, (422, "INVALID_ODDS_FORMAT")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "eventIds": "abc"}, (422, "INVALID_EVENT_IDS")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "commenceTimeTo": "soon"}, (422, "INVALID_COMMENCE_TIME_TO")),
        ("/sports/soccer_epl/odds", {"regions": "uk", "includeBetLimits": "1"}, (422, "INVALID_INCLUDE_BET_LIMITS")),
        ("/sports/soccer_epl/events/abc/odds", {"regions": "uk"}, (422, "INVALID_EVENT_ID")),
        ("/sports/soccer_epl/events/" + "0" * 32 + "/odds", {"regions": "uk"}, (404, "EVENT_NOT_FOUND")),
        ("/sports/soccer_epl/scores", {"daysFrom": "9"}, (422, "INVALID_SCORES_DAYS_FROM")),
    ],
)  # fmt: skip
def test_refusals_name_their_code_and_cost_nothing(
    client: FeedCaller, path: str, params: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = client.get(path, **params)
    assert refusal(answer) == expected
    assert answer.headers["x-requests-last"] == "0"


def test_an_invalid_key_is_refused_without_a_balance(client: FeedCaller) -> None:
    answer = client.get("/sports", key="nobody")
    assert refusal(answer) == (401, "INVALID_KEY")
    assert "x-requests-remaining" not in answer.headers
    assert refusal(client.get("/sports", key="")) == (401, "MISSING_KEY")


def test_a_free_key_has_no_historical_odds(client: FeedCaller, sandbox: Sandbox) -> None:
    path = "/historical/sports/soccer_epl/odds"
    free = client.get(path, key=sandbox.addresses.free_api_key, date="2026-01-01T00:00:00Z")
    assert refusal(free) == (401, "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN")
    assert (
        client.get(path, date="2026-01-01T00:03:00Z").json()["timestamp"] == "2026-01-01T00:00:00Z"
    )


def test_credits_run_out_and_free_calls_go_on() -> None:
    with Sandbox(7, credits_a_month=2) as poor:
        client = FeedCaller(poor)
        assert client.get("/sports/soccer_epl/odds", regions="uk,eu").status_code == 200
        assert refusal(client.get("/sports/soccer_epl/odds", regions="uk")) == (
            401,
            "OUT_OF_USAGE_CREDITS",
        )
        assert client.get("/sports").headers["x-requests-remaining"] == "0"
        client.session.close()


def test_more_than_thirty_calls_a_second_are_refused() -> None:
    now = [1_800_000_000.0]
    with Sandbox(7, now=lambda: now[0]) as sandbox:
        client = FeedCaller(sandbox)
        assert {client.get("/sports").status_code for _ in range(30)} == {200}
        assert refusal(client.get("/sports")) == (429, "EXCEEDED_FREQ_LIMIT")
        now[0] += 1.01
        assert client.get("/sports").status_code == 200
        client.session.close()


def test_bodies_are_gzipped_for_those_who_take_it(client: FeedCaller) -> None:
    assert client.get("/sports").headers["Content-Encoding"] == "gzip"
    plain = client.session.get(
        f"{client.sandbox.odds_api_url}/v4/sports",
        params={"apiKey": client.sandbox.api_key},
        headers={"Accept-Encoding": "identity"},
        timeout=10,
    )
    assert "Content-Encoding" not in plain.headers
    assert json.loads(plain.content)


def test_the_same_seed_and_time_give_the_same_answer() -> None:
    def at_noon() -> float:
        return 1_800_000_000.0

    bodies = []
    for seed in (3, 3, 4):
        with Sandbox(seed, now=at_noon) as sandbox:
            client = FeedCaller(sandbox)
            bodies.append(client.get("/sports/tennis_atp_dubai/odds", regions="uk").text)
            client.session.close()
    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]
