"""``kos replay``: recorded payloads through the same decoding, matching and scoring."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kos.cli.settings import ConfigOption, JsonOption, settings_of
from kos.db import FILE_NAME
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery
from kos.errors import InvalidInput

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from kos.replay.report import Replayed

_MATCHES_SHOWN = 20
"""Where no terminal tells its own, so that a row stays a line."""


def replay(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    *,
    bookmaker: Annotated[
        str | None,
        typer.Option("--bookmaker", "-b", help="Bookmaker key, e.g. coral. Default: all."),
    ] = None,
    kind: Annotated[BetKind, typer.Option("--kind", "-k", help="Type of bet.")] = (
        BetKind.QUALIFYING
    ),
    stake: Annotated[
        str, typer.Option("--stake", "-s", help="Back stake, or value of the free bet, in pounds.")
    ] = "10",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")] = 10,
    sport: Annotated[
        str | None, typer.Option(help="Sport key or prefix, e.g. soccer or soccer_epl.")
    ] = None,
    hide_arbs: Annotated[bool, typer.Option("--hide-arbs", help="Hide arbs.")] = False,
    aliases: Annotated[
        Path | None,
        typer.Option(
            help="Decisions about names: a ledger, or a file from kos aliases export. "
            "Default: your ledger, if there is one."
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Replay recorded payloads in their own time; needs no daemon, no key and no network."""
    query = OpportunityQuery(
        kind=kind,
        stake=_pounds(stake),
        bookmaker=bookmaker,
        limit=limit,
        sport=sport,
        hide_arbs=hide_arbs,
    )
    from kos.replay.aliases import read_aliases
    from kos.replay.engine import replay as replayed

    settings = settings_of(config)
    ledger = settings.state_dir / FILE_NAME
    source = aliases or (ledger if ledger.exists() else None)
    found = replayed(paths, query, settings.scoring, read_aliases(source) if source else None)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(found).decode())
        return
    from kos.cli.tables import console

    screen = console()
    for part in _tables(found, query):
        screen.print(part)


def _pounds(text: str) -> Decimal:
    try:
        return Decimal(text.removeprefix("£"))
    except InvalidOperation:
        raise InvalidInput("--stake", text, "an amount in pounds, e.g. 10 or 2.50") from None


def _tables(found: Replayed, query: OpportunityQuery) -> list[RenderableType]:
    return [
        _files(found),
        "",
        _matches(found),
        "",
        _counts("Excluded by the decoders", found.dropped),
        _counts("Prices not offered", found.rejected),
        "",
        *_opportunities(found, query),
    ]


def _files(found: Replayed) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = _table(Table(title=f"{len(found.files)} files"))
    for heading in ("file", "kind"):
        table.add_column(heading, overflow="fold")
    for heading in ("snapshots", "events", "markets", "books", "left out"):
        table.add_column(heading, justify="right")
    table.add_column("remark", overflow="fold")
    for file in found.files:
        counts = (file.snapshots, file.events, file.markets, file.books, file.dropped)
        table.add_row(
            Text(Path(file.name).name),
            file.kind,
            *(str(count) if count else "" for count in counts),
            # Text, not markup: names come from outside.
            Text(file.error or file.note or ""),
        )
    return table


def _matches(found: Replayed) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    matches = found.matches
    lines: list[RenderableType] = [
        Text(
            f"{matches.events} events against {matches.exchange_markets} exchange markets:"
            f" {matches.match} matched, {matches.doubt} uncertain, {matches.none} without one"
        )
    ]
    if not matches.exchange_markets:
        lines.append(
            Text("no exchange names in the files: only the feed's own lay prices are used")
        )
    if matches.found:
        table = _table(Table())
        for heading in ("event", "exchange event", "verdict", "confidence", "why"):
            table.add_column(heading, overflow="fold")
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
    from rich.text import Text

    told = "; ".join(f"{count} {reason}" for reason, count in counts.items())
    return Text(f"{title}: {told or 'nothing'}")


def _opportunities(found: Replayed, query: OpportunityQuery) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from kos.views.opportunities import columns_of, opportunity_row

    columns = columns_of(query.kind)
    table = _table(Table(title="Best opportunities, each at its best price"))
    for heading in ("As of (UTC)", *(heading for _, heading in columns)):
        table.add_column(heading, overflow="fold")
    for each in found.opportunities:
        row = opportunity_row(each, each.as_of)
        table.add_row(
            f"{each.as_of:%Y-%m-%d %H:%M}", *(Text(getattr(row, field)) for field, _ in columns)
        )
    summary = f"{found.considered} prices checked, at {found.moments} moments"
    if found.first_at is not None and found.last_at is not None:
        summary += f" from {found.first_at:%Y-%m-%d %H:%M} to {found.last_at:%Y-%m-%d %H:%M} UTC"
    return [table, Text(summary)]


def _table(table: Table) -> Table:
    table.title_justify, table.box, table.header_style = "left", None, "bold"
    return table
