"""A scorer that has no producers: what it knows, a test tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.scoring import ScoringRules
from kos.messages import (
    GetOpportunities,
    GetSignalKeys,
    OpportunitiesRanked,
    QuotesFetched,
    SignalKeysListed,
    Tick,
)
from kos.runtime import Actor, Context, Message


class MarketArgs(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the picture."""

    rules: ScoringRules = ScoringRules()


class Market(Actor):
    """Answers from a real picture; fails on demand."""

    def __init__(self, context: Context, args: MarketArgs) -> None:
        super().__init__(context, args)
        self._picture = MarketSnapshot(args.rules)

    def receive(self, message: Message) -> Message:
        match message:
            case QuotesFetched():
                self._picture.apply_quotes(message.sport_key, message.events, message.fetched_at)
                return message
            case GetOpportunities():
                answer = self._picture.best(message.query, datetime.now(UTC))
                return OpportunitiesRanked(answer=answer, last_quotes_at=None, is_simulated=False)
            case GetSignalKeys():
                return SignalKeysListed(keys=self._picture.keys(datetime.now(UTC)))
            case Tick():
                raise SystemExit(3)  # ends it, also when asked
            case _:
                raise TypeError(type(message).__name__)
