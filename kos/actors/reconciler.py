"""Gives every bookmaker event its exchange market and every outcome its runner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kos.domain.market import EventMatch, ExchangeMarket, OutcomeRunner, Verdict
from kos.domain.matching import BookmakerFixture, ExchangeFixture, FixtureMatch, Matcher, Refusal
from kos.domain.sports import sport_of
from kos.messages import (
    CatalogueRead,
    CatalogueWanted,
    EventsMatched,
    Fixture,
    FixturesListed,
    GetUnmatched,
    PricesWanted,
    SportWanted,
    Subscribe,
    Tick,
    UnmatchedDescribed,
)
from kos.runtime import Actor, ChildSpec, Context, Message

_PRODUCERS = ("sports", "exchange")
_WISH = Tick(what="say what is wanted")
_WISH_AFTER_S = 0.25
"""Wishes of one burst of news go out together."""
_RECONSIDER = Tick(what="reconsider all")
_RECONSIDER_EVERY_S = 300.0
_AFTER_KICKOFF = timedelta(hours=12)


def spec() -> ChildSpec:
    """How it is supervised: always there; both sides' names come again from their producers."""
    return ChildSpec(name="reconciler", factory="kos.actors.reconciler:ReconcilerActor")


class ReconcilerActor(Actor):
    """Matches what the fetchers list against the exchange's catalogue, a sport key at a time.

    The matcher caches what it has decided, so that a poll which brings the same names again
    costs next to nothing. Its word goes to the scorer; which markets need prices, nearest
    kickoff first, goes to the exchange.
    """

    def __init__(self, context: Context, args: None) -> None:
        super().__init__(context, args)
        self._matcher = Matcher()
        self._fixtures: dict[str, tuple[Fixture, ...]] = {}
        self._markets: dict[str, dict[str, ExchangeMarket]] = {}
        """Event type to its markets by id."""
        self._said: dict[str, EventsMatched] = {}
        """Sport key to our last word."""
        self._has_wish = False

    def started(self) -> None:
        for producer in _PRODUCERS:
            self.context.ref(producer).tell(Subscribe(subscriber=self.context.name))
        self.context.every(_RECONSIDER_EVERY_S, _RECONSIDER)

    def receive(self, message: Message) -> Message | None:
        match message:
            case FixturesListed():
                if self._fixtures.get(message.sport_key) != message.fixtures:
                    self._fixtures[message.sport_key] = message.fixtures
                    self._matcher.update_left(
                        message.sport_key,
                        [_left(message.sport_key, fixture) for fixture in message.fixtures],
                    )
                    self._decide(message.sport_key)
            case CatalogueRead():
                self._take_catalogue(message)
            case Subscribe() if message.subscriber == "exchange":
                self._wish()
            case Subscribe():
                for word in self._said.values():
                    self.context.ref(message.subscriber).tell(word)
            case Tick() if message == _WISH:
                self._wish()
            case Tick():
                self._forget_ended()
            case GetUnmatched():
                return self._unmatched(message)
            case _:
                raise TypeError(f"reconciler takes no {type(message).__name__}")
        return None

    def pulse(self) -> dict[str, str | int | float]:
        verdicts = [match.verdict for word in self._said.values() for match in word.matches]
        return {
            "events": len(verdicts),
            "matched": verdicts.count(Verdict.MATCH),
            "doubts": verdicts.count(Verdict.DOUBT),
        }

    def _take_catalogue(self, message: CatalogueRead) -> None:
        markets = {market.market_id: market for market in message.markets}
        if self._markets.get(message.event_type) == markets:
            return
        self._markets[message.event_type] = markets
        self._matcher.update_right(
            message.event_type, [_right(market) for market in markets.values()]
        )
        for sport_key in self._fixtures:
            if sport_of(sport_key).event_type == message.event_type:
                self._decide(sport_key)

    def _decide(self, sport_key: str) -> None:
        markets = self._markets.get(sport_of(sport_key).event_type or "", {})
        fixtures = {fixture.event_id: fixture for fixture in self._fixtures[sport_key]}
        matches = tuple(
            self._word_on(sport_key, fixtures[decided.left_id], decided, markets)
            for decided in self._matcher.decide(sport_key)
        )
        named = {match.market_id for match in matches if match.market_id}
        word = EventsMatched(
            sport_key=sport_key,
            matches=matches,
            markets=tuple(market for market in markets.values() if market.market_id in named),
        )
        if self._said.get(sport_key) == word:
            return
        self._said[sport_key] = word
        self.context.ref("scorer").tell(word)
        if not self._has_wish:
            self._has_wish = True
            self.context.after(_WISH_AFTER_S, _WISH)

    def _word_on(
        self,
        sport_key: str,
        fixture: Fixture,
        decided: FixtureMatch,
        markets: dict[str, ExchangeMarket],
    ) -> EventMatch:
        """The event's match with each outcome given its runner; unsure runners make it a doubt."""
        verdict, reasons = decided.verdict, decided.evidence.sentences()
        outcomes: tuple[OutcomeRunner, ...] = ()
        market = markets.get(decided.right_id) if decided.right_id is not None else None
        if market is not None and verdict is Verdict.MATCH:
            given = self._matcher.outcomes(
                _left(sport_key, fixture),
                _right(market),
                [runner.name for runner in market.runners],
                fixture.outcomes,
            )
            if isinstance(given, Refusal):
                verdict, reasons = Verdict.DOUBT, (*reasons, given.reason)
            else:
                outcomes = tuple(
                    OutcomeRunner(
                        outcome, market.runners[index].selection_id, market.runners[index].name
                    )
                    for outcome, index in given.items()
                )
        return EventMatch(
            event_id=fixture.event_id,
            sport_key=sport_key,
            verdict=verdict,
            confidence=decided.confidence,
            exchange_event_id=market.event_id if market else None,
            market_id=market.market_id if market else None,
            is_swapped=decided.is_swapped,
            outcomes=outcomes,
            reasons=reasons,
        )

    def _wish(self) -> None:
        """Tell the exchange which catalogue and which prices are needed, nearest kickoff first."""
        self._has_wish = False
        now = datetime.now(UTC)
        wanted = sorted(
            {
                (market.kickoff, market.market_id)
                for word in self._said.values()
                for match in word.matches
                for market in word.markets
                if match.verdict is Verdict.MATCH and match.market_id == market.market_id
                if market.kickoff > now
            }
        )
        exchange = self.context.ref("exchange")
        exchange.tell(PricesWanted(market_ids=tuple(market_id for _, market_id in wanted)))
        kickoffs = [fixture.kickoff for listed in self._fixtures.values() for fixture in listed]
        if kickoffs:
            exchange.tell(CatalogueWanted(sports=self._sports_wanted(), until=max(kickoffs)))

    def _sports_wanted(self) -> tuple[SportWanted, ...]:
        market_types: dict[tuple[str, str], set[str]] = {}
        for sport_key, listed in self._fixtures.items():
            facts = sport_of(sport_key)
            if listed and facts.event_type_id and facts.event_type and facts.market_type:
                key = (facts.event_type_id, facts.event_type)
                market_types.setdefault(key, set()).add(facts.market_type)
        return tuple(
            SportWanted(event_type_id, event_type, tuple(sorted(types)))
            for (event_type_id, event_type), types in sorted(market_types.items())
        )

    def _forget_ended(self) -> None:
        """Drop sport keys of which nothing is left to come."""
        past = datetime.now(UTC) - _AFTER_KICKOFF
        for sport_key, listed in list(self._fixtures.items()):
            if all(fixture.kickoff < past for fixture in listed):
                self._matcher.update_left(sport_key, [])
                del self._fixtures[sport_key]
                self._said.pop(sport_key, None)

    def _unmatched(self, message: GetUnmatched) -> UnmatchedDescribed:
        matches = tuple(
            match
            for sport_key, word in self._said.items()
            for match in word.matches
            if match.verdict is not Verdict.MATCH
            and (message.sport is None or sport_key.startswith(message.sport))
        )
        open_ids = {match.event_id for match in matches}
        return UnmatchedDescribed(
            matches=matches,
            names={
                fixture.event_id: f"{fixture.home} v {fixture.away}"
                for listed in self._fixtures.values()
                for fixture in listed
                if fixture.event_id in open_ids
            },
        )


def _left(sport_key: str, fixture: Fixture) -> BookmakerFixture:
    return BookmakerFixture(
        id=fixture.event_id,
        sport_key=sport_key,
        kickoff=fixture.kickoff,
        home=fixture.home,
        away=fixture.away,
    )


def _right(market: ExchangeMarket) -> ExchangeFixture:
    """An exchange market as the matcher sees it; one head-to-head market stands for its event."""
    return ExchangeFixture(
        id=market.market_id,
        event_type=market.event_type,
        competition=market.competition,
        name=market.event_name,
        kickoff=market.kickoff,
        runners=tuple(runner.name for runner in market.runners),
    )
