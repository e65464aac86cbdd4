"""Structured logs: one event a line, JSON on a pipe or in a file, readable on a terminal.

Every process calls :func:`configure_process` once, before anything logs. Redaction is the last
step before a line is written, so that no processor can add a secret behind it. Lines of several
processes share one stream: each is written with one ``write`` call, so that they never mix.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from kos.observability.redact import Redactor

LEVELS = ("debug", "info", "warning", "error", "critical")


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a process logs.

    ``path`` None writes to standard output; a path is opened for append. ``secrets`` are the
    literal values to mask.
    """

    level: str = "info"
    is_json: bool = True
    path: Path | None = None
    secrets: tuple[str, ...] = ()


class _LineWriter:
    """Writes one line with one system call, so that lines of several processes never mix."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def msg(self, message: str) -> None:
        try:
            os.write(self._descriptor, message.encode("utf-8", "backslashreplace") + b"\n")
        except OSError:
            # Nobody reads our output any more (a closed pipe, a full disk): the work goes on.
            return

    log = debug = info = warn = warning = error = critical = fatal = msg


class _Bind:
    """Processor: constant facts of this process on every line; what the caller says wins."""

    def __init__(self, **facts: object) -> None:
        self._facts = facts

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in self._facts.items():
            event.setdefault(key, value)
        return event


class _Redact:
    """Processor: masks secrets in every value of the event."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in event.items():
            event[key] = self._redactor.value(value)
        return event


class _FromStandardLibrary(logging.Handler):
    """Libraries that log by the standard way speak through structlog too."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        method = getattr(log, record.levelname.lower(), log.warning)
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        method("library.logged", library=record.name, text=record.getMessage(), exc_info=exc_info)


def _encode(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_FIRST = ("ts", "level", "event", "node", "actor")
"""What a person looks for stands at the beginning of each line."""


def _to_json(event: MutableMapping[str, Any], **_: Any) -> str:
    ordered = {key: event[key] for key in _FIRST if key in event} | dict(event)
    return msgspec.json.encode(ordered, enc_hook=_encode).decode()


def configure_process(process: str, settings: LogSettings) -> None:
    """Set up logging of this process; ``process`` is bound to every line as ``node``."""
    descriptor = (
        sys.stdout.fileno()
        if settings.path is None
        else os.open(settings.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    )
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if settings.is_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(),
            # Never with the values of local variables: secrets are among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    level = logging.getLevelName(settings.level.upper())
    structlog.configure(
        processors=[
            # A processor, not a contextvar: those do not reach the threads that actors run in.
            _Bind(node=process, pid=os.getpid()),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _Redact(Redactor(settings.secrets)),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _LineWriter(descriptor),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_FromStandardLibrary()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
