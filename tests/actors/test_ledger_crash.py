"""The ledger's process killed at random moments under load: nothing acknowledged is lost.

Twenty kills here; ``KOS_LEDGER_KILLS=200 python -m pytest tests/actors/test_ledger_crash.py
--timeout 600`` is the long run.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import structlog

from kos.actors import ledger as ledger_actor
from kos.db import FILE_NAME, open_for_reading
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, Offer, Qualifying
from kos.messages import (
    MESSAGES,
    CommandRefused,
    FactRecorded,
    LedgerCommand,
    PutOffers,
    RecordFact,
)
from kos.runtime import Client, NodeSpec, RuntimeFault, System, connect
from kos.storage.ledger import Ledger
from kos.storage.portfolios import portfolio_of
from kos.storage.verify import verify

KILLS = int(os.environ.get("KOS_LEDGER_KILLS", "20"))
CLIENTS = 6
SEED = int(os.environ.get("KOS_LEDGER_SEED", "1"))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

OFFER = Offer(
    key="reload",
    bookmaker="coral",
    title="any bet, any time",
    is_once_only=False,
    qualifying=Qualifying(min_stake=100),
    bonuses=(Bonus(face=100),),
)


@dataclass
class Sender:
    """One client: says command after command, each until it is answered."""

    name: str
    client: Client
    stop: threading.Event
    answered: dict[str, FactRecorded | CommandRefused] = field(default_factory=dict)
    retries: int = 0
    failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._say(f.Joined(name=self.name))
            self._say(f.Opened(amount=1_000_000))
            self._say(f.Opened(amount=1_000_000, place=f.Place.BOOKMAKER, venue="coral"))
            self._say(f.MoneySent(place=f.Place.EXCHANGE, venue="betfair", amount=500_000))
            rnd = random.Random(self.name)
            number = 0
            while not self.stop.is_set():
                number += 1
                if rnd.random() < 0.4:
                    self._offer(f"o{number}")
                elif rnd.random() < 0.2:
                    self._say(f.Drawn(amount=10**9))
                else:
                    self._say(f.Opened(amount=rnd.randrange(1, 1000)))
        except BaseException as failure:
            self.failure = failure
            raise

    def _offer(self, instance: str) -> None:
        lay = f.Lay(
            bet="l", exchange="betfair", market=instance, selection="x", stake=100, odds=Decimal(2)
        )
        for fact in (
            f.DepositSent(offer="reload", amount=0),
            f.QualifierPlaced(back=f.Back(bet="q", stake=100, odds=Decimal(2)), lays=(lay,)),
            f.BetSettled(settled=f.Settlement(bet="q", result=f.Result.LOST)),
            f.BetSettled(settled=f.Settlement(bet="l", result=f.Result.WON, commission=2)),
            f.Abandoned(reason="enough"),
        ):
            self._say(fact, instance)

    def _say(self, fact: f.Fact, instance: str = "") -> None:
        command = RecordFact(
            command_id=f"{self.name}-{len(self.answered)}",
            by=self.name,
            occurred_at=NOON,
            participant=self.name,
            instance=instance,
            fact=fact,  # type: ignore[arg-type]
        )
        self.answered[command.command_id] = until_answered(self.client, command, self)


def until_answered(
    client: Client, command: LedgerCommand, sender: Sender | None = None
) -> FactRecorded | CommandRefused:
    while True:
        try:
            answer = client.ask("ledger", command, timeout_s=10)
        except RuntimeFault:
            if sender is not None:
                sender.retries += 1
            time.sleep(0.005)
            continue
        return answer  # type: ignore[return-value]  # or the checks at the end fail


def test_no_acknowledged_command_is_lost_or_doubled_by_kills(tmp_path: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    node = NodeSpec(
        name="ledger",
        children=(replace(ledger_actor.spec(tmp_path), backoff_first_s=0.0),),
        max_restarts=10 * KILLS,
        backoff_first_s=0.0,
        backoff_cap_s=0.05,
    )
    system = System(name="test", nodes=(node,), messages=MESSAGES, run_dir=tmp_path / "run")
    system.start()
    supervisor = threading.Thread(target=system.run)
    supervisor.start()
    rnd = random.Random(SEED)
    stop = threading.Event()
    try:
        with connect(tmp_path / "run", MESSAGES) as client:
            client.describe()
            until_answered(
                client,
                PutOffers(command_id="offers", by="ann", occurred_at=NOON, offers=(OFFER,)),
            )
            senders = [Sender(f"P{number}", client, stop) for number in range(CLIENTS)]
            threads = [threading.Thread(target=sender.run) for sender in senders]
            for thread in threads:
                thread.start()
            kill_often(client, senders, rnd)
            stop.set()
            for thread in threads:
                thread.join(30)
    finally:
        stop.set()
        system.request_stop()
        supervisor.join(30)
        structlog.reset_defaults()
    assert [sender.failure for sender in senders] == [None] * CLIENTS
    assert sum(sender.retries for sender in senders) > 0, "the kills were felt"
    everything_is_there_once(tmp_path / FILE_NAME, senders)


def kill_often(client: Client, senders: list[Sender], rnd: random.Random) -> None:
    killed: set[int] = set()
    while len(killed) < KILLS:
        answered = sum(len(sender.answered) for sender in senders)
        pid = client.describe().nodes[0].pid
        if not pid or pid in killed:
            time.sleep(0.002)
            continue
        # Let the new process answer somebody, then strike within its next hundred commits.
        deadline = time.monotonic() + 20
        while (
            sum(len(sender.answered) for sender in senders) == answered
            and time.monotonic() < deadline
        ):
            time.sleep(0.001)
        time.sleep(rnd.random() * 0.03)
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)


def everything_is_there_once(path: Path, senders: list[Sender]) -> None:
    ledger = Ledger(path)  # opens, recovers, and finds nothing acknowledged missing
    ledger.close()
    database = open_for_reading(path)
    try:
        assert verify(database, path).problems == ()
        for sender in senders:
            stored = dict(
                database.rows(
                    "SELECT command_id, kind FROM commands WHERE user_id = ?", (sender.name,)
                )
            )
            assert set(stored) == set(sender.answered)
            said = database.rows(
                "SELECT COUNT(*) FROM events WHERE user_id = ? GROUP BY sequence", (sender.name,)
            )
            recorded = [
                answer for answer in sender.answered.values() if isinstance(answer, FactRecorded)
            ]
            assert len(said) == len(recorded) > 0
            numbers = [answer.sequence for answer in recorded]
            assert len(set(numbers)) == len(numbers)
            entries = [number for answer in recorded for number in answer.transactions]
            assert entries == [
                number
                for (number,) in database.rows(
                    "SELECT transaction_id FROM transactions WHERE user_id = ? ORDER BY 1",
                    (sender.name,),
                )
            ]
            assert portfolio_of(database, sender.name).has_joined
    finally:
        database.close()
