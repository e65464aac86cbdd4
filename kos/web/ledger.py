"""Ledger queries and records for the Offers and Books pages."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import datetime

from kos.domain.books.lines import OfferLine, ParticipantLine, ReminderLine
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.facts import MoneyFact, OfferFact, Role, Source
from kos.messages import (
    LEDGER,
    BooksDescribed,
    CatalogueListed,
    FactRecorded,
    GetBooks,
    GetCatalogue,
    GetOffer,
    GetOffers,
    GetParticipants,
    GetReminders,
    GetStatement,
    OfferDescribed,
    OffersListed,
    ParticipantsListed,
    RecordFact,
    RemindersListed,
    StatementListed,
)
from kos.web.asker import PageAsker


class LedgerAsking:
    """The page's link to the ledger, as the operator of this machine."""

    def __init__(self, asker: PageAsker) -> None:
        self._asker = asker
        self._operator = operator()

    async def offers(self) -> tuple[OfferLine, ...]:
        """Every offer, including closed ones."""
        question = GetOffers(operator=self._operator)
        return (await self._asker.ask(LEDGER, question, OffersListed)).offers

    async def reminders(self) -> tuple[ReminderLine, ...]:
        """Reminders, earliest first."""
        question = GetReminders(operator=self._operator)
        return (await self._asker.ask(LEDGER, question, RemindersListed)).reminders

    async def catalogue(self) -> Mapping[str, Offer]:
        """Offers by key."""
        listed = await self._asker.ask(LEDGER, GetCatalogue(), CatalogueListed)
        return {offer.key: offer for offer in listed.offers}

    async def participants(self) -> tuple[ParticipantLine, ...]:
        """The participants."""
        question = GetParticipants(operator=self._operator)
        return (await self._asker.ask(LEDGER, question, ParticipantsListed)).participants

    async def offer(self, participant: str, instance: str) -> OfferDescribed:
        """Everything about one offer."""
        question = GetOffer(participant=participant, operator=self._operator, instance=instance)
        return await self._asker.ask(LEDGER, question, OfferDescribed)

    async def books(self, participant: str, since: datetime | None) -> BooksDescribed:
        """Balances, and profit since a moment; None for all of it."""
        question = GetBooks(participant=participant, operator=self._operator, since=since)
        return await self._asker.ask(LEDGER, question, BooksDescribed)

    async def statement(self, participant: str, since: datetime | None) -> StatementListed:
        """Every entry since a moment; None for all of them."""
        question = GetStatement(participant=participant, operator=self._operator, since=since)
        return await self._asker.ask(LEDGER, question, StatementListed)

    async def record(
        self,
        key: str,
        participant: str,
        fact: OfferFact | MoneyFact,
        *,
        instance: str = "",
        note: str = "",
        occurred_at: datetime,
        expected_version: int | None = None,
        is_supervisor: bool = False,
    ) -> FactRecorded:
        """Have a fact recorded; the same key again changes nothing.

        Raises:
            CommandNotAllowed: The ledger says why.
            ActorUnavailable: Says whether it may be recorded; sending it again is safe.
        """
        command = RecordFact(
            command_id=key,
            by=self._operator,
            occurred_at=occurred_at,
            participant=participant,
            instance=instance,
            fact=fact,
            role=Role.SUPERVISOR if is_supervisor else Role.OPERATOR,
            source=Source.WEB,
            note=note,
            expected_version=expected_version,
        )
        return await self._asker.do(command, FactRecorded)


def operator() -> str:
    """The user of the page, as stored in the ledger: the user that KOS runs as."""
    try:
        return f"web:{getpass.getuser()}"
    except (KeyError, OSError):
        return "web"
