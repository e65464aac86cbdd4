"""One event's back prices and lays, prepared so that a question for any stake is cheap.

What does not depend on the stake, the kind of bet or the clock is worked out once, when a price
changes: which prices are the same bet, which lays are open and liquid, how good a pair can be at
most. Floats here only bound and order; every figure that is shown comes from the exact prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
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
    BackPrice,
    Bounds,
    HedgedBack,
    HedgedPrices,
    LayPrice,
    MakerBook,
    OwnBook,
    bounds_of,
    exchange_family,
    hedged_back,
    refused_pair,
    same_hedges,
)
from kos.domain.opportunities.legs import DRAW_ROLE, FormLegs, LegPrice, LegTable, Reach
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
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


RejectionCounts = dict[Rejection, int]


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
        "_first_legs",
        "_forms",
        "_found",
        "_is_alike",
        "_is_equal",
        "_reach",
        "_rules",
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
        self._rules = rules
        self._is_equal = rules.is_unknown_equal
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
        self._columns_until = _NEVER
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
        self._forms: dict[BetForm, FormLegs] | None = None
        self._first_legs: dict[str, tuple[list[tuple[BetForm, LegPrice]], RejectionCounts]] = {}
        self._reach: dict[BetForm, Reach] | None = None
        # Within these moments what is settled stands; a question looks before it calls settle.
        self.settled_from = self.settled_until = _NEVER

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
        superseded_until = _NEVER
        if match is not None and match.verdict is Verdict.DOUBT:
            self.no_lay = Rejection.DOUBTFUL
        elif match is not None and match.verdict is Verdict.MATCH:
            self.no_lay = Rejection.NO_LAY
            if book is not None:
                if book.is_in_play:
                    self.state = Rejection.IN_PLAY
                elif book.status != "OPEN":
                    self.state = Rejection.SUSPENDED
                superseded_until = fresh_until(book.received_at, self._rules.max_exchange_age_s)
                self.own = self._own_book(match, market, book, superseded_until)
                self._add_own_lays(lays, self.own)
        self._add_feed_lays(lays, superseded_until)
        for prices in lays.values():
            prices.sort(reverse=True, key=_keep)
        self.lays = lays
        self.seen_at = self.fetched_at
        if book is not None:
            self.seen_at = max(book.received_at, self.fetched_at)
        self._settle(self.seen_at)

    def _book(self, bookmaker: BookmakerQuotes) -> MakerBook | None:
        market = lay_market = None
        for listed in bookmaker.markets:
            if listed.key == BACK_MARKET:
                market = listed
            elif listed.key == LAY_MARKET:
                lay_market = listed
        if market is None:
            return None
        commission = None
        if lay_market is not None or bookmaker.key in EXCHANGES:
            commission = self._rules.commissions.get(bookmaker.key)
            if commission is None:
                return None
        market = _with_draw_named(market)
        form = form_of([outcome.name for outcome in market.outcomes])
        is_other = self.facts.h2h_outcomes not in {None, form}
        until = fresh_until(
            self.fetched_at,
            self._rules.max_fetch_age_s,
            market.updated_at,
            self._rules.max_source_age_s,
        )
        refused = Rejection.OTHER_BET if is_other else None
        return MakerBook(bookmaker, market, until, refused, form, commission)

    def _own_book(
        self,
        match: EventMatch,
        market: ExchangeMarket | None,
        book: MarketBook,
        until: datetime,
    ) -> OwnBook:
        rate = self._rules.commissions.get(OWN_EXCHANGE, _STANDARD_COMMISSION)
        open_form = form = None
        refused = None
        if market is not None:
            if market.base_rate is not None:
                rate = market.base_rate
            if market.discount_allowed:
                rate *= 1 - self._rules.betfair_discount
            form = form_of([runner.name for runner in market.runners])
            if self.facts.h2h_outcomes is None:
                open_form = form
            elif form is not self.facts.h2h_outcomes:
                refused = Rejection.OTHER_BET
        if refused is None and book.is_delayed and not self._rules.use_delayed_prices:
            refused = Rejection.DELAYED
        return OwnBook(match, book, rate, until, refused, open_form, form)

    def _add_own_lays(self, lays: dict[str, list[LayPrice]], own: OwnBook) -> None:
        book = own.book
        for outcome, runner in own.runners():
            if not (runner.to_lay and runner.to_lay[0].price > 1):
                continue
            best = runner.to_lay[0]
            lays.setdefault(outcome, []).append(
                self._lay(
                    best.price,
                    own.rate,
                    best.size,
                    until=own.fresh_until,
                    refused=own.refused,
                    open_form=own.open_form,
                    exchange=OWN_EXCHANGE,
                    title=OWN_TITLE,
                    market_id=book.market_id,
                    selection_id=runner.selection_id,
                    updated_at=book.published_at or book.received_at,
                    received_at=book.received_at,
                    is_delayed=book.is_delayed,
                    confidence=own.match.confidence,
                )
            )

    def _add_feed_lays(self, lays: dict[str, list[LayPrice]], superseded_until: datetime) -> None:
        newest_betfair: tuple[datetime, BookmakerQuotes, MarketQuotes] | None = None
        for bookmaker in self.quotes.bookmakers:
            if bookmaker.key not in self._rules.commissions:
                continue
            market = _market(bookmaker, LAY_MARKET)
            if market is None:
                continue
            if exchange_family(bookmaker.key) != OWN_EXCHANGE:
                self._add_block(lays, bookmaker, market, _NEVER)
                continue
            # One order book under two keys: the later reading is the truer one.
            seen_at = market.updated_at or self.fetched_at
            if (
                newest_betfair is None
                or seen_at > newest_betfair[0]
                or (seen_at == newest_betfair[0] and bookmaker.key > newest_betfair[1].key)
            ):
                newest_betfair = (seen_at, bookmaker, market)
        if newest_betfair is not None:
            self._add_block(lays, newest_betfair[1], newest_betfair[2], superseded_until)

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
        until = fresh_until(
            self.fetched_at,
            self._rules.max_fetch_age_s,
            market.updated_at,
            self._rules.max_source_age_s,
        )
        for quote in market.outcomes:
            if not quote.price > 1:
                continue
            lays.setdefault(quote.name, []).append(
                self._lay(
                    quote.price,
                    self._rules.commissions[bookmaker.key],
                    quote.limit if self._rules.use_feed_limits else None,
                    until=until,
                    refused=Rejection.OTHER_BET if is_other else None,
                    open_form=form if expected is None else None,
                    exchange=bookmaker.key,
                    title=bookmaker.title,
                    market_id=None,
                    selection_id=None,
                    updated_at=market.updated_at or self.fetched_at,
                    received_at=self.fetched_at,
                    is_delayed=False,
                    confidence=1.0,
                    superseded_until=superseded_until,
                )
            )

    def _lay(
        self,
        odds: Decimal,
        commission: Decimal,
        available: Decimal | None,
        *,
        until: datetime,
        refused: Rejection | None,
        open_form: BetForm | None,
        exchange: str,
        title: str,
        market_id: str | None,
        selection_id: int | None,
        updated_at: datetime,
        received_at: datetime,
        is_delayed: bool,
        confidence: float,
        superseded_until: datetime = _NEVER,
    ) -> LayPrice:
        odds_f, commission_f = float(odds), float(commission)
        refused = refused or refused_for_size(available, self.floor, self._rules)
        return LayPrice(
            keep=(1 - commission_f) / (odds_f - commission_f),
            odds_f=odds_f,
            over=odds_f - commission_f,
            odds=odds,
            commission=commission,
            available_f=float("inf") if available is None else float(available),
            available=available,
            fresh_until=until,
            refused=refused,
            open_form=open_form,
            exchange=exchange,
            title=title,
            market_id=market_id,
            selection_id=selection_id,
            updated_at=updated_at,
            received_at=received_at,
            is_delayed=is_delayed,
            confidence=confidence,
            superseded_until=superseded_until,
        )

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
            backs, tally, _ = self._look(books, self._open_lays(now), now)
            answer = (tuple(backs), tally)
            # An exchange's own prices do not shape the moment until which all is settled.
            if bookmaker is None or all(book.commission is None for book in books):
                self._found[bookmaker] = answer
        return answer

    def forms(self, now: datetime) -> dict[BetForm, FormLegs]:
        """Every price that may be a leg of a dutch, by form of the bet: with a draw or without.

        Args:
            now: The moment settled for.
        """
        if self._forms is None:
            self._forms = self._leg_table().forms(*self._leg_sources(now))
        return self._forms

    def reach(self, now: datetime) -> dict[BetForm, Reach]:
        """How cheap the outcomes can be covered at best, by form of the bet.

        Args:
            now: The moment settled for.
        """
        if self._reach is None:
            self._reach = self._leg_table().reach(*self._leg_sources(now))
        return self._reach

    def first_legs(
        self, bookmaker: str, now: datetime
    ) -> tuple[list[tuple[BetForm, LegPrice]], RejectionCounts]:
        """A bookmaker's prices as legs, each with its form of the bet, and the others by reason.

        Args:
            bookmaker: The key of one of `books`, which may be an exchange of the feed.
            now: The moment settled for.
        """
        remembered = self._first_legs.get(bookmaker)
        if remembered is not None:
            return remembered
        legs: list[tuple[BetForm, LegPrice]] = []
        tally: RejectionCounts = {}
        self._first_legs[bookmaker] = legs, tally
        book, table = self.books[bookmaker], self._leg_table()
        for quote in book.market.outcomes:
            leg: LegPrice | Rejection
            if self.facts.is_draw_excluded and quote.name == DRAW:
                leg = Rejection.DRAW
            elif book.refused is not None:
                leg = book.refused
            elif now > book.fresh_until:
                leg = Rejection.STALE_BACK
            else:
                leg = table.back(book, quote)
            if isinstance(leg, LegPrice):
                legs.append((book.form, leg))
            else:
                tally[leg] = tally.get(leg, 0) + 1
        return legs, tally

    def _leg_table(self) -> LegTable:
        roles: dict[str, int] = {}
        if self.quotes.home is not None and self.quotes.away is not None:
            roles = {} if self.facts.is_draw_excluded else {DRAW: DRAW_ROLE}
            roles |= {self.quotes.home: 0, self.quotes.away: 1}
        return LegTable(roles, self._rules, self.floor, self.fetched_at)

    def _leg_sources(
        self, now: datetime
    ) -> tuple[list[MakerBook], OwnBook | None, dict[str, list[LayPrice]]]:
        """The books and lays that count now."""
        own = self.own if self.own is not None and now <= self.own.fresh_until else None
        books: list[MakerBook] = []
        betfair: MakerBook | None = None
        for book in self.books.values():
            if book.refused is not None or now > book.fresh_until:
                continue
            if book.commission is None or exchange_family(book.bookmaker.key) != OWN_EXCHANGE:
                books.append(book)
            elif betfair is None or self._reading(book) > self._reading(betfair):
                betfair = book
        if betfair is not None and own is None:
            books.append(betfair)
        lays = {
            outcome: [lay for lay in lays if lay.refused is None and now <= lay.fresh_until]
            for outcome, lays in self._open_lays(now).items()
        }
        return books, own, lays

    def _reading(self, book: MakerBook) -> tuple[datetime, str]:
        """Of one order book under two keys the later reading is the truer one."""
        return book.market.updated_at or self.fetched_at, book.bookmaker.key

    def _settle(self, now: datetime) -> None:
        self._found.clear()
        self._forms = self._reach = None
        self._first_legs.clear()
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
        open_lays = self._open_lays(now)
        glance = self._glance(open_lays, now)
        self._is_alike = glance is not None
        if glance is None:
            books = [book for book in self.books.values() if book.commission is None]
            backs, self.tally, believed_until = self._look(books, open_lays, now)
            until = min(until, believed_until)
            self._found[None] = (tuple(backs), self.tally)
            parts = [HedgedPrices(back.back.odds_f, back.back.odds_f, back.lays) for back in backs]
        else:
            self.tally, parts = glance
        self.span = bounds_of(parts, is_equal=self._is_equal)
        self.settled_from = now
        self.settled_until = until

    def _open_lays(self, now: datetime) -> dict[str, list[LayPrice]]:
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
        max_rating = float(self._rules.max_rating) * (1 - NEAR)
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
                parts.append(HedgedPrices(top, min(column), fitting))
        return tally, parts

    def _fill_columns(self, now: datetime) -> dict[str, list[float]]:
        """By outcome, the odds of all bookmakers whose price is fresh and of this bet."""
        columns: dict[str, list[float]] = {}
        until = _ALWAYS
        for book in self.books.values():
            if book.commission is not None or book.refused is not None or now > book.fresh_until:
                continue
            until = min(until, book.fresh_until)
            for quote in book.market.outcomes:
                if quote.name == DRAW and self.facts.is_draw_excluded:
                    continue
                column = columns.get(quote.name)
                if column is None:
                    columns[quote.name] = [float(quote.price)]
                else:
                    column.append(float(quote.price))
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
        max_rating = float(self._rules.max_rating) * (1 - NEAR)
        for book in books:
            for back in self.backs(book):
                reason = back.refused
                if reason is None and now > back.fresh_until:
                    reason = Rejection.STALE_BACK
                if reason is None and self._is_alike and not back.is_exchange:
                    first = alike.get(back.quote.name)
                    if first is not None:
                        backs.append(same_hedges(first, back))
                        continue
                if reason is None:
                    fitting, reason = self._fitting(back, open_lays.get(back.quote.name, ()), now)
                    if fitting and back.odds_f * fitting[0].keep > max_rating:
                        fitting, believed_until = self._believed(back, fitting, now)
                        until = min(until, believed_until)
                        reason = None if fitting else Rejection.TOO_GOOD
                if reason is None:
                    covered = hedged_back(back, fitting, is_equal=self._is_equal)
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
            if rating(back.odds, lay.odds, lay.commission) <= self._rules.max_rating:
                believed.append(lay)
                continue
            if lay.confidence < 1.0:
                continue
            seen_at = min(lay.updated_at, back.market.updated_at or self.fetched_at)
            new_until = fresh_until(seen_at, self._rules.brand_new_s)
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


def _keep(lay: LayPrice) -> float:
    return lay.keep


def _market(bookmaker: BookmakerQuotes, key: str) -> MarketQuotes | None:
    for market in bookmaker.markets:
        if market.key == key:
            return market
    return None
