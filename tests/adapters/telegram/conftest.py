"""The bot in a loop of its own, on a Telegram server, with the simplest rest of KOS behind it."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import structlog

from kos.adapters.telegram.service import TelegramService
from kos.config.settings import Secret, TelegramSettings
from kos.domain.people.conversation import (
    Answer,
    MenuLine,
    OutboxEntry,
    Promise,
    PromiseOutcome,
    Span,
)
from kos.errors import WaitAndRetry
from kos.messages import OperatorAnswered, OperatorSaid
from tests.telegram_world import TelegramWorld

PATIENCE_S = 45.0
ANN = 42
STRANGER = 99


def say(text: str) -> Answer:
    return Answer(spans=(Span(text),))


@dataclass
class FakeKos:
    """The port, in the simplest way: answers by a function, keeps what it is told."""

    answer: Callable[[OperatorSaid], OperatorAnswered] = lambda said: OperatorAnswered(
        answers=(say(f"you said {said.text or said.pressed}"),)
    )
    heard: list[OperatorSaid] = field(default_factory=list)
    waiting: dict[int, OutboxEntry] = field(default_factory=dict)
    marked: list[tuple[int, PromiseOutcome, int]] = field(default_factory=list)
    menus: tuple[MenuLine, ...] = (MenuLine("help", "What there is"),)
    away: threading.Event = field(default_factory=threading.Event)
    """While set, nobody answers."""
    topics: dict[tuple[str, str], int] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def hear(self, said: OperatorSaid) -> OperatorAnswered:
        self.refuse_while_away()
        with self.changed:
            self.heard.append(said)
            self.changed.notify_all()
        return self.answer(said)

    def outbox(self, without_chats: tuple[str, ...]) -> tuple[OutboxEntry, ...]:
        self.refuse_while_away()
        assert without_chats == ()
        with self.changed:
            return tuple(
                OutboxEntry(
                    entry_id=each.entry_id,
                    promise=each.promise,
                    promised_at=each.promised_at,
                    topic_message=self.topics.get((each.promise.chat, each.promise.topic), 0),
                )
                for each in self.waiting.values()
            )

    def mark(self, entry_id: int, outcome: PromiseOutcome, message_id: int, reason: str) -> None:  # noqa: ARG002 - the port's form
        self.refuse_while_away()
        with self.changed:
            entry = self.waiting.pop(entry_id)
            self.marked.append((entry_id, outcome, message_id))
            if entry.promise.topic and message_id:
                self.topics[entry.promise.chat, entry.promise.topic] = message_id
            self.changed.notify_all()

    def menu(self, user: str) -> tuple[MenuLine, ...]:  # noqa: ARG002 - the port's form
        self.refuse_while_away()
        return self.menus

    def refuse_while_away(self) -> None:
        if self.away.is_set():
            raise WaitAndRetry("desk", "is restarting")

    def promise(self, promise: Promise, now: object) -> int:
        number = next(self.numbers)
        with self.changed:
            self.waiting[number] = OutboxEntry(
                entry_id=number,
                promise=promise,
                promised_at=now,  # type: ignore[arg-type]
            )
        return number

    def until(self, holds: Callable[[], object], what: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: bool(holds()), PATIENCE_S), what


class Running:
    """A service in its thread."""

    def __init__(self, settings: TelegramSettings, kos: FakeKos) -> None:
        self.kos = kos
        self.service = TelegramService(settings, kos, structlog.get_logger())
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self.service.run())
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """The service tells nobody of its state: looked at again and again."""
        woken = threading.Event()
        for _ in range(int(PATIENCE_S / 0.02)):
            if holds():
                return
            woken.wait(0.02)
        pytest.fail(f"{what}: {self.service.status}")

    def stop(self) -> None:
        self.service.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self.error is None, self.error


@pytest.fixture
def telegram(own_telegram_world: TelegramWorld) -> TelegramWorld:
    own_telegram_world.meet(ANN, name="Ann")
    return own_telegram_world


@pytest.fixture
def kos() -> FakeKos:
    return FakeKos()


@pytest.fixture
def settings(telegram: TelegramWorld) -> TelegramSettings:
    return TelegramSettings(
        token=Secret(telegram.token), url=telegram.url, poll_s=2, groups=(-700,)
    )


@pytest.fixture
def start(settings: TelegramSettings, kos: FakeKos) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(other: TelegramSettings | None = None) -> Running:
        running.append(Running(other or settings, kos))
        return running[-1]

    yield begin
    for each in running:
        each.stop()
