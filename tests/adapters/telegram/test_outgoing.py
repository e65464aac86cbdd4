"""The outgoing queue: within the limits, most urgent first, nobody held up by another."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.adapters.telegram.outgoing import Job, Limits, OutgoingQueue, Rank
from tests.profiles import examples

LIMITS = Limits()


def queue() -> OutgoingQueue[str]:
    return OutgoingQueue(LIMITS, 0.0)


def drain(waiting: OutgoingQueue[str], until: float = 10_000.0) -> list[tuple[float, Job[str]]]:
    """Take all there is, in the time it needs."""
    now, sent = 0.0, []
    while len(waiting) and now < until:
        taken = waiting.take(now)
        if isinstance(taken, Job):
            sent.append((now, taken))
        else:
            now += max(taken, 1e-6)
    return sent


def test_the_most_urgent_goes_first_then_the_oldest() -> None:
    waiting = queue()
    for rank in (Rank.DIGEST, Rank.ALERT, Rank.CONFIRMATION, Rank.ANSWER, Rank.ALERT):
        waiting.put(Job(len(waiting) + 1, rank, rank.name))
    assert [job.chat for _, job in drain(waiting)] == [4, 3, 2, 5, 1]


def test_a_chat_that_waits_holds_up_no_other() -> None:
    waiting = queue()
    for number in range(10):
        waiting.put(Job(1, Rank.ANSWER, str(number)))
    waiting.put(Job(2, Rank.DIGEST, "other"))
    sent = drain(waiting)
    (at,) = [at for at, job in sent if job.chat == 2]
    assert at < 1.0
    assert [job.content for _, job in sent if job.chat == 1] == [
        str(number) for number in range(10)
    ]


def test_a_group_hears_no_more_than_its_share() -> None:
    waiting = queue()
    for number in range(60):
        waiting.put(Job(-100, Rank.ALERT, str(number)))
    sent = drain(waiting)
    assert sum(at < 60 for at, _ in sent) <= LIMITS.group_per_min + LIMITS.group_burst


def test_a_newer_edit_takes_the_place_of_the_older() -> None:
    waiting = queue()
    old = Job(1, Rank.ALERT, "old", replaces=77)
    assert waiting.put(old) == []
    waiting.put(Job(1, Rank.ALERT, "between"))
    assert waiting.put(Job(1, Rank.ALERT, "new", replaces=77)) == [old]
    assert waiting.put(Job(2, Rank.ALERT, "another chat", replaces=77)) == []
    assert [job.content for _, job in drain(waiting)] == ["new", "between", "another chat"]


def test_when_it_is_full_the_oldest_digest_goes_and_never_an_alert() -> None:
    waiting = OutgoingQueue[str](Limits(most_waiting=3), 0.0)
    for rank in (Rank.ALERT, Rank.DIGEST, Rank.DIGEST):
        waiting.put(Job(1, rank, rank.name))
    assert [job.rank for job in waiting.put(Job(1, Rank.ALERT, "more"))] == [Rank.DIGEST]
    assert [job.rank for job in waiting.put(Job(1, Rank.ALERT, "more"))] == [Rank.DIGEST]
    assert waiting.put(Job(1, Rank.ALERT, "more")) == []
    assert len(waiting) == 4


def test_a_pause_holds_for_the_chat_or_for_all() -> None:
    waiting = queue()
    waiting.put(Job(1, Rank.ANSWER, "a"))
    waiting.put(Job(2, Rank.ANSWER, "b"))
    waiting.pause(5.0, 0.0, 1)
    taken = waiting.take(0.0)
    assert isinstance(taken, Job)
    assert taken.chat == 2
    assert waiting.take(0.0) == pytest.approx(5.0)
    waiting.pause(9.0, 0.0)
    assert waiting.take(5.0) == pytest.approx(4.0)


def test_what_did_not_go_out_keeps_its_place_and_its_time() -> None:
    waiting = queue()
    waiting.put(Job(1, Rank.ANSWER, "first"))
    waiting.put(Job(1, Rank.ANSWER, "second"))
    job = waiting.take(0.0)
    assert isinstance(job, Job)
    waiting.put_back(job, 2.0)
    assert job.attempts == 1
    after = waiting.take(2.0)
    assert isinstance(after, Job)
    assert after.content == "first"


def test_a_busy_chat_is_left_alone() -> None:
    waiting = queue()
    waiting.put(Job(1, Rank.ANSWER, "a"))
    assert isinstance(waiting.take(0.0, {1}), float)
    assert isinstance(waiting.take(0.0), Job)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3, -10, -20]), st.sampled_from(Rank)),
        min_size=1,
        max_size=120,
    )
)
def test_whatever_waits_no_limit_is_passed_and_all_goes_out(jobs: list[tuple[int, Rank]]) -> None:
    waiting = queue()
    for number, (chat, rank) in enumerate(jobs):
        waiting.put(Job(chat, rank, str(number)))
    sent = drain(waiting)
    assert len(sent) == len(jobs)
    by_chat = defaultdict(list)
    for at, job in sent:
        by_chat[job.chat].append(at)
    for chat, times in by_chat.items():
        rate, burst = (
            (LIMITS.group_per_min / 60, LIMITS.group_burst)
            if chat < 0
            else (LIMITS.chat_per_s, LIMITS.chat_burst)
        )
        for first, at in enumerate(times):
            within = sum(at <= each <= at + 10 for each in times[first:])
            assert within <= burst + 10 * rate + 1
