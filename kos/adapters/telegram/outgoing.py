"""Who is sent to next: one queue for all chats, within Telegram's limits.

Limits are token buckets: messages overall, in one private chat (short bursts pass) and in one
group. The most urgent waits first, then the oldest; a chat that has to wait holds up no other.
An edit of a message that waits to be edited takes its place. What cannot wait for ever is
bounded: when the queue is full, the oldest digest goes; promises stay in the ledger all the same.

No clock here: the time is an argument, monotonic seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

import msgspec

Content = TypeVar("Content")


class Rank(IntEnum):
    """In which order messages go out."""

    ANSWER = 0
    CONFIRMATION = 1
    ALERT = 2
    DIGEST = 3


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Below Telegram's own figures, which are guidance and no contract."""

    overall_per_s: float = 25.0
    chat_per_s: float = 1.0
    chat_burst: int = 4
    group_per_min: float = 18.0
    group_burst: int = 3
    most_waiting: int = 1000


@dataclass(slots=True)
class _Bucket:
    rate: float
    capacity: float
    tokens: float
    at: float
    closed_until: float = 0.0

    def refill(self, now: float) -> None:
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def wait_s(self, now: float) -> float:
        self.refill(now)
        missing = max(0.0, 1.0 - self.tokens) / self.rate
        return max(missing, self.closed_until - now, 0.0)


@dataclass(slots=True)
class Job(Generic[Content]):
    """A message that waits."""

    chat: int
    rank: Rank
    content: Content
    replaces: Hashable = None
    """What it edits; a later one with the same takes its place. None: replaces nothing."""
    not_before: float = 0.0
    attempts: int = 0
    order: int = 0


@dataclass(slots=True)
class OutgoingQueue(Generic[Content]):
    """The queue.

    Args:
        limits: How fast.
        now: Monotonic seconds.
    """

    limits: Limits
    now: float
    _jobs: list[Job[Content]] = field(default_factory=list)
    _chats: dict[int, _Bucket] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _overall: _Bucket = field(init=False)

    def __post_init__(self) -> None:
        """Begin with full buckets."""
        rate = self.limits.overall_per_s
        self._overall = _Bucket(rate, rate, rate, self.now)

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Job[Content]) -> list[Job[Content]]:
        """Queue a job.

        Returns:
            Those that will not be sent for it: an edit that it replaces, a digest that has no room.
        """
        gone = [
            other
            for other in self._jobs
            if job.replaces is not None and (other.chat, other.replaces) == (job.chat, job.replaces)
        ]
        job.order = gone[0].order if gone else next(self._numbers)
        self._jobs = [other for other in self._jobs if other not in gone]
        self._jobs.append(job)
        if len(self._jobs) > self.limits.most_waiting:
            digests = [other for other in self._jobs if other.rank is Rank.DIGEST]
            if digests:
                oldest = min(digests, key=lambda other: other.order)
                self._jobs.remove(oldest)
                gone.append(oldest)
        return gone

    def put_back(self, job: Job[Content], not_before: float) -> None:
        """A job that did not go out: it keeps its place and waits until then."""
        job.not_before = not_before
        job.attempts += 1
        self._jobs.append(job)

    def take(self, now: float, busy: Collection[int] = ()) -> Job[Content] | float:
        """The job to send now, or the seconds until there may be one.

        A message counts against the limits when it is taken.

        Args:
            now: Monotonic seconds.
            busy: Chats that are being sent to: one at a time, so that order is kept.
        """
        overall_s = self._overall.wait_s(now)
        best: Job[Content] | None = None
        wait_s = 60.0
        for job in self._jobs:
            if job.chat in busy:
                continue
            own_s = max(self._bucket(job.chat).wait_s(now), job.not_before - now, overall_s)
            if own_s > 0:
                wait_s = min(wait_s, own_s)
            elif best is None or (job.rank, job.order) < (best.rank, best.order):
                best = job
        if best is None:
            return wait_s
        self._jobs.remove(best)
        self._overall.tokens -= 1
        self._bucket(best.chat).tokens -= 1
        self._forget(now)
        return best

    def pause(self, seconds: float, now: float, chat: int | None = None) -> None:
        """Send nothing for a time, to one chat or to any."""
        bucket = self._overall if chat is None else self._bucket(chat)
        bucket.closed_until = max(bucket.closed_until, now + seconds)

    def _bucket(self, chat: int) -> _Bucket:
        if chat not in self._chats:
            limits = self.limits
            rate, burst = limits.chat_per_s, limits.chat_burst
            if chat < 0:
                rate, burst = limits.group_per_min / 60, limits.group_burst
            self._chats[chat] = _Bucket(rate, burst, burst, self._overall.at)
        return self._chats[chat]

    def _forget(self, now: float) -> None:
        """Chats that have all their tokens back are as good as new."""
        if len(self._chats) < 1000:  # noqa: PLR2004 - far more than a team has
            return
        for chat, bucket in list(self._chats.items()):
            bucket.refill(now)
            if bucket.tokens >= bucket.capacity and bucket.closed_until <= now:
                del self._chats[chat]
