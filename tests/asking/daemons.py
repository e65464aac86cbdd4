"""A daemon in a process of its own, which a test can kill: ``python -m tests.asking.daemons``."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from kos.config.settings import RUN_DIR_NAME
from kos.messages import MESSAGES
from kos.runtime import ChildSpec, NodeSpec, System

READY = "ready\n"


class DaemonProcess:
    """A daemon that runs until the block ends, or until it is killed.

    Args:
        state_dir: Where it runs.
        has_desk: Whether it has a desk and a ledger, or only one actor that nobody asks.
    """

    def __init__(self, state_dir: Path, *, has_desk: bool = False) -> None:
        kind = "desk" if has_desk else "small"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.asking.daemons", str(state_dir), kind],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == READY:
                return
        raise AssertionError("it did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it in order."""
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        """Kill it; returns when all its nodes have gone as well."""
        self.process.kill()
        self.process.communicate(timeout=60)  # the nodes hold the same end of the pipe


def main(state_dir: Path, kind: str) -> None:
    """Run until standard input ends."""
    if kind == "desk":
        from tests.actors.test_desk import Daemon  # noqa: PLC0415 - the small one need not wait

        daemon = Daemon(state_dir)
        _wait()
        daemon.close()
        return
    bot = ChildSpec(name="bot", factory="tests.actors.neighbours:Screen")
    system = System(
        name=state_dir.name,
        nodes=(NodeSpec(name="screens", children=(bot,)),),
        messages=MESSAGES,
        run_dir=state_dir / RUN_DIR_NAME,
    )
    system.start()
    thread = threading.Thread(target=system.run)
    thread.start()
    _wait()
    system.request_stop()
    thread.join()


def _wait() -> None:
    sys.stdout.write(READY)
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
