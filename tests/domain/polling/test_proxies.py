"""Who goes through which session, and when one that fails is left and tried again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.polling.proxies import (
    REST_LONGEST,
    RETIRE_AFTER,
    Pool,
    assign,
    due_check,
    failed,
    forget,
    next_trial,
    open_pool,
    refreshed,
    serves,
    succeeded,
)
from tests.profiles import examples

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = [f"sport_{number}" for number in range(66)]
EVERY = timedelta(minutes=2)
REST_FIRST = timedelta(seconds=30)


def filled(size: int = 4) -> Pool:
    pool = open_pool(size, "seed")
    for key in KEYS:
        pool, _ = assign(pool, key)
    return pool


def loads(pool: Pool) -> list[int]:
    counts = Counter(pool.assigned.values())
    return sorted(counts[each.slot] for each in pool.sessions if serves(each))


def fail(pool: Pool, slot: int, times: int, now: datetime = NOON) -> Pool:
    for _ in range(times):
        pool = missed(pool, pool.sessions[slot].session_id, now)
    return pool


def missed(pool: Pool, used_id: str, now: datetime = NOON) -> Pool:
    return failed(pool, used_id, "no connection", now, seed="seed", rest_first=REST_FIRST)


def test_a_key_keeps_its_session_and_sessions_share_the_keys() -> None:
    pool = filled()
    assert loads(pool) == [16, 16, 17, 17]
    for key in KEYS:
        again, session = assign(pool, key)
        assert again == pool
        assert session is not None
        assert session.slot == pool.assigned[key]


def test_ids_are_letters_and_digits_and_no_two_are_the_same() -> None:
    ids = [each.session_id for each in open_pool(64, "seed").sessions]
    assert len(set(ids)) == 64
    assert all(each.isalnum() and each.isascii() for each in ids)
    assert ids != [each.session_id for each in open_pool(64, "other").sessions]


def test_a_session_that_keeps_failing_is_retired_and_its_keys_move_on_evenly() -> None:
    pool = fail(filled(), 0, RETIRE_AFTER - 1)
    assert serves(pool.sessions[0])
    pool = fail(pool, 0, 1)
    assert not serves(pool.sessions[0])
    for key in KEYS:
        pool, session = assign(pool, key)
        assert session is not None
        assert session.slot != 0
    assert loads(pool) == [22, 22, 22]


def test_one_answer_in_between_forgives() -> None:
    pool = filled()
    for _ in range(5):
        pool = fail(pool, 0, RETIRE_AFTER - 1)
        pool = succeeded(pool, pool.sessions[0].session_id, NOON)
    assert serves(pool.sessions[0])


def test_a_retired_session_is_tried_under_a_new_id_and_takes_its_share_again() -> None:
    pool = filled()
    old_id = pool.sessions[0].session_id
    pool = fail(pool, 0, RETIRE_AFTER)
    for key in KEYS:
        pool, _ = assign(pool, key)
    assert next_trial(pool) == NOON + REST_FIRST
    later = NOON + REST_FIRST
    pool = refreshed(pool, later)
    trial = due_check(pool, later, EVERY)
    assert trial is not None
    assert trial.slot == 0
    assert trial.session_id != old_id
    assert not serves(trial), "nobody goes through it before it answered"
    pool = succeeded(pool, trial.session_id, later)
    assert loads(pool) == [16, 16, 17, 17]


def test_each_rest_is_longer_up_to_a_bound() -> None:
    pool, now = fail(filled(), 0, RETIRE_AFTER), NOON
    rests = []
    for _ in range(10):
        until = pool.sessions[0].resting_until
        assert until is not None
        rests.append(until - now)
        now = until
        pool = fail(refreshed(pool, now), 0, 1, now)
    assert rests[:3] == [REST_FIRST, 2 * REST_FIRST, 4 * REST_FIRST]
    assert rests[-1] == REST_LONGEST


def test_words_on_a_former_life_change_nothing() -> None:
    pool = filled()
    old_id = pool.sessions[0].session_id
    pool = fail(pool, 0, RETIRE_AFTER)
    assert missed(pool, old_id) == pool
    assert succeeded(pool, old_id, NOON) == pool


def test_when_none_serves_nobody_is_given_another_way() -> None:
    pool = fail(open_pool(1, "seed"), 0, RETIRE_AFTER)
    assert assign(pool, "sport_1") == (pool, None)


def test_only_what_nobody_uses_is_checked() -> None:
    pool = open_pool(2, "seed")
    assert due_check(pool, NOON, EVERY) == pool.sessions[0]
    for each in pool.sessions:
        pool = succeeded(pool, each.session_id, NOON)
    assert due_check(pool, NOON + EVERY / 2, EVERY) is None
    assert due_check(pool, NOON + EVERY, EVERY) is not None


def test_keys_that_are_gone_make_room() -> None:
    assert forget(filled(), frozenset(KEYS[:2])).assigned.keys() == set(KEYS[:2])


@settings(max_examples=examples(80), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from(KEYS), st.integers(1, 400)),
        max_size=60,
    )
)
def test_whatever_happens_a_key_is_given_a_serving_session_or_none(
    story: list[tuple[int, bool, str, int]],
) -> None:
    pool, now = open_pool(4, "seed"), NOON
    for slot, is_answered, key, seconds in story:
        now += timedelta(seconds=seconds)
        pool = refreshed(pool, now)
        used = pool.sessions[slot].session_id
        pool = succeeded(pool, used, now) if is_answered else missed(pool, used, now)
        pool, session = assign(pool, key)
        assert session is None or serves(session)
        assert (session is None) == (not any(map(serves, pool.sessions)))
        ids = [each.session_id for each in pool.sessions]
        assert len(set(ids)) == len(ids)


def test_where_every_session_rests_the_keys_stay_where_they_are() -> None:
    pool = filled(2)
    for slot in range(2):
        pool = fail(pool, slot, RETIRE_AFTER)
    assert not any(serves(each) for each in pool.sessions)
    assert next_trial(pool) == NOON + REST_FIRST
    fewer = forget(pool, frozenset(KEYS[1:]))
    assert fewer.assigned.items() <= pool.assigned.items()
    assert KEYS[0] not in fewer.assigned
