"""One event's back prices and lays, prepared so that a question for any stake is cheap.

What does not depend on the stake, the kind of bet or the clock is worked out once, when a price
changes: which prices are the same bet, which lays are open and liquid, how good a pair can be at
most. Floats here only bound and order; every figure that is shown comes from the exact prices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter, itemgetter
from typing import Final

import msgspec

from kos.domain.bets.kinds import rating
from kos.domain.market.freshness import fresh_until
from kos.domain.market.outcomes import DRAW, BetForm, form_of, outcome_name
from kos.domain.market.places import OWN_EXCHANGE, OWN_TITLE
from kos.domain.market.quotes import (
    BACK_MARKET,
    LAY_MARKET,
    BookmakerQuotes,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    MarketQuotes,
    Verdict,
)
from kos.domain.market.sports import sport_of
from kos.domain.opportunities.hedges import (
    NEAR,
    NEVER,
    BackPrice,
    Bounds,
    HedgedBack,
    HedgedPrices,
    LayPrice,
    MakerBook,
    OwnBook,
    RejectionCounts,
    bounds_of,
    exchange_family,
    hedged_back,
    lay_figures,
    refused_pair,
    span_of_backs,
)
from kos.domain.opportunities.legs import EventLegs
from kos.domain.opportunities.opportunity import Rejection
from kos.domain.opportunities.scoring import ScoringRules, refused_for_size

EXCHANGES: Final = frozenset(
    {
        "betfair_ex_au",
        "betfair_ex_eu",
        "betfair_ex_uk",
        "betopenly",
        "kalshi",
        "matchbook",
        "novig",
        "polymarket",
        "prophetx",
        "smarkets",
    }
)
"""Keys of the feed that are exchanges: no one's bookmaker offer is there."""

_STANDARD_COMMISSION: Final = Decimal("0.05")
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


class EventPrices:
    """All prices of one event.

    Args:
        quotes: The feed's event.
        fetched_at: When it came.
        rules: What counts as fresh and liquid.
    """

    __slots__ = (
        "_columns",
        "_columns_until",
        "_found",
        "_is_alike",
        "_legs",
        "books",
        "count",
        "duration_minutes",
        "facts",
        "fetched_at",
        "floor",
        "kickoff",
        "lays",
        "no_lay",
        "own",
        "quotes",
        "rules",
        "seen_at",
        "settled_from",
        "settled_until",
        "span",
        "state",
        "tally",
    )

    def __init__(self, quotes: EventQuotes, fetched_at: datetime, rules: ScoringRules) -> None:
        self.quotes = quotes
        self.kickoff = quotes.kickoff
        self.fetched_at = self.seen_at = fetched_at
        """When the feed's prices came; and when the latest of all came."""
        self.rules = rules
        self.facts = sport_of(quotes.sport_key)
        self.floor = rules.floor_of(quotes.sport_key, self.facts)
        self.duration_minutes = self.facts.duration.total_seconds() / 60.0
        self.books: dict[str, MakerBook] = {}
        for bookmaker in quotes.bookmakers:
            book = self._book(bookmaker)
            if book is not None:
                self.books[bookmaker.key] = book
        self.count = 0
        """How many prices bookmakers have, exchanges left out."""
        for book in self.books.values():
            if book.commission is None:
                self.count += len(book.market.outcomes)
        self._columns_until = NEVER
        self._columns: dict[str, list[float]] = {}
        self.state: Rejection | None = None
        """Why nothing of this event may be offered now."""
        self.no_lay = Rejection.UNMATCHED
        """What to say of an outcome without any lay."""
        self.lays: dict[str, list[LayPrice]] = {}
        """By outcome, the one that keeps most first."""
        self.tally: RejectionCounts = {}
        """Bookmakers' prices that are not offered, by reason, as of the moment settled for."""
        self.span: Bounds | None = None
        """Bounds over those that are; None: there is none."""
        self._is_alike = False
        """Whether the same lays cover every bookmaker's price of an outcome that may be offered."""
        self._found: dict[str | None, tuple[tuple[HedgedBack, ...], RejectionCounts]] = {}
        self.own: OwnBook | None = None
        self._legs: EventLegs | None = None
        # Within these moments what is settled stands; a question looks before it calls settle.
        self.settled_from = self.settled_until = NEVER

    def cover(
        self,
        match: EventMatch | None = None,
        market: ExchangeMarket | None = None,
        book: MarketBook | None = None,
    ) -> None:
        """Update the event's lays from the feed and from the own account's book."""
        lays: dict[str, list[LayPrice]] = {}
        self.state = None
        self.own = None
        self.no_lay = Rejection.UNMATCHED
        superseded_until = NEVER
        if match is not None and match.verdict is Verdict.DOUBT:
            self.no_lay = Rejection.DOUBTFUL
        elif match is not None and match.verdict is Verdict.MATCH:
            self.no_lay = Rejection.NO_LAY
            if book is not None:
                if book.is_in_play:
                    self.state = Rejection.IN_PLAY
                elif book.status != "OPEN":
                    self.state = Rejection.SUSPENDED
                superseded_until = fresh_until(book.received_at, self.rules.max_exchange_age_s)
                self.own = self._own_book(match, market, book, superseded_until)
                self._add_own_lays(lays, self.own)
        self._add_feed_lays(lays, superseded_until)
        for prices in lays.values():
            prices.sort(reverse=True, key=attrgetter("keep"))
        self.lays = lays
        self.seen_at = self.fetched_at
        if book is not None:
            self.seen_at = max(book.received_at, self.fetched_at)
        self._settle(self.seen_at)

    def _book(self, bookmaker: BookmakerQuotes) -> MakerBook | None:
        markets = {market.key: market for market in bookmaker.markets}
        market = markets.get(BACK_MARKET)
        if market is None:
            return None
        commission = None
        if LAY_MARKET in markets or bookmaker.key in EXCHANGES:
            commission = self.rules.commissions.get(bookmaker.key)
            if commission is None:
                return None
        market = _with_draw_named(market)
        form = form_of([outcome.name for outcome in market.outcomes])
        is_other = self.facts.h2h_outcomes not in {None, form}
        refused = Rejection.OTHER_BET if is_other else None
        until = self._fresh_until(market)
        return MakerBook(bookmaker, market, until, refused, form, commission)

    def _fresh_until(self, market: MarketQuotes) -> datetime:
        fetch_age_s, source_age_s = self.rules.max_fetch_age_s, self.rules.max_source_age_s
        return fresh_until(self.fetched_at, fetch_age_s, market.updated_at, source_age_s)

    def _own_book(
        self,
        match: EventMatch,
        market: ExchangeMarket | None,
        book: MarketBook,
        until: datetime,
    ) -> OwnBook:
        rate = self.rules.commissions.get(OWN_EXCHANGE, _STANDARD_COMMISSION)
        open_form = form = None
        refused = None
        if market is not None:
            if market.base_rate is not None:
                rate = market.base_rate
            if market.discount_allowed:
                rate *= 1 - self.rules.betfair_discount
            form = form_of([runner.name for runner in market.runners])
            if self.facts.h2h_outcomes is None:
                open_form = form
            elif form is not self.facts.h2h_outcomes:
                refused = Rejection.OTHER_BET
        if refused is None and book.is_delayed and not self.rules.use_delayed_prices:
            refused = Rejection.DELAYED
        return OwnBook(match, book, rate, until, refused, open_form, form)

    def _add_own_lays(self, lays: dict[str, list[LayPrice]], own: OwnBook) -> None:
        book = own.book
        for outcome, runner in own.runners():
            if not (runner.to_lay and runner.to_lay[0].price > 1):
                continue
            best = runner.to_lay[0]
            lay = LayPrice(
                *self._lay_terms(best.price, own.rate, best.size, own.refused),
                fresh_until=own.fresh_until,
                open_form=own.open_form,
                exchange=OWN_EXCHANGE,
                title=OWN_TITLE,
                updated_at=book.published_at or book.received_at,
                received_at=book.received_at,
                market_id=book.market_id,
                selection_id=runner.selection_id,
                is_delayed=book.is_delayed,
                confidence=own.match.confidence,
            )
            lays.setdefault(outcome, []).append(lay)

    def _add_feed_lays(self, lays: dict[str, list[LayPrice]], superseded_until: datetime) -> None:
        betfair: list[tuple[datetime, str, BookmakerQuotes, MarketQuotes]] = []
        for bookmaker in self.quotes.bookmakers:
            if bookmaker.key not in self.rules.commissions:
                continue
            market = _market(bookmaker, LAY_MARKET)
            if market is None:
                continue
            if exchange_family(bookmaker.key) == OWN_EXCHANGE:
                seen_at = market.updated_at or self.fetched_at
                betfair.append((seen_at, bookmaker.key, bookmaker, market))
            else:
                self._add_block(lays, bookmaker, market, NEVER)
        if betfair:
            # One order book under two keys: the later reading is the truer one.
            _, _, bookmaker, market = max(betfair, key=itemgetter(0, 1))
            self._add_block(lays, bookmaker, market, superseded_until)

    def _add_block(
        self,
        lays: dict[str, list[LayPrice]],
        bookmaker: BookmakerQuotes,
        market: MarketQuotes,
        superseded_until: datetime,
    ) -> None:
        self.no_lay = Rejection.NO_LAY
        market = _with_draw_named(market)
        form = form_of([outcome.name for outcome in market.outcomes])
        expected = self.facts.h2h_outcomes
        is_other = expected is BetForm.TWO_WAY and form is BetForm.THREE_WAY
        refused = Rejection.OTHER_BET if is_other else None
        rate, until = self.rules.commissions[bookmaker.key], self._fresh_until(market)
        for quote in market.outcomes:
            if not quote.price > 1:
                continue
            available = quote.limit if self.rules.use_feed_limits else None
            lay = LayPrice(
                *self._lay_terms(quote.price, rate, available, refused),
                fresh_until=until,
                open_form=form if expected is None else None,
                exchange=bookmaker.key,
                title=bookmaker.title,
                updated_at=market.updated_at or self.fetched_at,
                received_at=self.fetched_at,
                superseded_until=superseded_until,
            )
            lays.setdefault(quote.name, []).append(lay)

    def _lay_terms(
        self,
        odds: Decimal,
        commission: Decimal,
        available: Decimal | None,
        refused: Rejection | None,
    ) -> tuple[float, float, float, Decimal, Decimal, float, Decimal | None, Rejection | None]:
        """The fields of a `LayPrice` up to what refuses it."""
        odds_f, commission_f = float(odds), float(commission)
        over = odds_f - commission_f
        available_f = float("inf") if available is None else float(available)
        refused = refused or refused_for_size(available, self.floor, self.rules)
        keep = (1 - commission_f) / over
        return keep, odds_f, over, odds, commission, available_f, available, refused

    def count_at(self, bookmaker: str) -> int:
        """How many prices a bookmaker has, or an exchange."""
        book = self.books.get(bookmaker)
        return 0 if book is None else len(book.market.outcomes)

    def titles(self) -> dict[str, str]:
        """Key to title of every bookmaker and exchange of the feed that has this event."""
        return {maker.key: maker.title for maker in self.quotes.bookmakers}

    def makers_at(self, now: datetime) -> list[str]:
        """Keys of the bookmakers whose prices count now."""
        return [
            key
            for key, book in self.books.items()
            if book.commission is None and book.refused is None and now <= book.fresh_until
        ]

    def exchanges_at(self, now: datetime) -> set[str]:
        """Keys of the exchanges on which something can be laid or backed now."""
        keys = {
            lay.exchange
            for lays in self.lays.values()
            for lay in lays
            if lay.refused is None and now <= lay.fresh_until
        }
        return keys | {
            key
            for key, book in self.books.items()
            if book.commission is not None and book.refused is None and now <= book.fresh_until
        }

    def settle(self, now: datetime) -> None:
        """Make `tally`, `span` and `covered` those of this moment.

        They only change when a price goes stale, so most calls do nothing.
        """
        if not self.settled_from <= now <= self.settled_until:
            self._settle(now)

    def covered(
        self, bookmaker: str | None, now: datetime
    ) -> tuple[tuple[HedgedBack, ...], RejectionCounts]:
        """The back prices that may be offered, and the count of the others by reason.

        Args:
            bookmaker: Its key, an exchange's too; None: of all that are no exchanges.
            now: The moment settled for.
        """
        answer = self._found.get(bookmaker)
        if answer is None:
            if bookmaker is None:
                books = [book for book in self.books.values() if book.commission is None]
            else:
                books = [self.books[bookmaker]] if bookmaker in self.books else []
            backs, tally, _ = self._look(books, self.open_lays(now), now)
            answer = (tuple(backs), tally)
            # An exchange's own prices do not shape the moment until which all is settled.
            if bookmaker is None or all(book.commission is None for book in books):
                self._found[bookmaker] = answer
        return answer

    def legs(self, now: datetime) -> EventLegs:
        """The prices as legs of a dutch.

        Args:
            now: The moment settled for.
        """
        if self._legs is None:
            self._legs = EventLegs(self, now)
        return self._legs

    def _settle(self, now: datetime) -> None:
        self._found.clear()
        self._legs = None
        until = _ALWAYS
        for book in self.books.values():
            if now <= book.fresh_until < until:
                until = book.fresh_until
        # The feed's copy of the own exchange is superseded until then too.
        if self.own is not None and now <= self.own.fresh_until < until:
            until = self.own.fresh_until
        for lays in self.lays.values():
            for lay in lays:
                if now <= lay.fresh_until < until:
                    until = lay.fresh_until
        open_lays = self.open_lays(now)
        glance = self._glance(open_lays, now)
        self._is_alike = glance is not None
        if glance is None:
            books = [book for book in self.books.values() if book.commission is None]
            backs, self.tally, believed_until = self._look(books, open_lays, now)
            until = min(until, believed_until)
            self._found[None] = (tuple(backs), self.tally)
            self.span = span_of_backs(backs) if backs else None
        else:
            self.tally, parts = glance
            self.span = bounds_of(parts) if parts else None
        self.settled_from = now
        self.settled_until = until

    def open_lays(self, now: datetime) -> dict[str, list[LayPrice]]:
        """By outcome, the lays that no fresher reading of the same order book replaces."""
        return {
            outcome: [lay for lay in lays if lay.superseded_until < now]
            for outcome, lays in self.lays.items()
        }

    def _glance(
        self, open_lays: dict[str, list[LayPrice]], now: datetime
    ) -> tuple[RejectionCounts, list[HedgedPrices]] | None:
        """Tally and parts from the longest and shortest odds of each outcome alone.

        None where some pair needs a look of its own: inverted, too good to be true, or of a
        form that the sport leaves open.
        """
        tally: RejectionCounts = {}
        columns = self._columns
        if now > self._columns_until or now < self.settled_from:
            columns = self._fill_columns(now)
        self._count_unfit(tally, now)
        parts: list[HedgedPrices] = []
        is_equal = self.rules.is_unknown_equal
        max_rating = float(self.rules.max_rating) * (1 - NEAR)
        for outcome, column in columns.items():
            top = max(column)
            reason: Rejection | None = None
            fitting: list[LayPrice] = []
            for lay in open_lays.get(outcome, ()):
                if lay.refused is not None:
                    reason = reason or lay.refused
                elif lay.open_form is not None or 100.0 * lay.odds_f - 95.0 * top <= NEAR * top:
                    return None
                elif now > lay.fresh_until:
                    reason = Rejection.STALE_LAY
                else:
                    fitting.append(lay)
            if not fitting:
                reason = reason or self.no_lay
                tally[reason] = tally.get(reason, 0) + len(column)
            elif top * fitting[0].keep > max_rating:
                return None
            else:
                figures = lay_figures(fitting, is_equal=is_equal)
                keeps = (fitting[0].keep, fitting[-1].keep)
                parts.append(HedgedPrices(top, min(column), *keeps, figures))
        return tally, parts

    def _fill_columns(self, now: datetime) -> dict[str, list[float]]:
        """By outcome, the odds of all bookmakers whose price is fresh and of this bet."""
        columns: defaultdict[str, list[float]] = defaultdict(list)
        until = _ALWAYS
        for book in self.books.values():
            if book.commission is not None or book.refused is not None or now > book.fresh_until:
                continue
            until = min(until, book.fresh_until)
            for quote in book.market.outcomes:
                if quote.name == DRAW and self.facts.is_draw_excluded:
                    continue
                columns[quote.name].append(float(quote.price))
        self._columns, self._columns_until = columns, until
        return columns

    def _count_unfit(self, tally: RejectionCounts, now: datetime) -> None:
        """Count bookmakers' prices that no lay could make an offer."""
        is_without_draw = self.facts.is_draw_excluded
        for book in self.books.values():
            if book.commission is not None:
                continue
            if not (is_without_draw and book.form is BetForm.THREE_WAY):
                reason = book.refused or (Rejection.STALE_BACK if now > book.fresh_until else None)
                if reason is not None:
                    tally[reason] = tally.get(reason, 0) + len(book.market.outcomes)
                continue
            for quote in book.market.outcomes:
                reason = Rejection.DRAW if quote.name == DRAW else book.refused
                if reason is None and now > book.fresh_until:
                    reason = Rejection.STALE_BACK
                if reason is not None:
                    tally[reason] = tally.get(reason, 0) + 1

    def _look(
        self, books: Iterable[MakerBook], open_lays: dict[str, list[LayPrice]], now: datetime
    ) -> tuple[list[HedgedBack], RejectionCounts, datetime]:
        """Each back price by itself: those covered, the others counted, until when that stands."""
        until = _ALWAYS
        backs: list[HedgedBack] = []
        tally: RejectionCounts = {}
        alike: dict[str, HedgedBack] = {}
        max_rating = float(self.rules.max_rating) * (1 - NEAR)
        is_equal = self.rules.is_unknown_equal
        for book in books:
            for back in self.backs(book):
                reason = back.refused
                if reason is None and now > back.fresh_until:
                    reason = Rejection.STALE_BACK
                if reason is None and self._is_alike and not back.is_exchange:
                    first = alike.get(back.quote.name)
                    if first is not None:
                        backs.append(HedgedBack(back, first.lays, first.figures))
                        continue
                if reason is None:
                    fitting, reason = self._fitting(back, open_lays.get(back.quote.name, ()), now)
                    if fitting and back.odds_f * fitting[0].keep > max_rating:
                        fitting, believed_until = self._believed(back, fitting, now)
                        until = min(until, believed_until)
                        reason = None if fitting else Rejection.TOO_GOOD
                if reason is None:
                    covered = hedged_back(back, fitting, is_equal=is_equal)
                    backs.append(covered)
                    alike[back.quote.name] = covered
                else:
                    tally[reason] = tally.get(reason, 0) + 1
        return backs, tally, until

    def backs(self, book: MakerBook) -> Iterator[BackPrice]:
        """The prices of one of `books`, each with what refuses it."""
        fee = book.commission
        for quote in book.market.outcomes:
            is_excluded = self.facts.is_draw_excluded and quote.name == DRAW
            odds = quote.price if fee is None else 1 + (quote.price - 1) * (1 - fee)
            yield BackPrice(
                float(odds),
                odds,
                book.fresh_until,
                Rejection.DRAW if is_excluded else book.refused,
                book.form,
                fee is not None,
                quote,
                book.market,
                book.bookmaker,
            )

    def _fitting(
        self, back: BackPrice, lays: Sequence[LayPrice], now: datetime
    ) -> tuple[list[LayPrice], Rejection | None]:
        """The lays that may cover a back price, or why none does."""
        fitting: list[LayPrice] = []
        reason: Rejection | None = None
        is_stale = False
        for lay in lays:
            refused = refused_pair(back, lay)
            if refused is not None:
                reason = reason or refused
            elif now > lay.fresh_until:
                is_stale = True
            else:
                fitting.append(lay)
        if fitting:
            return fitting, None
        if is_stale:
            return fitting, Rejection.STALE_LAY
        return fitting, reason or self.no_lay

    def _believed(
        self, back: BackPrice, lays: Sequence[LayPrice], now: datetime
    ) -> tuple[list[LayPrice], datetime]:
        """The lays whose pair is not too good to be true, and until when that stands."""
        until = _ALWAYS
        believed: list[LayPrice] = []
        for lay in lays:
            if rating(back.odds, lay.odds, lay.commission) <= self.rules.max_rating:
                believed.append(lay)
                continue
            if lay.confidence < 1.0:
                continue
            seen_at = min(lay.updated_at, back.market.updated_at or self.fetched_at)
            new_until = fresh_until(seen_at, self.rules.brand_new_s)
            if now <= new_until:
                believed.append(lay)
                until = min(until, new_until)
        return believed, until


def _with_draw_named(market: MarketQuotes) -> MarketQuotes:
    """The market with its draw called `DRAW`, however its source spells it."""
    if all(outcome_name(outcome.name) == outcome.name for outcome in market.outcomes):
        return market
    outcomes = tuple(
        msgspec.structs.replace(outcome, name=outcome_name(outcome.name))
        for outcome in market.outcomes
    )
    return msgspec.structs.replace(market, outcomes=outcomes)


def _market(bookmaker: BookmakerQuotes, key: str) -> MarketQuotes | None:
    return next((market for market in bookmaker.markets if market.key == key), None)
