"""How far kickoffs may lie apart in each sport, and what kind of names it prints."""

from __future__ import annotations

import msgspec


class Rules(msgspec.Struct, frozen=True):
    """What holds for one sport. All times in minutes."""

    window: int
    """Kickoffs farther apart belong to two events."""
    tight: int
    """Within this a possible side may be taken where the other side is sure."""
    clear: int
    """How much nearer than a runner-up of the same names one kickoff must be."""
    rest: int
    """No side starts twice within this time, so two names that do are two sides."""
    is_person: bool = False
    is_unmarked_mens: bool = True
    """A side without a women's mark is a men's side."""


_DEFAULT = Rules(window=90, tight=30, clear=30, rest=600)
_PERSONS = Rules(window=360, tight=360, clear=60, rest=600, is_person=True, is_unmarked_mens=False)
_BOARD = Rules(window=240, tight=240, clear=60, rest=60, is_person=True, is_unmarked_mens=False)
_OVAL = Rules(window=60, tight=30, clear=30, rest=600)

_RULES = {
    "soccer": Rules(window=180, tight=30, clear=45, rest=900),
    "cricket": Rules(window=150, tight=60, clear=45, rest=300),
    # A match is listed for the court's first slot and starts hours later.
    "tennis": Rules(
        window=420, tight=420, clear=60, rest=45, is_person=True, is_unmarked_mens=False
    ),
    # One card has one time on one list and each bout its own on the other.
    "mma": _PERSONS,
    "boxing": _PERSONS,
    "darts": _BOARD,
    "snooker": _BOARD,
    "tabletennis": _BOARD,
    # Doubleheaders: the same two clubs twice in four hours.
    "baseball": Rules(window=90, tight=45, clear=30, rest=60),
    "rugbyleague": _OVAL,
    "rugbyunion": _OVAL,
    "aussierules": _OVAL,
    "handball": _OVAL,
}


def rules_of(sport: str) -> Rules:
    """The rules of a sport, cautious ones where it is not known."""
    return _RULES.get(sport, _DEFAULT)
