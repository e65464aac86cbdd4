from __future__ import annotations

import unicodedata
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.desk.arguments import (
    Arguments,
    count_of,
    odds_of,
    pounds_of,
    quoted,
    read,
    span_of,
    tidy,
    words_of,
)
from kos.errors import InvalidInput
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


def test_amounts_odds_and_times() -> None:
    assert pounds_of("stake", "£1,000.50") == Decimal("1000.50")
    assert odds_of("odds", "2.5") == Decimal("2.5")
    assert span_of("within", "90m") == timedelta(minutes=90)
    assert span_of("within", "2") == timedelta(hours=2)
    assert count_of("page", "3") == 3


@pytest.mark.parametrize("text", ["", "nan", "-1", "1e9", "0.001", "9" * 50, "inf", "١٢", "£"])
def test_what_is_no_amount_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="Stake"):
        pounds_of("stake", text)


@pytest.mark.parametrize("text", ["", "0m", "m", "1w", "99999999h", "-2h", "²h"])
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="Within"):
        span_of("within", text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "²", "9" * 5000, ""])
def test_what_is_no_count_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="Page"):
        count_of("page", text)
