"""Short ways to say what was seen: an event with prices, a lay quote at 2.10 with 50 pounds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kos.domain.market.quotes import (
    BookmakerQuotes,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    ExchangeRunner,
    MarketBook,
    MarketQuotes,
    OutcomeQuote,
    OutcomeRunner,
    PriceSize,
    RunnerBook,
    Verdict,
)

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
"""A Saturday noon on which every built thing is fresh by default."""

Price = str | int | Decimal
Prices = Mapping[str, Price]


def quotes_market(
    prices: Prices,
    key: str = "h2h",
    updated_at: datetime | None = NOW,
    limits: Prices | None = None,
) -> MarketQuotes:
    """A market of the feed: ``{"Leeds": "2.1", "Draw": "3.4", "York": "3.9"}``."""
    limits = limits or {}
    return MarketQuotes(
        key=key,
        updated_at=updated_at,
        outcomes=tuple(
            OutcomeQuote(
                name=name,
                price=Decimal(price),
                limit=Decimal(limits[name]) if name in limits else None,
            )
            for name, price in prices.items()
        ),
    )


def bookmaker(key: str, *markets: MarketQuotes, title: str | None = None) -> BookmakerQuotes:
    """One bookmaker's block of an event."""
    return BookmakerQuotes(key=key, title=title or key.title(), markets=markets)


def event(
    *bookmakers: BookmakerQuotes,
    id: str = "e1",  # noqa: A002 - the feed's own name for it
    sport_key: str = "soccer_epl",
    home: str = "Leeds",
    away: str = "York",
    kickoff: datetime = NOW + timedelta(minutes=90),
) -> EventQuotes:
    """One event of the feed, 90 minutes before its kickoff."""
    return EventQuotes(
        id=id,
        sport_key=sport_key,
        sport_title=sport_key.upper(),
        kickoff=kickoff,
        home=home,
        away=away,
        bookmakers=bookmakers,
    )


def match(
    runners: Mapping[str, int],
    *,
    event_id: str = "e1",
    market_id: str | None = "1.1",
    verdict: Verdict = Verdict.MATCH,
    sport_key: str = "soccer_epl",
    confidence: float = 1.0,
) -> EventMatch:
    """A match of an event with the outcomes' selection ids."""
    return EventMatch(
        event_id=event_id,
        sport_key=sport_key,
        verdict=verdict,
        confidence=confidence,
        exchange_event_id="x1",
        market_id=market_id,
        outcomes=tuple(
            OutcomeRunner(outcome=name, selection_id=selection_id, runner=name)
            for name, selection_id in runners.items()
        ),
    )


def exchange_market(
    runners: Mapping[str, int],
    market_id: str = "1.1",
    base_rate: str | None = "0.05",
    kickoff: datetime = NOW + timedelta(minutes=90),
) -> ExchangeMarket:
    """A market of the exchange's catalogue."""
    return ExchangeMarket(
        market_id=market_id,
        market_type="MATCH_ODDS",
        event_id="x1",
        event_name="Leeds v York",
        event_type_id="1",
        event_type="Soccer",
        competition="",
        kickoff=kickoff,
        runners=tuple(
            ExchangeRunner(selection_id=selection_id, name=name)
            for name, selection_id in runners.items()
        ),
        base_rate=Decimal(base_rate) if base_rate is not None else None,
    )


def book(
    lays: Mapping[int, tuple[Price, Price] | None],
    *,
    market_id: str = "1.1",
    status: str = "OPEN",
    is_in_play: bool = False,
    is_delayed: bool = False,
    received_at: datetime = NOW,
    backs: Mapping[int, tuple[Price, Price]] | None = None,
) -> MarketBook:
    """A book with one lay level a runner: ``{47972: ("2.10", 50)}``; None: nothing to lay.

    ``backs`` are levels to back in the same form.
    """
    backs = backs or {}
    return MarketBook(
        market_id=market_id,
        status=status,
        is_in_play=is_in_play,
        is_delayed=is_delayed,
        version=1,
        received_at=received_at,
        runners=tuple(
            RunnerBook(
                selection_id=selection_id,
                status="ACTIVE",
                to_lay=(PriceSize(Decimal(lay[0]), Decimal(lay[1])),) if lay else (),
                to_back=tuple(
                    PriceSize(Decimal(price), Decimal(size))
                    for backed, (price, size) in backs.items()
                    if backed == selection_id
                ),
            )
            for selection_id, lay in lays.items()
        ),
    )
