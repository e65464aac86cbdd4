"""What can go wrong between actors, and how a fault travels from one process to another.

RuntimeFault
├── PeerDied           the other process is not there, or went away while we waited
├── AskTimeout         no answer in time; the request may or may not have been carried out
├── NoSuchActor        no one of that name is known anywhere in the system
├── ActorExists        a child of that name is already there
├── MailboxFull        the receiver (or the way to it) is full; try again later
├── ActorFailed        the receiver raised while it handled our request
├── MessageRefused     the receiver's process does not know the message, or its shape is wrong
├── UnencodableMessage our own message cannot be put on the wire; nothing was sent
├── SystemNotRunning   there is no system to connect to
└── SystemStartFailed  a node or an actor did not start; what had started was stopped again
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class RuntimeFault(Exception):  # noqa: N818 - the base of a family whose names say what happened
    """Root of the errors of the actor runtime."""


class _ActorAndDetail(RuntimeFault):
    """Base of faults of ``actor`` with one more fact, ``detail``."""

    words: ClassVar[str]

    def __init__(self, actor: str, detail: str) -> None:
        super().__init__(self.words.format(actor=actor, detail=detail))
        self.actor = actor
        self.detail = detail


class PeerDied(_ActorAndDetail):
    """The node that hosts the actor is not up, or its link broke while the answer was awaited.

    The detail is what was seen, for instance the reason of the operating system.
    """

    words = "{actor}: its process is not running ({detail}); try again in a moment"


class AskTimeout(RuntimeFault):
    """No answer came in time. The request may still be waiting, or may have been carried out.

    Args:
        actor: The actor that was asked.
        message: The message's type name.
        timeout_s: How long was waited, in seconds.
    """

    def __init__(self, actor: str, message: str, timeout_s: float) -> None:
        super().__init__(f"{actor} did not respond to {message} within {timeout_s:g} s")
        self.actor = actor
        self.message = message
        self.timeout_s = timeout_s


class NoSuchActor(RuntimeFault):
    """No one of the name ``actor`` is known."""

    def __init__(self, actor: str) -> None:
        super().__init__(f"no actor is named {actor!r} in this system")
        self.actor = actor


class ActorExists(RuntimeFault):
    """A child of the name ``actor`` is already there."""

    def __init__(self, actor: str) -> None:
        super().__init__(f"an actor named {actor!r} already exists; stop it first")
        self.actor = actor


class MailboxFull(_ActorAndDetail):
    """The receiver, or the way to it, holds as many messages as it may: which box, and its limit."""

    words = "{actor} cannot take more messages ({detail}); try again later"


class ActorFailed(RuntimeFault):
    """The receiver raised while it handled our request.

    Args:
        actor: The receiver.
        error_type: The class name of what it raised.
        text: The error's text.
    """

    def __init__(self, actor: str, error_type: str, text: str) -> None:
        super().__init__(f"{actor} failed: {error_type}: {text}")
        self.actor = actor
        self.error_type = error_type
        self.text = text


class MessageRefused(_ActorAndDetail):
    """The receiver's process does not know the message, or its shape is wrong, as the schema says."""

    words = "{actor}: the message was refused: {detail}"


class UnencodableMessage(RuntimeFault):
    """Our own message cannot be put on the wire. Nothing was sent.

    Args:
        message: The message's type name.
        detail: Why not.
    """

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(f"{message} cannot be sent to another process: {detail}")
        self.message = message
        self.detail = detail


class SystemNotRunning(RuntimeFault):
    """There is no running system to connect to."""


class SystemNotAnswering(SystemNotRunning):
    """Its process is there and does not answer in time: it starts, stops, hangs, or is busy."""


class SystemStartFailed(RuntimeFault):
    """A node or an actor did not start. Whatever had started has been stopped again.

    Args:
        reason: Which, and why.
        is_final: Another start would end the same, until a person has changed something: an
            actor's error had a true attribute ``needs_operator``.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """An error on the wire: its kind, the actor it speaks of and up to two more facts."""

    kind: str
    actor: str
    first: str = ""
    second: str = ""


_WITH_DETAIL = {kind.__name__: kind for kind in (PeerDied, MailboxFull, MessageRefused)}


def to_fault(error: BaseException, actor: str) -> Fault:
    """The wire form of ``error`` that ``actor`` raised; what is no fault of ours is ActorFailed."""
    match error:
        case ActorFailed():
            return Fault("ActorFailed", error.actor, error.error_type, error.text)
        case _ActorAndDetail():
            return Fault(type(error).__name__, error.actor, error.detail)
        case NoSuchActor():
            return Fault("NoSuchActor", error.actor)
        case _:
            return Fault("ActorFailed", actor, type(error).__name__, str(error))


def from_fault(fault: Fault) -> RuntimeFault:
    """The error that ``fault`` speaks of, to be raised in the asker."""
    if fault.kind == "NoSuchActor":
        return NoSuchActor(fault.actor)
    if fault.kind in _WITH_DETAIL:
        return _WITH_DETAIL[fault.kind](fault.actor, fault.first)
    return ActorFailed(fault.actor, fault.first, fault.second)
