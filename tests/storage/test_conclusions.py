"""What a word leaves behind: kept values, actions of one use, in one commit and once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kos.domain.people.conversation import Action, Kept
from kos.messages import (
    ActionDescribed,
    CommandRecorded,
    CommandRefused,
    Conclude,
    GetAction,
    PersonSeated,
    RecordCreditsSpent,
)
from kos.storage.ledger import Ledger
from kos.storage.transfer import exported, imported
from kos.storage.verify import verify
from tests.storage.desks import NOON, Desk, action, desk_at, promise


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_at(tmp_path / "ledger.db") as desk:
        yield desk


def stored(desk: Desk, name: str) -> Action | None:
    told = desk.ask(GetAction(action_id=name.rjust(16, "-")))
    assert isinstance(told, ActionDescribed)
    return told.action


def kept(name: str, value: str, owner: str = "telegram:7", life: timedelta | None = None) -> Kept:
    return Kept(
        owner=owner, name=name, value=value, expires_at=None if life is None else NOON + life
    )


def test_a_word_leaves_all_it_leaves_in_one_commit(desk: Desk) -> None:
    assert not desk.is_concluded("w1")
    first = desk.conclude(
        said="w1",
        kept=(kept("dialogue", '{"step": 2}'), kept("pause", "true", owner="kos")),
        actions=(action("yes"), action("no")),
        promises=(promise("well"),),
    )
    assert isinstance(first, CommandRecorded)
    assert desk.is_concluded("w1")
    assert desk.kept() == {"telegram:7/dialogue": '{"step": 2}', "kos/pause": "true"}
    assert stored(desk, "yes") == action("yes")
    assert desk.waiting() == ["well"]
    desk.sound()


def test_a_word_that_comes_twice_is_answered_as_at_first_whatever_it_composes(desk: Desk) -> None:
    first = desk.conclude(said="w1", promises=(promise("12 s ago"),))
    again = desk.conclude(
        said="w1", promises=(promise("45 s ago"),), kept=(kept("a", "1"),), used=("unknown",)
    )
    assert again == first
    assert desk.waiting() == ["12 s ago"]
    assert desk.kept() == {}
    desk.reopen()
    assert desk.conclude(said="w1") == first


def test_another_kind_of_command_under_a_words_id_is_refused(desk: Desk) -> None:
    desk.conclude(said="w1")
    spent = RecordCreditsSpent(
        command_id="w1", by="budget", occurred_at=NOON, sport_key="soccer_epl", credits=1
    )
    (answer,) = desk.ledger.execute([spent])
    assert isinstance(answer, CommandRefused)
    assert not desk.is_concluded(""), "no word, no conclusion"
    desk.ledger.execute([msgspec.structs.replace(spent, command_id="spent")])
    assert not desk.is_concluded("spent")


def test_a_button_works_once_and_the_second_press_leaves_nothing(desk: Desk) -> None:
    desk.conclude(actions=(action("yes"), action("no")))
    desk.clock.go(timedelta(minutes=1))
    desk.conclude(used=(action("yes").action_id,), promises=(promise("done"),))
    pressed = stored(desk, "yes")
    assert pressed is not None
    assert pressed.used_at == NOON + timedelta(minutes=1)
    answer = desk.conclude(
        said="w3",
        used=(action("no").action_id, action("yes").action_id),
        kept=(kept("a", "1"),),
        promises=(promise("done again"),),
    )
    assert isinstance(answer, CommandRefused)
    assert "already been used" in answer.reason
    assert not desk.is_concluded("w3"), "refused is not concluded"
    assert desk.waiting() == ["done"]
    assert desk.kept() == {}
    assert stored(desk, "no") == action("no"), "refused whole"
    desk.sound()


def test_two_presses_in_one_commit_are_one(desk: Desk) -> None:
    desk.conclude(actions=(action("yes"),))
    presses = [
        Conclude(
            command_id=f"press {number}",
            by="telegram:7",
            occurred_at=NOON,
            used=(action("yes").action_id,),
            promises=(promise(f"press {number}"),),
        )
        for number in (1, 2)
    ]
    answers = desk.ledger.execute(presses)
    assert [type(each) for each in answers] == [CommandRecorded, CommandRefused]
    assert desk.waiting() == ["press 1"]


def test_an_expired_action_is_used_up_all_the_same(desk: Desk) -> None:
    desk.conclude(actions=(action("yes"),))
    desk.clock.go(timedelta(hours=2))
    assert isinstance(desk.conclude(used=(action("yes").action_id,)), CommandRecorded)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({"used": ("x" * 16,)}, "unknown or has expired"),
        ({"used": (action("yes").action_id,) * 2}, "already been used"),
        ({"actions": (action("yes"),)}, "issued before"),
        ({"actions": (action("new"), action("new"))}, "issued before"),
        ({"actions": (action("ä"),)}, "16 characters"),
        ({"actions": (action("x" * 17),)}, "16 characters"),
        (
            {"actions": (msgspec.structs.replace(action("new"), used_at=NOON),)},
            "new button is unused",
        ),
        ({"actions": (msgspec.structs.replace(action("new"), command=""),)}, "Action command"),
        ({"actions": (msgspec.structs.replace(action("new"), user=""),)}, "can press it"),
        (
            {
                "actions": (
                    msgspec.structs.replace(action("new"), expires_at=datetime(2026, 11, 23, 12)),  # noqa: DTZ001 - that is the point
                )
            },
            "a time with its zone",
        ),
        ({"kept": (kept("a", "{"),)}, "JSON"),
        ({"kept": (kept("a", '"' + "x" * 70_000 + '"'),)}, "at most 65,536"),
        ({"kept": (kept("", "1"),)}, "Kept name"),
        ({"kept": (kept("a", "1", owner=""),)}, "Kept owner"),
        ({"promises": (promise("x", chat=""),)}, "Chat"),
        ({"promises": (promise("x", topic="t" * 201),)}, "Topic"),
        ({"promises": (msgspec.structs.replace(promise("x"), edits=-1),)}, "Edits"),
        ({"promises": (promise("\ud800"),)}, "cannot"),
        ({"actions": (msgspec.structs.replace(action("new"), expected_version=2**70),)}, "cannot"),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(desk: Desk, left: dict[str, Any], said: str) -> None:
    desk.conclude(actions=(action("yes"),))
    answer = desk.conclude(
        kept=(kept("good", "1"), *left.get("kept", ())),
        actions=left.get("actions", ()),
        used=left.get("used", ()),
        promises=(promise("also this"), *left.get("promises", ())),
    )
    assert isinstance(answer, CommandRefused), left
    assert said in answer.reason
    assert desk.kept() == {}
    assert desk.waiting() == []
    assert stored(desk, "yes") == action("yes")
    desk.sound()


def test_kept_values_are_replaced_forgotten_and_expire(desk: Desk) -> None:
    desk.conclude(
        kept=(
            kept("alerts.score", "1"),
            kept("alerts.mute", "2", life=timedelta(hours=1)),
            kept("dialogue", "3"),
            kept("alerts.score", "4", owner="telegram:8"),
        )
    )
    assert desk.kept("telegram:7", "alerts.") == {
        "telegram:7/alerts.mute": "2",
        "telegram:7/alerts.score": "1",
    }
    assert desk.kept(prefix="alerts.s") == {
        "telegram:7/alerts.score": "1",
        "telegram:8/alerts.score": "4",
    }
    desk.conclude(kept=(kept("alerts.score", "5"), kept("dialogue", ""), kept("never", "")))
    desk.clock.go(timedelta(hours=1))
    assert desk.kept("telegram:7") == {"telegram:7/alerts.score": "5"}
    desk.conclude(kept=(kept("alerts.mute", "6", life=timedelta(hours=2)),))
    assert desk.kept("telegram:7", "alerts.m") == {"telegram:7/alerts.mute": "6"}


@pytest.mark.parametrize("name", ["a%", "a_", "ä", "a'b", "😀", "a\U0010ffff"])
def test_a_prefix_is_text_and_no_pattern(desk: Desk, name: str) -> None:
    desk.conclude(kept=(kept(name, "1"), kept("ab", "2")))
    assert list(desk.kept("telegram:7", name)) == [f"telegram:7/{name}"]


def test_what_is_over_goes_by_itself_thirty_days_later(desk: Desk) -> None:
    desk.conclude(
        actions=(action("used"), action("over")),
        kept=(kept("mute", "1", life=timedelta(hours=1)), kept("stays", "2")),
    )
    desk.conclude(used=(action("used").action_id,))
    desk.clock.go(timedelta(days=30))
    desk.conclude()
    assert stored(desk, "over") is not None
    desk.clock.go(timedelta(hours=2))
    desk.conclude()
    assert (stored(desk, "used"), stored(desk, "over")) == (None, None)
    assert desk.ledger.database.rows("SELECT name FROM kept") == [("stays",)]
    desk.sound()


def test_an_export_brings_along_what_still_holds(desk: Desk, tmp_path: Path) -> None:
    desk.seat("telegram:7")
    desk.invite("abc")
    desk.invite("open")
    desk.accept("abc", "telegram:9")
    desk.seat("telegram:7", is_active=False)
    desk.conclude(
        said="w1",
        kept=(kept("stays", "1"), kept("changes", "1")),
        actions=(action("used"), action("open")),
        promises=(promise("sent"), promise("waits", topic="t")),
    )
    desk.conclude(used=(action("used").action_id,), kept=(kept("changes", "2"),))
    assert isinstance(desk.mark(1, message_id=5), CommandRecorded)
    text = list(exported(desk.ledger.database))
    assert imported(desk.ledger, text).refused == ()
    desk.sound()
    before = (desk.people(everybody=True), desk.kept(), desk.outbox().entries[0].promise)
    other = Desk(tmp_path / "other.db")
    try:
        other.clock.go(timedelta(days=3))
        for _ in range(2):
            assert imported(other.ledger, text).refused == ()
            there = (other.people(everybody=True), other.kept(), other.outbox().entries[0].promise)
            assert there == before
        assert other.is_concluded("w1")
        assert stored(other, "open") == action("open")
        assert stored(other, "used") is None
        other.clock.now = NOON
        assert isinstance(other.accept("open", "telegram:10", "new"), PersonSeated)
        other.sound()
    finally:
        other.ledger.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            "DROP TRIGGER outbox_is_settled_once; UPDATE outbox SET answer = '[]'",
            "promise 1 cannot be read",
        ),
        ("UPDATE kept SET sequence = 1", "kept has a row of command 1, a SetPerson"),
        (
            """
            DROP TRIGGER invitations_are_used_once;
            UPDATE invitations SET accepted = 1, accepted_by = 'telegram:99';
            """,
            "accepted by command 1 gave no one access",
        ),
    ],
)
def test_verify_names_what_no_word_left(tmp_path: Path, spoil: str, said: str) -> None:
    with desk_at(tmp_path / "ledger.db") as desk:
        desk.seat("telegram:7")
        desk.invite("abc")
        desk.conclude(kept=(kept("a", "1"),), promises=(promise("x"),))
        desk.ledger.database.raw().executescript(spoil)
        problems = verify(desk.ledger.database, desk.ledger.path).problems
    assert any(said in problem for problem in problems), problems


def test_a_years_conclusions_stay_small(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    empty = path.stat().st_size
    ledger = Ledger(path)
    words = [
        Conclude(
            command_id=f"telegram:7123456789:{900_000_000 + number}",
            by="telegram:123456789",
            occurred_at=NOON,
        )
        for number in range(2_000)
    ]
    for start in range(0, len(words), 50):
        ledger.execute(words[start : start + 50])
    ledger.close()
    assert (path.stat().st_size - empty) / len(words) < 220
