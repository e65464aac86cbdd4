"""The daemon behind the pool: sticky by sport key, evenly loaded, over a dead session at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from kos.sandbox import Sandbox
from kos.sandbox.proxy import PASSWORD, Passage, ProxyServer
from tests.system.conftest import MONTHLY_CREDITS, Daemon

pytestmark = [pytest.mark.system]

SPORTS = 8


@pytest.fixture
def proxy() -> Iterator[ProxyServer]:
    with ProxyServer() as running:
        yield running


@pytest.fixture
def behind(proxy: ProxyServer, tmp_path: Path) -> Iterator[Daemon]:
    with Sandbox(
        seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS, calls_a_second=100
    ) as sandbox:
        template = (
            f"http://user-{{username}}-session-{{session}}:{{password}}@127.0.0.1:{proxy.port}"
        )
        running = Daemon(
            sandbox,
            tmp_path / "daemon",
            KOS_ODDS_API__MAX_SPORTS=str(SPORTS),
            KOS_ODDS_API__MIN_INTERVAL_S="1",
            KOS_PROXIES__USED_BY="odds_api,betfair",
            KOS_PROXIES__URL=template,
            KOS_PROXIES__USERNAME="operator",
            KOS_PROXIES__PASSWORD=PASSWORD,
            KOS_PROXIES__CHECK_EVERY_S="1",
        )
        try:
            yield running
        finally:
            running.process.kill()
            running.process.wait()


def sessions_of(passages: tuple[Passage, ...]) -> dict[str, set[str]]:
    """Sport key to the sessions its polls came by."""
    found = defaultdict(set)
    for each in passages:
        if each.path.endswith("/odds"):
            found[each.path.split("/")[3]].add(each.session)
    return dict(found)


def test_every_call_goes_through_the_pool_and_survives_a_dead_session(
    behind: Daemon, proxy: ProxyServer
) -> None:
    behind.until(lambda: len(sessions_of(proxy.passages)) == SPORTS, "every key polled")
    behind.until(lambda: bool(behind.against_betfair()), "prices of the exchange")
    by_key = sessions_of(proxy.passages)
    assert all(len(sessions) == 1 for sessions in by_key.values()), "a key keeps its session"
    loads = [list(by_key.values()).count({each}) for each in set().union(*by_key.values())]
    assert max(loads) - min(loads) <= 2, "with the list of sports and the exchange they are even"
    betfair = behind.environment["KOS_BETFAIR__API_URL"].partition("//")[2]
    assert {each.target for each in proxy.passages} >= {betfair}, "the exchange, too"

    dead = next(iter(by_key[min(by_key)]))
    moved = {key for key, sessions in by_key.items() if sessions == {dead}}
    before = len(proxy.passages)
    proxy.close_session(dead)
    behind.until(
        lambda: moved <= sessions_of(proxy.passages[before:]).keys(), "its keys came by others"
    )
    behind.until(lambda: "proxy.retired" in behind.log.read_text("utf-8"), "it was retired")
    assert behind.stop() == 0

    log = behind.log.read_text("utf-8")
    assert PASSWORD not in log
    events = [json.loads(line)["event"] for line in log.splitlines() if line.startswith("{")]
    assert "actor.failed" not in events
    beat = (behind.state_dir / "heartbeat.json").read_text("utf-8")
    assert PASSWORD not in beat


def test_with_no_session_left_nothing_goes_another_way(behind: Daemon, proxy: ProxyServer) -> None:
    behind.until(lambda: len(sessions_of(proxy.passages)) == SPORTS, "every key polled")
    proxy.close_all()

    def problem() -> str:
        pulses = {each.name: each.pulse for each in behind.node("feeds").actors}
        return str(pulses["proxies"].get("problem", ""))

    def failures() -> int:
        pulses = {each.name: each.pulse for each in behind.node("feeds").actors}
        return int(pulses["proxies"]["failures"])

    behind.until(lambda: "no proxy session" in problem(), "all retired")
    asked = behind.sandbox.counters.snapshot()
    tried = failures()
    behind.until(lambda: failures() >= tried + 2, "tried again")
    assert behind.sandbox.counters.snapshot() == asked, "no call came by another way"
    proxy.close_all(is_closed=False)
    behind.until(lambda: problem() == "", "serving again")
