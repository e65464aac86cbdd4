from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.quotes import MarketBook
from kos.domain.polling.exchange_cache import (
    CachePolicy,
    PriceCache,
    Want,
    books_per_call,
    urgency_of,
)
from kos.errors import KosBug
from tests.profiles import examples

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def book(market_id: str, at: datetime = NOW, **changed: object) -> MarketBook:
    plain = MarketBook(
        market_id=market_id,
        status="OPEN",
        is_in_play=False,
        is_delayed=False,
        version=1,
        runners=(),
        received_at=at,
    )
    return msgspec.structs.replace(plain, **changed)


def wants(*market_ids: str, urgency: float = 0.0) -> list[Want]:
    return [Want(id_, urgency) for id_ in market_ids]


def read_all(cache: PriceCache, now: datetime) -> tuple[tuple[str, ...], ...]:
    """Carry a plan out at once."""
    plan = cache.plan(now)
    for batch in plan:
        cache.asked(batch, now)
        cache.answered(batch, [book(id_, now) for id_ in batch], now)
    return plan


@pytest.mark.parametrize(("depth", "markets"), [(1, 114), (2, 57), (3, 38), (5, 22), (10, 11)])
def test_a_batch_stays_a_few_markets_under_the_weight_limit(depth: int, markets: int) -> None:
    assert books_per_call(depth) == markets


@pytest.mark.parametrize("depth", [0, 11])
def test_a_depth_the_service_does_not_know_is_a_bug(depth: int) -> None:
    with pytest.raises(KosBug):
        books_per_call(depth)


def test_what_was_never_read_is_asked_for_at_once_and_then_left_alone() -> None:
    cache = PriceCache()
    cache.want(wants("a", "b"), NOW)
    assert read_all(cache, NOW) == (("a", "b"),)
    for second in range(1, 115):
        assert cache.plan(after(second)) == ()
    assert cache.plan(after(115)) == (("a", "b"),)


def test_many_requests_are_served_from_memory_with_the_age() -> None:
    cache = PriceCache()
    cache.want(wants("a"), NOW)
    read_all(cache, NOW)
    held = cache.read("a", after(30))
    assert held is not None
    assert (held.age_s, held.is_fresh) == (30.0, True)
    late = cache.read("a", after(121))
    assert late is not None
    assert not late.is_fresh
    assert cache.read("unknown", NOW) is None


def test_urgent_markets_are_refreshed_more_often() -> None:
    cache = PriceCache()
    cache.want([Want("calm"), Want("urgent", 1.0)], NOW)
    read_all(cache, NOW)
    assert cache.plan(after(54)) == ()
    assert cache.plan(after(55)) == (("urgent", "calm"),)


def test_urgency_rises_to_the_hour_before_kickoff_and_with_standing() -> None:
    assert urgency_of(timedelta(minutes=30)) == 1.0
    assert urgency_of(timedelta(hours=-1)) == 1.0
    assert urgency_of(timedelta(days=3)) == 0.0
    assert 0 < urgency_of(timedelta(hours=12)) < urgency_of(timedelta(hours=3)) < 1
    assert urgency_of(timedelta(days=3), rank=0, ranked=10) == 1.0
    assert urgency_of(timedelta(days=3), rank=9, ranked=10) == pytest.approx(0.1)
    assert urgency_of(timedelta(days=3), rank=50, ranked=10) == 0.0


def test_a_big_backlog_begins_early_enough_to_keep_every_deadline() -> None:
    cache = PriceCache(CachePolicy(markets_per_call=10, call_spacing_s=1.0))
    cache.want(wants(*(f"m{n}" for n in range(500))), NOW)
    for second in range(50):
        assert len(read_all(cache, after(second))) == 1
    assert cache.counts(after(50)).late == 0
    for second in range(50, 600):
        read_all(cache, after(second))
        assert cache.counts(after(second)).late == 0


def test_hurry_asks_again_before_the_deadline_but_not_within_the_least_interval() -> None:
    cache = PriceCache()
    cache.want(wants("a", "b"), NOW)
    read_all(cache, NOW)
    cache.hurry(["a", "never wanted"], after(5))
    assert cache.plan(after(5)) == ()
    assert cache.plan(after(10)) == (("a", "b"),)
    read_all(cache, after(10))
    cache.hurry(["a"], after(30), max_age_s=30)
    assert cache.plan(after(30)) == ()


def test_an_unanswered_market_rests_and_its_price_is_forgotten() -> None:
    cache = PriceCache()
    cache.want(wants("a", "gone"), NOW)
    read_all(cache, NOW)
    (batch,) = cache.plan(after(115))
    cache.asked(batch, after(115))
    cache.answered(batch, [book("a", after(115))], after(115))
    assert cache.read("gone", after(115)) is None
    assert cache.plan(after(144)) == ()
    assert cache.counts(after(144)).resting == 1
    assert cache.plan(after(145)) == (("gone", "a"),)


def test_a_market_that_stays_away_is_asked_for_ever_more_rarely() -> None:
    cache = PriceCache()
    cache.want(wants("gone"), NOW)
    asked_at = []
    for second in range(7_200):
        for batch in cache.plan(after(second)):
            asked_at.append(second)
            cache.asked(batch, after(second))
            cache.answered(batch, [], after(second))
    waits = [b - a for a, b in itertools.pairwise(asked_at)]
    assert waits[:6] == [30, 60, 120, 240, 480, 900]
    assert set(waits[6:]) == {900}


def test_a_market_that_no_call_covered_is_asked_for_again() -> None:
    cache = PriceCache()
    cache.want(wants("a", "b"), NOW)
    (batch,) = cache.plan(NOW)
    cache.asked(batch, NOW)
    cache.answered(batch, [book("a")], NOW, unread=["b"])
    assert cache.plan(after(10)) == (("b", "a"),)


def test_closed_markets_are_never_asked_for_again() -> None:
    cache = PriceCache()
    cache.want(wants("a"), NOW)
    cache.asked(("a",), NOW)
    cache.answered(("a",), [book("a", status="CLOSED")], NOW)
    assert cache.read("a", NOW) is None
    cache.want(wants("a"), after(10))
    assert cache.plan(after(100_000)) == ()


def test_in_play_markets_rest() -> None:
    cache = PriceCache()
    cache.want(wants("a"), NOW)
    cache.asked(("a",), NOW)
    cache.answered(("a",), [book("a", is_in_play=True)], NOW)
    assert cache.plan(after(200)) == ()
    assert cache.plan(after(901)) == (("a",),)


def test_what_is_no_longer_wanted_is_forgotten() -> None:
    cache = PriceCache()
    cache.want(wants("a", "b"), NOW)
    read_all(cache, NOW)
    cache.want(wants("b"), after(1))
    assert cache.read("a", after(1)) is None
    assert [each.market_id for each in cache.books()] == ["b"]
    assert cache.counts(after(1)).wanted == 1


def test_prices_of_an_older_version_do_not_replace_newer_ones_while_these_are_fresh() -> None:
    cache = PriceCache()
    cache.want(wants("a"), NOW)
    cache.answered(["a"], [book("a", NOW, version=5)], NOW)
    cache.answered(["a"], [book("a", after(10), version=4)], after(10))
    held = cache.read("a", after(10))
    assert held is not None
    assert held.book.version == 5
    cache.answered(["a"], [book("a", after(200), version=4)], after(200))
    held = cache.read("a", after(200))
    assert held is not None
    assert held.book.version == 4


def test_failures_pause_all_calls_twice_as_long_each_time_and_as_the_service_asks() -> None:
    cache = PriceCache()
    cache.want(wants("a"), NOW)
    cache.asked(("a",), NOW)
    cache.failed(("a",), NOW)
    assert cache.plan(after(4)) == ()
    assert cache.plan(after(10)) == (("a",),)
    cache.asked(("a",), after(10))
    cache.failed(("a",), after(10))
    assert cache.plan(after(19)) == ()
    assert cache.plan(after(20)) == (("a",),)
    cache.asked(("a",), after(20))
    cache.failed(("a",), after(20), retry_after_s=600)
    assert cache.plan(after(619)) == ()
    assert cache.plan(after(620)) == (("a",),)


def test_a_call_without_any_report_counts_as_failed_in_the_end() -> None:
    cache = PriceCache()
    cache.want(wants("a"), NOW)
    cache.asked(("a",), NOW)
    assert cache.plan(after(119)) == ()
    assert cache.plan(after(120)) == ()
    assert cache.counts(after(120)).failures == 1
    assert cache.plan(after(125)) == (("a",),)


def test_smaller_batches_are_kept_to_once_the_service_wants_them() -> None:
    cache = PriceCache()
    cache.want(wants(*(f"m{n}" for n in range(30))), NOW)
    cache.limit_batches(19)
    assert [len(batch) for batch in cache.plan(NOW)] == [19]


def test_next_look_tells_when_a_plan_can_be_due() -> None:
    cache = PriceCache()
    assert cache.next_look(NOW) == timedelta(minutes=1)
    cache.want(wants("a"), NOW)
    assert cache.next_look(NOW) == timedelta(0)
    read_all(cache, NOW)
    assert cache.next_look(after(100)) == timedelta(seconds=15)


def test_a_market_wanted_twice_is_one_with_its_first_urgency() -> None:
    cache = PriceCache()
    cache.want([Want("a", 1.0), Want("a", 0.0), Want("b")], NOW)
    assert read_all(cache, NOW) == (("a", "b"),)
    assert cache.counts(NOW).wanted == 2
    assert cache.plan(after(55)) == (("a", "b"),)


def test_an_answer_for_what_is_wanted_no_longer_is_let_go() -> None:
    cache = PriceCache()
    cache.want(wants("a", "b"), NOW)
    (batch,) = cache.plan(NOW)
    cache.want(wants("b"), NOW)
    cache.asked(batch, NOW)
    cache.answered(batch, [book("a"), book("b")], NOW)
    assert cache.read("a", NOW) is None
    assert [each.market_id for each in cache.books()] == ["b"]


def test_a_market_left_out_is_as_if_never_read_once_its_rest_is_over() -> None:
    """Its former reading must not put off the next, nor let a hurry count from it."""
    policy = CachePolicy(ttl_s=7200.0, urgent_ttl_s=3600.0)
    cache = PriceCache(policy)
    cache.want(wants("gone"), NOW)
    read_all(cache, NOW)
    cache.hurry(["gone"], after(20))
    (batch,) = cache.plan(after(20))
    cache.asked(batch, after(20))
    cache.answered(batch, [], after(20))
    assert cache.plan(after(49)) == ()
    assert cache.plan(after(50)) == (("gone",),)


# --- properties ----------------------------------------------------------------------------------


@dataclass
class Run:
    """A cache driven second by second, with what was asked when."""

    cache: PriceCache
    asked_at: dict[str, list[float]] = field(default_factory=dict)
    calls: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    pending: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def drive(self, seconds: Iterable[int], answer_s: int = 0) -> None:
        for second in seconds:
            for due, batch in [each for each in self.pending if each[0] <= second]:
                self.pending.remove((due, batch))
                books = [book(id_, after(second)) for id_ in batch]
                self.cache.answered(batch, books, after(second))
            for batch in self.cache.plan(after(second)):
                self.cache.asked(batch, after(second))
                self.calls.append((second, batch))
                for id_ in batch:
                    self.asked_at.setdefault(id_, []).append(second)
                self.pending.append((second + answer_s, batch))


@st.composite
def bearable(draw: st.DrawFn) -> tuple[int, int, int]:
    """Markets, markets per call and seconds per answer: a round fits into half the shortest TTL."""
    per_call, answer_s = draw(st.integers(5, 40)), draw(st.integers(0, 3))
    policy = CachePolicy()
    calls = int((policy.urgent_ttl_s - policy.answer_s) / 2) // max(1, answer_s)
    return draw(st.integers(1, min(150, per_call * calls))), per_call, answer_s


@given(demand=bearable(), urgencies=st.lists(st.floats(0, 1), min_size=1, max_size=7))
@settings(max_examples=examples(12), deadline=None)
def test_every_wanted_market_stays_within_its_ttl_wherever_the_rate_allows_it(
    demand: tuple[int, int, int], urgencies: list[float]
) -> None:
    markets, per_call, answer_s = demand
    policy = CachePolicy(markets_per_call=per_call)
    ids = [f"m{n}" for n in range(markets)]
    slack = policy.ttl_s - policy.urgent_ttl_s
    ttl_s = {id_: policy.ttl_s - slack * urgencies[i % len(urgencies)] for i, id_ in enumerate(ids)}
    run = Run(PriceCache(policy))
    run.cache.want([Want(id_, urgencies[i % len(urgencies)]) for i, id_ in enumerate(ids)], NOW)
    round_s = -(-markets // per_call) * max(1, answer_s)
    start = round_s + answer_s + 1
    run.drive(range(start), answer_s)
    checked = 0
    for second in range(start, start + 200):
        run.drive([second], answer_s)
        for id_ in ids:
            held = run.cache.read(id_, after(second))
            assert held is not None
            assert held.age_s <= ttl_s[id_]
            checked += 1
    assert checked == 200 * markets


@given(
    markets=st.integers(0, 300),
    policy=st.builds(
        CachePolicy,
        markets_per_call=st.integers(1, 40),
        call_spacing_s=st.sampled_from([0.0, 1.0, 2.0, 7.0]),
        calls_in_flight=st.integers(1, 3),
        least_interval_s=st.sampled_from([5.0, 10.0, 30.0]),
        ttl_s=st.sampled_from([60.0, 120.0]),
        urgent_ttl_s=st.sampled_from([30.0, 60.0]),
    ),
    answer_s=st.integers(0, 20),
    hurries=st.lists(st.tuples(st.integers(0, 119), st.integers(0, 299)), max_size=10),
)
@settings(max_examples=examples(40))
def test_no_limit_is_ever_passed_however_great_the_demand(
    markets: int, policy: CachePolicy, answer_s: int, hurries: list[tuple[int, int]]
) -> None:
    run = Run(PriceCache(policy))
    run.cache.want([Want(f"m{n}", n % 3 / 2) for n in range(markets)], NOW)
    pending: list[tuple[int, tuple[str, ...]]] = []
    for second in range(120):
        for at, number in hurries:
            if at == second:
                run.cache.hurry([f"m{number}"], after(second))
        for due, batch in [each for each in pending if each[0] <= second]:
            pending.remove((due, batch))
            run.cache.answered(batch, [book(id_, after(second)) for id_ in batch], after(second))
        plan = run.cache.plan(after(second))
        assert len(pending) + len(plan) <= policy.calls_in_flight
        for batch in plan:
            assert 0 < len(batch) <= policy.markets_per_call
            assert len(set(batch)) == len(batch)
            assert not {id_ for _, other in pending for id_ in other} & set(batch)
            if policy.call_spacing_s and run.calls:
                assert second - run.calls[-1][0] >= policy.call_spacing_s
            run.cache.asked(batch, after(second))
            run.calls.append((second, batch))
            pending.append((second + answer_s, batch))
            for id_ in batch:
                times = run.asked_at.setdefault(id_, [])
                assert not times or second - times[-1] >= policy.least_interval_s
                times.append(second)


@given(st.integers(1, 60), st.integers(1, 10))
@settings(max_examples=examples(30))
def test_too_low_a_rate_starves_no_market(markets: int, per_call: int) -> None:
    policy = CachePolicy(markets_per_call=per_call, call_spacing_s=5.0, least_interval_s=1.0)
    run = Run(PriceCache(policy))
    run.cache.want([Want(f"m{n}", n % 2) for n in range(markets)], NOW)
    run.drive(range(1_500))
    rounds = -(-markets // per_call)
    worst_s = max(2 * rounds * 5, 130)
    for times in run.asked_at.values():
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert max(gaps, default=0) <= worst_s
    assert len(run.asked_at) == markets
