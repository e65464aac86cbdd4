"""The exchange of the sandbox keeps to the documented format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kos.sandbox import Sandbox
from kos.sandbox.betfair import weight
from kos.sandbox.sessions import PASSWORD, USERNAME
from kos.sandbox.ticks import TICKS
from tests.sandbox.conftest import ExchangeCaller, FeedCaller, Json

BEST = {"priceData": ["EX_BEST_OFFERS"], "virtualise": True}
FULL = ["COMPETITION", "EVENT", "EVENT_TYPE", "MARKET_START_TIME", "RUNNER_DESCRIPTION"]


def match_odds(exchange: ExchangeCaller, *event_types: str, **more: Json) -> list[Json]:
    wanted = {"eventTypeIds": list(event_types), "marketTypeCodes": ["MATCH_ODDS", "MONEY_LINE"]}
    rows: list[Json] = exchange.call(
        "listMarketCatalogue",
        filter={**wanted, **more},
        marketProjection=FULL,
        sort="FIRST_TO_START",
        maxResults=1000,
    )
    return rows


def test_certificate_login_gives_a_token_or_the_reason(sandbox: Sandbox) -> None:
    caller = ExchangeCaller(sandbox)
    bad = caller.post("/api/certlogin", form={"username": USERNAME, "password": "wrong"})
    assert (bad.status_code, bad.json()) == (200, {"loginStatus": "INVALID_USERNAME_OR_PASSWORD"})
    assert caller.login()
    caller.session.close()


def test_interactive_login_answers_html_to_those_who_do_not_ask_for_json(
    exchange: ExchangeCaller,
) -> None:
    form = {"username": USERNAME, "password": PASSWORD}
    body = exchange.post("/api/login", form=form).json()
    assert set(body) == {"token", "product", "status", "error"}
    assert (body["status"], body["error"]) == ("SUCCESS", "")
    exchange.headers["Accept"] = "*/*"
    assert exchange.post("/api/login", form=form).headers["Content-Type"] == "text/html"


def test_a_hundred_logins_a_minute_bar_the_next() -> None:
    with Sandbox(1, now=lambda: 1_800_000_000.0) as sandbox:
        given = [sandbox.sessions.login(USERNAME, PASSWORD)[1] for _ in range(101)]
        assert given == ["SUCCESS"] * 100 + ["TEMPORARY_BAN_TOO_MANY_REQUESTS"]


def test_keep_alive_and_logout(exchange: ExchangeCaller) -> None:
    assert exchange.post("/api/keepAlive").json()["status"] == "SUCCESS"
    assert exchange.post("/api/logout").json()["status"] == "SUCCESS"
    gone = exchange.post("/api/keepAlive").json()
    assert (gone["status"], gone["error"]) == ("FAIL", "NO_SESSION")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X-Application": ""}, "NO_APP_KEY"),
        ({"X-Application": "nobody"}, "INVALID_APP_KEY"),
        ({"X-Authentication": ""}, "NO_SESSION"),
        ({"X-Authentication": "old"}, "INVALID_SESSION_INFORMATION"),
    ],
)
def test_calls_need_a_key_and_a_session(
    exchange: ExchangeCaller, headers: dict[str, str], code: str
) -> None:
    exchange.headers.update(headers)
    assert exchange.error("listEventTypes", filter={}) == code


def test_sessions_expire_on_command(exchange: ExchangeCaller, sandbox: Sandbox) -> None:
    rule = sandbox.fail("expired_session", service="betfair", count=1)
    assert exchange.error("listEventTypes", filter={}) == "INVALID_SESSION_INFORMATION"
    exchange.login()
    assert exchange.call("listEventTypes", filter={})
    assert rule.hits == 1


def test_event_types_have_the_exchange_s_own_numbers(exchange: ExchangeCaller) -> None:
    types = {
        row["eventType"]["name"]: row["eventType"]["id"]
        for row in exchange.call("listEventTypes", filter={})
    }
    assert types["Soccer"] == "1"
    assert types["Tennis"] == "2"
    assert types["Basketball"] == "7522"
    assert types["Mixed Martial Arts"] == "26420387"


def test_soccer_has_three_runners_with_the_draw_last(exchange: ExchangeCaller) -> None:
    rows = match_odds(exchange, "1", competitionIds=[])
    played = [row for row in rows if row["competition"]["name"] != "xxDNDxx"]
    assert len(played) > 300
    for row in played:
        first, second, draw = row["runners"]
        assert (draw["selectionId"], draw["runnerName"], draw["sortPriority"]) == (
            58805,
            "The Draw",
            3,
        )
        assert row["event"]["name"] == f"{first['runnerName']} v {second['runnerName']}"


def test_american_games_are_away_at_home_with_the_away_side_first(exchange: ExchangeCaller) -> None:
    rows = match_odds(exchange, "7524", marketTypeCodes=["MONEY_LINE"])
    assert rows
    for row in rows:
        away, home = row["event"]["name"].split(" @ ")
        assert [runner["runnerName"] for runner in row["runners"]] == [away, home]


def test_catalogue_is_sorted_and_filtered_by_start(exchange: ExchangeCaller) -> None:
    end = (datetime.now(UTC) + timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = match_odds(exchange, "1", marketStartTime={"to": end})
    starts = [row["marketStartTime"] for row in rows]
    assert starts == sorted(starts)
    assert all(start[:19] <= end[:19] for start in starts)


def test_catalogue_weights_and_bounds(exchange: ExchangeCaller) -> None:
    heavy = ["MARKET_DESCRIPTION", "RUNNER_METADATA"]
    assert (
        len(exchange.call("listMarketCatalogue", filter={}, marketProjection=heavy, maxResults=100))
        == 100
    )
    assert (
        exchange.error("listMarketCatalogue", filter={}, marketProjection=heavy, maxResults=101)
        == "TOO_MUCH_DATA"
    )
    assert exchange.error("listMarketCatalogue", filter={}) == "DSC-0018"
    assert exchange.error("listMarketCatalogue", filter={}, maxResults=1001) == "INVALID_INPUT_DATA"
    assert exchange.error("listMarketCatalogue", filter={}, maxResults=1, sort="UP") == "DSC-0009"


def test_description_carries_commission_and_ladder(exchange: ExchangeCaller) -> None:
    row = exchange.call(
        "listMarketCatalogue", filter={}, marketProjection=["MARKET_DESCRIPTION"], maxResults=1
    )[0]
    assert row["description"]["marketBaseRate"] in {2.0, 5.0, 6.0}
    assert row["description"]["priceLadderDescription"] == {"type": "CLASSIC"}


def test_books_have_three_levels_on_the_ladder_with_lay_above_back(
    exchange: ExchangeCaller,
) -> None:
    ids = [row["marketId"] for row in match_odds(exchange, "1", "2", "7522")][20:60]
    books = exchange.call("listMarketBook", marketIds=ids, priceProjection=BEST)
    assert {book["marketId"] for book in books} == set(ids)
    deep = 0
    for book in books:
        for runner in book["runners"]:
            back = [level["price"] for level in runner["ex"]["availableToBack"]]
            lay = [level["price"] for level in runner["ex"]["availableToLay"]]
            assert back == sorted(back, reverse=True)
            assert lay == sorted(lay)
            assert set(back + lay) <= set(TICKS)
            if back and lay:
                assert back[0] < lay[0]
            deep += len(back) == 3 and len(lay) == 3
    assert deep > 60


@pytest.mark.parametrize(
    ("data", "depth", "most"),
    [
        ([], 3, 100),
        (["EX_BEST_OFFERS"], 3, 40),
        (["EX_BEST_OFFERS"], 1, 120),
        (["EX_BEST_OFFERS"], 2, 60),
        (["EX_BEST_OFFERS"], 10, 12),
        (["EX_ALL_OFFERS"], 3, 11),
        (["EX_BEST_OFFERS", "EX_TRADED"], 3, 10),
        (["EX_ALL_OFFERS", "EX_TRADED"], 3, 6),
        (["SP_AVAILABLE"], 3, 66),
    ],
)
def test_data_weights_are_the_documented_ones(data: list[str], depth: int, most: int) -> None:
    assert int(200 / weight(frozenset(data), depth)) == most


def test_too_much_data_is_refused(exchange: ExchangeCaller) -> None:
    ids = [f"1.{number}" for number in range(300_000_000, 300_000_300)]
    assert (
        exchange.error("listMarketBook", marketIds=ids[:41], priceProjection=BEST)
        == "TOO_MUCH_DATA"
    )
    assert exchange.error("listMarketBook", marketIds=ids[:251]) == "REQUEST_SIZE_EXCEEDS_LIMIT"
    assert exchange.error("listMarketBook") == "DSC-0018"
    assert exchange.call("listMarketBook", marketIds=ids[:40], priceProjection=BEST) == []


def test_asking_one_market_more_than_five_times_a_second_is_refused() -> None:
    with Sandbox(7, now=lambda: 1_800_000_000.0) as sandbox:
        caller = ExchangeCaller(sandbox)
        caller.login()
        for _ in range(5):
            caller.call("listMarketBook", marketIds=["1.1"])
        assert caller.error("listMarketBook", marketIds=["1.1"]) == "TOO_MANY_REQUESTS"
        caller.session.close()


def test_virtual_prices_are_never_worse() -> None:
    with Sandbox(7, now=lambda: 1_800_000_000.0) as sandbox:
        caller = ExchangeCaller(sandbox)
        caller.login()
        ids = [row["marketId"] for row in match_odds(caller, "1")][:40]
        plain = caller.call(
            "listMarketBook", marketIds=ids, priceProjection={"priceData": ["EX_BEST_OFFERS"]}
        )
        virtual = caller.call("listMarketBook", marketIds=ids, priceProjection=BEST)
        caller.session.close()
    better = 0
    for one, two in zip(plain, virtual, strict=True):
        for worse, good in zip(one["runners"], two["runners"], strict=True):
            for side, sign in (("availableToBack", 1), ("availableToLay", -1)):
                if worse["ex"][side] and good["ex"][side]:
                    gain = (good["ex"][side][0]["price"] - worse["ex"][side][0]["price"]) * sign
                    assert gain >= 0
                    better += gain > 0
    assert better > 20


def test_a_delayed_key_says_so_and_sees_the_last_whole_minute(sandbox: Sandbox) -> None:
    caller = ExchangeCaller(sandbox, sandbox.addresses.betfair_delayed_app_key)
    caller.login()
    market_id = match_odds(caller, "1")[50]["marketId"]
    assert caller.call("listMarketBook", marketIds=[market_id])[0]["isMarketDataDelayed"] is True
    caller.session.close()


def test_a_settled_market_is_dropped_beside_open_ones_and_shown_alone() -> None:
    at = [1_800_000_000.0]
    with Sandbox(7, now=lambda: at[0]) as sandbox:
        over = next(
            f for f in sandbox.world.on_exchange(at[0]) if f.goes_in_play and f.kind == "plain"
        )
        market_id = f"1.{200_000_000 + over.uid * 4}"
        at[0] = over.ends_at + 60
        caller = ExchangeCaller(sandbox)
        caller.login()
        fresh = match_odds(caller, "1")[-2]["marketId"]
        assert [
            book["marketId"] for book in caller.call("listMarketBook", marketIds=[market_id, fresh])
        ] == [fresh]
        (settled,) = caller.call("listMarketBook", marketIds=[market_id])
        assert settled["status"] == "CLOSED"
        assert [runner["status"] for runner in settled["runners"]].count("WINNER") == 1
        caller.session.close()


def test_json_rpc_takes_arrays(exchange: ExchangeCaller) -> None:
    calls = [
        {
            "jsonrpc": "2.0",
            "method": "SportsAPING/v1.0/listEventTypes",
            "params": {"filter": {}},
            "id": 1,
        },
        {"jsonrpc": "2.0", "method": "SportsAPING/v1.0/listNothing", "params": {}, "id": 2},
    ]
    first, second = exchange.post("/exchange/betting/json-rpc/v1", calls).json()
    assert first["result"]
    assert second["error"] == {"code": -32601, "message": "DSC-0021"}


def test_rest_answers_bare_results_and_faults(exchange: ExchangeCaller) -> None:
    path = "/exchange/betting/rest/v1.0/"
    assert exchange.post(path + "listEventTypes/", {"filter": {}}).json()[0]["eventType"]
    bad = exchange.post(
        path + "listMarketBook/", {"marketIds": ["1.1"] * 41, "priceProjection": BEST}
    )
    assert bad.status_code == 400
    assert bad.json()["detail"]["APINGException"]["errorCode"] == "TOO_MUCH_DATA"
    missing = exchange.post(path + "listEvents/", {})
    assert missing.json() == {"faultcode": "Client", "faultstring": "DSC-0018", "detail": {}}


@pytest.mark.parametrize(
    "operation", ["placeOrders", "cancelOrders", "replaceOrders", "updateOrders"]
)
def test_there_is_no_operation_that_bets(exchange: ExchangeCaller, operation: str) -> None:
    assert exchange.error(operation) == "DSC-0021"


def test_the_menu_holds_the_markets(exchange: ExchangeCaller) -> None:
    url = exchange.sandbox.betfair_url + "/exchange/betting/rest/v1/en/navigation/menu.json"
    root = exchange.session.get(url, headers=exchange.headers, timeout=10).json()
    assert root["id"] == 0
    assert {"EVENT_TYPE"} == {node["type"] for node in root["children"]}
    market = root["children"][0]["children"][0]["children"][0]["children"][0]
    assert (market["type"], market["exchangeId"]) == ("MARKET", "1")


def test_both_services_show_the_same_exchange_price() -> None:
    with Sandbox(7, now=lambda: 1_800_000_000.0) as sandbox:
        feed, caller = FeedCaller(sandbox), ExchangeCaller(sandbox)
        caller.login()
        books = {row["marketId"]: row for row in match_odds(caller, "1")}
        events = feed.get("/sports/soccer_spain_la_liga/odds", bookmakers="betfair_ex_uk").json()
        near = 0
        for event in (event for event in events if event["bookmakers"]):
            fixture = next(
                f for f in sandbox.world.on_exchange(1_800_000_000.0) if f.feed_id == event["id"]
            )
            market_id = f"1.{200_000_000 + fixture.uid * 4}"
            assert market_id in books
            (book,) = caller.call("listMarketBook", marketIds=[market_id], priceProjection=BEST)
            seen = {o["name"]: o["price"] for o in event["bookmakers"][0]["markets"][0]["outcomes"]}
            for side, runner in zip(
                (fixture.home.feed, fixture.away.feed), book["runners"], strict=False
            ):
                near += abs(seen[side] / runner["ex"]["availableToBack"][0]["price"] - 1) < 0.1
        feed.session.close()
        caller.session.close()
    assert near >= 12
