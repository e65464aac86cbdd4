"""Asks actors by name: waits for an answer of the expected type, or says why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self, TypeVar

from kos.errors import ActorUnavailable, CommandNotAllowed, DatabaseUnavailable
from kos.messages import LEDGER, CommandRefused, LedgerCommand, QueryRefused
from kos.runtime import (
    ActorFailed,
    AskTimeout,
    Context,
    MailboxFull,
    Message,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
)

Ask = Callable[[str, Message, float], Message]
"""Sends a message to an actor by name and waits up to that many seconds; raises RuntimeFault."""
Tell = Callable[[str, Message], None]
Expected = TypeVar("Expected", bound=Message)

QUESTION_S = 5.0
COMMAND_S = 10.0
PATIENCE_S = 20.0
_RETRY_S = 0.1

_PASSING = PeerDied | AskTimeout | MailboxFull | NoSuchActor
"""Faults that pass: trying again can help."""
_ABSENT = {
    "reconciler": "The settings have no Betfair account, so no names are matched.",
    "exchange": "The settings have no Betfair account.",
}
_AGAIN = "Try again in a moment."


class Asker:
    """The actors as one person or one actor asks them. Safe to use from several threads.

    Args:
        ask: Sends a message to an actor and waits for its answer.
        tell: Sends a message without waiting.
        patience_s: How long a command is repeated while its actor is away, in seconds.
    """

    def __init__(
        self, ask: Ask, tell: Tell | None = None, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._patience_s = patience_s

    @classmethod
    def within(cls, context: Context) -> Self:
        """The other actors, as an actor asks them."""
        return cls(
            lambda actor, message, timeout_s: context.ref(actor).ask(message, timeout_s),
            lambda actor, message: context.ref(actor).tell(message),
        )

    def ask(
        self,
        actor: str,
        question: Message,
        expected: type[Expected],
        timeout_s: float = QUESTION_S,
    ) -> Expected:
        """The answer to a question, which is sent once.

        Raises:
            ActorUnavailable: No answer came, or one of another type; its cause is the RuntimeFault,
                if there was one.
            CommandNotAllowed: The question is refused; the text says why.
        """
        try:
            answer = self._ask(actor, question, timeout_s)
        except RuntimeFault as fault:
            advice = _AGAIN if _can_pass(actor, fault) else ""
            raise ActorUnavailable(actor, fault_words(actor, fault), advice) from fault
        return checked(actor, answer, expected)

    def do(
        self, command: LedgerCommand, expected: type[Expected], *, repeat: str = "Send it again"
    ) -> Expected:
        """Have the ledger record a command; see :meth:`ask_until_answered`."""
        return self.ask_until_answered(LEDGER, command, expected, COMMAND_S, repeat=repeat)

    def ask_until_answered(
        self,
        actor: str,
        message: Message,
        expected: type[Expected],
        timeout_s: float,
        *,
        repeat: str = "Send it again",
    ) -> Expected:
        """The answer to a message that has an ID, so that its actor carries it out only once.

        It is sent again under its ID while the actor is away. After that no one may know whether
        it was carried out; the error says so, and how to repeat it safely.

        Args:
            actor: The receiver.
            message: The message.
            expected: The type of its answer.
            timeout_s: How long to wait for one answer, in seconds.
            repeat: How a person repeats it under the same ID, as an instruction.

        Raises:
            ActorUnavailable: No answer came, or one of another type; its cause is the RuntimeFault,
                if there was one.
            CommandNotAllowed: It is refused and changed nothing; the text says why.
        """
        deadline = time.monotonic() + self._patience_s
        may_be_done = False
        while True:
            try:
                return checked(actor, self._ask(actor, message, timeout_s), expected)
            except RuntimeFault as fault:
                may_be_done |= _may_be_done(fault)
                if _can_pass(actor, fault) and time.monotonic() < deadline:
                    time.sleep(_RETRY_S)
                    continue
                advice = (
                    f"KOS cannot tell whether this was saved. {repeat}:"
                    " it will not be recorded twice."
                    if may_be_done
                    else "Nothing was saved."
                )
                raise ActorUnavailable(actor, fault_words(actor, fault), advice) from fault

    def tell(self, actor: str, message: Message) -> bool:
        """Send without waiting; whether there is an actor of that name."""
        if self._tell is None:
            return False
        try:
            self._tell(actor, message)
        except RuntimeFault:
            return False
        return True


def checked(actor: str, answer: Message, expected: type[Expected]) -> Expected:
    """An answer, if it is of the expected type.

    Raises:
        CommandNotAllowed: It is a refusal; the text is its reason.
        ActorUnavailable: It has another type.
    """
    if isinstance(answer, QueryRefused | CommandRefused):
        raise CommandNotAllowed(answer.reason)
    if isinstance(answer, expected):
        return answer
    reason = f"The {actor} answered with {type(answer).__name__}."
    raise ActorUnavailable(actor, reason, "Please report this.")


def fault_words(actor: str, fault: RuntimeFault) -> str:
    """Why an actor did not answer, as a sentence."""
    name = actor.lstrip("@")
    match fault:
        case PeerDied():
            return f"The {name} is restarting."
        case NoSuchActor():
            return _ABSENT.get(actor, f"The {name} is still starting.")
        case AskTimeout():
            return f"The {name} did not respond within {fault.timeout_s:g} seconds."
        case MailboxFull():
            return f"The {name} is busy."
        case ActorFailed():
            return f"The {name} failed: {fault.text[:300]} ({fault.error_type})."
        case _:
            words = str(fault)[:300].rstrip(".")
            return f"{words[:1].upper()}{words[1:]}."


def _can_pass(actor: str, fault: RuntimeFault) -> bool:
    return isinstance(fault, _PASSING) and not (isinstance(fault, NoSuchActor) and actor in _ABSENT)


def _may_be_done(fault: RuntimeFault) -> bool:
    """Whether the actor may have carried it out all the same."""
    if isinstance(fault, ActorFailed):
        return fault.error_type != DatabaseUnavailable.__name__
    return isinstance(fault, PeerDied | AskTimeout)
