"""``kos signals``: the best opportunities, asked of the running daemon."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from kos.cli.filters import DEFAULT_LIMIT, Given, texts_of, with_filters
from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, settings_of
from kos.config.settings import Settings
from kos.domain.market.places import place_name
from kos.domain.market.sports import sport_title
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.filters import (
    SignalKind,
    canonical,
    dutch_query,
    needs_names,
    opportunity_query,
    signal_kind,
)
from kos.domain.opportunities.opportunity import OpportunityQuery, SignalKeys

_TIMEOUT_S = 10.0


@with_filters(tuple(SignalKind))
def signals(
    *,
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
    **given: Given,
) -> None:
    """Show the best opportunities in the daemon's memory, without calling any remote service."""
    settings = settings_of(config, state_dir)
    texts = canonical(texts_of(given))
    kind = signal_kind(texts)
    seen = _seen(settings) if needs_names(texts) else None
    if kind is SignalKind.DUTCH:
        _dutches(dutch_query(texts, seen, DEFAULT_LIMIT), as_json=as_json, settings=settings)
        return
    query = opportunity_query(kind, texts, seen, DEFAULT_LIMIT)
    if detail is not None:
        _detail(detail, query, as_json=as_json, settings=settings)
    else:
        _pairs(query, as_json=as_json, settings=settings)


def _seen(settings: Settings) -> SignalKeys:
    """The names with prices now."""
    from kos.cli.daemon import ask
    from kos.messages import GetSignalKeys, SignalKeysListed

    return ask(settings, "scorer", GetSignalKeys(), SignalKeysListed, _TIMEOUT_S).keys


def _pairs(query: OpportunityQuery, *, as_json: bool, settings: Settings) -> None:
    from kos.cli.daemon import ask
    from kos.messages import GetOpportunities, OpportunitiesRanked

    question = GetOpportunities(query=query)
    answer = ask(settings, "scorer", question, OpportunitiesRanked, _TIMEOUT_S)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, opportunities_table

    screen = console()
    screen.print(opportunities_table(answer, query, screen.width))
    if not answer.answer.considered:
        _say_what_there_is(query, settings)


def _say_what_there_is(query: OpportunityQuery, settings: Settings) -> None:
    """Hint on standard error: there may be no prices from the bookmaker, or for the sport."""
    keys = _seen(settings)
    if query.bookmaker is not None and query.bookmaker not in {
        each.key for each in keys.bookmakers
    }:
        known = ", ".join(place_name(each.key) for each in keys.bookmakers) or "none yet"
        name = place_name(query.bookmaker)
        typer.echo(f"No prices from {name}. Bookmakers with prices: {known}", err=True)
    if query.sport is not None and not any(
        each.key.startswith(query.sport) for each in keys.sports
    ):
        sports = sorted({sport_title(each.key.partition("_")[0]) for each in keys.sports})
        known = ", ".join(sports) or "none yet"
        name = sport_title(query.sport)
        typer.echo(f"No prices for {name}. Sports with prices: {known}", err=True)


def _dutches(query: DutchQuery, *, as_json: bool, settings: Settings) -> None:
    from kos.cli.daemon import ask
    from kos.messages import DutchesRanked, GetDutches

    question = GetDutches(query=query)
    answer = ask(settings, "scorer", question, DutchesRanked, _TIMEOUT_S)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, dutches_tables

    console().print(dutches_tables(answer, query))


def _detail(wanted: str, query: OpportunityQuery, *, as_json: bool, settings: Settings) -> None:
    from kos.cli.daemon import ask
    from kos.messages import GetOpportunity, OpportunityDescribed

    question = GetOpportunity(opportunity_id=wanted, query=query)
    answer = ask(settings, "scorer", question, OpportunityDescribed, _TIMEOUT_S)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    from kos.cli.tables import console, detail_table

    console().print(detail_table(answer))
