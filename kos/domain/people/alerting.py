"""What the alerts do next: what was read comes in, messages to promise go out.

Each look at the ledger, the market and KOS itself gives, for each person, at most one memory to
store and the messages that belong to it. The stored memory decides what was sent; the one held
here is newer only by when things were last seen. If storing may have failed, the next look begins
with what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from kos.domain.opportunities.opportunity import Opportunity, OpportunityQuery
from kos.domain.people import alerts, incidents
from kos.domain.people.alerts import AlertRule, AlertToSend, Memory, Preferences
from kos.domain.people.conversation import TELEGRAM, Kept, Person, Seat
from kos.domain.people.incidents import Incident, TroubleMemory, TroubleToSend

MEMORY: Final = "alert-memory"
TROUBLES: Final = "alert-troubles"
_QUESTION_LIMIT: Final = 100

Value = TypeVar("Value", bound=msgspec.Struct)


MessageToSend = AlertToSend | TroubleToSend


class AlertsConcluded(msgspec.Struct, frozen=True, kw_only=True):
    """Instruction: store this memory and promise these messages, in one commit."""

    kept: Kept
    messages: tuple[MessageToSend, ...]


class ReminderScope(NamedTuple):
    """Whose reminders a person is told of: a participant's own, or all that an operator sees."""

    participant: str = ""
    operator: str = ""


def reminder_scope(person: Person) -> ReminderScope | None:
    """Whose reminders a person is told of; None: nobody's."""
    if person.seat is not Seat.PARTICIPANT:
        return ReminderScope(operator=person.user)
    return ReminderScope(participant=person.participant) if person.participant else None


class Alerting:
    """Everyone's alerts from one look to the next.

    Args:
        named: People whom the settings name; they beat those of the ledger.
    """

    def __init__(self, named: Iterable[Person]) -> None:
        self._named = {person.user: person for person in named}
        self.people: tuple[Person, ...] = ()
        """Those who get alerts: active, and with a chat."""
        self._kept: dict[tuple[str, str], str] = {}
        self._is_paused = False
        self._memories: dict[str, Memory] = {}
        self._troubles: dict[str, TroubleMemory] = {}

    # --- events -----------------------------------------------------------------------------------

    def ledger_read(
        self, people: Iterable[Person], kept: Iterable[Kept], *, is_paused: bool
    ) -> None:
        """Begin a look.

        Args:
            people: The ledger's.
            kept: Everything about alerts that the ledger keeps, of everyone.
            is_paused: KOS is paused: no opportunity is sent.
        """
        everyone = {person.user: person for person in people} | self._named
        active = (person for person in everyone.values() if person.is_active)
        self.people = tuple(person for person in active if person.user.startswith(TELEGRAM))
        self._kept = {(one.owner, one.name): one.value for one in kept}
        self._is_paused = is_paused

    def market_seen(
        self,
        person: Person,
        answers: Mapping[OpportunityQuery, tuple[Opportunity, ...]],
        now: datetime,
    ) -> AlertsConcluded | None:
        """Opportunities were looked for: what to store and send to one person, if anything.

        Args:
            person: One of `people`.
            answers: By question, what the scorer found; a question without an answer is missing.
            now: The time.
        """
        user, rules = person.user, self._rules(person)
        stored = self._value(user, MEMORY, Memory)
        if not rules and stored is None:
            return None
        before = self._memories.get(user) or stored or Memory()
        seen = {
            rule.rule_id: tuple(
                alerts.hit_of(opportunity, rule.measure, now)
                for opportunity in answers[_question(rule)]
            )
            for rule in rules
            if _question(rule) in answers
        }
        after, messages = alerts.look(rules, self._preferences(person), before, seen, now)
        self._memories[user] = after
        if not alerts.is_worth_keeping(before, after):
            return None
        return AlertsConcluded(kept=_kept(user, MEMORY, after), messages=messages)

    def troubles_seen(
        self,
        person: Person,
        system: Mapping[str, Incident],
        due: Mapping[str, Incident],
        now: datetime,
    ) -> AlertsConcluded | None:
        """KOS itself was examined: what to store and send to one person, if anything.

        Args:
            person: One of `people`.
            system: By key, the problems of KOS itself: for admins who want them.
            due: By key, what is due within the person's scope.
            now: The time.
        """
        user = person.user
        is_told = person.seat is Seat.ADMIN and self._preferences(person).wants_system
        present = {**(system if is_told else {}), **due}
        stored = self._value(user, TROUBLES, TroubleMemory)
        before = self._troubles.get(user) or stored or TroubleMemory()
        after, messages = incidents.follow(before, present, now)
        self._troubles[user] = after
        if not incidents.is_worth_keeping(before, after):
            return None
        return AlertsConcluded(kept=_kept(user, TROUBLES, after), messages=messages)

    def storing_failed(self, person: Person) -> None:
        """It is not known whether the memory is stored: the next look begins with what is."""
        self._memories.pop(person.user, None)
        self._troubles.pop(person.user, None)

    # --- present state ----------------------------------------------------------------------------

    def questions(self) -> frozenset[OpportunityQuery]:
        """The questions to put to the scorer, each once however many rules ask it."""
        return frozenset(_question(rule) for one in self.people for rule in self._rules(one))

    def _rules(self, person: Person) -> tuple[AlertRule, ...]:
        """A person's rules by their numbers; none while KOS is paused."""
        if self._is_paused:
            return ()
        stored = (
            self._value(owner, name, AlertRule)
            for owner, name in self._kept
            if owner == person.user and name.startswith(alerts.RULES)
        )
        rules = sorted((rule for rule in stored if rule), key=lambda rule: rule.rule_id)
        return tuple(rules[: alerts.MAX_RULES])

    def _preferences(self, person: Person) -> Preferences:
        return self._value(person.user, alerts.PREFERENCES, Preferences) or Preferences()

    def _value(self, owner: str, name: str, kind: type[Value]) -> Value | None:
        """A kept value; None where there is none, or none that this version can read."""
        text = self._kept.get((owner, name))
        if not text:
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError:
            return None


def _question(rule: AlertRule) -> OpportunityQuery:
    return replace(rule.query, limit=_QUESTION_LIMIT)


def _kept(user: str, name: str, memory: Memory | TroubleMemory) -> Kept:
    return Kept(owner=user, name=name, value=msgspec.json.encode(memory).decode())
