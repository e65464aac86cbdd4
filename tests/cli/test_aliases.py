"""Names settled by hand: said, listed, shared, taken back, never silently turned round."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

PAIR = "soccer Wolves Wolverhampton"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "kos")


def test_aliases_are_said_listed_and_taken_back(terminal: Terminal) -> None:
    terminal.well(f"aliases add {PAIR} --evidence seen")
    (fact,) = terminal.json("aliases list")
    assert (fact["feed_name"], fact["verdict"]) == ("Wolves", "confirmed")
    assert "Wolves" in terminal.well("aliases list --sport soccer")
    terminal.well(f"aliases withdraw {PAIR} --evidence mistaken")
    assert terminal.json("aliases list") == []
    assert len(terminal.json("aliases list --history")) == 2


def test_a_contradiction_is_asked_and_not_overwritten(terminal: Terminal) -> None:
    terminal.well(f"aliases add {PAIR} --evidence seen")
    assert terminal.type(f"aliases reject {PAIR} --evidence doubted").exit_code != 0
    (fact,) = terminal.json("aliases list")
    assert fact["verdict"] == "confirmed"
    terminal.well(f"aliases reject {PAIR} --evidence checked --replace")
    (fact,) = terminal.json("aliases list")
    assert fact["verdict"] == "rejected"


def test_aliases_are_shared_as_a_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.well(f"aliases add {PAIR} --evidence seen")
    terminal.well("aliases reject soccer Inter --evidence other-club", "Inter Turku")
    file = tmp_path / "aliases.jsonl"
    terminal.well("aliases export", str(file))
    other = Terminal(tmp_path / "other")
    assert "2 aliases imported" in other.well("aliases import", str(file))
    assert {each["verdict"] for each in other.json("aliases list")} == {"confirmed", "rejected"}


def test_a_file_with_a_bad_line_is_refused_whole(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "aliases.jsonl"
    terminal.well(f"aliases add {PAIR} --evidence seen")
    terminal.well("aliases export", str(file))
    file.write_text(file.read_text() + '{"sport": "soccer"}\n')
    terminal.well(f"aliases withdraw {PAIR} --evidence mistaken")
    assert terminal.type("aliases import", str(file)).exit_code != 0
    assert terminal.json("aliases list") == []
