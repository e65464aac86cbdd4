"""The exchange alone: what it reads when, whom it tells, and what a refusal costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme

from kos.actors import exchange
from kos.config.settings import BetfairSettings, ProxySettings, Secret
from kos.domain.market.quotes import MarketBook
from kos.domain.market.sports import SportWanted
from kos.messages import (
    BooksRead,
    CatalogueRead,
    CatalogueWanted,
    GetBudget,
    GetProxySession,
    PricesWanted,
    ProxySessionGiven,
    ProxyUsed,
    Subscribe,
)
from kos.runtime import ActorFailed
from tests.actors.conftest import Staging
from tests.actors.stage import Stage, counted
from tests.adapters.betfair.server import (
    APP_KEY,
    PASSWORD,
    USERNAME,
    FakeBetfair,
    Raw,
    book_entry,
    catalogue_entry,
    page,
    rpc_error,
    running,
)
from tests.adapters.betfair.stream_server import Peer, failure, streaming
from tests.adapters.betfair.test_stream_cache import image, market
from tests.builders import NOW

SOCCER = SportWanted("1", "Soccer", ("MATCH_ODDS",))
UNREADABLE = Raw(200, b'{"jsonrpc": "2.0", "result": {"x": 1}}')
"""Not what was asked for: to be tried again later, and not within the call."""
AUTHORITY = trustme.CA()


@pytest.fixture
def fake() -> Iterator[FakeBetfair]:
    """Two markets, kickoffs in two and in thirty hours."""
    markets = {}
    for number, hours in ((1, 2), (2, 30)):
        kickoff = (NOW + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        markets[f"1.{number}"] = catalogue_entry(number, kickoff)
    with running(FakeBetfair(markets=markets)) as server:
        server.books = {f"1.{number}": book_entry(number) for number in (1, 2)}
        yield server


Exchange = Callable[..., Stage]


@pytest.fixture
def betfair(put_on_stage: Staging, fake: FakeBetfair) -> Iterator[Exchange]:
    """Puts an exchange actor on a stage, with settings changed as wished, and starts it."""
    stages: list[Stage] = []

    def put(
        proxies: ProxySettings | None = None, *, is_started: bool = True, **changed: Any
    ) -> Stage:
        plain: dict[str, Any] = {
            "app_key": Secret(APP_KEY),
            "username": Secret(USERNAME),
            "password": Secret(PASSWORD),
            "identity_url": fake.url,
            "identity_cert_url": fake.url,
            "api_url": fake.url,
            "call_spacing_s": 1.0,
        }
        settings = BetfairSettings(**{**plain, **changed})
        args = exchange.ExchangeArgs(
            betfair=settings, proxies=proxies or ProxySettings(), discount=Decimal("0.1")
        )
        stage = put_on_stage(exchange.spec(args))
        stages.append(stage)
        return stage.start() if is_started else stage

    yield put
    for stage in stages:
        if stage.ended is None:
            stage.stop()


def want(stage: Stage, *market_ids: str, until: datetime = NOW + timedelta(hours=40)) -> None:
    """As the reconciler wishes: first the catalogue, then prices."""
    stage.tell(CatalogueWanted(sports=(SOCCER,), until=until))
    stage.advance(0.1)
    if market_ids:
        stage.tell(PricesWanted(market_ids=market_ids))


def operations(fake: FakeBetfair) -> list[str]:
    """What was asked of the betting API since the last look."""
    named = []
    for operation, params in fake.calls:
        is_described = "MARKET_DESCRIPTION" in params.get("marketProjection", ())
        named.append("descriptions" if is_described else operation.removeprefix("listMarket"))
    fake.calls.clear()
    return named


def next_look_s(stage: Stage) -> float:
    """Seconds until it looks again."""
    looks = [timer for timer in stage.timers.waiting() if timer.interval_s is None]
    (look,) = looks
    return round(look.due - stage.timers.now_s, 3)


def test_at_its_start_it_asks_who_wants_what_and_calls_nobody(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair()
    assert stage.told("reconciler") == [Subscribe(subscriber="exchange")]
    stage.advance(60)
    assert fake.calls == []
    assert fake.logins == []
    assert stage.pulse() == {
        "markets": 0,
        "prices_wanted": 0,
        "prices_fresh": 0,
        "calls": 0,
        "stream": "off",
        "streamed": 0,
        "has_session": 0,
        "problem": "",
    }


def test_a_wanted_sports_catalogue_is_read_near_window_first_and_told_whole(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair()
    stage.told("reconciler")
    want(stage)
    near, far = stage.told("reconciler", CatalogueRead)
    assert near.event_type == "Soccer"
    assert [each.market_id for each in near.markets] == ["1.1"]
    assert [each.market_id for each in far.markets] == ["1.1", "1.2"]
    assert NOW <= near.read_at <= far.read_at <= NOW + timedelta(seconds=0.1)
    assert operations(fake) == ["Catalogue", "Catalogue"]
    assert [line["is_near"] for line in stage.logged("catalogue.read")] == [True, False]
    assert stage.logged("catalogue.read")[0]["event_type"] == "Soccer"
    assert stage.pulse()["markets"] == 2
    assert stage.pulse()["has_session"] == 1
    stage.advance(590)
    assert operations(fake) == []
    stage.advance(20)
    assert operations(fake) == ["Catalogue"], "the near window is read again every ten minutes"


def test_wanted_prices_are_read_told_and_read_again_before_they_are_old(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair(price_ttl_s=120)
    want(stage, "1.1", "1.2", "1.77")
    stage.advance(1)
    (read,) = stage.told("scorer", BooksRead)
    assert {book.market_id for book in read.books} == {"1.1", "1.2"}
    (params,) = [params for operation, params in fake.calls if operation == "listMarketBook"]
    assert set(params["marketIds"]) == {"1.1", "1.2"}, "and none that the catalogue does not have"
    assert (stage.pulse()["prices_wanted"], stage.pulse()["prices_fresh"]) == (2, 2)
    assert stage.pulse()["calls"] == 1
    fake.calls.clear()
    stage.advance(119)
    assert operations(fake).count("Book") >= 1
    assert len(stage.told("scorer", BooksRead)) >= 1


def test_nearer_kickoffs_are_read_more_often(betfair: Exchange, fake: FakeBetfair) -> None:
    stage = betfair(price_ttl_s=200)
    want(stage, "1.1", "1.2")
    stage.advance(1)
    fake.calls.clear()
    stage.advance(85)
    (params,) = [params for operation, params in fake.calls if operation == "listMarketBook"]
    assert params["marketIds"][0] == "1.1", "its turn comes after half the time"


def test_matched_markets_are_described_once_and_told_with_their_commission(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    fake.markets["1.1"]["description"]["discountAllowed"] = True
    stage = betfair()
    want(stage, "1.1")
    stage.told("reconciler")
    stage.advance(1)
    (told,) = stage.told("reconciler", CatalogueRead)
    first, second = told.markets
    assert first.base_rate == Decimal("0.025") * Decimal("0.9")
    assert first.ladder == "CLASSIC"
    assert second.base_rate is None, "nobody matched it"
    assert operations(fake).count("descriptions") == 1
    stage.advance(100)
    assert "descriptions" not in operations(fake)
    stage.tell(Subscribe(subscriber="reconciler"))
    (again,) = stage.told("reconciler", CatalogueRead)
    assert again.markets == told.markets


def test_a_consumer_that_starts_anew_gets_all_that_is_held_without_a_call(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair()
    stage.tell(Subscribe(subscriber="scorer"))
    stage.tell(Subscribe(subscriber="reconciler"))
    assert stage.told("scorer") == []
    want(stage, "1.1")
    stage.advance(1)
    stage.told("reconciler")
    (read,) = stage.told("scorer")
    fake.calls.clear()
    stage.tell(Subscribe(subscriber="scorer"))
    assert stage.told("scorer") == [read]
    assert stage.told("reconciler") == []
    stage.tell(Subscribe(subscriber="reconciler"))
    assert len(stage.told("reconciler", CatalogueRead)) == 1
    assert fake.calls == []


def test_a_sport_that_is_wanted_no_more_is_left_alone(betfair: Exchange, fake: FakeBetfair) -> None:
    stage = betfair()
    want(stage, "1.1")
    stage.advance(1)
    stage.tell(CatalogueWanted(sports=(), until=NOW))
    stage.tell(PricesWanted(market_ids=()))
    fake.calls.clear()
    stage.told("reconciler")
    stage.advance(1200)
    assert fake.calls == []
    assert stage.pulse()["prices_wanted"] == 0
    stage.tell(Subscribe(subscriber="reconciler"))
    assert stage.told("reconciler") == []


def test_what_the_service_garbles_is_left_out_and_counted(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    fake.books["1.2"]["runners"] = "none"
    fake.markets["1.9"] = catalogue_entry(9, "no time")
    fake.markets["1.9"]["marketStartTime"] = fake.markets["1.1"]["marketStartTime"]
    fake.markets["1.9"]["runners"] = 5
    before = {what: counted("drops_total", source=what) for what in ("books", "catalogue")}
    stage = betfair()
    want(stage, "1.1", "1.2")
    stage.advance(1)
    (read,) = stage.told("scorer", BooksRead)
    assert [book.market_id for book in read.books] == ["1.1"]
    for what, count in before.items():
        assert counted("drops_total", source=what) > count
    assert {line["what"] for line in stage.logged("exchange.dropped")} == {"books", "catalogue"}


def test_an_answer_without_any_book_is_told_to_nobody(betfair: Exchange, fake: FakeBetfair) -> None:
    fake.books.clear()
    stage = betfair()
    want(stage, "1.1")
    stage.advance(1)
    assert "Book" in operations(fake)
    assert stage.told("scorer") == []


@pytest.mark.parametrize("what", ["catalogue", "books", "descriptions"])
def test_a_call_that_brings_nothing_is_shown_and_tried_again_later(
    betfair: Exchange, fake: FakeBetfair, what: str
) -> None:
    stage = betfair()
    if what != "catalogue":
        want(stage)
        stage.tell(PricesWanted(market_ids=("1.1",)))
        if what == "descriptions":
            stage.advance(0.03)
            assert len(stage.told("scorer", BooksRead)) == 1
    before = counted("exchange_failures_total")
    fake.next_answers = [UNREADABLE]
    fake.calls.clear()
    if what == "catalogue":
        stage.tell(CatalogueWanted(sports=(SOCCER,), until=NOW + timedelta(hours=10)))
    stage.advance(0.1)
    assert [each.removeprefix("list") for each in operations(fake)] == [
        {"catalogue": "Catalogue", "books": "Book", "descriptions": "descriptions"}[what]
    ]
    assert counted("exchange_failures_total") == before + 1
    assert "something else" in str(stage.pulse()["problem"])
    assert len(stage.logged("exchange.not_read")) == 1
    assert next_look_s(stage) <= 1
    stage.advance(700)
    assert operations(fake)
    assert stage.pulse()["problem"] == ""


def test_while_a_failure_is_waited_out_a_new_wish_waits_too(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair()
    fake.next_logins = [page(503)]
    want(stage)
    assert len(fake.logins) == 1
    wait_s = next_look_s(stage)
    assert 0.5 < wait_s <= 1
    stage.tell(PricesWanted(market_ids=("1.1",)))
    assert next_look_s(stage) == wait_s


def test_a_refused_login_is_shown_and_not_tried_for_five_minutes(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair(password=Secret("wrong"))
    stage.tell(CatalogueWanted(sports=(SOCCER,), until=NOW + timedelta(hours=40)))
    stage.advance(0.1)
    assert "user name and password" in str(stage.pulse()["problem"])
    assert 299 < next_look_s(stage) <= 300
    stage.tell(PricesWanted(market_ids=("1.1",)))
    stage.tell(CatalogueWanted(sports=(SOCCER,), until=NOW + timedelta(hours=20)))
    stage.advance(290)
    assert len(fake.logins) == 1, "more logins could lock the account"
    assert len(stage.logged("exchange.not_read")) == 1
    stage.advance(20)
    assert len(stage.logged("exchange.not_read")) == 2
    assert len(fake.logins) == 1, "the session remembers"


def test_a_batch_that_was_refused_for_good_rests_for_five_minutes(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair()
    want(stage)
    stage.tell(PricesWanted(market_ids=("1.1",)))
    fake.next_answers = [rpc_error("ACCESS_DENIED")]
    stage.advance(0.1)
    operations(fake)
    stage.advance(299)
    assert operations(fake) == []
    stage.advance(5)
    assert "Book" in operations(fake)


def test_its_session_is_kept_alive_on_the_clock_and_ended_at_a_stop(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    stage = betfair(keep_alive_s=1000)
    want(stage)
    (alive,) = [each for each in stage.timers.waiting() if each.interval_s == 1000]
    assert alive.due == 1000
    stage.advance(1001)
    assert fake.keep_alives == 0, "the session is younger than Betfair's quarter of an hour"
    stage.stop()
    assert fake.logouts == 1


def test_a_session_that_could_not_be_kept_alive_is_only_logged(
    betfair: Exchange, fake: FakeBetfair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kos.adapters.betfair.session.KEEP_ALIVE_LEAST_S", 0.0)
    stage = betfair(keep_alive_s=1000)
    want(stage)
    fake.next_keep_alives = [page(503)]
    stage.advance(1001)
    assert fake.keep_alives == 1
    assert len(stage.logged("session.not_kept")) == 1
    assert stage.pulse()["has_session"] == 1


def test_with_a_certificate_the_login_is_by_it(
    betfair: Exchange, fake: FakeBetfair, tmp_path: Path
) -> None:
    certificate = AUTHORITY.issue_cert("kos")
    pem, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.cert_chain_pems[0].write_to_path(pem)
    certificate.private_key_pem.write_to_path(key)
    stage = betfair(certificate=str(pem), certificate_key=str(key))
    want(stage)
    assert fake.logins == ["/api/certlogin"]
    assert len(stage.told("reconciler", CatalogueRead)) == 2


def test_every_call_goes_through_one_session_of_the_proxies(
    betfair: Exchange, fake: FakeBetfair
) -> None:
    proxies = ProxySettings(used_by=("betfair",), url=fake.url)
    stage = betfair(proxies, is_started=False)
    none = ProxySessionGiven(session_id="", retry_after_s=30)
    stage.answer("proxies", GetProxySession, none)
    stage.start()
    stage.advance(0.1)
    assert "proxies" in str(stage.pulse()["problem"])
    stage.tell(CatalogueWanted(sports=(SOCCER,), until=NOW + timedelta(hours=40)))
    stage.advance(5)
    assert fake.logins == [], "no call is made by another way"
    given = ProxySessionGiven(session_id="s1", retry_after_s=0)
    stage.answer("proxies", GetProxySession, given)
    stage.advance(2)
    assert stage.asked("proxies")[-1] == GetProxySession(key="betfair")
    used = stage.told("proxies", ProxyUsed)
    assert used
    assert all(each.session_id == "s1" for each in used)


def test_a_message_that_is_not_its_own_is_refused_by_name(betfair: Exchange) -> None:
    with pytest.raises(ActorFailed, match="exchange takes no GetBudget"):
        betfair().ask(GetBudget())


# --- the stream -------------------------------------------------------------------------------


def best(id_: str = "1.1") -> dict[str, Any]:
    """A market's image as the actor's ladder has it."""
    return market(id_, rc=[{"id": 10, "bdatb": [[0, 2.1, 30]], "bdatl": [[0, 2.12, 4]]}])


def serve(*messages: dict[str, Any]) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        subscription = peer.greet()
        peer.say(*({**message, "id": subscription["id"]} for message in messages))
        peer.wait_for_end()

    return script


@pytest.fixture
def streamed(betfair: Exchange, tmp_path: Path) -> Callable[[int], Stage]:
    """An exchange that streams from a port."""
    ca = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(ca)

    def put(port: int) -> Stage:
        return betfair(use_stream=True, stream_host="127.0.0.1", stream_port=port, ca_file=str(ca))

    return put


def books_of(stage: Stage) -> list[MarketBook]:
    return [book for read in stage.told("scorer", BooksRead) for book in read.books]


def test_what_the_stream_brings_goes_to_the_scorer_and_is_not_polled(
    streamed: Callable[[int], Stage],
) -> None:
    with streaming(AUTHORITY, serve(image(best()))) as server:
        stage = streamed(server.port)
        want(stage, "1.1", "1.2")
        stage.until(lambda: stage.pulse()["streamed"] == 1, "the market is streamed")
        stage.until(lambda: stage.neighbours.told["scorer"], "the scorer heard")
        assert stage.pulse()["stream"] == "live"
        assert "1.1" in {book.market_id for book in books_of(stage)}
        assert stage.pulse()["prices_wanted"] == 1, "the other one is polled"
        stage.advance(15)
        assert "1.1" in {book.market_id for book in books_of(stage)}, "confirmed on the clock"
        stage.tell(Subscribe(subscriber="scorer"))
        assert "1.1" in {book.market_id for book in books_of(stage)}
        stage.tell(Subscribe(subscriber="reconciler"))
        assert books_of(stage) == []
        stage.stop()


def test_a_stream_that_is_refused_leaves_everything_to_polling(
    streamed: Callable[[int], Stage],
) -> None:
    def refuse(peer: Peer) -> None:
        peer.say({"op": "connection", "connectionId": "1"})
        peer.say(failure("NOT_AUTHORIZED", id_=peer.hear()["id"]))

    with streaming(AUTHORITY, refuse) as server:
        stage = streamed(server.port)
        want(stage, "1.1")
        stage.until(lambda: stage.pulse()["stream"] == "refused", "it is refused")
        stage.advance(5)
        assert stage.pulse()["streamed"] == 0
        assert [book.market_id for book in books_of(stage)] == ["1.1"]
        stage.advance(15)
        assert stage.pulse()["prices_fresh"] == 1


def test_a_new_life_ends_the_stream_of_the_one_that_failed(
    streamed: Callable[[int], Stage],
) -> None:
    with streaming(AUTHORITY, serve(image(best()))) as server:
        former = streamed(server.port)
        want(former, "1.1")
        former.until(lambda: former.pulse()["stream"] == "live", "it streams")
        later = streamed(server.port)
        former.until(lambda: former.pulse()["stream"] == "stopped", "the former one ends")
        assert later.pulse()["stream"] == "idle"
