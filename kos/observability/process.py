"""What every process of the daemon does first, and again when the settings have changed."""

from __future__ import annotations

from kos.observability.level import THRESHOLD
from kos.observability.logs import LogSettings, configure_process
from kos.observability.memory import settle_collector


def settle_process(process: str, logs: LogSettings) -> None:
    """Logs as the settings say, and a garbage collector that keeps out of the way."""
    configure_process(process, logs)
    settle_collector()


def resettle_process(_process: str, logs: LogSettings) -> None:
    """Take over what may change while the process runs: the level of its log."""
    THRESHOLD.set(logs.level)
