"""One fetcher alone: when it polls, what it tells, what it keeps, and how long it waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kos.actors import fetcher
from kos.config.settings import ProxySettings, Secret
from kos.domain.market.quotes import Sport
from kos.domain.matching import BookmakerFixture
from kos.messages import (
    CreditsGranted,
    CreditsRefused,
    CreditsSpent,
    FetchAnswered,
    FetchNow,
    FixturesListed,
    GetBudget,
    GetProxySession,
    ProxySessionGiven,
    ProxyUsed,
    QuotesFetched,
    RequestCredits,
    Subscribe,
)
from kos.runtime import ActorFailed, OnExhausted
from kos.storage.snapshots import SnapshotFile
from tests import builders as b
from tests.actors.conftest import Staging
from tests.actors.feeds import BROKEN, KEY, busy, feed_settings, good, refused
from tests.actors.stage import Stage, counted, observed
from tests.adapters.loopback import Loopback, answer, loopback
from tests.adapters.oddsapi import bodies
from tests.builders import NOW

EPL = Sport("soccer_epl", "Soccer", "EPL", active=True, has_outrights=False)
PROXIES = ProxySettings(
    used_by=("odds_api",), username=Secret("ann"), password=Secret("pa55"), sessions=2
)
GRANT = CreditsGranted(grant_id="g-1", cost=1)
NOT_DUE = CreditsRefused(reason="not due yet", retry_after_s=30)
LEEDS = bodies.match_event(2.5, 3.0, 3.2)
DUE = good(LEEDS)


@pytest.fixture
def feed() -> Iterator[Loopback]:
    with loopback(DUE) as server:
        yield server


class Fetching:
    """A fetcher of the Premier League, not started; its budget grants every call."""

    def __init__(self, put_on_stage: Staging, feed: Loopback, folder: Path) -> None:
        self._put = put_on_stage
        self.feed = feed
        self.folder = folder
        self.file = SnapshotFile(folder, EPL.key)

    def stage(self, *, is_started: bool = True, **changed: Any) -> Stage:
        args = fetcher.FetcherArgs(
            odds_api=feed_settings(self.feed, regions=("uk",)),
            proxies=ProxySettings(),
            sport=EPL,
            is_matching=True,
            first_after_s=2.0,
            snapshot_dir=str(self.folder),
        )
        stage = self._put(fetcher.spec(msgspec.structs.replace(args, **changed)))
        stage.answer("budget", RequestCredits, grants_once())
        return stage.start() if is_started else stage


def grants_once(then: CreditsRefused = NOT_DUE) -> Any:
    """A budget that grants one call and then says how long to wait."""
    answers = iter([GRANT])
    return lambda _: next(answers, then)


@pytest.fixture
def fetching(put_on_stage: Staging, feed: Loopback, tmp_path: Path) -> Fetching:
    return Fetching(put_on_stage, feed, tmp_path / "snapshots")


def waits_s(stage: Stage) -> float:
    """Seconds until the next appointment, of which there is one at a time."""
    (timer,) = stage.timers.waiting()
    return round(timer.due - stage.timers.now_s, 6)


def test_a_sport_key_that_keeps_failing_is_parked_and_has_time_for_a_slow_poll(
    fetching: Fetching,
) -> None:
    spec = fetching.stage(is_started=False).spec
    assert spec.name == "fetcher.soccer_epl"
    assert spec.on_exhausted is OnExhausted.PARK
    assert spec.stop_timeout_s == 60


def test_the_first_poll_comes_after_its_time_and_is_told_to_all(fetching: Fetching) -> None:
    polls, lateness = counted("polls_total", outcome="done"), observed("poll_lateness_seconds")
    quotes = counted("quotes_total")
    stage = fetching.stage()
    stage.advance(1.9)
    assert stage.asked("budget") == []
    assert fetching.feed.seen == []
    stage.advance(0.1)
    (request, again) = stage.asked("budget", RequestCredits)
    assert request == RequestCredits(sport_key=EPL.key, cost=1)
    assert not again.is_on_demand, "after a poll it asks at once when the next one is due"
    (seen,) = fetching.feed.seen
    assert seen.path.startswith("/v4/sports/soccer_epl/odds?")
    assert KEY in seen.path
    (told,) = stage.told("scorer")
    assert isinstance(told, QuotesFetched)
    assert told.sport_key == EPL.key
    assert told.fetched_at == NOW + timedelta(seconds=2)
    assert [event.home for event in told.events] == ["Leeds United"]
    assert told.job_id
    assert stage.told("reconciler") == [
        FixturesListed(
            sport_key=EPL.key,
            fixtures=(
                BookmakerFixture(
                    id="a" * 32,
                    sport_key=EPL.key,
                    kickoff=datetime(2026, 11, 28, 15, tzinfo=UTC),
                    home="Leeds United",
                    away="Hull City",
                    outcomes=("Leeds United", "Hull City", "Draw"),
                ),
            ),
        )
    ]
    assert stage.told("budget") == [
        CreditsSpent(grant_id="g-1", sport_key=EPL.key, cost=1, used=7, remaining=493)
    ]
    assert counted("polls_total", outcome="done") == polls + 1
    assert counted("quotes_total") == quotes + 3
    assert observed("poll_lateness_seconds") == lateness + 1
    assert waits_s(stage) == 30
    (line,) = stage.logged("quotes.fetched")
    assert (line["events"], line["credits_left"], line["reason"]) == (1, 493, "scheduled")


def test_what_a_poll_drops_is_told_and_counted(fetching: Fetching) -> None:
    fetching.feed.script = [good(LEEDS, {"id": 5})]
    before = counted("drops_total", source="odds")
    stage = fetching.stage()
    stage.advance(2)
    (told,) = stage.told("scorer")
    assert len(told.events) == 1
    assert len(told.drops) == 1
    assert counted("drops_total", source="odds") == before + 1
    (line,) = stage.logged("quotes.fetched")
    assert line["drop_reasons"] == [told.drops[0].reason]


@pytest.mark.parametrize(
    ("answered", "expected_s"),
    [
        (NOT_DUE, 30),
        (CreditsRefused(reason="not due yet", retry_after_s=0.2), 0.2),
        (CreditsRefused(reason="not due yet", retry_after_s=0), 0.05),
        (None, 1),
    ],
)
def test_it_asks_for_credits_again_when_the_budget_says_or_is_there_again(
    fetching: Fetching, answered: CreditsRefused | None, expected_s: float
) -> None:
    stage = fetching.stage(is_started=False)
    stage.answer("budget", RequestCredits, answered)
    stage.start()
    stage.advance(2)
    assert waits_s(stage) == pytest.approx(expected_s)
    assert fetching.feed.seen == []
    assert len(stage.asked("budget")) == 1
    assert len(stage.logged("budget.not_reached")) == (answered is None)


def test_a_budget_that_answers_otherwise_ends_it(fetching: Fetching) -> None:
    stage = fetching.stage(is_started=False)
    stage.answer("budget", RequestCredits, GetBudget())
    stage.start()
    stage.advance(2)
    assert stage.ended is not None
    assert "budget answered GetBudget" in stage.ended.error


def test_each_failure_in_a_row_waits_twice_as_long_up_to_five_minutes(fetching: Fetching) -> None:
    fetching.feed.script = [BROKEN]
    before = counted("polls_total", outcome="failed")
    stage = fetching.stage()
    stage.answer("budget", RequestCredits, GRANT)
    stage.advance(2)
    waits = []
    for _ in range(8):
        waits.append(waits_s(stage))
        stage.advance(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert counted("polls_total", outcome="failed") == before + 9
    assert stage.told("scorer") == []
    first, *_ = stage.told("budget", CreditsSpent)
    assert first == CreditsSpent(grant_id="g-1", sport_key=EPL.key, cost=None, is_failed=True)
    assert stage.pulse()["problem"]
    assert [line["retry_s"] for line in stage.logged("quotes.not_fetched")][:2] == [5, 10]
    fetching.feed.script = [DUE]
    stage.answer("budget", RequestCredits, grants_once())
    stage.advance(300)
    assert stage.pulse()["problem"] == ""
    fetching.feed.script = [BROKEN]
    stage.answer("budget", RequestCredits, GRANT)
    stage.advance(30)
    assert waits_s(stage) == 5, "a poll that came through begins the waits anew"


@pytest.mark.parametrize(
    ("refusal", "expected_s"),
    [(refused(), 300), (busy(120), 120), (busy(86_000), 86_000)],
    ids=["key", "wait", "long wait"],
)
def test_what_the_feed_asks_for_is_waited_for(
    fetching: Fetching, refusal: Any, expected_s: float
) -> None:
    fetching.feed.script = [refusal]
    stage = fetching.stage()
    stage.advance(2)
    assert waits_s(stage) == expected_s
    assert len(fetching.feed.seen) == 1


def test_a_short_wait_of_the_feed_does_not_shorten_its_own(fetching: Fetching) -> None:
    fetching.feed.script = [BROKEN, BROKEN, BROKEN, BROKEN, BROKEN, busy(50)]
    stage = fetching.stage()
    stage.answer("budget", RequestCredits, GRANT)
    stage.advance(2 + 5 + 10 + 20 + 40 + 80)
    assert waits_s(stage) == 160


def test_the_next_kickoff_to_come_goes_with_the_request(fetching: Fetching) -> None:
    hours = (-1, 0, 5, 3)
    events = [
        b.event(id=f"e{each}", sport_key=EPL.key, kickoff=NOW + timedelta(hours=each))
        for each in hours
    ]
    fetching.file.save(QuotesFetched(sport_key=EPL.key, events=tuple(events), fetched_at=NOW))
    stage = fetching.stage(first_after_s=0.0)
    first, *_ = stage.asked("budget", RequestCredits)
    assert first.next_kickoff == NOW + timedelta(hours=3)


def test_a_poll_on_demand_is_answered_and_leaves_the_schedule_alone(fetching: Fetching) -> None:
    stage = fetching.stage()
    assert stage.ask(FetchNow(reason="ann asked")) == FetchAnswered(
        is_done=True, detail="1 events read"
    )
    (request,) = stage.asked("budget", RequestCredits)
    assert request.is_on_demand
    assert len(stage.told("scorer", QuotesFetched)) == 1
    assert waits_s(stage) == 2
    (line,) = stage.logged("quotes.fetched")
    assert line["reason"] == "ann asked"


def test_a_poll_on_demand_that_is_refused_or_fails_says_why(fetching: Fetching) -> None:
    stage = fetching.stage()
    stage.answer("budget", RequestCredits, NOT_DUE)
    assert stage.ask(FetchNow(reason="x")) == FetchAnswered(is_done=False, detail="not due yet")
    stage.answer("budget", RequestCredits, None)
    answer = stage.ask(FetchNow(reason="x"))
    assert not answer.is_done
    assert "credit budget is not responding" in answer.detail
    assert fetching.feed.seen == []
    stage.answer("budget", RequestCredits, GRANT)
    fetching.feed.script = [refused()]
    answer = stage.ask(FetchNow(reason="x"))
    assert not answer.is_done
    assert "check the API key" in answer.detail
    assert KEY not in answer.detail


def test_the_last_poll_is_written_at_most_every_thirty_seconds(fetching: Fetching) -> None:
    stage = fetching.stage()

    def poll_after(seconds: float) -> datetime:
        stage.advance(seconds)
        assert stage.ask(FetchNow(reason="x")).is_done
        kept = fetching.file.load()
        assert kept is not None
        return kept.fetched_at

    stage.answer("budget", RequestCredits, lambda asked: GRANT if asked.is_on_demand else NOT_DUE)
    first = poll_after(0)
    assert first == NOW
    assert poll_after(29.9) == first
    assert poll_after(0.1) == NOW + timedelta(seconds=30)
    assert poll_after(1) == NOW + timedelta(seconds=30)


def test_a_poll_that_cannot_be_written_is_told_all_the_same_and_tried_again(
    fetching: Fetching,
) -> None:
    fetching.folder.write_text("no folder")
    stage = fetching.stage()
    stage.advance(2)
    assert len(stage.told("scorer", QuotesFetched)) == 1
    assert len(stage.logged("snapshot.not_saved")) == 1
    fetching.folder.unlink()
    stage.answer("budget", RequestCredits, GRANT)
    assert stage.ask(FetchNow(reason="x")).is_done
    assert fetching.file.load() is not None, "a failed writing does not count as one"


def test_a_restart_tells_the_poll_of_the_former_life_before_any_call(fetching: Fetching) -> None:
    kept = QuotesFetched(
        sport_key=EPL.key,
        events=(b.event(sport_key=EPL.key),),
        fetched_at=NOW - timedelta(minutes=5),
    )
    fetching.file.save(kept)
    stage = fetching.stage()
    assert stage.told("scorer") == [kept]
    (fixtures,) = stage.told("reconciler")
    assert [each.id for each in fixtures.fixtures] == ["e1"]
    assert fetching.feed.seen == []
    assert stage.pulse()["fetched_at"] == kept.fetched_at.isoformat()


def test_a_file_of_another_sport_key_or_of_nothing_is_no_poll(fetching: Fetching) -> None:
    fetching.file.save(QuotesFetched(sport_key="soccer_efl", events=(), fetched_at=NOW))
    stage = fetching.stage()
    assert stage.told("scorer") == []
    assert stage.pulse() == {
        "sport_key": EPL.key,
        "fetched_at": "",
        "events": 0,
        "next_poll_at": (NOW + timedelta(seconds=2)).isoformat(),
        "problem": "",
    }


def test_a_consumer_that_starts_anew_gets_the_last_poll_without_a_call(fetching: Fetching) -> None:
    stage = fetching.stage()
    stage.tell(Subscribe(subscriber="scorer"))
    assert stage.told("scorer") == [], "there is none yet"
    stage.advance(2)
    stage.told("scorer")
    stage.told("reconciler")
    stage.tell(Subscribe(subscriber="scorer"))
    assert len(stage.told("scorer", QuotesFetched)) == 1
    assert stage.told("reconciler") == []
    stage.tell(Subscribe(subscriber="reconciler"))
    assert len(stage.told("reconciler", FixturesListed)) == 1
    assert stage.told("scorer") == []
    assert len(fetching.feed.seen) == 1


def test_without_an_exchange_account_no_fixtures_are_told(fetching: Fetching) -> None:
    stage = fetching.stage(is_matching=False)
    stage.advance(2)
    stage.tell(Subscribe(subscriber="reconciler"))
    assert stage.told("reconciler") == []
    assert len(stage.told("scorer")) == 1


def test_its_pulse_says_what_it_has(fetching: Fetching) -> None:
    stage = fetching.stage()
    stage.advance(2)
    assert stage.pulse() == {
        "sport_key": EPL.key,
        "fetched_at": (NOW + timedelta(seconds=2)).isoformat(),
        "events": 1,
        "next_poll_at": (NOW + timedelta(seconds=32)).isoformat(),
        "problem": "",
    }


def test_events_without_two_sides_are_no_fixtures() -> None:
    named = b.event(b.bookmaker("coral", b.quotes_market({"Leeds": "2", "York": "2"})))
    lone = [msgspec.structs.replace(named, id="x", **{side: None}) for side in ("home", "away")]
    (fixture,) = fetcher.fixtures((lone[0], named, lone[1]))
    assert fixture.id == "e1"
    assert fixture.outcomes == ("Leeds", "York")


def test_a_message_that_is_not_its_own_is_refused_by_name(fetching: Fetching) -> None:
    stage = fetching.stage()
    with pytest.raises(ActorFailed, match="a fetcher takes no GetBudget"):
        stage.ask(GetBudget())
    stage.stop()


def through_proxy(feed: Loopback) -> ProxySettings:
    """Proxies whose gateway is this server."""
    address = feed.url.replace("http://", "http://{username}-{session}:{password}@")
    return msgspec.structs.replace(PROXIES, url=address)


def test_a_poll_goes_through_the_session_that_the_pool_gives(fetching: Fetching) -> None:
    stage = fetching.stage(is_started=False, proxies=through_proxy(fetching.feed))
    given = ProxySessionGiven(session_id="s1", retry_after_s=0)
    stage.answer("proxies", GetProxySession, given)
    stage.start()
    stage.advance(2)
    assert stage.asked("proxies") == [GetProxySession(key=EPL.key)]
    (seen,) = fetching.feed.seen
    assert seen.path.startswith("http://"), "as a proxy is asked"
    assert "proxy-authorization" in seen.headers
    assert stage.told("proxies") == [ProxyUsed(session_id="s1", problem="")]


def test_a_call_that_fails_on_its_way_is_the_sessions_fault_and_a_refusal_is_not(
    fetching: Fetching,
) -> None:
    stage = fetching.stage(is_started=False, proxies=through_proxy(fetching.feed))
    given = ProxySessionGiven(session_id="s1", retry_after_s=0)
    stage.answer("proxies", GetProxySession, given)
    fetching.feed.script = [answer(407, b""), refused()]
    stage.start()
    stage.advance(2)
    (used,) = stage.told("proxies", ProxyUsed)
    assert "PROXY_LOGIN" in used.problem
    assert "pa55" not in used.problem
    stage.answer("budget", RequestCredits, grants_once())
    stage.advance(300)
    assert stage.told("proxies") == [ProxyUsed(session_id="s1", problem="")]


@pytest.mark.parametrize(
    ("given", "expected_s"),
    [(ProxySessionGiven(session_id="", retry_after_s=40), 40), (None, 15)],
    ids=["none serves", "no answer"],
)
def test_without_a_session_no_call_is_made_by_another_way(
    fetching: Fetching, given: ProxySessionGiven | None, expected_s: float
) -> None:
    stage = fetching.stage(is_started=False, proxies=through_proxy(fetching.feed))
    stage.answer("proxies", GetProxySession, given)
    stage.start()
    stage.advance(2)
    assert fetching.feed.seen == []
    assert waits_s(stage) == expected_s
    assert stage.told("proxies") == [], "no session was used"
    assert stage.told("budget", CreditsSpent)[0].is_failed


def test_a_session_used_before_is_not_blamed_for_a_call_that_was_not_made(
    fetching: Fetching,
) -> None:
    stage = fetching.stage(is_started=False, proxies=through_proxy(fetching.feed))
    stage.answer("proxies", GetProxySession, ProxySessionGiven(session_id="s1", retry_after_s=0))
    stage.start()
    stage.advance(2)
    stage.told("proxies")
    stage.answer("proxies", GetProxySession, ProxySessionGiven(session_id="", retry_after_s=1))
    stage.answer("budget", RequestCredits, grants_once())
    stage.advance(30)
    assert stage.told("proxies") == []


def test_a_pool_that_answers_otherwise_or_is_away_costs_no_poll(
    fetching: Fetching,
) -> None:
    stage = fetching.stage(is_started=False, proxies=through_proxy(fetching.feed))

    def give_and_vanish(_: GetProxySession) -> ProxySessionGiven:
        stage.neighbours.unknown.add("proxies")
        return ProxySessionGiven(session_id="s1", retry_after_s=0)

    stage.answer("proxies", GetProxySession, give_and_vanish)
    stage.start()
    stage.advance(2)
    assert len(stage.told("scorer")) == 1
    assert len(stage.logged("proxies.not_reached")) == 1
    stage.neighbours.unknown.clear()
    stage.answer("proxies", GetProxySession, GetBudget())
    stage.answer("budget", RequestCredits, grants_once())
    stage.advance(30)
    assert stage.ended is None
    assert not stage.told("scorer")
