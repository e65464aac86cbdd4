"""Who may talk to the page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator

import pytest
from itsdangerous import TimestampSigner

from kos.config.settings import Secret, WebSettings
from kos.web.guard import COOKIE, Sessions
from kos.web.server import WebServer
from tests.web.served import Cast, Fields, call, serving

TOKEN = "correct-horse-battery"  # noqa: S105 - a test's


@pytest.fixture(scope="module")
def page() -> Iterator[WebServer]:
    with serving(Cast()) as server:
        yield server


@pytest.fixture
def locked() -> Iterator[WebServer]:
    with serving(Cast(), WebSettings(port=0, token=Secret(TOKEN))) as server:
        yield server


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:8700", 200),
        ("[::1]:8700", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:8700", 400),
        ("", 400),
    ],
)
def test_a_name_that_could_be_rebound_is_refused(page: WebServer, host: str, status: int) -> None:
    assert call(page, "/opportunities", headers={"Host": host}).status == status


def test_every_answer_bears_the_headers_of_the_policy(page: WebServer) -> None:
    for path in ("/opportunities", "/static/kos.css", "/nowhere", "/opportunities?stake=x"):
        headers = call(page, path).headers
        policy = str(headers["content-security-policy"])
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_page_has_no_script_or_style_of_its_own(page: WebServer) -> None:
    text = call(page, "/opportunities").text
    assert "<style" not in text
    assert " style=" not in text
    assert "//" not in text.replace("http://www.w3.org", "")


def test_text_of_the_address_is_escaped(page: WebServer) -> None:
    text = call(page, "/opportunities?stake=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_page_that_does_not_exist_says_so_in_words(page: WebServer) -> None:
    answer = call(page, "/nowhere")
    assert answer.status == 404
    assert "There is no page at this address." in answer.text


def test_without_a_token_nobody_logs_in(page: WebServer) -> None:
    assert call(page, "/login").status == 303


def test_a_locked_page_shows_nothing_before_the_login(locked: WebServer) -> None:
    assert call(locked, "/opportunities").headers["location"] == "/login"
    assert call(locked, "/opportunities/stream", headers={"Accept": "*/*"}).status == 401
    assert call(locked, "/healthz").text == "ok\n"


def test_the_right_token_opens_the_page_with_a_cookie_no_script_can_read(locked: WebServer) -> None:
    answer = call(locked, "/login", form={"token": TOKEN})
    assert answer.status == 303
    cookie = str(answer.headers["set-cookie"])
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    session = cookie.partition(";")[0]
    assert call(locked, "/opportunities", headers={"Cookie": session}).status == 200
    # The first letter of the signature: the last one has bits that count for nothing.
    head, _, signature = session.rpartition(".")
    other = "A" if signature[0] != "A" else "B"
    forged = {"Cookie": f"{head}.{other}{signature[1:]}"}
    assert call(locked, "/opportunities", headers=forged).status == 303


def test_guessing_is_stopped_after_a_few_attempts(locked: WebServer) -> None:
    statuses = [call(locked, "/login", form={"token": "wrong"}).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert call(locked, "/login", form={"token": TOKEN}).status == 429


def test_a_post_from_elsewhere_is_refused(locked: WebServer) -> None:
    form = {"token": TOKEN}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ):
        assert call(locked, "/login", form=form, headers=headers).status == 403


def test_a_form_without_the_pages_token_is_refused(page: WebServer) -> None:
    answer = call(page, "/logout", form={"form_token": "0" * 64})
    assert answer.status == 403
    assert "Reload" in answer.text


def cookie_of(token: str, age_s: float) -> dict[str, str]:
    """The cookie of a login with ``token`` so long ago."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - age_s)

    session = b64encode(json.dumps({"form_token": "f" * 32}).encode())
    return {"Cookie": f"{COOKIE}={Signer(Sessions(token).key).sign(session).decode()}"}


def test_a_session_ends_after_a_month_and_belongs_to_one_token(locked: WebServer) -> None:
    def status(cookie: dict[str, str]) -> int:
        return call(locked, "/opportunities", headers=cookie).status

    day_s = 24 * 3600
    assert status(cookie_of(TOKEN, 29 * day_s)) == 200  # whichever run gave it out
    assert status(cookie_of(TOKEN, 31 * day_s)) == 303
    assert status(cookie_of("another-token-of-16", 60)) == 303
    assert status({"Cookie": f"{COOKIE}=null"}) == 303
    assert status({"Cookie": f"{COOKIE}="}) == 303


def test_each_login_has_a_form_token_of_its_own_and_ends_with_the_logout(locked: WebServer) -> None:
    def log_in() -> tuple[dict[str, str], str]:
        cookie = str(call(locked, "/login", form={"token": TOKEN}).headers["set-cookie"])
        headers = {"Cookie": cookie.partition(";")[0]}
        found = re.search(
            r'name="form_token" value="(\w+)"', call(locked, "/books", headers=headers).text
        )
        assert found is not None
        return headers, found[1]

    (cookie, form_token), (_, other) = log_in(), log_in()
    assert call(locked, "/logout", form={"form_token": other}, headers=cookie).status == 403
    assert call(locked, "/logout", form={"form_token": ""}, headers=cookie).status == 403
    ended = call(locked, "/logout", form={"form_token": form_token}, headers=cookie)
    assert ended.headers["location"] == "/login"
    assert str(ended.headers["set-cookie"]).startswith(f"{COOKIE}=null; path=/; expires=Thu, 01")
    assert not Sessions(TOKEN).is_form_token({}, "")


def test_a_cookie_got_over_tls_is_sent_over_tls_alone(locked: WebServer) -> None:
    form = {"token": TOKEN}
    tls = {"Host": "localhost", "Origin": "https://localhost"}
    assert "secure" in str(call(locked, "/login", form=form, headers=tls).headers["set-cookie"])
    assert "secure" not in str(call(locked, "/login", form=form).headers["set-cookie"])


def test_a_post_that_does_not_say_where_it_comes_from_is_refused(locked: WebServer) -> None:
    form = {"token": TOKEN}
    assert call(locked, "/login", form=form, headers={"Sec-Fetch-Site": None}).status == 403
    host = {"Host": "localhost", "Sec-Fetch-Site": None, "Origin": "http://localhost"}
    assert call(locked, "/login", form=form, headers=host).status == 303


@pytest.mark.parametrize(
    ("form", "kind", "status", "words"),
    [
        ({"token": TOKEN}, "application/json", 415, "Only forms"),
        ({"token": TOKEN}, "multipart/form-data; boundary=x", 415, "Only forms"),
        ({"token": "x" * 64 * 1024}, None, 413, "limit is 64 kB"),
        ([("token", TOKEN), ("token", TOKEN)], None, 400, "has a field twice"),
        ([(str(i), "") for i in range(201)], None, 400, "could not read this form"),
        ([(str(i), "") for i in range(199)] + [("token", TOKEN)], None, 303, ""),
    ],
)
def test_a_form_of_another_kind_too_large_or_ambiguous_is_refused(
    locked: WebServer, form: Fields, kind: str | None, status: int, words: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = call(locked, "/login", form=form, headers=headers)
    assert answer.status == status
    assert words in answer.text


def test_the_main_process_does_not_import_the_web_server() -> None:
    code = (
        "import sys, kos.main, kos.cli.app;"
        "sys.exit([m for m in ('starlette', 'uvicorn', 'jinja2') if m in sys.modules] != [])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
