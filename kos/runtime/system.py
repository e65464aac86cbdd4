"""The system: the main process, which supervises nodes and hosts no actor itself.

One loop in one thread watches the nodes' deaths (pidfd), reads their control pipes, pings them,
restarts them as :func:`kos.runtime.decisions.decide` says, and runs periodic work such as a
heartbeat file. It waits in a selector, so signals are served at once.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from kos.runtime.codec import Codec
from kos.runtime.control import GivenUp, NamesChanged, Ping, Pong, Ready, Respecified, Stop
from kos.runtime.decisions import ChildRecord, RestartVerdict, decide
from kos.runtime.description import ActorDescribed, Describe, NodeDescribed, SystemDescribed
from kos.runtime.errors import MessageRefused, SystemStartFailed
from kos.runtime.launcher import Launcher, NodeHandle, SpawnLauncher
from kos.runtime.mailbox import ReplySink
from kos.runtime.node import NodePlan
from kos.runtime.protocol import Message
from kos.runtime.registry import SYSTEM, Registry
from kos.runtime.rundir import RunDir
from kos.runtime.spec import NodeSpec, SpecRefused, Strategy, twice_named

EXIT_ESCALATED = 70
"""What ``run`` returns when a node's budget of restarts was spent."""

_TELL_S = 1.0
"""A busy node has so many seconds to write its stacks before they are logged."""

_DUMP_S = 0.3
"""A hung node has so many seconds to write its stacks before it is killed."""

_NO_PONG = Pong(number=0, actors=(), refused_frames=0, stray_letters={}, rss_kb=0)
"""What is known of a node that has not answered yet."""

_log = structlog.get_logger()


@dataclass(kw_only=True)
class _SupervisedNode:
    """One node over all its incarnations."""

    spec: NodeSpec
    record: ChildRecord
    state: str = "stopped"
    handle: NodeHandle | None = None
    incarnation: int = 0
    restarts: int = 0
    last_error: str = ""
    is_final: bool = False
    """It gave up over something that another start does not mend."""
    reason: str = ""
    """Why the present incarnation is about to end, where that is known before its end."""
    pong: Pong | None = None
    pong_at: float | None = None
    pinged_at: float = 0.0
    """When the last ping was sent."""
    waiting_since: float = 0.0
    """When the oldest unanswered ping was sent; 0 when all are answered."""
    kill_at: float = 0.0
    """When it is to be killed if it still lives; 0 for never."""
    start_at: float = 0.0
    """When it is to be started again; 0 for never."""
    stacks_from: int = 0
    """Where in its file the stacks begin that were asked for last."""


@dataclass(kw_only=True)
class _Hook:
    interval_s: float
    work: Callable[[], None]
    due: float


class System:
    """Nodes under supervision.

    Use it in the main thread: ``run()`` starts the nodes in order, supervises them until
    :meth:`request_stop` or an escalation, and stops them in reverse.

    *Starting.* Each node is a spawned process that starts its actors in order, listens and says
    that it is ready; only then the next begins. If one fails or takes longer than
    ``start_timeout_s``, all is stopped: a program that cannot start should not seem to run.

    *Running.* A node that ends, for whatever reason, is seen through its pidfd at once. Each
    is pinged every ``ping_interval_s``; the answer brings the description of its actors. One that
    leaves a ping unanswered for ``hang_after_s``, or tells that an actor is stuck, is hung: it
    is made to write its stacks, which are logged as ``node.stacks_dumped``, and dies. What then
    happens is decided by its specification: restarted after a wait, parked, left, or, when its
    budget is spent, the whole system is stopped and ``run`` returns :data:`EXIT_ESCALATED`.

    *Stopping.* In reverse order each node stops its actors, in reverse order too, after what
    waits in their mailboxes; one that takes longer than ``stop_timeout_s`` is killed. If this
    process is killed itself, the nodes see the end of their control pipes and end by themselves.

    Nothing here blocks on a node: a stuck one cannot hold up the others' supervision.

    Args:
        name: For people.
        nodes: What runs, in the order of the start.
        messages: Every message type that may cross a border between processes.
        run_dir: Where the lock, the sockets and the record for clients are; one system at a
            time. A long path is no problem.
        setup: ``"package.module:function"``, called in each node's process before its actors
            start, with the node's name and ``setup_args``; to configure logging, for instance.
        setup_args: Must be picklable.
        resetup: Called likewise in a living node when :meth:`respecify` brings other args.
        stop_within_s: Seconds for all nodes together to stop; any that is not done
            by then has one second more, each, before it is killed.
        launcher: How nodes come into being; None spawns processes on this machine.

    Raises:
        SpecRefused: A name is used twice.
    """

    def __init__(
        self,
        *,
        name: str,
        nodes: tuple[NodeSpec, ...],
        messages: tuple[type[Message], ...],
        run_dir: Path,
        setup: str | None = None,
        setup_args: Any = None,
        resetup: str | None = None,
        stop_within_s: float = 9.0,
        launcher: Launcher | None = None,
    ) -> None:
        actors = [child.name for node in nodes for child in node.children]
        problems = twice_named([node.name for node in nodes]) + twice_named(actors)
        if problems:
            raise SpecRefused(f"the system {name!r}", problems)
        self._name = name
        self._messages = messages
        self._run_path = run_dir
        self._setup = setup
        self._setup_args = setup_args
        self._resetup = resetup
        self._stop_within_s = stop_within_s
        self._collect_at = 0.0
        """When the stacks that were asked for are there to be logged; 0 for none."""
        self._calls: deque[Callable[[], None]] = deque()
        self._launcher: Launcher = launcher or SpawnLauncher()
        self._codec = Codec(messages)
        self._nodes = {
            node.name: _SupervisedNode(spec=node, record=ChildRecord(name=node.name, policy=node))
            for node in nodes
        }
        self._names = {child.name: node.name for node in nodes for child in node.children}
        self._hooks: list[_Hook] = []
        self._changes: list[Callable[[SystemDescribed], None]] = []
        self._stops = 0
        self._is_started = False
        self._is_stopping = False
        self._escalation = ""
        self._started_at = time.monotonic()
        self._run_dir: RunDir
        self._closing = contextlib.ExitStack()
        """Gives back what ``start`` took, the last first."""
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)

    # --- from any thread --------------------------------------------------------------------

    def every(self, interval_s: float, work: Callable[[], None]) -> None:
        """Call ``work`` in the main loop each ``interval_s`` seconds; it must be quick.

        What it raises is logged and changes nothing. Say it before ``run``.
        """
        self._hooks.append(_Hook(interval_s=interval_s, work=work, due=0.0))

    def on_change(self, tell: Callable[[SystemDescribed], None]) -> None:
        """Call ``tell`` in the main loop when the state of a node has changed."""
        self._changes.append(tell)

    def request_stop(self) -> None:
        """Stop in order; said twice, kill all nodes at once. Safe in a signal handler."""
        self._stops += 1
        self._wake()

    def call_soon(self, work: Callable[[], None]) -> None:
        """Call ``work`` once in the main loop. Safe in a signal handler.

        What it raises is logged and changes nothing.
        """
        self._calls.append(work)
        self._wake()

    def dump_stacks(self) -> None:
        """Have every node write where its threads stand, and log it. Say it in the main loop.

        It takes a moment and harms no one; asked again meanwhile, it is the same answer.
        """
        if self._collect_at:
            return
        for node in self._nodes.values():
            if node.handle is not None:
                node.stacks_from = self._run_dir.stacks_size(node.spec.name)
                node.handle.signal(signal.SIGUSR1)
        self._collect_at = time.monotonic() + _TELL_S

    def respecify(self, nodes: tuple[NodeSpec, ...], setup_args: Any) -> None:
        """Take other args and limits for the same nodes and actors. Say it in the main loop.

        Living nodes are told: an actor whose args differ is handed them, see
        :meth:`kos.runtime.Actor.renewed`. Whatever starts later starts with them.

        Raises:
            SpecRefused: Nodes or actors are not the same as before; nothing has changed.
        """
        before = {name: _names_of(node.spec) for name, node in self._nodes.items()}
        if before != {node.name: _names_of(node) for node in nodes}:
            problem = "nodes and actors must be the same; a restart can change them"
            raise SpecRefused(f"the system {self._name!r}", [problem])
        self._setup_args = setup_args
        for spec in nodes:
            node = self._nodes[spec.name]
            node.spec = spec
            node.record = replace(node.record, policy=spec)
            if node.handle is not None:
                pickled = pickle.dumps((spec, setup_args))
                if not node.handle.control.send(Respecified(pickled=pickled), may_wait=False):
                    _log.warning("node.not_respecified", node=spec.name, reason="it does not read")

    def describe(self) -> SystemDescribed:
        """How the system is, as the nodes said at their last ping; asks no one, never waits."""
        now = time.monotonic()
        return SystemDescribed(
            name=self._name,
            pid=os.getpid(),
            uptime_s=round(now - self._started_at, 3),
            is_stopping=self._is_stopping or bool(self._stops),
            nodes=tuple(_describe(node, dict(self._names), now) for node in self._nodes.values()),
        )

    # --- in the main thread -----------------------------------------------------------------

    def start(self) -> None:
        """Start the nodes in order; each is ready before the next begins.

        Nothing supervises them until :meth:`run` goes on, or :meth:`stop` ends them.

        Raises:
            SystemStartFailed: Another system runs here, or a node did not start; the reason
                is in the text. What had started has been stopped.
        """
        self._run_dir = RunDir(self._run_path, self._name, tuple(self._nodes))
        self._closing.callback(self._run_dir.close)
        registry = Registry(SYSTEM, self._codec, self._run_dir.sockets)
        self._closing.callback(registry.close, drain_s=0)
        registry.serve(SYSTEM, self._on_describe)
        registry.listen()
        self._is_started = True
        self._started_at = time.monotonic()
        for node in self._nodes.values():
            if self._stops:
                return
            self._launch(node)
            while node.state == "starting" and not self._stops:
                self._step()
            if node.state != "running" and not self._stops:
                reason = f"node {node.spec.name} did not start: {node.last_error}"
                self.stop()
                raise SystemStartFailed(reason, is_final=node.is_final)
        if not self._stops:
            _log.info("system.started", nodes=list(self._nodes))

    def run(self) -> int:
        """Start unless started, supervise until told to stop, stop in reverse.

        Returns:
            0 after a requested stop, :data:`EXIT_ESCALATED` when a node's budget of restarts
            was spent.

        Raises:
            SystemStartFailed: See :meth:`start`.
        """
        if not self._is_started:
            self.start()
        while not self._stops and not self._escalation:
            self._step()
        self.stop()
        return EXIT_ESCALATED if self._escalation else 0

    def stop(self) -> None:
        """Stop the nodes in reverse order; one that takes too long is killed. Then clean up."""
        self._is_stopping = True
        latest = time.monotonic() + self._stop_within_s
        for node in reversed(list(self._nodes.values())):
            node.start_at = 0.0
            if node.handle is None:
                node.state = "stopped"
                continue
            if node.state != "hung":
                node.state = "stopping"
                now = time.monotonic()
                node.kill_at = min(now + node.spec.stop_timeout_s, max(latest, now + 1.0))
                node.handle.control.send(Stop(), may_wait=False)
            while node.handle is not None:
                if self._stops > 1:
                    self._kill_all()
                self._step()
        self._closing.close()
        self._selector.close()
        wake_in, self._wake_in = self._wake_in, -1  # a late signal must not meet a reused number
        os.close(wake_in)
        os.close(self._wake_out)
        _log.info("system.stopped")

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_in, b"!")

    def _kill_all(self) -> None:
        for node in self._nodes.values():
            if node.handle is not None:
                node.reason = node.reason or "killed, as the stop was asked for twice"
                node.handle.signal(signal.SIGKILL)

    # --- the loop ---------------------------------------------------------------------------

    def _step(self) -> None:
        """Wait for something and handle it."""
        for key, _ in self._selector.select(self._wait_s()):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_out, 4096)
                continue
            node, is_death = key.data
            if is_death:
                self._on_death(node)
            elif node.handle is not None:
                self._read_control(node)
        while self._calls:
            self._run(self._calls.popleft())
        now = time.monotonic()
        if self._collect_at and now >= self._collect_at:
            self._collect_at = 0.0
            for node in self._nodes.values():
                if node.handle is not None:
                    stacks = self._run_dir.stacks(node.spec.name)[node.stacks_from :]
                    _log.info("node.stacks_told", node=node.spec.name, stacks=stacks)
        for node in self._nodes.values():
            self._look_after(node, now)
        for hook in self._hooks:
            if now >= hook.due:
                hook.due = now + hook.interval_s
                self._run(hook.work)

    def _wait_s(self) -> float:
        moments = [hook.due for hook in self._hooks]
        if self._collect_at:
            moments.append(self._collect_at)
        for node in self._nodes.values():
            moments += [moment for moment in (node.kill_at, node.start_at) if moment]
            if node.state == "running":
                moments.append(node.pinged_at + node.spec.ping_interval_s)
                if node.waiting_since:
                    moments.append(node.waiting_since + node.spec.hang_after_s)
        return max(0.0, min([5.0, *(moment - time.monotonic() for moment in moments)]))

    def _look_after(self, node: _SupervisedNode, now: float) -> None:
        """Do what is due for ``node``."""
        if node.kill_at and now >= node.kill_at and node.handle is not None:
            node.kill_at = 0.0
            late = (
                f"did not stop within {node.spec.stop_timeout_s:g} s"
                if node.state == "stopping"
                else f"was not ready within {node.spec.start_timeout_s:g} s"
            )
            node.reason = node.reason or late
            node.handle.signal(signal.SIGKILL)
        if node.start_at and now >= node.start_at and not self._is_stopping:
            node.start_at = 0.0
            node.restarts += 1
            self._launch(node)
        if node.state != "running" or node.handle is None:
            return
        if node.waiting_since and now - node.waiting_since > node.spec.hang_after_s:
            self._on_hang(node, f"no answer to a ping for {node.spec.hang_after_s:g} s")
        elif now - node.pinged_at >= node.spec.ping_interval_s and not node.waiting_since:
            node.pinged_at = node.waiting_since = now
            node.handle.control.send(Ping(number=node.incarnation), may_wait=False)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - one hook must not end the supervision
            _log.error("hook.failed", error=repr(error), exc_info=True)

    def _launch(self, node: _SupervisedNode) -> None:
        node.incarnation += 1
        node.reason = ""
        node.pong = None
        node.pong_at = None
        node.waiting_since = 0.0
        node.record = replace(node.record, started_at=time.monotonic())
        plan = NodePlan(
            spec=node.spec,
            messages=self._messages,
            sockets=self._run_dir.sockets,
            stacks=self._run_dir.stacks_path(node.spec.name),
            names=dict(self._names),
            setup=self._setup,
            setup_args=self._setup_args,
            resetup=self._resetup,
        )
        try:
            node.handle = self._launcher.launch(plan)
        except (OSError, SystemStartFailed) as error:
            node.last_error = str(error)
            self._change(node, "stopped")
            if node.incarnation > 1:  # no memory or no process to be had: try again later
                self._decide(node, is_failure=True)
            return
        node.kill_at = time.monotonic() + node.spec.start_timeout_s
        self._selector.register(node.handle.death_fd(), selectors.EVENT_READ, (node, True))
        self._selector.register(node.handle.control, selectors.EVENT_READ, (node, False))
        self._change(node, "starting")

    def _read_control(self, node: _SupervisedNode) -> None:
        assert node.handle is not None  # noqa: S101 - only read while it lives
        control = node.handle.control
        try:
            while messages := control.receive(may_wait=False):
                for message in messages:
                    self._on_control(node, message)
        except EOFError:
            with contextlib.suppress(KeyError):
                self._selector.unregister(control)  # its death is told by the other descriptor

    def _on_control(self, node: _SupervisedNode, message: Message) -> None:
        now = time.monotonic()
        match message:
            case Ready():
                if node.state == "starting":
                    node.kill_at = 0.0
                    node.pinged_at = 0.0
                    self._change(node, "running")
                    own = {child.name: node.spec.name for child in node.spec.children}
                    self._rename(node, added=own, removed=())
            case Pong():
                node.pong, node.pong_at, node.waiting_since = message, now, 0.0
                if message.hung_actor and node.state == "running":
                    self._on_hang(node, f"actor {message.hung_actor} is stuck in one message")
            case GivenUp():
                node.reason, node.is_final = message.reason, message.is_final
            case NamesChanged():
                self._rename(node, added=message.added, removed=message.removed)

    def _rename(
        self, source: _SupervisedNode, *, added: dict[str, str], removed: tuple[str, ...]
    ) -> None:
        """Take over who lives in ``source`` and tell the other nodes."""
        news = {name: where for name, where in added.items() if self._names.get(name) != where}
        gone = tuple(name for name in removed if self._names.get(name) == source.spec.name)
        self._names.update(news)
        for name in gone:
            del self._names[name]
        if not news and not gone:
            return
        for node in self._nodes.values():
            if node is not source and node.handle is not None:
                node.handle.control.send(NamesChanged(added=news, removed=gone), may_wait=False)

    def _on_hang(self, node: _SupervisedNode, reason: str) -> None:
        """Have the stacks dumped, and the node die of it.

        SIGABRT makes it write its stacks and end at once; a stopped process has to be continued
        for that. If it does not end so, it is killed a moment later.
        """
        assert node.handle is not None  # noqa: S101 - only a living node hangs
        node.reason = f"hung: {reason}"
        node.kill_at = time.monotonic() + _DUMP_S
        self._change(node, "hung")
        node.handle.signal(signal.SIGABRT)
        node.handle.signal(signal.SIGCONT)

    def _on_death(self, node: _SupervisedNode) -> None:
        if node.handle is None:
            return
        self._read_control(node)  # its last words
        self._selector.unregister(node.handle.death_fd())
        with contextlib.suppress(KeyError):
            self._selector.unregister(node.handle.control)
        how = node.handle.reap()
        node.handle = None
        node.kill_at = node.waiting_since = 0.0
        error = node.reason or how
        if node.state == "hung":
            stacks = self._run_dir.stacks(node.spec.name)
            _log.error("node.stacks_dumped", node=node.spec.name, stacks=stacks)
        static = {child.name for child in node.spec.children}
        here = node.spec.name
        fleeting = [name for name, at in self._names.items() if at == here and name not in static]
        self._rename(node, added={}, removed=tuple(fleeting))
        if self._is_stopping or (self._stops and how == "exit code 0"):
            node.last_error = error if how != "exit code 0" else node.last_error
            self._change(node, "stopped")
            return
        node.last_error = error
        if node.state == "starting" and node.incarnation == 1:
            self._change(node, "stopped")  # start() gives up and says why
            return
        self._decide(node, is_failure=how != "exit code 0")

    def _decide(self, node: _SupervisedNode, *, is_failure: bool) -> None:
        now = time.monotonic()
        decision = decide(
            Strategy.ONE_FOR_ONE,
            [other.record for other in self._nodes.values()],
            node.spec.name,
            is_failure=is_failure,
            now=now,
            chance=random.random(),  # noqa: S311 - spreads restarts, guards nothing
        )
        node.record = decision.record
        log = _log.bind(node=node.spec.name, error=node.last_error)
        match decision.verdict:
            case RestartVerdict.LEAVE:
                log.info("node.ended")
                self._change(node, "stopped")
            case RestartVerdict.ESCALATE:
                log.critical("system.gave_up")
                self._escalation = node.last_error
                self._change(node, "stopped")
            case RestartVerdict.PARK:
                log.error("node.parked", retry_after_s=round(decision.delay_s, 3))
                node.start_at = now + decision.delay_s
                self._change(node, "parked")
            case RestartVerdict.RESTART:
                log.warning("node.restarting", delay_s=round(decision.delay_s, 3))
                node.start_at = now + decision.delay_s
                self._change(node, "backing_off")

    def _change(self, node: _SupervisedNode, state: str) -> None:
        node.state = state
        _log.info("node.changed", node=node.spec.name, state=state, incarnation=node.incarnation)
        if self._changes:
            described = self.describe()
            for tell in self._changes:
                self._run(partial(tell, described))

    def _on_describe(self, message: Message, reply: ReplySink) -> None:
        """Answer questions to :data:`SYSTEM`; called in the thread that reads the link."""
        if isinstance(message, Describe):
            reply.answer(self.describe())
        else:
            reply.fail(MessageRefused(SYSTEM, f"it takes no {type(message).__name__}"))


def _names_of(spec: NodeSpec) -> list[str]:
    return [child.name for child in spec.children]


def _describe(node: _SupervisedNode, names: dict[str, str], now: float) -> NodeDescribed:
    handle, pong, pong_at = node.handle, node.pong or _NO_PONG, node.pong_at
    reported = {actor.name for actor in pong.actors}
    unreported = [
        ActorDescribed(name=name, state=node.state, incarnation=0, restarts=0, mailbox=0, handled=0)
        for name, at in names.items()
        if at == node.spec.name and name not in reported
    ]
    return NodeDescribed(
        name=node.spec.name,
        pid=0 if handle is None else handle.pid,
        state=node.state,
        incarnation=node.incarnation,
        restarts=node.restarts,
        last_error=node.last_error,
        since_pong_s=None if pong_at is None else round(now - pong_at, 3),
        rss_kb=pong.rss_kb,
        refused_frames=pong.refused_frames,
        stray_letters=pong.stray_letters,
        actors=pong.actors + tuple(unreported),
        meters=pong.meters,
    )
