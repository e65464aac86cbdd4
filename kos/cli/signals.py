"""``kos signals``: the best opportunities, asked of the running daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from kos.asking import Expected
from kos.cli.filters import DEFAULT_LIMIT, Given, texts_of, with_filters
from kos.cli.settings import (
    ConfigOption,
    JsonOption,
    StateDirOption,
    daemon_asker,
    print_json,
    settings_of,
)
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
from kos.messages import (
    DutchesRanked,
    GetDutches,
    GetOpportunities,
    GetOpportunity,
    GetSignalKeys,
    OpportunitiesRanked,
    OpportunityDescribed,
    SignalKeysListed,
)
from kos.runtime import Message

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
    return _asked(settings, GetSignalKeys(), SignalKeysListed).keys


def _asked(settings: Settings, question: Message, expected: type[Expected]) -> Expected:
    with daemon_asker(settings) as asker:
        return asker.ask("scorer", question, expected, _TIMEOUT_S)


def _pairs(query: OpportunityQuery, *, as_json: bool, settings: Settings) -> None:
    answer = _asked(settings, GetOpportunities(query=query), OpportunitiesRanked)
    if as_json:
        print_json(answer)
        return
    from kos.cli.tables import console, opportunities_table
    from kos.views.opportunities import without_prices

    screen = console()
    screen.print(opportunities_table(answer, query, screen.width))
    if not answer.answer.considered:
        for hint in without_prices(query.bookmaker, query.sport, _seen(settings)):
            typer.echo(hint, err=True)


def _dutches(query: DutchQuery, *, as_json: bool, settings: Settings) -> None:
    answer = _asked(settings, GetDutches(query=query), DutchesRanked)
    if as_json:
        print_json(answer)
        return
    from kos.cli.tables import console, dutches_tables

    console().print(dutches_tables(answer, query))


def _detail(wanted: str, query: OpportunityQuery, *, as_json: bool, settings: Settings) -> None:
    question = GetOpportunity(opportunity_id=wanted, query=query)
    answer = _asked(settings, question, OpportunityDescribed)
    if as_json:
        print_json(answer)
        return
    from kos.cli.tables import console, detail_table

    console().print(detail_table(answer))
