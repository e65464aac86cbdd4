"""Runs checks side by side, each under a deadline; no check holds up another."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from kos.doctor.finding import Finding, failure

CHECK_DEADLINE_S = 20.0
"""More than any single timeout inside a check, so that a check can say itself what was slow."""


class Check(msgspec.Struct, frozen=True):
    """One thing to look at."""

    name: str
    look: Callable[[], Sequence[Finding]]


def examine(
    checks: Sequence[Check],
    *,
    deadline_s: float = CHECK_DEADLINE_S,
    redact: Callable[[str], str] = str,
) -> tuple[Finding, ...]:
    """Every check's findings, in the order of the checks.

    Args:
        checks: Each runs in a thread of its own.
        deadline_s: One that has not ended by then is a finding too, and is left behind.
        redact: Goes over every text, as the last thing that happens to it.
    """
    done: queue.SimpleQueue[tuple[int, Sequence[Finding]]] = queue.SimpleQueue()

    def run(number: int, check: Check) -> None:
        done.put((number, _guarded(check)))

    for number, check in enumerate(checks):
        threading.Thread(
            target=run, args=(number, check), name=f"check {check.name}", daemon=True
        ).start()
    results: dict[int, Sequence[Finding]] = {}
    deadline = time.monotonic() + deadline_s
    while len(results) < len(checks):
        try:
            number, findings = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        results[number] = findings
    return tuple(
        Finding(finding.check, finding.level, redact(finding.found), redact(finding.remedy))
        for number, check in enumerate(checks)
        for finding in (results[number] if number in results else _late(check, deadline_s))
    )


def _guarded(check: Check) -> Sequence[Finding]:
    try:
        return check.look()
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding, not an end
        # The type alone: a foreign text may hold what no screen should show.
        broken = f"the check itself failed ({type(error).__name__})"
        return (failure(check.name, broken, "report this as a bug in KOS"),)


def _late(check: Check, deadline_s: float) -> Sequence[Finding]:
    result = f"no result within {deadline_s:g} seconds"
    remedy = "try again; if it keeps happening, the service is not responding"
    return (failure(check.name, result, remedy),)
