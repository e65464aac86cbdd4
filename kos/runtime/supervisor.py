"""The supervisor of the actors in one node: carries out what the pure decisions say.

It runs in the node's main thread as one loop over a queue of events, so nothing here needs a
lock but the table of names that actors' threads read. It watches deaths by itself: each
incarnation reports its end as its last word, and each ping looks whether threads that should
live do.

A child passes through these states::

    starting ──▶ running ──▶ stopping ──▶ stopped
        │           │
        ▼           ▼
    backing_off (or parked) ──▶ starting

When a child ends unbidden, :func:`kos.runtime.decisions.decide` names the siblings to be
stopped with it, the wait, and who starts then. That is a *plan*; plans of different children go
on side by side, and a new plan takes in any other that it overlaps.

A thread cannot be killed. So a child that does not start or stop within its time, or is at one
message for longer than ``hang_after_s``, costs the node: the node ends, and the supervisor of
nodes, which can kill, replaces it.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from kos.runtime.actor import Context
from kos.runtime.cell import Cell, Ended, Tally
from kos.runtime.decisions import ChildRecord, Decision, RestartVerdict, decide
from kos.runtime.description import ActorDescribed
from kos.runtime.errors import ActorExists, ActorFailed, NoSuchActor
from kos.runtime.mailbox import Letter, Mailbox, NewArgs, Order
from kos.runtime.registry import Registry
from kos.runtime.spec import ChildSpec, NodeSpec, OnExhausted
from kos.runtime.timers import Timers


class NodeGivesUp(Exception):  # noqa: N818 - says what is so
    """The node cannot go on; its supervisor decides.

    Args:
        reason: Why.
        is_final: Another start would end the same, until a person has changed something.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass(kw_only=True)
class Child:
    """One actor over all its incarnations."""

    spec: ChildSpec
    record: ChildRecord
    mailbox: Mailbox
    is_dynamic: bool
    tally: Tally = field(default_factory=Tally)
    cell: Cell | None = None
    state: str = "stopped"
    incarnation: int = 0
    restarts: int = 0
    last_error: str = ""
    deadline: float = 0.0
    """Monotonic moment by which the present start or stop must be over; 0 for none."""
    is_ending: bool = False
    """It is to stop for good: by ``stop_child`` or with the node."""
    dead_logged: int = 0
    """How many dead letters it had when they were last logged."""
    is_stuck: bool = False
    """Its thread did not start or stop in time; only the end of the process ends it."""
    successor: ChildSpec | None = None
    """Who takes its name when it has ended."""


@dataclass(kw_only=True)
class RestartPlan:
    """Children being stopped, then after a wait started again, one after the other."""

    stop: list[str]
    start: list[str]
    delay_s: float
    due: float = 0.0
    """Monotonic moment of the first start; 0 while there is someone to stop."""

    def leave_out(self, name: str) -> None:
        """Stop concerning ``name``."""
        self.stop = [other for other in self.stop if other != name]
        self.start = [other for other in self.start if other != name]

    def names(self) -> set[str]:
        """Everyone it concerns."""
        return {*self.stop, *self.start}


class Supervisor:
    """Starts, watches, restarts and stops the actors of one node.

    A crash, step by step: an actor raises in ``receive``; its thread sets the message aside,
    logs ``actor.failed`` and reports its end as its last word; here the decision is made, logged
    as ``actor.restarting`` and kept as a plan; when siblings to be stopped have stopped and the wait
    is over, a new object is made in a new thread and takes the next message from the same mailbox.
    If the budget is spent, the child is parked, or :class:`NodeGivesUp` ends the node in order.

    Args:
        spec: The node's specification.
        registry: The node's names and mailboxes.
        on_names: Called in the supervisor's thread with names added and removed.
    """

    def __init__(
        self,
        spec: NodeSpec,
        registry: Registry,
        *,
        on_names: Callable[[Sequence[str], Sequence[str]], None],
    ) -> None:
        self._spec = spec
        self._registry = registry
        self._on_names = on_names
        self._timers = Timers()
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._children: dict[str, Child] = {}
        self._lock = threading.Lock()
        self._plans: list[RestartPlan] = []
        self._log: Any = structlog.get_logger().bind(node=spec.name)
        self._is_starting = True
        self._is_stopping = False

    # --- from other threads -----------------------------------------------------------------

    def post(self, event: Callable[[], None]) -> None:
        """Let ``event`` be called in the supervisor's thread."""
        self._events.put(event)

    def start_child(self, spec: ChildSpec) -> None:
        """See :meth:`kos.runtime.actor.Context.start_child`."""
        with self._lock:
            if self._is_stopping:
                # Who asks is about to be stopped too: no fault of its own to fail of.
                self._log.debug("actor.not_started", actor=spec.name, reason="the node stops")
                return
            present = self._children.get(spec.name)
            if present is not None:
                is_free = present.is_dynamic and present.is_ending
                if not is_free or present.successor is not None:
                    raise ActorExists(spec.name)
                present.successor = spec
                return
            if self._registry.node_of(spec.name) is not None:
                raise ActorExists(spec.name)
            child = self._adopt(spec, is_dynamic=True)
        self.post(lambda: self._begin(child))
        self.post(lambda: self._on_names([spec.name], []))

    def stop_child(self, name: str) -> None:
        """See :meth:`kos.runtime.actor.Context.stop_child`."""
        with self._lock:
            child = self._children.get(name)
            if child is None or not child.is_dynamic:
                raise NoSuchActor(name)
            child.successor = None
            if child.is_ending:
                return
            child.is_ending = True
        self.post(lambda: self._end_for_good(child))

    def dynamic_children(self) -> tuple[str, ...]:
        """The names of those added by ``start_child`` and not stopped since."""
        with self._lock:
            return tuple(
                name
                for name, child in self._children.items()
                if child.is_dynamic and (not child.is_ending or child.successor is not None)
            )

    # --- the supervisor's own thread --------------------------------------------------------

    def start(self) -> None:
        """Start the node's actors in order; each has started before the next begins.

        Raises:
            NodeGivesUp: One did not start and is not one to be parked.
        """
        with self._lock:  # all names first: what the first says to the last waits for it
            children = [self._adopt(spec, is_dynamic=False) for spec in self._spec.children]
        for child in children:
            self._begin(child)
            while child.state == "starting":
                self.step()
        self._is_starting = False

    def step(self) -> None:
        """Handle one event, or whatever is due.

        Raises:
            NodeGivesUp: The node cannot go on.
        """
        try:
            event = self._events.get(timeout=self._wait_s())
        except queue.Empty:
            pass
        else:
            event()
        self._check_deadlines()
        for plan in list(self._plans):
            if self._advance(plan):
                self._plans.remove(plan)

    def respecify(self, spec: NodeSpec) -> None:
        """Take over other args, and other limits, of the actors that are there from the start.

        A running actor whose args differ is handed them, and is restarted in order unless it takes
        them in; one that is down starts with them.
        """
        self._spec = spec
        for fresh in spec.children:
            child = self._children[fresh.name]
            is_other = fresh.args != child.spec.args
            child.spec = fresh
            child.record = replace(child.record, policy=fresh)
            if is_other and child.state == "running":
                child.mailbox.put(Letter(NewArgs(fresh.args)))

    def stop(self) -> None:
        """Stop all in reverse order; who does not stop in time is left behind and logged."""
        self._plans.clear()
        with self._lock:  # against an actor that adds a child at this moment
            self._is_stopping = True
            for child in self._all():  # a child that fails from now on is not restarted
                child.is_ending = True
                child.successor = None
        for child in reversed(self._all()):
            if child.cell is not None and not child.is_stuck:
                self._tell_to_stop(child)
            while child.cell is not None and not child.is_stuck:
                try:
                    self.step()
                except NodeGivesUp as reason:
                    self._log.error("actor.left_behind", reason=str(reason))

    def ask_pulses(self) -> None:
        """Let each running actor say how it is, in its own thread and time."""
        for child in self._all():
            if child.state == "running" and not child.tally.busy_since:
                child.mailbox.put(Letter(Order.PULSE))

    def hung_actor(self) -> str:
        """An actor that has been at one message for longer than it may, or an empty string."""
        now = time.monotonic()
        for child in self._all():
            limit, since = child.spec.hang_after_s, child.tally.busy_since
            if limit is not None and since and now - since > limit:
                return child.spec.name
        return ""

    def described(self) -> tuple[ActorDescribed, ...]:
        """How all actors are; asks no one and waits for nothing."""
        now = time.monotonic()
        return tuple(_describe(child, now) for child in self._all())

    def watch_threads(self) -> None:
        """Find incarnations whose thread is gone without a last word.

        What is found is posted, for a last word that has been said stands before it in the queue.
        """
        for child in self._all():
            cell = child.cell
            if cell is not None and cell.thread is not None and not cell.thread.is_alive():
                gone = Ended(is_failure=True, error="its thread is gone")
                self.post(partial(self._on_ended, child, cell, gone))

    def log_dead_letters(self) -> None:
        """Log an actor's dead letters whenever they have doubled, so that a flood stays readable."""
        for child in self._all():
            dead = dict(child.mailbox.dead)
            if (total := sum(dead.values())) >= 2 * child.dead_logged and total:
                child.dead_logged = total
                name = child.spec.name
                self._log.warning("letters.dead", actor=name, total=total, by_reason=dead)

    def _all(self) -> list[Child]:
        """Everyone, in the order of the start; a copy, as actors' threads may add children."""
        return list(self._children.values())

    def _adopt(self, spec: ChildSpec, *, is_dynamic: bool) -> Child:
        mailbox = Mailbox(spec.name, spec.mailbox_capacity)
        record = ChildRecord(name=spec.name, policy=spec)
        child = Child(
            spec=spec, record=record, mailbox=mailbox, is_dynamic=is_dynamic, state="starting"
        )
        self._children[spec.name] = child
        self._registry.add(mailbox)
        return child

    def _begin(self, child: Child) -> None:
        """Start a new incarnation."""
        if child.is_ending and not child.incarnation:
            return  # stopped before it ever started; its end is on the way
        child.incarnation += 1
        child.state = "starting"
        child.mailbox.refusal = None
        child.mailbox.forget_orders()
        now = time.monotonic()
        child.record = replace(child.record, started_at=now)
        child.deadline = now + child.spec.start_timeout_s
        context = Context(
            name=child.spec.name,
            node=self._spec.name,
            incarnation=child.incarnation,
            registry=self._registry,
            mailbox=child.mailbox,
            timers=self._timers,
            children=self,
        )
        Cell.start(
            spec=child.spec,
            context=context,
            mailbox=child.mailbox,
            tally=child.tally,
            on_made=lambda cell: setattr(child, "cell", cell),
            on_started=lambda cell: self.post(lambda: self._on_started(child, cell)),
            on_ended=lambda cell, ended: self.post(lambda: self._on_ended(child, cell, ended)),
            on_outdated=lambda cell: self.post(lambda: self._on_outdated(child, cell)),
        )

    def _on_started(self, child: Child, cell: Cell) -> None:
        if child.cell is not cell or child.state != "starting":
            return
        child.state = "running"
        child.deadline = 0.0
        self._log.info("actor.started", actor=child.spec.name, incarnation=child.incarnation)
        if cell.spec.args != child.spec.args:  # they changed while it started
            child.mailbox.put(Letter(NewArgs(child.spec.args)))

    def _on_outdated(self, child: Child, cell: Cell) -> None:
        """It did not take its new args in: stop it in order, start it with them."""
        if child.cell is cell and child.state == "running" and not child.is_ending:
            verdict, name = RestartVerdict.RESTART, (child.spec.name,)
            self._carry_out(Decision(verdict=verdict, record=child.record, stop=name, start=name))

    def _on_ended(self, child: Child, cell: Cell, ended: Ended) -> None:
        if child.cell is not cell:
            return  # an old incarnation's word
        if cell.thread is not None:
            cell.thread.join(1.0)  # its last word is said; what is left is the way out
        child.cell = None
        child.deadline = 0.0
        child.tally.busy_since = 0.0
        child.last_error = ended.error or child.last_error
        if child.is_ending:
            self._bury(child)
        elif child.state == "stopping":
            child.state = "stopped"  # a plan goes on with it
        elif self._is_starting and not child.is_dynamic and child.incarnation == 1:
            self._failed_first_start(child, ended)
        else:
            self._decide(child, ended)

    def _failed_first_start(self, child: Child, ended: Ended) -> None:
        if child.spec.on_exhausted is OnExhausted.PARK or not ended.is_start:
            self._decide(child, ended)
            return
        child.state = "stopped"
        msg = f"actor {child.spec.name} did not start: {ended.error}"
        raise NodeGivesUp(msg, is_final=ended.is_final)

    def _decide(self, child: Child, ended: Ended) -> None:
        decision = decide(
            self._spec.strategy,
            [sibling.record for sibling in self._all() if not sibling.is_ending],
            child.spec.name,
            is_failure=ended.is_failure,
            now=time.monotonic(),
            chance=random.random(),  # noqa: S311 - spreads restarts, guards nothing
        )
        child.record = decision.record
        name = child.spec.name
        match decision.verdict:
            case RestartVerdict.LEAVE:
                self._log.info("actor.ended", actor=name, error=ended.error)
                child.is_ending = True
                self._bury(child)
            case RestartVerdict.ESCALATE:
                child.state = "stopped"
                msg = (
                    f"actor {name} ended {child.spec.max_restarts + 1} times within "
                    f"{child.spec.within_s:g} s, last by {ended.error or 'its own will'}"
                )
                raise NodeGivesUp(msg)
            case RestartVerdict.PARK:
                child.state = "parked"
                child.mailbox.refusal = ActorFailed(name, "Parked", child.last_error)
                child.mailbox.empty_asks(child.mailbox.refusal)
                self._log.error(
                    "actor.parked", actor=name, error=ended.error, retry_after_s=decision.delay_s
                )
                self._carry_out(decision)
            case RestartVerdict.RESTART:
                child.state = "backing_off"
                self._log.warning(
                    "actor.restarting",
                    actor=name,
                    error=ended.error,
                    streak=decision.record.streak,
                    delay_s=round(decision.delay_s, 3),
                    siblings=list(decision.stop),
                )
                self._carry_out(decision)

    def _carry_out(self, decision: Decision) -> None:
        plan = RestartPlan(
            stop=list(decision.stop), start=list(decision.start), delay_s=decision.delay_s
        )
        if decision.verdict is RestartVerdict.PARK:  # it waits by itself; no one waits for it
            for other in self._plans:
                other.leave_out(decision.record.name)
            self._plans.append(plan)
            return
        overlapped = [other for other in self._plans if other.names() & plan.names()]
        for other in overlapped:
            self._plans.remove(other)
            plan.delay_s = max(plan.delay_s, other.due - time.monotonic())
        wanted = {name for other in (*overlapped, plan) for name in other.start}
        touched = {name for other in (*overlapped, plan) for name in other.stop}
        order = [child.spec.name for child in self._all()]
        plan.start = [name for name in order if name in wanted]
        plan.stop = [name for name in reversed(order) if name in touched]
        self._plans.append(plan)

    def _advance(self, plan: RestartPlan) -> bool:
        """Go on with ``plan`` as far as it gets without waiting; says whether it is done."""
        while plan.stop:
            child = self._children.get(plan.stop[0])
            if child is not None and child.cell is not None and not child.is_ending:
                if child.state != "stopping":
                    self._tell_to_stop(child)
                return False
            name = plan.stop.pop(0)
            if child is not None and not child.is_ending and name not in plan.start:
                child.is_ending = True  # a temporary bystander does not come back
                self._bury(child)
        now = time.monotonic()
        if not plan.due:
            plan.due = now + max(plan.delay_s, 0)
        if now < plan.due:
            return False
        while plan.start:
            child = self._children.get(plan.start[0])
            if child is None or child.is_ending or child.state == "running":
                plan.start.pop(0)
            elif child.cell is None:
                child.restarts += 1
                self._begin(child)
            else:
                return False
        return True

    def _tell_to_stop(self, child: Child) -> None:
        child.state = "stopping"
        child.deadline = time.monotonic() + child.spec.stop_timeout_s
        child.mailbox.put(Letter(Order.STOP))

    def _end_for_good(self, child: Child) -> None:
        if child.cell is None:
            self._bury(child)
        else:
            self._tell_to_stop(child)

    def _bury(self, child: Child) -> None:
        """It has ended for good: its name goes, what still waits is counted as dead."""
        name = child.spec.name
        child.state = "stopped"
        with self._lock:
            self._registry.remove(name)
            gone = child.mailbox.refusal = NoSuchActor(name)
            lost = child.mailbox.empty_out("stopped", gone)
            successor = child.successor
            if child.is_dynamic:
                self._children.pop(name, None)
            if successor is not None:
                child = self._adopt(successor, is_dynamic=True)
        if lost:
            self._log.warning("letters.lost", actor=name, count=lost, reason="stopped")
        if successor is not None:
            self._begin(child)
        elif not self._is_stopping:  # a node that ends is announced by the main process
            self._on_names([], [name])

    def _wait_s(self) -> float:
        """Seconds until something is due; there is nothing to look after for longer than 1 s."""
        now = time.monotonic()
        moments = [child.deadline for child in self._all() if child.deadline]
        moments += [plan.due for plan in self._plans if plan.due > now]
        return max(0.0, min([1.0, *(moment - now for moment in moments)]))

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        for child in self._all():
            if child.deadline and now > child.deadline:
                child.deadline = 0.0
                child.is_stuck = True
                verb = "start" if child.state == "starting" else "stop"
                limit = child.spec.start_timeout_s if verb == "start" else child.spec.stop_timeout_s
                msg = f"actor {child.spec.name} did not {verb} within {limit:g} s"
                raise NodeGivesUp(msg)


def _describe(child: Child, now: float) -> ActorDescribed:
    tally = child.tally
    busy_since, last_at, pulse_at = tally.busy_since, tally.last_message_at, tally.pulse_at
    return ActorDescribed(
        name=child.spec.name,
        state=child.state,
        incarnation=child.incarnation,
        restarts=child.restarts,
        mailbox=len(child.mailbox),
        handled=tally.handled,
        conflated=child.mailbox.conflated,
        dead_letters=dict(child.mailbox.dead),
        last_error=child.last_error,
        busy_s=round(now - busy_since, 3) if busy_since else 0.0,
        since_message_s=None if last_at is None else round(now - last_at, 3),
        since_pulse_s=None if pulse_at is None else round(now - pulse_at, 3),
        pulse=tally.pulse or {},
        waits=tuple(tally.waits),
        waited_s=round(tally.waited_s, 6),
    )
