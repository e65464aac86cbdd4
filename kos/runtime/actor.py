"""Actors: what their author writes, and what the runtime hands them.

An actor is an object that one thread alone touches. Messages wait in its mailbox and come to
:meth:`Actor.receive` one by one. Inside, each incarnation is a ``pykka.ThreadingActor``; see
:mod:`kos.runtime.cell`.
"""

from __future__ import annotations

import contextlib
from enum import Enum
from typing import Any, Protocol

import structlog

from kos.runtime.errors import ActorFailed, MailboxFull, RuntimeFault
from kos.runtime.jobs import current_job
from kos.runtime.mailbox import Letter, Mailbox, ReplySink
from kos.runtime.protocol import Message
from kos.runtime.registry import Registry
from kos.runtime.remote import ActorRef
from kos.runtime.spec import ChildSpec
from kos.runtime.timers import Timer, Timers


class Deferred(Enum):
    """What ``receive`` returns after it has taken the reply for later."""

    DEFERRED = "deferred"


DEFERRED = Deferred.DEFERRED


class Children(Protocol):
    """Those who start and stop actors in this node: its supervisor."""

    def start_child(self, spec: ChildSpec) -> None:
        """Add an actor."""

    def stop_child(self, name: str) -> None:
        """Stop one in order."""

    def dynamic_children(self) -> tuple[str, ...]:
        """Who was added so."""


class Reply:
    """The answer that is still owed to one ask. The first word counts, later ones are dropped.

    It may be used from any thread. If its actor dies first, the asker is told ActorFailed.
    """

    def __init__(self, sink: ReplySink, context: Context) -> None:
        self._sink: ReplySink | None = sink
        self._context = context

    def send(self, message: Message) -> None:
        """Answer.

        Raises:
            UnencodableMessage: The answer cannot be put on the wire; the asker hears so too.
        """
        sink = self._take()
        if sink is not None:
            sink.answer(message)

    def fail(self, error: Exception) -> None:
        """Answer with an error; the asker is told ActorFailed with its type and text."""
        sink = self._take()
        if sink is not None:
            sink.fail(as_fault(error, self._context.name))

    def _take(self) -> ReplySink | None:
        sink, self._sink = self._sink, None
        self._context.forget_reply(self)
        return sink


class Context:
    """An actor's view of the system. Only for use in the actor's own thread, but for ``ref``.

    Attributes:
        name: The actor's name.
        node: The node it lives in.
        incarnation: 1 for its first start in this process, then rising.
        log: Bound with ``node``, ``actor`` and ``incarnation``.
    """

    def __init__(
        self,
        *,
        name: str,
        node: str,
        incarnation: int,
        registry: Registry,
        mailbox: Mailbox,
        timers: Timers,
        children: Children,
    ) -> None:
        self.name = name
        self.node = node
        self.incarnation = incarnation
        self.log: Any = structlog.get_logger().bind(node=node, actor=name, incarnation=incarnation)
        self.current: Letter | None = None
        self._registry = registry
        self._mailbox = mailbox
        self._timers = timers
        self._children = children
        self._own_timers: list[Timer] = []
        self._owed: set[Reply] = set()

    def ref(self, name: str) -> ActorRef:
        """A reference to the actor ``name``, anywhere in the system, there yet or not."""
        return ActorRef(name, self._registry, self.name)

    def reply_later(self) -> Reply:
        """Take the reply to the present ask; ``receive`` then returns ``DEFERRED``.

        Raises:
            RuntimeError: The present message is no ask, or its reply has been taken.
        """
        letter = self.current
        if letter is None or letter.reply is None:
            msg = "there is no ask whose reply could be taken"
            raise RuntimeError(msg)
        reply = Reply(letter.reply, self)
        letter.reply = None
        self._owed.add(reply)
        return reply

    @property
    def job_id(self) -> str:
        """The job of the present message, which its log lines and what it sends carry along."""
        return current_job()

    def is_asked(self) -> bool:
        """Whether someone waits for the answer to the present message."""
        return self.current is not None and self.current.reply is not None

    def sender(self) -> str | None:
        """The actor that sent the present message; None for a client."""
        return None if self.current is None else self.current.sender

    def every(
        self, interval_s: float, message: Message, *, first_after_s: float | None = None
    ) -> Timer:
        """Put ``message`` into the own mailbox every ``interval_s`` seconds.

        Args:
            interval_s: Above 0. What a busy actor misses is not made up for; let the message
                be a ``SNAPSHOT``, then at most one waits.
            message: The same each time.
            first_after_s: The first wait; None is ``interval_s``.
        """
        first = interval_s if first_after_s is None else first_after_s
        return self._keep(self._timers.add(first, interval_s, lambda: self._remind(message)))

    def after(self, delay_s: float, message: Message, *, is_same_job: bool = False) -> Timer:
        """Put ``message`` into the own mailbox once, in ``delay_s`` seconds.

        Args:
            delay_s: 0 or more.
            message: What to say.
            is_same_job: It goes on with the present job; else it begins one of its own.
        """
        job = current_job() if is_same_job else ""
        return self._keep(self._timers.add(delay_s, None, lambda: self._remind(message, job)))

    def start_child(self, spec: ChildSpec) -> None:
        """Add an actor to this node; it is supervised like those of the node's specification.

        Returns at once; the child starts in its own thread. It outlives the actor that asked
        for it, but not the node: once that is stopping, the call is without effect.

        Raises:
            ActorExists: The name is taken, in this node or another.
        """
        self._children.start_child(spec)

    def stop_child(self, name: str) -> None:
        """Stop an actor that was added by ``start_child``, after what waits in its mailbox.

        Returns at once. Its name may be used again at once: the successor starts when the
        old one has ended.

        Raises:
            NoSuchActor: No child of that name was added here.
        """
        self._children.stop_child(name)

    def children(self) -> tuple[str, ...]:
        """The actors added to this node by ``start_child`` and not stopped since."""
        return self._children.dynamic_children()

    def waiting(self) -> int:
        """Messages that wait in the own mailbox."""
        return len(self._mailbox)

    def forget_reply(self, reply: Reply) -> None:
        """For the runtime: ``reply`` is no longer owed."""
        self._owed.discard(reply)

    def close(self, error: RuntimeFault) -> None:
        """The runtime's: the incarnation has ended; its timers stop, its debts are failed."""
        for timer in self._own_timers:
            timer.cancel()
        for reply in list(self._owed):
            reply.fail(error)

    def _keep(self, timer: Timer) -> Timer:
        living = [own_timer for own_timer in self._own_timers if not own_timer.is_cancelled]
        self._own_timers = [*living, timer]
        return timer

    def _remind(self, message: Message, job: str = "") -> None:
        with contextlib.suppress(MailboxFull):  # counted there; the next appointment comes
            self._mailbox.put(Letter(message, self.name, None, job))


class Actor:
    """Base of all actors. One thread alone constructs it and calls every hook.

    A restart makes a new object: what must survive is asked for again in :meth:`started`,
    from its owner. Messages that wait in the mailbox do survive a restart of the actor
    in its node; they do not survive the node.

    Args:
        context: The view of the system; bound to this incarnation.
        args: ``ChildSpec.args``.
    """

    def __init__(self, context: Context, args: Any) -> None:
        self.context = context
        self.args = args

    def started(self) -> None:
        """Called before the first message. What it raises is a failed start, and supervised."""

    def receive(self, message: Message) -> Message | Deferred | None:
        """Handle one message.

        What it returns answers an ask and is dropped after a tell. An exception in an ask
        goes to the asker as ActorFailed, and the actor lives on. An exception in a tell ends
        this incarnation: the message is set aside for good, the supervisor decides about a
        restart. A BaseException, such as SystemExit, ends the incarnation in both cases.
        """
        raise NotImplementedError

    def renewed(self, args: Any) -> bool:  # noqa: ARG002 - for those who take them in
        """Called when ``ChildSpec.args`` have changed while the actor lives.

        Return True when the actor has taken them in. An actor that does not, which is the
        default, is stopped in order and started with them; raising ends the incarnation.
        """
        return False

    def idle(self) -> None:
        """Called when the mailbox has just become empty; raising ends the incarnation."""

    def stopping(self) -> None:
        """Called on a stop in order, after all that waited before it; not after a failure."""

    def pulse(self) -> dict[str, str | int | float]:
        """Small facts for the description of the system, asked for at each ping."""
        return {}


def as_fault(error: BaseException, actor: str) -> ActorFailed:
    """What an asker is told about ``error``: that ``actor`` failed, and by what.

    A runtime fault is no exception: that *its* peer died is not that the asker's did.
    """
    return ActorFailed(actor, type(error).__name__, str(error))
