"""What fifty open pages cost the pipeline: its freshness with and without them, in one run.

    python benchmarks/dashboard.py [--streams 50] [--seconds 20] [--rounds 2] [--out result.json]

A daemon polls the sandbox's 66 sport keys every few seconds. A client asks the scorer the same
small question again and again and notes, each time newer bookmaker prices have come into its
answer, how long ago they were fetched:

* ``freshness_ms``: from a poll's prices to the first answer that knows of them.
* ``answer_ms``: how long the scorer takes to answer.

Phases alternate (without streams, with streams, and so on), so that what else the machine does
weighs on both. With streams, each is a browser's: server-sent events of the same question, read
to the end. ``ratio`` is with over without, of the medians over all phases.
"""

# ruff: noqa: E402 - run as a script, it must find the package beside it first

from __future__ import annotations

import argparse
import http.client
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if __name__ == "__main__":
    sys.path.insert(0, ROOT)

from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.messages import GetOpportunities, OpportunitiesRanked
from kos.sandbox import Sandbox
from tests.system.conftest import MONTHLY_CREDITS, Daemon

QUESTION = GetOpportunities(query=OpportunityQuery(limit=1))
PAUSE_S = 0.01
START_S = 180.0


class Phase:
    """What one phase saw."""

    def __init__(self) -> None:
        self.freshness_ms: list[float] = []
        self.answer_ms: list[float] = []

    def measure(self, daemon: Daemon, seconds: float) -> None:
        """Ask for so long."""
        last: datetime | None = None
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            asked = time.perf_counter()
            answer = daemon.client().ask("scorer", QUESTION, timeout_s=10.0)
            self.answer_ms.append((time.perf_counter() - asked) * 1000)
            if not isinstance(answer, OpportunitiesRanked):
                raise TypeError(f"the scorer answered {type(answer).__name__}")
            newest = answer.last_quotes_at
            if newest is not None and last is not None and newest > last:
                self.freshness_ms.append((datetime.now(UTC) - newest).total_seconds() * 1000)
            last = newest
            time.sleep(PAUSE_S)


class Reader:
    """One browser's stream, read in a thread of its own."""

    def __init__(self, host: str) -> None:
        self.received = 0
        self._connection = http.client.HTTPConnection(host, timeout=60)
        self._connection.request("GET", "/opportunities/stream")
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise RuntimeError(self._answer.read().decode())
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while chunk := self._answer.readline():
                self.received += len(chunk)
        except (OSError, ValueError, AttributeError):
            pass  # closed from the other thread

    def close(self) -> None:
        """Go away, as a browser does."""
        if self._connection.sock is not None:
            self._connection.sock.close()
        self._connection.close()
        self._answer.close()


@contextmanager
def streams(host: str, count: int) -> Iterator[list[Reader]]:
    """So many browsers on the Opportunities page."""
    readers = [Reader(host) for _ in range(count)]
    try:
        yield readers
    finally:
        for reader in readers:
            reader.close()


def address_of(daemon: Daemon) -> str:
    """Host and port of the page; empty before it is open."""
    for actor in daemon.node("web").actors:
        if actor.name == "dashboard":
            return str(actor.pulse.get("address", "")).removeprefix("http://").rstrip("/")
    return ""


def summary(phases: list[Phase]) -> dict[str, float]:
    """The figures of phases of a kind."""
    freshness = [each for phase in phases for each in phase.freshness_ms]
    answers = [each for phase in phases for each in phase.answer_ms]
    return {
        "polls_seen": len(freshness),
        "freshness_ms_median": round(statistics.median(freshness), 2),
        "freshness_ms_p90": round(statistics.quantiles(freshness, n=10)[-1], 2),
        "answers": len(answers),
        "answer_ms_median": round(statistics.median(answers), 3),
    }


def run(count: int, seconds: float, rounds: int) -> dict[str, object]:
    """All phases on one daemon."""
    without: list[Phase] = []
    with_streams: list[Phase] = []
    received = 0
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sandbox = stack.enter_context(
            Sandbox(seed=7, credits_a_month=MONTHLY_CREDITS, calls_a_second=100)
        )
        daemon = Daemon(sandbox, Path(folder) / "state")
        stack.callback(daemon.stop)
        daemon.until(daemon.has_betfair_prices, "opportunities against Betfair", START_S)
        daemon.until(lambda: bool(address_of(daemon)), "the page's address", START_S)
        host = address_of(daemon)
        for _ in range(rounds):
            without.append(Phase())
            without[-1].measure(daemon, seconds)
            with streams(host, count) as readers:
                with_streams.append(Phase())
                with_streams[-1].measure(daemon, seconds)
                received += sum(reader.received for reader in readers)
    plain, watched = summary(without), summary(with_streams)
    return {
        "streams": count,
        "seconds": seconds,
        "rounds": rounds,
        "without": plain,
        "with": watched,
        "ratio": {
            "freshness": round(watched["freshness_ms_median"] / plain["freshness_ms_median"], 3),
            "answer": round(watched["answer_ms_median"] / plain["answer_ms_median"], 3),
        },
        "received_kb_per_stream_and_second": round(received / count / seconds / rounds / 1024, 1),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    text = json.dumps(run(asked.streams, asked.seconds, asked.rounds), indent=2)
    print(text)
    if asked.out is not None:
        asked.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
