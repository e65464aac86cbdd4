"""Who may talk to KOS: facts about people, one-time invitations, and what is erased with somebody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kos.domain.offers import facts as f
from kos.domain.people.conversation import Kept, Person, PromiseOutcome, Seat
from kos.domain.people.invitations import code_digest
from kos.messages import (
    CommandRecorded,
    CommandRefused,
    EraseParticipant,
    EverythingListed,
    GetAction,
    GetEverything,
    PersonSeated,
)
from kos.storage.people import NOT_GOOD
from tests.storage.desks import NOON, Desk, action, desk_at, promise
from tests.storage.ledgers import record


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_at(tmp_path / "ledger.db") as desk:
        yield desk


def refusal(answer: object) -> str:
    assert isinstance(answer, CommandRefused)
    return answer.reason


# --- people ---------------------------------------------------------------------------------------


def test_the_last_word_about_a_person_counts(desk: Desk) -> None:
    desk.seat("telegram:7")
    desk.clock.go(timedelta(days=1))
    desk.seat("telegram:7", Seat.PARTICIPANT, "A", name="Ann B", by="telegram:1")
    desk.seat("telegram:8", Seat.ADMIN)
    assert desk.people() == (
        Person(
            user="telegram:7",
            name="Ann B",
            seat=Seat.PARTICIPANT,
            participant="A",
            added_by="local",
            added_at=NOON,
        ),
        Person(
            user="telegram:8",
            name="Ann",
            seat=Seat.ADMIN,
            added_by="local",
            added_at=NOON + timedelta(days=1),
        ),
    )
    desk.sound()


def test_whoever_may_no_more_is_listed_only_when_asked_for(desk: Desk) -> None:
    desk.seat("telegram:7")
    desk.seat("telegram:7", is_active=False)
    assert desk.people() == ()
    (gone,) = desk.people(everybody=True)
    assert (gone.user, gone.is_active, gone.added_at) == ("telegram:7", False, NOON)
    desk.clock.go(timedelta(days=2))
    desk.seat("telegram:7", by="telegram:1")
    (back,) = desk.people()
    assert (back.added_by, back.added_at) == ("telegram:1", NOON + timedelta(days=2))


@pytest.mark.parametrize(
    ("user", "name", "said"),
    [
        ("7", "Ann", "telegram:<user ID>"),
        ("telegram:@ann", "Ann", "usernames can change hands"),
        ("telegram:7 8", "Ann", "telegram:<user ID>"),
        ("telegram:" + "7" * 100, "Ann", "telegram:<user ID>"),
        ("telegram:7", " ", "1 to 200 characters"),
        ("telegram:7", "x" * 201, "1 to 200 characters"),
        ("telegram:7", "\ud800", "cannot be stored"),
    ],
)
def test_what_cannot_be_a_person_is_refused(desk: Desk, user: str, name: str, said: str) -> None:
    assert said in refusal(desk.seat(user, name=name))
    assert desk.people(everybody=True) == ()


def test_a_participants_seat_needs_its_participant(desk: Desk) -> None:
    assert "whose offers and books" in refusal(desk.seat("telegram:7", Seat.PARTICIPANT))


def test_the_same_word_about_a_person_twice_is_one(desk: Desk) -> None:
    first = desk.seat("telegram:7", command_id="once")
    desk.seat("telegram:7", is_active=False)
    assert desk.seat("telegram:7", command_id="once") == first
    assert desk.people() == (), "the repeat does not bring them back"
    other = desk.seat("telegram:8", command_id="once")
    assert "used for another command" in refusal(other)


# --- invitations ----------------------------------------------------------------------------------


def test_a_code_seats_its_bearer_once(desk: Desk) -> None:
    desk.invite("abc", Seat.PARTICIPANT, "A")
    desk.clock.go(timedelta(hours=1))
    seated = desk.accept("abc", "telegram:9", "first")
    assert isinstance(seated, PersonSeated)
    assert seated.person == Person(
        user="telegram:9",
        name="Bea",
        seat=Seat.PARTICIPANT,
        participant="A",
        added_by="local",
        added_at=NOON + timedelta(hours=1),
    )
    assert desk.people() == (seated.person,)
    assert desk.accept("abc", "telegram:9", "first") == seated, "said twice, answered the same"
    desk.reopen()
    assert desk.accept("abc", "telegram:9", "first") == seated, "also after a restart"
    assert refusal(desk.accept("abc", "telegram:10")) == NOT_GOOD
    desk.sound()


def test_unknown_used_and_expired_codes_are_refused_with_the_same_words(desk: Desk) -> None:
    desk.invite("used")
    desk.accept("used", "telegram:9")
    desk.invite("late", life=timedelta(minutes=5))
    desk.clock.go(timedelta(minutes=5))
    said = {
        refusal(desk.accept(code, "telegram:10")) for code in ("used", "late", "never", "", "ü")
    }
    assert said == {NOT_GOOD}
    assert [person.user for person in desk.people()] == ["telegram:9"]


def test_whoever_has_a_seat_uses_no_code_up(desk: Desk) -> None:
    desk.seat("telegram:7", Seat.ADMIN)
    desk.invite("abc")
    assert "already have access" in refusal(desk.accept("abc", "telegram:7"))
    assert "already have access" in refusal(desk.accept("no code", "telegram:7"))
    assert isinstance(desk.accept("abc", "telegram:8"), PersonSeated)


def test_somebody_removed_comes_back_with_a_new_code_only(desk: Desk) -> None:
    desk.invite("one")
    desk.accept("one", "telegram:9")
    desk.seat("telegram:9", is_active=False)
    assert refusal(desk.accept("one", "telegram:9")) == NOT_GOOD
    desk.invite("two")
    assert isinstance(desk.accept("two", "telegram:9"), PersonSeated)
    assert [person.user for person in desk.people()] == ["telegram:9"]


def test_an_invitation_that_can_seat_nobody_is_refused(desk: Desk) -> None:
    assert "later time" in refusal(desk.invite("abc", life=timedelta(0)))
    assert "whose offers" in refusal(desk.invite("abc", Seat.PARTICIPANT))
    assert isinstance(desk.invite("abc"), CommandRecorded)
    assert "issued before" in refusal(desk.invite("abc"))


def test_neither_codes_nor_digests_are_shown(desk: Desk) -> None:
    desk.invite("a-secret-code", Seat.PARTICIPANT, "A")
    desk.accept("a-secret-code", "telegram:9")
    told = desk.ask(GetEverything(participant="A"))
    assert isinstance(told, EverythingListed)
    assert len(told.tables["invitations"]) == 1
    assert code_digest("a-secret-code") not in repr(told)
    desk.ledger.close()
    assert b"a-secret-code" not in desk.ledger.path.read_bytes()
    desk.ledger = Desk(desk.ledger.path).ledger


# --- a participant's person -----------------------------------------------------------------------


def theirs(desk: Desk) -> dict[str, list[dict[str, str | int | None]]]:
    told = desk.ask(GetEverything(participant="A"))
    assert isinstance(told, EverythingListed)
    names = ("people_facts", "invitations", "kept", "actions", "outbox")
    return {name: told.tables[name] for name in names}


def test_what_is_a_persons_is_told_and_erased_with_their_participant(desk: Desk) -> None:
    record(desk.ledger, "A", f.Joined(name="Ann"))
    record(desk.ledger, "B", f.Joined(name="Bob"))
    desk.invite("abc", Seat.OPERATOR)
    desk.accept("abc", "telegram:70001", "accepted")
    desk.seat("telegram:70001", Seat.PARTICIPANT, "A", name="Annabella")
    desk.seat("telegram:80001", Seat.PARTICIPANT, "B", name="Bob")
    for user in ("telegram:70001", "telegram:80001"):
        desk.conclude(
            kept=(Kept(owner=user, name="dialogue", value='{"of": "Annabella"}'),),
            actions=(action(user[-5:], user),),
            promises=(promise(f"hello {user}", user), promise(f"gone {user}", user)),
        )
    desk.conclude(actions=(action("by-admin", "telegram:1", participant="A"),))
    assert isinstance(desk.mark(2, PromiseOutcome.SENT, 5), CommandRecorded)
    told = theirs(desk)
    assert {name: len(rows) for name, rows in told.items()} == {
        "people_facts": 2,
        "invitations": 1,
        "kept": 1,
        "actions": 2,
        "outbox": 2,
    }
    assert "80001" not in repr(told)
    erased = EraseParticipant(
        command_id="erase", by="ann", occurred_at=NOON, participant="A", reason="asked for it"
    )
    assert isinstance(desk.ledger.execute([erased])[0], CommandRecorded)
    assert set(map(len, theirs(desk).values())) == {0}
    assert [person.user for person in desk.people()] == ["telegram:80001"]
    assert desk.waiting() == ["hello telegram:80001", "gone telegram:80001"]
    assert list(desk.kept()) == ["telegram:80001/dialogue"]
    assert "action=None" in repr(desk.ask(GetAction(action_id=action("70001").action_id)))
    desk.sound()
    assert refusal(desk.accept("abc", "telegram:70001", "accepted")) == NOT_GOOD
    assert "was erased" in refusal(desk.seat("telegram:9", Seat.PARTICIPANT, "A"))
    assert "was erased" in refusal(desk.invite("new", Seat.PARTICIPANT, "A"))
    raw = b"".join(file.read_bytes() for file in desk.ledger.path.parent.glob("ledger.db*"))
    assert b"hello telegram:70001" not in raw
    assert b"telegram:70001" not in raw


def test_a_persons_facts_are_neither_changed_nor_removed_otherwise(desk: Desk) -> None:
    desk.seat("telegram:7")
    desk.invite("abc")
    desk.accept("abc", "telegram:9")
    run = desk.ledger.database.raw().execute
    for sql in (
        "UPDATE people_facts SET seat = 'admin'",
        "DELETE FROM people_facts",
        "DELETE FROM invitations",
        "UPDATE invitations SET accepted = NULL, accepted_by = NULL",
        "UPDATE invitations SET seat = 'admin'",
    ):
        with pytest.raises(Exception, match=r"append-only|used once|not removed"):
            run(sql)
