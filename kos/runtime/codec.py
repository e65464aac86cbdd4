"""Frames: what goes over a link. A length, a small head and one message, all by schema.

A frame is four bytes of length (little endian) and so many bytes of msgpack: an array of kind,
number, target, sender, the message and its job. The head is read first and the message by itself, so
that an ask whose message is unknown can still be refused by name. Nothing is pickled: bytes
from a peer make values of known types or an error, never code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Union

import msgspec

from kos.runtime.description import Describe, SystemDescribed
from kos.runtime.errors import Fault, MessageRefused, UnencodableMessage
from kos.runtime.protocol import Message

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""A longer frame is refused, and its link closed."""

_LENGTH = struct.Struct("<I")
LENGTH_BYTES = _LENGTH.size


class FrameKind(IntEnum):
    """What a frame is for."""

    HELLO = 0
    """The first on each link: the sender's node name."""
    TELL = 1
    ASK = 2
    ANSWER = 3
    FAULT = 4


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The head of a frame, and its message still encoded."""

    kind: int
    number: int
    """Joins an answer to its ask; 0 in a tell."""
    target: str
    sender: str | None
    body: msgspec.Raw
    job: str = ""
    """What the message was sent for; see :mod:`kos.runtime.jobs`."""


class _OutgoingFrame(msgspec.Struct, array_like=True, gc=False):
    kind: int
    number: int
    target: str
    sender: str | None
    body: Any
    job: str = ""


class Codec:
    """Encodes and decodes the messages of one system.

    Args:
        messages: Every type that may cross a border between processes. Two of the same name
            are refused, since the name is the tag on the wire.
    """

    def __init__(self, messages: Iterable[type[Message]]) -> None:
        types: tuple[type[Message], ...] = tuple(
            dict.fromkeys((*messages, Describe, SystemDescribed))
        )
        names = [message_type.__name__ for message_type in types]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"messages on the wire need different names: {', '.join(twice)}"
            raise ValueError(msg)
        self._known = frozenset(types)
        self._encoder = msgspec.msgpack.Encoder()
        self._frames = msgspec.msgpack.Decoder(Frame)
        self._faults = msgspec.msgpack.Decoder(Fault)
        self._bodies: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(
            Union[types]  # noqa: UP007 - made of a tuple at run time
        )

    def encode(  # noqa: PLR0917 - the head's parts, in its order
        self,
        kind: FrameKind,
        number: int,
        target: str,
        sender: str | None,
        message: Message,
        job: str = "",
    ) -> bytes:
        """A whole frame that carries ``message``, sent for ``job``.

        Raises:
            UnencodableMessage: Its type is not one of the system's, a field holds what the
                schema has no form for, or it is longer than a frame may be.
        """
        if type(message) not in self._known:
            raise UnencodableMessage(type(message).__name__, "not among the system's messages")
        try:
            data = self._encoder.encode(_OutgoingFrame(kind, number, target, sender, message, job))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UnencodableMessage(type(message).__name__, str(error)) from error
        if len(data) > MAX_FRAME_BYTES:
            raise UnencodableMessage(type(message).__name__, f"{len(data)} bytes are too many")
        return _LENGTH.pack(len(data)) + data

    def encode_fault(self, number: int, fault: Fault) -> bytes:
        """A frame that answers ask ``number`` with ``fault``."""
        data = self._encoder.encode(_OutgoingFrame(FrameKind.FAULT, number, "", None, fault))
        return _LENGTH.pack(len(data)) + data

    def encode_hello(self, node: str) -> bytes:
        """The first frame on a link."""
        data = self._encoder.encode(_OutgoingFrame(FrameKind.HELLO, 0, "", node, None))
        return _LENGTH.pack(len(data)) + data

    def frame(self, data: memoryview) -> Frame:
        """The head of a frame without its length.

        Raises:
            msgspec.DecodeError: It is no frame.
        """
        return self._frames.decode(data)

    def message(self, frame: Frame) -> Message:
        """The message that ``frame`` carries.

        Raises:
            MessageRefused: The type is unknown or the shape is wrong.
        """
        try:
            return self._bodies.decode(frame.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MessageRefused(frame.target, str(error)) from error

    def fault(self, frame: Frame) -> Fault:
        """The fault that ``frame`` carries.

        Raises:
            msgspec.DecodeError: It is none.
        """
        return self._faults.decode(frame.body)


def frame_length(buffer: bytearray, at: int) -> int:
    """The length that stands at ``at`` in ``buffer``."""
    length: int = _LENGTH.unpack_from(buffer, at)[0]
    return length
