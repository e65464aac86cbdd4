"""``kos ledger``: the database itself: check, copy, restore, move, and one participant's data."""

from __future__ import annotations

from contextlib import closing
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
    write_out,
)
from kos.cli.facts import Participant
from kos.cli.settings import JsonOption, StateDirOption, command_group, print_json
from kos.db import meaning
from kos.errors import InvalidInput
from kos.messages import (
    BackUpLedger,
    CommandRecorded,
    EraseParticipant,
    EverythingListed,
    GetEverything,
    LedgerBackedUp,
    LedgerVerified,
    VerifyLedger,
)

ledger_app = command_group("The database: check, back up, restore, export, erase.")


@ledger_app.command("verify")
def verify(*, as_json: JsonOption = False, state_dir: StateDirOption = None) -> None:
    """Check the file: integrity, schema, sums, and that replaying all facts gives what is stored."""
    verified = Door(state_dir).ask(VerifyLedger(), LedgerVerified)
    if as_json:
        print_json(verified)
    else:
        for problem in verified.problems:
            typer.echo(f"problem: {problem}")
        counted = ", ".join(f"{count} {table}" for table, count in verified.counts.items())
        typer.echo(f"{'sound' if not verified.problems else 'NOT SOUND'}: {counted}")
    if verified.problems:
        raise typer.Exit(1)


@ledger_app.command("backup")
def backup(
    target: Annotated[Path, typer.Argument(help="A new file.")],
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Write a consistent, checked copy while the daemon runs."""
    done = Door(state_dir).ask(BackUpLedger(target=str(target.absolute())), LedgerBackedUp)
    typer.echo(f"{done.target}: a checked copy up to entry {done.sequence}")


@ledger_app.command("restore")
def restore(
    source: Annotated[Path, typer.Argument(help="A backup.")],
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Restore a checked backup. The current file is kept alongside it."""
    from kos.storage.backup import restore as put_back

    with Door(state_dir).no_daemon("restoring replaces its file") as path:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = put_back(source, path)
    typer.echo(f"{path}: restored from {source}")
    if aside is not None:
        typer.echo(f"the previous ledger is {aside}")


@ledger_app.command("accept-loss")
def accept_loss(*, state_dir: StateDirOption = None) -> None:
    """Reopen a ledger whose missing entries cannot be recovered."""
    from kos.storage.backup import accept_loss as accept

    with Door(state_dir).no_daemon("it has its file open and no entries are missing") as path:
        lost = accept(path)
    typer.echo(f"{path}: {lost} acknowledged entries are accepted as lost")


@ledger_app.command("export")
def export(
    target: Annotated[Path | None, typer.Argument(help="A new file.")] = None,
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Write every accepted command as a line of JSON, for `kos ledger import`."""
    from kos.storage.migrations import open_as_it_is
    from kos.storage.transfer import exported

    path = Door(state_dir).path
    with closing(open_as_it_is(path)) as database, meaning(path):
        database.raw().execute("BEGIN")
        text = b"".join(exported(database)).decode()
    write_out(text, target)


@ledger_app.command("import")
def import_ledger(
    source: Annotated[Path, typer.Argument(help="A file from `kos ledger export`.")],
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Carry out exported commands; those that are there already change nothing."""
    from kos.storage.ledger import Ledger
    from kos.storage.transfer import imported

    with Door(state_dir).no_daemon("only one process can write the file") as path:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            lines = source.open("rb")
        except OSError as error:
            raise InvalidInput("file", str(source), f"a readable file ({error})") from error
        with lines, closing(Ledger(path)) as ledger:
            done = imported(ledger, lines)
    typer.echo(f"{path}: {done.recorded} commands are in the ledger")
    exit_if_refused(done.refused)


@ledger_app.command("everything-about")
def everything_about(
    participant: Participant,
    target: Annotated[Path | None, typer.Argument(help="A new file.")] = None,
    *,
    state_dir: StateDirOption = None,
) -> None:
    """Export everything stored about one participant as JSON, so they can keep a copy."""
    listed = Door(state_dir).ask(GetEverything(participant=participant), EverythingListed)
    write_out(msgspec.json.encode(listed.tables).decode() + "\n", target)


@ledger_app.command("erase")
def erase(
    participant: Participant,
    reason: Annotated[
        str, typer.Option("--reason", help="The reason (not stored with the person's data).")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Remove everything stored about one participant. Earlier backups still contain it."""
    if not yes:
        typer.confirm(f"Permanently remove everything about {participant}?", abort=True)
    command = EraseParticipant(
        command_id=key_of(key),
        by=operator(),
        occurred_at=moment_said(None),
        participant=participant,
        reason=reason,
    )
    Door(state_dir).do(command, CommandRecorded)
    typer.echo(f"everything about {participant} has been removed. Earlier backups still contain it")
