"""Promises and who delivers them, in real processes; the ledger is killed in between."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from kos.actors import ledger as ledger_actor
from kos.db import FILE_NAME, open_for_reading
from kos.domain.people.conversation import Kept
from kos.messages import (
    MESSAGES,
    CommandRecorded,
    Conclude,
    ConclusionDescribed,
    GetConclusion,
    GetOutbox,
    LedgerCommand,
    OutboxListed,
)
from kos.runtime import Client, Message, NodeSpec, RuntimeFault, System, connect
from kos.storage.verify import verify
from tests.actors import bots
from tests.storage.desks import promise

KILLS = 8
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@contextmanager
def running(folder: Path, *, with_bot: bool) -> Iterator[Client]:
    nodes = [
        NodeSpec(
            name="ledger",
            children=(replace(ledger_actor.spec(folder), backoff_first_s=0.0),),
            max_restarts=10 * KILLS,
            backoff_first_s=0.0,
            backoff_cap_s=0.05,
        )
    ]
    if with_bot:
        nodes.append(NodeSpec(name="telegram", children=(bots.spec(folder),)))
    system = System(name="test", nodes=tuple(nodes), messages=MESSAGES, run_dir=folder / "run")
    system.start()
    supervisor = threading.Thread(target=system.run)
    supervisor.start()
    try:
        with connect(folder / "run", MESSAGES) as client:
            yield client
    finally:
        system.request_stop()
        supervisor.join(_DEADLINE_S)


def until(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.005)


def until_answered(client: Client, who: str, message: Message) -> Message:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return client.ask(who, message, timeout_s=30)
        except RuntimeFault:
            assert time.monotonic() < deadline, f"{who} never answered {type(message).__name__}"
            time.sleep(0.005)


def word(number: int, *, promises: int = 1) -> LedgerCommand:
    return Conclude(
        command_id=f"telegram:1:{number}",
        by="telegram:7",
        occurred_at=NOON,
        kept=(Kept(owner="telegram:7", name="last", value=str(number)),),
        promises=tuple(promise(f"{number}.{each}") for each in range(promises)),
    )


def told(client: Client) -> int:
    answer = until_answered(client, "bot", GetOutbox())
    assert isinstance(answer, OutboxListed)
    return answer.waiting


def waiting(client: Client) -> int:
    answer = until_answered(client, "ledger", GetOutbox(limit=0))
    assert isinstance(answer, OutboxListed)
    return answer.waiting


def ledger_pid(client: Client) -> int:
    return next(node.pid for node in client.describe().nodes if node.name == "ledger")


def said_in(chat: Path) -> Counter[str]:
    lines = chat.read_text(encoding="utf-8").splitlines() if chat.exists() else []
    return Counter(line.partition(" ")[2] for line in lines)


def test_the_bot_is_told_when_there_is_something_to_send(tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    with running(tmp_path, with_bot=True) as client:
        assert told(client) == 0
        until_answered(client, "ledger", word(1, promises=0))
        until_answered(client, "ledger", word(2))
        until("the promise is delivered", lambda: waiting(client) == 0)
        assert said_in(tmp_path / "chat") == {"2.0": 1}
        assert told(client) == 1, "nothing was promised by the first word"
        until_answered(client, "ledger", word(2))
        until_answered(client, "ledger", word(3))
        until("the next is delivered", lambda: said_in(tmp_path / "chat")["3.0"] == 1)
        assert said_in(tmp_path / "chat")["2.0"] == 1


def test_without_a_bot_promises_wait_and_nothing_is_counted_as_lost(tmp_path: Path) -> None:
    with running(tmp_path, with_bot=False) as client:
        for number in range(5):
            assert isinstance(until_answered(client, "ledger", word(number)), CommandRecorded)
        assert waiting(client) == 5
        (node,) = client.describe().nodes
        assert node.stray_letters == {}
        assert [actor.dead_letters for actor in node.actors] == [{}]
        assert [actor.restarts for actor in node.actors] == [0]


def test_a_promise_outlives_the_ledgers_process_and_the_bot_hears_of_it_again(
    tmp_path: Path,
) -> None:
    with running(tmp_path, with_bot=True) as client:
        until_answered(client, "ledger", word(1))
        until("the bot was told once", lambda: told(client) == 1)
        assert waiting(client) == 1, "its gate is shut"
        (tmp_path / "gate").touch()
        os.kill(ledger_pid(client), signal.SIGKILL)
        until("the promise is delivered", lambda: waiting(client) == 0)
        assert said_in(tmp_path / "chat") == {"1.0": 1}
        assert told(client) >= 2
        concluded = until_answered(client, "ledger", GetConclusion(said_id="telegram:1:1"))
        assert concluded == ConclusionDescribed(is_concluded=True)


def test_kills_between_promise_and_delivery_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    stop = threading.Event()
    words = 0
    failure: list[BaseException] = []

    def talk(client: Client) -> None:
        nonlocal words
        try:
            while not stop.is_set():
                answer = until_answered(client, "ledger", word(words, promises=2))
                assert isinstance(answer, CommandRecorded)
                words += 1
        except BaseException as error:
            failure.append(error)
            raise

    with running(tmp_path, with_bot=True) as client:
        client.describe()
        talker = threading.Thread(target=talk, args=(client,))
        talker.start()
        killed: set[int] = set()
        try:
            while len(killed) < KILLS:
                before = words
                until("somebody was answered", lambda: words > before or bool(failure))  # noqa: B023 - used at once
                assert not failure
                pid = ledger_pid(client)
                if pid and pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
        finally:
            stop.set()
            talker.join(_DEADLINE_S)
        assert not failure
        until_answered(client, "ledger", word(words, promises=2))
        words += 1
        until("everything is delivered", lambda: waiting(client) == 0)
    said = said_in(tmp_path / "chat")
    assert set(said) == {f"{number}.{each}" for number in range(words) for each in (0, 1)}
    # Sent again only where the ledger died between the sending and the word about it.
    assert said.total() - len(said) <= KILLS
    path = tmp_path / FILE_NAME
    database = open_for_reading(path)
    try:
        assert verify(database, path).problems == ()
        assert database.rows("SELECT outcome, COUNT(*) FROM outbox GROUP BY 1") == [
            ("sent", 2 * words)
        ]
        assert database.rows("SELECT value FROM kept") == [(str(words - 1),)]
    finally:
        database.close()
