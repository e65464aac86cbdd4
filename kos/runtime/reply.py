"""Answers on their way: who waits for one, here or in another process."""

from __future__ import annotations

import contextlib
import threading

from kos.runtime.codec import Codec, Kind
from kos.runtime.errors import AskTimeout, RuntimeFault, UnencodableMessage, to_fault
from kos.runtime.outbox import OutboxFull
from kos.runtime.protocol import Message
from kos.runtime.transport import Wire, WireClosed


class Waiter:
    """A thread that waits for one answer. The first word counts; later ones are dropped."""

    __slots__ = ("_bell", "_error", "_message")

    def __init__(self) -> None:
        self._bell = threading.Lock()
        self._bell.acquire()
        self._message: Message | None = None
        self._error: RuntimeFault | None = None

    def answer(self, message: Message) -> None:
        """Give the answer."""
        if self._message is None and self._error is None:
            self._message = message
            self._ring()

    def fail(self, error: RuntimeFault) -> None:
        """Give an error instead."""
        if self._message is None and self._error is None:
            self._error = error
            self._ring()

    def wait(self, actor: str, asked: Message, timeout_s: float) -> Message:
        """The answer.

        Raises:
            AskTimeout: None came in time.
            RuntimeFault: An error came instead.
        """
        self._bell.acquire(timeout=max(timeout_s, 0))
        if self._error is not None:
            raise self._error
        if self._message is None:
            raise AskTimeout(actor, type(asked).__name__, timeout_s)
        return self._message

    def _ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # two words at the same moment: it has rung
            self._bell.release()


class WireReply:
    """The answer to an ask that came over a wire; it goes back over the same one."""

    __slots__ = ("_codec", "_number", "_owner", "_wire")

    def __init__(self, wire: Wire, codec: Codec, number: int, owner: str) -> None:
        self._wire = wire
        self._codec = codec
        self._number = number
        self._owner = owner

    def answer(self, message: Message) -> None:
        """Give the answer; when the asker is gone, nobody misses it.

        Raises:
            UnencodableMessage: The answer cannot be put on the wire; the asker hears so.
        """
        try:
            data = self._codec.encode(Kind.ANSWER, self._number, "", None, message)
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
            pass  # the asker is gone, and with it whoever could miss the answer
        except OutboxFull:
            self._wire.close()  # an asker that reads no answers hears by the broken link
