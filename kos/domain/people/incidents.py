"""KOS's own troubles and what is due: said once when they last, and once more when they are over.

A trouble is told when it has been there for its patience, so that a blink is no message. When it
has been away for a while, the message that told of it says so, in place. One that comes back
within the cool-down comes back in that message, in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

import msgspec
from msgspec.structs import replace

from kos.domain.people.conversation import Urgency

OVER_AFTER = timedelta(seconds=30)
COOL_DOWN = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(days=1)
_RESTART_SHOWN = timedelta(minutes=1)
"""A restart is over as soon as it has happened; it is reported for this long."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong now."""

    text: str
    """What, where and what to do, for a person."""
    patience: timedelta = timedelta(0)
    """How long it must last before it is told."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble that was seen."""

    key: str
    text: str
    since: datetime
    last_seen: datetime
    telling_id: int = 0
    """The message that told of it; 0 while it was not told."""
    over_at: datetime | None = None


class TroubleMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen and said, for one person."""

    known: tuple[Known, ...] = ()
    last_id: int = 0


class TroubleToSend(msgspec.Struct, frozen=True, kw_only=True):
    """A message about a problem, to send now: never held, and never too late."""

    known: Known
    is_new: bool
    urgency: ClassVar[Urgency] = Urgency.ALERT
    expires_at: ClassVar[None] = None

    @property
    def topic(self) -> str:
        """Messages on one topic update the first in place."""
        return f"trouble/{self.known.telling_id}"


def follow(
    memory: TroubleMemory, present: Mapping[str, Incident], now: datetime
) -> tuple[TroubleMemory, tuple[TroubleToSend, ...]]:
    """One look for one person.

    Args:
        memory: What the look before left.
        present: By key, what is wrong now.
        now: The time.

    Returns:
        The memory for the next look, and the messages to send.
    """
    incidents = {incident.key: incident for incident in memory.known}
    last_id = memory.last_id
    after: dict[str, Known] = {}
    says: list[TroubleToSend] = []
    for key, trouble in present.items():
        incident = incidents.get(key)
        if incident is None or (
            incident.over_at is not None and now - incident.over_at >= COOL_DOWN
        ):
            incident = Known(key=key, text=trouble.text, since=now, last_seen=now)
        elif incident.over_at is not None:
            incident = replace(incident, last_seen=now, over_at=None, text=trouble.text)
            says.append(TroubleToSend(known=incident, is_new=False))
        else:
            incident = replace(incident, last_seen=now)
        if not incident.telling_id and now - incident.since >= trouble.patience:
            last_id += 1
            incident = replace(incident, telling_id=last_id, text=trouble.text)
            says.append(TroubleToSend(known=incident, is_new=True))
        after[key] = incident
    for key, incident in incidents.items():
        if key in present:
            continue
        if incident.over_at is not None:
            if now - incident.over_at < _FORGOTTEN_AFTER:
                after[key] = incident
        elif now - incident.last_seen < OVER_AFTER:
            after[key] = incident
        elif incident.telling_id:
            after[key] = replace(incident, over_at=now)
            says.append(TroubleToSend(known=after[key], is_new=False))
    return TroubleMemory(known=tuple(after.values()), last_id=last_id), tuple(says)


def is_worth_keeping(before: TroubleMemory, after: TroubleMemory) -> bool:
    """Whether a look changed what must survive a restart."""

    def lasting(memory: TroubleMemory) -> tuple[object, ...]:
        ends = {incident.key: incident.over_at for incident in memory.known if incident.telling_id}
        return (memory.last_id, ends)

    return lasting(before) != lasting(after)


class Restarts(NamedTuple):
    """How often a process or an actor has been restarted, and why it was last."""

    times: int
    last_error: str


class RestartHistory:
    """Restarts from one look to the next. Those before the first look are not reported."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._recent: dict[str, tuple[datetime, str]] = {}

    def seen(self, restarts: Mapping[str, Restarts], now: datetime) -> dict[str, str]:
        """Take in the present counts by name; names restarted lately, each with the reason."""
        for name, (times, last_error) in restarts.items():
            if times > self._times.get(name, 0 if self._times else times):
                self._recent[name] = now, last_error or "no reason given"
        self._times = {name: times for name, (times, _) in restarts.items()}
        self._recent = {
            name: (at, reason)
            for name, (at, reason) in self._recent.items()
            if now - at < _RESTART_SHOWN
        }
        return {name: reason for name, (_, reason) in self._recent.items()}
