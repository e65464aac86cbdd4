"""Files in which people keep what the feed once said: which form, and the snapshots inside.

Recognised by their content, never by their name: answers of each endpoint as they came; the
feed's own envelope around past snapshots; recorders' wrappers with a time of their own, one by
one, in a list, or by sport key; recorders' error envelopes; and flattened CSV with one row per
outcome. Anything else is named and left alone. Nothing here raises for a file's content.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from itertools import groupby, pairwise
from typing import Any, Final

import msgspec

from kos.adapters.json_fields import Drops, Untrusted, read_each
from kos.adapters.oddsapi.errors import error_of
from kos.adapters.oddsapi.fields import decimal, parse, utc, wire_time
from kos.adapters.oddsapi.listings import EventScore, read_event_head, read_score, read_sport
from kos.adapters.oddsapi.payloads import OddsFormat, decode_parsed_events
from kos.domain.market.quotes import Drop, EventQuotes, Sport
from kos.errors import KosError, RemoteUnavailable


class FeedFileKind(StrEnum):
    """What a file is."""

    ODDS = "odds"
    EVENT_ODDS = "event odds"
    EVENTS = "events"
    SCORES = "scores"
    SPORTS = "sports"
    HISTORICAL = "historical snapshots"
    WRAPPED = "wrapped odds"
    CACHE = "odds by sport key"
    ERROR = "error"
    ODDS_CSV = "odds as csv"
    EVENTS_CSV = "events as csv"
    SCORES_CSV = "scores as csv"
    SPORTS_CSV = "sports as csv"
    NOT_A_PAYLOAD = "not a payload"
    UNREADABLE = "unreadable"


class FeedSnapshot(msgspec.Struct, frozen=True):
    """What the feed said at one moment of the file's own time."""

    as_of: datetime | None
    """The recorder's or the feed's time of it; without one, the newest ``last_update`` inside;
    None where there is none either."""
    events: tuple[EventQuotes, ...]
    """With decimal odds; without bookmakers if the file lists events only."""
    drops: tuple[Drop, ...] = ()
    odds_format: OddsFormat = OddsFormat.DECIMAL
    """As the file wrote the prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRecording:
    """One file, recognised."""

    kind: FeedFileKind
    snapshots: Callable[[], Iterator[FeedSnapshot]] = lambda: iter(())
    """Gives the snapshots, oldest first, one at a time; may be called again."""
    sports: tuple[Sport, ...] = ()
    scores: tuple[EventScore, ...] = ()
    drops: tuple[Drop, ...] = ()
    """Of the file as such; each snapshot has its own."""
    error: KosError | None = None
    """What a recorded refusal means."""
    note: str = ""
    """Why a file is unreadable or no payload."""


def decode_recording(body: bytes) -> FeedRecording:
    """Recognise a file and prepare its snapshots. Never raises for what the file holds."""
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in {b"[", b"{"}:
        try:
            return _of_json(parse(body))
        except RemoteUnavailable as error:
            return FeedRecording(kind=FeedFileKind.UNREADABLE, note=error.reason)
    return _of_csv(body)


# --- JSON -------------------------------------------------------------------------------------

_HEAD: Final = frozenset({"id", "commence_time"})


def _of_json(value: Any) -> FeedRecording:  # noqa: PLR0911 - one return per form
    if isinstance(value, list):
        return _of_list(value)
    if _is_refusal(value):
        return _of_refusal(value, status=400)
    if "body" in value and ("status" in value or "request" in value):
        return _of_envelope(value)
    if "data" in value:
        kind = FeedFileKind.HISTORICAL if "previous_timestamp" in value else FeedFileKind.WRAPPED
        return _of_wrappers([value], kind)
    if value.keys() >= _HEAD:
        kind = FeedFileKind.EVENT_ODDS if "bookmakers" in value else FeedFileKind.EVENTS
        return _of_snapshots(kind, [_snapshot([value])])
    if value and all(_is_cached(entry) for entry in value.values()):
        wrappers = [
            entry if isinstance(entry, dict) else {"data": entry} for entry in value.values()
        ]
        return _of_wrappers(wrappers, FeedFileKind.CACHE)
    return FeedRecording(kind=FeedFileKind.NOT_A_PAYLOAD, note="an object of no known form")


def _is_cached(entry: Any) -> bool:
    """Whether a value stands for one sport key's events."""
    events = entry.get("data") if isinstance(entry, dict) else entry
    return isinstance(events, list) and all(
        isinstance(event, dict) and event.keys() >= _HEAD for event in events
    )


def _of_list(values: list[Any]) -> FeedRecording:
    kind = _kind_of_list(values)
    if kind is FeedFileKind.SPORTS:
        return _of_sports(kind, values, Drops())
    if kind is FeedFileKind.SCORES:
        return _of_scores(kind, values, Drops())
    if kind in {FeedFileKind.ODDS, FeedFileKind.EVENTS}:
        return _of_snapshots(kind, [_snapshot(values)])
    if kind is FeedFileKind.WRAPPED:
        is_historical = any("previous_timestamp" in value for value in values)
        return _of_wrappers(values, FeedFileKind.HISTORICAL if is_historical else kind)
    return FeedRecording(kind=kind, note="a list of no known form")


def _of_sports(kind: FeedFileKind, values: list[Any], drops: Drops) -> FeedRecording:
    sports = read_each(values, "", drops, read_sport)
    return FeedRecording(kind=kind, sports=tuple(sports), drops=drops.listed())


def _of_scores(kind: FeedFileKind, values: list[Any], drops: Drops) -> FeedRecording:
    scores = read_each(values, "", drops, read_score)
    return FeedRecording(kind=kind, scores=tuple(scores), drops=drops.listed())


def _kind_of_list(values: list[Any]) -> FeedFileKind:
    """By what most of its objects look like, so that a broken first one does not decide."""
    if not values:
        return FeedFileKind.ODDS
    return Counter(map(_kind_of_item, values)).most_common(1)[0][0]


def _kind_of_item(value: Any) -> FeedFileKind:  # noqa: PLR0911 - one return per form
    if not isinstance(value, dict):
        return FeedFileKind.NOT_A_PAYLOAD
    names = value.keys()
    if "bookmakers" in names and "sport_key" in names:
        return FeedFileKind.ODDS
    if "commence_time" in names and ("scores" in names or "completed" in names):
        return FeedFileKind.SCORES
    if names >= _HEAD:
        return FeedFileKind.EVENTS
    if names >= {"key", "group"}:
        return FeedFileKind.SPORTS
    if "data" in names:
        return FeedFileKind.WRAPPED
    return FeedFileKind.NOT_A_PAYLOAD


def _is_refusal(value: dict[str, Any]) -> bool:
    return isinstance(value.get("error_code"), str)


def _of_refusal(value: dict[str, Any], *, status: int) -> FeedRecording:
    words = {key: value.get(key) for key in ("error_code", "message")}
    texts = {key: word for key, word in words.items() if isinstance(word, str)}
    return FeedRecording(
        kind=FeedFileKind.ERROR, error=error_of(status, msgspec.json.encode(texts))
    )


def _of_envelope(value: dict[str, Any]) -> FeedRecording:
    """A recorder's {request, status, quota, body}, of a refusal or of an answer."""
    inner = value["body"]
    status = decimal(value.get("status"))
    code = int(status) if status is not None and status in range(100, 600) else 400
    if isinstance(inner, dict) and _is_refusal(inner):
        return _of_refusal(inner, status=code)
    if isinstance(inner, list | dict) and code < 300:  # noqa: PLR2004
        recording = _of_json(inner)
        if recording.kind in {FeedFileKind.ODDS, FeedFileKind.EVENT_ODDS, FeedFileKind.EVENTS}:
            at = _own_time(value)
            events = inner if isinstance(inner, list) else [inner]
            return _of_snapshots(recording.kind, [_snapshot(events, at)])
        return recording
    return FeedRecording(kind=FeedFileKind.ERROR, error=error_of(code, b""))


def _of_wrappers(wrappers: list[Any], kind: FeedFileKind) -> FeedRecording:
    """Events with a time of their own around them."""
    snapshots = []
    drops = Drops()
    for i, wrapper in enumerate(wrappers):
        data = wrapper.get("data") if isinstance(wrapper, dict) else None
        events = [data] if isinstance(data, dict) else data if data is not None else []
        if not isinstance(wrapper, dict) or not isinstance(events, list):
            drops.add(f"[{i}]", "wrapper without a list of events")
            continue
        snapshots.append(_snapshot(events, _own_time(wrapper)))
    return _of_snapshots(kind, snapshots, drops.listed())


_TIME_NAMES: Final = (
    "timestamp", "recorded_at", "snapshot_time", "fetched_at", "updated_at", "time",
)  # fmt: skip


def _own_time(wrapper: dict[str, Any]) -> datetime | None:
    """A wrapper's time: ISO, or seconds or milliseconds since 1970."""
    for key in _TIME_NAMES:
        if wrapper.get(key) is None:
            continue
        try:
            value = wire_time(wrapper, key)
            if isinstance(value, float) and value > 1e11:  # noqa: PLR2004 - the year 5138 in seconds
                value /= 1000
            elif isinstance(value, datetime) and value.tzinfo is None:
                value = value.replace(tzinfo=UTC)
            return utc(value, key)
        except Untrusted:
            continue
    return None


def _snapshot(values: list[Any], at: datetime | None = None) -> FeedSnapshot:
    """One moment's events, with or without prices."""
    if values and not any(isinstance(value, dict) and "bookmakers" in value for value in values):
        drops = Drops()
        heads = read_each(values, "", drops, read_event_head)
        return FeedSnapshot(at, tuple(heads), drops.listed())
    try:
        odds = decode_parsed_events(values)
    except RemoteUnavailable as error:
        return FeedSnapshot(at, (), (Drop("[*]", error.reason),))
    return FeedSnapshot(at or _newest(odds.events), odds.events, odds.drops, odds.odds_format)


def _newest(events: tuple[EventQuotes, ...]) -> datetime | None:
    return max(
        (
            market.updated_at
            for event in events
            for bookmaker in event.bookmakers
            for market in bookmaker.markets
            if market.updated_at is not None
        ),
        default=None,
    )


def _of_snapshots(
    kind: FeedFileKind, snapshots: list[FeedSnapshot], drops: tuple[Drop, ...] = ()
) -> FeedRecording:
    ordered = sorted(snapshots, key=lambda snapshot: (snapshot.as_of is not None, snapshot.as_of))
    return FeedRecording(kind=kind, snapshots=lambda: iter(ordered), drops=drops)


# --- CSV --------------------------------------------------------------------------------------

_Row = dict[str, str]
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def _of_csv(body: bytes) -> FeedRecording:
    try:
        text = body.decode("utf-8-sig")
        header = next(csv.reader(io.StringIO(text), strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return FeedRecording(kind=FeedFileKind.UNREADABLE, note="neither JSON nor CSV in UTF-8")
    columns = set(header)
    drops = Drops()
    if columns >= {"event_id", "bookmaker_key", "market", "outcome_name", "price"}:
        snapshots = partial(_csv_snapshots, text, _events_of_rows)
        return FeedRecording(kind=FeedFileKind.ODDS_CSV, snapshots=snapshots)
    if columns >= {"event_id", "score_name", "completed"}:
        return _of_scores(FeedFileKind.SCORES_CSV, _scores_of_rows(text, drops), drops)
    if columns >= {"key", "group", "active"}:
        rows = [_with_flags(row, "active", "has_outrights") for _, row in _rows(text, drops)]
        return _of_sports(FeedFileKind.SPORTS_CSV, rows, drops)
    if columns >= {"event_id", "sport_key", "commence_time"}:
        snapshots = partial(_csv_snapshots, text, _heads_of_rows)
        return FeedRecording(kind=FeedFileKind.EVENTS_CSV, snapshots=snapshots)
    note = "neither JSON nor CSV of a known form"
    return FeedRecording(kind=FeedFileKind.NOT_A_PAYLOAD, note=note)


def _rows(text: str, drops: Drops) -> Iterator[tuple[int, _Row]]:
    """Rows that have every column, with their number (the header is row 1)."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    number = 1
    while True:
        number += 1
        try:
            row = next(reader, None)
        except csv.Error:
            drops.add(f"row {number}", "row not readable")
            continue
        if row is None:
            return
        if None in row or None in row.values():
            drops.add(f"row {number}", "row with too few or too many columns")
        else:
            yield number, row


def _by_snapshot(text: str, drops: Drops) -> Iterator[tuple[datetime | None, list[_Row]]]:
    """Rows by their snapshot_time, oldest first; held in memory only if they are out of order."""

    def moment(row: _Row) -> datetime:
        return _own_time({"timestamp": row.get("snapshot_time")}) or _EARLIEST

    times = [at for at, _ in groupby(moment(row) for _, row in _rows(text, Drops()))]
    rows = (row for _, row in _rows(text, drops))
    is_in_order = all(earlier < later for earlier, later in pairwise(times))
    for at, group in groupby(rows if is_in_order else sorted(rows, key=moment), key=moment):
        yield None if at == _EARLIEST else at, list(group)


def _csv_snapshots(
    text: str, events_of: Callable[[list[_Row]], list[dict[str, Any]]]
) -> Iterator[FeedSnapshot]:
    row_drops = Drops()
    for at, rows in _by_snapshot(text, row_drops):
        yield _snapshot(events_of(rows), at)
    if row_drops.listed():
        yield FeedSnapshot(None, (), row_drops.listed())


def _events_of_rows(rows: list[_Row]) -> list[dict[str, Any]]:
    """One row per outcome, put together as the feed had sent it."""
    events: dict[str, dict[str, Any]] = {}
    books: dict[tuple[str, str], dict[str, Any]] = {}
    markets: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        event_id, book, market = row["event_id"], row["bookmaker_key"], row["market"]
        if event_id not in events:
            events[event_id] = {**_head_of_row(row), "bookmakers": []}
        if (event_id, book) not in books:
            title = row.get("bookmaker_title") or book
            books[event_id, book] = {"key": book, "title": title, "markets": []}
            events[event_id]["bookmakers"].append(books[event_id, book])
        if (event_id, book, market) not in markets:
            updated = row.get("last_update") or None
            made: dict[str, Any] = {"key": market, "last_update": updated, "outcomes": []}
            markets[event_id, book, market] = made
            books[event_id, book]["markets"].append(made)
        price, point = row["price"] or None, row.get("point") or None
        outcome = {"name": row["outcome_name"], "price": price, "point": point}
        markets[event_id, book, market]["outcomes"].append(outcome)
    return list(events.values())


def _scores_of_rows(text: str, drops: Drops) -> list[dict[str, Any]]:
    """One row per side, put together as the feed had sent it."""
    events: dict[str, dict[str, Any]] = {}
    for _, row in _rows(text, drops):
        head = {**_head_of_row(row), "last_update": row.get("last_update") or None}
        event = events.setdefault(
            row["event_id"], {**_with_flags(row, "completed"), **head, "scores": []}
        )
        if row["score_name"]:
            event["scores"].append({"name": row["score_name"], "score": row.get("score_value")})
    return list(events.values())


def _heads_of_rows(rows: list[_Row]) -> list[dict[str, Any]]:
    return [_head_of_row(row) for row in rows]


def _head_of_row(row: _Row) -> dict[str, Any]:
    names = ("sport_key", "sport_title", "commence_time", "home_team", "away_team")
    return {"id": row["event_id"], **{name: row.get(name) or None for name in names}}


def _with_flags(row: _Row, *names: str) -> dict[str, Any]:
    flags = {"true": True, "false": False, "": None}
    return {**row, **{name: flags.get(row.get(name, "").lower(), "?") for name in names}}
