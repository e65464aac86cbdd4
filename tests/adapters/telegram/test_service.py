"""The bot against the sandbox's Bot API over real HTTP: words in, answers out, faults in between."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from kos.config.settings import Secret, TelegramSettings
from kos.domain.people.conversation import (
    Answer,
    Button,
    MenuLine,
    Promise,
    PromiseOutcome,
    Span,
    Style,
    Urgency,
)
from kos.messages import OperatorAnswered, OperatorSaid
from tests.adapters.telegram.conftest import ANN, STRANGER, FakeKos, Running, say
from tests.telegram_world import TelegramWorld

Start = Callable[..., Running]
NOW = datetime.now(UTC)


# --- words ------------------------------------------------------------------------------------------


def test_a_word_is_answered_and_confirmed(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    bot = start()
    update = telegram.say(ANN, "/status now")
    assert telegram.next_message(ANN).text == "you said /status now"
    (said,) = kos.heard
    assert (said.user, said.chat, said.name) == ("telegram:42", "telegram:42", "Ann")
    assert said.said_id.endswith(f":{update}")
    telegram.wait_for_poll()
    assert bot.service.status.updates == 1


def test_a_button_is_answered_by_a_notice_and_its_message_edited(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    def answer(said: OperatorSaid) -> OperatorAnswered:
        if said.pressed:
            return OperatorAnswered(
                answers=(Answer(spans=(Span("page 2", Style.BOLD),), is_edit=True),), notice="ok"
            )
        return OperatorAnswered(
            answers=(Answer(spans=(Span("page 1"),), buttons=((Button("next", "/x page=2"),),)),)
        )

    kos.answer = answer
    start()
    telegram.say(ANN, "/x")
    first = telegram.next_message(ANN)
    press = telegram.press(ANN, first, first.button("next"))
    assert telegram.next_answer(press).text == "ok"
    second = telegram.next_message(ANN)
    assert (second.kind, second.message_id, second.text) == ("edited", first.message_id, "page 2")
    assert kos.heard[-1].pressed == "/x page=2"
    assert kos.heard[-1].message_id == first.message_id
    for method in ("sendMessage", "editMessageText"):
        (call,) = telegram.calls(method)
        assert call.parameters["link_preview_options"] == {"is_disabled": True}
        assert "parse_mode" not in call.parameters


def test_foreign_text_breaks_out_of_nothing(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    team = "<a href='x'>Leeds</a> & *York* \u202eevil"
    kos.answer = lambda _: OperatorAnswered(
        answers=(Answer(spans=(Span("Next: "), Span(team, Style.BOLD))),)
    )
    start()
    telegram.say(ANN, "/x")
    sent = telegram.next_message(ANN)
    assert sent.text == "Next: <a href='x'>Leeds</a> & *York* evil"
    assert [each["type"] for each in sent.entities] == ["bold"]


def test_a_persons_words_are_heard_in_order_and_others_need_not_wait(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    gate = threading.Event()

    def answer(said: OperatorSaid) -> OperatorAnswered:
        if said.text == "/slow":
            assert gate.wait(45)
        return OperatorAnswered(answers=(say(said.text),))

    kos.answer = answer
    start()
    telegram.meet(7, name="Bob")
    telegram.say(ANN, "/slow")
    telegram.say(ANN, "/second")
    telegram.say(7, "/quick")
    assert telegram.next_message(7).text == "/quick"
    gate.set()
    assert [telegram.next_message(ANN).text for _ in range(2)] == ["/slow", "/second"]


def test_pictures_and_files_arrive_byte_for_byte(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    picture = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000a49444154789c63000100000500010d0a2db40000000049454e44ae426082"
    )
    kos.answer = lambda _: OperatorAnswered(
        answers=(
            Answer(spans=(Span("profit"),), picture=picture),
            Answer(spans=(Span("statement"),), file=b"a,b\n1,2\n", file_name="statement.csv"),
        )
    )
    start()
    telegram.say(ANN, "/profit")
    photo, document = telegram.next_message(ANN), telegram.next_message(ANN)
    assert (photo.text, telegram.file(photo.file_id)) == ("profit", picture)
    assert (document.file_name, telegram.file(document.file_id)) == ("statement.csv", b"a,b\n1,2\n")
    assert document.text == "statement"


def test_strangers_hear_nothing_at_all(start: Start, telegram: TelegramWorld, kos: FakeKos) -> None:
    def answer(said: OperatorSaid) -> OperatorAnswered:
        if said.user == f"telegram:{STRANGER}":
            return OperatorAnswered(answers=(say("secret"),), is_stranger=True)
        return OperatorAnswered(answers=(say("hello Ann"),))

    kos.answer = answer
    bot = start()
    telegram.say(STRANGER, "/status")
    telegram.say(ANN, "/status")
    mine = telegram.next_message(ANN)
    telegram.press(STRANGER, mine, "/status")
    kos.until(lambda: len(kos.heard) == 3, "all three heard")
    telegram.say(ANN, "/again")
    telegram.next_message(ANN)
    assert telegram.messages(STRANGER) == []
    assert bot.service.status.strangers == 2
    assert not telegram.calls("answerCallbackQuery")


def test_what_is_nobodys_own_word_is_no_command(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    start()
    user = {"id": ANN, "is_bot": False, "first_name": "Ann"}
    private = {"id": ANN, "type": "private", "first_name": "Ann"}
    base = {"message_id": 900, "date": int(time.time()), "chat": private, "from": user}
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "x"}
    channel = {"id": -5, "type": "channel", "title": "c"}
    for odd in (
        {"message": {**base, "text": "/a", "forward_origin": origin}},
        {"message": {**base, "text": "/b", "via_bot": {**user, "is_bot": True}}},
        {"message": {**base, "text": "/c", "sender_chat": channel}},
        {"message": {**base, "text": "/d", "from": {**user, "is_bot": True}}},
        {"message": {**base, "sticker_is": "none"}},
    ):
        telegram.deliver(odd)
    telegram.say(ANN, "/group", chat_id=-500)
    telegram.say(ANN, "chatting", chat_id=-700)
    telegram.say(ANN, "/in_the_named_group", chat_id=-700)
    telegram.say(ANN, "/last")
    kos.until(lambda: any(said.text == "/last" for said in kos.heard), "the last word")
    assert {said.text for said in kos.heard} == {"/in_the_named_group", "/last"}
    assert {said.chat for said in kos.heard} == {"telegram:-700", "telegram:42"}


def test_an_update_that_comes_twice_is_heard_once(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    start()
    update = telegram.say(ANN, "/once")
    telegram.next_message(ANN)
    telegram.replay(update)
    telegram.say(ANN, "/after")
    assert telegram.next_message(ANN).text == "you said /after"
    assert [said.text for said in kos.heard] == ["/once", "/after"]


def test_a_word_that_was_not_handled_is_heard_by_the_next_life_under_the_same_id(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    gate = threading.Event()
    kos.answer = lambda _: (gate.wait(45), OperatorAnswered(answers=(say("done"),)))[1]
    first = start()
    telegram.say(ANN, "/important")
    kos.until(lambda: kos.heard, "heard once")
    loop = first.service._loop  # a crash, as near as a thread comes to it
    assert loop is not None
    loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
    first.until(lambda: first.error is not None, "it ended")
    first.error = None
    gate.set()
    start()
    assert telegram.next_message(ANN).text == "done"
    assert len({said.said_id for said in kos.heard}) == 1
    assert len(kos.heard) == 2


@pytest.mark.parametrize("own_telegram_world", ["sandbox"], indirect=True)
def test_a_word_that_takes_long_holds_up_nobody_and_is_not_confirmed_before_its_end(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    gate = threading.Event()

    def answer(said: OperatorSaid) -> OperatorAnswered:
        if said.text == "/slow":
            assert gate.wait(90)
        return OperatorAnswered(answers=(say(said.text),))

    kos.answer = answer
    bot = start()
    telegram.meet(7, name="Bob")
    slow = telegram.say(ANN, "/slow")
    kos.until(lambda: kos.heard, "it is being handled")
    for number in range(3):  # each by a poll of its own
        telegram.say(7, f"/quick {number}")
        assert telegram.next_message(7).text == f"/quick {number}"
    before = len(telegram.calls("getUpdates"))
    asked = telegram.wait_for_calls("getUpdates", before + 2)[-1]
    assert int(asked.parameters["offset"]) == slow, "Telegram keeps it still"
    gate.set()
    assert telegram.next_message(ANN).text == "/slow"
    telegram.wait_for_poll()
    asked = telegram.calls("getUpdates")[-1]
    assert int(asked.parameters["offset"]) == slow + 4, "all of it is done"
    assert [said.text for said in kos.heard].count("/slow") == 1
    assert bot.service.status.updates == 4


def test_while_the_desk_restarts_the_word_waits_for_it(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    bot = start()
    kos.away.set()
    telegram.say(ANN, "/status")
    bot.until(lambda: bool(bot.service._unfinished), "it waits")
    kos.away.clear()
    assert telegram.next_message(ANN).text == "you said /status"
    assert len(kos.heard) == 1


def test_a_menu_is_shown_to_whom_it_is_for_and_to_nobody_else(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    kos.menus = (MenuLine("qualifier_coral", "Qualifying bets at Coral"),)
    start()
    telegram.say(ANN, "/start")
    (call,) = telegram.wait_for_calls("setMyCommands", 1)
    assert "qualifier_coral" in str(call.parameters["commands"])
    assert str(ANN) in str(call.parameters["scope"])
    (sent,) = telegram.wait_for_calls("sendMessage", 1)
    shown = str(sent.parameters["link_preview_options"]).lower()
    assert "is_disabled" in shown
    assert "true" in shown, "a link stays a link"
    assert telegram.calls("deleteMyCommands")


# --- faults -----------------------------------------------------------------------------------------


def test_too_many_requests_are_waited_out_and_said_once(
    start: Start, telegram: TelegramWorld
) -> None:
    bot = start()
    telegram.fault("rate_limit", "sendMessage", count=2, retry_after_s=1)
    telegram.say(ANN, "/x")
    assert telegram.next_message(ANN).text == "you said /x"
    telegram.say(ANN, "/y")
    assert telegram.next_message(ANN).text == "you said /y"
    assert bot.service.status.waited == 2
    assert len(telegram.messages(ANN)) >= 2


@pytest.mark.parametrize("kind", ["server_error", "html", "cut_body", "disconnect", "garbage"])
def test_a_send_that_fails_is_tried_again(start: Start, telegram: TelegramWorld, kind: str) -> None:
    start()
    telegram.fault(kind, "sendMessage", count=1, status=502 if kind == "server_error" else 0)
    telegram.say(ANN, f"/{kind}")
    assert telegram.next_message(ANN).text == f"you said /{kind}"


def test_a_message_that_is_not_editable_any_more_is_sent_anew(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    kos.answer = lambda said: OperatorAnswered(
        answers=(Answer(spans=(Span(said.pressed or "first"),), is_edit=bool(said.pressed)),)
    )
    start()
    telegram.say(ANN, "/x")
    first = telegram.next_message(ANN)
    telegram.fault(
        "refusal",
        "editMessageText",
        count=1,
        status=400,
        text="Bad Request: message can't be edited",
    )
    telegram.press(ANN, first, "/new")
    sent = telegram.next_message(ANN)
    assert (sent.kind, sent.text) == ("sent", "/new")
    telegram.press(ANN, sent, "/new")  # it says so already: a success
    telegram.press(ANN, sent, "/other")
    edited = telegram.next_message(ANN)
    assert (edited.kind, edited.text) == ("edited", "/other")


def test_a_message_refused_for_its_style_goes_without(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    kos.answer = lambda _: OperatorAnswered(
        answers=(Answer(spans=(Span("bold", Style.BOLD), Span(" text"))),)
    )
    start()
    telegram.fault(
        "refusal", "sendMessage", count=1, status=400, text="Bad Request: can't parse entities"
    )
    telegram.say(ANN, "/x")
    sent = telegram.next_message(ANN)
    assert (sent.text, sent.entities) == ("bold text", ())


def test_what_is_too_large_is_sent_once_and_never_again(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    number = kos.promise(
        Promise(chat=f"telegram:{ANN}", answer=Answer(spans=(Span("big", Style.BOLD),))), NOW
    )
    telegram.fault("refusal", "sendMessage", status=413, text="Request Entity Too Large")
    start()
    kos.until(lambda: kos.marked, "given up")
    assert kos.marked == [(number, PromiseOutcome.UNDELIVERABLE, 0)]
    telegram.clear_faults()
    telegram.say(ANN, "/x")
    assert telegram.next_message(ANN).text == "you said /x"
    assert len(telegram.calls("sendMessage")) == 2


def test_a_second_poller_is_named_and_outlived(start: Start, telegram: TelegramWorld) -> None:
    telegram.fault("refusal", "getUpdates", status=409)
    bot = start()
    bot.until(lambda: bot.service.status.state == "conflict", "conflict")
    assert "another program" in bot.service.status.problem
    telegram.clear_faults()
    bot.until(lambda: bot.service.status.state == "polling", "polling")
    telegram.say(ANN, "/x")
    assert telegram.next_message(ANN).text == "you said /x"
    assert bot.service.status.problem == ""


def test_a_refused_token_is_named_and_the_bot_lives_on(
    start: Start, settings: TelegramSettings
) -> None:
    wrong = "123456789:AAcanaryTOKENcanaryTOKENcanaryTOKENx"
    bot = start(msgspec.structs.replace(settings, token=Secret(wrong)))
    bot.until(lambda: bot.service.status.state == "unauthorized", "unauthorized")
    assert "@BotFather" in bot.service.status.problem
    assert bot.error is None


def test_a_webhook_that_was_left_set_is_taken_away(start: Start, telegram: TelegramWorld) -> None:
    bot = start()
    bot.until(lambda: bot.service.status.state == "polling", "polling")
    telegram.say(ANN, "/x")
    telegram.next_message(ANN)
    methods = [call.method for call in telegram.calls()]
    assert methods.index("deleteWebhook") < methods.index("getUpdates")
    (call,) = telegram.calls("deleteWebhook")[:1]
    assert str(call.parameters.get("drop_pending_updates", "false")).lower() == "false"


@pytest.mark.parametrize("kind", ["html", "garbage", "server_error", "disconnect"])
def test_whatever_stands_in_between_at_the_start_is_outlived(
    start: Start, telegram: TelegramWorld, kind: str
) -> None:
    telegram.fault(kind, "getMe", count=1, status=502 if kind == "server_error" else 0)
    bot = start()
    telegram.say(ANN, "/x")
    assert telegram.next_message(ANN).text == "you said /x"
    assert bot.service.status.failures >= 1


def test_without_a_network_it_says_so_and_stops_when_told(
    start: Start, settings: TelegramSettings
) -> None:
    bot = start(msgspec.structs.replace(settings, url="http://127.0.0.1:9"))
    bot.until(lambda: bot.service.status.state == "unreachable", "unreachable")
    assert settings.token.reveal() not in bot.service.status.problem


# --- promises ---------------------------------------------------------------------------------------


def promise(text: str, chat: str = f"telegram:{ANN}", **more: object) -> Promise:
    base = Promise(chat=chat, answer=say(text), urgency=Urgency.ALERT)
    return msgspec.structs.replace(base, **more)


def test_a_promise_goes_out_once_and_is_marked(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    number = kos.promise(promise("Coral 2.50"), NOW)
    bot = start()
    bot.service.wake()
    assert telegram.next_message(ANN).text == "Coral 2.50"
    kos.until(lambda: kos.marked, "marked")
    (marked,) = kos.marked
    assert marked[:2] == (number, PromiseOutcome.SENT)
    telegram.say(ANN, "/x")
    assert telegram.next_message(ANN).text == "you said /x"


def test_promises_on_one_topic_edit_the_first_message(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    bot = start()
    kos.promise(promise("open", topic="alert/1"), NOW)
    bot.service.wake()
    first = telegram.next_message(ANN)
    kos.until(lambda: len(kos.marked) == 1, "marked")
    kos.promise(promise("gone", topic="alert/1"), NOW)
    bot.service.wake()
    second = telegram.next_message(ANN)
    assert (second.kind, second.message_id, second.text) == ("edited", first.message_id, "gone")


def test_a_promise_is_sent_once_though_nobody_could_note_it_down_for_a_while(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    gate = threading.Event()
    real_mark = kos.mark

    def mark(entry_id: int, outcome: PromiseOutcome, message_id: int, reason: str) -> None:
        if not gate.is_set():
            kos.away.set()
            kos.refuse_while_away()
        real_mark(entry_id, outcome, message_id, reason)

    kos.mark = mark  # type: ignore[method-assign]
    kos.promise(promise("once"), NOW)
    bot = start()
    bot.service.wake()
    assert telegram.next_message(ANN).text == "once"
    bot.service.wake()
    gate.set()
    kos.away.clear()
    kos.until(lambda: kos.marked, "marked")
    assert [each.text for each in telegram.messages(ANN)].count("once") == 1


def test_a_chat_that_blocked_the_bot_is_undeliverable_and_others_go_on(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    telegram.meet(7, name="Bob")
    telegram.block(7)
    blocked = kos.promise(promise("a", chat="telegram:7"), NOW)
    nowhere = kos.promise(promise("b", chat="pigeon:1"), NOW)
    good = kos.promise(promise("c"), NOW)
    bot = start()
    bot.service.wake()
    assert telegram.next_message(ANN).text == "c"
    kos.until(lambda: len(kos.marked) == 3, "all marked")
    outcomes = {number: outcome for number, outcome, _ in kos.marked}
    assert outcomes == {
        blocked: PromiseOutcome.UNDELIVERABLE,
        nowhere: PromiseOutcome.UNDELIVERABLE,
        good: PromiseOutcome.SENT,
    }


def test_a_promise_outlives_a_network_that_is_cut(
    start: Start, telegram: TelegramWorld, kos: FakeKos
) -> None:
    bot = start()
    bot.until(lambda: bot.service.status.state == "polling", "polling")
    telegram.fault("disconnect", count=6)
    kos.promise(promise("late but there"), NOW)
    bot.service.wake()
    assert telegram.next_message(ANN).text == "late but there"
    kos.until(lambda: kos.marked, "marked")
    assert kos.marked[0][1] is PromiseOutcome.SENT
