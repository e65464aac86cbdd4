"""Which exchange markets to ask for now, in which batches; and the prices read so far.

Everything is decided here, nothing is done: who holds a cache tells it what is wanted and what
came back, asks it for a plan, and carries the plan out. Time is always an argument.

The plan. Each wanted market has a deadline: its last read plus the TTL, or a shorter time the
more urgent it is. In order of deadlines the markets form batches of the size that the service's
data weights allow. Calls follow each other at a pace, which is the allowed spacing or the time
that answers take of late, so the k-th batch begins k paces after the first. The first call is made at the latest moment at which every batch still begins before
its earliest deadline. So every market is refreshed within its TTL wherever the allowed rate can
do that at all, and no call is made before it must be: what must be read goes out together with
what would have to be read soon, in batches as full as can be. Where the rate is too low, the
order of deadlines keeps all markets moving, urgent ones more often.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from kos.domain.market.quotes import MarketBook
from kos.errors import KosBug

WEIGHT_LIMIT: Final = 200
"""Sum of data weights times markets that one call may have."""
IDS_PER_CALL: Final = 250
_BEST_OFFERS_WEIGHT: Final = 5
"""Of best offers at three levels; other depths weigh in proportion."""
_MARGIN: Final = Fraction(1, 20)
"""How far to stay under the limit, as the service's rounding is not documented."""
_NEVER: Final = timedelta(days=365)


def books_per_call(depth: int) -> int:
    """Markets that one call for best offers at ``depth`` levels may carry, a few under the limit.

    At three levels the limit is 40 markets (weight 5 each, 200 a call) and this gives 38.

    Raises:
        KosBug: A depth outside 1 to 10.
    """
    if not 1 <= depth <= 10:  # noqa: PLR2004 - the service's own range
        raise KosBug(f"books_per_call: depth {depth} is outside 1 to 10")
    limit = WEIGHT_LIMIT // Fraction(_BEST_OFFERS_WEIGHT * depth, 3)
    return max(1, min(IDS_PER_CALL, math.floor(limit * (1 - _MARGIN))))


class CachePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh prices are kept, and how hard the service may be asked."""

    ttl_s: float = 120.0
    """No wanted price is older, where the rate allows."""
    urgent_ttl_s: float = 60.0
    """The same for the most urgent; what lies between is in proportion."""
    least_interval_s: float = 10.0
    """No market is requested twice within it."""
    call_spacing_s: float = 1.0
    """Between the starts of two calls."""
    answer_s: float = 5.0
    """Time allowed for an answer; calls are made that much before a deadline."""
    markets_per_call: int = 38
    calls_in_flight: int = 1
    absent_recheck_s: float = 30.0
    """A market that an answer leaves out is asked for again after this, twice as long each time."""
    gone_recheck_s: float = 900.0
    """The longest of these waits; also the wait for a market in play."""
    lost_call_s: float = 120.0
    """A call without any report counts as failed after this."""
    backoff_s: float = 5.0
    """Pause after a failed call; doubles with each further one."""
    backoff_cap_s: float = 300.0


DEFAULT_POLICY: Final = CachePolicy()


class Want(msgspec.Struct, frozen=True):
    """A market whose prices are needed."""

    market_id: str
    urgency: float = 0.0
    """0 to 1; see :func:`urgency_of`. Ties go by the order of the list."""


def urgency_of(until_kickoff: timedelta, rank: int = 0, ranked: int = 0) -> float:
    """How urgent a market's price is, 0 to 1: the greater of nearness and standing.

    Args:
        until_kickoff: Nearness is 1 within the hour and falls to 0 at a day.
        rank: Place among the best opportunities, from 0.
        ranked: How many places count; 0 where nothing is ranked. Standing falls from 1 to 0.
    """
    hours = until_kickoff / timedelta(hours=1)
    nearness = min(1.0, max(0.0, (24 - hours) / 23))
    standing = max(0.0, 1 - rank / ranked) if ranked > 0 else 0.0
    return max(nearness, standing)


class CachedBook(msgspec.Struct, frozen=True):
    """A book as the cache holds it."""

    book: MarketBook
    age_s: float
    """Since KOS received it, seconds."""
    is_fresh: bool
    """Not older than the TTL."""


class CacheCounts(msgspec.Struct, frozen=True):
    """How the cache stands, for logs and health."""

    wanted: int
    fresh: int
    """Wanted and read within the TTL."""
    late: int
    """Wanted, askable, and older than the TTL or never read."""
    resting: int
    """Gone, closed or in play: requested rarely or never."""
    in_flight: int
    calls: int
    """Since the start."""
    failures: int
    """Calls failed in a row."""


class _MarketState(msgspec.Struct):
    """What is known of one market."""

    urgency: float
    place: int
    wanted_at: datetime
    asked_at: datetime | None = None
    read_at: datetime | None = None
    rest_until: datetime | None = None
    absences: int = 0
    """Answers in a row that left it out."""
    hurry_from: datetime | None = None
    """Someone wants a price read after this moment."""


_Place = tuple[datetime, float, int, str]
"""In the queue: a market's deadline, urgency (negative), place in the wish, and ID."""


class PriceCache:
    """The prices of the wanted markets, and the plan that keeps them fresh.

    Not for several threads. ``now`` must not run backwards between calls.
    """

    def __init__(self, policy: CachePolicy = DEFAULT_POLICY) -> None:
        self._policy = policy
        self._markets: dict[str, _MarketState] = {}
        self._books: dict[str, MarketBook] = {}
        self._in_flight: dict[tuple[str, ...], datetime] = {}
        self._last_call_at: datetime | None = None
        self._not_before: datetime | None = None
        self._markets_per_call = policy.markets_per_call
        self._failures = 0
        self._calls = 0
        self._answer_s = 0.0

    # --- what is wanted -------------------------------------------------------------------

    def want(self, wants: Iterable[Want], now: datetime) -> None:
        """Replace the list of wanted markets; most urgent first among equals.

        Markets no longer wanted are forgotten with their prices; what stays keeps its state.
        """
        kept: dict[str, _MarketState] = {}
        for place, want in enumerate(wants):
            if want.market_id in kept:
                continue
            state = self._markets.get(want.market_id) or _MarketState(0.0, 0, now)
            state.urgency = min(1.0, max(0.0, want.urgency))
            state.place = place
            kept[want.market_id] = state
        self._markets = kept
        self._books = {id_: book for id_, book in self._books.items() if id_ in kept}

    def hurry(self, market_ids: Iterable[str], now: datetime, max_age_s: float = 0.0) -> None:
        """Someone asks now: read next what is older than ``max_age_s``, the rest is good enough.

        The least interval of a market holds here, too.
        """
        for id_ in market_ids:
            state = self._markets.get(id_)
            if state is None:
                continue
            if state.read_at is None or now - state.read_at > timedelta(seconds=max_age_s):
                state.hurry_from = now

    def limit_batches(self, markets_per_call: int) -> None:
        """The service wants smaller batches than the policy says."""
        self._markets_per_call = max(1, min(self._policy.markets_per_call, markets_per_call))

    # --- the plan -------------------------------------------------------------------------

    def plan(self, now: datetime) -> tuple[tuple[str, ...], ...]:
        """The batches to ask for now, each one call; often none.

        Report each with :meth:`asked` before the call, and with :meth:`answered` or
        :meth:`failed` after it.
        """
        self._forget_lost_calls(now)
        policy = self._policy
        free = policy.calls_in_flight - len(self._in_flight)
        spacing = timedelta(seconds=policy.call_spacing_s)
        if free <= 0 or (self._not_before is not None and now < self._not_before):
            return ()
        if self._last_call_at is not None and now < self._last_call_at + spacing:
            return ()
        queue = self._queue(now)
        size = self._markets_per_call
        if all(begin > now for begin in self._begins(queue)):
            return ()
        # One call per spacing; without spacing (0 s), all that may be in flight at once.
        calls = min(free, 1) if spacing else free
        ids = [id_ for _, _, _, id_ in queue[: calls * size]]
        return tuple(tuple(ids[i : i + size]) for i in range(0, len(ids), size))

    def next_look(self, now: datetime) -> timedelta:
        """How long a plan will stay empty if nothing happens; at most a minute."""
        spacing = timedelta(seconds=self._policy.call_spacing_s)
        earliest = min([now + timedelta(minutes=1), *self._begins(self._queue(now))])
        for bound in (self._not_before, self._last_call_at and self._last_call_at + spacing):
            if bound is not None:
                earliest = max(earliest, bound)
        return max(timedelta(0), earliest - now)

    def _begins(self, queue: list[_Place]) -> Iterator[datetime]:
        """The latest moment for the first call, by each batch: calls keep the pace of answers."""
        answer_s = self._answer_s / self._policy.calls_in_flight
        pace = timedelta(seconds=max(self._policy.call_spacing_s, answer_s))
        lead = timedelta(seconds=self._policy.answer_s)
        for number, start in enumerate(range(0, len(queue), self._markets_per_call)):
            yield queue[start][0] - pace * number - lead

    def _queue(self, now: datetime) -> list[_Place]:
        """Askable markets in the order of their deadlines, then urgency, then place."""
        busy = {id_ for batch in self._in_flight for id_ in batch}
        return sorted(
            (self._deadline(state), -state.urgency, state.place, id_)
            for id_, state in self._markets.items()
            if id_ not in busy and self._is_askable(state, now)
        )

    def _is_askable(self, state: _MarketState, now: datetime) -> bool:
        if state.rest_until is not None and now < state.rest_until:
            return False
        least = timedelta(seconds=self._policy.least_interval_s)
        return state.asked_at is None or now >= state.asked_at + least

    def _deadline(self, state: _MarketState) -> datetime:
        if state.read_at is None:
            return state.wanted_at
        slack = self._policy.ttl_s - self._policy.urgent_ttl_s
        deadline = state.read_at + timedelta(seconds=self._policy.ttl_s - slack * state.urgency)
        if state.hurry_from is not None:
            return min(deadline, state.hurry_from)
        return deadline

    # --- what came back -------------------------------------------------------------------

    def asked(self, batch: Sequence[str], now: datetime) -> None:
        """A call for this batch starts now."""
        self._in_flight[tuple(batch)] = now
        self._last_call_at = now
        self._calls += 1
        for id_ in batch:
            if state := self._markets.get(id_):
                state.asked_at = now

    def answered(
        self,
        batch: Sequence[str],
        books: Iterable[MarketBook],
        now: datetime,
        unread: Collection[str] = (),
    ) -> None:
        """The call came back: ``books``, nothing for ``unread``, the rest was left out."""
        since = self._in_flight.pop(tuple(batch), now)
        # The slowest of late, slowly forgotten.
        self._answer_s = max((now - since).total_seconds(), self._answer_s * 0.8)
        self._failures = 0
        self._not_before = None
        came = set()
        for book in books:
            self._take(book, now)
            came.add(book.market_id)
        for id_ in batch:
            state = self._markets.get(id_)
            if state is not None and id_ not in came and id_ not in unread:
                self._rest_absent(id_, state, now)

    def _rest_absent(self, market_id: str, state: _MarketState, now: datetime) -> None:
        """Forget the prices of a market that an answer left out: gone, closed, or garbled once."""
        self._books.pop(market_id, None)
        state.read_at = state.hurry_from = None
        doubled = self._policy.absent_recheck_s * 2.0 ** min(state.absences, 30)
        state.absences += 1
        state.rest_until = now + timedelta(seconds=min(doubled, self._policy.gone_recheck_s))

    def failed(
        self, batch: Sequence[str], now: datetime, retry_after_s: float | None = None
    ) -> None:
        """The call brought nothing; pause before the next, as long as the service asks at least."""
        self._in_flight.pop(tuple(batch), None)
        doubled = self._policy.backoff_s * 2.0 ** min(self._failures, 30)
        self._failures += 1
        wait_s = max(min(doubled, self._policy.backoff_cap_s), retry_after_s or 0.0)
        self._not_before = now + timedelta(seconds=wait_s)

    def _take(self, book: MarketBook, now: datetime) -> None:
        """Keep a book that is wanted."""
        state = self._markets.get(book.market_id)
        if state is None:
            return
        state.read_at = now
        state.hurry_from = state.rest_until = None
        state.absences = 0
        held = self.read(book.market_id, now)
        if held is not None and held.is_fresh and held.book.version > book.version:
            # Prices of an older version are void. (A version that stays low is a new count.)
            return
        if book.status == "CLOSED":
            self._books.pop(book.market_id, None)
            state.rest_until = now + _NEVER
            return
        self._books[book.market_id] = book
        if book.is_in_play:
            state.rest_until = now + timedelta(seconds=self._policy.gone_recheck_s)

    def _forget_lost_calls(self, now: datetime) -> None:
        lost_after = timedelta(seconds=self._policy.lost_call_s)
        for batch, since in list(self._in_flight.items()):
            if now >= since + lost_after:
                self.failed(batch, now)

    # --- what is known --------------------------------------------------------------------

    def read(self, market_id: str, now: datetime) -> CachedBook | None:
        """The book of a market with its age; None where there is none."""
        book = self._books.get(market_id)
        if book is None:
            return None
        age_s = max(0.0, (now - book.received_at).total_seconds())
        return CachedBook(book, age_s, age_s <= self._policy.ttl_s)

    def books(self) -> tuple[MarketBook, ...]:
        """All books held, for a consumer that has restarted."""
        return tuple(self._books.values())

    def counts(self, now: datetime) -> CacheCounts:
        """How the cache stands."""
        ttl = timedelta(seconds=self._policy.ttl_s)
        resting = fresh = 0
        for state in self._markets.values():
            if state.rest_until is not None and now < state.rest_until:
                resting += 1
            elif state.read_at is not None and now - state.read_at <= ttl:
                fresh += 1
        return CacheCounts(
            wanted=len(self._markets),
            fresh=fresh,
            late=len(self._markets) - fresh - resting,
            resting=resting,
            in_flight=sum(map(len, self._in_flight)),
            calls=self._calls,
            failures=self._failures,
        )
