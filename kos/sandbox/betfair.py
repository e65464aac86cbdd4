"""Plays Betfair's identity service and Betting API over HTTP, reading calls only.

Sources: the Betfair developer documentation (betting exceptions, market data request limits,
login pages) and recorded payloads. JSON-RPC single and in arrays, and REST. There is no operation
that bets, and none is refused politely: it does not exist here.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final
from urllib.parse import parse_qs

from kos.sandbox.clock import iso_ms
from kos.sandbox.exchange import Book, Exchange, Market, Selection
from kos.sandbox.market_filter import Fail, passes
from kos.sandbox.prices import Level, Runner
from kos.sandbox.sessions import Sessions
from kos.sandbox.web import Answer, Request, as_json

LIVE_KEY: Final = "SandboxLiveKey00"
DELAYED_KEY: Final = "SandboxDelayed00"

_OPERATIONS: Final = (
    "listEventTypes", "listCompetitions", "listEvents", "listMarketTypes", "listMarketCatalogue", "listMarketBook",
)  # fmt: skip
_ANGX: Final = {
    "TOO_MUCH_DATA": 1, "INVALID_INPUT_DATA": 2, "INVALID_SESSION_INFORMATION": 3, "NO_APP_KEY": 4, "NO_SESSION": 5,
    "UNEXPECTED_ERROR": 6, "INVALID_APP_KEY": 7, "TOO_MANY_REQUESTS": 8, "SERVICE_BUSY": 9, "TIMEOUT_ERROR": 10,
    "REQUEST_SIZE_EXCEEDS_LIMIT": 14, "ACCESS_DENIED": 15,
}  # fmt: skip
_RPC_CODES: Final = {"DSC-0008": -32700, "DSC-0009": -32602, "DSC-0018": -32602, "DSC-0021": -32601}
_PROJECTIONS: Final = {
    "COMPETITION": 0, "EVENT": 0, "EVENT_TYPE": 0, "MARKET_START_TIME": 0, "RUNNER_DESCRIPTION": 0,
    "RUNNER_METADATA": 1, "MARKET_DESCRIPTION": 1,
}  # fmt: skip
_PRICE_DATA: Final = {
    "SP_AVAILABLE": 3, "SP_TRADED": 7, "EX_BEST_OFFERS": 5, "EX_ALL_OFFERS": 17, "EX_TRADED": 17,
}  # fmt: skip
_PAIRED: Final = {
    frozenset({"EX_BEST_OFFERS", "EX_TRADED"}): 20,
    frozenset({"EX_ALL_OFFERS", "EX_TRADED"}): 32,
}
_SORTS: Final = (
    "RANK", "FIRST_TO_START", "LAST_TO_START", "MINIMUM_TRADED", "MAXIMUM_TRADED", "MINIMUM_AVAILABLE", "MAXIMUM_AVAILABLE",
)  # fmt: skip
_POINTS: Final = 200
_MOST_IDS: Final = 250
_BOOK_CALLS_A_SECOND: Final = 5
_REST: Final = re.compile(r"/exchange/betting/rest/v1(?:\.0)?/(\w+)/?")


class Betfair:
    """The service.

    Args:
        exchange: The data.
        now: The wall clock, seconds since 1970 UTC.
        sessions: Logins.
        app_keys: Known keys; the value says whether the key is delayed.
    """

    def __init__(
        self,
        exchange: Exchange,
        now: Callable[[], float],
        sessions: Sessions,
        app_keys: dict[str, bool] | None = None,
    ) -> None:
        self._exchange = exchange
        self._now = now
        self.sessions = sessions
        self.app_keys = {LIVE_KEY: False, DELAYED_KEY: True} if app_keys is None else app_keys
        self._asked: Counter[str] = Counter()
        self._asked_second = 0
        self._lock = threading.Lock()

    def endpoint(self, request: Request) -> str:
        """Names the operation of a request: ``login``, ``listMarketBook``, ``batch``..."""
        rest = _REST.fullmatch(request.path)
        if rest:
            return rest[1]
        if "json-rpc" not in request.path:
            return request.path.rstrip("/").rsplit("/", 1)[-1]
        with contextlib.suppress(ValueError):
            body = json.loads(request.body)
            if isinstance(body, list):
                return "batch"
            if isinstance(body, dict):
                return str(body.get("method", "")).rsplit("/", 1)[-1]
        return "json-rpc"

    def __call__(self, request: Request) -> Answer:
        """Answers one request."""
        path = request.path.rstrip("/")
        if path in {"/api/certlogin", "/api/login", "/api/keepAlive", "/api/logout"}:
            return self._identity(path, request)
        if path.endswith("/navigation/menu.json"):
            return self._menu(request)
        if path.endswith("/json-rpc/v1"):
            return self._json_rpc(request, is_account="/account/" in path)
        rest = _REST.fullmatch(request.path)
        if rest:
            return self._rest(rest[1], request)
        return Answer(404, b"<html><body>Not found</body></html>", content_type="text/html")

    # -- identity --------------------------------------------------------------------------------

    def _identity(self, path: str, request: Request) -> Answer:
        app_key = request.headers.get("x-application", "")
        token = request.headers.get("x-authentication", "")
        if path in {"/api/keepAlive", "/api/logout"}:
            done = (
                self.sessions.extend(token)
                if path == "/api/keepAlive"
                else self.sessions.close(token)
            )
            return Answer(
                body=as_json(
                    _identity_body(token if done else "", app_key, "" if done else "NO_SESSION")
                )
            )
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        username, password = form.get("username", [""])[-1], form.get("password", [""])[-1]
        if path == "/api/certlogin":
            if request.has_certificate is False:
                return Answer(body=as_json({"loginStatus": "CERT_AUTH_REQUIRED"}))
            token, status = self.sessions.login(username, password)
            body = (
                {"sessionToken": token, "loginStatus": status} if token else {"loginStatus": status}
            )
            return Answer(body=as_json(body))
        if "application/json" not in request.headers.get("accept", ""):
            return Answer(body=b"<html><body>Log in</body></html>", content_type="text/html")
        if not app_key or not username or not password:
            return Answer(body=as_json(_identity_body("", app_key, "INPUT_VALIDATION_ERROR")))
        token, status = self.sessions.login(username, password)
        return Answer(body=as_json(_identity_body(token, app_key, "" if token else status)))

    # -- forms of call ---------------------------------------------------------------------------

    def _authorise(self, request: Request) -> bool:
        """Says whether the caller's key is delayed; refuses calls without a good key and session."""
        app_key = request.headers.get("x-application")
        if not app_key:
            raise Fail("NO_APP_KEY")
        if app_key not in self.app_keys:
            raise Fail("INVALID_APP_KEY")
        token = request.headers.get("x-authentication")
        if not token:
            raise Fail("NO_SESSION")
        if not self.sessions.is_open(token):
            raise Fail("INVALID_SESSION_INFORMATION")
        return self.app_keys[app_key]

    def _json_rpc(self, request: Request, *, is_account: bool) -> Answer:
        try:
            body = json.loads(request.body)
        except ValueError:
            return Answer(body=as_json(_rpc_error(Fail("DSC-0008"), None)))
        if isinstance(body, list):
            return Answer(
                body=as_json(
                    [self._one_call(call, request, is_account=is_account) for call in body]
                )
            )
        return Answer(body=as_json(self._one_call(body, request, is_account=is_account)))

    def _one_call(self, call: Any, request: Request, *, is_account: bool) -> dict[str, Any]:
        if not isinstance(call, dict):
            return _rpc_error(Fail("DSC-0008"), None)
        prefix, _, operation = str(call.get("method", "")).partition("/v1.0/")
        service = "AccountAPING" if is_account else "SportsAPING"
        known = ("getAccountDetails",) if is_account else _OPERATIONS
        if prefix != service or operation not in known:
            return _rpc_error(Fail("DSC-0021"), call.get("id"))
        try:
            result = self._perform(operation, call.get("params", {}), request)
        except Fail as fail:
            return _rpc_error(fail, call.get("id"))
        return {"jsonrpc": "2.0", "result": result, "id": call.get("id")}

    def _rest(self, operation: str, request: Request) -> Answer:
        if operation not in _OPERATIONS:
            return _rest_error(Fail("DSC-0021"))
        try:
            params = json.loads(request.body or b"{}")
        except ValueError:
            return _rest_error(Fail("DSC-0008"))
        try:
            return Answer(body=as_json(self._perform(operation, params, request)))
        except Fail as fail:
            return _rest_error(fail)

    def _perform(self, operation: str, params: Any, request: Request) -> Any:
        if not isinstance(params, dict):
            raise Fail("DSC-0009")
        is_delayed = self._authorise(request)
        if operation == "getAccountDetails":
            return {
                "currencyCode": "GBP",
                "localeCode": "en",
                "region": "GBR",
                "discountRate": 0.0,
                "countryCode": "GB",
            }
        if operation == "listMarketBook":
            return self._list_market_book(params, is_delayed=is_delayed)
        if "filter" not in params:
            raise Fail("DSC-0018")
        markets = self._filtered(params["filter"])
        if operation == "listMarketCatalogue":
            return self._list_market_catalogue(params, markets)
        key, row = _ROWS[operation]
        return _counted(markets, key, row)

    # -- navigation ------------------------------------------------------------------------------

    def _filtered(self, wanted: Any) -> list[Market]:
        if not isinstance(wanted, dict):
            raise Fail("DSC-0009")
        return [
            market
            for market in self._exchange.markets().values()
            if passes(market, wanted, self._now())
        ]

    def _list_market_catalogue(
        self, params: dict[str, Any], markets: list[Market]
    ) -> list[dict[str, Any]]:
        most = params.get("maxResults")
        if most is None:
            raise Fail("DSC-0018")
        if not isinstance(most, int | str) or not str(most).isdecimal():
            raise Fail("DSC-0009")
        projection = params.get("marketProjection") or []
        if not isinstance(projection, list) or not all(name in _PROJECTIONS for name in projection):
            raise Fail("DSC-0009")
        sort = params.get("sort") or "RANK"
        if sort not in _SORTS:
            raise Fail("DSC-0009")
        count = int(most)
        if not 1 <= count <= 1000:
            raise Fail("INVALID_INPUT_DATA", "maxResults must be from 1 to 1000")
        if sum(_PROJECTIONS[name] for name in set(projection)) * count > _POINTS:
            raise Fail("TOO_MUCH_DATA")
        is_falling = sort in {"RANK", "LAST_TO_START", "MAXIMUM_TRADED", "MAXIMUM_AVAILABLE"}

        def place(market: Market) -> tuple[float, str]:
            return (market.start if sort.endswith("START") else market.total_matched, market.id)

        chosen = sorted(markets, key=place, reverse=is_falling)[:count]
        return [_catalogue(market, frozenset(projection)) for market in chosen]

    def _menu(self, request: Request) -> Answer:
        try:
            self._authorise(request)
        except Fail as fail:
            return _rest_error(fail)
        sports: dict[str, dict[str, Any]] = {}
        for market in self._exchange.markets().values():
            sport = sports.setdefault(market.event_type_id, {
                "type": "EVENT_TYPE", "name": market.event_type, "id": market.event_type_id, "children": {},
            })  # fmt: skip
            group = sport["children"].setdefault(market.competition, {
                "type": "GROUP", "name": market.competition or "Other", "id": market.competition_id, "children": {},
            })  # fmt: skip
            event = group["children"].setdefault(market.event_id, {
                "type": "EVENT", "name": market.event_name, "id": market.event_id, "countryCode": market.country, "children": {},
            })  # fmt: skip
            event["children"][market.id] = {
                "type": "MARKET", "name": market.name, "id": market.id, "exchangeId": "1", "marketType": market.type,
                "marketStartTime": iso_ms(market.start), "numberOfWinners": 1,
            }  # fmt: skip

        def listed(node: dict[str, Any]) -> dict[str, Any]:
            if "children" not in node:
                return node
            return {**node, "children": [listed(child) for child in node["children"].values()]}

        root = {
            "type": "GROUP",
            "name": "ROOT",
            "id": 0,
            "children": [listed(sport) for sport in sports.values()],
        }
        return Answer(body=as_json(root))

    # -- books -----------------------------------------------------------------------------------

    def _list_market_book(
        self, params: dict[str, Any], *, is_delayed: bool
    ) -> list[dict[str, Any]]:
        ids = params.get("marketIds")
        if ids is None:
            raise Fail("DSC-0018")
        projection = params.get("priceProjection") or {}
        if not isinstance(ids, list) or not isinstance(projection, dict):
            raise Fail("DSC-0009")
        if len(ids) > _MOST_IDS:
            raise Fail("REQUEST_SIZE_EXCEEDS_LIMIT")
        asked = projection.get("priceData") or []
        if not isinstance(asked, list) or not all(name in _PRICE_DATA for name in asked):
            raise Fail("DSC-0009")
        data = frozenset(asked)
        overrides = projection.get("exBestOffersOverrides") or {}
        depth = overrides.get("bestPricesDepth", 3) if isinstance(overrides, dict) else 0
        if not isinstance(depth, int) or depth < 1:
            raise Fail("DSC-0009")
        if weight(data, depth) * len(ids) > _POINTS:
            raise Fail("TOO_MUCH_DATA")
        self._pace(ids)
        is_virtual = projection.get("virtualise") is True
        books = []
        for market_id in dict.fromkeys(str(one) for one in ids):
            book = self._exchange.book(market_id, is_virtual=is_virtual, is_delayed=is_delayed)
            if book is not None:
                books.append((market_id, book))
        still_open = [(market_id, book) for market_id, book in books if book.status != "CLOSED"]
        return [
            self._book_json(market_id, book, data, depth, is_delayed=is_delayed)
            for market_id, book in (still_open or books)
        ]

    def _pace(self, ids: list[Any]) -> None:
        second = int(self._now())
        with self._lock:
            if second != self._asked_second:
                self._asked_second = second
                self._asked.clear()
            self._asked.update(str(one) for one in ids)
            if any(self._asked[str(one)] > _BOOK_CALLS_A_SECOND for one in ids):
                raise Fail("TOO_MANY_REQUESTS")

    def _book_json(
        self, market_id: str, book: Book, data: frozenset[str], depth: int, *, is_delayed: bool
    ) -> dict[str, Any]:
        market = self._exchange.markets().get(market_id)
        selections = () if market is None else market.selections
        runners = [
            _runner_json(selection, runner, book, data, depth)
            for selection, runner in zip(selections, book.runners, strict=False)
        ]
        if book.status == "CLOSED" and book.winner is not None:
            runners = [{"selectionId": book.winner, "handicap": 0.0, "status": "WINNER"}]
        return {
            "marketId": market_id,
            "isMarketDataDelayed": is_delayed,
            "status": book.status,
            "betDelay": 5 if book.is_in_play else 0,
            "bspReconciled": False,
            "complete": True,
            "inplay": book.is_in_play,
            "numberOfWinners": 1,
            "numberOfRunners": len(runners),
            "numberOfActiveRunners": 0 if book.status == "CLOSED" else len(runners),
            "lastMatchTime": iso_ms(int(self._now()) - int(market_id[-1:]) * 3),
            "totalMatched": book.total_matched,
            "totalAvailable": round(
                sum(level.size for r in book.runners for level in r.to_back + r.to_lay), 2
            ),
            "crossMatching": len(runners) < 4,
            "runnersVoidable": False,
            "version": book.version,
            "runners": runners,
        }


def weight(data: frozenset[str], depth: int) -> Fraction:
    """Gives the points one market costs in listMarketBook for its price data and depth of best offers."""
    if not data:
        return Fraction(2)
    total = Fraction(0)
    rest = set(data)
    for pair, points in _PAIRED.items():
        if pair <= rest:
            rest -= pair
            total += Fraction(points) * (Fraction(depth, 3) if "EX_BEST_OFFERS" in pair else 1)
    for name in rest:
        total += Fraction(_PRICE_DATA[name]) * (
            Fraction(depth, 3) if name == "EX_BEST_OFFERS" else 1
        )
    return total


def _identity_body(token: str, product: str, error: str) -> dict[str, str]:
    return {
        "token": token,
        "product": product,
        "status": "FAIL" if error else "SUCCESS",
        "error": error,
    }


def _exception(fail: Fail, account: str = "") -> dict[str, Any]:
    name = f"{account}APINGException"
    details = {
        "errorCode": fail.code,
        "errorDetails": fail.details,
        "requestUUID": f"sandbox-{secrets.token_hex(6)}",
    }
    return {"exceptionname": name, name: details}


def _rpc_error(fail: Fail, number: Any) -> dict[str, Any]:
    if fail.code in _ANGX:
        error = {
            "code": -32099,
            "message": f"ANGX-{_ANGX[fail.code]:04d}",
            "data": _exception(fail),
        }
    else:
        error = {"code": _RPC_CODES.get(fail.code, -32603), "message": fail.code}
    return {"jsonrpc": "2.0", "error": error, "id": number}


def _rest_error(fail: Fail) -> Answer:
    is_aping = fail.code in _ANGX
    status = 404 if fail.code == "DSC-0021" else 400
    fault = {
        "faultcode": "Client",
        "faultstring": f"ANGX-{_ANGX[fail.code]:04d}" if is_aping else fail.code,
        "detail": _exception(fail) if is_aping else {},
    }
    return Answer(status, as_json(fault))


def _event_type(market: Market) -> dict[str, str]:
    return {"id": market.event_type_id, "name": market.event_type}


def _competition(market: Market) -> dict[str, str]:
    return {"id": market.competition_id, "name": market.competition}


def _event(market: Market) -> dict[str, Any]:
    event = {"id": market.event_id, "name": market.event_name}
    if market.country:
        event["countryCode"] = market.country
    return {**event, "timezone": "GMT", "openDate": iso_ms(market.open_date)}


def _counted(
    markets: list[Market], key: Callable[[Market], str], row: Callable[[Market], dict[str, Any]]
) -> list[dict[str, Any]]:
    counts = Counter(key(market) for market in markets)
    first: dict[str, Market] = {}
    for market in markets:
        first.setdefault(key(market), market)
    return [{**row(market), "marketCount": counts[name]} for name, market in first.items()]


def _catalogue(market: Market, projection: frozenset[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "marketId": market.id,
        "marketName": market.name,
        "totalMatched": market.total_matched,
    }
    if "MARKET_START_TIME" in projection:
        row["marketStartTime"] = iso_ms(market.start)
    if "MARKET_DESCRIPTION" in projection:
        row["description"] = _description(market)
    if "RUNNER_DESCRIPTION" in projection or "RUNNER_METADATA" in projection:
        row["runners"] = [
            _runner_description(selection, projection) for selection in market.selections
        ]
    if "EVENT_TYPE" in projection:
        row["eventType"] = _event_type(market)
    if "COMPETITION" in projection and market.competition:
        row["competition"] = _competition(market)
    if "EVENT" in projection:
        row["event"] = _event(market)
    return row


def _description(market: Market) -> dict[str, Any]:
    return {
        "persistenceEnabled": True,
        "bspMarket": False,
        "marketTime": iso_ms(market.start),
        "suspendTime": iso_ms(market.start),
        "bettingType": market.betting_type,
        "turnInPlayEnabled": market.turns_in_play,
        "marketType": market.type,
        "regulator": "GIBRALTAR REGULATOR",
        "marketBaseRate": market.base_rate,
        "discountAllowed": market.discount_allowed,
        "wallet": "UK wallet",
        "rules": "<b>Market Information</b><br>Rules of the sandbox.",
        "rulesHasDate": True,
        "priceLadderDescription": {"type": "CLASSIC"},
    }


def _runner_description(selection: Selection, projection: frozenset[str]) -> dict[str, Any]:
    row = {
        "selectionId": selection.id,
        "runnerName": selection.name,
        "handicap": selection.handicap,
        "sortPriority": selection.sort_priority,
    }
    if "RUNNER_METADATA" in projection:
        row["metadata"] = {"runnerId": str(selection.id)}
    return row


def _levels(levels: tuple[Level, ...], depth: int) -> list[dict[str, float]]:
    return [{"price": level.price, "size": level.size} for level in levels[:depth]]


def _runner_json(
    selection: Selection, runner: Runner, book: Book, data: frozenset[str], depth: int
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "selectionId": selection.id,
        "handicap": selection.handicap,
        "status": "ACTIVE",
    }
    if runner.to_back:
        row["lastPriceTraded"] = runner.to_back[0].price
    row["totalMatched"] = round(book.total_matched / max(1, len(book.runners)), 2)
    if data & {"EX_BEST_OFFERS", "EX_ALL_OFFERS", "EX_TRADED"}:
        shown = depth if "EX_ALL_OFFERS" not in data else len(runner.to_back) + len(runner.to_lay)
        if data == {"EX_TRADED"}:
            shown = 0
        row["ex"] = {
            "availableToBack": _levels(runner.to_back, shown),
            "availableToLay": _levels(runner.to_lay, shown),
            "tradedVolume": [],
        }
    return row


_ROWS: Final[dict[str, tuple[Callable[[Market], str], Callable[[Market], dict[str, Any]]]]] = {
    "listEventTypes": (lambda m: m.event_type_id, lambda m: {"eventType": _event_type(m)}),
    "listCompetitions": (
        lambda m: m.competition_id,
        lambda m: {
            "competition": _competition(m),
            "competitionRegion": m.country or "International",
        },
    ),
    "listEvents": (lambda m: m.event_id, lambda m: {"event": _event(m)}),
    "listMarketTypes": (lambda m: m.type, lambda m: {"marketType": m.type}),
}
"""By operation: what is counted, and how a row is written."""
