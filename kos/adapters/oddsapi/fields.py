"""Reading untrusted parsed JSON: a value of the right kind, or a named refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from kos.adapters import json_fields
from kos.adapters.json_fields import MAX_TEXT, Drops, NotJson, Untrusted, read_each
from kos.errors import RemoteUnavailable

REMOTE: Final = "odds-api"
"""The service's name in errors."""

MAX_BODY_BYTES: Final = 64 * 1024 * 1024

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_NUMBER: Final = re.compile(r"-?\d{1,9}(\.\d{1,20})?", re.ASCII)

WireTime = datetime | int | float | None
"""A time as the feed sends it: RFC 3339, or seconds since 1970 with dateFormat=unix."""

_T = TypeVar("_T")


def check_size(body: bytes) -> None:
    """Refuse a body that no honest answer comes near to."""
    if len(body) > MAX_BODY_BYTES:
        raise RemoteUnavailable(REMOTE, f"body larger than {MAX_BODY_BYTES} bytes")


def parse(body: bytes) -> Any:
    """As :func:`kos.adapters.json_fields.parse`.

    Raises:
        RemoteUnavailable: It is not JSON, nests too deep, or is too large.
    """
    check_size(body)
    try:
        return json_fields.parse(body)
    except NotJson:
        raise RemoteUnavailable(REMOTE, "answered with a body that is not JSON") from None


def parse_list(body: bytes) -> list[Any]:
    """As :func:`parse`, where only a list will do."""
    values = parse(body)
    if not isinstance(values, list):
        raise RemoteUnavailable(REMOTE, "answered with a body that is no list")
    return values


def walk(
    fields: dict[str, Any],
    name: str,
    path: str,
    drops: Drops,
    read: Callable[[Any, str, Drops], _T],
) -> list[_T]:
    """Each item of a list that can be read; the others are dropped by their own path."""
    values = fields.get(name)
    if not isinstance(values, list):
        raise Untrusted(f"{name} missing" if values is None else f"{name} not a list")
    return read_each(values, f"{path}.{name}", drops, read)


def string(fields: dict[str, Any], name: str) -> str:
    """A text, whatever it says; :func:`readable` judges that."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise Untrusted(f"{name} missing" if value is None else f"{name} not a text")
    return value


def string_or_none(fields: dict[str, Any], name: str) -> str | None:
    """A text, or None where it is missing or null."""
    return None if fields.get(name) is None else string(fields, name)


def flag(fields: dict[str, Any], name: str, *, missing: bool) -> bool:
    """True or false; ``missing`` where it is missing or null."""
    value = fields.get(name)
    if value is None:
        return missing
    if not isinstance(value, bool):
        raise Untrusted(f"{name} not true or false")
    return value


def decimal(value: Any) -> Decimal | None:
    """A number, or a text that spells a plain one; None for anything else."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        return Decimal(value)
    return None


def wire_time(fields: dict[str, Any], name: str) -> WireTime:
    """A time as sent, or None where it is missing or null."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    elif (at := decimal(value)) is not None and at.is_finite() and at.adjusted() < 15:  # noqa: PLR2004
        return float(at)
    raise Untrusted(f"{name} not a time")


def utc(value: WireTime, name: str) -> datetime:
    """A wire time as UTC, between 2000 and 2100.

    A time without its zone is refused: an hour's doubt makes a stale price fresh.
    """
    if value is None:
        raise Untrusted(f"{name} missing")
    try:
        if not isinstance(value, datetime):
            at = datetime.fromtimestamp(value, UTC)
        elif value.tzinfo is None:
            raise Untrusted(f"{name} without zone")
        else:
            at = value if value.tzinfo is UTC else value.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Untrusted(f"{name} not a time") from None
    if not _EARLIEST <= at < _LATEST:
        raise Untrusted(f"{name} out of range")
    return at


def readable(value: str, name: str) -> str:
    """The text itself, if it can be shown and sent on.

    Untrusted are the blank, the endless, control characters and half surrogates.
    """
    if not value.strip():
        raise Untrusted(f"{name} empty")
    if len(value) > MAX_TEXT:
        raise Untrusted(f"{name} too long")
    if not value.isprintable() and (_CONTROL.search(value) or _has_surrogate(value)):
        raise Untrusted(f"{name} not readable")
    return value


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
