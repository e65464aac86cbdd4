"""The feed's lists without prices: sports, events, scores. Small, so each value is walked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kos.adapters.json_fields import Drops, Untrusted, mapping, read_each
from kos.adapters.oddsapi.fields import (
    decimal,
    flag,
    parse_list,
    readable,
    string,
    string_or_none,
    utc,
    wire_time,
)
from kos.domain.market.quotes import Drop, EventQuotes, Sport


class EventScore(msgspec.Struct, frozen=True):
    """How one event of the scores endpoint stands."""

    event: EventQuotes
    """Without bookmakers."""
    is_completed: bool
    scores: tuple[tuple[str, str], ...]
    """Side and its score, both as printed; empty before there is one."""
    updated_at: datetime | None


def decode_sports(body: bytes) -> tuple[tuple[Sport, ...], tuple[Drop, ...]]:
    """Decode an answer of ``/sports``. Raises RemoteUnavailable where it is no list."""
    drops = Drops()
    sports = read_each(parse_list(body), "", drops, read_sport)
    return tuple({sport.key: sport for sport in sports}.values()), drops.listed()


def read_sport(value: Any, _path: str, _drops: Drops) -> Sport:
    """One parsed row of the list of sports."""
    fields = mapping(value, "sport")
    key = readable(string(fields, "key"), "key")
    return Sport(
        key=key,
        group=readable(string_or_none(fields, "group") or "Unknown", "group"),
        title=readable(string_or_none(fields, "title") or key, "title"),
        active=flag(fields, "active", missing=True),
        has_outrights=flag(fields, "has_outrights", missing=False),
    )


def read_event_head(value: Any, _path: str, _drops: Drops) -> EventQuotes:
    """One parsed event without its bookmakers."""
    fields = mapping(value, "event")
    home, away = (string_or_none(fields, side) for side in ("home_team", "away_team"))
    sport_key = readable(string(fields, "sport_key"), "sport_key")
    if home and home == away:
        raise Untrusted("home_team and away_team are the same")
    return EventQuotes(
        id=readable(string(fields, "id"), "id"),
        sport_key=sport_key,
        sport_title=readable(string_or_none(fields, "sport_title") or sport_key, "sport_title"),
        kickoff=utc(wire_time(fields, "commence_time"), "commence_time"),
        home=readable(home, "home_team") if home else None,
        away=readable(away, "away_team") if away else None,
        bookmakers=(),
    )


def read_score(value: Any, _path: str, _drops: Drops) -> EventScore:
    """One parsed row of the scores."""
    event = read_event_head(value, _path, _drops)
    fields = mapping(value, "event")
    rows = fields.get("scores")
    if not isinstance(rows, list | None):
        raise Untrusted("scores not a list")
    updated = wire_time(fields, "last_update")
    return EventScore(
        event=event,
        is_completed=flag(fields, "completed", missing=False),
        scores=tuple(_side_score(row) for row in rows or ()),
        updated_at=None if updated is None else utc(updated, "last_update"),
    )


def _side_score(row: Any) -> tuple[str, str]:
    fields = mapping(row, "score")
    value = fields.get("score")
    number = decimal(value)
    if not isinstance(value, str) and number is None:
        raise Untrusted("score not a text")
    text = value if isinstance(value, str) else str(number)
    return readable(string(fields, "name"), "name"), readable(text, "score")
