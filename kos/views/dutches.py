"""Dutches as rows of words, the same in the terminal, in chat and on the web page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from kos.domain.books.calendar import uk_time
from kos.domain.market.freshness import age_s
from kos.domain.market.places import place_name
from kos.domain.opportunities.dutches import (
    DutchAnswer,
    DutchLeg,
    DutchOpportunity,
    DutchQuery,
    LegSide,
)
from kos.domain.opportunities.opportunity import FREE_BETS, BetKind
from kos.domain.opportunities.scoring import minutes_between
from kos.views.opportunities import (
    available_words,
    duration,
    left_out,
    match_warning,
    odds,
    percent,
    pounds,
    refund_title,
    refund_words,
    shortage,
    showing,
    title_end,
)

LEG_COLUMNS: Final = (
    ("action", "Bet"),
    ("place", "At"),
    ("odds", "Odds"),
    ("stake", "Stake"),
    ("outlay", "At risk"),
    ("available", "Available"),
    ("age", "Price age"),
)
"""Fields of a leg's row in reading order, each with its heading."""

_LEG_NAMES: Final = {
    BetKind.QUALIFYING: "qualifying bet",
    BetKind.FREE_BET_SNR: "free bet (stake not returned)",
    BetKind.FREE_BET_SR: "free bet (stake returned)",
    BetKind.REFUND: "bet",
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
    """Back stake, value of the free bet, or lay stake."""
    outlay: str
    """The loss if it loses: the liability of a lay, nothing for a free bet."""
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
    """Each outcome with its profit."""
    total: str
    """The money that is tied up."""
    profit: str
    """The worst outcome; a loss has a minus."""
    rating: str
    book: str
    """The book sum as a percentage; below 100% is an arb."""
    retention: str
    """Cash kept as a share of the value of a free bet; else empty."""
    refund: str
    warnings: tuple[str, ...]


class DutchesView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer in words."""

    title: str
    rows: tuple[DutchRow, ...]
    summary: str
    left_out: tuple[str, ...]
    """Why others were excluded, the most frequent reason first."""


def dutches_view(answer: DutchAnswer, query: DutchQuery) -> DutchesView:
    """An answer in words."""
    return DutchesView(
        title=_title(query),
        rows=tuple(dutch_row(dutch, answer.as_of) for dutch in answer.dutches),
        summary=showing(len(answer.dutches), answer.considered, answer.rejected),
        left_out=left_out(answer.rejected),
    )


def dutch_row(dutch: DutchOpportunity, now: datetime) -> DutchRow:
    """One dutch in words, its ages as at ``now``."""
    return DutchRow(
        id=dutch.id,
        event=dutch.event,
        competition=dutch.sport_title,
        kickoff=uk_time(dutch.kickoff),
        starts_in=duration(minutes_between(now, dutch.kickoff) * 60),
        legs=tuple(_leg_row(leg, now) for leg in dutch.legs),
        outcomes=tuple((outcome.outcome, pounds(outcome.profit)) for outcome in dutch.outcomes),
        total=pounds(dutch.total),
        profit=pounds(dutch.profit),
        rating=percent(dutch.rating),
        book=percent(dutch.book_sum),
        retention=percent(dutch.retention) if dutch.kind in FREE_BETS else "",
        refund=refund_words(dutch.refund, dutch.refund_worth),
        warnings=_warnings(dutch),
    )


def _leg_row(leg: DutchLeg, now: datetime) -> LegRow:
    return LegRow(
        action=f"{leg.side.value.title()} {leg.outcome}",
        covers=" or ".join(leg.covers),
        place=leg.place_title,
        odds=odds(leg.odds),
        effective_odds=f"{leg.effective_odds:.4f}",
        stake=pounds(leg.stake),
        outlay=pounds(leg.outlay),
        available=available_words(leg.available) if leg.is_exchange else "",
        age=duration(age_s(now, leg.updated_at)),
        link=leg.link,
    )


def _title(query: DutchQuery) -> str:
    title = "Dutching arbs" if query.only_arbs else "Dutching"
    if query.bookmaker is None:
        title += f", {pounds(query.stake)} total stake"
    else:
        title += (
            f" using a {pounds(query.stake)} {_LEG_NAMES[query.kind]}"
            f" at {place_name(query.bookmaker)}"
        )
    if query.kind is BetKind.REFUND:
        refund = refund_title(query.refund_value or query.stake, is_cash=query.is_refund_cash)
        title += f" {refund}"
    if not query.with_exchanges:
        title += ", bookmakers only"
    return title + title_end(query)


def _warnings(dutch: DutchOpportunity) -> tuple[str, ...]:
    warnings = []
    if dutch.book_sum < 1:
        warnings.append(
            "arb: often a pricing error, and arbing can get an account restricted. "
            "Check every site first"
        )
    for leg in dutch.legs:
        name = f"{leg.place_title}, {leg.outcome}"
        if leg.is_exchange and leg.available is None:
            warnings.append(f"{name}: liquidity unknown")
        elif leg.available is not None and leg.available < leg.stake:
            warnings.append(f"{name}: {shortage(leg.available, leg.stake)}")
        if leg.is_delayed:
            warnings.append(f"{name}: price may be delayed by up to 3 minutes")
        if leg.match_confidence < 1:
            warnings.append(f"{name}: {match_warning(leg.match_confidence)}")
    if len(dutch.outcomes) > 2 or any(leg.side is LegSide.BACK for leg in dutch.legs[1:]):  # noqa: PLR2004
        warnings.append(
            "check that every site settles the same way: extra time, dead heats, retirements"
        )
    return tuple(warnings)
