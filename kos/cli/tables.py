"""Views as tables of the terminal."""

from __future__ import annotations

import sys

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.messages import BudgetDescribed, DutchesRanked, OpportunitiesRanked, OpportunityDescribed
from kos.runtime import SystemDescribed
from kos.service.health import HealthState, Judgement
from kos.service.heartbeat import Heartbeat
from kos.views.detail import opportunity_detail_view
from kos.views.dutches import LEG_COLUMNS, DutchRow, dutches_view
from kos.views.health import (
    credits_sentence,
    health_view,
    heartbeat_sentences,
    page_address,
)
from kos.views.opportunities import OpportunityRow, columns_of, opportunities_view
from kos.views.simulated import SIMULATED

_ESSENTIAL = frozenset({"event", "selection", "bookmaker", "back_odds", "lay_odds", "profit"})
_USEFUL = _ESSENTIAL | {"kickoff", "exchange", "rating", "lay_stake", "back_age", "lay_age"}
_NARROW, _MEDIUM, _WIDE = 150, 190, 240
_NAME_WIDTHS = {"event": 0.25, "selection": 0.16, "bookmaker": 0.14}
"""Shares of the width that names may take; figures are shown whole or not at all."""
_FIGURE_WIDTH = 6
_STYLES = {HealthState.OK: "green", HealthState.DEGRADED: "yellow", HealthState.FAILED: "red"}
PIPE_WIDTH = 240
"""Columns of a terminal that is none: nothing is cut for a program or a file."""


def console() -> Console:
    """The terminal, or a width with room for everything."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def opportunities_table(
    answer: OpportunitiesRanked, query: OpportunityQuery, width: int
) -> RenderableType:
    """The ranked answer in the columns that fit, marked if it is simulated."""
    view = opportunities_view(answer.answer, query)
    shown = _ESSENTIAL if width < _NARROW else _USEFUL if width < _MEDIUM else None
    columns = [
        (field, heading)
        for field, heading in columns_of(query.kind)
        if shown is None or field in shown
    ]
    table = plain_table(title=f"{SIMULATED}\n{view.title}" if answer.is_simulated else view.title)
    for field, heading in columns:
        share = _NAME_WIDTHS.get(field)
        is_text = share is not None or field in {"kickoff", "exchange"}
        table.add_column(
            heading,
            no_wrap=True,
            overflow="ellipsis",
            justify="left" if is_text else "right",
            min_width=None if is_text else max(len(heading), _FIGURE_WIDTH),
            max_width=int(share * min(width, _WIDE)) if share is not None else None,
        )
    if shown is None:
        table.add_column("Id", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in view.rows:
        # Text, not markup: names come from outside.
        cells = [Text(getattr(row, field)) for field, _ in columns]
        if shown is None:
            cells.append(Text(row.id, style="dim"))
        table.add_row(*cells, "⚠" if row.warnings else "")
    has_warnings = any(row.warnings for row in view.rows)
    hint = ". ⚠ Check the warnings: kos signals --detail ID" if has_warnings else ""
    lines = [Text(view.summary + hint, style="dim")]
    if not view.rows:
        lines += [Text(f"excluded: {line}", style="dim") for line in view.left_out]
    return Group(table, *lines)


def dutches_tables(answer: DutchesRanked, query: DutchQuery) -> RenderableType:
    """The ranked dutches: a line for each leg and one for the outcomes, marked if simulated."""
    view = dutches_view(answer.answer, query)
    lines = _begun(answer.is_simulated, view.title)
    for row in view.rows:
        made = f", retention {row.retention}" if row.retention else ""
        lines += [
            Text("\n" + _event_line(row), style="bold"),
            Text(f"profit {row.profit}, rating {row.rating}{made}, total stake {row.total}"),
        ]
        table = plain_table(*(heading for _, heading in LEG_COLUMNS))
        for leg in row.legs:
            table.add_row(*(Text(getattr(leg, field)) for field, _ in LEG_COLUMNS))
        lines.append(table)
        lines.append(Text("; ".join(f"{name}: {left}" for name, left in row.outcomes)))
        lines += [Text(f"! {warning}", style="yellow") for warning in row.warnings]
    lines.append(Text(f"\n{view.summary}" if view.rows else view.summary, style="dim"))
    if not view.rows:
        lines += [Text(f"excluded: {line}", style="dim") for line in view.left_out]
    return Group(*lines)


def detail_table(answer: OpportunityDescribed) -> RenderableType:
    """One opportunity: the bets, the outcomes and the ranking, or why it is no longer available."""
    view = opportunity_detail_view(answer.state)
    if view.row is None:
        return Text(view.gone)
    lines = _begun(answer.is_simulated, _event_line(view.row))
    lines += [Text(step) for step in view.steps]
    lines += [Text(f"{what}: {left}") for what, left in view.outcomes]
    table = plain_table("", "value", "why")
    for factor in view.factors:
        table.add_row(factor.name, factor.value, factor.why)
    lines.append(table)
    lines += [Text(f"! {warning}", style="yellow") for warning in view.row.warnings]
    return Group(*lines)


def status_tables(beat: Heartbeat, judgement: Judgement) -> tuple[RenderableType, ...]:
    """The status with reasons: nodes, main actors, sport keys, stores and credits."""
    view = health_view(beat.system)
    nodes = plain_table("node", "pid", "state", "restarts", "memory MB", "actors")
    for node in view.nodes:
        nodes.add_row(
            node.name,
            str(node.pid or "-"),
            node.state,
            str(node.restarts),
            f"{node.rss_kb / 1024:.0f}",
            str(len(node.actors)),
        )
    actors = plain_table(
        "node", "actor", "state", "restarts", "waiting", "handled", "lost", "remark"
    )
    for row in view.actors:
        actors.add_row(
            row.node,
            row.name,
            row.state,
            str(row.restarts),
            str(row.mailbox),
            str(row.handled),
            str(row.lost),
            Text(row.remark),
        )
    style = _STYLES[judgement.state]
    head = Text(f"{judgement.state}", style=f"bold {style}")
    head.append(f"  {view.summary}; updated {judgement.age_s:.0f}s ago", style="bold")
    lines = [Text(line) for line in heartbeat_sentences(beat)]
    if beat.is_simulated:
        lines.insert(0, Text(SIMULATED, style="yellow"))
    reasons = [Text(f"! {reason}", style=style) for reason in judgement.reasons]
    return (head, nodes, actors, *lines, *reasons)


def feeds_line(system: SystemDescribed, budget: BudgetDescribed | None) -> Text:
    """The last lines of the live table: the status of the daemon, its credits and its address."""
    ends = [credits_sentence(budget)] if budget else []
    ends += [f"Web: {address}"] if (address := page_address(system)) else []
    return Text(f"{health_view(system).summary}\n{'. '.join(ends)}".rstrip(), style="dim")


def plain_table(*headings: str, title: str | None = None) -> Table:
    """A table without lines; columns fold where the width does not suffice."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _begun(is_simulated: bool, title: str) -> list[RenderableType]:
    head = [SIMULATED, title] if is_simulated else [title]
    return [Text(line, style="bold") for line in head]


def _event_line(row: OpportunityRow | DutchRow) -> str:
    return f"{row.event}, {row.competition}, {row.kickoff} (in {row.starts_in})"
