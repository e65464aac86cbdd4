"""The bounded box of messages that wait for one actor; it outlives the actor's restarts."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from kos.runtime.errors import MailboxFull, RuntimeFault
from kos.runtime.protocol import Delivery, Message


class ReplySink(Protocol):
    """Where the answer to an ask goes; the first word counts, later ones are dropped."""

    def answer(self, message: Message) -> None:
        """Give the answer."""

    def fail(self, error: RuntimeFault) -> None:
        """Give an error instead."""


class Order(Enum):
    """A word of the runtime itself in a mailbox, never seen by the actor's ``receive``."""

    STOP = "stop"
    """Stop in order; stands at the end, so that what waited before it is handled."""
    PULSE = "pulse"
    """Say how you are; overtakes."""


@dataclass(frozen=True)
class NewArgs:
    """A word of the runtime too: the actor's specification has other args from now on."""

    args: Any


@dataclass(slots=True, eq=False)
class Letter:
    """One message in a mailbox, with where it came from, what for, and where its answer goes."""

    content: Message | Order | NewArgs
    sender: str | None = None
    reply: ReplySink | None = None
    job: str = ""
    put_at: float = field(init=False, default_factory=time.monotonic)
    key: Hashable = field(init=False, default=None)


class Mailbox:
    """Messages that wait for one actor, at most ``capacity`` of them.

    Any thread may put; one thread at a time takes. A ``COMMAND`` is refused when the box is
    full. A ``SNAPSHOT`` told takes the place of the one with the same type and key that still
    waits, where it stands, so memory stays flat and no one overtakes. ``CONTROL`` is taken
    before all others, and has the same bound for itself. An ask never conflates, since
    someone waits for each answer.

    Args:
        owner: The actor's name, for errors.
        capacity: Messages that may wait.
    """

    def __init__(self, owner: str, capacity: int) -> None:
        self.owner = owner
        self.capacity = capacity
        self.dead: Counter[str] = Counter()
        """Messages that never were, or never will be, handled: count by reason."""
        self.conflated = 0
        """Snapshots that a newer one has replaced."""
        self.refusal: RuntimeFault | None = None
        """While set, each ask is answered with it at once: no one is there to answer soon."""
        self._lock = threading.Lock()
        self._letters: deque[Letter] = deque()
        self._control: deque[Letter] = deque()
        self._orders: deque[Letter] = deque()
        self._snapshots: dict[Hashable, Letter] = {}
        self._bell = threading.Lock()
        self._bell.acquire()
        self._is_waiting = False

    def __len__(self) -> int:
        """Messages that wait; the runtime's own orders do not count."""
        return len(self._letters) + len(self._control)

    def put(self, letter: Letter) -> None:
        """Let ``letter`` wait for the actor.

        Raises:
            MailboxFull: As many wait as may. The refusal is counted.
            RuntimeFault: No one answers asks at present; see :attr:`refusal`.
        """
        content = letter.content
        if self.refusal is not None and letter.reply is not None:
            raise self.refusal
        with self._lock:
            if isinstance(content, Order | NewArgs):
                (self._letters if content is Order.STOP else self._orders).append(letter)
            elif content.delivery is Delivery.COMMAND:
                self._append(self._letters, letter)
            elif content.delivery is Delivery.CONTROL:
                self._append(self._control, letter)
            else:
                self._put_snapshot(letter, content)
            if self._is_waiting:
                self._is_waiting = False
                self._bell.release()

    def take(self) -> Letter:
        """The next letter; waits for one. Only for the thread of the actor that lives now."""
        while True:
            with self._lock:
                letter = self._pop()
                if letter is not None:
                    return letter
                self._is_waiting = True
            self._bell.acquire()

    def is_empty(self) -> bool:
        """Whether nothing at all waits."""
        return not (self._letters or self._control or self._orders)

    def empty_out(self, reason: str, error: RuntimeFault) -> int:
        """Throw away all that waits, count it under ``reason`` and fail the asks with ``error``."""
        with self._lock:
            letters = [*self._control, *self._letters]
            self._letters.clear()
            self._control.clear()
            self._orders.clear()
            self._snapshots.clear()
            # Its own reminders are no loss: they were for itself alone.
            lost = sum(
                1
                for letter in letters
                if not isinstance(letter.content, Order | NewArgs) and letter.sender != self.owner
            )
            if lost:
                self.dead[reason] += lost
        for letter in letters:
            if letter.reply is not None:
                letter.reply.fail(error)
        return lost

    def empty_asks(self, error: RuntimeFault) -> None:
        """Fail the asks that wait with ``error``; what was told goes on waiting."""
        with self._lock:
            asks = [
                letter for letter in (*self._control, *self._letters) if letter.reply is not None
            ]
            for box in (self._control, self._letters):
                kept = [letter for letter in box if letter.reply is None]
                box.clear()
                box.extend(kept)
            if asks:
                self.dead["parked"] += len(asks)
        for letter in asks:
            if letter.reply is not None:
                letter.reply.fail(error)

    def forget_orders(self) -> None:
        """Drop the runtime's own words to a predecessor; messages stay."""
        with self._lock:
            self._orders.clear()
            kept = [letter for letter in self._letters if not isinstance(letter.content, Order)]
            self._letters.clear()
            self._letters.extend(kept)

    def _append(self, box: deque[Letter], letter: Letter) -> None:
        if len(box) >= self.capacity:
            self.dead["mailbox_full"] += 1
            raise MailboxFull(self.owner, f"{self.capacity} messages are waiting in its mailbox")
        box.append(letter)

    def _put_snapshot(self, letter: Letter, content: Message) -> None:
        if letter.reply is not None:
            self._append(self._letters, letter)
            return
        key = (type(content), content.conflation_key())
        waiting = self._snapshots.get(key)
        if waiting is not None:
            waiting.content = content
            waiting.sender = letter.sender
            waiting.job = letter.job
            self.conflated += 1
            return
        self._append(self._letters, letter)
        letter.key = key
        self._snapshots[key] = letter

    def _pop(self) -> Letter | None:
        if self._orders:
            return self._orders.popleft()
        if self._control:
            return self._control.popleft()
        if not self._letters:
            return None
        letter = self._letters.popleft()
        if letter.key is not None:
            del self._snapshots[letter.key]
        return letter
