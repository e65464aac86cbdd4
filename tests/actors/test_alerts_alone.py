"""The alerts alone: what goes out as one command, what is asked, and what a silent neighbour costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kos.actors import alerts
from kos.config.settings import ServiceSettings, Settings, TelegramSettings
from kos.domain.books.lines import ReminderLine
from kos.domain.market.quotes import EventQuotes
from kos.domain.offers.due import ReminderKind
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import OpportunityQuery
from kos.domain.opportunities.scoring import ScoringRules
from kos.domain.people.alerting import MEMORY
from kos.domain.people.alerts import PREFERENCES, RULES, AlertRule, Measure, Preferences
from kos.domain.people.conversation import KOS, PAUSE, Kept, Person, Promise, Seat, Urgency
from kos.messages import (
    BudgetDescribed,
    CommandRecorded,
    CommandRefused,
    Conclude,
    GetBudget,
    GetKept,
    GetOpportunities,
    GetPeople,
    GetReminders,
    KeptListed,
    OpportunitiesRanked,
    PeopleListed,
    QueryRefused,
    RemindersListed,
)
from kos.runtime import (
    ActorDescribed,
    ActorFailed,
    AskTimeout,
    Describe,
    Message,
    NodeDescribed,
    RuntimeFault,
    SystemDescribed,
)
from tests import builders as b
from tests.actors.conftest import Staging
from tests.builders import NOW

ANN = Person(user="telegram:1", name="Ann", seat=Seat.ADMIN)
BOB = Person(user="telegram:2", name="Bob", seat=Seat.OPERATOR)
CAT = Person(user="telegram:3", name="Cat", seat=Seat.PARTICIPANT, participant="cat")
RULE = AlertRule(
    rule_id=1,
    query=OpportunityQuery(bookmaker="coral"),
    measure=Measure.RATING,
    threshold=Decimal(95),
)


class Books:
    """A ledger's part that alerts need: people, what is kept, what was promised."""

    def __init__(self, *people: Person) -> None:
        self.people = people
        self.kept: dict[tuple[str, str], Kept] = {}
        self.commands: list[Conclude] = []
        self.reminders: tuple[ReminderLine, ...] = ()

    def keep(self, owner: str, name: str, value: msgspec.Struct | str) -> None:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        self.kept[owner, name] = Kept(owner=owner, name=name, value=text)

    def listed(self, question: GetKept) -> KeptListed:
        return KeptListed(
            kept=tuple(
                kept
                for (owner, name), kept in self.kept.items()
                if question.owner in {"", owner} and name.startswith(question.prefix)
            )
        )

    def conclude(self, command: Conclude) -> CommandRecorded:
        self.commands.append(command)
        for kept in command.kept:
            self.kept[kept.owner, kept.name] = kept
        return CommandRecorded(command_id=command.command_id, sequence=len(self.commands))

    def promises(self) -> list[Promise]:
        """What was promised since the last look."""
        promises = [each for command in self.commands for each in command.promises]
        self.commands.clear()
        return promises


class Room:
    """The alerts with their ledger, a market, a budget and a system that all are well."""

    def __init__(self, put_on_stage: Staging, *people: Person, **args: Any) -> None:
        self.books = Books(*people)
        self.market = MarketSnapshot(ScoringRules())
        self.stage = put_on_stage(alerts.spec(alerts.AlertsArgs(**args)))
        answer = self.stage.answer
        answer("ledger", GetPeople, lambda _: PeopleListed(people=self.books.people))
        answer("ledger", GetKept, self.books.listed)
        answer("ledger", Conclude, self.books.conclude)
        answer("ledger", GetReminders, lambda _: RemindersListed(reminders=self.books.reminders))
        answer("scorer", GetOpportunities, self.ranked)
        answer("budget", GetBudget, budget())
        answer("@system", Describe, system())
        self.stage.start()

    def quotes(self, *events: EventQuotes) -> None:
        self.market.apply_quotes("basketball_nba", events, self.stage.now)

    def ranked(self, asked: GetOpportunities) -> OpportunitiesRanked:
        answer = self.market.best(asked.query, self.stage.now)
        return OpportunitiesRanked(answer=answer, last_quotes_at=None, is_simulated=False)

    def look(self, times: int = 1) -> list[Promise]:
        """Let it look, and give what was promised then."""
        self.stage.advance(5 * times)
        assert self.stage.ended is None
        return self.books.promises()


def system(*actors: ActorDescribed, is_stopping: bool = False, **node: Any) -> SystemDescribed:
    plain: dict[str, Any] = {
        "name": "n",
        "pid": 1,
        "state": "running",
        "incarnation": 1,
        "restarts": 0,
    }
    described = NodeDescribed(**{**plain, **node}, actors=actors)
    return SystemDescribed(
        name="kos", pid=1, uptime_s=1, is_stopping=is_stopping, nodes=(described,)
    )


def actor(name: str, **more: Any) -> ActorDescribed:
    plain: dict[str, Any] = {
        "state": "running",
        "incarnation": 1,
        "restarts": 0,
        "mailbox": 0,
        "handled": 0,
    }
    return ActorDescribed(name=name, **{**plain, **more})


def budget(remaining: int = 400) -> BudgetDescribed:
    return BudgetDescribed(
        allowance=500,
        used=500 - remaining,
        remaining=remaining,
        reserve=25,
        lasts_until=None,
        resets_at=NOW + timedelta(days=10),
        polls_today=1,
        interval_s={},
    )


def event(number: int = 1, back: str = "2.5", kickoff: datetime | None = None) -> EventQuotes:
    home, away = f"Leeds {number}", f"York {number}"
    lay = b.quotes_market({home: "2.54", away: "3.3"}, "h2h_lay", NOW, {home: 500, away: 500})
    return b.event(
        b.bookmaker("coral", b.quotes_market({home: back, away: "3.0"})),
        b.bookmaker("smarkets", b.quotes_market({home: "2.4", away: "2.9"}), lay),
        id=f"e{number}",
        sport_key="basketball_nba",
        home=home,
        away=away,
        kickoff=kickoff or NOW + timedelta(hours=3),
    )


def text_of(promise: Promise) -> str:
    return "".join(span.text for span in promise.answer.spans)


@pytest.fixture
def room(put_on_stage: Staging) -> Room:
    return Room(put_on_stage, ANN, BOB)


def test_the_settings_name_people_and_beat_nobody_of_them_twice() -> None:
    settings = Settings(
        telegram=TelegramSettings(operators=(1, 2), admins=(1,)),
        service=ServiceSettings(is_simulated=True),
    )
    args = alerts.args_of(settings)
    assert [(each.user, each.seat) for each in args.people] == [
        ("telegram:1", Seat.OPERATOR),
        ("telegram:2", Seat.OPERATOR),
        ("telegram:1", Seat.ADMIN),
    ]
    assert args.is_simulated
    assert args.look_every_s == 5


def test_an_opportunity_is_promised_with_its_memory_in_one_command(room: Room) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    room.stage.advance(4.9)
    assert room.books.commands == []
    room.stage.advance(0.1)
    (command,) = room.books.commands
    (promise,) = command.promises
    (memory,) = command.kept
    assert (memory.owner, memory.name) == (ANN.user, MEMORY)
    assert command.by == "alerts"
    assert command.occurred_at == NOW + timedelta(seconds=5)
    assert promise.chat == ANN.user
    assert promise.urgency is Urgency.ALERT
    assert promise.topic == "alert/1"
    assert promise.expires_at == NOW + timedelta(hours=3)
    assert "Leeds 1 v York 1" in text_of(promise)
    assert "SIMULATED" not in text_of(promise)
    (asked,) = room.stage.asked("scorer", GetOpportunities)
    assert asked.query == msgspec.structs.replace(RULE.query, limit=100)
    assert room.stage.pulse() == {"promised": 1, "problem": ""}
    (line,) = room.stage.logged("alerts.promised")
    assert (line["user"], line["messages"]) == (ANN.user, 1)
    room.books.promises()
    room.quotes(event())
    assert room.look(3) == [], "once is enough"


def test_what_has_gone_is_said_in_its_own_message(room: Room) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    (first,) = room.look()
    room.quotes(event(back="2.0"))
    (gone,) = room.look(12)
    assert gone.topic == first.topic
    assert gone.expires_at is None
    assert "no longer available" in text_of(gone)


def test_a_message_is_updated_from_figures_that_a_restart_gives_back(
    put_on_stage: Staging, room: Room
) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    odd = msgspec.structs.replace(event(), home="Leeds: Reserves\nand more", away="York 1")
    makers = tuple(
        msgspec.structs.replace(
            maker,
            markets=tuple(
                msgspec.structs.replace(
                    quoted,
                    outcomes=tuple(
                        msgspec.structs.replace(
                            one, name=one.name.replace("Leeds 1", odd.home or "")
                        )
                        for one in quoted.outcomes
                    ),
                )
                for quoted in maker.markets
            ),
        )
        for maker in odd.bookmakers
    )
    room.quotes(msgspec.structs.replace(odd, bookmakers=makers))
    (first,) = room.look()
    assert f"{odd.home}: Coral 2.50" in text_of(first)
    later = Room(put_on_stage, ANN)
    later.books.kept = dict(room.books.kept)
    (gone,) = later.look(12)
    assert gone.topic == first.topic
    assert f"{odd.home}: no longer available" in text_of(gone)


def test_two_people_with_one_question_ask_the_scorer_once_and_are_both_told(room: Room) -> None:
    for person in (ANN, BOB):
        room.books.keep(person.user, f"{RULES}1", RULE)
    room.quotes(event())
    assert {promise.chat for promise in room.look()} == {ANN.user, BOB.user}
    assert len(room.stage.asked("scorer")) == 1


def test_a_digest_rule_is_told_later_and_with_less_urgency(room: Room) -> None:
    rule = msgspec.structs.replace(RULE, is_digest=True)
    room.books.keep(ANN.user, f"{RULES}1", rule)
    room.books.keep(ANN.user, PREFERENCES, Preferences(digest_minutes=5))
    room.quotes(event())
    assert room.look() == []
    (promise,) = room.look(61)
    assert promise.urgency is Urgency.DIGEST


def test_muted_people_hear_nothing_and_a_pause_silences_all(room: Room) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.books.keep(KOS, PAUSE, "1")
    room.quotes(event())
    assert room.look() == []
    assert room.stage.asked("scorer") == [], "nothing is asked for nobody"
    del room.books.kept[KOS, PAUSE]
    muted = Preferences(muted_until=NOW + timedelta(minutes=1), digest_minutes=5)
    room.books.keep(ANN.user, PREFERENCES, muted)
    assert room.look() == []
    (promise,) = room.look(65)
    assert promise.urgency is Urgency.DIGEST, "what was held is told together"


def test_a_memory_of_another_life_counts_and_one_that_cannot_be_read_is_none(
    put_on_stage: Staging, room: Room
) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    assert len(room.look()) == 1
    later = Room(put_on_stage, ANN)
    later.books.kept = dict(room.books.kept)
    later.quotes(event())
    assert later.look(2) == [], "it was told before the restart"
    broken = Room(put_on_stage, ANN)
    broken.books.keep(ANN.user, f"{RULES}1", RULE)
    broken.books.keep(ANN.user, f"{RULES}2", '{"rule_id": "no rule"}')
    broken.books.keep(ANN.user, MEMORY, "{")
    broken.books.keep(ANN.user, PREFERENCES, "")
    broken.quotes(event())
    assert len(broken.look()) == 1


def test_no_more_rules_than_a_person_may_have_are_asked_by_their_numbers(room: Room) -> None:
    for number in range(25, 0, -1):
        query = OpportunityQuery(bookmaker="coral", stake=Decimal(number))
        rule = msgspec.structs.replace(RULE, rule_id=number, query=query)
        room.books.keep(ANN.user, f"{RULES}{number}", rule)
    room.look()
    stakes = {asked.query.stake for asked in room.stage.asked("scorer")}
    assert stakes == set(range(1, 21))


def test_a_scorer_that_does_not_answer_makes_nothing_gone(room: Room) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    assert len(room.look()) == 1
    room.stage.answer("scorer", GetOpportunities, None)
    assert room.look(12) == []
    room.stage.answer("scorer", GetOpportunities, QueryRefused(reason="not so"))
    assert room.look(12) == []
    assert len(room.stage.logged("alerts.not_asked")) == 24


def test_one_question_without_an_answer_leaves_the_others_alone(room: Room) -> None:
    other = msgspec.structs.replace(RULE, rule_id=2, query=OpportunityQuery())
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.books.keep(ANN.user, f"{RULES}2", other)
    room.quotes(event())
    room.stage.answer(
        "scorer",
        GetOpportunities,
        lambda asked: room.ranked(asked) if asked.query.bookmaker else QueryRefused(reason="no"),
    )
    (promise,) = room.look()
    assert promise.topic == "alert/1"


@pytest.mark.parametrize("answer", [None, QueryRefused(reason="starting")], ids=["none", "other"])
@pytest.mark.parametrize("question", [GetPeople, GetKept])
def test_a_ledger_that_does_not_answer_is_a_problem_said_once_until_it_is_over(
    room: Room, question: type[Message], answer: Message | None
) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    listed = room.stage.neighbours.answers["ledger", question]
    room.stage.answer("ledger", question, answer)
    assert room.look(3) == []
    (line,) = room.stage.logged("alerts.not_told")
    assert "the ledger is not responding" in line["error"]
    assert room.stage.pulse()["problem"] == line["error"]
    assert ("starting" in line["error"]) is (answer is not None)
    room.stage.answer("ledger", question, listed)
    assert len(room.look()) == 1
    assert room.stage.pulse()["problem"] == ""
    room.stage.answer("ledger", question, answer)
    room.look(2)
    assert len(room.stage.logged("alerts.not_told")) == 2, "it is news again"


@pytest.mark.parametrize(
    "answer",
    [None, CommandRefused(command_id="x", reason="no room")],
    ids=["none", "refused"],
)
def test_what_could_not_be_stored_is_said_again_from_what_is_stored(
    room: Room, answer: Message | None
) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    room.stage.answer("ledger", Conclude, answer)
    assert room.look(2) == []
    assert len(room.stage.logged("alerts.not_told")) >= 1
    assert "could not be stored" in str(room.stage.pulse()["problem"])
    assert room.stage.pulse()["promised"] == 0
    first, second = room.stage.asked("ledger", Conclude)
    assert first.command_id != second.command_id, "a look is never repeated"
    room.stage.answer("ledger", Conclude, room.books.conclude)
    (promise,) = room.look()
    assert promise.topic == "alert/1"
    assert room.stage.pulse() == {"promised": 1, "problem": ""}


def test_what_was_stored_without_an_answer_is_not_said_twice(room: Room) -> None:
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    assert len(room.look()) == 1

    def store_in_silence(command: Conclude) -> RuntimeFault:
        room.books.conclude(command)
        return AskTimeout("ledger", "Conclude", 5)

    room.stage.answer("ledger", Conclude, store_in_silence)
    room.quotes(event(), event(number=2))
    assert len(room.look()) == 1
    room.stage.answer("ledger", Conclude, room.books.conclude)
    assert room.look(3) == []


def test_one_person_whose_word_is_not_stored_keeps_no_other_waiting(room: Room) -> None:
    for person in (ANN, BOB):
        room.books.keep(person.user, f"{RULES}1", RULE)
    room.quotes(event())

    def refuse_ann(command: Conclude) -> Message:
        if command.kept[0].owner == ANN.user:
            return CommandRefused(command_id=command.command_id, reason="no")
        return room.books.conclude(command)

    room.stage.answer("ledger", Conclude, refuse_ann)
    assert [promise.chat for promise in room.look()] == [BOB.user]


def test_the_settings_beat_the_ledger_and_only_telegram_hears(put_on_stage: Staging) -> None:
    gone = msgspec.structs.replace(BOB, is_active=False)
    terminal = msgspec.structs.replace(BOB, user="terminal:bob")
    named = msgspec.structs.replace(ANN, is_active=True)
    stored = msgspec.structs.replace(ANN, is_active=False)
    room = Room(put_on_stage, stored, gone, terminal, people=(named,))
    for user in (ANN.user, BOB.user, terminal.user):
        room.books.keep(user, f"{RULES}1", RULE)
    room.quotes(event())
    assert [promise.chat for promise in room.look()] == [ANN.user]


def test_simulated_markets_are_named_in_every_message(put_on_stage: Staging) -> None:
    room = Room(put_on_stage, ANN, is_simulated=True)
    room.books.keep(ANN.user, f"{RULES}1", RULE)
    room.quotes(event())
    room.stage.answer("@system", Describe, system(actor("exchange", state="parked")))
    market, trouble = room.look()
    assert text_of(market).startswith("SIMULATED")
    assert text_of(trouble).startswith("SIMULATED")


def test_kos_own_troubles_are_told_to_admins_once_and_when_they_are_over(room: Room) -> None:
    room.stage.answer(
        "@system", Describe, system(actor("exchange", state="parked", last_error="no key"))
    )
    (promise,) = room.look()
    assert promise.chat == ANN.user
    assert promise.urgency is Urgency.ALERT
    assert promise.topic == "trouble/1"
    assert "no key" in text_of(promise)
    assert room.look(3) == []
    room.stage.answer("@system", Describe, system(actor("exchange")))
    (over,) = room.look(7)
    assert over.topic == "trouble/1"
    assert "Resolved at" in text_of(over)
    assert room.stage.pulse()["promised"] == 2


def test_an_admin_who_does_not_want_them_hears_none(room: Room) -> None:
    room.books.keep(ANN.user, PREFERENCES, Preferences(wants_system=False))
    room.stage.answer("@system", Describe, system(actor("exchange", state="parked")))
    assert room.look(3) == []


def test_credits_that_have_run_out_are_a_trouble_and_a_silent_budget_is_none(room: Room) -> None:
    room.stage.answer("budget", GetBudget, None)
    assert room.look() == []
    room.stage.answer("budget", GetBudget, budget(remaining=0))
    (promise,) = room.look()
    assert "credits" in text_of(promise)


def test_a_silent_budget_hides_no_other_trouble(room: Room) -> None:
    room.stage.answer("budget", GetBudget, QueryRefused(reason="x"))
    room.stage.answer("@system", Describe, system(actor("exchange", state="parked")))
    assert len(room.look()) == 1


@pytest.mark.parametrize("answer", [None, QueryRefused(reason="x")], ids=["none", "other"])
def test_a_system_that_does_not_describe_itself_is_no_trouble(
    room: Room, answer: Message | None
) -> None:
    room.stage.answer("@system", Describe, answer)
    assert room.look() == []
    assert len(room.stage.logged("alerts.not_asked")) == 1
    assert room.stage.asked("budget") == []


def test_while_kos_stops_nothing_is_a_trouble(room: Room) -> None:
    room.stage.answer(
        "@system", Describe, system(actor("exchange", state="parked"), is_stopping=True)
    )
    assert room.look(2) == []
    assert room.stage.asked("budget") == []


def test_a_restart_is_told_once_and_is_over_after_a_while(room: Room) -> None:
    room.stage.answer("@system", Describe, system(actor("scorer", restarts=3)))
    assert room.look() == [], "what was before it began is no news"
    again = system(actor("scorer", restarts=4, last_error="ValueError: x"))
    room.stage.answer("@system", Describe, again)
    (promise,) = room.look()
    assert "scorer failed and was restarted: ValueError: x" in text_of(promise)
    assert room.look(11) == [], "it is shown for a minute"
    (over,) = room.look(8)
    assert "Resolved at" in text_of(over)
    assert over.topic == promise.topic
    assert room.look(40) == []


def unhedged(minutes: int = 30) -> ReminderLine:
    return ReminderLine(
        participant="cat",
        instance="c1",
        bookmaker="coral",
        what="bet q is unhedged",
        due_at=NOW + timedelta(minutes=minutes),
        kind=ReminderKind.UNHEDGED,
    )


@pytest.mark.parametrize(
    ("person", "question", "is_named"),
    [
        (ANN, GetReminders(operator=ANN.user), True),
        (BOB, GetReminders(operator=BOB.user), True),
        (CAT, GetReminders(participant="cat"), False),
    ],
)
def test_an_unhedged_bet_is_told_to_each_in_their_own_scope(
    put_on_stage: Staging, person: Person, question: GetReminders, *, is_named: bool
) -> None:
    room = Room(put_on_stage, person)
    room.books.reminders = (unhedged(), unhedged(minutes=300))
    (promise,) = room.look()
    assert room.stage.asked("ledger", GetReminders) == [question]
    assert promise.chat == person.user
    assert ("cat: " in text_of(promise)) is is_named


def test_a_participant_of_no_name_is_asked_about_by_none(put_on_stage: Staging) -> None:
    room = Room(put_on_stage, msgspec.structs.replace(CAT, participant=""))
    room.books.reminders = (unhedged(),)
    assert room.look() == []
    assert room.stage.asked("ledger", GetReminders) == []


def test_a_pause_silences_opportunities_and_not_money_at_risk(room: Room) -> None:
    room.books.keep(KOS, PAUSE, "1")
    room.books.reminders = (unhedged(),)
    assert {promise.chat for promise in room.look()} == {ANN.user, BOB.user}


def test_a_message_that_is_not_its_own_is_refused_by_name(room: Room) -> None:
    with pytest.raises(ActorFailed, match="alerts takes no GetBudget"):
        room.stage.ask(GetBudget())
