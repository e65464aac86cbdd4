"""Short ways to fill a ledger file."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kos.domain.offers import facts as f
from kos.domain.offers.portfolio import Portfolio
from kos.messages import LedgerCommand, PutOffers, RecordFact
from kos.storage.ledger import Ledger, LedgerAnswer
from kos.storage.portfolios import portfolio_of
from tests.domain.offers.offer_stories import OFFERS, Telling, next_telling, opening

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def put_offers() -> PutOffers:
    return PutOffers(command_id="offers", by="ann", occurred_at=NOON, offers=OFFERS)


def command(participant: str, command_id: str, telling: Telling) -> RecordFact:
    return RecordFact(
        command_id=command_id,
        by="ann",
        occurred_at=telling.at,
        participant=participant,
        instance=telling.instance,
        fact=telling.fact,  # type: ignore[arg-type]  # stories tell only what may be recorded
        role=telling.role,
    )


def begin(ledger: Ledger, *participants: str) -> None:
    commands: list[LedgerCommand] = [put_offers()]
    for who in participants:
        commands += [
            command(who, f"{who}-open-{number}", telling)
            for number, telling in enumerate(opening())
        ]
    ledger.execute(commands)


def tell(ledger: Ledger, participant: str, seed: int, length: int) -> list[LedgerAnswer]:
    """A random story, told one command at a time."""
    rnd = random.Random(seed)
    answers = []
    for step in range(length):
        portfolio: Portfolio = portfolio_of(ledger.database, participant)
        telling = next_telling(rnd, portfolio, step)
        answers += ledger.execute([command(participant, f"{participant}-{seed}-{step}", telling)])
    return answers


def record(
    ledger: Ledger, participant: str, fact: f.Fact, instance: str = "", command_id: str = ""
) -> LedgerAnswer:
    telling = Telling(instance, fact, NOON)
    name = command_id or f"{participant}-{instance}-{ledger.sequence + 1}"
    return ledger.execute([command(participant, name, telling)])[0]


def dump(path: Path, tables: Sequence[str]) -> dict[str, list[tuple[object, ...]]]:
    """Rows by table, read with nothing of ours."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return {table: list(connection.execute(f"SELECT * FROM {table}")) for table in tables}  # noqa: S608
    finally:
        connection.close()
