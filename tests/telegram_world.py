"""What a test of the bot may ask of a Telegram server, whichever it is: the sandbox's or the emulator's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from kos.sandbox import Sandbox
from kos.sandbox.telegram_user import (
    PATIENCE_S,
    BotCall,
    BotMessage,
    Button,
    ButtonAnswer,
    TelegramUser,
)


class TelegramWorld(Protocol):
    """The server's address for the bot, the people who talk to it, and an eye on what it does.

    :class:`kos.sandbox.telegram_user.TelegramUser` says what each part gives. A server that is not ours delivers
    every update type, doesn't parse HTML, keeps no flood limits and knows only the faults of one call.
    """

    url: str
    token: str

    def meet(
        self, user_id: int, *, chat_id: int | None = None, name: str = "", username: str = ""
    ) -> None: ...

    def say(
        self,
        user_id: int,
        text: str,
        *,
        chat_id: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> int: ...

    def edit(self, chat_id: int, message_id: int, text: str) -> int: ...

    def press(self, user_id: int, message: BotMessage, button: Button | str) -> str: ...

    def block(
        self, user_id: int, *, chat_id: int | None = None, is_blocked: bool = True
    ) -> None: ...

    def deliver(self, update: dict[str, Any]) -> int: ...

    def replay(self, update_id: int) -> None: ...

    def expire_presses(self) -> None: ...

    def next_message(self, chat_id: int, *, timeout_s: float = PATIENCE_S) -> BotMessage: ...

    def next_answer(self, press_id: str, *, timeout_s: float = PATIENCE_S) -> ButtonAnswer: ...

    def messages(self, chat_id: int) -> list[BotMessage]: ...

    def forget(self, chat_id: int) -> None: ...

    def screen(self, chat_id: int) -> list[dict[str, Any]]: ...

    def calls(self, method: str = "") -> list[BotCall]: ...

    def wait_for_calls(
        self, method: str, count: int, *, timeout_s: float = PATIENCE_S
    ) -> list[BotCall]: ...

    def wait_for_poll(self, *, timeout_s: float = PATIENCE_S) -> None: ...

    def file(self, file_id: str) -> bytes: ...

    def fault(
        self, kind: str, method: str = "", *, count: int | None = None, **how: Any
    ) -> None: ...

    def clear_faults(self) -> None: ...


@contextmanager
def sandbox_world() -> Iterator[TelegramWorld]:
    """Runs a sandbox and gives its Telegram."""
    with Sandbox(7) as sandbox:
        yield TelegramUser(sandbox.telegram_url, sandbox.addresses.telegram_token)


def running_world(kind: str) -> AbstractContextManager[TelegramWorld]:
    """Runs the server of a kind, ``sandbox`` or ``emulator``, and gives it."""
    if kind == "sandbox":
        return sandbox_world()
    from tests.emulator.process import emulator_world  # noqa: PLC0415 - only where it is asked for

    return emulator_world()
