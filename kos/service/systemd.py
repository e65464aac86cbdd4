"""The service manager's side channel: what a daemon tells systemd, by ``sd_notify``.

The protocol is one datagram of ``NAME=value`` lines to the socket that ``$NOTIFY_SOCKET`` names;
see sd_notify(3). Without a service manager everything here does nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping

_SOCKET, _WATCHDOG, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_LONGEST_STATUS = 400


class ServiceManager:
    """The service manager that started this process and watches its status.

    A message that cannot be delivered is dropped: the daemon's work does not hang on it. Those
    that must not be lost say whether they were taken.

    Args:
        environ: The environment. The variables of the protocol are taken out of it, so that no
            child process speaks in this one's name.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._address = environ.pop(_SOCKET, "")
        watchdog_us = environ.pop(_WATCHDOG, "")
        is_ours = environ.pop(_WATCHDOG_PID, str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() and is_ours else 0.0
        """The manager restarts us when it hears nothing for so many seconds; 0: it never does."""
        self._status = ""
        self._is_ready = False

    @property
    def is_there(self) -> bool:
        """Whether anybody listens."""
        return bool(self._address)

    def ready(self) -> bool:
        """The daemon serves. Says whether that was heard; say it again otherwise."""
        self._is_ready = self._send("READY=1")
        return self._is_ready

    def reloading(self) -> None:
        """The settings are being read again; :meth:`reloaded` ends it."""
        if self._is_ready:
            self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """The settings have been read; nothing is said to a manager that still awaits the start."""
        if self._is_ready:
            self._send("READY=1")

    def stopping(self) -> None:
        """The daemon has begun to stop."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """What ``systemctl status`` shows, in one line; sent only when it has changed."""
        line = " ".join(text.split())[:_LONGEST_STATUS]
        if line != self._status and self._send(f"STATUS={line}"):
            self._status = line

    def _send(self, *assignments: str) -> bool:
        """Whether it was taken."""
        if not self._address:
            return True
        # A leading @ stands for the zero byte of Linux's abstract names.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(0)
                channel.sendto("\n".join(assignments).encode(), address)
        except OSError:
            return False
        return True
