"""Whatever a bot writes, the sandbox keeps it within Telegram's own bounds or refuses it."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kos.sandbox.telegram_form import Form, Refusal
from kos.sandbox.telegram_text import TEXT_LIMIT, Formatted, message_text, parse_html, units
from tests.profiles import examples

WORDS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\r\n\t \x07\u202e\u200f🏇<>&b/")),
    max_size=60,
)


def span(entity: dict[str, Any], text: str) -> str:
    raw = text.encode("utf-16-le")
    return raw[2 * entity["offset"] :][: 2 * entity["length"]].decode("utf-16-le")


def kept_or_refused(form: Form) -> tuple[str, Formatted | None]:
    """Gives the refusal's words, or what was kept."""
    try:
        return "", message_text(form)
    except Refusal as refusal:
        return refusal.description, None


@settings(max_examples=examples(150))
@given(WORDS, WORDS, WORDS)
def test_an_entity_covers_the_same_words_after_cleaning(
    before: str, inside: str, after: str
) -> None:
    assume(inside.strip())
    entity = {"type": "bold", "offset": units(before), "length": units(inside)}
    form = Form({"text": before + inside + after, "entities": json.dumps([entity])})
    refusal, kept = kept_or_refused(form)
    if kept is None:
        assert refusal == "Bad Request: text must be non-empty"
        return
    assert 0 < units(kept.text) <= TEXT_LIMIT
    for row in kept.entities:
        assert row["offset"] >= 0
        assert row["offset"] + row["length"] <= units(kept.text)
        _, alone = kept_or_refused(Form({"text": inside}))
        assert span(row, kept.text).strip() == (alone.text.strip() if alone else "")


@settings(max_examples=examples(150))
@given(WORDS, WORDS)
def test_escaped_words_survive_html_as_they_are(outside: str, inside: str) -> None:
    text, entities = parse_html(f"{escape(outside)}<b>{escape(inside)}</b>")
    assert text == outside + inside
    assert [span(row, text) for row in entities] == [inside] * bool(inside)


@pytest.mark.parametrize("mode", ["", "HTML"])
def test_half_a_character_is_refused_as_telegram_does(mode: str) -> None:
    refusal, _ = kept_or_refused(Form({"text": "a\ud800", "parse_mode": mode}))
    assert refusal == "Bad Request: strings must be encoded in UTF-8"


@settings(max_examples=examples(150))
@given(WORDS)
def test_any_html_is_parsed_or_refused(source: str) -> None:
    refusal, kept = kept_or_refused(Form({"text": source + ".", "parse_mode": "HTML"}))
    if kept is None:
        assert refusal.startswith("Bad Request: can't parse entities: ")
    else:
        assert all(row["offset"] + row["length"] <= units(kept.text) for row in kept.entities)
