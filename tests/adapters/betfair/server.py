"""A small Betfair on loopback: login and betting API over real HTTP or TLS, faults on demand."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

APP_KEY = "app-key-4711"
USERNAME = "punter"
PASSWORD = "pa55 & wörd=%"  # noqa: S105 - nobody's

WEIGHT_LIMIT = 200


@dataclass(frozen=True)
class Raw:
    """An answer as it goes over the wire."""

    status: int
    body: bytes
    content_type: str = "application/json"


def page(status: int) -> Raw:
    return Raw(status, b"<html><body>Sorry</body></html>", "text/html")


def rpc_error(code: str, number: str = "ANGX-0000") -> Raw:
    data = {"exceptionname": "APINGException", "APINGException": {"errorCode": code}}
    error = {"code": -32099, "message": number, "data": data}
    return Raw(200, json.dumps({"jsonrpc": "2.0", "error": error, "id": 1}).encode())


def transport_error(message: str, code: int = -32602) -> Raw:
    error = {"code": code, "message": message}
    return Raw(200, json.dumps({"jsonrpc": "2.0", "error": error, "id": 1}).encode())


def rest_fault(code: str, number: str, status: int = 400) -> Raw:
    exception = {"errorCode": code, "errorDetails": "", "requestUUID": "x"}
    detail = {"exceptionname": "APINGException", "APINGException": exception} if code else {}
    body = {"faultcode": "Client", "faultstring": number, "detail": detail}
    return Raw(status, json.dumps(body).encode())


@dataclass
class FakeBetfair:
    """What the server knows, what it was asked, and the faults that come next."""

    markets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Catalogue entries by id, with ``description`` and a hidden ``_type`` and ``_sport``."""
    books: dict[str, dict[str, Any]] = field(default_factory=dict)
    next_answers: list[Raw] = field(default_factory=list)
    """Answers of the betting API that come before the honest ones."""
    next_logins: list[Raw] = field(default_factory=list)
    next_keep_alives: list[Raw] = field(default_factory=list)
    weight_limit: int = WEIGHT_LIMIT
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    keep_alives: int = 0
    logouts: int = 0
    tokens: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: Callable[[], object] = lambda: None
    """Runs before a login is answered."""
    url: str = ""

    def expire_sessions(self) -> None:
        with self.lock:
            self.tokens.clear()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Raw:
        if path in {"/api/login", "/api/certlogin"}:
            self.gate()
        with self.lock:
            match path:
                case "/api/login" | "/api/certlogin":
                    return self._login(path, headers, body)
                case "/api/keepAlive" | "/api/logout":
                    return self._session(path, headers)
                case "/exchange/betting/json-rpc/v1":
                    return self._betting(headers, body)
        return page(404)

    def _login(self, path: str, headers: dict[str, str], body: bytes) -> Raw:
        self.logins.append(path)
        if self.next_logins:
            return self.next_logins.pop(0)
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        is_certificate = path == "/api/certlogin"
        is_right = (
            form == {"username": USERNAME, "password": PASSWORD}
            and headers["x-application"] == APP_KEY
            and headers["content-type"] == "application/x-www-form-urlencoded"
            and headers["accept"] == "application/json"
        )
        if not is_right:
            refused: dict[str, str] = (
                {"loginStatus": "INVALID_USERNAME_OR_PASSWORD"}
                if is_certificate
                else {"token": "", "status": "FAIL", "error": "INVALID_USERNAME_OR_PASSWORD"}
            )
            return Raw(200, json.dumps(refused).encode())
        token = f"secret-token-{len(self.logins)}="
        self.tokens.add(token)
        good = (
            {"sessionToken": token, "loginStatus": "SUCCESS"}
            if is_certificate
            else {"token": token, "product": APP_KEY, "status": "SUCCESS", "error": ""}
        )
        return Raw(200, json.dumps(good).encode())

    def _session(self, path: str, headers: dict[str, str]) -> Raw:
        token = headers["x-authentication"]
        if path == "/api/keepAlive":
            self.keep_alives += 1
            if self.next_keep_alives:
                return self.next_keep_alives.pop(0)
        else:
            self.logouts += 1
        is_known = token in self.tokens
        if path == "/api/logout":
            self.tokens.discard(token)
        body = {
            "token": token,
            "product": APP_KEY,
            "status": "SUCCESS" if is_known else "FAIL",
            "error": "" if is_known else "NO_SESSION",
        }
        return Raw(200, json.dumps(body).encode())

    def _betting(self, headers: dict[str, str], body: bytes) -> Raw:
        request = json.loads(body)
        operation = request["method"].removeprefix("SportsAPING/v1.0/")
        params = request["params"]
        self.calls.append((operation, params))
        if self.next_answers:
            return self.next_answers.pop(0)
        if headers["x-authentication"] not in self.tokens:
            return rpc_error("INVALID_SESSION_INFORMATION", "ANGX-0003")
        result = {
            "listMarketCatalogue": self._catalogue,
            "listMarketBook": self._book,
        }[operation](params)
        if isinstance(result, Raw):
            return result
        answer = {"jsonrpc": "2.0", "result": result, "id": request["id"]}
        return Raw(200, json.dumps(answer).encode())

    def _catalogue(self, params: dict[str, Any]) -> Any:
        asked = params["filter"]
        described = "MARKET_DESCRIPTION" in params["marketProjection"]
        if described * params["maxResults"] > self.weight_limit:
            return rpc_error("TOO_MUCH_DATA", "ANGX-0001")
        found = [
            {key: value for key, value in market.items() if not key.startswith("_")}
            for market in self.markets.values()
            if _passes(market, asked)
        ]
        if not described:
            found = [{k: v for k, v in each.items() if k != "description"} for each in found]
        found.sort(key=lambda each: str(each["marketStartTime"]))
        return found[: params["maxResults"]]

    def _book(self, params: dict[str, Any]) -> Any:
        depth = params["priceProjection"]["exBestOffersOverrides"]["bestPricesDepth"]
        if len(params["marketIds"]) * 5 * depth / 3 > self.weight_limit:
            return rpc_error("TOO_MUCH_DATA", "ANGX-0001")
        # Order is the service's own: the reverse, so that nobody relies on positions.
        return [self.books[id_] for id_ in reversed(params["marketIds"]) if id_ in self.books]


def _passes(market: dict[str, Any], asked: dict[str, Any]) -> bool:
    if "marketIds" in asked:
        return market["marketId"] in asked["marketIds"]
    window = asked["marketStartTime"]
    return (
        market["_sport"] in asked["eventTypeIds"]
        and market["_type"] in asked["marketTypeCodes"]
        and window["from"] <= market["marketStartTime"] <= window["to"]
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        answer = self.server.fake.answer(self.path, headers, body)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep the test output clean."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeBetfair

    def handle_error(self, request: object, client_address: object) -> None:
        """A refused handshake is what some tests are about."""


@contextmanager
def running(fake: FakeBetfair, tls: ssl.SSLContext | None = None) -> Iterator[FakeBetfair]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.fake = fake
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if tls is None else "https"
    fake.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def catalogue_entry(
    number: int, kickoff: str, *, market_type: str = "MATCH_ODDS", sport: str = "1", **changed: Any
) -> dict[str, Any]:
    """One market of the catalogue, as the service writes it."""
    entry: dict[str, Any] = {
        "marketId": f"1.{number}",
        "marketName": "Match Odds",
        "marketStartTime": kickoff,
        "totalMatched": 0,
        "event": {
            "id": f"3{number}",
            "name": f"Home {number} v Away {number}",
            "countryCode": "GB",
        },
        "eventType": {"id": sport, "name": "Soccer"},
        "competition": {"id": "7", "name": " Northern League"},
        "runners": [
            {"selectionId": 10, "runnerName": f"Home {number}", "handicap": 0, "sortPriority": 1},
            {"selectionId": 20, "runnerName": f"Away {number}", "handicap": 0.0, "sortPriority": 2},
            {"selectionId": 58805, "runnerName": "The Draw", "handicap": 0, "sortPriority": 3},
        ],
        "description": {
            "marketType": market_type,
            "bettingType": "ODDS",
            "marketBaseRate": 2.5,
            "discountAllowed": False,
            "priceLadderDescription": {"type": "CLASSIC"},
        },
        "_type": market_type,
        "_sport": sport,
    }
    return {**entry, **changed}


def book_entry(number: int, **changed: Any) -> dict[str, Any]:
    """One market book, as the service writes it."""
    entry: dict[str, Any] = {
        "marketId": f"1.{number}",
        "isMarketDataDelayed": False,
        "status": "OPEN",
        "betDelay": 0,
        "inplay": False,
        "version": 5_355_776_015,
        "numberOfRunners": 2,
        "runners": [
            {
                "selectionId": 10,
                "handicap": 0.0,
                "status": "ACTIVE",
                "lastPriceTraded": 2.1,
                "ex": {
                    "availableToBack": [{"price": 2.1, "size": 33.5}, {"price": 2.08, "size": 10}],
                    "availableToLay": [{"price": 2.12, "size": 7.05}, {"price": 2.14, "size": 90}],
                    "tradedVolume": [],
                },
            },
            {"selectionId": 20, "handicap": 0, "status": "ACTIVE"},
        ],
    }
    return {**entry, **changed}
