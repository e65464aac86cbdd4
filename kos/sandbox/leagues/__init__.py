"""The leagues of the sandbox's world."""

from __future__ import annotations

from typing import Final

from kos.sandbox.leagues.league import Discipline, League, Side, Style
from kos.sandbox.leagues.others import AMERICAN, PERSONS, WORLD
from kos.sandbox.leagues.soccer import SOCCER

LEAGUES: Final[tuple[League, ...]] = SOCCER + AMERICAN + WORLD + PERSONS

__all__ = ["LEAGUES", "Discipline", "League", "Side", "Style"]
