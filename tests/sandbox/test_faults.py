"""Each fault does what it says, as often as it says."""

from __future__ import annotations

import zlib

import pytest
import requests

from kos.sandbox import Fault, Sandbox
from kos.sandbox.faults import Faults
from tests.sandbox.conftest import ExchangeCaller, FeedCaller

EPL = "/sports/soccer_epl/odds"


def test_slow_answers_come_whole(client: FeedCaller, sandbox: Sandbox) -> None:
    sandbox.fail("slow", delay_s=0.05, count=1)
    assert client.get(EPL, regions="uk").json()


@pytest.mark.parametrize("wait", [None, 3.0])
def test_rate_limits_may_name_a_wait(
    client: FeedCaller, sandbox: Sandbox, wait: float | None
) -> None:
    sandbox.fail("rate_limit", count=1, retry_after_s=wait)
    answer = client.get("/sports")
    assert (answer.status_code, answer.json()["error_code"]) == (429, "EXCEEDED_FREQ_LIMIT")
    assert answer.headers.get("Retry-After") == (None if wait is None else "3")
    assert client.get("/sports").status_code == 200


def test_server_errors_and_pages_are_no_json(client: FeedCaller, sandbox: Sandbox) -> None:
    sandbox.fail("server_error", status=503, count=1)
    sandbox.fail("html", count=1)
    assert client.get("/sports").status_code == 503
    page = client.get("/sports")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")


@pytest.mark.parametrize(
    ("kind", "errors"),
    [
        (
            "cut_body",
            (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError),
        ),
        ("disconnect", (requests.exceptions.ConnectionError,)),
        ("garbage", (requests.exceptions.JSONDecodeError,)),
    ],
)
def test_broken_bodies_break(
    client: FeedCaller, sandbox: Sandbox, kind: str, errors: tuple[type[Exception], ...]
) -> None:
    sandbox.fail(kind, count=1)
    with pytest.raises(errors):
        client.get(EPL, regions="uk").json()
    assert client.get(EPL, regions="uk").json()


def test_a_cut_gzip_stream_arrives_with_its_full_length(
    client: FeedCaller, sandbox: Sandbox
) -> None:
    sandbox.fail("cut_gzip", count=1)
    url = f"{sandbox.odds_api_url}/v4{EPL}"
    answer = client.session.get(
        url, params={"apiKey": sandbox.api_key, "regions": "uk"}, stream=True, timeout=10
    )
    raw = answer.raw.read(decode_content=False)
    unzip = zlib.decompressobj(wbits=31)
    unzip.decompress(raw)
    assert not unzip.eof
    answer.close()


def test_empty_answers_are_well_formed(
    client: FeedCaller, exchange: ExchangeCaller, sandbox: Sandbox
) -> None:
    sandbox.fail("empty")
    assert client.get(EPL, regions="uk").json() == []
    assert exchange.call("listEventTypes", filter={}) == []


def test_stale_prices_stand_still() -> None:
    at = [1_800_000_000.0]
    with Sandbox(7, now=lambda: at[0]) as sandbox:
        caller = FeedCaller(sandbox)
        before = caller.get(EPL, regions="uk").text
        sandbox.fail("stale", count=1)
        at[0] += 300
        assert caller.get(EPL, regions="uk").text == before
        assert caller.get(EPL, regions="uk").text != before
        caller.session.close()


def test_credits_end_on_demand(client: FeedCaller, sandbox: Sandbox) -> None:
    sandbox.fail("out_of_credits", path="/odds", count=1)
    assert client.get("/sports").status_code == 200
    answer = client.get(EPL, regions="uk")
    assert (answer.status_code, answer.json()["error_code"]) == (401, "OUT_OF_USAGE_CREDITS")


def test_a_closed_port_refuses_and_opens_at_the_same_address() -> None:
    with Sandbox(7) as sandbox:
        caller = FeedCaller(sandbox)
        url = sandbox.odds_api_url
        assert caller.get("/sports").status_code == 200
        sandbox.refuse("odds_api")
        with pytest.raises(requests.exceptions.ConnectionError):
            caller.get("/sports")
        sandbox.accept("odds_api")
        assert sandbox.odds_api_url == url
        assert caller.get("/sports").status_code == 200
        caller.session.close()


def test_a_port_closed_for_a_time_opens_again() -> None:
    with Sandbox(7) as sandbox:
        caller = ExchangeCaller(sandbox)
        url = sandbox.odds_api_url + "/__sandbox__/faults"
        rule = {"kind": "refused", "service": "betfair", "seconds": 0.3}
        assert caller.session.post(url, json=rule, timeout=10).status_code == 200
        outcomes: list[str] = []
        while outcomes[-2:] != ["refused", "served"]:
            try:
                caller.post("/api/keepAlive")
                outcomes.append("served")
            except requests.exceptions.ConnectionError:
                outcomes.append("refused")
        caller.session.close()


def test_faults_can_be_set_over_http_and_name_what_is_wrong(
    client: FeedCaller, sandbox: Sandbox
) -> None:
    url = sandbox.odds_api_url + "/__sandbox__/faults"
    given = client.session.post(
        url, json={"kind": "server_error", "service": "odds_api", "count": 2}, timeout=10
    )
    assert [rule["kind"] for rule in given.json()] == ["server_error"]
    assert client.get("/sports").status_code == 500
    assert client.session.delete(url, timeout=10).json() == []
    assert client.get("/sports").status_code == 200
    refused = client.session.post(url, json={"kind": "earthquake"}, timeout=10)
    assert (refused.status_code, "earthquake" in refused.json()["message"]) == (400, True)


def test_a_rule_waits_for_a_service_that_it_means(client: FeedCaller, sandbox: Sandbox) -> None:
    rules = [sandbox.fail("expired_session", count=1), sandbox.fail("stream_503", count=1)]
    assert client.get("/sports").status_code == 200
    assert [rule.hits for rule in rules] == [0, 0]


def test_rules_end_by_count_by_time_and_by_path() -> None:
    at = [0.0]
    faults = Faults(now=lambda: at[0])
    faults.add(Fault("slow", path="/odds", count=1))
    faults.add(Fault("html", service="betfair", seconds=5))
    assert faults.strike("odds_api", "/v4/sports") is None
    assert faults.strike("odds_api", "/v4/sports/x/odds") is not None
    assert faults.strike("odds_api", "/v4/sports/x/odds") is None
    at[0] = 4.9
    assert faults.strike("betfair", "listEvents") is not None
    at[0] = 5.0
    assert faults.strike("betfair", "listEvents") is None
    assert faults.rules() == ()


def test_rules_with_a_probability_hit_some_calls() -> None:
    faults = Faults(seed=3)
    rule = faults.add(Fault("slow", probability=0.3))
    for _ in range(400):
        faults.strike("odds_api", "/")
    assert 80 < rule.hits < 160


def test_calls_and_faults_are_counted_per_endpoint() -> None:
    with Sandbox(7) as sandbox:
        caller = FeedCaller(sandbox)
        caller.get(EPL, regions="uk")
        caller.get(EPL, regions="uk")
        sandbox.fail("html", count=1)
        caller.get("/sports")
        counted = caller.session.get(
            sandbox.odds_api_url + "/__sandbox__/counters", timeout=10
        ).json()
        caller.session.close()
        assert counted == sandbox.counters.snapshot()
    assert counted["odds_api./v4/sports/soccer_epl/odds"] == 2
    assert counted["odds_api.calls"] == 3
    assert counted["fault.html"] == 1
