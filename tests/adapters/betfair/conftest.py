"""A running fake, and clients that speak to it without waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from kos.adapters.betfair.client import BetfairClient
from kos.adapters.betfair.session import BetfairSession, Credentials
from kos.adapters.http import HttpRemote
from tests.adapters.betfair.server import APP_KEY, PASSWORD, USERNAME, FakeBetfair, running
from tests.adapters.loopback import FakeTime


@pytest.fixture
def fake() -> Iterator[FakeBetfair]:
    with running(FakeBetfair()) as server:
        yield server


@dataclass
class Desk:
    """All that a test speaks with."""

    fake: FakeBetfair
    remote: HttpRemote
    time: FakeTime
    session: BetfairSession
    client: BetfairClient
    others: list[HttpRemote] = field(default_factory=list)

    def client_with(self, *, depth: int = 3, password: str = PASSWORD) -> BetfairClient:
        session = BetfairSession(
            Credentials(USERNAME, password, APP_KEY), self.remote, clock=self.time.clock
        )
        return BetfairClient(
            self.remote, session, depth=depth, clock=self.time.clock, sleep=self.time.sleep
        )


@pytest.fixture
def desk(fake: FakeBetfair) -> Iterator[Desk]:
    time = FakeTime()
    remote = HttpRemote("betfair", fake.url, clock=time.clock, sleep=time.sleep)
    session = BetfairSession(Credentials(USERNAME, PASSWORD, APP_KEY), remote, clock=time.clock)
    client = BetfairClient(remote, session, clock=time.clock, sleep=time.sleep)
    yield Desk(fake, remote, time, session, client)
    remote.close()
