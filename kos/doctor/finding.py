"""What a check found, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """KOS works, but not as well as it should, or not for long."""
    FAILURE = "failure"
    """KOS cannot do what it is set up for."""


class Finding(msgspec.Struct, frozen=True):
    """One check's result."""

    check: str
    level: Level
    found: str
    """What was seen, in a sentence; never with a secret."""
    remedy: str = ""
    """What to do; empty where nothing is to be done."""


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """Something should be mended."""
    return Finding(check, Level.WARNING, found, remedy)


def failure(check: str, found: str, remedy: str) -> Finding:
    """Something must be mended."""
    return Finding(check, Level.FAILURE, found, remedy)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 when all is well, 1 with warnings, 2 with failures."""
    levels = {finding.level for finding in findings}
    if Level.FAILURE in levels:
        return 2
    return 1 if Level.WARNING in levels else 0
