"""The same event and the same runner under two names."""

from __future__ import annotations

from kos.domain.matching.aliases import AliasPair, AliasTable, Knowledge
from kos.domain.matching.fixtures import (
    BookmakerFixture,
    Evidence,
    ExchangeFixture,
    FixtureMatch,
    OutcomesRefused,
    SideEvidence,
)
from kos.domain.matching.matcher import Matcher

__all__ = [
    "AliasPair",
    "AliasTable",
    "BookmakerFixture",
    "Evidence",
    "ExchangeFixture",
    "FixtureMatch",
    "Knowledge",
    "Matcher",
    "OutcomesRefused",
    "SideEvidence",
]
