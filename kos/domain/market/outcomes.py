"""The outcomes of a match market: which of them is the draw, and the form of bet they make.

A draw has many spellings; all code asks here, so that pricing, matching and replay
can never disagree on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from enum import IntEnum
from functools import lru_cache
from typing import Final

DRAW: Final = "Draw"
"""How KOS itself writes the draw, whatever its source printed."""

_DRAWS: Final = frozenset({"the draw", "draw", "tie", "x", "unentschieden", "match nul"})


class BetForm(IntEnum):
    """How many outcomes a match market settles on."""

    TWO_WAY = 2
    """Home or away."""
    THREE_WAY = 3
    """Home, away or the draw."""


@lru_cache(maxsize=16_384)
def is_draw(name: str) -> bool:
    """Whether the name of an outcome or a runner means the draw, in any case and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split()) in _DRAWS


def outcome_name(name: str) -> str:
    """The name by which KOS knows an outcome: as its source prints it, and one for every draw."""
    return DRAW if is_draw(name) else name


def form_of(names: Collection[str]) -> BetForm:
    """The form of the bet that outcomes of these names make.

    A third outcome makes a three-way bet even where its name means nothing to KOS: taking it for
    two-way would cover a bet that loses on a draw with one that does not.
    """
    is_two_way = len(names) <= BetForm.TWO_WAY and not any(map(is_draw, names))
    return BetForm.TWO_WAY if is_two_way else BetForm.THREE_WAY
