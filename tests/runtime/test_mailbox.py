from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.runtime import ActorFailed, MailboxFull, Message, NoSuchActor
from kos.runtime.mailbox import Letter, Mailbox, NewArgs, Order
from kos.runtime.reply import Waiter
from tests.profiles import examples
from tests.runtime.cast import Note, Price, Urgent


def take_all(box: Mailbox) -> list[Message | Order | NewArgs]:
    taken = []
    while not box.is_empty():
        taken.append(box.take().content)
    return taken


def test_control_overtakes_and_the_rest_keep_their_order() -> None:
    box = Mailbox("a", 10)
    for message in (Note(number=1), Price(key="x", number=2), Urgent(number=3), Note(number=4)):
        box.put(Letter(message))
    box.put(Letter(Order.STOP))
    box.put(Letter(Note(number=5)))
    box.put(Letter(Order.PULSE))
    assert take_all(box) == [
        Order.PULSE,
        Urgent(number=3),
        Note(number=1),
        Price(key="x", number=2),
        Note(number=4),
        Order.STOP,
        Note(number=5),
    ]


def test_a_newer_snapshot_takes_the_place_of_the_one_that_waits_but_no_other() -> None:
    box = Mailbox("a", 3)
    for number in range(5):
        box.put(Letter(Price(key="x", number=number)))
    box.put(Letter(Price(key="y", number=7)))
    assert box.take().content == Price(key="x", number=4)
    box.put(Letter(Price(key="x", number=9)))
    assert take_all(box) == [Price(key="y", number=7), Price(key="x", number=9)]
    assert box.conflated == 4


def test_an_asked_snapshot_waits_by_itself_for_somebody_wants_each_answer() -> None:
    box = Mailbox("a", 3)
    for number in range(3):
        box.put(Letter(Price(key="x", number=number), None, Waiter()))
    assert len(box) == 3


def test_a_full_box_refuses_commands_and_new_keys_but_takes_newer_ones() -> None:
    box = Mailbox("a", 2)
    box.put(Letter(Price(key="x", number=1)))
    box.put(Letter(Note(number=1)))
    for message in (Note(number=2), Price(key="y", number=2)):
        with pytest.raises(MailboxFull):
            box.put(Letter(message))
    box.put(Letter(Price(key="x", number=2)))
    assert len(box) == 2
    assert box.dead == {"mailbox_full": 2}


def test_emptying_out_fails_those_who_wait_and_counts_the_lost() -> None:
    box, waiter = Mailbox("a", 5), Waiter()
    box.put(Letter(Note(number=1)))
    box.put(Letter(Note(number=2), None, waiter))
    box.put(Letter(Order.STOP))
    assert box.empty_out("stopped", NoSuchActor("a")) == 2
    assert box.dead == {"stopped": 2}
    with pytest.raises(NoSuchActor):
        waiter.result()
    assert box.is_empty()


def test_a_parked_box_fails_asks_and_keeps_what_was_told() -> None:
    box, waiter = Mailbox("a", 5), Waiter()
    box.put(Letter(Note(number=1)))
    box.put(Letter(Note(number=2), None, waiter))
    box.refusal = ActorFailed("a", "Parked", "why")
    box.empty_asks(box.refusal)
    assert waiter.is_done
    with pytest.raises(ActorFailed):
        box.put(Letter(Note(number=3), None, Waiter()))
    box.put(Letter(Note(number=4)))
    assert take_all(box) == [Note(number=1), Note(number=4)]


@settings(max_examples=examples(60))
@given(
    st.lists(
        st.one_of(
            st.builds(Note, number=st.integers(0, 9)),
            st.builds(Price, key=st.sampled_from("xyz"), number=st.integers(0, 9)),
            st.builds(Urgent, number=st.integers(0, 9)),
            st.none(),
        )
    )
)
def test_nothing_is_lost_uncounted_and_the_newest_snapshot_is_the_one_taken(
    steps: list[Message | None],
) -> None:
    box = Mailbox("a", 4)
    put = taken = 0
    newest: dict[str, int] = {}
    for step in steps:
        if step is None:
            if not box.is_empty():
                content = box.take().content
                taken += 1
                if isinstance(content, Price):
                    assert content.number == newest[content.key]
            continue
        put += 1
        try:
            box.put(Letter(step))
        except MailboxFull:
            continue
        if isinstance(step, Price):
            newest[step.key] = step.number
    assert put == taken + len(box) + box.conflated + box.dead["mailbox_full"]
    assert len(box) <= 8


def test_a_taker_that_waits_is_woken_by_each_of_many_putters() -> None:
    box = Mailbox("a", 10_000)
    seen: list[int] = []

    def take() -> None:
        while True:
            content = box.take().content
            if content is Order.STOP:
                return
            assert isinstance(content, Note)
            seen.append(content.number)

    taker = threading.Thread(target=take)
    taker.start()

    def put(base: int) -> None:
        for number in range(base, base + 500):
            box.put(Letter(Note(number=number)))

    putters = [threading.Thread(target=put, args=(base,)) for base in (0, 1000, 2000)]
    for each in putters:
        each.start()
    for each in putters:
        each.join()
    box.put(Letter(Order.STOP))
    taker.join(10)
    assert len(seen) == 1500
    for base in (0, 1000, 2000):
        own = [number for number in seen if base <= number < base + 1000]
        assert own == sorted(own)
