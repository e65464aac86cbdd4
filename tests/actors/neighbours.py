"""Neighbours of the desk that do as a test wants."""

from __future__ import annotations

import time
from pathlib import Path

from kos.messages import FetchAnswered, FetchNow, OperatorSaid
from kos.runtime import Actor, Context, Message


class GatedFetcher(Actor):
    """Answers a FetchNow once a file is there; says that it was asked by another file."""

    def __init__(self, context: Context, args: str) -> None:
        super().__init__(context, args)
        self._folder = Path(args)
        self._asked = 0

    def receive(self, message: Message) -> Message:
        if not isinstance(message, FetchNow):
            raise TypeError(type(message).__name__)
        self._asked += 1
        (self._folder / f"asked-{self._asked}").touch()
        deadline = time.monotonic() + 60
        while not (self._folder / "gate").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return FetchAnswered(is_done=True, detail=f"asked {self._asked} times")


class Screen(Actor):
    """Brings people's words to the desk under its own name, as a bot or a page does."""

    def receive(self, message: Message) -> Message:
        if isinstance(message, OperatorSaid):
            return self.context.ref("desk").ask(message, 30.0)
        raise TypeError(type(message).__name__)
