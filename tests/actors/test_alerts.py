"""The alerts actor between a real ledger and a market that the test sets."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kos.actors import alerts, ledger
from kos.domain.market.quotes import EventQuotes
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, Offer, Qualifying, Trigger
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.people.alerts import PREFERENCES, RULES, AlertRule, Measure, Preferences
from kos.domain.people.conversation import Kept, OutboxEntry, Person, PromiseOutcome, Seat
from kos.messages import (
    MESSAGES,
    CommandRecorded,
    Conclude,
    FactRecorded,
    GetOutbox,
    LedgerCommand,
    MarkDelivered,
    OutboxListed,
    PutOffers,
    QuotesFetched,
    RecordFact,
    SetPerson,
    Tick,
)
from kos.runtime import ChildSpec, Client, Message, NodeSpec, RuntimeFault, System, connect
from tests import builders as b
from tests.actors.market import MarketArgs

ANN, BOB = "telegram:1", "telegram:2"
PATIENCE_S = 45.0


class Desk:
    """The system of a ledger, a market and the alerts, with what a test does to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)
        self.system = self._system()
        self.system.start()
        self._thread = threading.Thread(target=self.system.run)
        self._thread.start()
        self.client: Client = connect(folder / "run", MESSAGES)

    def _system(self) -> System:
        people = (Person(user=ANN, name="Ann", seat=Seat.ADMIN),)
        return System(
            name="test",
            nodes=(
                NodeSpec(name="ledger", children=(ledger.spec(self.folder),)),
                NodeSpec(
                    name="market",
                    children=(
                        ChildSpec(
                            name="scorer", factory="tests.actors.market:Market", args=MarketArgs()
                        ),
                    ),
                ),
                NodeSpec(
                    name="desk",
                    children=(alerts.spec(alerts.AlertsArgs(people=people, look_every_s=0.05)),),
                    backoff_first_s=0.0,
                ),
            ),
            messages=MESSAGES,
            run_dir=self.folder / "run",
        )

    def close(self) -> None:
        self.client.close()
        self.system.request_stop()
        self._thread.join(PATIENCE_S)

    def do(self, command: LedgerCommand) -> Message:
        answer = self.client.ask("ledger", command, 10)
        assert isinstance(answer, CommandRecorded | FactRecorded), answer
        return answer

    def keep(self, owner: str, name: str, value: msgspec.Struct | None) -> None:
        text = "" if value is None else msgspec.json.encode(value).decode()
        self.do(
            Conclude(
                command_id=f"keep:{next(self.numbers)}",
                by="test",
                occurred_at=datetime.now(UTC),
                kept=(Kept(owner=owner, name=name, value=text),),
            )
        )

    def rule(self, user: str = ANN, **more: object) -> None:
        rule = AlertRule(
            rule_id=1,
            query=OpportunityQuery(bookmaker="coral"),
            measure=Measure.RATING,
            threshold=Decimal(95),
        )
        self.keep(user, f"{RULES}1", msgspec.structs.replace(rule, **more))

    def quotes(self, *events: EventQuotes) -> None:
        now = datetime.now(UTC)
        quotes = QuotesFetched(sport_key="basketball_nba", events=events, fetched_at=now)
        assert self.client.ask("scorer", quotes, 10) == quotes

    def outbox(self) -> tuple[OutboxEntry, ...]:
        answer = self.client.ask("ledger", GetOutbox(), 10)
        assert isinstance(answer, OutboxListed)
        return answer.entries

    def until(self, found: Callable[[tuple[OutboxEntry, ...]], object], what: str) -> OutboxEntry:
        """The outbox tells nobody of the test: asked again and again."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            entries = self.outbox()
            if found(entries):
                return entries[-1]
            time.sleep(0.02)
        raise AssertionError(f"{what}: {self.outbox()}")

    def deliver(self, entry: OutboxEntry) -> None:
        self.do(
            MarkDelivered(
                command_id=f"deliver:{entry.entry_id}",
                by="bot",
                occurred_at=datetime.now(UTC),
                entry_id=entry.entry_id,
                outcome=PromiseOutcome.SENT,
                message_id=entry.entry_id + 100,
            )
        )

    def looks(self, times: int = 4) -> None:
        """Let it look some more."""

        def handled() -> int:
            nodes = self.client.describe().nodes
            return next(a.handled for n in nodes for a in n.actors if a.name == "alerts")

        start, deadline = handled(), time.monotonic() + PATIENCE_S
        while handled() < start + times:
            assert time.monotonic() < deadline, "it does not look"
            time.sleep(0.02)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def event(back: str = "2.5", number: int = 1) -> EventQuotes:
    now = datetime.now(UTC)
    home, away = f"Leeds {number}", f"York {number}"
    lay = b.quotes_market({home: "2.54", away: "3.3"}, "h2h_lay", now, {home: 500, away: 500})
    return b.event(
        b.bookmaker("coral", b.quotes_market({home: back, away: "3.0"}, updated_at=now)),
        b.bookmaker("smarkets", b.quotes_market({home: "2.4", away: "2.9"}, updated_at=now), lay),
        id=f"e{number}",
        sport_key="basketball_nba",
        home=home,
        away=away,
        kickoff=now + timedelta(hours=3),
    )


def text_of(entry: OutboxEntry) -> str:
    return "".join(span.text for span in entry.promise.answer.spans)


def test_an_opportunity_is_promised_once_to_whom_it_interests(desk: Desk) -> None:
    desk.rule()
    desk.quotes(event())
    entry = desk.until(lambda entries: len(entries) == 1, "promised")
    assert entry.promise.chat == ANN
    assert entry.promise.topic
    assert "Leeds 1 v York 1" in text_of(entry)
    assert "Coral 2.50" in text_of(entry)
    desk.deliver(entry)
    desk.quotes(event("2.6"))
    desk.looks()
    assert desk.outbox() == ()


def test_after_a_crash_nothing_is_said_twice_and_nothing_is_lost(desk: Desk) -> None:
    desk.rule()
    desk.quotes(event())
    entry = desk.until(lambda entries: len(entries) == 1, "promised")
    node = next(each for each in desk.client.describe().nodes if each.name == "desk")
    os.kill(node.pid, signal.SIGKILL)
    desk.until(lambda _: _is_back(desk, node.pid), "back")
    desk.looks()
    about_leeds = [each for each in desk.outbox() if "Leeds" in text_of(each)]
    assert [each.entry_id for each in about_leeds] == [entry.entry_id]


def _is_back(desk: Desk, old_pid: int) -> bool:
    node = next(each for each in desk.client.describe().nodes if each.name == "desk")
    return node.state == "running" and node.pid != old_pid


def test_quiet_hours_hold_it_and_a_pause_silences_it(desk: Desk) -> None:
    desk.keep("kos", "pause", Preferences())
    desk.rule()
    desk.quotes(event())
    desk.looks()
    assert desk.outbox() == ()
    muted = Preferences(muted_until=datetime.now(UTC) + timedelta(hours=1))
    desk.keep(ANN, PREFERENCES, muted)
    desk.keep("kos", "pause", None)
    desk.looks()
    assert desk.outbox() == ()
    desk.keep(ANN, PREFERENCES, Preferences())
    desk.quotes(event(number=2))
    entry = desk.until(lambda entries: len(entries) == 1, "told again")
    assert "Leeds 2" in text_of(entry)


def test_people_of_the_ledger_are_told_and_those_who_left_are_not(desk: Desk) -> None:
    def seat(*, is_active: bool) -> None:
        person = Person(user=BOB, name="Bob", seat=Seat.OPERATOR, is_active=is_active)
        desk.do(
            SetPerson(
                command_id=f"bob:{is_active}",
                by="test",
                occurred_at=datetime.now(UTC),
                person=person,
            )
        )

    seat(is_active=True)
    desk.rule(BOB)
    desk.quotes(event())
    entry = desk.until(lambda entries: len(entries) == 1, "promised")
    assert entry.promise.chat == BOB
    desk.deliver(entry)
    seat(is_active=False)
    desk.looks()
    desk.quotes(event(number=2))
    desk.looks()
    assert desk.outbox() == ()


def test_an_unhedged_bet_near_kickoff_is_told_to_the_admin(desk: Desk) -> None:
    now = datetime.now(UTC)
    offer = Offer(
        key="c",
        bookmaker="coral",
        title="Bet 10 get 10",
        is_once_only=False,
        qualifying=Qualifying(min_stake=500, min_odds=Decimal("1.5")),
        trigger=Trigger.SETTLEMENT,
        is_credited_at_once=False,
        bonuses=(Bonus(face=1000),),
    )
    desk.do(PutOffers(command_id="offers", by="t", occurred_at=now, offers=(offer,)))
    bet = f.Back(bet="q", stake=1000, odds=Decimal("2.5"), kickoff=now + timedelta(minutes=30))
    facts: tuple[tuple[str, f.Fact], ...] = (
        ("", f.Joined(name="Ann")),
        ("", f.Opened(amount=100_000)),
        ("c1", f.DepositSent(offer="c", amount=1000, is_instant=True)),
        ("c1", f.QualifierPlaced(back=bet)),
    )
    for number, (instance, fact) in enumerate(facts):
        desk.do(
            RecordFact(
                command_id=f"fact:{number}",
                by="t",
                occurred_at=now,
                participant="ann",
                instance=instance,
                fact=fact,  # type: ignore[arg-type]  # each may be recorded
            )
        )
    entry = desk.until(lambda entries: len(entries) == 1, "told")
    assert "bet q at Coral is " in text_of(entry)
    assert "/offer c1" in text_of(entry)


def test_a_restart_is_told_to_admins_once(desk: Desk) -> None:
    desk.looks(2)
    with pytest.raises(RuntimeFault):
        desk.client.ask("scorer", Tick(what="fail"), 10)
    entry = desk.until(lambda entries: len(entries) == 1, "told")
    assert "scorer failed and was restarted" in text_of(entry)
    desk.looks()
    assert len(desk.outbox()) == 1
