"""From two lists of names to the word the picture needs: event, exchange market, runners."""

from __future__ import annotations

from collections.abc import Sequence

from kos.domain.market.outcomes import outcome_name
from kos.domain.market.quotes import (
    BACK_MARKET,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    OutcomeRunner,
    Verdict,
)
from kos.domain.matching import (
    BookmakerFixture,
    ExchangeFixture,
    FixtureMatch,
    Matcher,
    OutcomesRefused,
)


def bookmaker_fixture(event: EventQuotes) -> BookmakerFixture | None:
    """An event as the matcher sees it; None for one without two sides."""
    if event.home is None or event.away is None:
        return None
    return BookmakerFixture(
        id=event.id,
        sport_key=event.sport_key,
        kickoff=event.kickoff,
        home=event.home,
        away=event.away,
    )


def head_to_head_outcomes(event: EventQuotes) -> tuple[str, ...]:
    """The outcomes an event's head-to-head prices are quoted for, each once."""
    names = (
        outcome_name(quote.name)
        for bookmaker in event.bookmakers
        for market in bookmaker.markets
        if market.key == BACK_MARKET
        for quote in market.outcomes
    )
    return tuple(dict.fromkeys(names))


def exchange_fixture(market: ExchangeMarket) -> ExchangeFixture:
    """An exchange market as the matcher sees it; one head-to-head market stands for its event."""
    return ExchangeFixture(
        id=market.market_id,
        event_type=market.event_type,
        competition=market.competition,
        name=market.event_name,
        kickoff=market.kickoff,
        runners=tuple(runner.name for runner in market.runners),
    )


def event_match(
    matcher: Matcher,
    fixture: BookmakerFixture,
    outcomes: Sequence[str],
    decided: FixtureMatch,
    market: ExchangeMarket | None,
) -> EventMatch:
    """A verdict with each outcome given its runner; unsure runners make a match a doubt.

    Args:
        matcher: Which decided.
        fixture: The bookmaker's event.
        outcomes: What it is quoted for; empty where nothing is quoted, then no runner is given.
        decided: The matcher's verdict on it.
        market: The exchange market the verdict names, if it names one.
    """
    verdict, reasons = decided.verdict, decided.evidence.sentences()
    runners: tuple[OutcomeRunner, ...] = ()
    if market is not None and verdict is Verdict.MATCH and outcomes:
        given = matcher.outcomes(
            fixture,
            exchange_fixture(market),
            [runner.name for runner in market.runners],
            outcomes,
        )
        if isinstance(given, OutcomesRefused):
            verdict, reasons = Verdict.DOUBT, (*reasons, given.reason)
        else:
            runners = tuple(
                OutcomeRunner(name, market.runners[i].selection_id, market.runners[i].name)
                for name, i in given.items()
            )
    return EventMatch(
        event_id=fixture.id,
        sport_key=fixture.sport_key,
        verdict=verdict,
        confidence=decided.confidence,
        exchange_event_id=market.event_id if market else None,
        market_id=market.market_id if market else None,
        is_swapped=decided.is_swapped,
        outcomes=runners,
        reasons=reasons,
    )
