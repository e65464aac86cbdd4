"""``kos match`` as a person runs it: files in, JSON lines out, bad lines refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kos.cli.match import match_command

app = typer.Typer()
app.command()(match_command)
runner = CliRunner()

LEFT = {
    "id": "a",
    "sport_key": "soccer_epl",
    "commence_time": "2026-03-09T19:45:00Z",
    "home_team": "Manchester United",
    "away_team": "Wolverhampton Wanderers",
}
RIGHT = {
    "event_id": "33",
    "event_type": "Soccer",
    "competition": "English Premier League",
    "event_name": "Man Utd v Wolves",
    "market_start_time": "2026-03-09T19:45:00.000Z",
    "runners": ["Man Utd", "Wolves", "The Draw"],
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    left, right = tmp_path / "left.jsonl", tmp_path / "right.jsonl"
    left.write_text(
        json.dumps(LEFT) + "\n\n" + json.dumps({**LEFT, "id": "b", "home_team": "Fulham"}) + "\n"
    )
    right.write_text(json.dumps(RIGHT) + "\n")
    return left, right


def run(left: Path, right: Path, *options: str) -> tuple[int, list[dict[str, object]], str]:
    result = runner.invoke(app, ["--bookmaker", str(left), "--exchange", str(right), *options])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, rows, result.stderr


def test_one_line_per_bookmaker_event_in_order(files: tuple[Path, Path]) -> None:
    code, rows, _ = run(*files, "--json")
    assert code == 0
    assert rows == [
        {"left": "a", "right": "33", "verdict": "match", "confidence": 0.98, "swapped": False},
        {"left": "b", "right": None, "verdict": "none", "confidence": 0.0, "swapped": False},
    ]


def test_explain_adds_the_evidence(files: tuple[Path, Path]) -> None:
    _, rows, _ = run(*files, "--json", "--explain")
    assert any("Wolves" in sentence for sentence in rows[0]["evidence"])  # type: ignore[attr-defined]


def test_without_aliases_and_learning_it_still_answers(files: tuple[Path, Path]) -> None:
    code, rows, _ = run(*files, "--no-aliases", "--no-learning")
    assert (code, rows[0]["verdict"]) == (0, "match")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{not json", "Expecting"),
        ("[]", "not a JSON object"),
        (json.dumps({**LEFT, "id": "a"}), "earlier line"),
        (json.dumps({**LEFT, "id": "c", "home_team": 7}), "home_team"),
        (json.dumps({**LEFT, "id": "c", "commence_time": "soon"}), "commence_time"),
        (json.dumps({**LEFT, "id": "c", "commence_time": "2026-03-09T19:45:00"}), "time zone"),
        (json.dumps({k: v for k, v in LEFT.items() if k != "sport_key"}), "sport_key"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_fault(
    files: tuple[Path, Path], line: str, part: str
) -> None:
    left, right = files
    left.write_text(json.dumps(LEFT) + "\n" + line + "\n")
    code, rows, told = run(left, right)
    assert (code, rows) == (2, [])
    assert f"{left}:2:" in told
    assert part in told


def test_bad_runners_bytes_and_missing_files_are_refused(files: tuple[Path, Path]) -> None:
    left, right = files
    right.write_text(json.dumps({**RIGHT, "runners": "Man Utd"}) + "\n")
    code, _, told = run(left, right)
    assert (code, "runners" in told) == (2, True)
    right.write_bytes(b"\xff\xfe{}\n")
    assert run(left, right)[0] == 2
    right.unlink()
    assert run(left, right)[0] == 2
