"""One connected socket between two processes, seen from a side that writes.

A short urgent frame is written by the calling thread itself when nothing else waits; whatever
does not go out at once is left to a writer thread, which drains the outbox in batches. So no
actor ever blocks on a stuck peer. One process alone writes in each direction: a frame torn by
its writer's death is followed by the end of the stream, and hurts no one else.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Hashable

from kos.runtime.outbox import Outbox

_NOW = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class WireClosed(Exception):  # noqa: N818 - says what is so
    """The other side is gone."""


class Wire:
    """The writing half of a connected socket, which its reader closes.

    The outbox may outlive this wire; ``name`` is for the writer thread.
    """

    def __init__(self, sock: socket.socket, outbox: Outbox, name: str) -> None:
        self.sock = sock
        self.is_open = True
        self.unsure = 0
        """Frames handed to the system when the wire broke, which may not have arrived."""
        self._outbox = outbox
        self._name = name
        self._is_writing = False
        self._has_writer = False

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
                self._send_now(data, key)
            else:
                box.put(data, key)
                self._need_writer()

    def poke(self) -> None:
        """See to it that what waits in the outbox is written."""
        with self._outbox.lock:
            if self.is_open and len(self._outbox):
                self._need_writer()

    def shut(self) -> None:
        """End both directions now; the reader sees the end of the stream."""
        with self._outbox.lock:
            self.is_open = False
            self._outbox.ring()
        with contextlib.suppress(OSError):  # the other side was faster
            self.sock.shutdown(socket.SHUT_RDWR)

    def is_drained(self) -> bool:
        """Whether all that was sent has been handed to the operating system."""
        with self._outbox.lock:
            return not len(self._outbox) and not self._is_writing

    def _send_now(self, data: bytes, key: Hashable) -> None:
        try:
            sent = self.sock.send(data, _NOW)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.is_open = False
            raise WireClosed from error
        if sent == len(data):
            return
        if sent:
            self._outbox.put_first(data[sent:])
        else:
            self._outbox.put(data, key)
        self._need_writer()

    def _need_writer(self) -> None:
        if not self._has_writer:
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
                self.sock.sendall(b"".join(batch))
            except OSError:
                self.unsure = len(batch)
                self.shut()
                return


def peer_uid(sock: socket.socket) -> int | None:
    """The user id of the process on the other side; None where the system cannot say."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid: int = struct.unpack("3i", raw)[1]
    return uid
