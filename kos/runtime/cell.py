"""One incarnation of an actor: a ``pykka.ThreadingActor`` that feeds an :class:`Actor`.

Pykka gives the thread, the loop and its registry. What pykka leaves open is closed here: the
mailbox is ours and outlives the thread, every way to end is reported to the supervisor
(pykka calls no hook after a failed start), and no BaseException reaches pykka, which would
stop every actor of the process.
"""

from __future__ import annotations

import importlib
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pykka
from pykka import ActorRegistry

from kos.runtime.actor import DEFERRED, Actor, Context, as_fault
from kos.runtime.description import WAIT_BOUNDS_S
from kos.runtime.errors import ActorFailed, RuntimeFault, UnencodableMessage
from kos.runtime.jobs import enter_job
from kos.runtime.mailbox import Letter, Mailbox, NewArgs, Order
from kos.runtime.protocol import Message
from kos.runtime.spec import ChildSpec


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Why an incarnation has ended.

    Attributes:
        is_failure: False after a stop in order or an end of its own will.
        is_start: Whether it never got to its first message.
        error: Type and text, for people; empty when there was none.
        is_final: What was raised has a true ``needs_operator``: another start would end the same.
    """

    is_failure: bool
    is_start: bool = False
    error: str = ""
    is_final: bool = False


@dataclass(kw_only=True)
class Tally:
    """What is counted over all incarnations of one actor; written by its thread only."""

    handled: int = 0
    waits: list[int] = field(default_factory=lambda: [0] * (len(WAIT_BOUNDS_S) + 1))
    """How many messages waited in the mailbox how long, by :data:`WAIT_BOUNDS_S`."""
    waited_s: float = 0.0
    """How long all of them waited together."""
    busy_since: float = 0.0
    """Monotonic start of the present message; 0 between messages."""
    last_message_at: float | None = None
    pulse_at: float | None = None
    pulse: dict[str, str | int | float] | None = None


class _Intake:
    """The mailbox as pykka sees it: it may take, but what waits is not its to throw away."""

    __slots__ = ("_mailbox",)

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def get(self) -> _Envelope:
        return _Envelope(self._mailbox.take())

    def put(self, _envelope: object) -> None:
        """Pykka's own way to stop an actor; ours is an order in the mailbox."""
        self._mailbox.put(Letter(Order.STOP))

    def empty(self) -> bool:
        return True


class _Envelope:
    __slots__ = ("message",)

    reply_to = None

    def __init__(self, letter: Letter) -> None:
        self.message = letter


class Cell(pykka.ThreadingActor):
    """Runs one incarnation in its own thread, from the factory to the end.

    Args:
        spec: Which actor.
        context: Its view of the system.
        mailbox: Where its messages wait.
        tally: Where it counts.
        on_made: Called in the starter's thread, before its own begins; pykka's start() gives
            a reference and not the cell.
        on_started: Called in its thread when ``started()`` has returned.
        on_ended: Called in its thread as the last word.
        on_outdated: Called in its thread when it does not take new args in.
    """

    use_daemon_thread = True

    def __init__(
        self,
        *,
        spec: ChildSpec,
        context: Context,
        mailbox: Mailbox,
        tally: Tally,
        on_made: Callable[[Cell], None],
        on_started: Callable[[Cell], None],
        on_ended: Callable[[Cell, Ended], None],
        on_outdated: Callable[[Cell], None],
    ) -> None:
        super().__init__()
        self.actor_inbox: Any = _Intake(mailbox)
        self.thread: threading.Thread | None = None
        self.spec = spec
        self._context = context
        self._mailbox = mailbox
        self._tally = tally
        self._report_started = on_started
        self._report_ended = on_ended
        self._report_outdated = on_outdated
        self._actor: Actor
        """Set before the first letter is taken."""
        on_made(self)

    def on_start(self) -> None:
        """Construct the actor and let it start; any failure is reported, none gets out."""
        self.thread = threading.current_thread()
        self._tally.busy_since = 0.0
        try:
            self._actor = load(self.spec.factory)(self._context, self.spec.args)
            self._actor.started()
        except BaseException as error:
            self._context.log.exception("actor.start_failed", error=describe(error))
            self._end(
                Ended(
                    is_failure=True,
                    is_start=True,
                    error=describe(error),
                    is_final=bool(getattr(error, "needs_operator", False)),
                )
            )
        else:
            self._report_started(self)

    def on_receive(self, message: Letter) -> None:
        """Handle one letter; whatever happens, nothing gets out into pykka's loop."""
        content = message.content
        if isinstance(content, Order):
            if content is Order.STOP:
                self._leave()
            else:
                self._pulse()
            return
        if isinstance(content, NewArgs):
            self._renew(content)
            return
        now = time.monotonic()
        tally = self._tally
        tally.busy_since = now
        waited_s = now - message.put_at
        tally.waited_s += waited_s
        tally.waits[bisect_left(WAIT_BOUNDS_S, waited_s)] += 1
        self._context.current = message
        enter_job(message.job)
        try:
            self._handle(message, content)
        finally:
            self._context.current = None
            tally.handled += 1
            tally.last_message_at = time.monotonic()
            tally.busy_since = 0.0

    def _handle(self, letter: Letter, content: Message) -> None:
        asked = letter.reply
        try:
            answer = self._actor.receive(content)
            self._settle(letter, content, answer)
        except Exception as error:
            if asked is None:
                self._fail(error, content)
                return
            self._context.log.warning(
                "ask.failed",
                message=type(content).__name__,
                error=describe(error),
                exc_info=not isinstance(error, RuntimeFault),  # those say all in their text
            )
            asked.fail(as_fault(error, self.spec.name))
        except BaseException as error:  # noqa: BLE001 - pykka would stop every actor
            if asked is not None:
                asked.fail(as_fault(error, self.spec.name))
            self._fail(error, content)
            return
        if self._mailbox.is_empty():
            self._rest(content)

    def _rest(self, content: Message) -> None:
        try:
            self._actor.idle()
        except BaseException as error:  # noqa: BLE001 - a border with a plan: the supervisor's
            self._fail(error, content)

    def _settle(self, letter: Letter, content: Message, answer: Message | object | None) -> None:
        """Give the asker the answer."""
        reply = letter.reply
        if reply is None:
            return
        letter.reply = None
        if isinstance(answer, Message):
            try:
                reply.answer(answer)
            except UnencodableMessage as error:
                self._context.log.error("answer.not_encoded", error=str(error))  # noqa: TRY400 - its text says all
            return
        kind = type(content).__name__
        detail = f"it gave {answer!r} to {kind}" if answer is not None else f"nothing for {kind}"
        if answer is DEFERRED:
            detail = f"{kind} was deferred but its reply was not taken"
        reply.fail(ActorFailed(self.spec.name, "NoAnswer", detail))

    def _renew(self, news: NewArgs) -> None:
        self._tally.busy_since = time.monotonic()
        try:
            is_taken = self._actor.renewed(news.args)
        except BaseException as error:
            self._context.log.exception("actor.failed", error=describe(error))
            self._end(Ended(is_failure=True, error=describe(error)))
            return
        finally:
            self._tally.busy_since = 0.0
        self._context.log.info("actor.renewed", is_restarting=not is_taken)
        if is_taken:
            self._actor.args = news.args
        else:
            self._report_outdated(self)  # until its restart it goes on with those it has

    def _pulse(self) -> None:
        self._tally.busy_since = time.monotonic()
        try:
            pulse = msgspec.convert(self._actor.pulse(), dict[str, str | int | float])
            msgspec.msgpack.encode(pulse)  # an integer may be too large for the wire
            self._tally.pulse = pulse
        except Exception as error:  # noqa: BLE001 - a pulse that fails is shown as such
            self._tally.pulse = {"pulse_error": describe(error)}
        self._tally.pulse_at = time.monotonic()
        self._tally.busy_since = 0.0

    def _leave(self) -> None:
        try:
            self._actor.stopping()
        except BaseException as error:
            self._context.log.exception("actor.stop_failed", error=describe(error))
            self._end(Ended(is_failure=True, error=describe(error)))
        else:
            self._end(Ended(is_failure=False))

    def _fail(self, error: BaseException, content: Message) -> None:
        kind = type(content).__name__
        self._mailbox.dead["poison"] += 1
        try:
            self._context.log.error(
                "actor.failed",
                error=describe(error),
                message=kind,
                message_fate="set aside",
                exc_info=error,
            )
        finally:  # a log that cannot be written must not hide the end
            self._end(Ended(is_failure=True, error=describe(error)))

    def _end(self, ended: Ended) -> None:
        self._context.close(ActorFailed(self.spec.name, "Ended", ended.error or "it was stopped"))
        ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        self._report_ended(self, ended)


def load(path: str) -> Any:
    """Import what ``"package.module:Name"`` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def describe(error: BaseException) -> str:
    """Type and text of ``error`` in one line of at most 500 characters."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500] if text else type(error).__name__
