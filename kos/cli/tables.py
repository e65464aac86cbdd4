"""Views as tables of the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kos.domain.opportunity import BetKind, OpportunityQuery
from kos.messages import BudgetDescribed, OpportunitiesRanked
from kos.runtime import SystemDescribed
from kos.views.health import credits_sentence, health_view
from kos.views.opportunities import COLUMNS, opportunities_view

SIMULATED = "SIMULATED MARKETS: the sandbox's, not real prices"


def opportunities_table(answer: OpportunitiesRanked, query: OpportunityQuery) -> RenderableType:
    """The ranked answer; says first if the markets are simulated."""
    view = opportunities_view(answer.answer, query)
    # Retention says nothing of a bet with one's own money.
    left_out = "retention" if query.kind is BetKind.QUALIFYING else ""
    columns = [(field, heading) for field, heading in COLUMNS if str(field) != left_out]
    title = f"{SIMULATED}\n{view.title}" if answer.is_simulated else view.title
    table = _table(*(heading for _, heading in columns), title=title)
    for row in view.rows:
        # Text, not markup: names come from outside.
        table.add_row(*(Text(getattr(row, field)) for field, _ in columns))
    lines = [Text(view.summary, style="dim")]
    if not view.rows:
        lines += [Text(f"left out {line}", style="dim") for line in view.left_out]
    return Group(table, *lines)


def status_tables(
    system: SystemDescribed, budget: BudgetDescribed | None
) -> tuple[RenderableType, ...]:
    """Nodes, actors that matter, credits, problems."""
    view = health_view(system)
    nodes = _table("node", "pid", "state", "restarts", "memory MB", "actors", title=view.summary)
    for node in view.nodes:
        nodes.add_row(
            node.name,
            str(node.pid or "-"),
            node.state,
            str(node.restarts),
            f"{node.rss_kb / 1024:.0f}",
            str(len(node.actors)),
        )
    actors = _table("node", "actor", "state", "restarts", "waiting", "handled", "lost", "remark")
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
    stand = credits_sentence(budget) if budget else "credits: the budget does not answer now"
    problems = [Text(f"! {problem}", style="yellow") for problem in view.problems]
    return (nodes, actors, Text(stand), *problems)


def feeds_line(system: SystemDescribed, budget: BudgetDescribed | None) -> Text:
    """The last line of the live table: how the daemon is."""
    stand = f"; {credits_sentence(budget)}" if budget else ""
    return Text(health_view(system).summary + stand, style="dim")


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
