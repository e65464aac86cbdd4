"""What the signals of the operating system mean to the main process and to a node."""

from __future__ import annotations

import contextlib
import faulthandler
import resource
import signal
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from typing import IO, Protocol


class Loop(Protocol):
    """A system, as far as signals give it work."""

    def request_stop(self) -> None:
        """Stop in order; said twice, stop at once."""

    def dump_stacks(self) -> None:
        """Have every node write where its threads stand."""

    def call_soon(self, work: Callable[[], None]) -> None:
        """Call ``work`` once in the loop. Safe in a signal handler."""


def stop_on_signals(system: Loop) -> None:
    """Let SIGTERM, SIGINT and SIGHUP stop ``system`` in order, and a second of them at once.

    Call it in the main thread.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: system.request_stop())


def dump_on_signal(system: Loop) -> None:
    """Let SIGUSR1 write the stacks of this process to stderr and log those of every node.

    Its own come at once, even when Python is stuck. Call it in the main thread.
    """
    signal.signal(signal.SIGUSR1, lambda _number, _frame: system.call_soon(system.dump_stacks))
    faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)


def call_on_hangup(system: Loop, work: Callable[[], None]) -> None:
    """Let SIGHUP call ``work`` in the loop of ``system``. Call it in the main thread.

    Only for a process without a terminal: with one, a hang-up means that no one is there any more.
    """
    signal.signal(signal.SIGHUP, lambda _number, _frame: system.call_soon(work))


GROUP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a terminal or a service manager may send to all processes at once."""


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold back :data:`GROUP_SIGNALS` while a child process is started.

    The child inherits that, so that none of them meets it before :func:`settle_node` has said what
    they mean to it. What comes for this process meanwhile is taken by
    another of its threads, or comes a moment later.
    """
    resource_tracker.ensure_running()  # starting it would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def settle_node(stacks: IO[str]) -> None:
    """Set up the signals of a node's process. Call it in the main thread.

    SIGINT, SIGHUP (a terminal sends them to the whole group) and SIGTERM (a service manager may
    do so) are ignored: the main process alone decides, so that one Ctrl-C is one stop in order.
    SIGUSR1 writes the stack of every thread to ``stacks``, even when Python is stuck; SIGABRT
    does so too and then ends the process, without a core file, for memory holds secrets.
    """
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
    faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)
    faulthandler.enable(file=stacks, all_threads=True)
    with contextlib.suppress(OSError, ValueError):  # a service manager may have forbidden it
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_by_kernel(after_s: float) -> None:
    """Let the kernel end this process in ``after_s`` seconds, whatever Python is doing then."""
    signal.setitimer(signal.ITIMER_REAL, after_s)
