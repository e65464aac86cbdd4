"""One id follows a job through actors and processes."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from kos.runtime.codec import Codec, Kind
from kos.runtime.jobs import current_job, enter_job, job, new_job_id
from kos.runtime.mailbox import Letter, Mailbox
from kos.runtime.protocol import Delivery, Message


class Price(Message, frozen=True, kw_only=True):
    delivery: ClassVar[Delivery] = Delivery.SNAPSHOT

    value: int = 0


def in_thread(work: Any) -> Any:
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(30)
    return found[0]


def test_ids_are_new_each_time_and_short() -> None:
    ids = {new_job_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert max(map(len, ids)) < 16


def test_a_thread_that_works_for_no_job_has_none() -> None:
    assert in_thread(current_job) == ""


def test_a_message_without_a_job_begins_one_that_stays_until_the_next() -> None:
    def handle_two() -> tuple[str, str, str, str]:
        enter_job("")
        first = current_job(), current_job()
        enter_job("")
        return *first, current_job(), in_thread(current_job)

    one, same, other, elsewhere = in_thread(handle_two)
    assert one == same
    assert one
    assert other != one
    assert elsewhere == ""


def test_a_message_with_a_job_goes_on_with_it() -> None:
    def handle() -> str:
        enter_job("abc-1")
        return current_job()

    assert in_thread(handle) == "abc-1"


def test_a_block_has_a_job_of_its_own_and_gives_the_former_back() -> None:
    def nested() -> tuple[str, str, str]:
        with job("outer"):
            with job() as inner:
                seen = current_job()
            return inner, seen, current_job()

    inner, seen, after = in_thread(nested)
    assert inner == seen != "outer"
    assert after == "outer"


def test_the_job_goes_along_in_the_frame() -> None:
    codec = Codec((Price,))
    data = codec.encode(Kind.TELL, 0, "scorer", None, Price(value=3), "abc-1")
    frame = codec.frame(memoryview(data)[4:])
    assert frame.job == "abc-1"
    assert codec.message(frame) == Price(value=3)


def test_a_snapshot_that_replaces_another_brings_its_own_job() -> None:
    box = Mailbox("scorer", 10)
    box.put(Letter(Price(value=1), None, None, "old"))
    box.put(Letter(Price(value=2), None, None, "new"))
    letter = box.take()
    assert (letter.content, letter.job) == (Price(value=2), "new")
