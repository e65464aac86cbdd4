"""The sandbox in a process of its own, for the demo: it reports its addresses and ends with its parent."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

from kos.sandbox.server import Addresses, Sandbox

_START_TIMEOUT_S = 30.0
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP)


def serve(settings: dict[str, Any], pipe: Connection) -> None:
    """Runs a sandbox until the pipe's other end closes, which a dead parent does too.

    Runs in the main thread of its own process. An interrupt or a hang-up of the
    terminal is left to the parent.

    Args:
        settings: Keyword arguments of :class:`kos.sandbox.server.Sandbox`.
        pipe: Gets the addresses once all servers listen; then only its end of file matters.
    """
    for number in _OF_THE_TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_THE_TERMINAL)
    with Sandbox(**settings) as sandbox:
        pipe.send(sandbox.addresses)
        with contextlib.suppress(EOFError, OSError):  # the parent is gone or done with us
            pipe.recv()


@dataclass(slots=True)
class SandboxProcess:
    """A running sandbox process; a context manager."""

    addresses: Addresses
    process: BaseProcess
    pipe: Connection

    def close(self) -> None:
        """Ends the process and waits for it."""
        self.pipe.close()
        self.process.join(timeout=5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def start_process(**settings: Any) -> SandboxProcess:
    """Starts a sandbox in a spawned process and gives its addresses.

    Args:
        settings: Keyword arguments of :class:`kos.sandbox.server.Sandbox`; they must survive pickling.

    Raises:
        RuntimeError: The process ended before it listened; its own traceback is on stderr.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(settings, theirs), name="sandbox", daemon=True)
    resource_tracker.ensure_running()  # starting it would let the signals through again
    # Held back until the child ignores them: one Ctrl-C while it starts is no traceback of it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_TERMINAL)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    with contextlib.suppress(EOFError):
        if ours.poll(_START_TIMEOUT_S):
            return SandboxProcess(ours.recv(), process, ours)
    ours.close()
    process.kill()
    process.join()
    raise RuntimeError("the sandbox did not start; see its traceback above")
