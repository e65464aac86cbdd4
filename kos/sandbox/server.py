"""Starts the sandbox: servers on free loopback ports, in a thread or in a process of their own."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kos.sandbox.betfair import DELAYED_KEY, LIVE_KEY, Betfair
from kos.sandbox.clock import WorldClock
from kos.sandbox.exchange import Exchange, WorldExchange
from kos.sandbox.faults import Fault, Faults
from kos.sandbox.feed import WorldFeed
from kos.sandbox.oddsapi import OddsApi, Source
from kos.sandbox.prices import Prices
from kos.sandbox.recordings import RecordedExchange, Recordings
from kos.sandbox.sessions import PASSWORD, USERNAME, Sessions
from kos.sandbox.stream import StreamServer, Tls
from kos.sandbox.telegram import Telegram
from kos.sandbox.web import Counters, Hooks, HttpServer, Service
from kos.sandbox.world import World

API_KEY: Final = "5a" * 16
FREE_API_KEY: Final = "f0" * 16
"""A key of the free plan: 500 credits a month, no historical odds."""
MONTHLY_CREDITS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a sandbox listens, and what opens it."""

    odds_api_url: str
    """Without ``/v4``."""
    api_key: str
    free_api_key: str
    betfair_url: str
    """Betting API and both logins; the paths are the service's own."""
    betfair_cert_url: str
    """The certificate login; HTTPS where certificates were given."""
    stream: tuple[str, int]
    stream_is_tls: bool
    betfair_username: str
    betfair_password: str
    betfair_app_key: str
    betfair_delayed_app_key: str
    telegram_url: str
    """The Bot API, without ``/bot<token>``."""
    telegram_token: str


class Sandbox:
    """All remote services on loopback, with one seeded world behind them.

    Use it as a context manager, or call :meth:`close`.

    Args:
        seed: Any whole number; the same seed gives the same world at the same time.
        credits_a_month: The odds feed's allowance of ``api_key``.
        calls_a_second: The odds feed's limit; over it 429.
        speed: World seconds per wall second; printed times stay in step with the wall clock.
        tempo: How many times faster than in life prices wander.
        now: The wall clock, seconds since 1970 UTC.
        start: World time at the start; None for the wall's own.
        recordings: A folder of recorded answers that the services give in place of the world.
        is_shifted: Whether recorded times are moved to now.
        tls: PEM files for the stream and the certificate login; None for plain TCP and HTTP.
        stream_idle_s: How long the stream bears a client that does not subscribe.
        odds_api_port: 0 for a free one.
        betfair_port: 0 for a free one.
        stream_port: 0 for a free one.
        telegram_port: 0 for a free one.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        credits_a_month: int = MONTHLY_CREDITS,
        calls_a_second: int = 30,
        speed: float = 1.0,
        tempo: float = 1.0,
        now: Callable[[], float] = time.time,
        start: datetime | None = None,
        recordings: str | Path | None = None,
        is_shifted: bool = True,
        tls: Tls | None = None,
        stream_idle_s: float = 15.0,
        odds_api_port: int = 0,
        betfair_port: int = 0,
        stream_port: int = 0,
        telegram_port: int = 0,
    ) -> None:
        self.clock = WorldClock(speed, now, start)
        self.world = World(seed, tempo=tempo)
        self.prices = Prices(seed, tempo)
        self.counters = Counters()
        self.faults = Faults(seed, now)
        self.api_key = API_KEY
        self.feed: Source = WorldFeed(self.world, self.prices, self.clock)
        self.exchange: Exchange = WorldExchange(self.world, self.prices, self.clock)
        if recordings is not None:
            folder = Path(recordings)
            self.feed = Recordings(folder, now, is_shifted=is_shifted)
            self.exchange = RecordedExchange(folder, now, is_shifted=is_shifted)
        self.odds_api = OddsApi(
            self.feed,
            now,
            {API_KEY: credits_a_month, FREE_API_KEY: 500},
            frozenset({FREE_API_KEY}),
            calls_a_second,
            self.counters,
        )
        self.sessions = Sessions(now)
        self.betfair = Betfair(self.exchange, now, self.sessions)
        odds_hooks = Hooks(
            held=self.clock.held,
            overdrawn=self.odds_api.overdrawn,
            limited=self.odds_api.limited,
            name_of=self.odds_api.endpoint,
        )
        hooks = Hooks(
            held=self.clock.held, expire=self.sessions.expire_all, name_of=self.betfair.endpoint
        )
        self.telegram = Telegram(now)
        telegram_hooks = Hooks(
            refusal=self.telegram.refusal,
            seen=self.telegram.seen,
            control=self.telegram.control,
            name_of=self.telegram.endpoint,
        )
        self._telegram_server = self._http(
            "telegram", self.telegram, telegram_hooks, port=telegram_port
        )
        self._odds_server = self._http("odds_api", self.odds_api, odds_hooks, port=odds_api_port)
        self._betfair_server = self._http("betfair", self.betfair, hooks, port=betfair_port)
        self._cert_server = (
            None if tls is None else self._http("betfair", self.betfair, hooks, tls=tls.context())
        )
        self.stream = StreamServer(
            self.exchange,
            now,
            self.sessions,
            self.betfair.app_keys,
            tls=tls,
            idle_s=stream_idle_s,
            port=stream_port,
            faults=self.faults,
            counters=self.counters,
        )
        self._lock = threading.Lock()
        self._is_closed = False
        self._reopening: list[threading.Timer] = []
        self.faults.on_refused = self._refuse_for_a_while
        with contextlib.ExitStack() as opened:
            for server in self._servers(""):
                server.start()
                opened.callback(server.stop)
            opened.pop_all()

    def _http(
        self,
        name: str,
        service: Service,
        hooks: Hooks,
        *,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> HttpServer:
        return HttpServer(
            name,
            service,
            faults=self.faults,
            counters=self.counters,
            hooks=hooks,
            tls=tls,
            port=port,
        )

    @property
    def odds_api_url(self) -> str:
        """Address of the odds feed, without ``/v4``."""
        return self._odds_server.url

    @property
    def betfair_url(self) -> str:
        """Address of the Betting API and of the logins."""
        return self._betfair_server.url

    @property
    def betfair_cert_url(self) -> str:
        """Address of the certificate login."""
        return (self._cert_server or self._betfair_server).url

    @property
    def telegram_url(self) -> str:
        """Address of the Bot API, without ``/bot<token>``."""
        return self._telegram_server.url

    @property
    def addresses(self) -> Addresses:
        """Where everything is."""
        return Addresses(
            odds_api_url=self.odds_api_url,
            api_key=API_KEY,
            free_api_key=FREE_API_KEY,
            betfair_url=self.betfair_url,
            betfair_cert_url=self.betfair_cert_url,
            stream=self.stream.address,
            stream_is_tls=self.stream.is_tls,
            betfair_username=USERNAME,
            betfair_password=PASSWORD,
            betfair_app_key=LIVE_KEY,
            betfair_delayed_app_key=DELAYED_KEY,
            telegram_url=self.telegram_url,
            telegram_token=self.telegram.token,
        )

    @property
    def credits_used(self) -> int:
        """Credits that calls with ``api_key`` have cost this month."""
        return self.odds_api.account(self.api_key).used

    def fail(self, kind: str, **how: object) -> Fault:
        """Puts a fault in force, see :mod:`kos.sandbox.faults`; gives the rule with its hits."""
        return self.faults.add(Fault(kind, **how))  # type: ignore[arg-type]

    def refuse(self, service: str = "") -> None:
        """Closes the port of ``odds_api``, ``betfair``, ``stream``, ``telegram`` or all: calls meet a refused connection."""
        with self._lock:
            for server in self._servers(service):
                server.stop()

    def accept(self, service: str = "") -> None:
        """Opens the port of a service again, or of all."""
        with self._lock:
            for server in () if self._is_closed else self._servers(service):
                server.start()

    def _refuse_for_a_while(self, fault: Fault) -> None:
        """Closes ports in a thread of its own, as the caller may be served by one of them."""
        threading.Thread(target=self.refuse, args=(fault.service,), daemon=True).start()
        if fault.seconds is not None:
            timer = threading.Timer(fault.seconds, self.accept, (fault.service,))
            timer.daemon = True
            timer.start()
            self._reopening.append(timer)

    def _servers(self, service: str) -> list[HttpServer | StreamServer]:
        every: dict[str, list[HttpServer | StreamServer | None]] = {
            "odds_api": [self._odds_server],
            "betfair": [self._betfair_server, self._cert_server],
            "stream": [self.stream],
            "telegram": [self._telegram_server],
        }
        chosen = every.values() if not service else [every[service]]
        return [server for servers in chosen for server in servers if server is not None]

    def close(self) -> None:
        """Stops every server and closes every connection."""
        self._is_closed = True
        for timer in self._reopening:
            timer.cancel()
        self.telegram.chats.close()
        self.refuse()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
