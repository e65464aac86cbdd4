"""The Odds API v4 over HTTP: one method per endpoint that KOS asks, domain values back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import quote

from kos.adapters.http import DEFAULT_RETRIES, HttpRemote, Repeat, RetryPolicy
from kos.adapters.oddsapi.errors import error_of, is_error_body
from kos.adapters.oddsapi.fields import MAX_BODY_BYTES, REMOTE
from kos.adapters.oddsapi.listings import decode_sports
from kos.adapters.oddsapi.payloads import decode_odds
from kos.adapters.oddsapi.questions import OddsQuestion
from kos.domain.market.quotes import Drop, EventQuotes, Sport

BASE_URL: Final = "https://api.the-odds-api.com"
"""The service's own address; the settings may name another."""

_READ_BY_US: Final = frozenset({200, *range(400, 500)} - {407, 429})
_OK: Final = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Quota:
    """The server's own counters, each None where the answer did not carry it."""

    used: int | None = None
    """Credits spent since the reset."""
    remaining: int | None = None
    """Credits left until the reset."""
    last: int | None = None
    """Credits this very call cost."""


@dataclass(frozen=True, slots=True)
class FeedAnswer(Generic[T]):
    """What one call brought."""

    value: T
    drops: tuple[Drop, ...]
    quota: Quota
    elapsed_ms: float


class OddsApi:
    """The feed for one key, in one thread, over a connection of its own.

    Calls that cost credits are sent again only if the feed surely did nothing; the free ones
    after any failure that can mend. Errors: those of :class:`HttpRemote` and of
    :func:`kos.adapters.oddsapi.errors.error_of`; none of them holds the key.

    Args:
        api_key: Sent with every call.
        base_url: The feed's address. The others are as in :class:`HttpRemote`.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = BASE_URL,
        *,
        timeout_s: tuple[float, float] = (5.0, 20.0),
        proxy: str | None = None,
        ca: str | None = None,
        retries: RetryPolicy = DEFAULT_RETRIES,
    ) -> None:
        self._api_key = api_key
        self._remote = HttpRemote(
            REMOTE,
            base_url,
            timeout_s=timeout_s,
            proxy=proxy,
            secrets=(api_key,),
            ca=ca,
            retries=retries,
            max_body_bytes=MAX_BODY_BYTES,
        )

    def __repr__(self) -> str:
        """Without the key."""
        return f"OddsApi({self._remote!r})"

    def close(self) -> None:
        """Give the connection back."""
        self._remote.close()

    def go_through(self, proxy: str | None) -> None:
        """See :meth:`kos.adapters.http.HttpRemote.go_through`."""
        self._remote.go_through(proxy)

    def sports(self) -> FeedAnswer[tuple[Sport, ...]]:
        """The sport keys on offer; free, and it brings the server's counters."""
        return self._ask("/v4/sports", {}, decode_sports, Repeat.ALWAYS)

    def odds(self, sport_key: str, question: OddsQuestion) -> FeedAnswer[tuple[EventQuotes, ...]]:
        """Every event of a sport key, live and to come, with its prices (see ``odds_cost``)."""
        path = f"/v4/sports/{quote(sport_key, safe='')}/odds"
        return self._ask(path, question.params(), _events_and_drops, Repeat.IF_NOT_DONE)

    def _ask(
        self,
        path: str,
        params: Mapping[str, str],
        decode: Callable[[bytes], tuple[T, tuple[Drop, ...]]],
        repeat: Repeat,
    ) -> FeedAnswer[T]:
        response = self._remote.get(
            path, {"apiKey": self._api_key, **params}, accept=_READ_BY_US, repeat=repeat
        )
        if response.status != _OK or is_error_body(response.body):
            text = self._remote.redact(response.body.decode("utf-8", "replace"))
            raise error_of(response.status, text.encode(), retry_after_s=response.retry_after_s)
        value, drops = decode(response.body)
        return FeedAnswer(value, drops, read_quota(response.headers), response.elapsed_ms)


def read_quota(headers: Mapping[str, str]) -> Quota:
    """The counters of an answer's headers (names in lower case).

    A fraction is rounded to the careful side: spent up, left down. What is no number, or is
    missing, is None: unknown, never 0.
    """
    return Quota(
        used=_count(headers.get("x-requests-used"), math.ceil),
        remaining=_count(headers.get("x-requests-remaining"), math.floor),
        last=_count(headers.get("x-requests-last"), math.ceil),
    )


def _count(text: str | None, to_whole: Callable[[float], int]) -> int | None:
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return max(0, to_whole(number)) if math.isfinite(number) else None


def _events_and_drops(body: bytes) -> tuple[tuple[EventQuotes, ...], tuple[Drop, ...]]:
    odds = decode_odds(body)
    return odds.events, odds.drops
