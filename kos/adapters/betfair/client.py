"""The betting API, read only: three list operations, and none that could place a bet.

Every operation is one JSON-RPC call with a filter. The client keeps to the service's limits by
itself (weights, ids per request, results per call), logs in again once when the session ended, and
turns each fault into an error that says who must act. Answers carry what could be read and why
the rest could not.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import structlog

from kos.adapters.betfair.errors import Reaction, ServiceFault, error_of, fault_in, page_fault
from kos.adapters.betfair.fields import REMOTE, is_market_id
from kos.adapters.betfair.payloads import (
    MarketDescription,
    read_books,
    read_catalogue,
    read_descriptions,
)
from kos.adapters.betfair.session import BetfairSession
from kos.adapters.http import (
    ANY_STATUS,
    DEFAULT_RETRIES,
    HttpRemote,
    Repeat,
    RetryPolicy,
    read_retry_after,
)
from kos.adapters.json_fields import NotJson, Untrusted, parse
from kos.domain.market.quotes import Drop, ExchangeMarket, MarketBook
from kos.domain.polling.exchange_cache import books_per_call
from kos.errors import KosError, RemoteUnavailable, WaitAndRetry

log = structlog.get_logger(__name__)

MAX_RESULTS: Final = 1000
"""Of one listMarketCatalogue call without weighty projections."""
DESCRIPTIONS_PER_CALL: Final = 190
"""The weights allow 200; how the service rounds is not documented."""

_PATH: Final = "/exchange/betting/json-rpc/v1"
_SHORTEST_WINDOW: Final = timedelta(minutes=1)
_SHOWN_PARAMS: Final = 2_000
_MAX_CATALOGUE_CALLS: Final = 64
"""Of one question, repeats included; a server that fills every window would be asked without end."""
_PROJECTION: Final = (
    "COMPETITION",
    "EVENT",
    "EVENT_TYPE",
    "MARKET_START_TIME",
    "RUNNER_DESCRIPTION",
)


_T = TypeVar("_T")


class CatalogueAnswer(msgspec.Struct, frozen=True):
    """The markets of a window."""

    markets: tuple[ExchangeMarket, ...]
    drops: tuple[Drop, ...]


class DescriptionsAnswer(msgspec.Struct, frozen=True):
    """Commission and ladder by market id."""

    descriptions: Mapping[str, MarketDescription]
    drops: tuple[Drop, ...]


class BooksAnswer(msgspec.Struct, frozen=True):
    """Prices of the markets that were asked for.

    An id that is neither in ``books`` nor in ``unread`` was asked for and not answered: the
    market is gone or closed, or its book could not be read (then ``drops`` says so).
    """

    books: tuple[MarketBook, ...]
    drops: tuple[Drop, ...]
    unread: tuple[str, ...] = ()
    """Ids that no answer covers, as a call failed after others had come through."""
    trouble: WaitAndRetry | None = None
    """Why they are unread."""


def described(
    markets: Iterable[ExchangeMarket],
    descriptions: Mapping[str, MarketDescription],
    discount: Decimal = Decimal(0),
) -> tuple[ExchangeMarket, ...]:
    """The markets with commission and ladder where a description is known.

    Commission on net winnings is the base rate, less the account's ``discount`` (a fraction of
    one) on markets that allow it.
    """
    return tuple(
        _described(market, descriptions.get(market.market_id), discount) for market in markets
    )


def _described(
    market: ExchangeMarket, description: MarketDescription | None, discount: Decimal
) -> ExchangeMarket:
    if description is None:
        return market
    rate, is_discounted = description.base_rate, description.discount_allowed
    return msgspec.structs.replace(
        market,
        base_rate=rate * (1 - discount) if is_discounted else rate,
        discount_allowed=is_discounted,
        ladder=description.ladder,
    )


class _SmallerBatch(Exception):  # noqa: N818 - never leaves this module
    """The service wants less at once."""


class BetfairClient:
    """Reads the exchange. One thread at a time; the session may be shared with others.

    Args:
        betting: The betting API's address, without a path.
        session: Who we are.
        depth: Price levels on each side, 1 to 10. Fewer are cheaper.
        virtualise: Show offers as the web site does, with those that match across runners.
        retries: How often and how long to try what may mend.
        now: UTC. ``clock``: monotonic seconds. ``sleep`` and ``chance`` as in HttpRemote.
    """

    def __init__(
        self,
        betting: HttpRemote,
        session: BetfairSession,
        *,
        depth: int = 3,
        virtualise: bool = True,
        retries: RetryPolicy = DEFAULT_RETRIES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._betting = betting
        self._session = session
        self._depth = depth
        self._virtualise = virtualise
        self._retries = retries
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._sent = 0
        """Calls so far, repeats included; each is numbered by it."""
        self._books_per_call = books_per_call(depth)

    def __repr__(self) -> str:
        """Remote and depth; no secret."""
        return f"BetfairClient({self._betting!r}, depth={self._depth})"

    @property
    def books_per_call(self) -> int:
        """Markets that one call for prices may carry; shrinks where the service wants less."""
        return self._books_per_call

    def catalogue(
        self,
        event_type_id: str,
        market_types: Sequence[str],
        start: datetime,
        end: datetime,
    ) -> CatalogueAnswer:
        """The open and suspended matches of one sport that start in the window.

        One call for each market type; a window that holds more than a call can bring is halved
        until it does.

        Args:
            event_type_id: The exchange's id of the sport.
            market_types: Type codes, each asked for by itself: so the code is known for sure.
            start: UTC, inclusive.
            end: UTC, after ``start``.

        Raises:
            AccessRefused: Login, key or address are refused; the text says what to do.
            RemoteUnavailable, RateLimited: Later.
            KosBug: The service refuses the form of our request.
        """
        before = self._sent
        by_id: dict[str, ExchangeMarket] = {}
        drops: list[Drop] = []
        for market_type in market_types:
            windows = [(start, end)]
            while windows:
                first, last = windows.pop()
                result = self._catalogue_call(event_type_id, market_type, first, last)
                if result is None or (isinstance(result, list) and len(result) >= MAX_RESULTS):
                    if (
                        last - first > _SHORTEST_WINDOW
                        and self._sent - before < _MAX_CATALOGUE_CALLS
                    ):
                        middle = first + (last - first) / 2
                        windows += [(middle, last), (first, middle)]
                        continue
                    drops.append(Drop(first.isoformat(), "more markets than one call can bring"))
                read = partial(read_catalogue, result or [], market_type, event_type_id)
                markets, left_out = _read(read)
                drops += left_out
                for market in markets:  # both halves hold what starts in the middle
                    by_id.setdefault(market.market_id, market)
        return CatalogueAnswer(tuple(by_id.values()), tuple(drops))

    def descriptions(self, market_ids: Collection[str]) -> DescriptionsAnswer:
        """Commission and ladder of markets, in the largest batches allowed. Raises as above."""
        asked, drops = _usable(market_ids)
        by_id: dict[str, MarketDescription] = {}
        pending = _batches(asked, DESCRIPTIONS_PER_CALL)
        while pending:
            batch = pending.pop(0)
            params = {
                "filter": {"marketIds": list(batch)},
                "marketProjection": ["MARKET_DESCRIPTION"],
                "maxResults": len(batch),
            }
            try:
                result = self._call("listMarketCatalogue", params)
            except _SmallerBatch as too_much:
                pending[:0] = _halves(batch, too_much)
                continue
            read, left_out = _read(partial(read_descriptions, result))
            drops += left_out
            by_id |= {terms.market_id: terms for terms in read if terms.market_id in batch}
        return DescriptionsAnswer(by_id, tuple(drops))

    def books(self, market_ids: Collection[str]) -> BooksAnswer:
        """Prices of open markets, in the largest batches that the weights allow.

        Closed markets must not be mixed in: the service leaves them out, as it does unknown ones.

        Raises:
            As :meth:`catalogue`, where nothing was read at all. After a first answer, a failure
            that may mend is told by ``trouble`` and ``unread``.
        """
        asked, drops = _usable(market_ids)
        all_books: list[MarketBook] = []
        pending = _batches(asked, self._books_per_call)
        while pending:
            batch = pending.pop(0)
            try:
                result = self._call("listMarketBook", self._book_params(batch))
                books, left_out = _read(partial(read_books, result, batch, self._now()))
            except _SmallerBatch as too_much:
                pending[:0] = _halves(batch, too_much)
                self._books_per_call = max(1, min(self._books_per_call, len(batch) // 2))
                log.warning("betfair.batch_halved", markets=len(batch))
                continue
            except WaitAndRetry as trouble:
                if not all_books:
                    raise
                unread = tuple(itertools.chain(batch, *pending))
                return BooksAnswer(tuple(all_books), tuple(drops), unread, trouble)
            all_books += books
            drops += left_out
        return BooksAnswer(tuple(all_books), tuple(drops))

    def _catalogue_call(
        self, event_type_id: str, market_type: str, start: datetime, end: datetime
    ) -> Any:
        """The result, or None where the service finds it too much."""
        params = {
            "filter": {
                "eventTypeIds": [event_type_id],
                "marketTypeCodes": [market_type],
                "marketStartTime": {"from": _wire_time(start), "to": _wire_time(end)},
            },
            "marketProjection": list(_PROJECTION),
            "sort": "FIRST_TO_START",
            "maxResults": MAX_RESULTS,
        }
        try:
            result = self._call("listMarketCatalogue", params)
        except _SmallerBatch:
            # Not foreseen for projections without weight; half the window is half the answer.
            return None
        return [] if result is None else result

    def _book_params(self, batch: Sequence[str]) -> dict[str, object]:
        return {
            "marketIds": list(batch),
            "priceProjection": {
                "priceData": ["EX_BEST_OFFERS"],
                "exBestOffersOverrides": {"bestPricesDepth": self._depth},
                "virtualise": self._virtualise,
            },
        }

    def _call(self, operation: str, params: Mapping[str, object]) -> Any:
        """The result of one operation; retries what may recover, logs in again once."""
        deadline = self._clock() + self._retries.total_s
        has_renewed = False
        attempt = 0
        while True:
            attempt += 1
            token = self._session.token()
            answer = self._send(operation, params, token)
            if not isinstance(answer, ServiceFault):
                return answer[0]
            if answer.reaction is Reaction.SMALLER_BATCH:
                raise _SmallerBatch(answer.code)
            if answer.reaction is Reaction.LOGIN_AGAIN and not has_renewed:
                has_renewed = True
                log.info("betfair.session_refused", code=answer.code)
                self._session.renew(token)
                continue
            wait_s = self._wait_before_next(answer, attempt, deadline)
            if wait_s is None:
                raise self._final(answer, operation, params)
            log.warning(
                "betfair.call_repeated",
                operation=operation,
                code=answer.code,
                attempt=attempt,
                wait_s=round(wait_s, 3),
            )
            self._sleep(wait_s)

    @staticmethod
    def _final(fault: ServiceFault, operation: str, params: Mapping[str, object]) -> KosError:
        if fault.reaction is Reaction.LOGIN_AGAIN and not fault.code.startswith("DSC"):
            # A session of a moment ago is no session: Betfair's trouble, not the operator's.
            return RemoteUnavailable(REMOTE, f"refuses a new session ({fault.code})")
        if fault.reaction is Reaction.BUG:
            sent = msgspec.json.encode(params).decode()[:_SHOWN_PARAMS]
            log.error("betfair.request_refused", operation=operation, code=fault.code, params=sent)
        return error_of(fault)

    def _wait_before_next(self, fault: ServiceFault, attempt: int, deadline: float) -> float | None:
        """Seconds to wait before the next try, or None to give up."""
        if fault.reaction not in {Reaction.BACK_OFF, Reaction.FEWER_CALLS}:
            return None
        left_s = deadline - self._clock()
        return self._retries.wait_s(attempt, self._chance(), fault.retry_after_s, left_s)

    def _send(
        self, operation: str, params: Mapping[str, object], token: str
    ) -> tuple[Any] | ServiceFault:
        """One sending: the result in a tuple of one, or the fault."""
        self._sent += 1
        number = self._sent
        answer = self._betting.post(
            _PATH,
            json_body={
                "jsonrpc": "2.0",
                "method": f"SportsAPING/v1.0/{operation}",
                "params": params,
                "id": number,
            },
            headers={"X-Application": self._session.app_key, "X-Authentication": token},
            accept=ANY_STATUS,
            repeat=Repeat.ALWAYS,
        )
        retry_after_s = read_retry_after(answer.headers.get("retry-after"), self._now())
        try:
            body = parse(answer.body)
        except NotJson:
            return page_fault(answer.status, retry_after_s)
        fault = fault_in(body)
        if fault is not None:
            return msgspec.structs.replace(fault, retry_after_s=retry_after_s)
        is_ours = isinstance(body, dict) and "result" in body and body.get("id", number) == number
        if answer.status != 200 or not is_ours:  # noqa: PLR2004 - OK
            return page_fault(answer.status, retry_after_s)
        return (body["result"],)


def _read(reader: Callable[[], _T]) -> _T:
    try:
        return reader()
    except Untrusted as refused:
        raise RemoteUnavailable(REMOTE, f"answered something else: {refused}") from None


def _usable(market_ids: Collection[str]) -> tuple[tuple[str, ...], list[Drop]]:
    """Ids worth sending, each once: one in another form makes the service refuse all."""
    asked = tuple(dict.fromkeys(market_ids))
    drops = [
        Drop(repr(market_id)[:60], "market id not in the service's form")
        for market_id in asked
        if not is_market_id(market_id)
    ]
    return tuple(market_id for market_id in asked if is_market_id(market_id)), drops


def _batches(ids: Sequence[str], at_most: int) -> list[Sequence[str]]:
    return [ids[i : i + at_most] for i in range(0, len(ids), at_most)]


def _halves(batch: Sequence[str], too_much: Exception) -> list[Sequence[str]]:
    """The batch in two, or an error where there is nothing to halve."""
    if len(batch) == 1:
        raise error_of(ServiceFault(str(too_much), Reaction.SMALLER_BATCH)) from None
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]]


def _wire_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
