"""What every command needs first: the settings, and the running daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

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


def settings_of(config: Path | None, state_dir: Path | None = None) -> Settings:
    """The checked settings of this installation, with the state elsewhere where that is said."""
    found = load(config)[0]
    if state_dir is None:
        return found
    place = str(state_dir.expanduser().resolve())
    service = msgspec.structs.replace(found.service, state_dir=place)
    return msgspec.structs.replace(found, service=service)
