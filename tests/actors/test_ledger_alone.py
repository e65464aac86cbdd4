"""The ledger alone, on a real file: what shares a commit, who is answered, and what a failure costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kos.actors import ledger
from kos.db import FILE_NAME
from kos.domain.people.conversation import Answer, Promise, Span
from kos.messages import (
    CommandRecorded,
    CommandRefused,
    Conclude,
    CreditsSpentListed,
    GetBudget,
    GetCreditsSpent,
    GetOutbox,
    OutboxFilled,
    OutboxListed,
    QueryRefused,
    RecordCreditsSpent,
)
from kos.runtime import ActorFailed
from kos.storage.ledger import MAX_BATCH
from tests.actors.conftest import Staging
from tests.actors.stage import Stage, counted
from tests.builders import NOW

EVERYTHING = GetCreditsSpent(since=NOW.replace(day=1), until=NOW.replace(month=4))


def spend(number: int, cost: int = 1) -> RecordCreditsSpent:
    return RecordCreditsSpent(
        command_id=f"spend-{number}",
        by="budget",
        occurred_at=NOW,
        sport_key="soccer_epl",
        credits=cost,
    )


def promise(number: int = 1, text: str = "done") -> Conclude:
    answer = Answer(spans=(Span(text),))
    return Conclude(
        command_id=f"say-{number}",
        by="ann",
        occurred_at=NOW,
        promises=(Promise(chat="telegram:1", answer=answer),),
    )


@pytest.fixture
def stage(put_on_stage: Staging, tmp_path: Path) -> Iterator[Stage]:
    stage = put_on_stage(ledger.spec(tmp_path)).start()
    yield stage
    if stage.ended is None:
        stage.stop()


def test_a_command_is_answered_once_it_is_durable(stage: Stage, tmp_path: Path) -> None:
    answer = stage.ask(spend(1, cost=3))
    assert isinstance(answer, CommandRecorded)
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        assert other.execute("SELECT sum(credits) FROM credits_spent").fetchone() == (3,)
    assert stage.pulse()["commands"] == 1
    assert stage.pulse()["commits"] == 1
    assert stage.pulse()["sequence"] == answer.sequence
    assert stage.pulse()["last_commit_at"] == NOW.isoformat()
    assert int(stage.pulse()["size_bytes"]) > 0
    assert stage.pulse()["failed_commits"] == 0
    assert stage.ask(spend(1, cost=3)) == answer


def test_commands_that_wait_together_share_a_commit_and_each_is_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_MAX_WAIT_S", 60.0)
    replies = [stage.put(spend(number)) for number in range(5)]
    stage.handle()
    assert stage.pulse()["commits"] == 1
    assert stage.pulse()["commands"] == 5
    assert [type(reply.result) for reply in replies] == [CommandRecorded] * 5
    (line,) = stage.logged("ledger.committed")
    assert (line["commands"], line["kinds"], line["refused"]) == (5, ["RecordCreditsSpent"], 0)
    assert line["log_level"] == "debug", "credits come and go"


def test_a_commit_takes_no_more_than_a_batch(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_MAX_WAIT_S", 60.0)
    for number in range(MAX_BATCH + 1):
        stage.put(spend(number))
    stage.handle()
    commands = [line["commands"] for line in stage.logged("ledger.committed")]
    assert commands == [MAX_BATCH, 1]


def test_a_command_that_has_waited_long_enough_waits_for_no_company(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_MAX_WAIT_S", 0.0)
    for number in range(3):
        stage.put(spend(number))
    stage.handle()
    assert [line["commands"] for line in stage.logged("ledger.committed")] == [1, 1, 1]


def test_what_is_told_is_committed_before_the_next_question_is_answered(stage: Stage) -> None:
    stage.put(spend(1, cost=4), is_asked=False)
    reply = stage.put(EVERYTHING)
    stage.handle()
    assert isinstance(reply.result, CreditsSpentListed)
    assert reply.result.total == 4


def test_a_refusal_is_an_answer_and_counted_as_one(stage: Stage) -> None:
    stage.ask(spend(1))
    before = {
        outcome: counted("commands_total", outcome=outcome) for outcome in ("done", "refused")
    }
    assert isinstance(stage.ask(spend(1, cost=9)), CommandRefused)
    assert counted("commands_total", outcome="refused") == before["refused"] + 1
    assert counted("commands_total", outcome="done") == before["done"]
    assert stage.logged("ledger.committed")[-1]["refused"] == 1


def test_the_bot_hears_of_a_new_promise_and_of_no_repeat_or_other_command(stage: Stage) -> None:
    assert stage.told("bot") == []
    stage.ask(spend(1))
    stage.ask(Conclude(command_id="empty", by="ann", occurred_at=NOW))
    assert stage.told("bot") == []
    assert isinstance(stage.ask(promise()), CommandRecorded)
    assert stage.told("bot") == [OutboxFilled()]
    assert stage.pulse()["outbox_waiting"] == 1
    line = stage.logged("ledger.committed")[-1]
    assert line["log_level"] == "info"


def test_without_a_bot_promises_wait(stage: Stage) -> None:
    stage.neighbours.unknown.add("bot")
    stage.ask(promise())
    answer = stage.ask(GetOutbox())
    assert isinstance(answer, OutboxListed)
    assert answer.waiting == 1


def test_a_start_tells_the_bot_of_what_waits(put_on_stage: Staging, tmp_path: Path) -> None:
    first = put_on_stage(ledger.spec(tmp_path)).start()
    assert first.told("bot") == []
    first.ask(promise())
    first.stop()
    second = put_on_stage(ledger.spec(tmp_path)).start()
    assert second.told("bot") == [OutboxFilled()]
    second.stop()


def test_a_stop_commits_what_was_gathered_and_frees_the_file(
    put_on_stage: Staging, tmp_path: Path
) -> None:
    first = put_on_stage(ledger.spec(tmp_path)).start()
    first.put(spend(1, cost=2), is_asked=False)
    first.stop()
    second = put_on_stage(ledger.spec(tmp_path)).start()
    assert second.ask(EVERYTHING).total == 2
    second.stop()
    assert len(second.logged("ledger.closed")) == 2


def test_a_file_in_other_hands_is_a_failed_start_with_its_reason(
    stage: Stage, put_on_stage: Staging, tmp_path: Path
) -> None:
    second = put_on_stage(ledger.spec(tmp_path)).start()
    assert second.ended is not None
    assert second.ended.is_start
    assert second.ended.error
    assert stage.ended is None


def test_a_commit_that_fails_stores_nothing_tells_each_sender_and_costs_no_life(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counted("commits_total", outcome="failed")
    monkeypatch.setattr("kos.storage.ledger.Ledger.execute", _disk_full)
    replies = [stage.put(spend(1)), stage.put(spend(2))]
    stage.put(spend(3), is_asked=False)
    stage.handle()
    assert [type(reply.result) for reply in replies] == [ActorFailed] * 2
    assert "disk" in str(replies[0].result)
    assert stage.ended is None
    assert counted("commits_total", outcome="failed") == before + 1
    assert stage.pulse()["failed_commits"] == 1
    (line,) = stage.logged("ledger.commit_failed")
    assert (line["commands"], line["log_level"], line["exc_info"]) == (3, "critical", True)
    monkeypatch.undo()
    assert isinstance(stage.ask(spend(1)), CommandRecorded)


def _disk_full(_self: object, _commands: object) -> None:
    raise OSError(28, "no space left on the disk")


def test_a_message_that_is_no_question_of_its_own_is_refused_by_name(stage: Stage) -> None:
    answer = stage.ask(GetBudget())
    assert isinstance(answer, QueryRefused)
    assert "GetBudget" in answer.reason
