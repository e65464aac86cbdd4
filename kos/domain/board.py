"""One event's back prices and lays, prepared so that a question for any stake is cheap.

What does not depend on the stake, the kind of bet or the clock is worked out once, when a price
changes: which prices are the same bet, which lays are open and liquid, how good a pair can be at
most. Floats here only bound and order; every figure that is shown comes from the exact prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from kos.domain.bets import is_suspect_pair, rating
from kos.domain.freshness import fresh_until
from kos.domain.market import (
    BookmakerQuotes,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    MarketQuotes,
    OutcomeQuote,
    RunnerBook,
    Verdict,
)
from kos.domain.opportunity import Rejection
from kos.domain.score import ScoringRules, UnknownLiquidity
from kos.domain.sports import sport_of

BACK_MARKET: Final = "h2h"
LAY_MARKET: Final = "h2h_lay"
OWN_EXCHANGE: Final = "betfair"
"""The exchange whose books come from the own account, not from the feed."""

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
"""Keys of the feed that are exchanges: nobody's bookmaker offer is there."""

_DRAWS: Final = frozenset({"draw", "the draw", "tie"})
_STANDARD_COMMISSION: Final = Decimal("0.05")
_NEAR: Final = 1e-6
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Back(msgspec.Struct, frozen=True, gc=False):
    """One bookmaker's price for one outcome."""

    odds_f: float
    odds: Decimal
    """What it pays after the commission of the bookmaker, where that is an exchange."""
    fresh_until: datetime
    refused: Rejection | None
    """Why it is never offered, whatever the lay."""
    has_draw: bool
    is_exchange: bool
    quote: OutcomeQuote
    market: MarketQuotes
    bookmaker: BookmakerQuotes


class Lay(msgspec.Struct, frozen=True, gc=False):
    """The best price at which one exchange lets one lay an outcome."""

    keep: float
    """(1-c)/(l-c): what each pound of the back bet's return brings; larger is better."""
    odds_f: float
    over: float
    """l-c."""
    odds: Decimal
    commission: Decimal
    available_f: float
    """Pounds; infinite where unknown."""
    available: Decimal | None
    fresh_until: datetime
    refused: Rejection | None
    """Why it covers nothing, whatever the back bet."""
    has_draw: bool | None
    """Form of the bet, to be compared with the back's; None: settled by the sport."""
    exchange: str
    market_id: str | None
    selection_id: int | None
    updated_at: datetime
    received_at: datetime
    is_delayed: bool
    confidence: float
    superseded_until: datetime
    """While the own account's book is fresh, the feed's copy of that exchange counts for nothing."""


class Offer(msgspec.Struct, frozen=True, gc=False):
    """One back price with the lays that may cover it now, and how good it can be at most."""

    back: Back
    lays: tuple[Lay, ...]
    """The one that keeps most first."""
    has_known: bool
    """Some lay ranks as one of known liquidity; then the figures below are of those lays."""
    keep: float
    """The most that a lay keeps."""
    available_f: float
    """The most that waits at one, pounds."""
    over: tuple[float, float]
    """Least and most l-c of all lays."""
    lay_odds: tuple[float, float]
    """Least and most of all lays."""


class Span(NamedTuple):
    """Least and most over an event's offers of bookmakers; what bounds a rank is of known lays."""

    has_known: bool
    rating: tuple[float, float]
    """b(1-c)/(l-c)."""
    snr: tuple[float, float]
    """(b-1)(1-c)/(l-c)."""
    lay_odds: tuple[float, float]
    lay_cash: tuple[float, float]
    """Lay stake per pound staked, b/(l-c)."""
    lay_snr: tuple[float, float]
    """Lay stake per pound of a stake-not-returned bet, (b-1)/(l-c)."""
    available_f: float
    """The most that waits at one lay, pounds."""


Tally = dict[Rejection, int]


class Board:
    """All prices of one event.

    Args:
        quotes: The feed's event.
        fetched_at: When it came.
        rules: What counts as fresh and liquid.
    """

    __slots__ = (
        "backs",
        "count_of",
        "duration_minutes",
        "facts",
        "fetched_at",
        "floor",
        "lays",
        "no_lay",
        "offers",
        "offers_of",
        "quotes",
        "rules",
        "settled_from",
        "settled_until",
        "span",
        "state",
        "tally",
        "tally_of",
    )

    def __init__(self, quotes: EventQuotes, fetched_at: datetime, rules: ScoringRules) -> None:
        self.quotes = quotes
        self.fetched_at = fetched_at
        self.rules = rules
        self.facts = sport_of(quotes.sport_key)
        self.floor = rules.floor_of(quotes.sport_key, self.facts)
        self.duration_minutes = self.facts.duration.total_seconds() / 60.0
        self.backs: list[Back] = []
        """Of all bookmakers, and of exchanges for those who ask."""
        self.count_of: dict[str | None, int] = {None: 0}
        """How many prices a bookmaker has; None: all that are no exchanges."""
        for bookmaker in quotes.bookmakers:
            self._add_backs(bookmaker)
        self.state: Rejection | None = None
        """Why nothing of this event may be offered now."""
        self.no_lay = Rejection.UNMATCHED
        """What to say of an outcome without any lay."""
        self.lays: dict[str, list[Lay]] = {}
        """By outcome, the one that keeps most first."""
        self.settled_from = self.settled_until = _NEVER

    def cover(
        self,
        match: EventMatch | None = None,
        market: ExchangeMarket | None = None,
        book: MarketBook | None = None,
    ) -> None:
        """Give the event its lays anew: from the feed, and from the own account's book."""
        lays: dict[str, list[Lay]] = {}
        self.state = None
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
                superseded_until = fresh_until(book.received_at, self.rules.max_exchange_age_s)
                self._add_own_lays(lays, match, market, book, superseded_until)
        self._add_feed_lays(lays, superseded_until)
        for found in lays.values():
            found.sort(reverse=True, key=_keep)
        self.lays = lays
        seen_at = self.fetched_at if book is None else max(book.received_at, self.fetched_at)
        self._settle(seen_at)

    def _add_backs(self, bookmaker: BookmakerQuotes) -> None:
        market = _market(bookmaker, BACK_MARKET)
        if market is None:
            return
        is_exchange = bookmaker.key in EXCHANGES or _market(bookmaker, LAY_MARKET) is not None
        commission = self.rules.commissions.get(bookmaker.key) if is_exchange else None
        if is_exchange and commission is None:
            return
        until = fresh_until(
            self.fetched_at,
            self.rules.max_fetch_age_s,
            market.updated_at,
            self.rules.max_source_age_s,
        )
        has_draw = any(_is_draw(outcome.name) for outcome in market.outcomes)
        refused = None
        expected = self.facts.h2h_outcomes
        if expected is not None and has_draw != (expected == 3):  # noqa: PLR2004 - 1, X and 2
            refused = Rejection.OTHER_BET
        is_without_draw = self.facts.is_draw_excluded
        found: dict[str, Back] = {}
        for quote in market.outcomes:
            odds = quote.price if commission is None else 1 + (quote.price - 1) * (1 - commission)
            if not odds > 1:
                continue
            own = Rejection.DRAW if is_without_draw and _is_draw(quote.name) else refused
            found[quote.name] = Back(
                float(odds), odds, until, own, has_draw, is_exchange, quote, market, bookmaker
            )
        self.backs += found.values()
        self.count_of[bookmaker.key] = len(found)
        if not is_exchange:
            self.count_of[None] += len(found)

    def _add_own_lays(
        self,
        lays: dict[str, list[Lay]],
        match: EventMatch,
        market: ExchangeMarket | None,
        book: MarketBook,
        until: datetime,
    ) -> None:
        rate = self.rules.commissions.get(OWN_EXCHANGE, _STANDARD_COMMISSION)
        has_draw: bool | None = None
        refused_form = None
        if market is not None:
            if market.base_rate is not None:
                rate = market.base_rate
            if market.discount_allowed:
                rate *= 1 - self.rules.betfair_discount
            has_draw = any(_is_draw(runner.name) for runner in market.runners)
            if self.facts.h2h_outcomes is not None:
                if has_draw != (self.facts.h2h_outcomes == 3):  # noqa: PLR2004 - 1, X and 2
                    refused_form = Rejection.OTHER_BET
                has_draw = None
        runners = {runner.selection_id: runner for runner in book.runners if not runner.handicap}
        for outcome in match.outcomes:
            runner = runners.get(outcome.selection_id)
            if runner is None or not _has_lay(runner):
                continue
            best = runner.to_lay[0]
            refused = refused_form
            if book.is_delayed and not self.rules.use_delayed_prices:
                refused = refused or Rejection.DELAYED
            lays.setdefault(outcome.outcome, []).append(
                self._lay(
                    best.price,
                    rate,
                    best.size,
                    until=until,
                    refused=refused,
                    has_draw=has_draw,
                    exchange=OWN_EXCHANGE,
                    market_id=book.market_id,
                    selection_id=outcome.selection_id,
                    updated_at=book.published_at or book.received_at,
                    received_at=book.received_at,
                    is_delayed=book.is_delayed,
                    confidence=match.confidence,
                )
            )

    def _add_feed_lays(self, lays: dict[str, list[Lay]], superseded_until: datetime) -> None:
        newest_betfair: tuple[datetime, BookmakerQuotes, MarketQuotes] | None = None
        for bookmaker in self.quotes.bookmakers:
            market = _market(bookmaker, LAY_MARKET)
            if market is None or bookmaker.key not in self.rules.commissions:
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
        lays: dict[str, list[Lay]],
        bookmaker: BookmakerQuotes,
        market: MarketQuotes,
        superseded_until: datetime,
    ) -> None:
        self.no_lay = Rejection.NO_LAY
        has_draw: bool | None = any(_is_draw(outcome.name) for outcome in market.outcomes)
        refused = None
        if self.facts.h2h_outcomes is not None:
            if has_draw and self.facts.h2h_outcomes == 2:  # noqa: PLR2004 - two sides
                refused = Rejection.OTHER_BET
            has_draw = None
        until = fresh_until(
            self.fetched_at,
            self.rules.max_fetch_age_s,
            market.updated_at,
            self.rules.max_source_age_s,
        )
        for quote in market.outcomes:
            if not quote.price > 1:
                continue
            lays.setdefault(quote.name, []).append(
                self._lay(
                    quote.price,
                    self.rules.commissions[bookmaker.key],
                    quote.limit if self.rules.use_feed_limits else None,
                    until=until,
                    refused=refused,
                    has_draw=has_draw,
                    exchange=bookmaker.key,
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
        has_draw: bool | None,
        exchange: str,
        market_id: str | None,
        selection_id: int | None,
        updated_at: datetime,
        received_at: datetime,
        is_delayed: bool,
        confidence: float,
        superseded_until: datetime = _NEVER,
    ) -> Lay:
        odds_f, commission_f = float(odds), float(commission)
        if refused is None:
            if available is None:
                if self.rules.unknown_liquidity is UnknownLiquidity.REJECT:
                    refused = Rejection.UNKNOWN_LIQUIDITY
            elif available < self.floor or available <= 0:
                refused = Rejection.BELOW_FLOOR
        return Lay(
            keep=(1 - commission_f) / (odds_f - commission_f),
            odds_f=odds_f,
            over=odds_f - commission_f,
            odds=odds,
            commission=commission,
            available_f=float("inf") if available is None else float(available),
            available=available,
            fresh_until=until,
            refused=refused,
            has_draw=has_draw,
            exchange=exchange,
            market_id=market_id,
            selection_id=selection_id,
            updated_at=updated_at,
            received_at=received_at,
            is_delayed=is_delayed,
            confidence=confidence,
            superseded_until=superseded_until,
        )

    def settle(self, now: datetime) -> None:
        """Make `offers`, `tally` and `span` those of this moment.

        They only change when a price goes stale, so most calls do nothing.
        """
        if not self.settled_from <= now <= self.settled_until:
            self._settle(now)

    def _settle(self, now: datetime) -> None:
        until = _ALWAYS
        offers: list[Offer] = []
        offers_of: dict[str, list[Offer]] = {}
        tally_of: dict[str, Tally] = {}
        tally: Tally = {}
        open_lays: dict[str, list[Lay]] = {}
        for outcome, lays in self.lays.items():
            open_lays[outcome] = [lay for lay in lays if lay.superseded_until < now]
            for lay in lays:
                if now <= lay.superseded_until < until:
                    until = lay.superseded_until
                if now <= lay.fresh_until < until:
                    until = lay.fresh_until
        max_rating = float(self.rules.max_rating) * (1 - _NEAR)
        is_equal = self.rules.unknown_liquidity is UnknownLiquidity.EQUAL
        for back in self.backs:
            reason = back.refused
            if reason is None and now > back.fresh_until:
                reason = Rejection.STALE_BACK
            if reason is None:
                until = min(until, back.fresh_until)
                fitting, reason = self._fitting(back, open_lays.get(back.quote.name, ()), now)
                if fitting and back.odds_f * fitting[0].keep > max_rating:
                    fitting, believed_until = self._believed(back, fitting, now)
                    until = min(until, believed_until)
                    reason = None if fitting else Rejection.TOO_GOOD
            if reason is None:
                offer = offer_of(back, fitting, is_equal=is_equal)
                offers_of.setdefault(back.bookmaker.key, []).append(offer)
                if not back.is_exchange:
                    offers.append(offer)
                continue
            own = tally_of.setdefault(back.bookmaker.key, {})
            own[reason] = own.get(reason, 0) + 1
            if not back.is_exchange:
                tally[reason] = tally.get(reason, 0) + 1
        self.offers = tuple(offers)
        self.offers_of = {key: tuple(found) for key, found in offers_of.items()}
        self.tally = tally
        self.tally_of = tally_of
        self.span = _span(offers) if offers else None
        self.settled_from = now
        self.settled_until = until

    def _fitting(
        self, back: Back, lays: Sequence[Lay], now: datetime
    ) -> tuple[list[Lay], Rejection | None]:
        """The lays that may cover a back price, or why none does."""
        fitting: list[Lay] = []
        reason: Rejection | None = None
        is_stale = False
        odds = back.odds_f
        for lay in lays:
            if (
                lay.refused is None
                and lay.has_draw is None
                and 100.0 * lay.odds_f - 95.0 * odds > _NEAR * odds
                and not back.is_exchange
            ):
                refused = None
            else:
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
        self, back: Back, lays: Sequence[Lay], now: datetime
    ) -> tuple[list[Lay], datetime]:
        """The lays whose pair is not too good to be true, and until when that stands."""
        until = _ALWAYS
        believed: list[Lay] = []
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


def refused_pair(back: Back, lay: Lay) -> Rejection | None:
    """Why these two prices never make a pair, whatever the stake and the time; None: they may."""
    if lay.refused is not None:
        return lay.refused
    if lay.has_draw is not None and lay.has_draw != back.has_draw:
        return Rejection.OTHER_BET
    if back.is_exchange and exchange_family(back.bookmaker.key) == exchange_family(lay.exchange):
        return Rejection.NO_LAY
    gap = 100.0 * lay.odds_f - 95.0 * back.odds_f
    if gap > _NEAR * back.odds_f:
        return None
    if gap < -_NEAR * back.odds_f or is_suspect_pair(back.odds, lay.odds):
        return Rejection.INVERTED
    return None


def exchange_family(key: str) -> str:
    """One name for all keys of one order book: ``betfair`` for ``betfair_ex_uk``."""
    return OWN_EXCHANGE if key.startswith("betfair_ex_") else key


def offer_of(back: Back, lays: Sequence[Lay], *, is_equal: bool) -> Offer:
    """A back price with these lays, at least one, the one that keeps most first.

    Args:
        back: The price.
        lays: What may cover it.
        is_equal: Whether unknown liquidity ranks as known.
    """
    if len(lays) == 1:
        lay = lays[0]
        is_known = is_equal or lay.available is not None
        over, odds = (lay.over, lay.over), (lay.odds_f, lay.odds_f)
        return Offer(back, (lay,), is_known, lay.keep, lay.available_f, over, odds)
    known = lays if is_equal else [lay for lay in lays if lay.available is not None]
    best = known or lays
    over_all = [lay.over for lay in lays]
    odds_all = [lay.odds_f for lay in lays]
    return Offer(
        back,
        tuple(lays),
        bool(known),
        best[0].keep,
        max(lay.available_f for lay in best),
        (min(over_all), max(over_all)),
        (min(odds_all), max(odds_all)),
    )


def _span(offers: Sequence[Offer]) -> Span:
    """Low ends over every pair, so that nothing is cheaper; the best ratios over known lays."""
    has_known = any(offer.has_known for offer in offers)
    best = [offer for offer in offers if offer.has_known == has_known]
    lows = [(offer.back.odds_f, offer.lays[-1].keep) for offer in offers]
    tops = [(offer.back.odds_f, offer.keep) for offer in best]
    return Span(
        has_known=has_known,
        rating=(min(odds * keep for odds, keep in lows), max(odds * keep for odds, keep in tops)),
        snr=(
            min((odds - 1.0) * keep for odds, keep in lows),
            max((odds - 1.0) * keep for odds, keep in tops),
        ),
        lay_odds=(
            min(offer.lay_odds[0] for offer in offers),
            max(offer.lay_odds[1] for offer in offers),
        ),
        lay_cash=(
            min(offer.back.odds_f / offer.over[1] for offer in offers),
            max(offer.back.odds_f / offer.over[0] for offer in offers),
        ),
        lay_snr=(
            min((offer.back.odds_f - 1.0) / offer.over[1] for offer in offers),
            max((offer.back.odds_f - 1.0) / offer.over[0] for offer in offers),
        ),
        available_f=max(offer.available_f for offer in best),
    )


def _keep(lay: Lay) -> float:
    return lay.keep


def _market(bookmaker: BookmakerQuotes, key: str) -> MarketQuotes | None:
    for market in bookmaker.markets:
        if market.key == key:
            return market
    return None


def _is_draw(name: str) -> bool:
    return name.casefold() in _DRAWS


def _has_lay(runner: RunnerBook) -> bool:
    return runner.status == "ACTIVE" and bool(runner.to_lay) and runner.to_lay[0].price > 1
