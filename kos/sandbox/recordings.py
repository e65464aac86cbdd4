"""Serves recorded payloads of the services from a folder, in place of the world.

Any JSON file below the folder may hold odds answers (arrays of events, one event, or either wrapped in
``{"data": ...}`` or ``{"body": ...}``) and sports listings; the rest is passed over. With shifting, each
file is moved as a whole: its latest stamp becomes the moment the server started, so that kickoffs lie
ahead as they did for the recorder and then come nearer; price stamps stay as fresh as they were.

A file that was recorded in American odds is turned into decimal ones, and back where they are asked for.

The exchange serves what the same folder holds of listMarketCatalogue and listMarketBook answers, joined
by market id, and nothing where there is none. Those answers carry no time of recording, so a shifted
catalogue file is moved until its earliest market starts an hour after the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from kos.sandbox.bookmakers import BY_KEY
from kos.sandbox.clock import iso
from kos.sandbox.exchange import Book, Market, Selection
from kos.sandbox.odds_formats import american, decimal
from kos.sandbox.oddsapi import Ask
from kos.sandbox.prices import Level, Runner
from kos.sandbox.web import as_json

_LIVE_S: Final = 3 * 3600.0
"""How long after its kickoff a shifted event is still listed."""
_SESSION_S: Final = 86400.0
"""Of one sport key only the latest recordings are served, this far back: months do not mix."""
_GROUPS: Final = {
    "americanfootball": "American Football", "aussierules": "Aussie Rules", "baseball": "Baseball",
    "basketball": "Basketball", "boxing": "Boxing", "cricket": "Cricket", "golf": "Golf", "handball": "Handball",
    "icehockey": "Ice Hockey", "lacrosse": "Lacrosse", "mma": "Mixed Martial Arts", "politics": "Politics",
    "rugbyleague": "Rugby League", "rugbyunion": "Rugby Union", "soccer": "Soccer", "tennis": "Tennis",
}  # fmt: skip


def _seconds(value: Any) -> float | None:
    """Gives seconds since 1970 of a recorded time, whichever format it has; None when it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    return None


def _content(path: Path) -> Any:
    """Gives a file's JSON; None when it is not JSON, as a folder may hold other things."""
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


def _is_event(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and isinstance(record.get("id"), str)
        and isinstance(record.get("sport_key"), str)
        and isinstance(record.get("bookmakers"), list)
        and _seconds(record.get("commence_time")) is not None
    )


def _is_sport(record: Any) -> bool:
    names = ("key", "group", "title", "description")
    return isinstance(record, dict) and all(isinstance(record.get(name), str) for name in names)


def _records(value: Any, wanted: Callable[[Any], bool]) -> Iterator[dict[str, Any]]:
    if wanted(value):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _records(item, wanted)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _records(item, wanted)


def _stamps(event: dict[str, Any]) -> Iterator[float]:
    for block in event["bookmakers"]:
        for holder in (block, *block.get("markets", ())):
            at = _seconds(holder.get("last_update"))
            if at is not None:
                yield at


def _outcomes(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for block in event["bookmakers"]:
        for market in block.get("markets", ()):
            yield from (one for one in market.get("outcomes", ()) if one.get("price"))


def _in_american(market: dict[str, Any]) -> dict[str, Any]:
    return {
        **market,
        "outcomes": [{**o, "price": american(o["price"])} for o in market["outcomes"]],
    }


@dataclass(frozen=True, slots=True)
class _Recorded:
    """One event of a recording."""

    event: dict[str, Any]
    kickoff: float
    recorded_at: float


def _is_catalogue(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and isinstance(record.get("marketId"), str)
        and isinstance(record.get("event"), dict)
        and isinstance(record.get("runners"), list)
        and all(isinstance(runner, dict) and "runnerName" in runner for runner in record["runners"])
        and _start(record) is not None
    )


def _is_book(record: Any) -> bool:
    return (
        isinstance(record, dict) and isinstance(record.get("marketId"), str) and "inplay" in record
    )


def _start(record: dict[str, Any]) -> float | None:
    described = record.get("description") or {}
    for value in (
        record.get("marketStartTime"),
        described.get("marketTime"),
        record["event"].get("openDate"),
    ):
        at = _seconds(value)
        if at is not None:
            return at
    return None


class RecordedExchange:
    """The exchange of a folder of recordings: its markets stay open and its prices stand still.

    Args:
        folder: Searched with its subfolders for ``*.json``.
        now: The wall clock, seconds since 1970 UTC.
        is_shifted: Whether recorded starts are moved to now.
    """

    def __init__(self, folder: Path, now: Callable[[], float], *, is_shifted: bool = True) -> None:
        self._markets: dict[str, Market] = {}
        self._books: dict[str, Book] = {}
        started = now()
        books: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.rglob("*.json")):
            content = _content(path)
            books.update((record["marketId"], record) for record in _records(content, _is_book))
            records = list(_records(content, _is_catalogue))
            starts = [_start(record) or 0.0 for record in records]
            shift = started + 3600 - min(starts) if starts and is_shifted else 0.0
            for record, start in zip(records, starts, strict=True):
                self._markets[record["marketId"]] = _market(record, start + shift - shift % 60)
        for market in self._markets.values():
            self._books[market.id] = _book(market, books.get(market.id, {}))

    def markets(self) -> dict[str, Market]:
        """Gives every recorded market, by id."""
        return self._markets

    def book(
        self, market_id: str, *, is_virtual: bool, is_delayed: bool, at: float | None = None
    ) -> Book | None:
        """Gives a market's recorded book; without prices where only its catalogue was recorded."""
        del is_virtual, is_delayed, at  # one snapshot is all there is
        return self._books.get(market_id)


def _market(record: dict[str, Any], start: float) -> Market:
    event, kind = record["event"], record.get("eventType") or {}
    competition, described = record.get("competition") or {}, record.get("description") or {}
    return Market(
        id=record["marketId"],
        name=str(record.get("marketName", "")),
        type=str(
            described.get("marketType")
            or str(record.get("marketName", "")).upper().replace(" ", "_")
        ),
        event_id=str(event.get("id", "")),
        event_name=str(event.get("name", "")),
        event_type_id=str(kind.get("id", "1")),
        event_type=str(kind.get("name", "Soccer")),
        competition=str(competition.get("name", "")),
        competition_id=str(competition.get("id", "")),
        country=str(event.get("countryCode", "")),
        start=start,
        open_date=start,
        selections=tuple(
            Selection(
                int(r["selectionId"]),
                str(r["runnerName"]),
                int(r.get("sortPriority", n)),
                float(r.get("handicap", 0)),
            )
            for n, r in enumerate(record["runners"], 1)
        ),
        total_matched=float(record.get("totalMatched") or 0.0),
        base_rate=float(described.get("marketBaseRate", 5.0)),
        discount_allowed=described.get("discountAllowed") is True,
        turns_in_play=described.get("turnInPlayEnabled") is not False,
        betting_type=str(described.get("bettingType", "ODDS")),
    )


def _book(market: Market, record: dict[str, Any]) -> Book:
    offers = {
        (row.get("selectionId"), float(row.get("handicap") or 0)): row.get("ex") or {}
        for row in record.get("runners", ())
    }

    def levels(selection: Selection, side: str) -> tuple[Level, ...]:
        rows = offers.get((selection.id, selection.handicap), {}).get(side) or ()
        return tuple(Level(float(row["price"]), float(row["size"])) for row in rows)

    return Book(
        status=str(record.get("status", "OPEN")),
        is_in_play=record.get("inplay") is True,
        version=int(record.get("version", 1)),
        runners=tuple(
            Runner(levels(one, "availableToBack"), levels(one, "availableToLay"))
            for one in market.selections
        ),
        total_matched=float(record.get("totalMatched") or market.total_matched),
        start=market.start,
    )


class Recordings:
    """The odds feed of a folder of recordings.

    Args:
        folder: Searched with its subfolders for ``*.json``.
        now: The wall clock, seconds since 1970 UTC.
        is_shifted: Whether recorded times are moved to now.

    Raises:
        ValueError: The folder holds no odds at all.
    """

    def __init__(self, folder: Path, now: Callable[[], float], *, is_shifted: bool = True) -> None:
        self._now = now
        self._started = now()
        self._is_shifted = is_shifted
        self._events: dict[str, dict[str, _Recorded]] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.rglob("*.json")):
            self._read(path)
        for events in self._events.values():
            newest = max(recorded.recorded_at for recorded in events.values())
            for event_id in [i for i, r in events.items() if r.recorded_at < newest - _SESSION_S]:
                del events[event_id]
        if not self._events:
            raise ValueError(
                f"folder: {str(folder)!r} holds no recorded odds; expected JSON answers of the odds feed"
            )
        for key, events in self._events.items():
            title = next(iter(events.values())).event.get("sport_title") or key
            self._rows.setdefault(key, {
                "key": key, "group": _GROUPS.get(key.split("_")[0], "Other"), "title": title, "description": title,
                "has_outrights": key.endswith("_winner"),
            })  # fmt: skip

    def _read(self, path: Path) -> None:
        content = _content(path)
        for row in _records(content, _is_sport):
            names = ("key", "group", "title", "description")
            self._rows[row["key"]] = {
                **{name: row[name] for name in names}, "has_outrights": row.get("has_outrights") is True
            }  # fmt: skip
        events = list(_records(content, _is_event))
        recorded_at = max((at for event in events for at in _stamps(event)), default=0.0)
        if any(outcome["price"] < 0 for event in events for outcome in _outcomes(event)):
            for outcome in (one for event in events for one in _outcomes(event)):
                outcome["price"] = decimal(outcome["price"])
        for event in events:
            kept = self._events.setdefault(event["sport_key"], {})
            known = kept.get(event["id"])
            if recorded_at and (known is None or known.recorded_at < recorded_at):
                kept[event["id"]] = _Recorded(
                    event, _seconds(event["commence_time"]) or 0.0, recorded_at
                )

    def _kickoff(self, recorded: _Recorded) -> float:
        if not self._is_shifted:
            return recorded.kickoff
        shift = self._started - recorded.recorded_at
        return recorded.kickoff + shift - shift % 60

    # -- source ----------------------------------------------------------------------------------

    def sports(self) -> list[dict[str, Any]]:
        """Gives every recorded sport key; those with odds are active."""
        rows = [{**row, "active": key in self._events} for key, row in sorted(self._rows.items())]
        order = ("key", "group", "title", "description", "active", "has_outrights")
        return [{name: row[name] for name in order} for row in rows]

    def events(self, sport: str, ask: Ask) -> list[dict[str, Any]]:  # noqa: ARG002 - the world needs the ask
        """Gives the heads of a sport's recorded events that are upcoming or in play."""
        heads = []
        for recorded in self._events.get(sport, {}).values():
            kickoff = self._kickoff(recorded)
            if self._is_shifted and kickoff < self._now() - _LIVE_S:
                continue
            names = ("id", "sport_key", "sport_title", "commence_time", "home_team", "away_team")
            heads.append(
                {name: recorded.event.get(name) for name in names} | {"commence_time": kickoff}
            )
        heads.sort(key=lambda head: (head["commence_time"], head["id"]))
        return heads

    def bookmakers(self, sport: str, event: dict[str, Any], ask: Ask) -> list[str]:
        """Gives the JSON of each recorded bookmaker block that is asked for.

        A bookmaker whose regions are not known is served in every region.
        """
        recorded = self._events[sport][event["id"]]
        wanted = {market + suffix for market in ask.markets for suffix in ("", "_lay")}
        blocks = []
        for block in recorded.event["bookmakers"]:
            known = BY_KEY.get(block["key"])
            if not ask.wants(block["key"], ask.regions if known is None else known.regions):
                continue
            markets = [
                self._stamped(m, recorded, ask)
                for m in block.get("markets", ())
                if m["key"] in wanted
            ]
            if ask.is_american:
                markets = [_in_american(market) for market in markets]
            if markets:
                blocks.append(
                    as_json(
                        self._stamped({**block, "markets": markets}, recorded, ask, is_block=True)
                    ).decode()
                )
        return blocks

    def _stamped(
        self, holder: dict[str, Any], recorded: _Recorded, ask: Ask, *, is_block: bool = False
    ) -> dict[str, Any]:
        at = _seconds(holder.get("last_update"))
        if at is None:
            return holder
        if ask.is_single and is_block:
            return {name: value for name, value in holder.items() if name != "last_update"}
        if self._is_shifted:
            at += self._now() - recorded.recorded_at
        return {**holder, "last_update": int(at) if ask.is_unix else iso(at)}

    def scores(self, sport: str, days: int) -> list[dict[str, Any]]:  # noqa: ARG002 - no recording reaches back
        """Gives the events without a score: odds recordings have none."""
        ask = Ask(bookmakers=None, regions=frozenset(), markets=())
        return [
            {
                **{name: head[name] for name in ("id", "sport_key", "sport_title", "commence_time")},
                "completed": False, "home_team": head["home_team"], "away_team": head["away_team"],
                "scores": None, "last_update": None,
            }
            for head in self.events(sport, ask)
        ]  # fmt: skip
