"""Who restarts, after how long, and when to give up: as a table, and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.runtime.decisions import ChildRecord, Decision, RestartVerdict, backoff_s, decide
from kos.runtime.spec import OnExhausted, Restart, RestartPolicy, Strategy
from tests.profiles import examples


def record(name: str, restart: Restart = Restart.PERMANENT, **more: object) -> ChildRecord:
    return ChildRecord(name=name, policy=RestartPolicy(restart=restart), **more)  # type: ignore[arg-type]


def ended(
    strategy: Strategy, siblings: list[ChildRecord], name: str, *, is_failure: bool = True
) -> Decision:
    return decide(strategy, siblings, name, is_failure=is_failure, now=100.0, chance=0.0)


@pytest.mark.parametrize(
    ("restart", "is_failure", "verdict"),
    [
        (Restart.PERMANENT, True, RestartVerdict.RESTART),
        (Restart.PERMANENT, False, RestartVerdict.RESTART),
        (Restart.TRANSIENT, True, RestartVerdict.RESTART),
        (Restart.TRANSIENT, False, RestartVerdict.LEAVE),
        (Restart.TEMPORARY, True, RestartVerdict.LEAVE),
        (Restart.TEMPORARY, False, RestartVerdict.LEAVE),
    ],
)
def test_each_kind_of_restart_meets_each_kind_of_end(
    restart: Restart, is_failure: bool, verdict: RestartVerdict
) -> None:
    decision = ended(Strategy.ONE_FOR_ONE, [record("a", restart)], "a", is_failure=is_failure)
    assert decision.verdict is verdict


@pytest.mark.parametrize(
    ("strategy", "who", "stop", "start"),
    [
        (Strategy.ONE_FOR_ONE, "b", (), ("b",)),
        (Strategy.ONE_FOR_ALL, "b", ("d", "c", "a"), ("a", "b", "d")),
        (Strategy.ONE_FOR_ALL, "a", ("d", "c", "b"), ("a", "b", "d")),
        (Strategy.REST_FOR_ONE, "a", ("d", "c", "b"), ("a", "b", "d")),
        (Strategy.REST_FOR_ONE, "b", ("d", "c"), ("b", "d")),
        (Strategy.REST_FOR_ONE, "d", (), ("d",)),
    ],
)
def test_each_strategy_takes_its_group_along_and_leaves_temporary_bystanders_ended(
    strategy: Strategy, who: str, stop: tuple[str, ...], start: tuple[str, ...]
) -> None:
    siblings = [record("a"), record("b"), record("c", Restart.TEMPORARY), record("d")]
    decision = ended(strategy, siblings, who)
    assert (decision.stop, decision.start) == (stop, start)


@pytest.mark.parametrize(
    ("streak", "chance", "seconds"),
    [
        (1, 0.0, 0.2),
        (2, 0.0, 0.4),
        (3, 0.0, 0.8),
        (3, 1.0, 0.96),
        (9, 0.0, 51.2),
        (10, 0.0, 60.0),
        (10, 1.0, 72.0),
        (100_000, 0.0, 60.0),
    ],
)
def test_waits_double_up_to_the_cap_and_jitter_adds_a_share(
    streak: int, chance: float, seconds: float
) -> None:
    assert backoff_s(RestartPolicy(), streak, chance) == pytest.approx(seconds)


def test_a_quiet_time_begins_the_waits_anew() -> None:
    policy = RestartPolicy(quiet_reset_s=10)
    tired = ChildRecord(name="a", policy=policy, streak=7, started_at=95.0)
    rested = ChildRecord(name="a", policy=policy, streak=7, started_at=90.0)
    assert ended(Strategy.ONE_FOR_ONE, [tired], "a").record.streak == 8
    assert ended(Strategy.ONE_FOR_ONE, [rested], "a").record.streak == 1


@pytest.mark.parametrize(
    ("on_exhausted", "verdict", "start", "delay_s"),
    [
        (OnExhausted.ESCALATE, RestartVerdict.ESCALATE, (), 0.0),
        (OnExhausted.PARK, RestartVerdict.PARK, ("a",), 60.0),
    ],
)
def test_a_spent_budget_escalates_or_parks_the_child_alone(
    on_exhausted: OnExhausted, verdict: RestartVerdict, start: tuple[str, ...], delay_s: float
) -> None:
    policy = RestartPolicy(max_restarts=2, within_s=10, on_exhausted=on_exhausted)
    spent = ChildRecord(name="a", policy=policy, restarts=(91.0, 99.0), started_at=99.0)
    decision = ended(Strategy.ONE_FOR_ALL, [spent, record("b")], "a")
    assert decision.verdict is verdict
    assert (decision.stop, decision.start, decision.delay_s) == ((), start, delay_s)
    older = ChildRecord(name="a", policy=policy, restarts=(90.0, 99.0), started_at=99.0)
    assert ended(Strategy.ONE_FOR_ALL, [older, record("b")], "a").verdict is RestartVerdict.RESTART


policies = st.builds(
    RestartPolicy,
    restart=st.sampled_from(Restart),
    max_restarts=st.integers(0, 5),
    within_s=st.floats(0.1, 100),
    backoff_first_s=st.floats(0, 5),
    backoff_cap_s=st.floats(5, 50),
    backoff_jitter=st.floats(0, 1),
    quiet_reset_s=st.floats(0, 100),
    on_exhausted=st.sampled_from(OnExhausted),
)


@settings(max_examples=examples(150))
@given(policies, st.lists(st.floats(0, 20), max_size=60), st.floats(0, 1))
def test_restarts_never_exceed_their_budget(
    policy: RestartPolicy, lives: list[float], chance: float
) -> None:
    now, restarts = 0.0, []
    each = ChildRecord(name="a", policy=policy)
    for life in lives:
        now += life
        decision = decide(
            Strategy.ONE_FOR_ONE, [each], "a", is_failure=True, now=now, chance=chance
        )
        each = decision.record
        if decision.verdict not in (RestartVerdict.RESTART, RestartVerdict.PARK):
            break
        assert 0 <= decision.delay_s <= policy.backoff_cap_s * (1 + policy.backoff_jitter) + 1e-9
        if decision.verdict is RestartVerdict.RESTART:
            restarts.append(now)
        now += decision.delay_s
        each = ChildRecord(
            name="a",
            policy=policy,
            restarts=each.restarts,
            streak=each.streak,
            started_at=now,
        )
    for at in restarts:
        assert sum(at <= other < at + policy.within_s for other in restarts) <= policy.max_restarts


@settings(max_examples=examples(100))
@given(
    st.sampled_from(Strategy),
    st.lists(st.sampled_from(Restart), min_size=1, max_size=6),
    st.data(),
)
def test_a_decision_stops_in_reverse_starts_in_order_and_never_a_stranger(
    strategy: Strategy, kinds: list[Restart], data: st.DataObject
) -> None:
    siblings = [record(f"c{number}", kind) for number, kind in enumerate(kinds)]
    names = [each.name for each in siblings]
    who = data.draw(st.sampled_from(names))
    decision = ended(strategy, siblings, who)
    assert who not in decision.stop
    assert list(decision.stop) == sorted(decision.stop, key=names.index, reverse=True)
    assert list(decision.start) == sorted(decision.start, key=names.index)
    kept = {each.name for each in siblings if each.policy.restart is not Restart.TEMPORARY}
    if decision.verdict is RestartVerdict.RESTART:
        assert who in decision.start
        assert set(decision.start) == (set(decision.stop) | {who}) & kept
