"""Checks side by side: one that hangs or breaks costs a finding, not the rest."""

from __future__ import annotations

import threading

from kos.doctor.examine import Check, examine
from kos.doctor.finding import Level, ok


def test_findings_stand_in_the_order_of_the_checks_and_a_check_may_find_nothing() -> None:
    first_may_end = threading.Event()

    def slow() -> tuple[()]:
        assert first_may_end.wait(30)
        return ()

    def quick() -> tuple[object, ...]:
        first_may_end.set()
        return (ok("quick", "fine"), ok("quick", "twice"))

    checks = (
        Check("one", lambda: (ok("one", "fine"),)),
        Check("slow", slow),
        Check("quick", quick),  # type: ignore[arg-type]
    )
    assert [each.check for each in examine(checks, deadline_s=30)] == ["one", "quick", "quick"]


def test_a_check_that_hangs_or_breaks_is_a_failure_that_tells_no_foreign_text() -> None:
    forever = threading.Event()

    def hang() -> tuple[()]:
        forever.wait()
        return ()

    def broken() -> tuple[()]:
        raise ValueError("canary-7f3a9c")

    found = examine(
        (Check("hang", hang), Check("broken", broken), Check("fine", lambda: (ok("fine", "ok"),))),
        deadline_s=0.3,
    )
    forever.set()
    assert [(each.check, each.level) for each in found] == [
        ("hang", Level.FAILURE),
        ("broken", Level.FAILURE),
        ("fine", Level.OK),
    ]
    assert "canary" not in str(found)


def test_every_text_goes_through_the_redaction() -> None:
    (found,) = examine(
        (Check("one", lambda: (ok("one", "it is secret"),)),),
        redact=lambda text: text.replace("secret", "***"),
    )
    assert found.found == "it is ***"
