"""The credit budget: what holds for any sequence of calls, failures, restarts and readings."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.polling.credits import (
    BudgetRules,
    BudgetState,
    Granted,
    describe,
    intervals,
    open_budget,
    read_counters,
    request,
    settle,
)
from tests.profiles import examples

START = datetime(2026, 11, 30, 9, tzinfo=UTC)  # a month's last hours: the pace is quick


@dataclass
class UnderWay:
    """An answer on its way back."""

    grant_id: str
    sport_key: str
    cost: int
    used: int | None
    remaining: int | None


@dataclass
class World:
    """A server that counts truly, a ledger that keeps what was reported, and a faulty way
    between them: answers come late, without counters, or never."""

    rules: BudgetRules
    state: BudgetState = field(default_factory=lambda: open_budget(START))
    now: datetime = START
    used: int = 0
    ours: int = 0
    ordinary: int = 0
    ledger: int = 0
    polls: dict[str, datetime] = field(default_factory=dict)
    under_way: list[UnderWay] = field(default_factory=list)

    def remaining(self) -> int:
        return 10**6 - self.used

    def ask(self, key: str, cost: int, fate: str, *, is_on_demand: bool) -> None:
        self.state, decision = request(
            self.state,
            self.rules,
            self.now,
            sport_key=key,
            cost=cost,
            next_kickoff=self.now + timedelta(hours=len(key)),
            is_on_demand=is_on_demand,
        )
        if not isinstance(decision, Granted):
            assert decision.retry_after_s > 0
            return
        self.polls[key] = self.now
        charged = 0 if fate in {"free", "failed free", "lost free"} else cost
        self.used += charged
        self.ours += charged
        self.ordinary += charged * (not is_on_demand)
        counters = (self.used, self.remaining()) if fate in {"ok", "free"} else (None, None)
        if fate.startswith("failed"):
            self.report(UnderWay(decision.grant_id, key, cost, *counters), None)
        elif not fate.startswith("lost"):
            self.under_way.append(UnderWay(decision.grant_id, key, charged, *counters))
        else:
            self.ledger += cost

    def report(self, answer: UnderWay, cost: int | None) -> None:
        self.ledger += answer.cost if cost is None else cost
        self.state = settle(
            self.state,
            self.rules,
            self.now,
            grant_id=answer.grant_id,
            sport_key=answer.sport_key,
            cost=cost,
            used=answer.used,
            remaining=answer.remaining,
            is_failed=cost is None,
        )

    def deliver(self, index: int) -> None:
        if self.under_way:
            answer = self.under_way.pop(index % len(self.under_way))
            self.report(answer, answer.cost)

    def wait(self, seconds: float) -> None:
        """Time passes; an answer is never under way for more than a minute."""
        if seconds > 15:
            while self.under_way:
                self.deliver(0)
        self.now += timedelta(seconds=seconds)

    def read(self) -> None:
        self.state = read_counters(
            self.state, self.rules, self.now, used=self.used, remaining=self.remaining()
        )

    def restart(self) -> None:
        lost = sum(answer.cost for answer in self.under_way)
        self.state = open_budget(self.now, spent=self.ledger, polls=self.polls, unsure=lost)


keys = st.sampled_from(["a", "bb", "ccc", "d" * 9, "e" * 30])
asks = st.tuples(
    st.just("ask"),
    keys,
    st.integers(1, 4),
    st.sampled_from(
        ["ok", "ok", "mute", "free", "failed", "failed", "failed free", "lost", "lost free"]
    ),
    st.booleans(),
)
steps = asks | st.one_of(
    asks.filter(lambda ask: ask[2] > 1),
    st.tuples(st.just("deliver"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 5.0, 10.0, 61.0, 130.0, 900.0])),
    st.tuples(st.just("read")),
    st.tuples(st.just("others"), st.integers(1, 9)),
    st.tuples(st.just("restart")),
)


@settings(max_examples=examples(250), deadline=None)
@given(st.integers(4, 12), st.integers(0, 3), st.lists(steps, min_size=30, max_size=70))
def test_what_we_really_spend_never_exceeds_allowance_and_ordinary_calls_spare_the_reserve(
    allowance: int, reserve: int, story: list[tuple[Any, ...]]
) -> None:
    world = World(BudgetRules(allowance=allowance, reserve=reserve, floor_s=1, live_floor_s=1))
    for step in story:
        kind, *facts = step
        if kind == "ask":
            key, cost, fate, is_on_demand = facts
            world.ask(key, cost, fate, is_on_demand=is_on_demand)
        elif kind == "deliver":
            world.deliver(*facts)
        elif kind == "wait":
            world.wait(*facts)
        elif kind == "read":
            world.read()
        elif kind == "others":
            world.used += facts[0]
        else:
            world.restart()
        if world.now.month != START.month:
            break
        assert world.ours <= allowance
        assert world.ordinary <= max(0, allowance - reserve)
        picture = describe(world.state, world.rules, world.now)
        assert 0 <= picture.remaining <= allowance
        assert all(interval > 0 for interval in picture.interval_s.values())


readings = st.none() | st.integers(0, 2000)


@settings(max_examples=examples(80), deadline=None)
@given(
    st.lists(
        st.tuples(keys, st.integers(1, 5), readings, readings, st.floats(0, 9000), st.booleans()),
        min_size=30,
        max_size=60,
    )
)
def test_no_lie_of_the_counters_makes_us_exceed_the_allowance(
    story: list[tuple[str, int, int | None, int | None, float, bool]],
) -> None:
    rules = BudgetRules(allowance=60, reserve=20, floor_s=1, live_floor_s=1)
    now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    state = open_budget(now)
    granted = ordinary = 0
    for key, cost, used, remaining, seconds, is_on_demand in story:
        state, decision = request(
            state, rules, now, sport_key=key, cost=cost, is_on_demand=is_on_demand
        )
        if isinstance(decision, Granted):
            granted += cost
            ordinary += cost * (not is_on_demand)
            state = settle(
                state, rules, now, grant_id=decision.grant_id, sport_key=key, cost=cost,
                used=used, remaining=remaining,
            )  # fmt: skip
        else:
            state = read_counters(state, rules, now, used=used, remaining=remaining)
        assert granted <= 60
        assert ordinary <= 40
        now += timedelta(seconds=seconds)
        if now.month != state.month.month:
            break  # another month, another allowance


hours_ahead = st.none() | st.floats(-5, 400)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(hours_ahead, min_size=2, max_size=12), st.integers(1, 10**6), st.floats(0, 700))
def test_a_nearer_kickoff_never_polls_later(
    hours: list[float | None], allowance: int, into_month_h: float
) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=into_month_h)

    def found_with(ahead_of_kickoffs: list[float | None]) -> list[float]:
        state = open_budget(now)
        for i, ahead in enumerate(ahead_of_kickoffs):
            kickoff = None if ahead is None else now + timedelta(hours=ahead)
            state, _ = request(state, rules, now, sport_key=f"{i}", cost=1, next_kickoff=kickoff)
        return [*intervals(state, rules, now).values()]

    rules = BudgetRules(allowance=allowance)
    found = found_with(hours)
    order = sorted(
        range(len(hours)), key=lambda i: 1e9 if (ahead := hours[i]) is None else max(0.0, ahead)
    )
    assert all(near <= far * (1 + 1e-9) for near, far in pairwise(found[i] for i in order))
    assert found_with([0.0, *hours[1:]])[0] <= found[0] * (1 + 1e-6)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 300), st.integers(1, 6)), min_size=1, max_size=20),
    st.integers(50, 10**7),
)
def test_intervals_together_spend_the_pace_or_stand_at_their_bounds(
    facts: list[tuple[float, int]], allowance: int
) -> None:
    rules = BudgetRules(allowance=allowance, ceiling_s=7200)
    state = open_budget(START)
    for i, (ahead, cost) in enumerate(facts):
        state, _ = request(
            state, rules, START, sport_key=f"k{i}", cost=cost,
            next_kickoff=START + timedelta(hours=ahead),
        )  # fmt: skip
    found = intervals(state, rules, START)
    picture = describe(state, rules, START)
    if picture.remaining == 0:
        assert set(found.values()) == {(picture.resets_at - START).total_seconds()}
        return
    pace = picture.remaining / (picture.resets_at - START).total_seconds()
    spends = sum(cost / found[f"k{i}"] for i, (_, cost) in enumerate(facts))
    assert spends <= pace * 1.001
    if spends < pace * 0.999:
        assert all(interval <= 60.0 for interval in found.values())
    assert all(interval >= 40.0 for interval in found.values())


@pytest.mark.parametrize("allowance", [400, 3000])
def test_a_month_is_spent_evenly_with_no_key_starving(allowance: int) -> None:
    rules = BudgetRules(allowance=allowance, reserve=allowance // 10)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    end = datetime(2026, 12, 1, tzinfo=UTC)
    chance = random.Random(7)
    kickoffs = {
        f"k{i}": [start + timedelta(hours=chance.uniform(0, 24), days=day) for day in range(0, 40, 2 + i)]
        for i in range(6)
    }  # fmt: skip
    state, spent, near = open_budget(start), 0, 0
    by_week = [0] * 5
    last = dict.fromkeys(kickoffs, start)
    longest = timedelta(0)
    queue = [(start, key) for key in kickoffs]
    while queue[0][0] < end:
        now, key = heapq.heappop(queue)
        next_kickoff = min(at for at in kickoffs[key] if at > now)
        state, decision = request(
            state, rules, now, sport_key=key, cost=1, next_kickoff=next_kickoff
        )
        wait_s = 5.0
        if isinstance(decision, Granted):
            spent += 1
            near += next_kickoff - now < timedelta(hours=6)
            by_week[(now - start).days // 7] += 1
            longest = max(longest, now - last[key])
            last[key] = now
            state = settle(
                state, rules, now, grant_id=decision.grant_id, sport_key=key, cost=1,
                used=spent, remaining=allowance - spent,
            )  # fmt: skip
        else:
            wait_s = max(decision.retry_after_s, 1200.0)
        heapq.heappush(queue, (now + timedelta(seconds=wait_s), key))
    ordinary = allowance - allowance // 10
    assert 0.9 * ordinary <= spent <= ordinary
    assert all(ordinary * 7 / 30 * 0.6 <= week <= ordinary * 7 / 30 * 1.5 for week in by_week[:4])
    assert near > spent * 0.2
    assert longest < timedelta(days=3)
