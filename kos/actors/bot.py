"""The Telegram bot: an actor around a thread that owns the bot's event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

import msgspec

from kos.asking import Asker
from kos.config.settings import TelegramSettings
from kos.domain.people.conversation import MenuLine, OutboxEntry, PromiseOutcome
from kos.errors import ActorUnavailable, CommandNotAllowed
from kos.messages import (
    LEDGER,
    CommandRecorded,
    GetMenu,
    GetOutbox,
    MarkDelivered,
    MenuDescribed,
    OperatorAnswered,
    OperatorSaid,
    OutboxFilled,
    OutboxListed,
    Tick,
)
from kos.runtime import Actor, ActorFailed, ChildSpec, Context, Message

if TYPE_CHECKING:
    from kos.adapters.telegram.service import TelegramService

BotMessage = OutboxFilled | Tick
"""The messages that it takes."""

_ENDED = Tick(what="the loop ended")
_HEAR_S = 60.0
"""A slow command may take its time; a dead desk is known at once."""
_LEDGER_S = 10.0
_JOIN_S = 8.0


class BotArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot is told at its start."""

    telegram: TelegramSettings


def spec(args: BotArgs) -> ChildSpec:
    """How it is supervised: always there, in a node of its own; the rest goes on without it."""
    return ChildSpec(
        name="bot", factory="kos.actors.bot:BotActor", args=args, stop_timeout_s=_JOIN_S + 2
    )


class _ActorsBehind:
    """The rest of KOS, as the bot's threads reach it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asker = Asker.within(context)

    def hear(self, said: OperatorSaid) -> OperatorAnswered:
        try:
            return self._asker.ask("desk", said, OperatorAnswered, _HEAR_S)
        except ActorUnavailable as away:
            if not isinstance(away.__cause__, ActorFailed):
                raise
            # The traceback is where it failed, in the other node's log.
            self._context.log.error("telegram.not_answered", error=str(away))  # noqa: TRY400
            return OperatorAnswered(notice="KOS could not do this. See the log for the reason.")

    def outbox(self, without_chats: tuple[str, ...]) -> tuple[OutboxEntry, ...]:
        question = GetOutbox(without_chats=without_chats)
        return self._asker.ask(LEDGER, question, OutboxListed, _LEDGER_S).entries

    def mark(self, entry_id: int, outcome: PromiseOutcome, message_id: int, reason: str) -> None:
        command = MarkDelivered(
            command_id=f"outbox:{entry_id}:{outcome.value}",
            by=self._context.name,
            occurred_at=datetime.now(UTC),
            entry_id=entry_id,
            outcome=outcome,
            message_id=message_id,
            reason=reason,
        )
        with suppress(CommandNotAllowed):  # it is marked already
            self._asker.ask(LEDGER, command, CommandRecorded, _LEDGER_S)  # the service repeats it

    def menu(self, user: str) -> tuple[MenuLine, ...]:
        return self._asker.ask("desk", GetMenu(user=user), MenuDescribed, _LEDGER_S).lines


class BotActor(Actor):
    """Owns the loop's thread; a loop that ends unasked fails the actor, which restarts.

    Nothing that is told to it waits here: what is to be sent is in the ledger's outbox, and this
    actor's mailbox only wakes the loop.
    """

    def __init__(self, context: Context, args: BotArgs) -> None:
        super().__init__(context, args)
        self._settings = args.telegram
        self._service: TelegramService | None = None
        self._is_stopping = False
        self._making = threading.Lock()
        self._problem = ""
        self._error = ""

    def started(self) -> None:
        # Loading aiogram takes seconds on a busy machine: no start of the daemon waits for it.
        self._thread = threading.Thread(target=self._run, name="telegram-loop", daemon=True)
        self._thread.start()

    def receive(self, message: Message) -> None:
        if not isinstance(message, BotMessage):
            raise TypeError(f"bot takes no {type(message).__name__}")
        match message:
            case OutboxFilled():
                if self._service is not None:
                    self._service.wake()  # else it looks into the outbox when it is there
            case Tick():
                raise RuntimeError(f"the bot's loop ended: {self._error or 'unknown reason'}")
            case _:
                assert_never(message)

    def stopping(self) -> None:
        with self._making:
            self._is_stopping = True
            service = self._service
        if service is not None:
            service.stop()
        self._thread.join(_JOIN_S)

    def pulse(self) -> dict[str, str | int | float]:
        if self._problem:
            return {"state": "misconfigured", "problem": self._problem}
        service = self._service
        return {"state": "connecting"} if service is None else dict(vars(service.status))

    def _run(self) -> None:
        try:
            service = self._made()
            if service is not None:
                asyncio.run(service.run())
        except BaseException as error:  # noqa: BLE001 - a thread's end is told to its actor
            reasons = getattr(error, "exceptions", (error,))
            self._error = "; ".join(f"{type(reason).__name__}: {reason}" for reason in reasons)
            self.context.ref(self.context.name).tell(_ENDED)

    def _made(self) -> TelegramService | None:
        """The service; None when it is not wanted any more, or a package is missing."""
        try:
            from kos.adapters.telegram.service import (  # noqa: PLC0415 - no one else pays for aiogram
                TelegramService,
            )
        except ModuleNotFoundError as error:
            self._problem = (
                f"the package {error.name} is missing: install kos-engine[telegram] and restart KOS"
            )
            self.context.log.error("telegram.not_made", error=self._problem)  # noqa: TRY400
            return None
        with self._making:
            if self._is_stopping:
                return None
            rest = _ActorsBehind(self.context)
            self._service = TelegramService(self._settings, rest, self.context.log)
            return self._service
