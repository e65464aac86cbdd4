"""Everyone's alerts, event by event: who is told what, on which topic, and what is stored."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.opportunities.opportunity import Opportunity, OpportunityQuery
from kos.domain.people.alerting import (
    MEMORY,
    TROUBLES,
    Alerting,
    AlertsConcluded,
    ReminderScope,
    reminder_scope,
)
from kos.domain.people.alerts import (
    GONE_AFTER,
    MAX_RULES,
    PREFERENCES,
    RULES,
    AlertRule,
    AlertToSend,
    Measure,
    Preferences,
)
from kos.domain.people.conversation import Kept, Person, Seat, Urgency
from kos.domain.people.incidents import OVER_AFTER, Incident, TroubleToSend
from tests.builders import NOW, book, event
from tests.domain.opportunities.test_market_snapshot import LAYS, ask, coral, picture_of

ANN = Person(user="telegram:1", name="Ann", seat=Seat.ADMIN)
BOB = Person(user="telegram:2", name="Bob", seat=Seat.OPERATOR)
CAT = Person(user="telegram:3", name="Cat", seat=Seat.PARTICIPANT, participant="cat")
RULE = AlertRule(rule_id=1, query=OpportunityQuery(), measure=Measure.RATING, threshold=Decimal(90))
QUESTION = msgspec.structs.replace(RULE.query, limit=100)
DISK = {"disk": Incident(text="the disk is full")}
BET = {"bet": Incident(text="bet q is not hedged")}


def kept(person: Person, name: str, value: msgspec.Struct | str) -> Kept:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return Kept(owner=person.user, name=name, value=text)


def rule_of(person: Person, rule: AlertRule = RULE) -> Kept:
    return kept(person, f"{RULES}{rule.rule_id}", rule)


def found() -> tuple[Opportunity, ...]:
    return ask(picture_of(event(coral()), books=(book(LAYS),))).opportunities[:1]


def read(state: Alerting, *stored: Kept, people: tuple[Person, ...] = (ANN, BOB)) -> None:
    state.ledger_read(people, stored, is_paused=False)


def market_of(state: Alerting, person: Person = ANN, after_s: float = 0) -> AlertsConcluded | None:
    return state.market_seen(person, {QUESTION: found()}, NOW + timedelta(seconds=after_s))


def test_people_of_the_settings_beat_the_ledger_s_and_only_active_chats_get_alerts() -> None:
    named = msgspec.structs.replace(ANN, seat=Seat.OPERATOR)
    state = Alerting((named,))
    left = msgspec.structs.replace(BOB, is_active=False)
    terminal = msgspec.structs.replace(BOB, user="terminal:bob")
    read(state, people=(msgspec.structs.replace(ANN, is_active=False), left, terminal, CAT))
    assert state.people == (named, CAT)


def test_each_question_is_put_once_and_none_while_paused() -> None:
    state = Alerting(())
    small = msgspec.structs.replace(
        RULE, rule_id=2, query=msgspec.structs.replace(RULE.query, limit=3)
    )
    rules = (rule_of(ANN), rule_of(BOB), rule_of(BOB, small))
    read(state, *rules)
    assert state.questions() == {QUESTION}
    state.ledger_read((ANN, BOB), rules, is_paused=True)
    assert state.questions() == frozenset()
    assert market_of(state) is None


def test_no_more_rules_than_a_person_may_have_are_asked_by_their_numbers() -> None:
    rules = [
        msgspec.structs.replace(RULE, rule_id=number, query=OpportunityQuery(stake=Decimal(number)))
        for number in range(MAX_RULES + 5, 0, -1)
    ]
    state = Alerting(())
    read(state, *(rule_of(ANN, rule) for rule in rules), kept(ANN, f"{RULES}99", "{"))
    assert {question.stake for question in state.questions()} == set(range(1, MAX_RULES + 1))


def test_a_hit_gives_one_message_on_its_topic_with_its_memory() -> None:
    state = Alerting(())
    read(state, rule_of(ANN))
    concluded = market_of(state)
    assert concluded is not None
    assert (concluded.kept.owner, concluded.kept.name) == (ANN.user, MEMORY)
    (message,) = concluded.messages
    assert isinstance(message, AlertToSend)
    assert (message.topic, message.urgency, message.rule) == ("alert/1", Urgency.ALERT, RULE)
    assert message.expires_at == found()[0].kickoff
    assert market_of(state, after_s=5) is None, "once is enough"
    assert market_of(state, BOB) is None, "there is no rule of Bob's"


def test_an_update_goes_to_the_first_message_and_is_always_worth_sending() -> None:
    state = Alerting(())
    read(state, rule_of(ANN))
    market_of(state)
    concluded = state.market_seen(ANN, {QUESTION: ()}, NOW + GONE_AFTER)
    assert concluded is not None
    (message,) = concluded.messages
    assert (message.topic, message.expires_at) == ("alert/1", None)


def test_a_question_without_an_answer_makes_nothing_gone() -> None:
    state = Alerting(())
    read(state, rule_of(ANN))
    market_of(state)
    assert state.market_seen(ANN, {}, NOW + 10 * GONE_AFTER) is None


def test_a_digest_has_less_urgency_and_no_rule_of_its_own() -> None:
    state = Alerting(())
    rule = msgspec.structs.replace(RULE, is_digest=True)
    read(state, rule_of(ANN, rule), kept(ANN, PREFERENCES, Preferences(digest_minutes=5)))
    held = market_of(state)
    assert held is not None
    assert held.messages == ()
    concluded = market_of(state, after_s=300)
    assert concluded is not None
    (message,) = concluded.messages
    assert isinstance(message, AlertToSend)
    assert (message.urgency, message.rule) == (Urgency.DIGEST, None)


def test_the_stored_memory_counts_after_a_restart_and_after_storing_failed() -> None:
    first = Alerting(())
    read(first, rule_of(ANN))
    concluded = market_of(first)
    assert concluded is not None
    restarted = Alerting(())
    read(restarted, rule_of(ANN), concluded.kept)
    assert market_of(restarted, after_s=5) is None
    first.storing_failed(ANN)
    again = market_of(first, after_s=5)
    assert again is not None, "the ledger has no memory of it"
    assert [message.topic for message in again.messages] == ["alert/1"]


@pytest.mark.parametrize(
    ("person", "wants_system", "topics"),
    [(ANN, True, 2), (ANN, False, 1), (BOB, True, 1), (CAT, True, 1)],
)
def test_problems_of_kos_go_to_admins_who_want_them_and_money_at_risk_to_everyone(
    person: Person, *, wants_system: bool, topics: int
) -> None:
    state = Alerting(())
    read(state, kept(person, PREFERENCES, Preferences(wants_system=wants_system)), people=(person,))
    concluded = state.troubles_seen(person, DISK, BET, NOW)
    assert concluded is not None
    assert concluded.kept.name == TROUBLES
    assert len(concluded.messages) == topics
    assert all(isinstance(message, TroubleToSend) for message in concluded.messages)
    assert [message.topic for message in concluded.messages] == ["trouble/1", "trouble/2"][:topics]
    assert {message.urgency for message in concluded.messages} == {Urgency.ALERT}
    assert {message.expires_at for message in concluded.messages} == {None}


def test_a_problem_whose_message_may_not_be_stored_is_told_again() -> None:
    state = Alerting(())
    read(state)
    state.troubles_seen(ANN, DISK, {}, NOW)
    assert state.troubles_seen(ANN, DISK, {}, NOW + timedelta(seconds=5)) is None
    state.storing_failed(ANN)
    again = state.troubles_seen(ANN, DISK, {}, NOW + timedelta(seconds=10))
    assert again is not None
    assert [message.topic for message in again.messages] == ["trouble/1"]


def test_a_problem_that_is_over_is_said_on_its_topic() -> None:
    state = Alerting(())
    read(state)
    state.troubles_seen(ANN, DISK, {}, NOW)
    assert state.troubles_seen(ANN, {}, {}, NOW + timedelta(seconds=5)) is None
    concluded = state.troubles_seen(ANN, {}, {}, NOW + OVER_AFTER)
    assert concluded is not None
    assert [message.topic for message in concluded.messages] == ["trouble/1"]


@pytest.mark.parametrize(
    ("person", "scope"),
    [
        (ANN, ReminderScope(operator=ANN.user)),
        (BOB, ReminderScope(operator=BOB.user)),
        (CAT, ReminderScope(participant="cat")),
        (msgspec.structs.replace(CAT, participant=""), None),
    ],
)
def test_reminders_are_asked_for_in_the_person_s_own_scope(
    person: Person, scope: ReminderScope | None
) -> None:
    assert reminder_scope(person) == scope
