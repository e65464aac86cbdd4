"""The periods that people say, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kos.domain.books.periods import is_period, period_of, tax_year
from kos.errors import CommandNotAllowed, InvalidInput

WEDNESDAY = datetime(2026, 3, 11, 15, 30, tzinfo=UTC)


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("all", None, None),
        ("Today", day(2026, 3, 11), None),
        ("week", day(2026, 3, 9), None),
        ("MONTH", day(2026, 3, 1), None),
        ("year", day(2026, 1, 1), None),
        ("1d", day(2026, 3, 11), None),
        ("30d", day(2026, 2, 10), None),
        ("2026-03", day(2026, 3, 1), day(2026, 4, 1)),
        ("2026-12", day(2026, 12, 1), day(2027, 1, 1)),
        ("1970-01", day(1970, 1, 1), day(1970, 2, 1)),
        ("2026", day(2026, 1, 1), day(2027, 1, 1)),
        ("2026-27", day(2026, 4, 6), day(2027, 4, 6)),
        ("1999-00", day(1999, 4, 6), day(2000, 4, 6)),
        # Both a month and a tax year: the tax year.
        ("2010-11", day(2010, 4, 6), day(2011, 4, 6)),
    ],
)
def test_a_period_is_the_days_that_its_name_means(
    text: str, start: datetime | None, end: datetime | None
) -> None:
    assert is_period(text)
    assert period_of(text, WEDNESDAY) == (start, end)


def test_the_day_is_that_of_utc_wherever_the_clock_stands() -> None:
    tokyo = datetime(2026, 3, 11, 5, 0, tzinfo=timezone(timedelta(hours=9)))
    assert period_of("today", tokyo)[0] == day(2026, 3, 10)


@pytest.mark.parametrize(
    "text",
    ["", "d", "12345d", "٣d", "yesterday", "2026-13", "2026-28", "2026-3", "1969", "1969-70", "1969-12",
     "0001-05", "9999", "9999-00", "9999-12", "20260", "coral"],
)  # fmt: skip
def test_what_is_no_period_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        period_of(text, WEDNESDAY)
    assert (refused.value.field, refused.value.value) == ("period", text)


@pytest.mark.parametrize("text", ["coral", "", "12345d", "march"])
def test_another_word_is_not_meant_as_a_period(text: str) -> None:
    assert not is_period(text)


@pytest.mark.parametrize(
    "text", ["26", "2026-28", "0000", "0000-01", "9999", "9999-00", "x", "²026", "2026-"]
)
def test_what_is_no_tax_year_is_refused(text: str) -> None:
    with pytest.raises(CommandNotAllowed):
        tax_year(text)


def test_any_figures_are_a_span_or_refused_and_nothing_else() -> None:
    spans = 0
    years = (0, 1, 1969, 1970, 1999, 2012, 2026, 9998, 9999)
    for text in [f"{year:04}-{part:02}" for year in years for part in range(100)]:
        try:
            start, end = period_of(text, WEDNESDAY)
        except InvalidInput:
            continue
        spans += 1
        assert start is not None
        assert end is not None
        assert start.time() == datetime.min.time()
        assert timedelta(days=28) <= end - start <= timedelta(days=366)
    # Twelve months and a tax year of each year from 1970 to 9998.
    assert spans == 5 * 13
