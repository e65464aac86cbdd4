"""What every command needs first: the settings, and the running daemon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from kos.config.load import load
from kos.config.settings import Settings

if TYPE_CHECKING:
    from kos.asking import Asker

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


def settings_of(config: Path | None, state_dir: Path | None = None) -> Settings:
    """The checked settings of this installation, with the state elsewhere where that is said."""
    settings = load(config)[0]
    if state_dir is None:
        return settings
    place = str(state_dir.expanduser().resolve())
    service = msgspec.structs.replace(settings.service, state_dir=place)
    return msgspec.structs.replace(settings, service=service)


@contextmanager
def daemon_asker(settings: Settings, *, patience_s: float = 20.0) -> Iterator[Asker]:
    """Asks the running daemon of these settings, else the one on the sandbox.

    Args:
        settings: Where the daemons keep their state.
        patience_s: How long a message with an ID is repeated while the daemon is away, in seconds.
    """
    from kos.asking import Asker, DaemonLink

    with DaemonLink(settings.state_dir, settings.sandbox_state_dir) as daemon:
        yield Asker(daemon.ask, patience_s=patience_s)
