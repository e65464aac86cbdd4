"""The one table of commands, the source of the menu, the help and the docs page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

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
    found: dict[str, Command] = {}
    for each in commands:
        if not _NAME.fullmatch(each.name) or each.name in found or not each.seats:
            raise KosBug(f"command {each.name!r}: needs a name of its own and at least one role")
        if not 1 <= len(each.summary) <= _MAX_SUMMARY:
            raise KosBug(
                f"command {each.name!r}: needs a summary of 1 to {_MAX_SUMMARY} characters"
            )
        found[each.name] = each
    return found


class CommandRow(msgspec.Struct, frozen=True):
    """A command, as listed in the docs."""

    subject: str
    usage: str
    """``/calc [KIND name=value ...]``."""
    summary: str
    seats: tuple[str, ...]
    details: str
    examples: tuple[str, ...]


def rows() -> tuple[CommandRow, ...]:
    """Every command that people can type, by subject, for the docs."""
    shown = [each for each in TABLE if not each.is_hidden]
    order = list(dict.fromkeys(type(TABLE[0].subject)))
    shown.sort(key=lambda each: order.index(each.subject))
    return tuple(
        CommandRow(
            subject=each.subject.value,
            usage=f"/{each.name} {each.arguments}".rstrip(),
            summary=each.summary,
            seats=tuple(sorted(seat.value for seat in each.seats)),
            details=each.details,
            examples=each.examples,
        )
        for each in shown
    )
