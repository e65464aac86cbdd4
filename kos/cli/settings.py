"""What every command shares: its options, the settings, the running daemon, and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kos.asking import Asker, DaemonLink
from kos.config.load import load
from kos.config.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file. Default: $KOS_CONFIG or your own file."),
]
StateDirOption = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="Folder for KOS state. Default: from the settings.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command_group(help_line: str) -> typer.Typer:
    """A group of commands; by its name alone it shows its help."""
    return typer.Typer(help=help_line, no_args_is_help=True, pretty_exceptions_enable=False)


def print_json(value: object) -> None:
    """One line of JSON on standard output."""
    typer.echo(msgspec.json.encode(value).decode())


def print_result(value: object, text: str, *, as_json: bool) -> None:
    """What came of a command: as JSON for programs, or in words."""
    if as_json:
        print_json(value)
    else:
        typer.echo(text)


def settings_of(config: Path | None, state_dir: Path | None = None) -> Settings:
    """The checked settings of this installation, with the state elsewhere where that is said."""
    return load(config)[0].kept_in(state_dir)


@contextmanager
def daemon_asker(settings: Settings, *, patience_s: float = 20.0) -> Iterator[Asker]:
    """Asks the running daemon of these settings, else the one on the sandbox.

    Args:
        settings: Where the daemons keep their state.
        patience_s: How long a message with an ID is repeated while the daemon is away, in seconds.
    """
    with DaemonLink(settings.state_dir, settings.sandbox_state_dir) as daemon:
        yield Asker(daemon.ask, patience_s=patience_s)
