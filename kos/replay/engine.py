"""Recorded payloads through the same decoding, matching and scoring, in the files' own time.

Every snapshot of every file is laid on one time line. At each moment the events it brings replace
those of their sport keys, the exchange's names and books are as they were then, and the question
is asked as an operator would have asked it. An opportunity keeps its best showing.
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
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from kos.adapters.betfair import recordings as betfair
from kos.adapters.oddsapi import recordings as oddsapi
from kos.domain.market.quotes import (
    Drop,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    Verdict,
)
from kos.domain.market.sports import sport_of
from kos.domain.matching import BookmakerFixture, Matcher
from kos.domain.matching.reconcile import (
    bookmaker_fixture,
    event_match,
    exchange_fixture,
    head_to_head_outcomes,
)
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import (
    Opportunity,
    OpportunityAnswer,
    OpportunityQuery,
    check_query,
)
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""Of one file, unpacked."""

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_LEAST_PAUSE: Final = timedelta(seconds=1)
"""Between two questions that only exchange prices bring about."""
_EVENTS_ONLY: Final = frozenset({oddsapi.FeedFileKind.EVENTS, oddsapi.FeedFileKind.EVENTS_CSV})


class FileReplayed(msgspec.Struct, kw_only=True):
    """What one file held."""

    name: str
    kind: str
    snapshots: int = 0
    """Moments of the odds feed, or messages and answers of the exchange."""
    events: int = 0
    """Of the odds feed, counted in each snapshot."""
    markets: int = 0
    """Exchange markets that it names, counted at each change."""
    books: int = 0
    dropped: int = 0
    error: str | None = None
    """Why it could not be read, or what refusal it records."""
    note: str | None = None


class OpportunityFound(Opportunity, frozen=True, kw_only=True):
    """An opportunity at its best showing."""

    as_of: datetime
    """The moment of the files' own time at which it stood so."""


class MatchFound(msgspec.Struct, frozen=True, kw_only=True):
    """The last word on one event, where an exchange event came near."""

    event_id: str
    sport_key: str
    event: str
    kickoff: datetime
    verdict: Verdict
    confidence: float
    market_id: str | None
    exchange_event: str | None
    outcomes: dict[str, str]
    """Outcome of the feed to runner of the exchange."""
    reasons: tuple[str, ...]


class MatchesFound(msgspec.Struct, frozen=True, kw_only=True):
    """What the matcher said of all events, each counted once with the last word on it."""

    events: int
    match: int
    doubt: int
    none: int
    exchange_markets: int
    """Names it could choose from; without any, nothing can match."""
    found: tuple[MatchFound, ...]
    """Matches and doubts."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a replay found."""

    files: tuple[FileReplayed, ...]
    opportunities: tuple[OpportunityFound, ...]
    """The best over all moments, best first."""
    matches: MatchesFound
    dropped: dict[str, int]
    """Reason to how often a decoder left something out, the most frequent first."""
    rejected: dict[str, int]
    """Why prices were not offered, counted at every snapshot."""
    considered: int
    """Prices looked at, counted at every snapshot."""
    moments: int
    """How many distinct moments brought prices of the odds feed."""
    first_at: datetime | None
    last_at: datetime | None


def replay(
    paths: Sequence[Path], query: OpportunityQuery, rules: ScoringRules | None = None
) -> Replayed:
    """Replay files, and all files below directories, on one time line.

    Args:
        paths: Files and directories; hidden files below a directory are passed over.
        query: What is asked at every moment; its ``limit`` bounds the whole answer. Only the
            default order is known across moments.
        rules: What counts as fresh, liquid and worthwhile; default: those of the settings.

    Raises:
        InvalidInput: A path does not exist, or the question makes no sense.
    """
    check_query(query)
    run = _Run(query, rules or ScoringRules())
    sources = [_opened(path, run) for path in _files(paths)]
    for moment in heapq.merge(*sources, key=lambda moment: moment.at):
        moment.apply()
    return run.result()


# --- files ------------------------------------------------------------------------------------


class _Moment:
    """Something that a file says at one moment; nothing happens before ``apply``."""

    __slots__ = ("apply", "at")

    def __init__(self, at: datetime, apply: Callable[[], None]) -> None:
        self.at = at
        self.apply = apply


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Each file once, those of a directory by name."""
    seen: set[Path] = set()
    for path in paths:
        if not os.access(path, os.F_OK):
            raise InvalidInput("path", str(path), "a file or a directory that exists")
        for found in _below(path) if path.is_dir() else (path,):
            real = found.resolve()
            if real not in seen:
                seen.add(real)
                yield found


def _below(directory: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(folder, name)


class _TooLarge(Exception):  # noqa: N818 - it never leaves this module
    pass


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
        raise _TooLarge
    return body


def _opened(path: Path, run: _Run) -> Iterator[_Moment]:
    """The moments of one file, in its order of time; the file is listed whatever it holds."""
    # A file's name may be any bytes; what is told of it is text.
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    file = FileReplayed(name=name, kind=oddsapi.FeedFileKind.UNREADABLE)
    run.files.append(file)
    try:
        body = _unpacked(path)
    except _TooLarge:
        file.error = f"larger than {MAX_FILE_BYTES // 1024**2} MB"
        return iter(())
    except (OSError, EOFError, zlib.error) as error:
        file.error = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return iter(())
    said = betfair.decode_recording(body, name)
    if said is not None:
        file.kind, file.note = said.kind, said.note or None
        return _exchange_moments(said, file, run)
    listed = oddsapi.decode_recording(body, name)
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


class _SportKey:
    """One sport key as it stands: its picture, and what is listed."""

    __slots__ = ("asked_at", "listed", "market_ids", "picture", "quoted_at")

    def __init__(self, rules: ScoringRules) -> None:
        self.picture = MarketSnapshot(rules)
        self.listed: dict[str, EventQuotes] = {}
        self.market_ids: frozenset[str] = frozenset()
        """Exchange markets that its events are matched to."""
        self.quoted_at: datetime | None = None
        self.asked_at = _BEGINNING


class _Run:
    """Everything known at the present moment of the time line, and what was found so far."""

    def __init__(self, query: OpportunityQuery, rules: ScoringRules) -> None:
        self.files: list[FileReplayed] = []
        self._query = query
        self._rules = rules
        self._matcher = Matcher()
        self._sports: dict[str, _SportKey] = {}
        self._markets: dict[str, dict[str, ExchangeMarket]] = {}
        """Event type to its markets by id."""
        self._books: dict[str, MarketBook] = {}
        self._words: dict[str, MatchFound] = {}
        self._best: dict[str, OpportunityFound] = {}
        self._dropped: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._considered = 0
        self._moments: set[datetime] = set()

    def drop(self, file: FileReplayed, drops: Iterable[Drop]) -> None:
        """Count what a decoder left out."""
        for drop in drops:
            file.dropped += 1
            self._dropped[drop.reason] += 1

    # --- what is said -------------------------------------------------------------------------

    def take_names(self, events: Iterable[EventQuotes]) -> None:
        """Events without prices: they only help to match."""
        for sport_key, listed in self._by_sport_key(events):
            sport = self._sport(sport_key)
            sport.listed = {**{event.id: event for event in listed}, **sport.listed}
            self._decide(sport_key, sport)

    def take_quotes(self, at: datetime, events: Iterable[EventQuotes]) -> None:
        """One snapshot of the odds feed: the events it brings replace those of their sport keys."""
        self._moments.add(at)
        for sport_key, listed in self._by_sport_key(events):
            sport = self._sport(sport_key)
            sport.listed = {event.id: event for event in listed}
            sport.quoted_at = at
            self._decide(sport_key, sport)
            sport.picture.apply_quotes(sport_key, listed, at)
            answer = self._ask(sport, at)
            self._considered += answer.considered
            self._rejected.update(answer.rejected)

    def take_exchange(self, step: betfair.RecordedStep) -> None:
        """Names and prices of the exchange."""
        changed = {
            market.event_type
            for market in step.markets
            if self._markets.setdefault(market.event_type, {}).get(market.market_id) != market
        }
        for market in step.markets:
            self._markets[market.event_type][market.market_id] = market
        for event_type in changed:
            markets = self._markets[event_type].values()
            self._matcher.update_right(event_type, [exchange_fixture(each) for each in markets])
            for sport_key, sport in self._sports.items():
                if sport_of(sport_key).event_type == event_type:
                    self._decide(sport_key, sport)
        if step.books and step.at is not None:
            self._books.update({book.market_id: book for book in step.books})
            self._price(step.books, step.at)

    def _price(self, books: Sequence[MarketBook], at: datetime) -> None:
        """Exchange prices that moved; asks again where bookmaker prices are fresh enough."""
        for sport in self._sports.values():
            used = [book for book in books if book.market_id in sport.market_ids]
            if not used:
                continue
            sport.picture.apply_books(used)
            max_age = timedelta(seconds=self._rules.max_fetch_age_s)
            is_quoted = sport.quoted_at is not None and at - sport.quoted_at <= max_age
            if is_quoted and at - sport.asked_at >= _LEAST_PAUSE:
                self._ask(sport, at)

    # --- what follows -------------------------------------------------------------------------

    def _decide(self, sport_key: str, sport: _SportKey) -> None:
        """Match the events of a sport key again and update its picture."""
        fixtures: dict[str, BookmakerFixture] = {}
        for event in sport.listed.values():
            fixture = bookmaker_fixture(event)
            if fixture is not None:
                fixtures[event.id] = fixture
        self._matcher.update_left(sport_key, list(fixtures.values()))
        markets = self._markets.get(sport_of(sport_key).event_type or "", {})
        matches = []
        for decided in self._matcher.decide(sport_key):
            event = sport.listed[decided.left_id]
            market = markets.get(decided.right_id) if decided.right_id is not None else None
            match = event_match(
                self._matcher,
                fixtures[event.id],
                head_to_head_outcomes(event),
                decided,
                market,
            )
            matches.append(match)
            self._words[event.id] = _word(event, match, market)
        used = {match.market_id for match in matches if match.market_id is not None}
        sport.market_ids = frozenset(used)
        sport.picture.apply_matches(
            sport_key, matches, [markets[market_id] for market_id in sorted(used)]
        )
        sport.picture.apply_books(
            [self._books[market_id] for market_id in used if market_id in self._books]
        )

    def _ask(self, sport: _SportKey, at: datetime) -> OpportunityAnswer:
        sport.asked_at = at
        answer = sport.picture.best(self._query, now=at)
        for found in answer.opportunities:
            held = self._best.get(found.id)
            if held is None or _standing(held) < _standing(found):
                self._best[found.id] = OpportunityFound(**msgspec.structs.asdict(found), as_of=at)
        return answer

    def _by_sport_key(
        self, events: Iterable[EventQuotes]
    ) -> Iterator[tuple[str, list[EventQuotes]]]:
        """The events of each sport key that is asked for."""
        found: dict[str, list[EventQuotes]] = {}
        for event in events:
            if self._query.sport is None or event.sport_key.startswith(self._query.sport):
                found.setdefault(event.sport_key, []).append(event)
        yield from found.items()

    def _sport(self, sport_key: str) -> _SportKey:
        if sport_key not in self._sports:
            self._sports[sport_key] = _SportKey(self._rules)
        return self._sports[sport_key]

    # --- what was found -----------------------------------------------------------------------

    def result(self) -> Replayed:
        """The whole answer."""
        best = heapq.nlargest(
            self._query.limit, self._best.values(), key=lambda found: (_standing(found), found.id)
        )
        return Replayed(
            files=tuple(self.files),
            opportunities=tuple(best),
            matches=self._matches(),
            dropped=dict(self._dropped.most_common()),
            rejected=dict(self._rejected.most_common()),
            considered=self._considered,
            moments=len(self._moments),
            first_at=min(self._moments, default=None),
            last_at=max(self._moments, default=None),
        )

    def _matches(self) -> MatchesFound:
        words = self._words.values()
        verdicts = Counter(word.verdict for word in words)
        return MatchesFound(
            events=len(words),
            match=verdicts[Verdict.MATCH],
            doubt=verdicts[Verdict.DOUBT],
            none=verdicts[Verdict.NONE],
            exchange_markets=sum(map(len, self._markets.values())),
            found=tuple(
                sorted(
                    (word for word in words if word.verdict is not Verdict.NONE),
                    key=lambda word: (word.verdict is Verdict.DOUBT, word.kickoff, word.event_id),
                )
            ),
        )


def _word(event: EventQuotes, match: EventMatch, market: ExchangeMarket | None) -> MatchFound:
    return MatchFound(
        event_id=event.id,
        sport_key=event.sport_key,
        event=f"{event.home} v {event.away}",
        kickoff=event.kickoff,
        verdict=match.verdict,
        confidence=match.confidence,
        market_id=match.market_id,
        exchange_event=market.event_name if market else None,
        outcomes={each.outcome: each.runner for each in match.outcomes},
        reasons=match.reasons,
    )


def _standing(found: Opportunity) -> tuple[bool, int, float, Decimal]:
    """The default order of answers (`kos.domain.opportunities.scoring`), as far as an opportunity tells it."""
    return found.lay_available is not None, found.tier, found.score, found.profit
