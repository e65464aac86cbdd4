from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kos.adapters.betfair.client import described
from kos.adapters.betfair.payloads import MarketDescription
from kos.errors import AccessRefused, KosBug, RateLimited, RemoteUnavailable
from tests.adapters.betfair.conftest import Desk
from tests.adapters.betfair.server import (
    Raw,
    book_entry,
    catalogue_entry,
    page,
    rest_fault,
    rpc_error,
    transport_error,
)

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
KICKOFF = "2026-11-28T15:00:00.000Z"


def test_a_window_of_the_catalogue_is_one_call_per_market_type(desk: Desk) -> None:
    desk.fake.markets = {
        "a": catalogue_entry(101, KICKOFF),
        "b": catalogue_entry(102, KICKOFF, market_type="DRAW_NO_BET"),
        "later": catalogue_entry(103, "2026-12-28T15:00:00.000Z"),
        "other sport": catalogue_entry(104, KICKOFF, sport="2"),
    }
    answer = desk.client.catalogue(
        "1", ("MATCH_ODDS", "DRAW_NO_BET"), START, START + timedelta(days=1)
    )
    assert [(m.market_id, m.market_type) for m in answer.markets] == [
        ("1.101", "MATCH_ODDS"),
        ("1.102", "DRAW_NO_BET"),
    ]
    assert len(desk.fake.calls) == 2
    assert answer.drops == ()
    market = answer.markets[0]
    assert market.kickoff == datetime(2026, 11, 28, 15, tzinfo=UTC)
    assert market.competition == "Northern League"
    assert [runner.name for runner in market.runners] == ["Home 101", "Away 101", "The Draw"]
    assert market.base_rate is None


def test_a_window_with_more_than_a_thousand_markets_is_split_until_all_are_read(
    desk: Desk,
) -> None:
    for number in range(1_100, 2_400):
        at = START + timedelta(minutes=number % 97)
        desk.fake.markets[str(number)] = catalogue_entry(
            number, at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        )
    answer = desk.client.catalogue("1", ("MATCH_ODDS",), START, START + timedelta(hours=2))
    assert {market.market_id for market in answer.markets} == {
        f"1.{number}" for number in range(1_100, 2_400)
    }
    assert len(answer.markets) == 1_300
    assert len(desk.fake.calls) == 3


def test_a_minute_with_more_markets_than_one_call_brings_is_said(desk: Desk) -> None:
    desk.fake.markets = {str(n): catalogue_entry(n, KICKOFF) for n in range(1_000, 2_050)}
    at = datetime(2026, 11, 28, 15, tzinfo=UTC)
    answer = desk.client.catalogue("1", ("MATCH_ODDS",), at, at + timedelta(minutes=1))
    assert len(answer.markets) == 1_000
    assert [drop.reason for drop in answer.drops] == ["more markets than one call can bring"]


def test_a_server_that_finds_every_window_too_much_is_not_asked_without_end(desk: Desk) -> None:
    desk.fake.next_answers = [rpc_error("SERVICE_BUSY"), rpc_error("TOO_MUCH_DATA")] * 200
    end = START + timedelta(days=64)
    answer = desk.client.catalogue("1", ("MATCH_ODDS",), START, end)
    assert answer.markets == ()
    assert answer.drops
    # 64 calls with their repeats, then once more each window that was left, at most one a halving.
    assert 64 <= len(desk.fake.calls) <= 64 + 2 * 18


def test_descriptions_come_in_batches_under_the_weight_limit(desk: Desk) -> None:
    ids = [f"1.{number}" for number in range(1_000, 1_400)]
    desk.fake.markets = {str(n): catalogue_entry(n, KICKOFF) for n in range(1_000, 1_400)}
    answer = desk.client.descriptions(ids)
    assert set(answer.descriptions) == set(ids)
    assert answer.descriptions["1.1000"].base_rate == Decimal("0.025")
    assert [len(params["filter"]["marketIds"]) for _, params in desk.fake.calls] == [190, 190, 20]


def test_books_come_in_maximal_batches_and_are_matched_by_market_id(desk: Desk) -> None:
    ids = [f"1.{number}" for number in range(1_000, 1_080)]
    desk.fake.books = {id_: book_entry(int(id_[2:])) for id_ in ids}
    answer = desk.client.books(ids)
    assert {book.market_id for book in answer.books} == set(ids)
    assert [len(params["marketIds"]) for _, params in desk.fake.calls] == [38, 38, 4]
    projection = desk.fake.calls[0][1]["priceProjection"]
    assert projection["virtualise"] is True
    assert projection["priceData"] == ["EX_BEST_OFFERS"]
    lay = answer.books[0].runners[0].to_lay
    assert [(level.price, level.size) for level in lay] == [
        (Decimal("2.12"), Decimal("7.05")),
        (Decimal("2.14"), Decimal(90)),
    ]


def test_too_much_data_halves_the_batch_and_is_remembered(desk: Desk) -> None:
    desk.fake.weight_limit = 100
    ids = [f"1.{number}" for number in range(1_000, 1_038)]
    desk.fake.books = {id_: book_entry(int(id_[2:])) for id_ in ids}
    assert {book.market_id for book in desk.client.books(ids).books} == set(ids)
    assert desk.client.books_per_call == 19
    desk.fake.calls.clear()
    desk.client.books(ids)
    assert [len(params["marketIds"]) for _, params in desk.fake.calls] == [19, 19]


def test_one_market_that_is_too_much_is_an_error_and_no_endless_halving(desk: Desk) -> None:
    desk.fake.weight_limit = 0
    with pytest.raises(RemoteUnavailable, match="TOO_MUCH_DATA"):
        desk.client.books(["1.1", "1.2"])


def test_closed_and_unknown_markets_are_simply_absent(desk: Desk) -> None:
    desk.fake.books = {"1.1": book_entry(1)}
    answer = desk.client.books(["1.1", "1.2"])
    assert [book.market_id for book in answer.books] == ["1.1"]
    assert answer.unread == ()


def test_an_id_in_a_wrong_form_is_not_sent_as_it_would_sink_the_batch(desk: Desk) -> None:
    desk.fake.books = {"1.1": book_entry(1)}
    answer = desk.client.books(["1.1", "1.x", "", "1.1"])
    assert desk.fake.calls[0][1]["marketIds"] == ["1.1"]
    assert len(answer.drops) == 2


def test_a_delayed_key_marks_its_prices(desk: Desk) -> None:
    silent = book_entry(2)
    del silent["isMarketDataDelayed"]
    desk.fake.books = {"1.1": book_entry(1, isMarketDataDelayed=True), "1.2": silent}
    assert [book.is_delayed for book in desk.client.books(["1.1", "1.2"]).books] == [True, True]


def test_an_ended_session_is_renewed_once_and_the_call_repeated(desk: Desk) -> None:
    desk.fake.books = {"1.1": book_entry(1)}
    desk.client.books(["1.1"])
    desk.fake.expire_sessions()
    assert len(desk.client.books(["1.1"]).books) == 1
    assert len(desk.fake.logins) == 2


@pytest.mark.parametrize("code", ["INVALID_SESSION_INFORMATION", "NO_SESSION"])
def test_a_fresh_session_that_is_refused_too_is_no_reason_to_log_in_again(
    desk: Desk, code: str
) -> None:
    desk.fake.next_answers = [rpc_error(code), rpc_error(code)]
    with pytest.raises(RemoteUnavailable, match=code):
        desk.client.books(["1.1"])
    assert len(desk.fake.logins) == 2


@pytest.mark.parametrize(
    "fault",
    [
        rpc_error("SERVICE_BUSY"),
        rpc_error("UNEXPECTED_ERROR"),
        rpc_error("TIMEOUT_ERROR"),
        rpc_error("", "ANGX-0009"),
        rpc_error("NEVER_SEEN_BEFORE"),
        rest_fault("SERVICE_BUSY", "ANGX-0009", 500),
        rest_fault("", "DSC-0019", 504),
        transport_error("DSC-0024"),
        page(200),
        page(403),
        page(503),
        Raw(200, b'{"jsonrpc":"2.0","id":1}'),
        Raw(200, b'{"jsonrpc":"2.0","result":[],"id":999}'),
        Raw(200, b'{"jsonrpc":"2.0","result":['),
        Raw(200, b""),
    ],
)
def test_what_can_mend_is_tried_again_after_a_wait(desk: Desk, fault: Raw) -> None:
    desk.fake.books = {"1.1": book_entry(1)}
    desk.fake.next_answers = [fault]
    answer = desk.client.books(["1.1"])
    assert len(answer.books) == 1
    assert len(desk.fake.calls) == 2
    assert len(desk.time.slept) == 1


def test_what_does_not_mend_is_given_up_after_three_tries(desk: Desk) -> None:
    desk.fake.next_answers = [page(503)] * 9
    with pytest.raises(RemoteUnavailable, match="HTTP-503"):
        desk.client.books(["1.1"])
    assert len(desk.fake.calls) == 3


def test_too_many_requests_asks_for_fewer_calls(desk: Desk) -> None:
    desk.fake.next_answers = [rpc_error("TOO_MANY_REQUESTS", "ANGX-0008")] * 3
    with pytest.raises(RateLimited):
        desk.client.books(["1.1"])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (rpc_error("NO_APP_KEY"), "NO_APP_KEY"),
        (rpc_error("INVALID_APP_KEY"), "INVALID_APP_KEY"),
        (rpc_error("ACCESS_DENIED"), "ACCESS_DENIED"),
        (rpc_error("", "ANGX-0007"), "INVALID_APP_KEY"),
        (rest_fault("ACCESS_DENIED", "ANGX-0015"), "ACCESS_DENIED"),
        (transport_error("DSC-0034"), "DSC-0034"),
        (transport_error("DSC-0021", -32601), "DSC-0021"),
        (transport_error("", -32601), "RPC-32601"),
    ],
)
def test_what_a_person_must_change_is_said_at_once_and_not_repeated(
    desk: Desk, fault: Raw, code: str
) -> None:
    desk.fake.next_answers = [fault] * 2
    with pytest.raises(AccessRefused) as refused:
        desk.client.books(["1.1"])
    assert refused.value.code == code
    assert len(desk.fake.calls) == 1


@pytest.mark.parametrize(
    "fault",
    [
        rpc_error("INVALID_INPUT_DATA"),
        transport_error("DSC-0018"),
        transport_error("DSC-0009"),
        transport_error("", -32700),
    ],
)
def test_a_request_of_the_wrong_form_is_our_fault_and_never_repeated(
    desk: Desk, fault: Raw
) -> None:
    desk.fake.next_answers = [fault] * 2
    with pytest.raises(KosBug):
        desk.client.books(["1.1"])
    assert len(desk.fake.calls) == 1


def test_credentials_the_transport_refuses_twice_are_for_the_operator(desk: Desk) -> None:
    desk.fake.next_answers = [rest_fault("", "DSC-0015", 403)] * 2
    with pytest.raises(AccessRefused, match="DSC-0015"):
        desk.client.books(["1.1"])
    assert len(desk.fake.logins) == 2


def test_a_failure_after_a_first_batch_keeps_what_was_read(desk: Desk) -> None:
    ids = [f"1.{number}" for number in range(1_000, 1_050)]
    desk.fake.books = {id_: book_entry(int(id_[2:])) for id_ in ids}
    good = json.dumps({"result": [book_entry(n) for n in range(1_000, 1_038)]}).encode()
    desk.fake.next_answers = [Raw(200, good), page(503), page(503), page(503)]
    answer = desk.client.books(ids)
    assert len(answer.books) == 38
    assert answer.unread == tuple(ids[38:])
    assert isinstance(answer.trouble, RemoteUnavailable)


def test_no_text_of_a_hostile_body_gets_into_an_error(desk: Desk) -> None:
    token = desk.session.token()
    desk.fake.next_answers = [rpc_error(f"echo {token}", f"echo {token}")] * 3
    with pytest.raises(RemoteUnavailable) as error:
        desk.client.books(["1.1"])
    assert token not in str(error.value)
    assert token not in repr(desk.session) + repr(desk.client)


def test_commission_is_the_catalogues_less_a_discount_where_it_is_allowed(desk: Desk) -> None:
    desk.fake.markets = {"a": catalogue_entry(101, KICKOFF), "b": catalogue_entry(102, KICKOFF)}
    markets = desk.client.catalogue("1", ("MATCH_ODDS",), START, START + timedelta(days=1)).markets
    known = {
        market_id: MarketDescription(market_id, Decimal("0.05"), is_discounted, "FINEST")
        for market_id, is_discounted in (("1.101", False), ("1.102", True))
    }
    plain, reduced = described(markets, known, Decimal("0.2"))
    assert (plain.base_rate, plain.discount_allowed) == (Decimal("0.05"), False)
    assert (reduced.base_rate, reduced.discount_allowed) == (Decimal("0.04"), True)
    assert reduced.ladder == "FINEST"


def test_descriptions_give_markets_their_commission_and_ladder(desk: Desk) -> None:
    desk.fake.markets = {"a": catalogue_entry(101, KICKOFF), "b": catalogue_entry(102, KICKOFF)}
    markets = desk.client.catalogue("1", ("MATCH_ODDS",), START, START + timedelta(days=1)).markets
    known = desk.client.descriptions(["1.101"]).descriptions
    first, second = described(markets, known)
    assert (first.base_rate, first.ladder) == (Decimal("0.025"), "CLASSIC")
    assert second.base_rate is None
