from __future__ import annotations

import pytest

from kos.domain.offers import facts as f
from kos.domain.people.conversation import Seat
from kos.messages import RecordFact
from tests.desk.offices import NOW, Building, data_of, labels, text_of

ADMIN = "telegram:1"


def code_of(building: Building, typed: str, user: str = ADMIN) -> str:
    told = building.hear(typed, user)
    assert not told.is_refused, text_of(told.answers[0])
    return text_of(told.answers[0]).rpartition("/start ")[2].strip()


def test_an_invitation_seats_its_bearer_once(building: Building) -> None:
    code = code_of(building, "/invite operator")
    assert building.hear("/status", "telegram:50").is_stranger
    told = building.hear(f"/start {code}", "telegram:50")
    assert "You are now an operator." in text_of(told.answers[0])
    assert not building.hear("/help", "telegram:50").is_stranger
    assert building.hear(f"/join {code}", "telegram:51").is_stranger


def test_a_code_that_comes_twice_in_the_same_word_is_answered(building: Building) -> None:
    code = code_of(building, "/invite operator")
    said = building.said(f"/start {code}", "telegram:50")
    assert building.desk.hear(said).answers
    assert building.desk.hear(said).answers


def test_the_code_is_stored_nowhere(building: Building) -> None:
    code = code_of(building, "/invite admin")
    assert building.ledger.promises == []
    stored = b"".join(path.read_bytes() for path in building.ledger.path.parent.glob("ledger.db*"))
    assert code.encode() not in stored


def test_an_invitation_ends_with_its_time(building: Building) -> None:
    code = code_of(building, "/invite operator valid=1h")
    building.clock.pass_by(hours=2)
    assert building.hear(f"/start {code}", "telegram:50").is_stranger


def test_a_participant_is_invited_by_name(building: Building) -> None:
    assert building.hear("/invite participant bob", ADMIN).is_refused
    building.ledger(
        RecordFact(
            command_id="j",
            by="t",
            occurred_at=NOW,
            participant="bob",
            fact=f.Joined(name="Bob"),
        )
    )
    code = code_of(building, "/invite participant bob")
    building.hear(f"/join {code}", "telegram:50")
    assert "Balances: bob" in building.text("/balance", "telegram:50")


@pytest.mark.parametrize(
    "typed",
    ["/invite", "/invite king", "/invite admin bob", "/invite operator valid=99d", "/remove x"],
)
def test_what_makes_no_sense_is_refused(building: Building, typed: str) -> None:
    assert building.hear(typed, ADMIN).is_refused


def test_wrong_codes_are_met_with_silence_and_soon_not_looked_at(building: Building) -> None:
    code = code_of(building, "/invite operator")
    for number in range(5):
        told = building.hear(f"/start wrong{number}", "telegram:50")
        assert (told.answers, told.notice, told.is_stranger) == ((), "", True)
    asked = len(building.ledger.commands)
    assert building.hear(f"/start {code}", "telegram:50").is_stranger
    assert len(building.ledger.commands) == asked
    building.clock.pass_by(hours=1)
    assert building.hear(f"/start {code}", "telegram:50").answers


def test_somebody_removed_is_a_stranger_at_once(building: Building) -> None:
    building.seat("telegram:50", Seat.OPERATOR)
    assert not building.hear("/help", "telegram:50").is_stranger
    people = building.hear("/people").answers[0]
    assert "telegram:1: admin, from the settings" in text_of(people)
    asked = building.press(data_of(people, "Remove telegram:50")).answers[0]
    assert labels(asked) == ["Remove", "Cancel"]
    assert not building.hear("/help", "telegram:50").is_stranger
    building.press(data_of(asked, "Remove"))
    assert building.hear("/help", "telegram:50").is_stranger


def test_a_change_from_elsewhere_is_seen_within_seconds(building: Building) -> None:
    assert building.hear("/help", "telegram:50").is_stranger
    building.seat("telegram:50", Seat.OPERATOR)
    building.clock.pass_by(seconds=11)
    assert not building.hear("/help", "telegram:50").is_stranger
    building.seat("telegram:50", Seat.OPERATOR, is_active=False)
    building.clock.pass_by(seconds=11)
    assert building.hear("/help", "telegram:50").is_stranger


def test_the_settings_beat_the_ledger(building: Building) -> None:
    building.seat("telegram:1", Seat.OPERATOR)
    assert not building.hear("/people", "telegram:1").is_refused
    building.seat("telegram:2", Seat.ADMIN)
    assert building.hear("/people", "telegram:2").is_refused


def test_while_the_ledger_is_away_known_people_stay_known(building: Building) -> None:
    building.seat("telegram:50", Seat.OPERATOR)
    building.hear("/help", "telegram:50")
    del building.peers["ledger"]
    building.clock.pass_by(minutes=5)
    assert not building.hear("/qualifier_coral", "telegram:50").is_refused
    assert building.hear("/help", "telegram:51").is_stranger
