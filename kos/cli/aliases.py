"""``kos aliases``: names that a person has settled, kept by the ledger, used by the matcher."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
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
from kos.cli.settings import JsonOption, StateDirOption, command_group
from kos.domain.matching.aliases import AliasVerdict, SettledAlias, SharedAlias, shared_aliases
from kos.errors import CommandNotAllowed
from kos.messages import AliasesListed, CommandRecorded, GetAliases, RecordAlias

aliases_app = command_group(
    "Aliases: names decided to be the same team or player, or different ones. In use immediately."
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


def _add_decision(name: str, verdict: AliasVerdict, help_line: str) -> None:
    """Make the command that decides for or against two names."""

    @aliases_app.command(name, help=help_line)
    def decide(
        sport: SportArgument,
        feed_name: FeedName,
        exchange_name: ExchangeName,
        *,
        evidence: EvidenceOption,
        replace: ReplaceOption = False,
        key: KeyOption = None,
        state_dir: StateDirOption = None,
    ) -> None:
        alias = SharedAlias(sport, feed_name, exchange_name, verdict, evidence)
        _settle(state_dir, alias, key, is_replacing=replace)


_add_decision("add", AliasVerdict.CONFIRMED, "Record that two names are the same team or player.")
_add_decision(
    "reject", AliasVerdict.REJECTED, "Record that two names are different teams or players."
)


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
    alias = SharedAlias(sport, feed_name, exchange_name, AliasVerdict.WITHDRAWN, evidence)
    _settle(state_dir, alias, key, is_replacing=True)


@aliases_app.command("export")
def export(
    target: Annotated[Path | None, typer.Argument(help="File. Default: standard output.")] = None,
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Export decisions as JSON lines to share, without the names of the people who made them."""
    aliases = Door(state_dir).ask(GetAliases(), AliasesListed).aliases
    shared = msgspec.convert(aliases, tuple[SharedAlias, ...], from_attributes=True)
    write_out(msgspec.json.Encoder().encode_lines(shared).decode(), target)


@aliases_app.command("import")
def import_aliases(
    source: Annotated[Path, typer.Argument(help="File of JSON lines, as export writes it.")],
    *,
    replace: ReplaceOption = False,
    state_dir: StateDirOption = None,
) -> None:
    """Import someone else's decisions. Nothing is imported if any contradicts yours."""
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
    door = Door(state_dir)
    command = _command(alias, key)
    _check(_settled(door), command, is_replacing=is_replacing)
    door.do(command, CommandRecorded)
    names = f"{alias.feed_name} = {alias.exchange_name}"
    typer.echo(f"{alias.sport}: {names} is {alias.verdict.value}")


def _command(alias: SharedAlias, key: str | None) -> RecordAlias:
    return RecordAlias(
        command_id=key_of(key),
        by=operator(),
        occurred_at=moment_said(None),
        **msgspec.structs.asdict(alias),
    )


def _settled(door: Door) -> tuple[SettledAlias, ...]:
    if not door.path.exists():
        return ()  # the first word makes the ledger
    return door.ask(GetAliases(), AliasesListed).aliases


def _check(settled: tuple[SettledAlias, ...], command: RecordAlias, *, is_replacing: bool) -> None:
    """Ask before an earlier word on this pair is turned round; never overwrite it silently."""
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
