"""What the commands that record facts share: their options, and how one is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kos.cli.door import Door, key_of, moment_said, operator
from kos.domain.books.calendar import uk_time
from kos.domain.offers.facts import Fact, Role
from kos.messages import FactRecorded, RecordFact

Participant = Annotated[str, typer.Argument(help="The participant ID.")]
ParticipantOption = Annotated[
    str | None, typer.Option("--participant", "-p", metavar="WHO", help="Only this participant.")
]
ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who records it. Default: you.")
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="When it happened, in UK time: thu 18:15, or 2026-12-08 18:15. Default: now.",
    ),
]
NoteOption = Annotated[str, typer.Option("--note", metavar="TEXT", help="A note to keep with it.")]
SupervisorOption = Annotated[bool, typer.Option("--supervisor", help="Record as supervisor.")]


def record_fact(
    state_dir: Path | None,
    kinds: Mapping[str, type[Fact]],
    fact: str,
    words: Sequence[str] | None,
    *,
    at: str | None,
    key: str | None,
    by: str | None,
    supervisor: bool,
    **fields: Any,
) -> FactRecorded:
    """Read a fact as typed, print its times back, and have it recorded.

    The options are as typed; ``words`` are the fact's fields (``field=value``), and ``fields``
    the other fields of the command.

    Raises:
        InvalidInput: There is no such fact, or a field does not fit it.
    """
    from kos.domain.offers.typed_facts import spoken

    occurred_at = moment_said(at)
    typed = spoken(kinds, fact, words or (), occurred_at)
    _read_back(type(typed), fact, words or (), at, occurred_at)
    command = RecordFact(
        command_id=key_of(key),
        by=by or operator(),
        occurred_at=occurred_at,
        fact=typed,  # type: ignore[arg-type]
        role=Role.SUPERVISOR if supervisor else Role.OPERATOR,
        **fields,
    )
    return Door(state_dir).do(command, FactRecorded)


def _read_back(
    kind: type[Fact], fact: str, words: Sequence[str], at: str | None, occurred_at: datetime
) -> None:
    """Print the dates and times typed for a fact, in UK time, before it is recorded."""
    from kos.domain.offers.typed_facts import resolve

    moments = {} if at is None else {"at": occurred_at}
    for word in words:
        name, _, text = word.partition("=")
        value = resolve(kind, name, fact)[1].read(text, occurred_at)
        if isinstance(value, datetime):
            moments[name] = value
    if moments:
        shown = "; ".join(f"{name} {uk_time(moment)}" for name, moment in moments.items())
        typer.echo(f"{shown} (UK time)", err=True)
