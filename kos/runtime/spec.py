"""Specifications of actors and of nodes: what runs, and what happens when it ends.

A specification is plain data. It travels to the node's process, which alone imports the
factory it names, so that the main process stays small and a node imports only what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Restart(Enum):
    """When an ended child is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """After a failure; not after an end of its own will."""
    TEMPORARY = "temporary"
    """Never, not even as a bystander of another's restart."""


class Strategy(Enum):
    """Who is restarted together with an ended child."""

    ONE_FOR_ONE = "one_for_one"
    """No one else."""
    ONE_FOR_ALL = "one_for_all"
    """All its siblings: they are stopped in reverse order, then all start in order."""
    REST_FOR_ONE = "rest_for_one"
    """The siblings that started after it, for they may rest on it."""


class OnExhausted(Enum):
    """What happens when the budget of restarts is spent."""

    ESCALATE = "escalate"
    """The supervisor gives up, and its own supervisor decides."""
    PARK = "park"
    """The child alone waits for ``backoff_cap_s``, is shown as parked, and is tried again."""


class SpecRefused(ValueError):  # noqa: N818 - says what is so
    """A specification that does not hold together; it is refused whole, with every problem."""

    def __init__(self, what: str, problems: list[str]) -> None:
        super().__init__(f"{what} is refused: " + "; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """How often, and after how long, an ended child is started again.

    The n-th restart in a row waits ``backoff_first_s * 2**(n-1)`` seconds, at most
    ``backoff_cap_s``, plus a random share of up to ``backoff_jitter``. A child that then runs
    for ``quiet_reset_s`` begins again at the first step.

    Attributes:
        restart: After which ends it is started again.
        max_restarts: Restarts allowed in any ``within_s`` seconds.
        within_s: The length of that window in seconds.
        backoff_first_s: The first wait in seconds; 0 restarts at once.
        backoff_cap_s: The longest wait in seconds, and the wait of a parked child.
        backoff_jitter: Random share added to a wait, 0 to 1: 0.2 adds up to a fifth.
        quiet_reset_s: Seconds of running after which the waits start from the first again.
        on_exhausted: What happens at the restart that would exceed the budget.
    """

    restart: Restart = Restart.PERMANENT
    max_restarts: int = 5
    within_s: float = 60.0
    backoff_first_s: float = 0.2
    backoff_cap_s: float = 60.0
    backoff_jitter: float = 0.2
    quiet_reset_s: float = 60.0
    on_exhausted: OnExhausted = OnExhausted.ESCALATE

    def problems(self) -> list[str]:
        """What does not hold together, in words; empty when all is well."""
        problems = []
        if self.max_restarts < 0:
            problems.append(f"max_restarts is {self.max_restarts}, must be 0 or more")
        if self.within_s <= 0:
            problems.append(f"within_s is {self.within_s}, must be above 0")
        if self.backoff_first_s < 0:
            problems.append(f"backoff_first_s is {self.backoff_first_s}, must be 0 or more")
        if self.backoff_cap_s < self.backoff_first_s:
            problems.append(
                f"backoff_cap_s is {self.backoff_cap_s}, must not be below the first wait"
            )
        if not 0 <= self.backoff_jitter <= 1:
            problems.append(f"backoff_jitter is {self.backoff_jitter}, must be from 0 to 1")
        if self.quiet_reset_s < 0:
            problems.append(f"quiet_reset_s is {self.quiet_reset_s}, must be 0 or more")
        return problems


def _name_problems(name: str) -> list[str]:
    if not name or any(sign.isspace() or sign in "/@\0" for sign in name):
        return [f"the name {name!r} must not be empty nor hold blanks, '/' or '@'"]
    return []


@dataclass(frozen=True, kw_only=True)
class ChildSpec(RestartPolicy):
    """One supervised actor.

    Attributes:
        name: Its name, unique in the whole system; references are made from it.
        factory: ``"package.module:Class"``; imported in the node's process only.
        args: Handed to the actor's constructor; must be picklable, as it travels to the node.
        start_timeout_s: Construction and ``started()`` may take so many seconds; longer is a
            hang, for which the whole node is replaced, as a thread cannot be killed.
        stop_timeout_s: What is left in the mailbox and ``stopping()`` may take so many seconds.
        mailbox_capacity: Messages that may wait.
        hang_after_s: One message may be handled for so many seconds; longer is a hang, for
            which the whole node is replaced. None: there is no limit.
    """

    name: str
    factory: str
    args: Any = None
    start_timeout_s: float = 10.0
    stop_timeout_s: float = 5.0
    mailbox_capacity: int = 1000
    hang_after_s: float | None = 120.0

    def __post_init__(self) -> None:
        problems = _name_problems(self.name) + self.problems()
        if self.factory.count(":") != 1:
            problems.append(f"factory {self.factory!r} must read 'package.module:Class'")
        problems += _not_above_zero(
            start_timeout_s=self.start_timeout_s,
            stop_timeout_s=self.stop_timeout_s,
            mailbox_capacity=self.mailbox_capacity,
            hang_after_s=1 if self.hang_after_s is None else self.hang_after_s,
        )
        if problems:
            raise SpecRefused(f"the specification of actor {self.name!r}", problems)


@dataclass(frozen=True, kw_only=True)
class NodeSpec(RestartPolicy):
    """One process that hosts actors.

    Attributes:
        name: Its name, unique in the system.
        children: Its actors, started in this order and stopped in reverse.
        strategy: Who of them is restarted together.
        ping_interval_s: How often it is asked how it is, in seconds.
        hang_after_s: A ping may stay unanswered for so many seconds; then the node is hung:
            its stacks are dumped to the log, it is killed and restarted.
        start_timeout_s: Process start, imports and all actors' starts may take so many seconds.
        stop_timeout_s: An ordered stop may take so many seconds; then it is killed.
    """

    name: str
    children: tuple[ChildSpec, ...]
    strategy: Strategy = Strategy.ONE_FOR_ONE
    ping_interval_s: float = 1.0
    hang_after_s: float = 10.0
    start_timeout_s: float = 30.0
    stop_timeout_s: float = 15.0

    def __post_init__(self) -> None:
        problems = _name_problems(self.name) + self.problems()
        problems += _not_above_zero(
            ping_interval_s=self.ping_interval_s,
            hang_after_s=self.hang_after_s,
            start_timeout_s=self.start_timeout_s,
            stop_timeout_s=self.stop_timeout_s,
        )
        if self.hang_after_s < self.ping_interval_s:
            problems.append("hang_after_s must not be below ping_interval_s")
        problems += twice_named([child.name for child in self.children])
        if problems:
            raise SpecRefused(f"the specification of node {self.name!r}", problems)


def twice_named(names: list[str]) -> list[str]:
    """A problem for each name that stands more than once in ``names``."""
    return [
        f"the name {name!r} is used twice" for name in sorted({*names}) if names.count(name) > 1
    ]


def _not_above_zero(**values: float) -> list[str]:
    return [f"{key} is {value}, must be above 0" for key, value in values.items() if value <= 0]
