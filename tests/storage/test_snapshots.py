"""The last poll of a sport key as a file: read back whole, or as if it were not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kos.messages import QuotesFetched
from kos.storage.snapshots import SnapshotFile
from tests.builders import NOW, bookmaker, event, quotes_market


def poll(price: str) -> QuotesFetched:
    market = quotes_market({"Leeds": price, "York": "3.9"})
    return QuotesFetched(
        sport_key="soccer_epl", events=(event(bookmaker("coral", market)),), fetched_at=NOW
    )


def test_the_newest_poll_comes_back_and_leaves_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    file = SnapshotFile(folder, "soccer_epl")
    assert file.load() is None
    file.save(poll("2.1"))
    file.save(poll("2.2"))
    assert SnapshotFile(folder, "soccer_epl").load() == poll("2.2")
    assert SnapshotFile(folder, "tennis").load() is None
    assert [path.name for path in folder.iterdir()] == ["soccer_epl.msgpack"]


@pytest.mark.parametrize("text", [b"", b"\xc1", b"\x81\xa1x\x01"])
def test_a_file_that_cannot_be_read_is_no_file(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "soccer_epl.msgpack").write_bytes(text)
    assert SnapshotFile(tmp_path, "soccer_epl").load() is None


def test_a_save_that_fails_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OSError, match="taken"):
        SnapshotFile(tmp_path / "taken", "soccer_epl").save(poll("2.1"))
