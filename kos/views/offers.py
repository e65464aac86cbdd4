"""Offers as tables: lists, one offer with its history, the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from kos.domain.books.calendar import LONDON
from kos.domain.books.double_entry import Account, AccountKind, pounds
from kos.domain.books.lines import BetLine, OfferLine, RecordedEvent, StatementLine
from kos.domain.market.places import place_name
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.due import Reminder
from kos.domain.offers.state import Token
from kos.domain.offers.suggestions import FormContext
from kos.messages import BooksDescribed, OfferDescribed
from kos.views.names import (
    BONUS_NAMES,
    fact_name,
    free_bets_words,
    phase_name,
    readable,
    token_status,
)
from kos.views.opportunities import odds
from kos.views.table import TableView, table_of


def shown_time(moment: datetime) -> str:
    """A moment to the minute, in UK time as on every other screen.

    >>> from datetime import UTC
    >>> shown_time(datetime(2026, 7, 23, 15, 4, tzinfo=UTC))
    '2026-07-23 16:04'
    """
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}"


def form_context(
    offer: OfferDescribed, books: BooksDescribed, catalogue: Iterable[Offer]
) -> FormContext:
    """What the forms of an offer's facts suggest answers from."""
    line = offer.line
    return FormContext(
        bookmaker=line.bookmaker,
        instance=line.instance,
        bets=offer.bets,
        tokens=offer.tokens,
        terms=next((terms for terms in catalogue if terms.key == line.offer), None),
        balances=books.balances,
        floats=books.floats,
    )


def offers_table(offers: Iterable[OfferLine]) -> TableView:
    """Offers with their progress and profit."""
    rows = (
        (
            line.participant,
            line.instance,
            place_name(line.bookmaker),
            (
                phase_name(line.phase)
                if line.outcome is None
                else f"Closed: {readable(line.outcome)}"
            ),
            str(line.version),
            pounds(line.profit) + ("" if line.outcome else " so far"),
            pounds(line.locked),
            pounds(line.bonus),
        )
        for line in offers
    )
    headings = ("who", "offer", "bookmaker", "phase", "steps", "profit", "tied up", "free bets")
    return table_of("Offers", headings, rows, {4, 5, 6, 7})


def bets_table(bets: Iterable[BetLine]) -> TableView:
    """The bets of one offer."""
    rows = (
        (
            bet.bet,
            bet.side,
            place_name(bet.venue),
            bet.selection,
            pounds(bet.stake),
            odds(bet.odds),
            bet.result or "open",
            pounds(bet.profit),
            bet.hedge,
        )
        for bet in bets
    )
    headings = (
        "bet",
        "back or lay",
        "where",
        "selection",
        "stake",
        "odds",
        "result",
        "profit",
        "hedge",
    )
    return table_of("Bets", headings, rows, {4, 5, 7})


def tokens_table(tokens: Iterable[Token]) -> TableView:
    """The free bets of one offer."""
    rows = (
        (
            token.id,
            pounds(token.face),
            BONUS_NAMES[token.kind],
            token_status(token),
            "" if token.expires_at is None else shown_time(token.expires_at),
            token.restrictions,
        )
        for token in tokens
    )
    return table_of(
        "Free bets", ("free bet", "value", "type", "status", "expires", "restrictions"), rows, {1}
    )


def _entries(posted: Iterable[StatementLine]) -> Iterator[str]:
    """Each entry with its number, what it was for, and its lines."""
    for (number, what), lines in groupby(posted, key=lambda line: (line.transaction, line.what)):
        amounts = ", ".join(
            f"{Account(AccountKind(line.account), line.venue).title} {pounds(line.amount)}"
            for line in lines
        )
        yield f"{number} {what}: {amounts}"


def story_table(events: Iterable[RecordedEvent]) -> TableView:
    """Every step of one offer with its entries."""
    rows = (
        (
            str(event.number),
            shown_time(event.occurred_at),
            fact_name(event.fact),
            phase_name(event.phase),
            event.recorded_by,
            "\n".join(_entries(event.posted)),
        )
        for event in events
    )
    return table_of(
        "History", ("no.", "when", "what happened", "new phase", "by", "entries"), rows, {0}
    )


def reminders_table(reminders: Iterable[Reminder]) -> TableView:
    """Offers that need attention."""
    rows = (
        (reminder.instance, reminder.what, shown_time(reminder.due_at)) for reminder in reminders
    )
    return table_of("Needs attention", ("offer", "what", "due"), rows)


def catalogue_table(offers: Iterable[Offer]) -> TableView:
    """The catalogue: offers available at bookmakers."""
    rows = (
        (
            offer.key,
            place_name(offer.bookmaker),
            offer.title,
            readable(offer.kind.value),
            pounds(offer.qualifying.min_stake),
            odds(offer.qualifying.min_odds),
            readable(offer.trigger.value),
            free_bets_words(offer),
        )
        for offer in offers
    )
    headings = ("key", "bookmaker", "title", "kind", "stake", "odds", "paid after", "free bet")
    return table_of("Catalogue", headings, rows, {4, 5})
