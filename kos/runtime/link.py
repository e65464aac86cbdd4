"""The way from this process to one other: made when needed, made again after a death."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path

import msgspec

from kos.runtime.codec import Codec, Frame, Kind
from kos.runtime.errors import MessageRefused, PeerDied, from_fault
from kos.runtime.outbox import Outbox, OutboxFull
from kos.runtime.protocol import Message
from kos.runtime.reply import Waiter
from kos.runtime.transport import Wire, WireClosed

HOLD_S = 10.0
"""Messages told to a node that is not up wait so many seconds for it, then are given up."""

_RETRY_FIRST_S = 0.01
_RETRY_CAP_S = 0.2


class Link:
    """The way to one peer. It survives the peer's deaths; a connection does not.

    What is told while the peer is down waits (bounded, snapshots conflated) for its return;
    what is asked fails at once. What had been handed to the operating system when the peer
    died is lost: delivery is at most once, nothing is ever sent twice.

    Args:
        here: This node's name, said first on each connection.
        peer: The other node's name.
        address: Its socket.
        codec: The system's messages.
        on_lost: Called with a reason and a count when told messages were lost.
    """

    def __init__(
        self,
        *,
        here: str,
        peer: str,
        address: Path,
        codec: Codec,
        on_lost: Callable[[str, int], None],
    ) -> None:
        self.peer = peer
        self.late_answers = 0
        """Answers that came after their asker had given up."""
        self._here = here
        self._address = address
        self._codec = codec
        self._on_lost = on_lost
        self._numbers = itertools.count(1)
        self._pending: dict[int, tuple[Wire, Waiter, str]] = {}
        self._outbox = Outbox()
        self._wire: Wire | None = None
        self._lock = threading.Lock()
        self._is_retrying = False
        self._is_closed = False

    def tell(self, data: bytes, key: Hashable) -> None:
        """Send a frame that nobody waits for.

        Raises:
            OutboxFull: As much waits for the peer as may.
        """
        wire = self._wire
        if wire is not None:
            try:
                wire.send(data, key=key)
            except WireClosed:
                pass
            else:
                return
        self._hold(data, key)

    def ask(self, target: str, sender: str | None, message: Message, timeout_s: float) -> Message:
        """Send a request and wait for its answer.

        Raises:
            PeerDied: The peer is not up, or its link broke while we waited.
            OutboxFull: As much waits for the peer as may.
            RuntimeFault: What came instead of an answer, or AskTimeout.
        """
        number = next(self._numbers)
        data = self._codec.encode(Kind.ASK, number, target, sender, message)
        waiter = Waiter()
        try:
            wire = self._connected()
            self._pending[number] = (wire, waiter, target)
            wire.send(data, is_urgent=True)
            if not wire.is_open:
                raise WireClosed  # noqa: TRY301 - broke after the send; its reader may be past us
        except (OSError, WireClosed) as error:
            self._pending.pop(number, None)
            raise PeerDied(target, f"node {self.peer} is not up: {error}".rstrip(": ")) from error
        except OutboxFull:
            self._pending.pop(number, None)
            raise
        try:
            return waiter.wait(target, message, timeout_s)
        finally:
            self._pending.pop(number, None)

    def close(self, drain_s: float) -> None:
        """Let what waits go out for at most ``drain_s`` seconds, then end the connection."""
        self._is_closed = True
        wire = self._wire
        if wire is None:
            return
        deadline = time.monotonic() + drain_s
        while wire.is_open and not wire.is_drained() and time.monotonic() < deadline:
            time.sleep(0.002)
        wire.close()

    def _connected(self) -> Wire:
        wire = self._wire
        if wire is not None and wire.is_open:
            return wire
        with self._lock:
            wire = self._wire
            if wire is None or not wire.is_open:
                wire = self._connect()
            return wire

    def _connect(self) -> Wire:
        if self._is_closed:
            raise WireClosed
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)  # a peer that accepts nobody must not hold us
            sock.connect(os.fspath(self._address))
            sock.settimeout(None)
            sock.sendall(self._codec.encode_hello(self._here))
        except OSError:
            sock.close()
            raise
        wire = Wire(
            sock,
            codec=self._codec,
            outbox=self._outbox,
            on_frame=self._on_frame,
            on_closed=self._on_closed,
            on_refused=lambda _reason: wire.close(),
            name=self.peer,
        )
        self._wire = wire
        wire.start()
        return wire

    def _on_frame(self, _wire: Wire, frame: Frame) -> None:
        entry = self._pending.pop(frame.number, None)
        if entry is None:
            self.late_answers += 1
            return
        waiter, target = entry[1], entry[2]
        try:
            if frame.kind == Kind.ANSWER:
                waiter.answer(self._codec.message(frame))
            else:
                waiter.fail(from_fault(self._codec.fault(frame)))
        except (MessageRefused, msgspec.DecodeError) as error:
            waiter.fail(MessageRefused(target, f"its answer was not understood: {error}"))

    def _on_closed(self, wire: Wire, unsure: int) -> None:
        with self._lock:
            if self._wire is wire:
                self._wire = None
        for number, (asked_on, waiter, target) in list(self._pending.items()):
            if asked_on is wire:
                self._pending.pop(number, None)
                waiter.fail(PeerDied(target, f"the link to node {self.peer} broke"))
        if unsure:
            self._on_lost("link_broken", unsure)
        if len(self._outbox):
            self._retry()

    def _hold(self, data: bytes, key: Hashable) -> None:
        """Keep a frame until the peer is up, and see to it that somebody tries."""
        try:
            self._connected().send(data, key=key)
        except (OSError, WireClosed):
            with self._outbox.lock:
                self._outbox.put(data, key)
            self._retry()

    def _retry(self) -> None:
        with self._lock:
            if self._is_retrying or self._is_closed:
                return
            self._is_retrying = True
        threading.Thread(target=self._keep_trying, name=f"reach {self.peer}", daemon=True).start()

    def _keep_trying(self) -> None:
        wait = _RETRY_FIRST_S
        give_up = time.monotonic() + HOLD_S
        while not self._is_closed:
            try:
                self._connected()
            except (OSError, WireClosed):
                pass
            else:
                break
            if time.monotonic() > give_up:
                self._on_lost("peer_down", self._outbox.empty_out())
                break
            time.sleep(wait)
            wait = min(wait * 2, _RETRY_CAP_S)
        with self._lock:
            self._is_retrying = False
