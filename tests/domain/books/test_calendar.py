"""Dates, times and durations as people type them, in UK time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from kos.domain.books.calendar import (
    LONDON,
    read_clock,
    read_date,
    read_duration,
    read_moment,
    uk_date,
    uk_midnight,
    uk_span,
)
from kos.errors import InvalidInput

TUESDAY = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
"""1 December 2026, noon."""


def uk(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("text", "ahead", "past"),
    [
        ("thu 18:15", uk(2026, 12, 3, 18, 15), uk(2026, 11, 26, 18, 15)),
        ("Thursday 18:15", uk(2026, 12, 3, 18, 15), uk(2026, 11, 26, 18, 15)),
        ("tue 11:00", uk(2026, 12, 8, 11), uk(2026, 12, 1, 11)),
        ("tue 12:00", uk(2026, 12, 1, 12), uk(2026, 12, 1, 12)),
        ("tue 13:00", uk(2026, 12, 1, 13), uk(2026, 11, 24, 13)),
        ("sat", uk(2026, 12, 5), uk(2026, 11, 28)),
        ("tue", uk(2026, 12, 1), uk(2026, 12, 1)),
        ("18:15", uk(2026, 12, 1, 18, 15), uk(2026, 11, 30, 18, 15)),
        ("9:05", uk(2026, 12, 2, 9, 5), uk(2026, 12, 1, 9, 5)),
        ("3 dec", uk(2026, 12, 3), uk(2025, 12, 3)),
        ("3rd December 12:30", uk(2026, 12, 3, 12, 30), uk(2025, 12, 3, 12, 30)),
        ("1 dec", uk(2026, 12, 1), uk(2026, 12, 1)),
        ("29 nov 15:00", uk(2026, 11, 29, 15), uk(2026, 11, 29, 15)),
        ("2 jan 15:00", uk(2027, 1, 2, 15), uk(2026, 1, 2, 15)),
        ("today, 13:30", uk(2026, 12, 1, 13, 30), uk(2026, 12, 1, 13, 30)),
        ("tomorrow 12:30", uk(2026, 12, 2, 12, 30), uk(2026, 12, 2, 12, 30)),
        ("yesterday 12:30", uk(2026, 11, 30, 12, 30), uk(2026, 11, 30, 12, 30)),
        ("7d", uk(2026, 12, 8, 12), uk(2026, 11, 24, 12)),
        ("1d 19h", uk(2026, 12, 3, 7), uk(2026, 11, 29, 17)),
        ("1 jul 12:00", uk(2026, 7, 1, 12), uk(2026, 7, 1, 12)),
    ],
)
def test_a_moment_is_on_the_side_of_now_that_is_meant(
    text: str, ahead: datetime, past: datetime
) -> None:
    assert read_moment("kickoff", text, TUESDAY) == ahead
    assert read_moment("at", text, TUESDAY, is_past=True) == past


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-08", uk(2026, 12, 8)),
        ("2026-12-08 18:15", uk(2026, 12, 8, 18, 15)),
        ("2026-07-08T18:15:30", uk(2026, 7, 8, 18, 15) + timedelta(seconds=30)),
        ("2026-12-08 9:05", uk(2026, 12, 8, 9, 5)),
        ("2026-07-08T18:15Z", datetime(2026, 7, 8, 18, 15, tzinfo=UTC)),
        ("2026-07-08T18:15:00.250000+02:00", datetime(2026, 7, 8, 16, 15, 0, 250_000, tzinfo=UTC)),
        ("8 dec 2026 18:15", uk(2026, 12, 8, 18, 15)),
        ("Tue 8 Dec 2026, 18:15", uk(2026, 12, 8, 18, 15)),
        ("23-Nov-26 15:04", uk(2026, 11, 23, 15, 4)),
        ("23-Nov-2026 15:04:05", uk(2026, 11, 23, 15, 4) + timedelta(seconds=5)),
        ("23/11/2026 15:04", uk(2026, 11, 23, 15, 4)),
        ("29 feb 2028", uk(2028, 2, 29)),
    ],
)
@pytest.mark.parametrize("now", [None, TUESDAY])
def test_a_moment_with_its_year_needs_no_present(
    text: str, moment: datetime, now: datetime | None
) -> None:
    read = read_moment("date", text, now)
    assert read == moment
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["today", "thu 18:15", "3 dec 12:30", "18:15", "7d", "tomorrow", "sat 3 dec"]
)
def test_without_the_present_a_moment_must_stand_on_its_own(text: str) -> None:
    with pytest.raises(InvalidInput, match="2026-12-08") as refused:
        read_moment("line 2 date", text, None)
    assert refused.value.field == "line 2 date"


@pytest.mark.parametrize(
    "text",
    ["", " ", "soon", "dec", "3", "31 feb", "31 feb 2026", "3 foo", "th 18:15", "2026-13-08",
     "2026-02-30", "1026-12-08", "9999-12-31T23:59-12:00", "thu 24:00", "thu 18:60", "thu 1815",
     "fri 3 dec 18:15", "٣ dec", "2026-12-0\uff18", "1_0d", "1e3d", "-7d", "99999d 99999d", "d",
     "x" * 41 + " 18:15", "3/12", "3 dec 12"],
)  # fmt: skip
def test_what_is_no_moment_is_refused_by_name(text: str) -> None:
    for is_past in (False, True):
        with pytest.raises(InvalidInput) as refused:
            read_moment("kickoff", text, TUESDAY, is_past=is_past)
        assert (refused.value.field, refused.value.value) == ("kickoff", text)


def test_a_time_ahead_is_no_time_that_has_been() -> None:
    assert read_moment("kickoff", "+48h", TUESDAY) == uk(2026, 12, 3, 12)
    with pytest.raises(InvalidInput):
        read_moment("at", "+48h", TUESDAY, is_past=True)


@pytest.mark.parametrize("text", ["2026-03-29 01:00", "29 mar 2026 01:59"])
def test_the_hour_that_the_clocks_skip_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"before 01:00 or from 02:00: the clocks go forward"):
        read_moment("kickoff", text, TUESDAY)


def test_around_the_skipped_hour_all_times_are_read() -> None:
    assert read_moment("at", "2026-03-29 00:59", None) == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert read_moment("at", "2026-03-29 02:00", None) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_of_the_hour_that_comes_twice_the_first_is_meant_unless_the_zone_says() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read_moment("at", "2026-10-25 01:30", None) == first
    assert read_moment("at", "2026-10-25T01:30+00:00", None) == first + timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", date(2026, 12, 1)),
        ("yesterday", date(2026, 11, 30)),
        ("thu", date(2026, 12, 3)),
        ("3 dec", date(2026, 12, 3)),
        ("Thu 3 Dec", date(2026, 12, 3)),
        ("3 dec 2027", date(2027, 12, 3)),
        ("2026-12-08", date(2026, 12, 8)),
    ],
)
def test_a_date_is_a_day_in_the_uk(text: str, day: date) -> None:
    assert read_date("from", text, TUESDAY) == day


def test_just_after_midnight_in_summer_today_is_the_uk_day() -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert uk_date(late) == read_date("from", "today", late) == date(2026, 7, 1)
    assert uk_midnight(date(2026, 7, 1)) == datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    assert read_date("from", "wed", late, is_past=True) == date(2026, 7, 1)


@pytest.mark.parametrize("text", ["", "18:15", "7d", "Fri 3 Dec", "31 nov"])
def test_what_is_no_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="3 dec") as refused:
        read_date("from", text, TUESDAY)
    assert refused.value.field == "from"


@pytest.mark.parametrize(
    ("text", "clock"), [("18:15", time(18, 15)), ("7:00", time(7)), (" 00:00 ", time(0))]
)
def test_a_time_of_day(text: str, clock: time) -> None:
    assert read_clock("hours", text) == clock


@pytest.mark.parametrize("text", ["", "7", "24:00", "18:60", "18.15", "7pm", "١٨:15", "now"])
def test_what_is_no_time_of_day_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="07:00 or 22:30") as refused:
        read_clock("hours", text)
    assert refused.value.field == "hours"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90m", timedelta(minutes=90)),
        ("12 min", timedelta(minutes=12)),
        ("2h", timedelta(hours=2)),
        ("1.5H", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("1h 30 min", timedelta(minutes=90)),
        ("1d19h", timedelta(hours=43)),
        ("45s", timedelta(seconds=45)),
        ("2", timedelta(hours=2)),
        ("0.25", timedelta(minutes=15)),
        ("18 hours", timedelta(hours=18)),
    ],
)
def test_a_length_of_time(text: str, span: timedelta) -> None:
    assert read_duration("within", text) == span


@pytest.mark.parametrize(
    "text",
    ["", "0m", "0", "m", "1w", "99999999h", "99999d 2d", "-2h", "²h", "٣h", "1e3h", "1_0h", "1,5h",
     "soon", "2h soon", "NaN", "inf"],
)  # fmt: skip
def test_what_is_no_length_of_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="90m, 2h or 3d") as refused:
        read_duration("within", text)
    assert (refused.value.field, refused.value.value) == ("within", text)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (None, None, "at any time"),
        (None, TUESDAY, "until Tue 1 Dec, 12:00"),
        (TUESDAY, None, "from Tue 1 Dec, 12:00"),
        (TUESDAY, uk(2026, 12, 5, 9, 30), "from Tue 1 Dec, 12:00 to Sat 5 Dec, 09:30"),
    ],
)
def test_a_span_may_be_open_at_either_end(
    start: datetime | None, end: datetime | None, text: str
) -> None:
    assert uk_span(start, end) == text
