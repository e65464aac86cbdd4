"""The ledger's questions reach what answers them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kos.messages import (
    AliasesListed,
    BackUpLedger,
    CatalogueListed,
    CreditsSpentListed,
    GetAliases,
    GetCatalogue,
    GetCreditsSpent,
    LedgerVerified,
    VerifyLedger,
)
from kos.runtime.protocol import Message
from kos.storage.answers import answer
from kos.storage.ledger import Ledger

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (GetCreditsSpent(since=NOON, until=NOON + timedelta(days=1)), CreditsSpentListed),
        (GetAliases(), AliasesListed),
        (GetCatalogue(), CatalogueListed),
        (VerifyLedger(), LedgerVerified),
    ],
)
def test_an_empty_ledger_answers(tmp_path: Path, question: Message, kind: type[Message]) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    assert isinstance(answer(ledger.database, ledger.path, question, NOON), kind)


def test_a_ledger_backs_itself_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    target = tmp_path / "copy.db"
    answer(ledger.database, ledger.path, BackUpLedger(target=str(target)), NOON)
    assert target.exists()
