"""Gives every bookmaker event its exchange market and every outcome its runner."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_never

from kos.asking import Asker
from kos.domain.market.quotes import Verdict
from kos.domain.matching.aliases import alias_table
from kos.domain.matching.reconciliation import Reconciliation, SportMatched
from kos.errors import KosError
from kos.messages import (
    LEDGER,
    AliasesListed,
    CatalogueRead,
    CatalogueWanted,
    EventsMatched,
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
from kos.runtime import Actor, ChildSpec, Context, Message

ReconcilerMessage = FixturesListed | CatalogueRead | Subscribe | Tick | GetUnmatched | GetMatch
"""The messages that it takes."""

_PRODUCERS = ("sports", "exchange")
_NEEDS = Tick(what="say what is wanted")
_NEEDS_AFTER_S = 0.25
"""The needs that follow from one burst of events go out together."""
_ALIASES = Tick(what="read what was settled by hand")
_ALIASES_EVERY_S = 15.0
_FORGET = Tick(what="forget what is over")
_FORGET_EVERY_S = 300.0


def spec() -> ChildSpec:
    """How it is supervised: always there; both sides' names come again from their producers."""
    return ChildSpec(name="reconciler", factory="kos.actors.reconciler:ReconcilerActor")


class ReconcilerActor(Actor):
    """The shell of a `Reconciliation`: it receives events, and carries out the instructions.

    Results go to the scorer; the markets that need prices, nearest kickoff first, go to the
    exchange.
    """

    def __init__(self, context: Context, args: None) -> None:
        super().__init__(context, args)
        self._asker = Asker.within(context)
        self._reconciliation = Reconciliation()
        self._will_tell_needs = False

    def started(self) -> None:
        for producer in _PRODUCERS:
            self.context.ref(producer).tell(Subscribe(subscriber=self.context.name))
        self.context.every(_FORGET_EVERY_S, _FORGET)
        self.context.every(_ALIASES_EVERY_S, _ALIASES, first_after_s=0)

    def receive(self, message: Message) -> Message | None:
        if not isinstance(message, ReconcilerMessage):
            raise TypeError(f"reconciler takes no {type(message).__name__}")
        match message:
            case FixturesListed():
                listed = message.fixtures
                self._carry_out(self._reconciliation.fixtures_listed(message.sport_key, listed))
            case CatalogueRead():
                markets = message.markets
                self._carry_out(self._reconciliation.catalogue_read(message.event_type, markets))
            case Subscribe() if message.subscriber == "exchange":
                self._tell_needs()
            case Subscribe():
                for result in self._reconciliation.results:
                    self.context.ref(message.subscriber).tell(_events_matched(result))
            case Tick() if message == _NEEDS:
                self._tell_needs()
            case Tick() if message == _ALIASES:
                self._read_aliases()
            case Tick():
                self._reconciliation.time_passed(datetime.now(UTC))
            case GetUnmatched() | GetMatch():
                return self._answer(message)
            case _:
                assert_never(message)
        return None

    def pulse(self) -> dict[str, str | int | float]:
        results = self._reconciliation.results
        return {
            "events": sum(len(result.matches) for result in results),
            "matched": sum(result.count(Verdict.MATCH) for result in results),
            "doubts": sum(result.count(Verdict.DOUBT) for result in results),
        }

    def _answer(self, query: GetUnmatched | GetMatch) -> UnmatchedDescribed | MatchDescribed:
        if isinstance(query, GetUnmatched):
            unmatched = self._reconciliation.open_events(query.sport)
            return UnmatchedDescribed(
                matches=unmatched.matches, names=unmatched.names, pairs=unmatched.pairs
            )
        event = self._reconciliation.explain(query.event_id, query.text)
        if event is None:
            return MatchDescribed(match=None)
        return MatchDescribed(match=event.match, name=event.name, exchange_name=event.exchange_name)

    def _read_aliases(self) -> None:
        """Apply people's decisions about names."""
        try:
            listed = self._asker.ask(LEDGER, GetAliases(), AliasesListed)
        except KosError as fault:
            self.context.log.debug("aliases.not_read", error=str(fault))
            return
        table = alias_table(listed.aliases)
        before = self._reconciliation.aliases
        self._carry_out(self._reconciliation.aliases_settled(table))
        if table != before:
            self.context.log.info(
                "aliases.read", confirmed=len(table.confirmed), banned=len(table.banned)
            )

    def _carry_out(self, results: tuple[SportMatched, ...]) -> None:
        for result in results:
            self.context.ref("scorer").tell(_events_matched(result))
            self.context.log.info(
                "events.matched",
                sport_key=result.sport_key,
                events=len(result.matches),
                matched=result.count(Verdict.MATCH),
                doubts=result.count(Verdict.DOUBT),
            )
        if results and not self._will_tell_needs:
            self._will_tell_needs = True
            self.context.after(_NEEDS_AFTER_S, _NEEDS, is_same_job=True)

    def _tell_needs(self) -> None:
        """Tell the exchange which prices and which catalogue are needed."""
        self._will_tell_needs = False
        needs = self._reconciliation.needs(datetime.now(UTC))
        exchange = self.context.ref("exchange")
        exchange.tell(PricesWanted(market_ids=needs.market_ids))
        if needs.until is not None:
            exchange.tell(CatalogueWanted(sports=needs.sports, until=needs.until))


def _events_matched(result: SportMatched) -> EventsMatched:
    return EventsMatched(sport_key=result.sport_key, matches=result.matches, markets=result.markets)
