"""Opportunities as rows for the browser: words from the view, with exact figures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec

from kos.domain.market.freshness import fresh_until
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.money import rounded
from kos.domain.opportunities.opportunity import BetKind, Opportunity, OpportunityQuery
from kos.domain.opportunities.scoring import ScoringRules
from kos.messages import OpportunitiesRanked
from kos.views.opportunities import (
    HUNDRED,
    OpportunityRow,
    brief_percent,
    opportunities_view,
)
from kos.web.changes import Picture


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. Money and odds are exact decimal texts; times are Unix seconds."""

    id: str
    event: str
    competition: str
    sport: str
    kickoff: str
    kickoff_at: float
    selection: str
    bookmaker: str
    bookmaker_key: str
    back_odds: str
    back_shown: str
    exchange: str
    exchange_key: str
    market_id: str | None
    lay_odds: str
    lay_shown: str
    available: str | None
    commission: str
    rating: str
    retention: str
    keeps: str
    """The value of £1 of a refund; 1 if there is none."""
    stake: str
    lay_stake: str
    liability: str
    if_back_wins: str
    if_back_loses: str
    profit: str
    tier: int
    back_at: float
    back_until: float
    """The last moment at which the back price is fresh."""
    lay_at: float
    lay_until: float
    warnings: tuple[str, ...]
    link: str | None
    link_host: str


class Factor(msgspec.Struct, frozen=True):
    """One factor of the score."""

    name: str
    value: str
    meaning: str


def picture_of(
    ranked: OpportunitiesRanked, query: OpportunityQuery, rules: ScoringRules, choices: bytes
) -> Picture:
    """An answer as rows and facts."""
    answer = ranked.answer
    view = opportunities_view(answer, query)
    last = ranked.last_quotes_at
    return Picture(
        rows={
            opportunity.id: msgspec.json.encode(row_of(opportunity, words, rules))
            for opportunity, words in zip(answer.opportunities, view.rows, strict=True)
        },
        facts={
            "summary": msgspec.json.encode(view.summary),
            "left_out": msgspec.json.encode(view.left_out),
            "last_quotes": msgspec.json.encode(last.timestamp() if last else None),
            "is_simulated": msgspec.json.encode(ranked.is_simulated),
            "choices": choices,
            "stake": msgspec.json.encode(f"{query.stake:f}"),
        },
    )


def row_of(opportunity: Opportunity, words: OpportunityRow, rules: ScoringRules) -> Row:
    """One opportunity as a line, from its row in the view."""
    link, host = safe_link(opportunity)
    return Row(
        id=opportunity.id,
        event=words.event,
        competition=words.competition,
        sport=opportunity.sport_key,
        kickoff=words.kickoff,
        kickoff_at=opportunity.kickoff.timestamp(),
        selection=words.selection,
        bookmaker=words.bookmaker,
        bookmaker_key=opportunity.bookmaker,
        back_odds=f"{opportunity.back_odds:f}",
        back_shown=words.back_odds,
        exchange=words.exchange,
        exchange_key=opportunity.exchange,
        market_id=opportunity.market_id,
        lay_odds=f"{opportunity.lay_odds:f}",
        lay_shown=words.lay_odds,
        available=None if opportunity.lay_available is None else f"{opportunity.lay_available:f}",
        commission=f"{opportunity.commission:f}",
        rating=f"{rounded(opportunity.rating * HUNDRED)}",
        retention=f"{rounded(opportunity.retention * HUNDRED)}",
        keeps=f"{opportunity.retention:f}" if opportunity.kind is BetKind.REFUND else "1",
        stake=f"{opportunity.stake:f}",
        lay_stake=f"{opportunity.lay_stake:f}",
        liability=f"{opportunity.liability:f}",
        if_back_wins=f"{opportunity.if_back_wins:f}",
        if_back_loses=f"{opportunity.if_back_loses:f}",
        profit=f"{opportunity.profit:f}",
        tier=opportunity.tier,
        back_at=opportunity.back_updated_at.timestamp(),
        back_until=_feed_until(opportunity.back_received_at, opportunity.back_updated_at, rules),
        lay_at=opportunity.lay_updated_at.timestamp(),
        lay_until=(
            fresh_until(opportunity.lay_received_at, rules.max_exchange_age_s).timestamp()
            if opportunity.exchange == OWN_EXCHANGE
            else _feed_until(opportunity.lay_received_at, opportunity.lay_updated_at, rules)
        ),
        warnings=words.warnings,
        link=link,
        link_host=host,
    )


def factors_of(opportunity: Opportunity) -> tuple[Factor, ...]:
    """How it is ranked, factor by factor."""
    factors = opportunity.factors
    return (
        Factor(
            "Score",
            f"{opportunity.score:.5f}",
            "free bet value ÷ loss, adjusted for time, retention and fill",
        ),
        Factor(
            "Free bet value",
            f"£{factors.free_bet_value:,.2f}",
            "value of the free bet earned or used; the stake if neither",
        ),
        Factor("Qualifying loss", f"£{factors.max_loss:,.2f}", "qualifying loss, at least 1p"),
        Factor(
            "Minutes to start",
            f"{factors.minutes_to_kickoff:,.0f}",
            "an earlier start ranks higher",
        ),
        Factor(
            "Retention",
            brief_percent(Decimal(repr(factors.retention))),
            "cash kept per £1 of free bet",
        ),
        Factor("Fill", f"{factors.fill:.0%}", "share of your lay stake available at this price"),
        Factor(
            "Liquidity floor",
            f"£{factors.liquidity_floor:,.0f}",
            "minimum liquidity for this sport",
        ),
        Factor("Name match", f"{opportunity.match_confidence:.0%}", "name-match confidence"),
    )


def safe_link(opportunity: Opportunity) -> tuple[str | None, str]:
    """The bookmaker's link and its host, if it is https and the host has the bookmaker's name.

    A link that leads anywhere else is not shown: the feed alone is not enough for a click.
    """
    try:
        parts = urlsplit(opportunity.link or "")
        host = (parts.hostname or "").lower()
        is_plain = parts.scheme == "https" and not parts.username and parts.port is None
    except ValueError:
        return None, ""
    if not (is_plain and host) or not any(
        name in _letters(host)
        for name in _names(opportunity.bookmaker, opportunity.bookmaker_title)
    ):
        return None, ""
    return opportunity.link, host


def _names(key: str, title: str) -> Iterable[str]:
    bare = key
    for region in ("_uk", "_eu", "_us", "_au", "_ie"):
        bare = bare.removesuffix(region)
    letters = _letters(bare.replace("_ex", "").replace("_sb", ""))
    word = _letters(title.partition("(")[0].removesuffix(" UK"))
    return [name for name in (letters, word) if len(name) > 1]


def _letters(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isascii() and sign.isalnum())


def _feed_until(received_at: datetime, updated_at: datetime, rules: ScoringRules) -> float:
    until = fresh_until(received_at, rules.max_fetch_age_s, updated_at, rules.max_source_age_s)
    return until.timestamp()
