"""``kos config``: the settings in force, whether they hold, and a file to begin with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kos.cli.settings import ConfigOption, JsonOption, command_group, print_json
from kos.config.load import default_path, load
from kos.errors import InvalidInput

config_app = command_group("Settings: show, check or create the file.")


@config_app.command("show")
def show(
    *,
    changed: Annotated[
        bool, typer.Option("--changed", help="Show only settings that are not the default.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show every setting in force and where it comes from; secrets are masked."""
    from kos.config.described import rows

    settings = rows(*load(config))
    if changed:
        settings = tuple(row for row in settings if row.source != "default")
    if as_json:
        print_json(settings)
        return
    table = ""
    for row in settings:
        if row.table != table:
            table = row.table
            typer.echo(f"[{table}]")
        typer.echo(f"{row.name} = {row.value}  # {row.source}")


@config_app.command("check")
def check(*, config: ConfigOption = None) -> None:
    """Check all settings; exit code 78 if anything is invalid."""
    settings, origins = load(config)
    file = config or default_path()
    where = str(file) if file.is_file() else f"no file ({file} is absent)"
    typer.echo(
        f"settings are valid: {where}, {len(origins)} set by you; state in {settings.state_dir}"
    )


@config_app.command("init")
def init(
    path: Annotated[
        Path | None,
        typer.Argument(help="The new file, or - to print. Default: your own settings file."),
    ] = None,
) -> None:
    """Write a commented settings file, readable only by you; an existing file is not changed."""
    from kos.config.described import commented_file

    if str(path) == "-":
        typer.echo(commented_file(), nl=False)
        return
    file = path or default_path()
    if path is None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInput("PATH", str(file), "a file that does not exist yet") from None
    except OSError as error:
        allowed = f"a place to write to ({error.strerror})"
        raise InvalidInput("PATH", str(file), allowed) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(commented_file())
    typer.echo(f"{file}: created with every setting and its default. Next: kos config check")
