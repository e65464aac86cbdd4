"""The budget alone: what it grants, what it believes, and what it hands to the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from kos.actors import budget
from kos.config.settings import OddsApiSettings
from kos.domain.market.quotes import Sport
from kos.domain.people.conversation import KOS, PAUSE, Kept
from kos.domain.polling.credits import SportCreditsSpent
from kos.messages import (
    BudgetDescribed,
    CommandRecorded,
    CreditsGranted,
    CreditsRefused,
    CreditsSpent,
    CreditsSpentListed,
    GetBudget,
    GetCreditsSpent,
    GetKept,
    KeptListed,
    PauseChanged,
    RecordCreditsSpent,
    RequestCredits,
    ServerCountersRead,
    SportsListed,
    Subscribe,
)
from kos.runtime import ActorFailed, AskTimeout
from tests.actors.conftest import Staging
from tests.actors.stage import Stage
from tests.builders import NOW

SETTINGS = OddsApiSettings(monthly_credits=500, reserve_credits=25)
NBA = "basketball_nba"
COUNTERS = ServerCountersRead(used=90, remaining=410)


def spent(total: int = 0, **polls: datetime) -> CreditsSpentListed:
    lines = tuple(SportCreditsSpent(key, total, 1, at) for key, at in polls.items())
    return CreditsSpentListed(total=total, by_sport=lines, by_day={})


def kept(*names: str) -> KeptListed:
    return KeptListed(kept=tuple(Kept(owner=KOS, name=name, value="1") for name in names))


def recorded(command: RecordCreditsSpent) -> CommandRecorded:
    return CommandRecorded(command_id=command.command_id, sequence=1)


@pytest.fixture
def stage(put_on_stage: Staging) -> Stage:
    """A budget whose ledger knows of nothing and answers everything; not started."""
    stage = put_on_stage(budget.spec(budget.BudgetArgs(odds_api=SETTINGS)))
    stage.answer("ledger", GetCreditsSpent, spent())
    stage.answer("ledger", GetKept, kept())
    stage.answer("ledger", RecordCreditsSpent, recorded)
    return stage


@pytest.fixture
def opened(stage: Stage) -> Stage:
    """The same, started, and the server's counters were read."""
    stage.start()
    stage.tell(COUNTERS)
    return stage


def request(sport_key: str = NBA, cost: int = 1, *, on_demand: bool = False) -> RequestCredits:
    return RequestCredits(sport_key=sport_key, cost=cost, is_on_demand=on_demand)


def granted(stage: Stage, sport_key: str = NBA, cost: int = 1) -> CreditsGranted:
    answer = stage.ask(request(sport_key, cost))
    assert isinstance(answer, CreditsGranted), answer
    return answer


def report(grant: CreditsGranted, **more: Any) -> CreditsSpent:
    plain: dict[str, Any] = {"cost": None}
    return CreditsSpent(grant_id=grant.grant_id, sport_key=NBA, **{**plain, **more})


def described(stage: Stage) -> BudgetDescribed:
    answer = stage.ask(GetBudget())
    assert isinstance(answer, BudgetDescribed)
    return answer


def test_the_settings_become_the_rules() -> None:
    rules = budget.rules_of(OddsApiSettings(min_interval_s=30, max_interval_s=900))
    assert (rules.floor_s, rules.live_floor_s, rules.ceiling_s) == (30, 30, 900)
    assert budget.rules_of(OddsApiSettings(min_interval_s=60)).live_floor_s == 40


def test_it_begins_with_what_the_ledger_says_of_this_month(stage: Stage) -> None:
    polled = NOW - timedelta(seconds=20)
    stage.answer("ledger", GetCreditsSpent, spent(120, **{NBA: polled}))
    assert stage.start().asked("ledger", GetCreditsSpent) == [
        GetCreditsSpent(since=datetime(2026, 3, 1, tzinfo=NOW.tzinfo), until=NOW + timedelta(1))
    ]
    stage.tell(ServerCountersRead(used=100, remaining=400))
    assert described(stage).used == 120
    assert described(stage).remaining == 380
    answer = stage.ask(request())
    assert isinstance(answer, CreditsRefused)
    assert answer.reason == "not due yet", "it was polled by a former life"
    (line,) = stage.logged("budget.opened")
    assert (line["spent"], line["sport_keys"]) == (120, 1)
    stage.advance(5)
    assert stage.asked("ledger", GetCreditsSpent) == [], "once is enough"


def test_before_the_ledger_has_answered_nothing_is_granted_and_it_asks_again(stage: Stage) -> None:
    stage.answer("ledger", GetCreditsSpent, None)
    stage.start()
    stage.tell(COUNTERS)
    answer = stage.ask(request())
    assert isinstance(answer, CreditsRefused)
    assert answer.retry_after_s == 0.5
    assert "not known yet" in answer.reason
    assert "waiting for the ledger" in str(stage.pulse()["problem"])
    assert described(stage).used == 0
    stage.advance(0.4)
    assert len(stage.asked("ledger", GetCreditsSpent)) == 1
    stage.advance(0.1)
    assert len(stage.asked("ledger", GetCreditsSpent)) == 1
    assert len(stage.logged("budget.not_opened")) == 2
    stage.answer("ledger", GetCreditsSpent, spent(7))
    stage.advance(0.5)
    granted(stage)


def test_before_the_pause_is_known_nothing_is_granted_and_it_asks_again(stage: Stage) -> None:
    stage.answer("ledger", GetKept, AskTimeout("ledger", "GetKept", 10))
    stage.start()
    stage.tell(COUNTERS)
    assert isinstance(stage.ask(request()), CreditsRefused)
    stage.answer("ledger", GetKept, kept())
    stage.advance(0.5)
    granted(stage)


@pytest.mark.parametrize("question", [GetCreditsSpent, GetKept])
def test_a_ledger_that_answers_otherwise_has_not_answered(
    stage: Stage, question: type[GetCreditsSpent | GetKept]
) -> None:
    stage.answer("ledger", GetCreditsSpent, spent())
    stage.answer("ledger", GetKept, kept())
    stage.answer("ledger", question, COUNTERS)
    stage.start()
    stage.tell(COUNTERS)
    assert isinstance(stage.ask(request()), CreditsRefused)
    assert stage.ended is None
    stage.answer("ledger", GetCreditsSpent, spent())
    stage.answer("ledger", GetKept, kept())
    stage.advance(0.5)
    granted(stage)


def test_counters_that_come_before_the_ledgers_answer_count_as_soon_as_it_has_come(
    stage: Stage,
) -> None:
    stage.answer("ledger", GetCreditsSpent, None)
    stage.start()
    stage.tell(COUNTERS)
    stage.tell(ServerCountersRead(used=95, remaining=405))
    stage.answer("ledger", GetCreditsSpent, spent(3))
    stage.advance(0.5)
    assert described(stage).used == 95
    granted(stage)


def test_without_counters_it_waits_ten_seconds_and_then_believes_the_ledger(stage: Stage) -> None:
    stage.answer("ledger", GetCreditsSpent, spent(40))
    stage.start()
    stage.advance(10)
    answer = stage.ask(request())
    assert isinstance(answer, CreditsRefused)
    assert answer.retry_after_s == 0.5
    stage.advance(0.1)
    granted(stage)
    assert described(stage).used == 40


def test_later_counters_are_taken_at_once(opened: Stage) -> None:
    opened.tell(ServerCountersRead(used=460, remaining=40))
    assert described(opened).used == 460
    assert described(opened).remaining == 40


@pytest.mark.parametrize(
    ("told", "known"), [({"used": 91}, True), ({"remaining": 409}, True), ({}, False)]
)
def test_a_polls_own_counters_end_the_wait_for_them(
    stage: Stage, told: dict[str, int], *, known: bool
) -> None:
    stage.start()
    former = CreditsGranted(grant_id="former-1", cost=1)
    stage.tell(report(former, cost=1, **told))
    assert isinstance(stage.ask(request("soccer_epl")), CreditsGranted) is known


def test_a_grant_is_one_call_and_the_next_one_waits(opened: Stage) -> None:
    grant = granted(opened, cost=2)
    assert grant.cost == 2
    opened.tell(report(grant, cost=2, used=92, remaining=408))
    answer = opened.ask(request(cost=2))
    assert isinstance(answer, CreditsRefused)
    assert answer.reason == "not due yet"
    assert answer.retry_after_s > 1
    assert described(opened).polls_today == 1
    assert described(opened).used == 92


def test_kickoff_and_demand_reach_the_rules(opened: Stage) -> None:
    opened.tell(report(granted(opened), cost=1, used=91, remaining=409))
    opened.advance(61)
    assert isinstance(opened.ask(request()), CreditsRefused), "an even pace is slower"
    assert isinstance(opened.ask(request(on_demand=True)), CreditsGranted)
    far, near = (
        RequestCredits(sport_key=key, cost=1, next_kickoff=NOW + timedelta(hours=hours))
        for key, hours in (("soccer_epl", 40), ("soccer_efl", 1))
    )
    opened.ask(far)
    opened.ask(near)
    interval_s = described(opened).interval_s
    assert interval_s["soccer_efl"] < interval_s["soccer_epl"]


def test_what_the_server_counted_is_recorded_once(opened: Stage) -> None:
    grant = granted(opened, cost=3)
    opened.advance(2)
    opened.tell(report(grant, cost=1, used=91, remaining=409))
    assert opened.asked("ledger", RecordCreditsSpent) == []
    assert opened.pulse()["unrecorded_waiting"] == 1
    opened.advance(1)
    assert opened.asked("ledger", RecordCreditsSpent) == [
        RecordCreditsSpent(
            command_id=f"credits-{grant.grant_id}",
            by="budget",
            occurred_at=NOW + timedelta(seconds=2),
            sport_key=NBA,
            credits=1,
        )
    ]
    assert opened.pulse()["unrecorded_waiting"] == 0
    opened.advance(5)
    assert opened.asked("ledger", RecordCreditsSpent) == []


@pytest.mark.parametrize(("told", "expected"), [(None, 3), (0, 0), (2, 2), (5, 5)])
def test_a_call_of_unknown_cost_is_recorded_in_full_and_any_other_as_told(
    opened: Stage, told: int | None, expected: int
) -> None:
    opened.tell(report(granted(opened, cost=3), cost=told))
    opened.advance(1)
    (command,) = opened.asked("ledger", RecordCreditsSpent)
    assert command.credits == expected


def test_a_grant_of_a_former_life_costs_what_the_server_says_or_nothing(opened: Stage) -> None:
    grant = granted(opened, cost=3)
    opened.tell(report(grant))
    opened.advance(1)
    opened.tell(report(grant))  # its cost is known to nobody any more
    opened.advance(1)
    costs = [each.credits for each in opened.asked("ledger", RecordCreditsSpent)]
    assert costs == [3, 0]


def test_what_the_ledger_does_not_answer_is_said_again_in_its_order(opened: Stage) -> None:
    first, second = granted(opened), granted(opened, "soccer_epl")
    opened.answer("ledger", RecordCreditsSpent, None)
    opened.tell(report(first, cost=1))
    opened.tell(report(second, cost=1))
    opened.advance(2)
    ids = [each.command_id for each in opened.asked("ledger", RecordCreditsSpent)]
    assert ids == [f"credits-{first.grant_id}"] * 2, "after one that failed no other is tried"
    assert opened.pulse()["unrecorded_waiting"] == 2
    opened.answer("ledger", RecordCreditsSpent, recorded)
    opened.advance(1)
    ids = [each.command_id for each in opened.asked("ledger", RecordCreditsSpent)]
    assert ids == [f"credits-{first.grant_id}", f"credits-{second.grant_id}"]
    assert opened.pulse()["unrecorded_waiting"] == 0


def test_what_is_not_recorded_yet_is_recorded_at_a_stop(opened: Stage) -> None:
    opened.tell(report(granted(opened), cost=1))
    opened.stop()
    assert len(opened.asked("ledger", RecordCreditsSpent)) == 1


def test_what_was_spent_before_it_opened_is_recorded_too(stage: Stage) -> None:
    stage.answer("ledger", GetCreditsSpent, None)
    stage.start()
    stage.tell(report(CreditsGranted(grant_id="former-1", cost=1), cost=4, used=94, remaining=406))
    stage.advance(1)
    (command,) = stage.asked("ledger", RecordCreditsSpent)
    assert command.credits == 4


def test_a_failed_call_is_doubted_and_a_good_one_without_counters_charged(opened: Stage) -> None:
    opened.tell(report(granted(opened, cost=3), is_failed=True))
    assert (described(opened).used, described(opened).remaining) == (90, 407)
    opened.tell(COUNTERS)
    assert described(opened).remaining == 407, "the counters may be older than the call"


def test_while_paused_nothing_is_granted_and_it_ends_with_the_ledgers_word(opened: Stage) -> None:
    opened.answer("ledger", GetKept, kept(PAUSE))
    opened.asked("ledger", GetKept)
    opened.tell(PauseChanged())
    assert opened.asked("ledger", GetKept) == [GetKept(owner=KOS, prefix=PAUSE)]
    answer = opened.ask(request(on_demand=True))
    assert isinstance(answer, CreditsRefused)
    assert "/resume" in answer.reason
    assert answer.retry_after_s == 15
    assert described(opened).is_paused
    assert opened.pulse()["is_paused"] == 1
    opened.advance(20)
    assert len(opened.asked("ledger", GetKept)) == 2, "read again every ten seconds"
    assert [line["is_paused"] for line in opened.logged("pause.changed")] == [True]
    opened.answer("ledger", GetKept, kept("pause-not"))
    opened.advance(10)
    granted(opened)
    assert [line["is_paused"] for line in opened.logged("pause.changed")] == [True, False]


def test_a_ledger_that_does_not_answer_leaves_the_pause_as_it_is(opened: Stage) -> None:
    opened.answer("ledger", GetKept, kept(PAUSE))
    opened.advance(10)
    opened.answer("ledger", GetKept, None)
    opened.advance(10)
    assert described(opened).is_paused


def test_the_pause_is_not_read_on_the_clock_before_it_has_opened(stage: Stage) -> None:
    stage.answer("ledger", GetCreditsSpent, None)
    stage.start()
    stage.advance(11)
    assert stage.asked("ledger", GetKept) == []


def test_sport_keys_out_of_season_are_forgotten(opened: Stage) -> None:
    granted(opened)
    granted(opened, "soccer_epl")
    assert set(described(opened).interval_s) == {NBA, "soccer_epl"}
    sport = Sport(NBA, "Basketball", "NBA", active=True, has_outrights=False)
    opened.tell(SportsListed(sports=(sport,), listed_at=NOW))
    assert set(described(opened).interval_s) == {NBA}


def test_a_list_of_sports_before_it_has_opened_changes_nothing(stage: Stage) -> None:
    stage.answer("ledger", GetCreditsSpent, None)
    stage.start()
    stage.tell(SportsListed(sports=(), listed_at=NOW))
    assert stage.ended is None


def test_other_settings_hold_at_once(opened: Stage) -> None:
    opened.renew(budget.BudgetArgs(odds_api=msgspec.structs.replace(SETTINGS, monthly_credits=95)))
    assert not opened.is_outdated
    assert described(opened).allowance == 95
    assert described(opened).remaining == 5


def test_its_pulse_says_how_the_credits_stand(opened: Stage) -> None:
    assert opened.pulse()["credits_last_until"] == "", "nothing was spent in this life"
    opened.tell(report(granted(opened), cost=1, used=91, remaining=409))
    assert opened.pulse() == {
        "credits_used": 91,
        "credits_left": 409,
        "credits_allowance": 500,
        "credits_reserve": 25,
        "credits_reset_at": "2026-04-01T00:00:00+00:00",
        "credits_last_until": "2026-03-31T13:00:00+00:00",
        "polls_today": 1,
        "is_paused": 0,
        "unrecorded_waiting": 1,
    }
    opened.tell(ServerCountersRead(used=500, remaining=0))
    assert opened.pulse()["credits_last_until"] == NOW.isoformat()


def test_the_description_says_the_same(opened: Stage) -> None:
    opened.tell(report(granted(opened), cost=1, used=91, remaining=409))
    answer = described(opened)
    assert (answer.allowance, answer.used, answer.remaining, answer.reserve) == (500, 91, 409, 25)
    assert answer.resets_at.isoformat() == "2026-04-01T00:00:00+00:00"
    assert answer.lasts_until == NOW + timedelta(hours=409)
    assert answer.interval_s == {NBA: pytest.approx(3937.5)}
    assert answer.polls_today == 1
    assert not answer.is_paused


def test_a_message_that_is_not_its_own_is_refused_by_name(opened: Stage) -> None:
    with pytest.raises(ActorFailed, match="budget takes no Subscribe"):
        opened.ask(Subscribe(subscriber="x"))
