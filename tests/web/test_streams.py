"""Live streams: one question for all who watch, none when nobody does."""

from __future__ import annotations

import http.client
import threading
from contextlib import ExitStack, closing

import msgspec

from kos.runtime import PeerDied
from kos.web.live import MAX_QUESTIONS, MAX_STREAMS
from kos.web.server import WebServer
from tests.web.markets import Market
from tests.web.served import DEADLINE_S, Cast, call, listening, port_of, serving


def test_fifty_streams_of_one_question_are_one_question() -> None:
    cast = Cast(scorer=Market())
    with serving(cast) as server, ExitStack() as stack:
        streams = [
            stack.enter_context(listening(server, "/opportunities/stream?stake=10"))
            for _ in range(50)
        ]
        firsts = {next(stream) for stream in streams}
        assert server.counts() == {"streams": 50, "questions": 1}
        assert len(firsts) <= 2  # the same bytes for all who came at the same version
        # Each asking serves all: were each stream to ask, there would be fifty times as many.
        cast.await_asked("scorer", 2)
        assert cast.asked["scorer"] < 50


def test_no_more_streams_than_the_limit_are_opened() -> None:
    with serving(Cast(scorer=Market())) as server, ExitStack() as stack:
        for _ in range(MAX_STREAMS):
            next(stack.enter_context(listening(server, "/opportunities/stream")))
        assert f"Too many pages open ({MAX_STREAMS})" in _refusal(server, "stake=10")
        assert server.counts() == {"streams": MAX_STREAMS, "questions": 1}


def test_no_more_questions_than_the_limit_are_asked_but_those_asked_can_be_joined() -> None:
    with serving(Cast(scorer=Market())) as server, ExitStack() as stack:
        for stake in range(1, MAX_QUESTIONS + 1):
            next(stack.enter_context(listening(server, f"/opportunities/stream?stake={stake}")))
        assert f"Too many different filters open ({MAX_QUESTIONS})" in _refusal(server, "stake=999")
        next(stack.enter_context(listening(server, "/opportunities/stream?stake=1")))


def _refusal(server: WebServer, query: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=DEADLINE_S)
    with closing(connection):
        connection.request("GET", f"/opportunities/stream?{query}")
        answer = connection.getresponse()
        assert answer.status == 503
        return answer.read().decode()


def test_the_same_stake_written_otherwise_is_the_same_question() -> None:
    with (
        serving(Cast(scorer=Market())) as server,
        listening(server, "/opportunities/stream?stake=10") as one,
        listening(server, "/opportunities/stream?stake=10.00&kind=qualifying") as other,
    ):
        next(one)
        next(other)
        assert server.counts()["questions"] == 1


def test_nothing_is_asked_while_nobody_watches() -> None:
    cast = Cast(scorer=Market())
    with serving(cast) as server:
        call(server, "/opportunities")
        assert cast.asked["scorer"] == 0


def test_a_row_that_changes_is_told_alone() -> None:
    market = Market(size=5)
    with (
        serving(Cast(scorer=market)) as server,
        listening(server, "/opportunities/stream") as events,
    ):
        first = msgspec.json.decode(next(events))
        assert [row["id"] for row in first["all"]] == ["o0", "o1", "o2", "o3", "o4"]
        market.first_back = "2.60"
        for event in events:
            told = msgspec.json.decode(event)
            rows = {row["id"]: row for row in told["set"]}
            if rows.get("o0", {}).get("back_odds") == "2.60":
                break


def test_trouble_is_told_in_words_and_ends_by_itself() -> None:
    market, is_away = Market(), threading.Event()

    def scorer(message: object) -> object:
        if is_away.is_set():
            raise PeerDied("scorer", "killed")
        return market(message)  # type: ignore[arg-type]

    with (
        serving(Cast(scorer=scorer)) as server,  # type: ignore[arg-type]
        listening(server, "/opportunities/stream") as events,
    ):
        assert msgspec.json.decode(next(events))["facts"]["trouble"] == ""
        is_away.set()
        told = _until_trouble(events)
        assert "restarting" in told
        is_away.clear()
        assert _until_trouble(events) == ""


def _until_trouble(events: object) -> str:
    for event in events:  # type: ignore[attr-defined]
        facts = msgspec.json.decode(event)["facts"]
        if "trouble" in facts:
            return str(facts["trouble"])
    raise AssertionError("the stream ended")


def test_streams_end_when_the_page_closes() -> None:
    with serving(Cast(scorer=Market())) as server, ExitStack() as stack:
        events = stack.enter_context(listening(server, "/opportunities/stream"))
        next(events)
        server.close()
        assert list(events) is not None  # it ends; it would wait for ever otherwise
        assert not server.is_alive


def test_a_question_that_makes_no_sense_is_refused_in_words() -> None:
    with serving(Cast(scorer=Market())) as server:
        for words, start in (
            ("stake=nan", "Stake"),
            ("stake=0", "Stake"),
            ("stake=1.001", "Stake"),
            ("kind=best", "Kind"),
            ("kind=dutch", "Kind"),
            ("limit=0", "Number of results"),
            ("limit=99999", "Number of results"),
            ("stak=10", "Filter"),
        ):
            answer = call(server, f"/opportunities/stream?{words}", headers={"Accept": "*/*"})
            assert answer.status == 400, words
            assert answer.text.startswith(f"{start} cannot be")
