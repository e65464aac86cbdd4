"""Answers on their way: who waits for one, here or in another process."""

from __future__ import annotations

import contextlib
import threading

from kos.runtime.codec import Codec, FrameKind
from kos.runtime.errors import RuntimeFault, UnencodableMessage, to_fault
from kos.runtime.outbox import OutboxFull
from kos.runtime.protocol import Message
from kos.runtime.transport import Wire, WireClosed


class Waiter:
    """A thread that waits for one answer. The first word counts; later ones are dropped."""

    __slots__ = ("_bell", "_error", "_message", "is_done")

    def __init__(self) -> None:
        self._bell = threading.Lock()
        self._bell.acquire()
        self._message: Message | None = None
        self._error: RuntimeFault | None = None
        self.is_done = False

    def answer(self, message: Message) -> None:
        """Give the answer."""
        if not self.is_done:
            self._message = message
            self.is_done = True
            self.ring()

    def fail(self, error: RuntimeFault) -> None:
        """Give an error instead."""
        if not self.is_done:
            self._error = error
            self.is_done = True
            self.ring()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the bell rings, with or without a word; False when time was up first."""
        return self._bell.acquire(timeout=max(timeout_s, 0))

    def ring(self) -> None:
        """Wake the thread that waits, or will."""
        with contextlib.suppress(RuntimeError):  # it has rung already
            self._bell.release()

    def result(self) -> Message:
        """The answer; only once :attr:`is_done`.

        Raises:
            RuntimeFault: An error came instead.
        """
        if self._error is not None:
            raise self._error
        assert self._message is not None  # noqa: S101 - is_done says so
        return self._message


class WireReply:
    """The answer to an ask that came over a wire; it goes back over the same one."""

    __slots__ = ("_codec", "_number", "_owner", "_wire")

    def __init__(self, wire: Wire, codec: Codec, number: int, owner: str) -> None:
        self._wire = wire
        self._codec = codec
        self._number = number
        self._owner = owner

    def answer(self, message: Message) -> None:
        """Give the answer; when the asker is gone, no one misses it.

        Raises:
            UnencodableMessage: The answer cannot be put on the wire; the asker hears so.
        """
        try:
            data = self._codec.encode(FrameKind.ANSWER, self._number, "", None, message)
        except UnencodableMessage as error:
            self.fail(error)
            raise
        self._send(data)

    def fail(self, error: RuntimeFault) -> None:
        """Give an error instead."""
        self._send(self._codec.encode_fault(self._number, to_fault(error, self._owner)))

    def _send(self, data: bytes) -> None:
        try:
            self._wire.send(data, is_urgent=True)
        except WireClosed:
            pass  # the asker is gone, so no one misses the answer
        except OutboxFull:
            self._wire.shut()  # an asker that reads no answers hears by the broken link
