"""The feed's refusals as errors of KOS: by its own code, for 401 is a bad key and an empty wallet."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from kos.adapters.oddsapi.fields import REMOTE
from kos.errors import (
    AccessRefused,
    CreditsExhausted,
    KosError,
    OperatorMustAct,
    RateLimited,
    RemoteUnavailable,
)


class RequestRefused(OperatorMustAct):
    """The feed finds our request wrong: a setting (region, bookmaker, market) or a bug of KOS.

    Args:
        code: The feed's error code, or ``HTTP <status>``.
        detail: The feed's own words, redacted.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(
            f"{REMOTE} refused the request ({code}): {detail or 'no reason given'}; check regions, "
            f"bookmakers, markets and base_url in the settings, or report it"
        )
        self.code = code
        self.detail = detail


class UnknownSport(RequestRefused):
    """The feed does not know the sport key (any longer); its fetcher has nothing to do."""


class EventGone(RequestRefused):
    """The feed does not know the event id (any longer)."""


_REMEDIES: Final = {
    "MISSING_KEY": "set the API key",
    "INVALID_KEY": "check the API key; it is in the email from the-odds-api.com",
    "DEACTIVATED_KEY": "the key was deactivated; check your account at the-odds-api.com",
    "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": "past odds need a paid plan",
}
_KINDS: Final = {"UNKNOWN_SPORT": UnknownSport, "EVENT_NOT_FOUND": EventGone}
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,79}")
_MAX_DETAIL: Final = 200
_FIRST_SERVER_ERROR: Final = 500
_TOO_MANY_REQUESTS: Final = 429


class _Body(msgspec.Struct):
    error_code: str | None = None
    message: str | None = None


def error_of(status: int, body: bytes, *, retry_after_s: float | None = None) -> KosError:
    """What a refusal means. Total: any status with any body has an error.

    Args:
        status: HTTP status; without a known code in the body it decides.
        body: Hopefully ``{"message", "error_code", "details_url"}``, redacted before.
        retry_after_s: Seconds the feed asked to wait.
    """
    refusal = _read(body)
    code = refusal.error_code or ""
    if not _CODE.fullmatch(code):
        code = f"HTTP {status}"
    detail = " ".join((refusal.message or "").split())[:_MAX_DETAIL]
    if code in _REMEDIES:
        return AccessRefused(REMOTE, code, _REMEDIES[code])
    if code == "OUT_OF_USAGE_CREDITS":
        return CreditsExhausted(REMOTE, "this month's credits are used up", retry_after_s)
    if code == "EXCEEDED_FREQ_LIMIT" or status == _TOO_MANY_REQUESTS:
        return RateLimited(REMOTE, f"asks for fewer calls ({code})", retry_after_s)
    if status >= _FIRST_SERVER_ERROR:
        return RemoteUnavailable(REMOTE, f"answered {code}", retry_after_s)
    if status in {401, 403}:
        return AccessRefused(REMOTE, code, "check the API key and your plan")
    return _KINDS.get(code, RequestRefused)(code, detail)


def is_error_body(body: bytes) -> bool:
    """Whether a body is a refusal in spite of its status 200."""
    return _read(body).error_code is not None


def _read(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except (ValueError, RecursionError):
        return _Body()
