"""A back price, the lays that may cover it, and what bounds their rank.

Floats here only bound and order; every figure that is shown comes from the exact prices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from kos.domain.bets.kinds import is_suspect_pair
from kos.domain.market.outcomes import BetForm, outcome_name
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.market.quotes import (
    BookmakerQuotes,
    EventMatch,
    MarketBook,
    MarketQuotes,
    OutcomeQuote,
    RunnerBook,
)
from kos.domain.opportunities.opportunity import Rejection

NEVER: Final = datetime.min.replace(tzinfo=UTC)
RejectionCounts = dict[Rejection, int]

NEAR: Final = 1e-6
"""Relative: where floats are closer than this, exact prices decide."""


class MakerBook(msgspec.Struct, frozen=True, gc=False):
    """The back prices of one bookmaker of the feed, or of one exchange."""

    bookmaker: BookmakerQuotes
    market: MarketQuotes
    fresh_until: datetime
    refused: Rejection | None
    """Why none of its prices is ever offered."""
    form: BetForm
    commission: Decimal | None
    """On winnings; None: no exchange."""


class OwnBook(msgspec.Struct, frozen=True, gc=False):
    """The own account's book of the event, and on which terms it may be used."""

    match: EventMatch
    book: MarketBook
    rate: Decimal
    """Commission on net winnings."""
    fresh_until: datetime
    refused: Rejection | None
    open_form: BetForm | None
    """Form of the bet, to be compared with a back's; None: settled by the sport."""
    form: BetForm | None
    """Form of the bet in any case; None: not known."""

    def runners(self) -> Iterator[tuple[str, RunnerBook]]:
        """Each outcome of the feed with its runner that still takes part."""
        active = {
            runner.selection_id: runner
            for runner in self.book.runners
            if not runner.handicap and runner.status == "ACTIVE"
        }
        for outcome in self.match.outcomes:
            runner = active.get(outcome.selection_id)
            if runner is not None:
                yield outcome_name(outcome.outcome), runner


class BackPrice(msgspec.Struct, frozen=True, gc=False):
    """One bookmaker's price for one outcome."""

    odds_f: float
    odds: Decimal
    """What it pays after the commission of the bookmaker, where that is an exchange."""
    fresh_until: datetime
    refused: Rejection | None
    """Why it is never offered, whatever the lay."""
    form: BetForm
    is_exchange: bool
    quote: OutcomeQuote
    market: MarketQuotes
    bookmaker: BookmakerQuotes


class LayPrice(msgspec.Struct, frozen=True, gc=False):
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
    refused: Rejection | None
    """Why it covers nothing, whatever the back bet."""
    fresh_until: datetime
    open_form: BetForm | None
    """Form of the bet, to be compared with the back's; None: settled by the sport."""
    exchange: str
    title: str
    """The exchange's name as its source prints it."""
    updated_at: datetime
    received_at: datetime
    market_id: str | None = None
    selection_id: int | None = None
    is_delayed: bool = False
    confidence: float = 1.0
    superseded_until: datetime = NEVER
    """While the own account's book is fresh, the feed's copy of that exchange counts for nothing."""


class LayFigures(msgspec.Struct, frozen=True, gc=False):
    """What bounds the rank of a back price that some lays cover."""

    has_known: bool
    """Some lay ranks as one of known liquidity; then the next two are of those lays."""
    keep: float
    """The most that a lay keeps."""
    available_f: float
    """The most that waits at one, pounds."""
    over: tuple[float, float]
    """Least and most l-c of all lays."""
    lay_odds: tuple[float, float]
    """Least and most of all lays."""


class HedgedBack(msgspec.Struct, frozen=True, gc=False):
    """One back price with the lays that may cover it now, and how good it can be at most."""

    back: BackPrice
    lays: tuple[LayPrice, ...]
    """The one that keeps most first."""
    figures: LayFigures


class Bounds(NamedTuple):
    """Least and most over an event's back prices at bookmakers; what bounds a rank is of known lays."""

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
    most_rating: float
    """Of all pairs, whatever is known of their liquidity."""


def refused_pair(back: BackPrice, lay: LayPrice) -> Rejection | None:
    """Why these two prices never make a pair, whatever the stake and the time; None: they may."""
    if lay.refused is not None:
        return lay.refused
    if lay.open_form is not None and lay.open_form is not back.form:
        return Rejection.OTHER_BET
    if back.is_exchange and exchange_family(back.bookmaker.key) == exchange_family(lay.exchange):
        return Rejection.NO_LAY
    gap = 100.0 * lay.odds_f - 95.0 * back.odds_f
    if gap > NEAR * back.odds_f:
        return None
    if gap < -NEAR * back.odds_f or is_suspect_pair(back.odds, lay.odds):
        return Rejection.INVERTED
    return None


def exchange_family(key: str) -> str:
    """One name for all keys of one order book: ``betfair`` for ``betfair_ex_uk``."""
    return OWN_EXCHANGE if key.startswith("betfair_ex_") else key


def lay_figures(lays: Sequence[LayPrice], *, is_equal: bool) -> LayFigures:
    """What these lays, at least one, allow at most; arguments as of `hedged_back`."""
    if len(lays) == 1:
        lay = lays[0]
        is_known = is_equal or lay.available is not None
        over, odds = (lay.over, lay.over), (lay.odds_f, lay.odds_f)
        return LayFigures(is_known, lay.keep, lay.available_f, over, odds)
    known_lays = lays if is_equal else [lay for lay in lays if lay.available is not None]
    best = known_lays or lays
    overs = [lay.over for lay in lays]
    odds_all = [lay.odds_f for lay in lays]
    return LayFigures(
        bool(known_lays),
        best[0].keep,
        max([lay.available_f for lay in best]),
        (min(overs), max(overs)),
        (min(odds_all), max(odds_all)),
    )


def hedged_back(back: BackPrice, lays: Sequence[LayPrice], *, is_equal: bool) -> HedgedBack:
    """A back price with these lays, at least one, the one that keeps most first.

    Args:
        back: The price.
        lays: What may cover it.
        is_equal: Whether unknown liquidity ranks as known.
    """
    return HedgedBack(back, tuple(lays), lay_figures(lays, is_equal=is_equal))


class HedgedPrices(msgspec.Struct, frozen=True, gc=False):
    """Back prices that the same lays cover."""

    top: float
    """The longest of the back odds."""
    low: float
    most_keep: float
    """Of all lays."""
    least_keep: float
    figures: LayFigures


def bounds_of(parts: Sequence[HedgedPrices]) -> Bounds:
    """Bounds over all pairs of at least one part.

    Low ends are over every pair, so that nothing is cheaper; the best ratios are over the pairs
    that rank as of known liquidity, if there are any, because all others rank below them.
    """
    ranked = [part for part in parts if part.figures.has_known] or parts
    return Bounds(
        has_known=ranked[0].figures.has_known,
        rating=(
            min([part.low * part.least_keep for part in parts]),
            max([part.top * part.figures.keep for part in ranked]),
        ),
        snr=(
            min([(part.low - 1.0) * part.least_keep for part in parts]),
            max([(part.top - 1.0) * part.figures.keep for part in ranked]),
        ),
        lay_odds=_outer([part.figures.lay_odds for part in parts]),
        lay_cash=(
            min([part.low / part.figures.over[1] for part in parts]),
            max([part.top / part.figures.over[0] for part in parts]),
        ),
        lay_snr=(
            min([(part.low - 1.0) / part.figures.over[1] for part in parts]),
            max([(part.top - 1.0) / part.figures.over[0] for part in parts]),
        ),
        available_f=max([part.figures.available_f for part in ranked]),
        most_rating=max([part.top * part.most_keep for part in parts]),
    )


def span_of_backs(backs: Sequence[HedgedBack]) -> Bounds:
    """Bounds over back prices, at least one, with the lays that cover them."""
    parts = []
    for covered in backs:
        odds, lays = covered.back.odds_f, covered.lays
        parts.append(HedgedPrices(odds, odds, lays[0].keep, lays[-1].keep, covered.figures))
    return bounds_of(parts)


def widest(spans: Sequence[Bounds]) -> Bounds | None:
    """Bounds over all that these bound; None where there is none."""
    if not spans:
        return None
    ranked = [span for span in spans if span.has_known] or spans
    return Bounds(
        has_known=ranked[0].has_known,
        rating=(
            min([span.rating[0] for span in spans]),
            max([span.rating[1] for span in ranked]),
        ),
        snr=(min([span.snr[0] for span in spans]), max([span.snr[1] for span in ranked])),
        lay_odds=_outer([span.lay_odds for span in spans]),
        lay_cash=_outer([span.lay_cash for span in spans]),
        lay_snr=_outer([span.lay_snr for span in spans]),
        available_f=max([span.available_f for span in ranked]),
        most_rating=max([span.most_rating for span in spans]),
    )


def _outer(ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min([low for low, _ in ranges]), max([high for _, high in ranges])
