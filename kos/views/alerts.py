"""Alerts as messages: opportunities, those no longer available, and problems."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from kos.domain.books.calendar import uk_time
from kos.domain.market.freshness import age_s
from kos.domain.market.places import place_name
from kos.domain.people.alerting import MessageToSend
from kos.domain.people.alerts import MAX_LINES, AlertRule, AlertToSend, Item, Measure
from kos.domain.people.conversation import Answer, Span, Style
from kos.domain.people.incidents import TroubleToSend
from kos.views.opportunities import (
    KIND_NAMES,
    duration,
    exchange_name,
    odds,
    percent,
    pounds,
    uk_clock,
)
from kos.views.simulated import SIMULATED_MARKETS

_SIMULATED = f"{SIMULATED_MARKETS}. "


def message_answer(message: MessageToSend, *, is_simulated: bool) -> Answer:
    """The present text of a message.

    Args:
        message: What it says.
        is_simulated: The markets are the sandbox's.
    """
    simulated = (Span(_SIMULATED, Style.BOLD),) if is_simulated else ()
    match message:
        case AlertToSend():
            spans = _alert_spans(message)
        case TroubleToSend():
            spans = _trouble_spans(message)
        case _:
            assert_never(message)
    return Answer(spans=(*simulated, *spans))


def _alert_spans(message: AlertToSend) -> tuple[Span, ...]:
    telling, rule = message.telling, message.rule
    count = len(telling.items)
    spans = [Span(_title(rule) if rule else "Opportunities", Style.BOLD)]
    if count > 1:
        spans.append(Span(f"\n{count} opportunities"))
    for item in telling.items[:MAX_LINES]:
        if item.gone_at is None:
            spans.append(Span(f"\n\n{_details(item)}"))
            continue
        stood = duration((item.gone_at - telling.told_at).total_seconds())
        gone = f"no longer available at {uk_clock(item.gone_at)}, after {stood}"
        spans += [Span(f"\n\n{_short(item)}"), Span(gone, Style.ITALIC)]
    if count > MAX_LINES:
        spans.append(Span(f"\n\nand {count - MAX_LINES} more"))
    return tuple(spans)


def _details(item: Item) -> str:
    """Everything needed to place the bets, at the figures that were found."""
    opportunity = item.opportunity
    if opportunity is None:
        return item.text
    available = opportunity.lay_available
    size = "liquidity unknown" if available is None else f"{pounds(available)} available"
    made = "profit" if opportunity.profit >= 0 else "loss"
    kept = opportunity.retention
    retention = "" if kept is None else f", retention {percent(kept)}"
    back_age = duration(age_s(opportunity.found_at, opportunity.back_updated_at))
    lay_age = duration(age_s(opportunity.found_at, opportunity.lay_updated_at))
    return "\n".join(
        (
            f"{opportunity.event}, starts {uk_time(item.kickoff)}",
            (
                f"{opportunity.selection}: {opportunity.bookmaker} {odds(opportunity.back_odds)}, "
                f"{exchange_name(opportunity.exchange)} lay {odds(opportunity.lay_odds)} ({size})"
            ),
            f"Rating {percent(opportunity.rating)}, {made} {pounds(abs(opportunity.profit))}{retention}",
            (
                f"Stake {pounds(opportunity.stake)}, lay {pounds(opportunity.lay_stake)}, "
                f"liability {pounds(opportunity.liability)}"
            ),
            f"Prices: back {back_age} old, lay {lay_age} old at {uk_clock(opportunity.found_at)}",
        )
    )


def _short(item: Item) -> str:
    """The event and the selection alone, before what became of them."""
    opportunity = item.opportunity
    if opportunity is None:
        return f"{item.text}\n"
    return f"{opportunity.event}, starts {uk_time(item.kickoff)}\n{opportunity.selection}: "


def _title(rule: AlertRule) -> str:
    query = rule.query
    return rule_title(KIND_NAMES[query.kind], rule.measure, rule.threshold, query.bookmaker)


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


def _trouble_spans(message: TroubleToSend) -> tuple[Span, ...]:
    """A problem, or that it is resolved."""
    trouble = message.known
    if trouble.over_at is None:
        return Span("Attention: ", Style.BOLD), Span(trouble.text)
    lasted = duration((trouble.over_at - trouble.since).total_seconds())
    resolved = f"\nResolved at {uk_clock(trouble.over_at)}, after {lasted}."
    return Span(trouble.text), Span(resolved, Style.ITALIC)
