"""The whole market in memory: what was seen is applied, questions are answered, nothing is asked.

A picture is told what bookmakers quote (`apply_quotes`), which exchange market each event is
(`apply_matches`) and what that market trades at (`apply_books`), in any order; an older word
never replaces a newer one. Each event that a word touches is worked out again at once
(`kos.domain.opportunities.event_prices`), so that a question (`kos.domain.opportunities.ranking`) finds everything prepared.

It has no clock and no lock: it belongs to one thread, and ``now`` is an argument.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from kos.domain.market.places import OWN_EXCHANGE, OWN_TITLE
from kos.domain.market.quotes import (
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    Verdict,
)
from kos.domain.opportunities.dutch_ranking import DutchRanker
from kos.domain.opportunities.dutches import DutchAnswer, DutchQuery, check_dutch_query
from kos.domain.opportunities.event_prices import EventPrices
from kos.domain.opportunities.opportunity import (
    BetQuery,
    OpportunityAnswer,
    OpportunityQuery,
    OpportunityState,
    SignalKeys,
    SignalPlace,
    SignalSport,
    check_query,
)
from kos.domain.opportunities.ranking import RankedAnswer, Ranker, Survey, terms_of
from kos.domain.opportunities.recheck import standing
from kos.domain.opportunities.scoring import ScoringRules

_KEPT_AFTER_THE_END = timedelta(hours=1)
_TERMS_KEPT = 16
"""Maximum questions, differing in more than order and count, whose surveys are kept."""
_BOOKS_KEPT = timedelta(days=1)


class _SportPrices:
    """What is known of one sport key."""

    __slots__ = ("boards", "fetched_at", "markets", "matches", "surveys")

    def __init__(self) -> None:
        self.fetched_at: datetime | None = None
        self.boards: dict[str, EventPrices] = {}
        self.matches: dict[str, EventMatch] = {}
        self.markets: dict[str, ExchangeMarket] = {}
        self.surveys: dict[int, Survey] = {}
        """By number of their terms; none outlives a change of a board."""


class MarketSnapshot:
    """Every price that KOS knows, ready to be asked.

    Args:
        rules: What counts as fresh, liquid and worthwhile, and how much is kept.
    """

    def __init__(self, rules: ScoringRules) -> None:
        self._rules = rules
        self._sports: dict[str, _SportPrices] = {}
        self._books: dict[str, MarketBook] = {}
        self._users: dict[str, set[tuple[str, str]]] = {}
        """Exchange market id to the (sport key, event id) that are matched to it."""
        self._terms: dict[Hashable, int] = {}
        """Terms asked of late to their number in each sport's surveys, the latest last."""
        self._numbered = 0

    def __len__(self) -> int:
        """How many events have prices."""
        return sum(len(sport.boards) for sport in self._sports.values())

    def apply_quotes(
        self, sport_key: str, events: Iterable[EventQuotes], fetched_at: datetime
    ) -> None:
        """Replace all events of a sport key by those of one poll, unless a newer one was applied.

        An event that is listed twice counts once, as listed last. Beyond the most events that
        are kept, those that start last go first.
        """
        sport = self._sport(sport_key)
        if sport.fetched_at is not None and fetched_at < sport.fetched_at:
            return
        sport.fetched_at = fetched_at
        sport.boards = {event.id: EventPrices(event, fetched_at, self._rules) for event in events}
        sport.surveys.clear()
        self._shed_events()
        for board in sport.boards.values():
            self._cover(sport, board)

    def apply_matches(
        self, sport_key: str, matches: Iterable[EventMatch], markets: Iterable[ExchangeMarket]
    ) -> None:
        """Replace the matcher's word on a sport key; only events that it changes are redone."""
        sport = self._sport(sport_key)
        old_matches, old_markets = sport.matches, sport.markets
        sport.matches = {match.event_id: match for match in matches}
        sport.markets = {market.market_id: market for market in markets}
        for event_id in old_matches.keys() | sport.matches.keys():
            old, new = old_matches.get(event_id), sport.matches.get(event_id)
            old_market, new_market = _market_id(old), _market_id(new)
            if old_market != new_market:
                self._rewire(sport_key, event_id, old_market, new_market)
            elif old == new and (
                new_market is None or old_markets.get(new_market) == sport.markets.get(new_market)
            ):
                continue
            board = sport.boards.get(event_id)
            if board is not None:
                self._cover(sport, board)

    def apply_books(self, books: Iterable[MarketBook]) -> None:
        """Take in exchange prices; of two books of one market the one received later counts."""
        for book in books:
            old = self._books.get(book.market_id)
            if old is not None and (old.received_at, old.version) > (
                book.received_at,
                book.version,
            ):
                continue
            self._books.pop(book.market_id, None)
            self._books[book.market_id] = book
            self._cover_users(book.market_id)
        while len(self._books) > self._rules.max_books:
            market_id = next(iter(self._books))
            del self._books[market_id]
            self._cover_users(market_id)

    def best(self, query: OpportunityQuery, now: datetime) -> OpportunityAnswer:
        """The ranked answer to a question, from memory alone; see `ranked`."""
        return self.ranked(query, now).answer

    def ranked(self, query: OpportunityQuery, now: datetime) -> RankedAnswer:
        """The ranked answer to a question, from memory alone, with the ranks.

        Args:
            query: What is asked.
            now: Timezone-aware; decides what is stale and what has started.

        Raises:
            InvalidInput: The question makes no sense; names the field.
        """
        check_query(query)
        ranker = Ranker(query, self._rules, now)
        terms = self._terms_number(query)
        for sport in self._asked(query):
            survey = sport.surveys.get(terms)
            if survey is None or not survey.stands_from <= now <= survey.stands_until:
                survey = sport.surveys[terms] = ranker.survey(sport.boards.values())
            ranker.consider(survey)
        return ranker.ranked()

    def dutches(self, query: DutchQuery, now: datetime) -> DutchAnswer:
        """The ranked ways to cover all outcomes of an event, from memory alone; see `ranked`."""
        check_dutch_query(query)
        ranker = DutchRanker(query, self._rules, now)
        for sport in self._asked(query):
            if query.event_id is None:
                ranker.consider(sport.boards.values())
            elif query.event_id in sport.boards:
                ranker.consider((sport.boards[query.event_id],))
        return ranker.answer()

    def standing(
        self, opportunity_id: str, query: OpportunityQuery, now: datetime
    ) -> OpportunityState:
        """One opportunity as it is now, or why it is not offered any more.

        Args:
            opportunity_id: As an answer gave it.
            query: Kind, stake and what comes with them; its filters play no part.
            now: Timezone-aware.

        Raises:
            InvalidInput: The question makes no sense; names the field.
        """
        check_query(query)
        boards = (board for sport in self._sports.values() for board in sport.boards.values())
        return standing(opportunity_id, boards, query, self._rules, now)

    def keys(self, now: datetime) -> SignalKeys:
        """The bookmakers, exchanges and sports that have prices now."""
        sports: list[SignalSport] = []
        makers: Counter[str] = Counter()
        exchanges: Counter[str] = Counter()
        titles = {OWN_EXCHANGE: OWN_TITLE}
        for sport_key, sport in self._sports.items():
            coming = [board for board in sport.boards.values() if board.kickoff > now]
            for board in coming:
                titles |= board.titles()
                makers.update(board.makers_at(now))
                exchanges.update(board.exchanges_at(now))
            if coming:
                title = coming[0].quotes.sport_title
                sports.append(SignalSport(key=sport_key, title=title, events=len(coming)))
        return SignalKeys(
            as_of=now,
            bookmakers=_places(makers, titles),
            exchanges=_places(exchanges, titles),
            sports=tuple(sorted(sports, key=attrgetter("key"))),
        )

    def keep_sports(self, sport_keys: Collection[str]) -> None:
        """Forget every sport key but these."""
        for sport_key in self._sports.keys() - set(sport_keys):
            for event_id, match in self._sports[sport_key].matches.items():
                self._rewire(sport_key, event_id, _market_id(match), None)
            del self._sports[sport_key]

    def forget(self, now: datetime) -> int:
        """Forget events that are over and books that no one uses; how many events went."""
        gone = 0
        for sport in self._sports.values():
            over = [
                event_id
                for event_id, board in sport.boards.items()
                if board.quotes.kickoff + board.facts.duration + _KEPT_AFTER_THE_END < now
            ]
            for event_id in over:
                del sport.boards[event_id]
                sport.surveys.clear()
            gone += len(over)
        unused = [
            market_id
            for market_id, book in self._books.items()
            if market_id not in self._users and book.received_at + _BOOKS_KEPT < now
        ]
        for market_id in unused:
            del self._books[market_id]
        return gone

    def _terms_number(self, query: OpportunityQuery) -> int:
        """A number for the terms of a question; the terms longest unasked give way to new ones."""
        terms = terms_of(query)
        number = self._terms.pop(terms, None)
        if number is None:
            self._numbered += 1
            number = self._numbered
            if len(self._terms) >= _TERMS_KEPT:
                dropped = self._terms.pop(next(iter(self._terms)))
                for sport in self._sports.values():
                    sport.surveys.pop(dropped, None)
        self._terms[terms] = number
        return number

    def _asked(self, query: BetQuery) -> list[_SportPrices]:
        """The sports that a question is about."""
        start = query.sport or ""
        return [sport for key, sport in self._sports.items() if key.startswith(start)]

    def _sport(self, sport_key: str) -> _SportPrices:
        return self._sports.setdefault(sport_key, _SportPrices())

    def _cover(self, sport: _SportPrices, board: EventPrices) -> None:
        sport.surveys.clear()
        match = sport.matches.get(board.quotes.id)
        market_id = _market_id(match)
        if market_id is None:
            board.cover(match)
        else:
            board.cover(match, sport.markets.get(market_id), self._books.get(market_id))

    def _rewire(self, sport_key: str, event_id: str, old: str | None, new: str | None) -> None:
        if old is not None:
            users = self._users[old]
            users.discard((sport_key, event_id))
            if not users:
                del self._users[old]
        if new is not None:
            self._users.setdefault(new, set()).add((sport_key, event_id))

    def _cover_users(self, market_id: str) -> None:
        for sport_key, event_id in self._users.get(market_id, ()):
            sport = self._sports[sport_key]
            board = sport.boards.get(event_id)
            if board is not None:
                self._cover(sport, board)

    def _shed_events(self) -> None:
        surplus = len(self) - self._rules.max_events
        if surplus <= 0:
            return
        last = heapq.nlargest(
            surplus,
            (
                (board.quotes.kickoff, event_id, sport_key)
                for sport_key, sport in self._sports.items()
                for event_id, board in sport.boards.items()
            ),
        )
        for _, event_id, sport_key in last:
            del self._sports[sport_key].boards[event_id]
            self._sports[sport_key].surveys.clear()


def _places(events: Counter[str], titles: Mapping[str, str]) -> tuple[SignalPlace, ...]:
    return tuple(
        SignalPlace(key=key, title=titles[key], events=count)
        for key, count in sorted(events.items())
    )


def _market_id(match: EventMatch | None) -> str | None:
    """The exchange market to price an event with; a doubt is never priced."""
    if match is None or match.verdict is not Verdict.MATCH:
        return None
    return match.market_id
