"""What the main process and a node say to each other on the node's control pipe."""

from __future__ import annotations

from multiprocessing.connection import Connection
from threading import Lock

import msgspec

from kos.runtime.described import ActorDescribed
from kos.runtime.protocol import Message


class Ping(Message, frozen=True, kw_only=True):
    """To a node: say how you are."""

    number: int


class Stop(Message, frozen=True, kw_only=True):
    """To a node: stop all actors in order, then end."""


class NamesChanged(Message, frozen=True, kw_only=True):
    """Both ways: where actors live now (node by name), and who lives nowhere any more."""

    added: dict[str, str]
    removed: tuple[str, ...] = ()


class Ready(Message, frozen=True, kw_only=True):
    """From a node: all its actors have started and it listens."""


class Pong(Message, frozen=True, kw_only=True):
    """From a node: how it is."""

    number: int
    actors: tuple[ActorDescribed, ...]
    refused_frames: int
    stray_letters: dict[str, int]
    rss_kb: int
    hung_actor: str = ""
    """An actor that has been at one message for longer than it may."""


class GivenUp(Message, frozen=True, kw_only=True):
    """From a node as its last word: why it ends, in words."""

    reason: str


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(
    Ping | Stop | NamesChanged | Ready | Pong | GivenUp
)


class Control:
    """One end of a control pipe; its end of file means that the other process is gone.

    Args:
        connection: A duplex connection.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    def fileno(self) -> int:
        """For a selector."""
        return self._connection.fileno()

    def send(self, message: Message) -> bool:
        """Send; False when the other process is gone."""
        try:
            with self._lock:
                self._connection.send_bytes(_ENCODER.encode(message))
        except OSError:
            return False
        return True

    def poll(self) -> bool:
        """Whether :meth:`receive` would not wait."""
        try:
            return self._connection.poll()
        except OSError:
            return False

    def receive(self) -> Message:
        """The next message; waits for it.

        Raises:
            EOFError: The other process is gone.
        """
        try:
            return _DECODER.decode(self._connection.recv_bytes())
        except OSError as error:
            raise EOFError from error

    def close(self) -> None:
        """Give the pipe back."""
        self._connection.close()
