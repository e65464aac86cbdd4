"""Which parts of the exchange's catalogue to read now, and the markets read so far.

The catalogue changes slowly far from kickoff and quickly near it, so each sport is read in two
windows with a TTL each: the near one (kickoffs of the next day) often, the far one seldom. What
the two hold together is the sport's whole catalogue: as the far window was read earlier, it
begins no later than the near one ends. Commission and ladder come from descriptions, which cost
weight and hold for a day; they are read once, and for matched markets only.

Time is always an argument; nothing here asks anyone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kos.domain.market.quotes import ExchangeMarket


class CataloguePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often the catalogue is read."""

    near_s: float = 24 * 3600.0
    """How far ahead the near window reaches."""
    near_ttl_s: float = 600.0
    far_ttl_s: float = 3600.0
    overlap_s: float = 1800.0
    """How far the windows reach back and into each other: start times move."""
    backoff_s: float = 10.0
    """Pause of a window after a failed read; doubles with each further one."""
    backoff_cap_s: float = 600.0


DEFAULT_POLICY: Final = CataloguePolicy()


class CatalogueAsk(msgspec.Struct, frozen=True):
    """One window of one sport to read."""

    event_type_id: str
    market_types: tuple[str, ...]
    start: datetime
    end: datetime
    is_near: bool


class _Window(msgspec.Struct):
    read_at: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0
    markets: dict[str, ExchangeMarket] = {}
    reached: datetime | None = None
    """How far ahead the last read went."""


class CatalogueCache:
    """The markets of the wanted sports, and which window to read next. Not for several threads."""

    def __init__(self, policy: CataloguePolicy = DEFAULT_POLICY) -> None:
        self._policy = policy
        self._wanted: dict[str, tuple[str, ...]] = {}
        self._until: datetime | None = None
        self._windows: dict[tuple[str, bool], _Window] = {}

    def want(self, market_types: Mapping[str, Collection[str]], until: datetime) -> None:
        """Replace what is wanted: type codes by event type id, for kickoffs up to ``until``."""
        wanted = {id_: tuple(sorted(set(types))) for id_, types in market_types.items() if types}
        for key in list(self._windows):
            if wanted.get(key[0]) != self._wanted.get(key[0]):
                del self._windows[key]
        self._wanted = wanted
        self._until = until

    def plan(self, now: datetime) -> tuple[CatalogueAsk, ...]:
        """The windows to read now, near ones first."""
        if self._until is None:
            return ()
        asks = [
            self._ask(id_, is_near=is_near, until=self._until, now=now)
            for is_near in (True, False)
            for id_ in self._wanted
        ]
        return tuple(ask for ask in asks if ask.start < ask.end and self._is_due(ask, now))

    def _ask(
        self, event_type_id: str, *, is_near: bool, until: datetime, now: datetime
    ) -> CatalogueAsk:
        overlap = timedelta(seconds=self._policy.overlap_s)
        border = now + timedelta(seconds=self._policy.near_s)
        start, end = (now - overlap, min(border, until)) if is_near else (border - overlap, until)
        types = self._wanted[event_type_id]
        return CatalogueAsk(event_type_id, types, start, end, is_near)

    def _is_due(self, ask: CatalogueAsk, now: datetime) -> bool:
        window = self._windows.get((ask.event_type_id, ask.is_near))
        if window is None:
            return True
        if window.not_before is not None and now < window.not_before:
            return False
        ttl_s = self._policy.near_ttl_s if ask.is_near else self._policy.far_ttl_s
        if window.read_at is None or now >= window.read_at + timedelta(seconds=ttl_s):
            return True
        # Kickoffs further ahead became wanted than the last read went for.
        return not ask.is_near and window.reached is not None and window.reached < ask.end

    def answered(
        self, ask: CatalogueAsk, markets: Iterable[ExchangeMarket], now: datetime
    ) -> tuple[ExchangeMarket, ...]:
        """A window was read; returns the sport's whole catalogue as known now."""
        if self._wanted.get(ask.event_type_id) == ask.market_types:
            by_id = {market.market_id: market for market in markets}
            self._windows[ask.event_type_id, ask.is_near] = _Window(
                read_at=now, markets=by_id, reached=ask.end
            )
        return self.markets(ask.event_type_id)

    def failed(self, ask: CatalogueAsk, now: datetime, retry_after_s: float | None = None) -> None:
        """A window could not be read; its markets of before stay, and it pauses."""
        window = self._windows.setdefault((ask.event_type_id, ask.is_near), _Window())
        doubled = self._policy.backoff_s * 2.0 ** min(window.failures, 30)
        wait_s = max(min(doubled, self._policy.backoff_cap_s), retry_after_s or 0.0)
        window.failures += 1
        window.not_before = now + timedelta(seconds=wait_s)

    def markets(self, event_type_id: str) -> tuple[ExchangeMarket, ...]:
        """All markets known of a sport, by kickoff; the near window's word counts before the far's.

        A market that the newer near window should hold and does not is gone.
        """
        near = self._windows.get((event_type_id, True)) or _Window()
        far = self._windows.get((event_type_id, False)) or _Window()
        by_id = {
            id_: market
            for id_, market in far.markets.items()
            if near.reached is None or market.kickoff >= near.reached
        }
        by_id.update(near.markets)
        return tuple(sorted(by_id.values(), key=lambda market: (market.kickoff, market.market_id)))


class DescriptionPlan:
    """Which matched markets still need their description. Not for several threads.

    Args:
        ttl_s: How long a description holds.
        recheck_s: When to ask again for a market that brought none, and after a failed call.
        markets_per_call: Ids in one call.
    """

    def __init__(
        self, *, ttl_s: float = 86_400.0, recheck_s: float = 600.0, markets_per_call: int = 190
    ) -> None:
        self._ttl = timedelta(seconds=ttl_s)
        self._recheck = timedelta(seconds=recheck_s)
        self._markets_per_call = markets_per_call
        self._due_at: dict[str, datetime] = {}

    def plan(self, market_ids: Iterable[str], now: datetime) -> tuple[tuple[str, ...], ...]:
        """Batches of the wanted markets that are due; what is no longer wanted is forgotten."""
        wanted = dict.fromkeys(market_ids)
        self._due_at = {id_: at for id_, at in self._due_at.items() if id_ in wanted}
        due = [id_ for id_ in wanted if id_ not in self._due_at or now >= self._due_at[id_]]
        size = self._markets_per_call
        return tuple(tuple(due[i : i + size]) for i in range(0, len(due), size))

    def answered(self, batch: Sequence[str], described: Collection[str], now: datetime) -> None:
        """A call for ``batch`` came back with descriptions of ``found``."""
        for id_ in batch:
            self._due_at[id_] = now + (self._ttl if id_ in described else self._recheck)

    def failed(self, batch: Sequence[str], now: datetime) -> None:
        """A call for ``batch`` brought nothing."""
        self.answered(batch, (), now)
