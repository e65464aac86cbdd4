"""Reading untrusted parsed JSON: a value of the right kind, or a named refusal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from kos.adapters.json_fields import MAX_TEXT, Untrusted
from kos.domain.market.places import OWN_EXCHANGE
from kos.domain.market.quotes import PriceSize

REMOTE: Final = OWN_EXCHANGE
"""The service's name in errors and logs."""

MAX_PRICE: Final = Decimal(1000)
MAX_SIZE: Final = Decimal(1_000_000_000)

_LARGEST: Final = 2**63 - 1
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2101, 1, 1, tzinfo=UTC)
"""The service dates markets without an end 2099."""
_MARKET_ID: Final = re.compile(r"\d{1,3}\.\d{1,15}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_HUNDREDTHS: Final = -2
_MAX_HANDICAP: Final = Decimal(100_000)


def listing(value: Any, what: str) -> list[Any]:
    """A JSON list; empty where it is missing or null."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Untrusted(f"{what} not a list")
    return value


def text(value: Any, what: str) -> str:
    """A text that can be shown: trimmed, not empty, not endless, without control characters."""
    if not isinstance(value, str):
        raise Untrusted(f"{what} missing" if value is None else f"{what} not a text")
    trimmed = value.strip()
    if not trimmed:
        raise Untrusted(f"{what} empty")
    if len(trimmed) > MAX_TEXT:
        raise Untrusted(f"{what} too long")
    if _CONTROL.search(trimmed):
        raise Untrusted(f"{what} not readable")
    return trimmed


def text_or_empty(value: Any, what: str) -> str:
    """As :func:`text`; empty where it is missing, null or blank."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    return text(value, what)


def market_id(value: Any, what: str = "market id") -> str:
    """A market's id, such as ``1.253140281``."""
    if not isinstance(value, str):
        raise Untrusted(f"{what} missing" if value is None else f"{what} not a text")
    if not is_market_id(value):
        raise Untrusted(f"{what} not in the service's form")
    return value


def is_market_id(value: str) -> bool:
    """True for text in the form of a market id."""
    return _MARKET_ID.fullmatch(value) is not None


def flag(value: Any, what: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Untrusted(f"{what} missing" if value is None else f"{what} not true or false")
    return value


def number(value: Any, what: str) -> Decimal:
    """A finite JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Untrusted(f"{what} missing" if value is None else f"{what} not a number")
    if isinstance(value, int):
        return Decimal(value)
    if not value.is_finite():
        raise Untrusted(f"{what} not a finite number")
    return value


def integer(value: Any, what: str) -> int:
    """A whole number, 0 or above, in 63 bits; ``5.0`` is one too."""
    whole = number(value, what)
    if whole != whole.to_integral_value() or not 0 <= whole <= _LARGEST:
        raise Untrusted(f"{what} not a whole number")
    return int(whole)


def price(value: Any) -> Decimal:
    """Decimal odds above 1 up to 1000, in whole hundredths as on every ladder of the service."""
    odds = number(value, "price")
    if not 1 < odds <= MAX_PRICE:
        raise Untrusted("price not above 1 and up to 1000")
    exponent = odds.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _HUNDREDTHS and odds != round(odds, 2):
        raise Untrusted("price off every ladder")
    return odds


def size(value: Any) -> Decimal:
    """Money waiting at a price, 0 or more."""
    pounds = number(value, "size")
    if not 0 <= pounds <= MAX_SIZE:
        raise Untrusted("size out of range")
    return pounds


def handicap(value: Any) -> Decimal:
    """A handicap; 0 where it is missing or null."""
    if value is None:
        return Decimal(0)
    points = number(value, "handicap")
    if not -_MAX_HANDICAP <= points <= _MAX_HANDICAP:
        raise Untrusted("handicap out of range")
    return points


def utc(value: Any, what: str) -> datetime:
    """An ISO 8601 time with its zone, with or without milliseconds, as UTC."""
    if not isinstance(value, str):
        raise Untrusted(f"{what} missing" if value is None else f"{what} not a time")
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise Untrusted(f"{what} not a time") from None
    if at.tzinfo is None:
        raise Untrusted(f"{what} without zone")
    try:
        at = at.astimezone(UTC)
    except (OverflowError, ValueError):
        raise Untrusted(f"{what} out of range") from None
    if not _EARLIEST <= at < _LATEST:
        raise Untrusted(f"{what} out of range")
    return at


def best_first(levels: list[PriceSize], *, highest: bool) -> tuple[PriceSize, ...]:
    """The levels in order, best price first."""
    return tuple(sorted(levels, key=lambda level: level.price, reverse=highest))
