"""The one table of commands, the source of the menu, the help and the docs page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kos.desk import (
    alerts,
    books,
    calc,
    dialogue,
    dutches,
    names,
    offers,
    operations,
    people,
    recording,
    signals,
    starting,
)
from kos.desk import help as help_
from kos.desk.command import Command
from kos.desk.dialogue import DialogueForm
from kos.errors import KosBug

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_MAX_SUMMARY = 256

TABLE: tuple[Command, ...] = (
    *signals.COMMANDS,
    *dutches.COMMANDS,
    *offers.COMMANDS,
    *starting.COMMANDS,
    *recording.COMMANDS,
    *books.COMMANDS,
    *calc.COMMANDS,
    *alerts.COMMANDS,
    *operations.COMMANDS,
    *names.COMMANDS,
    *people.COMMANDS,
    *help_.COMMANDS,
    *dialogue.COMMANDS,
)

FORMS: Mapping[str, DialogueForm] = {**starting.FORMS, **recording.FORMS}
"""Every dialogue by its name."""


def by_name(commands: Iterable[Command]) -> dict[str, Command]:
    """The commands by their names.

    Raises:
        KosBug: A name is used twice, or is not valid on every screen.
    """
    named: dict[str, Command] = {}
    for command in commands:
        if not _NAME.fullmatch(command.name) or command.name in named or not command.seats:
            raise KosBug(f"command {command.name!r}: needs a name of its own and at least one role")
        if not 1 <= len(command.summary) <= _MAX_SUMMARY:
            raise KosBug(
                f"command {command.name!r}: needs a summary of 1 to {_MAX_SUMMARY} characters"
            )
        named[command.name] = command
    return named
