"""Who gets what: every command as every seat and as a stranger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kos.desk import TABLE
from kos.desk.command import Command, DeskReply, Subject
from kos.desk.table import by_name
from kos.domain.people.conversation import Seat
from kos.errors import KosBug
from tests.agreed import assert_agreed
from tests.desk.offices import Building, text_of

ALL = frozenset(Seat)
EVERYBODY = (
    "qualifier snr sr refund dutch arbs show view due offers offer start_offer record catalogue take begin"
    " balance profit exposure float statement calc why alerts alert unalert quiet mute digest help start version answer cancel join"
)
STAFF = "status alias settle"
ADMINS = "pause resume recheck people invite remove undo system_alerts"

PEOPLE = {
    "terminal:root": Seat.ADMIN,
    "telegram:1": Seat.ADMIN,
    "telegram:2": Seat.OPERATOR,
    "telegram:3": Seat.OPERATOR,
    "telegram:4": Seat.PARTICIPANT,
}
STRANGERS = ("telegram:99", "web:ann", "telegram:", "", "terminal", "telegram:1 ", "TELEGRAM:1")
MAY = {
    **{name: {Seat.ADMIN, Seat.OPERATOR, Seat.PARTICIPANT} for name in EVERYBODY.split()},
    **{name: {Seat.ADMIN, Seat.OPERATOR} for name in STAFF.split()},
    **{name: {Seat.ADMIN} for name in ADMINS.split()},
}


@pytest.fixture
def seated(building: Building) -> Building:
    building.seat("telegram:3", Seat.OPERATOR)
    building.seat("telegram:4", Seat.PARTICIPANT, "bob")
    building.seat("telegram:5", Seat.OPERATOR, is_active=False)
    return building


def test_every_command_stands_in_this_table() -> None:
    assert {each.name for each in TABLE} == set(MAY)


@pytest.mark.parametrize("name", sorted(MAY))
def test_a_command_is_for_its_seats_only(seated: Building, name: str) -> None:
    for user, seat in PEOPLE.items():
        told = seated.hear(f"/{name}", user)
        answers = [*told.answers, *(each.answer for each in seated.ledger.promises)]
        is_kept_out = any("You do not have access to" in text_of(each) for each in told.answers)
        assert is_kept_out == (seat not in MAY[name]), (user, name)
        assert answers or told.notice
        assert not told.is_stranger


@pytest.mark.parametrize("name", sorted(MAY))
def test_a_stranger_gets_silence_and_nothing_is_done(seated: Building, name: str) -> None:
    before = len(seated.ledger.commands)
    for user in (*STRANGERS, "telegram:5"):
        for told in (
            seated.hear(f"/{name} x", user) if name not in {"start", "join"} else None,
            seated.hear(f"/{name}", user),
            seated.press(f"/{name}", user),
        ):
            if told is not None:
                assert (told.answers, told.notice, told.is_stranger) == ((), "", True), user
    assert len(seated.ledger.commands) == before
    assert seated.ledger.promises == []


def test_words_that_are_no_command_are_silence_for_strangers(seated: Building) -> None:
    for text in ("hello", "", "/nothing", "A" * 16):
        assert seated.hear(text, "telegram:99").is_stranger
        assert seated.press(text or "x", "telegram:99").is_stranger


def test_the_menu_holds_what_a_person_may_use_and_nothing_for_strangers(seated: Building) -> None:
    for user, seat in PEOPLE.items():
        lines = seated.desk.menu(user).lines
        assert 0 < len(lines) <= 100
        names = [line.command for line in lines]
        assert len(set(names)) == len(names)
        for line in lines:
            assert line.command.isascii()
            assert 1 <= len(line.command) <= 32
            assert 1 <= len(line.summary) <= 256
            family = line.command if line.command in MAY else line.command.partition("_")[0]
            assert seat in MAY[family]
        assert "qualifier_coral" in names
    for user in STRANGERS:
        assert seated.desk.menu(user).lines == ()


def test_help_names_what_a_person_may_use(seated: Building) -> None:
    for user, seat in PEOPLE.items():
        shown = text_of(seated.hear("/help", user).answers[0])
        for each in TABLE:
            is_named = f"/{each.name} " in shown
            assert is_named == (not each.is_hidden and seat in MAY[each.name]), each.name


def test_help_of_a_command_says_how_it_is_typed_and_for_whom(seated: Building) -> None:
    shown = text_of(seated.hear("/help qualifier_coral").answers[0])
    assert "[BOOKMAKER] [filters]" in shown
    assert "participants" in shown
    assert "Did you mean /help balance" in text_of(seated.hear("/help ballance").answers[0])
    assert "Unknown command" in text_of(seated.hear("/help recheck", "telegram:4").answers[0])


@pytest.mark.parametrize(
    ("name", "summary", "seats"),
    [
        ("Status", "How KOS is", ALL),
        ("status", "", ALL),
        ("status", "x" * 257, ALL),
        ("status", "How KOS is", frozenset()),
    ],
)
def test_a_command_that_cannot_be_on_every_screen_is_a_bug(
    name: str, summary: str, seats: frozenset[Seat]
) -> None:
    sound = Command("offers", lambda _: DeskReply(), "Open offers", Subject.OFFERS)
    assert by_name([sound]) == {"offers": sound}
    with pytest.raises(KosBug, match=name):
        by_name([replace(sound, name=name, summary=summary, seats=seats)])
    with pytest.raises(KosBug, match="offers"):
        by_name([sound, sound])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/balence", "/balance"), ("/qualifer_coral", "/qualifier"), ("/ofers", "/offers")],
)
def test_a_typo_gets_a_suggestion(seated: Building, typed: str, meant: str) -> None:
    told = seated.hear(typed)
    assert told.is_refused
    assert f"Did you mean {meant}?" in text_of(told.answers[0])


def test_a_suggestion_tells_nobody_of_what_is_not_for_them(seated: Building) -> None:
    assert "recheck" not in text_of(seated.hear("/rechek", "telegram:4").answers[0])


def test_what_each_command_may_do_is_as_agreed() -> None:
    flags = ("is_family", "is_turn", "is_slow", "is_once", "is_hidden")
    lines = [
        f"{command.name}: {', '.join(sorted(command.seats))};"
        f" {' '.join(flag for flag in flags if getattr(command, flag))}"
        for command in TABLE
    ]
    assert_agreed("command_rights.txt", "\n".join(lines))
