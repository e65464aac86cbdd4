"""Faults on demand: what a remote service may do instead of answering well.

A rule says what happens (``kind``), to which calls (``service``, ``path``), and how often: a number of
times, for a number of seconds, or with a probability. Rules are added in code or by POST to
``/__sandbox__/faults`` of any of the sandbox's HTTP servers.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

KINDS: Final = (
    "slow",
    "hang",
    "rate_limit",
    "server_error",
    "html",
    "cut_body",
    "cut_gzip",
    "garbage",
    "empty",
    "stale",
    "disconnect",
    "expired_session",
    "out_of_credits",
    "refused",
    "stream_503",
    "stream_image",
    "refusal",
    "lost_reply",
)
"""``slow``: answers after ``delay_s``. ``hang``: never answers, closes after ``delay_s``. ``rate_limit``:
429 (with Retry-After when ``retry_after_s`` is given). ``server_error``: ``status`` with a text body.
``html``: an HTML page with ``status`` 200 unless given. ``cut_body``: half the promised body, then the
connection closes. ``cut_gzip``: a whole answer with half a gzip stream. ``garbage``: text that is almost
JSON. ``empty``: ``[]``, or a JSON-RPC answer with nothing in it. ``stale``: prices as they stood when the rule was added. ``disconnect``:
closes with no answer. ``expired_session``: the exchange forgets all sessions. ``out_of_credits``: 401
OUT_OF_USAGE_CREDITS. ``refused``: the port is closed for ``seconds``, of every service or of the one named.
``stream_503``: the stream says its data is late. ``stream_image``: the stream sends a new image. ``refusal``:
``status`` and ``text`` in the service's own form (Telegram only). ``lost_reply``: the call is carried out, and the
connection closes with no answer."""


@dataclass(slots=True)
class Fault:
    """One rule; it holds until its count or its time is used up."""

    kind: str
    service: str = ""
    """``odds_api``, ``betfair``, ``stream``, ``telegram`` or empty for all."""
    path: str = ""
    """A part of the path (or of the JSON-RPC method) that must occur; empty for all."""
    count: int | None = None
    """How many calls it hits; None for no bound."""
    seconds: float | None = None
    """For how long it holds, wall seconds; None for no bound."""
    probability: float = 1.0
    delay_s: float = 1.0
    status: int = 0
    retry_after_s: float | None = None
    text: str = ""
    """The words of a ``refusal``; empty for the usual ones of its status."""
    since: float = field(default=0.0, compare=False)
    """Wall time at which it was added."""
    hits: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuses a kind that does not exist."""
        if self.kind not in KINDS:
            raise ValueError(
                f"kind: {self.kind!r} is not a fault; expected one of {', '.join(KINDS)}"
            )


class Faults:
    """The rules in force. Safe to use from any thread."""

    def __init__(self, seed: int = 1, now: Callable[[], float] = time.time) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()
        self._now = now
        self._random = random.Random(seed)
        self.on_refused: Callable[[Fault], None] | None = None
        """Closes ports; a ``refused`` rule is handed to it and kept nowhere else."""

    def add(self, fault: Fault) -> Fault:
        """Puts a rule in force, behind those already there."""
        fault.since = self._now()
        if fault.kind == "refused" and self.on_refused is not None:
            self.on_refused(fault)
            return fault
        with self._lock:
            self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Ends every rule."""
        with self._lock:
            self._rules.clear()

    def rules(self) -> tuple[Fault, ...]:
        """Gives the rules still in force."""
        with self._lock:
            self._expire()
            return tuple(self._rules)

    def strike(self, service: str, path: str, kinds: tuple[str, ...] = KINDS) -> Fault | None:
        """Gives the first rule that hits this call, and counts the hit; None when all is well."""
        with self._lock:
            self._expire()
            for rule in self._rules:
                if (
                    rule.kind not in kinds
                    or rule.service not in {"", service}
                    or rule.path not in path
                ):
                    continue
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                rule.hits += 1
                return rule
        return None

    def _expire(self) -> None:
        now = self._now()
        self._rules = [
            rule
            for rule in self._rules
            if (rule.count is None or rule.hits < rule.count)
            and (rule.seconds is None or now < rule.since + rule.seconds)
        ]
