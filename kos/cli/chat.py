"""``kos chat``: the operator's desk at the terminal, as the local admin."""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.text import Text

from kos.asking import Asker
from kos.cli.settings import ConfigOption, StateDirOption, daemon_asker, settings_of
from kos.domain.people.conversation import Answer, Button, Style
from kos.errors import InvalidInput, WaitAndRetry
from kos.messages import GetMenu, MenuDescribed, OperatorAnswered, OperatorSaid

_TIMEOUT_S = 120.0
"""Longer than any command may take; a daemon that dies is known at once."""
_PATIENCE_S = 60.0
"""How long a message is sent again under its own ID while the daemon restarts."""
_REFUSED = 1
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def chat(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="One command, e.g. /qualifier coral. Leave out for a prompt."),
    ] = None,
    *,
    save_to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for pictures and files. Default: the current folder."
        ),
    ] = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Talk to the running daemon: the same commands, buttons and answers as on Telegram.

    A number presses the button of that number. Works in a pipe: echo /status | kos chat.
    The exit code is 1 when a word was refused, 2 when no daemon answers.
    """
    with daemon_asker(settings_of(config, state_dir), patience_s=_PATIENCE_S) as asker:
        conversation = Conversation(asker, save_to or Path())
        if words:
            conversation.say(" ".join(words))
        else:
            for line in _lines(conversation):
                try:
                    conversation.say(line)
                except WaitAndRetry as away:
                    if not sys.stdin.isatty():
                        raise
                    typer.echo(str(away), err=True)
    if conversation.has_refusal and (words or not sys.stdin.isatty()):
        raise typer.Exit(_REFUSED)


class Conversation:
    """One terminal's side of a talk with the desk.

    Args:
        asker: Asks the daemon, and again after a restart of it.
        folder: Where pictures and files are saved.
    """

    def __init__(self, asker: Asker, folder: Path) -> None:
        from kos.cli.tables import console

        self._asker = asker
        self._folder = folder
        self._screen = console()
        self._user = f"terminal:{getpass.getuser()}"
        self._buttons: list[Button] = []
        self._unanswered: OperatorSaid | None = None
        self.has_refusal = False

    def say(self, line: str) -> None:
        """Send a line, or press a numbered button, and show the reply.

        Raises:
            WaitAndRetry: The desk does not answer.
        """
        typed = line.strip()
        if not typed:
            return
        pressed = ""
        if typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= len(self._buttons):  # noqa: PLR2004 - no screen has more
            pressed, typed = self._buttons[int(typed) - 1].data, ""
        self._show(self._ask(typed, pressed))

    def menu(self) -> list[str]:
        """The commands there are, for completion; none where the desk does not answer."""
        try:
            menu = self._asker.ask("desk", GetMenu(user=self._user), MenuDescribed)
        except WaitAndRetry:
            return []
        return [f"/{line.command}" for line in menu.lines]

    def _ask(self, text: str, pressed: str) -> OperatorAnswered:
        sent = OperatorSaid(
            said_id=f"{self._user}:{uuid4().hex}"[-120:],
            user=self._user,
            name=self._user.partition(":")[2],
            chat=self._user,
            text=text,
            pressed=pressed,
            said_at=datetime.now(UTC),
        )
        before = self._unanswered
        if before is not None and (before.text, before.pressed) == (text, pressed):
            sent = before  # typed again because no answer came: the desk knows it by its ID
        self._unanswered = sent
        answer = self._asker.ask_until_answered("desk", sent, OperatorAnswered, _TIMEOUT_S)
        self._unanswered = None
        return answer

    def _show(self, answered: OperatorAnswered) -> None:
        self.has_refusal = self.has_refusal or answered.is_refused or answered.is_stranger
        if answered.answers:
            self._buttons = []
        if answered.notice:
            self._screen.print(answered.notice, style="italic", markup=False, highlight=False)
        for answer in answered.answers:
            self._show_one(answer)
        if answered.is_stranger:
            self._screen.print("You do not have access to KOS", markup=False)

    def _show_one(self, answer: Answer) -> None:
        self._screen.print(text_of(answer), soft_wrap=not sys.stdout.isatty())
        for content, name in ((answer.picture, "kos-chart.png"), (answer.file, answer.file_name)):
            if content:
                saved = save(self._folder, name, content)
                self._screen.print(f"saved: {saved}", markup=False, highlight=False)
        for row in answer.buttons:
            labels = Text()
            for pressable in row:
                self._buttons.append(pressable)
                labels.append(f"[{len(self._buttons)}]", style="bold cyan")
                labels.append(f" {pressable.label}   ")
            labels.rstrip()
            self._screen.print(labels, soft_wrap=not sys.stdout.isatty())


def text_of(answer: Answer) -> Text:
    """An answer's spans as styled text of the terminal; foreign text stays text."""
    styles = {Style.BOLD: "bold", Style.ITALIC: "italic", Style.CODE: "cyan", Style.LINK: "blue"}
    text = Text()
    for span in answer.spans:
        text.append(span.text, style=styles.get(span.style, ""))
        if span.style is Style.LINK and span.url:
            text.append(f" {span.url}", style="dim")
    return text


def save(folder: Path, name: str, content: bytes) -> Path:
    """Write bytes to a new private file; one that is there already stays and another name is taken."""
    safe = Path(_UNSAFE.sub("-", name)[-80:].lstrip(".-") or "kos-file")
    for number in range(1, 1000):
        path = folder / (safe if number == 1 else f"{safe.stem}-{number}{safe.suffix}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise InvalidInput(
                "--save-to", str(folder), f"a folder that can be written ({error.strerror})"
            ) from error
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return path
    raise InvalidInput("--save-to", str(folder), f"a folder with fewer files named {safe}")


def _lines(conversation: Conversation) -> Iterator[str]:
    """What is typed, line by line, until its end; with a prompt where a person sits."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    _complete(conversation.menu())
    conversation.say("/start")
    while True:
        try:
            yield input("kos> ")
        except (EOFError, KeyboardInterrupt):
            typer.echo()
            return


def _complete(commands: list[str]) -> None:
    """Let the tab key complete commands, and the arrows bring back what was typed."""
    try:
        import readline
    except ImportError:  # a system without it has a plain prompt
        return

    def completed(text: str, state: int) -> str | None:
        names = [name for name in commands if name.startswith(text)]
        return names[state] if state < len(names) else None

    readline.set_completer_delims(" \t\n")
    readline.set_completer(completed)
    readline.parse_and_bind("tab: complete")
