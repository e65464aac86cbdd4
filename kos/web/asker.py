"""Questions from the page's loop to actors: each waits in a thread, not in the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from kos.asking import Asker, Expected
from kos.messages import LedgerCommand
from kos.runtime import Message

TIMEOUT_S = 10.0


class PageAsker:
    """The asker for code in the page's loop; it waits in the threads of a pool."""

    def __init__(self, asker: Asker, pool: Executor) -> None:
        self._asker = asker
        self._pool = pool

    async def ask(
        self, actor: str, question: Message, expected: type[Expected], timeout_s: float = TIMEOUT_S
    ) -> Expected:
        """As :meth:`kos.asking.Asker.ask`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, self._asker.ask, actor, question, expected, timeout_s
        )

    async def do(self, command: LedgerCommand, expected: type[Expected]) -> Expected:
        """As :meth:`kos.asking.Asker.do`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._asker.do, command, expected)
