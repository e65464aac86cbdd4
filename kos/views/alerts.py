"""Alerts as messages: opportunities, those no longer available, and problems."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from kos.domain.market.places import place_name
from kos.domain.opportunities.opportunity import Opportunity
from kos.domain.people.alerts import MAX_LINES, AlertHit, Measure, Say, value_of
from kos.domain.people.conversation import Answer, Span, Style
from kos.domain.people.incidents import TroubleSay
from kos.views.opportunities import duration, opportunity_row, pounds, uk_clock
from kos.views.simulated import SIMULATED_MARKETS

_SIMULATED = f"{SIMULATED_MARKETS}. "


def sighting_of(found: Opportunity, measure: Measure, now: datetime) -> AlertHit:
    """An opportunity as a rule sees it, with its text in a message."""
    row = opportunity_row(found, now)
    size = "liquidity unknown" if found.lay_available is None else f"{row.available} available"
    made = "profit" if found.profit >= 0 else "loss"
    parts = (
        f"{row.event}, starts {row.kickoff}",
        (
            f"{row.selection}: {row.bookmaker} {row.back_odds}, "
            f"{row.exchange} lay {row.lay_odds} ({size})"
        ),
        f"Rating {row.rating}, {made} {pounds(abs(found.profit))}"
        + (f", retention {row.retention}" if row.retention else ""),
        f"Stake {row.stake}, lay {row.lay_stake}, liability {row.liability}",
        f"Prices: back {row.back_age} old, lay {row.lay_age} old at {uk_clock(now)}",
    )
    return AlertHit(
        key=f"{found.kind.value}|{found.id}",
        value=value_of(found, measure),
        kickoff=found.kickoff,
        text="\n".join(parts),
    )


def telling_answer(say: Say, title: str, *, is_simulated: bool) -> Answer:
    """The present text of an alert message.

    Args:
        say: The message.
        title: The rule in words.
        is_simulated: The markets are the sandbox's.
    """
    telling = say.telling
    count = len(telling.items)
    spans = [
        Span((_SIMULATED if is_simulated else "") + title, Style.BOLD),
        Span(f"\n{count} opportunities" if count > 1 else ""),
    ]
    for item in telling.items[:MAX_LINES]:
        if item.gone_at is None:
            spans.append(Span(f"\n\n{item.text}"))
            continue
        stood = duration((item.gone_at - telling.told_at).total_seconds())
        first = item.text.partition("\n")
        selection = first[2].partition(":")[0]
        spans.append(Span(f"\n\n{first[0]}\n{selection}: "))
        spans.append(
            Span(f"no longer available at {uk_clock(item.gone_at)}, after {stood}", Style.ITALIC)
        )
    if count > MAX_LINES:
        spans.append(Span(f"\n\nand {count - MAX_LINES} more"))
    return Answer(spans=tuple(span for span in spans if span.text))


def rule_title(kind_name: str, measure: Measure, threshold: Decimal, bookmaker: str | None) -> str:
    """A rule in words: ``Qualifying bets at Coral, rating 98% or more``."""
    shown = f"{threshold.normalize():f}"
    unit = {
        Measure.SCORE: shown,
        Measure.PROFIT: pounds(threshold),
        Measure.RETENTION: f"{shown}%",
        Measure.RATING: f"{shown}%",
    }[measure]
    where = f" at {place_name(bookmaker)}" if bookmaker else ""
    return f"{kind_name}{where}, {measure.value} {unit} or more"


def trouble_answer(say: TroubleSay) -> Answer:
    """A problem, or that it is resolved."""
    known = say.known
    if known.over_at is None:
        return Answer(spans=(Span("Attention: ", Style.BOLD), Span(known.text)))
    lasted = duration((known.over_at - known.since).total_seconds())
    return Answer(
        spans=(
            Span(known.text),
            Span(f"\nResolved at {uk_clock(known.over_at)}, after {lasted}.", Style.ITALIC),
        )
    )
