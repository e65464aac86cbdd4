"""Peers of the desk in their simplest form, and people who talk to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from kos.asking import Asker
from kos.db import open_for_reading
from kos.desk import Desk, Premises
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.scoring import ScoringRules
from kos.domain.people.conversation import Answer, Person, Promise, Seat
from kos.errors import InvalidInput
from kos.messages import (
    CommandRecorded,
    DutchesRanked,
    GetDutches,
    GetOpportunities,
    GetOpportunity,
    GetOutbox,
    GetSignalKeys,
    LedgerCommand,
    OperatorAnswered,
    OperatorSaid,
    OpportunitiesRanked,
    OpportunityDescribed,
    OutboxListed,
    QueryRefused,
    SetPerson,
    SignalKeysListed,
)
from kos.runtime import Message, NoSuchActor
from kos.storage.answers import answer
from kos.storage.ledger import Ledger
from tests import builders as b

NOW = b.NOW


class Clock:
    """A clock that stands until it is told."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class LedgerPeer:
    """The real ledger on a real file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.clock = clock
        self.path = path
        self.ledger = Ledger(path, now=clock)
        self.reader = open_for_reading(path)
        self.commands: list[LedgerCommand] = []

    def close(self) -> None:
        self.reader.close()
        self.ledger.close()

    def __call__(self, message: Message) -> Message:
        if isinstance(message, LedgerCommand):
            self.commands.append(message)
            return self.ledger.execute([message])[0]
        return answer(self.reader, self.path, message, self.clock())

    @property
    def promises(self) -> list[Promise]:
        """What waits in the outbox, in the order it was promised."""
        listed = self(GetOutbox(limit=500))
        assert isinstance(listed, OutboxListed)
        return [each.promise for each in sorted(listed.entries, key=lambda each: each.entry_id)]


class ScorerPeer:
    """A real market picture with a few events."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.picture = MarketSnapshot(ScoringRules())
        self.asked: list[GetOpportunities] = []

    def __call__(self, message: Message) -> Message:
        try:
            return self._answer(message)
        except InvalidInput as error:
            return QueryRefused(reason=str(error))

    def _answer(self, message: Message) -> Message:
        now = self.clock()
        match message:
            case GetOpportunities():
                self.asked.append(message)
                return OpportunitiesRanked(
                    answer=self.picture.best(message.query, now),
                    last_quotes_at=NOW,
                    is_simulated=True,
                )
            case GetOpportunity():
                return OpportunityDescribed(
                    state=self.picture.standing(message.opportunity_id, message.query, now),
                    last_quotes_at=NOW,
                    is_simulated=True,
                )
            case GetDutches():
                return DutchesRanked(
                    answer=self.picture.dutches(message.query, now),
                    last_quotes_at=NOW,
                    is_simulated=True,
                )
            case GetSignalKeys():
                return SignalKeysListed(keys=self.picture.keys(now))
            case _:
                raise TypeError(type(message).__name__)


Peer = Callable[[Message], Message]


class Building:
    """A desk with its peers, and the people who talk to it."""

    def __init__(self, folder: Path, **premises: object) -> None:
        self.clock = Clock()
        self.ledger = LedgerPeer(folder / "ledger.db", self.clock)
        self.scorer = ScorerPeer(self.clock)
        self.peers: dict[str, Peer] = {"ledger": self.ledger, "scorer": self.scorer}
        self.told: list[tuple[str, Message]] = []
        self._numbers = itertools.count(1)
        self.premises = premises
        self.start()

    def start(self) -> None:
        """The desk, anew: what it knew is gone."""
        self.desk = Desk(
            Asker(self._ask, self._tell, patience_s=0.2),
            Premises(version="1.2.3", clock=self.clock, **self.premises),  # type: ignore[arg-type]
            admins=("telegram:1",),
            operators=("telegram:2",),
        )

    def close(self) -> None:
        self.ledger.close()

    def _ask(self, actor: str, message: Message, _timeout_s: float) -> Message:
        peer = self.peers.get(actor)
        if peer is None:
            raise NoSuchActor(actor)
        return peer(message)

    def _tell(self, actor: str, message: Message) -> None:
        self.told.append((actor, message))

    def said(self, text: str, user: str = "terminal:ann", *, pressed: str = "") -> OperatorSaid:
        """A new word of a person."""
        return OperatorSaid(
            said_id=f"{user}:{next(self._numbers)}",
            user=user,
            name="Ann",
            chat=user,
            text=text,
            pressed=pressed,
            message_id=77 if pressed else 0,
            said_at=self.clock(),
        )

    def hear(self, text: str, user: str = "terminal:ann") -> OperatorAnswered:
        return self.desk.hear(self.said(text, user))

    def press(self, data: str, user: str = "terminal:ann") -> OperatorAnswered:
        return self.desk.hear(self.said("", user, pressed=data))

    def text(self, text: str, user: str = "terminal:ann") -> str:
        """What is answered, as one text."""
        return "\n".join(text_of(each) for each in self.hear(text, user).answers)

    def seat(self, user: str, seat: Seat, participant: str = "", *, is_active: bool = True) -> None:
        """Make somebody a person of the ledger."""
        person = Person(
            user=user, name=user, seat=seat, participant=participant, is_active=is_active
        )
        told = self.ledger(
            SetPerson(
                command_id=f"seat-{next(self._numbers)}",
                by="test",
                occurred_at=self.clock(),
                person=person,
            )
        )
        assert isinstance(told, CommandRecorded), told


def text_of(told: Answer) -> str:
    return "".join(span.text for span in told.spans)


def labels(told: Answer) -> list[str]:
    return [each.label for row in told.buttons for each in row]


def data_of(told: Answer, label: str) -> str:
    """The data of the only button of this label, or whose label begins so."""
    each = [one for row in told.buttons for one in row]
    found = [one.data for one in each if one.label == label]
    found = found or [one.data for one in each if one.label.startswith(label)]
    (data,) = found
    return data


def fill_scorer(scorer: ScorerPeer, *, events: int = 6) -> None:
    """Events at two bookmakers with a lay at an exchange of the feed."""
    quotes = []
    for number in range(events):
        home, away = f"Leeds {number}", f"York {number}"
        back = Decimal("2.5") + Decimal(number) / 10
        quotes.append(
            b.event(
                b.bookmaker("coral", b.quotes_market({home: back, away: "3.0"}), title="Coral"),
                b.bookmaker(
                    "paddypower", b.quotes_market({home: "2.4", away: "3.1"}), title="Paddy Power"
                ),
                b.bookmaker(
                    "smarkets",
                    b.quotes_market({home: "2.4", away: "2.9"}),
                    b.quotes_market(
                        {home: back + Decimal("0.1"), away: "3.2"},
                        key="h2h_lay",
                        limits={home: 200, away: 90},
                    ),
                ),
                id=f"e{number}",
                sport_key="tennis_atp" if number % 2 else "basketball_nba",
                home=home,
                away=away,
                kickoff=NOW + timedelta(minutes=60 + 10 * number),
            )
        )
    for key in ("tennis_atp", "basketball_nba"):
        scorer.picture.apply_quotes(key, [each for each in quotes if each.sport_key == key], NOW)
