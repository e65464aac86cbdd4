"""The address that watches KOS hears from it while it is not failed, and is not told otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from kos.service.dead_mans_switch import Pinger
from kos.service.health import HealthState
from tests.adapters.loopback import Handler, Loopback, loopback

DEADLINE_S = 30.0


class Watcher:
    """Counts the calls that arrive."""

    def __init__(self) -> None:
        self.calls = threading.Semaphore(0)

    def __call__(self, handler: Handler) -> None:
        handler.say(200, b"OK")
        self.calls.release()

    def is_called(self, within_s: float = DEADLINE_S) -> bool:
        return self.calls.acquire(timeout=within_s)


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def server(watcher: Watcher) -> Iterator[Loopback]:
    with loopback(watcher) as running:
        yield running


def test_it_is_called_for_each_sign_of_life_and_not_while_failed(
    server: Loopback, watcher: Watcher
) -> None:
    pinger = Pinger(f"{server.url}/ping/s3cret?x=1", 0.0)
    pinger.start()
    pinger.take(HealthState.FAILED)
    assert not watcher.is_called(0.2), "a daemon that has failed from the start is silent"
    pinger.take(HealthState.DEGRADED)
    assert watcher.is_called()
    pinger.take(HealthState.OK)
    assert watcher.is_called()
    assert {seen.path for seen in server.seen} == {"/ping/s3cret?x=1"}
    pinger.stop()
    pinger.join(DEADLINE_S)
    pinger.take(HealthState.OK)
    assert not watcher.is_called(0.1), "none after it was stopped"


def test_stopped_before_any_news_it_ends_without_a_call(server: Loopback) -> None:
    pinger = Pinger(server.url, 3600.0)
    pinger.start()
    pinger.stop()
    pinger.join(DEADLINE_S)
    assert not pinger._thread.is_alive()
    assert server.seen == []
