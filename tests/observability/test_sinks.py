"""Lines of several processes reach a pipe and a file whole."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kos.observability.sinks import DescriptorSink, FileSink, to_json

WRITER = """
import sys
from pathlib import Path
from kos.observability.sinks import DescriptorSink, FileSink
who, count, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
sink = FileSink(Path(path), max_bytes=int(sys.argv[4]), keep=50) if path != "-" else DescriptorSink(1, is_json=True)
for number in range(count):
    sink.write({"event": "a.b", "who": who, "number": number, "text": "%d" % who * 3000, "more": "x" * 3000})
"""

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=3000),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=6,
)


@given(
    line=st.dictionaries(st.text(max_size=12), values, max_size=12),
    limit=st.sampled_from([1024, 4096]),
)
def test_a_line_is_never_longer_than_may_be_and_always_json(
    line: dict[str, object], limit: int
) -> None:
    data = to_json({"event": "a.b"} | line, limit)
    assert len(data) <= limit
    assert data.count(b"\n") == 1
    assert isinstance(json.loads(data), dict)


def test_a_line_that_is_short_enough_is_left_as_it_is() -> None:
    line = {"text": "x" * 1000, "level": "info", "event": "a.b", "ts": "now"}
    assert json.loads(to_json(line, 4096)) == line
    assert list(json.loads(to_json(line, 4096)))[:3] == ["ts", "level", "event"]


def test_of_a_traceback_the_end_is_kept_and_what_is_cut_is_told() -> None:
    text = "Traceback\n" + "frame\n" * 5000 + "ValueError: the reason"
    line = json.loads(to_json({"event": "a.b", "exception": text, "error": "short"}, 4096))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: the reason")
    assert line["error"] == "short"
    assert line["cut"] > 20_000


def processes(count: int, lines: int, path: str, max_bytes: int, out: int | None) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(who), str(lines), path, str(max_bytes)], stdout=out
        )
        for who in range(count)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * count


def in_order(lines: list[dict[str, int]], count: int, each: int) -> None:
    for who in range(count):
        assert [line["number"] for line in lines if line["who"] == who] == list(range(each))


def test_long_lines_of_several_processes_on_one_pipe_do_not_mix(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    taken = tmp_path / "taken"
    with taken.open("wb") as file:
        cat = subprocess.Popen(["cat"], stdin=reader, stdout=file)
        os.close(reader)
        processes(3, 300, "-", 0, writer)
        os.close(writer)
        assert cat.wait(60) == 0
    raw = taken.read_bytes().splitlines(keepends=True)
    assert max(map(len, raw)) <= select.PIPE_BUF
    lines = [json.loads(line) for line in raw]
    assert all(line["cut"] > 1000 for line in lines)
    in_order(lines, 3, 300)


def test_the_file_is_turned_by_several_processes_and_loses_no_line(tmp_path: Path) -> None:
    path = tmp_path / "kos.log"
    processes(3, 200, str(path), 400_000, None)
    files = [file for file in tmp_path.iterdir() if file.suffix != ".lock"]
    assert len(files) > 1  # how many depends on who was late; the bound is not that strict
    numbered = sorted(files, key=lambda file: -int(file.suffix[1:]) if file != path else 1)
    lines = [json.loads(line) for file in numbered for line in file.read_bytes().splitlines()]
    assert not any("cut" in line for line in lines)
    in_order(lines, 3, 200)


def test_no_more_turned_files_are_kept_than_may_be_and_all_are_private(tmp_path: Path) -> None:
    path = tmp_path / "kos.log"
    sink = FileSink(path, max_bytes=2000, keep=2)
    for number in range(200):
        sink.write({"event": "a.b", "number": number})
    sink.close()
    found = sorted(file.name for file in tmp_path.iterdir())
    assert found == ["kos.log", "kos.log.1", "kos.log.2", "kos.log.lock"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in tmp_path.iterdir())
    assert json.loads(path.read_text().splitlines()[-1])["number"] == 199


def test_a_log_that_was_taken_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "kos.log"
    sink = FileSink(path, max_bytes=2000, keep=2)
    path.unlink()
    sink.write({"event": "a.b"})
    sink.close()
    assert json.loads(path.read_text()) == {"event": "a.b"}


def test_a_pipe_that_nobody_reads_does_not_end_the_work() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    DescriptorSink(writer, is_json=True).write({"event": "a.b"})
    os.close(writer)


def test_on_a_terminal_a_line_is_readable_and_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = os.openpty()
    DescriptorSink(theirs, is_json=False).write({"event": "a.b", "level": "error", "count": 3})
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    os.close(theirs)
    assert "\x1b[31m" in shown
    assert "a.b" in shown
    assert "count=3" in shown
