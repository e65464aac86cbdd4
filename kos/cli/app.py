"""The ``kos`` command: one door, each command in a module of its own.

Heavy modules are imported inside the command that needs them, so that every command starts
quickly.
"""

from __future__ import annotations

import sys

import typer

from kos import __version__
from kos.cli import calc, chat, health, logs, replay, run, signals
from kos.cli.aliases import aliases_app
from kos.cli.books import books_app
from kos.cli.config import config_app
from kos.cli.doctor import doctor
from kos.cli.exits import EXIT_CONFIG, EXIT_REFUSED
from kos.cli.ledger import ledger_app
from kos.cli.match import match_command
from kos.cli.offers import offers_app
from kos.cli.people import people_app
from kos.cli.service import service_app
from kos.errors import InvalidSettings, KosError
from kos.observability.redact import Redactor

app = typer.Typer(
    name="kos",
    help="Matched betting and arbitrage: finds, prices and tracks bets, and sends alerts.",
    no_args_is_help=True,
    # Paragraphs of a docstring flow; the default mode would keep its line ends.
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("signals")(signals.signals)
app.command("status")(health.status)
app.command("health")(health.health)
app.command("logs")(logs.logs)
app.command("chat")(chat.chat)
app.command("doctor")(doctor)
app.command("replay")(replay.replay)
app.command("match")(match_command)
calc.register(app)
app.add_typer(config_app, name="config")
app.add_typer(service_app, name="service")
app.add_typer(aliases_app, name="aliases")
app.add_typer(people_app, name="people")
app.add_typer(offers_app, name="offers")
app.add_typer(books_app, name="books")
app.add_typer(ledger_app, name="ledger")


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line; an error that KOS raised on purpose is one line and an exit code.

    78 when the settings are refused, else 2.
    """
    try:
        app()
    except KosError as error:
        typer.echo(f"kos: {Redactor().text(str(error))}", err=True)
        sys.exit(EXIT_CONFIG if isinstance(error, InvalidSettings) else EXIT_REFUSED)
