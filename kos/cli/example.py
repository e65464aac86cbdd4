"""The sandbox's example books: a few invented offers and a participant."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from kos.db import FILE_NAME
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, Offer, Qualifying, Trigger
from kos.messages import LedgerCommand, PutOffers, RecordFact
from kos.storage.ledger import Ledger

PARTICIPANT = "demo"
"""Their money is as invented as the markets."""

_FACTS: tuple[f.MoneyFact, ...] = (
    f.Joined(name="Demo"),
    f.Opened(amount=50_000),
    f.Opened(amount=50_000, place=f.Place.EXCHANGE, venue="smarkets"),
)


def _offer(bookmaker: str, stake: int, face: int, odds: str) -> Offer:
    return Offer(
        key=f"{bookmaker}-example",
        bookmaker=bookmaker,
        title=f"Example: bet £{stake}, get a £{face} free bet",
        is_once_only=False,
        qualifying=Qualifying(min_stake=stake * 100, min_odds=Decimal(odds)),
        trigger=Trigger.SETTLEMENT,
        is_credited_at_once=False,
        bonuses=(Bonus(face=face * 100),),
    )


OFFERS = (
    _offer("coral", 5, 20, "1.5"),
    _offer("ladbrokes_uk", 5, 20, "1.5"),
    _offer("skybet", 10, 30, "1.5"),
    _offer("williamhill", 10, 30, "1.5"),
)


def put_example(state_dir: Path) -> None:
    """Fill the books of a state directory that has none yet; existing books are not changed.

    Raises:
        DatabaseRefused: The file cannot be made.
    """
    path = state_dir / FILE_NAME
    if path.exists():
        return
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC)
    commands: list[LedgerCommand] = [
        PutOffers(command_id="example-offers", by="sandbox", occurred_at=now, offers=OFFERS)
    ]
    commands += [
        RecordFact(
            command_id=f"example-{number}",
            by="sandbox",
            occurred_at=now,
            participant=PARTICIPANT,
            fact=fact,
            source=f.Source.SYSTEM,
        )
        for number, fact in enumerate(_FACTS)
    ]
    with closing(Ledger(path)) as ledger:
        ledger.execute(commands)
