"""A second writer, a full disk, a file that is read only, locked, damaged or cut: a clear word
and a safe stop or retry, and nothing acknowledged lost."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kos.db import acknowledged, meaning, open_for_reading
from kos.domain.offers import facts as f
from kos.errors import DatabaseRefused, DatabaseUnavailable
from kos.messages import FactRecorded, LedgerCommand
from kos.storage.backup import accept_loss
from kos.storage.ledger import Ledger
from kos.storage.verify import verify
from tests.domain.offers.offer_stories import Telling
from tests.storage.ledgers import NOON, begin, command

NOBODY = 65_534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def some(start: int, count: int, note: str = "") -> list[LedgerCommand]:
    return [
        command(
            "A", f"n{number}", Telling("", f.BonusPaid(venue="coral", amount=1, reason=note), NOON)
        )
        for number in range(start, start + count)
    ]


def sound(path: Path) -> int:
    """Check the file; gives the number of its bonuses."""
    database = open_for_reading(path)
    try:
        assert verify(database, path).problems == ()
        return int(database.value("SELECT COUNT(*) FROM events WHERE fact = 'bonus_paid'"))
    finally:
        database.close()


HOLDER = """
import sys
from pathlib import Path
from kos.storage.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
ledger.close()
"""


def test_a_second_process_is_refused_at_once_and_told_who_writes(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DatabaseRefused, match=f"process {holder.pid} is already writing to it"):
            Ledger(path)
        link = path.with_name("alias.db")
        link.symlink_to(path)
        with pytest.raises(DatabaseRefused, match=f"process {holder.pid}"):
            Ledger(link)
        holder.kill()
        holder.wait()
    Ledger(path).close()


def test_the_right_to_write_ends_with_a_failed_opening(path: Path) -> None:
    path.write_bytes(b"this is no database, but long enough to be read as one" * 50)
    for _ in range(2):
        with pytest.raises(DatabaseRefused, match=r"damaged.*restore"):
            Ledger(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_the_files_are_private(path: Path) -> None:
    ledger = Ledger(path)
    try:
        begin(ledger, "A")
        for file in path.parent.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file
    finally:
        ledger.close()


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_the_system_refuses_stores_nothing_and_can_be_repeated(path: Path) -> None:
    ledger = Ledger(path)
    try:
        begin(ledger, "A")
        ledger.execute(some(0, 5))
        size = path.with_name("ledger.db-wal").stat().st_size
        with files_no_longer_than(size + 8192):
            with pytest.raises(DatabaseUnavailable, match="nothing was saved"):
                ledger.execute(some(5, 40, "x" * 2000))
            with pytest.raises(DatabaseUnavailable):
                ledger.execute(some(5, 40, "x" * 2000))
        answers = ledger.execute(some(5, 40, "x" * 2000))
        assert all(isinstance(answer, FactRecorded) for answer in answers)
    finally:
        ledger.close()
    assert sound(path) == 45


def test_a_full_disk_loses_nothing_that_was_acknowledged() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", name]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a small file system")
        try:
            ledger = Ledger(folder / "ledger.db")
            begin(ledger, "A")
            recorded = 0
            while recorded < 10_000:
                try:
                    recorded += len(ledger.execute(some(recorded, 20, "x" * 3000)))
                except DatabaseUnavailable as refusal:
                    said = str(refusal)
                    break
            assert "the disk is full" in said
            assert recorded > 0
            (answer,) = ledger.execute(some(0, 1, "x" * 3000))
            assert isinstance(answer, FactRecorded), "what is known is still answered"
            ledger.close()
            assert sound(folder / "ledger.db") == recorded
        finally:
            subprocess.run(["umount", name], check=True)


def test_a_locked_file_is_said_to_be_and_tried_again(path: Path) -> None:
    ledger = Ledger(path)
    try:
        begin(ledger, "A")
        stranger = sqlite3.connect(path)
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="another connection has locked it"):
            ledger.execute(some(0, 2))
        stranger.rollback()
        stranger.close()
        ledger.execute(some(0, 2))
    finally:
        ledger.close()
    assert sound(path) == 2


@contextmanager
def as_somebody_without_rights(folder: Path, mode: int = 0o777) -> Iterator[None]:
    """An ordinary user, even where the tests run as root; the folder gets ``mode`` meanwhile."""
    before = folder.stat().st_mode
    is_root = os.geteuid() == 0
    if is_root:
        for parent in folder.parents:
            if parent.name.startswith(("pytest", "popen")):
                parent.chmod(0o755)
    folder.chmod(mode)
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(before)


def test_a_read_only_file_is_refused_with_the_remedy(path: Path) -> None:
    Ledger(path).close()
    path.with_name("ledger.db.lock").unlink()
    path.chmod(0o444)
    with (
        as_somebody_without_rights(path.parent),
        pytest.raises(DatabaseRefused, match="not writable; give this user write access"),
    ):
        Ledger(path)


def test_a_folder_without_rights_is_refused_with_the_remedy(path: Path) -> None:
    with (
        as_somebody_without_rights(path.parent, mode=0o555),
        pytest.raises(DatabaseRefused, match="be writable by this user"),
    ):
        Ledger(path)


def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    for start in range(0, 200, 50):
        ledger.execute(some(start, 50))
    ledger.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(4, size // 4096, 2):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match=r"damaged.*kos ledger restore"):
        Ledger(path)
    assert path.read_bytes() == before


def cut_copy(path: Path, folder: Path, keep: float) -> Path:
    """What a crash and a cut log would leave: the files as they are, the log shortened."""
    folder.mkdir()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db.lock"):
        shutil.copy(path.with_name(name), folder / name)
    log = folder / "ledger.db-wal"
    os.truncate(log, int(log.stat().st_size * keep))
    return folder / "ledger.db"


def test_a_cut_log_is_noticed_by_what_is_missing(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    try:
        begin(ledger, "A")
        for number in range(30):
            ledger.execute(some(number, 1))
        whole = cut_copy(path, tmp_path / "whole", 1.0)
        cut = cut_copy(path, tmp_path / "cut", 0.6)
    finally:
        ledger.close()
    Ledger(whole).close()
    assert sound(whole) == 30
    with pytest.raises(DatabaseRefused, match=r"acknowledged entries after number \d+ are missing"):
        Ledger(cut)
    lost = accept_loss(cut)
    assert 0 < lost < 30
    again = Ledger(cut)
    again.execute(some(0, 30))
    again.close()
    assert sound(cut) == 30


def test_the_mark_follows_what_was_answered(path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    ledger.execute(some(0, 3))
    assert acknowledged(path) == ledger.sequence
    ledger.close()


def test_a_page_damaged_while_the_ledger_is_open_refuses_no_command_for_good(path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    run = ledger.database.raw().execute
    root = ledger.database.value("SELECT rootpage FROM sqlite_master WHERE name = 'catalogue'")
    size = ledger.database.value("PRAGMA page_size")
    run("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    path.write_bytes(whole[: size * (root - 1)] + b"\xff" * size + whole[size * root :])
    run("PRAGMA shrink_memory")
    begun = command("A", "begun", Telling("c1", f.DepositSent(offer="settle", amount=0), NOON))
    with pytest.raises(DatabaseRefused, match="damaged"):
        ledger.execute([begun])
    path.write_bytes(whole)
    run("PRAGMA shrink_memory")
    (answer,) = ledger.execute([begun])
    ledger.close()
    assert isinstance(answer, FactRecorded), "it was not remembered as refused"
    sound(path)


def test_a_transaction_left_open_is_given_up_before_the_next(path: Path) -> None:
    ledger = Ledger(path)
    begin(ledger, "A")
    ledger.database.raw().execute("BEGIN")
    ledger.database.raw().execute("UPDATE accounts SET balance = balance + 1")
    ledger.execute(some(0, 1))
    ledger.close()
    assert sound(path) == 1


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(DatabaseRefused, match=r"cannot be opened; check that its folder exists"),
        meaning(tmp_path / "ledger.db"),
    ):
        sqlite3.connect(tmp_path / "absent" / "ledger.db")
