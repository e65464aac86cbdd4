"""``kos signals``: the best opportunities, asked of the running daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
import typer

from kos.cli.filters import DEFAULT_LIMIT, Given, texts_of, with_filters
from kos.cli.settings import ConfigOption, JsonOption, StateDirOption, daemon_asker, settings_of
from kos.config.settings import Settings
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.filters import SignalKind
from kos.domain.opportunities.opportunity import OpportunityQuery, SignalKeys
from kos.domain.opportunities.queries import (
    canonical,
    dutch_query,
    needs_names,
    opportunity_query,
    signal_kind,
)

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
    query = query_of(given, lambda: _seen(settings))
    if isinstance(query, DutchQuery):
        _dutches(query, as_json=as_json, settings=settings)
    elif detail is not None:
        _detail(detail, query, as_json=as_json, settings=settings)
    else:
        _pairs(query, as_json=as_json, settings=settings)


def query_of(
    given: Mapping[str, Given], ask_seen: Callable[[], SignalKeys]
) -> OpportunityQuery | DutchQuery:
    """The query that the options make.

    Args:
        given: The options by name.
        ask_seen: Asks for the names with prices now; called only if a name is given.

    Raises:
        InvalidInput: An option is wrong or does not fit; says what is allowed.
    """
    texts = canonical(texts_of(given))
    kind = signal_kind(texts)
    seen = ask_seen() if needs_names(texts) else None
    if kind is SignalKind.DUTCH:
        return dutch_query(texts, seen, DEFAULT_LIMIT)
    return opportunity_query(kind, texts, seen, DEFAULT_LIMIT)


def _seen(settings: Settings) -> SignalKeys:
    """The names with prices now."""
    from kos.messages import GetSignalKeys, SignalKeysListed

    with daemon_asker(settings) as asker:
        return asker.ask("scorer", GetSignalKeys(), SignalKeysListed, _TIMEOUT_S).keys


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
    """Hint on standard error: there may be no prices from the bookmaker, or for the sport."""
    from kos.views.opportunities import without_prices

    for hint in without_prices(query.bookmaker, query.sport, _seen(settings)):
        typer.echo(hint, err=True)


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
