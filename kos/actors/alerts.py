"""Looks at the market for each person's rules, and at KOS itself, and promises what to send.

Every message goes through the ledger's outbox together with the memory of it, in one commit:
it survives every restart, and is sent once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_never

import msgspec

from kos.asking import Asker
from kos.config.settings import Settings
from kos.domain.opportunities.opportunity import Opportunity, OpportunityQuery
from kos.domain.people.alerting import Alerting, AlertsConcluded, MessageToSend, reminder_scope
from kos.domain.people.conversation import KOS, PAUSE, Person, Promise, Seat
from kos.domain.people.incidents import Incident, RestartHistory
from kos.errors import KosError
from kos.messages import (
    LEDGER,
    BudgetDescribed,
    CommandRecorded,
    Conclude,
    GetBudget,
    GetKept,
    GetOpportunities,
    GetPeople,
    GetReminders,
    KeptListed,
    OpportunitiesRanked,
    PeopleListed,
    RemindersListed,
    Tick,
)
from kos.runtime import SYSTEM, Actor, ChildSpec, Context, Describe, Message, SystemDescribed
from kos.views.alerts import message_answer
from kos.views.incidents import due_troubles, restart_troubles, restarts_of, system_troubles

AlertsMessage = Tick
"""The messages that it takes."""

_LOOK = Tick(what="look")


class AlertsArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What it is told at its start."""

    people: tuple[Person, ...] = ()
    """Those that the settings name; they beat the ledger's."""
    is_simulated: bool = False
    look_every_s: float = 5.0


def args_of(settings: Settings) -> AlertsArgs:
    """What the settings tell it."""
    named = [(user, Seat.OPERATOR) for user in settings.telegram.operators]
    named += [(user, Seat.ADMIN) for user in settings.telegram.admins]
    return AlertsArgs(
        people=tuple(
            Person(user=f"telegram:{user}", name=str(user), seat=seat) for user, seat in named
        ),
        is_simulated=settings.service.is_simulated,
    )


def spec(args: AlertsArgs) -> ChildSpec:
    """How it is supervised: always there; what it knows is in the ledger."""
    return ChildSpec(name="alerts", factory="kos.actors.alerts:AlertsActor", args=args)


class AlertsActor(Actor):
    """The shell of `Alerting`: every few seconds it asks, and carries out the instructions."""

    def __init__(self, context: Context, args: AlertsArgs) -> None:
        super().__init__(context, args)
        self._args = args
        self._asker = Asker.within(context)
        self._alerting = Alerting(args.people)
        self._restarts = RestartHistory()
        self._promised = 0
        self._problem = ""

    def started(self) -> None:
        self.context.every(self._args.look_every_s, _LOOK)

    def receive(self, message: Message) -> None:
        if not isinstance(message, AlertsMessage):
            raise TypeError(f"alerts takes no {type(message).__name__}")
        match message:
            case Tick():
                self._look(datetime.now(UTC))
            case _:
                assert_never(message)

    def pulse(self) -> dict[str, str | int | float]:
        return {"promised": self._promised, "problem": self._problem}

    def _look(self, now: datetime) -> None:
        ask = self._asker.ask
        try:
            people = ask(LEDGER, GetPeople(), PeopleListed).people
            kept = ask(LEDGER, GetKept(prefix="alert-"), KeptListed).kept
            is_paused = bool(ask(LEDGER, GetKept(owner=KOS, prefix=PAUSE), KeptListed).kept)
        except KosError as fault:
            self._fail("the ledger is not responding", fault)
            return
        self._problem = ""
        self._alerting.ledger_read(people, kept, is_paused=is_paused)
        answers = self._answers(self._alerting.questions())
        system = self._troubles_of_kos(now)
        for person in self._alerting.people:
            try:
                self._conclude(person, self._alerting.market_seen(person, answers, now), now)
                due = self._due(person, now)
                self._conclude(person, self._alerting.troubles_seen(person, system, due, now), now)
            except KosError as fault:
                self._alerting.storing_failed(person)
                self._fail("the alerts could not be stored", fault)

    def _answers(
        self, questions: frozenset[OpportunityQuery]
    ) -> dict[OpportunityQuery, tuple[Opportunity, ...]]:
        """The scorer's answer to each question; a question that got no answer is left out."""
        answers = {}
        for question in questions:
            try:
                ranked = self._asker.ask(
                    "scorer", GetOpportunities(query=question), OpportunitiesRanked
                )
            except KosError as fault:
                self.context.log.debug("alerts.not_asked", error=str(fault))
                continue
            answers[question] = ranked.answer.opportunities
        return answers

    def _due(self, person: Person, now: datetime) -> dict[str, Incident]:
        scope = reminder_scope(person)
        if scope is None:
            return {}
        question = GetReminders(participant=scope.participant, operator=scope.operator)
        reminders = self._asker.ask(LEDGER, question, RemindersListed).reminders
        return due_troubles(reminders, now, with_names=not scope.participant)

    def _troubles_of_kos(self, now: datetime) -> dict[str, Incident]:
        try:
            system = self._asker.ask(SYSTEM, Describe(), SystemDescribed)
        except KosError as fault:
            self.context.log.debug("alerts.not_asked", error=str(fault))
            return {}
        if system.is_stopping:
            return {}
        try:
            budget = self._asker.ask("budget", GetBudget(), BudgetDescribed)
        except KosError:
            budget = None  # its own trouble is in the description
        restarted = self._restarts.seen(restarts_of(system), now)
        return system_troubles(system, budget, now) | restart_troubles(restarted)

    def _conclude(self, person: Person, concluded: AlertsConcluded | None, now: datetime) -> None:
        if concluded is None:
            return
        user, kept = person.user, concluded.kept
        command = Conclude(
            # A look is never repeated: after a doubt the next one begins with what is stored.
            command_id=f"alerts:{user}:{kept.name}:{now.isoformat()}",
            by=self.context.name,
            occurred_at=now,
            kept=(kept,),
            promises=tuple(self._promise(user, message) for message in concluded.messages),
        )
        self._asker.ask(LEDGER, command, CommandRecorded)
        count = len(command.promises)
        self._promised += count
        if count:
            self.context.log.info("alerts.promised", user=user, messages=count, about=kept.name)

    def _promise(self, user: str, message: MessageToSend) -> Promise:
        return Promise(
            chat=user,
            answer=message_answer(message, is_simulated=self._args.is_simulated),
            urgency=message.urgency,
            topic=message.topic,
            expires_at=message.expires_at,
        )

    def _fail(self, what: str, fault: Exception) -> None:
        problem = f"{what}: {fault}"
        if problem != self._problem:
            self.context.log.warning("alerts.not_told", error=problem)
        self._problem = problem
