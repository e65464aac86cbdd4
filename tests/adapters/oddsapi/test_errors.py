"""The feed's refusals by code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.oddsapi.errors import (
    EventGone,
    RequestRefused,
    UnknownSport,
    error_of,
    is_error_body,
)
from kos.errors import (
    AccessRefused,
    CreditsExhausted,
    KosError,
    OperatorMustAct,
    RateLimited,
    RemoteUnavailable,
    WaitAndRetry,
)
from tests.profiles import examples

VALIDATION = [
    "INVALID_MARKET",
    "MISSING_REGION",
    "INVALID_REGION",
    "INVALID_BOOKMAKERS",
    "MISSING_MARKET",
    "INVALID_MARKET_COMBO",
    "INVALID_DATE_FORMAT",
    "INVALID_ODDS_FORMAT",
    "INVALID_ALL_SPORTS_PARAM",
    "INVALID_SPORT",
    "INVALID_SCORES_DAYS_FROM",
    "INVALID_EVENT_IDS",
    "INVALID_EVENT_ID",
    "MISSING_HISTORICAL_TIMESTAMP",
    "INVALID_HISTORICAL_TIMESTAMP",
    "INVALID_COMMENCE_TIME_FROM",
    "INVALID_COMMENCE_TIME_TO",
    "INVALID_COMMENCE_TIME_RANGE",
    "INVALID_PARTICIPANT_ID",
    "INVALID_INCLUDE_LINKS",
    "INVALID_INCLUDE_SIDS",
    "INVALID_INCLUDE_BET_LIMITS",
    "INVALID_INCLUDE_MULTIPLIERS",
    "INVALID_INCLUDE_ROTATION_NUMBERS",
    "HISTORICAL_MARKETS_UNAVAILABLE_AT_DATE",
    "INVALID_STATUS",
]


def said(code: str, message: str = "words") -> bytes:
    return json.dumps({"message": message, "error_code": code, "details_url": "x"}).encode() + b"\n"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "MISSING_KEY", AccessRefused),
        (401, "INVALID_KEY", AccessRefused),
        (401, "DEACTIVATED_KEY", AccessRefused),
        (401, "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN", AccessRefused),
        (401, "OUT_OF_USAGE_CREDITS", CreditsExhausted),
        (429, "OUT_OF_USAGE_CREDITS", CreditsExhausted),
        (429, "EXCEEDED_FREQ_LIMIT", RateLimited),
        (404, "UNKNOWN_SPORT", UnknownSport),
        (404, "EVENT_NOT_FOUND", EventGone),
        *((422, code, RequestRefused) for code in VALIDATION),
    ],
)
def test_the_code_decides_who_must_act(status: int, code: str, kind: type[KosError]) -> None:
    error = error_of(status, said(code))
    assert type(error) is kind
    assert code in str(error) or isinstance(error, CreditsExhausted)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessRefused),
        (403, AccessRefused),
        (404, RequestRefused),
        (422, RequestRefused),
        (429, RateLimited),
        (500, RemoteUnavailable),
        (503, RemoteUnavailable),
    ],
)
@pytest.mark.parametrize("raw", [b"", b"<html>no</html>", b"[]", b'{"error_code": 7}'])
def test_without_a_code_the_status_decides(status: int, kind: type[KosError], raw: bytes) -> None:
    error = error_of(status, raw)
    assert type(error) is kind
    assert str(status) in str(error)


def test_the_wait_that_was_asked_for_is_carried() -> None:
    error = error_of(429, said("EXCEEDED_FREQ_LIMIT"), retry_after_s=3.0)
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 3.0


def test_only_a_body_with_a_code_is_an_error_body() -> None:
    assert is_error_body(said("INVALID_KEY"))
    assert not is_error_body(b"[]")
    assert not is_error_body(b'{"id": "x"}')


@settings(max_examples=examples(100))
@given(st.integers(300, 599), st.binary(max_size=80) | st.text(max_size=400).map(said))
def test_any_refusal_has_a_short_error_that_says_who_acts(status: int, raw: bytes) -> None:
    error = error_of(status, raw)
    assert isinstance(error, OperatorMustAct | WaitAndRetry)
    assert 0 < len(str(error)) < 500
