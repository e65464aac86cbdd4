"""Copies while the ledger runs, the way back, and the whole as text."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kos.db import open_for_reading
from kos.domain.matching.aliases import AliasVerdict
from kos.domain.offers import facts as f
from kos.errors import DatabaseRefused, InvalidInput
from kos.messages import LedgerCommand, RecordAlias, RecordCreditsSpent
from kos.storage.backup import back_up, restore
from kos.storage.ledger import Ledger
from kos.storage.portfolios import portfolio_of
from kos.storage.transfer import Imported, exported, imported
from kos.storage.verify import verify
from tests.domain.offers.offer_stories import Telling
from tests.storage.desks import desk_at, promise
from tests.storage.ledgers import NOON, begin, command, record, tell


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def paid(number: int) -> LedgerCommand:
    return command("A", f"n{number}", Telling("", f.BonusPaid(venue="coral", amount=1), NOON))


def test_copies_made_while_the_ledger_writes_are_sound(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    stop = threading.Event()
    copied: list[int] = []

    def copy() -> None:
        for number in range(4):
            done = back_up(path, tmp_path / f"copy-{number}.db")
            copied.append(done.sequence)
        stop.set()

    copier = threading.Thread(target=copy)
    copier.start()
    number = 0
    while not stop.is_set() and number < 20_000:
        ledger.execute([paid(number)])
        number += 1
    copier.join()
    ledger.close()
    assert len(copied) == 4
    assert copied == sorted(copied)
    for each, sequence in enumerate(copied):
        database = open_for_reading(tmp_path / f"copy-{each}.db")
        try:
            assert verify(database, tmp_path / f"copy-{each}.db").problems == ()
            assert database.value("SELECT MAX(sequence) FROM commands") == sequence
        finally:
            database.close()
    assert not list(tmp_path.glob("*.partial"))


def test_a_restored_backup_is_the_ledger_of_then_and_the_former_file_is_kept(
    path: Path, tmp_path: Path
) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    ledger.execute([paid(1)])
    copy = tmp_path / "copy.db"
    back_up(path, copy)
    ledger.execute([paid(2)])
    ledger.close()
    aside = restore(copy, path)
    assert aside is not None
    again = Ledger(path)
    try:
        assert again.database.value("SELECT COUNT(*) FROM events WHERE fact = 'bonus_paid'") == 1
        again.execute([paid(2)])
        assert verify(again.database, path).problems == ()
    finally:
        again.close()
    former = open_for_reading(aside)
    try:
        assert former.value("SELECT COUNT(*) FROM events WHERE fact = 'bonus_paid'") == 2
    finally:
        former.close()


def test_a_backup_holds_what_waits_and_who_may_talk(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with desk_at(path) as desk:
        desk.seat("telegram:7")
        desk.promise(promise("one"), promise("two", topic="arb"))
        desk.mark(1, message_id=71)
        back_up(path, copy)
        desk.mark(2, message_id=72)
        desk.seat("telegram:7", is_active=False)
    restore(copy, path)
    with desk_at(path) as desk:
        assert desk.waiting() == ["two"]
        assert [person.user for person in desk.people()] == ["telegram:7"]
        desk.sound()


def test_a_backup_never_overwrites_and_a_damaged_one_is_not_restored(
    path: Path, tmp_path: Path
) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    ledger.close()
    copy = tmp_path / "copy.db"
    back_up(path, copy)
    with pytest.raises(InvalidInput, match="does not exist yet"):
        back_up(path, copy)
    whole = path.read_bytes()
    spoilt = bytearray(copy.read_bytes())
    spoilt[len(spoilt) // 2 :] = bytes(len(spoilt) - len(spoilt) // 2)
    copy.write_bytes(spoilt)
    with pytest.raises(DatabaseRefused):
        restore(copy, path)
    assert path.read_bytes() == whole


def test_a_running_ledger_is_not_restored_over(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    copy = tmp_path / "copy.db"
    back_up(path, copy)
    try:
        with pytest.raises(DatabaseRefused, match="is already writing to it"):
            restore(copy, path)
    finally:
        ledger.close()


def test_the_whole_as_text_comes_back_the_same_however_often(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A", "B")
    tell(ledger, "A", seed=3, length=40)
    tell(ledger, "B", seed=4, length=20)
    record(ledger, "A", f.EntryReversed(transaction=1, reason="typed twice"), command_id="back")
    ledger.execute(
        [
            RecordCreditsSpent(
                command_id="spent", by="budget", occurred_at=NOON, sport_key="soccer_epl", credits=3
            ),
            RecordAlias(
                command_id="alias",
                by="ann",
                occurred_at=NOON,
                sport="soccer",
                feed_name="Wolves",
                exchange_name="Wolverhampton",
                verdict=AliasVerdict.CONFIRMED,
                evidence="seen",
            ),
        ]
    )
    text = list(exported(ledger.database))
    portfolios = [portfolio_of(ledger.database, who) for who in "AB"]
    again = imported(ledger, text)
    assert again.refused == ()
    ledger.close()
    other = Ledger(tmp_path / "other.db")
    try:
        done = imported(other, [*text[:25], *text])
        assert done.refused == ()
        assert [portfolio_of(other.database, who) for who in "AB"] == portfolios
        assert verify(other.database, other.path).problems == ()
        assert other.database.value("SELECT SUM(credits) FROM credits_spent") == 3
        with pytest.raises(InvalidInput, match="Line 2"):
            imported(other, [text[0], b"{}"])
        assert imported(other, []) == Imported(0, ())
    finally:
        other.close()


def test_a_line_that_the_ledger_refuses_is_named_and_takes_no_other_with_it(
    path: Path, tmp_path: Path
) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    ledger.execute([paid(1)])
    *before, last = exported(ledger.database)
    ledger.close()
    other = Ledger(tmp_path / "other.db")
    try:
        done = imported(other, [last, *before])
    finally:
        other.close()
    assert done.recorded == len(before)
    (refused,) = done.refused
    assert refused.startswith("n1: ")
    assert "participant A" in refused
