from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
import trustme

from kos.adapters.betfair.session import BetfairSession, Credentials
from kos.adapters.http import HttpRemote
from kos.errors import AccessRefused, RemoteUnavailable
from tests.adapters.betfair.conftest import Desk
from tests.adapters.betfair.server import (
    APP_KEY,
    PASSWORD,
    USERNAME,
    FakeBetfair,
    Raw,
    page,
    running,
)
from tests.adapters.loopback import FakeTime


def _refusal(status: str, error: str) -> Raw:
    return Raw(200, json.dumps({"token": "", "status": status, "error": error}).encode())


def test_one_login_serves_all_calls(desk: Desk) -> None:
    assert desk.session.token() == desk.session.token()
    assert desk.fake.logins == ["/api/login"]


def test_a_refused_password_is_asked_once_and_remembered(desk: Desk) -> None:
    client = desk.client_with(password="wrong")  # noqa: S106 - nobody's
    for _ in range(3):
        with pytest.raises(AccessRefused, match="correct the user name and password"):
            client.books(["1.101"])
    desk.time.now_s += 100_000
    with pytest.raises(AccessRefused):
        client.books(["1.101"])
    assert len(desk.fake.logins) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("FAIL", "ACCOUNT_NOW_LOCKED"),
        ("FAIL", "SELF_EXCLUDED"),
        ("FAIL", "TEMPORARY_BAN_TOO_MANY_REQUESTS"),
        ("LOGIN_RESTRICTED", ""),
        ("FAIL", "A_WORD_NOBODY_KNOWS_YET"),
        ("FAIL", "<script>"),
    ],
)
def test_no_refusal_of_a_login_is_tried_again_by_machine(
    desk: Desk, status: str, error: str
) -> None:
    desk.fake.next_logins = [_refusal(status, error)]
    for _ in range(2):
        with pytest.raises(AccessRefused) as refused:
            desk.session.token()
        assert refused.value.remedy
        assert "<" not in str(refused.value)
        desk.time.now_s += 100_000
    assert len(desk.fake.logins) == 1


@pytest.mark.parametrize(
    "answer",
    [page(503), page(200), Raw(200, b"[]"), Raw(200, b"{"), _refusal("FAIL", "INTERNAL_ERROR")],
)
def test_a_login_that_may_mend_waits_before_the_next_try(desk: Desk, answer: Raw) -> None:
    desk.fake.next_logins = [answer]
    with pytest.raises(RemoteUnavailable) as first:
        desk.session.token()
    assert first.value.retry_after_s == 5.0
    with pytest.raises(RemoteUnavailable, match="next login in"):
        desk.session.token()
    assert len(desk.fake.logins) == 1
    desk.time.now_s += 5
    assert desk.session.token()


def test_waits_between_failed_logins_double_up_to_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.fake.next_logins = [page(503)] * 12
    waits = []
    for _ in range(12):
        with pytest.raises(RemoteUnavailable) as error:
            desk.session.token()
        waits.append(error.value.retry_after_s)
        desk.time.now_s += waits[-1] or 0
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 900


def test_sessions_that_end_at_once_make_no_login_storm(desk: Desk) -> None:
    token = desk.session.token()
    for _ in range(50):
        try:
            token = desk.session.renew(token)
        except RemoteUnavailable:
            desk.time.now_s += 1
    assert len(desk.fake.logins) <= 6
    desk.time.now_s += 4_000
    token = desk.session.renew(token)
    desk.session.renew(token)


def test_many_threads_whose_session_ended_make_one_login(desk: Desk) -> None:
    refused = desk.session.token()
    everyone_asks = threading.Barrier(8)

    def renew() -> str:
        everyone_asks.wait(5)
        return desk.session.renew(refused)

    with ThreadPoolExecutor(8) as pool:
        tokens = {future.result() for future in [pool.submit(renew) for _ in range(8)]}
    assert len(tokens) == 1
    assert len(desk.fake.logins) == 2


def test_limited_access_is_enough_to_read(desk: Desk) -> None:
    body = {"token": "abc=", "product": APP_KEY, "status": "LIMITED_ACCESS", "error": ""}
    desk.fake.next_logins = [Raw(200, json.dumps(body).encode())]
    assert desk.session.token() == "abc="


@pytest.mark.parametrize("token", [None, "", 5, "two words", "x" * 600, "line\nbreak", "ü"])
def test_a_token_that_no_header_can_carry_is_no_session(desk: Desk, token: object) -> None:
    body = {"token": token, "status": "SUCCESS", "error": ""}
    desk.fake.next_logins = [Raw(200, json.dumps(body).encode())]
    with pytest.raises(RemoteUnavailable, match="without a usable token"):
        desk.session.token()


def test_keep_alive_extends_at_most_every_quarter_of_an_hour(desk: Desk) -> None:
    assert not desk.session.keep_alive()
    desk.session.token()
    assert not desk.session.keep_alive()
    desk.time.now_s += 901
    assert desk.session.keep_alive()
    assert not desk.session.keep_alive()
    assert desk.fake.keep_alives == 1


def test_keep_alive_that_finds_no_session_leads_to_a_new_login(desk: Desk) -> None:
    first = desk.session.token()
    desk.fake.expire_sessions()
    desk.time.now_s += 3_600
    assert desk.session.keep_alive()
    assert desk.session.token() != first


@pytest.mark.parametrize("answer", [page(503), _refusal("FAIL", "INTERNAL_ERROR")])
def test_keep_alive_in_trouble_keeps_the_session(desk: Desk, answer: Raw) -> None:
    first = desk.session.token()
    desk.fake.next_keep_alives = [answer]
    desk.time.now_s += 3_600
    with pytest.raises(RemoteUnavailable):
        desk.session.keep_alive()
    assert desk.session.token() == first


def test_log_out_ends_the_session_and_never_raises(desk: Desk) -> None:
    desk.session.log_out()
    assert desk.fake.logouts == 0
    desk.session.token()
    desk.session.log_out()
    assert desk.fake.tokens == set()
    assert desk.fake.logouts == 1


def test_log_out_without_a_server_is_quiet(fake: FakeBetfair) -> None:
    time = FakeTime()
    remote = HttpRemote("betfair", fake.url, clock=time.clock, sleep=time.sleep)
    dead = HttpRemote("betfair", "http://127.0.0.1:9", clock=time.clock, sleep=time.sleep)
    session = BetfairSession(Credentials(USERNAME, PASSWORD, APP_KEY), remote)
    session.token()
    session._identity = dead
    session.log_out()
    remote.close()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate_server(authority: trustme.CA) -> Iterator[FakeBetfair]:
    """A login server that wants a client certificate."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.configure_trust(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    with running(FakeBetfair(), tls) as server:
        yield server


def test_certificate_login_shows_the_client_certificate(
    certificate_server: FakeBetfair, authority: trustme.CA, tmp_path: Path
) -> None:
    certificate, key, ca = tmp_path / "kos.crt", tmp_path / "kos.key", tmp_path / "ca.pem"
    client = authority.issue_cert("kos@example.org")
    client.cert_chain_pems[0].write_to_path(certificate)
    client.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    remote = HttpRemote(
        "betfair", certificate_server.url, client_cert=(str(certificate), str(key)), ca=str(ca)
    )
    identity = HttpRemote("betfair", certificate_server.url, ca=str(ca))
    session = BetfairSession(Credentials(USERNAME, PASSWORD, APP_KEY), identity, remote)
    assert session.token().startswith("secret-token-")
    assert certificate_server.logins == ["/api/certlogin"]
    remote.close()
    identity.close()


def test_certificate_login_is_refused_by_name_without_its_secrets(
    fake: FakeBetfair,
) -> None:
    remote = HttpRemote("betfair", fake.url)
    fake.next_logins = [Raw(200, b'{"loginStatus":"CERT_AUTH_REQUIRED"}')]
    session = BetfairSession(Credentials(USERNAME, PASSWORD, APP_KEY), remote, remote)
    with pytest.raises(AccessRefused, match="CERT_AUTH_REQUIRED"):
        session.token()
    remote.close()


def test_no_secret_is_in_a_log_a_repr_or_an_error(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        token = desk.session.token()
        desk.time.now_s += 1_000
        desk.session.keep_alive()
        desk.fake.expire_sessions()
        desk.client.books(["1.101"])
        desk.session.log_out()
        desk.fake.next_logins = [page(503)]
        desk.time.now_s += 10_000
        with pytest.raises(RemoteUnavailable) as error:
            desk.session.token()
    credentials = Credentials(USERNAME, PASSWORD, APP_KEY)
    shown = f"{events} {caplog.text} {error.value!r} {desk.session!r} {credentials!r}"
    for secret in (token, PASSWORD, USERNAME, APP_KEY):
        assert secret not in shown
