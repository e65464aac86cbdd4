"""The pool of proxy sessions alone: who gets which, what retires one, and what brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kos.actors import proxies
from kos.config.settings import ProxySettings, Secret
from kos.messages import GetBudget, GetProxySession, ProxySessionGiven, ProxyUsed
from kos.runtime import ActorFailed
from tests.actors.conftest import Staging
from tests.actors.stage import Stage
from tests.adapters.loopback import Loopback, answer, loopback
from tests.builders import NOW

CAME_THROUGH = answer(404, b"")
"""Any status of the service's own is an answer."""
GATEWAYS_WORD = answer(502, b"")


@pytest.fixture
def gateway() -> Iterator[Loopback]:
    with loopback(CAME_THROUGH) as server:
        yield server


class Pool:
    """Two sessions, each checked where nobody used it for a hundred seconds."""

    def __init__(self, put_on_stage: Staging, gateway: Loopback) -> None:
        self._put = put_on_stage
        self.gateway = gateway

    def stage(self, **changed: Any) -> Stage:
        plain: dict[str, Any] = {
            "url": self.gateway.url.replace("://", "://{username}-{session}:{password}@"),
            "username": Secret("ann"),
            "password": Secret("pa55word"),
            "sessions": 2,
            "check_every_s": 100.0,
        }
        settings = ProxySettings(**{**plain, **changed})
        args = proxies.ProxiesArgs(proxies=settings, target="http://feed.example")
        return self._put(proxies.spec(args)).start()


@pytest.fixture
def pool(put_on_stage: Staging, gateway: Loopback) -> Pool:
    return Pool(put_on_stage, gateway)


def session_of(stage: Stage, key: str) -> str:
    given = stage.ask(GetProxySession(key=key))
    assert isinstance(given, ProxySessionGiven)
    assert given.retry_after_s == 0
    return given.session_id


def retire(stage: Stage, session_id: str) -> None:
    for _ in range(3):
        stage.tell(ProxyUsed(session_id=session_id, problem="no connection"))


def test_a_key_keeps_its_session_and_keys_spread_over_all(pool: Pool) -> None:
    stage = pool.stage()
    first, second = session_of(stage, "a"), session_of(stage, "b")
    assert first != second
    assert session_of(stage, "a") == first
    assert stage.pulse() == {
        "sessions": 2,
        "serving": 2,
        "keys": 2,
        "given": 3,
        "failures": 0,
        "problem": "",
    }


def test_each_session_is_checked_at_the_start_one_after_the_other(pool: Pool) -> None:
    stage = pool.stage()
    assert len(pool.gateway.seen) == 1
    assert pool.gateway.seen[0].path.startswith("http://feed.example/")
    stage.advance(4.9)
    assert len(pool.gateway.seen) == 1
    stage.advance(0.1)
    assert len(pool.gateway.seen) == 2
    ways = {each.headers["proxy-authorization"] for each in pool.gateway.seen}
    assert len(ways) == 2
    stage.advance(90)
    assert len(pool.gateway.seen) == 2, "what was checked or used lately is not checked"
    stage.advance(20)
    assert len(pool.gateway.seen) == 4


def test_many_sessions_are_looked_after_often_enough(pool: Pool) -> None:
    stage = pool.stage(sessions=50)
    (timer,) = stage.timers.waiting()
    assert timer.interval_s == 2.0


def test_a_session_that_is_used_needs_no_check(pool: Pool) -> None:
    stage = pool.stage()
    ids = {session_of(stage, "a"), session_of(stage, "b")}
    stage.advance(5)
    for _ in range(20):
        stage.advance(20)
        for each in ids:
            stage.tell(ProxyUsed(session_id=each, problem=""))
    assert len(pool.gateway.seen) == 2


def test_a_session_that_fails_three_times_is_retired_and_its_key_moves(pool: Pool) -> None:
    stage = pool.stage()
    stage.advance(10)
    former, other = session_of(stage, "a"), session_of(stage, "b")
    for _ in range(2):
        stage.tell(ProxyUsed(session_id=former, problem="no connection"))
    assert session_of(stage, "a") == former
    assert stage.logged("proxy.retired") == []
    stage.tell(ProxyUsed(session_id=former, problem="no connection"))
    assert session_of(stage, "a") == other
    (line,) = stage.logged("proxy.retired")
    assert (line["error"], (line["until"] - NOW).total_seconds()) == ("no connection", 35)
    assert stage.pulse()["serving"] == 1
    assert stage.pulse()["failures"] == 3
    assert stage.pulse()["problem"] == "", "one is enough"
    stage.tell(ProxyUsed(session_id=former, problem="late word"))
    assert len(stage.logged("proxy.retired")) == 1


def test_a_success_in_between_forgives_failures(pool: Pool) -> None:
    stage = pool.stage()
    stage.advance(10)
    session = session_of(stage, "a")
    for problem in ("x", "x", "", "x", "x"):
        stage.tell(ProxyUsed(session_id=session, problem=problem))
    assert session_of(stage, "a") == session


def test_with_none_left_the_wait_until_the_next_trial_is_told_and_the_reason_shown(
    pool: Pool,
) -> None:
    stage = pool.stage()
    stage.advance(10)
    pool.gateway.script = [GATEWAYS_WORD]
    first, second = session_of(stage, "a"), session_of(stage, "b")
    retire(stage, first)
    stage.advance(10)
    retire(stage, second)
    given = stage.ask(GetProxySession(key="a"))
    assert given == ProxySessionGiven(session_id="", retry_after_s=15)
    assert stage.pulse()["problem"] == "no proxy session is working: no connection"
    stage.advance(14.5)
    assert stage.ask(GetProxySession(key="a")).retry_after_s == 1, "never less than a second"


def test_a_check_brings_a_session_back_with_a_new_address(pool: Pool) -> None:
    stage = pool.stage(sessions=1)
    stage.advance(10)
    former = session_of(stage, "a")
    retire(stage, former)
    pool.gateway.seen.clear()
    stage.advance(20)
    assert pool.gateway.seen == [], "it rests for a quarter of the time between checks"
    stage.advance(5)
    assert len(pool.gateway.seen) == 1
    assert session_of(stage, "a") not in {"", former}
    assert len(stage.logged("proxy.returned")) == 1


def test_a_check_that_fails_sends_it_back_for_twice_as_long(pool: Pool) -> None:
    stage = pool.stage(sessions=1)
    stage.advance(10)
    pool.gateway.script = [GATEWAYS_WORD]
    retire(stage, session_of(stage, "a"))
    stage.advance(25)
    first, second = stage.logged("proxy.retired")
    assert (second["until"] - first["until"]).total_seconds() == 50
    assert "502" in second["error"]
    assert stage.logged("proxy.returned") == []


def test_while_all_are_on_trial_a_second_is_the_wait(pool: Pool) -> None:
    stage = pool.stage(sessions=1, check_every_s=1.0)
    stage.advance(1)
    retire(stage, session_of(stage, "a"))
    pool.gateway.script = [GATEWAYS_WORD]
    stage.advance(0.3)
    assert stage.ask(GetProxySession(key="a")).retry_after_s == 1


def test_no_message_and_no_log_holds_the_login(pool: Pool) -> None:
    stage = pool.stage()
    pool.gateway.script = [answer(407, b"")]
    stage.advance(600)
    assert len(stage.logged("proxy.retired")) > 0
    assert "pa55word" not in str(stage.logs)
    assert "pa55word" not in str(stage.pulse())


def test_a_message_that_is_not_its_own_is_refused_by_name(pool: Pool) -> None:
    with pytest.raises(ActorFailed, match="proxies takes no GetBudget"):
        pool.stage().ask(GetBudget())
