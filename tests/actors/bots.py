"""A bot that keeps what it is given in a file: the least that can stand at the outbox's end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kos.domain.people.conversation import PromiseOutcome
from kos.messages import GetOutbox, MarkDelivered, OutboxFilled, OutboxListed
from kos.runtime import Actor, ChildSpec, Context, Message, RuntimeFault

_TIMEOUT_S = 30.0


class BotArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bot writes to, and what it waits for."""

    chat: str
    """A line for each message that was sent."""
    gate: str
    """A file without which it sends nothing."""


def spec(folder: Path) -> ChildSpec:
    return ChildSpec(
        name="bot",
        factory="tests.actors.bots:BotActor",
        args=BotArgs(chat=str(folder / "chat"), gate=str(folder / "gate")),
    )


class BotActor(Actor):
    """Sends when it is told that there is something, and at no other time.

    Asked for its outbox it answers with how often it was told.
    """

    def __init__(self, context: Context, args: BotArgs) -> None:
        super().__init__(context, args)
        self._chat = Path(args.chat)
        self._gate = Path(args.gate)
        self._told = 0

    def receive(self, message: Message) -> Message | None:
        if isinstance(message, OutboxFilled):
            self._told += 1
            if self._gate.exists():
                self._send()
            return None
        return OutboxListed(entries=(), waiting=self._told)

    def _send(self) -> None:
        ledger = self.context.ref("ledger")
        try:
            listed = ledger.ask(GetOutbox(), _TIMEOUT_S)
            assert isinstance(listed, OutboxListed)
            for entry in listed.entries:
                text = entry.promise.answer.spans[0].text
                with self._chat.open("a", encoding="utf-8") as chat:
                    chat.write(f"{entry.entry_id} {text}\n")
                ledger.ask(
                    MarkDelivered(
                        command_id=f"delivered:{entry.entry_id}",
                        by="bot",
                        occurred_at=datetime.now(UTC),
                        entry_id=entry.entry_id,
                        outcome=PromiseOutcome.SENT,
                        message_id=entry.entry_id,
                    ),
                    _TIMEOUT_S,
                )
        except RuntimeFault:
            self.context.after(0.05, OutboxFilled())
