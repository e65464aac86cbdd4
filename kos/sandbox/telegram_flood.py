"""How much a bot may say: one message a second in a chat, thirty in all, twenty a minute in a group."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from kos.sandbox.telegram_form import Refusal


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many seconds."""

    calls: int
    seconds: float


CHAT: Final = Limit(1, 1.0)
OVERALL: Final = Limit(30, 1.0)
GROUP: Final = Limit(20, 60.0)


def too_many(seconds: float) -> Refusal:
    """Gives the refusal of a call that came too early; Telegram speaks of whole seconds."""
    wait = max(1, math.ceil(seconds))
    return Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})


class Flood:
    """The limits, off until switched on. Not safe to use from several threads at once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._said: defaultdict[Hashable, deque[float]] = defaultdict(deque)
        self.is_on = False

    def admit(self, chat_id: int) -> None:
        """Counts a message or an edit.

        Raises:
            Refusal: 429 with the seconds to wait; a refused call is not counted.
        """
        if not self.is_on:
            return
        now = self._now()
        kinds: list[tuple[Hashable, Limit]] = [("all", OVERALL), (chat_id, CHAT)]
        if chat_id < 0:
            kinds.append((("group", chat_id), GROUP))
        for key, limit in kinds:
            times = self._said[key]
            while times and times[0] <= now - limit.seconds:
                times.popleft()
            if len(times) >= limit.calls:
                raise too_many(times[0] + limit.seconds - now)
        for key, _ in kinds:
            self._said[key].append(now)
