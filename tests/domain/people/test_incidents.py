"""A trouble is told once when it lasts, and once more when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.people.incidents import (
    COOL_DOWN,
    OVER_AFTER,
    Incident,
    RestartHistory,
    Restarts,
    TroubleMemory,
    TroubleToSend,
    follow,
    is_worth_keeping,
)
from tests.profiles import examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DISK = Incident(text="the disk is full")
BLINK = Incident(text="Betfair does not answer", patience=timedelta(minutes=2))


class Watch:
    """One person's looks."""

    def __init__(self) -> None:
        self.now = NOON
        self.memory = TroubleMemory()

    def sees(
        self, after: timedelta = timedelta(seconds=5), **present: Incident
    ) -> tuple[TroubleToSend, ...]:
        self.now += after
        before = self.memory
        self.memory, says = follow(before, present, self.now)
        assert msgspec.json.decode(msgspec.json.encode(self.memory), type=TroubleMemory) == (
            self.memory
        )
        assert bool(says) <= is_worth_keeping(before, self.memory)
        return says


def test_it_is_told_once_and_its_end_in_the_same_message() -> None:
    watch = Watch()
    (told,) = watch.sees(disk=DISK)
    assert told.is_new
    assert watch.sees(disk=DISK) == ()
    assert watch.sees() == ()
    (over,) = watch.sees(after=OVER_AFTER)
    assert not over.is_new
    assert over.known.over_at == watch.now
    assert over.known.telling_id == told.known.telling_id
    assert watch.sees() == ()


def test_a_blink_is_no_message() -> None:
    watch = Watch()
    for _ in range(3):
        assert watch.sees(betfair=BLINK) == ()
    assert watch.sees(after=OVER_AFTER * 2) == ()
    assert watch.memory.known == ()
    watch.sees(betfair=BLINK)
    (told,) = watch.sees(after=BLINK.patience, betfair=BLINK)
    assert told.is_new


def test_one_that_comes_back_soon_does_so_in_place_and_later_is_told_anew() -> None:
    watch = Watch()
    watch.sees(disk=DISK)
    watch.sees(after=OVER_AFTER)
    (back,) = watch.sees(disk=DISK)
    assert not back.is_new
    assert back.known.over_at is None
    watch.sees(after=OVER_AFTER)
    (anew,) = watch.sees(after=COOL_DOWN, disk=DISK)
    assert anew.is_new


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.integers(1, 400)), max_size=40))
def test_ends_and_beginnings_take_turns_whatever_happens(
    story: list[tuple[set[str], int]],
) -> None:
    watch = Watch()
    told: dict[int, bool] = {}
    for present, seconds in story:
        says = watch.sees(timedelta(seconds=seconds), **dict.fromkeys(present, DISK))
        for say in says:
            is_over = say.known.over_at is not None
            number = say.known.telling_id
            assert number
            if say.is_new:
                assert number not in told
                assert not is_over
            else:
                assert told[number] is not is_over, "only what has changed is said"
            told[number] = is_over


def test_one_that_is_over_is_remembered_for_as_long_as_it_may_come_back_in_place() -> None:
    watch = Watch()
    watch.sees(disk=DISK)
    watch.sees(after=OVER_AFTER)
    watch.sees(after=COOL_DOWN / 2)
    assert [known.key for known in watch.memory.known] == ["disk"]
    assert watch.sees(after=timedelta(days=30)) == ()
    assert watch.memory.known == ()


def test_a_restart_is_seen_with_its_reason_for_a_minute() -> None:
    history = RestartHistory()
    assert history.seen({"scorer": Restarts(3, "old")}, NOON) == {}, "before the first look"
    again = {"scorer": Restarts(4, "KeyError: 'x'"), "bot": Restarts(0, "")}
    assert history.seen(again, NOON) == {"scorer": "KeyError: 'x'"}
    assert history.seen(again, NOON + timedelta(seconds=59)) == {"scorer": "KeyError: 'x'"}
    assert history.seen(again, NOON + timedelta(seconds=60)) == {}


def test_an_actor_that_is_new_and_has_been_restarted_is_seen() -> None:
    history = RestartHistory()
    history.seen({"scorer": Restarts(0, "")}, NOON)
    later = {"scorer": Restarts(0, ""), "bot": Restarts(1, "")}
    assert history.seen(later, NOON) == {"bot": "no reason given"}
