"""A session at the terminal, line by line as agreed: what each command prints, for people and for programs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kos import __version__
from kos.cli.app import app
from tests.agreed import assert_agreed
from tests.cli.terminal import Terminal
from tests.cli.test_offers import CATALOGUE, FREE_BET, QUALIFIER

BEFORE = "offers list;offers catalogue;books show;books participants;people list;aliases list;due"
BETWEEN = """offers list;offers list --open;offers show A c1;books show -p A;books statement A;books participants
offers list --json;offers show A c1 --json;books show -p A --json;offers show A c2;books show -p B
offers record A c1 completed;offers record A c1 credited token=t2;offers record A c9 nothing
books record A opened amount=1,50;books record A drawn amount=100000;books record B joined
offers facts;offers facts qualifier_placed;offers facts nothing;books facts;offers catalogue
people add 5 Ola --seat operator;people add 6 Cap --seat captain;people add @ann Ann;people list
people remove 5;people remove 9;people list --all;people invite -p A;people invite --seat operator
aliases add soccer "Leeds United" Leeds --evidence seen;aliases list;aliases export
aliases reject soccer "Hull City" "Hull KR" --evidence seen;aliases add tiddlywinks a b --evidence x
aliases withdraw soccer "Leeds United" Leeds --evidence wrong;aliases list;offers export"""
AFTER = """offers list;offers show A c1;books show -p A;books show -p A --since month --json
books show --since never;ledger verify;ledger verify --json;ledger everything-about A;books export
ledger erase A;health;status;version;config show --changed;calc --list;calc dutch_total --help;calc accumulator_lay_sequential --help;calc qualifying --help
calc qualifying --back-stake 10 --back-odds 2.5 --lay-odds 2.54 --commission 2%
calc qualifying --back-stake ten;calc dutch_total --odds 2.1,3.5 --total-stake 50 --json;nothing"""
STATELESS = ("calc", "version", "config", "nothing", "due")
"""Commands that have no state folder; `facts` neither."""

RUNNER = CliRunner(env={"COLUMNS": "160"})
DRAWN = (
    (re.compile(r"(?<=━)━+|(?<=─)─+|(?<= ) +"), ""),
    (re.compile(r"no daemon is running: [^\n]*\n"), ""),
    (re.compile(r"^[\w-]{16,24}$", re.MULTILINE), "CODE"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+ \w{3}(, \d\d:\d\d)?"), "DAY"),
    (re.compile(r"\b\d{4}-\d\d(-\d\d)?\b"), "DATE"),
    (re.compile(r"(?<=/start )[\w-]+"), "CODE"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,64}"), "ID"),
    (re.compile(r"\b(January|February|March|April|May|June|July|August|September|October|November|December) \d{4}"), "MONTH"),
)  # fmt: skip
"""What the clock and chance decide, and the widths of columns, which follow it."""


def test_a_session_at_the_terminal_reads_as_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "olive")
    terminal = Terminal(tmp_path / "kos")
    catalogue = tmp_path / "offers.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    shown = []

    def session(script: str) -> None:
        for line in script.strip().replace("\n", ";").split(";"):
            words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
            is_stateless = words[0] in STATELESS or "facts" in words
            result = RUNNER.invoke(app, words) if is_stateless else terminal.type("", *words)
            refusal = "" if isinstance(result.exception, SystemExit) else result.exception or ""
            shown.append(f"\n$ kos {line}  # exit {result.exit_code}\n{result.output}{refusal}")

    session(f"{BEFORE};offers import {catalogue}")
    session(QUALIFIER + BETWEEN)
    session(FREE_BET + AFTER)
    text = "\n".join(shown).replace(str(tmp_path), "FOLDER")
    text = text.replace(__version__, "VERSION")
    for pattern, name in DRAWN:
        text = pattern.sub(name, text)
    assert_agreed("terminal.txt", "\n".join(line.rstrip() for line in text.splitlines()))
