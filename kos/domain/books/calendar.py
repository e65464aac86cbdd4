"""UK time: the one calendar of KOS, and the readers of dates, times and durations that people type.

People type and read UK time, summer time included; all that is stored is UTC. At the two clock
changes a year:

* 01:00 to 01:59 on the last Sunday in March does not exist, and is refused.
* 01:00 to 01:59 on the last Sunday in October happens twice: the first is meant. Type the second
  with its zone, as ``2026-10-25T01:30+00:00``.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from kos.errors import InvalidInput

LONDON: Final = ZoneInfo("Europe/London")
DATES: Final = "today, thu, 3 dec or 2026-12-08"
MOMENTS: Final = "thu 18:15, 3 dec 12:30, tomorrow 12:30 or 2026-12-08 18:15, in UK time"
DURATIONS: Final = "a length of time such as 90m, 2h or 3d"

_LONGEST = 40
_WEEK = 7
_CENTURY = 2000
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_SHORTEST_NAME = 3

_ISO = re.compile(
    r"(?:19|20|21)\d{2}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_DAY_OF_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]+)(?:[ -]((?:19|20|21)\d{2})|-(\d{2}))?"
    r"|(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>(?:19|20|21)\d{2})",
    re.ASCII,
)
_SPAN = re.compile(r"(\d{1,5}(?:\.\d{1,2})?) ?([a-z]+)", re.ASCII)
_UNITS = {
    name: seconds
    for names, seconds in (
        ("s sec secs second seconds", 1),
        ("m min mins minute minutes", 60),
        ("h hr hrs hour hours", 3600),
        ("d day days", 86_400),
    )
    for name in names.split()
}
_DEFAULT_UNIT = "h"
_MOST_SECONDS = 100_000 * 86_400


# --- days -------------------------------------------------------------------------------------------


def uk_date(moment: datetime) -> date:
    """The day in the UK at a moment."""
    return moment.astimezone(LONDON).date()


def uk_midnight(day: date) -> datetime:
    """The moment, in UTC, at which a day begins in the UK."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


# --- shown ------------------------------------------------------------------------------------------


def uk_time(moment: datetime) -> str:
    """A moment in UK time, summer time included: ``Sat 14 Mar, 13:30``."""
    local = moment.astimezone(LONDON)
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def uk_span(start: datetime | None, end: datetime | None) -> str:
    """From one moment to another in UK time, either of them open: ``until Sat 14 Mar, 13:30``."""
    if start is None:
        return "at any time" if end is None else f"until {uk_time(end)}"
    return f"from {uk_time(start)}" + ("" if end is None else f" to {uk_time(end)}")


# --- typed ------------------------------------------------------------------------------------------


def read_date(field: str, text: str, now: datetime | None, *, is_past: bool = False) -> date:
    """A day as typed: ``today``, ``thu``, ``3 dec``, ``3 dec 2026``, ``2026-12-08``.

    Args:
        field: What the date is, for the refusal.
        text: As typed.
        now: The present. None where the text has to stand on its own, as in a file: then a year
            is needed, and words such as ``today`` are refused.
        is_past: Whether a weekday is the last one, up to today, not the next one from today. A
            date without a year is the nearest one, or the last one where `is_past`.

    Raises:
        InvalidInput: It is not a date, or its weekday is wrong.
    """
    day = _date_in(_folded(text), now, is_past=is_past)
    if day is None:
        raise InvalidInput(field, text, f"a date such as {DATES if now else '2026-12-08'}")
    return day


def read_moment(field: str, text: str, now: datetime | None, *, is_past: bool = False) -> datetime:
    """A moment as typed in UK time; gives it in UTC.

    ``thu 18:15``, ``3 dec 12:30``, ``tomorrow 12:30``, ``2026-12-08 18:15``, a time of day alone, a
    day alone for when it begins, a duration from now (``7d``, ``+48h``), or ISO 8601 with a zone.
    What :mod:`kos.views` prints (``Thu 3 Dec, 18:15``) is read back as the same minute.

    Args:
        field: What the moment is, for the refusal.
        text: As typed.
        now: The present; None as in :func:`read_date`.
        is_past: Whether it has happened: then weekdays, times of day and durations count backwards.

    Raises:
        InvalidInput: It is not a moment, or does not exist because the clocks go forward.
    """
    folded = _folded(text)
    if _ISO.fullmatch(text.strip()) and (moment := _iso(text.strip())) is not None:
        return moment.astimezone(UTC) if moment.tzinfo else _in_utc(field, text, moment)
    span = _span_in(folded.removeprefix("+")) if now else None
    if now and span is not None and not (is_past and folded.startswith("+")):
        return now.astimezone(UTC) + (-span if is_past else span)
    words, _, last = folded.rpartition(" ")
    clock = _clock_in(last)
    days = folded if clock is None else words
    day = _date_in(days, now, is_past=is_past) if days else uk_date(now) if now else None
    if day is None or (clock is None and not days):
        raise InvalidInput(field, text, f"a time such as {MOMENTS if now else '2026-12-08 18:15'}")
    moment = datetime.combine(day, clock or time())
    if now and clock is not None:
        moment = _on_the_right_side(moment, days, now.astimezone(LONDON), is_past=is_past)
    return _in_utc(field, text, moment)


def read_clock(field: str, text: str) -> time:
    """A time of day as typed: ``18:15``, ``7:00``.

    Raises:
        InvalidInput: It is not a time of day.
    """
    clock = _clock_in(text.strip())
    if clock is None:
        raise InvalidInput(field, text, "a time of day such as 07:00 or 22:30")
    return clock


def read_duration(field: str, text: str) -> timedelta:
    """A length of time above 0 as typed: ``90m``, ``2h``, ``3d``, ``1h 30 min``; ``2`` is hours.

    Raises:
        InvalidInput: It is not a length of time above 0.
    """
    folded = _folded(text)
    span = _span_in(folded if folded[-1:].isalpha() else folded + _DEFAULT_UNIT)
    if span is None or not span:
        raise InvalidInput(field, text, DURATIONS)
    return span


def _folded(text: str) -> str:
    """In lower case, without commas and runs of spaces; empty if it is too long to be meant."""
    folded = " ".join(text.casefold().replace(",", " ").split())
    return folded if len(folded) <= _LONGEST else ""


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _in_utc(field: str, text: str, local: datetime) -> datetime:
    """The moment of a UK date and time."""
    moment = local.replace(tzinfo=LONDON).astimezone(UTC)
    if moment.astimezone(LONDON).replace(tzinfo=None) != local:
        raise InvalidInput(
            field, text, "a time before 01:00 or from 02:00: the clocks go forward that night"
        )
    return moment


def _clock_in(text: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    return None if match is None else time(int(match[1]), int(match[2]), int(match[3] or 0))


def _span_in(folded: str) -> timedelta | None:
    """The sum of ``1d 19h``."""
    seconds, at = Fraction(0), 0
    while at < len(folded):
        match = _SPAN.match(folded, at)
        if match is None or match[2] not in _UNITS:
            return None
        seconds += Fraction(match[1]) * _UNITS[match[2]]
        at = match.end() + (folded[match.end() : match.end() + 1] == " ")
    is_span = folded and seconds <= _MOST_SECONDS
    return timedelta(microseconds=int(seconds * 1_000_000)) if is_span else None


def _date_in(folded: str, now: datetime | None, *, is_past: bool) -> date | None:
    if _ISO.fullmatch(folded) and (moment := _iso(folded)) is not None:
        return moment.date()
    today = None if now is None else uk_date(now)
    first, _, rest = folded.partition(" ")
    weekday = _named(first, _WEEKDAYS)
    if weekday is not None and rest:
        day = _day_of_month(rest, today, is_past=is_past)
        return day if day is not None and day.weekday() == weekday else None
    if today is None or (folded not in _DAYS and weekday is None):
        return _day_of_month(folded, today, is_past=is_past)
    if weekday is None:
        return today + timedelta(days=_DAYS[folded])
    ahead = (weekday - today.weekday()) % _WEEK
    return today + timedelta(days=ahead - _WEEK if is_past and ahead else ahead)


def _day_of_month(folded: str, today: date | None, *, is_past: bool) -> date | None:
    """A day of a month, of the nearest year if none is given."""
    match = _DAY_OF_MONTH.fullmatch(folded)
    if match is None:
        return None
    named = _named(match[2], _MONTHS) if match[2] else int(match["month"]) - 1
    number = int(match[1] or match["day"])
    if named is None:
        return None
    if year := match[3] or match[4] or match["year"]:
        return _made(int(year) + (_CENTURY if len(year) == len("26") else 0), named + 1, number)
    if today is None:
        return None
    years = (today.year - 1, today.year, today.year + 1)
    days = [day for year in years if (day := _made(year, named + 1, number)) is not None]
    fits = (day for day in days if not is_past or day <= today)
    return min(fits, key=lambda day: abs(day - today), default=None)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _named(word: str, names: tuple[str, ...]) -> int | None:
    """Which name a word begins, of at least three letters."""
    begun = [at for at, name in enumerate(names) if name.startswith(word)]
    return begun[0] if len(word) >= _SHORTEST_NAME and begun else None


def _on_the_right_side(moment: datetime, days: str, here: datetime, *, is_past: bool) -> datetime:
    """A weekday or a bare time of day moved by one turn where today's is on the wrong side of now."""
    step = 1 if not days else _WEEK if _named(days, _WEEKDAYS) is not None else 0
    local = here.replace(tzinfo=None)
    if is_past:
        return moment - timedelta(days=step) if moment > local else moment
    return moment + timedelta(days=step) if moment < local else moment
