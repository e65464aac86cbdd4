"""Tells, asks and restarts between two processes: KOS's runtime beside its peers.

    python benchmarks/runtime.py [--rounds 3] [--scale 1.0] [--out result.json]

Each round measures every system once, in turn, so that a mood of the machine meets all alike;
the figures are medians over the rounds. A small message is a typed quote of about 200 bytes, a
large one a typed snapshot of 410 quotes, about 100 KB. Ray and Thespian are left out when they
are not installed. ``tells_per_s`` counts messages that were received and counted on the other
side; ``ask_p50_us`` and ``ask_p99_us`` are for one request and its answer, one at a time;
``restart_ms`` goes from SIGKILL to the first answer of the restarted actor, for a caller that
asks again and again.
"""

# ruff: noqa: PLC0415, S101 - peers are optional; an answer of another kind ends the run

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import platform
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # other processes import this file by name, so it must have one
    ROOT = str(Path(__file__).resolve().parent.parent)
    sys.path.insert(0, ROOT)
    os.environ["PYTHONPATH"] = ROOT

import msgspec
import structlog

from kos.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    MailboxFull,
    Message,
    NodeSpec,
    RuntimeFault,
    System,
    connect,
)


class Quote(Message, frozen=True, kw_only=True):
    """A small message."""

    event: str
    home: str
    away: str
    market: str
    runner: str
    bookmaker: str
    odds: float
    seen_at: float
    number: int


class Snapshot(Message, frozen=True, kw_only=True):
    """A large one."""

    quotes: tuple[Quote, ...]


class Taken(Message, frozen=True, kw_only=True):
    """How many messages were told so far, and by which process."""

    count: int = 0
    pid: int = 0


class Measure(Message, frozen=True, kw_only=True):
    """To the driver: measure tells or asks of ``what``."""

    how: str
    what: str
    times: int


class Measured(Message, frozen=True, kw_only=True):
    """Messages a second, or microseconds of each ask."""

    rate: float = 0.0
    micros: tuple[float, ...] = ()


MESSAGES: tuple[type[Message], ...] = (Quote, Snapshot, Taken, Measure, Measured)


def quote(number: int = 0) -> Quote:
    return Quote(
        event="3f0c1c6c2f6d4d0e8f7a9b1c5d2e4f60",
        home="Brighton and Hove Albion",
        away="Wolverhampton Wanderers",
        market="match odds",
        runner="Brighton and Hove Albion",
        bookmaker="williamhill",
        odds=2.42,
        seen_at=1767225600.25,
        number=number,
    )


PAYLOADS: dict[str, Message] = {
    "small": quote(),
    "large": Snapshot(quotes=tuple(quote(number) for number in range(410))),
}


def timed_asks(ask: Callable[[], object], times: int) -> list[float]:
    """Microseconds of each of ``times`` asks, after a few to warm up."""
    for _ in range(min(20, times)):
        ask()
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - before) * 1e6)
    return taken


# --- KOS -------------------------------------------------------------------------------------


class Receiver(Actor):
    """Counts what it is told, and gives back what it is asked."""

    count = 0

    def receive(self, message: Message) -> Message | None:
        if isinstance(message, Taken):
            return Taken(count=self.count, pid=os.getpid())
        if self.context.is_asked():
            return message
        self.count += 1
        return None


class Driver(Actor):
    """Measures from inside a node, as one actor would meet another."""

    def receive(self, message: Message) -> Message | None:
        if not isinstance(message, Measure):
            return None
        ref, payload = self.context.ref("receiver"), PAYLOADS[message.what]
        if message.how == "ask":
            return Measured(micros=tuple(timed_asks(lambda: ref.ask(payload, 10), message.times)))
        return Measured(rate=tell_rate(ref, payload, message.times))


def tell_rate(ref: ActorRef, payload: Message, times: int) -> float:
    """Messages a second, all of them received."""
    start = taken(ref)
    before = time.perf_counter()
    for _ in range(times):
        while True:
            try:
                ref.tell(payload)
            except MailboxFull:  # the way is full: wait for it, as a producer would
                time.sleep(0.0005)
            else:
                break
    while taken(ref) < start + times:
        time.sleep(0.0005)
    return times / (time.perf_counter() - before)


def taken(ref: ActorRef) -> int:
    answer = ref.ask(Taken(), 30)
    assert isinstance(answer, Taken)
    return answer.count


def quiet(_node: str, _args: object) -> None:
    """The nodes' setup: their logs are not what is measured."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


@contextlib.contextmanager
def kos_system() -> Iterator[Any]:
    module = "benchmarks.runtime"
    with tempfile.TemporaryDirectory() as folder:
        system = System(
            name="benchmark",
            nodes=(
                NodeSpec(
                    name="two",
                    children=(
                        ChildSpec(
                            name="receiver",
                            factory=f"{module}:Receiver",
                            mailbox_capacity=10_000_000,
                        ),
                    ),
                    backoff_first_s=0.0,
                    max_restarts=1000,
                ),
                NodeSpec(
                    name="one", children=(ChildSpec(name="driver", factory=f"{module}:Driver"),)
                ),
            ),
            messages=MESSAGES,
            run_dir=Path(folder),
            setup=f"{module}:quiet",
        )
        quiet("", None)
        system.start()
        thread = threading.Thread(target=system.run)
        thread.start()
        try:
            with connect(Path(folder), MESSAGES) as client:
                yield client
        finally:
            system.request_stop()
            thread.join()


def kos(scale: float) -> dict[str, Any]:
    with kos_system() as client:

        def measure(how: str, what: str, times: int) -> Measured:
            asked = Measure(how=how, what=what, times=max(1, int(times * scale)))
            answer = client.ask("driver", asked, 120)
            assert isinstance(answer, Measured)
            return answer

        return {
            "small": {
                "tells_per_s": measure("tell", "small", 200_000).rate,
                **latency(list(measure("ask", "small", 3000).micros)),
            },
            "large": {
                "tells_per_s": measure("tell", "large", 2000).rate,
                **latency(list(measure("ask", "large", 400).micros)),
            },
            "restart_ms": statistics.median(kos_restart(client) for _ in range(5)),
        }


def kos_restart(client: Any) -> float:
    pid = client.ask("receiver", Taken(), 10).pid
    before = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    while True:
        try:
            if client.ask("receiver", Taken(), 10).pid != pid:
                return (time.perf_counter() - before) * 1000
        except RuntimeFault:
            time.sleep(0.001)


def latency(micros: list[float]) -> dict[str, float]:
    ordered = sorted(micros)
    return {
        "ask_p50_us": ordered[len(ordered) // 2],
        "ask_p99_us": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
    }


# --- multiprocessing.Pipe --------------------------------------------------------------------


def pipe_child(connection: Connection) -> None:
    """Decodes each message; gives back asks, and the count at the end of tells."""
    decoder = msgspec.msgpack.Decoder(Quote | Snapshot)
    encoder = msgspec.msgpack.Encoder()
    count = 0
    with contextlib.suppress(EOFError):
        while True:
            data = connection.recv_bytes()
            if data[:1] == b"?":
                connection.send_bytes(encoder.encode(decoder.decode(data[1:])))
            elif data[:1] == b"#":
                connection.send_bytes(str(count).encode())
            else:
                decoder.decode(data[1:])
                count += 1


def pipe(scale: float) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=True)
    child = context.Process(target=pipe_child, args=(theirs,))
    child.start()
    theirs.close()
    encoder = msgspec.msgpack.Encoder()
    decoder = msgspec.msgpack.Decoder(Quote | Snapshot)
    found: dict[str, Any] = {}

    def count() -> int:
        ours.send_bytes(b"#")
        return int(ours.recv_bytes())

    def ask(payload: Message) -> object:
        ours.send_bytes(b"?" + encoder.encode(payload))
        return decoder.decode(ours.recv_bytes())

    for what, tells, asks in (("small", 100_000, 3000), ("large", 2000, 400)):
        payload, times = PAYLOADS[what], max(1, int(tells * scale))
        start, before = count(), time.perf_counter()
        for _ in range(times):
            ours.send_bytes(b"!" + encoder.encode(payload))
        assert count() == start + times
        rate = times / (time.perf_counter() - before)
        micros = timed_asks(lambda payload=payload: ask(payload), max(1, int(asks * scale)))  # type: ignore[misc]
        found[what] = {"tells_per_s": rate, **latency(micros)}
    ours.close()
    child.join()
    return found | {"restart_ms": None}


# --- Ray -------------------------------------------------------------------------------------


class Counter:
    """What Ray hosts: the same work, in Ray's own manner."""

    def __init__(self) -> None:
        self.count = 0

    def tell(self, _message: object) -> None:
        self.count += 1

    def ask(self, message: object) -> object:
        return message

    def taken(self) -> tuple[int, int]:
        return self.count, os.getpid()


def ray_actors(scale: float) -> dict[str, Any]:
    import ray

    if not ray.is_initialized():
        ray.init(num_cpus=2, include_dashboard=False, logging_level=40, log_to_driver=False)
    remote: Any = ray.remote(max_restarts=-1)(Counter)
    actor = remote.remote()
    found: dict[str, Any] = {}
    for what, tells, asks in (("small", 4000, 500), ("large", 500, 100)):
        payload, times = PAYLOADS[what], max(1, int(tells * scale))
        start, before = ray.get(actor.taken.remote())[0], time.perf_counter()
        for _ in range(times):
            actor.tell.remote(payload)
        assert ray.get(actor.taken.remote())[0] == start + times
        rate = times / (time.perf_counter() - before)
        micros = timed_asks(
            lambda payload=payload: ray.get(actor.ask.remote(payload)),  # type: ignore[misc]
            max(1, int(asks * scale)),
        )
        found[what] = {"tells_per_s": rate, **latency(micros)}
    pid = ray.get(actor.taken.remote())[1]
    before = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    while True:
        with contextlib.suppress(ray.exceptions.RayError):
            if ray.get(actor.taken.remote())[1] != pid:
                break
        time.sleep(0.001)
    found["restart_ms"] = (time.perf_counter() - before) * 1000
    ray.kill(actor)
    return found


# --- Thespian --------------------------------------------------------------------------------


def thespian_actors(scale: float) -> dict[str, Any]:
    from thespian.actors import ActorSystem

    from benchmarks.thespian_counter import ThespianCounter

    system = ActorSystem("multiprocTCPBase", logDefs={"version": 1})
    found: dict[str, Any] = {}
    try:
        actor = system.createActor(ThespianCounter)
        for what, tells, asks in (("small", 2000, 500), ("large", 300, 100)):
            payload, times = PAYLOADS[what], max(1, int(tells * scale))
            start, before = system.ask(actor, "taken", 10), time.perf_counter()
            for _ in range(times):
                system.tell(actor, payload)
            while system.ask(actor, "taken", 10) < start + times:
                time.sleep(0.001)
            rate = times / (time.perf_counter() - before)
            micros = timed_asks(
                lambda payload=payload: system.ask(actor, ("ask", payload), 10),  # type: ignore[misc]
                max(1, int(asks * scale)),
            )
            found[what] = {"tells_per_s": rate, **latency(micros)}
    finally:
        system.shutdown()
    return found | {"restart_ms": None}


# --- the run ---------------------------------------------------------------------------------


def available() -> dict[str, Callable[[float], dict[str, Any]]]:
    systems: dict[str, Callable[[float], dict[str, Any]]] = {
        "kos": kos,
        "multiprocessing.Pipe": pipe,
    }
    with contextlib.suppress(ImportError):
        import ray  # noqa: F401

        systems["ray"] = ray_actors
    with contextlib.suppress(ImportError):
        import thespian.actors  # noqa: F401

        systems["thespian"] = thespian_actors
    return systems


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    def middle(pick: Callable[[dict[str, Any]], float | None]) -> float | None:
        values = [value for each in rounds if (value := pick(each)) is not None]
        return round(statistics.median(values), 1) if values else None

    found: dict[str, Any] = {
        size: {
            key: middle(lambda each, size=size, key=key: each[size][key])  # type: ignore[misc]
            for key in ("tells_per_s", "ask_p50_us", "ask_p99_us")
        }
        for size in ("small", "large")
    }
    found["restart_ms"] = middle(lambda each: each["restart_ms"])
    return found


def ratios(results: dict[str, Any]) -> dict[str, Any]:
    """How many times KOS's figure is better than each peer's; below 1 it is worse."""
    ours, found = results["kos"], {}
    for name, theirs in results.items():
        if name != "kos":
            found[name] = {
                size: {
                    "tells": round(ours[size]["tells_per_s"] / theirs[size]["tells_per_s"], 2),
                    "ask": round(theirs[size]["ask_p50_us"] / ours[size]["ask_p50_us"], 2),
                }
                for size in ("small", "large")
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="shorter below 1")
    parser.add_argument("--only", nargs="*", help="systems to measure")
    parser.add_argument("--out", type=Path, help="also write the JSON there")
    given = parser.parse_args()
    rounds: dict[str, list[dict[str, Any]]] = {}
    for _ in range(given.rounds):
        for name, measure in available().items():
            if not given.only or name in given.only:
                rounds.setdefault(name, []).append(measure(given.scale))
    results = {name: medians(each) for name, each in rounds.items()}
    encoder = msgspec.msgpack.Encoder()
    report = {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "rounds": given.rounds,
        "bytes": {name: len(encoder.encode(each)) for name, each in PAYLOADS.items()},
        "results": results,
        "kos_is_better_by": ratios(results) if "kos" in results else {},
    }
    text = json.dumps(report, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    from benchmarks.runtime import main as run

    run()
