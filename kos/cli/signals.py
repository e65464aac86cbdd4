"""``kos signals``: the best opportunities, asked of the running daemon."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, daemon_asker, settings_of
from kos.config.settings import Settings
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery, Ranking
from kos.errors import InvalidInput, OperatorMustAct

_TIMEOUT_S = 10.0
_MOST_POUNDS = 1_000_000
_MOST_ODDS = 1000


class SignalKind(StrEnum):
    """What can be asked for."""

    QUALIFYING = BetKind.QUALIFYING.value
    SNR = BetKind.FREE_BET_SNR.value
    SR = BetKind.FREE_BET_SR.value
    REFUND = BetKind.REFUND.value
    ARBS = "arbs"
    DUTCH = "dutch"


def signals(
    *,
    bookmaker: Annotated[
        str | None,
        typer.Option(
            "--bookmaker", "-b", metavar="KEY", help="Bookmaker key, e.g. coral. Default: all."
        ),
    ] = None,
    kind: Annotated[
        SignalKind,
        typer.Option("--kind", "-k", help="Type of bet: cash, free bet, refund, arbs or dutching."),
    ] = SignalKind.QUALIFYING,
    stake: Annotated[
        str,
        typer.Option(
            "--stake",
            "-s",
            metavar="POUNDS",
            help="Back stake, or value of the free bet, in pounds. For dutching: the stake at "
            "--bookmaker, or the total stake if no bookmaker is given.",
        ),
    ] = "10",
    free_bet: Annotated[
        str | None,
        typer.Option(metavar="POUNDS", help="Value of the free bet you earn, in pounds."),
    ] = None,
    refund: Annotated[
        str | None,
        typer.Option(
            metavar="POUNDS", help="Refund if the bet loses, in pounds. Default: the stake."
        ),
    ] = None,
    refund_in_cash: Annotated[
        bool,
        typer.Option("--refund-in-cash", help="The refund is paid in cash, not as a free bet."),
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=500, help="Number of results.")
    ] = 10,
    sport: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Sport key or prefix, e.g. soccer or soccer_epl."),
    ] = None,
    exchange: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Only lay at this exchange, e.g. betfair or smarkets."),
    ] = None,
    min_odds: Annotated[str | None, typer.Option(metavar="ODDS", help="Minimum back odds.")] = None,
    max_odds: Annotated[str | None, typer.Option(metavar="ODDS", help="Maximum back odds.")] = None,
    min_liquidity: Annotated[
        str | None,
        typer.Option(metavar="POUNDS", help="Minimum available on the exchange, in pounds."),
    ] = None,
    max_liability: Annotated[
        str | None, typer.Option(metavar="POUNDS", help="Maximum liability, in pounds.")
    ] = None,
    within_hours: Annotated[
        float | None, typer.Option(metavar="HOURS", help="Starts within this many hours.")
    ] = None,
    rank: Annotated[
        Ranking | None,
        typer.Option(help="Sort order. Default: seed (rating for arbs and dutching)."),
    ] = None,
    hide_arbs: Annotated[bool, typer.Option("--hide-arbs", help="Hide arbs.")] = False,
    only_arbs: Annotated[
        bool, typer.Option("--only-arbs", help="Dutching: show only arbs.")
    ] = False,
    leg: Annotated[
        BetKind, typer.Option(help="Dutching: the type of bet at the bookmaker (cash or free bet).")
    ] = (BetKind.QUALIFYING),
    without_exchanges: Annotated[
        bool,
        typer.Option("--without-exchanges", help="Dutching: bookmakers only, no exchange legs."),
    ] = False,
    detail: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Show one opportunity by its ID (see wide tables or --json), with every factor of its score.",
        ),
    ] = None,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the best opportunities in the daemon's memory, without calling any remote service."""
    settings = settings_of(config, state_dir)
    is_dutch = kind is SignalKind.DUTCH
    is_arbs = kind is SignalKind.ARBS
    bets = {SignalKind.DUTCH: leg, SignalKind.ARBS: BetKind.QUALIFYING}
    query = OpportunityQuery(
        kind=bets[kind] if kind in bets else BetKind(kind.value),
        stake=_pounds("--stake", stake),
        bookmaker=bookmaker,
        free_bet_value=_pounds("--free-bet", free_bet) if free_bet else None,
        refund_value=_pounds("--refund", refund) if refund else None,
        is_refund_cash=refund_in_cash,
        limit=limit,
        sport=sport,
        exchange=exchange,
        min_odds=_odds("--min-odds", min_odds),
        max_odds=_odds("--max-odds", max_odds),
        min_liquidity=_pounds("--min-liquidity", min_liquidity) if min_liquidity else None,
        max_liability=_pounds("--max-liability", max_liability) if max_liability else None,
        max_minutes_to_kickoff=within_hours * 60 if within_hours is not None else None,
        hide_arbs=hide_arbs,
        only_arbs=is_arbs,
        ranking=rank or (Ranking.RATING if is_arbs or is_dutch else Ranking.SEED),
    )
    if is_dutch:
        _refuse_for_dutch({"--exchange": exchange, "--max-liability": max_liability})
        _dutches(
            dutch_of(query, with_exchanges=not without_exchanges, only_arbs=only_arbs),
            as_json=as_json,
            settings=settings,
        )
    elif detail is not None:
        _detail(detail, query, as_json=as_json, settings=settings)
    else:
        _pairs(query, as_json=as_json, settings=settings)


def dutch_of(query: OpportunityQuery, *, with_exchanges: bool, only_arbs: bool) -> DutchQuery:
    """The question about dutches that asks for the same bet within the same filters."""
    return DutchQuery(
        bookmaker=query.bookmaker,
        kind=query.kind,
        stake=query.stake,
        free_bet_value=query.free_bet_value,
        refund_value=query.refund_value,
        is_refund_cash=query.is_refund_cash,
        limit=query.limit,
        sport=query.sport,
        with_exchanges=with_exchanges,
        min_odds=query.min_odds,
        max_odds=query.max_odds,
        min_liquidity=query.min_liquidity,
        max_minutes_to_kickoff=query.max_minutes_to_kickoff,
        only_arbs=only_arbs,
        ranking=query.ranking,
    )


def _pairs(query: OpportunityQuery, *, as_json: bool, settings: Settings) -> None:
    from kos.messages import GetOpportunities, OpportunitiesRanked

    question = GetOpportunities(query=query)
    with daemon_asker(settings) as asker:
        answer = asker.ask("scorer", question, OpportunitiesRanked, _TIMEOUT_S)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, opportunities_table

    screen = console()
    screen.print(opportunities_table(answer, query, screen.width))
    if not answer.answer.considered:
        _say_what_there_is(query, settings)


def _say_what_there_is(query: OpportunityQuery, settings: Settings) -> None:
    """Hint on standard error: a bookmaker or sport without prices is often a typing error."""
    from kos.messages import GetSignalKeys, SignalKeysListed

    with daemon_asker(settings) as asker:
        keys = asker.ask("scorer", GetSignalKeys(), SignalKeysListed, _TIMEOUT_S).keys
    bookmakers = [each.key for each in keys.bookmakers]
    if query.bookmaker is not None and query.bookmaker not in bookmakers:
        known = ", ".join(bookmakers) or "none yet"
        typer.echo(f"No prices from {query.bookmaker}. Bookmakers with prices: {known}", err=True)
    sports = sorted({each.key.partition("_")[0] for each in keys.sports})
    if query.sport is not None and not any(
        each.key.startswith(query.sport) for each in keys.sports
    ):
        known = ", ".join(sports) or "none yet"
        typer.echo(f"No prices for {query.sport}. Sports with prices: {known}", err=True)


def _dutches(query: DutchQuery, *, as_json: bool, settings: Settings) -> None:
    from kos.messages import DutchesRanked, GetDutches

    question = GetDutches(query=query)
    with daemon_asker(settings) as asker:
        answer = asker.ask("scorer", question, DutchesRanked, _TIMEOUT_S)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, dutches_tables

    console().print(dutches_tables(answer, query))


def _detail(wanted: str, query: OpportunityQuery, *, as_json: bool, settings: Settings) -> None:
    from kos.messages import GetOpportunity, OpportunityDescribed

    question = GetOpportunity(opportunity_id=wanted, query=query)
    with daemon_asker(settings) as asker:
        answer = asker.ask("scorer", question, OpportunityDescribed, _TIMEOUT_S)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, detail_table

    console().print(detail_table(answer))


def _refuse_for_dutch(given: dict[str, str | None]) -> None:
    for option, value in given.items():
        if value is not None:
            raise OperatorMustAct(f"{option} does not work with dutching. Leave it out.")


def _decimal(option: str, text: str, allowed: str) -> Decimal:
    try:
        value = Decimal(text.removeprefix("£"))
    except InvalidOperation:
        raise InvalidInput(option, text, allowed) from None
    if not value.is_finite():
        raise InvalidInput(option, text, allowed)
    return value


def _pounds(option: str, text: str) -> Decimal:
    allowed = f"an amount from £0.01 to £{_MOST_POUNDS:,}"
    value = _decimal(option, text, allowed)
    if not Decimal("0.01") <= value <= _MOST_POUNDS or value != value.quantize(Decimal("0.01")):
        raise InvalidInput(option, text, allowed)
    return value


def _odds(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    allowed = f"decimal odds above 1, up to {_MOST_ODDS:,}"
    value = _decimal(option, text, allowed)
    if not 1 < value <= _MOST_ODDS:
        raise InvalidInput(option, text, allowed)
    return value
