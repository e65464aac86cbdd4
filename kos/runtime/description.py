"""How the system is, in messages: what ``describe()`` answers, in any process."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from kos.runtime.meters import Meter
from kos.runtime.protocol import Delivery, Message

WAIT_BOUNDS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
"""Upper bounds of the buckets in which waiting in a mailbox is counted, in seconds."""


class ActorDescribed(Message, frozen=True, kw_only=True):
    """How one actor is, as its node saw it at the last ping."""

    name: str
    state: str
    """starting, running, backing_off, parked, stopping or stopped; the node's own state, such
    as hung, while the node has not spoken of it."""
    incarnation: int
    """Starts so far within this life of its node; 0 while the node has not spoken of it."""
    restarts: int
    mailbox: int
    """Messages that wait."""
    handled: int
    """Messages handled in all incarnations."""
    conflated: int = 0
    """Waiting snapshots that a newer one has replaced."""
    dead_letters: dict[str, int] = msgspec.field(default_factory=dict)
    """Messages that were never handled, by reason."""
    last_error: str = ""
    busy_s: float = 0.0
    """Seconds spent on the present message; 0 between messages."""
    since_message_s: float | None = None
    """Seconds since it last finished a message; None before the first."""
    since_pulse_s: float | None = None
    """Age of ``pulse`` in seconds; None before the first."""
    pulse: dict[str, str | int | float] = msgspec.field(default_factory=dict)
    """Small facts that the actor tells about itself."""
    waits: tuple[int, ...] = ()
    """How many messages waited in the mailbox how long, by :data:`WAIT_BOUNDS_S`, not summed up,
    and one more for those above all bounds."""
    waited_s: float = 0.0
    """How long all of them waited together."""


class NodeDescribed(Message, frozen=True, kw_only=True):
    """How one node is."""

    name: str
    pid: int
    """0 while there is no process."""
    state: str
    """starting, running, hung, backing_off, parked, stopping or stopped."""
    incarnation: int
    restarts: int
    last_error: str = ""
    since_pong_s: float | None = None
    """Seconds since it last said how it is; None before the first time."""
    rss_kb: int = 0
    """Resident memory in KiB; 0 when not known."""
    refused_frames: int = 0
    """Frames that were no frames, or whose message was unknown or ill-shaped."""
    stray_letters: dict[str, int] = msgspec.field(default_factory=dict)
    """Messages for names that this node does not host, by reason."""
    actors: tuple[ActorDescribed, ...] = ()
    meters: tuple[Meter, ...] = ()
    """What the process counted and timed since it began."""


class SystemDescribed(Message, frozen=True, kw_only=True):
    """How the whole system is."""

    name: str
    pid: int
    """Of the main process."""
    uptime_s: float
    is_stopping: bool
    nodes: tuple[NodeDescribed, ...]


class Describe(Message, frozen=True, kw_only=True):
    """Ask the actor name ``@system`` how the system is; answered by SystemDescribed."""

    delivery: ClassVar[Delivery] = Delivery.CONTROL
