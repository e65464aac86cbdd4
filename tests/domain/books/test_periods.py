"""The periods that people say, and what is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.books.calendar import LONDON
from kos.domain.books.periods import is_period, read_period, read_year
from kos.errors import InvalidInput
from tests.profiles import examples

WEDNESDAY = datetime(2026, 3, 11, 15, 30, tzinfo=UTC)


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("all", None, None),
        ("Today", day(2026, 3, 11), None),
        ("week", day(2026, 3, 9), None),
        ("MONTH", day(2026, 3, 1), None),
        ("year", day(2026, 1, 1), None),
        ("tax", day(2025, 4, 6), None),
        ("1d", day(2026, 3, 11), None),
        ("30d", day(2026, 2, 10), None),
        ("2026-03", day(2026, 3, 1), day(2026, 4, 1)),
        ("2026-07", day(2026, 7, 1), day(2026, 8, 1)),
        ("2026-12", day(2026, 12, 1), day(2027, 1, 1)),
        ("1970-01", day(1970, 1, 1), day(1970, 2, 1)),
        ("2026", day(2026, 1, 1), day(2027, 1, 1)),
        ("2026-27", day(2026, 4, 6), day(2027, 4, 6)),
        ("1999-00", day(1999, 4, 6), day(2000, 4, 6)),
        # Both a month and a tax year: the tax year.
        ("2010-11", day(2010, 4, 6), day(2011, 4, 6)),
    ],
)
def test_a_period_is_the_uk_days_that_its_name_means(
    text: str, start: datetime | None, end: datetime | None
) -> None:
    assert is_period(text)
    first, last = read_period("period", text, WEDNESDAY)
    assert (first, last) == (start, end)
    assert {each.tzinfo for each in (first, last) if each is not None} <= {UTC}


def test_in_summer_a_period_begins_an_hour_before_midnight_utc() -> None:
    july = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
    assert read_period("period", "today", july)[0] == datetime(2026, 7, 14, 23, 0, tzinfo=UTC)
    assert read_period("period", "30d", july)[0] == datetime(2026, 6, 15, 23, 0, tzinfo=UTC)
    assert read_period("period", "tax", july)[0] == datetime(2026, 4, 5, 23, 0, tzinfo=UTC)


def test_the_day_is_the_uk_day_wherever_the_clock_stands() -> None:
    tokyo = datetime(2026, 3, 11, 5, 0, tzinfo=timezone(timedelta(hours=9)))
    assert read_period("period", "today", tokyo)[0] == day(2026, 3, 10)
    after_midnight = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert read_period("period", "month", after_midnight)[0] == day(2026, 7, 1)


@pytest.mark.parametrize(("on", "begun"), [(5, 2025), (6, 2026)])
def test_this_tax_year_turns_on_6_april(on: int, begun: int) -> None:
    now = datetime(2026, 4, on, 12, 0, tzinfo=UTC)
    assert read_period("period", "tax", now)[0] == day(begun, 4, 6)


@pytest.mark.parametrize(
    "text",
    ["", "d", "0d", "12345d", "٣d", "yesterday", "2026-13", "2026-28", "2026-3", "1969", "1969-70",
     "1969-12", "0001-05", "9999", "9999-00", "9999-12", "20260", "coral"],
)  # fmt: skip
def test_what_is_no_period_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_period("period", text, WEDNESDAY)
    assert (refused.value.field, refused.value.value) == ("period", text)


@pytest.mark.parametrize("text", ["coral", "", "12345d", "march"])
def test_another_word_is_not_meant_as_a_period(text: str) -> None:
    assert not is_period(text)


@pytest.mark.parametrize("text", ["2026", "2026-27", "1999-00"])
def test_a_year_is_the_period_of_that_name(text: str) -> None:
    assert read_year("--year", text) == read_period("period", text, WEDNESDAY)


@pytest.mark.parametrize(
    "text",
    ["26", "2026-28", "0000", "0000-01", "9999", "9999-00", "x", "²026", "2026-", "30d", "month"],
)
def test_what_is_no_year_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_year("--year", text)
    assert refused.value.field == "--year"


@given(
    st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 9999),
)
@settings(max_examples=examples(100))
def test_so_many_days_are_that_many_uk_days_including_today(now: datetime, count: int) -> None:
    first, last = read_period("period", f"{count}d", now)
    assert first is not None
    assert last is None
    local = first.astimezone(LONDON)
    assert (local.hour, local.minute) == (0, 0)
    assert (now.astimezone(LONDON).date() - local.date()).days == count - 1


def test_any_figures_are_a_span_or_refused_and_nothing_else() -> None:
    spans = 0
    years = (0, 1, 1969, 1970, 1999, 2012, 2026, 9998, 9999)
    for text in [f"{year:04}-{part:02}" for year in years for part in range(100)]:
        try:
            start, end = read_period("period", text, WEDNESDAY)
        except InvalidInput:
            continue
        spans += 1
        assert start is not None
        assert end is not None
        first, last = start.astimezone(LONDON).date(), end.astimezone(LONDON).date()
        assert day(first.year, first.month, first.day) == start
        assert timedelta(days=28) <= last - first <= timedelta(days=366)
        assert last > date(1970, 1, 1)
    # Twelve months and a tax year of each year from 1970 to 9998.
    assert spans == 5 * 13
