"""Live pages: each distinct query is sent at most once a second, for everyone who watches it.

No query is sent while no one watches. However many browsers watch the same query, the actors
answer it once, the answer becomes JSON once, and each stream takes the changes since it last
wrote. A stream that cannot write waits on its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import suppress

import msgspec
import structlog

from kos.errors import ActorUnavailable, CommandNotAllowed
from kos.messages import LEDGER
from kos.web.changes import Changes, Picture

HEARTBEAT_S = 10.0
"""How often a stream without news sends a sign of life, so that both ends notice a dead one."""
MAX_QUESTIONS = 40
MAX_STREAMS = 256
INTERVAL_S = 1.0
_REST = 10.0
"""A query rests ten times as long as its answer took: the page uses a tenth of an actor."""

Fetch = Callable[[], Awaitable[Picture]]

log = structlog.get_logger()


class TooMany(Exception):  # noqa: N818 - says what is so
    """No more streams or queries now; the text says what to do."""


class LiveQuestion:
    """One query while someone watches it.

    Args:
        fetch: Sends it once.
        turn: Held while asking, so that the page sends an actor one query at a time.
        interval_s: The shortest time from one query to the next.
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
        """Ask again immediately: something was just recorded."""
        self._soon.set()

    def end(self) -> None:
        """Stop asking."""
        self._task.cancel()

    def since(self, version: int) -> tuple[int, bytes]:
        """The current version, and the changes since another."""
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
            except ActorUnavailable as why:
                is_new = self._trouble(f"{why.reason} This page will reconnect automatically.")
            except CommandNotAllowed as why:
                is_new = self._trouble(str(why))
            except Exception:
                log.exception("dashboard.question_failed")
                is_new = self._trouble("Something went wrong. The log has the details.")
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
    """All queries being watched."""

    def __init__(self) -> None:
        self._watches: dict[Hashable, LiveQuestion] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._closing = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.streams = 0

    @property
    def questions(self) -> int:
        """The number of queries."""
        return len(self._watches)

    def close(self) -> None:
        """End every open stream; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._closing.set()
        for watch in self._watches.values():
            watch.end()

    def hurry(self) -> None:
        """Something was recorded: send the ledger's queries again immediately."""
        for key, watch in self._watches.items():
            if isinstance(key, tuple) and key[0] == LEDGER:
                watch.hurry()

    def stream(
        self, actor: str, key: Hashable, fetch: Fetch, interval_s: float = INTERVAL_S
    ) -> AsyncIterator[bytes]:
        """Server-sent events of one query: everything first, then changes.

        Args:
            actor: The actor to ask; the page sends each one query at a time.
            key: Identifies the query.
            fetch: Sends it once.
            interval_s: The shortest time from one query to the next.

        Raises:
            TooMany: The page is at its limits.
        """
        if self.streams >= MAX_STREAMS:
            raise TooMany(f"Too many pages open ({MAX_STREAMS}). Close one and reload.")
        name = (actor, key)
        if name not in self._watches and len(self._watches) >= MAX_QUESTIONS:
            raise TooMany(
                f"Too many different filters open ({MAX_QUESTIONS}). Close a page and reload."
            )
        self._loop = asyncio.get_running_loop()
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
                    seen, payload = watch.since(seen)
                    yield b"data: " + payload + b"\n\n"
                else:
                    yield b": still here\n\n"
        finally:
            closing.cancel()
            self.streams -= 1
            watch.watchers -= 1
            if not watch.watchers:
                watch.end()
                self._watches.pop(name, None)
