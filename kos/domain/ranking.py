"""The best back/lay pairs of many events for one question, exact in order and in count.

Eighty thousand prices are too many for exact money in a few milliseconds, and ranking them by
floats alone would sometimes show the wrong ten. So each event, and each back price of the events
that matter, first gets a float that no exact rank of it can exceed: the profit of the unrounded
lay stake, which rounding to the penny can only lower. A heap yields the highest bound; an event
is replaced by its back prices, a back price by its exact rank; the search ends when no bound is
above the last exact rank wanted. The answer is the one that pricing everything would give.

Of the lays that cover one back price only the best-ranked is shown.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from kos.domain.board import BACK_MARKET, Board
from kos.domain.cover import CoveredBack, Lay, Span, covered_back, exchange_family
from kos.domain.money import pennies
from kos.domain.opportunity import (
    BetKind,
    Opportunity,
    OpportunityAnswer,
    OpportunityQuery,
    Ranking,
    Rejection,
    opportunity_id,
)
from kos.domain.score import (
    MINUTES_PER_HOUR,
    SECONDS_PER_MINUTE,
    Assessment,
    PairTerms,
    ScoringRules,
    assess,
    bonus_retention,
    is_own_money,
    minutes_between,
    refund_of,
)

_SLACK = 1e-9
"""Relative and in pounds: more than floats err here, less than any exact difference that counts."""
_PENNY = 0.01
"""More than rounding moves a lay stake."""

Bound = tuple[int, int, float]
"""No exact rank of what it stands for begins with more: known liquidity, tier, merit."""


class _Priced(NamedTuple):
    id: str
    board: Board
    covered: CoveredBack
    lay: Lay
    assessed: Assessment


class Ranker:
    """One question at one moment, put to event after event.

    Args:
        query: The question, checked.
        rules: What counts as fresh, liquid and worthwhile.
        now: Timezone-aware.
    """

    def __init__(self, query: OpportunityQuery, rules: ScoringRules, now: datetime) -> None:
        self._query = query
        self._rules = rules
        self._now = now
        self._considered = 0
        self._rejected: Counter[Rejection] = Counter()
        self._heap: list[tuple[int, int, float, int, Board, CoveredBack | None]] = []
        self._minutes: dict[int, float] = {}
        self._pushed = 0
        self._min_minutes = rules.min_minutes_to_kickoff
        most = query.max_minutes_to_kickoff
        self._max_minutes = float("inf") if most is None else most
        self._is_cash = is_own_money(query.kind)
        self._ranking = query.ranking
        self._is_seed = query.ranking is Ranking.SEED
        self._stake = float(query.stake)
        # Every kind lays (b - held) / (l - c) per pound staked, and gains keep times as much
        # over its base; `held` is 1 for a free bet whose stake is not returned, a refund's worth.
        self._held = float(refund_of(query, rules)[1] / query.stake)
        self._base = self._stake * (self._held - 1.0) if self._is_cash else 0.0
        if query.kind is BetKind.FREE_BET_SNR:
            self._held = 1.0
        face = query.free_bet_value
        self._bonus = float(rules.snr_retention * face) if self._is_cash and face else 0.0
        self._worth = float(face) if self._is_cash and face else self._stake
        self._is_gated = face is not None or query.kind is not BetKind.QUALIFYING
        self._retention = float(bonus_retention(query, rules))
        self._least_loss = float(rules.least_loss)
        self._min_stake = float(rules.min_lay_stake)
        self._min_payout = float(rules.min_lay_payout)
        self._max_liability = (
            float(query.max_liability) if query.max_liability is not None else float("inf")
        )
        self._is_equal = rules.is_unknown_equal
        self._is_arb_shown = not query.hide_arbs
        self._has_lay_filter = query.exchange is not None or query.min_liquidity is not None
        self._has_filter = (
            self._has_lay_filter
            or query.min_odds is not None
            or query.max_odds is not None
            or query.max_liability is not None
            or query.hide_arbs
            or query.only_arbs
        )

    def consider(self, boards: Iterable[Board]) -> None:
        """Count the back prices of events, and keep what could be offered."""
        if self._query.bookmaker is not None:
            for board in boards:
                self._consider_bookmaker(board, self._query.bookmaker)
            return
        # The one loop that runs over the whole market for every question: it calls nothing that
        # it can do itself.
        now, rejected = self._now, self._rejected
        least, most = self._min_minutes, self._max_minutes
        must_sift = self._has_filter
        heap, minutes_of = self._heap, self._minutes
        considered = 0
        for board in boards:
            count = board.count
            considered += count
            minutes = (board.kickoff - now).total_seconds() / SECONDS_PER_MINUTE
            if board.state is not None or not least <= minutes <= most:
                refused = self._refused_event(board, minutes)
                if refused is not None:
                    rejected[refused] += count
                    continue
            if not board.settled_from <= now <= board.settled_until:
                board.settle(now)
            for reason, tallied in board.tally.items():
                rejected[reason] += tallied
            span = board.span
            if span is None:
                continue
            if self._query.only_arbs and span.most_rating < 1.0 - _SLACK:
                rejected[Rejection.NO_ARB] += count - sum(board.tally.values())
                continue
            minutes_of[id(board)] = minutes
            if must_sift or not self._is_safe(span):
                self._sift(board, board.covered(None, now)[0], minutes)
                continue
            known, tier, merit = self._event_bound(board, span, minutes)
            self._pushed += 1
            heap.append((-known, -tier, -merit, self._pushed, board, None))
        self._considered += considered

    def _consider_bookmaker(self, board: Board, bookmaker: str) -> None:
        count = board.count_at(bookmaker)
        if not count:
            return
        self._considered += count
        minutes = minutes_between(self._now, board.kickoff)
        refused = self._refused_event(board, minutes)
        if refused is not None:
            self._rejected[refused] += count
            return
        board.settle(self._now)
        backs, tally = board.covered(bookmaker, self._now)
        for reason, tallied in tally.items():
            self._rejected[reason] += tallied
        if not backs:
            return
        self._minutes[id(board)] = minutes
        span = None if backs[0].back.is_exchange else board.span
        if self._has_filter or span is None or not self._is_safe(span):
            self._sift(board, backs, minutes)
            return
        for covered in backs:
            self._push(self._back_bound(covered, minutes, board.duration_minutes), board, covered)

    def answer(self) -> OpportunityAnswer:
        """The best pairs of what was considered, exactly ordered."""
        limit = self._query.limit
        heapq.heapify(self._heap)
        priced: list[_Priced] = []
        best: list[Bound] = []  # a heap of the best `limit` ranks so far, the worst first
        while self._heap:
            known, tier, merit, _, board, covered = heapq.heappop(self._heap)
            if len(best) == limit and (-known, -tier, -merit) < best[0]:
                break
            if covered is None:
                self._expand(board)
                continue
            found = self._price(board, covered)
            if found is None:
                continue
            priced.append(found)
            rank = found.assessed.rank[:3]
            if len(best) < limit:
                heapq.heappush(best, rank)
            else:
                heapq.heappushpop(best, rank)
        priced.sort(key=_id)
        priced.sort(key=_rank, reverse=True)
        return OpportunityAnswer(
            as_of=self._now,
            opportunities=tuple(self._opportunity(found) for found in priced[:limit]),
            considered=self._considered,
            rejected={
                reason.value: count
                for reason, count in sorted(self._rejected.items(), key=lambda item: -item[1])
                if count
            },
        )

    # --- which back prices could be offered ----------------------------------------------------

    def _refused_event(self, board: Board, minutes: float) -> Rejection | None:
        if self._min_minutes <= minutes <= self._max_minutes and board.state is None:
            return None
        if minutes <= 0:
            return Rejection.STARTED
        if board.state is not None:
            return board.state
        return Rejection.TOO_SOON if minutes < self._min_minutes else Rejection.TOO_LATE

    def _is_safe(self, span: Span) -> bool:
        """Whether no pair of the event can be refused for its money, whatever its rounding."""
        per_pound = self._mixed(span.lay_cash, span.lay_snr)[0]
        if self._stake * per_pound - _PENNY < self._min_stake:
            return False
        if not self._is_gated:
            return True
        ratio = self._mixed(span.rating, span.snr)[0]
        return self._bonus + self._profit(ratio) - _PENNY * span.lay_odds[1] > 0

    def _sift(self, board: Board, backs: Iterable[CoveredBack], minutes: float) -> None:
        """Put each back price to the filters and the money by itself."""
        for covered in backs:
            sifted = self._sifted(board, covered, minutes)
            if isinstance(sifted, Rejection):
                self._rejected[sifted] += 1
            else:
                self._push(self._back_bound(sifted, minutes, board.duration_minutes), board, sifted)

    def _sifted(
        self, board: Board, covered: CoveredBack, minutes: float
    ) -> CoveredBack | Rejection:
        """What the filters and the money leave of an covered, or why nothing."""
        query, odds = self._query, covered.back.odds
        if query.min_odds is not None and odds < query.min_odds:
            return Rejection.ODDS_TOO_LOW
        if query.max_odds is not None and odds > query.max_odds:
            return Rejection.ODDS_TOO_HIGH
        narrowed = self._narrowed(covered) if self._has_lay_filter else covered
        if isinstance(narrowed, Rejection):
            return narrowed
        if query.only_arbs and covered.back.odds_f * narrowed.lays[0].keep < 1.0 - _SLACK:
            return Rejection.NO_ARB
        first: Rejection | None = None
        for lay in narrowed.lays:
            reason = self._refused_pair(board, narrowed, lay, minutes)
            if reason is None:
                return narrowed
            first = first or reason
        return first or Rejection.NO_LAY

    def _expand(self, board: Board) -> None:
        """Replace an event by its back prices."""
        minutes = self._minutes[id(board)]
        for covered in board.covered(None, self._now)[0]:
            bound = self._back_bound(covered, minutes, board.duration_minutes)
            self._push(bound, board, covered, is_late=True)

    def _narrowed(self, covered: CoveredBack) -> CoveredBack | Rejection:
        """The covered with only the lays asked for, or why there is none."""
        query = self._query
        found: list[Lay] = []
        reason: Rejection | None = None
        for lay in covered.lays:
            if query.exchange is not None and query.exchange not in {
                lay.exchange,
                exchange_family(lay.exchange),
            }:
                continue
            if query.min_liquidity is None:
                found.append(lay)
            elif lay.available is None:
                reason = reason or Rejection.UNKNOWN_LIQUIDITY
            elif lay.available < query.min_liquidity:
                reason = reason or Rejection.TOO_LITTLE
            else:
                found.append(lay)
        if not found:
            return reason or Rejection.NO_LAY
        return covered_back(covered.back, found, is_equal=self._is_equal)

    def _refused_pair(
        self, board: Board, covered: CoveredBack, lay: Lay, minutes: float
    ) -> Rejection | None:
        """What rules a pair out; floats decide where they are sure, exact money elsewhere."""
        returned = covered.back.odds_f - self._held
        lay_stake = self._stake * returned / lay.over
        least, most = lay_stake - _PENNY, lay_stake + _PENNY
        if most < self._min_stake and most * lay.odds_f < self._min_payout:
            return Rejection.LAY_TOO_SMALL
        profit = self._profit(returned * lay.keep)
        is_placeable = least >= self._min_stake or least * lay.odds_f > self._min_payout
        is_worthwhile = (not self._is_gated or self._bonus + profit - _PENNY * lay.odds_f > 0) and (
            self._is_arb_shown or self._is_no_arb(covered.back.odds_f * lay.keep, profit)
        )
        if is_placeable and is_worthwhile and not self._query.only_arbs:
            if most * (lay.odds_f - 1.0) <= self._max_liability:
                return None
            if least * (lay.odds_f - 1.0) > self._max_liability:
                return Rejection.OVER_LIABILITY
        assessed = assess(self._terms(board, covered, lay, minutes), self._query, self._rules)
        return assessed if isinstance(assessed, Rejection) else None

    # --- bounds ----------------------------------------------------------------------------------

    def _profit(self, ratio: float) -> float:
        """Pounds of the unrounded lay; no rounded lay stake makes more."""
        return self._base + self._stake * ratio

    def _mixed(self, cash: tuple[float, float], snr: tuple[float, float]) -> tuple[float, float]:
        """Least and most of x (b - held), from those of x b and of x (b - 1)."""
        held = self._held
        if held <= 1.0:
            free = 1.0 - held
            return free * cash[0] + held * snr[0], free * cash[1] + held * snr[1]
        beyond = held - 1.0
        return held * snr[0] - beyond * cash[1], held * snr[1] - beyond * cash[0]

    def _is_no_arb(self, rating: float, profit: float) -> bool:
        """Whether a pair is surely none, before rounding and after."""
        if self._query.kind is BetKind.REFUND:
            return rating < 1.0 - _SLACK
        return profit < (-_SLACK if self._is_cash else self._stake - _SLACK)

    def _back_bound(self, covered: CoveredBack, minutes: float, duration: float) -> Bound:
        returned = covered.back.odds_f - self._held
        least_over, most_over = covered.over
        least = self._stake * returned / most_over
        return self._bound(
            1 if covered.has_known else 0,
            returned * covered.keep,
            fill=min(1.0, covered.available_f / max(least - _PENNY, _PENNY)),
            lay_stake=(least, self._stake * returned / least_over),
            lay_odds=covered.lay_odds,
            minutes=minutes,
            duration=duration,
        )

    def _event_bound(self, board: Board, span: Span, minutes: float) -> Bound:
        low, high = self._mixed(span.lay_cash, span.lay_snr)
        least = self._stake * low
        return self._bound(
            1 if span.has_known else 0,
            self._mixed(span.rating, span.snr)[1],
            fill=min(1.0, span.available_f / max(least - _PENNY, _PENNY)),
            lay_stake=(least, self._stake * high),
            lay_odds=span.lay_odds,
            minutes=minutes,
            duration=board.duration_minutes,
        )

    def _bound(
        self,
        known: int,
        ratio: float,
        *,
        fill: float,
        lay_stake: tuple[float, float],
        lay_odds: tuple[float, float],
        minutes: float,
        duration: float,
    ) -> Bound:
        profit = self._profit(ratio)
        ranking = self._ranking
        if self._is_seed:
            loss = -profit if self._is_cash else self._stake - profit
            if loss <= _SLACK:
                return (known, 1, profit + _SLACK)
            retention = self._retention if self._is_cash else ratio
            loss = max(loss, self._least_loss)
            score = self._worth / loss / minutes * retention * fill
            return (known, 0, score * (1 + _SLACK))
        if ranking is Ranking.RATING:
            kept = ratio + (self._held if self._is_cash else 0.0)
            return (known, 0, kept * (1 + _SLACK))
        value = self._bonus + profit + _SLACK
        hours = (minutes + duration + self._rules.settlement_minutes) / MINUTES_PER_HOUR
        if ranking is Ranking.VALUE_PER_HOUR:
            value /= hours
        elif ranking is not Ranking.VALUE:
            if value > 0:
                capital = max(lay_stake[0] - _PENNY, _PENNY) * (lay_odds[0] - 1.0)
            else:
                capital = (lay_stake[1] + _PENNY) * (lay_odds[1] - 1.0)
            if ranking is Ranking.RETURN_ON_CAPITAL:
                capital = (capital + (self._stake if self._is_cash else 0.0)) * hours
            value /= capital
        return (known, 0, value + abs(value) * _SLACK)

    def _push(
        self, bound: Bound, board: Board, covered: CoveredBack | None, *, is_late: bool = False
    ) -> None:
        self._pushed += 1
        entry = (-bound[0], -bound[1], -bound[2], self._pushed, board, covered)
        if is_late:
            heapq.heappush(self._heap, entry)
        else:
            self._heap.append(entry)

    # --- exact -----------------------------------------------------------------------------------

    def _terms(self, board: Board, covered: CoveredBack, lay: Lay, minutes: float) -> PairTerms:
        return PairTerms(
            back_odds=covered.back.odds,
            lay_odds=lay.odds,
            commission=lay.commission,
            available=lay.available,
            minutes=minutes,
            duration_minutes=board.duration_minutes,
            floor=board.floor,
        )

    def _price(self, board: Board, covered: CoveredBack) -> _Priced | None:
        """The back price with the lay that ranks highest."""
        minutes = self._minutes[id(board)]
        best: _Priced | None = None
        for lay in covered.lays:
            assessed = assess(self._terms(board, covered, lay, minutes), self._query, self._rules)
            if isinstance(assessed, Rejection):
                continue
            if best is None or assessed.rank > best.assessed.rank:
                best = _Priced(_pair_id(board, covered, lay), board, covered, lay, assessed)
        return best

    def _opportunity(self, priced: _Priced) -> Opportunity:
        quotes, back, lay = priced.board.quotes, priced.covered.back, priced.lay
        assessed = priced.assessed
        solution = assessed.lay
        refund = worth = None
        if self._query.kind is BetKind.REFUND:
            refund, worth = map(pennies, refund_of(self._query, self._rules))
        return Opportunity(
            id=priced.id,
            kind=self._query.kind,
            sport_key=quotes.sport_key,
            sport_title=quotes.sport_title,
            event_id=quotes.id,
            home=quotes.home or "",
            away=quotes.away or "",
            kickoff=quotes.kickoff,
            market_key=BACK_MARKET,
            outcome=back.quote.name,
            bookmaker=back.bookmaker.key,
            bookmaker_title=back.bookmaker.title,
            back_odds=back.quote.price,
            back_updated_at=back.market.updated_at or priced.board.fetched_at,
            back_received_at=priced.board.fetched_at,
            exchange=lay.exchange,
            market_id=lay.market_id,
            selection_id=lay.selection_id,
            lay_odds=lay.odds,
            lay_available=lay.available,
            lay_updated_at=lay.updated_at,
            lay_received_at=lay.received_at,
            is_delayed=lay.is_delayed,
            commission=lay.commission,
            stake=self._query.stake,
            lay_stake=solution.lay_stake,
            liability=solution.liability,
            if_back_wins=solution.if_back_wins,
            if_back_loses=solution.if_back_loses,
            profit=solution.profit,
            rating=assessed.rating,
            retention=assessed.retention,
            score=assessed.score,
            tier=assessed.tier,
            factors=assessed.factors,
            match_confidence=lay.confidence,
            link=back.quote.link or back.market.link or back.bookmaker.link,
            refund=refund,
            refund_worth=worth,
        )


def _pair_id(board: Board, covered: CoveredBack, lay: Lay) -> str:
    back = covered.back
    parts = (board.quotes.id, BACK_MARKET, back.quote.name, back.bookmaker.key, lay.exchange)
    return opportunity_id(*parts)


def _id(priced: _Priced) -> str:
    return priced.id


def _rank(priced: _Priced) -> tuple[int, int, float, Decimal, float, Decimal, float]:
    return priced.assessed.rank
