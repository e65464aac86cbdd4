"""The Bot API through aiogram: typed calls in, our own faults out, and never a token in a text."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    Update,
    User,
)

from kos.adapters.telegram.render import MessageForm, Outgoing, StyledText
from kos.domain.people.conversation import MenuLine
from kos.observability.redact import Redactor
from kos.runtime import meters

UPDATES = ("message", "callback_query")
_CALL_S = 30
_MAX_REASON = 300
_ASK_BOTFATHER = (
    "the bot's token is refused; get it from @BotFather and put it into the settings "
    "(telegram.token)"
)

Result = TypeVar("Result")


class FaultKind(StrEnum):
    """What a failed call means for the caller."""

    WAIT = "wait"
    """Too fast: again after so many seconds."""
    UNREACHABLE = "unreachable"
    """No connection, no answer, a server's error, or an answer that is none: again later. A send
    may have been done."""
    UNAUTHORIZED = "unauthorized"
    """The token is refused: a person must act."""
    CONFLICT = "conflict"
    """Someone else polls with this token, or a webhook is set."""
    FORBIDDEN = "forbidden"
    """The chat refuses us for good: blocked, kicked, gone."""
    MIGRATED = "migrated"
    """The group has another id now."""
    UNCHANGED = "unchanged"
    """The edit says what stands there already: a success."""
    NOT_EDITABLE = "not_editable"
    """The message to edit is gone or too old: send a new one."""
    TOO_OLD = "too_old"
    """The pressed button waits for no answer any more."""
    TOO_LARGE = "too_large"
    """More bytes than Telegram takes: for good, in whatever style."""
    REFUSED = "refused"
    """The call is wrong and stays so."""


class TelegramFault(Exception):  # noqa: N818 - it says what kind of fault
    """A call failed; the text holds no token and no address."""

    def __init__(
        self, kind: FaultKind, reason: str, *, retry_after_s: float = 0.0, new_chat: int = 0
    ) -> None:
        super().__init__(f"Telegram: {reason}")
        self.kind = kind
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.new_chat = new_chat


@dataclass(frozen=True)
class BotIdentity:
    """Who the bot is."""

    bot_id: int
    username: str


class TelegramApi:
    """One bot. To be made, used and closed within one event loop.

    Args:
        token: The bot's token.
        url: The API's address, ``https://api.telegram.org`` or one on loopback.
        proxy: ``scheme://[login:password@]host:port``, or None.

    Raises:
        ValueError: The token is none, or the proxy's address is none; the text holds neither.
    """

    def __init__(self, token: str, url: str, proxy: str | None = None) -> None:
        self._redactor = Redactor(tuple(text for text in (token, proxy or "") if text))
        self._way = "telegram.proxy (address, login)" if proxy else "telegram.url"
        defaults = DefaultBotProperties(link_preview=LinkPreviewOptions(is_disabled=True))
        try:
            session = AiohttpSession(
                proxy=proxy, api=TelegramAPIServer.from_base(url), timeout=_CALL_S
            )
            self._bot = Bot(token, session=session, default=defaults)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold the token
            reason = self._redacted(error)
            raise ValueError(f"the bot cannot be created: {reason}") from None

    async def close(self) -> None:
        """Give the connections back."""
        await self._bot.session.close()

    async def me(self) -> BotIdentity:
        """Who the bot is; the first call, and the cheapest that needs a right token."""
        user: User = await self._call(self._bot.get_me())
        return BotIdentity(user.id, user.username or "")

    async def take_over(self) -> None:
        """Remove a webhook that is left set, keeping what waits."""
        await self._call(self._bot.delete_webhook(drop_pending_updates=False))

    async def updates(self, offset: int | None, wait_s: int) -> list[Update]:
        """What has been said since ``offset``, which confirms all before it."""
        return await self._call(
            self._bot.get_updates(
                offset=offset,
                limit=100,
                timeout=wait_s,
                allowed_updates=list(UPDATES),
                request_timeout=wait_s + _CALL_S,
            )
        )

    async def send(self, chat: int, outgoing: Outgoing) -> int:
        """Send a message; gives its number."""
        text, entities = outgoing.text.text, _entities(outgoing.text)
        keyboard = _keyboard(outgoing)
        if outgoing.form is MessageForm.TEXT:
            call = self._bot.send_message(chat, text, entities=entities, reply_markup=keyboard)
        else:
            is_picture = outgoing.form is MessageForm.PICTURE
            call = (self._bot.send_photo if is_picture else self._bot.send_document)(
                chat,
                BufferedInputFile(outgoing.content, outgoing.file_name),
                caption=text or None,
                caption_entities=entities,
                reply_markup=keyboard,
            )
        sent: Message = await self._call(call)
        return sent.message_id

    async def edit(self, chat: int, message_id: int, outgoing: Outgoing) -> None:
        """Replace the text and the buttons of a message."""
        await self._call(
            self._bot.edit_message_text(
                text=outgoing.text.text,
                chat_id=chat,
                message_id=message_id,
                entities=_entities(outgoing.text),
                reply_markup=_keyboard(outgoing),
            )
        )

    async def answer_press(self, press_id: str, notice: str) -> None:
        """End the spinner of a pressed button, with a word or without."""
        await self._call(self._bot.answer_callback_query(press_id, text=notice or None))

    async def set_menu(self, chat: int | None, lines: Sequence[MenuLine]) -> None:
        """The menu of one private chat; None and no lines: of everyone else, empty."""
        if chat is None:
            await self._call(self._bot.delete_my_commands())
            return
        commands = [BotCommand(command=line.command, description=line.summary) for line in lines]
        scope = BotCommandScopeChat(chat_id=chat)
        await self._call(self._bot.set_my_commands(commands, scope=scope))

    async def _call(self, call: Coroutine[Any, Any, Result]) -> Result:
        """Make a call; whatever it raises comes out as our own fault, without its context."""
        fault: TelegramFault
        try:
            result = await call
        except TelegramAPIError as error:
            fault = self._fault(error)
        except ClientDecodeError:
            # Its text is the whole body.
            fault = TelegramFault(
                FaultKind.UNREACHABLE,
                "the reply did not come from Telegram; a proxy or another server may be in the way",
            )
        except Exception as error:  # noqa: BLE001 - the border: no library's fault ends the loop
            # What a proxy does is of no class that aiogram knows; its text may hold the login.
            fault = TelegramFault(FaultKind.UNREACHABLE, self._unreachable(type(error).__name__))
        else:
            meters.count("telegram_calls_total", outcome="done")
            return result
        meters.count("telegram_calls_total", outcome=fault.kind.value)
        raise fault

    def _fault(self, error: TelegramAPIError) -> TelegramFault:
        kind, reason = FaultKind.UNREACHABLE, self._redacted(error)
        match error:
            case TelegramRetryAfter(retry_after=wait_s):
                reason = f"asks KOS to wait {wait_s} seconds"
                return TelegramFault(FaultKind.WAIT, reason, retry_after_s=float(wait_s))
            case TelegramMigrateToChat(migrate_to_chat_id=chat):
                return TelegramFault(FaultKind.MIGRATED, reason, new_chat=int(chat))
            case TelegramUnauthorizedError() | TelegramNotFound():
                # A token that is none of anybody's is "Not Found".
                kind, reason = FaultKind.UNAUTHORIZED, _ASK_BOTFATHER
            case TelegramConflictError():
                kind = FaultKind.CONFLICT
            case TelegramForbiddenError():
                kind = FaultKind.FORBIDDEN
            case TelegramEntityTooLarge():
                kind, reason = FaultKind.TOO_LARGE, "the message is too large"
            case TelegramNetworkError():
                # Its text may hold the address with the token in it.
                reason = self._unreachable()
            case TelegramServerError():
                reason = "Telegram has a problem"
            case TelegramBadRequest():
                kind = _kind_of(error.message)
        return TelegramFault(kind, reason)

    def _unreachable(self, kind: str = "") -> str:
        return f"no connection; check {self._way} and the network" + f" ({kind})" * bool(kind)

    def _redacted(self, error: Exception) -> str:
        text = str(getattr(error, "message", "") or error)
        return self._redactor.text(text)[:_MAX_REASON]


def _kind_of(message: str) -> FaultKind:
    text = message.lower()
    if "message is not modified" in text:
        return FaultKind.UNCHANGED
    if "message to edit not found" in text or "can't be edited" in text or "no text in the" in text:
        return FaultKind.NOT_EDITABLE
    if "query is too old" in text or "query id is invalid" in text:
        return FaultKind.TOO_OLD
    if "chat not found" in text or "user is deactivated" in text:
        return FaultKind.FORBIDDEN
    return FaultKind.REFUSED


def _entities(text: StyledText) -> list[MessageEntity] | None:
    entities = [
        MessageEntity(
            type=entity.kind, offset=entity.offset, length=entity.length, url=entity.url or None
        )
        for entity in text.entities
    ]
    return entities or None


def _keyboard(outgoing: Outgoing) -> InlineKeyboardMarkup | None:
    if not outgoing.buttons:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=button.label, callback_data=button.data) for button in row]
            for row in outgoing.buttons
        ]
    )
