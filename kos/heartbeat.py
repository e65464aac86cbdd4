"""``heartbeat.json``: how KOS is, in one small file that anything can read.

Written by the main process alone, whole or not at all: a temporary file beside it is flushed to
the disk and renamed over it. Readers judge by the age of ``written_at``.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kos import __version__
from kos.runtime import SystemDescribed

SCHEMA = 1


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content."""

    schema: int
    version: str
    written_at: datetime
    pid: int
    is_simulated: bool
    """The markets are the sandbox's."""
    system: SystemDescribed


class HeartbeatFile:
    """Writes the heartbeat to one path."""

    def __init__(self, path: Path, *, is_simulated: bool) -> None:
        self._path = path
        self._is_simulated = is_simulated

    def write(self, system: SystemDescribed) -> None:
        """Replace the file by the present state.

        Raises:
            OSError: The disk is full or the directory is gone; the former file stays.
        """
        beat = Heartbeat(
            schema=SCHEMA,
            version=__version__,
            written_at=datetime.now(UTC),
            pid=os.getpid(),
            is_simulated=self._is_simulated,
            system=system,
        )
        temporary = self._path.with_suffix(".json.new")
        with temporary.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(beat)))
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
