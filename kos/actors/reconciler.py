"""Gives every bookmaker event its exchange market and every outcome its runner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from kos.domain.market.quotes import ExchangeMarket, Verdict
from kos.domain.market.sports import sport_of
from kos.domain.matching import (
    AliasPair,
    AliasTable,
    BookmakerFixture,
    FixtureMatch,
    Matcher,
)
from kos.domain.matching.aliases import AliasVerdict, NamePair, SettledAlias
from kos.domain.matching.reconcile import event_match, exchange_fixture
from kos.domain.polling.exchange_catalogue import SportWanted
from kos.messages import (
    AliasesListed,
    CatalogueRead,
    CatalogueWanted,
    EventsMatched,
    Fixture,
    FixturesListed,
    GetAliases,
    GetMatch,
    GetUnmatched,
    MatchDescribed,
    PricesWanted,
    Subscribe,
    Tick,
    UnmatchedDescribed,
)
from kos.runtime import Actor, ChildSpec, Context, Message, RuntimeFault

_PRODUCERS = ("sports", "exchange")
_WISH = Tick(what="say what is wanted")
_WISH_AFTER_S = 0.25
"""Wishes of one burst of news go out together."""
_ALIASES = Tick(what="read what was settled by hand")
_ALIASES_EVERY_S = 15.0
_LEDGER_TIMEOUT_S = 5.0
_RECONSIDER = Tick(what="reconsider all")
_RECONSIDER_EVERY_S = 300.0
_ALIKE = 60.0
"""Percent by which words must agree with an event's name to mean it."""
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
        self._aliases = AliasTable()
        self._matcher = Matcher()
        self._fixtures: dict[str, tuple[Fixture, ...]] = {}
        self._markets: dict[str, dict[str, ExchangeMarket]] = {}
        """Event type to its markets by id."""
        self._said: dict[str, EventsMatched] = {}
        """Sport key to our last word."""
        self._pairs: dict[str, dict[str, tuple[NamePair, ...]]] = {}
        """Sport key to event id to the names behind a doubt's best guess."""
        self._has_wish = False

    def started(self) -> None:
        for producer in _PRODUCERS:
            self.context.ref(producer).tell(Subscribe(subscriber=self.context.name))
        self.context.every(_RECONSIDER_EVERY_S, _RECONSIDER)
        self.context.every(_ALIASES_EVERY_S, _ALIASES, first_after_s=0)

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
            case Tick() if message == _ALIASES:
                self._read_aliases()
            case Tick():
                self._forget_ended()
            case GetUnmatched():
                return self._unmatched(message)
            case GetMatch():
                return self._described(message)
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
            message.event_type, [exchange_fixture(market) for market in markets.values()]
        )
        for sport_key in self._fixtures:
            if sport_of(sport_key).event_type == message.event_type:
                self._decide(sport_key)

    def _read_aliases(self) -> None:
        """Apply people's decisions; where they changed, decide everything again."""
        try:
            listed = self.context.ref("ledger").ask(GetAliases(), timeout_s=_LEDGER_TIMEOUT_S)
        except RuntimeFault as fault:
            self.context.log.debug("aliases.not_read", error=str(fault))
            return
        if not isinstance(listed, AliasesListed):
            raise TypeError(f"ledger answered {type(listed).__name__}")
        table = alias_table(listed.aliases)
        if table == self._aliases:
            return
        self._aliases = table
        self._matcher = Matcher(aliases=table)
        for event_type, markets in self._markets.items():
            self._matcher.update_right(
                event_type, [exchange_fixture(each) for each in markets.values()]
            )
        for sport_key, listed_fixtures in self._fixtures.items():
            self._matcher.update_left(sport_key, [_left(sport_key, f) for f in listed_fixtures])
        for sport_key in self._fixtures:
            self._decide(sport_key)
        self.context.log.info(
            "aliases.read", confirmed=len(table.confirmed), banned=len(table.banned)
        )

    def _decide(self, sport_key: str) -> None:
        markets = self._markets.get(sport_of(sport_key).event_type or "", {})
        fixtures = {fixture.event_id: fixture for fixture in self._fixtures[sport_key]}
        decisions = tuple(self._matcher.decide(sport_key))
        matches = tuple(
            event_match(
                self._matcher,
                _left(sport_key, fixtures[decided.left_id]),
                fixtures[decided.left_id].outcomes,
                decided,
                markets.get(decided.right_id) if decided.right_id is not None else None,
            )
            for decided in decisions
        )
        self._pairs[sport_key] = {
            decided.left_id: name_pairs(sport_key, decided)
            for decided in decisions
            if decided.verdict is Verdict.DOUBT
        }
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
        verdicts = [match.verdict for match in matches]
        self.context.log.info(
            "events.matched",
            sport_key=sport_key,
            events=len(verdicts),
            matched=verdicts.count(Verdict.MATCH),
            doubts=verdicts.count(Verdict.DOUBT),
        )
        if not self._has_wish:
            self._has_wish = True
            self.context.after(_WISH_AFTER_S, _WISH, is_same_job=True)

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
        """Drop sport keys with no events to come."""
        past = datetime.now(UTC) - _AFTER_KICKOFF
        for sport_key, listed in list(self._fixtures.items()):
            if all(fixture.kickoff < past for fixture in listed):
                self._matcher.update_left(sport_key, [])
                del self._fixtures[sport_key]
                self._said.pop(sport_key, None)
                self._pairs.pop(sport_key, None)

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
            pairs={
                event_id: pairs
                for of_sport in self._pairs.values()
                for event_id, pairs in of_sport.items()
                if event_id in open_ids
            },
        )

    def _described(self, message: GetMatch) -> MatchDescribed:
        names = {
            fixture.event_id: f"{fixture.home} v {fixture.away}"
            for listed in self._fixtures.values()
            for fixture in listed
        }
        wanted = message.event_id
        if not wanted and message.text:
            near = process.extractOne(
                message.text,
                names,
                scorer=fuzz.WRatio,
                processor=default_process,
                score_cutoff=_ALIKE,
            )
            wanted = near[2] if near else ""
        for word in self._said.values():
            for match in word.matches:
                if match.event_id == wanted:
                    market = next(
                        (each for each in word.markets if each.market_id == match.market_id), None
                    )
                    return MatchDescribed(
                        match=match,
                        name=names.get(wanted, ""),
                        exchange_name=market.event_name if market else "",
                    )
        return MatchDescribed(match=None)


def name_pairs(sport_key: str, decided: FixtureMatch) -> tuple[NamePair, ...]:
    """The names that a verdict's evidence compares, as a person could settle them."""
    sport = sport_of(sport_key).sport
    sides = (decided.evidence.home, decided.evidence.away)
    return tuple(
        NamePair(sport, side.left, side.right, side.score, side.why)
        for side in sides
        if side is not None and side.left and side.right
    )


def alias_table(settled: Iterable[SettledAlias]) -> AliasTable:
    """What people have settled, as the matcher takes it; in a fixed order, to be compared."""
    words: dict[AliasVerdict, list[AliasPair]] = {}
    for each in settled:
        fact = AliasPair(each.sport, each.feed_name, each.exchange_name)
        words.setdefault(each.verdict, []).append(fact)

    def of(verdict: AliasVerdict) -> tuple[AliasPair, ...]:
        return tuple(sorted(words.get(verdict, ()), key=msgspec.structs.astuple))

    return AliasTable(confirmed=of(AliasVerdict.CONFIRMED), banned=of(AliasVerdict.REJECTED))


def _left(sport_key: str, fixture: Fixture) -> BookmakerFixture:
    return BookmakerFixture(
        id=fixture.event_id,
        sport_key=sport_key,
        kickoff=fixture.kickoff,
        home=fixture.home,
        away=fixture.away,
    )
