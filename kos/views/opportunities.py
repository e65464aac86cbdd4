"""Opportunities as rows of words, the same for terminal, chat and web page.

No layout and no colour: a face chooses which columns it has room for. Times are the clock of the
United Kingdom, money is pounds to the penny, ages are those at the moment of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from kos.domain.books.calendar import LONDON, uk_time
from kos.domain.market.freshness import age_s
from kos.domain.market.places import place_name
from kos.domain.market.sports import sport_title
from kos.domain.money import pennies, rounded
from kos.domain.opportunities.opportunity import (
    FREE_BETS,
    BetKind,
    BetQuery,
    Opportunity,
    OpportunityAnswer,
    OpportunityQuery,
    SignalKeys,
)
from kos.domain.opportunities.scoring import minutes_between

UNKNOWN: Final = "unknown"
HUNDRED: Final = 100
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400

KIND_NAMES: Final = {
    BetKind.QUALIFYING: "Qualifying bets",
    BetKind.FREE_BET_SNR: "Free bets (stake not returned)",
    BetKind.FREE_BET_SR: "Free bets (stake returned)",
    BetKind.REFUND: "Money-back bets (refund if they lose)",
}

COLUMNS: Final = (
    ("event", "Event"),
    ("kickoff", "Starts"),
    ("selection", "Selection"),
    ("bookmaker", "Bookmaker"),
    ("back_odds", "Back"),
    ("exchange", "Exchange"),
    ("lay_odds", "Lay"),
    ("available", "Available"),
    ("rating", "Rating"),
    ("profit", "Profit"),
    ("retention", "Retention"),
    ("lay_stake", "Lay stake"),
    ("liability", "Liability"),
    ("refund", "Refund"),
    ("back_age", "Back price age"),
    ("lay_age", "Lay price age"),
)
"""Fields of a row in reading order, each with its heading."""

_SILENT: Final = {
    # Retention means nothing for a bet with your own money.
    "retention": FREE_BETS,
    "refund": frozenset({BetKind.REFUND}),
}
"""Columns that only apply to some kinds of bet."""


class OpportunityRow(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity in words."""

    id: str
    event: str
    competition: str
    kickoff: str
    """``Sat 14 Mar, 13:30``, UK time."""
    starts_in: str
    """``1h 30 min``."""
    selection: str
    bookmaker: str
    back_odds: str
    exchange: str
    lay_odds: str
    available: str
    """Pounds at the lay price, or ``unknown``."""
    rating: str
    profit: str
    """The worse outcome; a qualifying loss has a minus."""
    retention: str
    """Cash kept as a share of the value of a free bet; empty for a qualifying bet."""
    stake: str
    lay_stake: str
    liability: str
    if_back_wins: str
    if_back_loses: str
    """Includes a refund, at its valuation."""
    refund: str
    """``£10.00 as £7.50``: the refund if the bet loses, and its valuation; else empty."""
    back_age: str
    lay_age: str
    warnings: tuple[str, ...]
    link: str | None


class OpportunitiesView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer in words."""

    title: str
    """The kind of bet and the filters."""
    rows: tuple[OpportunityRow, ...]
    summary: str
    """How many are shown, rank lower and were excluded."""
    left_out: tuple[str, ...]
    """Why others were excluded, the most frequent reason first: ``12 stale lay price``."""


def opportunities_view(answer: OpportunityAnswer, query: OpportunityQuery) -> OpportunitiesView:
    """An answer in words."""
    return OpportunitiesView(
        title=_title(query),
        rows=tuple(
            opportunity_row(opportunity, answer.as_of) for opportunity in answer.opportunities
        ),
        summary=showing(len(answer.opportunities), answer.considered, answer.rejected),
        left_out=left_out(answer.rejected),
    )


def showing(shown: int, considered: int, rejected: Mapping[str, int]) -> str:
    """How many are shown: ``Showing 4 of 1,616. 1,144 rank lower and 468 were excluded``."""
    excluded = sum(rejected.values())
    lower = max(0, considered - excluded - shown)
    head = f"Showing {shown:,} of {considered:,}"
    if not lower and not excluded:
        return head
    return (
        f"{head}. {lower:,} {'ranks' if lower == 1 else 'rank'} lower and {excluded:,}"
        f" {'was' if excluded == 1 else 'were'} excluded"
    )


def left_out(rejected: Mapping[str, int]) -> tuple[str, ...]:
    """How many were excluded for each reason, the most frequent first: ``12 stale lay price``."""
    ordered = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    return tuple(f"{count:,} {reason}" for reason, count in ordered)


def title_end(query: BetQuery) -> str:
    """What a title says last: the free bet to be earned, and the sport."""
    end = ""
    if query.free_bet_value is not None:
        end += f", to earn a {pounds(query.free_bet_value)} free bet"
    return end if query.sport is None else f"{end}, in {sport_title(query.sport)}"


def without_prices(bookmaker: str | None, sport: str | None, seen: SignalKeys) -> tuple[str, ...]:
    """Why an answer may be empty: the bookmaker or the sport asked for has no prices.

    Args:
        bookmaker: The key asked for; None for all.
        sport: The key, or start of keys, asked for; None for all.
        seen: The names with prices now.
    """
    hints = []
    if bookmaker is not None and bookmaker not in {place.key for place in seen.bookmakers}:
        listed = ", ".join(place_name(place.key) for place in seen.bookmakers) or "none yet"
        hints.append(f"No prices from {place_name(bookmaker)}. Bookmakers with prices: {listed}.")
    keys = [seen_sport.key for seen_sport in seen.sports]
    if sport is not None and not any(key.startswith(sport) for key in keys):
        names = sorted({sport_title(key.partition("_")[0]) for key in keys})
        listed = ", ".join(names) or "none yet"
        hints.append(f"No prices for {sport_title(sport)}. Sports with prices: {listed}.")
    return tuple(hints)


def opportunity_row(opportunity: Opportunity, now: datetime) -> OpportunityRow:
    """One opportunity in words, its ages as at ``now``."""
    return OpportunityRow(
        id=opportunity.id,
        event=opportunity.event,
        competition=opportunity.sport_title,
        kickoff=uk_time(opportunity.kickoff),
        starts_in=duration(minutes_between(now, opportunity.kickoff) * 60),
        selection=opportunity.outcome,
        bookmaker=opportunity.bookmaker_title,
        back_odds=odds(opportunity.back_odds),
        exchange=exchange_name(opportunity.exchange),
        lay_odds=odds(opportunity.lay_odds),
        available=available_words(opportunity.lay_available),
        rating=percent(opportunity.rating),
        profit=pounds(opportunity.profit),
        retention=percent(opportunity.retention) if opportunity.kind in FREE_BETS else "",
        stake=pounds(opportunity.stake),
        lay_stake=pounds(opportunity.lay_stake),
        liability=pounds(opportunity.liability),
        if_back_wins=pounds(opportunity.if_back_wins),
        if_back_loses=pounds(opportunity.if_back_loses),
        refund=refund_words(opportunity.refund, opportunity.refund_worth),
        back_age=duration(age_s(now, opportunity.back_updated_at)),
        lay_age=duration(age_s(now, opportunity.lay_updated_at)),
        warnings=_warnings(opportunity),
        link=opportunity.link,
    )


def columns_of(kind: BetKind) -> tuple[tuple[str, str], ...]:
    """The columns that say something of a kind of bet."""
    return tuple(
        (field, heading)
        for field, heading in COLUMNS
        if field not in _SILENT or kind in _SILENT[field]
    )


def refund_words(refund: Decimal | None, worth: Decimal | None) -> str:
    """``£10.00 as £7.50``; ``£10.00 in cash``; empty without a refund."""
    if refund is None or worth is None:
        return ""
    return (
        f"{pounds(refund)} in cash" if worth == refund else f"{pounds(refund)} as {pounds(worth)}"
    )


def available_words(amount: Decimal | None) -> str:
    """The money at a price, or ``unknown``."""
    return UNKNOWN if amount is None else pounds(amount)


def pounds(amount: Decimal) -> str:
    """``£1,234.50``, ``-£0.28``."""
    exact = pennies(amount)
    sign = "-" if exact < 0 else ""
    return f"{sign}£{abs(exact):,}"


def odds(price: Decimal) -> str:
    """Decimal odds with two decimals, more only where the source printed more: ``2.50``."""
    digits = -int(price.as_tuple().exponent)
    return f"{price:.2f}" if digits <= 2 else f"{price:f}"  # noqa: PLR2004 - two decimals


def percent(share: Decimal) -> str:
    """A share of one as a percentage with two decimals: ``97.22%``."""
    return f"{rounded(share * HUNDRED)}%"


def brief_percent(share: Decimal) -> str:
    """A share of one as a percentage without needless decimals: ``75%``, ``1.5%``."""
    shown = f"{rounded(share * HUNDRED)}"
    return f"{shown.rstrip('0').rstrip('.')}%"


def uk_clock(moment: datetime) -> str:
    """The time of day in UK time: ``13:30``."""
    return f"{moment.astimezone(LONDON):%H:%M}"


def uk_day(moment: datetime, now: datetime) -> str:
    """``today, 13:30``, ``tomorrow, 09:00`` or ``Sat 14 Mar, 13:30``, in UK time."""
    days = (moment.astimezone(LONDON).date() - now.astimezone(LONDON).date()).days
    name = {0: "today", 1: "tomorrow"}.get(days)
    return f"{name}, {uk_clock(moment)}" if name else uk_time(moment)


def from_now(moment: datetime, now: datetime) -> str:
    """``in 40 min``, ``in 18 hours``, ``2 days ago``."""
    seconds = (moment - now).total_seconds()
    size = abs(seconds)
    if size < _HOUR_S:
        span = duration(size)
    elif size < _DAY_S:
        span = _counted(int(size // _HOUR_S), "hour")
    else:
        span = _counted(int(size // _DAY_S), "day")
    return f"in {span}" if seconds >= 0 else f"{span} ago"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def duration(seconds: float) -> str:
    """How long, in one or two units: ``45s``, ``12 min``, ``1h 30 min``, ``1d 19h``."""
    whole = int(max(0.0, seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if days:
        return f"{days}d {hours % 24}h" if hours % 24 else f"{days}d"
    if hours:
        return f"{hours}h {minutes % 60} min" if minutes % 60 else f"{hours}h"
    return f"{minutes} min" if minutes else f"{whole}s"


def exchange_name(key: str) -> str:
    """An exchange's name for people: ``betfair_ex_uk`` is ``Betfair (feed)``."""
    if key.startswith("betfair_ex_"):
        return "Betfair (feed)"
    return place_name(key)


def _title(query: OpportunityQuery) -> str:
    where = f" at {place_name(query.bookmaker)}" if query.bookmaker is not None else ""
    stake = pounds(query.stake)
    if query.only_arbs:
        title = f"Arbs{where} for a {stake} back stake"
    elif query.kind is BetKind.REFUND:
        refund = refund_title(query.refund_value or query.stake, is_cash=query.is_refund_cash)
        title = f"{stake} bets{where} {refund} if they lose"
    elif query.kind is BetKind.QUALIFYING:
        title = f"{KIND_NAMES[query.kind]}{where}, {stake} stake"
    else:
        title = f"{KIND_NAMES[query.kind]}{where}, {stake}"
    return title + title_end(query)


def refund_title(face: Decimal, *, is_cash: bool) -> str:
    """``with £10.00 back as a free bet``."""
    return f"with {pounds(face)} back {'in cash' if is_cash else 'as a free bet'}"


def _warnings(opportunity: Opportunity) -> tuple[str, ...]:
    warnings = []
    # A free bet or a refund is meant to make a profit; an arb does with your own money only.
    if opportunity.rating > 1 if opportunity.kind is BetKind.REFUND else opportunity.tier:
        warnings.append(
            "arb: often a pricing error, and arbing can get an account restricted. "
            "Check both sites first"
        )
    if opportunity.refund is not None and opportunity.refund_worth != opportunity.refund:
        warnings.append(
            f"a {pounds(opportunity.refund)} free bet refund is valued at "
            f"{pounds(opportunity.refund_worth or opportunity.refund)}"
        )
    if opportunity.lay_available is None:
        warnings.append("liquidity unknown")
    elif opportunity.lay_available < opportunity.lay_stake:
        warnings.append(shortage(opportunity.lay_available, opportunity.lay_stake))
    if opportunity.is_delayed:
        warnings.append("lay price may be delayed by up to 3 minutes")
    if opportunity.match_confidence < 1:
        warnings.append(match_warning(opportunity.match_confidence))
    return tuple(warnings)


def shortage(available: Decimal, needed: Decimal) -> str:
    """That less is available at a price than a bet needs."""
    return f"only {pounds(available)} of the {pounds(needed)} you need is available at this price"


def match_warning(confidence: float) -> str:
    """That the names were matched, and how sure KOS is of it (0 to 1)."""
    return f"team names matched with {confidence:.0%} confidence: check it is the same event"
