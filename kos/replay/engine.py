"""Recorded payloads through the daemon's own decoding, matching and ranking, in their own time.

Every snapshot of every file is laid on one time line. Everything that the files say at one moment
is applied to the daemon's own `Reconciliation` and `MarketSnapshot`; then the question is asked
over all sport keys, as an operator would have asked it. An opportunity keeps its best showing.
"""

from __future__ import annotations

import bz2
import gzip
import heapq
import io
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from kos.adapters.betfair import recordings as betfair
from kos.adapters.oddsapi import recordings as oddsapi
from kos.domain.market.quotes import Drop, EventMatch, EventQuotes, ExchangeMarket, Verdict
from kos.domain.matching import AliasTable, BookmakerFixture
from kos.domain.matching.reconciliation import Reconciliation, SportMatched, bookmaker_fixture
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import OpportunityAnswer, OpportunityQuery, check_query
from kos.domain.opportunities.scoring import Rank, ScoringRules
from kos.errors import InvalidInput
from kos.replay.report import FileReplayed, MatchesFound, MatchFound, OpportunityFound, Replayed

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""Of one file, unpacked."""

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_LEAST_PAUSE: Final = timedelta(seconds=1)
"""Between two questions that only exchange prices bring about."""
_FORGET_EVERY: Final = timedelta(minutes=5)
_EVENTS_ONLY: Final = frozenset({oddsapi.FeedFileKind.EVENTS, oddsapi.FeedFileKind.EVENTS_CSV})


def replay(
    paths: Sequence[Path],
    query: OpportunityQuery,
    rules: ScoringRules | None = None,
    aliases: AliasTable | None = None,
) -> Replayed:
    """Replay files, and all files below directories, on one time line.

    Args:
        paths: Files and directories; hidden files below a directory are passed over.
        query: What is asked at every moment; its ``limit`` bounds the whole answer.
        rules: What counts as fresh, liquid and worthwhile; default: those of the settings.
        aliases: People's decisions about names; default: none.

    Raises:
        InvalidInput: A path does not exist, or the question makes no sense.
    """
    check_query(query)
    run = _Run(query, rules or ScoringRules(), aliases or AliasTable())
    sources = [_opened(path, run) for path in _files(paths)]
    time_line = heapq.merge(*sources, key=attrgetter("at"))
    for at, moments in groupby(time_line, key=attrgetter("at")):
        for moment in moments:
            moment.apply()
        run.ask(at)
    return run.result()


# --- files ------------------------------------------------------------------------------------


class _Moment(NamedTuple):
    """Something that a file says at one moment; nothing happens before ``apply``."""

    at: datetime
    apply: Callable[[], None]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Each file once, those of a directory by name."""
    seen: set[Path] = set()
    for path in paths:
        if not os.access(path, os.F_OK):
            raise InvalidInput("path", str(path), "a file or a directory that exists")
        for file in _below(path) if path.is_dir() else (path,):
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def _below(directory: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name)


def _unpacked(path: Path) -> bytes:
    if not path.is_file():
        raise OSError("not a regular file")
    with path.open("rb") as file:
        body = file.read(MAX_FILE_BYTES + 1)
    for mark, opened in ((b"BZh", bz2.open), (b"\x1f\x8b", gzip.open)):
        if body.startswith(mark):
            with opened(io.BytesIO(body), "rb") as packed:
                body = packed.read(MAX_FILE_BYTES + 1)
    if len(body) > MAX_FILE_BYTES:
        raise OSError(f"larger than {MAX_FILE_BYTES // 1024**2} MB")
    return body


def _opened(path: Path, run: _Run) -> Iterator[_Moment]:
    """The moments of one file, in its order of time; the file is listed whatever it holds."""
    # A file's name may be any bytes; what is told of it is text.
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    file = FileReplayed(name=name, kind=oddsapi.FeedFileKind.UNREADABLE)
    run.files.append(file)
    try:
        body = _unpacked(path)
    except (OSError, EOFError, zlib.error) as error:
        file.error = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return iter(())
    recording = betfair.decode_recording(body)
    if recording is not None:
        file.kind, file.note = recording.kind, recording.note or None
        return _exchange_moments(recording, file, run)
    listed = oddsapi.decode_recording(body)
    file.kind, file.note = listed.kind, listed.note or None
    file.error = str(listed.error) if listed.error else None
    if listed.kind is oddsapi.FeedFileKind.UNREADABLE:
        file.error, file.note = file.note, None
    if listed.sports or listed.scores:
        file.note = f"{len(listed.sports)} sports, {len(listed.scores)} scores: no prices"
    run.drop(file, listed.drops)
    return _feed_moments(listed, file, run)


def _exchange_moments(
    recording: betfair.ExchangeRecording, file: FileReplayed, run: _Run
) -> Iterator[_Moment]:
    for step in recording.steps():
        file.snapshots += 1
        file.markets += len(step.markets)
        file.books += len(step.books)
        run.drop(file, step.drops)
        yield _Moment(step.at or _BEGINNING, partial(run.take_exchange, step))


def _feed_moments(
    recording: oddsapi.FeedRecording, file: FileReplayed, run: _Run
) -> Iterator[_Moment]:
    is_priced = recording.kind not in _EVENTS_ONLY
    for snapshot in recording.snapshots():
        run.drop(file, snapshot.drops)
        if not snapshot.events:
            continue
        file.snapshots += 1
        file.events += len(snapshot.events)
        at = snapshot.as_of
        if not is_priced:
            yield _Moment(at or _BEGINNING, partial(run.take_names, snapshot.events))
        elif at is not None:
            yield _Moment(at, partial(run.take_quotes, at, snapshot.events))
        else:
            run.drop(file, [Drop("[*]", "snapshot without a time")])


# --- the run ----------------------------------------------------------------------------------


class _Run:
    """Everything known at the present moment of the time line, and what was found so far."""

    def __init__(self, query: OpportunityQuery, rules: ScoringRules, aliases: AliasTable) -> None:
        self.files: list[FileReplayed] = []
        self._query = query
        self._freshness = timedelta(seconds=rules.max_fetch_age_s)
        self._reconciliation = Reconciliation()
        self._reconciliation.aliases_settled(aliases)
        self._snapshot = MarketSnapshot(rules)
        self._fixtures: dict[str, dict[str, BookmakerFixture]] = {}
        """Sport key to its listed fixtures by id."""
        self._markets: dict[str, dict[str, ExchangeMarket]] = {}
        """Event type to its markets by id."""
        self._named: dict[str, frozenset[str]] = {}
        """Sport key to the exchange markets that its results name."""
        self._has_quotes = self._has_moved = False
        """Whether the present moment brought bookmaker prices, or prices of markets in use."""
        self._quoted_at = self._asked_at = self._forgot_at = _BEGINNING
        self._events: dict[str, BookmakerFixture] = {}
        self._matches: dict[str, tuple[EventMatch, ExchangeMarket | None]] = {}
        """Event id to the latest result."""
        self._best: dict[str, tuple[Rank, OpportunityFound]] = {}
        self._dropped: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._considered = 0
        self._moments: set[datetime] = set()

    def drop(self, file: FileReplayed, drops: Iterable[Drop]) -> None:
        """Count what a decoder left out."""
        for drop in drops:
            file.dropped += 1
            self._dropped[drop.reason] += 1

    # --- one moment ---------------------------------------------------------------------------

    def take_names(self, events: Iterable[EventQuotes]) -> None:
        """Events without prices: they only help to match."""
        for sport_key, listed in self._by_sport_key(events):
            self._list(sport_key, {**_fixtures(listed), **self._fixtures.get(sport_key, {})})

    def take_quotes(self, at: datetime, events: Iterable[EventQuotes]) -> None:
        """One snapshot of the odds feed: the events it brings replace those of their sport keys."""
        self._moments.add(at)
        self._has_quotes = True
        for sport_key, listed in self._by_sport_key(events):
            self._list(sport_key, _fixtures(listed))
            self._snapshot.apply_quotes(sport_key, listed, at)

    def take_exchange(self, step: betfair.RecordedStep) -> None:
        """Names and prices of the exchange."""
        event_types = {market.event_type for market in step.markets}
        for market in step.markets:
            self._markets.setdefault(market.event_type, {})[market.market_id] = market
        for event_type in event_types:
            markets = self._markets[event_type].values()
            self._apply(self._reconciliation.catalogue_read(event_type, markets))
        self._snapshot.apply_books(step.books)
        self._has_moved |= any(
            book.market_id in market_ids
            for market_ids in self._named.values()
            for book in step.books
        )

    def ask(self, at: datetime) -> None:
        """Ask once everything of a moment is applied.

        Bookmaker prices are always reason to ask; exchange prices alone only while bookmaker
        prices are fresh, and after a pause.
        """
        if self._has_quotes:
            self._quoted_at = at
            answer = self._answer(at)
            self._considered += answer.considered
            self._rejected.update(answer.rejected)
            self._forget(at)
        elif (
            self._has_moved
            and at - self._quoted_at <= self._freshness
            and at - self._asked_at >= _LEAST_PAUSE
        ):
            self._answer(at)
        self._has_quotes = self._has_moved = False

    # --- what follows -------------------------------------------------------------------------

    def _list(self, sport_key: str, fixtures: dict[str, BookmakerFixture]) -> None:
        self._fixtures[sport_key] = fixtures
        self._events |= fixtures
        self._apply(self._reconciliation.fixtures_listed(sport_key, tuple(fixtures.values())))

    def _apply(self, results: Iterable[SportMatched]) -> None:
        for result in results:
            markets = {market.market_id: market for market in result.markets}
            self._named[result.sport_key] = frozenset(markets)
            self._snapshot.apply_matches(result.sport_key, result.matches, result.markets)
            self._matches |= {
                match.event_id: (match, markets.get(match.market_id or ""))
                for match in result.matches
            }

    def _answer(self, at: datetime) -> OpportunityAnswer:
        self._asked_at = at
        answer, ranks = self._snapshot.ranked(self._query, now=at)
        for rank, opportunity in zip(ranks, answer.opportunities, strict=True):
            best = self._best.get(opportunity.id)
            if best is None or best[0] < rank:
                candidate = OpportunityFound(**msgspec.structs.asdict(opportunity), as_of=at)
                self._best[opportunity.id] = rank, candidate
        return answer

    def _forget(self, at: datetime) -> None:
        """What is over is forgotten, as in the daemon."""
        if at - self._forgot_at >= _FORGET_EVERY:
            self._forgot_at = at
            self._reconciliation.time_passed(at)
            self._snapshot.forget(at)

    def _by_sport_key(
        self, events: Iterable[EventQuotes]
    ) -> Iterator[tuple[str, list[EventQuotes]]]:
        """The events of each sport key that is asked for."""
        by_key: dict[str, list[EventQuotes]] = {}
        for event in events:
            if self._query.sport is None or event.sport_key.startswith(self._query.sport):
                by_key.setdefault(event.sport_key, []).append(event)
        yield from by_key.items()

    # --- what was found -----------------------------------------------------------------------

    def result(self) -> Replayed:
        """The whole answer."""
        best = sorted(self._best.values(), key=lambda ranked: ranked[1].id)
        best.sort(key=itemgetter(0), reverse=True)
        return Replayed(
            files=tuple(self.files),
            opportunities=tuple(opportunity for _, opportunity in best[: self._query.limit]),
            matches=self._matches_found(),
            dropped=dict(self._dropped.most_common()),
            rejected=dict(self._rejected.most_common()),
            considered=self._considered,
            moments=len(self._moments),
            first_at=min(self._moments, default=None),
            last_at=max(self._moments, default=None),
        )

    def _matches_found(self) -> MatchesFound:
        verdicts = Counter(match.verdict for match, _ in self._matches.values())
        matches = [
            _match_found(self._events[match.event_id], match, market)
            for match, market in self._matches.values()
            if match.verdict is not Verdict.NONE
        ]
        matches.sort(key=lambda one: (one.verdict is Verdict.DOUBT, one.kickoff, one.event_id))
        return MatchesFound(
            events=len(self._matches),
            match=verdicts[Verdict.MATCH],
            doubt=verdicts[Verdict.DOUBT],
            none=verdicts[Verdict.NONE],
            exchange_markets=sum(map(len, self._markets.values())),
            found=tuple(matches),
        )


def _fixtures(events: Iterable[EventQuotes]) -> dict[str, BookmakerFixture]:
    """The fixtures of events by id; the last one listed under an id counts."""
    fixtures = map(bookmaker_fixture, events)
    return {fixture.id: fixture for fixture in fixtures if fixture is not None}


def _match_found(
    event: BookmakerFixture, match: EventMatch, market: ExchangeMarket | None
) -> MatchFound:
    return MatchFound(
        event_id=event.id,
        sport_key=event.sport_key,
        event=event.name,
        kickoff=event.kickoff,
        verdict=match.verdict,
        confidence=match.confidence,
        market_id=match.market_id,
        exchange_event=market.event_name if market else None,
        outcomes={outcome.outcome: outcome.runner for outcome in match.outcomes},
        reasons=match.reasons,
    )
