"""The pure part of the reconciler's shell."""

from __future__ import annotations

from datetime import UTC, datetime

from kos.actors.reconciler import alias_table, name_pairs
from kos.domain.matching import AliasPair, BookmakerFixture, ExchangeFixture, Matcher
from kos.domain.matching.aliases import AliasVerdict, SettledAlias


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
    assert AliasPair("soccer", "Wolves", "Wolverhampton") in table.confirmed
    assert table.banned == (AliasPair("soccer", "Inter", "Inter Turku"),)
    assert len(table.confirmed) == 2


def test_a_doubts_names_are_told_as_a_person_could_settle_them() -> None:
    kickoff = datetime(2026, 11, 28, 15, tzinfo=UTC)
    matcher = Matcher()
    left = BookmakerFixture(
        id="e1", sport_key="soccer_epl", kickoff=kickoff, home="Wolves", away="York Town"
    )
    right = ExchangeFixture(
        id="1.1",
        event_type="Soccer",
        competition="",
        name="Wolverhampton v York City",
        kickoff=kickoff,
        runners=("Wolverhampton", "York City", "The Draw"),
    )
    (decided,) = matcher.match([left], [right])
    pairs = name_pairs("soccer_epl", decided)
    assert {pair.sport for pair in pairs} == {"soccer"}
    assert {(pair.feed_name, pair.exchange_name) for pair in pairs} <= {
        ("Wolves", "Wolverhampton"),
        ("York Town", "York City"),
    }
    assert all(0 <= pair.score <= 1 and pair.why for pair in pairs)
