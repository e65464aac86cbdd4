"""The whole daemon: what it shows is right, and stays so whichever process dies."""

from __future__ import annotations

import json
import os
import random
import signal
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from kos.domain.opportunities.opportunity import BetKind, Opportunity, OpportunityQuery
from kos.messages import GetSignalKeys, OperatorSaid, PutOffers, SignalKeysListed
from kos.runtime import job
from kos.service.heartbeat import Heartbeat, read
from tests.system.conftest import DEADLINE_S, POLL_S, Daemon
from tests.vocabulary import problems_of

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(400),
]

NODES = ("feeds", "exchange", "engine", "ledger", "web", "desk")


def feed_prices(daemon: Daemon, sport_key: str) -> dict[tuple[str, str, str, str], Decimal]:
    """The feed's own prices by event, bookmaker, market and outcome, read by nobody's code but ours."""
    at = daemon.sandbox.addresses
    url = (
        f"{at.odds_api_url}/v4/sports/{sport_key}/odds?apiKey={at.free_api_key}"
        "&regions=uk&markets=h2h"
    )
    with urllib.request.urlopen(url, timeout=10) as response:
        events: list[dict[str, Any]] = json.load(response, parse_float=Decimal)
    return {
        (event["id"], bookmaker["key"], market["key"], outcome["name"]): Decimal(outcome["price"])
        for event in events
        for bookmaker in event["bookmakers"]
        for market in bookmaker["markets"]
        for outcome in market["outcomes"]
    }


def exchange_prices(
    daemon: Daemon, market_ids: set[str]
) -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
    """Best price and size to lay of each selection, read by nobody's code but ours."""
    at = daemon.sandbox.addresses
    login = urllib.request.Request(
        f"{at.betfair_url}/api/login",
        data=urllib.parse.urlencode(
            {"username": at.betfair_username, "password": at.betfair_password}
        ).encode(),
        headers={"X-Application": at.betfair_app_key, "Accept": "application/json"},
    )
    with urllib.request.urlopen(login, timeout=10) as response:
        token = json.load(response)["token"]
    prices = {}
    for market_id in market_ids:
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "SportsAPING/v1.0/listMarketBook",
            "params": {
                "marketIds": [market_id],
                "priceProjection": {"priceData": ["EX_BEST_OFFERS"], "virtualise": True},
            },
        }
        asked = urllib.request.Request(
            f"{at.betfair_url}/exchange/betting/json-rpc/v1",
            data=json.dumps(call).encode(),
            headers={
                "X-Application": at.betfair_app_key,
                "X-Authentication": token,
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asked, timeout=10) as response:
            for runner in json.load(response, parse_float=Decimal)["result"][0]["runners"]:
                offers = runner["ex"]["availableToLay"]
                if offers:
                    best = Decimal(offers[0]["price"]), Decimal(offers[0]["size"])
                    prices[market_id, runner["selectionId"]] = best
    return prices


def assert_right_prices(daemon: Daemon) -> None:
    """What is shown is what the feed prints.

    Awaited, as the feed itself withdraws a price now and then, and a poll later the daemon
    knows; a price that is wrong stays wrong.
    """
    daemon.until(lambda: not wrong_prices(daemon), "shown prices agree with the feed's own")


def wrong_prices(daemon: Daemon) -> list[Opportunity]:
    """Shown opportunities of which a price is not the feed's."""
    shown = daemon.opportunities(OpportunityQuery(limit=30)).answer.opportunities
    assert shown
    prices = {key: feed_prices(daemon, key) for key in {found.sport_key for found in shown}}
    return [
        found
        for found in shown
        if found.back_odds
        != prices[found.sport_key].get((found.event_id, found.bookmaker, "h2h", found.outcome))
        or (
            found.exchange != "betfair"
            and found.lay_odds
            != prices[found.sport_key].get(
                (found.event_id, found.exchange, "h2h_lay", found.outcome)
            )
        )
    ]


def kill_and_await_answer(daemon: Daemon, name: str) -> None:
    before = daemon.node(name)
    os.kill(before.pid, signal.SIGKILL)
    daemon.until(
        lambda: (
            (node := daemon.node(name)).incarnation > before.incarnation
            and node.state == "running"
            and daemon.has_betfair_prices()
        ),
        f"answers after node {name} was killed",
    )


def test_shown_prices_are_the_feeds_own(daemon: Daemon) -> None:
    assert_right_prices(daemon)


def test_lay_prices_are_those_of_the_matched_selection_on_the_exchange(daemon: Daemon) -> None:
    def is_right() -> bool:
        found = daemon.against_betfair()[:30]
        prices = exchange_prices(daemon, {each.market_id or "" for each in found})
        return bool(found) and all(
            prices.get((each.market_id or "", each.selection_id or 0))
            == (each.lay_odds, each.lay_available)
            for each in found
        )

    daemon.until(is_right, "shown lay prices agree with the exchange's own")


def test_signals_answers_a_person_and_a_program(daemon: Daemon) -> None:
    shown = daemon.command("signals", "--bookmaker", "coral", "--kind", "snr", "--stake", "25")
    assert shown.returncode == 0, shown.stderr
    assert "SIMULATED" in shown.stdout
    asked = daemon.command("signals", "--bookmaker", "coral", "--limit", "3", "--json")
    answer = json.loads(asked.stdout)
    assert [found["bookmaker"] for found in answer["answer"]["opportunities"]] == ["coral"] * 3


def test_every_kind_of_question_is_answered_from_memory(daemon: Daemon) -> None:
    def asked(*arguments: str) -> Any:
        done = daemon.command("signals", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (refunded,) = asked("--kind", "refund", "--refund", "5", "-n", "1")["answer"]["opportunities"]
    assert (refunded["refund"], refunded["refund_worth"]) == ("5.00", "3.75")
    arbs = asked("--kind", "arbs", "--rank", "value")["answer"]["opportunities"]
    assert all(Decimal(found["rating"]) > 1 for found in arbs)
    dutches = asked("--kind", "dutch", "--bookmaker", "coral")["answer"]["dutches"]
    assert {found["legs"][0]["place"] for found in dutches} == {"coral"}
    shown = daemon.command("signals", "--kind", "dutch", "-n", "1").stdout
    assert "SIMULATED" in shown
    assert "Back " in shown
    detail = asked("--kind", "refund", "--detail", refunded["id"])["state"]
    assert detail["opportunity"] is None or detail["opportunity"]["id"] == refunded["id"]
    told = daemon.command("signals", "--detail", refunded["id"])
    assert "Score" in told.stdout or "No longer available" in told.stdout
    keys = daemon.client().ask("scorer", GetSignalKeys(), timeout_s=DEADLINE_S)
    assert isinstance(keys, SignalKeysListed)
    assert "coral" in {each.key for each in keys.keys.bookmakers}


def test_bad_questions_are_refused_in_one_line(daemon: Daemon) -> None:
    for arguments, words in (
        (("--stake", "nan"), "Stake cannot be 'nan'."),
        (("--bookmaker", "corall"), "did you mean Coral?"),
    ):
        refused = daemon.command("signals", *arguments)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert "Traceback" not in refused.stderr


def test_status_names_every_node_and_the_credits(daemon: Daemon) -> None:
    daemon.until(lambda: heartbeat(daemon).credits is not None, "the credits in the heartbeat")
    status = json.loads(daemon.command("status", "--json").stdout)
    assert {node["name"] for node in status["system"]["nodes"]} == set(NODES)
    assert status["budget"]["remaining"] > 0
    assert "credits left" in " ".join(daemon.command("status").stdout.split())


def test_the_heartbeat_tells_of_every_fetcher(daemon: Daemon) -> None:
    assert heartbeat(daemon).is_simulated

    def has_all() -> bool:
        sports = heartbeat(daemon).sports
        return len(sports) == 66 and all(each.age_s is not None for each in sports)

    daemon.until(has_all, "the age of every sport key in the heartbeat")


def test_health_is_told_by_the_exit_code(daemon: Daemon) -> None:
    daemon.until(
        lambda: daemon.command("health", "--quiet").returncode == 0, "kos health exits with 0"
    )
    told = json.loads(daemon.command("health", "--json").stdout)
    assert told["state"] in {"ok", "degraded"}
    assert told["pid"] == daemon.process.pid


def test_every_line_of_the_log_is_in_the_vocabulary(daemon: Daemon) -> None:
    found = {
        problem
        for line in log_lines(daemon)
        for problem in problems_of(line["event"], line["level"], frozenset(line))
    }
    assert not found


def test_one_job_id_follows_a_poll_through_the_processes(daemon: Daemon) -> None:
    polled = {
        line["job_id"]: line["sport_key"]
        for line in log_lines(daemon)
        if line["event"] == "quotes.fetched"
    }
    assert polled
    followed = [
        line
        for line in log_lines(daemon)
        if line["node"] == "engine" and line.get("job_id") in polled
    ]
    assert {line["event"] for line in followed} >= {"events.matched"}
    assert any(line["sport_key"] == polled[line["job_id"]] for line in followed)


def test_the_job_of_who_asks_is_on_the_lines_of_who_answers_and_stores(daemon: Daemon) -> None:
    said = OperatorSaid(
        said_id="a word that is followed",
        user="terminal:tester",
        name="Tester",
        chat="terminal:tester",
        text="/help",
        said_at=datetime.now(UTC),
    )
    kept = PutOffers(command_id="kept-for-a-job", by="tester", occurred_at=said.said_at, offers=())

    def is_followed() -> bool:
        with job("job-of-a-test"):
            daemon.client().ask("desk", said, timeout_s=10.0)
            daemon.client().ask("ledger", kept, timeout_s=10.0)
        found = {
            line["event"]
            for line in log_lines(daemon)
            if "job-of-a-test" in {line.get("job_id"), *line.get("job_ids", ())}
        }
        return found >= {"word.answered", "ledger.committed"}

    daemon.until(is_followed, "the lines of one job")


def heartbeat(daemon: Daemon) -> Heartbeat:
    return read(daemon.state_dir / "heartbeat.json")


def log_lines(daemon: Daemon) -> list[dict[str, Any]]:
    """What all processes have written so far; the last line may be half there."""
    text = daemon.log.read_text("utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n")].splitlines()]


def test_a_second_daemon_on_the_same_state_is_refused_with_the_firsts_process_id(
    daemon: Daemon,
) -> None:
    refused = daemon.command("run")
    assert refused.returncode != 0
    assert str(daemon.process.pid) in refused.stdout + refused.stderr


@pytest.mark.parametrize("name", NODES)
def test_a_killed_node_comes_back_with_right_prices(daemon: Daemon, name: str) -> None:
    kill_and_await_answer(daemon, name)
    assert_right_prices(daemon)


def test_nodes_killed_at_random_come_back_within_the_budget(daemon: Daemon) -> None:
    chance = random.Random(11)
    for _ in range(4):
        kill_and_await_answer(daemon, chance.choice(NODES))
    assert_right_prices(daemon)
    # The server's own count of the daemon's key (the test reads with another): no key is polled
    # sooner than the settings allow, except that a budget that dies takes along what it has not yet
    # handed to the ledger, so each death of its node may cost a poll more for each key.
    elapsed_s = time.monotonic() - daemon.started_at
    most_polls_of_a_key = elapsed_s / POLL_S + 1 + daemon.node("feeds").incarnation
    assert 66 <= daemon.sandbox.credits_used <= 66 * most_polls_of_a_key


def test_no_secret_is_in_the_log(daemon: Daemon) -> None:
    at = daemon.sandbox.addresses
    log = daemon.log.read_text("utf-8")
    assert '"event":"quotes.fetched"' in log
    for secret in (at.api_key, at.betfair_app_key, at.betfair_password):
        assert secret not in log


def test_free_bets_rank_by_what_is_kept(daemon: Daemon) -> None:
    query = OpportunityQuery(kind=BetKind.FREE_BET_SNR, stake=Decimal(25), limit=10)
    found = daemon.opportunities(query).answer.opportunities
    assert found
    assert all(each.profit > 0 and each.retention > 0 for each in found)


def test_when_the_main_process_is_killed_no_process_remains(daemon: Daemon) -> None:
    """Last in the file only by name: it starts a daemon of its own."""
    own = Daemon(daemon.sandbox, daemon.state_dir.parent / "orphans")
    own.until(lambda: all(node.state == "running" for node in own.describe().nodes), "all nodes")
    pids = [node.pid for node in own.describe().nodes]
    own.process.kill()
    own.process.wait()
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(is_alive, pids))


def test_sigterm_stops_everything_in_order(daemon: Daemon) -> None:
    own = Daemon(daemon.sandbox, daemon.state_dir.parent / "ordered")
    own.until(lambda: all(node.state == "running" for node in own.describe().nodes), "all nodes")
    pids = [node.pid for node in own.describe().nodes]
    assert own.stop() == 0
    assert not any(map(is_alive, pids))
    assert "Traceback" not in own.log.read_text("utf-8")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a file of the kernel
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
