"""Each question to the ledger and what answers it, in one place for the daemon and the terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import assert_never

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

Question = (
    GetCreditsSpent
    | GetAliases
    | GetCatalogue
    | GetParticipants
    | GetOffers
    | GetOffer
    | GetReminders
    | GetBooks
    | GetStatement
    | GetEverything
    | GetPeople
    | GetConclusion
    | GetKept
    | GetAction
    | GetOutbox
    | VerifyLedger
    | BackUpLedger
)
"""The questions that the ledger answers."""


def answer(database: Database, path: Path, question: Message, now: datetime) -> Message:
    """The answer to a question, or QueryRefused with the reason.

    Raises:
        DatabaseRefused: The file cannot be read.
        DatabaseUnavailable: Not now.
    """
    if not isinstance(question, Question):
        return QueryRefused(reason=f"the ledger does not answer {type(question).__name__}")
    try:
        with meaning(path):
            return _answer(database, path, question, now)
    except (CommandNotAllowed, InvalidInput) as error:
        return QueryRefused(reason=str(error))


def _answer(  # noqa: C901, PLR0911, PLR0912 - one arm a question
    database: Database, path: Path, question: Question, now: datetime
) -> Message:
    match question:
        case GetCreditsSpent():
            return queries.credits_spent(database, question.since, question.until)
        case GetAliases():
            return queries.aliases(database, question.sport, with_history=question.with_history)
        case GetCatalogue():
            return queries.catalogue(database)
        case GetParticipants():
            return reports.participants(database, question)
        case GetOffers():
            return reports.offers(database, question)
        case GetOffer():
            return reports.offer(database, question, now)
        case GetReminders():
            return reports.all_reminders(database, question, now)
        case GetBooks():
            return reports.books(database, question, now)
        case GetStatement():
            return reports.statement(database, question)
        case GetEverything():
            return reports.all_about(database, question)
        case GetPeople():
            return people(database, question)
        case GetConclusion():
            return conclusions.conclusion(database, question)
        case GetKept():
            return conclusions.kept_values(database, question, now)
        case GetAction():
            return conclusions.action(database, question)
        case GetOutbox():
            return outbox(database, question, now)
        case VerifyLedger():
            return verify(database, path)
        case BackUpLedger():
            return back_up(path, Path(question.target))
        case _:
            assert_never(question)
