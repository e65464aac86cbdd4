"""What the daemon tells beside its log: the heartbeat, the metrics, the ping."""

from __future__ import annotations

import queue
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from kos.config.settings import HeartbeatSettings, MetricsSettings, Secret, Settings
from kos.errors import InvalidSettings
from kos.service.dead_mans_switch import Pinger
from kos.service.health import HealthState
from kos.service.heartbeat import read
from kos.service.status_publisher import StatusPublisher
from tests.service.beats import system


class Watcher:
    """Someone who notices when the calls cease."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.status = 200
        watcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(watcher.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                watcher.calls.put(self.path)

            def log_message(self, *_: object) -> None:
                """Not on the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ping/canary-uuid?from=kos"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    watcher.server.shutdown()
    watcher.server.server_close()
    watcher.thread.join(30)


def test_the_address_is_called_while_kos_is_not_failed(watcher: Watcher) -> None:
    pinger = Pinger(watcher.url, 0.01)
    pinger.start()
    for state in (HealthState.OK, HealthState.DEGRADED, HealthState.OK):
        pinger.take(state)
        assert watcher.calls.get(timeout=30) == "/ping/canary-uuid?from=kos"
    pinger.stop()


def test_the_address_is_not_called_of_a_failed_kos(watcher: Watcher) -> None:
    pinger = Pinger(watcher.url, 0.01)
    pinger.start()
    pinger.take(HealthState.FAILED)
    pinger.stop()
    pinger.join(30)
    assert watcher.calls.empty()


def test_a_refused_call_is_logged_without_the_address_and_tried_again(
    watcher: Watcher, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher.status = 404
    pinger = Pinger(watcher.url, 0.01)
    pinger.start()
    for _ in range(2):
        pinger.take(HealthState.OK)
        watcher.calls.get(timeout=30)
    pinger.stop()
    pinger.join(30)
    told = capsys.readouterr().out
    assert "heartbeat.not_sent" in told
    assert "canary" not in told


def test_what_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(InvalidSettings, match="ping_url"):
        Pinger("canary-uuid", 60)


def test_one_description_makes_the_file_and_the_scrape(tmp_path: Path) -> None:
    replace = msgspec.structs.replace
    settings = replace(Settings(), metrics=MetricsSettings(is_enabled=True, port=0))
    telling = StatusPublisher(settings, tmp_path)
    telling.tell(system())
    telling.tell(system())
    beat = read(tmp_path / "heartbeat.json")
    with urllib.request.urlopen(beat.metrics_address, timeout=30) as answer:
        assert b"kos_credits_left 300.0" in answer.read()
    telling.stop()


def test_a_full_disk_keeps_nothing_else_from_being_told(tmp_path: Path, watcher: Watcher) -> None:
    settings = msgspec.structs.replace(
        Settings(), heartbeat=HeartbeatSettings(ping_url=Secret(watcher.url))
    )
    telling = StatusPublisher(settings, tmp_path / "gone")
    with pytest.raises(OSError, match="gone"):
        telling.tell(system())
    assert watcher.calls.get(timeout=30)
    telling.stop()
