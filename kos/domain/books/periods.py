"""Periods as people say them: ``today``, ``30d``, ``2026-03``, ``2026``, ``2026-27``; UTC days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from kos.errors import CommandNotAllowed, InvalidInput

_DAYS = re.compile(r"(\d{1,4})d", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_YEAR = re.compile(r"\d{4}(?:-\d{2})?", re.ASCII)
_DECEMBER = 12
_FIRST_YEAR = 1970
_END_OF_YEARS = 9999

ALLOWED = "today, week, month, year, all, 30d, 2026-03, 2026, or 2026-27 for 6 April to 5 April"

Period = tuple[datetime | None, datetime | None]
"""From when on, and until before when; None: no such limit."""


def is_period(text: str) -> bool:
    """Whether a text is meant as a period."""
    word = text.casefold()
    named = word in {"today", "week", "month", "year", "all"}
    return named or any(form.fullmatch(word) for form in (_DAYS, _MONTH, _YEAR))


def period_of(text: str, now: datetime) -> Period:
    """The span that a person means.

    Args:
        text: As :data:`ALLOWED` says; a year and its month are told from a tax year by the
            second part: ``2026-03`` is March, ``2026-27`` the tax year.
        now: The present, UTC.

    Raises:
        InvalidInput: It is no period.
    """
    word = text.casefold()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "today": midnight,
        "week": midnight - timedelta(days=midnight.weekday()),
        "month": midnight.replace(day=1),
        "year": midnight.replace(month=1, day=1),
    }
    if word == "all":
        return None, None
    if word in starts:
        return starts[word], None
    if days := _DAYS.fullmatch(word):
        return midnight - timedelta(days=int(days[1]) - 1), None
    month = _MONTH.fullmatch(word)
    if month and _FIRST_YEAR <= int(month[1]) < _END_OF_YEARS and not _is_tax_year(word):
        first = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
        year, following = divmod(first.year * _DECEMBER + first.month, _DECEMBER)
        return first, datetime(year, following + 1, 1, tzinfo=UTC)
    if _YEAR.fullmatch(word) and int(word[:4]) >= _FIRST_YEAR:
        try:
            return tax_year(word)
        except CommandNotAllowed:
            pass
    raise InvalidInput("period", text, ALLOWED)


def _is_tax_year(word: str) -> bool:
    """A span such as 2010-11 is the tax year, as it has always been to ``--year``."""
    return int(word[5:]) == (int(word[:4]) + 1) % 100


def tax_year(text: str) -> tuple[datetime, datetime]:
    """Start and end of a year: ``2026`` the calendar's, ``2026-27`` from 6 April to 6 April, UTC.

    Raises:
        CommandNotAllowed: It is neither.
    """
    first, dash, second = text.partition("-")
    is_year = first.isdecimal() and len(first) == 4  # noqa: PLR2004 - a year has four digits
    if is_year and not dash and 1 <= int(first) < _END_OF_YEARS:
        year = int(first)
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    if is_year and 1 <= int(first) < _END_OF_YEARS and second == f"{(int(first) + 1) % 100:02}":
        year = int(first)
        return datetime(year, 4, 6, tzinfo=UTC), datetime(year + 1, 4, 6, tzinfo=UTC)
    raise CommandNotAllowed(f"{text} is not a valid year. Use 2026, or 2026-27 for a tax year.")
