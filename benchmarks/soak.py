"""Does KOS run for months? The real daemon for a simulated day, and what it does to the machine.

    python benchmarks/soak.py [--hours 24] [--speed 60] [--warm-up 6] [--out report.json]

What a speed of 60 means. The sandbox's *world* runs at 60 times the speed of real time: fixtures
are announced, drift, kick off and end, and prices wander, 60 times as fast; what the sandbox
prints is converted, so that the daemon, whose own clock is the wall's, sees kickoffs approach
and pass at that pace. A simulated day takes 24 minutes. The daemon's *settings* that are times
are divided by the speed: a sport key is polled every ten simulated minutes (10 s of the wall),
the list of sports every simulated hour, exchange prices live four simulated minutes. What is no
setting keeps the wall's pace: timers inside the actors, pings, the heartbeat, the folding of
repeats. So what is shown by a simulated day is the turnover of a day (events, markets, polls,
commits, log lines, answers), in a process that has lived for 24 minutes.

While it runs, questions are asked each second, metrics are scraped and the heartbeat judged.
Every ten seconds, each process's memory (PSS and RSS), open files and threads are noted.

It is broken, and the exit code 1, when after the warm-up

* the memory of a process grows by more than 5 % (medians of the first and the last fifth of
  what follows the warm-up; PSS, where the kernel tells it, else RSS),
* a process always has more open files in the last fifth than it ever had in the first (a leak
  raises the least; a connection that comes and goes does not),
* a warning or worse was logged that :data:`EXPLAINED` does not explain,
* a process was started again, a question was not answered, or the daemon did not stop in order.

The report is JSON on standard output; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # the sandbox's process imports this file by name
    ROOT = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(ROOT))
    os.environ["PYTHONPATH"] = str(ROOT)

from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.messages import MESSAGES, GetOpportunities
from kos.observability.vocabulary import LEVELS
from kos.runtime import Client, RuntimeFault, connect
from kos.sandbox import start_process
from kos.sandbox.server import Addresses
from kos.service.heartbeat import Heartbeat, read

EXPLAINED: dict[str, str] = {}
"""Event to the reason why a soak may log it."""

LIMIT = 0.05
_SAMPLE_S = 10.0
_ASK_S = 1.0
_START_S = 60.0
_STOP_S = 30.0
_CREDITS = 1_000_000_000


def environment(state_dir: Path, at: Addresses, speed: float) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KOS_")}
    return kept | {
        "KOS_CONFIG": str(state_dir / "absent.toml"),
        "KOS_SERVICE__STATE_DIR": str(state_dir),
        "KOS_SERVICE__IS_SIMULATED": "true",
        "KOS_METRICS__IS_ENABLED": "true",
        "KOS_METRICS__PORT": "0",
        "KOS_ODDS_API__URL": at.odds_api_url,
        "KOS_ODDS_API__KEY": at.api_key,
        "KOS_ODDS_API__MONTHLY_CREDITS": str(_CREDITS),
        "KOS_ODDS_API__MIN_INTERVAL_S": str(600 / speed),
        "KOS_ODDS_API__SPORTS_INTERVAL_S": str(max(1.0, 3600 / speed)),
        "KOS_BETFAIR__APP_KEY": at.betfair_app_key,
        "KOS_BETFAIR__USERNAME": at.betfair_username,
        "KOS_BETFAIR__PASSWORD": at.betfair_password,
        "KOS_BETFAIR__IDENTITY_URL": at.betfair_url,
        "KOS_BETFAIR__API_URL": at.betfair_url,
        "KOS_BETFAIR__PRICE_TTL_S": str(240 / speed),
        "KOS_BETFAIR__CALL_SPACING_S": "0.1",
    }


class Sample:
    """What one process takes of the machine at one moment."""

    def __init__(self, pid: int) -> None:
        folder = Path(f"/proc/{pid}")
        self.fds = len(list((folder / "fd").iterdir()))
        status = dict(
            line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines()
        )
        self.rss_kb = int(status["VmRSS"].split()[0])
        self.threads = int(status["Threads"])
        try:
            rollup = (folder / "smaps_rollup").read_text("utf-8")
            pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
            self.pss_kb = int(pss.split()[1])
        except OSError:
            self.pss_kb = self.rss_kb


class Soak:
    """One daemon under watch."""

    def __init__(self, state_dir: Path, at: Addresses, speed: float) -> None:
        self.state_dir = state_dir
        self.log = state_dir / "stdout.json"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kos", "run"],
                env=environment(state_dir, at, speed),
                stdout=log,
                stderr=log,
            )
        self.samples: dict[str, list[tuple[float, Sample]]] = {}
        self.beats: list[tuple[float, Heartbeat]] = []
        self.problems: list[str] = []
        self.questions = 0
        self.slowest_s = 0.0
        self.scrapes = 0
        self.client: Client | None = None

    def begin(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                beat = read(self.state_dir / "heartbeat.json")
                if beat.sports and all(sport.fetched_at for sport in beat.sports):
                    self.client = connect(self.state_dir / "run", MESSAGES)
                    return
            except (OSError, RuntimeFault):
                pass
            time.sleep(0.2)
        raise SystemExit(f"the daemon did not start:\n{self.log.read_text('utf-8')[-4000:]}")

    def ask(self) -> None:
        assert self.client is not None  # noqa: S101 - made by begin()
        began = time.monotonic()
        try:
            question = GetOpportunities(query=OpportunityQuery(limit=50))
            self.client.ask("scorer", question, timeout_s=10.0)
        except RuntimeFault as fault:
            self.problems.append(f"a question was not answered: {fault}")
        self.questions += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def sample(self, at_s: float) -> None:
        beat = read(self.state_dir / "heartbeat.json")
        self.beats.append((at_s, beat))
        with urllib.request.urlopen(beat.metrics_address, timeout=10) as answer:  # noqa: S310
            self.scrapes += len(answer.read()) > 0
        pids = {"main": beat.pid} | {node.name: node.pid for node in beat.system.nodes if node.pid}
        for name, pid in pids.items():
            try:
                self.samples.setdefault(name, []).append((at_s, Sample(pid)))
            except OSError:
                self.problems.append(f"process {name} is gone at {at_s:.0f} s")

    def end(self) -> None:
        if self.client is not None:
            self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
            self.problems.append(f"the daemon did not stop within {_STOP_S:.0f} s")
        if code:
            self.problems.append(f"the daemon ended with exit code {code}")


def growth(samples: list[tuple[float, Sample]], warm_s: float) -> dict[str, Any]:
    """First and last fifth of what follows the warm-up."""
    rest = [sample for at_s, sample in samples if at_s >= warm_s]
    share = max(1, len(rest) // 5)
    first, last = rest[:share], rest[-share:]

    def median(part: list[Sample], name: str) -> float:
        return float(statistics.median(getattr(sample, name) for sample in part))

    before, after = median(first, "pss_kb"), median(last, "pss_kb")
    return {
        "pss_mb": [round(before / 1024, 1), round(after / 1024, 1)],
        "pss_most_mb": round(max(sample.pss_kb for sample in rest) / 1024, 1),
        "rss_mb": [
            round(median(first, "rss_kb") / 1024, 1),
            round(median(last, "rss_kb") / 1024, 1),
        ],
        "growth": round(after / before - 1, 4),
        "fds": [max(each.fds for each in first), min(each.fds for each in last)],
        "fds_most": max(sample.fds for sample in rest),
        "threads": [max(each.threads for each in first), max(each.threads for each in last)],
        "samples": len(rest),
    }


def log_report(log: Path, hours: float) -> tuple[dict[str, Any], list[str]]:
    """What was logged, and which of it nobody can explain."""
    by_event: Counter[str] = Counter()
    grave: Counter[str] = Counter()
    examples: dict[str, dict[str, Any]] = {}
    strange = 0
    text = log.read_bytes()
    for raw in text.splitlines():
        try:
            line = json.loads(raw)
        except ValueError:
            strange += 1
            continue
        by_event[line["event"]] += 1
        if LEVELS.index(line["level"]) >= LEVELS.index("warning"):
            grave[line["event"]] += line.get("repeats", 1)
            examples.setdefault(line["event"], line)
    problems = [
        f"{event} was logged {count} times, such as {json.dumps(examples[event])[:400]}"
        for event, count in grave.items()
        if event not in EXPLAINED
    ]
    if strange:
        problems.append(f"{strange} lines of the log are not JSON")
    report = {
        "lines": sum(by_event.values()),
        "bytes": len(text),
        "bytes_per_simulated_hour": round(len(text) / hours),
        "by_event": dict(by_event.most_common()),
        "warnings": dict(grave),
    }
    return report, problems


def run(hours: float, speed: float, warm_up: float, state_dir: Path) -> dict[str, Any]:
    length_s, warm_s = hours * 3600 / speed, warm_up * 3600 / speed
    with start_process(seed=7, speed=speed, credits_a_month=_CREDITS) as sandbox:
        soak = Soak(state_dir, sandbox.addresses, speed)
        try:
            soak.begin()
            watch(soak, length_s, speed)
        finally:
            soak.end()
    processes = {name: growth(samples, warm_s) for name, samples in soak.samples.items()}
    logged, unexplained = log_report(soak.log, hours)
    problems = soak.problems + unexplained
    for name, found in processes.items():
        if found["growth"] > LIMIT:
            problems.append(f"memory of {name} grew by {found['growth']:.1%}")
        if found["fds"][1] > found["fds"][0]:
            problems.append(
                f"open files of {name} grew from {found['fds'][0]} to {found['fds'][1]}"
            )
    first, last = soak.beats[0][1], soak.beats[-1][1]
    for node in last.system.nodes:
        if node.restarts or any(actor.restarts for actor in node.actors):
            problems.append(f"node {node.name} or one of its actors was started again")
    database = last.database
    return {
        "is_sound": not problems,
        "problems": problems,
        "simulated_hours": hours,
        "speed": speed,
        "warm_up_hours": warm_up,
        "processes": processes,
        "log": logged,
        "events": [sum(sport.events for sport in beat.sports) for beat in (first, last)],
        "sport_keys": [len(first.sports), len(last.sports)],
        "questions": soak.questions,
        "slowest_answer_ms": round(soak.slowest_s * 1000, 1),
        "scrapes": soak.scrapes,
        "credits_used": last.credits.used if last.credits else None,
        "ledger_entries": database.sequence if database else None,
        "database_mb": round(database.size_bytes / 1e6, 1) if database else None,
    }


def watch(soak: Soak, length_s: float, speed: float) -> None:
    began = time.monotonic()
    next_sample = 0.0
    while (at_s := time.monotonic() - began) < length_s:
        if soak.process.poll() is not None:
            soak.problems.append(f"the daemon ended by itself after {at_s:.0f} s")
            return
        soak.ask()
        if at_s >= next_sample:
            soak.sample(at_s)
            next_sample += _SAMPLE_S
            pss = {name: each[-1][1].pss_kb // 1024 for name, each in soak.samples.items()}
            events = sum(sport.events for sport in soak.beats[-1][1].sports)
            shown = f"{at_s * speed / 3600:5.1f} h  {events} events  MB {pss}"
            print(shown, file=sys.stderr, flush=True)
        time.sleep(max(0.0, _ASK_S - (time.monotonic() - began - at_s)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours")
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=6.0, help="simulated hours")
    parser.add_argument("--out", type=Path, help="also write the report there")
    parser.add_argument("--state-dir", type=Path, help="keep state and log there")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of the daemon's stop
    if given.warm_up >= given.hours:
        parser.error("--warm-up must be shorter than --hours")
    with tempfile.TemporaryDirectory() as folder:
        state_dir = given.state_dir or Path(folder)
        state_dir.mkdir(parents=True, exist_ok=True)
        report = run(given.hours, given.speed, given.warm_up, state_dir)
    text = json.dumps(report, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", "utf-8")
    sys.exit(0 if report["is_sound"] else 1)


if __name__ == "__main__":
    main()
