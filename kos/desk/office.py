"""The desk's way to everybody else: questions with a deadline, and a fault as a clear sentence."""

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
"""A command to the ledger is said again under its own id, which cannot record it twice."""

_ABSENT = {
    "reconciler": "names are matched only with a Betfair account in the settings",
    "exchange": "there is no Betfair account in the settings",
}


class Office:
    """Who the desk may ask.

    Args:
        ask: Sends a message to an actor by name and waits so many seconds for its answer.
        tell: Sends a message and goes on.
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
            WaitAndRetry: None came; says who and why.
            CommandNotAllowed: The question is refused; says why.
        """
        try:
            answer = self._ask(actor, question, timeout_s)
        except RuntimeFault as fault:
            raise WaitAndRetry(actor, _in_words(fault)) from fault
        if isinstance(answer, QueryRefused):
            raise CommandNotAllowed(answer.reason)
        if not isinstance(answer, expected):
            raise WaitAndRetry(actor, f"answered with {type(answer).__name__}; report it")
        return answer

    def do(self, command: LedgerCommand, expected: type[Told]) -> Told | CommandRefused:
        """Have the ledger record a command; said again where no answer comes.

        Raises:
            WaitAndRetry: No answer came: it may or may not be recorded.
        """
        for left in reversed(range(_TRIES)):
            try:
                answer = self._ask("ledger", command, COMMAND_S)
            except RuntimeFault as fault:
                if left and isinstance(fault, PeerDied | AskTimeout | MailboxFull):
                    continue
                raise WaitAndRetry(
                    "ledger", f"{_in_words(fault)}; look whether it is recorded, then say it again"
                ) from fault
            if isinstance(answer, CommandRefused | expected):
                return answer
            if isinstance(answer, QueryRefused):
                raise CommandNotAllowed(answer.reason)
            raise WaitAndRetry("ledger", f"answered with {type(answer).__name__}; report it")
        raise AssertionError  # pragma: no cover - the last turn returns or raises

    def tell(self, actor: str, message: Message) -> bool:
        """Send and go on; whether somebody of that name is there to hear it."""
        try:
            self._tell(actor, message)
        except RuntimeFault:
            return False
        return True


def _in_words(fault: RuntimeFault) -> str:
    match fault:
        case NoSuchActor():
            return _ABSENT.get(fault.actor, "there is nobody of that name; it may be starting")
        case PeerDied():
            return "is being restarted; say it again in a moment"
        case AskTimeout():
            return f"does not answer within {fault.timeout_s:g} s; say it again in a moment"
        case MailboxFull():
            return "has too much to do; say it again in a moment"
        case ActorFailed():
            return f"could not answer ({fault.error_type}: {fault.text[:300]})"
        case _:
            return str(fault)[:300]
