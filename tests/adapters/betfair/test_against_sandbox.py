"""The client and the stream against the sandbox, whose writers share no parser with them."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import trustme

from kos.adapters.betfair.client import BetfairClient, described
from kos.adapters.betfair.session import BetfairSession, Credentials
from kos.adapters.betfair.stream import BetfairStream, StreamPhase, StreamSettings, StreamState
from kos.adapters.http import HttpRemote
from kos.domain.market.quotes import MarketBook
from kos.sandbox.server import Sandbox
from kos.sandbox.stream import Tls
from tests.adapters.loopback import FakeTime

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


class Exchange:
    """A sandbox whose time stands still, and who reads it."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        served = authority.issue_cert("127.0.0.1")
        self.ca = folder / "ca.pem"
        certificate, key = folder / "served.pem", folder / "served.key"
        authority.cert_pem.write_to_path(self.ca)
        served.cert_chain_pems[0].write_to_path(certificate)
        served.private_key_pem.write_to_path(key)
        self.sandbox = Sandbox(
            seed=7, now=NOW.timestamp, tls=Tls(str(certificate), str(key), str(self.ca))
        )
        self.time = FakeTime()
        self.addresses = self.sandbox.addresses
        self.remote = HttpRemote(
            "betfair", self.addresses.betfair_url, sleep=self.time.sleep, clock=self.time.clock
        )
        self.session = self.session_with(self.addresses.betfair_app_key)
        self.client = BetfairClient(
            self.remote,
            self.session,
            clock=self.time.clock,
            sleep=self.time.sleep,
            now=lambda: NOW,
        )

    def session_with(self, app_key: str) -> BetfairSession:
        credentials = Credentials(
            self.addresses.betfair_username, self.addresses.betfair_password, app_key
        )
        return BetfairSession(credentials, self.remote, clock=self.time.clock)

    def market_ids(self, at_most: int) -> list[str]:
        answer = self.client.catalogue("1", ("MATCH_ODDS",), NOW, NOW + timedelta(days=7))
        return [market.market_id for market in answer.markets[:at_most]]

    def close(self) -> None:
        self.remote.close()
        self.sandbox.close()


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    opened = Exchange(tmp_path)
    yield opened
    opened.close()


def test_sports_markets_commission_and_prices_are_read_in_few_calls(exchange: Exchange) -> None:
    answer = exchange.client.catalogue("1", ("MATCH_ODDS",), NOW, NOW + timedelta(days=7))
    assert len(answer.markets) > 20
    assert {drop.reason for drop in answer.drops} <= {"event not two-sided", "hidden group"}
    ids = [market.market_id for market in answer.markets[:80]]
    with patch.object(exchange.remote, "post", wraps=exchange.remote.post) as post:
        descriptions = exchange.client.descriptions(ids)
        assert post.call_count == 1
        books = exchange.client.books(ids)
        assert post.call_count == 1 + -(-len(ids) // 38)
    assert set(descriptions.descriptions) == set(ids)
    assert all(
        market.base_rate for market in described(answer.markets[:80], descriptions.descriptions)
    )
    assert {book.market_id for book in books.books} == set(ids)
    assert books.drops == ()
    by_id = {market.market_id: market for market in answer.markets}
    for book in books.books:
        runners = {runner.selection_id for runner in by_id[book.market_id].runners}
        assert {runner.selection_id for runner in book.runners} == runners


@pytest.mark.parametrize(
    "kind", ["html", "server_error", "cut_body", "garbage", "disconnect", "expired_session"]
)
def test_one_fault_is_overcome(exchange: Exchange, kind: str) -> None:
    ids = exchange.market_ids(5)
    exchange.sandbox.fail(kind, service="betfair", path="listMarketBook", count=1)
    assert {book.market_id for book in exchange.client.books(ids).books} == set(ids)


def test_a_delayed_key_is_told_by_its_books(exchange: Exchange) -> None:
    ids = exchange.market_ids(2)
    session = exchange.session_with(exchange.addresses.betfair_delayed_app_key)
    client = BetfairClient(exchange.remote, session)
    assert all(book.is_delayed for book in client.books(ids).books)


def test_polling_and_streaming_give_the_same_books(exchange: Exchange) -> None:
    ids = exchange.market_ids(60)
    books: queue.Queue[tuple[MarketBook, ...]] = queue.Queue()
    states: queue.Queue[StreamState] = queue.Queue()
    host, port = exchange.addresses.stream
    stream = BetfairStream(
        exchange.session,
        StreamSettings(host=host, port=port, ca=str(exchange.ca)),
        on_books=books.put,
        on_state=states.put,
        now=lambda: NOW,
    )
    assert stream.watch(ids) == tuple(ids)
    stream.start()
    try:
        while states.get(timeout=10).phase is not StreamPhase.LIVE:
            pass
        books.get(timeout=10)
        streamed = {book.market_id: book for book in stream.snapshot()}
    finally:
        stream.stop()
    polled = {book.market_id: book for book in exchange.client.books(ids).books}
    assert streamed.keys() == polled.keys()
    for id_, book in polled.items():
        other = streamed[id_]
        assert (other.status, other.is_in_play, other.version) == (
            book.status,
            book.is_in_play,
            book.version,
        )
        assert set(other.runners) == set(book.runners)
    assert any(runner.to_lay for book in polled.values() for runner in book.runners)
