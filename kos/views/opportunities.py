"""The answer to "what shall I bet?" as rows of words, the same for terminal, chat and web page.

No layout and no colour: a face chooses which columns it has room for. Times are the clock of the
United Kingdom, money is pounds to the penny, ages are those at the moment of the answer.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from kos.domain.market.freshness import age_s
from kos.domain.money import pennies, rounded
from kos.domain.opportunities.opportunity import (
    BetKind,
    Opportunity,
    OpportunityAnswer,
    OpportunityQuery,
)
from kos.domain.opportunities.scoring import minutes_between

LONDON: Final = ZoneInfo("Europe/London")
UNKNOWN: Final = "unknown"
HUNDRED: Final = 100

KIND_NAMES: Final = {
    BetKind.QUALIFYING: "Qualifying bets",
    BetKind.FREE_BET_SNR: "Free bets (stake not returned)",
    BetKind.FREE_BET_SR: "Free bets (stake returned)",
    BetKind.REFUND: "Bets with a refund if they lose",
}

COLUMNS: Final = (
    ("event", "Event"),
    ("kickoff", "Kickoff"),
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
    ("back_age", "Back age"),
    ("lay_age", "Lay age"),
)
"""Fields of a row in reading order, each with its heading."""

_SILENT: Final = {
    # Retention says nothing of a bet with one's own money.
    "retention": frozenset({BetKind.FREE_BET_SNR, BetKind.FREE_BET_SR}),
    "refund": frozenset({BetKind.REFUND}),
}
"""Columns that only speak of some kinds of bet."""


class OpportunityRow(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity in words."""

    id: str
    event: str
    competition: str
    kickoff: str
    """``Sat 14 Mar 13:30``, UK time."""
    starts_in: str
    """``1 h 30 min``."""
    selection: str
    bookmaker: str
    back_odds: str
    exchange: str
    lay_odds: str
    available: str
    """Pounds at the lay price, or ``unknown``."""
    rating: str
    profit: str
    """What is left whatever happens; a qualifying loss has a minus."""
    retention: str
    """Of a free bet: cash made of its face; empty for a qualifier."""
    stake: str
    lay_stake: str
    liability: str
    if_back_wins: str
    if_back_loses: str
    """A refund is in it, at what it counts for."""
    refund: str
    """``£10.00 as £7.50``: what comes back if the bet loses, and what it counts for; else empty."""
    back_age: str
    lay_age: str
    warnings: tuple[str, ...]
    link: str | None


class OpportunitiesView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer in words."""

    title: str
    """What was asked."""
    rows: tuple[OpportunityRow, ...]
    summary: str
    """How many prices were looked at, and how many are shown."""
    left_out: tuple[str, ...]
    """Why others are not offered, the most frequent reason first: ``12: stale lay price``."""


def opportunities_view(answer: OpportunityAnswer, query: OpportunityQuery) -> OpportunitiesView:
    """An answer in words."""
    rejected = sum(answer.rejected.values())
    shown = len(answer.opportunities)
    lower = max(0, answer.considered - rejected - shown)
    return OpportunitiesView(
        title=_title(query),
        rows=tuple(opportunity_row(found, answer.as_of) for found in answer.opportunities),
        summary=(
            f"{shown} shown of {answer.considered} prices; "
            f"{lower} ranked lower, {rejected} left out"
        ),
        left_out=tuple(
            f"{count}: {reason}"
            for reason, count in sorted(answer.rejected.items(), key=_most_frequent_first)
        ),
    )


def opportunity_row(found: Opportunity, now: datetime) -> OpportunityRow:
    """One opportunity in words, its ages as at ``now``."""
    event = f"{found.home} v {found.away}" if found.home and found.away else found.sport_title
    is_free_bet = found.kind in _SILENT["retention"]
    return OpportunityRow(
        id=found.id,
        event=event,
        competition=found.sport_title,
        kickoff=uk_time(found.kickoff),
        starts_in=duration(minutes_between(now, found.kickoff) * 60),
        selection=found.outcome,
        bookmaker=found.bookmaker_title,
        back_odds=odds(found.back_odds),
        exchange=exchange_name(found.exchange),
        lay_odds=odds(found.lay_odds),
        available=UNKNOWN if found.lay_available is None else pounds(found.lay_available),
        rating=percent(found.rating),
        profit=pounds(found.profit),
        retention=percent(found.retention) if is_free_bet else "",
        stake=pounds(found.stake),
        lay_stake=pounds(found.lay_stake),
        liability=pounds(found.liability),
        if_back_wins=pounds(found.if_back_wins),
        if_back_loses=pounds(found.if_back_loses),
        refund=refund_words(found.refund, found.refund_worth),
        back_age=duration(age_s(now, found.back_updated_at)),
        lay_age=duration(age_s(now, found.lay_updated_at)),
        warnings=_warnings(found),
        link=found.link,
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


def uk_time(moment: datetime) -> str:
    """A moment on the clock of the United Kingdom, summer time included: ``Sat 14 Mar 13:30``."""
    local = moment.astimezone(LONDON)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def duration(seconds: float) -> str:
    """How long, in the one or two units that matter: ``45 s``, ``12 min``, ``1 h 30 min``, ``3 d``."""
    whole = int(max(0.0, seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if days:
        return _two(days, "d", hours % 24, "h")
    if hours:
        return _two(hours, "h", minutes % 60, "min")
    if minutes:
        return f"{minutes} min"
    return f"{whole} s"


def exchange_name(key: str) -> str:
    """An exchange's name for people: ``betfair_ex_uk`` is ``Betfair (feed)``."""
    if key.startswith("betfair_ex_"):
        return "Betfair (feed)"
    return key.replace("_", " ").title()


def _two(larger: int, unit: str, smaller: int, small_unit: str) -> str:
    return f"{larger} {unit} {smaller} {small_unit}" if smaller else f"{larger} {unit}"


def _title(query: OpportunityQuery) -> str:
    parts = [f"{KIND_NAMES[query.kind]} of {pounds(query.stake)}"]
    if query.only_arbs:
        parts = [f"Arbs with a back stake of {pounds(query.stake)}"]
    elif query.kind is BetKind.REFUND:
        refund = refund_title(query.refund_value or query.stake, is_cash=query.is_refund_cash)
        parts = [f"Bets of {pounds(query.stake)} {refund} if they lose"]
    if query.bookmaker is not None:
        parts.append(f"at {query.bookmaker}")
    if query.free_bet_value is not None:
        parts.append(f"for a free bet of {pounds(query.free_bet_value)}")
    if query.sport is not None:
        parts.append(f"in {query.sport}")
    return " ".join(parts)


def refund_title(face: Decimal, *, is_cash: bool) -> str:
    """``with £10.00 back as a free bet``."""
    return f"with {pounds(face)} back {'in cash' if is_cash else 'as a free bet'}"


def _warnings(found: Opportunity) -> tuple[str, ...]:
    warnings = []
    # A free bet or a refund is meant to gain; an arb is a gain with own money alone.
    if found.rating > 1 if found.kind is BetKind.REFUND else found.tier:
        warnings.append("arb: most are wrong prices or cost accounts; look at both sites first")
    if found.refund is not None and found.refund_worth != found.refund:
        warnings.append(
            f"a refund of {pounds(found.refund)} as a free bet counts as "
            f"{pounds(found.refund_worth or found.refund)}"
        )
    if found.lay_available is None:
        warnings.append("how much can be laid is not known")
    elif found.lay_available < found.lay_stake:
        warnings.append(
            f"only {pounds(found.lay_available)} of {pounds(found.lay_stake)} at this lay price"
        )
    if found.is_delayed:
        warnings.append("lay price is delayed by up to 180 s")
    if found.match_confidence < 1:
        warnings.append(f"names matched with confidence {found.match_confidence:.2f}")
    return tuple(warnings)


def _most_frequent_first(item: tuple[str, int]) -> tuple[int, str]:
    return (-item[1], item[0])
