"""What the doctor examines."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.doctor.patients import patient
from tests.service.beats import actor, node, system


def test_an_actor_is_found_in_whatever_process_it_runs(tmp_path: Path) -> None:
    silent = patient(tmp_path)
    assert silent.actor("bot") is None
    running = msgspec.structs.replace(
        silent,
        system=system(node("feeds", actor("sports")), node("web", actor("bot", pulse={"sent": 3}))),
    )
    assert running.actor("bot") == ("running", {"sent": 3})
    assert running.actor("exchange") is None
