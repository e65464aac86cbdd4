"""Holds the market picture in memory and answers every question about opportunities from it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import assert_never

import msgspec

from kos.config.settings import Settings
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput
from kos.messages import (
    BooksRead,
    DutchesRanked,
    EventsMatched,
    GetDutches,
    GetOpportunities,
    GetOpportunity,
    GetSignalKeys,
    OpportunitiesRanked,
    OpportunityDescribed,
    QueryRefused,
    QuotesFetched,
    SignalKeysListed,
    SportsListed,
    Subscribe,
    Tick,
)
from kos.runtime import Actor, ChildSpec, Context, Message, meters

ScorerQuestion = GetOpportunities | GetOpportunity | GetDutches | GetSignalKeys
"""The questions that it answers."""
ScorerMessage = QuotesFetched | EventsMatched | BooksRead | SportsListed | Tick | ScorerQuestion
"""The messages that it takes."""

_FORGET = Tick(what="forget the past")
_FORGET_EVERY_S = 60.0


class ScorerArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the scorer is told at its start."""

    rules: ScoringRules
    producers: tuple[str, ...]
    """Actors that hold snapshots: asked for them at every start."""
    is_simulated: bool


def spec(settings: Settings) -> ChildSpec:
    """How it is supervised: always there; its picture comes again from its producers."""
    producers = ("sports", "reconciler", "exchange") if settings.betfair.app_key else ("sports",)
    return ChildSpec(
        name="scorer",
        factory="kos.actors.scorer:ScorerActor",
        args=ScorerArgs(
            rules=settings.scoring,
            producers=producers,
            is_simulated=settings.service.is_simulated,
        ),
    )


class ScorerActor(Actor):
    """Applies what was seen to the picture; answers from it with no remote call."""

    def __init__(self, context: Context, args: ScorerArgs) -> None:
        super().__init__(context, args)
        self._args = args
        self._picture = MarketSnapshot(args.rules)
        self._last_quotes_at: datetime | None = None
        self._answered = 0
        self._eligible = 0
        """Opportunities that the last question could have shown."""
        self._newest: dict[str, datetime] = {}
        """Sport key to its newest poll; what is older, or was told again, is no news."""
        self._opened_at = datetime.now(UTC)

    def started(self) -> None:
        self._subscribe()
        self.context.every(_FORGET_EVERY_S, _FORGET)

    def receive(self, message: Message) -> Message | None:
        if not isinstance(message, ScorerMessage):
            raise TypeError(f"scorer takes no {type(message).__name__}")
        match message:
            case QuotesFetched():
                self._picture.apply_quotes(message.sport_key, message.events, message.fetched_at)
                self._time(message)
                if self._last_quotes_at is None or message.fetched_at > self._last_quotes_at:
                    self._last_quotes_at = message.fetched_at
            case EventsMatched():
                self._picture.apply_matches(message.sport_key, message.matches, message.markets)
            case BooksRead():
                self._picture.apply_books(message.books)
            case SportsListed():
                self._picture.keep_sports(frozenset(sport.key for sport in message.sports))
            case Tick():
                self._picture.forget(datetime.now(UTC))
            case GetOpportunities() | GetOpportunity() | GetDutches() | GetSignalKeys():
                return self._answer(message)
            case _:
                assert_never(message)
        return None

    def renewed(self, args: ScorerArgs) -> bool:
        """New rules: rebuild the picture from what the producers hold, without a call."""
        self._args = args
        self._picture = MarketSnapshot(args.rules)
        self._subscribe()
        return True

    def pulse(self) -> dict[str, str | int | float]:
        last = self._last_quotes_at
        return {
            "last_quotes_at": last.isoformat() if last else "",
            "answered": self._answered,
            "eligible": self._eligible,
        }

    def _time(self, message: QuotesFetched) -> None:
        """Measure how long after its poll a price is in every answer."""
        fetched_at = message.fetched_at
        if fetched_at > self._newest.get(message.sport_key, self._opened_at):
            self._newest[message.sport_key] = fetched_at
            seconds = (datetime.now(UTC) - fetched_at).total_seconds()
            meters.observe("quotes_to_answer_seconds", max(0.0, seconds))

    def _subscribe(self) -> None:
        for producer in self._args.producers:
            self.context.ref(producer).tell(Subscribe(subscriber=self.context.name))

    def _answer(self, asked: ScorerQuestion) -> Message:
        began = time.monotonic()
        try:
            answer = self._said(asked, datetime.now(UTC))
        except InvalidInput as refused:
            return QueryRefused(reason=str(refused))
        self._answered += 1
        if isinstance(answer, OpportunitiesRanked):
            ranked = answer.answer
            self._eligible = ranked.considered - sum(ranked.rejected.values())
        meters.observe("answer_seconds", time.monotonic() - began)
        return answer

    def _said(self, asked: ScorerQuestion, now: datetime) -> Message:
        last, is_simulated = self._last_quotes_at, self._args.is_simulated
        match asked:
            case GetOpportunities():
                best = self._picture.best(asked.query, now)
                return OpportunitiesRanked(
                    answer=best, last_quotes_at=last, is_simulated=is_simulated
                )
            case GetOpportunity():
                state = self._picture.standing(asked.opportunity_id, asked.query, now)
                return OpportunityDescribed(
                    state=state, last_quotes_at=last, is_simulated=is_simulated
                )
            case GetDutches():
                dutches = self._picture.dutches(asked.query, now)
                return DutchesRanked(answer=dutches, last_quotes_at=last, is_simulated=is_simulated)
            case GetSignalKeys():
                return SignalKeysListed(keys=self._picture.keys(now))
