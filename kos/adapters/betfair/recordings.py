"""Files in which people keep what the exchange once said: catalogues, books and streams.

Recognised by their content, never by their name. A catalogue names markets and has no time of its
own; a book's own time is its recorder's, else that of its last trade; each stream message is
dated by the service. Nothing here raises for what a file holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from kos.adapters.betfair.client import described
from kos.adapters.betfair.fields import utc
from kos.adapters.betfair.payloads import read_books, read_catalogue, read_descriptions
from kos.adapters.betfair.stream_cache import StreamCache, StreamLadder, read_line
from kos.adapters.json_fields import Drops, NotJson, Untrusted, parse
from kos.domain.market.quotes import Drop, ExchangeMarket, MarketBook
from kos.domain.market.sports import sport_of_event_type

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS: Final = 4_102_444_800_000
_SECONDS_END: Final = 100_000_000_000
"""Above it, a number is milliseconds since 1970."""
_MOST_NESTED: Final = 6
_CONFIRM_EVERY: Final = timedelta(seconds=60)
_LONGEST_SILENCE: Final = timedelta(days=1)
_TIME_NAMES: Final = ("timestamp", "recorded_at", "fetched_at", "received_at", "time")
_MATCH_MARKET_NAMES: Final = frozenset({"match odds", "moneyline", "money line"})
_CHANGE: Final = "mcm"
_FOOTBALL: Final = "1"
_FOOTBALL_DRAW: Final = 58805
"""Selection id of the draw in football's match markets."""
_MARKS: Final = (b'"marketId"', b'"op"', b'"jsonrpc"', b'"marketCount"')


class ExchangeFileKind(StrEnum):
    """What a file is."""

    ANSWER = "betfair catalogue or books"
    STREAM = "betfair stream"
    OTHER = "betfair, other"


class RecordedStep(msgspec.Struct, frozen=True):
    """What the exchange said at one moment of the file's own time."""

    at: datetime | None
    """None where nothing tells: of names only."""
    markets: tuple[ExchangeMarket, ...] = ()
    books: tuple[MarketBook, ...] = ()
    drops: tuple[Drop, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRecording:
    """One file, recognised."""

    kind: ExchangeFileKind
    steps: Callable[[], Iterator[RecordedStep]] = lambda: iter(())
    """Gives what it said, names first, then oldest first; may be called again."""
    note: str = ""
    """Why there is nothing to replay in it."""


def decode_recording(body: bytes) -> ExchangeRecording | None:
    """Recognise a file of the exchange's; None for a file that is not its."""
    if not any(mark in body for mark in _MARKS):
        return None
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and _is_message(_parsed(lines[0])):
        return ExchangeRecording(kind=ExchangeFileKind.STREAM, steps=lambda: _stream(lines, body))
    value = _parsed(body)
    if _is_message(value) and value["op"] != _CHANGE:
        note = "a stream message without prices"
        return ExchangeRecording(kind=ExchangeFileKind.OTHER, note=note)
    if _is_message(value):
        whole = [b" ".join(lines)]
        return ExchangeRecording(kind=ExchangeFileKind.STREAM, steps=lambda: _stream(whole, body))
    values = [_parsed(line) for line in lines] if value is None else value
    steps = _answers(values)
    if steps:
        return ExchangeRecording(kind=ExchangeFileKind.ANSWER, steps=lambda: iter(steps))
    note = _other(value)
    return ExchangeRecording(kind=ExchangeFileKind.OTHER, note=note) if note else None


def _parsed(body: bytes) -> Any:
    """Any JSON as values; None where it is none."""
    try:
        return parse(body)
    except NotJson:
        return None


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("op"), str)


def _other(value: Any) -> str:
    """What a body of the service is that has nothing to replay; empty if it is not its."""
    if not isinstance(value, dict):
        return ""
    refusal = value.get("error")
    if isinstance(refusal, dict):
        return f"a refusal: {refusal.get('message')!s:.80}"
    return "an answer without markets" if "jsonrpc" in value else ""


# --- catalogues and books ---------------------------------------------------------------------


def _answers(values: Any) -> list[RecordedStep]:
    """Each catalogue entry and each book by itself, so that one bad entry costs only itself."""
    steps = []
    for entry, at in _entries(values, None, 0):
        if "inplay" in entry:
            steps.append(_book_step(entry, at))
        elif "runners" in entry or "event" in entry:
            markets, drops = _markets_of(entry)
            steps.append(RecordedStep(None, markets, drops=drops))
    return sorted(steps, key=lambda step: step.at or _EPOCH)


def _entries(
    value: Any, at: datetime | None, depth: int
) -> Iterator[tuple[dict[str, Any], datetime | None]]:
    """The entries with a market id, however wrapped, each with its wrapper's time."""
    if depth > _MOST_NESTED:
        return
    if isinstance(value, list):
        for element in value:
            yield from _entries(element, at, depth + 1)
    elif isinstance(value, dict):
        if "marketId" in value:
            yield value, at
            return
        own = _own_time(value) or at
        for name in ("result", "data", "body"):
            yield from _entries(value.get(name), own, depth + 1)


def _book_step(entry: dict[str, Any], at: datetime | None) -> RecordedStep:
    known_at = at or _last_trade(entry)
    if known_at is None:
        return RecordedStep(None, drops=(Drop("marketId", "book without a time"),))
    books, drops = read_books([entry], [str(entry["marketId"])], known_at)
    return RecordedStep(known_at, books=books, drops=drops)


def _markets_of(entry: dict[str, Any]) -> tuple[tuple[ExchangeMarket, ...], tuple[Drop, ...]]:
    """One catalogue entry, if it is the market that answers head-to-head prices in its sport."""
    facts = sport_of_event_type(_event_type_id(entry))
    if facts is None or facts.event_type_id is None or facts.market_type is None:
        return (), (Drop("eventType", "sport without head-to-head markets"),)
    description = _mapping(entry.get("description"))
    market_type = description.get("marketType")
    if market_type is None and str(entry.get("marketName", "")).lower() in _MATCH_MARKET_NAMES:
        # An answer need not repeat the type that was asked for; only its name is left, then.
        market_type = facts.market_type
    if market_type != facts.market_type or description.get("bettingType", "ODDS") != "ODDS":
        return (), (Drop("marketType", "another market than the match's"),)
    markets, drops = read_catalogue([entry], market_type, facts.event_type_id)
    terms = {description.market_id: description for description in read_descriptions([entry])[0]}
    event_type = facts.event_type or ""
    return tuple(
        msgspec.structs.replace(market, event_type=market.event_type or event_type)
        for market in described(markets, terms)
    ), drops


def _event_type_id(entry: dict[str, Any]) -> str:
    """The sport of a catalogue entry; one that was not asked for it is known by football's draw."""
    sport = _mapping(entry.get("eventType"))
    if sport:
        return str(sport.get("id", ""))
    runners = entry.get("runners")
    listed = runners if isinstance(runners, list) else ()
    ids = [_mapping(runner).get("selectionId") for runner in listed]
    return _FOOTBALL if _FOOTBALL_DRAW in ids else ""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _own_time(wrapper: dict[str, Any]) -> datetime | None:
    """A recorder's time: ISO with its zone, or seconds or milliseconds since 1970."""
    for name in _TIME_NAMES:
        value = wrapper.get(name)
        if isinstance(value, str):
            try:
                return utc(value, name)
            except Untrusted:
                continue
        if isinstance(value, int | Decimal) and Decimal(value).is_finite():
            ms = value if value > _SECONDS_END else value * 1000
            if 0 < ms < _LATEST_MS:
                return _EPOCH + timedelta(milliseconds=float(ms))
    return None


def _last_trade(entry: dict[str, Any]) -> datetime | None:
    """When the market last traded: no book is older than that."""
    try:
        return utc(entry.get("lastMatchTime"), "lastMatchTime")
    except Untrusted:
        return None


# --- streams ----------------------------------------------------------------------------------


def _stream(lines: list[bytes], body: bytes) -> Iterator[RecordedStep]:
    """The books after each message, and the markets as far as it names them."""
    cache = StreamCache(ladder=_ladder(body))
    names = _Names()
    at: datetime | None = None
    for line in lines:
        try:
            message = read_line(line)
        except Untrusted as refused:
            cache.tear_all()
            yield RecordedStep(at, drops=(Drop("line", str(refused)),))
            continue
        if message.get("op") != _CHANGE:
            continue
        told_at = _published(message, at)
        if told_at is None:
            yield RecordedStep(None, drops=(Drop("pt", "message without a time"),))
            continue
        if at is not None and cache.heartbeat_ms is None:
            yield from _silence(cache, at, told_at)
        at = told_at
        change = cache.apply(message, at)
        markets, drops = names.of(message)
        yield RecordedStep(at, markets, change.books, (*change.drops, *drops))


def _published(message: dict[str, Any], before: datetime | None) -> datetime | None:
    """The service's time of a message, never before the one ahead of it."""
    published_ms = message.get("pt")
    if type(published_ms) is not int or not 0 < published_ms < _LATEST_MS:
        return before
    at = _EPOCH + timedelta(milliseconds=published_ms)
    return at if before is None else max(at, before)


def _silence(cache: StreamCache, since: datetime, until: datetime) -> Iterator[RecordedStep]:
    """The books again and again while nothing moved.

    A live stream has heartbeats, and where they cease the line is dead. A historical file has
    none: there, silence means that all stayed as it was.
    """
    if until - since > _LONGEST_SILENCE:
        return
    at = since + _CONFIRM_EVERY
    while at < until:
        cache.apply({"op": _CHANGE, "ct": "HEARTBEAT"}, at)
        yield RecordedStep(at, books=cache.books())
        at += _CONFIRM_EVERY


def _ladder(body: bytes) -> StreamLadder:
    """The best of the ladders that a file holds."""
    for ladder in (StreamLadder.DISPLAY, StreamLadder.BEST):
        if any(f'"{side}"'.encode() in body for side in ladder.value):
            return ladder
    return StreamLadder.FULL


class _Names:
    """The markets of a stream whose definitions name event and runners, as they change."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Any]] = {}

    def of(self, message: dict[str, Any]) -> tuple[tuple[ExchangeMarket, ...], tuple[Drop, ...]]:
        """The markets that a message redefines."""
        redefined: list[ExchangeMarket] = []
        drops = Drops()
        changes = message.get("mc")
        for change in changes if isinstance(changes, list) else ():
            definition = _mapping(change).get("marketDefinition")
            if not isinstance(definition, dict):
                continue
            id_ = str(change.get("id"))
            entry = _as_catalogue(id_, definition)
            if self._told.get(id_) == entry:
                continue
            is_new = id_ not in self._told
            self._told[id_] = entry
            if "eventName" not in definition:
                if is_new:
                    drops.add(id_, "stream without names: needs its catalogue")
                continue
            markets, left_out = _markets_of(entry)
            redefined += markets
            for drop in left_out if is_new else ():
                drops.add(drop.path, drop.reason)
        return tuple(redefined), drops.listed()


def _as_catalogue(id_: str, definition: dict[str, Any]) -> dict[str, Any]:
    """A definition in the form of a catalogue entry."""
    ladder = definition.get("priceLadderDefinition")
    runners = definition.get("runners")
    return {
        "marketId": id_,
        "marketStartTime": definition.get("marketTime"),
        "description": {
            "marketType": definition.get("marketType"),
            "bettingType": definition.get("bettingType"),
            "marketBaseRate": definition.get("marketBaseRate"),
            "discountAllowed": definition.get("discountAllowed"),
            "priceLadderDescription": ladder,
        },
        "eventType": {"id": definition.get("eventTypeId")},
        "event": {
            "id": definition.get("eventId"),
            "name": definition.get("eventName"),
            "countryCode": definition.get("countryCode"),
            "openDate": definition.get("openDate"),
        },
        "runners": [
            {
                "selectionId": runner.get("id"),
                "runnerName": runner.get("name"),
                "sortPriority": runner.get("sortPriority", 0),
                "handicap": runner.get("hc"),
            }
            for runner in map(_mapping, runners if isinstance(runners, list) else ())
        ],
    }
