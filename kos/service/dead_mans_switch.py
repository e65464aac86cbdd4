"""The dead man's switch: an address that is called while KOS is not failed.

The service at that address raises an alarm when the calls stop, which is the only way to
hear of a machine that is gone. Off unless an address is set.
"""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import structlog

from kos.adapters.http import HttpRemote, Repeat, RetryPolicy
from kos.errors import KosError
from kos.service.health import HealthState

_log = structlog.get_logger()


class Pinger:
    """Calls the address from a thread of its own, which no slow answer of it can hold up.

    Args:
        url: The whole address; a secret, for who knows it can keep the alarm silent.
        interval_s: Between two calls, in seconds.

    Raises:
        InvalidSettings: It is no address.
    """

    def __init__(self, url: str, interval_s: float) -> None:
        parts = urlsplit(url)
        self._path = parts._replace(scheme="", netloc="").geturl()
        self._remote = HttpRemote(
            "heartbeat.ping_url",
            f"{parts.scheme}://{parts.netloc}",
            timeout_s=(5.0, 10.0),
            secrets=(parts.path.strip("/"),) if parts.path.strip("/") else (),
            retries=RetryPolicy(attempts=2, total_s=20.0),
        )
        self._interval_s = interval_s
        self._state = HealthState.FAILED
        self._is_over = threading.Event()
        self._has_news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ping", daemon=True)

    def start(self) -> None:
        """Begin; the first call is made when KOS is first known not to be failed."""
        self._thread.start()

    def take(self, state: HealthState) -> None:
        """How KOS is now."""
        self._state = state
        if state is not HealthState.FAILED:
            self._has_news.set()

    def stop(self) -> None:
        """Stop calling."""
        self._is_over.set()
        self._has_news.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the present call to end, once told to stop."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._has_news.wait()
            self._has_news.clear()
            if self._is_over.is_set() or self._state is HealthState.FAILED:
                continue
            try:
                self._remote.get(self._path, accept=range(200, 300), repeat=Repeat.ALWAYS)
            except KosError as error:
                _log.warning("heartbeat.not_sent", error=str(error))
            self._is_over.wait(self._interval_s)
