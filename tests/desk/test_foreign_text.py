"""Whatever is typed, and whatever names come from outside: always an answer, within the limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kos.desk import TABLE
from kos.desk.formatting import MAX_SPANS, bold, link, say, units
from kos.domain.people.conversation import (
    MAX_CAPTION,
    MAX_DATA,
    MAX_NOTICE,
    MAX_TEXT,
    Answer,
    Style,
)
from kos.messages import OperatorAnswered
from tests import builders as b
from tests.desk.offices import NOW, Building, fill_scorer
from tests.profiles import examples

HARD = st.sampled_from(
    [
        "A" * 10_000,
        "<b>bold</b> [link](http://x) *_`~|",
        "\u202egnp.exe\u2066",
        "😀" * 3000,
        "\x00\x01\x1b[31m",
        "عربى" * 50,
        '"unbalanced',
        "\\" * 40,
        "=1+1",
        "page=-1",
        "stake=1e400",
        "\ud800",
        "%s %d {0} {x.__class__}",
        "'; DROP TABLE offers; --",
        "\n\n/pause",
    ]
)
TEXT = st.one_of(HARD, st.text(max_size=40), st.text("0123456789=-./ £abcdef", max_size=30))
NAME = TEXT.filter(lambda text: "\ud800" not in text)
"""What JSON can bring; a lone surrogate is refused where it comes in."""
NAMES = sorted({each.name for each in TABLE} | {"qualifier_coral", "snr_laid", "nothing", ""})


def assert_shown_everywhere(told: OperatorAnswered, promised: list[Answer]) -> None:
    assert told.answers or told.notice or promised
    assert len(told.notice) <= MAX_NOTICE
    for each in (*told.answers, *promised):
        text = "".join(span.text for span in each.spans)
        has_caption = bool(each.picture or each.file_name)
        assert units(text) <= (MAX_CAPTION if has_caption else MAX_TEXT)
        assert has_caption or text.strip()
        assert len(each.spans) <= MAX_SPANS + 1
        assert "Traceback" not in text
        assert "KOS failed" not in text, text
        assert all(span.text for span in each.spans)
        for span in each.spans:
            assert not span.url or (span.style is Style.LINK and span.url.startswith("https://"))
            assert "\u202e" not in span.text
            assert "\x00" not in span.text
        labels = [one for row in each.buttons for one in row]
        assert len(labels) <= 100
        assert all(len(row) <= 8 for row in each.buttons)
        assert all(1 <= len(one.data.encode()) <= MAX_DATA and one.label for one in labels)


@pytest.fixture(scope="module")
def open_building(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("desk")
    made = Building(folder)
    fill_scorer(made.scorer)
    yield made
    made.close()


@pytest.mark.parametrize("name", NAMES)
@given(arguments=st.lists(TEXT, max_size=3), user=st.sampled_from(["terminal:ann", "telegram:1"]))
@settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_words_to_any_command_are_answered(
    open_building: Building, name: str, arguments: list[str], user: str
) -> None:
    before = len(open_building.ledger.promises)
    text = " ".join((f"/{name}" if name else "", *arguments))
    told = open_building.hear(text, user)
    assert_shown_everywhere(told, [each.answer for each in open_building.ledger.promises[before:]])


@given(data=st.one_of(TEXT, st.text("ABCabc012_-", min_size=16, max_size=16)))
@settings(max_examples=examples(60), deadline=None)
def test_any_forged_button_gets_a_notice_or_an_answer(open_building: Building, data: str) -> None:
    if data:
        count = len(open_building.ledger.commands)
        told = open_building.press(data)
        assert_shown_everywhere(told, [])
        if not data.startswith("/"):
            assert told.is_refused
            assert len(open_building.ledger.commands) == count


@given(home=NAME, away=NAME, title=NAME)
@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_names_from_the_feed_are_shown_as_text(
    open_building: Building, home: str, away: str, title: str
) -> None:
    if not (home and away) or home == away:
        return
    quotes = b.event(
        b.bookmaker("coral", b.quotes_market({home: "2.5", away: "3.0"}), title=title or "x"),
        b.bookmaker(
            "smarkets",
            b.quotes_market({home: "2.6", away: "3.2"}, key="h2h_lay", limits={home: 99, away: 99}),
        ),
        id="hard",
        sport_key="tennis_hard",
        home=home,
        away=away,
    )
    open_building.scorer.picture.apply_quotes("tennis_hard", [quotes], NOW)
    told = open_building.hear("/qualifier_coral tennis_hard")
    assert_shown_everywhere(told, [])
    for row in told.answers[0].buttons:
        for each in row:
            assert_shown_everywhere(open_building.press(each.data), [])


@given(url=st.one_of(TEXT, TEXT.map("https://host/{}".format)))
@settings(max_examples=examples(40), deadline=None)
def test_a_link_leads_only_where_its_text_shows(url: str) -> None:
    span = link("Open", url)
    assert span.text == "Open"
    assert not span.url or (span.url.startswith("https://") and span.url.isprintable())


@pytest.mark.parametrize(
    "url", ["http://x.test", "javascript:alert(1)", "https://a@b.test", "https://a b", "tg://x", ""]
)
def test_what_is_no_plain_https_address_is_no_link(url: str) -> None:
    assert link("Open", url).url == ""


def test_what_is_too_long_for_the_screen_is_cut_within_its_part_and_says_so() -> None:
    answer = say("a" * (MAX_TEXT - 3), bold("b" * 10), "never shown")
    first, second = answer.spans
    assert first.text == "a" * (MAX_TEXT - 3)
    assert second.text.startswith("b")
    assert second.text.endswith("…")
    assert second.style is Style.BOLD
    assert sum(units(span.text) for span in answer.spans) <= MAX_TEXT
