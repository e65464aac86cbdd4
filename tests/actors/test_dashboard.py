"""The page's actor: a port in other hands is named and tried again, and nothing else minds."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kos.actors import dashboard
from kos.config.settings import Settings, WebSettings
from kos.messages import MESSAGES
from kos.runtime import NodeSpec, System

DEADLINE_S = 60.0


def pulse(system: System) -> dict[str, str | int | float]:
    """What the dashboard tells about itself."""
    for node in system.describe().nodes:
        for actor in node.actors:
            if actor.name == "dashboard":
                return actor.pulse
    return {}


def eventually(is_reached: Callable[[], bool]) -> None:
    """Wait for what no event tells of."""
    waiting = threading.Event()
    for _ in range(int(DEADLINE_S / 0.05)):
        if is_reached():
            return
        waiting.wait(0.05)
    raise AssertionError("not reached")


@pytest.mark.timeout(400)
def test_a_taken_port_is_named_and_had_as_soon_as_it_is_free(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = msgspec.structs.replace(Settings(), web=WebSettings(port=port))
        system = System(
            name="test",
            nodes=(NodeSpec(name="web", children=(dashboard.spec(settings),)),),
            messages=MESSAGES,
            run_dir=tmp_path / "run",
        )
        system.start()
        supervisor = threading.Thread(target=system.run)
        supervisor.start()
        try:
            eventually(lambda: "in use by another program" in str(pulse(system).get("problem", "")))
            other.close()
            eventually(lambda: pulse(system).get("address") == f"http://127.0.0.1:{port}/")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
                assert answer.read() == b"ok\n"
        finally:
            system.request_stop()
            supervisor.join(DEADLINE_S)
        assert not supervisor.is_alive()
