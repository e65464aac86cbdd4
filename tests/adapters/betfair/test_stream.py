# ruff: noqa: SIM117 - a server and the viewer in it read best nested
from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme

from kos.adapters.betfair.stream import BetfairStream, StreamPhase, StreamSettings, StreamState
from kos.adapters.betfair.stream_cache import StreamLadder
from kos.domain.market.quotes import MarketBook
from kos.errors import InvalidSettings
from tests.adapters.betfair.conftest import Desk
from tests.adapters.betfair.server import APP_KEY
from tests.adapters.betfair.stream_server import Peer, StreamServer, failure, streaming
from tests.adapters.betfair.test_stream_cache import image, market, mcm

AUTHORITY = trustme.CA()


class Viewer:
    """A stream and what it told."""

    def __init__(self, desk: Desk, port: int, ca: str, **changed: Any) -> None:
        self.books: queue.Queue[tuple[MarketBook, ...]] = queue.Queue()
        self.states: queue.Queue[StreamState] = queue.Queue()
        plain: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": port,
            "ca": ca,
            "ladder": StreamLadder.FULL,
            "heartbeat_ms": 500,
            "resubscribe_s": 0.01,
            "backoff_s": 0.01,
            "backoff_cap_s": 0.05,
            "timeout_s": 5.0,
        }
        self.stream = BetfairStream(
            desk.session,
            StreamSettings(**{**plain, **changed}),
            on_books=self.books.put,
            on_state=self.states.put,
        )

    def wait_for(self, phase: StreamPhase) -> StreamState:
        while True:
            state = self.states.get(timeout=10)
            if state.phase is phase:
                return state

    def next_ids(self) -> list[str]:
        return [book.market_id for book in self.books.get(timeout=10)]


@pytest.fixture
def view(desk: Desk, tmp_path: Path) -> Callable[..., Any]:
    ca = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(ca)

    @contextmanager
    def open_view(server: StreamServer, *ids: str, **changed: Any) -> Iterator[Viewer]:
        viewer = Viewer(desk, server.port, str(ca), **changed)
        viewer.stream.watch(ids)
        viewer.stream.start()
        try:
            yield viewer
        finally:
            viewer.stream.stop()
            assert not viewer.stream._thread.is_alive()

    return open_view


def _serve(*messages: dict[str, Any]) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        subscription = peer.greet()
        peer.say(*({**message, "id": subscription["id"]} for message in messages))
        peer.wait_for_end()

    return script


def test_the_conversation_up_to_the_first_books(view: Any) -> None:
    with streaming(AUTHORITY, _serve(image(market("1.5")))) as server:
        with view(server, "1.5", "1.6", "not an id") as viewer:
            assert viewer.next_ids() == ["1.5"]
            viewer.wait_for(StreamPhase.LIVE)
            assert [book.market_id for book in viewer.stream.snapshot()] == ["1.5"]
    authentication, subscription = server.heard
    assert authentication["op"] == "authentication"
    assert authentication["appKey"] == APP_KEY
    assert subscription["marketFilter"] == {"marketIds": ["1.5", "1.6"]}
    assert subscription["marketDataFilter"]["fields"] == ["EX_ALL_OFFERS", "EX_MARKET_DEF"]
    assert subscription["id"] > authentication["id"]
    assert "clk" not in subscription


def test_messages_cut_across_packets_and_packed_into_one_are_all_read(view: Any) -> None:
    def script(peer: Peer) -> None:
        id_ = peer.greet()["id"]
        messages = [
            image(market("1.5"), segmentType="SEG_START", id=id_),
            image(market("1.6"), segmentType="SEG_END", id=id_),
            mcm({"id": "1.6", "rc": [{"id": 10, "atl": [[2.12, 0]]}]}, id=id_),
        ]
        data = b"".join(json.dumps(m).encode() + b"\r\n" for m in messages)
        for i in range(0, len(data), 37):
            peer.say_raw(data[i : i + 37])
        peer.wait_for_end()

    with streaming(AUTHORITY, script) as server, view(server, "1.5", "1.6") as viewer:
        assert viewer.next_ids() == ["1.5", "1.6"]
        (moved,) = viewer.books.get(timeout=10)
        assert str(moved.runners[0].to_lay[0].price) == "2.14"


def test_a_broken_connection_is_resumed_with_its_clocks(view: Any) -> None:
    def breaks(peer: Peer) -> None:
        id_ = peer.greet()["id"]
        peer.say(image(market("1.5"), id=id_))
        peer.say(mcm({"id": "1.5", "rc": []}, clk="latest", id=id_))

    patch = mcm({"id": "1.5", "rc": [{"id": 10, "atb": [[2.1, 1]]}]}, ct="RESUB_DELTA")
    with streaming(AUTHORITY, breaks, _serve(patch)) as server:
        with view(server, "1.5") as viewer:
            viewer.next_ids()
            viewer.next_ids()
            viewer.wait_for(StreamPhase.WAITING)
            (book,) = viewer.books.get(timeout=10)
            assert str(book.runners[0].to_back[0].size) == "1"
            assert str(book.runners[0].to_back[1].size) == "5"
    resumed = server.heard[3]
    assert (resumed["initialClk"], resumed["clk"]) == ("init", "latest")


def test_refused_clocks_lead_to_a_fresh_subscription(view: Any) -> None:
    def breaks(peer: Peer) -> None:
        peer.say(image(market("1.5"), id=peer.greet()["id"]))

    def refuses(peer: Peer) -> None:
        peer.greet()
        peer.say(failure("INVALID_CLOCK"))

    with streaming(AUTHORITY, breaks, refuses, _serve(image(market("1.5")))) as server:
        with view(server, "1.5") as viewer:
            viewer.next_ids()
            viewer.next_ids()
    subscriptions = [m for m in server.heard if m["op"] == "marketSubscription"]
    assert ["clk" in each for each in subscriptions] == [False, True, False]


def test_an_ended_session_is_renewed_and_the_stream_goes_on(view: Any, desk: Desk) -> None:
    def refuses(peer: Peer) -> None:
        peer.say({"op": "connection", "connectionId": "1"})
        peer.hear()
        peer.say(failure("INVALID_SESSION_INFORMATION"))

    with streaming(AUTHORITY, refuses, _serve(image(market("1.5")))) as server:
        with view(server, "1.5") as viewer:
            assert viewer.next_ids() == ["1.5"]
    assert len(desk.fake.logins) == 2
    tokens = {m["session"] for m in server.heard if m["op"] == "authentication"}
    assert len(tokens) == 2


@pytest.mark.parametrize("code", ["INVALID_APP_KEY", "NOT_AUTHORIZED", "NO_APP_KEY"])
def test_what_a_person_must_change_stops_the_stream(view: Any, code: str) -> None:
    def refuses(peer: Peer) -> None:
        peer.say({"op": "connection", "connectionId": "1"})
        peer.hear()
        peer.say(failure(code))

    with streaming(AUTHORITY, refuses) as server, view(server, "1.5") as viewer:
        state = viewer.wait_for(StreamPhase.REFUSED)
        assert code in state.detail
    assert server.connections == 1


@pytest.mark.parametrize(
    "code", ["TIMEOUT", "UNEXPECTED_ERROR", "CONNECTION_FAILED", "NEVER_SEEN", None]
)
def test_other_failures_are_tried_again(view: Any, code: str | None) -> None:
    def refuses(peer: Peer) -> None:
        if code is not None:
            peer.greet()
            peer.say(failure(code))

    with streaming(AUTHORITY, refuses, _serve(image(market("1.5")))) as server:
        with view(server, "1.5") as viewer:
            assert viewer.next_ids() == ["1.5"]


def test_a_crowded_account_is_left_alone_for_a_minute(view: Any) -> None:
    def refuses(peer: Peer) -> None:
        peer.say(failure("MAX_CONNECTION_LIMIT_EXCEEDED"))

    with streaming(AUTHORITY, refuses) as server, view(server, "1.5") as viewer:
        with structlog.testing.capture_logs() as events:
            viewer.wait_for(StreamPhase.WAITING)
        assert server.connections == 1
        waits = [e["wait_s"] for e in events if e["event"] == "betfair.stream_broken"]
        assert all(wait >= 60 for wait in waits)


def test_a_subscription_over_the_limit_is_halved_on_the_same_connection(view: Any) -> None:
    def limits(peer: Peer) -> None:
        peer.greet()
        peer.say(failure("SUBSCRIPTION_LIMIT_EXCEEDED", closed=False))
        second = peer.hear()
        peer.accept(second)
        peer.say(image(market("1.1"), id=second["id"]))
        peer.wait_for_end()

    with streaming(AUTHORITY, limits) as server:
        with view(server, "1.1", "1.2", "1.3", "1.4") as viewer:
            assert viewer.next_ids() == ["1.1"]
            assert viewer.stream.watch(["1.7", "1.8", "1.9"]) == ("1.7", "1.8")
    assert server.heard[2]["marketFilter"] == {"marketIds": ["1.1", "1.2"]}


def test_silence_of_two_heartbeats_ends_the_connection(view: Any) -> None:
    def falls_silent(peer: Peer) -> None:
        peer.say(image(market("1.5"), heartbeatMs=500, id=peer.greet()["id"]))
        peer.wait_for_end()

    with streaming(AUTHORITY, falls_silent, _serve(image(market("1.6")))) as server:
        with view(server, "1.5") as viewer:
            assert viewer.next_ids() == ["1.5"]
            assert "silent" in viewer.wait_for(StreamPhase.WAITING).detail
            assert viewer.next_ids() == ["1.6"]


def test_new_wishes_replace_the_subscription_and_none_close_the_connection(view: Any) -> None:
    def script(peer: Peer) -> None:
        peer.say(image(market("1.5"), id=peer.greet()["id"]))
        second = peer.hear()
        peer.accept(second)
        peer.say(image(market("1.6"), id=second["id"]))
        peer.wait_for_end()

    with streaming(AUTHORITY, script) as server, view(server, "1.5") as viewer:
        assert viewer.next_ids() == ["1.5"]
        viewer.stream.watch(["1.6"])
        assert viewer.next_ids() == ["1.6"]
        assert [book.market_id for book in viewer.stream.snapshot()] == ["1.6"]
        viewer.stream.watch([])
        viewer.wait_for(StreamPhase.IDLE)
    assert server.heard[2]["marketFilter"] == {"marketIds": ["1.6"]}


def test_late_data_is_said_and_the_connection_kept(view: Any) -> None:
    def script(peer: Peer) -> None:
        id_ = peer.greet()["id"]
        peer.say(image(market("1.5"), id=id_), {"op": "mcm", "id": id_, "status": 503})
        peer.say(mcm(id=id_))
        peer.wait_for_end()

    with streaming(AUTHORITY, script) as server, view(server, "1.5") as viewer:
        viewer.wait_for(StreamPhase.LATE)
        viewer.wait_for(StreamPhase.LIVE)
    assert server.connections == 1


@pytest.mark.parametrize("rubbish", [b"{\r\n", b"\xff\xfe\r\n", b"[]\r\n"])
def test_a_line_that_cannot_be_read_costs_the_connection_and_its_clocks(
    view: Any, rubbish: bytes
) -> None:
    def script(peer: Peer) -> None:
        peer.say(image(market("1.5"), id=peer.greet()["id"]))
        peer.say_raw(rubbish)
        peer.wait_for_end()

    with streaming(AUTHORITY, script, _serve(image(market("1.6")))) as server:
        with view(server, "1.5") as viewer:
            assert viewer.next_ids() == ["1.5"]
            assert viewer.next_ids() == ["1.6"]
    assert "clk" not in server.heard[-1]


def test_a_torn_market_is_healed_by_a_new_image(view: Any) -> None:
    def script(peer: Peer) -> None:
        id_ = peer.greet()["id"]
        peer.say(image(market("1.5"), id=id_))
        peer.say(mcm({"id": "1.5", "rc": [{"id": 10, "atb": [[-1, 5]]}]}, id=id_))
        second = peer.hear()
        peer.accept(second)
        peer.say(image(market("1.5"), id=second["id"]))
        peer.wait_for_end()

    with streaming(AUTHORITY, script) as server, view(server, "1.5") as viewer:
        assert viewer.next_ids() == ["1.5"]
        assert viewer.next_ids() == ["1.5"]
        assert viewer.stream.state.phase is StreamPhase.LIVE
    assert server.connections == 1


def test_a_stranger_with_a_certificate_of_another_authority_gets_no_token(view: Any) -> None:
    with streaming(trustme.CA(), _serve()) as server, view(server, "1.5") as viewer:
        assert "certificate is not trusted" in viewer.wait_for(StreamPhase.WAITING).detail
    assert server.heard == []


def test_no_secret_is_logged_not_even_out_of_the_services_own_texts(view: Any) -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.say(failure("INVALID_REQUEST"))

    with structlog.testing.capture_logs() as events:
        with streaming(AUTHORITY, script) as server, view(server, "1.5") as viewer:
            viewer.wait_for(StreamPhase.WAITING)
            shown = f"{events} {viewer.stream!r} {viewer.stream.state!r}"
    assert "secret-token" not in shown
    assert APP_KEY not in shown


def test_a_listener_that_fails_does_not_end_the_stream(desk: Desk, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(ca)
    calls: queue.Queue[int] = queue.Queue()

    def fails(_books: object) -> None:
        calls.put(1)
        raise RuntimeError

    messages = (image(market("1.5")), mcm({"id": "1.5", "rc": []}))
    with streaming(AUTHORITY, _serve(*messages)) as server:
        stream = BetfairStream(
            desk.session,
            StreamSettings(
                host="127.0.0.1", port=server.port, ca=str(ca), ladder=StreamLadder.FULL
            ),
            on_books=fails,
            on_state=lambda _: None,
        )
        stream.watch(["1.5"])
        stream.start()
        calls.get(timeout=10)
        calls.get(timeout=10)
        stream.stop()


def test_settings_that_the_service_would_refuse_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as error:
        StreamSettings(depth=11, conflate_ms=-1, heartbeat_ms=100, ca="/no/such/file")
    assert len(error.value.problems) == 4
