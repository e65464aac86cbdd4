"""``kos signals``: the best opportunities, asked of the running daemon."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from kos.cli.settings import ConfigOption, JsonOption, settings_of
from kos.domain.opportunity import BetKind, OpportunityQuery, Ranking
from kos.errors import InvalidInput

_TIMEOUT_S = 10.0
_MOST_POUNDS = 1_000_000
_MOST_ODDS = 1000


def signals(
    *,
    bookmaker: Annotated[
        str | None,
        typer.Option("--bookmaker", "-b", help="Bookmaker key, e.g. coral; default all."),
    ] = None,
    kind: Annotated[
        BetKind, typer.Option("--kind", "-k", help="What the back bet is staked with.")
    ] = (BetKind.QUALIFYING),
    stake: Annotated[
        str, typer.Option("--stake", "-s", help="Back stake or face of the free bet, pounds.")
    ] = "10",
    free_bet: Annotated[
        str | None, typer.Option(help="Face of the free bet that a qualifier unlocks, pounds.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many.")] = 10,
    sport: Annotated[
        str | None, typer.Option(help="Sport key or its beginning, e.g. soccer or soccer_epl.")
    ] = None,
    exchange: Annotated[str | None, typer.Option(help="Only this exchange's lays.")] = None,
    min_odds: Annotated[str | None, typer.Option(help="Lowest back odds.")] = None,
    max_odds: Annotated[str | None, typer.Option(help="Highest back odds.")] = None,
    min_liquidity: Annotated[
        str | None, typer.Option(help="Least available to lay, pounds.")
    ] = None,
    max_liability: Annotated[
        str | None, typer.Option(help="Most exchange liability, pounds.")
    ] = None,
    within_hours: Annotated[float | None, typer.Option(help="Kickoff within these hours.")] = None,
    rank: Annotated[Ranking, typer.Option(help="Order of the answer.")] = Ranking.SEED,
    hide_arbs: Annotated[bool, typer.Option("--hide-arbs", help="Leave arbs out.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the best opportunities from the daemon's memory; no call to any remote service."""
    query = OpportunityQuery(
        kind=kind,
        stake=_pounds("--stake", stake),
        bookmaker=bookmaker,
        free_bet_value=_pounds("--free-bet", free_bet) if free_bet else None,
        limit=limit,
        sport=sport,
        exchange=exchange,
        min_odds=_odds("--min-odds", min_odds),
        max_odds=_odds("--max-odds", max_odds),
        min_liquidity=_pounds("--min-liquidity", min_liquidity) if min_liquidity else None,
        max_liability=_pounds("--max-liability", max_liability) if max_liability else None,
        max_minutes_to_kickoff=within_hours * 60 if within_hours is not None else None,
        hide_arbs=hide_arbs,
        ranking=rank,
    )
    from kos.cli.daemon import ask
    from kos.messages import GetOpportunities, OpportunitiesRanked

    answer = ask(
        settings_of(config),
        "scorer",
        GetOpportunities(query=query),
        OpportunitiesRanked,
        _TIMEOUT_S,
    )
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, opportunities_table

    screen = console()
    screen.print(opportunities_table(answer, query, screen.width))


def _decimal(option: str, text: str, allowed: str) -> Decimal:
    try:
        value = Decimal(text.removeprefix("£"))
    except InvalidOperation:
        raise InvalidInput(option, text, allowed) from None
    if not value.is_finite():
        raise InvalidInput(option, text, allowed)
    return value


def _pounds(option: str, text: str) -> Decimal:
    allowed = f"pounds from 0.01 to {_MOST_POUNDS}, at most two decimals"
    value = _decimal(option, text, allowed)
    if not Decimal("0.01") <= value <= _MOST_POUNDS or value != value.quantize(Decimal("0.01")):
        raise InvalidInput(option, text, allowed)
    return value


def _odds(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    allowed = f"decimal odds above 1, at most {_MOST_ODDS}"
    value = _decimal(option, text, allowed)
    if not 1 < value <= _MOST_ODDS:
        raise InvalidInput(option, text, allowed)
    return value
