"""Plays the exchange's market stream: JSON lines over TCP, with TLS where certificates are given.

Prices are a function of time, so a connection keeps no more than what it last told its client, and
a clock (``clk``) is the moment of publication: resuming computes the difference between two moments.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

from kos.sandbox.exchange import Exchange, Market
from kos.sandbox.faults import Faults
from kos.sandbox.sessions import Sessions
from kos.sandbox.stream_changes import definition, difference, put_ladders
from kos.sandbox.web import Counters

_LIMIT: Final = 200
_CONNECTIONS: Final = 10
_TICK_S: Final = 0.25
_PUSH_MS: Final = 1000
"""The book changes every two seconds; looking more often finds nothing."""
_SEGMENT: Final = 50
_RESUMABLE_S: Final = 600.0
_LINE_LIMIT: Final = 1 << 20
_DELAYED_CONFLATE_MS: Final = 180_000


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files for TLS.

    The certificate login then asks its clients for a certificate of ``client_ca``.
    """

    certificate: str
    """The server's certificate, with its chain."""
    key: str
    """Its private key."""
    client_ca: str | None = None
    """Authority of the clients' certificates; None asks for none, and no certificate login succeeds."""

    def context(self) -> ssl.SSLContext:
        """Gives a server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if self.client_ca is not None:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


@dataclass(slots=True)
class _Subscription:
    """What one connection asked for."""

    id: int
    filter: dict[str, Any]
    fields: frozenset[str]
    levels: int
    conflate_ms: int
    heartbeat_ms: int
    is_segmented: bool
    initial_clk: str
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By market: the last definition and ladders sent."""
    known: dict[str, Market] = field(default_factory=dict)
    """Every market that was sent, also once the exchange lists it no more."""


class StreamFailure(Exception):  # noqa: N818 - it is an answer
    """A status FAILURE."""

    def __init__(self, code: str, message: str, *, closes: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.closes = closes


def _within(value: Any, low: int, high: int, default: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int):
        raise StreamFailure("INVALID_INPUT", f"Not a whole number: {value!r}")
    return max(low, min(high, value))


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a client that hangs up; a fault of the sandbox itself is told on stderr."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class StreamServer:
    """The stream on one loopback port.

    Args:
        exchange: The data.
        now: The wall clock.
        sessions: Logins, shared with the HTTP services.
        app_keys: Known keys; the value says whether the key is delayed.
        faults: The rules in force, under the service name ``stream``.
        counters: Counts ``stream.connections``, ``stream.subscriptions`` and ``stream.messages``.
        tls: Certificates; None for plain TCP.
        idle_s: How long a connection may stay without authentication or subscription.
        port: 0 for a free one.
    """

    def __init__(
        self,
        exchange: Exchange,
        now: Callable[[], float],
        sessions: Sessions,
        app_keys: dict[str, bool],
        *,
        faults: Faults,
        counters: Counters,
        tls: Tls | None = None,
        idle_s: float = 15.0,
        port: int = 0,
    ) -> None:
        self.exchange = exchange
        self.now = now
        self.sessions = sessions
        self.app_keys = app_keys
        self.faults = faults
        self.counters = counters
        self.idle_s = idle_s
        self.closing = threading.Event()
        self._context = None if tls is None else tls.context()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._port = port
        self._server: _TcpServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return ("127.0.0.1", self._port)

    @property
    def is_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self._context is not None

    def start(self) -> None:
        """Listens, on the same port as before if it listened before."""
        if self._server is not None:
            return
        self.closing.clear()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.converse(self.request)

        self._server = _TcpServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-stream",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every connection."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._server = None
        self.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
        with self._lock:
            sockets = list(self._open)
        for connection in sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def converse(self, raw: socket.socket) -> None:
        """Serves one connection until it ends; runs in its own thread."""
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = raw
        with contextlib.suppress(OSError, ssl.SSLError):
            if self._context is not None:
                raw.settimeout(10)
                connection = self._context.wrap_socket(raw, server_side=True)
            with self._lock:
                self._open.add(connection)
                count = len(self._open)
            try:
                self.counters.add("stream.connections")
                _Connection(self, connection, count).run()
            finally:
                with self._lock:
                    self._open.discard(connection)
        connection.close()


class _Connection:
    """One client: what it said, what it was told."""

    def __init__(self, server: StreamServer, connection: socket.socket, count: int) -> None:
        self._server = server
        self._socket = connection
        self._count = count
        self._id = f"001-{int(server.now()):012d}-{count}"
        self._buffer = b""
        self._is_delayed: bool | None = None
        self._subscription: _Subscription | None = None
        self._idle_from = time.monotonic()
        self._sent_at = time.monotonic()
        self._pushed_at = 0.0

    def run(self) -> None:
        """Talks until one side ends it."""
        self._send({"op": "connection", "connectionId": self._id})
        self._socket.settimeout(_TICK_S)
        while not self._server.closing.is_set():
            try:
                chunk = self._socket.recv(65536)
                if not chunk:
                    return
            except TimeoutError:
                chunk = b""
            self._buffer += chunk
            while b"\r\n" in self._buffer:
                line, _, self._buffer = self._buffer.partition(b"\r\n")
                if not self._hear(line):
                    return
            if len(self._buffer) > _LINE_LIMIT or not self._tick():
                return

    # -- hearing ---------------------------------------------------------------------------------

    def _hear(self, line: bytes) -> bool:
        """Handles one message; False ends the connection."""
        message: Any = None
        with contextlib.suppress(ValueError):
            message = json.loads(line)
        if not isinstance(message, dict):
            message = {"op": "a line that is not a JSON object"}
        number, op = message.get("id"), message.get("op")
        try:
            match op:
                case "authentication":
                    self._authenticate(message)
                case "marketSubscription":
                    self._subscribe(message)
                case "heartbeat":
                    self._status(number)
                case _:
                    self._refuse(op)
        except StreamFailure as failure:
            self._send({
                "op": "status", "id": number, "statusCode": "FAILURE", "errorCode": failure.code, "errorMessage": failure.message,
                "connectionClosed": failure.closes, "connectionId": self._id,
            })  # fmt: skip
            return not failure.closes
        return True

    @staticmethod
    def _refuse(op: Any) -> None:
        raise StreamFailure("INVALID_REQUEST", f"Unknown operation: {op}")

    def _status(self, number: Any, **more: Any) -> None:
        self._send(
            {
                "op": "status",
                "id": number,
                "statusCode": "SUCCESS",
                "connectionClosed": False,
                **more,
            }
        )

    def _authenticate(self, message: dict[str, Any]) -> None:
        if self._count > _CONNECTIONS:
            raise StreamFailure(
                "MAX_CONNECTION_LIMIT_EXCEEDED", "You have exceeded your max connection limit"
            )
        app_key, session = message.get("appKey"), message.get("session")
        if not app_key:
            raise StreamFailure("NO_APP_KEY", "AppKey is missing")
        if app_key not in self._server.app_keys:
            raise StreamFailure("INVALID_APP_KEY", "AppKey is not valid")
        if not session:
            raise StreamFailure("NO_SESSION", "Session token is missing")
        if not self._server.sessions.is_open(session):
            raise StreamFailure("INVALID_SESSION_INFORMATION", "Session token is not valid")
        self._is_delayed = self._server.app_keys[app_key]
        self._idle_from = time.monotonic()
        self._status(message.get("id"), connectionsAvailable=_CONNECTIONS - self._count)

    def _subscribe(self, message: dict[str, Any]) -> None:
        if self._is_delayed is None:
            raise StreamFailure("NOT_AUTHORIZED", "The connection is not authenticated")
        number = message.get("id")
        wanted = message.get("marketFilter") or {}
        data = message.get("marketDataFilter") or {}
        if (
            not isinstance(number, int)
            or not isinstance(wanted, dict)
            or not isinstance(data, dict)
        ):
            raise StreamFailure("INVALID_INPUT", "The subscription is not well formed")
        conflate = _within(message.get("conflateMs"), 0, 120_000, 0)
        said = json.dumps([wanted, data], sort_keys=True).encode()
        subscription = _Subscription(
            id=number,
            filter=wanted,
            fields=frozenset(data.get("fields") or ("EX_BEST_OFFERS", "EX_MARKET_DEF")),
            levels=_within(data.get("ladderLevels"), 1, 10, 10),
            conflate_ms=_DELAYED_CONFLATE_MS if self._is_delayed else conflate,
            heartbeat_ms=_within(message.get("heartbeatMs"), 500, 5000, 5000),
            is_segmented=message.get("segmentationEnabled") is True,
            initial_clk=f"{crc32(said):08x}",
        )
        markets = self._markets(subscription)
        if len(markets) > _LIMIT:
            raise StreamFailure(
                "SUBSCRIPTION_LIMIT_EXCEEDED",
                f"You have exceeded your market subscription limit of {_LIMIT}, requested {len(markets)}",
                closes=False,
            )
        resumed = self._resumed_at(message, subscription)
        self._subscription = subscription
        self._server.counters.add("stream.subscriptions")
        self._status(number)
        if resumed is None:
            self._image()
        else:
            for market in markets:
                state = self._state(market, subscription, resumed)
                if state is not None:
                    subscription.told[market.id] = state
            self._push(ct="RESUB_DELTA")

    def _resumed_at(self, message: dict[str, Any], subscription: _Subscription) -> float | None:
        """Gives the moment a client wants to go on from, or None for a fresh start."""
        initial, clk = message.get("initialClk"), message.get("clk")
        if initial is None and clk is None:
            return None
        now = self._server.now()
        if (
            initial == subscription.initial_clk
            and isinstance(clk, str)
            and re.fullmatch(r"T[0-9a-f]+", clk)
        ):
            moment = int(clk[1:], 16) / 1000
            if now - _RESUMABLE_S <= moment <= now + 1:
                return moment
        raise StreamFailure("INVALID_CLOCK", "The clocks are not valid for this subscription")

    # -- telling ---------------------------------------------------------------------------------

    def _tick(self) -> bool:
        """Sends what is due; False ends the connection."""
        now = time.monotonic()
        subscription = self._subscription
        if subscription is None:
            if now - self._idle_from < self._server.idle_s:
                return True
            self._send({
                "op": "status", "statusCode": "FAILURE", "errorCode": "TIMEOUT",
                "errorMessage": f"Connection is not subscribed and is idle: {int(self._server.idle_s * 1000)} ms",
                "connectionClosed": True, "connectionId": self._id,
            })  # fmt: skip
            return False
        fault = self._server.faults.strike(
            "stream", "stream", ("disconnect", "hang", "stream_503", "stream_image")
        )
        if fault is not None:
            self._server.counters.add(f"fault.{fault.kind}")
            if fault.kind == "disconnect":
                return False
            if fault.kind == "hang":
                self._server.closing.wait(fault.delay_s)
                return True
            if fault.kind == "stream_image":
                self._image()
                return True
        status = 503 if fault is not None else None
        if (now - self._pushed_at) * 1000 >= max(_PUSH_MS, subscription.conflate_ms) or status:
            self._push(status=status)
        if (now - self._sent_at) * 1000 >= subscription.heartbeat_ms:
            self._send(self._mcm(subscription, ct="HEARTBEAT"))
        return True

    def _image(self) -> None:
        subscription = self._subscription
        if subscription is not None:
            subscription.told.clear()
            self._push(ct="SUB_IMAGE")

    def _push(self, ct: str | None = None, status: int | None = None) -> None:
        subscription = self._subscription
        if subscription is None:
            return
        self._pushed_at = time.monotonic()
        moment = self._server.now()
        changes = []
        subscription.known.update((market.id, market) for market in self._markets(subscription))
        for market in list(subscription.known.values()):
            state = self._state(market, subscription, moment)
            if state is None:
                del subscription.known[market.id]
                subscription.told.pop(market.id, None)
                continue
            change = difference(market.id, subscription.told.get(market.id), state)
            subscription.told[market.id] = state
            if change is not None:
                changes.append(change)
        if not changes and ct is None and status is None:
            return
        extra: dict[str, Any] = {} if status is None else {"status": status}
        if ct == "SUB_IMAGE":
            extra.update(
                initialClk=subscription.initial_clk,
                conflateMs=subscription.conflate_ms,
                heartbeatMs=subscription.heartbeat_ms,
            )
        if not subscription.is_segmented or len(changes) <= _SEGMENT:
            self._send(self._mcm(subscription, ct=ct, changes=changes, moment=moment, extra=extra))
            return
        parts = [changes[start : start + _SEGMENT] for start in range(0, len(changes), _SEGMENT)]
        for index, part in enumerate(parts):
            kind = "SEG_START" if index == 0 else "SEG_END" if index == len(parts) - 1 else "SEG"
            self._send(
                self._mcm(
                    subscription,
                    ct=ct,
                    changes=part,
                    moment=moment,
                    extra={**extra, "segmentType": kind},
                )
            )

    def _mcm(
        self,
        subscription: _Subscription,
        *,
        ct: str | None,
        changes: list[dict[str, Any]] | None = None,
        moment: float | None = None,
        extra: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        at = self._server.now() if moment is None else moment
        message: dict[str, Any] = {
            "op": "mcm",
            "id": subscription.id,
            **(extra or {}),
            "clk": f"T{int(at * 1000):x}",
        }
        message["pt"] = int(at * 1000)
        if ct is not None:
            message["ct"] = ct
        if changes:
            message["mc"] = changes
        return message

    def _markets(self, subscription: _Subscription) -> list[Market]:
        listed = self._server.exchange.markets()
        wanted = subscription.filter
        ids = wanted.get("marketIds")
        chosen = (
            listed.values() if not ids else [listed[one] for one in map(str, ids) if one in listed]
        )
        held: tuple[tuple[str, Callable[[Market], str]], ...] = (
            ("eventTypeIds", lambda m: m.event_type_id),
            ("eventIds", lambda m: m.event_id),
            ("marketTypes", lambda m: m.type),
            ("countryCodes", lambda m: m.country or "GB"),
            ("bettingTypes", lambda m: m.betting_type),
        )
        return [
            m
            for m in chosen
            if all(not wanted.get(name) or of(m) in wanted[name] for name, of in held)
        ]

    def _state(
        self, market: Market, subscription: _Subscription, moment: float
    ) -> dict[str, Any] | None:
        exchange = self._server.exchange
        fields = subscription.fields
        state: dict[str, Any] = {}
        for name, is_virtual in (
            ("EX_BEST_OFFERS_DISP", True),
            ("EX_BEST_OFFERS", False),
            ("EX_ALL_OFFERS", False),
        ):
            if name not in fields and not (name == "EX_BEST_OFFERS" and "EX_MARKET_DEF" in fields):
                continue
            book = exchange.book(
                market.id, is_virtual=is_virtual, is_delayed=bool(self._is_delayed), at=moment
            )
            if book is None:
                return None
            if "EX_MARKET_DEF" in fields:
                state["definition"] = definition(market, book)
            if name in fields:
                put_ladders(state, name, market, book, subscription.levels)
        return state

    def _send(self, message: dict[str, Any]) -> None:
        self._socket.settimeout(10)
        self._socket.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\r\n")
        self._socket.settimeout(_TICK_S)
        self._sent_at = time.monotonic()
        self._server.counters.add("stream.messages")
