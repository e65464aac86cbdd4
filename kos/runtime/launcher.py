"""How nodes come into being: an interface, and its one implementation, spawned processes.

Another implementation (a cluster engine that places nodes elsewhere) would give the same
handle; no actor would know.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import socket
import sys
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Protocol

from kos.runtime.control import Control
from kos.runtime.errors import SystemStartFailed
from kos.runtime.node import NodePlan, run_node
from kos.runtime.signals import signals_held


class NodeHandle(Protocol):
    """A node that has been launched."""

    pid: int
    control: Control

    def death_fd(self) -> int:
        """A file descriptor that becomes readable when the node has ended."""

    def signal(self, number: int) -> None:
        """Send a signal; a node that has ended does not mind."""

    def reap(self) -> str:
        """After its end: how it ended, in words. Gives everything back."""


class Launcher(Protocol):
    """Who launches nodes."""

    def launch(self, plan: NodePlan) -> NodeHandle:
        """Start a process for ``plan`` and return at once."""


class SpawnedNode:
    """A node in a process of its own, a child of this one.

    The process is spawned: nothing of ours is copied into it but the plan, no lock that a
    thread holds, no open file but its end of the control pipe.
    """

    def __init__(self, process: BaseProcess, control: Control) -> None:
        self.pid = process.pid or 0
        self.control = control
        self._process = process
        self._pidfd = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else None

    def death_fd(self) -> int:
        """A file descriptor that becomes readable when the process has ended."""
        return self._process.sentinel if self._pidfd is None else self._pidfd

    def signal(self, number: int) -> None:
        """Send a signal; a process that has ended does not mind."""
        with contextlib.suppress(ProcessLookupError):
            if self._pidfd is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self._pidfd, number)

    def reap(self) -> str:
        """After its end: how it ended, in words."""
        self._process.join()
        code = self._process.exitcode
        self.control.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        self._process.close()
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"


class SpawnLauncher:
    """Launches each node as a spawned process on this machine."""

    def launch(self, plan: NodePlan) -> SpawnedNode:
        """Start a process for ``plan`` and return at once."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = socket.socketpair()
        process = context.Process(
            target=run_node, args=(plan, theirs), name=f"node {plan.spec.name}"
        )
        try:
            with _no_main_module(), signals_held():
                process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            ours.close()
            raise SystemStartFailed(
                f"node {plan.spec.name} cannot be described to another process: {error}; "
                "messages and args must be of importable modules, and picklable"
            ) from error
        finally:
            theirs.close()
        return SpawnedNode(process, Control(ours))


@contextlib.contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep the child from importing our ``__main__`` again: it needs nothing from there.

    The command line imports much that a node never uses, and a program without a guard for
    its main module would start itself again in each node.
    """
    present = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = present
