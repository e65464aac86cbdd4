"""What every command needs first: the settings, and the running daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kos.config import Settings, load

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; default: $KOS_CONFIG or the user's."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]


def settings_of(config: Path | None) -> Settings:
    """The checked settings of this installation."""
    return load(config)[0]
