"""What ``kos ledger verify`` reports: each report brought about in a real file by somebody's hand."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from kos.db import open_for_reading
from kos.domain.offers import facts as f
from kos.domain.people.conversation import Kept
from kos.storage.ledger import Ledger
from kos.storage.verify import verify
from tests.storage.desks import action, desk_at, promise
from tests.storage.ledgers import NOON, begin, record

REPORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "an index that lost its rows": (
        """DROP INDEX idx_offers_state;
        CREATE INDEX idx_offers_state ON offers (state) WHERE 0;
        PRAGMA writable_schema = 1;
        UPDATE sqlite_master SET sql = replace(sql, ' WHERE 0', '')
            WHERE name = 'idx_offers_state'""",
        ("integrity", "idx_offers_state"),
    ),
    "a row that points to nothing": (
        "INSERT INTO restrictions VALUES ('Z', 'sky', 'gubbed')",
        ("restrictions", "participants"),
    ),
    "another version": ("PRAGMA user_version = 2", ("version 2",)),
    "a trigger less": ("DROP TRIGGER events_are_numbered", ("events_are_numbered", "missing")),
    "a table more": ("CREATE TABLE more (x)", ("table more", "not ours")),
    "a trigger that is another": (
        """DROP TRIGGER events_are_numbered;
        CREATE TRIGGER events_are_numbered BEFORE INSERT ON events BEGIN SELECT 1; END""",
        ("events_are_numbered", "changed"),
    ),
    "the amount of a line": (
        "UPDATE postings SET amount = amount + 7 WHERE rowid = 1",
        ("transaction 1 ", " 7 pence"),
    ),
    "money from nowhere": (
        "UPDATE accounts SET balance = balance + 7 WHERE kind = 'bank'",
        ("books of A", "7, memo pair 0"),
    ),
    "a token from nowhere": (
        """INSERT INTO accounts (user_id, kind, venue, balance)
            VALUES ('A', 'bookmaker:bonus', 'x', 7);
        UPDATE accounts SET balance = balance - 7 WHERE kind = 'bank'""",
        ("books of A", "0, memo pair 7"),
    ),
    "a balance that is not its postings": (
        """UPDATE accounts SET balance = balance + 7 WHERE kind = 'bank';
        UPDATE accounts SET balance = balance - 7 WHERE kind = 'equity:opening'""",
        ("account bank", "99007", "99000"),
    ),
    "the amount of a whole entry, sums and balances kept": (
        """UPDATE postings SET amount = amount + 7 * (amount > 0) - 7 * (amount < 0)
            WHERE transaction_id = 1;
        UPDATE accounts SET balance = (SELECT SUM(amount) FROM postings
            WHERE postings.account_id = accounts.account_id)""",
        ("the entries of command 3 ",),
    ),
    "what an entry was for": (
        "UPDATE transactions SET what = 'a present' WHERE transaction_id = 1",
        ("the entries of command 3 ",),
    ),
    "an entry without its fact": (
        "UPDATE events SET is_said = 0 WHERE fact = 'bonus_paid'",
        ("the entries of command ", "no fact"),
    ),
    "a fact that its books refuse": (
        "UPDATE events SET payload = replace(payload, '100000', '-100000')",
        ("facts of A", "-£1,000.00"),
    ),
    "a fact that cannot be read": (
        "UPDATE events SET payload = '{}' WHERE fact = 'bonus_paid'",
        ("facts of A",),
    ),
    "a balance that its facts do not make": (
        "INSERT INTO accounts (user_id, kind, venue) VALUES ('A', 'bank', 'second')",
        ("the balances of A",),
    ),
    "a phase": (
        "UPDATE offers SET phase = 2, state = 'QUALIFYING_PLACED', version = version + 1",
        ("the offers of A",),
    ),
    "a version": ("UPDATE offers SET version = version + 1", ("the offers of A",)),
    "an end": (
        """UPDATE offers SET outcome = 'ABANDONED', closed_at = '2026-11-23T12:00:00.000000Z'""",
        ("the offers of A",),
    ),
    "a reservation": ("UPDATE reservations SET amount = amount + 7", ("the reservations of A",)),
    "a restriction": ("DELETE FROM restrictions", ("the restrictions of A",)),
    "a name": ("UPDATE participants SET name = 'Bea'", ("the membership of A",)),
    "a pause": ("UPDATE participants SET is_active = 0", ("the membership of A",)),
    "entries cut off": (
        "UPDATE sqlite_sequence SET seq = seq - 2 WHERE name = 'commands'",
        ("2 acknowledged",),
    ),
    "a person whom nobody seated": (
        "UPDATE people_facts SET sequence = 1 WHERE person_id = 'telegram:7'",
        ("people_facts", "command 1", "PutOffers"),
    ),
    "an invitation that nobody gave": (
        "UPDATE invitations SET sequence = 1 WHERE accepted IS NULL",
        ("invitations", "command 1", "PutOffers"),
    ),
    "a value that nobody left": (
        "UPDATE kept SET sequence = 1",
        ("kept", "command 1", "PutOffers"),
    ),
    "a button that nobody showed": (
        "UPDATE actions SET sequence = 1",
        ("actions", "command 1", "PutOffers"),
    ),
    "a promise that nobody made": (
        "UPDATE outbox SET sequence = 1",
        ("outbox", "command 1", "PutOffers"),
    ),
    "what a refused command left": (
        "UPDATE commands SET answer = x'7b7d' WHERE sequence = (SELECT sequence FROM kept)",
        ("kept", "Conclude"),
    ),
    "an invitation that seated nobody": (
        "UPDATE invitations SET accepted = 1, accepted_by = 'telegram:9' WHERE accepted IS NULL",
        ("telegram:9", "command 1"),
    ),
    "a promise that cannot be read": (
        """UPDATE outbox SET answer = '{"spans": 7}'""",
        ("promise 1", "spans"),
    ),
}
"""What somebody did to the file, and the words of the report it must make."""


@pytest.fixture(scope="module")
def sound_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger with something in every table."""
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    with desk_at(path) as desk:
        begin(desk.ledger, "A")
        fill_books(desk.ledger)
        desk.seat("telegram:7")
        desk.invite("one")
        desk.invite("two")
        desk.accept("one", "telegram:8")
        desk.conclude(
            kept=(Kept(owner="telegram:7", name="x", value="1"),), actions=(action("press"),)
        )
        desk.promise(promise("hello"))
    return path


def fill_books(ledger: Ledger) -> None:
    record(ledger, "A", f.DepositSent(offer="settle", amount=1000, is_instant=True), "c1")
    record(ledger, "A", f.BookmakerRestricted(bookmaker="sky", reason="gubbed"))
    record(ledger, "A", f.BonusPaid(venue="coral", amount=100), command_id="bonus")
    hour = timedelta(hours=1)
    hold = f.FloatHeld(hold="h", exchange="betfair", amount=100, expires_at=NOON + hour)
    record(ledger, "A", hold)


@pytest.fixture
def path(sound_file: Path, tmp_path: Path) -> Path:
    """A copy of the sound file, and of the lock that knows its last entry."""
    copy = tmp_path / "ledger.db"
    for suffix in ("", ".lock"):
        copy.with_name(copy.name + suffix).write_bytes(
            sound_file.with_name(sound_file.name + suffix).read_bytes()
        )
    return copy


def problems(path: Path) -> tuple[str, ...]:
    database = open_for_reading(path)
    try:
        return verify(database, path).problems
    finally:
        database.close()


def tamper(path: Path, script: str) -> None:
    """Run a script on the file as somebody would who knows its triggers: off, and on again."""
    connection = sqlite3.connect(path)
    try:
        triggers = list(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        )
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for name, sql in triggers:
            if name in script:
                connection.execute(sql)
        connection.executescript(script)
        for name, sql in triggers:
            if name not in script:
                connection.execute(sql)
        connection.commit()
    finally:
        connection.close()


def test_a_file_that_nobody_touched_has_no_problem(path: Path) -> None:
    assert problems(path) == ()


def test_taking_triggers_off_and_on_again_leaves_no_trace_by_itself(path: Path) -> None:
    tamper(path, "")
    assert problems(path) == ()


@pytest.mark.parametrize("what", REPORTS)
def test_verify_reports_what_was_tampered_with(path: Path, what: str) -> None:
    script, words = REPORTS[what]
    tamper(path, script)
    found = problems(path)
    assert any(all(word in problem for word in words) for problem in found), found


def test_verify_counts_what_the_file_holds(path: Path) -> None:
    database = open_for_reading(path)
    try:
        counts = verify(database, path).counts
    finally:
        database.close()
    assert (counts["people_facts"], counts["invitations"], counts["outbox"]) == (2, 2, 1)
    assert counts["events"] == 6 + 4
