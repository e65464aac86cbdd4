"""The outbox: what was promised is listed until it is settled, once, and the newest on its topic."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kos.domain.people.conversation import Answer, Promise, PromiseOutcome, Span, Urgency
from kos.messages import CommandRecorded, CommandRefused
from kos.storage.outbox import MAX_LISTED
from kos.storage.retention import MAX_ROWS
from tests.profiles import examples
from tests.storage.desks import Desk, desk_at, promise, text_of


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_at(tmp_path / "ledger.db") as desk:
        yield desk


def states(desk: Desk) -> list[tuple[int, str, int]]:
    return desk.ledger.database.rows(
        "SELECT entry_id, outcome, message_id FROM outbox ORDER BY entry_id"
    )


def test_the_most_urgent_come_first_and_then_the_oldest(desk: Desk) -> None:
    desk.promise(
        promise("digest", urgency=Urgency.DIGEST),
        promise("alert 1", urgency=Urgency.ALERT),
        promise("done 1"),
    )
    desk.promise(promise("alert 2", urgency=Urgency.ALERT), promise("done 2"))
    assert desk.waiting() == ["done 1", "done 2", "alert 1", "alert 2", "digest"]
    listed = desk.outbox(limit=2)
    assert [text_of(entry.promise) for entry in listed.entries] == ["done 1", "done 2"]
    assert listed.waiting == 5
    assert desk.outbox(limit=-1).entries == ()


def test_a_promise_is_listed_as_it_was_made(desk: Desk) -> None:
    whole = Promise(
        chat="telegram:-100",
        answer=Answer(
            spans=(Span("😀 <b>*_[`\x00\u202e"),), picture=b"\x89PNG", file=b"\xff", file_name="a"
        ),
        urgency=Urgency.ALERT,
        topic="arb:1",
        edits=12,
        expires_at=desk.clock.now + timedelta(hours=1),
    )
    desk.promise(whole)
    desk.reopen()
    (entry,) = desk.outbox().entries
    assert entry.promise == whole
    assert entry.promised_at == desk.clock.now


def test_chats_that_rest_are_counted_and_not_listed(desk: Desk) -> None:
    desk.promise(*(promise(f"{n}", chat=f"telegram:{n % 3}") for n in range(6)))
    listed = desk.outbox(limit=1, without=("telegram:0", "telegram:1"))
    assert [text_of(entry.promise) for entry in listed.entries] == ["2"]
    assert listed.waiting == 6


def test_what_was_sent_waits_no_more(desk: Desk) -> None:
    desk.promise(promise("one"), promise("two"))
    first, second = desk.outbox().entries
    assert isinstance(desk.mark(first.entry_id, message_id=71), CommandRecorded)
    assert desk.waiting() == ["two"]
    assert isinstance(desk.mark(second.entry_id, PromiseOutcome.UNDELIVERABLE), CommandRecorded)
    assert desk.outbox().waiting == 0
    assert states(desk) == [(1, "sent", 71), (2, "undeliverable", 0)]
    assert desk.ledger.database.rows("SELECT answer FROM outbox") == [(None,), (None,)]


def test_the_first_word_on_a_promise_counts_but_that_it_was_sent_after_all(desk: Desk) -> None:
    desk.promise(promise("one"))
    assert isinstance(desk.mark(1, PromiseOutcome.EXPIRED), CommandRecorded)
    assert isinstance(desk.mark(1, PromiseOutcome.UNDELIVERABLE), CommandRecorded)
    assert states(desk) == [(1, "expired", 0)]
    assert isinstance(desk.mark(1, PromiseOutcome.SENT, 71), CommandRecorded)
    assert isinstance(desk.mark(1, PromiseOutcome.SENT, 72), CommandRecorded)
    assert isinstance(desk.mark(1, PromiseOutcome.EXPIRED), CommandRecorded)
    assert states(desk) == [(1, "sent", 71)]


def test_a_delivery_told_twice_gets_the_first_answer(desk: Desk) -> None:
    desk.promise(promise("one"))
    first = desk.mark(1, PromiseOutcome.SENT, 71, "delivered:1")
    assert desk.mark(1, PromiseOutcome.SENT, 99, "delivered:1") == first, "sent twice meanwhile"
    assert states(desk) == [(1, "sent", 71)]
    desk.promise(promise("two"))
    other = desk.mark(2, PromiseOutcome.SENT, 71, "delivered:1")
    assert isinstance(other, CommandRefused)


@pytest.mark.parametrize(
    ("entry_id", "outcome", "message_id", "said"),
    [
        (2, PromiseOutcome.SENT, 0, "There is no promise 2"),
        (0, PromiseOutcome.SENT, 0, "entry_id"),
        (2**63, PromiseOutcome.SENT, 0, "entry_id"),
        (1, PromiseOutcome.WAITING, 0, "the outcome of the delivery"),
        (1, PromiseOutcome.SENT, -1, "message_id"),
        (1, PromiseOutcome.SENT, 2**63, "message_id"),
    ],
)
def test_what_cannot_have_become_of_a_promise_is_refused(
    desk: Desk, entry_id: int, outcome: PromiseOutcome, message_id: int, said: str
) -> None:
    desk.promise(promise("one"))
    answer = desk.mark(entry_id, outcome, message_id)
    assert isinstance(answer, CommandRefused)
    assert said in answer.reason
    assert desk.waiting() == ["one"]


def test_only_the_newest_on_a_topic_waits(desk: Desk) -> None:
    desk.promise(promise("2.00", topic="arb"), promise("2.02", topic="arb"), promise("other"))
    desk.promise(promise("2.02 elsewhere", chat="telegram:8", topic="arb"))
    desk.promise(promise("2.04", topic="arb"))
    assert desk.waiting() == ["other", "2.02 elsewhere", "2.04"]
    assert [state for _, state, _ in states(desk)] == [
        "superseded",
        "superseded",
        "waiting",
        "waiting",
        "waiting",
    ]
    desk.sound()


def test_a_topic_remembers_the_message_that_it_became(desk: Desk) -> None:
    desk.promise(promise("2.00", topic="arb"))
    assert desk.outbox().entries[0].topic_message == 0
    desk.mark(1, message_id=71)
    desk.promise(promise("2.02", topic="arb"), promise("2.02", chat="telegram:8", topic="arb"))
    desk.promise(promise("about nothing"))
    assert [entry.topic_message for entry in desk.outbox().entries] == [71, 0, 0]
    desk.mark(2, message_id=84)
    desk.promise(promise("gone", topic="arb"))
    assert {text_of(e.promise): e.topic_message for e in desk.outbox().entries}["gone"] == 84


def test_a_message_that_was_on_its_way_when_a_newer_came_is_the_topics(desk: Desk) -> None:
    desk.promise(promise("2.00", topic="arb"))
    desk.promise(promise("2.02", topic="arb"))
    assert isinstance(desk.mark(1, PromiseOutcome.SENT, 71), CommandRecorded)
    (entry,) = desk.outbox().entries
    assert (entry.entry_id, entry.topic_message) == (2, 71)
    desk.mark(2, PromiseOutcome.SENT, 71)
    assert desk.waiting() == []


def test_what_is_not_worth_sending_any_more_is_not_listed_and_marked_by_a_later_write(
    desk: Desk,
) -> None:
    noon = desk.clock.now
    desk.promise(promise("soon over", expires_at=noon + timedelta(minutes=5)), promise("stays"))
    desk.promise(promise("over already", expires_at=noon - timedelta(minutes=5)))
    assert desk.waiting() == ["soon over", "stays"]
    desk.clock.go(timedelta(minutes=5))
    assert desk.waiting() == ["stays"]
    assert desk.outbox().waiting == 1
    desk.conclude()
    assert [state for _, state, _ in states(desk)] == ["expired", "waiting", "expired"]
    desk.sound()


def test_what_is_settled_goes_by_itself_in_bounded_pieces(desk: Desk) -> None:
    many = 2 * MAX_ROWS + 50
    over = desk.clock.now + timedelta(hours=1)
    for start in range(0, many, 50):
        desk.promise(*(promise(f"{start + n}", expires_at=over) for n in range(50)))
    desk.promise(promise("stays"), promise("on a topic", topic="arb"))
    desk.mark(many + 2, message_id=71)
    desk.clock.go(timedelta(hours=2))
    left = []
    for _ in range(4):
        desk.conclude()
        left.append(
            desk.ledger.database.value("SELECT COUNT(*) FROM outbox WHERE outcome = 'expired'")
        )
    assert left == [MAX_ROWS, 2 * MAX_ROWS, many, many]
    desk.clock.go(timedelta(days=30, minutes=1))
    desk.conclude()
    assert len(states(desk)) == many + 2 - MAX_ROWS
    for _ in range(3):
        desk.conclude()
    assert states(desk) == [(many + 1, "waiting", 0)]
    desk.promise(promise("later on the topic", topic="arb"))
    assert desk.outbox().entries[-1].topic_message == 0, "too long ago to be edited"
    assert desk.outbox().entries[-1].entry_id == many + 3, "no number is given twice"
    assert isinstance(desk.mark(1), CommandRefused)


def test_a_clock_set_back_does_not_stop_the_tidying(desk: Desk) -> None:
    desk.clock.go(timedelta(days=400))
    desk.conclude()
    desk.clock.go(timedelta(days=-400))
    desk.promise(promise("over", expires_at=desk.clock.now))
    desk.clock.go(timedelta(minutes=2))
    desk.conclude()
    assert states(desk) == [(1, "expired", 0)]


def test_a_list_of_large_files_ends_where_it_gets_too_large(desk: Desk) -> None:
    file = Answer(spans=(), file=bytes(5_000_000), file_name="statement.csv")
    for _ in range(2):
        desk.promise(*(Promise(chat="telegram:7", answer=file) for _ in range(2)))
    listed = desk.outbox()
    assert (len(listed.entries), listed.waiting) == (1, 4)


def test_however_many_are_asked_for_a_list_is_bounded(desk: Desk) -> None:
    for _ in range(11):
        desk.promise(*(promise("x") for _ in range(50)))
    assert len(desk.outbox(limit=10**9).entries) == MAX_LISTED


def test_a_promise_is_not_taken_back_or_made_to_wait_again(desk: Desk) -> None:
    desk.promise(promise("one"), promise("two"))
    desk.mark(2)
    run = desk.ledger.database.raw().execute
    for sql in (
        "DELETE FROM outbox WHERE entry_id = 1",
        "UPDATE outbox SET chat = 'telegram:8' WHERE entry_id = 1",
        "UPDATE outbox SET outcome = 'waiting', answer = '{}', settled_at = NULL",
        "UPDATE outbox SET outcome = 'expired' WHERE entry_id = 2",
    ):
        with pytest.raises(Exception, match=r"not removed|settled once"):
            run(sql)


# --- whatever happens, in whatever order ----------------------------------------------------------


class Made:
    """What the model knows of a promise."""

    def __init__(self, number: int, promised: Promise) -> None:
        self.number = number
        self.promised = promised
        self.outcome = PromiseOutcome.WAITING
        self.message_id = 0
        self.settled_at: datetime | None = None


TOPICS = ("", "arb", "offer")
CHATS = ("telegram:7", "telegram:8")
RANKS = {urgency: rank for rank, urgency in enumerate(Urgency)}


class OutboxMachine(RuleBasedStateMachine):
    """The ledger's outbox beside a list in memory; the file is closed and opened in between."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(Path(self.folder.name) / "ledger.db")
        self.made: list[Made] = []
        self.words: dict[str, CommandRecorded] = {}
        self.sent: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.sound()
            self.desk.ledger.close()
            self.folder.cleanup()

    @rule(
        parts=st.lists(
            st.tuples(
                st.sampled_from(CHATS),
                st.sampled_from(Urgency),
                st.sampled_from(TOPICS),
                st.sampled_from((None, 0, 3, 90)),
            ),
            max_size=4,
        )
    )
    def promise(self, parts: list[tuple[str, Urgency, str, int | None]]) -> None:
        said = f"word {len(self.words)}"
        promises = tuple(
            promise(
                f"{len(self.made) + n}",
                chat,
                urgency,
                topic,
                None if life is None else self.desk.clock.now + timedelta(minutes=life),
            )
            for n, (chat, urgency, topic, life) in enumerate(parts)
        )
        answer = self.desk.conclude(said=said, promises=promises)
        assert isinstance(answer, CommandRecorded)
        self.words[said] = answer
        for promised in promises:
            for other in self.made:
                is_same = (other.promised.chat, other.promised.topic) == (
                    promised.chat,
                    promised.topic,
                )
                if promised.topic and is_same and other.outcome is PromiseOutcome.WAITING:
                    other.outcome = PromiseOutcome.SUPERSEDED
            self.made.append(Made(len(self.made) + 1, promised))

    @precondition(lambda self: self.words)
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        said = data.draw(st.sampled_from(sorted(self.words)))
        assert self.desk.conclude(said=said, promises=(promise("other"),)) == self.words[said]

    @precondition(lambda self: self.made)
    @rule(
        data=st.data(), outcome=st.sampled_from((PromiseOutcome.SENT, PromiseOutcome.UNDELIVERABLE))
    )
    def deliver(self, data: st.DataObject, outcome: PromiseOutcome) -> None:
        made = data.draw(st.sampled_from(self.made))
        message_id = 100 + made.number
        answer = self.desk.mark(made.number, outcome, message_id)
        assert isinstance(answer, CommandRecorded)
        is_open = made.outcome is PromiseOutcome.WAITING
        if is_open or (outcome is PromiseOutcome.SENT and made.outcome is not PromiseOutcome.SENT):
            made.outcome = outcome
            made.message_id = message_id if outcome is PromiseOutcome.SENT else 0

    @rule(minutes=st.sampled_from((1, 5, 100)))
    def wait(self, minutes: int) -> None:
        self.desk.clock.go(timedelta(minutes=minutes))

    @rule()
    def reopen(self) -> None:
        self.desk.reopen()

    @invariant()
    def exactly_what_was_promised_and_not_settled_is_listed(self) -> None:
        now = self.desk.clock.now
        expected = sorted(
            (
                made
                for made in self.made
                if made.outcome is PromiseOutcome.WAITING
                and (made.promised.expires_at is None or made.promised.expires_at > now)
            ),
            key=lambda made: (RANKS[made.promised.urgency], made.number),
        )
        listed = self.desk.outbox()
        assert [entry.entry_id for entry in listed.entries] == [made.number for made in expected]
        assert [entry.promise for entry in listed.entries] == [made.promised for made in expected]
        assert listed.waiting == len(expected)
        for entry in listed.entries:
            assert entry.topic_message == self._message_of(entry.promise)
        self._nothing_sent_comes_back([entry.entry_id for entry in listed.entries])

    def _message_of(self, promised: Promise) -> int:
        if not promised.topic:
            return 0
        became = [
            made.message_id
            for made in self.made
            if made.message_id
            and (made.promised.chat, made.promised.topic) == (promised.chat, promised.topic)
        ]
        return became[-1] if became else 0

    def _nothing_sent_comes_back(self, listed: list[int]) -> None:
        self.sent |= {made.number for made in self.made if made.outcome is PromiseOutcome.SENT}
        assert not self.sent & set(listed)
        assert len(set(listed)) == len(listed)


@pytest.mark.hypothesis
def test_nothing_promised_is_lost_or_listed_again_whatever_happens() -> None:
    run_state_machine_as_test(
        OutboxMachine,
        settings=settings(max_examples=examples(25), stateful_step_count=25, deadline=None),
    )
