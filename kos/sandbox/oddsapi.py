"""Plays The Odds API v4: paths, parameters, costs, headers and errors as the service documents them.

Sources: the provider's guide and error page (the-odds-api.com/liveapi/guides/v4/). The order of checks
is key, quota, sport, parameters. A body that refuses ends in a newline.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from kos.sandbox.bookmakers import REGIONS
from kos.sandbox.clock import iso
from kos.sandbox.web import Answer, Counters, Request, as_json

FEATURED: Final = ("h2h", "spreads", "totals", "outrights")
_DETAILS: Final = "https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html#"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_CALLS_A_SECOND: Final = 30
_BOOKMAKERS_A_REGION: Final = 10
_PATH: Final = re.compile(
    r"/v4/sports(?:/([^/]+)(?:/(odds|events|scores|participants)(?:/([^/]+)/(odds|markets))?)?)?/?"
)
_HISTORICAL: Final = re.compile(r"/v4/historical/sports/([^/]+)/.*")


@dataclass(frozen=True, slots=True)
class Ask:
    """What an odds call asks for, checked."""

    bookmakers: frozenset[str] | None
    """Bookmaker keys, or None to go by regions."""
    regions: frozenset[str]
    markets: tuple[str, ...]
    is_unix: bool = False
    is_american: bool = False
    links: bool = False
    sids: bool = False
    limits: bool = False
    rotation: bool = False
    is_single: bool = False
    """One event's answer, which prints no bookmaker stamp."""

    def wants(self, key: str, regions: Iterable[str]) -> bool:
        """Says whether a bookmaker is asked for."""
        return (
            key in self.bookmakers
            if self.bookmakers is not None
            else not self.regions.isdisjoint(regions)
        )

    @property
    def region_count(self) -> int:
        """How many regions are paid for; each started group of ten bookmakers is one."""
        if self.bookmakers is not None:
            return -(-len(self.bookmakers) // _BOOKMAKERS_A_REGION)
        return len(self.regions)


class Source(Protocol):
    """Where the server's data comes from: a world or recordings. Times are printed ready for the client."""

    def sports(self) -> list[dict[str, Any]]:
        """Gives all sport keys, inactive ones too, as the service lists them."""

    def events(self, sport: str, ask: Ask) -> list[dict[str, Any]]:
        """Gives the heads of a sport's live and upcoming events; commence_time in wall seconds."""

    def bookmakers(self, sport: str, event: dict[str, Any], ask: Ask) -> list[str]:
        """Gives the JSON of each bookmaker block of an event."""

    def scores(self, sport: str, days: int) -> list[dict[str, Any]]:
        """Gives score records; commence_time in wall seconds, last_update too, or None."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """An error answer of the service."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


def _overdrawn() -> Refusal:
    return Refusal(
        401,
        "OUT_OF_USAGE_CREDITS",
        "Usage quota has been reached. See usage plans at https://the-odds-api.com",
    )


@dataclass(slots=True)
class Account:
    """One API key's credits."""

    allowance: int
    is_paid: bool = True
    used: int = 0
    month: str = ""
    calls: deque[float] = field(default_factory=deque)

    @property
    def remaining(self) -> int:
        """Credits left this month."""
        return max(0, self.allowance - self.used)


def _flag(request: Request, name: str, code: str) -> bool:
    value = request.one(name)
    if value not in {None, "true", "false"}:
        raise Refusal(422, code, f"Invalid {name} parameter. Must be true or false")
    return value == "true"


def _listed(value: str | None) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in (value or "").split(",") if part.strip()))


def _moment(request: Request, name: str, code: str) -> float | None:
    value = request.one(name)
    if value is None:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        with contextlib.suppress(ValueError):  # the 31st of February
            return datetime.fromisoformat(value).astimezone(UTC).timestamp()
    raise Refusal(
        422, code, f"Invalid {name} parameter. The required format is YYYY-MM-DDTHH:MM:SSZ"
    )


def _choice(request: Request, name: str, allowed: tuple[str, ...], code: str) -> str:
    value = request.one(name) or allowed[0]
    if value not in allowed:
        raise Refusal(422, code, f"Invalid {name} parameter. Must be one of {', '.join(allowed)}")
    return value


class OddsApi:
    """The service.

    Args:
        source: The data.
        now: The wall clock, seconds since 1970 UTC.
        keys: API keys that are known, each with its credits a month.
        free_keys: Those of them that are on the free plan, without historical odds.
        rate: Calls a second and key; over it 429.
        counters: Adds up ``odds_api.credits``.
    """

    def __init__(
        self,
        source: Source,
        now: Callable[[], float],
        keys: dict[str, int],
        free_keys: frozenset[str] = frozenset(),
        rate: int = _CALLS_A_SECOND,
        counters: Counters | None = None,
    ) -> None:
        self._source = source
        self._now = now
        self._rate = rate
        self._counters = counters or Counters()
        self._accounts = {
            key: Account(allowance, is_paid=key not in free_keys) for key, allowance in keys.items()
        }
        self._lock = threading.Lock()

    def account(self, key: str) -> Account:
        """Gives the credits of a known key."""
        return self._accounts[key]

    def endpoint(self, request: Request) -> str:
        """Names the endpoint of a request, without the key: ``/v4/sports/soccer_epl/odds``."""
        return request.path.rstrip("/")

    def __call__(self, request: Request) -> Answer:
        """Answers one request."""
        account: Account | None = None
        try:
            account = self._admit(request)
            body, cost = self._route(request, account)
        except Refusal as refusal:
            return self._refused(refusal, account)
        self._counters.add("odds_api.credits", cost)
        with self._lock:
            account.used += cost
            return Answer(200, body, self._quota(account, cost))

    def limited(self) -> Answer:
        """Gives the answer to too many calls a second."""
        return self._refused(
            Refusal(429, "EXCEEDED_FREQ_LIMIT", "Requests are too frequent. Please slow down"), None
        )

    def overdrawn(self) -> Answer:
        """Gives the answer to a key without credits."""
        return self._refused(_overdrawn(), None)

    @staticmethod
    def _quota(account: Account, cost: int) -> tuple[tuple[str, str], ...]:
        return (
            ("x-requests-remaining", str(account.remaining)),
            ("x-requests-used", str(account.used)),
            ("x-requests-last", str(cost)),
        )

    def _refused(self, refusal: Refusal, account: Account | None) -> Answer:
        body = {
            "message": refusal.message,
            "error_code": refusal.code,
            "details_url": _DETAILS + refusal.code.lower().replace("_", "-"),
        }
        headers = () if account is None else self._quota(account, 0)
        return Answer(refusal.status, as_json(body) + b"\n", headers)

    def _admit(self, request: Request) -> Account:
        if request.method != "GET":
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Method not allowed")
        key = request.one("apiKey")
        if not key:
            raise Refusal(
                401, "MISSING_KEY", "API key is missing. Get an API key at https://the-odds-api.com"
            )
        with self._lock:
            account = self._accounts.get(key)
            if account is None:
                raise Refusal(
                    401,
                    "INVALID_KEY",
                    "API key is not valid. Get an API key at https://the-odds-api.com",
                )
            now = self._now()
            month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
            if month != account.month:
                account.month, account.used = month, account.used if not account.month else 0
            while account.calls and account.calls[0] <= now - 1:
                account.calls.popleft()
            if len(account.calls) >= self._rate:
                raise Refusal(
                    429, "EXCEEDED_FREQ_LIMIT", "Requests are too frequent. Please slow down"
                )
            account.calls.append(now)
        return account

    # -- routes ----------------------------------------------------------------------------------

    def _route(self, request: Request, account: Account) -> tuple[bytes, int]:
        historical = _HISTORICAL.fullmatch(request.path)
        if historical:
            return self._historical(request, account)
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise Refusal(404, "NOT_FOUND", "Not found")
        sport, what, event_id, part = match.groups()
        if sport is None:
            return self._sports(request)
        if what == "events" and event_id is None:
            return self._events(request, sport)
        if account.remaining <= 0:
            raise _overdrawn()
        match (what, event_id, part):
            case ("odds", None, None):
                answer = self._odds(request, sport)
            case ("events", str(), "odds"):
                answer = self._event_odds(request, sport, event_id)
            case ("events", str(), "markets"):
                answer = self._event_markets(request, sport, event_id)
            case ("scores", None, None):
                answer = self._scores(request, sport)
            case ("participants", None, None):
                answer = self._participants(sport)
            case _:
                raise Refusal(404, "NOT_FOUND", "Not found")
        return answer

    @staticmethod
    def _historical(request: Request, account: Account) -> tuple[bytes, int]:
        if not account.is_paid:
            raise Refusal(
                401,
                "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN",
                "Historical odds are only available on paid usage plans. See usage plans at https://the-odds-api.com",
            )
        if request.one("date") is None:
            raise Refusal(422, "MISSING_HISTORICAL_TIMESTAMP", "Missing date parameter")
        wanted = _moment(request, "date", "INVALID_HISTORICAL_TIMESTAMP") or 0.0
        at = wanted - wanted % 300
        times = {
            "timestamp": iso(at),
            "previous_timestamp": iso(at - 300),
            "next_timestamp": iso(at + 300),
        }
        return as_json({**times, "data": []}), 0

    def _sports(self, request: Request) -> tuple[bytes, int]:
        everything = _flag(request, "all", "INVALID_ALL_SPORTS_PARAM")
        rows = [row for row in self._source.sports() if everything or row["active"]]
        return as_json(rows), 0

    def _known(self, sport: str, *, upcoming: bool = False) -> dict[str, Any]:
        if upcoming and sport == "upcoming":
            return {"key": sport, "active": True, "has_outrights": False}
        for row in self._source.sports():
            if row["key"] == sport:
                return row
        raise Refusal(404, "UNKNOWN_SPORT", "Unknown sport")

    def _ask(self, request: Request, *, outrights: bool, is_single: bool) -> Ask:
        regions, keys = _listed(request.one("regions")), _listed(request.one("bookmakers"))
        if not regions and not keys:
            raise Refusal(422, "MISSING_REGION", "Missing regions or bookmakers key")
        unknown = [region for region in regions if region not in REGIONS]
        if unknown and not keys:
            raise Refusal(422, "INVALID_REGION", f"Invalid region: {', '.join(unknown)}")
        strange = [key for key in keys if not re.fullmatch(r"[a-z0-9_]+", key)]
        if strange:
            raise Refusal(422, "INVALID_BOOKMAKERS", f"Invalid bookmakers: {', '.join(strange)}")
        markets = self._markets(request, outrights=outrights, is_single=is_single)
        return Ask(
            bookmakers=frozenset(keys) if keys else None,
            regions=frozenset(regions),
            markets=markets,
            is_unix=_choice(request, "dateFormat", ("iso", "unix"), "INVALID_DATE_FORMAT")
            == "unix",
            is_american=_choice(
                request, "oddsFormat", ("decimal", "american"), "INVALID_ODDS_FORMAT"
            )
            == "american",
            links=_flag(request, "includeLinks", "INVALID_INCLUDE_LINKS"),
            sids=_flag(request, "includeSids", "INVALID_INCLUDE_SIDS"),
            limits=_flag(request, "includeBetLimits", "INVALID_INCLUDE_BET_LIMITS"),
            rotation=_flag(request, "includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS"),
            is_single=is_single,
        )

    @staticmethod
    def _markets(request: Request, *, outrights: bool, is_single: bool) -> tuple[str, ...]:
        value = request.one("markets")
        if value is None:
            return ("outrights",) if outrights else ("h2h",)
        markets = tuple(_listed(value))
        if not markets:
            raise Refusal(422, "MISSING_MARKET", "Missing markets")
        allowed = re.compile(r"[a-z0-9_]+" if is_single else "|".join(FEATURED))
        wrong = [market for market in markets if not allowed.fullmatch(market)]
        if wrong:
            raise Refusal(422, "INVALID_MARKET", f"Invalid markets: {', '.join(wrong)}")
        if outrights and any(market != "outrights" for market in markets):
            raise Refusal(
                422, "INVALID_MARKET_COMBO", "Only the outrights market is available for this sport"
            )
        if not outrights and "outrights" in markets:
            raise Refusal(
                422, "INVALID_MARKET_COMBO", "The outrights market is not available for this sport"
            )
        return markets

    def _heads(self, request: Request, sport: str, ask: Ask) -> list[dict[str, Any]]:
        start = _moment(request, "commenceTimeFrom", "INVALID_COMMENCE_TIME_FROM")
        end = _moment(request, "commenceTimeTo", "INVALID_COMMENCE_TIME_TO")
        if start is not None and end is not None and end <= start:
            raise Refusal(
                422,
                "INVALID_COMMENCE_TIME_RANGE",
                "commenceTimeTo must be later than commenceTimeFrom",
            )
        ids = _listed(request.one("eventIds"))
        if any(not _ID.fullmatch(event_id) for event_id in ids):
            raise Refusal(422, "INVALID_EVENT_IDS", "Invalid eventIds parameter")
        if sport == "upcoming":
            return self._upcoming(ask, ids)
        return [
            head
            for head in self._source.events(sport, ask)
            if (start is None or head["commence_time"] >= start)
            and (end is None or head["commence_time"] <= end)
            and (not ids or head["id"] in ids)
        ]

    def _upcoming(self, ask: Ask, ids: list[str]) -> list[dict[str, Any]]:
        now = self._now()
        heads = [
            head
            for row in self._source.sports()
            if row["active"] and not row["has_outrights"]
            for head in self._source.events(row["key"], ask)
        ]
        heads.sort(key=lambda head: head["commence_time"])
        live = [head for head in heads if head["commence_time"] <= now]
        return [
            head
            for head in (live + heads[len(live) : len(live) + 8])
            if not ids or head["id"] in ids
        ]

    @staticmethod
    def _head_json(head: dict[str, Any], ask: Ask) -> str:
        at = head["commence_time"]
        printed = {**head, "commence_time": int(at) if ask.is_unix else iso(at)}
        if ask.rotation:
            printed["home_rotation"] = printed["away_rotation"] = None
        return as_json(printed).decode()

    def _events(self, request: Request, sport: str) -> tuple[bytes, int]:
        if sport != "upcoming":
            self._known(sport)
        ask = Ask(
            bookmakers=None,
            regions=frozenset(),
            markets=(),
            is_unix=_choice(request, "dateFormat", ("iso", "unix"), "INVALID_DATE_FORMAT")
            == "unix",
            rotation=_flag(request, "includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS"),
        )
        heads = self._heads(request, sport, ask)
        return ("[" + ",".join(self._head_json(head, ask) for head in heads) + "]").encode(), 0

    def _event_json(self, head: dict[str, Any], ask: Ask) -> tuple[str, list[str]]:
        blocks = self._source.bookmakers(head["sport_key"], head, ask)
        return self._head_json(head, ask)[:-1] + ',"bookmakers":[' + ",".join(blocks) + "]}", blocks

    def _odds(self, request: Request, sport: str) -> tuple[bytes, int]:
        row = self._known(sport, upcoming=True)
        ask = self._ask(request, outrights=row["has_outrights"], is_single=False)
        heads = self._heads(request, sport, ask)
        body = "[" + ",".join(self._event_json(head, ask)[0] for head in heads) + "]"
        return body.encode(), len(ask.markets) * ask.region_count if heads else 0

    def _one_head(self, request: Request, sport: str, event_id: str, ask: Ask) -> dict[str, Any]:
        if not _ID.fullmatch(event_id):
            raise Refusal(422, "INVALID_EVENT_ID", "Invalid event id")
        for head in self._heads(request, sport, ask):
            if head["id"] == event_id:
                return head
        raise Refusal(
            404,
            "EVENT_NOT_FOUND",
            "Event not found. The event may have ended or the id is not valid",
        )

    def _event_odds(self, request: Request, sport: str, event_id: str) -> tuple[bytes, int]:
        row = self._known(sport)
        ask = self._ask(request, outrights=row["has_outrights"], is_single=True)
        _flag(request, "includeMultipliers", "INVALID_INCLUDE_MULTIPLIERS")
        head = self._one_head(request, sport, event_id, ask)
        body, blocks = self._event_json(head, ask)
        returned = {
            market
            for market in ask.markets
            if any(f'"key":"{market}"' in block for block in blocks)
        }
        return body.encode(), len(returned) * ask.region_count

    def _event_markets(self, request: Request, sport: str, event_id: str) -> tuple[bytes, int]:
        self._known(sport)
        ask = self._ask(request, outrights=False, is_single=True)
        head = self._one_head(request, sport, event_id, ask)
        wide = Ask(ask.bookmakers, ask.regions, FEATURED, is_unix=ask.is_unix, is_single=True)
        rows = []
        for block in self._source.bookmakers(sport, head, wide):
            book = json.loads(block)
            seen = [{"key": m["key"], "last_update": m.get("last_update")} for m in book["markets"]]
            rows.append({"key": book["key"], "title": book["title"], "markets": seen})
        return (
            self._head_json(head, ask)[:-1] + ',"bookmakers":' + as_json(rows).decode() + "}"
        ).encode(), 1

    def _scores(self, request: Request, sport: str) -> tuple[bytes, int]:
        self._known(sport)
        days = request.one("daysFrom")
        if days is not None and days not in {"1", "2", "3"}:
            raise Refusal(
                422,
                "INVALID_SCORES_DAYS_FROM",
                "Invalid daysFrom parameter. Must be an integer from 1 to 3",
            )
        is_unix = _choice(request, "dateFormat", ("iso", "unix"), "INVALID_DATE_FORMAT") == "unix"
        ids = _listed(request.one("eventIds"))
        rows = [
            {
                **row,
                **{
                    name: row[name]
                    if row[name] is None
                    else int(row[name])
                    if is_unix
                    else iso(row[name])
                    for name in ("commence_time", "last_update")
                },
            }
            for row in self._source.scores(sport, int(days or 0))
            if not ids or row["id"] in ids
        ]
        return as_json(rows), 2 if days else 1

    def _participants(self, sport: str) -> tuple[bytes, int]:
        self._known(sport)
        ask = Ask(bookmakers=None, regions=frozenset(), markets=())
        names = sorted({
            head[side] for head in self._source.events(sport, ask) for side in ("home_team", "away_team") if head[side]
        })  # fmt: skip
        rows = [
            {"id": f"par_{sum(map(ord, name)):06x}{index:020x}", "full_name": name}
            for index, name in enumerate(names)
        ]
        return as_json(rows), 1
