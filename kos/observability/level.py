"""The least level that this process logs; it may change while the process runs.

Bound loggers are made once and kept by their modules, so the level cannot be theirs.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog


class Threshold:
    """Processor, the first of all: drops what is below the level that holds now."""

    def __init__(self) -> None:
        self._least = logging.INFO

    def set(self, level: str) -> None:
        """From now on nothing below ``level`` (debug, info, warning, error, critical)."""
        self._least = logging.getLevelNamesMapping()[level.upper()]

    def __call__(
        self, _logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Pass the event on, or drop it."""
        if _NUMBERS.get(method, logging.CRITICAL) < self._least:
            raise structlog.DropEvent
        return event


_NUMBERS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
}

THRESHOLD = Threshold()
"""The one of this process."""
