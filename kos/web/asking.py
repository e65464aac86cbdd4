"""Questions from the page's loop to actors: each waits in a thread, not in the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from kos.messages import QueryRefused
from kos.runtime import (
    SYSTEM,
    AskTimeout,
    Describe,
    Message,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
    SystemDescribed,
)

Ask = Callable[[str, Message, float], Message]
"""Asks the named actor and waits up to that many seconds; raises RuntimeFault."""

Told = TypeVar("Told", bound=Message)

TIMEOUT_S = 10.0


class NotAnswered(Exception):  # noqa: N818 - says what is so
    """There is no answer; the text tells a person which actor and why."""


class NotAsked(Exception):  # noqa: N818 - says what is so
    """The question was refused; the text says what is allowed."""


class Asking:
    """The page's link to the actors.

    Args:
        ask: Asks and waits.
        pool: Threads for the waiting.
    """

    def __init__(self, ask: Ask, pool: Executor) -> None:
        self._ask = ask
        self._pool = pool

    async def of(
        self, actor: str, question: Message, expected: type[Told], timeout_s: float = TIMEOUT_S
    ) -> Told:
        """The answer to a question.

        Raises:
            NotAnswered: The actor is away or does not answer in time.
            NotAsked: It refuses the question.
        """
        answer = await self.any_of(actor, question, timeout_s)
        if isinstance(answer, QueryRefused):
            raise NotAsked(answer.reason)
        if not isinstance(answer, expected):
            raise TypeError(f"{actor} answered {type(answer).__name__}")
        return answer

    async def any_of(self, actor: str, question: Message, timeout_s: float = TIMEOUT_S) -> Message:
        """Whatever the actor answers.

        Raises:
            NotAnswered: As above.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._ask, actor, question, timeout_s)
        except RuntimeFault as fault:
            raise NotAnswered(_words(actor, fault)) from fault

    async def system(self) -> SystemDescribed:
        """The state of the system.

        Raises:
            NotAnswered: The main process is busy or has stopped.
        """
        return await self.of(SYSTEM, Describe(), SystemDescribed)


def _words(actor: str, fault: RuntimeFault) -> str:
    name = actor.lstrip("@")
    match fault:
        case PeerDied():
            return f"The {name} is restarting. This page will reconnect automatically."
        case NoSuchActor():
            return f"The {name} is still starting. This page will reconnect automatically."
        case AskTimeout():
            return f"The {name} is busy and did not respond in time."
        case _:
            return f"The {name} did not respond: {fault}"
