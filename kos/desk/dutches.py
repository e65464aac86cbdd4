"""Dutching: every outcome of an event covered at different places."""

from __future__ import annotations

import msgspec

from kos.desk.arguments import tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject
from kos.desk.filters import FILTER_HELP, dutch_question_of
from kos.desk.formatting import TextPart, bold, link
from kos.desk.signals import names_seen, ranked_list, reach
from kos.messages import DutchesRanked, GetDutches
from kos.views.dutches import DutchRow, dutches_view

_PAGE = 3


def _dutch(visit: DeskContext) -> DeskReply:
    """The best ways to cover every outcome at different places."""
    question = dutch_question_of(visit.words, names_seen(visit.asker, visit.memory, visit.now))
    query = msgspec.structs.replace(question.query, limit=reach(question, _PAGE))
    ranked = visit.asker.ask("scorer", GetDutches(query=query), DutchesRanked)
    view = dutches_view(ranked.answer, query)
    blocks = [_block(number, row) for number, row in enumerate(view.rows, start=1)]
    return ranked_list(visit, question, ranked, view, blocks, size=_PAGE)


def _block(number: int, row: DutchRow) -> tuple[TextPart, ...]:
    """One dutch: its legs, and the profit on each outcome."""
    mark = " ⚠" if row.warnings else ""
    parts: list[TextPart] = [
        f"{number}. ",
        bold(tidy(row.event, 80)),
        f" · {row.kickoff} (in {row.starts_in}){mark}",
    ]
    for leg in row.legs:
        available = f", {leg.available} available" if leg.available else ""
        parts.append(
            f"\n{tidy(leg.action, 80)}: {leg.stake} at {leg.odds}, {tidy(leg.place, 30)}"
            f"{available}, price {leg.age} old"
        )
        if leg.link:
            parts += [" · ", link(f"Go to {tidy(leg.place, 30)}", leg.link)]
    left = ", ".join(f"{tidy(outcome, 40)} {profit}" for outcome, profit in row.outcomes)
    kept = f" · retention {row.retention}" if row.retention else ""
    parts.append(
        f"\nAfter the event: {left}\nWorst outcome {row.profit} · rating {row.rating} · book {row.book}{kept}"
        f" · tied up {row.total}"
    )
    return tuple(parts)


COMMANDS = (
    Command(
        "dutch",
        _dutch,
        "Dutching: back every outcome at different bookmakers",
        Subject.SIGNALS,
        "[BOOKMAKER] [kind=snr] [exchanges=no] [filters]",
        details="With a bookmaker, stake= is the stake there, which can be a free bet (kind=snr or "
        "kind=sr). Without one, it is the total. Add exchanges=no to use bookmakers only."
        f"\n\n{FILTER_HELP}",
        examples=("/dutch", "/dutch_coral kind=snr stake=25", "/dutch arbs=only exchanges=no"),
        is_family=True,
    ),
)
