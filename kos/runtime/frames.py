"""Whole frames out of a stream of bytes."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec

from kos.runtime.codec import LENGTH_BYTES, MAX_FRAME_BYTES, Codec, Frame, frame_length

_READ_BYTES = 256 * 1024


class FrameReader:
    """Reads a socket and hands out each whole frame; keeps what is torn until the rest comes.

    Only one thread at a time may use it. It calls ``on_frame`` with each frame, which is valid
    only during the call, and ``on_refused`` with the reason when bytes were no frame.
    """

    def __init__(
        self,
        sock: socket.socket,
        codec: Codec,
        on_frame: Callable[[Frame], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self._sock = sock
        self._codec = codec
        self._on_frame = on_frame
        self._on_refused = on_refused
        self._buffer = bytearray(_READ_BYTES)
        self._end = 0

    def feed(self) -> bool:
        """Read once, waiting if need be, and hand out what is whole; False at the end."""
        try:
            with memoryview(self._buffer) as view, view[self._end :] as free:
                count = self._sock.recv_into(free)
        except OSError:
            return False  # a reset is an end like any other
        if not count:
            return False
        self._end += count
        return self._hand_out_whole()

    def _hand_out_whole(self) -> bool:
        start, end = 0, self._end
        need = _READ_BYTES
        with memoryview(self._buffer) as view:
            while end - start >= LENGTH_BYTES:
                length = frame_length(self._buffer, start)
                if length > MAX_FRAME_BYTES:
                    self._on_refused(f"a frame of {length} bytes")
                    return False
                stop = start + LENGTH_BYTES + length
                if stop > end:
                    need = max(need, stop - start)
                    break
                self._hand_out(view[start + LENGTH_BYTES : stop])
                start = stop
        self._keep(start, end, need)
        return True

    def _hand_out(self, data: memoryview) -> None:
        try:
            frame = self._codec.frame(data)
        except msgspec.DecodeError as error:
            self._on_refused(str(error))
            return
        self._on_frame(frame)

    def _keep(self, start: int, end: int, need: int) -> None:
        """Move the torn rest to the front of a buffer that has room for all of its frame."""
        rest = end - start
        if need > len(self._buffer) or (rest == 0 and len(self._buffer) > _READ_BYTES):
            fresh = bytearray(need)
            fresh[:rest] = self._buffer[start:end]
            self._buffer = fresh
        elif rest and start:
            self._buffer[:rest] = self._buffer[start:end]
        self._end = rest
