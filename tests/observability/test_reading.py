"""Which lines of a log are wanted, from files that are turned while they are read."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kos.cli.app import app
from kos.errors import KosError
from kos.observability.readable import readable
from kos.observability.reading import LogFile, Wanted, parse
from kos.observability.sinks import FileSink

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINE: dict[str, Any] = {
    "ts": "2026-11-23T11:59:00.000000Z",
    "level": "warning",
    "event": "quotes.not_fetched",
    "node": "feeds",
    "actor": "fetcher.soccer_epl",
    "sport_key": "soccer_epl",
    "job_id": "abc-1",
}


@pytest.mark.parametrize(
    ("wanted", "is_taken"),
    [
        (Wanted(), True),
        (Wanted(level="warning"), True),
        (Wanted(level="error"), False),
        (Wanted(event="quotes.not_fetched"), True),
        (Wanted(event="quotes."), True),
        (Wanted(event="quotes"), False),
        (Wanted(node="feeds"), True),
        (Wanted(node="engine"), False),
        (Wanted(actor="fetcher."), True),
        (Wanted(actor="fetcher.soccer_epl"), True),
        (Wanted(actor="fetcher.soccer"), False),
        (Wanted(sport_key="soccer"), True),
        (Wanted(sport_key="tennis"), False),
        (Wanted(job_id="abc-1"), True),
        (Wanted(job_id="abc-2"), False),
        (Wanted(since=NOW - timedelta(minutes=2)), True),
        (Wanted(since=NOW), False),
        (Wanted(level="info", event="quotes.", node="feeds", job_id="abc-1"), True),
    ],
)
def test_each_filter_takes_what_it_names(wanted: Wanted, is_taken: bool) -> None:
    assert wanted.takes(LINE) is is_taken


def test_a_line_that_speaks_of_several_jobs_belongs_to_each() -> None:
    line = {"event": "ledger.committed", "job_id": "abc-1", "job_ids": ["abc-2", "abc-3"]}
    taken = [n for n in (1, 2, 3, 4) if Wanted(job_id=f"abc-{n}").takes(line)]
    assert taken == [1, 2, 3]


def test_the_lines_of_a_fetcher_belong_to_its_sport_key() -> None:
    line = {"event": "actor.started", "actor": "fetcher.soccer_epl"}
    assert Wanted(sport_key="soccer_epl").takes(line)


@pytest.mark.parametrize("text", ["", "plain words", "3", '{"a": 1}', '{"event": "x'])
def test_what_is_no_line_of_ours_is_left_out(text: str) -> None:
    assert parse(text) is None


def test_turned_files_are_read_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "kos.log"
    sink = FileSink(path, max_bytes=150, keep=9)
    for number in range(20):
        sink.write({"event": "a.b", "number": number})
    sink.close()
    assert len(list(tmp_path.glob("kos.log.[0-9]"))) > 2
    file = LogFile(path)
    assert [json.loads(line)["number"] for line in file.past()] == list(range(20))
    file.close()


def test_following_goes_along_when_the_file_is_turned_and_misses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kos.log"
    file = LogFile(path)
    assert list(file.past()) == []
    coming = file.coming()

    def write() -> None:
        sink = FileSink(path, max_bytes=500, keep=3)
        for number in range(100):
            sink.write({"event": "a.b", "number": number})
            if not number % 10:
                read.acquire(timeout=30)
        sink.close()

    read = threading.Semaphore(0)
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    found = []
    for line in coming:
        found.append(json.loads(line)["number"])
        if not found[-1] % 10:
            read.release()
        if found[-1] == 99:
            break
    writer.join(30)
    assert found == list(range(100))
    file.close()


def test_half_a_line_is_not_given(tmp_path: Path) -> None:
    path = tmp_path / "kos.log"
    path.write_text('{"event": "a.b"}\n{"event": "c.')
    file = LogFile(path)
    assert list(file.past()) == ['{"event": "a.b"}']
    with path.open("a") as more:
        more.write('d"}\n')
    assert next(file.coming()) == '{"event": "c.d"}'
    file.close()


def test_a_line_for_a_person_says_when_how_grave_where_what() -> None:
    shown = readable(LINE | {"error": "no answer in time", "exception": "A\nB"}, has_colour=False)
    first, *rest = shown.split("\n")
    assert first.startswith("2026-11-23 11:59:00 warning  fetcher.soccer_epl quotes.not_fetched ")
    assert 'error="no answer in time"' in first
    assert [line.strip() for line in rest] == ["A", "B"]


def test_nothing_in_a_line_can_move_the_terminals_cursor() -> None:
    nasty = "\x1b[2J\x9b1m\r\x07"
    shown = readable(
        {"event": f"a{nasty}", "error": nasty, "exception": nasty, "x": [nasty]}, has_colour=False
    )
    assert shown.replace("\n", "").isprintable()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "kos.log"
    sink = FileSink(path, max_bytes=1_000_000, keep=1)
    for number in range(150):
        level = "warning" if number % 50 == 0 else "info"
        sink.write({"ts": "2026-11-23T11:00:00Z", "level": level, "event": "a.b", "count": number})
    sink.close()
    return path


def kos_logs(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["logs", *arguments], input=given)


def test_kos_logs_shows_the_last_hundred_of_a_file(log: Path) -> None:
    shown = kos_logs(str(log)).stdout.splitlines()
    assert len(shown) == 100
    assert shown[-1].endswith("count=149")


def test_kos_logs_filters_what_is_piped_into_it(log: Path) -> None:
    shown = kos_logs("-", "--level", "warning", "--json", given="noise\n" + log.read_text())
    assert [json.loads(line)["count"] for line in shown.stdout.splitlines()] == [0, 50, 100]


def test_kos_logs_ends_quietly_when_its_reader_has_seen_enough(log: Path) -> None:
    with log.open("a") as more:
        more.write(log.read_text() * 20)
    shell = f'"{sys.executable}" -m kos logs "{log}" -n 9999 | head -n 1'
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert not done.stderr


@pytest.mark.parametrize(
    "arguments", [["--level", "loud"], ["--since", "soon"], ["/no/such/kos.log"]]
)
def test_kos_logs_refuses_what_it_does_not_know(arguments: list[str]) -> None:
    assert isinstance(kos_logs(*arguments).exception, KosError)


def test_a_parsed_stream_is_what_was_written() -> None:
    text = io.StringIO(json.dumps(LINE))
    assert parse(text.read()) == LINE
