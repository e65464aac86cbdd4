"""How KOS is, in sentences and tables, for the terminal, the chat and the page."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from kos.views.health import health_view, heartbeat_sentences, page_address
from tests.agreed import assert_agreed
from tests.service.beats import NOW, actor, beat, budget, fetcher, ledger, node, system


def test_a_heartbeat_reads_as_agreed_whatever_it_knows() -> None:
    exchange = actor(
        "exchange",
        pulse={
            "has_session": 1,
            "markets": 1200,
            "prices_wanted": 40,
            "prices_fresh": 38,
            "orders_waiting": 3,
        },
    )
    saved = (NOW - timedelta(minutes=3)).isoformat()
    busy = system(
        node(
            "feeds", fetcher("soccer_epl", 12.0), fetcher("tennis_atp", 400.0, problem="HTTP 500")
        ),
        node("exchange", exchange, budget(), actor("scorer", mailbox=7)),
        node("ledger", ledger(last_commit_at=saved, failed_commits=2)),
    )
    new = system(node("feeds", fetcher("soccer_epl", None)))
    out = msgspec.structs.replace(exchange, pulse={"has_session": 0, "problem": "refused"})
    lines = []
    for described in (system(), busy, new, system(node("exchange", out))):
        lines += [*heartbeat_sentences(beat(described)), ""]
    served = msgspec.structs.replace(beat(), metrics_address="http://127.0.0.1:9000/metrics")
    assert_agreed("heartbeat.txt", "\n".join((*lines, *heartbeat_sentences(served))))


def test_a_system_reads_as_agreed_row_by_row() -> None:
    failing = actor("sports", state="backing_off", restarts=2, last_error="E: x", mailbox=3)
    lost = actor("scorer", dead_letters={"Describe": 2}, handled=9, restarts=1)
    parked = node("exchange", state="parked", last_error="SIGKILL", restarts=4)
    described = system(
        node("feeds", fetcher("soccer_epl"), fetcher("tennis_atp", None, problem="HTTP 500")),
        node("engine", failing, lost),
        parked,
    )
    view = health_view(described)
    counts = f"{view.fetchers_with_prices} of {view.fetchers} fetchers"
    rows = [str(msgspec.structs.astuple(row)) for row in view.actors]
    text = "\n".join((view.summary, counts, *view.problems, *rows))
    assert_agreed("system.txt", text)


def test_the_page_is_where_the_dashboard_says_and_nowhere_before() -> None:
    page = actor("dashboard", pulse={"address": "http://127.0.0.1:8700/"})
    assert page_address(system(node("web", actor("bot"), page))) == "http://127.0.0.1:8700/"
    assert page_address(system(node("web", actor("dashboard")))) == ""
    assert page_address(system(node("web"))) == ""
