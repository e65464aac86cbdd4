"""The best back/lay pairs of many events for one question.

The bound of a pair is the profit of the unrounded lay stake, which rounding to the penny can only
lower (`kos.domain.opportunities.search`). A survey is replaced by its events, an event by its back
prices, a back price by its exact rank. Of the lays that cover one back price only the best-ranked
is shown.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from kos.domain.bets.lay import LaySolution
from kos.domain.market.quotes import BACK_MARKET
from kos.domain.opportunities.event_prices import EventPrices
from kos.domain.opportunities.hedges import (
    BackPrice,
    Bounds,
    HedgedBack,
    LayPrice,
    exchange_family,
    hedged_back,
    span_of_backs,
    widest,
)
from kos.domain.opportunities.opportunity import (
    BetKind,
    Opportunity,
    OpportunityAnswer,
    OpportunityQuery,
    Ranking,
    Rejection,
    opportunity_id,
)
from kos.domain.opportunities.scoring import (
    PairTerms,
    Rank,
    ScoringRules,
    assess,
    minutes_between,
)
from kos.domain.opportunities.search import ALWAYS, PENNY, SLACK, BestFirst, Bound, Priced


class Contender:
    """An event that could be offered from.

    Args:
        board: The event.
        backs: Its back prices, at least one; None: all that the board covers.
        span: Bounds over them; None: to be taken from the back prices once it is asked for.
    """

    __slots__ = ("_span", "backs", "board")

    def __init__(
        self, board: EventPrices, backs: Sequence[HedgedBack] | None, span: Bounds | None = None
    ) -> None:
        self.board = board
        self.backs = backs
        self._span = span

    @property
    def is_bounded(self) -> bool:
        """Whether its bounds are known already."""
        return self._span is not None

    @property
    def span(self) -> Bounds:
        """Bounds over its back prices."""
        if self._span is None:
            self._span = span_of_backs(self.backs or ())
        return self._span


class Survey(NamedTuple):
    """What some events give to every question on the same terms."""

    stands_from: datetime
    stands_until: datetime
    """The moments, both included, in which it is true."""
    considered: int
    rejected: dict[Rejection, int]
    contenders: list[Contender]
    span: Bounds | None
    """Bounds over all contenders; None: there is none."""
    kickoff: tuple[datetime, datetime]
    """The first and the last of the contenders'."""
    duration: tuple[float, float]


class _Candidate(NamedTuple):
    """A back price whose rank is only bounded so far."""

    board: EventPrices
    covered: HedgedBack
    minutes: float


class _RemainingBacks(NamedTuple):
    """Back prices of one event, from some position on in the order of what they bring."""

    board: EventPrices
    backs: Sequence[HedgedBack]
    ordered: list[tuple[bool, float, int]]
    """Known liquidity, what a pound keeps, and which of the back prices; the best first."""
    position: int
    minutes: float


_SearchNode = Survey | Contender | _RemainingBacks | _Candidate


_PricedPair = Priced[tuple[HedgedBack, LayPrice], LaySolution]


class RankedAnswer(NamedTuple):
    """An answer with the rank of each of its opportunities, in the same order.

    Ranks compare opportunities of several moments, as long as the question is the same.
    """

    answer: OpportunityAnswer
    ranks: tuple[Rank, ...]


class Ranker(BestFirst[OpportunityQuery, _SearchNode, tuple[HedgedBack, LayPrice], LaySolution]):
    """One question about pairs at one moment; see `BestFirst`."""

    def __init__(self, query: OpportunityQuery, rules: ScoringRules, now: datetime) -> None:
        super().__init__(query, rules, now)
        # In these orders more profit is never worse; the others weigh it against the stakes.
        self._is_led_by_profit = query.ranking not in {
            Ranking.VALUE_PER_LIABILITY,
            Ranking.RETURN_ON_CAPITAL,
        }
        self._is_gated = query.free_bet_value is not None or query.kind is not BetKind.QUALIFYING
        self._min_stake = float(rules.min_lay_stake)
        self._min_payout = float(rules.min_lay_payout)
        self._max_liability = (
            float(query.max_liability) if query.max_liability is not None else float("inf")
        )
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

    def survey(self, boards: Iterable[EventPrices]) -> Survey:
        """What events give to a question on these terms: whom to count out, and who contends.

        It stands until the moment it names, so that the next question need not look again.
        """
        # This loop runs over every event that changed: it does what it can itself.
        now, bookmaker = self._now, self._query.bookmaker
        until, first = ALWAYS, ALWAYS
        considered = 0
        rejected: Counter[Rejection] = Counter()
        contenders: list[Contender] = []
        for board in boards:
            count = board.count if bookmaker is None else board.count_at(bookmaker)
            if not count:
                continue
            considered += count
            refused = self._refused_event(board)
            if refused is not None:
                reason, stands_until = refused
                rejected[reason] += count
                until = min(until, stands_until)
                continue
            first = min(first, board.kickoff)
            if not board.settled_from <= now <= board.settled_until:
                board.settle(now)
            until = min(until, board.settled_until)
            if bookmaker is not None and board.books[bookmaker].commission is not None:
                until = now  # how long an exchange's own prices stand is not settled
            contender = self._contender(board, rejected)
            if contender is not None:
                contenders.append(contender)
        if first < ALWAYS:
            until = min(until, first - (self._first_kickoff - now))
        kickoffs = [contender.board.kickoff for contender in contenders]
        spans = [contender.span for contender in contenders if contender.is_bounded]
        chosen = [contender.backs for contender in contenders if contender.backs is not None]
        if chosen:
            spans.append(span_of_backs(list(itertools.chain.from_iterable(chosen))))
        durations = [contender.board.duration_minutes for contender in contenders]
        return Survey(
            stands_from=now,
            stands_until=until,
            considered=considered,
            rejected=dict(rejected),
            contenders=contenders,
            span=widest(spans),
            kickoff=(min(kickoffs), max(kickoffs)) if kickoffs else (now, now),
            duration=(min(durations), max(durations)) if durations else (0.0, 0.0),
        )

    def consider(self, survey: Survey) -> None:
        """Count what a survey counted, and keep its contenders as one."""
        self._considered += survey.considered
        for reason, count in survey.rejected.items():
            self._rejected[reason] += count
        if survey.span is not None:
            first, last = survey.kickoff
            minutes = (minutes_between(self._now, first), minutes_between(self._now, last))
            self._push(self._span_bound(survey.span, minutes, survey.duration), survey)

    def ranked(self) -> RankedAnswer:
        """The best pairs of what was considered, exactly ordered, each with its rank."""
        best = self._best()
        answer = OpportunityAnswer(
            as_of=self._now,
            opportunities=tuple(map(self._opportunity, best)),
            considered=self._considered,
            rejected=self._reasons(),
        )
        return RankedAnswer(answer, tuple(priced.assessed.rank for priced in best))

    # --- which back prices could be offered ----------------------------------------------------

    def _contender(self, board: EventPrices, rejected: Counter[Rejection]) -> Contender | None:
        """An event that could be offered from, or None; what could not is counted."""
        bookmaker, span = self._query.bookmaker, board.span
        if bookmaker is not None:
            backs, tally = board.covered(bookmaker, self._now)
            for reason, tallied in tally.items():
                rejected[reason] += tallied
            if backs and backs[0].back.is_exchange:
                span = None
            if not backs or (not self._has_filter and span is not None and self._is_safe(span)):
                return Contender(board, backs) if backs else None
            return self._sift(board, backs, rejected)
        for reason, tallied in board.tally.items():
            rejected[reason] += tallied
        if span is None:
            return None
        if self._query.only_arbs and span.most_rating < 1.0 - SLACK:
            rejected[Rejection.NO_ARB] += board.count - sum(board.tally.values())
            return None
        if self._has_filter or not self._is_safe(span):
            return self._sift(board, board.covered(None, self._now)[0], rejected)
        return Contender(board, None, span)

    def _is_safe(self, span: Bounds) -> bool:
        """Whether no pair of the event can be refused for its money, whatever its rounding."""
        per_pound = self._mixed(span.lay_cash, span.lay_snr)[0]
        if self._stake * per_pound - PENNY < self._min_stake:
            return False
        if not self._is_gated:
            return True
        ratio = self._mixed(span.rating, span.snr)[0]
        return self._bonus + self._profit(ratio) - PENNY * span.lay_odds[1] > 0

    def _sift(
        self, board: EventPrices, backs: Iterable[HedgedBack], rejected: Counter[Rejection]
    ) -> Contender | None:
        """Put each back price to the filters and the money by itself."""
        minutes = minutes_between(self._now, board.kickoff)
        kept: list[HedgedBack] = []
        for covered in backs:
            sifted = self._sifted(board, covered, minutes)
            if isinstance(sifted, Rejection):
                rejected[sifted] += 1
            else:
                kept.append(sifted)
        return Contender(board, kept) if kept else None

    def _sifted(
        self, board: EventPrices, covered: HedgedBack, minutes: float
    ) -> HedgedBack | Rejection:
        """What the filters and the money leave of a back and its lays, or why nothing."""
        query, odds = self._query, covered.back.odds
        if query.min_odds is not None and odds < query.min_odds:
            return Rejection.ODDS_TOO_LOW
        if query.max_odds is not None and odds > query.max_odds:
            return Rejection.ODDS_TOO_HIGH
        narrowed = self._narrowed(covered) if self._has_lay_filter else covered
        if isinstance(narrowed, Rejection):
            return narrowed
        if query.only_arbs and covered.back.odds_f * narrowed.lays[0].keep < 1.0 - SLACK:
            return Rejection.NO_ARB
        first: Rejection | None = None
        for lay in narrowed.lays:
            reason = self._refused_pair(board, narrowed, lay, minutes)
            if reason is None:
                return narrowed
            first = first or reason
        return first or Rejection.NO_LAY

    def _take(self, node: _SearchNode) -> _PricedPair | None:
        """Price a back price; replace a survey by its contenders, those by back prices."""
        if isinstance(node, _Candidate):
            return self._price(node)
        self._open(node)
        return None

    def _open(self, node: Survey | Contender | _RemainingBacks) -> None:
        if isinstance(node, _RemainingBacks):
            _, _, number = node.ordered[node.position]
            self._push_candidate(node.board, node.backs[number], node.minutes)
            self._push_next(node._replace(position=node.position + 1))
            return
        if isinstance(node, Survey):
            for contender in node.contenders:
                minutes = minutes_between(self._now, contender.board.kickoff)
                duration = contender.board.duration_minutes
                bound = self._span_bound(contender.span, (minutes,) * 2, (duration,) * 2)
                self._push(bound, contender)
            return
        board, backs = node.board, node.backs
        if backs is None:
            board.settle(self._now)
            backs = board.covered(None, self._now)[0]
        minutes = minutes_between(self._now, board.kickoff)
        if self._is_led_by_profit:
            held = self._held
            ordered = [
                (
                    covered.figures.has_known,
                    (covered.back.odds_f - held) * covered.figures.keep,
                    number,
                )
                for number, covered in enumerate(backs)
            ]
            ordered.sort(reverse=True)
            self._push_next(_RemainingBacks(board, backs, ordered, 0, minutes))
            return
        for covered in backs:
            self._push_candidate(board, covered, minutes)

    def _push_next(self, rest: _RemainingBacks) -> None:
        """Keep the back prices of an event that are not looked at yet, bound by the best of them."""
        if rest.position < len(rest.ordered):
            is_known, ratio, _ = rest.ordered[rest.position]
            bound = self._bound(
                int(is_known),
                ratio,
                minutes=(rest.minutes,) * 2,
                duration=(rest.board.duration_minutes,) * 2,
            )
            self._push(bound, rest)

    def _push_candidate(self, board: EventPrices, covered: HedgedBack, minutes: float) -> None:
        bound = self._back_bound(covered, minutes, board.duration_minutes)
        self._push(bound, _Candidate(board, covered, minutes))

    def _narrowed(self, covered: HedgedBack) -> HedgedBack | Rejection:
        """A back with only the lays asked for, or why none is left."""
        query = self._query
        lays: list[LayPrice] = []
        reason: Rejection | None = None
        for lay in covered.lays:
            if query.exchange is not None and query.exchange not in {
                lay.exchange,
                exchange_family(lay.exchange),
            }:
                continue
            if query.min_liquidity is None:
                lays.append(lay)
            elif lay.available is None:
                reason = reason or Rejection.UNKNOWN_LIQUIDITY
            elif lay.available < query.min_liquidity:
                reason = reason or Rejection.TOO_LITTLE
            else:
                lays.append(lay)
        if not lays:
            return reason or Rejection.NO_LAY
        if len(lays) == len(covered.lays):
            return covered
        return hedged_back(covered.back, lays, is_equal=self._rules.is_unknown_equal)

    def _refused_pair(
        self, board: EventPrices, covered: HedgedBack, lay: LayPrice, minutes: float
    ) -> Rejection | None:
        """What rules a pair out; floats decide where they are sure, exact money elsewhere."""
        returned = covered.back.odds_f - self._held
        lay_stake = self._stake * returned / lay.over
        least, most = lay_stake - PENNY, lay_stake + PENNY
        if most < self._min_stake and most * lay.odds_f < self._min_payout:
            return Rejection.LAY_TOO_SMALL
        profit = self._profit(returned * lay.keep)
        is_placeable = least >= self._min_stake or least * lay.odds_f > self._min_payout
        is_worthwhile = (not self._is_gated or self._bonus + profit - PENNY * lay.odds_f > 0) and (
            self._is_arb_shown or self._is_no_arb(covered.back.odds_f * lay.keep, profit)
        )
        if is_placeable and is_worthwhile and not self._query.only_arbs:
            if most * (lay.odds_f - 1.0) <= self._max_liability:
                return None
            if least * (lay.odds_f - 1.0) > self._max_liability:
                return Rejection.OVER_LIABILITY
        assessed = assess(pair_terms(board, covered.back, lay, minutes), self._query, self._rules)
        return assessed if isinstance(assessed, Rejection) else None

    # --- bounds ----------------------------------------------------------------------------------

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
            return rating < 1.0 - SLACK
        return profit < (-SLACK if self._is_cash else self._stake - SLACK)

    def _back_bound(self, covered: HedgedBack, minutes: float, duration: float) -> Bound:
        returned, figures = covered.back.odds_f - self._held, covered.figures
        least_over, most_over = figures.over
        least = self._stake * returned / most_over
        return self._bound(
            int(figures.has_known),
            returned * figures.keep,
            fill=min(1.0, figures.available_f / max(least - PENNY, PENNY)),
            lay_stake=(least, self._stake * returned / least_over),
            lay_odds=figures.lay_odds,
            minutes=(minutes, minutes),
            duration=(duration, duration),
        )

    def _span_bound(
        self, span: Bounds, minutes: tuple[float, float], duration: tuple[float, float]
    ) -> Bound:
        low, high = self._mixed(span.lay_cash, span.lay_snr)
        least = self._stake * low
        return self._bound(
            int(span.has_known),
            self._mixed(span.rating, span.snr)[1],
            fill=min(1.0, span.available_f / max(least - PENNY, PENNY)),
            lay_stake=(least, self._stake * high),
            lay_odds=span.lay_odds,
            minutes=minutes,
            duration=duration,
        )

    # --- exact -----------------------------------------------------------------------------------

    def _price(self, candidate: _Candidate) -> _PricedPair | None:
        """The back price with the lay that ranks highest."""
        board, covered, minutes = candidate
        best: _PricedPair | None = None
        back = covered.back
        for lay in covered.lays:
            assessed = assess(
                pair_terms(board, covered.back, lay, minutes), self._query, self._rules
            )
            if isinstance(assessed, Rejection):
                continue
            if best is None or assessed.rank > best.assessed.rank:
                parts = (board.quotes.id, BACK_MARKET, back.quote.name, back.bookmaker.key)
                name = opportunity_id(*parts, lay.exchange)
                best = Priced(name, board, (covered, lay), assessed)
        return best

    def _opportunity(self, priced: _PricedPair) -> Opportunity:
        (covered, lay), solution = priced.parts, priced.assessed.stakes
        back, fetched_at = covered.back, priced.board.fetched_at
        return Opportunity(
            **self._shown(priced),
            outcome=back.quote.name,
            bookmaker=back.bookmaker.key,
            bookmaker_title=back.bookmaker.title,
            back_odds=back.quote.price,
            back_updated_at=back.market.updated_at or fetched_at,
            back_received_at=fetched_at,
            exchange=lay.exchange,
            market_id=lay.market_id,
            selection_id=lay.selection_id,
            lay_odds=lay.odds,
            lay_available=lay.available,
            lay_updated_at=lay.updated_at,
            lay_received_at=lay.received_at,
            is_delayed=lay.is_delayed,
            commission=lay.commission,
            lay_stake=solution.lay_stake,
            liability=solution.liability,
            if_back_wins=solution.if_back_wins,
            if_back_loses=solution.if_back_loses,
            match_confidence=lay.confidence,
            link=back.quote.link or back.market.link or back.bookmaker.link,
        )


def pair_terms(board: EventPrices, back: BackPrice, lay: LayPrice, minutes: float) -> PairTerms:
    """What is known of a pair, `minutes` before kickoff."""
    return PairTerms(
        back_odds=back.odds,
        lay_odds=lay.odds,
        commission=lay.commission,
        available=lay.available,
        minutes=minutes,
        duration_minutes=board.duration_minutes,
        floor=board.floor,
    )


def terms_of(query: OpportunityQuery) -> Hashable:
    """What a survey depends on: all of a question but where it looks, how many and in which order."""
    return tuple(
        getattr(query, field)
        for field in query.__struct_fields__
        if field not in {"limit", "ranking", "sport"}
    )
