"""Live pages: each distinct question is asked once a second at most, for all who watch it.

Nothing is asked while nobody watches. However many browsers look at the same question, the
actors answer it once, the answer is made into JSON once, and each stream takes from it what
changed since it last wrote. A stream that cannot write waits by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import suppress

import msgspec
import structlog

from kos.web.asking import NotAnswered, NotAsked
from kos.web.changes import Changes, Picture

HEARTBEAT_S = 10.0
"""A stream without news says so this often, so that both ends notice a dead one."""
MAX_QUESTIONS = 40
MAX_STREAMS = 256
INTERVAL_S = 1.0
_REST = 10.0
"""A question rests ten times as long as its answer took: the page takes a tenth of an actor."""

Fetch = Callable[[], Awaitable[Picture]]

log = structlog.get_logger()


class TooMany(Exception):  # noqa: N818 - says what is so
    """No further stream or question now; the text says what to do."""


class LiveQuestion:
    """One question while somebody watches it.

    Args:
        fetch: Asks it once.
        turn: Held while asking, so that the page has one question at a time with an actor.
        interval_s: The shortest time from one asking to the next.
    """

    def __init__(self, fetch: Fetch, turn: asyncio.Lock, interval_s: float) -> None:
        self.watchers = 0
        self.asked = 0
        self._fetch = fetch
        self._turn = turn
        self._interval_s = interval_s
        self._changes = Changes()
        self._news = asyncio.Event()
        self._soon = asyncio.Event()
        self._task = asyncio.create_task(self._ask_on(), name="page question")

    def hurry(self) -> None:
        """Ask again at once: something was just recorded."""
        self._soon.set()

    def end(self) -> None:
        """Ask no more."""
        self._task.cancel()

    def since(self, version: int) -> tuple[int, bytes]:
        """The present version, and what changed since another."""
        return self._changes.version, self._changes.since(version)

    async def news(self, seen: int) -> bool:
        """Wait until there is something newer than ``seen``; False when a heartbeat is due."""
        if self._changes.version > seen:
            return True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
        return self._changes.version > seen

    async def _ask_on(self) -> None:
        while True:
            started = time.monotonic()
            try:
                async with self._turn:
                    started = time.monotonic()
                    self.asked += 1
                    picture = await self._fetch()
                is_new = self._changes.show(picture)
                is_new |= self._trouble("")
            except (NotAnswered, NotAsked) as why:
                is_new = self._trouble(str(why))
            except Exception:
                log.exception("dashboard.question_failed")
                is_new = self._trouble("KOS could not put its answer together; the log says why")
            if is_new:
                self._news.set()
                self._news = asyncio.Event()
            took = time.monotonic() - started
            rest = max(self._interval_s - took, took * _REST)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), rest)
            self._soon.clear()

    def _trouble(self, words: str) -> bool:
        return self._changes.note({"trouble": msgspec.json.encode(words)})


class Hub:
    """All questions that are watched now."""

    def __init__(self) -> None:
        self._watches: dict[Hashable, LiveQuestion] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._closing = asyncio.Event()
        self.streams = 0

    @property
    def questions(self) -> int:
        """How many are asked."""
        return len(self._watches)

    def close(self) -> None:
        """End every stream; called in the loop."""
        self._closing.set()
        for watch in self._watches.values():
            watch.end()

    def hurry(self) -> None:
        """Something was recorded: ask the ledger's questions again at once."""
        for key, watch in self._watches.items():
            if isinstance(key, tuple) and key[0] == "ledger":
                watch.hurry()

    def stream(
        self, actor: str, key: Hashable, fetch: Fetch, interval_s: float = INTERVAL_S
    ) -> AsyncIterator[bytes]:
        """Server-sent events of one question: everything first, then changes.

        Args:
            actor: Who is asked; the page has one question at a time with each.
            key: What makes the question distinct.
            fetch: Asks it once.
            interval_s: The shortest time from one asking to the next.

        Raises:
            TooMany: The page is at its limits.
        """
        if self.streams >= MAX_STREAMS:
            raise TooMany(f"{MAX_STREAMS} pages are open already; close some")
        name = (actor, key)
        if name not in self._watches and len(self._watches) >= MAX_QUESTIONS:
            raise TooMany(f"{MAX_QUESTIONS} different questions are watched; close some pages")
        return self._events(name, fetch, interval_s)

    async def _events(
        self, name: tuple[str, Hashable], fetch: Fetch, interval_s: float
    ) -> AsyncIterator[bytes]:
        watch = self._watches.get(name)
        if watch is None:
            turn = self._turns.setdefault(name[0], asyncio.Lock())
            watch = self._watches[name] = LiveQuestion(fetch, turn, interval_s)
        watch.watchers += 1
        self.streams += 1
        closing = asyncio.ensure_future(self._closing.wait())
        seen = 0
        try:
            yield b"retry: 2000\n\n"
            while not self._closing.is_set():
                news = asyncio.ensure_future(watch.news(seen))
                await asyncio.wait({news, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not news.done():
                    news.cancel()
                    break
                if news.result():
                    seen, told = watch.since(seen)
                    yield b"data: " + told + b"\n\n"
                else:
                    yield b": still here\n\n"
        finally:
            closing.cancel()
            self.streams -= 1
            watch.watchers -= 1
            if not watch.watchers:
                watch.end()
                self._watches.pop(name, None)
