"""What waited at Telegram while KOS was down, and menus for whom the settings name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kos.config.settings import TelegramSettings
from kos.domain.people.conversation import MenuLine
from tests.adapters.telegram.conftest import ANN, STRANGER, FakeKos, Running
from tests.telegram_world import TelegramWorld

Start = Callable[..., Running]
LONG_AGO = 3_600


def press(
    user: int, press_id: str, age_s: int, *, edited_age_s: int | None = None
) -> dict[str, Any]:
    """A press of a button under a message of this age, as Telegram delivers it."""
    now = int(time.time())
    chat = {"id": user, "type": "private", "first_name": "P"}
    message = {
        "message_id": 77,
        "date": now - age_s,
        "chat": chat,
        "from": {"id": 1, "is_bot": True, "first_name": "KOS"},
        "text": "prices of then",
    }
    if edited_age_s is not None:
        message["edit_date"] = now - edited_age_s
    return {
        "callback_query": {
            "id": press_id,
            "from": {"id": user, "is_bot": False, "first_name": "P"},
            "chat_instance": "1",
            "message": message,
            "data": "/qualifier page=2",
        }
    }


def notices(telegram: TelegramWorld, count: int) -> dict[str, str]:
    calls = telegram.wait_for_calls("answerCallbackQuery", count)
    return {
        call.parameters["callback_query_id"]: str(call.parameters.get("text", "")) for call in calls
    }


def test_a_button_that_waited_through_a_downtime_is_not_pressed(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    telegram.deliver(press(ANN, "old", LONG_AGO))
    telegram.deliver(press(ANN, "edited", LONG_AGO, edited_age_s=5))
    telegram.deliver(press(ANN, "young", 5))
    start()
    heard = notices(telegram, 3)
    assert "expired" in heard["old"]
    assert heard["young"] == heard["edited"] == ""
    assert [said.pressed for said in kos.heard] == ["/qualifier page=2"] * 2


def test_an_old_page_may_still_be_turned_while_kos_is_up(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    start()
    telegram.wait_for_poll()  # what had waited is through
    telegram.deliver(press(ANN, "old", LONG_AGO))
    assert notices(telegram, 1) == {"old": ""}
    assert kos.heard[-1].pressed == "/qualifier page=2"


def test_a_late_press_of_a_stranger_hears_nothing(
    start: Start, telegram: TelegramWorld, kos: FakeKos, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = kos.menus
    monkeypatch.setattr(kos, "menu", lambda user: () if user == f"telegram:{STRANGER}" else lines)
    telegram.deliver(press(STRANGER, "theirs", LONG_AGO))
    telegram.deliver(press(ANN, "old", LONG_AGO))
    bot = start()
    assert set(notices(telegram, 1)) == {"old"}
    bot.until(lambda: bot.service.status.strangers == 1, "counted")
    telegram.say(ANN, "/after")
    telegram.next_message(ANN)
    assert set(notices(telegram, 1)) == {"old"}
    assert [said.text for said in kos.heard] == ["/after"]


def test_people_of_the_settings_have_their_menu_before_they_say_a_word(
    start: Start, telegram: TelegramWorld, settings: TelegramSettings, kos: FakeKos
) -> None:
    kos.menus = (MenuLine("due", "What needs you today"),)
    telegram.meet(7, name="Bob")
    start(msgspec.structs.replace(settings, admins=(ANN,), operators=(7,)))
    calls = telegram.wait_for_calls("setMyCommands", 2)
    assert {str(ANN) in str(call.parameters["scope"]) for call in calls} == {True, False}
    assert all("due" in str(call.parameters["commands"]) for call in calls)


def test_a_menu_that_could_not_be_set_is_set_at_the_next_word(
    start: Start, telegram: TelegramWorld, settings: TelegramSettings
) -> None:
    telegram.fault("server_error", "setMyCommands", count=1, status=500)
    start(msgspec.structs.replace(settings, admins=(ANN,)))
    telegram.wait_for_calls("setMyCommands", 1)
    telegram.say(ANN, "/x")
    telegram.wait_for_calls("setMyCommands", 2)
