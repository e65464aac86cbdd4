"""One connection to a peer, over which asks go out and their answers come back.

Nothing but answers comes back, so no thread of its own reads: the thread that waits for an
answer reads the socket itself, which saves a wake-up on the way. When several wait, one reads
for all, and hands the reading on when its own answer has come.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from kos.runtime.codec import Codec, Frame, FrameKind
from kos.runtime.errors import MessageRefused, PeerDied, from_fault
from kos.runtime.frames import FrameReader
from kos.runtime.hangups import Hangups
from kos.runtime.outbox import AskKey, Outbox
from kos.runtime.reply import Waiter
from kos.runtime.transport import Wire


class Line:
    """One connection to the node ``peer``, with the asks that wait for answers over it.

    ``on_closed`` is called once with this line when it has broken, ``on_late`` when an answer came
    after its asker had given up; ``outbox`` is the link's.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        outbox: Outbox,
        codec: Codec,
        peer: str,
        hangups: Hangups,
        on_closed: Callable[[Line], None],
        on_late: Callable[[], None],
    ) -> None:
        self.wire = Wire(sock, outbox, peer)
        self._codec = codec
        self._peer = peer
        self._hangups = hangups
        self._on_closed = on_closed
        self._on_late = on_late
        self._pending: dict[int, tuple[Waiter, str]] = {}
        self._reading = threading.Lock()
        """Held by the thread that reads for all."""
        self._reader = FrameReader(sock, codec, self._on_frame, lambda _reason: self.wire.shut())
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._is_over = False
        hangups.watch(sock.fileno(), self._on_hangup)

    def ask(self, number: int, target: str, data: bytes, deadline: float) -> Waiter:
        """Send the request ``number``; returns when its word has come or time is up.

        Raises:
            WireClosed: Nothing was sent.
            OutboxFull: Nothing was sent.
        """
        waiter = Waiter()
        self._pending[number] = (waiter, target)
        try:
            self.wire.send(data, key=AskKey(number), is_urgent=True)
            while not waiter.is_done and (left := deadline - time.monotonic()) > 0:
                if self._reading.acquire(blocking=False):
                    try:
                        self._read(waiter, deadline)
                    finally:
                        self._reading.release()
                else:
                    waiter.wait(left)
        finally:
            self._pending.pop(number, None)
            self._hand_on()
        return waiter

    def _read(self, waiter: Waiter, deadline: float) -> None:
        """Read for all until ``waiter`` has its word or time is up."""
        while not waiter.is_done:
            if self._is_over:
                self._fail_all()
                return
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                return
            if not self._reader.feed():
                self._close()

    def _hand_on(self) -> None:
        """Let another thread that waits take over the reading."""
        if self._reading.locked():
            return  # the reading thread passes it on
        for waiter, _ in list(self._pending.values()):
            if not waiter.is_done:
                waiter.ring()
                return

    def _on_hangup(self) -> None:
        """The peer is gone: read what it still said, then close."""
        with self._reading:
            while not self._is_over:
                if not self._reader.feed():
                    self._close()
            self._fail_all()

    def _close(self) -> None:
        """The stream has ended. Hold the reading."""
        self._is_over = True
        self._hangups.forget(self.wire.sock.fileno())
        self.wire.shut()
        self._fail_all()
        self._on_closed(self)
        self.wire.sock.close()

    def _fail_all(self) -> None:
        for number, (waiter, target) in list(self._pending.items()):
            self._pending.pop(number, None)
            waiter.fail(PeerDied(target, f"the link to node {self._peer} broke"))

    def _on_frame(self, frame: Frame) -> None:
        entry = self._pending.pop(frame.number, None)
        if entry is None:
            self._on_late()
            return
        waiter, target = entry
        try:
            if frame.kind == FrameKind.ANSWER:
                waiter.answer(self._codec.message(frame))
            else:
                waiter.fail(from_fault(self._codec.fault(frame)))
        except (MessageRefused, msgspec.DecodeError) as error:
            waiter.fail(MessageRefused(target, f"its answer was not understood: {error}"))
