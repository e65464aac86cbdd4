"""The desk's link to the other actors: questions with a deadline, and faults as clear sentences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from kos.errors import CommandNotAllowed, WaitAndRetry
from kos.messages import CommandRefused, LedgerCommand, QueryRefused
from kos.runtime.errors import (
    ActorFailed,
    AskTimeout,
    MailboxFull,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
)
from kos.runtime.protocol import Message

Told = TypeVar("Told", bound=Message)

QUESTION_S = 5.0
COMMAND_S = 10.0
_TRIES = 3
"""A command to the ledger is repeated under its own id, so it cannot be recorded twice."""

_PASSING = PeerDied | AskTimeout | MailboxFull
"""Faults that pass: trying again can help."""
_ABSENT = {
    "reconciler": "no Betfair account in the settings, so no names are matched",
    "exchange": "no Betfair account in the settings",
}


class Office:
    """The actors that the desk can ask.

    Args:
        ask: Sends a message to an actor by name and waits up to that many seconds for its answer.
        tell: Sends a message without waiting.
        clock: The time, UTC.
    """

    def __init__(
        self,
        ask: Callable[[str, Message, float], Message],
        tell: Callable[[str, Message], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ask = ask
        self._tell = tell
        self.now = clock

    def ask(
        self, actor: str, question: Message, expected: type[Told], timeout_s: float = QUESTION_S
    ) -> Told:
        """The answer to a question.

        Raises:
            WaitAndRetry: There is none; says which actor and why.
            CommandNotAllowed: The question is refused; says why.
        """
        try:
            answer = self._ask(actor, question, timeout_s)
        except RuntimeFault as fault:
            again = " Try again in a moment." if isinstance(fault, _PASSING) else ""
            raise WaitAndRetry(actor, f"{_in_words(fault)}.{again}") from fault
        if isinstance(answer, QueryRefused):
            raise CommandNotAllowed(answer.reason)
        if not isinstance(answer, expected):
            raise WaitAndRetry(actor, f"answered with {type(answer).__name__}. Please report this.")
        return answer

    def do(self, command: LedgerCommand, expected: type[Told]) -> Told | CommandRefused:
        """Have the ledger record a command; repeated if no answer comes.

        Raises:
            WaitAndRetry: No answer came: it may or may not have been recorded.
        """
        for left in reversed(range(_TRIES)):
            try:
                answer = self._ask("ledger", command, COMMAND_S)
            except RuntimeFault as fault:
                if left and isinstance(fault, _PASSING):
                    continue
                raise WaitAndRetry(
                    "ledger",
                    f"{_in_words(fault)}. Check whether it was recorded before you try again.",
                ) from fault
            if isinstance(answer, CommandRefused | expected):
                return answer
            if isinstance(answer, QueryRefused):
                raise CommandNotAllowed(answer.reason)
            raise WaitAndRetry(
                "ledger", f"answered with {type(answer).__name__}. Please report this."
            )
        raise AssertionError  # pragma: no cover - the last turn returns or raises

    def tell(self, actor: str, message: Message) -> bool:
        """Send without waiting; whether there is an actor of that name."""
        try:
            self._tell(actor, message)
        except RuntimeFault:
            return False
        return True


def _in_words(fault: RuntimeFault) -> str:
    match fault:
        case NoSuchActor():
            return _ABSENT.get(fault.actor, "not available yet; it may still be starting")
        case PeerDied():
            return "is restarting"
        case AskTimeout():
            return f"did not respond within {fault.timeout_s:g} seconds"
        case MailboxFull():
            return "is busy"
        case ActorFailed():
            return f"could not answer ({fault.error_type}: {fault.text[:300]})"
        case _:
            return str(fault)[:300]
