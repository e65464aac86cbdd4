"""The library that the bot is built on takes the sandbox for Telegram."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import SetMyDescription
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from aiogram.utils.formatting import Bold, Code, Text

from kos.sandbox import Sandbox
from kos.sandbox.telegram_user import PATIENCE_S, TelegramUser

ANNA = 6_000_000_001
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

Work = Callable[[Bot], Awaitable[None]]


@pytest.fixture(scope="module")
def telegram() -> Iterator[Sandbox]:
    with Sandbox(7) as running:
        yield running


@pytest.fixture
def anna(telegram: Sandbox) -> Iterator[TelegramUser]:
    people = TelegramUser(telegram.telegram_url, telegram.addresses.telegram_token)
    people.meet(ANNA, name="Anna")
    people.forget(ANNA)
    yield people
    people.clear_faults()
    people.block(ANNA, is_blocked=False)


def run(telegram: Sandbox, work: Work, token: str = "") -> None:
    """Gives work a bot of its own, and a loop."""

    async def main() -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.telegram_url))
        async with Bot(token or telegram.addresses.telegram_token, session=session) as bot:
            await work(bot)

    asyncio.run(main())


def test_messages_entities_buttons_and_files_survive_the_way(
    telegram: Sandbox, anna: TelegramUser
) -> None:
    keyboard = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Next ▶", callback_data="n:2")]]
    )

    async def work(bot: Bot) -> None:
        assert (await bot.me()).is_bot
        text = Text("🏇 ", Bold("Coral <b>&_*"), " ", Code("£12.50"))
        sent = await bot.send_message(ANNA, reply_markup=keyboard, **text.as_kwargs())
        assert sent.entities is not None
        assert [entity.extract_from(sent.text or "") for entity in sent.entities] == [
            "Coral <b>&_*",
            "£12.50",
        ]
        edited = await sent.edit_text("page 2")
        assert isinstance(edited, type(sent))
        assert edited.reply_markup is None
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_text("page 2")
        photo = await bot.send_photo(ANNA, BufferedInputFile(PICTURE, "p.png"), caption="profit")
        assert photo.photo is not None
        assert (photo.photo[-1].width, photo.caption) == (1, "profit")
        await photo.edit_caption(caption="profit, all")
        table = await bot.send_document(ANNA, BufferedInputFile(b"a;b\n" * 9000, "books.csv"))
        assert table.document is not None
        downloaded = await bot.download(table.document)
        assert downloaded is not None
        assert downloaded.read() == b"a;b\n" * 9000
        assert await bot.send_chat_action(ANNA, "typing")
        assert (await bot.get_chat(ANNA)).first_name == "Anna"
        scope = BotCommandScopeChat(chat_id=ANNA)
        commands = [BotCommand(command="due", description="what needs me")]
        assert await bot.set_my_commands(commands, scope)
        assert [row.command for row in await bot.get_my_commands(scope)] == ["due"]
        assert await bot.delete_my_commands(scope)
        assert (await bot.get_webhook_info()).url == ""
        assert await photo.delete()

    run(telegram, work)
    rows = [anna.next_message(ANNA) for _ in range(5)]
    assert [(row.kind, row.text, row.labels) for row in rows] == [
        ("sent", "🏇 Coral <b>&_* £12.50", ["Next ▶"]),
        ("edited", "page 2", []),
        ("sent", "profit", []),
        ("edited", "profit, all", []),
        ("sent", "", []),
    ]
    assert anna.file(rows[2].file_id) == PICTURE
    assert anna.file(rows[4].file_id) == b"a;b\n" * 9000
    assert anna.messages(ANNA)[-1].kind == "deleted"


def test_updates_of_every_kind_are_understood(telegram: Sandbox, anna: TelegramUser) -> None:
    group = -600

    async def work(bot: Bot) -> None:
        await bot.get_updates(offset=-1)
        await bot.send_message(ANNA, "press")
        message = anna.next_message(ANNA)
        anna.say(ANNA, "/start code")
        press = anna.press(ANNA, message, "forged")
        await bot.delete_message(ANNA, message.message_id)
        anna.press(ANNA, message, "late")
        anna.say(ANNA, "in the group", chat_id=group)
        anna.block(ANNA)
        (start, forged, late, spoken, blocked) = (await bot.get_updates())[-5:]
        assert start.message is not None
        assert start.message.from_user is not None
        assert (start.message.text, start.message.from_user.first_name) == ("/start code", "Anna")
        assert start.message.entities is not None
        assert forged.callback_query is not None
        assert (forged.callback_query.id, forged.callback_query.data) == (press, "forged")
        assert await forged.callback_query.answer("no").as_(bot)
        assert late.callback_query is not None
        assert type(late.callback_query.message).__name__ == "InaccessibleMessage"
        assert spoken.message is not None
        assert spoken.message.chat.type == "group"
        assert blocked.my_chat_member is not None
        with pytest.raises(TelegramForbiddenError, match="blocked"):
            await bot.send_message(ANNA, "still there?")
        assert anna.next_answer(press).text == "no"

    run(telegram, work)


def test_every_refusal_becomes_its_own_exception(telegram: Sandbox, anna: TelegramUser) -> None:
    async def work(bot: Bot) -> None:
        for fault, error in (
            ({"kind": "refusal", "status": 401}, TelegramUnauthorizedError),
            ({"kind": "refusal", "status": 403}, TelegramForbiddenError),
            ({"kind": "refusal", "status": 409}, TelegramConflictError),
            ({"kind": "refusal", "status": 502}, TelegramServerError),
            ({"kind": "html", "status": 502}, ClientDecodeError),
            ({"kind": "html"}, ClientDecodeError),
            ({"kind": "cut_body"}, TelegramNetworkError),
            ({"kind": "garbage"}, ClientDecodeError),
            ({"kind": "disconnect"}, TelegramNetworkError),
            ({"kind": "lost_reply"}, TelegramNetworkError),
        ):
            anna.fault(method="sendMessage", count=1, **fault)
            with pytest.raises(error):
                await bot.send_message(ANNA, str(fault))
        anna.fault("rate_limit", "sendMessage", count=1, retry_after_s=3)
        with pytest.raises(TelegramRetryAfter) as caught:
            await bot.send_message(ANNA, "again")
        assert caught.value.retry_after == 3
        with pytest.raises(TelegramBadRequest, match="message text is empty"):
            await bot.send_message(ANNA, "")
        with pytest.raises(TelegramBadRequest, match="can't parse entities"):
            await bot.send_message(ANNA, "1 < 2", parse_mode="HTML")
        with pytest.raises(TelegramNotFound):
            await bot(SetMyDescription(description="x"))

    run(telegram, work)
    heard = [row.text for row in anna.messages(ANNA)[-3:]]
    assert ["cut_body" in heard[0], "garbage" in heard[1], "lost_reply" in heard[2]] == [True] * 3

    async def wrong(bot: Bot) -> None:
        with pytest.raises(TelegramUnauthorizedError):
            await bot.me()

    run(telegram, wrong, token="7000000001:" + "w" * 35)


def test_a_second_poller_is_a_conflict(telegram: Sandbox, anna: TelegramUser) -> None:
    async def first(bot: Bot) -> None:
        await bot.get_updates(offset=-1)
        await bot.get_updates(offset=2**30, timeout=50)

    async def second(bot: Bot) -> None:
        (update,) = await bot.get_updates(offset=2**30, timeout=50)
        assert update.message is not None

    with ThreadPoolExecutor(2) as pool:
        loser = pool.submit(run, telegram, first)
        anna.wait_for_poll()
        winner = pool.submit(run, telegram, second)
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            loser.result(timeout=PATIENCE_S)
        anna.say(ANNA, "hello")
        winner.result(timeout=PATIENCE_S)
