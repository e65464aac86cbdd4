"""The ledger's actor in a process of its own, asked by several clients at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kos.actors import ledger
from kos.domain.matching.aliases import AliasVerdict
from kos.domain.offers import facts as f
from kos.messages import (
    MESSAGES,
    AliasesListed,
    CommandRecorded,
    CommandRefused,
    CreditsSpentListed,
    FactRecorded,
    GetAliases,
    GetCreditsSpent,
    RecordAlias,
    RecordCreditsSpent,
    RecordFact,
)
from kos.runtime import Client, Message, NodeSpec, System, connect

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def system_at(folder: Path) -> System:
    return System(
        name="test",
        nodes=(NodeSpec(name="ledger", children=(ledger.spec(folder),)),),
        messages=MESSAGES,
        run_dir=folder / "run",
    )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    system = system_at(tmp_path)
    system.start()
    supervisor = threading.Thread(target=system.run)
    supervisor.start()
    try:
        with connect(tmp_path / "run", MESSAGES) as client:
            client.describe()
            yield client
    finally:
        system.request_stop()
        supervisor.join(20)


def spend(number: int, cost: int = 1) -> RecordCreditsSpent:
    return RecordCreditsSpent(
        command_id=f"spend-{number}",
        by="budget",
        occurred_at=NOON,
        sport_key="soccer_epl",
        credits=cost,
    )


def test_each_of_many_clients_gets_its_own_answer_and_all_is_stored_once(client: Client) -> None:
    def ask(number: int) -> Message:
        return client.ask("ledger", spend(number % 80, -1 if number % 80 == 7 else 1), 10)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(160)))
    for number, answer in enumerate(answers):
        expected = CommandRefused if number % 80 == 7 else CommandRecorded
        assert isinstance(answer, expected)
        assert answer.command_id == f"spend-{number % 80}"
    assert answers[:80] == answers[80:]
    total = client.ask(
        "ledger", GetCreditsSpent(since=NOON, until=NOON + timedelta(days=1)), timeout_s=10
    )
    assert isinstance(total, CreditsSpentListed)
    assert total.total == 79


def test_a_question_sees_the_command_that_was_answered_before_it(client: Client) -> None:
    client.ask(
        "ledger",
        RecordAlias(
            command_id="1",
            by="ann",
            occurred_at=NOON,
            sport="soccer",
            feed_name="Wolves",
            exchange_name="Wolverhampton",
            verdict=AliasVerdict.CONFIRMED,
            evidence="seen on both sites",
        ),
        timeout_s=10,
    )
    listed = client.ask("ledger", GetAliases(sport="soccer"), timeout_s=10)
    assert isinstance(listed, AliasesListed)
    assert [fact.exchange_name for fact in listed.aliases] == ["Wolverhampton"]


def test_operators_at_the_same_moment_do_not_oversubscribe_the_float(client: Client) -> None:
    def tell(fact: f.Opened | f.Joined | f.FloatHeld, name: str) -> Message:
        command = RecordFact(command_id=name, by=name, occurred_at=NOON, participant="A", fact=fact)
        return client.ask("ledger", command, timeout_s=10)

    tell(f.Joined(name="Ann"), "join")
    tell(f.Opened(amount=6000, place=f.Place.EXCHANGE, venue="betfair"), "open")

    def hold(number: int) -> Message:
        until = NOON + timedelta(hours=1)
        fact = f.FloatHeld(hold=f"h{number}", exchange="betfair", amount=1000, expires_at=until)
        return tell(fact, f"operator-{number}")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(hold, range(16)))
    assert sum(isinstance(answer, FactRecorded) for answer in answers) == 6
    refused = [answer for answer in answers if isinstance(answer, CommandRefused)]
    assert all("£10.00 short" in answer.reason for answer in refused)
