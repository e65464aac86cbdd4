"""One connected socket between two processes: frames in, frames out.

Each side has a thread that reads and one that writes. A short urgent frame is written by
the calling thread itself when nothing else waits; whatever does not go out at once is left to
the writer, so that no actor ever blocks on a stuck peer. One process alone writes in each
direction: a frame torn by its writer's death is followed by the end of the stream, and hurts
nobody else.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Hashable

import msgspec

from kos.runtime.codec import LENGTH_BYTES, MAX_FRAME_BYTES, Codec, Frame, frame_length
from kos.runtime.outbox import Outbox

_READ_BYTES = 256 * 1024
_NOW = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class WireClosed(Exception):  # noqa: N818 - says what is so
    """The other side is gone."""


class Wire:
    """One side of a connected socket.

    Args:
        sock: Connected; owned by the wire from now on.
        codec: Reads the heads of frames.
        outbox: What waits to be written; may outlive this wire.
        on_frame: Called in the reader's thread with each frame.
        on_closed: Called once, in the reader's thread, when the stream has ended, with the
            number of frames that were handed to the writer and may not have arrived.
        on_refused: Called with the reason when bytes were no frame.
        name: For the threads' names.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        codec: Codec,
        outbox: Outbox,
        on_frame: Callable[[Wire, Frame], None],
        on_closed: Callable[[Wire, int], None],
        on_refused: Callable[[str], None],
        name: str,
    ) -> None:
        self.peer = ""
        """The node on the other side, once it has said so."""
        self.is_open = True
        self._sock = sock
        self._codec = codec
        self._outbox = outbox
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._on_refused = on_refused
        self._is_writing = False
        self._unsure = 0
        self._name = name
        self._has_writer = False

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name=f"read {self._name}", daemon=True).start()
        with self._outbox.lock:
            if len(self._outbox):
                self._start_writer()

    def send(self, data: bytes, *, key: Hashable = None, is_urgent: bool = False) -> None:
        """Send a frame after all that were sent before it.

        Args:
            data: The frame.
            key: Conflation key of a snapshot, else None.
            is_urgent: Write in this thread if nothing else waits.

        Raises:
            WireClosed: The other side is gone.
            OutboxFull: Too much waits already.
        """
        box = self._outbox
        with box.lock:
            if not self.is_open:
                raise WireClosed
            if is_urgent and not self._is_writing and not len(box):
                try:
                    sent = self._sock.send(data, _NOW)
                except BlockingIOError:
                    sent = 0
                except OSError as error:
                    self.is_open = False
                    raise WireClosed from error
                if sent == len(data):
                    return
                if sent:
                    box.put_first(data[sent:])
                else:
                    box.put(data, key)
            else:
                box.put(data, key)
            if not self._has_writer:
                self._start_writer()

    def close(self) -> None:
        """End both directions; the reader then tells ``on_closed``."""
        with contextlib.suppress(OSError):  # the other side was faster
            self._sock.shutdown(socket.SHUT_RDWR)

    def is_drained(self) -> bool:
        """Whether all that was sent has been handed to the kernel."""
        with self._outbox.lock:
            return not len(self._outbox) and not self._is_writing

    def _start_writer(self) -> None:
        self._has_writer = True
        threading.Thread(target=self._write, name=f"write {self._name}", daemon=True).start()

    def _write(self) -> None:
        box = self._outbox
        while True:
            with box.lock:
                if not self.is_open:
                    return
                batch = box.take()
                self._is_writing = bool(batch)
            if not batch:
                box.wait()
                continue
            try:
                self._sock.sendall(b"".join(batch))
            except OSError:
                with box.lock:
                    self.is_open = False
                    self._unsure = len(batch)
                self.close()
                return

    def _read(self) -> None:
        try:
            self._read_frames()
        except OSError:
            pass  # a reset is an end like any other
        finally:
            with self._outbox.lock:
                self.is_open = False
                self._outbox.ring()
            self.close()
            self._on_closed(self, self._unsure)
            self._sock.close()

    def _read_frames(self) -> None:
        buffer = bytearray(_READ_BYTES)
        start = end = 0
        while True:
            if start == end:
                start = end = 0
            with memoryview(buffer) as view, view[end:] as free:
                count = self._sock.recv_into(free)
            if not count:
                return
            end += count
            start = self._parse(buffer, start, end)
            if start < 0:
                return
            buffer, start, end = _make_room(buffer, start, end)

    def _parse(self, buffer: bytearray, start: int, end: int) -> int:
        """Hand out the whole frames; says where the first torn one begins, -1 to give up."""
        with memoryview(buffer) as view:
            while end - start >= LENGTH_BYTES:
                length = frame_length(buffer, start)
                if length > MAX_FRAME_BYTES:
                    self._on_refused(f"a frame of {length} bytes")
                    return -1
                stop = start + LENGTH_BYTES + length
                if stop > end:
                    break
                self._hand_out(view[start + LENGTH_BYTES : stop])
                start = stop
        return start

    def _hand_out(self, data: memoryview) -> None:
        with data:
            try:
                frame = self._codec.frame(data)
            except msgspec.DecodeError as error:
                self._on_refused(str(error))
                return
            self._on_frame(self, frame)
            del frame


def _make_room(buffer: bytearray, start: int, end: int) -> tuple[bytearray, int, int]:
    """A buffer with room for the rest of a torn frame that begins at ``start``."""
    if start == end:
        return buffer, 0, 0
    need = _READ_BYTES
    if end - start >= LENGTH_BYTES:
        need = max(need, frame_length(buffer, start) + LENGTH_BYTES)
    if need > len(buffer) or start:
        fresh = bytearray(max(need, _READ_BYTES))
        fresh[: end - start] = buffer[start:end]
        return fresh, 0, end - start
    return buffer, start, end


def peer_uid(sock: socket.socket) -> int | None:
    """The user id of the process on the other side; None where the system cannot say."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", raw)[1]
    return uid
