"""``heartbeat.json``: how KOS is, in one small file that anything can read.

Written by the main process alone, whole or not at all: a temporary file beside it is flushed to
the disk and renamed over it. It asks no one: everything in it was told with the last answered
ping. Whether that is well, its reader judges, by the age of the file first of all
(:mod:`kos.service.health`); nothing here needs the daemon to answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from kos import __version__
from kos.messages import FETCHER, LEDGER, BudgetDescribed
from kos.observability.redact import Redactor
from kos.runtime import ActorDescribed, NodeDescribed, SystemDescribed

BeatT = TypeVar("BeatT", bound=msgspec.Struct)

SCHEMA = 2
FILE_NAME = "heartbeat.json"

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SportBeat(msgspec.Struct, frozen=True, kw_only=True):
    """How one sport key is."""

    sport_key: str
    fetched_at: datetime | None = None
    """When its prices were last read; None before the first time."""
    age_s: float | None = None
    """How old that was when this was written, in seconds."""
    events: int = 0
    next_poll_at: datetime | None = None
    """When it is next polled, as far as that is known."""
    problem: str = ""


class ExchangeBeat(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange account is."""

    has_session: bool = False
    markets: int = 0
    """Of the catalogue."""
    prices_wanted: int = 0
    prices_fresh: int = 0
    calls: int = 0
    """For prices, since its start."""
    problem: str = ""


class DatabaseBeat(msgspec.Struct, frozen=True, kw_only=True):
    """How the ledger's database is."""

    size_bytes: int = 0
    wal_bytes: int = 0
    sequence: int
    """Number of the last entry."""
    last_commit_at: datetime | None = None
    """None where nothing was committed since the ledger's start."""
    commits: int = 0
    failed_commits: int = 0


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content."""

    schema: int
    version: str
    written_at: datetime
    written_monotonic_s: float
    """The machine's clock that no one sets; comparable while ``boot_id`` is the same."""
    boot_id: str
    """Of this run of the machine; empty where the system does not tell."""
    started_at: datetime
    pid: int
    interval_s: float
    """How often it is written."""
    is_simulated: bool
    """The markets are the sandbox's."""
    metrics_address: str
    """Where metrics are served; empty for nowhere."""
    sports: tuple[SportBeat, ...]
    credits: BudgetDescribed | None
    """None while the budget does not know."""
    exchange: ExchangeBeat | None
    """None where no exchange account is read."""
    database: DatabaseBeat | None
    queues: dict[str, int]
    """What waits where, of the places where something does: mailboxes by actor, and queues that
    actors tell of, as ``actor.queue``."""
    system: SystemDescribed


def beat_of(
    system: SystemDescribed,
    *,
    now: datetime,
    interval_s: float,
    is_simulated: bool,
    started_at: datetime,
    metrics_address: str = "",
) -> Heartbeat:
    """The heartbeat of a described system; pure but for the machine's boot id and clock."""
    actors = {actor.name: actor for node in system.nodes for actor in node.actors}
    return Heartbeat(
        schema=SCHEMA,
        version=__version__,
        written_at=now,
        written_monotonic_s=time.monotonic(),
        boot_id=boot_id(),
        started_at=started_at,
        pid=system.pid,
        interval_s=interval_s,
        is_simulated=is_simulated,
        metrics_address=metrics_address,
        sports=tuple(
            _sport(actor, now) for actor in actors.values() if actor.name.startswith(FETCHER)
        ),
        credits=_figures(actors.get("budget"), BudgetDescribed),
        exchange=_figures(actors.get("exchange"), ExchangeBeat),
        database=_figures(actors.get(LEDGER), DatabaseBeat),
        queues=dict(_queues(actors)),
        system=_without_figures(system),
    )


def boot_id() -> str:
    """Which run of the machine this is; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class HeartbeatFile:
    """Writes the heartbeat to one path.

    Args:
        path: The file.
        interval_s: How often it is written.
        is_simulated: The markets are the sandbox's.
        redactor: Keeps secrets out of what errors say.
    """

    def __init__(
        self, path: Path, *, interval_s: float, is_simulated: bool, redactor: Redactor
    ) -> None:
        self.metrics_address = ""
        """Where metrics are served, once that is known."""
        self._path = path
        self._interval_s = interval_s
        self._is_simulated = is_simulated
        self._redactor = redactor
        self._started_at = datetime.now(UTC)

    def beat(self, system: SystemDescribed) -> Heartbeat:
        """The heartbeat of now."""
        return beat_of(
            system,
            now=datetime.now(UTC),
            interval_s=self._interval_s,
            is_simulated=self._is_simulated,
            started_at=self._started_at,
            metrics_address=self.metrics_address,
        )

    def write(self, beat: Heartbeat) -> None:
        """Replace the file by ``beat``, without any secret that an error might have told.

        Raises:
            OSError: The disk is full or the directory is gone; the former file stays.
        """
        shown = self._redactor.value(msgspec.to_builtins(beat))
        temporary = self._path.with_suffix(".json.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(shown)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)


def read(path: Path) -> Heartbeat:
    """The heartbeat in a file.

    Raises:
        OSError: There is none.
        msgspec.MsgspecError: It is not a heartbeat of this version.
    """
    return msgspec.json.decode(path.read_bytes(), type=Heartbeat)


_BUDGET = {
    "credits_allowance": "allowance",
    "credits_used": "used",
    "credits_left": "remaining",
    "credits_reserve": "reserve",
    "credits_last_until": "lasts_until",
    "credits_reset_at": "resets_at",
}
"""What the budget's figures are called in its pulse, and what here."""


def _figures(actor: ActorDescribed | None, kind: type[BeatT], **facts: str) -> BeatT | None:
    """What an actor tells of itself; None where there is none, or it knows too little as yet."""
    if actor is None:
        return None
    pulse = {_BUDGET.get(name, name): value for name, value in actor.pulse.items() if value != ""}
    try:
        return msgspec.convert(pulse | facts, kind, strict=False)
    except msgspec.ValidationError:
        return None


def _sport(actor: ActorDescribed, now: datetime) -> SportBeat:
    sport_key = actor.name.removeprefix(FETCHER)
    beat = _figures(actor, SportBeat, sport_key=sport_key) or SportBeat(sport_key=sport_key)
    if beat.fetched_at is None:
        return beat
    # Not below nought when the clock was set back meanwhile.
    age_s = max(0.0, round((now - beat.fetched_at).total_seconds(), 1))
    return msgspec.structs.replace(beat, age_s=age_s)


def _queues(actors: dict[str, ActorDescribed]) -> Iterator[tuple[str, int]]:
    for name, actor in actors.items():
        if actor.mailbox:
            yield name, actor.mailbox
        for key, value in actor.pulse.items():
            if key.endswith("_waiting") and isinstance(value, int) and value:
                yield f"{name}.{key.removesuffix('_waiting')}", value


def _without_figures(system: SystemDescribed) -> SystemDescribed:
    """Metrics have a way of their own; here they would be most of the file."""
    replace = msgspec.structs.replace

    def node_without(node: NodeDescribed) -> NodeDescribed:
        actors = tuple(replace(actor, waits=()) for actor in node.actors)
        return replace(node, meters=(), actors=actors)

    return replace(system, nodes=tuple(node_without(node) for node in system.nodes))
