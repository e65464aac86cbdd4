"""``kos replay``: recorded payloads through the daemon's own decoding, matching and ranking."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from kos.cli.filters import DEFAULT_LIMIT, Given, texts_of, with_filters
from kos.cli.settings import ConfigOption, JsonOption, print_json, settings_of
from kos.db import FILE_NAME
from kos.domain.opportunities.filters import SignalKind
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.opportunities.queries import canonical, opportunity_query, signal_kind

if TYPE_CHECKING:
    from kos.replay.report import Replayed

_KINDS = tuple(kind for kind in SignalKind if kind is not SignalKind.DUTCH)
_MATCHES_SHOWN = 20
"""Where no terminal tells its own, so that a row stays a line."""


@with_filters(_KINDS)
def replay(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    *,
    aliases: Annotated[
        Path | None,
        typer.Option(
            help="Decisions about names: a ledger, or a file from kos aliases export. "
            "Default: your ledger, if there is one."
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    **given: Given,
) -> None:
    """Replay recorded payloads in their own time; needs no daemon, no key and no network."""
    query = query_of(given)
    from kos.replay.aliases import read_aliases
    from kos.replay.engine import replay as replayed

    settings = settings_of(config)
    ledger = settings.state_dir / FILE_NAME
    source = aliases or (ledger if ledger.exists() else None)
    report = replayed(paths, query, settings.scoring, read_aliases(source) if source else None)
    if as_json:
        print_json(report)
        return
    from kos.cli.tables import console

    screen = console()
    for part in _tables(report, query):
        screen.print(part)


def query_of(given: Mapping[str, Given]) -> OpportunityQuery:
    """The query that the options make; without a daemon, any competition and bookmaker is taken.

    Raises:
        InvalidInput: An option is wrong or does not fit; says what is allowed.
    """
    texts = canonical(texts_of(given))
    return opportunity_query(signal_kind(texts, _KINDS), texts, None, DEFAULT_LIMIT)


def _tables(report: Replayed, query: OpportunityQuery) -> list[RenderableType]:
    return [
        _files(report),
        "",
        _matches(report),
        "",
        _counts("Excluded by the decoders", report.dropped),
        _counts("Prices not offered", report.rejected),
        "",
        *_opportunities(report, query),
    ]


def _files(report: Replayed) -> RenderableType:
    from kos.cli.tables import plain_table

    table = plain_table("file", "kind", title=f"{len(report.files)} files")
    for heading in ("snapshots", "events", "markets", "books", "left out"):
        table.add_column(heading, justify="right")
    table.add_column("remark", overflow="fold")
    for file in report.files:
        counts = (file.snapshots, file.events, file.markets, file.books, file.dropped)
        table.add_row(
            Text(Path(file.name).name),
            file.kind,
            *(str(count) if count else "" for count in counts),
            # Text, not markup: names come from outside.
            Text(file.error or file.note or ""),
        )
    return table


def _matches(report: Replayed) -> RenderableType:
    from kos.cli.tables import plain_table

    matches = report.matches
    lines: list[RenderableType] = [
        Text(
            f"Events: {matches.events:,}, exchange markets: {matches.exchange_markets:,};"
            f" {matches.match} matched, {matches.doubt} uncertain, {matches.none} unmatched"
        )
    ]
    if not matches.exchange_markets:
        lines.append(
            Text("No exchange markets in the files: only the feed's own lay prices are used")
        )
    if matches.found:
        table = plain_table("event", "exchange event", "verdict", "confidence", "why")
        for match in matches.found[:_MATCHES_SHOWN]:
            table.add_row(
                Text(match.event),
                Text(match.exchange_event or "-"),
                match.verdict,
                f"{match.confidence:.2f}",
                Text(match.reasons[0] if match.reasons else ""),
            )
        lines.append(table)
    if (more := len(matches.found) - _MATCHES_SHOWN) > 0:
        lines.append(Text(f"and {more} more (--json has all)"))
    return Group(*lines)


def _counts(title: str, counts: dict[str, int]) -> RenderableType:
    listed = "; ".join(f"{count} {reason}" for reason, count in counts.items())
    return Text(f"{title}: {listed or 'nothing'}")


def _opportunities(report: Replayed, query: OpportunityQuery) -> list[RenderableType]:
    from kos.cli.tables import plain_table
    from kos.views.opportunities import columns_of, opportunity_row

    columns = columns_of(query.kind)
    headings = (heading for _, heading in columns)
    table = plain_table(
        "As of (UTC)", *headings, title="Best opportunities, each at its best price"
    )
    for opportunity in report.opportunities:
        row = opportunity_row(opportunity, opportunity.as_of)
        table.add_row(
            f"{opportunity.as_of:%Y-%m-%d %H:%M}",
            *(Text(getattr(row, field)) for field, _ in columns),
        )
    summary = f"Prices checked: {report.considered:,}, moments: {report.moments:,}"
    if report.first_at is not None and report.last_at is not None:
        summary += f", from {report.first_at:%Y-%m-%d %H:%M} to {report.last_at:%Y-%m-%d %H:%M} UTC"
    return [table, Text(summary)]
