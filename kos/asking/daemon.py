"""The running daemon, as another process of the same user reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from kos.config.settings import RUN_DIR_NAME
from kos.messages import MESSAGES
from kos.runtime import Client, Message, PeerDied, SystemNotAnswering, SystemNotRunning, connect


class DaemonLink:
    """Asks the actors of the first daemon that runs, and connects again after its restarts.

    Once it has reached a daemon it stays with that one, running or not.

    Args:
        state_dirs: State folders of the daemons, the preferred one first.
        connect_s: How long to wait for a daemon that is just starting, in seconds.
    """

    def __init__(self, *state_dirs: Path, connect_s: float = 5.0) -> None:
        self._run_dirs = tuple(state_dir / RUN_DIR_NAME for state_dir in state_dirs)
        self._connect_s = connect_s
        self._client: Client | None = None
        self._was_reached = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_running(self) -> bool:
        """Whether a daemon runs, even one that does not respond."""
        try:
            self._connected()
        except SystemNotAnswering:
            return True
        except SystemNotRunning:
            return False
        return True

    def ask(self, actor: str, message: Message, timeout_s: float) -> Message:
        """Ask an actor and wait up to that many seconds for its answer.

        Raises:
            SystemNotRunning: There was no daemon yet; says where KOS looked.
            PeerDied: The daemon or the actor's process has gone; asking again connects again.
            RuntimeFault: As :meth:`kos.runtime.ActorRef.ask` raises.
        """
        try:
            return self._connected().ask(actor, message, timeout_s)
        except PeerDied:
            self.close()
            raise
        except SystemNotRunning as gone:
            self.close()
            if not self._was_reached:
                raise
            raise PeerDied(actor, str(gone)) from gone

    def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._connect()
            self._was_reached = True
        return self._client

    def _connect(self) -> Client:
        preferred: SystemNotRunning | None = None
        for run_dir in self._run_dirs:
            try:
                client = connect(run_dir, MESSAGES, self._connect_s)
            except SystemNotAnswering:
                raise
            except SystemNotRunning as fault:
                preferred = preferred or fault
                continue
            self._run_dirs = (run_dir,)
            return client
        assert preferred is not None  # noqa: S101 - there is at least one folder
        raise preferred
