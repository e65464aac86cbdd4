"""Peers of the desk in their simplest form, and people who talk to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from kos.db import open_for_reading
from kos.desk import Desk, Office, Premises
from kos.domain.conversation import Action, Answer, Kept, Outcome, Person, Promise, Seat
from kos.domain.picture import MarketPicture
from kos.domain.score import ScoringRules
from kos.errors import InvalidInput
from kos.messages import (
    AcceptInvitation,
    ActionDescribed,
    CommandRecorded,
    CommandRefused,
    Conclude,
    ConclusionDescribed,
    GetAction,
    GetConclusion,
    GetKept,
    GetOpportunities,
    GetPeople,
    KeptListed,
    LedgerCommand,
    OperatorAnswered,
    OperatorSaid,
    OpportunitiesRanked,
    PeopleListed,
    PersonSeated,
    PutInvitation,
    QueryRefused,
    SetPerson,
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
    """The real books in a real file, and what people said in memory."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.clock = clock
        self.path = path
        self.ledger = Ledger(path, now=clock)
        self.reader = open_for_reading(path)
        self.people: dict[str, Person] = {}
        self.invitations: dict[str, PutInvitation] = {}
        self.kept: dict[tuple[str, str], Kept] = {}
        self.actions: dict[str, Action] = {}
        self.promises: list[Promise] = []
        self.outcomes: dict[int, Outcome] = {}
        self.commands: list[LedgerCommand] = []
        self._answers: dict[str, tuple[LedgerCommand, Message]] = {}
        self._sequence = itertools.count(1)

    def close(self) -> None:
        self.reader.close()
        self.ledger.close()

    def __call__(self, message: Message) -> Message:  # noqa: PLR0911 - one line a question
        match message:
            case SetPerson() | PutInvitation() | AcceptInvitation() | Conclude():
                return self._once(message)
            case LedgerCommand():
                self.commands.append(message)
                return self.ledger.execute([message])[0]
            case GetPeople():
                return PeopleListed(people=tuple(self.people.values()))
            case GetConclusion():
                return ConclusionDescribed(is_concluded=message.said_id in self._answers)
            case GetAction():
                return ActionDescribed(action=self.actions.get(message.action_id))
            case GetKept():
                return KeptListed(
                    kept=tuple(
                        each
                        for (owner, name), each in sorted(self.kept.items())
                        if message.owner in {"", owner}
                        and name.startswith(message.prefix)
                        and (each.expires_at is None or each.expires_at > self.clock())
                    )
                )
            case _:
                return answer(self.reader, self.path, message, self.clock())

    def _once(self, command: LedgerCommand) -> Message:
        known = self._answers.get(command.command_id)
        if known is not None:
            if _said(known[0]) != _said(command):
                return CommandRefused(command_id=command.command_id, reason="used for another")
            return known[1]
        told = self._carry_out(command)
        self._answers[command.command_id] = (command, told)
        self.commands.append(command)
        return told

    def _carry_out(self, command: LedgerCommand) -> Message:
        name, number = command.command_id, next(self._sequence)
        match command:
            case SetPerson():
                self.people[command.person.user] = command.person
            case PutInvitation():
                self.invitations[command.code_digest] = command
            case AcceptInvitation():
                found = self.invitations.pop(command.code_digest, None)
                if found is None or found.expires_at <= self.clock():
                    return CommandRefused(command_id=name, reason="no such invitation")
                person = Person(
                    user=command.user,
                    name=command.name,
                    seat=found.seat,
                    participant=found.participant,
                )
                self.people[person.user] = person
                return PersonSeated(command_id=name, sequence=number, person=person)
            case Conclude():
                if any(self.actions[each].used_at for each in command.used):
                    return CommandRefused(command_id=name, reason="a button is used already")
                self._conclude(command)
        return CommandRecorded(command_id=name, sequence=number)

    def _conclude(self, command: Conclude) -> None:
        for kept in command.kept:
            if kept.value:
                self.kept[kept.owner, kept.name] = kept
            else:
                self.kept.pop((kept.owner, kept.name), None)
        for action in command.actions:
            assert action.action_id not in self.actions
            self.actions[action.action_id] = action
        for used in command.used:
            self.actions[used] = msgspec.structs.replace(self.actions[used], used_at=self.clock())
        self.promises += command.promises


def _said(command: LedgerCommand) -> LedgerCommand:
    return msgspec.structs.replace(command, by="", occurred_at=NOW)


class ScorerPeer:
    """A real market picture with a few events."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.picture = MarketPicture(ScoringRules())
        self.asked: list[GetOpportunities] = []

    def __call__(self, message: Message) -> Message:
        if not isinstance(message, GetOpportunities):
            raise TypeError(type(message).__name__)
        self.asked.append(message)
        try:
            ranked = self.picture.best(message.query, self.clock())
        except InvalidInput as error:
            return QueryRefused(reason=str(error))
        return OpportunitiesRanked(answer=ranked, last_quotes_at=NOW, is_simulated=True)


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
        office = Office(self._ask, self._tell, self.clock)
        self.desk = Desk(
            office,
            Premises(version="1.2.3", **self.premises),  # type: ignore[arg-type]
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

    def seat(self, user: str, seat: Seat, participant: str = "") -> None:
        self.ledger.people[user] = Person(user=user, name=user, seat=seat, participant=participant)


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
