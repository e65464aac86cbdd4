"""Frames that wait to be written to one peer: bounded, in order, snapshots conflated."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

MAX_FRAMES = 10_000
MAX_BYTES = 128 * 1024 * 1024
_BATCH_BYTES = 256 * 1024


class OutboxFull(Exception):  # noqa: N818 - says what is so
    """As many frames or bytes wait as may."""


@dataclass(slots=True, eq=False)
class _Slot:
    """A waiting snapshot, which a newer one of the same key may still replace."""

    data: bytes
    key: Hashable


class AskKey(int):
    """The key of a request that waits; two of them are never the same."""

    __slots__ = ()


class Outbox:
    """Frames that wait, at most ``MAX_FRAMES`` and ``MAX_BYTES`` of them.

    Any thread may put; one writer takes. A newer snapshot of the same key takes the place of
    the one that waits, where it stands.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Guards the box; hold it to write past the box, so that order is kept."""
        self._entries: deque[bytes | _Slot] = deque()
        self._slots: dict[Hashable, _Slot] = {}
        self._bytes = 0
        self._bell = threading.Semaphore(0)
        self._is_waiting = False

    def __len__(self) -> int:
        """Frames that wait."""
        return len(self._entries)

    def put(self, data: bytes, key: Hashable = None) -> None:
        """Let a frame wait. Hold :attr:`lock`.

        Raises:
            OutboxFull: It was not taken.
        """
        slot = self._slots.get(key) if key is not None else None
        if slot is not None:
            self._bytes += len(data) - len(slot.data)
            slot.data = data
            return
        if len(self._entries) >= MAX_FRAMES or self._bytes + len(data) > MAX_BYTES:
            raise OutboxFull
        self._bytes += len(data)
        if key is None:
            self._entries.append(data)
        else:
            slot = self._slots[key] = _Slot(data, key)
            self._entries.append(slot)
        self.ring()

    def put_first(self, data: bytes) -> None:
        """Let the rest of a frame that is half written stand before all others. Hold the lock."""
        self._bytes += len(data)
        self._entries.appendleft(data)
        self.ring()

    def ring(self) -> None:
        """Wake the writer. Hold the lock."""
        if self._is_waiting:
            self._is_waiting = False
            self._bell.release()

    def wait(self) -> None:
        """Wait until something may have come. Call without the lock."""
        with self.lock:
            if self._entries:
                return
            self._is_waiting = True
        self._bell.acquire()

    def take(self) -> list[bytes]:
        """The next frames to be written together; empty when none wait. Hold the lock."""
        batch: list[bytes] = []
        size = 0
        entries = self._entries
        while entries and size < _BATCH_BYTES:
            entry = entries.popleft()
            if isinstance(entry, _Slot):
                del self._slots[entry.key]
                entry = entry.data
            batch.append(entry)
            size += len(entry)
        self._bytes -= size
        return batch

    def drop_asks(self) -> None:
        """Throw requests away: their askers have been told that the link broke."""
        with self.lock:
            for slot in [slot for key, slot in self._slots.items() if isinstance(key, AskKey)]:
                del self._slots[slot.key]
                self._entries.remove(slot)
                self._bytes -= len(slot.data)

    def empty_out(self) -> int:
        """Throw all away; says how many."""
        with self.lock:
            count = len(self._entries)
            self._entries.clear()
            self._slots.clear()
            self._bytes = 0
            return count
