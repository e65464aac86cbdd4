"""What has become of one opportunity that someone has on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kos.domain.market.freshness import fresh_until
from kos.domain.market.quotes import BACK_MARKET, OutcomeQuote
from kos.domain.opportunities.event_prices import EventPrices
from kos.domain.opportunities.hedges import BackPrice, LayPrice, MakerBook, refused_pair
from kos.domain.opportunities.opportunity import (
    MAX_LIMIT,
    OpportunityQuery,
    OpportunityState,
    Rejection,
    event_tag,
    opportunity_id,
)
from kos.domain.opportunities.ranking import Ranker, pair_terms
from kos.domain.opportunities.scoring import ScoringRules, assess, minutes_between

Reason = tuple[Rejection, datetime | None]
"""Why an opportunity is not offered, and from when on that is known."""


def standing(
    wanted: str,
    boards: Iterable[EventPrices],
    query: OpportunityQuery,
    rules: ScoringRules,
    now: datetime,
) -> OpportunityState:
    """An opportunity as it is now, or why it is not offered any more.

    Args:
        wanted: Its id.
        boards: All events.
        query: Kind, stake and what comes with them; its filters play no part.
        rules: What counts as fresh, liquid and worthwhile.
        now: Timezone-aware.
    """
    reason: Reason = (Rejection.NOT_QUOTED, None)
    for board in boards:
        if not wanted.startswith(event_tag(board.quotes.id)):
            continue
        reason = (Rejection.NOT_QUOTED, board.fetched_at)
        place = _place(wanted, board, rules)
        if place is None:
            continue
        book, quote, exchange = place
        terms = OpportunityQuery(
            kind=query.kind,
            stake=query.stake,
            free_bet_value=query.free_bet_value,
            refund_value=query.refund_value,
            is_refund_cash=query.is_refund_cash,
            bookmaker=book.bookmaker.key,
            exchange=exchange,
            limit=MAX_LIMIT,
        )
        ranker = Ranker(terms, rules, now)
        ranker.consider(ranker.survey((board,)))
        for opportunity in ranker.ranked().answer.opportunities:
            if opportunity.id == wanted:
                return OpportunityState(as_of=now, opportunity=opportunity)
        reason = _why_not(board, book, quote, exchange, terms=terms, rules=rules, now=now)
        break
    return OpportunityState(as_of=now, opportunity=None, rejection=reason[0], since=reason[1])


def _place(
    wanted: str, board: EventPrices, rules: ScoringRules
) -> tuple[MakerBook, OutcomeQuote, str] | None:
    """The bookmaker's price and the exchange that an id names; None: no longer quoted."""
    exchanges = {lay.exchange for lays in board.lays.values() for lay in lays}
    exchanges |= rules.commissions.keys()
    for book in board.books.values():
        key = book.bookmaker.key
        for quote in book.market.outcomes:
            for exchange in exchanges:
                named = opportunity_id(board.quotes.id, BACK_MARKET, quote.name, key, exchange)
                if named == wanted:
                    return book, quote, exchange
    return None


def _why_not(
    board: EventPrices,
    book: MakerBook,
    quote: OutcomeQuote,
    exchange: str,
    *,
    terms: OpportunityQuery,
    rules: ScoringRules,
    now: datetime,
) -> Reason:
    """Why a pair is not offered; the reason that lies deepest comes first."""
    reason = _event_reason(board, rules, now)
    if reason is not None:
        return reason
    back = next(back for back in board.backs(book) if back.quote is quote)
    if back.refused is not None:
        return back.refused, board.fetched_at
    if now > back.fresh_until:
        return Rejection.STALE_BACK, back.fresh_until
    lay = next((lay for lay in board.lays.get(quote.name, ()) if lay.exchange == exchange), None)
    if lay is None:
        return board.no_lay, board.seen_at
    return _pair_reason(board, back, lay, terms=terms, rules=rules, now=now)


def _event_reason(board: EventPrices, rules: ScoringRules, now: datetime) -> Reason | None:
    if now >= board.kickoff:
        return Rejection.STARTED, board.kickoff
    if board.state is not None:
        return board.state, board.seen_at
    soon = board.kickoff - timedelta(minutes=rules.min_minutes_to_kickoff)
    return (Rejection.TOO_SOON, soon) if now > soon else None


def _pair_reason(
    board: EventPrices,
    back: BackPrice,
    lay: LayPrice,
    *,
    terms: OpportunityQuery,
    rules: ScoringRules,
    now: datetime,
) -> Reason:
    seen_at = max(board.fetched_at, lay.received_at)
    refused = refused_pair(back, lay)
    if refused is not None:
        return refused, seen_at
    if lay.superseded_until >= now:
        return Rejection.SUPERSEDED, board.seen_at
    if now > lay.fresh_until:
        return Rejection.STALE_LAY, lay.fresh_until
    pair = pair_terms(board, back, lay, minutes_between(now, board.kickoff))
    assessed = assess(pair, terms, rules)
    if isinstance(assessed, Rejection):
        return assessed, seen_at
    # Everything else was looked at: such a pair is believed only while it is brand new.
    if lay.confidence < 1:
        return Rejection.TOO_GOOD, seen_at
    believed_at = min(lay.updated_at, back.market.updated_at or board.fetched_at)
    return Rejection.TOO_GOOD, fresh_until(believed_at, rules.brand_new_s)
