"""Short ways to say what the desk leaves in a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kos.domain.people.conversation import (
    Action,
    Answer,
    Kept,
    Person,
    Promise,
    PromiseOutcome,
    Seat,
    Span,
    Urgency,
)
from kos.domain.people.invitations import code_digest
from kos.messages import (
    AcceptInvitation,
    Conclude,
    ConclusionDescribed,
    GetConclusion,
    GetKept,
    GetOutbox,
    GetPeople,
    KeptListed,
    MarkDelivered,
    OutboxListed,
    PeopleListed,
    PutInvitation,
    SetPerson,
)
from kos.runtime.protocol import Message
from kos.storage.answers import answer
from kos.storage.ledger import Ledger, LedgerAnswer
from kos.storage.verify import verify

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """The writer's and the reader's time, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def go(self, span: timedelta) -> None:
        self.now += span


class Desk:
    """A ledger with a clock, and words for what the desk and the bot say to it."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.ledger = Ledger(path, self.clock)
        self._number = 0

    def reopen(self) -> None:
        path = self.ledger.path
        self.ledger.close()
        self.ledger = Ledger(path, self.clock)

    def name(self) -> str:
        self._number += 1
        return f"telegram:1:{self._number}"

    def conclude(
        self,
        *,
        said: str = "",
        kept: tuple[Kept, ...] = (),
        actions: tuple[Action, ...] = (),
        used: tuple[str, ...] = (),
        promises: tuple[Promise, ...] = (),
    ) -> LedgerAnswer:
        command = Conclude(
            command_id=said or self.name(),
            by="telegram:7",
            occurred_at=self.clock.now,
            kept=kept,
            actions=actions,
            used=used,
            promises=promises,
        )
        return self.ledger.execute([command])[0]

    def promise(self, *promises: Promise) -> LedgerAnswer:
        return self.conclude(promises=promises)

    def mark(
        self,
        entry_id: int,
        outcome: PromiseOutcome = PromiseOutcome.SENT,
        message_id: int = 0,
        command_id: str = "",
    ) -> LedgerAnswer:
        command = MarkDelivered(
            command_id=command_id or self.name(),
            by="bot",
            occurred_at=self.clock.now,
            entry_id=entry_id,
            outcome=outcome,
            message_id=message_id,
        )
        return self.ledger.execute([command])[0]

    def seat(
        self,
        user: str,
        seat: Seat = Seat.OPERATOR,
        participant: str = "",
        *,
        name: str = "Ann",
        is_active: bool = True,
        by: str = "local",
        command_id: str = "",
    ) -> LedgerAnswer:
        person = Person(
            user=user, name=name, seat=seat, participant=participant, is_active=is_active
        )
        command = SetPerson(
            command_id=command_id or self.name(),
            by=by,
            occurred_at=self.clock.now,
            person=person,
        )
        return self.ledger.execute([command])[0]

    def invite(
        self,
        code: str,
        seat: Seat = Seat.OPERATOR,
        participant: str = "",
        life: timedelta = timedelta(hours=24),
    ) -> LedgerAnswer:
        command = PutInvitation(
            command_id=self.name(),
            by="local",
            occurred_at=self.clock.now,
            code_digest=code_digest(code),
            seat=seat,
            participant=participant,
            expires_at=self.clock.now + life,
        )
        return self.ledger.execute([command])[0]

    def accept(self, code: str, user: str, command_id: str = "") -> LedgerAnswer:
        command = AcceptInvitation(
            command_id=command_id or self.name(),
            by=user,
            occurred_at=self.clock.now,
            code_digest=code_digest(code),
            user=user,
            name="Bea",
        )
        return self.ledger.execute([command])[0]

    def ask(self, question: Message) -> Message:
        return answer(self.ledger.database, self.ledger.path, question, self.clock.now)

    def outbox(self, limit: int = 50, without: tuple[str, ...] = ()) -> OutboxListed:
        listed = self.ask(GetOutbox(limit=limit, without_chats=without))
        assert isinstance(listed, OutboxListed)
        return listed

    def waiting(self) -> list[str]:
        """The texts that wait, in their order."""
        return [text_of(entry.promise) for entry in self.outbox().entries]

    def kept(self, owner: str = "", prefix: str = "") -> dict[str, str]:
        listed = self.ask(GetKept(owner=owner, prefix=prefix))
        assert isinstance(listed, KeptListed)
        return {f"{kept.owner}/{kept.name}": kept.value for kept in listed.kept}

    def people(self, *, everybody: bool = False) -> tuple[Person, ...]:
        listed = self.ask(GetPeople(with_inactive=everybody))
        assert isinstance(listed, PeopleListed)
        return listed.people

    def is_concluded(self, said: str) -> bool:
        told = self.ask(GetConclusion(said_id=said))
        assert isinstance(told, ConclusionDescribed)
        return told.is_concluded

    def sound(self) -> None:
        assert verify(self.ledger.database, self.ledger.path).problems == ()


@contextmanager
def desk_at(path: Path) -> Iterator[Desk]:
    desk = Desk(path)
    try:
        yield desk
    finally:
        desk.ledger.close()


def promise(
    text: str,
    chat: str = "telegram:7",
    urgency: Urgency = Urgency.CONFIRMATION,
    topic: str = "",
    expires_at: datetime | None = None,
) -> Promise:
    return Promise(
        chat=chat,
        answer=Answer(spans=(Span(text),)),
        urgency=urgency,
        topic=topic,
        expires_at=expires_at,
    )


def text_of(promised: Promise) -> str:
    return "".join(span.text for span in promised.answer.spans)


def action(name: str, user: str = "telegram:7", participant: str = "") -> Action:
    return Action(
        action_id=name.rjust(16, "-"),
        user=user,
        command="/advance c1",
        participant=participant,
        instance="c1",
        expected_version=3,
        expires_at=NOON + timedelta(hours=1),
    )
