"""From the SIGKILL of a node to the next right answer, beside a restart of the whole daemon.

Prints JSON: for each node and for the alternative (kill and start everything, what one does
without supervision) the seconds until `signals` is answered again with lay prices of the
exchange account, the credits that it cost, and the memory of the whole system.

    python benchmarks/recovery.py --rounds 5
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kos.runtime import NodeDescribed
from kos.sandbox import Sandbox
from tests.system.conftest import MONTHLY_CREDITS, Daemon

NODES = ("feeds", "exchange", "engine", "ledger")


def memory_mb(daemon: Daemon) -> dict[str, float]:
    """Proportional set size of each process: shared pages are counted once in all."""
    pids = {"main": daemon.process.pid} | {n.name: n.pid for n in daemon.describe().nodes}
    found = {}
    for name, pid in pids.items():
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        pss_kb = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
        found[name] = round(int(pss_kb) / 1024, 1)
    return found | {"total": round(sum(found.values()), 1)}


def is_back(daemon: Daemon, before: NodeDescribed) -> bool:
    """The node's successor runs."""
    node = daemon.node(before.name)
    return node.incarnation > before.incarnation and node.state == "running"


def summary(seconds: list[float]) -> dict[str, float]:
    return {
        "median_s": round(statistics.median(seconds), 3),
        "least_s": round(min(seconds), 3),
        "most_s": round(max(seconds), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    result: dict[str, object] = {"rounds": rounds}
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS, calls_a_second=100) as sandbox,
    ):
        daemon = Daemon(sandbox, Path(folder))
        daemon.until(daemon.has_betfair_prices, "the first answer")
        result["cold_start_s"] = round(time.monotonic() - daemon.started_at, 3)
        answers: dict[str, list[float]] = {}
        respawns: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name in NODES:
                before = daemon.node(name)
                killed_at = time.monotonic()
                os.kill(before.pid, signal.SIGKILL)
                daemon.until(daemon.has_betfair_prices, f"an answer without {name}")
                # The engine is the one that answers: its first answer is its successor's.
                answers.setdefault(name, []).append(time.monotonic() - killed_at)
                daemon.until(partial(is_back, daemon, before), f"{name} runs again")
                respawns.setdefault(name, []).append(time.monotonic() - killed_at)
        result["kill_to_right_answer"] = {name: summary(found) for name, found in answers.items()}
        result["kill_to_node_running"] = {name: summary(found) for name, found in respawns.items()}
        result["memory_mb"] = memory_mb(daemon)
        whole = []
        for _ in range(rounds):
            killed_at = time.monotonic()
            daemon.process.kill()
            daemon.process.wait()
            while True:
                # The lock of the dead daemon's nodes goes with them.
                daemon = Daemon(sandbox, Path(folder))
                try:
                    daemon.until(daemon.has_betfair_prices, "an answer of the new daemon")
                    break
                except AssertionError:
                    continue
            whole.append(time.monotonic() - killed_at)
        result["alternative_whole_restart"] = summary(whole)
        daemon.stop()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
