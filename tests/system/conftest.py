"""The whole daemon as its own process, on a sandbox that the test can look into."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kos.domain.opportunities.opportunity import Opportunity, OpportunityQuery
from kos.messages import MESSAGES, GetOpportunities, OpportunitiesRanked
from kos.runtime import Client, NodeDescribed, RuntimeFault, SystemDescribed, connect
from kos.sandbox import Sandbox

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 120.0
"""Generous: a slow machine is no failure. benchmarks/recovery.py measures."""
POLL_S = 5.0
MONTHLY_CREDITS = 50_000_000


class Daemon:
    """One running daemon and its sandbox."""

    def __init__(self, sandbox: Sandbox, state_dir: Path, **environment: str) -> None:
        self.sandbox = sandbox
        self.state_dir = state_dir
        self.log = state_dir / "log.json"
        state_dir.mkdir(parents=True, exist_ok=True)
        at = sandbox.addresses
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("KOS_")
        } | {
            "KOS_CONFIG": str(state_dir / "absent.toml"),
            "KOS_SERVICE__STATE_DIR": str(state_dir),
            "KOS_SERVICE__IS_SIMULATED": "true",
            "KOS_SERVICE__HEARTBEAT_S": "0.5",
            "KOS_ODDS_API__URL": at.odds_api_url,
            "KOS_ODDS_API__KEY": at.api_key,
            "KOS_ODDS_API__MONTHLY_CREDITS": str(MONTHLY_CREDITS),
            "KOS_ODDS_API__MIN_INTERVAL_S": str(POLL_S),
            "KOS_BETFAIR__APP_KEY": at.betfair_app_key,
            "KOS_BETFAIR__USERNAME": at.betfair_username,
            "KOS_BETFAIR__PASSWORD": at.betfair_password,
            "KOS_BETFAIR__IDENTITY_URL": at.betfair_url,
            "KOS_BETFAIR__API_URL": at.betfair_url,
            "KOS_BETFAIR__CALL_SPACING_S": "0.1",
            "KOS_WEB__PORT": "0",
            **environment,
        }
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kos", "run"],
                cwd=REPOSITORY,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self._client: Client | None = None

    def client(self) -> Client:
        """A connection; made anew after the daemon itself was restarted."""
        if self._client is None:
            self._client = connect(self.state_dir / "run", MESSAGES)
        return self._client

    def until(
        self, is_reached: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S
    ) -> None:
        """Ask again and again until it holds; the daemon gives no outside event to wait for."""
        deadline = time.monotonic() + deadline_s
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the daemon ended:\n{self.tail()}"
            try:
                if is_reached():
                    return
            except RuntimeFault:
                pass
            time.sleep(0.02)
        pytest.fail(f"not reached in {deadline_s} s: {what}\n{self.tail()}")

    def opportunities(self, query: OpportunityQuery | None = None) -> OpportunitiesRanked:
        """One question to the scorer."""
        question = GetOpportunities(query=query or OpportunityQuery(limit=50))
        answer = self.client().ask("scorer", question, timeout_s=30.0)
        assert isinstance(answer, OpportunitiesRanked)
        return answer

    def against_betfair(self, limit: int = 300) -> tuple[Opportunity, ...]:
        """Opportunities whose lay was matched by name to a market of the exchange account."""
        found = self.opportunities(OpportunityQuery(limit=limit)).answer.opportunities
        return tuple(each for each in found if each.exchange == "betfair")

    def has_betfair_prices(self) -> bool:
        """The whole chain has worked: polled, matched, priced on the exchange, ranked."""
        return len(self.against_betfair()) >= 20

    def describe(self) -> SystemDescribed:
        """How the daemon is."""
        return self.client().describe()

    def node(self, name: str) -> NodeDescribed:
        """How one node is."""
        return next(node for node in self.describe().nodes if node.name == name)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the terminal with this daemon's settings."""
        return subprocess.run(
            [sys.executable, "-m", "kos", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def tail(self) -> str:
        """The end of the log, for a failure's report."""
        return "\n".join(self.log.read_text("utf-8").splitlines()[-15:])

    def stop(self) -> int:
        """End the daemon in order; its exit code."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that answers. Prices stand still, so that a shown price can be checked."""
    with Sandbox(
        seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS, calls_a_second=100
    ) as sandbox:
        running = Daemon(sandbox, tmp_path_factory.mktemp("daemon"))
        try:
            running.until(running.has_betfair_prices, "opportunities against Betfair")
            yield running
        finally:
            if running.process.poll() is None:
                running.stop()
