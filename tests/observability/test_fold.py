"""What is said again and again is written once, and then counted."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kos.observability.fold import MAX_OPEN, Folder
from kos.observability.logs import Outlet
from kos.observability.sinks import Line


def line(event: str = "quotes.not_fetched", level: str = "warning", **facts: Any) -> dict[str, Any]:
    return {"event": event, "level": level, "sport_key": "soccer_epl", "error": "HTTP 500", **facts}


def test_the_first_is_written_and_the_rest_of_the_window_counted() -> None:
    folder = Folder(60.0)
    written = [folder.offer(line(attempt=number), number) for number in range(10)]
    assert written == [True] + 9 * [False]
    assert folder.due(59.9) == []
    (summary,) = folder.due(60.0)
    assert (summary["repeats"], summary["span_s"], summary["attempt"]) == (9, 8.0, 9)


def test_a_trouble_that_goes_on_is_written_once_a_window() -> None:
    folder = Folder(60.0)
    written = summaries = 0
    for second in range(600):
        summaries += len(folder.due(second))
        written += folder.offer(line(), second)
    assert (written, summaries) == (1, 9)


def test_a_trouble_that_comes_again_after_a_quiet_window_is_new() -> None:
    folder = Folder(60.0)
    assert folder.offer(line(), 0)
    assert folder.offer(line(), 60)
    assert not folder.offer(line(), 61)


def test_other_facts_are_another_trouble_but_measures_are_not_facts() -> None:
    folder = Folder(60.0)
    assert folder.offer(line(), 0)
    assert not folder.offer(line(job_id="abc-2", ts="later", attempt=2, elapsed_ms=3.1), 1)
    assert not folder.offer(line(), 1)
    assert folder.offer(line(sport_key="tennis_atp"), 1)
    assert folder.offer(line(error="HTTP 502"), 1)


def test_a_text_with_a_wait_in_it_is_the_same_text() -> None:
    folder = Folder(60.0)
    assert folder.offer(line(error="next login in 12 s"), 0)
    assert not folder.offer(line(error="next login in 7.5 s"), 1)
    assert folder.offer(line(error="line 12 is wrong"), 1)
    assert folder.offer(line(error="line 13 is wrong"), 1)


def test_a_trouble_that_grows_worse_is_always_written() -> None:
    folder = Folder(60.0)
    for _ in range(3):
        folder.offer(line(), 0)
    assert folder.offer(line(level="error"), 1)
    assert folder.offer(line(level="critical"), 1)
    assert not folder.offer(line(level="critical"), 2)


def test_what_is_no_trouble_is_never_folded() -> None:
    folder = Folder(60.0)
    assert all(folder.offer(line("quotes.fetched", "info"), 0) for _ in range(5))


def test_a_window_of_nought_folds_nothing() -> None:
    folder = Folder(0.0)
    assert all(folder.offer(line(), 0) for _ in range(5))


def test_the_traceback_stands_in_the_first_line_only() -> None:
    folder = Folder(60.0)
    folder.offer(line(exception="Traceback"), 0)
    folder.offer(line(exception="Traceback"), 1)
    assert "exception" not in folder.due(60)[0]


def test_what_was_counted_is_written_at_the_end() -> None:
    folder = Folder(60.0)
    for second in range(3):
        folder.offer(line(), second)
    assert [rest["repeats"] for rest in folder.rest()] == [2]
    assert folder.rest() == []


def test_memory_is_bounded_and_what_is_beyond_is_written() -> None:
    folder = Folder(60.0)
    for number in range(MAX_OPEN + 50):
        assert folder.offer(line(error=f"no. {number}"), 0)
    assert folder.offer(line(error=f"no. {MAX_OPEN + 1}"), 1)
    assert not folder.offer(line(error="no. 1"), 1)
    assert folder.offer(line(error="new"), 61)
    assert not folder.offer(line(error="new"), 62)


@given(
    said=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["warning", "error"]), st.integers(0, 40)),
        max_size=60,
    )
)
def test_no_line_is_lost_to_the_count(said: list[tuple[int, str, int]]) -> None:
    folder = Folder(60.0)
    now = counted = 0
    for which, level, later in said:
        now += later
        counted += sum(summary["repeats"] for summary in folder.due(now))
        counted += folder.offer(line(level=level, error=f"no. {which}"), now)
    assert counted + sum(summary["repeats"] for summary in folder.rest()) == len(said)


def test_counts_are_written_when_their_window_ends_though_nobody_logs() -> None:
    written: list[Line] = []
    has_summary = threading.Event()

    def sink(told: Line) -> None:
        written.append(told)
        if "repeats" in told:
            has_summary.set()

    outlet = Outlet((sink,), fold_s=0.05)
    for _ in range(100):
        outlet.write(line())
    assert has_summary.wait(30)
    assert "repeats" not in written[0]
    outlet.flush()
    assert sum(told.get("repeats", 1) for told in written) == 100
