"""What every process of the daemon does first."""

from __future__ import annotations

from kos.observability.logs import LogSettings, configure_process
from kos.observability.memory import settle_collector


def settle_process(process: str, logs: LogSettings) -> None:
    """Logs as the settings say, and a garbage collector that keeps out of the way."""
    configure_process(process, logs)
    settle_collector()
