"""Each secret through each way out of the redactor."""

from __future__ import annotations

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
