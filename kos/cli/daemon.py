"""Talking to the running daemon from a command."""

from __future__ import annotations

from typing import TypeVar

from kos.config.settings import Settings
from kos.errors import CommandNotAllowed, WaitAndRetry
from kos.main import connect_to_daemon
from kos.messages import QueryRefused
from kos.runtime import Message, RuntimeFault

Answer = TypeVar("Answer", bound=Message)


def ask(
    settings: Settings, actor: str, question: Message, answer_type: type[Answer], timeout_s: float
) -> Answer:
    """One question to one actor of the running daemon.

    Raises:
        WaitAndRetry: There is no daemon, or it does not answer now; says what to do.
        CommandNotAllowed: The daemon refuses the question, and says why.
    """
    try:
        with connect_to_daemon(settings) as client:
            answer = client.ask(actor, question, timeout_s=timeout_s)
    except RuntimeFault as fault:
        raise WaitAndRetry("daemon", str(fault)) from fault
    if isinstance(answer, QueryRefused):
        raise CommandNotAllowed(answer.reason)
    if not isinstance(answer, answer_type):
        raise TypeError(f"{actor} answered {type(answer).__name__}")
    return answer
