"""The search for the best offers of many events, exact in order and in count.

Eighty thousand prices are too many for exact money in a few milliseconds, and ranking them by
floats alone would sometimes show the wrong ten. So whatever could be offered first gets a float
that no exact rank of it can exceed. A heap yields the highest bound; what it stands for is priced,
or replaced by its parts; the search ends when no bound is above the last exact rank wanted. The
answer is the one that pricing everything would give.
"""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections import Counter
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from kos.domain.market.quotes import BACK_MARKET
from kos.domain.money import pennies
from kos.domain.opportunities.event_prices import EventPrices
from kos.domain.opportunities.opportunity import (
    BetKind,
    BetQuery,
    PricedBet,
    Ranking,
    Rejection,
)
from kos.domain.opportunities.scoring import (
    Assessment,
    ScoringRules,
    StakesT,
    bonus_retention,
    is_own_money,
    lock_up_hours,
    refund_of,
)

SLACK: Final = 1e-9
"""Relative and in pounds: more than floats err here, less than any exact difference that counts."""
PENNY: Final = 0.01
"""More than rounding moves a stake."""
ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
_MOMENT: Final = timedelta(microseconds=1)
_LONGEST: Final = 1e8
"""Minutes: two centuries are as good as no limit."""

Bound = tuple[int, int, float]
"""No exact rank of what it stands for begins with more: known liquidity, tier, merit."""

PartsT = TypeVar("PartsT")
NodeT = TypeVar("NodeT")
QueryT = TypeVar("QueryT", bound=BetQuery)


class Priced(NamedTuple, Generic[PartsT, StakesT]):
    """Prices of one event that go together, with what they bring for one question."""

    id: str
    board: EventPrices
    parts: PartsT
    assessed: Assessment[StakesT]


class BestFirst(ABC, Generic[QueryT, NodeT, PartsT, StakesT]):
    """One question at one moment, put to event after event.

    Args:
        query: The question, checked.
        rules: What counts as fresh, liquid and worthwhile.
        now: Timezone-aware.
    """

    def __init__(self, query: QueryT, rules: ScoringRules, now: datetime) -> None:
        self._query = query
        self._rules = rules
        self._now = now
        self._considered = 0
        self._rejected: Counter[Rejection] = Counter()
        self._heap: list[tuple[int, int, float, int, NodeT]] = []
        self._pushed = 0
        most = query.max_minutes_to_kickoff
        self._first_kickoff = now + timedelta(minutes=rules.min_minutes_to_kickoff)
        self._last_kickoff = ALWAYS
        if most is not None:
            self._last_kickoff = now + timedelta(minutes=min(most, _LONGEST))
        self._is_seed = query.ranking is Ranking.SEED
        self._is_cash = is_own_money(query.kind)
        self._stake = float(query.stake)
        # Every kind lays (b - held) / (l - c) per pound staked, and gains keep times as much
        # over its base; `held` is 1 for a free bet whose stake is not returned, a refund's worth.
        self._held = float(refund_of(query, rules)[1] / query.stake)
        self._base = self._stake * (self._held - 1.0) if self._is_cash else 0.0
        if query.kind is BetKind.FREE_BET_SNR:
            self._held = 1.0
        face = query.free_bet_value if self._is_cash else None
        self._bonus = float(rules.snr_retention * face) if face else 0.0
        self._worth = float(face) if face else self._stake
        self._retention = float(bonus_retention(query, rules))
        self._least_loss = float(rules.least_loss)

    @abstractmethod
    def _take(self, node: NodeT) -> Priced[PartsT, StakesT] | None:
        """Price what has the highest bound, or replace it by its parts, or count why not."""

    def _best(self) -> list[Priced[PartsT, StakesT]]:
        """The best of what was considered, exactly ordered."""
        limit = self._query.limit
        every: list[Priced[PartsT, StakesT]] = []
        best: list[Bound] = []  # a heap of the best `limit` ranks so far, the worst first
        while self._heap:
            known_liquidity, tier, merit, _, node = heapq.heappop(self._heap)
            if len(best) == limit and (-known_liquidity, -tier, -merit) < best[0]:
                break
            priced = self._take(node)
            if priced is None:
                continue
            every.append(priced)
            push = heapq.heappush if len(best) < limit else heapq.heappushpop
            push(best, priced.assessed.rank[:3])
        every.sort(key=attrgetter("id"))
        every.sort(key=attrgetter("assessed.rank"), reverse=True)
        return every[:limit]

    def _reasons(self) -> dict[str, int]:
        """How many were rejected for what, the most frequent first."""
        return {reason.value: count for reason, count in self._rejected.most_common() if count}

    def _refused_event(self, board: EventPrices) -> tuple[Rejection, datetime] | None:
        """Why nothing of an event may be offered, and until when that stands; None: it may."""
        kickoff = board.kickoff
        if kickoff <= self._now:
            return Rejection.STARTED, ALWAYS
        if board.state is not None:
            return board.state, kickoff - _MOMENT
        if kickoff < self._first_kickoff:
            return Rejection.TOO_SOON, kickoff - _MOMENT
        if kickoff > self._last_kickoff:
            return Rejection.TOO_LATE, kickoff - (self._last_kickoff - self._now) - _MOMENT
        return None

    def _push(self, bound: Bound, node: NodeT) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (-bound[0], -bound[1], -bound[2], self._pushed, node))

    def _profit(self, ratio: float) -> float:
        """Pounds of unrounded stakes; no rounded lay stake makes more."""
        return self._base + self._stake * ratio

    def _bound(
        self,
        known_liquidity: int,
        ratio: float,
        *,
        minutes: tuple[float, float],
        duration: tuple[float, float],
        fill: float = 1.0,
        lay_stake: tuple[float, float] = (0.0, 0.0),
        lay_odds: tuple[float, float] = (0.0, 0.0),
        astray: float = 0.0,
    ) -> Bound:
        """The most that these figures allow, each pair the least and the most there is.

        Args:
            known_liquidity: 1 if some of it ranks as of known liquidity, else 0.
            ratio: The most that is gained over the base, per pound staked.
            minutes: To kickoff.
            duration: Minutes from kickoff until the event is usually over.
            fill: The most that waits, as a share of the least lay stake.
            lay_stake: Pounds, unrounded.
            lay_odds: Those of the lays.
            astray: Pounds that rounding may add to the profit.
        """
        profit = self._base + self._stake * ratio + astray
        if self._is_seed:
            loss = -profit if self._is_cash else self._stake - profit
            if loss <= SLACK:
                return (known_liquidity, 1, profit + SLACK)
            retention = self._retention if self._is_cash else ratio
            loss = max(loss, self._least_loss)
            score = self._worth / loss / minutes[0] * retention * fill
            return (known_liquidity, 0, score * (1 + SLACK))
        ranking = self._query.ranking
        if ranking is Ranking.RATING:
            kept = ratio + (self._held if self._is_cash else 0.0)
            return (known_liquidity, 0, kept * (1 + SLACK))
        value = self._bonus + profit + SLACK
        end = 0 if value > 0 else 1
        hours = lock_up_hours(minutes[end], duration[end], self._rules)
        if ranking is Ranking.VALUE_PER_HOUR:
            value /= hours
        elif ranking is not Ranking.VALUE:
            if value > 0:
                capital = max(lay_stake[0] - PENNY, PENNY) * (lay_odds[0] - 1.0)
            else:
                capital = (lay_stake[1] + PENNY) * (lay_odds[1] - 1.0)
            if ranking is Ranking.RETURN_ON_CAPITAL:
                capital = (capital + (self._stake if self._is_cash else 0.0)) * hours
            value /= capital
        return (known_liquidity, 0, value + abs(value) * SLACK)

    def _shown(self, priced: Priced[PartsT, StakesT]) -> dict[str, Any]:
        """The fields of `PricedBet`."""
        query, quotes, assessed = self._query, priced.board.quotes, priced.assessed
        refund = worth = None
        if query.kind is BetKind.REFUND:
            refund, worth = map(pennies, refund_of(query, self._rules))
        bet = PricedBet(
            id=priced.id,
            kind=query.kind,
            sport_key=quotes.sport_key,
            sport_title=quotes.sport_title,
            event_id=quotes.id,
            home=quotes.home or "",
            away=quotes.away or "",
            kickoff=quotes.kickoff,
            market_key=BACK_MARKET,
            stake=query.stake,
            profit=pennies(assessed.profit),
            rating=assessed.rating,
            retention=assessed.retention,
            score=assessed.score,
            tier=assessed.tier,
            factors=assessed.factors,
            refund=refund,
            refund_worth=worth,
        )
        return msgspec.structs.asdict(bet)
