"""Who may talk to the page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from kos.config.settings import Secret, WebSettings
from kos.web.guard import Sessions
from kos.web.server import WebServer
from tests.web.served import Cast, call, serving

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
    text = call(page, "/opportunities?bookmaker=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
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
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    with_cookie = {"Cookie": cookie.partition(";")[0]}
    assert call(locked, "/opportunities", headers=with_cookie).status == 200
    forged = {"Cookie": cookie.partition(";")[0][:-1] + "x"}
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


def test_a_session_ends_and_belongs_to_one_token() -> None:
    sessions = Sessions(TOKEN)
    cookie = sessions.begin(1000.0)
    assert sessions.is_good(cookie, 1001.0)
    assert not sessions.is_good(cookie, 1000.0 + 31 * 24 * 3600)
    assert not Sessions("another-token-of-16").is_good(cookie, 1001.0)
    assert not sessions.is_good("", 1001.0)
    assert Sessions(TOKEN).is_good(cookie, 1001.0)  # after a restart too
    assert sessions.form_token(cookie) != sessions.form_token(sessions.begin(1000.0))


def test_the_main_process_does_not_import_the_web_server() -> None:
    code = (
        "import sys, kos.main, kos.cli.app;"
        "sys.exit([m for m in ('starlette', 'uvicorn', 'jinja2') if m in sys.modules] != [])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
