"""Books and the ledger at the terminal: imports, exports, copies, erasure."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    terminal = Terminal(tmp_path / "kos")
    terminal.script(
        """
        books record A joined name=Ann
        books record A opened amount=100
        books record A money_sent place=exchange venue=betfair amount=60 --at 2026-04-05T12:00:00Z
        books record A bonus_paid venue=coral amount=5 --at 2026-04-06T12:00:00Z
        """
    )
    return terminal


def test_past_bets_are_imported_once(terminal: Terminal, tmp_path: Path) -> None:
    bets = tmp_path / "bets.csv"
    bets.write_text("date,venue,profit\n2026-01-02,coral,7.50\n2026-01-03,coral,-2\n")
    for _ in range(2):
        assert "2 past bets of A" in terminal.well("books import A", str(bets))
    books = terminal.json("books show -p A")
    assert books["profit"] == 500 + 550
    assert books["capital"] == 10_500


def test_a_betfair_statement_is_imported_with_what_was_skipped(
    terminal: Terminal, tmp_path: Path
) -> None:
    bets = tmp_path / "statement.csv"
    bets.write_text("Date,Description,Amount\n02-Jan-26 15:04,Leeds,3\n03-Jan-26,Deposit,50\n")
    result = terminal.type("books import A --format betfair", str(bets))
    assert result.exit_code == 0
    assert "skipped line 3: Deposit" in result.stderr


def test_postings_are_exported_to_csv_and_json(terminal: Terminal, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(terminal.well("books export -p A"))))
    assert rows[0]["account"] == "exchange:available"
    assert rows[0]["amount"] == "60.00"
    assert sum(round(float(row["amount"]) * 100) for row in rows) == 0
    target = tmp_path / "books.json"
    terminal.well("books export", str(target))
    assert len(json.loads(target.read_text())) == len(rows)
    assert target.stat().st_mode & 0o077 == 0
    again = terminal.type("books export", str(target))
    assert again.exit_code != 0, "a file is never overwritten"


def test_a_year_from_april_cuts_where_it_says(terminal: Terminal) -> None:
    assert terminal.json("books show -p A --year 2025-26")["profit"] == 0
    assert terminal.json("books show -p A --year 2026-27")["profit"] == 500
    assert len(terminal.json("books statement A --year 2025-26")) == 2


def test_dates_and_times_are_read_back_in_uk_time_before_they_are_recorded(
    terminal: Terminal,
) -> None:
    said = terminal.type("books record A bonus_paid venue=coral amount=1 --at", "2026-06-30 23:30")
    assert said.exit_code == 0
    assert "at Tue 30 Jun, 23:30 (UK time)" in said.stderr
    assert "UK time" not in terminal.type("books record A bonus_paid venue=coral amount=1").stderr
    refused = terminal.type(
        "books record A bonus_paid venue=coral amount=1 --at", "2026-03-29 01:30"
    )
    assert refused.exit_code != 0
    lines = terminal.json("books statement A --since 2026-06-30 --until 2026-07-01")
    assert {line["occurred_at"] for line in lines} == {"2026-06-30T22:30:00Z"}


def test_since_and_a_year_do_not_go_together(terminal: Terminal) -> None:
    for option in ("--since", "--until"):
        assert terminal.type(f"books show -p A --year 2026 {option} 2026-01-01").exit_code != 0


def test_a_backup_is_restored_and_the_former_file_kept(terminal: Terminal, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    terminal.well("ledger backup", str(copy))
    terminal.well("books record A drawn amount=5")
    told = terminal.well("ledger restore", str(copy))
    assert "the previous ledger is" in told
    assert terminal.json("books show -p A")["capital"] == 10_500
    assert "sound" in terminal.well("ledger verify")


def test_the_ledger_moves_as_text(terminal: Terminal, tmp_path: Path) -> None:
    text = tmp_path / "ledger.jsonl"
    terminal.well("ledger export", str(text))
    other = Terminal(tmp_path / "other")
    assert "4 commands are in the ledger" in other.well("ledger import", str(text))
    assert other.json("books show -p A") == terminal.json("books show -p A")


def test_a_participant_takes_everything_along_and_is_erased(
    terminal: Terminal, tmp_path: Path
) -> None:
    target = tmp_path / "ann.json"
    terminal.well("ledger everything-about A", str(target))
    assert json.loads(target.read_text())["participants"][0]["name"] == "Ann"
    asked = terminal.type("ledger erase A --reason asked")
    assert asked.exit_code != 0, "without --yes it asks, and nobody answers"
    terminal.well("ledger erase A --reason asked --yes")
    assert terminal.json("books participants") == []
    assert terminal.json("ledger verify")["problems"] == []


def test_a_missing_ledger_is_said_to_be(tmp_path: Path) -> None:
    result = Terminal(tmp_path / "nowhere").type("offers list")
    assert "no ledger yet" in str(result.exception)
