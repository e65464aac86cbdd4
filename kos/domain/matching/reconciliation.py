"""When to match events again, and which markets to pass on: events in, instructions out.

`Reconciliation` has no clock, no I/O and no actor. The reconciler drives it with messages, and
``kos replay`` with recorded payloads; both therefore match by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from kos.domain.market.outcomes import outcome_name
from kos.domain.market.quotes import (
    BACK_MARKET,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    OutcomeRunner,
    Verdict,
)
from kos.domain.market.sports import SportWanted, sport_of
from kos.domain.matching import (
    AliasTable,
    BookmakerFixture,
    ExchangeFixture,
    FixtureMatch,
    Matcher,
    OutcomesRefused,
)
from kos.domain.matching.aliases import NamePair

_ALIKE = 60.0
"""Percent by which words must agree with an event's name to mean it."""
_ENDED_AFTER_KICKOFF = timedelta(hours=12)


class SportMatched(msgspec.Struct, frozen=True, kw_only=True):
    """Instruction: this result replaces the earlier one for a sport key."""

    sport_key: str
    matches: tuple[EventMatch, ...]
    markets: tuple[ExchangeMarket, ...]
    """The exchange markets that the matches name."""

    def count(self, verdict: Verdict) -> int:
        """How many events have this verdict."""
        return sum(match.verdict is verdict for match in self.matches)

    def market_of(self, match: EventMatch) -> ExchangeMarket | None:
        """The exchange market that a match names."""
        return next((one for one in self.markets if one.market_id == match.market_id), None)


class ExchangeNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """Instruction: the prices and the catalogue to read from the exchange."""

    market_ids: tuple[str, ...]
    """Markets that need prices, nearest kickoff first."""
    sports: tuple[SportWanted, ...]
    until: datetime | None
    """The last kickoff of all fixtures; None: there are none, so no catalogue is needed."""


class OpenEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Events without a sure partner."""

    matches: tuple[EventMatch, ...]
    names: dict[str, str]
    """Event id to ``Home v Away``."""
    pairs: dict[str, tuple[NamePair, ...]]
    """Event id to the names behind a doubt's best guess."""


class EventExplained(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one event."""

    match: EventMatch
    name: str
    """``Home v Away`` as the bookmaker feed has it."""
    exchange_name: str
    """The exchange event of the result; empty without one."""


class Reconciliation:
    """Matches what bookmakers list against the exchange's catalogue, a sport key at a time.

    Events that change a result return it; those that change nothing return nothing. The matcher
    caches its decisions, so the same names again cost next to nothing.
    """

    def __init__(self) -> None:
        self._aliases = AliasTable()
        self._matcher = Matcher()
        self._fixtures: dict[str, tuple[BookmakerFixture, ...]] = {}
        self._markets: dict[str, dict[str, ExchangeMarket]] = {}
        """Event type to its markets by id."""
        self._results: dict[str, SportMatched] = {}
        self._pairs: dict[str, dict[str, tuple[NamePair, ...]]] = {}
        """Sport key to event id to the names behind a doubt's best guess."""

    # --- events -----------------------------------------------------------------------------------

    def fixtures_listed(
        self, sport_key: str, fixtures: tuple[BookmakerFixture, ...]
    ) -> tuple[SportMatched, ...]:
        """The odds feed's complete list of one sport key: only that sport key is matched again."""
        if self._fixtures.get(sport_key) == fixtures:
            return ()
        self._fixtures[sport_key] = fixtures
        self._matcher.update_left(sport_key, fixtures)
        return self._matched((sport_key,))

    def catalogue_read(
        self, event_type: str, markets: Iterable[ExchangeMarket]
    ) -> tuple[SportMatched, ...]:
        """The exchange's complete catalogue of one event type: its sport keys are matched again."""
        by_id = {market.market_id: market for market in markets}
        if self._markets.get(event_type) == by_id:
            return ()
        self._markets[event_type] = by_id
        self._matcher.update_right(event_type, [exchange_fixture(one) for one in by_id.values()])
        return self._matched(
            sport_key
            for sport_key in self._fixtures
            if sport_of(sport_key).event_type == event_type
        )

    def aliases_settled(self, aliases: AliasTable) -> tuple[SportMatched, ...]:
        """People's decisions about names: where they changed, everything is matched again."""
        if aliases == self._aliases:
            return ()
        self._aliases = aliases
        self._matcher = Matcher(aliases=aliases)
        for event_type, markets in self._markets.items():
            fixtures = [exchange_fixture(market) for market in markets.values()]
            self._matcher.update_right(event_type, fixtures)
        for sport_key, listed in self._fixtures.items():
            self._matcher.update_left(sport_key, listed)
        return self._matched(self._fixtures)

    def time_passed(self, now: datetime) -> None:
        """Forget sport keys whose events are all long over; listed again, they are new."""
        past = now - _ENDED_AFTER_KICKOFF
        for sport_key, listed in list(self._fixtures.items()):
            if all(fixture.kickoff < past for fixture in listed):
                self._matcher.update_left(sport_key, ())
                del self._fixtures[sport_key], self._results[sport_key], self._pairs[sport_key]

    # --- present state ----------------------------------------------------------------------------

    @property
    def aliases(self) -> AliasTable:
        """The decisions about names in use."""
        return self._aliases

    @property
    def results(self) -> tuple[SportMatched, ...]:
        """The present result of every sport key."""
        return tuple(self._results.values())

    def needs(self, now: datetime) -> ExchangeNeeds:
        """The prices and the catalogue to read now: of matches that have not started, no doubts."""
        upcoming = {
            (market.kickoff, market.market_id)
            for result in self._results.values()
            for match in result.matches
            if match.verdict is Verdict.MATCH
            if (market := self._market_named(match)) is not None and market.kickoff > now
        }
        kickoffs = [fixture.kickoff for listed in self._fixtures.values() for fixture in listed]
        return ExchangeNeeds(
            market_ids=tuple(market_id for _, market_id in sorted(upcoming)),
            sports=self._sports_needed(),
            until=max(kickoffs, default=None),
        )

    def open_events(self, sport: str | None = None) -> OpenEvents:
        """Events without a sure partner, of one sport key or prefix, or of all."""
        matches = tuple(
            match
            for sport_key, result in self._results.items()
            for match in result.matches
            if match.verdict is not Verdict.MATCH and (sport is None or sport_key.startswith(sport))
        )
        open_ids = {match.event_id for match in matches}
        return OpenEvents(
            matches=matches,
            names={id_: name for id_, name in self._names().items() if id_ in open_ids},
            pairs={
                event_id: pairs
                for of_sport in self._pairs.values()
                for event_id, pairs in of_sport.items()
                if event_id in open_ids
            },
        )

    def explain(self, event_id: str, text: str = "") -> EventExplained | None:
        """The result for one event; None where no such event is known.

        Args:
            event_id: The event; empty to find it by its name.
            text: Words of the event's name; the closest event is used.
        """
        names = self._names()
        if not event_id and text:
            nearest = process.extractOne(
                text, names, scorer=fuzz.WRatio, processor=default_process, score_cutoff=_ALIKE
            )
            event_id = nearest[2] if nearest else ""
        for result in self._results.values():
            for match in result.matches:
                if match.event_id == event_id:
                    market = result.market_of(match)
                    exchange_name = market.event_name if market else ""
                    name = names.get(event_id, "")
                    return EventExplained(match=match, name=name, exchange_name=exchange_name)
        return None

    # --- decisions --------------------------------------------------------------------------------

    def _matched(self, sport_keys: Iterable[str]) -> tuple[SportMatched, ...]:
        """Match these sport keys again; the results that differ from before."""
        results = [self._match(sport_key) for sport_key in sport_keys]
        changed = tuple(one for one in results if self._results.get(one.sport_key) != one)
        self._results.update({result.sport_key: result for result in changed})
        return changed

    def _match(self, sport_key: str) -> SportMatched:
        markets = self._markets.get(sport_of(sport_key).event_type or "", {})
        fixtures = {fixture.id: fixture for fixture in self._fixtures[sport_key]}
        decisions = tuple(self._matcher.decide(sport_key))
        matches = tuple(
            event_match(
                self._matcher,
                fixtures[decision.left_id],
                decision,
                markets.get(decision.right_id) if decision.right_id is not None else None,
            )
            for decision in decisions
        )
        self._pairs[sport_key] = {
            decision.left_id: name_pairs(sport_key, decision)
            for decision in decisions
            if decision.verdict is Verdict.DOUBT
        }
        named = {match.market_id for match in matches if match.market_id}
        return SportMatched(
            sport_key=sport_key,
            matches=matches,
            markets=tuple(market for market in markets.values() if market.market_id in named),
        )

    def _market_named(self, match: EventMatch) -> ExchangeMarket | None:
        markets = self._markets.get(sport_of(match.sport_key).event_type or "", {})
        return markets.get(match.market_id or "")

    def _sports_needed(self) -> tuple[SportWanted, ...]:
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

    def _names(self) -> dict[str, str]:
        return {
            fixture.id: fixture.name for listed in self._fixtures.values() for fixture in listed
        }


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
        outcomes=_head_to_head_outcomes(event),
    )


def _head_to_head_outcomes(event: EventQuotes) -> tuple[str, ...]:
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
    decided: FixtureMatch,
    market: ExchangeMarket | None,
) -> EventMatch:
    """A verdict with each outcome given its runner; unsure runners make a match a doubt.

    Args:
        matcher: Which decided.
        fixture: The bookmaker's event; without outcomes no runner is given.
        decided: The matcher's verdict on it.
        market: The exchange market the verdict names, if it names one.
    """
    verdict, reasons = decided.verdict, decided.evidence.sentences()
    runners: tuple[OutcomeRunner, ...] = ()
    if market is not None and verdict is Verdict.MATCH and fixture.outcomes:
        listed = exchange_fixture(market)
        outcomes = matcher.outcomes(fixture, listed, listed.runners, fixture.outcomes)
        if isinstance(outcomes, OutcomesRefused):
            verdict, reasons = Verdict.DOUBT, (*reasons, outcomes.reason)
        else:
            runners = tuple(
                OutcomeRunner(name, market.runners[i].selection_id, market.runners[i].name)
                for name, i in outcomes.items()
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


def name_pairs(sport_key: str, decided: FixtureMatch) -> tuple[NamePair, ...]:
    """The names that a verdict's evidence compares, as a person could settle them."""
    sport = sport_of(sport_key).sport
    sides = (decided.evidence.home, decided.evidence.away)
    return tuple(
        NamePair(sport, side.left, side.right, side.score, side.why)
        for side in sides
        if side is not None and side.left and side.right
    )
