"""Periods as people say them: ``today``, ``30d``, ``2026-03``, ``2026``, ``2026-27``; UK days."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from kos.domain.books.calendar import uk_date, uk_midnight
from kos.errors import InvalidInput

_NAMED = frozenset({"today", "week", "month", "year", "tax", "all"})
_DAYS = re.compile(r"([1-9]\d{0,3})d", re.ASCII)
_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_DECEMBER = 12
_TAX_YEAR = (4, 6)
"""The month and day on which a UK tax year begins."""
_FIRST_YEAR = 1970
_END_OF_YEARS = 9999

YEARS = "2026, or 2026-27 for the tax year from 6 April to 5 April"
ALLOWED = f"today, week, month, year, tax (this tax year), all, 30d, 2026-03, {YEARS}"

Period = tuple[datetime | None, datetime | None]
"""From when on, and until before when, UTC; None: no such limit."""


def is_period(text: str) -> bool:
    """Whether a text is meant as a period."""
    word = text.casefold()
    return word in _NAMED or any(form.fullmatch(word) for form in (_DAYS, _YEAR_OR_MONTH))


def read_period(field: str, text: str, now: datetime) -> Period:
    """The span of UK days that a person means.

    Args:
        field: What the period is, for the refusal.
        text: As :data:`ALLOWED` says. ``30d`` is the 30 days up to and including today. A month is
            told from a tax year by its second part: ``2026-03`` is March, ``2026-27`` the tax year,
            and ``2010-11``, which could be both, the tax year.
        now: The present.

    Raises:
        InvalidInput: It is not a period.
    """
    word = text.strip().casefold()
    if word == "all":
        return None, None
    today = uk_date(now)
    if (start := _start_of(word, today)) is not None:
        return uk_midnight(start), None
    days = _days_of(word, has_months=True)
    if days is None:
        raise InvalidInput(field, text, ALLOWED)
    return uk_midnight(days[0]), uk_midnight(days[1])


def read_year(field: str, text: str) -> Period:
    """The UK days of a year: ``2026`` the calendar's, ``2026-27`` from 6 April to 5 April.

    Raises:
        InvalidInput: It is neither.
    """
    days = _days_of(text.strip(), has_months=False)
    if days is None:
        raise InvalidInput(field, text, YEARS)
    return uk_midnight(days[0]), uk_midnight(days[1])


def _start_of(word: str, today: date) -> date | None:
    """The first day of a period that lasts until now."""
    match word:
        case "today":
            return today
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
        case "year":
            return today.replace(month=1, day=1)
        case "tax":
            year = today.year - ((today.month, today.day) < _TAX_YEAR)
            return date(year, *_TAX_YEAR)
    days = _DAYS.fullmatch(word)
    return today - timedelta(days=int(days[1]) - 1) if days else None


def _days_of(word: str, *, has_months: bool) -> tuple[date, date] | None:
    """The first day of a year, a tax year or a month, and of the one after it."""
    match = _YEAR_OR_MONTH.fullmatch(word)
    if match is None or not _FIRST_YEAR <= (year := int(match[1])) < _END_OF_YEARS:
        return None
    if match[2] is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    second = int(match[2])
    if second == (year + 1) % 100:
        return date(year, *_TAX_YEAR), date(year + 1, *_TAX_YEAR)
    if not (has_months and 1 <= second <= _DECEMBER):
        return None
    return date(year, second, 1), date(year + second // _DECEMBER, second % _DECEMBER + 1, 1)
