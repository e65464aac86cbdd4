"""Where log lines go: standard output, and a file that stays small.

Several processes write both. On a pipe one ``write`` of at most ``PIPE_BUF`` bytes (4096 on
Linux) is not torn apart by the others', a longer one may be: there, longer lines are cut in
their longest values. In a file opened for append the kernel keeps writes of any length whole.

The file is ``kos.log``; when it has grown to its bound it becomes ``kos.log.1``, that one
``kos.log.2``, and so on; the oldest goes. Each process turns to the new file by itself: it
looks, before it writes, whether the name still belongs to the file it has open. Who finds the
file full renames under a lock and looks again behind it, so that two never turn it twice. No
line is lost or torn by that: a process that is a moment late writes to ``kos.log.1``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kos.observability.readable import readable

FILE_LINE_BYTES = 256 * 1024
"""A line in the file is cut beyond this."""

_FIRST = ("ts", "level", "event", "node", "actor")
"""What a person looks for stands at the beginning of each line."""

_SHORTEST = 24
"""No value of so many signs or fewer is cut."""

_GONE = " [...] "
_MARK_BYTES = 40
"""What the mark of the gap and the key ``cut`` take."""

Line = Mapping[str, Any]


def to_json(line: Line, limit: int) -> bytes:
    """One line of JSON with its end of line, at most ``limit`` bytes (1024 or more).

    What is too long loses the middle of its longest values; ``cut`` says how many characters.
    """
    ordered = {key: line[key] for key in _FIRST if key in line} | dict(line)
    data = msgspec.json.encode(ordered, enc_hook=_encode)
    cut = 0
    while len(data) >= limit:
        longest = max(ordered, key=lambda key: len(_text(ordered[key])))
        text = _text(ordered[longest])
        if len(text) <= _SHORTEST:
            # So many keys that none is long: what stands first is kept.
            ordered = {key: ordered[key] for key in list(ordered)[: len(ordered) // 2]}
        else:
            # A sign may take several bytes, and more when escaped.
            bytes_each = len(msgspec.json.encode(text)) / len(text)
            surplus = int((len(data) - limit + _MARK_BYTES) / bytes_each) + 1
            keep = max(_SHORTEST, len(text) - surplus)
            ordered[longest] = _without_middle(text, keep)
            cut += len(text) - keep
            ordered["cut"] = cut
        data = msgspec.json.encode(ordered, enc_hook=_encode)
    return data + b"\n"


def _encode(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=_encode).decode()


def _without_middle(text: str, keep: int) -> str:
    """The beginning and the end: of a traceback, the end says what it was."""
    head = keep // 3
    return text[:head] + _GONE + text[len(text) - (keep - head) :]


class DescriptorSink:
    """Standard output of a process.

    Args:
        descriptor: Open for writing; it stays its owner's.
        is_json: JSON, else readable.
    """

    def __init__(self, descriptor: int, *, is_json: bool) -> None:
        self._descriptor = descriptor
        self._is_json = is_json
        self._has_colour = os.isatty(descriptor) and "NO_COLOR" not in os.environ
        self._limit = FILE_LINE_BYTES if _keeps_lines_whole(descriptor) else select.PIPE_BUF

    def write(self, line: Line) -> None:
        """Write one line with one system call."""
        if self._is_json:
            data = to_json(line, self._limit)
        else:
            text = readable(line, has_colour=self._has_colour)
            data = text.encode("utf-8", "backslashreplace") + b"\n"
        # No one reads our output any more (a closed pipe): the work goes on.
        with contextlib.suppress(OSError):
            os.write(self._descriptor, data)


def _keeps_lines_whole(descriptor: int) -> bool:
    """Whether a long write cannot be torn: a file or a terminal, not a pipe or a socket."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode)


class FileSink:
    """The log file of all processes of one installation.

    Args:
        path: ``kos.log``; its folder must be there. Readable by its owner alone.
        max_bytes: The file is turned when it has grown so large.
        keep: How many turned files are kept, 1 or more.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = max(1, keep)
        self._descriptor = self._open()

    def write(self, line: Line) -> None:
        """Append one line; a full disk loses it, and the work goes on."""
        data = to_json(line, FILE_LINE_BYTES)
        with contextlib.suppress(OSError):
            self._turn_if_due()
            os.write(self._descriptor, data)

    def close(self) -> None:
        """Stop writing."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _is_current(self) -> bool:
        """Whether the name still belongs to the file that is open here."""
        try:
            named = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(self._descriptor)
        return (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)

    def _turn_if_due(self) -> None:
        if not self._is_current():
            self._follow()
        if os.fstat(self._descriptor).st_size < self._max_bytes:
            return
        lock = os.open(
            self._path.with_name(self._path.name + ".lock"),
            os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC,
            0o600,
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process is at it; the bound is not that strict
        else:
            if self._is_current():
                self._turn()
            self._follow()
        finally:
            os.close(lock)

    def _turn(self) -> None:
        for number in range(self._keep, 0, -1):
            older = self._numbered(number)
            newer = self._numbered(number - 1) if number > 1 else self._path
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _follow(self) -> None:
        """Open what has the name now."""
        fresh = self._open()
        stale, self._descriptor = self._descriptor, fresh
        os.close(stale)
