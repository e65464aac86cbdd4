"""HttpRemote against real sockets on loopback."""

from __future__ import annotations

import contextlib
import gzip
import io
import logging
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.http import (
    ANY_STATUS,
    PROXY_LOGIN,
    HttpRemote,
    Repeat,
    RetryPolicy,
    read_retry_after,
)
from kos.errors import AccessRefused, InvalidSettings, KosError, RateLimited, RemoteUnavailable
from kos.runtime import meters
from kos.sandbox.proxy import PASSWORD, ProxyServer
from tests.adapters.loopback import FakeTime, Handler, Loopback, answer, loopback
from tests.profiles import examples

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "k3y/with+odd=signs"  # noqa: S105 - the test's own


def remote_to(
    server: Loopback, time: FakeTime | None = None, *, total_s: float = 45.0
) -> HttpRemote:
    time = time or FakeTime()
    return HttpRemote(
        "feed",
        server.url,
        secrets=(SECRET,),
        timeout_s=(2.0, 2.0),
        retries=RetryPolicy(total_s=total_s),
        max_body_bytes=100_000,
        clock=time.clock,
        sleep=time.sleep,
        now=lambda: NOW,
        chance=lambda: 0.0,
    )


def test_get_returns_status_headers_and_body_and_sends_the_query() -> None:
    with loopback(answer(200, b"[1]", {"X-Requests-Used": "3"})) as server:
        got = remote_to(server).get("/v4/sports", {"apiKey": SECRET, "all": "true"}, {"X-A": "b"})
    assert (got.status, got.body, got.headers["x-requests-used"]) == (200, b"[1]", "3")
    assert server.seen[0].path == "/v4/sports?apiKey=k3y%2Fwith%2Bodd%3Dsigns&all=true"
    assert server.seen[0].headers["x-a"] == "b"
    assert server.seen[0].headers["accept-encoding"] == "gzip"


def test_gzip_is_undone() -> None:
    body = gzip.compress(b"[" + b"1," * 5000 + b"1]")
    with loopback(answer(200, body, {"Content-Encoding": "gzip"})) as server:
        assert len(remote_to(server).get("/x").body) == 10_003


def test_form_and_json_are_posted_with_their_content_type() -> None:
    with loopback(answer()) as server:
        remote = remote_to(server)
        remote.post("/login", form={"username": "a b", "password": "ü"})
        remote.post("/rpc", json_body={"ids": ["1.2"]}, headers={"X-Application": "app"})
    assert server.seen[0].body == b"username=a+b&password=%C3%BC"
    assert server.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert msgspec.json.decode(server.seen[1].body) == {"ids": ["1.2"]}
    assert server.seen[1].headers["content-type"] == "application/json"
    assert server.seen[1].headers["x-application"] == "app"


def test_server_errors_are_repeated_with_growing_waits_until_the_answer() -> None:
    time = FakeTime()
    with loopback(answer(500, b"<html>"), answer(503), answer(200, b"[]")) as server:
        assert remote_to(server, time).get("/x").body == b"[]"
    assert time.slept == [0.25, 0.5]


def test_server_error_that_stays_is_raised_after_the_last_attempt() -> None:
    with (
        loopback(answer(502, b"<html>")) as server,
        pytest.raises(RemoteUnavailable, match="feed: answered HTTP 502"),
    ):
        remote_to(server).get("/x")
    assert len(server.seen) == 3


def test_retry_after_is_obeyed_when_longer_than_the_back_off() -> None:
    time = FakeTime()
    limited = answer(429, b"", {"Retry-After": "7"})
    with loopback(limited, answer(200, b"[]")) as server:
        remote_to(server, time).get("/x")
    assert time.slept == [7.0]


def test_retry_after_beyond_the_total_bound_is_raised_with_its_wait() -> None:
    time = FakeTime()
    with (
        loopback(answer(429, b"", {"Retry-After": "600"})) as server,
        pytest.raises(RateLimited) as caught,
    ):
        remote_to(server, time).get("/x")
    assert caught.value.retry_after_s == 600
    assert time.slept == []


def test_rate_limit_without_retry_after_is_repeated_then_raised() -> None:
    with loopback(answer(429)) as server, pytest.raises(RateLimited) as caught:
        remote_to(server).get("/x")
    assert caught.value.retry_after_s is None
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_refused_access_is_raised_at_once(status: int) -> None:
    with loopback(answer(status)) as server, pytest.raises(AccessRefused, match=f"HTTP {status}"):
        remote_to(server).get("/x")
    assert len(server.seen) == 1


def test_accepted_statuses_are_returned_without_repeat() -> None:
    with loopback(answer(503, b"fault")) as server:
        got = remote_to(server).get("/x", accept=ANY_STATUS)
    assert (got.status, got.body) == (503, b"fault")
    assert len(server.seen) == 1


def test_post_is_sent_once_unless_said_otherwise() -> None:
    with loopback(answer(500)) as server:
        remote = remote_to(server)
        with pytest.raises(RemoteUnavailable):
            remote.post("/x", form={"a": "b"})
        assert len(server.seen) == 1
        with pytest.raises(RemoteUnavailable):
            remote.post("/x", json_body={}, repeat=Repeat.ALWAYS)
    assert len(server.seen) == 4


def test_a_paid_call_is_repeated_only_when_the_remote_did_nothing() -> None:
    with loopback(answer(500)) as server, pytest.raises(RemoteUnavailable):
        remote_to(server).get("/x", repeat=Repeat.IF_NOT_DONE)
    assert len(server.seen) == 1
    with loopback(answer(429), answer(200, b"[]")) as server:
        remote_to(server).get("/x", repeat=Repeat.IF_NOT_DONE)
    assert len(server.seen) == 2


def test_refused_connection_is_repeated_then_raised() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    time = FakeTime()
    remote = HttpRemote(
        "feed", f"http://127.0.0.1:{port}", clock=time.clock, sleep=time.sleep, chance=lambda: 0.0
    )
    with pytest.raises(RemoteUnavailable, match="no connection"):
        remote.get("/x", repeat=Repeat.IF_NOT_DONE)
    assert len(time.slept) == 2


def cut(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"[1, 2")
    handler.close_connection = True


def cut_chunked(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"5\r\n[1, 2\r\n")
    handler.close_connection = True


def hang(handler: Handler) -> None:
    handler.server.released.wait(10)
    handler.close_connection = True


def not_gzip(handler: Handler) -> None:
    handler.say(200, b"this is no gzip", {"Content-Encoding": "gzip"})


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff rubbish\r\n\r\n")
    handler.close_connection = True


def bad_chunk(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"zz\r\n[1, 2\r\n")
    handler.close_connection = True


def trickle(handler: Handler) -> None:
    """Header at once, then a byte whenever the client might stop listening."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()


@pytest.mark.parametrize("fault", [cut, cut_chunked, not_gzip, no_http, bad_chunk])
def test_a_broken_answer_is_repeated_and_then_read(fault: Callable[[Handler], None]) -> None:
    with loopback(fault, answer(200, b"[]")) as server:
        assert remote_to(server).get("/x").body == b"[]"
    assert len(server.seen) == 2


@pytest.mark.parametrize("fault", [cut, cut_chunked, not_gzip, no_http, bad_chunk])
def test_a_broken_answer_that_stays_is_remote_unavailable(
    fault: Callable[[Handler], None],
) -> None:
    with loopback(fault) as server, pytest.raises(RemoteUnavailable):
        remote_to(server).get("/x")


def test_silence_ends_with_the_read_timeout() -> None:
    with loopback(hang) as server:
        remote = HttpRemote("feed", server.url, timeout_s=(1.0, 0.05))
        with pytest.raises(RemoteUnavailable, match="no reply in time"):
            remote.get("/x", repeat=Repeat.IF_NOT_DONE)


def test_a_trickling_body_ends_with_the_total_bound() -> None:
    with loopback(trickle) as server:
        remote = HttpRemote(
            "feed", server.url, timeout_s=(1.0, 1.0), retries=RetryPolicy(total_s=0.2)
        )
        with pytest.raises(RemoteUnavailable, match="incomplete"):
            remote.get("/x")


def test_a_body_over_the_bound_is_refused_also_when_compressed() -> None:
    bomb = gzip.compress(b" " * 5_000_000)
    for script in (
        answer(200, b" " * 200_000),
        answer(200, bomb, {"Content-Encoding": "gzip"}),
    ):
        with loopback(script) as server, pytest.raises(RemoteUnavailable, match="larger than"):
            remote_to(server).get("/x")
        assert len(server.seen) == 1


def test_redirect_on_the_same_host_is_followed_for_get_only() -> None:
    moved = answer(302, b"", {"Location": "/new?a=1"})
    with loopback(moved, answer(200, b"[]")) as server:
        assert remote_to(server).get("/old").body == b"[]"
        assert [seen.path for seen in server.seen] == ["/old", "/new?a=1"]
    with loopback(moved) as server, pytest.raises(RemoteUnavailable, match="redirect"):
        remote_to(server).post("/old", form={})


def test_redirect_to_another_address_is_never_followed() -> None:
    with loopback(answer(200, b"[]")) as other:
        moved = answer(302, b"", {"Location": other.url + "/x"})
        with loopback(moved) as server, pytest.raises(RemoteUnavailable, match="redirect"):
            remote_to(server).get("/x", {"apiKey": SECRET})
        assert other.seen == []


def test_redirect_circle_ends() -> None:
    with (
        loopback(answer(301, b"", {"Location": "/x"})) as server,
        pytest.raises(RemoteUnavailable, match="circle"),
    ):
        remote_to(server).get("/x")


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(answer(200, b"proxy")) as proxy, loopback(answer(200, b"direct")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert remote_to(server).get("/x").body == b"direct"
        assert proxy.seen == []


def test_proxy_of_the_settings_gets_the_call_with_its_login() -> None:
    with loopback(answer(200, b"by proxy")) as proxy:
        address = proxy.url.replace("http://", "http://user:hush@")
        remote = HttpRemote("feed", "http://feed.invalid", proxy=address)
        assert remote.get("/x").body == b"by proxy"
        assert proxy.seen[0].path == "http://feed.invalid/x"
        assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")
        assert "hush" not in repr(remote)


def test_proxy_that_refuses_the_login_is_told_to_the_operator() -> None:
    with loopback(answer(407)) as proxy:
        address = proxy.url.replace("http://", "http://user:hush@")
        with pytest.raises(AccessRefused, match="proxy login") as caught:
            HttpRemote("feed", "http://feed.invalid", proxy=address).get("/x")
        with pytest.raises(KosError) as tunnelled:
            HttpRemote(
                "feed", "https://feed.invalid", proxy=address, retries=RetryPolicy(attempts=1)
            ).get("/x")
    assert "hush" not in str(caught.value) + str(tunnelled.value)


def test_cookies_are_not_sent_back() -> None:
    with loopback(answer(200, b"", {"Set-Cookie": "track=1"})) as server:
        remote = remote_to(server)
        remote.get("/a")
        remote.get("/b")
        assert "cookie" not in server.seen[1].headers


@pytest.mark.parametrize(
    "url",
    ["", "feed", "ftp://feed", "http://", "http://h:x", "http://h:99999", "http://a?b=hush"],
)
def test_an_address_that_cannot_be_is_refused_with_the_settings(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        HttpRemote("feed", url)
    assert "hush" not in str(caught.value)


def test_login_in_the_base_url_and_missing_files_are_refused_without_showing_them() -> None:
    with pytest.raises(InvalidSettings) as caught:
        HttpRemote("feed", "http://user:hush@host", ca="/nowhere/ca.pem")
    assert len(caught.value.problems) == 2
    assert "hush" not in str(caught.value)


FAULTS: list[Callable[[Handler], None]] = [
    cut,
    not_gzip,
    no_http,
    answer(500, SECRET.encode()),
    answer(429, SECRET.encode()),
    answer(401, SECRET.encode()),
    answer(302, b"", {"Location": f"http://elsewhere.invalid/?apiKey={SECRET}"}),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_in_any_error_chain_repr_or_log(fault: Callable[[Handler], None]) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with loopback(fault) as server, structlog.testing.capture_logs() as logs:
            remote = remote_to(server)
            with pytest.raises(KosError) as caught:
                remote.get(f"/v4/{SECRET}", {"apiKey": SECRET}, {"X-Token": SECRET})
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    texts = [written.getvalue(), repr(logs), repr(remote)]
    error: BaseException | None = caught.value
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        assert error.__cause__ is None
        error = error.__context__
    for form in (SECRET, "k3y%2Fwith%2Bodd%3Dsigns"):
        assert all(form not in text for text in texts)


def test_response_repr_shows_neither_headers_nor_body() -> None:
    with loopback(answer(200, SECRET.encode(), {"X-Echo": SECRET})) as server:
        assert SECRET not in repr(remote_to(server).get("/x"))


def test_redact_knows_both_spellings_of_a_secret() -> None:
    with loopback(answer()) as server:
        remote = remote_to(server)
    shown = remote.redact(f"a {SECRET} b k3y%2Fwith%2Bodd%3Dsigns")
    assert shown == "a *** b ***"


def test_connection_is_kept_for_the_next_call() -> None:
    threads: set[int] = set()

    def note(handler: Handler) -> None:
        threads.add(threading.get_ident())
        handler.say(200, b"[]")

    with loopback(note) as server:
        remote = remote_to(server)
        remote.get("/a")
        remote.get("/b")
        remote.close()
    assert len(threads) == 1


def test_retry_after_reads_seconds_and_dates() -> None:
    later = format_datetime(NOW.replace(minute=1), usegmt=True)
    assert read_retry_after("12", NOW) == 12
    assert read_retry_after(later, NOW) == 60
    assert read_retry_after("-5", NOW) == 0
    assert read_retry_after("1e99", NOW) == 86_400


@settings(max_examples=examples(60))
@given(st.one_of(st.none(), st.text(max_size=40), st.floats().map(str)))
def test_retry_after_of_any_text_is_none_or_within_a_day(text: str | None) -> None:
    seconds = read_retry_after(text, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


def test_missing_certificate_file_is_a_problem_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="cannot read the file"):
        HttpRemote("feed", "http://h", client_cert=(str(tmp_path / "a"), str(tmp_path / "b")))


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks5"])
def test_each_kind_of_proxy_carries_the_call_with_its_login(scheme: str) -> None:
    with ProxyServer() as proxy, loopback(answer(200, b"here")) as server:
        login = f"user-kos-session-a1:{PASSWORD}"
        remote = HttpRemote("feed", server.url, proxy=f"{scheme}://{login}@127.0.0.1:{proxy.port}")
        assert remote.get("/x").body == b"here"
        assert [each.session for each in proxy.passages] == ["a1"]
        remote.close()


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_each_kind_of_proxy_that_refuses_the_login_is_told_to_the_operator(scheme: str) -> None:
    with ProxyServer() as proxy, loopback(answer(200)) as server:
        address = f"{scheme}://user-kos:hush-hush@127.0.0.1:{proxy.port}"
        remote = HttpRemote("feed", server.url, proxy=address)
        with pytest.raises(AccessRefused, match="proxy login") as caught:
            remote.get("/x")
        assert caught.value.code == PROXY_LOGIN
        assert "hush-hush" not in str(caught.value)
        assert proxy.refused == 1
        assert server.seen == []
        remote.close()


def test_another_way_gives_up_the_tunnels_of_the_former() -> None:
    with ProxyServer() as proxy, loopback(answer(200)) as server:
        remote = HttpRemote("feed", server.url)
        for session in ("a1", "b2", ""):
            login = f"user-kos-session-{session}:{PASSWORD}"
            remote.go_through(f"http://{login}@127.0.0.1:{proxy.port}" if session else None)
            remote.get("/x")
        assert [each.session for each in proxy.passages] == ["a1", "b2"]
        assert len(server.seen) == 3
        assert remote.redact(f"a {PASSWORD} b") == f"a {PASSWORD} b", "no proxy, no login to hide"
        remote.close()


def test_a_socks_proxy_without_its_package_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InvalidSettings, match=r"kos-engine\[socks\]"):
        HttpRemote("feed", "http://feed.invalid", proxy="socks5h://127.0.0.1:1080")


def test_three_redirects_are_followed_and_no_fourth() -> None:
    def hop(number: int) -> Callable[[Handler], None]:
        return answer(302, b"", {"Location": f"/{number}"})

    with loopback(hop(1), hop(2), hop(3), answer(200, b"there")) as server:
        assert remote_to(server).get("/0").body == b"there"
    with (
        loopback(hop(1), hop(2), hop(3), hop(4), answer(200, b"there")) as server,
        pytest.raises(RemoteUnavailable),
    ):
        remote_to(server).get("/0")


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (answer(200), "2xx"),
        (answer(404), "4xx"),
        (answer(429), "429"),
        (answer(403), "refused"),
        (cut, "failed"),
    ],
)
def test_each_request_is_counted_by_how_it_went(
    sent: Callable[[Handler], None], outcome: str
) -> None:
    def counted() -> float:
        return sum(
            meter.value
            for meter in meters.read()
            if meter.name == "http_requests_total"
            and meter.labels == {"remote": "counted", "outcome": outcome}
        )

    before = counted()
    with loopback(sent) as server:
        once = HttpRemote("counted", server.url, retries=RetryPolicy(attempts=1))
        with contextlib.suppress(KosError):
            once.get("/x", accept={200, 404})
    assert counted() == before + 1
