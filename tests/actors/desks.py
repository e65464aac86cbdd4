"""A desk in its simplest form, on the real ledger: it can be held between its commit and its answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kos.domain.people.conversation import Answer, MenuLine, Promise, Span
from kos.messages import Conclude, GetMenu, MenuDescribed, OperatorAnswered, OperatorSaid
from kos.runtime import Actor, ActorFailed, ChildSpec, Context, Message, RuntimeFault

STRANGER = "telegram:99"
_ASK_S = 30.0
_HELD_S = 60.0


class DeskArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the desk writes what it did, and what holds it."""

    heard: str
    """A line for each word: its id."""
    committed: str
    """A line for each commit: the word's id."""
    hold: str
    """While this file is there, no answer follows a commit."""


def spec(folder: Path) -> ChildSpec:
    return ChildSpec(
        name="desk",
        factory="tests.actors.desks:DeskActor",
        args=DeskArgs(
            heard=str(folder / "heard"),
            committed=str(folder / "committed"),
            hold=str(folder / "hold"),
        ),
        backoff_first_s=0.0,
    )


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


class DeskActor(Actor):
    """``/do ...`` promises a confirmation; everything is answered by what was said."""

    def __init__(self, context: Context, args: DeskArgs) -> None:
        super().__init__(context, args)
        self._heard, self._committed = Path(args.heard), Path(args.committed)
        self._hold = Path(args.hold)

    def receive(self, message: Message) -> Message:
        if isinstance(message, GetMenu):
            is_known = message.user != STRANGER
            return MenuDescribed(lines=(MenuLine("do", "Do it"),) if is_known else ())
        assert isinstance(message, OperatorSaid)
        if message.user == STRANGER:
            return OperatorAnswered(is_stranger=True)
        _note(self._heard, message.said_id)
        if message.text.startswith("/do"):
            self._conclude(message)
        return OperatorAnswered(answers=(Answer(spans=(Span(f"heard {message.text}"),)),))

    def _conclude(self, said: OperatorSaid) -> None:
        answer = Answer(spans=(Span(f"done {said.text}"),))
        command = Conclude(
            command_id=said.said_id,
            by=said.user,
            occurred_at=datetime.now(UTC),
            promises=(Promise(chat=said.chat, answer=answer),),
        )
        deadline = time.monotonic() + _HELD_S
        while True:
            try:
                self.context.ref("ledger").ask(command, _ASK_S)
            except ActorFailed:
                raise
            except RuntimeFault:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                break
        _note(self._committed, said.said_id)
        while self._hold.exists() and time.monotonic() < deadline:
            time.sleep(0.01)


def _note(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
