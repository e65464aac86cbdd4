"""Dutches as rows of words, the same for terminal, chat and web page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from kos.domain.market.freshness import age_s
from kos.domain.opportunities.dutches import (
    DutchAnswer,
    DutchLeg,
    DutchOpportunity,
    DutchQuery,
    LegSide,
)
from kos.domain.opportunities.opportunity import BetKind
from kos.domain.opportunities.scoring import minutes_between
from kos.views.opportunities import (
    UNKNOWN,
    duration,
    odds,
    percent,
    pounds,
    refund_title,
    refund_words,
    uk_time,
)

LEG_COLUMNS: Final = (
    ("action", "Bet"),
    ("place", "At"),
    ("odds", "Odds"),
    ("stake", "Stake"),
    ("outlay", "Outlay"),
    ("available", "Available"),
    ("age", "Price age"),
)
"""Fields of a leg's row in reading order, each with its heading."""

_LEG_NAMES: Final = {
    BetKind.QUALIFYING: "a qualifying bet",
    BetKind.FREE_BET_SNR: "a free bet, stake not returned,",
    BetKind.FREE_BET_SR: "a free bet, stake returned,",
    BetKind.REFUND: "a bet",
}


class LegRow(msgspec.Struct, frozen=True, kw_only=True):
    """One bet of a dutch in words."""

    action: str
    """``Back Leeds`` or ``Lay Leeds``."""
    covers: str
    """The outcomes on which it pays: ``York or Draw``."""
    place: str
    odds: str
    effective_odds: str
    """Of a back without a fee."""
    stake: str
    """Back stake, face of the free bet, or lay stake."""
    outlay: str
    """What it loses if it fails: a lay's liability, nothing for a free bet."""
    available: str
    """Pounds at this price on an exchange, ``unknown``, or empty at a bookmaker."""
    age: str
    link: str | None


class DutchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One dutch in words."""

    id: str
    event: str
    competition: str
    kickoff: str
    starts_in: str
    legs: tuple[LegRow, ...]
    outcomes: tuple[tuple[str, str], ...]
    """Each outcome with what is left if it happens."""
    total: str
    """The money that is tied up."""
    profit: str
    """The worst outcome; a loss has a minus."""
    rating: str
    book: str
    """The book sum as a percentage; below 100 % is an arb."""
    retention: str
    """Of a free bet: cash made of its face; else empty."""
    refund: str
    warnings: tuple[str, ...]


class DutchesView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer in words."""

    title: str
    rows: tuple[DutchRow, ...]
    summary: str
    left_out: tuple[str, ...]
    """Why others are not offered, the most frequent reason first."""


def dutches_view(answer: DutchAnswer, query: DutchQuery) -> DutchesView:
    """An answer in words."""
    rejected = sum(answer.rejected.values())
    shown = len(answer.dutches)
    lower = max(0, answer.considered - rejected - shown)
    what = "events" if query.bookmaker is None else "prices"
    return DutchesView(
        title=_title(query),
        rows=tuple(dutch_row(found, answer.as_of) for found in answer.dutches),
        summary=(
            f"{shown} shown of {answer.considered} {what}; "
            f"{lower} ranked lower, {rejected} left out"
        ),
        left_out=tuple(
            f"{count}: {reason}"
            for reason, count in sorted(
                answer.rejected.items(), key=lambda item: (-item[1], item[0])
            )
        ),
    )


def dutch_row(found: DutchOpportunity, now: datetime) -> DutchRow:
    """One dutch in words, its ages as at ``now``."""
    is_free_bet = found.kind in {BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}
    return DutchRow(
        id=found.id,
        event=f"{found.home} v {found.away}",
        competition=found.sport_title,
        kickoff=uk_time(found.kickoff),
        starts_in=duration(minutes_between(now, found.kickoff) * 60),
        legs=tuple(_leg_row(leg, now) for leg in found.legs),
        outcomes=tuple((each.outcome, pounds(each.profit)) for each in found.outcomes),
        total=pounds(found.total),
        profit=pounds(found.profit),
        rating=percent(found.rating),
        book=percent(found.book_sum),
        retention=percent(found.retention) if is_free_bet else "",
        refund=refund_words(found.refund, found.refund_worth),
        warnings=_warnings(found),
    )


def _leg_row(leg: DutchLeg, now: datetime) -> LegRow:
    available = UNKNOWN if leg.available is None else pounds(leg.available)
    return LegRow(
        action=f"{leg.side.value.title()} {leg.outcome}",
        covers=" or ".join(leg.covers),
        place=leg.place_title,
        odds=odds(leg.odds),
        effective_odds=f"{leg.effective_odds:.4f}",
        stake=pounds(leg.stake),
        outlay=pounds(leg.outlay),
        available=available if leg.is_exchange else "",
        age=duration(age_s(now, leg.updated_at)),
        link=leg.link,
    )


def _title(query: DutchQuery) -> str:
    parts = ["Arbs by dutching" if query.only_arbs else "Dutches"]
    if query.bookmaker is None:
        parts.append(f"for {pounds(query.stake)} in total")
    else:
        parts.append(f"with {_LEG_NAMES[query.kind]} of {pounds(query.stake)} at {query.bookmaker}")
    if query.kind is BetKind.REFUND:
        parts.append(refund_title(query.refund_value or query.stake, is_cash=query.is_refund_cash))
    if query.free_bet_value is not None:
        parts.append(f"for a free bet of {pounds(query.free_bet_value)}")
    if not query.with_exchanges:
        parts.append("without exchanges")
    if query.sport is not None:
        parts.append(f"in {query.sport}")
    return " ".join(parts)


def _warnings(found: DutchOpportunity) -> tuple[str, ...]:
    warnings = []
    if found.book_sum < 1:
        warnings.append("arb: most are wrong prices or cost accounts; look at all sites first")
    for leg in found.legs:
        name = f"{leg.place_title}, {leg.outcome}"
        if leg.is_exchange and leg.available is None:
            warnings.append(f"{name}: how much is available is not known")
        elif leg.available is not None and leg.available < leg.stake:
            warnings.append(
                f"{name}: only {pounds(leg.available)} of {pounds(leg.stake)} at this price"
            )
        if leg.is_delayed:
            warnings.append(f"{name}: price is delayed by up to 180 s")
        if leg.match_confidence < 1:
            warnings.append(f"{name}: names matched with confidence {leg.match_confidence:.2f}")
    if len(found.outcomes) > 2 or any(leg.side is LegSide.BACK for leg in found.legs[1:]):  # noqa: PLR2004
        warnings.append("look that all places settle alike: extra time, dead heat, retirement")
    return tuple(warnings)
