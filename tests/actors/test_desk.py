"""The desk's actor between a real ledger, a real budget and a market that the test sets."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from kos.actors import budget, desk, ledger
from kos.config.settings import OddsApiSettings
from kos.domain.offers import facts as f
from kos.domain.people.conversation import Answer
from kos.messages import (
    MESSAGES,
    BudgetDescribed,
    CreditsGranted,
    CreditsRefused,
    FactRecorded,
    GetBudget,
    GetMenu,
    GetOutbox,
    LedgerCommand,
    MenuDescribed,
    OperatorAnswered,
    OperatorSaid,
    OutboxListed,
    PutOffers,
    QuotesFetched,
    RecordFact,
    RequestCredits,
    ServerCountersRead,
)
from kos.runtime import (
    ActorFailed,
    ChildSpec,
    Client,
    Message,
    NodeSpec,
    RuntimeFault,
    System,
    connect,
)
from tests import builders as b
from tests.actors.market import MarketArgs
from tests.desk.offices import data_of, text_of
from tests.domain.offers.offer_stories import OFFERS

pytestmark = [pytest.mark.timeout(180)]

PATIENCE_S = 45.0
ADMIN = "terminal:ann"


class Daemon:
    """The desk with its neighbours, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        args = desk.DeskArgs(is_simulated=True, recheck_credits=1, admins=(1,), operators=(2,))
        self.system = System(
            name="test",
            nodes=(
                NodeSpec(name="ledger", children=(ledger.spec(folder),)),
                NodeSpec(
                    name="market",
                    children=(
                        ChildSpec(
                            name="scorer", factory="tests.actors.market:Market", args=MarketArgs()
                        ),
                        ChildSpec(
                            name="fetcher.tennis_atp",
                            factory="tests.actors.neighbours:GatedFetcher",
                            args=str(folder),
                        ),
                        ChildSpec(name="bot", factory="tests.actors.neighbours:Screen"),
                    ),
                ),
                NodeSpec(
                    name="feeds",
                    children=(budget.spec(budget.BudgetArgs(odds_api=OddsApiSettings())),),
                    backoff_first_s=0.0,
                ),
                NodeSpec(name="desk", children=(desk.spec(args),), backoff_first_s=0.0),
            ),
            messages=MESSAGES,
            run_dir=folder / "run",
        )
        self.system.start()
        self._thread = threading.Thread(target=self.system.run)
        self._thread.start()
        self.client: Client = connect(folder / "run", MESSAGES)

    def close(self) -> None:
        self.client.close()
        self.system.request_stop()
        self._thread.join(PATIENCE_S)

    def ask(self, actor: str, message: Message) -> Message:
        """Ask until it is answered: what is asked here may be asked again."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.client.ask(actor, message, PATIENCE_S)
            except ActorFailed:
                raise
            except RuntimeFault:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def until(self, is_reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_reached():
            assert time.monotonic() < deadline, "not reached"
            time.sleep(0.02)

    def hear(self, said: OperatorSaid, by: str = "desk") -> OperatorAnswered:
        told = self.ask(by, said)
        assert isinstance(told, OperatorAnswered)
        return told

    def say(self, text: str, user: str = ADMIN, pressed: str = "") -> OperatorAnswered:
        return self.hear(word(text, user, pressed))

    def kill(self, name: str) -> None:
        """Kill a node and wait until its successor runs."""
        before = self.node(name)
        os.kill(before[0], signal.SIGKILL)
        self.until(lambda: self.node(name)[1] > before[1] and self.node(name)[2] == "running")

    def node(self, name: str) -> tuple[int, int, str]:
        found = next(each for each in self.client.describe().nodes if each.name == name)
        return found.pid, found.incarnation, found.state

    def promised(self) -> list[Answer]:
        told = self.ask("ledger", GetOutbox(limit=100))
        assert isinstance(told, OutboxListed)
        return [each.promise.answer for each in told.entries]


def word(text: str, user: str = ADMIN, pressed: str = "") -> OperatorSaid:
    return OperatorSaid(
        said_id=f"{user}:{uuid4().hex}",
        user=user,
        name="Ann",
        chat=user,
        text=text,
        pressed=pressed,
        said_at=datetime.now(UTC),
    )


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    made = Daemon(tmp_path_factory.mktemp("desk"))
    try:
        commands: list[LedgerCommand] = [
            PutOffers(command_id="offers", by="t", occurred_at=datetime.now(UTC), offers=OFFERS)
        ]
        commands += [
            RecordFact(
                command_id=f"set-up-{number}",
                by="t",
                occurred_at=datetime.now(UTC),
                participant="ann",
                fact=fact,  # type: ignore[arg-type]
            )
            for number, fact in enumerate((f.Joined(name="Ann"), f.Opened(amount=50_000)))
        ]
        for command in commands:
            assert isinstance(made.ask("ledger", command), Message)
        yield made
    finally:
        made.close()


def test_signals_come_from_the_scorers_memory(daemon: Daemon) -> None:
    now = datetime.now(UTC)
    quotes = b.event(
        b.bookmaker("coral", b.quotes_market({"Ann": "2.5", "Bea": "3"}, updated_at=now)),
        b.bookmaker(
            "smarkets",
            b.quotes_market({"Ann": "2.6", "Bea": "3.2"}, key="h2h_lay", updated_at=now),
        ),
        sport_key="tennis_atp",
        home="Ann",
        away="Bea",
        kickoff=now + timedelta(hours=2),
    )
    fetched = QuotesFetched(sport_key="tennis_atp", events=(quotes,), fetched_at=now)
    daemon.ask("scorer", fetched)
    shown = text_of(daemon.say("/qualifier_coral").answers[0])
    assert "Ann v Bea" in shown


def test_a_slow_command_holds_up_nobody_not_even_its_own_asker(daemon: Daemon) -> None:
    asked = daemon.say("/recheck tennis_atp").answers[0]
    press = word("", pressed=data_of(asked, "Use 1 credit"))
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(daemon.hear, press)
        daemon.until((daemon.folder / "asked-1").exists)
        assert "KOS" in text_of(daemon.say("/version").answers[0])
        assert "KOS" in text_of(daemon.say("/version", "telegram:1").answers[0])
        assert not slow.done()
        (daemon.folder / "gate").touch()
        assert "asked 1 times" in text_of(slow.result(PATIENCE_S).answers[0])
    assert "asked 1 times" in text_of(daemon.hear(press).answers[0])
    assert not (daemon.folder / "asked-2").exists()


def test_a_dialogue_outlives_the_desks_process(daemon: Daemon) -> None:
    daemon.say("/start_offer ann settle", "telegram:1")
    answer = word("0", "telegram:1")
    daemon.hear(answer)
    assert "Start “settle” for ann?" in text_of(daemon.promised()[-1])
    count = len(daemon.promised())
    daemon.kill("desk")
    daemon.hear(answer)
    assert len(daemon.promised()) == count
    pressed = word("", "telegram:1", data_of(daemon.promised()[-1], "Start"))
    assert daemon.hear(pressed).notice == "recorded"
    daemon.kill("desk")
    assert daemon.hear(pressed).answers == ()
    daemon.kill("ledger")
    assert len(daemon.promised()) == count + 1
    assert "Offer started." in text_of(daemon.promised()[-1])
    again = daemon.say("", "telegram:1", pressed.pressed)
    assert (again.notice, again.is_refused) == ("Already done.", True)


def test_a_fact_recorded_before_the_desk_died_is_not_recorded_again(daemon: Daemon) -> None:
    """What a crash between the fact and its conclusion leaves: the fact alone, under its id."""
    start = word("/start_offer ann place amount=0")
    data = data_of(daemon.hear(start).answers[0], "Start")
    pressed = word("", pressed=data)
    instance = text_of(daemon.hear(start).answers[0]).partition(", offer ")[2].split()[0]
    half = RecordFact(
        command_id=f"{pressed.said_id}:1",
        by=ADMIN,
        occurred_at=datetime.now(UTC),
        participant="ann",
        instance=instance,
        fact=f.DepositSent(offer="place", amount=0, is_instant=True),
        source=f.Source.TERMINAL,
        expected_version=0,
    )
    first = daemon.ask("ledger", half)
    assert isinstance(first, FactRecorded)
    assert "Offer started." in text_of(daemon.hear(pressed).answers[0])
    assert "Step 1: deposit sent" in text_of(daemon.say(f"/offer ann {instance}").answers[0])


def test_a_screen_speaks_only_for_its_own_people(daemon: Daemon) -> None:
    assert daemon.hear(word("/version", "telegram:1"), by="bot").answers
    with pytest.raises(ActorFailed, match="cannot send commands for"):
        daemon.hear(word("/version", ADMIN), by="bot")


def test_the_settings_seats_are_told_by_number(daemon: Daemon) -> None:
    for user, lines in (("telegram:1", True), ("telegram:2", True), ("telegram:3", False)):
        menu = daemon.ask("desk", GetMenu(user=user))
        assert isinstance(menu, MenuDescribed)
        assert bool(menu.lines) == lines
    assert daemon.say("/people", "telegram:2").is_refused
    assert daemon.say("/people", "telegram:3").is_stranger


def test_a_pause_spends_nothing_and_outlives_every_restart(daemon: Daemon) -> None:
    request = RequestCredits(sport_key="tennis_atp", cost=1)
    with suppress(ActorFailed):  # a word that is told, not asked
        daemon.ask("budget", ServerCountersRead(used=0, remaining=500))
    daemon.until(lambda: isinstance(daemon.ask("budget", request), CreditsGranted))
    assert "Paused" in text_of(daemon.say("/pause").answers[0])

    def paused() -> bool:
        told = daemon.ask("budget", GetBudget())
        assert isinstance(told, BudgetDescribed)
        return told.is_paused

    daemon.until(paused)
    daemon.kill("feeds")
    daemon.until(paused)
    other = RequestCredits(sport_key="soccer_epl", cost=1, is_on_demand=True)
    with suppress(ActorFailed):
        daemon.ask("budget", ServerCountersRead(used=0, remaining=500))
    told = daemon.ask("budget", other)
    assert isinstance(told, CreditsRefused)
    assert "paused" in told.reason
    assert "Resumed" in text_of(daemon.say("/resume").answers[0])
    daemon.until(lambda: not paused())
    daemon.until(lambda: isinstance(daemon.ask("budget", other), CreditsGranted))
