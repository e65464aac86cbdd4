"""A node: one operating-system process that hosts actors.

The main thread runs the supervisor. Another thread reads the control pipe; when that ends, the
main process is gone, and so is this one within :data:`ORPHAN_S` seconds: it tries to stop
in order, and the kernel's timer ends it whatever Python is doing. Actors are registered first,
and the node listens last, so that no one is told "no such actor" by a node that is not ready.
"""

from __future__ import annotations

import os
import pickle
import resource
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from kos.runtime.cell import describe, load
from kos.runtime.codec import Codec
from kos.runtime.control import Control, GivenUp, NamesChanged, Ping, Pong, Ready, Respecified, Stop
from kos.runtime.meters import meters
from kos.runtime.protocol import Message
from kos.runtime.registry import Registry
from kos.runtime.signals import die_by_kernel, settle_node
from kos.runtime.spec import NodeSpec
from kos.runtime.supervisor import NodeGivesUp, Supervisor

EXIT_GIVEN_UP = 70
"""Exit code of a node whose supervisor gave up."""

ORPHAN_S = 1.0
"""A node outlives its main process by at most so many seconds."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class NodePlan:
    """All that a node's process needs to know; pickled for it once, by its own parent."""

    spec: NodeSpec
    messages: tuple[type[Message], ...]
    sockets: Path
    stacks: Path
    names: dict[str, str]
    setup: str | None
    setup_args: Any
    resetup: str | None = None


class _StopRequested(Exception):  # noqa: N818 - an order, not an error
    pass


def run_node(plan: NodePlan, pipe: socket.socket) -> None:
    """The whole life of a node's process."""
    stacks = plan.stacks.open("w")
    settle_node(stacks)
    control = Control(pipe)
    try:
        if plan.setup is not None:
            load(plan.setup)(plan.spec.name, plan.setup_args)
        Node(plan, control).run()
    except Exception as error:
        control.send(GivenUp(reason=describe(error)))
        raise


class Node:
    """What one process hosts; ``control`` is its pipe to the main process."""

    def __init__(self, plan: NodePlan, control: Control) -> None:
        self._plan = plan
        self._control = control
        self._registry = Registry(plan.spec.name, Codec(plan.messages), plan.sockets)
        self._registry.learn(plan.names)
        self._supervisor = Supervisor(plan.spec, self._registry, on_names=self._announce)
        self._is_stopping = False

    def run(self) -> None:
        """Host the actors until the main process says stop, ends, or the supervisor gives up."""
        threading.Thread(target=self._read_control, name="control", daemon=True).start()
        code = 0
        try:
            self._supervisor.start()
            self._registry.listen()
            self._control.send(Ready())
            while True:
                self._supervisor.step()
        except _StopRequested:
            pass
        except NodeGivesUp as reason:
            code = EXIT_GIVEN_UP
            _log.error("node.gave_up", node=self._plan.spec.name, reason=str(reason))
            self._control.send(GivenUp(reason=str(reason), is_final=reason.is_final))
        self._is_stopping = True
        self._supervisor.stop()
        self._registry.close()
        if code:
            sys.exit(code)

    def _read_control(self) -> None:
        while True:
            try:
                messages = self._control.receive(may_wait=True)
            except EOFError:
                die_by_kernel(ORPHAN_S)
                self._supervisor.post(self._request_stop)
                return
            for message in messages:
                self._on_control(message)

    def _on_control(self, message: Message) -> None:
        match message:
            case Ping():
                self._supervisor.post(lambda: self._pong(message.number))
            case Stop():
                self._supervisor.post(self._request_stop)
            case Respecified():
                spec, setup_args = pickle.loads(message.pickled)  # noqa: S301 - our own parent's
                self._supervisor.post(lambda: self._respecify(spec, setup_args))
            case NamesChanged():
                for name in message.removed:
                    self._registry.forget(name)
                self._registry.learn(message.added)

    def _request_stop(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            raise _StopRequested

    def _respecify(self, spec: NodeSpec, setup_args: Any) -> None:
        if self._plan.resetup is not None:
            load(self._plan.resetup)(spec.name, setup_args)
        self._supervisor.respecify(spec)

    def _pong(self, number: int) -> None:
        supervisor, registry = self._supervisor, self._registry
        self._control.send(
            Pong(
                number=number,
                actors=supervisor.described(),
                refused_frames=registry.refused_frames,
                stray_letters=dict(registry.strays),
                rss_kb=_resident_kb(),
                hung_actor=supervisor.hung_actor(),
                meters=meters.read(),
            )
        )
        supervisor.watch_threads()
        supervisor.log_dead_letters()
        supervisor.ask_pulses()

    def _announce(self, added: Sequence[str], removed: Sequence[str]) -> None:
        here = self._plan.spec.name
        self._control.send(NamesChanged(added=dict.fromkeys(added, here), removed=tuple(removed)))


def _resident_kb() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
