"""The run directory: who runs here, and where its sockets are.

``runtime.lock`` is locked by the main process for as long as it lives; the kernel frees it
at its death. ``runtime.json`` tells clients where the sockets are. The sockets lie in a private
folder (mode 0700) below it, or in one below the folder for temporary files when the path would
be longer than the 107 bytes that a Unix socket's name may have.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

import msgspec

from kos.runtime.errors import SystemNotRunning, SystemStartFailed
from kos.runtime.registry import SYSTEM, socket_path

_MAX_SOCKET_BYTES = 107
_LOCK = "runtime.lock"
_RECORD = "runtime.json"
_SOCKETS = "sockets-"
_SHORT_PREFIX = "actors-"


class RunRecord(msgspec.Struct, frozen=True):
    """What ``runtime.json`` holds."""

    name: str
    pid: int
    sockets: str


class RunDir:
    """A run directory that this process owns.

    Args:
        path: The directory; made with mode 0700 when it is not there.
        name: The system's name.
        nodes: The names of its nodes, which decide how long a socket's path gets.

    Raises:
        SystemStartFailed: Another system runs here (says its process id), or it is not ours
            to write.
    """

    def __init__(self, path: Path, name: str, nodes: tuple[str, ...]) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _take_lock(self.path)
        except OSError as error:
            raise SystemStartFailed(f"{path} cannot be used to run in: {error}") from error
        self._sweep()
        self.sockets = self._make_sockets(nodes)
        record = RunRecord(name=name, pid=os.getpid(), sockets=os.fspath(self.sockets))
        fresh = self.path / f"{_RECORD}.new"
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(self.path / _RECORD)

    def stacks_path(self, node: str) -> Path:
        """Where ``node`` dumps its stacks."""
        return self.path / f"stacks-{node}.txt"

    def stacks(self, node: str) -> str:
        """What ``node`` dumped there, or why it cannot be read."""
        try:
            return self.stacks_path(node).read_text("ascii", "replace")
        except OSError as error:
            return f"not to be had: {error}"

    def stacks_size(self, node: str) -> int:
        """How much ``node`` dumped there, in bytes."""
        try:
            return self.stacks_path(node).stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Remove what only made sense while we ran, and let another run here."""
        with contextlib.suppress(FileNotFoundError):
            (self.path / _RECORD).unlink()
        for stacks in self.path.glob("stacks-*.txt"):
            with contextlib.suppress(OSError):
                if not stacks.stat().st_size:
                    stacks.unlink()
        shutil.rmtree(self.sockets, ignore_errors=True)
        self._lock.close()

    def _sweep(self) -> None:
        """Remove the sockets of a predecessor that was killed."""
        with contextlib.suppress(SystemNotRunning):
            left = Path(read_record(self.path).sockets)
            is_ours = left.name.startswith((_SHORT_PREFIX, _SOCKETS))
            if is_ours and left.is_dir() and left.stat().st_uid == os.getuid():
                shutil.rmtree(left, ignore_errors=True)

    def _make_sockets(self, nodes: tuple[str, ...]) -> Path:
        near = self.path / f"{_SOCKETS}{os.getpid()}"  # no dying node of a predecessor knows it
        longest = max((socket_path(near, node) for node in (*nodes, SYSTEM)), key=_length)
        if _length(longest) <= _MAX_SOCKET_BYTES:
            shutil.rmtree(near, ignore_errors=True)
            near.mkdir(mode=0o700)
            return near
        return Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX))


def read_record(path: Path) -> RunRecord:
    """Who says that it runs in ``path``.

    Raises:
        SystemNotRunning: No one does, or the record cannot be read.
    """
    try:
        return msgspec.json.decode((path / _RECORD).read_bytes(), type=RunRecord)
    except FileNotFoundError as error:
        raise SystemNotRunning(f"nothing is running in {path}; start it first") from error
    except (OSError, msgspec.DecodeError) as error:
        raise SystemNotRunning(f"{path / _RECORD} cannot be read: {error}") from error


def _length(path: Path) -> int:
    return len(os.fsencode(path))


def _take_lock(path: Path) -> IO[str]:
    lock = (path / _LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        pid = lock.read().strip() or "unknown"
        lock.close()
        raise SystemStartFailed(
            f"another system is running in {path} (process {pid}); stop it first"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
