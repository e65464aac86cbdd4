"""Alerts as answers: what was found, what has gone since, and what is wrong."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from kos.domain.opportunities.opportunity import Opportunity
from kos.domain.people.alerts import MAX_LINES, AlertHit, Measure, Say, value_of
from kos.domain.people.conversation import Answer, Span, Style
from kos.domain.people.incidents import TroubleSay
from kos.views.opportunities import duration, opportunity_row, uk_time

_SIMULATED = "SIMULATED MARKETS. "


def sighting_of(found: Opportunity, measure: Measure, now: datetime) -> AlertHit:
    """An opportunity as a rule sees it, with the line that tells of it."""
    row = opportunity_row(found, now)
    size = "size unknown" if found.lay_available is None else f"{row.available} to lay"
    parts = (
        f"{row.event}, {row.kickoff}",
        f"{row.selection}: {row.bookmaker} {row.back_odds}, {row.exchange} {row.lay_odds} ({size})",
        f"rating {row.rating}, profit {row.profit}"
        + (f", retention {row.retention}" if row.retention else ""),
        f"stake {row.stake}, lay {row.lay_stake}, liability {row.liability}",
        f"prices {row.back_age} and {row.lay_age} old at {uk_time(now)}",
    )
    return AlertHit(
        key=f"{found.kind.value}|{found.id}",
        value=value_of(found, measure),
        kickoff=found.kickoff,
        text="\n".join(parts),
    )


def telling_answer(say: Say, title: str, *, is_simulated: bool) -> Answer:
    """The message of a telling as it stands now.

    Args:
        say: What to say.
        title: The rule in words.
        is_simulated: The markets are the sandbox's.
    """
    telling = say.telling
    count = len(telling.items)
    spans = [
        Span((_SIMULATED if is_simulated else "") + title, Style.BOLD),
        Span(f"\n{count} found" if count > 1 else ""),
    ]
    for item in telling.items[:MAX_LINES]:
        if item.gone_at is None:
            spans.append(Span(f"\n\n{item.text}"))
            continue
        stood = duration((item.gone_at - telling.told_at).total_seconds())
        first = item.text.partition("\n")
        selection = first[2].partition(":")[0]
        spans.append(Span(f"\n\n{first[0]}\n{selection}: "))
        spans.append(Span(f"gone {uk_time(item.gone_at)}, after {stood}", Style.ITALIC))
    if count > MAX_LINES:
        spans.append(Span(f"\n\nand {count - MAX_LINES} more"))
    return Answer(spans=tuple(span for span in spans if span.text))


def rule_title(kind_name: str, measure: Measure, threshold: Decimal, bookmaker: str | None) -> str:
    """A rule in words: ``Qualifying bets, rating from 98%, coral``."""
    shown = f"{threshold.normalize():f}"
    unit = {
        Measure.SCORE: shown,
        Measure.PROFIT: f"£{shown}",
        Measure.RETENTION: f"{shown}%",
        Measure.RATING: f"{shown}%",
    }[measure]
    where = f", {bookmaker}" if bookmaker else ""
    return f"{kind_name}, {measure.value} from {unit}{where}"


def trouble_answer(say: TroubleSay) -> Answer:
    """A trouble, or that it is over."""
    known = say.known
    if known.over_at is None:
        return Answer(spans=(Span("Look at this: ", Style.BOLD), Span(known.text)))
    lasted = duration((known.over_at - known.since).total_seconds())
    return Answer(
        spans=(
            Span(known.text),
            Span(f"\nover since {uk_time(known.over_at)}, after {lasted}", Style.ITALIC),
        )
    )
