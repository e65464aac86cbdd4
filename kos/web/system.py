"""The System page: every node and actor, the price feeds, and recent warnings."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from starlette.routing import Route

from kos import __version__
from kos.domain.books.calendar import uk_time
from kos.domain.market.sports import sport_title
from kos.messages import FETCHER
from kos.runtime import SYSTEM, Describe, NodeDescribed, SystemDescribed
from kos.service.health import Seen, judge, state_words
from kos.service.heartbeat import Heartbeat, beat_of, boot_id
from kos.views.health import actor_row, counted_restarts, credits_sentence, restart_count
from kos.views.opportunities import duration
from kos.web.asker import PageAsker
from kos.web.live import Hub
from kos.web.pages import Pages, routes_of_parts

_BEAT_S = 5.0
_WELL = "running"
_LOG_TAIL = 512 * 1024
_MOST_WARNINGS = 30
_GRAVE = frozenset({"warning", "error", "critical"})
_COMMON = frozenset({"ts", "level", "event", "pid", "incarnation", "exception", "node", "actor"})
_MOST_FACTS = 300


class Warned(msgspec.Struct, frozen=True):
    """A warning or error in the log."""

    at: str
    level: str
    event: str
    where: str
    facts: str


class SystemPages:
    """The state of the system, asked of the main process, and warnings read from a log."""

    def __init__(
        self, pages: Pages, hub: Hub, asker: PageAsker, log_file: Path, *, is_simulated: bool
    ) -> None:
        self._pages = pages
        self._hub = hub
        self._asker = asker
        self._log_file = log_file
        self._is_simulated = is_simulated

    def routes(self) -> list[Route]:
        """Its addresses."""
        return routes_of_parts(self._pages, self._hub, SYSTEM, "/system", self._parts)

    async def _parts(self) -> dict[str, str]:
        system = await self._asker.ask(SYSTEM, Describe(), SystemDescribed)
        warned = await asyncio.to_thread(recent_warnings, self._log_file)
        now = datetime.now(UTC)
        beat = beat_of(
            system,
            now=now,
            interval_s=_BEAT_S,
            is_simulated=self._is_simulated,
            started_at=now - timedelta(seconds=system.uptime_s),
        )
        seen = Seen(now=now, monotonic_s=time.monotonic(), boot_id=boot_id())
        show = self._pages.render
        return {
            "health": show(
                "part_health.html",
                judgement=judge(beat, seen),
                tiles=_tiles(beat, system),
                version=__version__,
            ),
            "tree": show(
                "part_tree.html",
                nodes=[_node(node) for node in system.nodes],
                state_words=state_words,
            ),
            "feeds": show("part_feeds.html", **_feeds(beat, now)),
            "warnings": show("part_warnings.html", warned=warned),
        }


def recent_warnings(log_file: Path) -> list[Warned]:
    """The latest warnings and errors from the end of the log, newest first."""
    try:
        with log_file.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _LOG_TAIL))
            lines = file.read(_LOG_TAIL).splitlines()
    except OSError:
        return []
    read = (
        _warned(line)
        for line in reversed(lines)
        if b'"level":"info"' not in line and b'"level":"debug"' not in line
    )
    return list(islice(filter(None, read), _MOST_WARNINGS))


def _warned(line: bytes) -> Warned | None:
    try:
        entry = msgspec.json.decode(line, type=dict[str, Any])
        level = str(entry["level"])
        if level not in _GRAVE:
            return None
        facts = ", ".join(
            f"{key}: {value}" for key, value in entry.items() if key not in _COMMON and value != ""
        )
        return Warned(
            at=uk_time(datetime.fromisoformat(str(entry["ts"]))),
            level=level,
            event=str(entry["event"]),
            where=" · ".join(str(entry[key]) for key in ("node", "actor") if entry.get(key)),
            facts=facts[:_MOST_FACTS],
        )
    except (msgspec.DecodeError, KeyError, ValueError):
        return None  # a line cut in two at the start of the part that was read


def _tiles(beat: Heartbeat, system: SystemDescribed) -> list[tuple[str, str, str]]:
    """The name, figure and remark of each tile."""
    running = sum(node.state == _WELL for node in system.nodes)
    memory_mb = sum(node.rss_kb for node in system.nodes) / 1024
    tiles = [
        ("Up", duration(system.uptime_s), f"process {system.pid}"),
        (
            "Nodes running",
            f"{running} of {len(system.nodes)}",
            counted_restarts(restart_count(system)),
        ),
        ("Memory", f"{memory_mb:,.0f} MB", ""),
    ]
    if beat.credits is not None:
        left = beat.credits
        last = f"the reset on {uk_time(left.resets_at)}"
        if left.lasts_until:
            last = uk_time(left.lasts_until)
        figure = f"{left.remaining:,} of {left.allowance:,}"
        tiles.append(("Credits left", figure, f"enough until {last}"))
    if beat.exchange is not None:
        session = "logged in" if beat.exchange.has_session else "no session"
        wanted = f"{beat.exchange.prices_fresh:,} of {beat.exchange.prices_wanted:,}"
        tiles.append(("Exchange", session, f"{wanted} prices up to date"))
    if beat.database is not None:
        size = f"{beat.database.size_bytes / 1e6:.1f} MB"
        tiles.append(("Ledger", size, f"entry {beat.database.sequence:,}"))
    return tiles


def _node(node: NodeDescribed) -> dict[str, object]:
    actors = [actor for actor in node.actors if not actor.name.startswith(FETCHER)]
    fetchers = [actor for actor in node.actors if actor.name.startswith(FETCHER)]
    ill = [actor for actor in fetchers if actor.state != _WELL or actor.restarts]
    return {
        "node": node,
        "memory": f"{node.rss_kb / 1024:,.0f} MB",
        "actors": [actor_row(node.name, actor) for actor in (*actors, *ill)],
        "well": len(fetchers) - len(ill),
        "waiting": sum(actor.mailbox for actor in fetchers),
        "handled": sum(actor.handled for actor in fetchers),
    }


def _feeds(beat: Heartbeat, now: datetime) -> dict[str, object]:
    sports = sorted(
        beat.sports,
        key=lambda sport: (not sport.problem, -(sport.age_s if sport.age_s is not None else 1e12)),
    )
    return {
        "sports": [
            {
                "name": sport_title(sport.sport_key),
                "age": "never" if sport.age_s is None else duration(sport.age_s),
                "events": sport.events,
                "next": _until(sport.next_poll_at, now),
                "problem": sport.problem,
            }
            for sport in sports
        ],
        "credits": credits_sentence(beat.credits) if beat.credits else "",
        "queues": sorted(beat.queues.items(), key=lambda queue: (-queue[1], queue[0])),
        "exchange": beat.exchange.problem if beat.exchange else "",
    }


def _until(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "unknown"
    left_s = (moment - now).total_seconds()
    return f"in {duration(left_s)}" if left_s > 0 else "now"
