"""``kos service``: the systemd unit for this installation, to read or to put in its place."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from kos.cli.settings import command_group
from kos.config.load import credential_name
from kos.errors import InvalidInput

service_app = command_group("Run as a service: the systemd unit for this installation.")

UserOption = Annotated[
    bool, typer.Option("--user", help="Install for the current user (systemctl --user).")
]
RootOption = Annotated[
    Path, typer.Option("--root", help="Look for secrets and install below this folder.")
]
ExecutableOption = Annotated[
    str | None, typer.Option("--executable", help="The kos command. Default: this one.")
]


@service_app.command("print")
def print_unit(
    *, user: UserOption = False, root: RootOption = Path("/"), executable: ExecutableOption = None
) -> None:
    """Print the unit; nothing is changed."""
    typer.echo(_unit(executable, root, is_user=user), nl=False)


@service_app.command("install")
def install(
    *, user: UserOption = False, root: RootOption = Path("/"), executable: ExecutableOption = None
) -> None:
    """Write the unit, and the service's account, to where systemd reads them; start nothing.

    Run it again after adding or removing a secret in /etc/kos/credentials.
    """
    from kos.service.unit import SYSUSERS

    text = _unit(executable, root, is_user=user)
    if user:
        folder = Path("~/.config/systemd/user").expanduser()
        _write(_below(root, folder) / "kos.service", text)
        steps = ["systemctl --user daemon-reload", "systemctl --user enable --now kos"]
    else:
        _write(_below(root, Path("/etc/systemd/system")) / "kos.service", text)
        _write(_below(root, Path("/etc/sysusers.d")) / "kos.conf", SYSUSERS)
        steps = ["systemd-sysusers", "systemctl daemon-reload", "systemctl enable --now kos"]
    typer.echo("then:")
    for step in steps:
        typer.echo(f"  {step}")


def _unit(executable: str | None, root: Path, *, is_user: bool) -> str:
    from kos.config.described import rows
    from kos.service.unit import CREDENTIALS_DIR, unit

    folder = _below(root, CREDENTIALS_DIR)
    files = [
        row.key for row in rows() if row.is_secret and (folder / credential_name(row.key)).is_file()
    ]
    command = executable or _own_command()
    if not is_user and executable is None:
        _refuse_a_home(command)
    return unit(command, is_user=is_user, secrets=files)


def _own_command() -> str:
    """How this very program is started, by absolute paths."""
    called = Path(sys.argv[0])
    if called.name == "kos" and (path := shutil.which(str(called))):
        return str(Path(path).absolute())
    beside = Path(sys.executable).with_name("kos")
    return str(beside) if beside.is_file() else f"{sys.executable} -m kos"


def _refuse_a_home(command: str) -> None:
    """What stands in a person's home is out of the service's sight, and should be."""
    real = Path(command.partition(" ")[0]).resolve()
    if real.is_relative_to("/home") or real.is_relative_to("/root"):
        raise InvalidInput(
            "kos",
            str(real),
            "an installation that the service's account can read, such as "
            "`python3 -m venv /opt/kos && /opt/kos/bin/pip install kos-engine`; "
            "or --user, or --executable",
        )


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(0o644)
    except OSError as error:
        raise InvalidInput(
            "install", str(file), f"a writable location ({error.strerror}), or use sudo"
        ) from None
    typer.echo(f"wrote {file}")
