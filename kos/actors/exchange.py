"""Betfair's catalogue and prices: read as planned, kept, told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, assert_never

import msgspec

from kos.actors.proxies import Route
from kos.adapters.betfair.client import BetfairClient, described
from kos.adapters.betfair.payloads import MarketDescription
from kos.adapters.betfair.session import BetfairSession, Credentials
from kos.adapters.betfair.stream import BetfairStream, StreamPhase, StreamSettings
from kos.adapters.http import HttpRemote, RetryPolicy
from kos.config.settings import BetfairSettings, ProxySettings
from kos.domain.market.quotes import Drop, ExchangeMarket
from kos.domain.market.sports import SportWanted
from kos.domain.polling.exchange_cache import CachePolicy, PriceCache, Want, urgency_of
from kos.domain.polling.exchange_catalogue import CatalogueAsk, CatalogueCache, DescriptionPlan
from kos.errors import KosError, OperatorMustAct, WaitAndRetry
from kos.messages import BooksRead, CatalogueRead, CatalogueWanted, PricesWanted, Subscribe, Tick
from kos.runtime import Actor, ChildSpec, Context, Message, Timer, meters

ExchangeMessage = CatalogueWanted | PricesWanted | Subscribe | Tick
"""The messages that it takes."""

_LOOK = Tick(what="look what is due")
_KEEP_ALIVE = Tick(what="keep the session alive")
_STREAM_CHANGED = Tick(what="the stream is in another state")
_TELL_STREAMED = Tick(what="tell what the stream holds")
_TELL_STREAMED_EVERY_S = 15.0
"""A market that does not move is confirmed by the stream's heartbeats; its price stays fresh."""
_SHORTEST_WAIT_S = 0.02
_LONGEST_WAIT_S = 5.0
_REFUSED_PAUSE_S = 300.0
_CALL_LIMIT_S = 15.0
"""Bound on one call with its repeats: a slow answer must not hold back the next plan for long."""


class ExchangeArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the exchange actor is told at its start."""

    betfair: BetfairSettings
    proxies: ProxySettings
    discount: Decimal
    """Off the market base rate, a fraction of one."""


def spec(args: ExchangeArgs) -> ChildSpec:
    """How it is supervised: always there; who needs its snapshots asks again by Subscribe."""
    return ChildSpec(name="exchange", factory="kos.actors.exchange:ExchangeActor", args=args)


class ExchangeActor(Actor):
    """Carries out the plans of the catalogue and the price cache, one call at a time.

    A failed call pauses what it was for; a refused login or key pauses everything for five
    minutes and is shown as a problem, for more logins could lock the account.
    """

    _last_stream: ClassVar[BetfairStream | None] = None
    """Of this process: an incarnation that failed could not stop its own."""

    def __init__(self, context: Context, args: ExchangeArgs) -> None:
        super().__init__(context, args)
        settings = args.betfair
        self._settings = settings
        self._discount = args.discount
        # A plan begins its calls early enough that no price reaches the age the scorer refuses.
        ttl_s = settings.price_ttl_s * 0.85
        self._cache = PriceCache(
            CachePolicy(
                ttl_s=ttl_s,
                urgent_ttl_s=ttl_s / 2,
                least_interval_s=min(10.0, ttl_s / 4),
                call_spacing_s=settings.call_spacing_s,
            )
        )
        self._catalogue = CatalogueCache()
        self._descriptions = DescriptionPlan()
        self._known: dict[str, MarketDescription] = {}
        self._sports: dict[str, SportWanted] = {}
        self._wanted: tuple[str, ...] = ()
        self._problem = ""
        self._route = Route(context, args.proxies, "betfair", "betfair")
        self._remotes: list[HttpRemote] = []
        self._stream: BetfairStream | None = None
        self._streamed: frozenset[str] = frozenset()
        """Markets that the stream keeps fresh now: not polled."""
        self._next_look: Timer | None = None

    def started(self) -> None:
        settings = self._settings
        identity = self._remote(settings.identity_url)
        certificate = (
            self._remote(
                settings.identity_cert_url,
                client_cert=(settings.certificate, settings.certificate_key),
            )
            if settings.certificate
            else None
        )
        self._session = BetfairSession(
            Credentials(
                settings.username.reveal(), settings.password.reveal(), settings.app_key.reveal()
            ),
            identity,
            certificate,
        )
        self._client = BetfairClient(
            self._remote(settings.api_url),
            self._session,
            depth=settings.depth,
            retries=RetryPolicy(total_s=_CALL_LIMIT_S),
        )
        self._cache.limit_batches(self._client.books_per_call)
        if settings.use_stream:
            self._open_stream()
        # Who wants what is the reconciler's to say; after a restart it has said so long ago.
        self.context.ref("reconciler").tell(Subscribe(subscriber=self.context.name))
        self._look_in(0)
        self.context.every(settings.keep_alive_s, _KEEP_ALIVE)

    def _open_stream(self) -> None:
        """One connection for the most urgent markets; what it brings goes straight to the scorer."""
        settings = self._settings
        if ExchangeActor._last_stream is not None:
            ExchangeActor._last_stream.stop()
        scorer, own = self.context.ref("scorer"), self.context.ref(self.context.name)
        self._stream = ExchangeActor._last_stream = BetfairStream(
            self._session,
            StreamSettings(
                host=settings.stream_host,
                port=settings.stream_port,
                ca=settings.ca_file or None,
                depth=settings.depth,
            ),
            on_books=lambda books: scorer.tell(BooksRead(books=books)),
            on_state=lambda _state: own.tell(_STREAM_CHANGED),
        )
        self._stream.start()
        self.context.every(_TELL_STREAMED_EVERY_S, _TELL_STREAMED)

    def stopping(self) -> None:
        if self._stream is not None:
            self._stream.stop()
        self._session.log_out()

    def receive(self, message: Message) -> None:
        if not isinstance(message, ExchangeMessage):
            raise TypeError(f"exchange takes no {type(message).__name__}")
        match message:
            case Tick() if message == _LOOK:
                self._look()
            case Tick() if message == _STREAM_CHANGED:
                self._want_prices()
                self._look_soon()
            case Tick() if message == _TELL_STREAMED:
                self._tell_streamed("scorer")
                self._want_prices()  # books that came since need no polling any more
            case Tick():
                self._keep_alive()
            case CatalogueWanted():
                self._sports = {sport.event_type_id: sport for sport in message.sports}
                self._catalogue.want(
                    {sport.event_type_id: sport.market_types for sport in message.sports},
                    message.until,
                )
                self._look_soon()
            case PricesWanted():
                self._wanted = message.market_ids
                self._want_prices()
                self._look_soon()
            case Subscribe():
                self._tell_all(message.subscriber)
            case _:
                assert_never(message)

    def pulse(self) -> dict[str, str | int | float]:
        counts = self._cache.counts(datetime.now(UTC))
        return {
            "markets": sum(len(self._catalogue.markets(id_)) for id_ in self._sports),
            "prices_wanted": counts.wanted,
            "prices_fresh": counts.fresh,
            "calls": counts.calls,
            "stream": "off" if self._stream is None else self._stream.state.phase.value,
            "streamed": len(self._streamed),
            "has_session": int(self._session.is_open),
            "problem": self._problem,
        }

    def _remote(self, url: str, client_cert: tuple[str, str] | None = None) -> HttpRemote:
        settings = self._settings
        remote = HttpRemote(
            "betfair",
            url,
            timeout_s=(5.0, settings.timeout_s),
            secrets=tuple(
                secret.reveal()
                for secret in (settings.app_key, settings.username, settings.password)
            ),
            client_cert=client_cert,
            ca=settings.ca_file or None,
        )
        self._remotes.append(remote)
        return remote

    def _look(self) -> None:
        """Do the most urgent thing that is due, and look again when the next one is."""
        wait_s = _LONGEST_WAIT_S
        try:
            way = self._route.url()
            for remote in self._remotes:
                remote.go_through(way)
            if self._read_prices() or self._read_catalogue() or self._read_descriptions():
                self._route.used()
                wait_s = 0.0
            else:
                wait_s = min(
                    _LONGEST_WAIT_S, self._cache.next_look(datetime.now(UTC)).total_seconds()
                )
            self._problem = ""
        except KosError as error:
            self._route.used(error)
            self._problem = str(error)
            meters.count("exchange_failures_total")
            self.context.log.warning("exchange.not_read", error=str(error))
            wait_s = _REFUSED_PAUSE_S if isinstance(error, OperatorMustAct) else 1.0
        self._look_in(wait_s)

    def _look_in(self, seconds: float, *, is_same_job: bool = False) -> None:
        """Have one look ahead at a time; a nearer one takes the place of a farther one."""
        if self._next_look is not None:
            self._next_look.cancel()
        wait_s = max(seconds, _SHORTEST_WAIT_S)
        self._next_look = self.context.after(wait_s, _LOOK, is_same_job=is_same_job)

    def _look_soon(self) -> None:
        """Something new is wanted; while a failure is waited out, it waits, too."""
        if not self._problem:
            self._look_in(0, is_same_job=True)

    def _read_prices(self) -> bool:
        batches = self._cache.plan(datetime.now(UTC))
        for batch in batches:
            self._cache.asked(batch, datetime.now(UTC))
            try:
                answer = self._client.books(batch)
            except KosError as error:
                self._cache.failed(batch, datetime.now(UTC), _pause_of(error))
                raise
            self._cache.answered(batch, answer.books, datetime.now(UTC), answer.unread)
            self._cache.limit_batches(self._client.books_per_call)
            self._log_drops("books", answer.drops)
            if answer.books:
                self.context.ref("scorer").tell(BooksRead(books=tuple(answer.books)))
        return bool(batches)

    def _read_catalogue(self) -> bool:
        plan = self._catalogue.plan(datetime.now(UTC))
        if not plan:
            return False
        ask: CatalogueAsk = plan[0]
        try:
            answer = self._client.catalogue(ask.event_type_id, ask.market_types, ask.start, ask.end)
        except KosError as error:
            self._catalogue.failed(ask, datetime.now(UTC), _pause_of(error))
            raise
        self._catalogue.answered(ask, answer.markets, datetime.now(UTC))
        self._log_drops("catalogue", answer.drops)
        self.context.log.info(
            "catalogue.read",
            event_type=self._sports[ask.event_type_id].event_type,
            markets=len(answer.markets),
            is_near=ask.is_near,
        )
        self._tell_catalogue(ask.event_type_id, "reconciler")
        self._want_prices()
        return True

    def _read_descriptions(self) -> bool:
        """Commission and ladder of the matched markets; the catalogue is told again with them."""
        plan = self._descriptions.plan(self._wanted, datetime.now(UTC))
        if not plan:
            return False
        batch = plan[0]
        try:
            answer = self._client.descriptions(batch)
        except KosError:
            self._descriptions.failed(batch, datetime.now(UTC))
            raise
        self._descriptions.answered(batch, answer.descriptions, datetime.now(UTC))
        self._known |= answer.descriptions
        self._log_drops("descriptions", answer.drops)
        for event_type_id in self._sports:
            markets = self._catalogue.markets(event_type_id)
            if any(market.market_id in answer.descriptions for market in markets):
                self._tell_catalogue(event_type_id, "reconciler")
        return True

    def _want_prices(self) -> None:
        """Urgency by kickoff, from the catalogue."""
        now = datetime.now(UTC)
        markets = self._markets()
        wanted = [id_ for id_ in self._wanted if id_ in markets]
        self._streamed = self._kept_fresh_by_stream(wanted)
        self._cache.want(
            [
                Want(id_, urgency_of(markets[id_].kickoff - now))
                for id_ in wanted
                if id_ not in self._streamed
            ],
            now,
        )
        self._known = {id_: market for id_, market in self._known.items() if id_ in markets}

    def _kept_fresh_by_stream(self, wanted: list[str]) -> frozenset[str]:
        """The markets that need no polling: those of a live stream whose books have come."""
        if self._stream is None:
            return frozenset()
        taken = self._stream.watch(wanted)
        if self._stream.state.phase is not StreamPhase.LIVE:
            return frozenset()
        return frozenset(taken) & {book.market_id for book in self._stream.snapshot()}

    def _tell_streamed(self, to: str) -> None:
        """What the stream holds, with the times at which the service last confirmed it."""
        if self._stream is not None and (books := self._stream.snapshot()):
            self.context.ref(to).tell(BooksRead(books=books))

    def _markets(self) -> dict[str, ExchangeMarket]:
        return {
            market.market_id: market
            for event_type_id in self._sports
            for market in self._catalogue.markets(event_type_id)
        }

    def _tell_catalogue(self, event_type_id: str, to: str) -> None:
        sport, markets = self._sports[event_type_id], self._catalogue.markets(event_type_id)
        self.context.ref(to).tell(
            CatalogueRead(
                event_type=sport.event_type,
                markets=described(markets, self._known, self._discount),
                read_at=datetime.now(UTC),
            )
        )

    def _tell_all(self, subscriber: str) -> None:
        """The last snapshots, to a consumer that has restarted."""
        if subscriber == "reconciler":
            for event_type_id in self._sports:
                self._tell_catalogue(event_type_id, subscriber)
            return
        if books := self._cache.books():
            self.context.ref(subscriber).tell(BooksRead(books=books))
        self._tell_streamed(subscriber)

    def _keep_alive(self) -> None:
        try:
            self._session.keep_alive()
        except KosError as error:
            self.context.log.warning("session.not_kept", error=str(error))

    def _log_drops(self, what: str, drops: tuple[Drop, ...]) -> None:
        if drops:
            meters.count("drops_total", len(drops), source=what)
            reasons = sorted({drop.reason for drop in drops})
            self.context.log.info("exchange.dropped", what=what, count=len(drops), reasons=reasons)


def _pause_of(error: KosError) -> float | None:
    if isinstance(error, WaitAndRetry):
        return error.retry_after_s
    return _REFUSED_PAUSE_S
