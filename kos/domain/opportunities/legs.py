"""The prices of one event as legs of a dutch: what covers which outcome, the cheapest first.

A leg is bounded and ordered by the inverse of its effective odds, the price of a pound that is
paid if it wins. Floats here only order; every figure that is shown comes from the exact prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from kos.domain.market.commission import back_odds_after_commission, lay_as_back_odds
from kos.domain.market.outcomes import DRAW, BetForm
from kos.domain.market.places import OWN_EXCHANGE, OWN_TITLE
from kos.domain.market.quotes import OutcomeQuote
from kos.domain.opportunities.dutches import LegSide
from kos.domain.opportunities.hedges import (
    LayPrice,
    MakerBook,
    RejectionCounts,
    exchange_family,
)
from kos.domain.opportunities.opportunity import Rejection
from kos.domain.opportunities.scoring import refused_for_size

if TYPE_CHECKING:
    from kos.domain.opportunities.event_prices import EventPrices

ROLES: Final = 3
"""Home, away, draw: the positions of an event's outcomes."""
DRAW_ROLE: Final = 2


class LegPrice(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One price that covers an outcome, or for a lay all other outcomes."""

    inverse: float
    """1/e, e the effective odds of a back of what it covers."""
    side: LegSide
    outcome: str
    role: int
    """Of `outcome`."""
    place: str
    family: str
    """One name for all keys of one order book: no dutch uses a place twice."""
    title: str
    is_exchange: bool
    is_known: bool
    """Ranks as one of known liquidity."""
    odds: Decimal
    """As quoted."""
    commission: Decimal
    available: Decimal | None
    updated_at: datetime
    received_at: datetime
    is_delayed: bool = False
    confidence: float = 1.0
    market_id: str | None = None
    selection_id: int | None = None
    link: str | None = None

    def effective(self) -> Fraction:
        """The exact odds of the equivalent back without a fee."""
        odds, rate = Fraction(self.odds), Fraction(self.commission)
        if self.side is LegSide.LAY:
            return lay_as_back_odds(odds, rate)
        return back_odds_after_commission(odds, rate)


class Reach:
    """The least inverse of each outcome at bookmakers, on exchanges, and by a lay of it."""

    __slots__ = ("anywhere", "exchanges", "lays", "makers", "most_lay_odds")

    def __init__(self) -> None:
        self.makers = [inf] * ROLES
        self.exchanges = [inf] * ROLES
        self.anywhere = [inf] * ROLES
        """Of bookmakers and exchanges."""
        self.lays = [inf] * ROLES
        """What covers all outcomes but this one."""
        self.most_lay_odds = 1.0


class FormLegs:
    """All legs of one form of the bet, by outcome, the cheapest first."""

    __slots__ = ("backs", "lays")

    def __init__(self, size: int) -> None:
        self.backs: list[list[LegPrice]] = [[] for _ in range(size)]
        self.lays: list[list[LegPrice]] = [[] for _ in range(size)]


class EventLegs:
    """One event's prices as legs, each list made when it is first asked for.

    It keeps the event's prices and not the event, which keeps it: so both are freed at once.

    Args:
        board: The event.
        now: The moment it is settled for; what is stale by then is left out.
    """

    def __init__(self, board: EventPrices, now: datetime) -> None:
        self._rules = board.rules
        self._facts = board.facts
        self._floor = board.floor
        self._fetched_at = board.fetched_at
        self._all_books = board.books
        self._open_lays = board.open_lays(now)
        self._own = board.own if board.own and now <= board.own.fresh_until else None
        """The own account's book if it counts now."""
        self._now = now
        quotes = board.quotes
        self._roles: dict[str, int] = {}
        """Outcome to its position; empty where the event has no two sides."""
        if quotes.home is not None and quotes.away is not None:
            self._roles = {} if board.facts.is_draw_excluded else {DRAW: DRAW_ROLE}
            self._roles |= {quotes.home: 0, quotes.away: 1}
        self._of_bookmaker: dict[str, tuple[list[tuple[BetForm, LegPrice]], RejectionCounts]] = {}

    @cached_property
    def forms(self) -> dict[BetForm, FormLegs]:
        """Every price that may be a leg of a dutch, by form of the bet: with a draw or without."""
        forms: dict[BetForm, FormLegs] = {}
        for book in self._books:
            of_form = forms.setdefault(book.form, FormLegs(book.form))
            for quote in book.market.outcomes:
                leg = self._back(book, quote)
                if isinstance(leg, LegPrice) and leg.role < len(of_form.backs):
                    of_form.backs[leg.role].append(leg)
        for form, leg in self._own_backs():
            forms.setdefault(form, FormLegs(form)).backs[leg.role].append(leg)
        for form, of_form in forms.items():
            for outcome, role, lay in self._lays:
                if role < len(of_form.lays) and lay.open_form in {None, form}:
                    of_form.lays[role].append(self._lay(outcome, role, lay))
            for legs in (*of_form.backs, *of_form.lays):
                legs.sort(key=attrgetter("inverse", "place"))
        return forms

    @cached_property
    def reach(self) -> dict[BetForm, Reach]:
        """How cheap `forms` can cover the outcomes at best, at a fraction of the work."""
        reaches: dict[BetForm, Reach] = {}
        for book in self._books:
            reach = reaches.get(book.form)
            if reach is None:
                reach = reaches[book.form] = Reach()
            best, kept = reach.makers, 1.0
            if book.commission is not None:
                best, kept = reach.exchanges, 1.0 - float(book.commission)
            for quote in book.market.outcomes:
                role = self._roles.get(quote.name)
                if role is not None:
                    inverse = 1.0 / (1.0 + (float(quote.price) - 1.0) * kept)
                    best[role] = min(best[role], inverse)
        for form, leg in self._own_backs():
            best = reaches.setdefault(form, Reach()).exchanges
            best[leg.role] = min(best[leg.role], leg.inverse)
        for form, reach in reaches.items():
            reach.anywhere = list(map(min, reach.makers, reach.exchanges))
            for _, role, lay in self._lays:
                if lay.open_form in {None, form}:
                    reach.lays[role] = min(reach.lays[role], _inverse_of_lay(lay))
                    reach.most_lay_odds = max(reach.most_lay_odds, lay.odds_f)
        return reaches

    def at(self, bookmaker: str) -> tuple[list[tuple[BetForm, LegPrice]], RejectionCounts]:
        """The prices of a bookmaker, or of an exchange of the feed, and the others by reason."""
        remembered = self._of_bookmaker.get(bookmaker)
        if remembered is not None:
            return remembered
        legs: list[tuple[BetForm, LegPrice]] = []
        tally: RejectionCounts = {}
        self._of_bookmaker[bookmaker] = legs, tally
        book = self._all_books[bookmaker]
        for quote in book.market.outcomes:
            leg: LegPrice | Rejection
            if self._facts.is_draw_excluded and quote.name == DRAW:
                leg = Rejection.DRAW
            elif book.refused is not None:
                leg = book.refused
            elif self._now > book.fresh_until:
                leg = Rejection.STALE_BACK
            else:
                leg = self._back(book, quote)
            if isinstance(leg, LegPrice):
                legs.append((book.form, leg))
            else:
                tally[leg] = tally.get(leg, 0) + 1
        return legs, tally

    @cached_property
    def _books(self) -> list[MakerBook]:
        """Bookmakers and exchanges of the feed whose prices count now."""
        books: list[MakerBook] = []
        betfair: MakerBook | None = None
        for book in self._all_books.values():
            if book.refused is not None or self._now > book.fresh_until:
                continue
            if book.commission is None or exchange_family(book.bookmaker.key) != OWN_EXCHANGE:
                books.append(book)
            elif betfair is None or self._reading(book) > self._reading(betfair):
                betfair = book
        if betfair is not None and self._own is None:
            books.append(betfair)
        return books

    @cached_property
    def _lays(self) -> list[tuple[str, int, LayPrice]]:
        """The lays that count now, each with its outcome and the role of that."""
        return [
            (outcome, self._roles[outcome], lay)
            for outcome, lays in self._open_lays.items()
            if outcome in self._roles
            for lay in lays
            if lay.refused is None and self._now <= lay.fresh_until
        ]

    def _reading(self, book: MakerBook) -> tuple[datetime, str]:
        """Of one order book under two keys the later reading is the truer one."""
        return book.market.updated_at or self._fetched_at, book.bookmaker.key

    def _back(self, book: MakerBook, quote: OutcomeQuote) -> LegPrice | Rejection:
        """A price of the feed as a leg, or why it is none."""
        role = self._roles.get(quote.name)
        if role is None or not quote.price > 1:
            return Rejection.INCOMPLETE
        available = None
        if book.commission is not None:
            available = quote.limit if self._rules.use_feed_limits else None
            refused = refused_for_size(available, self._floor, self._rules)
            if refused is not None:
                return refused
        key = book.bookmaker.key
        return LegPrice(
            inverse=_inverse_of_back(quote.price, book.commission),
            side=LegSide.BACK,
            outcome=quote.name,
            role=role,
            place=key,
            family=exchange_family(key),
            title=book.bookmaker.title,
            is_exchange=book.commission is not None,
            is_known=book.commission is None or self._is_known(available),
            odds=quote.price,
            commission=book.commission or Decimal(0),
            available=available,
            updated_at=book.market.updated_at or self._fetched_at,
            received_at=self._fetched_at,
            link=quote.link or book.market.link or book.bookmaker.link,
        )

    def _own_backs(self) -> Iterator[tuple[BetForm, LegPrice]]:
        """What can be backed on the own account's exchange, with the form of the bet."""
        own = self._own
        if own is None or own.refused is not None or own.form is None:
            return
        book = own.book
        for outcome, runner in own.runners():
            role = self._roles.get(outcome, ROLES)
            if role >= own.form or not (runner.to_back and runner.to_back[0].price > 1):
                continue
            best = runner.to_back[0]
            if refused_for_size(best.size, self._floor, self._rules) is None:
                leg = LegPrice(
                    inverse=_inverse_of_back(best.price, own.rate),
                    side=LegSide.BACK,
                    outcome=outcome,
                    role=role,
                    place=OWN_EXCHANGE,
                    family=OWN_EXCHANGE,
                    title=OWN_TITLE,
                    is_exchange=True,
                    is_known=True,
                    odds=best.price,
                    commission=own.rate,
                    available=best.size,
                    updated_at=book.published_at or book.received_at,
                    received_at=book.received_at,
                    is_delayed=book.is_delayed,
                    confidence=own.match.confidence,
                    market_id=book.market_id,
                    selection_id=runner.selection_id,
                )
                yield own.form, leg

    def _lay(self, outcome: str, role: int, lay: LayPrice) -> LegPrice:
        return LegPrice(
            inverse=_inverse_of_lay(lay),
            side=LegSide.LAY,
            outcome=outcome,
            role=role,
            place=lay.exchange,
            family=exchange_family(lay.exchange),
            title=lay.title,
            is_exchange=True,
            is_known=self._is_known(lay.available),
            odds=lay.odds,
            commission=lay.commission,
            available=lay.available,
            updated_at=lay.updated_at,
            received_at=lay.received_at,
            is_delayed=lay.is_delayed,
            confidence=lay.confidence,
            market_id=lay.market_id,
            selection_id=lay.selection_id,
        )

    def _is_known(self, available: Decimal | None) -> bool:
        return available is not None or self._rules.is_unknown_equal


def _inverse_of_back(odds: Decimal, commission: Decimal | None) -> float:
    kept = 1.0 if commission is None else 1.0 - float(commission)
    return 1.0 / (1.0 + (float(odds) - 1.0) * kept)


def _inverse_of_lay(lay: LayPrice) -> float:
    return (lay.odds_f - 1.0) / lay.over
