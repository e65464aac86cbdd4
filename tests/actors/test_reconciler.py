"""The pure part of the reconciler's shell."""

from __future__ import annotations

from datetime import UTC, datetime

from kos.actors.reconciler import alias_table
from kos.domain.matching import AliasFact
from kos.messages import AliasFact as SettledAlias
from kos.messages import AliasVerdict


def settled(feed: str, exchange: str, verdict: AliasVerdict) -> SettledAlias:
    return SettledAlias("soccer", feed, exchange, verdict, "seen", "ann", datetime.now(UTC))


def test_words_of_people_become_the_matchers_table_whatever_their_order() -> None:
    words = (
        settled("Wolves", "Wolverhampton", AliasVerdict.CONFIRMED),
        settled("Inter", "Inter Turku", AliasVerdict.REJECTED),
        settled("Spurs", "Tottenham", AliasVerdict.CONFIRMED),
        settled("Roma", "Lazio", AliasVerdict.WITHDRAWN),
    )
    table = alias_table(words)
    assert table == alias_table(reversed(words))
    assert AliasFact("soccer", "Wolves", "Wolverhampton") in table.confirmed
    assert table.banned == (AliasFact("soccer", "Inter", "Inter Turku"),)
    assert len(table.confirmed) == 2
