"""Each question to the ledger and what answers it, in one table for the daemon and the terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from kos.db import Database, meaning
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    BackUpLedger,
    GetAction,
    GetAliases,
    GetBooks,
    GetCatalogue,
    GetConclusion,
    GetCreditsSpent,
    GetEverything,
    GetKept,
    GetOffer,
    GetOffers,
    GetOutbox,
    GetParticipants,
    GetPeople,
    GetReminders,
    GetStatement,
    QueryRefused,
    VerifyLedger,
)
from kos.runtime.protocol import Message
from kos.storage import conclusions, queries, reports
from kos.storage.backup import back_up
from kos.storage.outbox import outbox
from kos.storage.people import people
from kos.storage.verify import verify

_ANSWERS: dict[type[Message], Callable[[Database, Path, Any, datetime], Message]] = {
    GetCreditsSpent: lambda base, _path, ask, _now: queries.credits_spent(
        base, ask.since, ask.until
    ),
    GetAliases: lambda base, _path, ask, _now: queries.aliases(
        base, ask.sport, with_history=ask.with_history
    ),
    GetCatalogue: lambda base, _path, _ask, _now: queries.catalogue(base),
    GetParticipants: lambda base, _path, ask, _now: reports.participants(base, ask),
    GetOffers: lambda base, _path, ask, _now: reports.offers(base, ask),
    GetOffer: lambda base, _path, ask, now: reports.offer(base, ask, now),
    GetReminders: lambda base, _path, ask, now: reports.all_reminders(base, ask, now),
    GetBooks: lambda base, _path, ask, now: reports.books(base, ask, now),
    GetStatement: lambda base, _path, ask, _now: reports.statement(base, ask),
    GetEverything: lambda base, _path, ask, _now: reports.all_about(base, ask),
    GetPeople: lambda base, _path, ask, _now: people(base, ask),
    GetConclusion: lambda base, _path, ask, _now: conclusions.conclusion(base, ask),
    GetKept: lambda base, _path, ask, now: conclusions.kept_values(base, ask, now),
    GetAction: lambda base, _path, ask, _now: conclusions.action(base, ask),
    GetOutbox: lambda base, _path, ask, now: outbox(base, ask, now),
    VerifyLedger: lambda base, path, _ask, _now: verify(base, path),
    BackUpLedger: lambda _base, path, ask, _now: back_up(path, Path(ask.target)),
}

QUERIES = tuple(_ANSWERS)
"""Every question that the ledger answers."""


def answer(database: Database, path: Path, query: Message, now: datetime) -> Message:
    """The answer to a question, or QueryRefused with the reason.

    Raises:
        DatabaseRefused: The file cannot be read.
        DatabaseUnavailable: Not now.
    """
    handler = _ANSWERS.get(type(query))
    if handler is None:
        return QueryRefused(reason=f"the ledger does not answer {type(query).__name__}")
    try:
        with meaning(path):
            return handler(database, path, query, now)
    except (CommandNotAllowed, InvalidInput) as error:
        return QueryRefused(reason=str(error))
