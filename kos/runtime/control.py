"""What the main process and a node say to each other on the node's control pipe."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import msgspec

from kos.runtime.description import ActorDescribed
from kos.runtime.meters import Meter
from kos.runtime.protocol import Message

_LENGTH = struct.Struct("<I")
_READ_BYTES = 64 * 1024


class Ping(Message, frozen=True, kw_only=True):
    """To a node: say how you are."""

    number: int


class Stop(Message, frozen=True, kw_only=True):
    """To a node: stop all actors in order, then end."""


class Respecified(Message, frozen=True, kw_only=True):
    """To a node: its specification has changed."""

    pickled: bytes
    """The NodeSpec and the args of the process's setup. The one pickle here: the node was started
    from such a pickle, by the same parent, and no one else can write to this pipe."""


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
    meters: tuple[Meter, ...] = ()
    """What the process counted and timed."""


class GivenUp(Message, frozen=True, kw_only=True):
    """From a node as its last word: why it ends, in words."""

    reason: str
    is_final: bool = False
    """Another start would end the same, until a person has changed something."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(
    Ping | Stop | Respecified | NamesChanged | Ready | Pong | GivenUp
)


class Control:
    """One end of a control pipe; its end of file means that the other process is gone.

    Frames are a length of four bytes and msgpack, as on the links between nodes. Reading
    never waits for the rest of a torn frame unless told to wait.

    Args:
        sock: One end of a socket pair.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self._buffer = bytearray()

    def fileno(self) -> int:
        """For a selector."""
        return self._sock.fileno()

    def send(self, message: Message, *, may_wait: bool = True) -> bool:
        """Send; False when the other process is gone, or (unless we may wait) is stuck."""
        data = _ENCODER.encode(message)
        try:
            with self._lock:
                whole = _LENGTH.pack(len(data)) + data
                if may_wait:
                    self._sock.sendall(whole)
                    return True
                return self._sock.send(whole, socket.MSG_DONTWAIT) == len(whole)
        except OSError:
            return False

    def receive(self, *, may_wait: bool) -> list[Message]:
        """What has come; nothing when nothing has and we may not wait.

        Raises:
            EOFError: The other process is gone, or talks nonsense.
        """
        try:
            data = self._sock.recv(_READ_BYTES, 0 if may_wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        self._buffer += data
        return list(self._whole())

    def close(self) -> None:
        """Give the pipe back."""
        self._sock.close()

    def _whole(self) -> Iterator[Message]:
        while len(self._buffer) >= _LENGTH.size:
            stop = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < stop:
                return
            data = bytes(self._buffer[_LENGTH.size : stop])
            del self._buffer[:stop]
            try:
                yield _DECODER.decode(data)
            except msgspec.DecodeError as error:
                raise EOFError from error
