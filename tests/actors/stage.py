"""One real actor on the test's own thread: time passes by hand, neighbours keep what they get.

The actor runs in its own :class:`~kos.runtime.cell.Cell`, with its own mailbox, so that a failure
ends it and an ask is answered as in a node. Timers fire when the test lets time pass. Each message
to a neighbour is encoded and decoded, as on its way to another process.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from kos.messages import MESSAGES
from kos.runtime import (
    Actor,
    ActorExists,
    AskTimeout,
    ChildSpec,
    Context,
    Message,
    NoSuchActor,
    meters,
)
from kos.runtime.cell import Cell, Ended, Tally, load
from kos.runtime.codec import LENGTH_BYTES, Codec, FrameKind
from kos.runtime.errors import RuntimeFault
from kos.runtime.mailbox import Letter, Mailbox, NewArgs, Order
from kos.runtime.registry import Registry
from kos.runtime.timers import Timer, Timers
from tests.builders import NOW

CODEC = Codec(MESSAGES)
PATIENCE_S = 20.0

Answer = Message | RuntimeFault | Callable[[Any], Message | RuntimeFault]


def over_the_wire(message: Message) -> Message:
    """The message as another process would get it."""
    frame = CODEC.encode(FrameKind.TELL, 0, "there", "here", message)
    return CODEC.message(CODEC.frame(memoryview(frame)[LENGTH_BYTES:]))


class Neighbours(Registry):
    """Everyone else: what they were told and asked is kept, what they answer is the test's."""

    def __init__(self, own: Mailbox) -> None:
        super().__init__("here", CODEC, Path())
        self.told: defaultdict[str, list[Message]] = defaultdict(list)
        self.asked: defaultdict[str, list[Message]] = defaultdict(list)
        self.answers: dict[tuple[str, type[Message]], Answer] = {}
        self.unknown: set[str] = set()
        """Names under which nobody lives."""
        self.arrived = threading.Condition()
        self._own = own

    def tell(self, sender: str | None, target: str, message: Message) -> None:
        if target in self.unknown:
            raise NoSuchActor(target)
        with self.arrived:
            if target == self._own.owner:
                self._own.put(Letter(message, sender))
            else:
                self.told[target].append(over_the_wire(message))
            self.arrived.notify_all()

    def ask(self, sender: str | None, target: str, message: Message, timeout_s: float) -> Message:
        assert sender == self._own.owner
        if target in self.unknown:
            raise NoSuchActor(target)
        self.asked[target].append(over_the_wire(message))
        answer = self.answers.get((target, type(message)))
        if answer is not None and not isinstance(answer, Message | RuntimeFault):
            answer = answer(message)
        if answer is None:
            answer = AskTimeout(target, type(message).__name__, timeout_s)
        if isinstance(answer, RuntimeFault):
            raise answer
        return over_the_wire(answer)


class HandTimers(Timers):
    """Appointments by the test's own seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._due: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def add(self, delay_s: float, interval_s: float | None, deliver: Callable[[], None]) -> Timer:
        assert delay_s >= 0
        assert interval_s is None or interval_s > 0
        timer = Timer(self.now_s + delay_s, interval_s, deliver)
        heapq.heappush(self._due, (timer.due, next(self._order), timer))
        return timer

    def waiting(self) -> list[Timer]:
        """Those to come, the next one first."""
        return [timer for _, _, timer in sorted(self._due) if not timer.is_cancelled]

    def next_due(self) -> float | None:
        """When the next one is due; None where nothing is."""
        while self._due and self._due[0][2].is_cancelled:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def fire(self) -> None:
        """The next one, at its time."""
        due, _, timer = heapq.heappop(self._due)
        self.now_s = max(self.now_s, due)
        timer.fire()
        if timer.interval_s is not None:
            timer.due = due + timer.interval_s
            heapq.heappush(self._due, (timer.due, next(self._order), timer))


class Nursery:
    """Children by name, none of which lives."""

    def __init__(self) -> None:
        self.specs: dict[str, ChildSpec] = {}
        self.stopped: list[str] = []

    def start_child(self, spec: ChildSpec) -> None:
        if spec.name in self.specs:
            raise ActorExists(spec.name)
        self.specs[spec.name] = spec

    def stop_child(self, name: str) -> None:
        if name not in self.specs:
            raise NoSuchActor(name)
        del self.specs[name]
        self.stopped.append(name)

    def dynamic_children(self) -> tuple[str, ...]:
        return tuple(self.specs)


class PendingReply:
    """Where an ask's answer lands."""

    def __init__(self) -> None:
        self.result: Message | RuntimeFault | None = None
        self.came = threading.Event()

    def answer(self, message: Message) -> None:
        if self.result is None:
            self.result = over_the_wire(message)
        self.came.set()

    def fail(self, error: RuntimeFault) -> None:
        if self.result is None:
            self.result = error
        self.came.set()


class Stage:
    """One actor, its neighbours, its children and its clock."""

    def __init__(
        self,
        spec: ChildSpec,
        monkeypatch: pytest.MonkeyPatch,
        logs: list[MutableMapping[str, Any]],
        nursery: Nursery | None = None,
    ) -> None:
        self.spec = spec
        self.logs = logs
        self.ended: Ended | None = None
        self.is_outdated = False
        self.nursery = nursery or Nursery()
        self.timers = HandTimers()
        self._mailbox = Mailbox(spec.name, spec.mailbox_capacity)
        self.neighbours = Neighbours(self._mailbox)
        self._tally = Tally()
        actor_module = sys.modules[load(spec.factory).__module__]
        monkeypatch.setattr(actor_module, "datetime", self._clock(), raising=False)
        self._cell: Cell | None = None
        self.context = Context(
            name=spec.name,
            node="here",
            incarnation=1,
            registry=self.neighbours,
            mailbox=self._mailbox,
            timers=self.timers,
            children=self.nursery,
        )
        Cell(
            spec=spec,
            context=self.context,
            mailbox=self._mailbox,
            tally=self._tally,
            on_made=self._take,
            on_started=lambda _: None,
            on_ended=lambda _, ended: self._end(ended),
            on_outdated=self._outdate,
        )

    @property
    def now(self) -> datetime:
        """The actor's time."""
        return NOW + timedelta(seconds=self.timers.now_s)

    def start(self) -> Stage:
        """Construct the actor and let it start; what is due at once happens, too."""
        self.cell.on_start()
        self.advance(0)
        return self

    @property
    def actor(self) -> Actor:
        """The actor itself, for what no message can do to it."""
        assert self.cell._actor is not None
        return self.cell._actor

    @property
    def cell(self) -> Cell:
        assert self._cell is not None
        return self._cell

    def answer(self, actor: str, question: type[Message], answer: Answer | None) -> None:
        """What a neighbour answers from now on; None: nothing, in no time."""
        if answer is None:
            self.neighbours.answers.pop((actor, question), None)
        else:
            self.neighbours.answers[actor, question] = answer

    def told(self, actor: str, kind: type[Message] = Message) -> list[Any]:
        """What a neighbour was told of this kind since the last look."""
        every = self.neighbours.told[actor]
        found = [message for message in every if isinstance(message, kind)]
        self.neighbours.told[actor] = [each for each in every if not isinstance(each, kind)]
        return found

    def asked(self, actor: str, kind: type[Message] = Message) -> list[Any]:
        """What a neighbour was asked of this kind since the last look."""
        every = self.neighbours.asked[actor]
        found = [message for message in every if isinstance(message, kind)]
        self.neighbours.asked[actor] = [each for each in every if not isinstance(each, kind)]
        return found

    def tell(self, message: Message, sender: str | None = None) -> None:
        """Tell the actor, who handles it now."""
        self._mailbox.put(Letter(over_the_wire(message), sender))
        self.handle()

    def put(
        self, message: Message, sender: str | None = None, *, is_asked: bool = True
    ) -> PendingReply:
        """Let a message wait: it is handled with the next that are."""
        reply = PendingReply()
        asked = reply if is_asked else None
        self._mailbox.put(Letter(over_the_wire(message), sender, asked))
        return reply

    def ask(self, message: Message, sender: str | None = None) -> Any:
        """Ask the actor; its failure is raised, as at any asker's."""
        reply = self.put(message, sender)
        self.handle()
        assert self.ended is None or reply.came.is_set(), f"it has ended: {self.ended}"
        assert reply.came.wait(PATIENCE_S), f"no answer to {message}"
        if isinstance(reply.result, RuntimeFault):
            raise reply.result
        return reply.result

    def renew(self, args: object) -> None:
        """Other args, as after the settings were read again."""
        self._mailbox.put(Letter(NewArgs(args)))
        self.handle()

    def pulse(self) -> dict[str, str | int | float]:
        """What the actor says about itself."""
        self._mailbox.put(Letter(Order.PULSE))
        self.handle()
        assert self._tally.pulse is not None
        assert "pulse_error" not in self._tally.pulse
        return self._tally.pulse

    def stop(self) -> None:
        """Stop it in order."""
        self._mailbox.put(Letter(Order.STOP))
        self.handle()
        assert self.ended is not None
        assert not self.ended.is_failure, self.ended

    def advance(self, seconds: float) -> None:
        """Let time pass; each appointment is kept at its moment."""
        until_s = self.timers.now_s + seconds
        self.handle()
        while (due := self.timers.next_due()) is not None and due <= until_s + 1e-9:
            self.timers.fire()
            self.handle()
        self.timers.now_s = max(self.timers.now_s, until_s)

    def handle(self) -> None:
        """Handle all that waits."""
        while self.ended is None and (letter := self._mailbox._pop()) is not None:
            self.cell.on_receive(letter)

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Handle what other threads bring until something holds."""
        deadline = time.monotonic() + PATIENCE_S
        with self.neighbours.arrived:
            while True:
                self.handle()
                if holds():
                    return
                assert self.ended is None, self.ended
                assert time.monotonic() < deadline, f"still not: {what}"
                self.neighbours.arrived.wait(0.02)

    def logged(self, event: str) -> list[MutableMapping[str, Any]]:
        """Its log lines of this event."""
        return [each for each in self.logs if each["event"] == event]

    def _take(self, cell: Cell) -> None:
        self._cell = cell

    def _end(self, ended: Ended) -> None:
        self.ended = ended

    def _outdate(self, _: Cell) -> None:
        self.is_outdated = True

    def _clock(self) -> type[datetime]:
        stage = self

        class StageTime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                assert tz is UTC
                return stage.now

        return StageTime


def counted(name: str, **labels: str) -> float:
    """A counter of this process, or the sum of a histogram."""
    found = (each.value for each in meters.read() if (each.name, each.labels) == (name, labels))
    return next(found, 0.0)


def observed(name: str) -> int:
    """How often a histogram of this process was fed."""
    return next((sum(each.counts) for each in meters.read() if each.name == name), 0)
