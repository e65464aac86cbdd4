"""`kos people`: seats and one-time codes at the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kos.db import FILE_NAME
from kos.domain.people.invitations import code_digest
from kos.errors import InvalidInput
from kos.messages import AcceptInvitation, PersonSeated
from kos.storage.ledger import Ledger
from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "kos")


def test_somebody_is_added_listed_and_removed(terminal: Terminal) -> None:
    assert terminal.json("people list") == []
    assert "People: none" in terminal.well("people list")
    told = terminal.well("people add 123456789", "Ann Smith", "--seat", "operator")
    assert told == "telegram:123456789: Ann Smith has the role operator\n"
    (person,) = terminal.json("people list")
    assert (person["user"], person["name"], person["seat"]) == (
        "telegram:123456789",
        "Ann Smith",
        "operator",
    )
    assert person["added_by"]
    assert "Ann Smith" in terminal.well("people list")
    assert "no longer has access" in terminal.well("people remove telegram:123456789")
    assert terminal.json("people list") == []
    (gone,) = terminal.json("people list --all")
    assert gone["is_active"] is False
    assert "none (was operator)" in terminal.well("people list --all")


def test_a_participants_seat_needs_its_participant(terminal: Terminal) -> None:
    refused = terminal.type("people add 5 Ann")
    assert refused.exit_code == 1
    assert "whose offers and books" in refused.stderr
    added = terminal.type("people add 5 Ann --participant A")
    assert added.exit_code == 0
    assert "there is no participant A yet" in added.stderr
    terminal.well("books record B joined name=Bea")
    known = terminal.type("people add 6 Bea -p B --json")
    assert "no participant" not in known.stderr
    assert '"participant":"B"' in known.stdout


@pytest.mark.parametrize("user", ["@ann", "ann", "12a", "\u0665", "terminal:ann"])
def test_a_user_is_named_by_number(terminal: Terminal, user: str) -> None:
    for result in (
        terminal.type("people add", user, "Ann", "--seat", "admin"),
        terminal.type("people remove", user),
    ):
        assert isinstance(result.exception, InvalidInput)
        assert "a Telegram user ID" in str(result.exception)
    assert not terminal.state_dir.exists()


def test_whoever_is_not_known_cannot_be_removed(terminal: Terminal) -> None:
    result = terminal.type("people remove 5")
    assert isinstance(result.exception, InvalidInput)
    assert "kos people list" in str(result.exception)


def test_the_same_key_adds_once(terminal: Terminal) -> None:
    terminal.well("people add 5 Ann --seat admin --key once")
    terminal.well("people remove 5")
    terminal.well("people add 5 Ann --seat admin --key once")
    assert terminal.json("people list") == [], "the repeat changes nothing"


def test_an_invitation_is_shown_once_and_seats_its_bearer(terminal: Terminal) -> None:
    before = datetime.now(UTC)
    result = terminal.type("people invite --seat operator --hours 2")
    assert result.exit_code == 0
    code = result.stdout.strip()
    assert len(code) == 16
    assert f"/start {code}" in result.stderr
    path = terminal.state_dir / FILE_NAME
    assert code.encode() not in path.read_bytes()
    ledger = Ledger(path)
    try:
        ((expires_at,),) = ledger.database.rows("SELECT expires_at FROM invitations")
        good_for = datetime.fromisoformat(expires_at) - before
        assert timedelta(hours=2) <= good_for < timedelta(hours=3)
        (seated,) = ledger.execute(
            [
                AcceptInvitation(
                    command_id="1",
                    by="telegram:5",
                    occurred_at=datetime.now(UTC),
                    code_digest=code_digest(code),
                    user="telegram:5",
                    name="Ann",
                )
            ]
        )
        assert isinstance(seated, PersonSeated)
    finally:
        ledger.close()
    assert [person["seat"] for person in terminal.json("people list")] == ["operator"]


def test_codes_differ_and_are_json_for_a_program(terminal: Terminal) -> None:
    made = [terminal.json("people invite -p A") for _ in range(2)]
    assert made[0]["code"] != made[1]["code"]
    assert made[0]["seat"] == "participant"
    assert datetime.fromisoformat(made[0]["expires_at"]) > datetime.now(UTC)
    assert terminal.type("people invite").exit_code == 1, "a participant's seat needs one"
