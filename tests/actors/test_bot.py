"""The bot's real process between the sandbox's Bot API, a small desk and the real ledger; all of them are killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from kos.actors import bot as bot_actor
from kos.actors import ledger as ledger_actor
from kos.config.settings import Secret, TelegramSettings
from kos.messages import (
    MESSAGES,
    ConclusionDescribed,
    GetConclusion,
    GetOutbox,
    OperatorAnswered,
    OperatorSaid,
    OutboxListed,
)
from kos.observability.logs import LogSettings
from kos.runtime import (
    ActorDescribed,
    Client,
    NodeDescribed,
    NodeSpec,
    RuntimeFault,
    System,
    connect,
)
from tests.actors import desks
from tests.telegram_world import TelegramWorld

pytestmark = pytest.mark.timeout(400)

ANN, STRANGER = 42, 99
AWAY = "KOS is restarting. Try again in a moment."
NODES = ("telegram", "desk", "ledger")
CANARY = "123456789:AAcanaryTOKENcanaryTOKENcanaryTOKENx"
_DEADLINE_S = 120.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture
def telegram(own_telegram_world: TelegramWorld) -> TelegramWorld:
    own_telegram_world.meet(ANN, name="Ann")
    return own_telegram_world


@dataclass
class Running:
    """A system whose bot polls, and an eye on it."""

    client: Client
    folder: Path

    def node(self, name: str) -> NodeDescribed:
        return next(each for each in self.client.describe().nodes if each.name == name)

    def pulse(self) -> dict[str, Any]:
        found: tuple[ActorDescribed, ...] = self.node("telegram").actors
        return dict(found[0].pulse) if found else {}

    def kill(self, *names: str) -> None:
        """SIGKILL of these nodes, all at once, and each has a successor."""
        until("all of them run", lambda: all(self.node(name).pid for name in names))
        before = {name: self.node(name) for name in names}
        for node in before.values():
            os.kill(node.pid, signal.SIGKILL)
        for name, node in before.items():
            until(f"{name} runs again", partial(self.is_after, node))

    def is_after(self, before: NodeDescribed) -> bool:
        return self.node(before.name).incarnation > before.incarnation

    def heard(self) -> list[str]:
        return desks.lines_of(self.folder / "heard")

    def committed(self) -> list[str]:
        return desks.lines_of(self.folder / "committed")

    def waiting(self) -> int:
        answer = until_answered(lambda: self.client.ask("ledger", GetOutbox(limit=0), timeout_s=30))
        assert isinstance(answer, OutboxListed)
        return answer.waiting

    def log(self) -> str:
        return (self.folder / "kos.log").read_text(encoding="utf-8")


@contextmanager
def running(folder: Path, settings: TelegramSettings) -> Iterator[Running]:
    again = {"max_restarts": 100, "backoff_first_s": 0.0, "backoff_cap_s": 0.05}
    bot = bot_actor.spec(bot_actor.BotArgs(telegram=settings))
    nodes = (
        NodeSpec(
            name="ledger",
            children=(replace(ledger_actor.spec(folder), backoff_first_s=0.0),),
            **again,  # type: ignore[arg-type]
        ),
        NodeSpec(name="desk", children=(desks.spec(folder),), **again),  # type: ignore[arg-type]
        NodeSpec(name="telegram", children=(bot,), **again),  # type: ignore[arg-type]
    )
    system = System(
        name="test",
        nodes=nodes,
        messages=MESSAGES,
        run_dir=folder / "run",
        setup="kos.observability.process:settle_process",
        setup_args=LogSettings(
            level="debug", is_on_stdout=False, file=folder / "kos.log", fold_s=0
        ),
    )
    system.start()
    supervisor = threading.Thread(target=system.run)
    supervisor.start()
    try:
        with connect(folder / "run", MESSAGES) as client:
            yield Running(client, folder)
    finally:
        system.request_stop()
        supervisor.join(_DEADLINE_S)
        assert not supervisor.is_alive(), "it stops in order"


def settings_of(telegram: TelegramWorld) -> TelegramSettings:
    return TelegramSettings(token=Secret(telegram.token), url=telegram.url, poll_s=10)


def until(what: str, holds: Callable[[], object]) -> None:
    """Another process's state is no event here: it is asked for until it holds."""
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            if holds():
                return
        except RuntimeFault:
            pass
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.02)


def until_answered(ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return ask()
        except RuntimeFault:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def all_said(telegram: TelegramWorld, kos: Running, chat: int = ANN) -> Counter[str]:
    """What the bot said in a chat, once nothing is owed and a last word was answered."""
    until("nothing is owed", lambda: kos.waiting() == 0)
    telegram.say(chat, "/last")
    while telegram.next_message(chat, timeout_s=_DEADLINE_S).text != "heard /last":
        pass
    said = Counter(each.text for each in telegram.messages(chat))
    del said["heard /last"]
    return said


def has_committed(kos: Running, count: int) -> bool:
    return len(set(kos.committed())) >= count


def is_concluded(kos: Running, said_id: str) -> bool:
    question = GetConclusion(said_id=said_id)
    answer = until_answered(lambda: kos.client.ask("ledger", question, timeout_s=30))
    assert isinstance(answer, ConclusionDescribed)
    return answer.is_concluded


def test_whoever_is_killed_between_commit_and_answer_nothing_is_done_twice(
    telegram: TelegramWorld, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with running(tmp_path, settings_of(telegram)) as kos:
        # The bot: Telegram delivers the word to its next life, which knows nothing of it.
        telegram.fault("server_error", "sendMessage", status=502)  # the first life says nothing
        telegram.say(STRANGER, "/do me a favour")
        update = telegram.say(ANN, "/do pay")
        until("it is committed", partial(has_committed, kos, 1))
        (said_id,) = kos.committed()
        assert said_id.endswith(f":{update}")
        kos.kill("telegram")
        telegram.clear_faults()
        hold.unlink()
        until("it is heard again", lambda: len(kos.heard()) >= 2)
        assert set(kos.heard()[:2]) == {said_id}
        assert all_said(telegram, kos) == {"done /do pay": 1, "heard /do pay": 1}
        assert is_concluded(kos, said_id)
        # The desk: the bot that waits for its answer asks its successor.
        hold.touch()
        telegram.say(ANN, "/do move")
        until("it is committed", partial(has_committed, kos, 2))
        kos.kill("desk")
        hold.unlink()
        said = all_said(telegram, kos)
        assert said["done /do move"] == 1
        # On a machine so slow that the bot's patience ends, it says so instead.
        assert said["heard /do move"] + said[AWAY] == 1
        # Meanwhile nobody said a word to those whom nobody knows.
        assert kos.pulse()["strangers"] >= 1
        assert telegram.messages(STRANGER) == []
        assert len(set(kos.committed())) == 2


def test_whoever_is_killed_every_word_is_done_once_and_every_promise_kept(
    telegram: TelegramWorld, tmp_path: Path
) -> None:
    people = tuple(range(100, 106))
    for each in people:
        telegram.meet(each, name="P")
    rounds: tuple[tuple[str, ...], ...] = (("ledger",), NODES)
    with running(tmp_path, settings_of(telegram)) as kos:
        updates = []
        for number, names in enumerate(rounds):
            updates += [str(telegram.say(each, f"/do {number}")) for each in people]
            wanted = number * len(people) + 2
            until("some are done", partial(has_committed, kos, wanted))
            kos.kill(*names)
        for each in people:
            said = all_said(telegram, kos, each)
            done = {text: count for text, count in said.items() if text.startswith("done")}
            missing = {f"done /do {number}" for number in range(len(rounds))} - set(done)
            assert len(missing) <= said[AWAY], "done, or said that it was not"
            # Twice only where somebody died between a sending and the word about it.
            assert sum(done.values()) - len(done) <= len(rounds)
        assert {said_id.rpartition(":")[2] for said_id in kos.committed()} <= set(updates)


def test_a_refused_token_is_named_and_told_nowhere_and_the_rest_goes_on(
    telegram: TelegramWorld, tmp_path: Path
) -> None:
    wrong = msgspec.structs.replace(settings_of(telegram), token=Secret(CANARY))
    with running(tmp_path, wrong) as kos:
        until("it is named", lambda: kos.pulse().get("state") == "unauthorized")
        assert "@BotFather" in kos.pulse()["problem"]
        word = OperatorSaid(
            said_id="x", user="terminal:me", name="me", chat="terminal:me", text="/do it",
            said_at=datetime.now(UTC),
        )  # fmt: skip
        answer = until_answered(lambda: kos.client.ask("desk", word, timeout_s=30))
        assert isinstance(answer, OperatorAnswered)
        described = msgspec.json.encode(kos.client.describe()).decode()
        assert kos.node("telegram").restarts == 0
    for text in (kos.log(), described):
        assert "canaryTOKEN" not in text
        assert "canary" not in text.lower()
    assert kos.log().count('"telegram.not_polled"') == 1
