"""The messages and actors that the runtime's tests put on stage, in real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Hashable
from pathlib import Path
from typing import Any, ClassVar

from kos.runtime import (
    DEFERRED,
    Actor,
    ChildSpec,
    Context,
    Deferred,
    Delivery,
    Describe,
    MailboxFull,
    Message,
    OnExhausted,
    Reply,
    Restart,
)
from kos.runtime.mailbox import Letter


class Say(Message, frozen=True, kw_only=True):
    """Answered by the same."""

    text: str
    payload: bytes = b""


class WhoAreYou(Message, frozen=True, kw_only=True):
    """Answered by Myself."""


class Myself(Message, frozen=True, kw_only=True):
    pid: int
    incarnation: int
    args: str = ""


class Note(Message, frozen=True, kw_only=True):
    """A command: remembered by a Keeper."""

    number: int


class Price(Message, frozen=True, kw_only=True):
    """A snapshot: the newest of a key counts."""

    delivery: ClassVar[Delivery] = Delivery.SNAPSHOT

    key: str
    number: int

    def conflation_key(self) -> Hashable:
        return self.key


class Urgent(Message, frozen=True, kw_only=True):
    """A control message: overtakes."""

    delivery: ClassVar[Delivery] = Delivery.CONTROL

    number: int


class Recall(Message, frozen=True, kw_only=True):
    """What have you kept? Answered by Kept."""


class Kept(Message, frozen=True, kw_only=True):
    seen: tuple[str, ...]


class Fail(Message, frozen=True, kw_only=True):
    """Come to harm; ``how`` is one of the keys below."""

    how: str


class Forward(Message, frozen=True, kw_only=True):
    """Ask ``to`` for WhoAreYou (or tell it ``times`` Notes) and answer with what comes."""

    to: str
    times: int = 0
    timeout_s: float = 5.0


class Employ(Message, frozen=True, kw_only=True):
    """Start a child named ``name``."""

    name: str
    factory: str = "tests.runtime.cast:Keeper"


class Dismiss(Message, frozen=True, kw_only=True):
    """Stop it."""

    name: str


class Staff(Message, frozen=True, kw_only=True):
    """Who are your children? Answered by Kept."""


class Unlisted(Message, frozen=True, kw_only=True):
    """Not among the system's messages."""


MESSAGES: tuple[type[Message], ...] = (
    Say,
    WhoAreYou,
    Myself,
    Note,
    Price,
    Urgent,
    Recall,
    Kept,
    Fail,
    Forward,
    Employ,
    Dismiss,
    Staff,
)

KEEPER = "tests.runtime.cast:Keeper"


class Catastrophe(BaseException):
    """Not an Exception: what a careless library may raise."""


class Keeper(Actor):
    """Remembers what it was told; comes to harm on demand; employs others."""

    def __init__(self, context: Context, args: Any) -> None:
        super().__init__(context, args)
        self.seen: list[str] = []
        self.owed: list[Reply] = []

    def receive(self, message: Message) -> Message | Deferred | None:  # noqa: PLR0911 - one arm a message
        match message:
            case Say():
                return message
            case WhoAreYou():
                return Myself(
                    pid=os.getpid(), incarnation=self.context.incarnation, args=str(self.args)
                )
            case Note() | Price() | Urgent():
                self.seen.append(f"{type(message).__name__.lower()} {message.number}")
            case Recall():
                return Kept(seen=tuple(self.seen))
            case Fail():
                return self.come_to_harm(message.how)
            case Forward():
                return self.forward(message)
            case Employ():
                self.context.start_child(ChildSpec(name=message.name, factory=message.factory))
                return message
            case Dismiss():
                self.context.stop_child(message.name)
                return message
            case Staff():
                return Kept(seen=self.context.children())
        return None

    def forward(self, message: Forward) -> Message:
        ref = self.context.ref(message.to)
        if not message.times:
            return ref.ask(WhoAreYou(), message.timeout_s)
        for number in range(message.times):
            ref.tell(Note(number=number))
        return Kept(seen=())

    def come_to_harm(  # noqa: C901, PLR0912 - one arm for each way to fail
        self, how: str
    ) -> Message | Deferred | None:
        match how:
            case "raise":
                raise ValueError("on demand")
            case "base":
                raise Catastrophe("on demand")
            case "exit":
                raise SystemExit(3)
            case "os._exit":
                os._exit(9)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "spin":
                while True:
                    pass
            case "block":
                time.sleep(3600)
            case "nothing":
                return None
            case "unlisted":
                return Unlisted()
            case "vanish":
                self.vanish()
            case "owe":
                self.owed.append(self.context.reply_later())
                return DEFERRED
            case "pay":
                for each in self.owed:
                    each.send(Say(text="paid"))
                self.owed.clear()
            case "refuse":
                for each in self.owed:
                    each.fail(KeyError("no money"))
                self.owed.clear()
        return None

    def vanish(self) -> None:
        """Let the thread end where nobody catches anything: between two messages."""
        box = self.context._mailbox

        def broken() -> Letter:
            del box.take
            raise RuntimeError("the loop itself is broken")

        box.take = broken  # type: ignore[method-assign]

    def pulse(self) -> dict[str, str | int | float]:
        return {"kept": len(self.seen), "waiting": self.context.waiting()}


class Slow(Keeper):
    """Takes its time with each Note."""

    def receive(self, message: Message) -> Message | Deferred | None:
        if isinstance(message, Note):
            time.sleep(0.02)
        return super().receive(message)


class Gated(Keeper):
    """Handles its first Note only when a file exists; so others can be made to wait."""

    def receive(self, message: Message) -> Message | Deferred | None:
        if isinstance(message, Note) and message.number < 0:
            gate = Path(self.args)
            gate.with_suffix(".reached").touch()
            deadline = time.monotonic() + 20
            while not gate.exists() and time.monotonic() < deadline:
                time.sleep(0.005)
            return None
        return super().receive(message)

    def stopping(self) -> None:
        Path(self.args).with_suffix(".stopped").touch()


class Stillborn(Keeper):
    """Fails its start while the file named by ``args`` exists."""

    def started(self) -> None:
        if Path(self.args).exists():
            raise RuntimeError("the file is there")


class NeverReady(Keeper):
    """Its start takes for ever."""

    def started(self) -> None:
        time.sleep(3600)


class Diarist(Keeper):
    """Writes its starts, stops and idle moments into the file named by ``args``."""

    def started(self) -> None:
        self.write("started")

    def stopping(self) -> None:
        self.write("stopped after " + ",".join(self.seen))

    def idle(self) -> None:
        self.seen.append("idle")

    def write(self, what: str) -> None:
        with Path(self.args).open("a") as diary:
            diary.write(f"{self.context.name} {what}\n")


class Stubborn(Keeper):
    """Does not want to stop."""

    def stopping(self) -> None:
        time.sleep(3600)


class Clockwork(Keeper):
    """Sets timers at its start."""

    def started(self) -> None:
        self.context.every(0.01, Price(key="tick", number=1), first_after_s=0.0)
        self.context.after(0.01, Note(number=2))
        self.context.after(0.01, Note(number=99)).cancel()


class Greeter(Keeper):
    """Says something to a sibling that has not started yet, and to itself through a timer."""

    def started(self) -> None:
        self.context.ref(self.args).tell(Note(number=7))


class Torrent(Keeper):
    """Told to forward, it floods the other with large snapshots, for ever."""

    def forward(self, message: Forward) -> Message:
        ref = self.context.ref(message.to)
        number = 0
        while True:
            number += 1
            with contextlib.suppress(MailboxFull):
                ref.tell(Say(text=str(number), payload=b"z" * 400_000))


class Curious(Keeper):
    """Asks the system how it is, and who sent what."""

    def receive(self, message: Message) -> Message | Deferred | None:
        match message:
            case Recall():
                return self.context.ref("@system").ask(Describe(), 5)
            case Note():
                self.seen.append(f"{self.context.sender()} {self.context.is_asked()}")
                return None
            case Staff():
                return Kept(seen=tuple(self.seen))
        return super().receive(message)


class Odd(Keeper):
    """Its pulse is not what a pulse may be."""

    def pulse(self) -> dict[str, str | int | float]:
        return {"thing": object()}  # type: ignore[dict-item]


def fail_setup(_node: str, _args: object) -> None:
    """A setup hook that does not work."""
    raise LookupError("no such log")


def leave_mark(node: str, args: str) -> None:
    """A setup hook: writes that it was called in this process."""
    with Path(args).open("a") as marks:
        marks.write(f"{node} {os.getpid()}\n")


def fetcher(number: int) -> ChildSpec:
    return ChildSpec(name=f"fetcher-{number}", factory=KEEPER, on_exhausted=OnExhausted.PARK)


def passing(name: str) -> ChildSpec:
    return ChildSpec(name=name, factory=KEEPER, restart=Restart.TEMPORARY)


class Adopter(Keeper):
    """Takes new args in, unless they say otherwise."""

    def renewed(self, args: Any) -> bool:
        if args == "poison":
            raise ValueError("these args make no sense")
        self.seen.append(f"renewed {args}")
        return True
