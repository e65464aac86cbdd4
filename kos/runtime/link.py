"""The way from this process to one other: made when needed, made again after a death."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from kos.runtime.codec import Codec, FrameKind
from kos.runtime.errors import AskTimeout, PeerDied
from kos.runtime.hangups import Hangups
from kos.runtime.jobs import current_job
from kos.runtime.line import Line
from kos.runtime.outbox import Outbox
from kos.runtime.protocol import Message
from kos.runtime.transport import WireClosed

HOLD_S = 10.0
"""Messages told to a node that is not up wait so many seconds for it, then are given up."""

_RETRY_FIRST_S = 0.01
_RETRY_CAP_S = 0.2


class Link:
    """The way to one peer. It survives the peer's deaths; a connection does not.

    What is told while the peer is down waits (bounded, snapshots conflated) for its return;
    what is asked fails at once. What had been handed to the operating system when the peer
    died is lost: delivery is at most once, nothing is ever sent twice.

    The name ``here`` is said first on each connection, to the socket ``address`` of the node
    ``peer``; ``on_lost`` is called with a reason and a count when messages were lost.
    """

    def __init__(
        self,
        *,
        here: str,
        peer: str,
        address: Path,
        codec: Codec,
        hangups: Hangups,
        on_lost: Callable[[str, int], None],
    ) -> None:
        self.peer = peer
        self._here = here
        self._address = address
        self._codec = codec
        self._hangups = hangups
        self._on_lost = on_lost
        self._numbers = itertools.count(1)
        self._outbox = Outbox()
        self._line: Line | None = None
        self._lock = threading.Lock()
        self._is_retrying = False
        self._is_closed = False

    def tell(self, data: bytes, key: Hashable) -> None:
        """Send a frame that no one waits for.

        Raises:
            OutboxFull: As much waits for the peer as may.
        """
        line = self._line
        try:
            if line is None:
                line = self._connected()
            line.wire.send(data, key=key)
        except (OSError, WireClosed):
            with self._outbox.lock:
                self._outbox.put(data, key)
            self._retry()

    def ask(self, target: str, sender: str | None, message: Message, timeout_s: float) -> Message:
        """Send a request and wait for its answer.

        Raises:
            PeerDied: The peer is not up, or its link broke while we waited.
            OutboxFull: As much waits for the peer as may.
            RuntimeFault: What came instead of an answer, or AskTimeout.
        """
        number = next(self._numbers)
        data = self._codec.encode(FrameKind.ASK, number, target, sender, message, current_job())
        deadline = time.monotonic() + timeout_s
        try:
            line = self._connected()
            waiter = line.ask(number, target, data, deadline)
        except (OSError, WireClosed) as error:
            raise PeerDied(target, f"node {self.peer} is not up") from error
        if not waiter.is_done:
            raise AskTimeout(target, type(message).__name__, timeout_s)
        return waiter.result()

    def close(self, drain_s: float) -> None:
        """Let what waits go out for at most ``drain_s`` seconds, then end the connection."""
        self._is_closed = True
        line = self._line
        if line is None:
            return
        deadline = time.monotonic() + drain_s
        while line.wire.is_open and not line.wire.is_drained() and time.monotonic() < deadline:
            time.sleep(0.002)
        line.wire.shut()

    def _connected(self) -> Line:
        line = self._line
        if line is not None and line.wire.is_open:
            return line
        with self._lock:
            line = self._line
            if line is None or not line.wire.is_open:
                line = self._line = self._connect()
            return line

    def _connect(self) -> Line:
        if self._is_closed:
            raise WireClosed
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)  # a peer that accepts no one must not hold us
            sock.connect(os.fspath(self._address))
            sock.settimeout(None)
            sock.sendall(self._codec.encode_hello(self._here))
        except OSError:
            sock.close()
            raise
        line = Line(
            sock,
            outbox=self._outbox,
            codec=self._codec,
            peer=self.peer,
            hangups=self._hangups,
            on_closed=self._on_closed,
            on_late=lambda: self._on_lost("late_answer", 1),
        )
        line.wire.poke()
        return line

    def _on_closed(self, line: Line) -> None:
        with self._lock:
            if self._line is line:
                self._line = None
        if line.wire.unsure:
            self._on_lost("link_broken", line.wire.unsure)
        self._outbox.drop_asks()
        if len(self._outbox):
            self._retry()

    def _retry(self) -> None:
        """Have a thread try until the peer is up, or for as long as what waits may wait."""
        with self._lock:
            if self._is_retrying or self._is_closed:
                return
            self._is_retrying = True
        threading.Thread(target=self._keep_trying, name=f"reach {self.peer}", daemon=True).start()

    def _keep_trying(self) -> None:
        wait = _RETRY_FIRST_S
        give_up = time.monotonic() + HOLD_S
        while True:
            with contextlib.suppress(OSError, WireClosed):
                self._connected().wire.poke()
            if time.monotonic() > give_up:
                self._on_lost("peer_down", self._outbox.empty_out())
            with self._lock:
                is_up = self._line is not None and self._line.wire.is_open
                if is_up or not len(self._outbox) or self._is_closed:
                    self._is_retrying = False
                    break
            time.sleep(wait)
            wait = min(wait * 2, _RETRY_CAP_S)
        line = self._line
        if line is not None:
            line.wire.poke()  # what was put between our two looks
