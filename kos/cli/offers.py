"""``kos offers``: the catalogue, and each participant's offers with their facts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kos.cli.door import (
    Door,
    KeyOption,
    key_of,
    moment_said,
    operator,
    read_in,
    show,
    write_out,
)
from kos.cli.facts import (
    AtOption,
    ByOption,
    NoteOption,
    Participant,
    ParticipantOption,
    SupervisorOption,
    record_fact,
)
from kos.cli.settings import JsonOption, StateDirOption, command_group, print_result
from kos.domain.offers.catalogue import from_csv, from_toml, to_csv, to_toml
from kos.domain.offers.facts import OFFER_FACTS
from kos.errors import InvalidInput
from kos.messages import (
    CatalogueListed,
    CommandRecorded,
    GetCatalogue,
    GetOffer,
    GetOffers,
    OfferDescribed,
    OffersListed,
    PutOffers,
)

offers_app = command_group("Offers: the catalogue and each participant's offers.")


@offers_app.command("list")
def list_offers(
    *,
    participant: ParticipantOption = None,
    only_open: Annotated[bool, typer.Option("--open", help="Hide closed offers.")] = False,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """List offer instances with phase and profit."""
    from kos.views.offers import offers_table

    question = GetOffers(
        participant=participant or "",
        operator="" if participant else operator(),
        with_closed=not only_open,
    )
    listed = Door(state_dir).ask(question, OffersListed)
    show(listed.offers, offers_table(listed.offers), as_json=as_json)


@offers_app.command("show")
def show_offer(
    participant: Participant,
    instance: Annotated[str, typer.Argument(help="The instance.")],
    *,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Show one offer: its bets, free bets, history and possible next steps."""
    from kos.views.offers import (
        bets_table,
        offers_table,
        reminders_table,
        story_table,
        tokens_table,
    )

    question = GetOffer(participant=participant, instance=instance)
    offer = Door(state_dir).ask(question, OfferDescribed)
    tables = [offers_table([offer.line]), bets_table(offer.bets), tokens_table(offer.tokens)]
    if offer.reminders:
        tables.append(reminders_table(offer.reminders))
    show(offer, *tables, story_table(offer.events), as_json=as_json)
    if not as_json:
        typer.echo(f"you can record: {', '.join(offer.allowed)}")


@offers_app.command("facts")
def facts(
    fact: Annotated[str | None, typer.Argument(help="Show only this fact.")] = None,
) -> None:
    """List the facts you can record, with their fields; fields in brackets are optional."""
    from kos.domain.offers.forms import FACT_FORMS
    from kos.domain.offers.typed_facts import spoken_names
    from kos.views.facts import described_fact, listed_facts

    names = spoken_names(OFFER_FACTS)
    if fact is not None and fact not in names:
        raise InvalidInput("fact", fact, f"one of {', '.join(names)}")
    typer.echo(listed_facts(names) if fact is None else described_fact(FACT_FORMS[fact]))


@offers_app.command("record")
def record(
    participant: Participant,
    instance: Annotated[str, typer.Argument(help="The offer ID. deposit_sent starts a new offer.")],
    fact: Annotated[str, typer.Argument(help="What happened (see kos offers facts).")],
    words: Annotated[
        list[str] | None,
        typer.Argument(help="field=value ... with amounts in pounds and UK times."),
    ] = None,
    *,
    at: AtOption = None,
    key: KeyOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    supervisor: SupervisorOption = False,
    version: Annotated[
        int | None,
        typer.Option("--version", help="Refuse if the offer has changed since this version."),
    ] = None,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Record what happened to an offer, e.g. ann c1 qualifier_placed bet=A1 stake=10 odds=6/4."""
    from kos.views.names import phase_name, readable

    answer = record_fact(
        state_dir,
        OFFER_FACTS,
        fact,
        words,
        at=at,
        key=key,
        by=by,
        supervisor=supervisor,
        participant=participant,
        instance=instance,
        note=note,
        expected_version=version,
    )
    where = phase_name(answer.phase)
    if answer.outcome is not None:
        where = f"closed, {readable(answer.outcome)}"
    text = f"{answer.participant} {answer.instance}: {where}, step {answer.version}"
    print_result(answer, text, as_json=as_json)


@offers_app.command("catalogue")
def catalogue(*, as_json: JsonOption = False, state_dir: StateDirOption = None) -> None:
    """List the catalogue, with the latest known terms."""
    from kos.views.offers import catalogue_table

    listed = Door(state_dir).ask(GetCatalogue(), CatalogueListed)
    show(listed.offers, catalogue_table(listed.offers), as_json=as_json)


@offers_app.command("import")
def import_catalogue(
    source: Annotated[Path, typer.Argument(help="A TOML or CSV file of offers.")],
    *,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Read offers into the catalogue; one that has changed gets a new revision."""
    text = read_in(source)
    offers = from_csv(text) if source.suffix.lower() == ".csv" else from_toml(text)
    command = PutOffers(
        command_id=key_of(key), by=operator(), occurred_at=moment_said(None), offers=offers
    )
    Door(state_dir).do(command, CommandRecorded)
    noun = "offer is" if len(offers) == 1 else "offers are"
    typer.echo(f"{len(offers)} {noun} in the catalogue")


@offers_app.command("export")
def export_catalogue(
    target: Annotated[
        Path | None, typer.Argument(help="A new file, TOML unless it ends in .csv.")
    ] = None,
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Write the catalogue as TOML or CSV, to standard output unless you name a file."""
    listed = Door(state_dir).ask(GetCatalogue(), CatalogueListed)
    is_csv = target is not None and target.suffix.lower() == ".csv"
    write_out(to_csv(listed.offers) if is_csv else to_toml(listed.offers), target)
