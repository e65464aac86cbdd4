"""``kos aliases``: names that a person has settled, kept by the ledger, used by the matcher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kos.cli.door import (
    Door,
    KeyOption,
    exit_if_refused,
    key_of,
    moment_said,
    operator,
    read_in,
    show,
    write_out,
)
from kos.cli.settings import JsonOption, StateDirOption
from kos.errors import CommandNotAllowed

if TYPE_CHECKING:
    from kos.domain.matching.aliases import SettledAlias, SharedAlias
    from kos.messages import RecordAlias

aliases_app = typer.Typer(
    help="Aliases: names decided to be the same team or player, or different ones. In use immediately.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

SportArgument = Annotated[str, typer.Argument(help="The sport, e.g. soccer.")]
FeedName = Annotated[str, typer.Argument(help="The name in the odds feed.")]
ExchangeName = Annotated[str, typer.Argument(help="The name on the exchange.")]
EvidenceOption = Annotated[str, typer.Option("--evidence", help="The reason.")]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace an earlier decision that differs.")
]


@aliases_app.command("list")
def list_aliases(
    *,
    sport: Annotated[str | None, typer.Option("--sport", help="Only this sport.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Include the full history.")] = False,
    as_json: JsonOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """List names confirmed or rejected, with who, when and why."""
    from kos.messages import AliasesListed, GetAliases
    from kos.views.offers import shown_time
    from kos.views.table import TableView

    listed = Door(state_dir).ask(GetAliases(sport=sport, with_history=history), AliasesListed)
    table = TableView(
        title="Aliases",
        headings=("sport", "feed", "exchange", "verdict", "who", "when", "evidence"),
        rows=tuple(
            (
                *(fact.sport, fact.feed_name, fact.exchange_name, fact.verdict.value),
                *(fact.decided_by, shown_time(fact.decided_at), fact.evidence),
            )
            for fact in listed.aliases
        ),
    )
    show(listed.aliases, table, as_json=as_json)


@aliases_app.command("add")
def add(
    sport: SportArgument,
    feed_name: FeedName,
    exchange_name: ExchangeName,
    *,
    evidence: EvidenceOption,
    replace: ReplaceOption = False,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Record that two names are the same team or player."""
    from kos.domain.matching.aliases import AliasVerdict, SharedAlias

    alias = SharedAlias(sport, feed_name, exchange_name, AliasVerdict.CONFIRMED, evidence)
    _settle(state_dir, alias, key, is_replacing=replace)


@aliases_app.command("reject")
def reject(
    sport: SportArgument,
    feed_name: FeedName,
    exchange_name: ExchangeName,
    *,
    evidence: EvidenceOption,
    replace: ReplaceOption = False,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Record that two names are different teams or players."""
    from kos.domain.matching.aliases import AliasVerdict, SharedAlias

    alias = SharedAlias(sport, feed_name, exchange_name, AliasVerdict.REJECTED, evidence)
    _settle(state_dir, alias, key, is_replacing=replace)


@aliases_app.command("withdraw")
def withdraw(
    sport: SportArgument,
    feed_name: FeedName,
    exchange_name: ExchangeName,
    *,
    evidence: EvidenceOption,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Undo a decision about two names."""
    from kos.domain.matching.aliases import AliasVerdict, SharedAlias

    alias = SharedAlias(sport, feed_name, exchange_name, AliasVerdict.WITHDRAWN, evidence)
    _settle(state_dir, alias, key, is_replacing=True)


@aliases_app.command("export")
def export(
    target: Annotated[Path | None, typer.Argument(help="File. Default: standard output.")] = None,
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Export decisions as JSON lines to share, without the names of the people who made them."""
    import msgspec

    from kos.domain.matching.aliases import SharedAlias
    from kos.messages import AliasesListed, GetAliases

    listed = Door(state_dir).ask(GetAliases(), AliasesListed)
    lines = [
        msgspec.json.encode(
            SharedAlias(
                alias.sport, alias.feed_name, alias.exchange_name, alias.verdict, alias.evidence
            )
        ).decode()
        for alias in listed.aliases
    ]
    write_out("".join(f"{line}\n" for line in lines), target)


@aliases_app.command("import")
def import_aliases(
    source: Annotated[Path, typer.Argument(help="File of JSON lines, as export writes it.")],
    *,
    replace: ReplaceOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Import someone else's decisions. Nothing is imported if any contradicts yours."""
    from kos.domain.matching.aliases import shared_aliases
    from kos.messages import CommandRecorded

    door = Door(state_dir)
    commands = [_command(alias, None) for alias in shared_aliases(read_in(source), str(source))]
    settled = _settled(door)
    for command in commands:
        _check(settled, command, is_replacing=replace)
    exit_if_refused(door.do_all(commands, CommandRecorded)[1])
    typer.echo(f"{len(commands)} aliases imported")


def _settle(
    state_dir: Path | None, alias: SharedAlias, key: str | None, *, is_replacing: bool
) -> None:
    from kos.messages import CommandRecorded

    door = Door(state_dir)
    command = _command(alias, key)
    _check(_settled(door), command, is_replacing=is_replacing)
    door.do(command, CommandRecorded)
    names = f"{alias.feed_name} = {alias.exchange_name}"
    typer.echo(f"{alias.sport}: {names} is {alias.verdict.value}")


def _command(alias: SharedAlias, key: str | None) -> RecordAlias:
    from msgspec.structs import asdict

    from kos.messages import RecordAlias

    return RecordAlias(
        command_id=key_of(key), by=operator(), occurred_at=moment_said(None), **asdict(alias)
    )


def _settled(door: Door) -> tuple[SettledAlias, ...]:
    from kos.messages import AliasesListed, GetAliases

    if not door.path.exists():
        return ()  # the first word makes the ledger
    return door.ask(GetAliases(), AliasesListed).aliases


def _check(settled: tuple[SettledAlias, ...], command: RecordAlias, *, is_replacing: bool) -> None:
    """Ask before an earlier word on this pair is turned round; never overwrite it silently."""
    from kos.domain.matching.aliases import AliasVerdict

    if is_replacing or command.verdict is AliasVerdict.WITHDRAWN:
        return
    for fact in settled:
        names = (fact.sport, fact.feed_name, fact.exchange_name)
        is_this_pair = names == (command.sport, command.feed_name, command.exchange_name)
        if is_this_pair and fact.verdict not in {command.verdict, AliasVerdict.WITHDRAWN}:
            raise CommandNotAllowed(
                f"{fact.decided_by} has already {fact.verdict.value} {command.feed_name} = "
                f"{command.exchange_name} ({fact.evidence}). If that is wrong, use --replace."
            )
