"""The ledger as a command of the terminal reaches it: the running daemon, or the file itself.

Where a daemon runs, it answers. Where none does, questions read the file without touching it,
and writes open it under the writer's lock, so that a daemon cannot start meanwhile. Which of
the two happened is said on standard error.
"""

from __future__ import annotations

import getpass
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from kos.asking import Ask, Asker, DaemonLink, Expected
from kos.cli.settings import print_json, settings_of
from kos.config.settings import RUN_DIR_NAME
from kos.db import FILE_NAME
from kos.domain.books.calendar import read_moment
from kos.errors import CommandNotAllowed, InvalidInput, OperatorMustAct
from kos.messages import LEDGER, LedgerCommand
from kos.runtime.protocol import Message
from kos.views.table import TableView

_TIMEOUT_S = 30.0

KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="Idempotency key: repeating a key returns the first result and changes nothing.",
    ),
]


def state_dir_of(state_dir: Path | None) -> Path:
    """Where KOS keeps its state: the option, else the settings.

    The sandbox's state serves where its daemon runs and no real books exist yet, so that a
    newcomer's commands reach the daemon on the screen, and real books are never left aside.
    """
    settings = settings_of(None, state_dir)
    real, simulated = settings.state_dir, settings.sandbox_state_dir
    is_sandbox_up = (simulated / RUN_DIR_NAME).is_dir() and not (real / FILE_NAME).exists()
    return simulated if is_sandbox_up else real


def operator() -> str:
    """Who sits at this terminal."""
    return getpass.getuser()


def moment_said(at: str | None) -> datetime:
    """The moment an option names; now when it names none."""
    now = datetime.now(UTC)
    return now if at is None else read_moment("--at", at, now, is_past=True)


def key_of(key: str | None) -> str:
    """The given idempotency key, or a new one."""
    return key or f"cli-{uuid.uuid4()}"


class Door:
    """One command's way to the ledger.

    Args:
        state_dir: As typed; None for the default place.
    """

    def __init__(self, state_dir: Path | None) -> None:
        self.state_dir = state_dir_of(state_dir)
        self.path = self.state_dir / FILE_NAME

    def ask(self, question: Message, expected: type[Expected]) -> Expected:
        """The answer to a question.

        Raises:
            CommandNotAllowed: The ledger refuses the question, and says why.
            DatabaseRefused: No daemon runs and the file cannot be read.
            ActorUnavailable: The daemon does not answer now.
        """
        with DaemonLink(self.state_dir) as daemon:
            ask = daemon.ask if daemon.is_running() else self._ask_file
            return Asker(ask).ask(LEDGER, question, expected, _TIMEOUT_S)

    def do(self, command: LedgerCommand, expected: type[Expected]) -> Expected:
        """Have a command recorded; a refusal is printed and the exit code is 1.

        Raises:
            DatabaseRefused: No daemon runs and the file cannot be written.
            ActorUnavailable: No answer came; the text says how to repeat it safely.
        """
        answers, refusals = self.do_all([command], expected)
        exit_if_refused(refusals)
        return answers[0]

    def do_all(
        self, commands: Sequence[LedgerCommand], expected: type[Expected]
    ) -> tuple[list[Expected], list[str]]:
        """Have commands recorded in order: the answers, and the reasons of those refused.

        Raises:
            DatabaseRefused: No daemon runs and the file cannot be written.
            ActorUnavailable: No answer came; those before it are recorded, and it may be.
        """
        answers: list[Expected] = []
        refusals: list[str] = []
        with DaemonLink(self.state_dir) as daemon:
            if daemon.is_running():
                ask: Ask = daemon.ask
            else:
                recorded = iter(self._do_in_file(commands))
                ask = lambda _actor, _command, _timeout_s: next(recorded)  # noqa: E731
            asker = Asker(ask)
            for command in commands:
                key = f" with --key {command.command_id}" if len(commands) == 1 else ""
                try:
                    answers.append(asker.do(command, expected, repeat=f"Run it again{key}"))
                except CommandNotAllowed as refused:
                    refusals.append(str(refused))
        return answers, refusals

    def _do_in_file(self, commands: Sequence[LedgerCommand]) -> list[Message]:
        from kos.storage.ledger import MAX_BATCH, Ledger

        self._say("writing to the ledger directly, under its lock")
        self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(Ledger(self.path)) as ledger:
            return [
                answer
                for start in range(0, len(commands), MAX_BATCH)
                for answer in ledger.execute(commands[start : start + MAX_BATCH])
            ]

    @contextmanager
    def no_daemon(self, why: str) -> Iterator[Path]:
        """The file's path, when no daemon runs.

        Raises:
            OperatorMustAct: One does.
        """
        with DaemonLink(self.state_dir) as daemon:
            if daemon.is_running():  # however badly
                raise OperatorMustAct(f"Stop the daemon first: {why}.")
        yield self.path

    def _ask_file(self, _actor: str, question: Message, _timeout_s: float) -> Message:
        from kos.storage.answers import answer
        from kos.storage.migrations import open_as_it_is

        self._say("reading the ledger directly")
        with closing(open_as_it_is(self.path)) as database:
            return answer(database, self.path, question, datetime.now(UTC))

    def _say(self, what: str) -> None:
        typer.echo(f"no daemon is running: {what} ({self.path})", err=True)


def exit_if_refused(refusals: Sequence[str]) -> None:
    """Print the reasons, if there are any, and end with exit code 1."""
    for reason in refusals:
        typer.echo(f"refused: {reason}", err=True)
    if refusals:
        raise typer.Exit(1)


def show(value: object, *tables: TableView, as_json: bool) -> None:
    """A value as JSON for programs, or as tables for people; one that is empty says so."""
    if as_json:
        print_json(value)
        return
    from kos.cli.tables import console

    # In a pipe there is no width to keep to: a line of a table stays a line.
    screen = console()
    for view in tables:
        table = Table(title=view.title, title_justify="left")
        for number, heading in enumerate(view.headings):
            table.add_column(heading, justify="right" if number in view.numbers else "left")
        for row in view.rows:
            table.add_row(*(Text(cell) for cell in row))
        screen.print(table if view.rows else f"{view.title}: none")


def write_out(text: str, target: Path | None) -> None:
    """Text to a new private file, or to standard output where none is named.

    Raises:
        InvalidInput: The file exists, or cannot be made.
    """
    if target is None:
        sys.stdout.write(text)
        return
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(
            "file", str(target), f"a file that can be created ({error.strerror})"
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    typer.echo(f"written: {target}", err=True)


def read_in(source: Path) -> str:
    """The text of a file.

    Raises:
        InvalidInput: It cannot be read as UTF-8 text.
    """
    try:
        return source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("file", str(source), f"a readable text file ({error})") from error
