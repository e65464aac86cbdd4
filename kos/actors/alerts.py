"""Looks at the market for each person's rules, and at KOS itself, and promises what is worth a word.

Every message goes through the ledger's outbox together with the memory of it, in one commit:
what was said survives every restart, and is said once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from kos.asking import Asker
from kos.config.settings import Settings
from kos.domain.opportunities.opportunity import Opportunity, OpportunityQuery
from kos.domain.people import alerts, incidents
from kos.domain.people.alerts import (
    PREFERENCES,
    RULES,
    AlertHit,
    AlertRule,
    Memory,
    Preferences,
)
from kos.domain.people.conversation import Answer, Kept, Person, Promise, Seat, Span, Urgency
from kos.domain.people.incidents import Incident, TroubleMemory
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
from kos.runtime import (
    SYSTEM,
    Actor,
    ChildSpec,
    Context,
    Describe,
    Message,
    SystemDescribed,
)
from kos.views.alerts import rule_title, sighting_of, telling_answer, trouble_answer
from kos.views.incidents import (
    due_troubles,
    restart_trouble,
    restarted,
    restarts_of,
    system_troubles,
)
from kos.views.opportunities import KIND_NAMES

MEMORY = "alert-memory"
TROUBLES = "alert-troubles"
PAUSE = "pause"
"""Kept by :data:`KOS`: while it is there, no opportunity is told."""
KOS = "kos"

_LOOK = Tick(what="look")
_TIMEOUT_S = 5.0
_QUESTION_LIMIT = 100
_RESTART_SHOWN = timedelta(minutes=1)

Told = TypeVar("Told", bound=Message)
Value = TypeVar("Value", bound=msgspec.Struct)


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


class _Owned:
    """What the ledger keeps about alerts, by user."""

    def __init__(self, kept: Iterable[Kept]) -> None:
        self._values = {(each.owner, each.name): each.value for each in kept}

    def value(self, owner: str, name: str, kind: type[Value]) -> Value | None:
        """A kept value; None where there is none, or none that this version can read."""
        text = self._values.get((owner, name))
        if not text:
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError:
            return None

    def rules(self, owner: str) -> tuple[AlertRule, ...]:
        """The owner's rules by their numbers."""
        found = (
            self.value(owner, name, AlertRule)
            for who, name in self._values
            if who == owner and name.startswith(RULES)
        )
        rules = sorted((rule for rule in found if rule), key=lambda rule: rule.rule_id)
        return tuple(rules[: alerts.MAX_RULES])


class AlertsActor(Actor):
    """Looks every few seconds; says what the domain decides.

    The memory of what was said is the ledger's; here it is only newer by when things were last
    seen. After a commit that may have failed, the ledger's version counts.
    """

    def __init__(self, context: Context, args: AlertsArgs) -> None:
        super().__init__(context, args)
        self._args = args
        self._asker = Asker.within(context)
        self._memories: dict[str, Memory] = {}
        self._troubles: dict[str, TroubleMemory] = {}
        self._restarts: dict[str, int] = {}
        self._restarted: dict[str, tuple[datetime, Incident]] = {}
        self._promised = 0
        self._problem = ""

    def started(self) -> None:
        self.context.every(self._args.look_every_s, _LOOK)

    def receive(self, message: Message) -> None:
        match message:
            case Tick():
                self._look(datetime.now(UTC))
            case _:
                raise TypeError(f"alerts takes no {type(message).__name__}")

    def pulse(self) -> dict[str, str | int | float]:
        return {"promised": self._promised, "problem": self._problem}

    def _look(self, now: datetime) -> None:
        try:
            people = self._people()
            owned = _Owned(self._ask(LEDGER, GetKept(prefix="alert-"), KeptListed).kept)
            is_paused = bool(self._ask(LEDGER, GetKept(owner=KOS, prefix=PAUSE), KeptListed).kept)
        except KosError as fault:
            self._fail("the ledger is not responding", fault)
            return
        self._problem = ""
        rules = {} if is_paused else {each.user: owned.rules(each.user) for each in people}
        seen = self._asked({rule.query for of_one in rules.values() for rule in of_one})
        present = self._troubles_of_kos(now)
        for person in people:
            try:
                self._tell_of_market(person, owned, rules.get(person.user, ()), seen, now)
                self._tell_of_troubles(person, owned, present, now)
            except KosError as fault:
                # Whether it is stored is not known: the next look begins with what is.
                self._memories.pop(person.user, None)
                self._troubles.pop(person.user, None)
                self._fail("the alerts could not be stored", fault)

    def _people(self) -> tuple[Person, ...]:
        listed = self._ask(LEDGER, GetPeople(), PeopleListed).people
        named = {each.user: each for each in listed} | {
            each.user: each for each in self._args.people
        }
        return tuple(
            each for each in named.values() if each.is_active and each.user.startswith("telegram:")
        )

    def _asked(
        self, queries: set[OpportunityQuery]
    ) -> dict[OpportunityQuery, tuple[Opportunity, ...]]:
        """What the scorer says to each question; a question that got no answer is left out."""
        answers = {}
        for query in queries:
            asked = GetOpportunities(query=msgspec.structs.replace(query, limit=_QUESTION_LIMIT))
            try:
                answer = self._ask("scorer", asked, OpportunitiesRanked).answer
            except KosError as fault:
                self.context.log.debug("alerts.not_asked", error=str(fault))
                continue
            answers[query] = answer.opportunities
        return answers

    def _tell_of_market(
        self,
        person: Person,
        owned: _Owned,
        rules: tuple[AlertRule, ...],
        seen: dict[OpportunityQuery, tuple[Opportunity, ...]],
        now: datetime,
    ) -> None:
        user = person.user
        stored = owned.value(user, MEMORY, Memory)
        if not rules and stored is None:
            return
        before = self._memories.get(user) or stored or Memory()
        sightings: dict[int, tuple[AlertHit, ...]] = {
            rule.rule_id: tuple(sighting_of(each, rule.measure, now) for each in seen[rule.query])
            for rule in rules
            if rule.query in seen
        }
        preferences = owned.value(user, PREFERENCES, Preferences) or Preferences()
        after, says = alerts.look(rules, preferences, before, sightings, now)
        titles = {rule.rule_id: _title(rule) for rule in rules}
        promises = tuple(
            Promise(
                chat=user,
                answer=telling_answer(
                    say,
                    titles.get(say.telling.rule_id, "Opportunities"),
                    is_simulated=self._args.is_simulated,
                ),
                urgency=Urgency.DIGEST if say.is_digest else Urgency.ALERT,
                topic=f"alert/{say.telling.telling_id}",
                expires_at=max(item.kickoff for item in say.telling.items) if say.is_new else None,
            )
            for say in says
        )
        if alerts.is_worth_keeping(before, after):
            self._conclude(user, MEMORY, after, promises, now)
        self._memories[user] = after

    def _tell_of_troubles(
        self, person: Person, owned: _Owned, present: dict[str, Incident], now: datetime
    ) -> None:
        user = person.user
        preferences = owned.value(user, PREFERENCES, Preferences) or Preferences()
        is_admin = person.seat is Seat.ADMIN and preferences.wants_system
        mine = dict(present) if is_admin else {}
        mine |= self._due(person, now)
        stored = owned.value(user, TROUBLES, TroubleMemory)
        before = self._troubles.get(user) or stored or TroubleMemory()
        after, says = incidents.follow(before, mine, now)
        promises = tuple(
            Promise(
                chat=user,
                answer=_marked(trouble_answer(say), is_simulated=self._args.is_simulated),
                urgency=Urgency.ALERT,
                topic=f"trouble/{say.known.telling_id}",
            )
            for say in says
        )
        if incidents.is_worth_keeping(before, after):
            self._conclude(user, TROUBLES, after, promises, now)
        self._troubles[user] = after

    def _due(self, person: Person, now: datetime) -> dict[str, Incident]:
        is_participant = person.seat is Seat.PARTICIPANT
        if is_participant and not person.participant:
            return {}
        question = (
            GetReminders(participant=person.participant)
            if is_participant
            else GetReminders(operator=person.user)
        )
        reminders = self._ask(LEDGER, question, RemindersListed).reminders
        return due_troubles(reminders, now, with_names=not is_participant)

    def _troubles_of_kos(self, now: datetime) -> dict[str, Incident]:
        try:
            system = self._ask(SYSTEM, Describe(), SystemDescribed)
        except KosError as fault:
            self.context.log.debug("alerts.not_asked", error=str(fault))
            return {}
        if system.is_stopping:
            return {}
        try:
            budget = self._ask("budget", GetBudget(), BudgetDescribed)
        except KosError:
            budget = None  # its own trouble is in the description
        for name, reason in restarted(self._restarts, system).items():
            self._restarted[name] = (now, restart_trouble(name, reason))
        self._restarts = restarts_of(system)
        self._restarted = {
            name: (at, trouble)
            for name, (at, trouble) in self._restarted.items()
            if now - at < _RESTART_SHOWN
        }
        found = system_troubles(system, budget, now)
        return found | {f"restart/{name}": each for name, (_, each) in self._restarted.items()}

    def _conclude(
        self,
        user: str,
        name: str,
        memory: Memory | TroubleMemory,
        promises: tuple[Promise, ...],
        now: datetime,
    ) -> None:
        value = msgspec.json.encode(memory).decode()
        command = Conclude(
            # A look is never repeated: after a doubt the next one begins with what is stored.
            command_id=f"alerts:{user}:{name}:{now.isoformat()}",
            by=self.context.name,
            occurred_at=now,
            kept=(Kept(owner=user, name=name, value=value),),
            promises=promises,
        )
        self._ask(LEDGER, command, CommandRecorded)
        self._promised += len(promises)
        if promises:
            self.context.log.info("alerts.promised", user=user, messages=len(promises), about=name)

    def _ask(self, actor: str, message: Message, expected: type[Told]) -> Told:
        """An answer of the kind expected.

        Raises:
            KosError: None came, or a refusal.
        """
        return self._asker.ask(actor, message, expected, _TIMEOUT_S)

    def _fail(self, what: str, fault: Exception) -> None:
        problem = f"{what}: {fault}"
        if problem != self._problem:
            self.context.log.warning("alerts.not_told", error=problem)
        self._problem = problem


def _title(rule: AlertRule) -> str:
    query = rule.query
    return rule_title(KIND_NAMES[query.kind], rule.measure, rule.threshold, query.bookmaker)


def _marked(answer: Answer, *, is_simulated: bool) -> Answer:
    if not is_simulated:
        return answer
    return msgspec.structs.replace(answer, spans=(Span("SIMULATED. "), *answer.spans))
