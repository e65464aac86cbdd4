"""A bot meets the same Telegram on our sandbox and, with ``-m emulator``, on an emulator by other authors."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
)

from kos.sandbox.telegram_user import PATIENCE_S
from tests.telegram_world import TelegramWorld

UPDATES = ["message", "edited_message", "channel_post", "callback_query", "my_chat_member"]
ANNA, BEN, GROUP = 6_000_000_001, 6_000_000_002, -6001
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def bot_of(world: TelegramWorld, token: str = "") -> Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(world.url))
    return Bot(token or world.token, session=session)


def run(world: TelegramWorld, work: Callable[[Bot], Awaitable[None]]) -> None:
    """Gives work a bot of its own, and a loop."""

    async def main() -> None:
        async with bot_of(world) as bot:
            await work(bot)

    asyncio.run(main())


def ask(world: TelegramWorld, method: str, **parameters: str) -> None:
    """Calls a method without aiogram, which takes its time to close."""
    with urlopen(f"{world.url}/bot{world.token}/{method}?{urlencode(parameters)}") as answer:
        assert json.load(answer)["ok"]


def keyboard(data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Again", callback_data=data)]]
    )


@contextmanager
def echo_bot(world: TelegramWorld) -> Iterator[None]:
    """Runs a small bot in a thread: it says back, and a button counts in place."""
    dispatcher = Dispatcher()
    started = threading.Event()
    loop = asyncio.new_event_loop()

    @dispatcher.message()
    async def say_back(message: Message) -> None:
        await message.answer(f"you said {message.text}", reply_markup=keyboard("1"))

    @dispatcher.callback_query()
    async def count(press: CallbackQuery) -> None:
        await press.answer(f"number {press.data}")
        if isinstance(press.message, Message):
            await press.message.edit_text(
                f"pressed {press.data}", reply_markup=keyboard(f"{press.data}1")
            )

    async def main() -> None:
        async with bot_of(world) as bot:
            dispatcher.startup.register(started.set)
            await dispatcher.start_polling(
                bot, polling_timeout=30, handle_signals=False, close_bot_session=False
            )
            # A handler whose message is out may still wait for the server's answer.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                await asyncio.wait(others, timeout=PATIENCE_S)

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    try:
        assert started.wait(PATIENCE_S)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(dispatcher.stop_polling(), loop)
        thread.join()
        loop.close()


@pytest.fixture
def world(telegram_world: TelegramWorld) -> Iterator[TelegramWorld]:
    """The server with people whom the bot knows and no updates left from another test."""

    telegram_world.meet(ANNA, name="Anna")
    ask(telegram_world, "deleteWebhook", drop_pending_updates="true")
    ask(telegram_world, "getUpdates", allowed_updates=json.dumps(UPDATES))
    telegram_world.forget(ANNA)
    yield telegram_world
    telegram_world.clear_faults()
    telegram_world.block(ANNA, is_blocked=False)


def test_an_echo_bot_talks_counts_and_survives_a_replay(world: TelegramWorld) -> None:
    with echo_bot(world):
        update_id = world.say(ANNA, "/start <b>&")
        message = world.next_message(ANNA)
        assert (message.kind, message.text) == ("sent", "you said /start <b>&")
        press = world.press(ANNA, message, message.button("Again"))
        assert world.next_answer(press).text == "number 1"
        edited = world.next_message(ANNA)
        assert (edited.kind, edited.message_id, edited.text) == (
            "edited",
            message.message_id,
            "pressed 1",
        )
        assert edited.button("Again").data == "11"
        world.press(ANNA, edited, "forged")
        assert world.next_message(ANNA).text == "pressed forged"
        world.replay(update_id)
        assert world.next_message(ANNA).text == "you said /start <b>&"
        world.say(BEN, "hello", chat_id=GROUP)
        assert world.next_message(GROUP).text == "you said hello"
        texts = [row.get("text") for row in world.screen(ANNA)]
        assert texts[-3:] == ["/start <b>&", "pressed forged", "you said /start <b>&"]


def test_updates_wait_for_a_bot_that_is_down(world: TelegramWorld) -> None:
    world.say(ANNA, "early")
    with echo_bot(world):
        assert world.next_message(ANNA).text == "you said early"
        world.wait_for_poll()
    world.say(ANNA, "late")
    with echo_bot(world):
        assert world.next_message(ANNA).text == "you said late"
        world.wait_for_poll()
    said = [row.text for row in world.messages(ANNA)]
    assert said[-2:] == ["you said early", "you said late"]


def test_files_arrive_byte_for_byte(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        photo = await bot.send_photo(ANNA, BufferedInputFile(PICTURE, "p.png"), caption="£")
        await photo.edit_caption(caption="£, all")
        await bot.send_document(ANNA, BufferedInputFile(b"a;b\r\n" * 20_000, "books.csv"))
        await photo.delete()

    run(world, work)
    rows = [world.next_message(ANNA) for _ in range(3)]
    assert [(row.kind, row.text, row.file_name) for row in rows] == [
        ("sent", "£", ""),
        ("edited", "£, all", ""),
        ("sent", "", "books.csv"),
    ]
    assert world.file(rows[0].file_id) == PICTURE
    assert world.file(rows[2].file_id) == b"a;b\r\n" * 20_000
    assert world.messages(ANNA)[-1].kind == "deleted"
    (sent,) = world.calls("sendDocument")[-1:]
    assert sent.parameters["chat_id"] == str(ANNA)


def bold(offset: int, length: int) -> list[MessageEntity]:
    return [MessageEntity(type="bold", offset=offset, length=length)]


REFUSED: Final[list[tuple[Callable[[Bot], Awaitable[Any]], str]]] = [
    (lambda bot: bot.send_message(ANNA, ""), "message text is empty"),
    (lambda bot: bot.send_message(ANNA, " \n"), "text must be non-empty"),
    (lambda bot: bot.send_message(ANNA, "x" * 4097), "message is too long"),
    (lambda bot: bot.send_message(ANNA, "🏇" * 2049), "message is too long"),
    (lambda bot: bot.send_message(31_337, "x"), "chat not found"),
    (
        lambda bot: bot.send_message(ANNA, "abc", entities=bold(1, 3)),
        "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 4",
    ),
    (
        lambda bot: bot.send_message(ANNA, "x", reply_markup=keyboard("é" * 33)),
        "BUTTON_DATA_INVALID",
    ),
    (
        lambda bot: bot.send_photo(ANNA, BufferedInputFile(PICTURE, "p.png"), caption="x" * 1025),
        "message caption is too long",
    ),
    (
        lambda bot: bot.send_document(ANNA, BufferedInputFile(b"", "x.csv")),
        "file must be non-empty",
    ),
    (
        lambda bot: bot.edit_message_text("x", chat_id=ANNA, message_id=999_999),
        "message to edit not found",
    ),
    (lambda bot: bot.delete_message(ANNA, 999_999), "message to delete not found"),
    (
        lambda bot: bot.answer_callback_query("77"),
        "query is too old and response timeout expired or query ID is invalid",
    ),
    (
        lambda bot: bot.set_my_commands([BotCommand(command="Due", description="x")]),
        "BOT_COMMAND_INVALID",
    ),
    (
        lambda bot: bot.set_my_commands(
            [BotCommand(command=f"c{n}", description="x") for n in range(101)]
        ),
        "BOT_COMMANDS_TOO_MUCH",
    ),
]


def test_what_telegram_refuses_is_refused_in_its_words(world: TelegramWorld) -> None:
    words: list[str] = []
    before = len(world.messages(ANNA))

    async def work(bot: Bot) -> None:
        for call, _ in REFUSED:
            with pytest.raises(TelegramBadRequest) as caught:
                await call(bot)
            words.append(caught.value.message.removeprefix("Bad Request: "))

    run(world, work)
    assert words == [expected for _, expected in REFUSED]
    assert len(world.messages(ANNA)) == before


def test_an_edit_that_changes_nothing_is_refused(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        sent = await bot.send_message(
            ANNA, "page 1", entities=bold(0, 4), reply_markup=keyboard("n")
        )
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_text("page 1", entities=bold(0, 4), reply_markup=keyboard("n"))
        edited = await sent.edit_text("page 1", entities=bold(0, 4))
        assert isinstance(edited, Message)
        assert (edited.reply_markup, edited.entities) == (None, sent.entities)
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_reply_markup()
        again = await sent.edit_reply_markup(reply_markup=keyboard("n"))
        assert isinstance(again, Message)
        assert again.reply_markup is not None
        assert again.reply_markup.inline_keyboard[0][0].callback_data == "n"

    run(world, work)
    assert [world.next_message(ANNA).labels for _ in range(3)] == [["Again"], [], ["Again"]]


def test_who_is_blocked_or_who_pressed_long_ago_is_told_apart(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        await bot.send_message(ANNA, "press", reply_markup=keyboard("n"))
        message = world.next_message(ANNA)
        press = world.press(ANNA, message, "n")
        world.expire_presses()
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await bot.answer_callback_query(press)
        world.block(ANNA)
        with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
            await bot.send_message(ANNA, "still there?")
        updates = await bot.get_updates()
        assert [update.event_type for update in updates] == ["callback_query", "my_chat_member"]
        world.say(ANNA, "/start")
        await bot.send_message(ANNA, "welcome back")

    run(world, work)


FAULTS: Final[list[tuple[dict[str, Any], type[AiogramError]]]] = [
    ({"kind": "rate_limit", "retry_after_s": 2}, TelegramRetryAfter),
    ({"kind": "refusal", "status": 401}, TelegramUnauthorizedError),
    ({"kind": "refusal", "status": 403}, TelegramForbiddenError),
    ({"kind": "refusal", "status": 409}, TelegramConflictError),
    ({"kind": "html", "status": 502}, ClientDecodeError),
    ({"kind": "garbage"}, ClientDecodeError),
    ({"kind": "disconnect"}, TelegramNetworkError),
    ({"kind": "cut_body"}, TelegramNetworkError),
    ({"kind": "lost_reply"}, TelegramNetworkError),
]


def test_a_fault_strikes_once_and_some_lose_only_the_reply(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        for fault, error in FAULTS:
            world.fault(method="sendMessage", count=1, **fault)
            with pytest.raises(error):
                await bot.send_message(ANNA, fault["kind"])
            assert (await bot.get_webhook_info()).url == ""
        await bot.send_message(ANNA, "well again")

    run(world, work)
    heard = [world.next_message(ANNA).text for _ in range(4)]
    assert heard == ["garbage", "cut_body", "lost_reply", "well again"]


def test_two_pollers_are_one_too_many(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        await bot.get_updates(offset=-1)
        first = asyncio.create_task(bot.get_updates(timeout=50))
        await asyncio.to_thread(world.wait_for_poll)
        second = asyncio.create_task(bot.get_updates(timeout=50))
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await first
        world.say(ANNA, "hello")
        (update,) = await second
        assert update.message is not None

    run(world, work)


def test_a_webhook_and_a_wrong_token_keep_the_bot_out(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        await bot.set_webhook("https://example.org/hook")
        with pytest.raises(TelegramConflictError, match="webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert (await bot.get_webhook_info()).url == ""
        async with bot_of(world, "7000000001:" + "w" * 35) as stranger:
            with pytest.raises(TelegramUnauthorizedError):
                await stranger.me()

    run(world, work)


def test_small_calls_and_other_updates(world: TelegramWorld) -> None:
    async def work(bot: Bot) -> None:
        assert (await bot.get_chat(ANNA)).first_name == "Anna"
        assert await bot.send_chat_action(ANNA, "typing")
        scope = BotCommandScopeChat(chat_id=ANNA)
        await bot.set_my_commands([BotCommand(command="due", description="x")], scope)
        assert [row.command for row in await bot.get_my_commands(scope)] == ["due"]
        await bot.delete_my_commands(scope)
        assert await bot.get_my_commands(scope) == []
        world.say(ANNA, "befor")
        message_id = world.screen(ANNA)[-1]["message_id"]
        world.edit(ANNA, message_id, "before")
        post = {"message_id": 1, "date": 1, "chat": {"id": -100, "type": "channel"}, "text": "x"}
        update_id = world.deliver({"channel_post": post})
        _said, edited, posted = await bot.get_updates()
        assert edited.edited_message is not None
        assert edited.edited_message.text == "before"
        assert (posted.update_id, posted.event_type) == (update_id, "channel_post")
        assert await bot.delete_message(ANNA, message_id)

    run(world, work)
