"""The client against a server on loopback."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog

from kos.adapters.http import RetryPolicy
from kos.adapters.oddsapi.client import OddsApi, Quota, read_quota
from kos.adapters.oddsapi.errors import RequestRefused, UnknownSport
from kos.adapters.oddsapi.questions import OddsQuestion
from kos.errors import (
    AccessRefused,
    CreditsExhausted,
    KosError,
    RateLimited,
    RemoteUnavailable,
)
from tests.adapters.loopback import Answer, Handler, Loopback, answer, loopback
from tests.adapters.oddsapi.bodies import body, match_event

KEY = "0123456789abcdef0123456789abcdef"
COUNTERS = {"X-Requests-Used": "3", "X-Requests-Remaining": "497", "X-Requests-Last": "1"}


def api(server: Loopback, attempts: int = 1) -> OddsApi:
    quick = RetryPolicy(attempts=attempts, base_s=0.001, cap_s=0.002, total_s=5.0)
    return OddsApi(KEY, server.url, retries=quick, timeout_s=(2.0, 2.0))


def refusal(status: int, code: str, message: str = "no") -> Answer:
    raw = json.dumps({"message": message, "error_code": code}).encode() + b"\n"
    return answer(status, raw)


def asked(server: Loopback) -> tuple[str, dict[str, str]]:
    parts = urlsplit(server.seen[0].path)
    return parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()}


def test_odds_are_asked_for_as_the_question_says_and_come_with_the_counters() -> None:
    raw = gzip.compress(body(match_event(2.5, 3.1, 2.9)))
    with loopback(answer(200, raw, {"Content-Encoding": "gzip", **COUNTERS})) as server:
        got = api(server).odds("soccer_epl", OddsQuestion(include_links=True))
        path, query = asked(server)
    assert path == "/v4/sports/soccer_epl/odds"
    assert query == {"apiKey": KEY, **OddsQuestion(include_links=True).params()}
    assert got.quota == Quota(used=3, remaining=497, last=1)
    assert len(got.value) == 1
    assert got.drops == ()


def test_sports_are_asked_for_with_the_key_alone() -> None:
    with loopback(answer(200, b"[]")) as server:
        client = api(server)
        client.sports()
        assert asked(server) == ("/v4/sports", {"apiKey": KEY})
        client.close()


def test_missing_counters_are_unknown() -> None:
    with loopback(answer(200, b"[]")) as server:
        assert api(server).sports().quota == Quota()


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"x-requests-used": "12.0", "x-requests-remaining": "7.9"}, Quota(12, 7, None)),
        ({"x-requests-used": "12.1", "x-requests-last": "0"}, Quota(13, None, 0)),
        ({"x-requests-used": "many", "x-requests-remaining": "nan"}, Quota()),
        ({"x-requests-used": "", "x-requests-remaining": "-4"}, Quota(None, 0, None)),
        ({"x-requests-used": "inf", "x-requests-last": "1e400"}, Quota()),
    ],
)
def test_counters_are_read_with_care(headers: dict[str, str], quota: Quota) -> None:
    assert read_quota(headers) == quota


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refusal(401, "INVALID_KEY"), AccessRefused),
        (refusal(401, "OUT_OF_USAGE_CREDITS"), CreditsExhausted),
        (refusal(404, "UNKNOWN_SPORT"), UnknownSport),
        (refusal(422, "INVALID_MARKET"), RequestRefused),
        (refusal(429, "EXCEEDED_FREQ_LIMIT"), RateLimited),
        (refusal(200, "INVALID_KEY"), AccessRefused),
        (answer(500, b"<html>"), RemoteUnavailable),
        (answer(200, b"<html>"), RemoteUnavailable),
        (answer(200, b'{"events": []}'), RemoteUnavailable),
        (answer(401, b"<html>"), AccessRefused),
    ],
)
def test_each_failure_has_its_error(script: Answer, kind: type[KosError]) -> None:
    with loopback(script) as server, pytest.raises(kind):
        api(server).odds("soccer_epl", OddsQuestion())


def test_a_paid_call_is_not_sent_twice_after_a_server_error_but_a_free_one_is() -> None:
    with loopback(answer(500), answer(200, b"[]")) as server:
        assert api(server, attempts=3).sports().value == ()
        assert len(server.seen) == 2
    with loopback(answer(500), answer(200, b"[]")) as server:
        with pytest.raises(RemoteUnavailable):
            api(server, attempts=3).odds("soccer_epl", OddsQuestion())
        assert len(server.seen) == 1


def test_a_paid_call_is_sent_again_after_too_many_requests() -> None:
    with loopback(answer(429), answer(200, b"[]")) as server:
        api(server, attempts=3).odds("soccer_epl", OddsQuestion())
        assert len(server.seen) == 2


def cut(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"[")
    handler.close_connection = True


@pytest.mark.parametrize(
    "script",
    [
        refusal(401, "INVALID_KEY", f"the key {KEY} is not valid"),
        refusal(422, "INVALID_MARKET", f"apiKey={KEY}"),
        refusal(404, KEY.upper(), KEY),
        answer(500, KEY.encode()),
        answer(200, f'["{KEY}"'.encode()),
        answer(302, b"", {"Location": f"http://elsewhere.invalid/?apiKey={KEY}"}),
        cut,
    ],
)
def test_the_key_is_in_no_error_chain_repr_or_log(script: Callable[[Handler], None]) -> None:
    with loopback(script) as server, structlog.testing.capture_logs() as logs:
        client = api(server, attempts=2)
        with pytest.raises(KosError) as caught:
            client.odds("soccer_epl", OddsQuestion())
    texts = [repr(logs), repr(client)]
    error: BaseException | None = caught.value
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    assert all(KEY not in text for text in texts)


def test_the_refusal_is_told_in_the_feeds_own_words_without_the_key() -> None:
    script = refusal(422, "INVALID_MARKET", f"Invalid markets: x (apiKey={KEY})")
    with loopback(script) as server, pytest.raises(RequestRefused) as caught:
        api(server).odds("soccer_epl", OddsQuestion())
    assert caught.value.detail == "Invalid markets: x (apiKey=***)"
