"""The best dutches of many events for one question.

Of each event, or of each outcome of the bookmaker asked for, the combination of legs that keeps
most of a pound is taken: the least sum of inverse effective odds among those whose places all
differ, that may be believed and that can be placed. Combinations are looked at in the order of
that sum, so the first that fits is the best; combinations whose liquidity is all known go before
the others. An event's cheapest prices bound what it can give, so that only the events that
matter are combined.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Final, NamedTuple

from kos.domain.bets import dutch, kinds
from kos.domain.market.outcomes import DRAW, BetForm
from kos.domain.market.quotes import BACK_MARKET
from kos.domain.money import NOTHING, pennies, rounded
from kos.domain.opportunities.dutches import (
    DutchAnswer,
    DutchLeg,
    DutchOpportunity,
    DutchQuery,
    LegSide,
    OutcomeProfit,
)
from kos.domain.opportunities.event_prices import EventPrices
from kos.domain.opportunities.legs import ROLES, FormLegs, LegPrice, Reach
from kos.domain.opportunities.opportunity import BetQuery, Rejection, opportunity_id
from kos.domain.opportunities.scoring import (
    ScoringRules,
    back_sides,
    is_placeable,
    minutes_between,
    weighed,
    worth_of,
)
from kos.domain.opportunities.search import SLACK, BestFirst, Priced

_HALF_PENNY: Final = 0.005


class _Start(NamedTuple):
    """What is combined: all legs of an event, or those that go with one first leg."""

    board: EventPrices
    first: LegPrice | None
    form: BetForm
    """Form of the first leg's bet."""
    minutes: float


class _Combination(NamedTuple):
    """Legs that cover everything, the first leg first."""

    legs: tuple[LegPrice, ...]
    form: BetForm


class _Stakes(NamedTuple):
    """What is bet on each leg of a combination."""

    typed: tuple[Decimal, ...]
    """To the penny; for a lay the lay stake."""
    outlays: tuple[Decimal, ...]
    """What each leg loses if it fails."""
    profits: tuple[Decimal, ...]
    """Of each outcome: home, away and where there is one the draw; exact."""


_PricedDutch = Priced[_Combination, _Stakes]


class DutchRanker(BestFirst[DutchQuery, _Start, _Combination, _Stakes]):
    """One question about dutches at one moment; see `BestFirst`."""

    def __init__(self, query: DutchQuery, rules: ScoringRules, now: datetime) -> None:
        super().__init__(query, rules, now)
        self._has_odds_filter = query.min_odds is not None or query.max_odds is not None

    def consider(self, boards: Iterable[EventPrices]) -> None:
        """Count what is asked of events, and keep what could be offered."""
        bookmaker = self._query.bookmaker
        for board in boards:
            count = 1 if bookmaker is None else board.count_at(bookmaker)
            if not count:
                continue
            self._considered += count
            refused = self._refused_event(board)
            if refused is not None:
                self._rejected[refused[0]] += count
                continue
            minutes = minutes_between(self._now, board.kickoff)
            board.settle(self._now)
            if bookmaker is None:
                self._consider_event(board, minutes)
            else:
                self._consider_bookmaker(board, bookmaker, minutes)

    def answer(self) -> DutchAnswer:
        """The best dutches of what was considered."""
        return DutchAnswer(
            as_of=self._now,
            dutches=tuple(map(self._opportunity, self._best())),
            considered=self._considered,
            rejected=self._reasons(),
        )

    # --- what could be offered -----------------------------------------------------------------

    def _consider_event(self, board: EventPrices, minutes: float) -> None:
        reaches = board.legs(self._now).reach
        least = min(
            (self._least_sum(reach, form) for form, reach in reaches.items()),
            default=inf,
        )
        if least == inf:
            self._rejected[Rejection.INCOMPLETE] += 1
            return
        if self._query.only_arbs and least > 1.0 + SLACK:
            self._rejected[Rejection.NO_ARB] += 1
            return
        most_lay_odds = max(reach.most_lay_odds for reach in reaches.values())
        # The stakes' total is the one asked for but for what rounding moves it.
        astray = abs(1.0 / least - 1.0) * _HALF_PENNY * (ROLES + most_lay_odds)
        self._consider_start(_Start(board, None, BetForm.TWO_WAY, minutes), 1.0 / least, astray)

    def _consider_bookmaker(self, board: EventPrices, bookmaker: str, minutes: float) -> None:
        legs, tally = board.legs(self._now).at(bookmaker)
        self._rejected.update(tally)
        reaches = board.legs(self._now).reach if legs else {}
        for form, leg in legs:
            refused = self._refused_odds(_after_commission(leg)) if self._has_odds_filter else None
            others = inf
            if refused is None:
                others = self._least_others(reaches.get(form), leg.role, form)
                if others == inf:
                    refused = Rejection.INCOMPLETE
                elif self._query.only_arbs and others + leg.inverse > 1.0 + SLACK:
                    refused = Rejection.NO_ARB
            if refused is not None:
                self._rejected[refused] += 1
                continue
            kept = 1.0 - others
            ratio = kept * (1.0 / leg.inverse - self._held)
            if kept < 0.0 or ratio < 0.0:
                # What would be kept of nothing says nothing: it is looked at in any case.
                ratio = inf
            self._consider_start(_Start(board, leg, form, minutes), ratio)

    def _consider_start(self, start: _Start, ratio: float, astray: float = 0.0) -> None:
        minutes, duration = (start.minutes,) * 2, (start.board.duration_minutes,) * 2
        bound = self._bound(1, ratio, minutes=minutes, duration=duration, astray=astray)
        self._push(bound, start)

    def _least_sum(self, reach: Reach, form: BetForm) -> float:
        """No combination of the event has a smaller sum of inverses."""
        if not self._query.with_exchanges:
            return sum(reach.makers[:form])
        backs = reach.anywhere[:form]
        pairs = [back + lay for back, lay in zip(backs, reach.lays, strict=False)]
        return min(sum(backs), *pairs)

    def _least_others(self, reach: Reach | None, role: int, form: BetForm) -> float:
        """The same of what goes with a back of one outcome."""
        if reach is None:
            return inf
        is_anywhere = self._query.with_exchanges
        backs = (reach.anywhere if is_anywhere else reach.makers)[:form]
        others = sum(inverse for other, inverse in enumerate(backs) if other != role)
        return min(others, reach.lays[role]) if is_anywhere else others

    # --- the best combination ------------------------------------------------------------------

    def _take(self, start: _Start) -> _PricedDutch | None:
        """The first combination that fits, priced; None: counted why there is none."""
        priced = self._first_fitting(start)
        if isinstance(priced, Rejection):
            self._rejected[priced] += 1
            return None
        return priced

    def _first_fitting(self, start: _Start) -> _PricedDutch | Rejection:
        forms = start.board.legs(self._now).forms
        reason: Rejection | None = None
        for must_be_known in (True, False):
            partitions = list(self._partitions(start, forms, must_be_known=must_be_known))
            for combination in heapq.merge(*partitions, key=_sum_of):
                refused = self._refused_combination(start, combination)
                if refused is None:
                    stakes = self._stakes(start, combination)
                    if isinstance(stakes, _Stakes):
                        return self._priced(start, combination, stakes)
                    refused = stakes
                # Two bets at one place say less than anything else does.
                if reason in {None, Rejection.INCOMPLETE}:
                    reason = refused
        return reason or Rejection.INCOMPLETE

    def _partitions(
        self, start: _Start, forms: dict[BetForm, FormLegs], *, must_be_known: bool
    ) -> Iterator[Iterator[_Combination]]:
        """Each way to cover all outcomes, its combinations with the smallest sum first."""
        first = start.first

        def fitting(legs: Iterable[LegPrice]) -> list[LegPrice]:
            return [leg for leg in legs if self._is_fitting(leg, must_be_known=must_be_known)]

        for form, of_form in forms.items():
            if first is not None and form is not start.form:
                continue
            backs = [fitting(legs) for legs in of_form.backs]
            lays = [fitting(legs) for legs in of_form.lays]
            if first is not None:
                is_in = not must_be_known or first.is_known
                backs[first.role] = [first] if is_in else []
            roles = range(len(backs)) if first is None else (first.role,)
            yield _cheapest_first(backs, roles[0], form=form)
            for role in roles:
                yield _cheapest_first([backs[role], lays[role]], 0, form=form)

    def _is_fitting(self, leg: LegPrice, *, must_be_known: bool) -> bool:
        query = self._query
        if leg.is_exchange and (
            not query.with_exchanges
            or (must_be_known and not leg.is_known)
            or (
                query.min_liquidity is not None
                and (leg.available is None or leg.available < query.min_liquidity)
            )
        ):
            return False
        if leg.side is LegSide.LAY or query.bookmaker is not None or not self._has_odds_filter:
            return True
        return self._refused_odds(_after_commission(leg)) is None

    def _refused_odds(self, odds: Decimal) -> Rejection | None:
        if self._query.min_odds is not None and odds < self._query.min_odds:
            return Rejection.ODDS_TOO_LOW
        if self._query.max_odds is not None and odds > self._query.max_odds:
            return Rejection.ODDS_TOO_HIGH
        return None

    def _refused_combination(self, start: _Start, combination: _Combination) -> Rejection | None:
        """Why these legs do not go together, whatever the stakes."""
        legs = combination.legs
        if len({leg.family for leg in legs}) < len(legs):
            return Rejection.INCOMPLETE
        first, last = legs[0], legs[-1]
        is_pair = last.side is LegSide.LAY
        if is_pair and kinds.is_suspect_pair(_after_commission(first), last.odds):
            return Rejection.INVERTED
        # A pair is always judged as one.
        rating = _rating(legs, is_of_first=is_pair or start.first is not None)
        if rating > self._rules.max_rating and not all(self._is_certain(leg) for leg in legs):
            return Rejection.TOO_GOOD
        return None

    def _is_certain(self, leg: LegPrice) -> bool:
        brand_new = timedelta(seconds=self._rules.brand_new_s)
        return leg.confidence >= 1.0 and self._now - leg.updated_at <= brand_new

    # --- exact ---------------------------------------------------------------------------------

    def _stakes(self, start: _Start, combination: _Combination) -> _Stakes | Rejection:
        """What to bet, rounded, and what follows from that; or why it can't be placed."""
        legs = combination.legs
        effective = [leg.effective() for leg in legs]
        terms: BetQuery = self._query
        if start.first is None:
            total = dutch.return_of_total(Fraction(self._query.stake), effective)
            terms = BetQuery(stake=rounded(total / effective[0]))
        wins, loses = back_sides(terms, _after_commission(legs[0]), self._rules)
        returned = total if start.first is None else Fraction(wins - loses)
        typed, outlays = [terms.stake], [terms.stake if self._is_cash else NOTHING]
        gains = [NOTHING]
        for leg, odds in zip(legs[1:], effective[1:], strict=True):
            outlay, kept = returned / odds, 1 - leg.commission
            if leg.side is LegSide.LAY:
                stake = rounded(outlay / Fraction(leg.odds - 1))
                outlays.append(stake * (leg.odds - 1))
                gains.append(stake * kept)
            else:
                stake = rounded(outlay)
                outlays.append(stake)
                gains.append(stake * (leg.odds - 1) * kept)
            typed.append(stake)
        for leg, stake in zip(legs, typed, strict=True):
            if stake <= 0 or (leg.is_exchange and not is_placeable(stake, leg.odds, self._rules)):
                return Rejection.LAY_TOO_SMALL
        spent = sum(outlays[1:], NOTHING)
        profits = [
            wins - spent
            if (number := _covering(legs, role)) == 0
            else loses - spent + outlays[number] + gains[number]
            for role in range(combination.form)
        ]
        return _Stakes(tuple(typed), tuple(outlays), tuple(profits))

    def _priced(
        self, start: _Start, combination: _Combination, stakes: _Stakes
    ) -> _PricedDutch | Rejection:
        """What the stakes bring and where that ranks, or why it is not worth it."""
        query, board, legs = self._query, start.board, combination.legs
        profit = min(stakes.profits)
        worth = worth_of(query, profit, self._rules)
        if worth.is_worthless:
            return Rejection.NO_VALUE
        rating = _rating(legs, is_of_first=start.first is not None)
        if query.only_arbs and not (rating > 1 and profit > 0):
            return Rejection.NO_ARB
        fills = [
            float(leg.available / stake)
            for leg, stake in zip(legs, stakes.typed, strict=True)
            if leg.available is not None
        ]
        # A free bet's or a refund's own share of what is kept, see `bets`.
        kept = float(rating)
        if self._held:
            kept += self._held * (float(self._is_cash) - kept / float(legs[0].effective()))
        assessed = weighed(
            stakes,
            worth,
            query,
            self._rules,
            profit=profit,
            rating=_decimal(rating),
            kept=kept,
            fill=min((1.0, *fills)),
            is_known=all(leg.is_known for leg in legs),
            minutes=start.minutes,
            duration_minutes=board.duration_minutes,
            floor=board.floor,
        )
        first = "" if start.first is None else start.first.outcome
        name = opportunity_id(board.quotes.id, BACK_MARKET, "dutch", query.bookmaker or "", first)
        return Priced(name, board, combination, assessed)

    def _opportunity(self, priced: _PricedDutch) -> DutchOpportunity:
        (legs, form), stakes = priced.parts, priced.assessed.stakes
        quotes = priced.board.quotes
        # As the feed prints them: home, away and, where there is one, the draw.
        names = (quotes.home or "", quotes.away or "", DRAW)[:form]
        return DutchOpportunity(
            **self._shown(priced),
            legs=tuple(
                _leg(leg, stake, outlay, names)
                for leg, stake, outlay in zip(legs, stakes.typed, stakes.outlays, strict=True)
            ),
            outcomes=tuple(
                OutcomeProfit(name, pennies(profit))
                for name, profit in zip(names, stakes.profits, strict=True)
            ),
            total=sum((pennies(outlay) for outlay in stakes.outlays), NOTHING),
            book_sum=_decimal(dutch.book_sum([leg.effective() for leg in legs])),
        )


def _cheapest_first(
    lists: Sequence[Sequence[LegPrice]], first: int, *, form: BetForm
) -> Iterator[_Combination]:
    """One leg of each list, every combination once, in the order of the sum of inverses.

    Args:
        lists: Legs, the cheapest first.
        first: Which list's leg comes first in a combination.
        form: The form of the bet.
    """
    if not all(lists):
        return
    order = [first, *(number for number in range(len(lists)) if number != first)]
    start = (0,) * len(lists)
    waiting = [(sum(legs[0].inverse for legs in lists), start)]
    seen = {start}
    while waiting:
        _, chosen = heapq.heappop(waiting)
        yield _Combination(tuple(lists[number][chosen[number]] for number in order), form)
        for number, legs in enumerate(lists):
            position = chosen[number] + 1
            following = (*chosen[:number], position, *chosen[number + 1 :])
            if position < len(legs) and following not in seen:
                seen.add(following)
                total = sum(
                    options[place].inverse for options, place in zip(lists, following, strict=True)
                )
                heapq.heappush(waiting, (total, following))


def _rating(legs: Sequence[LegPrice], *, is_of_first: bool) -> Fraction:
    """What is left of one pound of own money: of the first leg's, or else of the total."""
    book = dutch.book_sum([leg.effective() for leg in legs])
    return 1 + legs[0].effective() * (1 - book) if is_of_first else 1 / book


def _after_commission(leg: LegPrice) -> Decimal:
    """The odds of a back, less the fee on its winnings."""
    return 1 + (leg.odds - 1) * (1 - leg.commission)


def _sum_of(combination: _Combination) -> float:
    return sum(leg.inverse for leg in combination.legs)


def _covering(legs: Sequence[LegPrice], role: int) -> int:
    """Which leg pays if this outcome happens."""
    return next(
        number
        for number, leg in enumerate(legs)
        if (leg.role == role) == (leg.side is LegSide.BACK)
    )


def _leg(leg: LegPrice, stake: Decimal, outlay: Decimal, names: Sequence[str]) -> DutchLeg:
    is_lay = leg.side is LegSide.LAY
    return DutchLeg(
        side=leg.side,
        outcome=leg.outcome,
        covers=tuple(name for role, name in enumerate(names) if (role == leg.role) != is_lay),
        place=leg.place,
        place_title=leg.title,
        is_exchange=leg.is_exchange,
        odds=leg.odds,
        commission=leg.commission,
        effective_odds=_decimal(leg.effective()),
        stake=stake,
        outlay=pennies(outlay),
        available=leg.available,
        updated_at=leg.updated_at,
        received_at=leg.received_at,
        is_delayed=leg.is_delayed,
        match_confidence=leg.confidence,
        market_id=leg.market_id,
        selection_id=leg.selection_id,
        link=leg.link,
    )


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
