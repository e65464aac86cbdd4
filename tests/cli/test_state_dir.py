"""``--state-dir``: one meaning for every command, with the sandbox's state below it."""

from __future__ import annotations

from pathlib import Path

from kos.cli.door import state_dir_of
from kos.cli.settings import settings_of


def test_the_option_comes_before_the_settings(tmp_path: Path) -> None:
    found = settings_of(None, tmp_path / "other")
    assert found.state_dir == tmp_path / "other"
    assert found.sandbox_state_dir == tmp_path / "other" / "sandbox"


def test_books_of_a_running_sandbox_are_found_below_the_folder_it_was_given(tmp_path: Path) -> None:
    assert state_dir_of(tmp_path) == tmp_path
    (tmp_path / "sandbox" / "run").mkdir(parents=True)
    assert state_dir_of(tmp_path) == tmp_path / "sandbox"
    (tmp_path / "ledger.db").touch()
    assert state_dir_of(tmp_path) == tmp_path, "real books are never left aside"
