"""The credit budget: examples of each rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from kos.domain.polling.credits import (
    BudgetRules,
    BudgetState,
    CallRefused,
    Granted,
    describe,
    forget_keys,
    intervals,
    month_of,
    next_month,
    open_budget,
    read_counters,
    request,
    settle,
)

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
RULES = BudgetRules(allowance=1000, reserve=100)


def ask(
    state: BudgetState,
    now: datetime = NOW,
    *,
    key: str = "soccer_epl",
    rules: BudgetRules = RULES,
    cost: int = 1,
    kickoff: datetime | None = None,
    on_demand: bool = False,
) -> tuple[BudgetState, Granted | CallRefused]:
    return request(
        state,
        rules,
        now,
        sport_key=key,
        cost=cost,
        next_kickoff=kickoff,
        is_on_demand=on_demand,
    )


def granted(answer: tuple[BudgetState, Granted | CallRefused]) -> tuple[BudgetState, Granted]:
    state, decision = answer
    assert isinstance(decision, Granted), decision
    return state, decision


def refused(answer: tuple[BudgetState, Granted | CallRefused]) -> tuple[BudgetState, CallRefused]:
    state, decision = answer
    assert isinstance(decision, CallRefused), decision
    return state, decision


def poll(
    state: BudgetState, now: datetime, *, key: str = "soccer_epl", used: int | None = None
) -> BudgetState:
    state, grant = granted(ask(state, now, key=key))
    left = None if used is None else 1000 - used
    return settle(
        state, RULES, now, grant_id=grant.grant_id, sport_key=key, cost=1, used=used, remaining=left
    )


def test_a_key_never_polled_is_granted_at_once_and_then_waits_its_interval() -> None:
    state = poll(open_budget(NOW), NOW)
    assert describe(state, RULES, NOW).used == 1
    later = NOW + timedelta(seconds=30)
    state, no = refused(ask(state, later))
    assert no.reason == "not due yet"
    interval_s = describe(state, RULES, later).interval_s["soccer_epl"]
    granted(ask(state, NOW + timedelta(seconds=interval_s + 1)))


def test_the_month_starts_on_the_first_utc_and_turns_over_the_year() -> None:
    assert month_of(NOW) == datetime(2026, 11, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert describe(open_budget(NOW), RULES, NOW).resets_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_ordinary_calls_stop_at_the_reserve_and_on_demand_calls_at_the_allowance() -> None:
    state = open_budget(NOW, spent=900)
    state, no = refused(ask(state))
    assert "reserve" in no.reason
    assert no.retry_after_s == 600
    refused(ask(state, cost=101, on_demand=True))
    state, yes = granted(ask(state, cost=100, on_demand=True))
    state = settle(
        state, RULES, NOW, grant_id=yes.grant_id, sport_key="soccer_epl", cost=100
    )  # fmt: skip
    state, no = refused(ask(state, NOW + timedelta(hours=1), on_demand=True))
    assert no.reason == "all credits for the month are used up"


def test_on_demand_calls_use_the_reserve_before_the_rest() -> None:
    state, yes = granted(ask(open_budget(NOW), cost=60, on_demand=True))
    assert describe(state, RULES, NOW).reserve == 40
    state = settle(state, RULES, NOW, grant_id=yes.grant_id, sport_key="soccer_epl", cost=0)
    assert describe(state, RULES, NOW).reserve == 100


def test_on_demand_calls_need_not_wait_their_interval_but_the_feeds_own() -> None:
    state = poll(open_budget(NOW), NOW)
    _, no = refused(ask(state, NOW + timedelta(seconds=20), on_demand=True))
    assert no.retry_after_s == pytest.approx(40, abs=0.1)
    granted(ask(state, NOW + timedelta(seconds=61), on_demand=True))


def test_free_calls_are_always_granted() -> None:
    granted(ask(open_budget(NOW, spent=5000), cost=0))


def test_the_servers_counters_are_the_truth() -> None:
    state = read_counters(open_budget(NOW, spent=10), RULES, NOW, used=700, remaining=300)
    picture = describe(state, RULES, NOW)
    assert (picture.used, picture.remaining) == (700, 300)
    smaller_plan = read_counters(open_budget(NOW), RULES, NOW, used=100, remaining=400)
    assert describe(smaller_plan, RULES, NOW).remaining == 400


def test_counters_that_jump_slow_the_pace() -> None:
    state = poll(open_budget(NOW), NOW, used=1)
    before = intervals(state, RULES, NOW)["soccer_epl"]
    state = read_counters(state, RULES, NOW, used=800, remaining=200)
    assert intervals(state, RULES, NOW)["soccer_epl"] > 5 * before
    state = read_counters(state, RULES, NOW, used=950, remaining=50)
    refused(ask(state, NOW + timedelta(days=1)))


def test_a_wallet_the_server_calls_empty_is_empty() -> None:
    state = read_counters(open_budget(NOW), RULES, NOW, used=None, remaining=0)
    refused(ask(state, on_demand=True))


def test_stragglers_do_not_lower_the_count_but_a_reset_does() -> None:
    state = open_budget(NOW)
    for minute in range(6):
        at = NOW + timedelta(minutes=minute)
        state = read_counters(state, RULES, at, used=500 + minute, remaining=500 - minute)
    at = NOW + timedelta(minutes=5, seconds=10)
    straggled = read_counters(state, RULES, at, used=504, remaining=496)
    assert describe(straggled, RULES, at).used == 505
    reset = read_counters(state, RULES, at, used=3, remaining=997)
    assert describe(reset, RULES, at).used == 3


def test_missing_counters_leave_our_own_count() -> None:
    state = poll(open_budget(NOW), NOW)
    state = read_counters(state, RULES, NOW, used=None, remaining=None)
    assert describe(state, RULES, NOW).used == 1


def test_a_failed_call_counts_as_perhaps_charged_until_the_server_speaks() -> None:
    state, yes = granted(ask(open_budget(NOW), cost=5))
    state = settle(
        state, RULES, NOW, grant_id=yes.grant_id, sport_key="soccer_epl", cost=None, is_failed=True
    )
    assert describe(state, RULES, NOW).remaining == 995
    soon = NOW + timedelta(seconds=10)
    assert (
        describe(read_counters(state, RULES, soon, used=0, remaining=1000), RULES, soon).remaining
        == 995
    )
    later = NOW + timedelta(minutes=3)
    heard = read_counters(state, RULES, later, used=0, remaining=1000)
    assert describe(heard, RULES, later).remaining == 1000


def test_a_failed_call_is_tried_again_sooner_than_its_interval() -> None:
    state, yes = granted(ask(open_budget(NOW)))
    state = settle(
        state, RULES, NOW, grant_id=yes.grant_id, sport_key="soccer_epl", cost=None, is_failed=True
    )
    assert intervals(state, RULES, NOW)["soccer_epl"] > 600
    _, no = refused(ask(state, NOW + timedelta(seconds=10)))
    assert no.retry_after_s < 120


def test_a_grant_nobody_reports_counts_as_perhaps_charged() -> None:
    state, _ = granted(ask(open_budget(NOW), cost=7))
    assert describe(state, RULES, NOW).remaining == 993
    assert describe(state, RULES, NOW + timedelta(hours=1)).remaining == 993
    state, _ = ask(state, NOW + timedelta(hours=2), cost=7)
    assert describe(state, RULES, NOW + timedelta(hours=2)).remaining == 986


def test_reports_count_once() -> None:
    state, yes = granted(ask(open_budget(NOW)))
    for _ in range(3):
        state = settle(
            state, RULES, NOW, grant_id=yes.grant_id, sport_key="soccer_epl", cost=1
        )  # fmt: skip
    assert describe(state, RULES, NOW).used == 1


def test_a_report_of_a_former_life_counts_its_cost() -> None:
    state = settle(
        open_budget(NOW), RULES, NOW, grant_id="old-1", sport_key="soccer_epl", cost=3
    )  # fmt: skip
    assert describe(state, RULES, NOW).used == 3


def test_a_restart_polls_nothing_before_its_time() -> None:
    state = open_budget(NOW, spent=40, polls={"soccer_epl": NOW - timedelta(seconds=30)})
    refused(ask(state))
    assert describe(state, RULES, NOW).used == 40


def test_the_month_turns_over_and_last_months_counters_hold_until_the_server_speaks() -> None:
    end = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    state = read_counters(open_budget(end, spent=900), RULES, end, used=950, remaining=50)
    start = end + timedelta(minutes=2)
    refused(ask(state, start))
    fresh = read_counters(state, RULES, start, used=0, remaining=1000)
    assert describe(fresh, RULES, start).remaining == 1000
    granted(ask(fresh, start))
    silent = start + timedelta(hours=15)
    granted(ask(state, silent))


def test_without_counters_the_month_simply_turns_over() -> None:
    end = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    state = open_budget(end, spent=900)
    refused(ask(state, end))
    granted(ask(state, end + timedelta(minutes=2)))


def test_a_clock_that_steps_back_neither_frees_nor_blocks() -> None:
    state = poll(open_budget(NOW), NOW)
    past = NOW - timedelta(days=40)
    _, no = refused(ask(state, past))
    assert no.retry_after_s <= 600
    assert describe(state, RULES, past).used == 1


def test_nearer_kickoffs_are_polled_more_often() -> None:
    state = open_budget(NOW)
    for hours in (1, 5, 30, 200):
        state, _ = ask(state, key=f"in_{hours}", kickoff=NOW + timedelta(hours=hours))
    state, _ = ask(state, key="none")
    found = intervals(state, BudgetRules(allowance=1000, ceiling_s=30 * 86_400), NOW)
    assert found["in_1"] < found["in_5"] < found["in_30"] < found["in_200"] == found["none"]


def test_floor_is_the_feeds_own_interval_and_shrinks_towards_the_kickoff() -> None:
    rich = BudgetRules(allowance=10**9)
    state, _ = ask(open_budget(NOW), rules=rich, kickoff=NOW + timedelta(hours=3))
    state, _ = ask(state, rules=rich, key="far", kickoff=NOW + timedelta(hours=9))
    state, _ = ask(state, rules=rich, key="live", kickoff=NOW)
    assert intervals(state, rich, NOW) == {"soccer_epl": 50.0, "far": 60.0, "live": 40.0}


def test_ceiling_holds_where_the_credits_allow_it_and_gives_way_where_not() -> None:
    far = NOW + timedelta(days=9)
    state, _ = ask(open_budget(NOW), kickoff=NOW + timedelta(minutes=5))
    state, _ = ask(state, key="far", kickoff=far)
    tight = BudgetRules(allowance=1000, ceiling_s=3600)
    assert intervals(state, tight, NOW)["far"] == 3600
    poor = BudgetRules(allowance=20, ceiling_s=3600)
    assert intervals(state, poor, NOW)["far"] > 24 * 3600


def test_an_unlimited_allowance_polls_at_the_floor() -> None:
    demo = BudgetRules(allowance=None, floor_s=3, live_floor_s=2)
    state = open_budget(NOW)
    for second in range(0, 30, 3):
        state, yes = granted(ask(state, NOW + timedelta(seconds=second), rules=demo))
        state = settle(
            state, demo, NOW, grant_id=yes.grant_id, sport_key="soccer_epl", cost=1,
            used=second, remaining=10,
        )  # fmt: skip
    picture = describe(state, demo, NOW)
    assert (picture.allowance, picture.lasts_until) == (0, None)
    assert picture.polls_today == 10


def test_calls_are_spread_below_the_feeds_rate_limit() -> None:
    state = open_budget(NOW)
    answers = []
    for i in range(66):
        state, answer = ask(state, key=f"key_{i}")
        answers.append(answer)
    assert sum(isinstance(answer, Granted) for answer in answers) == 20
    waits = [answer.retry_after_s for answer in answers if isinstance(answer, CallRefused)]
    assert 1 <= min(waits) < max(waits) <= 3


def test_forecast_names_the_day_the_credits_run_out_at_the_last_days_rate() -> None:
    state = read_counters(open_budget(NOW), RULES, NOW, used=100, remaining=900)
    day = NOW + timedelta(hours=23)
    state = read_counters(state, RULES, day, used=400, remaining=600)
    picture = describe(state, RULES, day)
    assert picture.lasts_until is not None
    assert timedelta(days=1) < picture.lasts_until - day < timedelta(days=2)
    quiet = describe(state, RULES, day + timedelta(days=3))
    assert quiet.lasts_until is None
    spent = read_counters(state, RULES, day, used=1000, remaining=0)
    assert describe(spent, RULES, day).lasts_until == day


def test_keys_without_a_fetcher_leave_their_share_to_the_others() -> None:
    state, _ = ask(open_budget(NOW))
    state, _ = ask(state, key="tennis_atp_rome")
    shared = intervals(state, RULES, NOW)["soccer_epl"]
    alone = intervals(forget_keys(state, frozenset({"soccer_epl"})), RULES, NOW)
    assert alone["soccer_epl"] == pytest.approx(shared / 2, rel=0.01)
    later = NOW + timedelta(minutes=40)
    state, _ = ask(state, later)
    assert set(intervals(state, RULES, later)) == {"soccer_epl"}


def test_a_quiet_or_crowded_hour_changes_the_pace_by_a_factor_of_four_at_most() -> None:
    rules = BudgetRules(allowance=1000, reserve=100, ceiling_s=10**7)
    state, _ = granted(ask(open_budget(NOW), rules=rules))
    (usual,) = intervals(state, rules, NOW).values()
    for typical, factor in ((1e9, 4), (1e-9, 0.25)):
        (interval,) = intervals(replace(state, typical_weight=typical), rules, NOW).values()
        assert interval == pytest.approx(usual * factor, rel=1e-3)


def test_a_call_asked_for_anew_puts_the_one_before_in_doubt_until_its_answer_comes() -> None:
    state, first = granted(ask(open_budget(NOW), cost=3))
    later = NOW + timedelta(hours=12)
    state, _ = granted(ask(state, later))
    assert [(doubt.grant_id, doubt.cost) for doubt in state.unsure] == [(first.grant_id, 3)]
    state = settle(state, RULES, later, grant_id=first.grant_id, sport_key="soccer_epl", cost=1)
    assert (state.spent, state.unsure) == (1, ())
    again = settle(state, RULES, later, grant_id=first.grant_id, sport_key="soccer_epl", cost=1)
    assert again.spent == 1


def test_a_failure_of_a_call_that_is_not_known_books_nothing() -> None:
    state, _ = granted(ask(open_budget(NOW)))
    after = settle(
        state, RULES, NOW, grant_id="a former life-1", sport_key="soccer_epl", cost=None, is_failed=True
    )  # fmt: skip
    assert (after.spent, after.unsure) == (state.spent, state.unsure)


def test_the_yardstick_of_crowded_hours_follows_slowly() -> None:
    start = NOW - timedelta(days=2)
    state = open_budget(start)
    state, _ = ask(state, NOW - timedelta(hours=1))
    assert state.typical_weight == pytest.approx(0.04)
    state, _ = ask(state, NOW, key="another", kickoff=NOW)
    # An hour of the day that it looks back on: of the way from 0.04 to 1, a twenty-fourth.
    assert state.typical_weight == pytest.approx(0.04 + 0.96 / 24)
