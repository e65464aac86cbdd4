"""Structured logs: one event a line, JSON on a pipe and in a file, readable on a terminal.

Every process calls :func:`configure_process` once, before anything logs. What an event may be
called and which keys it may have is in :mod:`kos.observability.vocabulary`. Redaction is the
last step before a line is folded and written, so that no processor can add a secret behind it.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from kos.observability.fold import Folder
from kos.observability.level import THRESHOLD
from kos.observability.redact import Redactor
from kos.observability.sinks import DescriptorSink, FileSink, Line
from kos.observability.vocabulary import LEVELS
from kos.runtime.jobs import current_job

__all__ = ["LEVELS", "LOG_FILE", "LogSettings", "configure_process"]

LOG_FILE = "kos.log"
"""The log's name in the state folder."""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a process logs. ``secrets`` are the literal values to mask."""

    level: str = "info"
    is_on_stdout: bool = True
    is_json: bool = True
    """On standard output; the file always has JSON."""
    file: Path | None = None
    """Written beside standard output, by all processes; None for no file."""
    file_bytes: int = 20_000_000
    """It is turned at this size."""
    files_kept: int = 4
    """Older ones that are kept."""
    fold_s: float = 60.0
    """Repeats within so many seconds are counted and written once; 0 writes them all."""
    secrets: tuple[str, ...] = ()


class Outlet:
    """What lines go through at last: repeats folded, then to every sink.

    Any thread may write. A thread of its own, begun when first needed, writes the counts of
    windows that have ended while no one logged.
    """

    def __init__(
        self,
        sinks: tuple[Callable[[Line], None], ...],
        fold_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sinks = sinks
        self._folder = Folder(fold_s)
        self._clock = clock
        self._changed = threading.Condition()
        self._has_thread = False

    def write(self, line: Line) -> None:
        """Write or count one line."""
        with self._changed:
            self._write_all(self._folder.due(self._clock()))
            if self._folder.offer(line, self._clock()):
                self._write_all([line])
            elif not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._write_due, name="log folds", daemon=True).start()
            else:
                self._changed.notify()

    def flush(self) -> None:
        """Write what was counted, as the process ends."""
        with self._changed:
            self._write_all(self._folder.rest())

    def _write_due(self) -> None:
        with self._changed:
            while True:
                due = self._folder.next_due()
                self._changed.wait(None if due is None else max(0.0, due - self._clock()))
                self._write_all(self._folder.due(self._clock()))

    def _write_all(self, lines: list[Any]) -> None:
        for line in lines:
            for sink in self._sinks:
                sink(line)


class _Logger:
    """What structlog hands finished lines to."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def msg(self, line: Line) -> None:
        self._outlet.write(line)

    log = debug = info = warn = warning = error = critical = fatal = exception = msg


class _Bind:
    """Processor: constant facts of this process on every line; what the caller says wins."""

    def __init__(self, **facts: object) -> None:
        self._facts = facts

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in self._facts.items():
            event.setdefault(key, value)
        # Not structlog's contextvars: those would have to be set in each thread that logs.
        if "job_id" not in event and (job := current_job()):
            event["job_id"] = job
        return event


class _Redact:
    """Processor: masks secrets in every value of the event."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in event.items():
            event[key] = self._redactor.fact(key, value)
        return event


def _hand_over(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    """The last processor: the whole event is the logger's one argument."""
    return (dict(event),), {}


class _FromStandardLibrary(logging.Handler):
    """Libraries that log by the standard way speak through structlog too."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        level = record.levelname.lower()
        method = getattr(log, level if level in LEVELS else "warning")
        method("library.logged", library=record.name, text=_text_of(record), exc_info=exc_info)


def _text_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - a library's ill-made record must not end its caller
        return f"{record.msg!r} ({type(error).__name__}: {error})"


def configure_process(process: str, settings: LogSettings) -> None:
    """Set up logging of this process; ``process`` is bound to every line as ``node``.

    Raises:
        OSError: The log file cannot be opened.
    """
    sinks: list[Callable[[Line], None]] = []
    if settings.is_on_stdout:
        sinks.append(DescriptorSink(sys.stdout.fileno(), is_json=settings.is_json).write)
    if settings.file is not None:
        file = FileSink(settings.file, max_bytes=settings.file_bytes, keep=settings.files_kept)
        sinks.append(file.write)
    outlet = Outlet(tuple(sinks), settings.fold_s)
    atexit.register(outlet.flush)
    THRESHOLD.set(settings.level)
    structlog.configure(
        processors=[
            THRESHOLD,
            _Bind(node=process, pid=os.getpid()),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.StackInfoRenderer(),
            # Never with the values of local variables: secrets are among them.
            structlog.processors.format_exc_info,
            _Redact(Redactor(settings.secrets)),
            _hand_over,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=lambda *_: _Logger(outlet),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_FromStandardLibrary()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
