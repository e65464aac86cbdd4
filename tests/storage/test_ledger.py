"""Commands in, durable answers out: idempotency, refusals among neighbours, credits and aliases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kos.db import open_for_reading
from kos.domain.matching.aliases import AliasVerdict
from kos.messages import CommandRecorded, CommandRefused, RecordAlias, RecordCreditsSpent
from kos.storage import queries
from kos.storage.ledger import Ledger

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def spend(command_id: str, credits_: int = 1, sport_key: str = "soccer_epl") -> RecordCreditsSpent:
    return RecordCreditsSpent(
        command_id=command_id, by="budget", occurred_at=NOON, sport_key=sport_key, credits=credits_
    )


def alias(command_id: str, verdict: AliasVerdict) -> RecordAlias:
    return RecordAlias(
        command_id=command_id,
        by="ann",
        occurred_at=NOON,
        sport="soccer",
        feed_name="Wolves",
        exchange_name="Wolverhampton",
        verdict=verdict,
        evidence="same kickoff, same opponent",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path)
    yield ledger
    ledger.close()


def test_a_repeated_command_gets_the_first_answer_and_changes_nothing(ledger: Ledger) -> None:
    first = ledger.execute([spend("a", 3)])
    later = RecordCreditsSpent(
        command_id="a",
        by="budget",
        occurred_at=NOON + timedelta(hours=1),
        sport_key="soccer_epl",
        credits=3,
    )
    assert ledger.execute([later, spend("a", 3)]) == [*first, *first]
    found = queries.credits_spent(ledger.database, NOON, NOON + timedelta(days=1))
    assert found.total == 3
    assert found.by_sport[0].polls == 1


def test_a_used_id_with_another_content_is_refused(ledger: Ledger) -> None:
    ledger.execute([spend("a", 3)])
    (answer,) = ledger.execute([spend("a", 4)])
    assert isinstance(answer, CommandRefused)
    assert "used for another command" in answer.reason


def test_a_refused_command_takes_no_neighbour_with_it(ledger: Ledger) -> None:
    answers = ledger.execute([spend("a"), spend("b", -1), spend("c")])
    assert [type(answer) for answer in answers] == [
        CommandRecorded,
        CommandRefused,
        CommandRecorded,
    ]
    assert queries.credits_spent(ledger.database, NOON, NOON + timedelta(days=1)).total == 2
    assert ledger.execute([spend("b", -1)]) == [answers[1]]


def test_answers_survive_a_restart(path: Path) -> None:
    ledger = Ledger(path)
    first = ledger.execute([spend("a"), spend("b", -1)])
    ledger.close()
    again = Ledger(path)
    try:
        assert again.execute([spend("a"), spend("b", -1)]) == first
        (next_one,) = again.execute([spend("c")])
        assert isinstance(next_one, CommandRecorded)
        assert next_one.sequence == 3
    finally:
        again.close()


def test_credits_are_summed_by_sport_and_day_within_the_time_asked_for(ledger: Ledger) -> None:
    month = datetime(2026, 11, 1, tzinfo=UTC)
    for number, (day, key) in enumerate([(1, "a"), (1, "b"), (2, "a"), (31, "a")]):
        ledger.execute(
            [
                RecordCreditsSpent(
                    command_id=str(number),
                    by="budget",
                    occurred_at=month + timedelta(days=day - 1),
                    sport_key=key,
                    credits=2,
                )
            ]
        )
    found = queries.credits_spent(ledger.database, month, datetime(2026, 12, 1, tzinfo=UTC))
    assert found.total == 6
    assert found.by_day == {"2026-11-01": 4, "2026-11-02": 2}
    assert [(sport.sport_key, sport.credits) for sport in found.by_sport] == [("a", 4), ("b", 2)]
    assert found.by_sport[0].last_spent_at == month + timedelta(days=1)


def test_an_alias_counts_until_it_is_taken_back_and_its_history_stays(ledger: Ledger) -> None:
    ledger.execute([alias("1", AliasVerdict.CONFIRMED)])
    (fact,) = queries.aliases(ledger.database).aliases
    assert (fact.feed_name, fact.verdict, fact.decided_by) == (
        "Wolves",
        AliasVerdict.CONFIRMED,
        "ann",
    )
    ledger.execute([alias("2", AliasVerdict.REJECTED)])
    assert [fact.verdict for fact in queries.aliases(ledger.database, "soccer").aliases] == [
        AliasVerdict.REJECTED
    ]
    ledger.execute([alias("3", AliasVerdict.WITHDRAWN)])
    assert queries.aliases(ledger.database).aliases == ()
    assert queries.aliases(ledger.database, "tennis", with_history=True).aliases == ()
    assert len(queries.aliases(ledger.database, with_history=True).aliases) == 3


def test_what_was_never_said_cannot_be_taken_back(ledger: Ledger) -> None:
    (answer,) = ledger.execute([alias("1", AliasVerdict.WITHDRAWN)])
    assert isinstance(answer, CommandRefused)
    assert "nothing to undo" in answer.reason


def test_a_reader_sees_what_is_committed_and_can_change_nothing(ledger: Ledger, path: Path) -> None:
    ledger.execute([spend("a", 5)])
    reader = open_for_reading(path)
    try:
        assert queries.credits_spent(reader, NOON, NOON + timedelta(days=1)).total == 5
        with pytest.raises(Exception, match="readonly"):
            reader.rows("INSERT INTO commands DEFAULT VALUES")
    finally:
        reader.close()
