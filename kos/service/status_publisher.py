"""How the running daemon tells how it is: its heartbeat file, its metrics, its ping.

One hook of the supervising loop does all three from one description of the system.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kos.config.settings import Settings
from kos.errors import InvalidSettings
from kos.observability.redact import Redactor
from kos.runtime import SystemDescribed
from kos.service.health import Seen, judge
from kos.service.heartbeat import FILE_NAME, HeartbeatFile, boot_id

if TYPE_CHECKING:
    from kos.service.dead_mans_switch import Pinger
    from kos.service.exporter import Exporter


class StatusPublisher:
    """Tells the world beside the log how the daemon is.

    Args:
        settings: Where and how often.
        state_dir: Where the heartbeat goes.

    Raises:
        InvalidSettings: Metrics are wanted and their library is not installed, or the ping's
            address is none.
    """

    def __init__(self, settings: Settings, state_dir: Path) -> None:
        self._file = HeartbeatFile(
            state_dir / FILE_NAME,
            interval_s=settings.service.heartbeat_s,
            is_simulated=settings.service.is_simulated,
            redactor=Redactor(settings.secrets()),
        )
        self._exporter = _exporter(settings) if settings.metrics.is_enabled else None
        self._pinger = _pinger(settings) if settings.heartbeat.ping_url else None
        self._is_begun = False

    def tell(self, system: SystemDescribed) -> None:
        """Write, hand over, and let the ping know; the first call begins to serve and to ping.

        Raises:
            OSError: The heartbeat cannot be written; the rest was told.
        """
        if not self._is_begun:
            self._is_begun = True
            if self._exporter is not None:
                self._file.metrics_address = self._exporter.start()
            if self._pinger is not None:
                self._pinger.start()
        beat = self._file.beat(system)
        seen = Seen(now=datetime.now(UTC), monotonic_s=time.monotonic(), boot_id=boot_id())
        judgement = judge(beat, seen)
        if self._exporter is not None:
            self._exporter.take(beat, system, judgement)
        if self._pinger is not None:
            self._pinger.take(judgement.state)
        self._file.write(beat)

    def stop(self) -> None:
        """Stop serving and pinging."""
        if self._exporter is not None:
            self._exporter.stop()
        if self._pinger is not None:
            self._pinger.stop()


def _exporter(settings: Settings) -> Exporter:
    try:
        from kos.service.exporter import Exporter  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InvalidSettings(
            ("metrics.is_enabled: prometheus-client is missing; install kos-engine[metrics]",)
        ) from error
    return Exporter(settings.metrics.host, settings.metrics.port)


def _pinger(settings: Settings) -> Pinger:
    from kos.service.dead_mans_switch import Pinger  # noqa: PLC0415 - its HTTP takes memory that few need here

    ping = settings.heartbeat
    return Pinger(ping.ping_url.reveal(), ping.ping_interval_s)
