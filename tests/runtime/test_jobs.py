"""One id follows a job through actors and processes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kos.runtime import (
    Actor,
    ActorFailed,
    ChildSpec,
    Client,
    Context,
    NodeSpec,
    System,
    connect,
)
from kos.runtime.codec import Codec, FrameKind
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
    data = codec.encode(FrameKind.TELL, 0, "scorer", None, Price(value=3), "abc-1")
    frame = codec.frame(memoryview(data)[4:])
    assert frame.job == "abc-1"
    assert codec.message(frame) == Price(value=3)


def test_a_snapshot_that_replaces_another_brings_its_own_job() -> None:
    box = Mailbox("scorer", 10)
    box.put(Letter(Price(value=1), None, None, "old"))
    box.put(Letter(Price(value=2), None, None, "new"))
    letter = box.take()
    assert (letter.content, letter.job) == (Price(value=2), "new")


class GetJob(Message, frozen=True, kw_only=True):
    """Say for which job this is handled, here and with each of ``via`` after one another."""

    via: tuple[str, ...] = ()


class JobTold(Message, frozen=True, kw_only=True):
    jobs: tuple[str, ...]


class GoOn(Message, frozen=True, kw_only=True):
    """A timer's word, that remembers the job which set it."""

    set_by: str
    is_same_job: bool


class Tellers(Actor):
    """Tells of its jobs; a question sets two timers, and the next tells what became of them."""

    def __init__(self, context: Context, args: Any) -> None:
        super().__init__(context, args)
        self.gone_on: list[str] = []

    def receive(self, message: Message) -> Message | None:
        job_id = self.context.job_id
        match message:
            case GetJob(via=()):
                return JobTold(jobs=(job_id,))
            case GetJob():
                first, *rest = message.via
                answer = self.context.ref(first).ask(GetJob(via=tuple(rest)), timeout_s=20.0)
                assert isinstance(answer, JobTold)
                return JobTold(jobs=(job_id, *answer.jobs))
            case Tell():
                for is_same in (True, False):
                    self.context.after(
                        0, GoOn(set_by=job_id, is_same_job=is_same), is_same_job=is_same
                    )
            case GoOn():
                kept = "kept" if (job_id == message.set_by) is message.is_same_job else "wrong"
                self.gone_on.append(kept)
            case GetTimers():
                return JobTold(jobs=tuple(self.gone_on))
        return None


class Tell(Message, frozen=True, kw_only=True):
    """Set the timers."""


class GetTimers(Message, frozen=True, kw_only=True):
    """What became of the timers."""


SPOKEN = (GetJob, JobTold, GoOn, Tell, GetTimers)


@pytest.fixture
def tellers(tmp_path: Path) -> Iterator[Client]:
    """Three actors in two processes, and a way to ask them."""

    def teller(name: str) -> ChildSpec:
        return ChildSpec(name=name, factory="tests.runtime.test_jobs:Tellers")

    nodes = (
        NodeSpec(name="one", children=(teller("a"), teller("b"))),
        NodeSpec(name="two", children=(teller("c"),)),
    )
    system = System(name="jobs", nodes=nodes, messages=SPOKEN, run_dir=tmp_path / "run")
    system.start()
    thread = threading.Thread(target=system.run)
    thread.start()
    try:
        with connect(tmp_path / "run", SPOKEN) as client:
            yield client
    finally:
        system.request_stop()
        thread.join(30)


def jobs_of(client: Client, actor: str, question: Message) -> tuple[str, ...]:
    told = client.ask(actor, question, timeout_s=30.0)
    assert isinstance(told, JobTold)
    return told.jobs


def test_one_job_goes_through_actors_and_processes(tellers: Client) -> None:
    chain = GetJob(via=("b", "c"))
    first, second = jobs_of(tellers, "a", chain), jobs_of(tellers, "a", chain)
    assert len(first) == len(second) == 3
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]
    with job("of-the-asker"):
        assert jobs_of(tellers, "a", chain) == 3 * ("of-the-asker",)


def test_a_timer_ends_a_job_unless_it_goes_on(tellers: Client) -> None:
    with contextlib.suppress(ActorFailed):  # it gives no answer
        tellers.ask("c", Tell(), timeout_s=30.0)
    deadline = time.monotonic() + 30
    while len(found := jobs_of(tellers, "c", GetTimers())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found == ("kept", "kept")
