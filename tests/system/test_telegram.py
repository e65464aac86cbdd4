"""The whole daemon at Telegram: its own bot, desk, scorer and ledger, and a person with a phone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kos.sandbox import Sandbox
from kos.sandbox.telegram_user import BotMessage
from tests.system import conftest
from tests.system.conftest import MONTHLY_CREDITS, Daemon
from tests.telegram_world import TelegramWorld

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ANN, STRANGER = 42, 99
PATIENCE_S = 120.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS) as running:
        yield running


@pytest.fixture
def telegram(own_telegram_world: TelegramWorld) -> TelegramWorld:
    own_telegram_world.meet(ANN, name="Ann")
    return own_telegram_world


def daemon_of(sandbox: Sandbox, telegram: TelegramWorld, folder: Path) -> Daemon:
    return Daemon(
        sandbox,
        folder,
        KOS_ODDS_API__SPORTS="soccer_epl",
        KOS_WEB__IS_ENABLED="false",
        KOS_TELEGRAM__TOKEN=telegram.token,
        KOS_TELEGRAM__URL=telegram.url,
        KOS_TELEGRAM__ADMINS=str(ANN),
    )


def heard(telegram: TelegramWorld, what: str) -> BotMessage:
    """The next message to Ann that holds this; alerts may come in between, of the kills for one."""
    while True:
        message = telegram.next_message(ANN, timeout_s=PATIENCE_S)
        if what in message.text:
            return message


@pytest.mark.parametrize("own_telegram_world", ["sandbox"], indirect=True)
def test_signals_on_a_phone_before_and_after_everything_was_killed(
    sandbox: Sandbox, telegram: TelegramWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "DEADLINE_S", PATIENCE_S)
    daemon = daemon_of(sandbox, telegram, tmp_path)
    try:
        daemon.until(lambda: len(daemon.against_betfair()) >= 4, "something to show")
        telegram.say(STRANGER, "/qualifier_coral")
        telegram.say(ANN, "/qualifier_coral")
        page = heard(telegram, "Coral")
        press = telegram.press(ANN, page, page.buttons[0])  # the first pair in detail
        telegram.next_answer(press, timeout_s=PATIENCE_S)
        heard(telegram, "Coral")
        node = daemon.node("telegram")
        os.kill(node.pid, signal.SIGKILL)
        telegram.say(ANN, "/help")
        heard(telegram, "/qualifier")
        assert daemon.node("telegram").incarnation > node.incarnation
        telegram.wait_for_poll(timeout_s=PATIENCE_S)
        # Now all of it at once: what is said meanwhile waits at Telegram.
        for each in daemon.describe().nodes:
            os.kill(each.pid, signal.SIGKILL)
        daemon.process.kill()
        daemon.process.wait(PATIENCE_S)
    finally:
        daemon.process.kill()
        daemon.process.wait(PATIENCE_S)
    telegram.forget(ANN)
    telegram.say(ANN, "/help")
    again = daemon_of(sandbox, telegram, tmp_path)
    try:
        heard(telegram, "/qualifier")
        assert telegram.messages(STRANGER) == []
    finally:
        assert again.stop() == 0
    secret = telegram.token.partition(":")[2]
    for path in (again.log, tmp_path / "kos.log", tmp_path / "heartbeat.json"):
        assert secret not in path.read_text("utf-8"), path.name
