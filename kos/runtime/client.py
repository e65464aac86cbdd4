"""A way into a running system from another process of the same user, such as a command line."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from kos.runtime.codec import Codec
from kos.runtime.description import Describe, SystemDescribed
from kos.runtime.errors import (
    AskTimeout,
    NoSuchActor,
    PeerDied,
    SystemNotAnswering,
    SystemNotRunning,
)
from kos.runtime.jobs import current_job, job
from kos.runtime.protocol import Message
from kos.runtime.registry import SYSTEM, Registry
from kos.runtime.rundir import read_record

_numbers = itertools.count(1)


class Client:
    """Asks actors of a running system. It is no actor: no one can send it anything.

    It may be used from several threads. It survives restarts of actors and nodes, but not of
    the main process: connect again then.

    Args:
        registry: Knows the system's socket folder.
        timeout_s: How long to wait for a description, in seconds.
    """

    def __init__(self, registry: Registry, timeout_s: float) -> None:
        self._registry = registry
        self._timeout_s = timeout_s
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def ask(self, actor: str, message: Message, timeout_s: float) -> Message:
        """Ask ``actor`` and wait; raises what :meth:`kos.runtime.ActorRef.ask` raises.

        It is for the job that the calling thread works for, else for a new one.
        """
        with job(current_job()):
            try:
                return self._registry.ask(None, actor, message, timeout_s)
            except NoSuchActor:
                self.describe()  # it may be new; nothing was carried out, so asking again is safe
            return self._registry.ask(None, actor, message, timeout_s)

    def describe(self) -> SystemDescribed:
        """How the system is.

        Raises:
            SystemNotRunning: It has ended meanwhile, or does not answer.
        """
        try:
            described = self._registry.ask(None, SYSTEM, Describe(), self._timeout_s)
        except PeerDied as error:
            raise SystemNotRunning(f"the system has ended: {error.detail}") from error
        except AskTimeout as error:
            raise SystemNotRunning(f"the system is not responding: {error}") from error
        if not isinstance(described, SystemDescribed):
            raise SystemNotRunning(f"the system answered with {type(described).__name__}")
        with self._lock:
            for node in described.nodes:
                self._registry.learn({actor.name: node.name for actor in node.actors})
        return described

    def close(self) -> None:
        """End the connections."""
        self._registry.close(drain_s=0)


def connect(run_dir: Path, messages: Iterable[type[Message]], timeout_s: float = 5.0) -> Client:
    """Connect to the system that runs in ``run_dir``.

    Args:
        run_dir: As given to :class:`kos.runtime.System`.
        messages: The system's messages, the same as it was given.
        timeout_s: How long to wait for a system that is just starting, in seconds.

    Raises:
        SystemNotRunning: Nothing runs there.
        SystemNotAnswering: A process does, and does not answer within the time.
    """
    here = f"@client-{os.getpid()}-{next(_numbers)}"
    codec = Codec(messages)
    deadline = time.monotonic() + timeout_s
    while True:
        record = read_record(run_dir)
        client = Client(Registry(here, codec, Path(record.sockets)), timeout_s)
        try:
            client.describe()
        except SystemNotRunning as error:
            client.close()
            if not is_alive(record.pid):
                raise SystemNotRunning(
                    f"process {record.pid}, which ran in {run_dir}, has ended; restart it"
                ) from error
            if time.monotonic() > deadline:
                msg = f"process {record.pid} in {run_dir} is not responding: {error}"
                raise SystemNotAnswering(msg) from error
            time.sleep(0.02)
        else:
            return client


def is_alive(pid: int) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True
