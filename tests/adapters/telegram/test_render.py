"""Answers as Telegram takes them: whatever is said, entities agree, limits hold, nothing is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.telegram.render import (
    MAX_ENTITIES,
    MAX_LABEL,
    Entity,
    MessageForm,
    Outgoing,
    StyledText,
    notice_text,
    rendered,
    shown_text,
    split,
    text_of,
    units,
)
from kos.domain.people.conversation import (
    MAX_CAPTION,
    MAX_DATA,
    MAX_NOTICE,
    MAX_TEXT,
    Answer,
    Button,
    Span,
    Style,
)
from tests.profiles import examples


def piece(text: StyledText, entity: Entity) -> str:
    raw = text.text.encode("utf-16-le", "surrogatepass")
    cut = raw[entity.offset * 2 : (entity.offset + entity.length) * 2]
    return cut.decode("utf-16-le", "surrogatepass")


def test_styles_are_entities_and_markup_stays_text() -> None:
    (message,) = rendered(
        Answer(
            spans=(
                Span("Offer "),
                Span("<b>Coral</b> & *co* 😀", Style.BOLD),
                Span(" ends", Style.ITALIC),
            )
        )
    )
    assert message.text.text == "Offer <b>Coral</b> & *co* 😀 ends"
    bold, italic = message.text.entities
    assert (bold.kind, piece(message.text, bold)) == ("bold", "<b>Coral</b> & *co* 😀")
    assert (italic.kind, piece(message.text, italic)) == ("italic", " ends")


def test_a_table_stands_on_lines_of_its_own() -> None:
    text = text_of((Span("Balances"), Span("a  1\nb  2", Style.TABLE)))
    assert text.text == "Balances\na  1\nb  2"
    assert [each.kind for each in text.entities] == ["pre"]


def test_only_plain_https_links_are_links() -> None:
    links = ("https://sports.coral.co.uk/bet", "http://x.invalid", "javascript:x", "https://a@b")
    text = text_of(tuple(Span("here", Style.LINK, url) for url in links))
    assert [each.url for each in text.entities] == [links[0]]


def test_a_long_text_is_split_at_lines_and_its_style_goes_on() -> None:
    lines = [f"line {number} of the table" for number in range(600)]
    whole = "\n".join(lines)
    parts = rendered(Answer(spans=(Span(whole, Style.TABLE),), buttons=((Button("ok", "/ok"),),)))
    assert len(parts) > 1
    assert "\n".join(part.text.text for part in parts) == whole
    assert all(part.text.entities == (Entity("pre", 0, units(part.text.text)),) for part in parts)
    assert [bool(part.buttons) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_what_does_not_fit_a_caption_follows() -> None:
    text = "\n".join("profit" for _ in range(400))
    picture, follower = rendered(Answer(spans=(Span(text),), picture=b"png"))
    assert picture.form is MessageForm.PICTURE
    assert units(picture.text.text) <= MAX_CAPTION
    assert follower.form is MessageForm.TEXT
    assert f"{picture.text.text}\n{follower.text.text}" == text


def test_a_files_name_can_lead_nowhere() -> None:
    (sent,) = rendered(Answer(spans=(), file=b"a", file_name="../../etc/pass wd.csv"))
    assert sent.file_name == "etcpasswd.csv"
    (bare,) = rendered(Answer(spans=(), file=b"a", file_name="…"))
    assert bare.file_name == "file"


def test_an_answer_of_nothing_is_still_a_message() -> None:
    for spans in ((), (Span(" \n"),), (Span("\u202e\u0000"),)):
        assert [part.text.text for part in rendered(Answer(spans=spans))] == ["(nothing)"]


def test_buttons_that_telegram_would_refuse_are_left_out_or_cut() -> None:
    row = (Button("x" * 200, "/a"), Button("too long", "d" * 65), Button("\u0000", "/b"))
    (message,) = rendered(Answer(spans=(Span("a"),), buttons=(row, (Button("empty", ""),))))
    assert [[each.data for each in line] for line in message.buttons] == [["/a", "/b"]]
    assert message.buttons[0][1].label == "?"


foreign = st.text(
    st.characters(codec=None) | st.sampled_from("<>&*_`[]()\n\t 😀\u202e\u200f\u0000"), max_size=300
)
spans = st.lists(
    st.builds(
        Span,
        foreign | st.builds(lambda text, times: text * times, foreign, st.integers(1, 60)),
        st.sampled_from(Style),
        st.sampled_from(["", "https://coral.co.uk/x", "ftp://x"]),
    ),
    max_size=12,
).map(tuple)
buttons = st.lists(
    st.lists(st.builds(Button, foreign, st.text(max_size=80)), max_size=4).map(tuple), max_size=4
).map(tuple)


def check(message: Outgoing, *, most: int) -> None:
    text = message.text
    assert units(text.text) <= most
    assert len(text.entities) <= MAX_ENTITIES
    assert text.text == shown_text(text.text)
    text.text.encode("utf-8")
    for entity in text.entities:
        assert entity.length > 0
        assert entity.offset + entity.length <= units(text.text)
        piece(text, entity).encode("utf-8")  # no half of a character
    for button in (button for row in message.buttons for button in row):
        assert 1 <= len(button.data.encode()) <= MAX_DATA
        assert 1 <= len(button.label) <= MAX_LABEL


@settings(max_examples=examples(150), deadline=None)
@given(spans, buttons, st.sampled_from([b"", b"png"]))
def test_whatever_is_said_fits_and_nothing_but_line_breaks_is_lost(
    said: tuple[Span, ...], under: tuple[tuple[Button, ...], ...], picture: bytes
) -> None:
    parts = rendered(Answer(spans=said, buttons=under, picture=picture))
    assert parts
    for number, part in enumerate(parts):
        is_caption = number == 0 and bool(picture)
        check(part, most=MAX_CAPTION if is_caption else MAX_TEXT)
        assert part.text.text.strip() or is_caption

    def bare(text: str) -> str:
        return "".join(text.split())

    whole = bare("".join(part.text.text for part in parts))
    wanted = bare("".join(shown_text(span.text) for span in said))
    assert whole == wanted or (not wanted and whole == "(nothing)")


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=400), st.integers(1, 60))
def test_a_split_text_is_whole_again(text: str, most: int) -> None:
    pieces = split(StyledText(text), most)
    assert all(units(each.text) <= max(most, 2) for each in pieces)
    assert "".join(each.text for each in pieces).replace("\n", "") == text.replace("\n", "")


@given(foreign)
def test_a_notice_fits(text: str) -> None:
    assert len(notice_text(text)) <= MAX_NOTICE
