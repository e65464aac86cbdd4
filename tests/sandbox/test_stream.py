"""The stream of the sandbox keeps to the documented format."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path

import pytest
import requests
import trustme

from kos.sandbox import Sandbox, Tls
from kos.sandbox.sessions import PASSWORD, USERNAME
from tests.sandbox.conftest import ExchangeCaller, Json, StreamCaller

DATA = {"ladderLevels": 3, "fields": ["EX_BEST_OFFERS_DISP", "EX_MARKET_DEF"]}


def soccer_ids(exchange: ExchangeCaller, count: int) -> list[str]:
    rows = exchange.call(
        "listMarketCatalogue",
        filter={"eventTypeIds": ["1"], "marketTypeCodes": ["MATCH_ODDS"]},
        sort="FIRST_TO_START",
        maxResults=1000,
    )
    return [row["marketId"] for row in rows[60 : 60 + count]]


def authenticate(stream: StreamCaller, exchange: ExchangeCaller) -> Json:
    assert stream.hear()["op"] == "connection"
    stream.say(
        op="authentication", id=1, appKey=exchange.headers["X-Application"], session=exchange.token
    )
    return stream.hear()


def subscribe(stream: StreamCaller, ids: list[str], **more: Json) -> None:
    stream.say(
        op="marketSubscription",
        id=2,
        marketFilter={"marketIds": ids},
        marketDataFilter=DATA,
        heartbeatMs=500,
        **more,
    )


def test_an_image_with_definitions_and_ladders_then_heartbeats(
    stream: StreamCaller, exchange: ExchangeCaller
) -> None:
    status = authenticate(stream, exchange)
    assert (status["statusCode"], status["connectionClosed"]) == ("SUCCESS", False)
    assert status["connectionsAvailable"] >= 0
    ids = soccer_ids(exchange, 5)
    subscribe(stream, ids)
    assert stream.hear()["id"] == 2
    image = stream.hear()
    assert (image["op"], image["ct"], image["heartbeatMs"]) == ("mcm", "SUB_IMAGE", 500)
    assert {market["id"] for market in image["mc"]} == set(ids)
    for market in image["mc"]:
        assert market["img"] is True
        assert market["marketDefinition"]["status"] in {"OPEN", "SUSPENDED"}
        assert "name" not in market["marketDefinition"]["runners"][0]
        for runner in market["rc"]:
            back, lay = runner.get("bdatb", []), runner.get("bdatl", [])
            assert [level[0] for level in back] == list(range(len(back)))
            assert len(back) <= 3
            if back and lay:
                assert back[0][1] < lay[0][1]
    assert stream.hear_of(ct="HEARTBEAT")["clk"]


def test_changes_are_patches_and_a_resume_continues_them(
    stream: StreamCaller, exchange: ExchangeCaller
) -> None:
    authenticate(stream, exchange)
    ids = soccer_ids(exchange, 40)
    subscribe(stream, ids)
    stream.hear()
    image = stream.hear()
    change = stream.hear_of(op="mcm", id=2)
    while "mc" not in change:
        change = stream.hear()
    assert all("img" not in market for market in change["mc"])
    again = StreamCaller(socket.create_connection(exchange.sandbox.addresses.stream, timeout=10))
    authenticate(again, exchange)
    subscribe(again, ids, initialClk=image["initialClk"], clk=image["clk"])
    assert again.hear()["statusCode"] == "SUCCESS"
    delta = again.hear()
    assert delta["ct"] == "RESUB_DELTA"
    assert all(
        "img" not in market and "marketDefinition" not in market for market in delta.get("mc", [])
    )
    again.close()


def test_clocks_of_another_subscription_are_refused(
    stream: StreamCaller, exchange: ExchangeCaller
) -> None:
    authenticate(stream, exchange)
    subscribe(stream, ["1.1"], initialClk="00000000", clk="T1")
    assert stream.hear()["errorCode"] == "INVALID_CLOCK"


def test_more_than_200_markets_are_refused_and_the_connection_stays(
    stream: StreamCaller, exchange: ExchangeCaller
) -> None:
    authenticate(stream, exchange)
    subscribe(stream, soccer_ids(exchange, 201))
    refused = stream.hear()
    assert (refused["errorCode"], refused["connectionClosed"]) == (
        "SUBSCRIPTION_LIMIT_EXCEEDED",
        False,
    )
    subscribe(stream, soccer_ids(exchange, 1))
    assert stream.hear()["statusCode"] == "SUCCESS"


def test_a_large_image_comes_in_segments(stream: StreamCaller, exchange: ExchangeCaller) -> None:
    authenticate(stream, exchange)
    subscribe(stream, soccer_ids(exchange, 120), segmentationEnabled=True)
    stream.hear()
    parts = [stream.hear() for _ in range(3)]
    assert [part["segmentType"] for part in parts] == ["SEG_START", "SEG", "SEG_END"]
    assert sum(len(part["mc"]) for part in parts) == 120


def test_bad_credentials_and_nonsense_are_refused(sandbox: Sandbox) -> None:
    key = sandbox.addresses.betfair_app_key
    said: list[tuple[Json, str]] = [
        (
            {"op": "authentication", "id": 1, "appKey": key, "session": "old"},
            "INVALID_SESSION_INFORMATION",
        ),
        ({"op": "authentication", "id": 1, "appKey": "nobody", "session": "x"}, "INVALID_APP_KEY"),
        ({"op": "authentication", "id": 1, "appKey": key}, "NO_SESSION"),
        ({"op": "marketSubscription", "id": 1}, "NOT_AUTHORIZED"),
        ({"op": "orderSubscription", "id": 1}, "INVALID_REQUEST"),
    ]
    for message, code in said:
        caller = StreamCaller(socket.create_connection(sandbox.addresses.stream, timeout=10))
        caller.hear()
        caller.say(**message)
        refused = caller.hear()
        assert (refused["statusCode"], refused["errorCode"], refused["connectionClosed"]) == (
            "FAILURE",
            code,
            True,
        )
        assert caller.lines.readline() == b""
        caller.close()


def test_an_idle_connection_is_closed() -> None:
    with Sandbox(7, stream_idle_s=0.1) as sandbox:
        idle = StreamCaller(socket.create_connection(sandbox.addresses.stream, timeout=10))
        idle.hear()
        assert idle.hear()["errorCode"] == "TIMEOUT"
        assert idle.lines.readline() == b""
        idle.close()


def test_several_messages_in_one_packet_and_one_in_many(
    stream: StreamCaller, exchange: ExchangeCaller
) -> None:
    stream.hear()
    say = {
        "op": "authentication",
        "id": 1,
        "appKey": exchange.headers["X-Application"],
        "session": exchange.token,
    }
    both = (
        json.dumps(say).encode()
        + b"\r\n"
        + json.dumps({"op": "heartbeat", "id": 2}).encode()
        + b"\r\n"
    )
    for byte in (both[:10], both[10:40], both[40:]):
        stream.socket.sendall(byte)
    assert [stream.hear()["id"], stream.hear()["id"]] == [1, 2]


def test_faults_reach_the_stream(
    stream: StreamCaller, exchange: ExchangeCaller, sandbox: Sandbox
) -> None:
    authenticate(stream, exchange)
    subscribe(stream, soccer_ids(exchange, 1))
    stream.hear_of(ct="SUB_IMAGE")
    sandbox.fail("stream_503", count=1)
    assert stream.hear_of(status=503)["op"] == "mcm"
    sandbox.fail("stream_image", count=1)
    assert stream.hear_of(ct="SUB_IMAGE")["mc"]
    sandbox.fail("disconnect", service="stream", count=1)
    while stream.lines.readline():
        pass


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("localhost", "client"):
        issued = made.issue_cert(name)
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    return made


def test_tls_with_given_certificates(tmp_path: Path, authority: trustme.CA) -> None:
    pem = str(tmp_path / "localhost.pem")
    with Sandbox(7, tls=Tls(pem, pem)) as sandbox:
        assert sandbox.addresses.stream_is_tls
        context = ssl.create_default_context()
        authority.configure_trust(context)
        raw = socket.create_connection(sandbox.addresses.stream, timeout=10)
        caller = StreamCaller(context.wrap_socket(raw, server_hostname="localhost"))
        assert caller.hear()["op"] == "connection"
        caller.close()


@pytest.mark.usefixtures("authority")
def test_certificate_login_over_tls_asks_for_a_certificate(tmp_path: Path) -> None:
    pem, client, ca = (str(tmp_path / f"{name}.pem") for name in ("localhost", "client", "ca"))
    with Sandbox(7, tls=Tls(pem, pem, client_ca=ca)) as sandbox:
        url = sandbox.betfair_cert_url + "/api/certlogin"
        assert url.startswith("https://localhost:")
        form = {"username": USERNAME, "password": PASSWORD}
        without = requests.post(url, data=form, verify=ca, timeout=10)
        assert without.json() == {"loginStatus": "CERT_AUTH_REQUIRED"}
        given = requests.post(url, data=form, verify=ca, cert=client, timeout=10)
        assert given.json()["loginStatus"] == "SUCCESS"
