"""Each secret through each way out of the redactor."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kos.observability.redact import MASK, Redactor

SHAPES = (
    "GET https://api.example/v4/sports?apiKey=hunter2hunter2&regions=uk",
    "username=jo&password=hunter2hunter2",
    '{"sessionToken": "hunter2hunter2", "loginStatus": "SUCCESS"}',
    "{'token': 'hunter2hunter2'}",
    "X-Authentication: hunter2hunter2",
    "Proxy-Authorization: Basic hunter2hunter2",
    "http://user:hunter2hunter2@proxy.example:8080/",
    "https://t.example/bot123456789:hunter2hunter2hunter2hunter2hunter2abc/getMe",
)


@pytest.mark.parametrize("text", SHAPES)
def test_shapes_of_secrets_are_masked_without_being_registered(text: str) -> None:
    shown = Redactor().text(text)
    assert "hunter2" not in shown
    assert MASK in shown


@given(secret=st.text(min_size=8, max_size=40), before=st.text(), after=st.text())
def test_a_registered_secret_never_shows_whatever_stands_around_it(
    secret: str, before: str, after: str
) -> None:
    redactor = Redactor((secret,))
    shown = redactor.text(f"{before}|{secret}|{after}")
    if secret not in f"{before}|{MASK}|{after}":
        assert secret not in shown


def test_secrets_inside_containers_and_exceptions_are_masked() -> None:
    redactor = Redactor(("s3cr3t-value",))
    value = {"url": ["x s3cr3t-value"], "error": ValueError("bad s3cr3t-value"), "n": 3}
    assert "s3cr3t" not in repr(redactor.value(value))


def test_ordinary_text_is_left_alone() -> None:
    text = "Nottingham Forest v Man Utd at 2.54 (token of the day)"
    assert Redactor(("abc",)).text(text) == text


LOGIN = "http://user-kos-session-1:p%40ss:w%2Frd@gate.example:7000"
PAIR = base64.b64encode(b"user-kos-session-1:p@ss:w/rd").decode()
TOKEN = "123456789:AAH-hunter2_hunter2hunter2hunter2abc"  # noqa: S105 - of no bot


@pytest.mark.parametrize(
    "text",
    [
        f"cannot reach {LOGIN}",
        "password p@ss:w/rd refused",
        "password p%40ss%3Aw%2Frd refused",
        "password p%40ss%3aw%2frd refused",
        f"Proxy-Authorization: Basic {PAIR}",
        f"sent {PAIR} to it",
        f"sent {PAIR.rstrip('=')} to it",
        "user-kos-session-1:p@ss:w/rd",
    ],
)
def test_no_part_of_a_registered_login_shows_in_any_spelling(text: str) -> None:
    shown = Redactor((LOGIN,)).text(text)
    assert not any(part in shown for part in ("p@ss", "p%40ss", PAIR[:12], "w/rd", "w%2")), shown


@given(
    user=st.text("abc-123", min_size=1, max_size=9),
    password=st.text(min_size=8, max_size=20).filter(str.strip),
)
def test_a_login_is_found_as_basic_authorization_whatever_it_is(user: str, password: str) -> None:
    code = base64.b64encode(f"{user}:{password}".encode()).decode()
    url = f"http://{user}:{quote(password, safe='')}@gate.example:7000"
    assert code not in Redactor((url,)).text(f"<{code}>")
    assert quote(password, safe="") not in Redactor((url,)).text(f"<{quote(password, safe='')}>")


@pytest.mark.parametrize(
    "text",
    [
        f"https://t.example/bot{TOKEN}/getMe",
        f"https://t.example/file/bot{TOKEN}/photos/1.jpg",
        f"url='https://t.example/bot{TOKEN.replace(':', '%3A')}/getMe'",
        f"url='https://t.example/bot{TOKEN.replace(':', '%3a')}/getMe'",
        TOKEN,
    ],
)
def test_a_bot_token_is_masked_and_its_public_id_is_left(text: str) -> None:
    shown = Redactor().text(text)
    assert "hunter2" not in shown
    assert "123456789:***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "Max retries exceeded with url: /v4/sports?apiKey=hunter2hunter2 (Caused by x)",
        "401 Client Error: Unauthorized for url: https://x/?regions=uk&api_key=hunter2hunter2",
        'urllib3: "GET /v4/sports?key=hunter2hunter2 HTTP/1.1" 401',
        "https://user:hunter2@hunter2@proxy.example/x",
        "socks5h://user:hunter2hunter2@proxy.example:1080",
        "authorization basic hunter2hunter2hunter2==",
        "Authorization: Bearer hunter2hunter2",
        "{'Proxy-Authorization': 'Basic hunter2hunter2'}",
        "secret=hunter2hunter2&x=1",
    ],
)
def test_what_libraries_print_of_secrets_is_masked(text: str) -> None:
    assert "hunter2" not in Redactor().text(text)


def test_a_value_under_a_secrets_name_is_masked_whatever_it_is() -> None:
    redactor = Redactor()
    assert redactor.fact("token", "hunter2") == MASK
    assert redactor.value({"headers": {"X-Authentication": b"hunter2", "Host": "x"}}) == {
        "headers": {"X-Authentication": MASK, "Host": "x"}
    }
    assert redactor.fact("password", "") == ""


@pytest.mark.parametrize("text", ["sport_key=soccer_epl", "basic information", "12:30 to 14:45"])
def test_what_only_looks_a_little_like_a_secret_is_left_alone(text: str) -> None:
    assert Redactor().text(text) == text
