"""Opportunities of a test's own making, priced by the engine's own calculators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kos.domain.bets import kinds
from kos.domain.bets.lay import balance
from kos.domain.opportunities.opportunity import (
    BetKind,
    Opportunity,
    OpportunityAnswer,
    OpportunityQuery,
    ScoreFactors,
    SignalKeys,
    SignalPlace,
    SignalSport,
)
from kos.messages import (
    GetOpportunities,
    GetSignalKeys,
    OpportunitiesRanked,
    SignalKeysListed,
)
from kos.runtime import Message

SIDES = {
    BetKind.QUALIFYING: kinds.qualifying,
    BetKind.FREE_BET_SNR: kinds.free_bet_snr,
    BetKind.FREE_BET_SR: kinds.free_bet_sr,
}
KEYS = SignalKeys(
    as_of=datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
    bookmakers=(SignalPlace(key="coral", title="Coral", events=3),),
    exchanges=(SignalPlace(key="betfair", title="Betfair", events=3),),
    sports=(SignalSport(key="soccer_epl", title="EPL", events=3),),
)
"""What the market has prices for."""


def opportunity(
    number: int,
    query: OpportunityQuery,
    *,
    back: str = "2.50",
    lay: str = "2.54",
    seen_at: datetime | None = None,
    link: str | None = None,
) -> Opportunity:
    """One pair with its figures for the stake asked for."""
    back_odds, lay_odds, commission = Decimal(back), Decimal(lay), Decimal("0.02")
    wins, loses = SIDES[query.kind](query.stake, back_odds)
    laid = balance(wins, loses, lay_odds, commission)
    now = datetime.now(UTC)
    at = seen_at or now
    return Opportunity(
        id=f"o{number}",
        kind=query.kind,
        sport_key="soccer_epl",
        sport_title="EPL",
        event_id=f"e{number}",
        home=f"Home {number:05}",
        away=f"Away {number:05}",
        kickoff=now + timedelta(hours=5),
        market_key="h2h",
        outcome=f"Home {number:05}",
        bookmaker="coral",
        bookmaker_title="Coral",
        back_odds=back_odds,
        back_updated_at=at,
        back_received_at=at,
        exchange="betfair",
        market_id="1.1",
        selection_id=1,
        lay_odds=lay_odds,
        lay_available=Decimal(100),
        lay_updated_at=at,
        lay_received_at=at,
        is_delayed=False,
        commission=commission,
        stake=query.stake,
        lay_stake=laid.lay_stake,
        liability=laid.liability,
        if_back_wins=laid.if_back_wins,
        if_back_loses=laid.if_back_loses,
        profit=laid.profit,
        rating=kinds.rating(back_odds, lay_odds, commission),
        retention=Decimal("0.75"),
        score=1.0,
        tier=0,
        factors=ScoreFactors(10.0, 0.28, 300.0, 0.75, 1.0, 50.0),
        match_confidence=1.0,
        link=link,
    )


def ranked(found: tuple[Opportunity, ...]) -> OpportunitiesRanked:
    """An answer of the scorer."""
    return OpportunitiesRanked(
        answer=OpportunityAnswer(
            as_of=datetime.now(UTC),
            opportunities=found,
            considered=len(found),
            rejected={},
        ),
        last_quotes_at=datetime.now(UTC),
        is_simulated=True,
    )


class Market:
    """A scorer whose market is as large as a test wants, and whose first price it may move."""

    def __init__(self, size: int = 3) -> None:
        self.size = size
        self.first_back = "2.50"
        self.seen_at: datetime | None = None

    def __call__(self, message: Message) -> Message:
        if isinstance(message, GetSignalKeys):
            return SignalKeysListed(keys=KEYS)
        assert isinstance(message, GetOpportunities)
        return ranked(
            tuple(
                opportunity(
                    number,
                    message.query,
                    back="2.50" if number else self.first_back,
                    seen_at=self.seen_at,
                )
                for number in range(self.size)
            )
        )
