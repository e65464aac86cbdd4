from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kos.runtime import (
    ActorDescribed,
    ChildSpec,
    Client,
    Message,
    NodeDescribed,
    NodeSpec,
    RuntimeFault,
    System,
    connect,
)
from tests.runtime.cast import MESSAGES, Myself, WhoAreYou

DEADLINE_S = 60.0
T = TypeVar("T")


def eventually(look: Callable[[], T | None]) -> T:
    """What ``look`` gives once it gives something true; faults meanwhile are no answer."""
    deadline = time.monotonic() + DEADLINE_S
    last: object = None
    while time.monotonic() < deadline:
        try:
            found = look()
        except RuntimeFault as error:
            last = error
        else:
            if found:
                return found
        time.sleep(0.005)
    raise AssertionError(f"it never came to be; last: {last!r}")


class Stage:
    """A system that runs in a thread of the test, with a client."""

    def __init__(self, system: System, run_dir: Path) -> None:
        self.system = system
        self.run_dir = run_dir
        self.exit_code: int | None = None
        system.start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.client: Client = connect(run_dir, MESSAGES)

    def _run(self) -> None:
        self.exit_code = self.system.run()

    def ask(self, actor: str, message: Message, timeout_s: float = 10.0) -> Message:
        return self.client.ask(actor, message, timeout_s)

    def who(self, actor: str) -> Myself:
        """Who answers for ``actor``, as soon as somebody does."""

        def look() -> Message:
            return self.client.ask(actor, WhoAreYou(), 2.0)

        found = eventually(look)
        assert isinstance(found, Myself)
        return found

    def node(self, name: str) -> NodeDescribed:
        return next(each for each in self.client.describe().nodes if each.name == name)

    def actor(self, name: str) -> ActorDescribed | None:
        for node in self.client.describe().nodes:
            for each in node.actors:
                if each.name == name:
                    return each
        return None

    def when(self, actor: str, holds: Callable[[ActorDescribed], object]) -> ActorDescribed:
        """How ``actor`` is, once ``holds`` says so of it."""

        def look() -> ActorDescribed | None:
            now = self.actor(actor)
            return now if now is not None and holds(now) else None

        return eventually(look)

    def kill(self, node: str, number: int = signal.SIGKILL) -> None:
        os.kill(self.node(node).pid, number)

    def wait(self) -> int:
        """The exit code, once the system has ended by itself."""
        self._thread.join(DEADLINE_S)
        assert self.exit_code is not None, "it still runs"
        return self.exit_code

    def stop(self) -> int:
        self.system.request_stop()
        return self.wait()

    def close(self) -> None:
        self.client.close()
        if self._thread.is_alive():
            self.system.request_stop()
            self._thread.join(DEADLINE_S)
        if self._thread.is_alive():
            self.system.request_stop()
            self._thread.join(DEADLINE_S)


SetStage = Callable[..., Stage]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[SetStage]:
    """Makes a stage of nodes; all are taken down at the end."""
    with contextlib.ExitStack() as stack:

        def make(*nodes: NodeSpec, **more: Any) -> Stage:
            run_dir = tmp_path / "run"
            system = System(name="test", nodes=nodes, messages=MESSAGES, run_dir=run_dir, **more)
            made = Stage(system, run_dir)
            stack.callback(made.close)
            return made

        yield make


def node(name: str, *children: ChildSpec, **more: Any) -> NodeSpec:
    """A node that pings often and restarts at once."""
    settings: dict[str, Any] = {
        "ping_interval_s": 0.05,
        "backoff_first_s": 0.0,
        "hang_after_s": 10.0,
    }
    return NodeSpec(name=name, children=children, **(settings | more))


def keeper(name: str, factory: str = "Keeper", **more: Any) -> ChildSpec:
    """An actor of the cast that restarts at once."""
    settings: dict[str, Any] = {"backoff_first_s": 0.0}
    return ChildSpec(name=name, factory=f"tests.runtime.cast:{factory}", **(settings | more))
