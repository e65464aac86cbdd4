"""Prices as they move: one TLS connection to the Exchange Stream, watched over by one thread.

The thread connects, authenticates, subscribes to the wanted market ids and feeds what comes to a
:class:`StreamCache`. What can go wrong ends in one of four ways: the same subscription is taken up
again where it broke (with its clocks), a fresh one is sent, the thread waits and reconnects, or
it stops and says what a person must do. Nothing here logs a message as it came: the service
echoes sessions in its error texts.
"""

from __future__ import annotations

import contextlib
import enum
import itertools
import math
import random
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import structlog

from kos.adapters.betfair.errors import (
    Reaction,
    ServiceFault,
    code_of,
    error_of,
    reaction_to,
)
from kos.adapters.betfair.fields import is_market_id
from kos.adapters.betfair.session import BetfairSession
from kos.adapters.betfair.stream_cache import LineSplitter, StreamCache, StreamLadder, read_line
from kos.adapters.json_fields import Untrusted
from kos.domain.market.quotes import Drop, MarketBook
from kos.errors import InvalidSettings, KosError, OperatorMustAct, WaitAndRetry

log = structlog.get_logger(__name__)

MAX_MARKETS: Final = 200
"""Of one subscription, by default of the service."""

_FIELDS: Final = {
    StreamLadder.DISPLAY: "EX_BEST_OFFERS_DISP",
    StreamLadder.BEST: "EX_BEST_OFFERS",
    StreamLadder.FULL: "EX_ALL_OFFERS",
}
_CHUNK_BYTES: Final = 256 * 1024
_STEADY_S: Final = 60.0
"""A connection that lived so long clears the count of failures."""
_CROWDED_S: Final = 60.0
"""Least pause where the account has too many connections or opens them too often."""


class StreamPhase(enum.StrEnum):
    """How the stream stands."""

    IDLE = "idle"
    """Nothing is wanted; no connection."""
    CONNECTING = "connecting"
    LIVE = "live"
    LATE = "late"
    """The service says that its data is late; books keep the time of the last that was not."""
    WAITING = "waiting"
    """Broken; the next try comes after a pause."""
    REFUSED = "refused"
    """A person must act; nothing is tried any more."""
    STOPPED = "stopped"


class StreamState(msgspec.Struct, frozen=True):
    """How the stream stands, and why."""

    phase: StreamPhase
    detail: str = ""
    """For a person; no secret."""
    drops: int = 0
    """Things left out since the start."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Where and how to stream.

    Delays and intervals are seconds unless the name says otherwise.
    """

    host: str = "stream-api.betfair.com"
    port: int = 443
    ca: str | None = None
    """A PEM file of authorities to trust in place of the system's own. Never untrusted."""
    ladder: StreamLadder = StreamLadder.DISPLAY
    depth: int = 3
    conflate_ms: int = 1000
    """0 to 120000: the service gathers changes for so long."""
    heartbeat_ms: int = 5000
    """500 to 5000. After two intervals of silence the connection counts as dead."""
    timeout_s: float = 15.0
    """To connect, and for each answer up to the subscription's."""
    resubscribe_s: float = 5.0
    """Least pause between two subscriptions: each brings a whole image."""
    heal_s: float = 300.0
    """Least pause between two images that are asked for to heal torn markets."""
    backoff_s: float = 1.0
    backoff_cap_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what the service would refuse.

        Raises:
            InvalidSettings: With every problem at once.
        """
        ranges = (
            ("stream depth", self.depth, 1, 10),
            ("stream conflate_ms", self.conflate_ms, 0, 120_000),
            ("stream heartbeat_ms", self.heartbeat_ms, 500, 5000),
            ("stream port", self.port, 1, 65_535),
        )
        problems = tuple(
            f"{what}: {value} is outside {low} to {high}"
            for what, value, low, high in ranges
            if not low <= value <= high
        )
        if self.ca is not None and not Path(self.ca).is_file():
            problems += (f"stream ca: cannot read the file {self.ca}",)
        if problems:
            raise InvalidSettings(problems)


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """The connection is no longer usable; try again after a pause."""

    def __init__(self, reason: str, least_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.least_s = least_s


class BetfairStream:
    """Streams the wanted markets. Started and stopped once; :meth:`watch` from any thread.

    Args:
        session: Who we are; shared with the client.
        settings: Where and how.
        on_books: Gets the books that moved, in the stream's own thread: hand them on, don't work.
        on_state: Gets each change of state, likewise.
        now: UTC. ``clock``: monotonic seconds. ``chance``: evenly from [0, 1).
    """

    def __init__(
        self,
        session: BetfairSession,
        settings: StreamSettings,
        *,
        on_books: Callable[[tuple[MarketBook, ...]], object],
        on_state: Callable[[StreamState], object],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._session = session
        self._settings = settings
        self._on_books = on_books
        self._on_state = on_state
        self._now = now
        self._clock = clock
        self._chance = chance
        self._cache = StreamCache(ladder=settings.ladder, depth=settings.depth)
        self._lock = threading.Lock()
        """Guards the cache, and each change of the wanted ids."""
        self._wanted: tuple[str, ...] = ()
        self._limit = MAX_MARKETS
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.settimeout(0)
        self._wake_writer.settimeout(0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="betfair-stream", daemon=True)
        self._state = StreamState(StreamPhase.IDLE)
        self._ids = itertools.count(1)
        self._failures = 0
        self._drops = 0
        self._subscribed: tuple[str, ...] = ()
        self._clocks_of: tuple[str, ...] = ()
        """The ids of the subscription that the cache's clocks belong to."""
        self._subscribed_at = 0.0
        self._healed_at = -math.inf

    def __repr__(self) -> str:
        """Address and phase; no secret."""
        settings = self._settings
        return f"BetfairStream({settings.host}:{settings.port}, {self._state.phase})"

    # --- from any thread ------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close the connection and end the thread."""
        self._stopping.set()
        self._wake()
        if self._thread.ident is None:
            self._close_wakers()
        else:
            self._thread.join(timeout_s)

    def _close_wakers(self) -> None:
        self._wake_reader.close()
        self._wake_writer.close()

    def watch(self, market_ids: Iterable[str]) -> tuple[str, ...]:
        """Replace the wanted markets, most urgent first; returns those that the stream takes.

        No more than the service's limit are taken. A change of the list costs a new image, so it
        waits for the pause between subscriptions; the same ids in another order cost nothing.
        """
        usable = (id_ for id_ in dict.fromkeys(market_ids) if is_market_id(id_))
        with self._lock:
            self._wanted = tuple(itertools.islice(usable, self._limit))
            taken = self._wanted
        self._wake()
        return taken

    def snapshot(self) -> tuple[MarketBook, ...]:
        """All books as they are now; their times say how long ago the service confirmed them."""
        with self._lock:
            return self._cache.books()

    @property
    def state(self) -> StreamState:
        """How the stream stands."""
        return self._state

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full, so the thread will wake anyhow; or closed
            self._wake_writer.send(b"!")

    # --- the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._wanted:
                    self._say(StreamPhase.IDLE)
                    self._sleep(60.0)
                    continue
                self._serve()
            except OperatorMustAct as refusal:
                self._say(StreamPhase.REFUSED, str(refusal))
                self._stopping.wait()
            except (_Broken, WaitAndRetry, Untrusted, OSError) as error:
                self._pause(error)
            except Exception as error:
                # A fault of our own must not end the stream unseen: it is logged, said and retried.
                log.exception("betfair.stream_failed")
                self._pause(error)
        self._say(StreamPhase.STOPPED)
        self._close_wakers()  # by who reads them, however late it comes to its end

    def _pause(self, error: Exception) -> None:
        """Wait before the next connection: doubling, drawn from the upper half."""
        doubled = self._settings.backoff_s * 2.0 ** min(self._failures, 30)
        self._failures += 1
        wait_s = min(self._settings.backoff_cap_s, doubled) * (1 + self._chance()) / 2
        reason = _reason(error)
        if isinstance(error, _Broken):
            wait_s = max(wait_s, error.least_s)
        if isinstance(error, WaitAndRetry):
            wait_s = max(wait_s, error.retry_after_s or 0.0)
        log.warning("betfair.stream_broken", reason=reason, wait_s=round(wait_s, 3))
        self._say(StreamPhase.WAITING, reason)
        until = self._clock() + wait_s
        while not self._stopping.is_set() and (left_s := until - self._clock()) > 0:
            self._sleep(left_s)

    def _sleep(self, seconds: float) -> None:
        """Wait until woken."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_reader, selectors.EVENT_READ)
            if selector.select(seconds):
                drain(self._wake_reader)

    def _say(self, phase: StreamPhase, detail: str = "") -> None:
        state = StreamState(phase, detail, self._drops)
        if (state.phase, state.detail) == (self._state.phase, self._state.detail):
            return
        self._state = state
        log.info("betfair.stream_changed", phase=phase.value, detail=detail)
        self._tell(self._on_state, state)

    @staticmethod
    def _tell(listener: Callable[[Any], object], what: object) -> None:
        try:
            listener(what)
        except Exception:
            # The listener's trouble is its own; the stream must go on reading.
            log.exception("betfair.stream_listener_failed")

    # --- one connection ---------------------------------------------------------------------

    def _serve(self) -> None:
        """Connect and read until the connection breaks, is no longer usable, or KOS stops."""
        self._say(StreamPhase.CONNECTING)
        token, now = self._session.token(), self._clock()
        talk = _Talk(token, opened_at=now, heard_at=now)
        with _StreamConnection(self._settings, self._wake_reader) as wire:
            while not self._stopping.is_set():
                pause_s = 60.0
                if talk.is_authenticated:
                    if not self._wanted:
                        return
                    pause_s = self._subscribe_as_wanted(wire, talk)
                silent_s = self._clock() - talk.heard_at
                patience_s = self._patience_s(talk)
                if silent_s >= patience_s:
                    raise _Broken(f"silent for {patience_s:g} s")
                self._hear(wire, talk, min(pause_s, patience_s - silent_s))

    def _patience_s(self, talk: _Talk) -> float:
        """How long silence may last."""
        if not talk.is_live:
            return self._settings.timeout_s
        heartbeat_ms = self._cache.heartbeat_ms or self._settings.heartbeat_ms
        return 2 * min(max(heartbeat_ms, 500), 5000) / 1000

    def _hear(self, wire: _StreamConnection, talk: _Talk, wait_s: float) -> None:
        lines = wire.lines(wait_s)
        now = self._clock()
        if lines is None:
            return
        talk.heard_at = now
        if talk.is_live and now - talk.opened_at >= _STEADY_S:
            self._failures = 0
        for line in lines:
            try:
                self._handle(read_line(line), wire, talk)
            except Untrusted as refused:
                self._count((Drop("line", str(refused)),))
                with self._lock:
                    self._cache.tear_all()
                raise _Broken("a message could not be read") from None

    def _handle(self, message: dict[str, Any], wire: _StreamConnection, talk: _Talk) -> None:
        match message.get("op"):
            case "connection":
                self._authenticate(wire, talk)
            case "status" if message.get("statusCode") == "SUCCESS":
                if message.get("id") == talk.authentication_id:
                    talk.is_authenticated = True
            case "status":
                self._refused(code_of(message.get("errorCode")), talk)
            case "mcm":
                self._take(message)
                if message.get("id") == talk.subscription_id:
                    talk.is_live = True
                    self._say(StreamPhase.LATE if self._cache.is_late else StreamPhase.LIVE)
            case _:
                self._count((Drop("op", "operation unknown"),))

    def _authenticate(self, wire: _StreamConnection, talk: _Talk) -> None:
        talk.authentication_id = next(self._ids)
        wire.send(
            {
                "op": "authentication",
                "id": talk.authentication_id,
                "appKey": self._session.app_key,
                "session": talk.token,
            }
        )

    def _refused(self, code: str, talk: _Talk) -> None:
        """A status that says no."""
        reaction = reaction_to(code)
        log.warning("betfair.stream_status", code=code)
        match reaction:
            case Reaction.OPERATOR:
                raise error_of(ServiceFault(code, reaction))
            case Reaction.LOGIN_AGAIN:
                self._session.renew(talk.token)
                raise _Broken(f"session ended ({code})")
            case Reaction.SMALLER_BATCH if self._limit > 1:
                with self._lock:
                    self._limit = max(1, len(self._wanted) // 2)
                    self._wanted = self._wanted[: self._limit]
                self._subscribed = ()
            case Reaction.FEWER_CALLS | Reaction.SMALLER_BATCH:
                raise _Broken(code, _CROWDED_S)
            case Reaction.BUG:
                with self._lock:
                    self._cache.forget_clocks()
                raise _Broken(code, 0.0 if code == "INVALID_CLOCK" else _CROWDED_S)
            case Reaction.BACK_OFF:
                raise _Broken(code)

    def _subscribe_as_wanted(self, wire: _StreamConnection, talk: _Talk) -> float:
        """Bring the subscription in line with what is wanted; seconds until the next look."""
        wanted = self._wanted
        now = self._clock()
        if not talk.subscription_id:
            self._subscribe(wire, talk, wanted, may_resume=True)
        elif set(wanted) != set(self._subscribed):
            left_s = self._subscribed_at + self._settings.resubscribe_s - now
            if left_s > 0:
                return left_s
            self._subscribe(wire, talk, wanted)
        elif talk.is_live and self._cache.torn:
            left_s = self._healed_at + self._settings.heal_s - now
            if left_s > 0:
                return left_s
            self._healed_at = now
            log.info("betfair.stream_healed", markets=len(self._cache.torn))
            self._subscribe(wire, talk, wanted)
        return 60.0

    def _subscribe(
        self,
        wire: _StreamConnection,
        talk: _Talk,
        wanted: tuple[str, ...],
        *,
        may_resume: bool = False,
    ) -> None:
        """Send a subscription; with the clocks of the broken one if it is the very same."""
        settings = self._settings
        talk.subscription_id = next(self._ids)
        talk.is_live = False
        with self._lock:
            is_same = may_resume and set(self._clocks_of) == set(wanted)
            clocks = self._cache.clocks() if is_same else None
            if clocks is not None:
                wanted = self._clocks_of
            self._cache.begin(talk.subscription_id, is_resumed=clocks is not None)
        message: dict[str, object] = {
            "op": "marketSubscription",
            "id": talk.subscription_id,
            "segmentationEnabled": True,
            "conflateMs": settings.conflate_ms,
            "heartbeatMs": settings.heartbeat_ms,
            "marketFilter": {"marketIds": wanted},
            "marketDataFilter": {
                "ladderLevels": settings.depth,
                "fields": [_FIELDS[settings.ladder], "EX_MARKET_DEF"],
            },
        }
        if clocks is not None:
            message |= {"initialClk": clocks.initial, "clk": clocks.latest}
        self._subscribed = self._clocks_of = wanted
        self._subscribed_at = self._clock()
        log.info("betfair.stream_subscribed", markets=len(wanted), is_resumed=clocks is not None)
        wire.send(message)

    def _take(self, message: dict[str, Any]) -> None:
        with self._lock:
            change = self._cache.apply(message, self._now())
        self._count(change.drops)
        if change.books:
            self._tell(self._on_books, change.books)
        if self._cache.is_lost:
            raise _Broken("a message could not be read")

    def _count(self, drops: tuple[Drop, ...]) -> None:
        if drops:
            self._drops += len(drops)
            first = drops[0]
            log.warning(
                "betfair.stream_dropped", count=len(drops), path=first.path, reason=first.reason
            )


@dataclass(slots=True)
class _Talk:
    """How far the conversation over one connection has come."""

    token: str = field(repr=False)
    opened_at: float
    heard_at: float
    authentication_id: int = 0
    subscription_id: int = 0
    is_authenticated: bool = False
    is_live: bool = False


class _StreamConnection:
    """One TLS connection, read by lines; a byte on ``waker`` ends a wait early."""

    def __init__(self, settings: StreamSettings, waker: socket.socket) -> None:
        self._settings = settings
        self._waker = waker
        self._lines = LineSplitter()

    def __enter__(self) -> Self:
        settings = self._settings
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        plain = socket.create_connection((settings.host, settings.port), settings.timeout_s)
        try:
            self._tls = context.wrap_socket(plain, server_hostname=settings.host)
        except BaseException:
            plain.close()
            raise
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._tls, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self._tls.close()

    def send(self, message: object) -> None:
        """Send one message."""
        self._tls.settimeout(self._settings.timeout_s)
        self._tls.sendall(msgspec.json.encode(message) + b"\r\n")

    def lines(self, wait_s: float) -> list[bytes] | None:
        """Whole lines that came within ``wait_s``; None where nothing at all came.

        Raises:
            _Broken: The other side closed the connection.
        """
        if not self._tls.pending() and self._selector.select(wait_s):
            drain(self._waker)
        self._tls.settimeout(0)
        try:
            data = self._tls.recv(_CHUNK_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        if not data:
            raise _Broken("closed by the service")
        return self._lines.feed(data)


def drain(waker: socket.socket) -> None:
    """Take all that waits on a socket that does not block."""
    with contextlib.suppress(BlockingIOError):
        while waker.recv(4096):
            pass


def _reason(error: Exception) -> str:
    """What broke the connection, in words of our own."""
    match error:
        case _Broken() | KosError() | Untrusted():
            return str(error)
        case ssl.SSLCertVerificationError():
            return "the certificate is not trusted; check address, clock and ca in the settings"
        case ssl.SSLError():
            return "TLS failed"
        case TimeoutError():
            return "no reply in time"
        case OSError():
            return f"no connection ({type(error).__name__})"
        case _:
            return f"a fault in KOS ({type(error).__name__}); report it with the log"
