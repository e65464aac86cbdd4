"""Offers as people read them: lists, one instance with its story, the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import BetLine, OfferLine, RecordedEvent
from kos.domain.offers import Reminder, Token
from kos.domain.offers.catalogue import Offer
from kos.views.opportunities import LONDON
from kos.views.table import TableView


def shown_time(moment: datetime) -> str:
    """A moment to the minute, on the clock of the United Kingdom as on every other screen.

    >>> from datetime import UTC
    >>> shown_time(datetime(2026, 7, 23, 15, 4, tzinfo=UTC))
    '2026-07-23 16:04'
    """
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}"


def offers_table(offers: Iterable[OfferLine]) -> TableView:
    """Instances with where they stand and what they have made."""
    return TableView(
        title="Offers",
        headings=("who", "instance", "bookmaker", "phase", "facts", "profit", "locked", "tokens"),
        rows=tuple(
            (
                line.participant,
                line.instance,
                line.bookmaker,
                line.phase if line.outcome is None else f"closed {line.outcome}",
                str(line.version),
                pounds(line.profit) + ("" if line.outcome else " provisional"),
                pounds(line.locked),
                pounds(line.bonus),
            )
            for line in offers
        ),
        numbers=frozenset({4, 5, 6, 7}),
    )


def bets_table(bets: Iterable[BetLine]) -> TableView:
    """The bets of one instance."""
    return TableView(
        title="Bets",
        headings=(
            "bet",
            "side",
            "venue",
            "selection",
            "stake",
            "odds",
            "result",
            "profit",
            "hedge",
        ),
        rows=tuple(
            (
                bet.bet,
                bet.side,
                bet.venue,
                bet.selection,
                pounds(bet.stake),
                f"{bet.odds:f}",
                bet.result or "open",
                pounds(bet.profit),
                bet.hedge,
            )
            for bet in bets
        ),
        numbers=frozenset({4, 5, 7}),
    )


def tokens_table(tokens: Iterable[Token]) -> TableView:
    """The tokens of one instance."""
    return TableView(
        title="Tokens",
        headings=("token", "face", "kind", "phase", "expires", "restrictions"),
        rows=tuple(
            (
                token.id,
                pounds(token.face),
                token.kind.value,
                token.phase.name if token.lost is None else token.lost.value,
                "" if token.expires_at is None else shown_time(token.expires_at),
                token.restrictions,
            )
            for token in tokens
        ),
        numbers=frozenset({1}),
    )


def story_table(events: Iterable[RecordedEvent]) -> TableView:
    """Every fact of one instance with what it posted."""
    return TableView(
        title="Facts",
        headings=("no.", "when", "fact", "phase after", "who", "entries"),
        rows=tuple(
            (
                str(event.number),
                shown_time(event.occurred_at),
                event.fact,
                event.phase,
                event.recorded_by,
                "\n".join(event.posted),
            )
            for event in events
        ),
        numbers=frozenset({0}),
    )


def reminders_table(reminders: Iterable[Reminder]) -> TableView:
    """What time has made urgent."""
    return TableView(
        title="Look at this",
        headings=("instance", "what", "due"),
        rows=tuple((each.instance, each.what, shown_time(each.due_at)) for each in reminders),
    )


def catalogue_table(offers: Iterable[Offer]) -> TableView:
    """What bookmakers promise."""
    return TableView(
        title="Catalogue",
        headings=("key", "bookmaker", "title", "kind", "stake", "odds", "trigger", "bonus"),
        rows=tuple(
            (
                offer.key,
                offer.bookmaker,
                offer.title,
                offer.kind.value,
                pounds(offer.qualifying.min_stake),
                f"{offer.qualifying.min_odds:f}",
                offer.trigger.value,
                ", ".join(
                    f"{bonus.count} x {pounds(bonus.face)} {bonus.kind.value}"
                    for bonus in offer.bonuses
                ),
            )
            for offer in offers
        ),
        numbers=frozenset({4, 5}),
    )
