from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from kos.desk.arguments import (
    Arguments,
    quoted,
    read,
    tidy,
    words_of,
)
from tests.profiles import examples

TYPED = st.text(max_size=60)


@given(TYPED)
@settings(max_examples=examples(100))
def test_tidy_text_stands_on_one_line_and_hides_nothing(text: str) -> None:
    shown = tidy(text, 40)
    assert len(shown) <= 40
    assert shown == shown.strip()
    kept = {"\u200c", "\u200d"}
    assert not [c for c in shown if unicodedata.category(c)[0] in "CZ" and c not in {" ", *kept}]


def test_tidy_takes_out_what_turns_the_line_round() -> None:
    assert tidy("Leeds\u202e sdeeL\x00\nYork\ud800") == "Leeds sdeeL York"


@given(st.lists(TYPED, max_size=4), st.dictionaries(st.sampled_from("abcd"), TYPED, max_size=3))
@settings(max_examples=examples(100))
def test_words_are_read_as_they_were_written(plain: list[str], named: dict[str, str]) -> None:
    spoken = tuple(each for each in plain if each and not words_of(quoted(each)).named)
    words = Arguments(spoken, named)
    assert words_of(words.text()) == words


@given(TYPED)
@settings(max_examples=examples(100))
def test_whatever_is_typed_is_read_as_something(text: str) -> None:
    typed = read(text)
    assert typed.name == "" or typed.text.startswith("/")


def test_a_command_may_name_the_bot() -> None:
    typed = read("/Qualifier_coral@kos_bot stake=10 soccer")
    assert (typed.name, typed.words.plain, typed.words.named) == (
        "qualifier_coral",
        ("soccer",),
        {"stake": "10"},
    )


def test_a_word_with_spaces_stands_in_quotes() -> None:
    assert words_of('event="Leeds v York" a "b c"') == Arguments(
        ("a", "b c"), {"event": "Leeds v York"}
    )
