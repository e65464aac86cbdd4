"""One way to ask: what is repeated, what is not, and the sentence when no answer comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kos.asking import Asker, fault_words
from kos.asking.asker import COMMAND_S
from kos.errors import ActorUnavailable, CommandNotAllowed, WaitAndRetry
from kos.messages import (
    LEDGER,
    BudgetDescribed,
    CatalogueListed,
    CommandRecorded,
    CommandRefused,
    GetCatalogue,
    PauseChanged,
    PutOffers,
    QueryRefused,
)
from kos.runtime import (
    ActorFailed,
    AskTimeout,
    MailboxFull,
    Message,
    MessageRefused,
    NoSuchActor,
    PeerDied,
    RuntimeFault,
    SystemNotRunning,
)

COMMAND = PutOffers(
    command_id="key-1", by="ann", occurred_at=datetime(2026, 3, 14, tzinfo=UTC), offers=()
)
RECORDED = CommandRecorded(command_id="key-1", sequence=7)
DIED = PeerDied(LEDGER, "killed")
LATE = AskTimeout(LEDGER, "PutOffers", 10)
FULL = MailboxFull(LEDGER, "1000")
FAILED = ActorFailed(LEDGER, "ValueError", "a bug")
UNSAVED = ActorFailed(LEDGER, "DatabaseUnavailable", "the disk is full; nothing was saved")
UNKNOWN = "KOS cannot tell whether this was saved."


class Actor:
    """Answers in the order given, the last one for ever."""

    def __init__(self, *answers: Message | RuntimeFault) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Message, float]] = []

    def __call__(self, actor: str, message: Message, timeout_s: float) -> Message:
        self.asked.append((actor, message, timeout_s))
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, RuntimeFault):
            raise answer
        return answer


def test_a_question_is_sent_once_and_its_answer_has_the_expected_type() -> None:
    actor = Actor(CatalogueListed(offers=()))
    listed = Asker(actor).ask(LEDGER, GetCatalogue(), CatalogueListed, 3.0)
    assert listed == CatalogueListed(offers=())
    assert actor.asked == [(LEDGER, GetCatalogue(), 3.0)]


@pytest.mark.parametrize(
    "refusal", [QueryRefused(reason="not you"), CommandRefused(command_id="x", reason="not you")]
)
@pytest.mark.parametrize("expected", [CatalogueListed, Message])
def test_a_refusal_is_an_error_whatever_is_expected(
    refusal: Message, expected: type[Message]
) -> None:
    with pytest.raises(CommandNotAllowed, match=r"^not you$"):
        Asker(Actor(refusal)).ask(LEDGER, GetCatalogue(), expected)
    with pytest.raises(CommandNotAllowed, match=r"^not you$"):
        Asker(Actor(refusal)).do(COMMAND, expected)


def test_an_answer_of_another_type_is_no_answer() -> None:
    with pytest.raises(ActorUnavailable) as unavailable:
        Asker(Actor(RECORDED)).ask("budget", GetCatalogue(), BudgetDescribed)
    assert str(unavailable.value) == (
        "The budget answered with CommandRecorded. Please report this."
    )


@pytest.mark.parametrize(
    ("actor", "fault", "sentence"),
    [
        ("ledger", DIED, "The ledger is restarting. Try again in a moment."),
        ("desk", NoSuchActor("desk"), "The desk is still starting. Try again in a moment."),
        (
            "@system",
            AskTimeout("@system", "Describe", 2.5),
            "The system did not respond within 2.5 seconds. Try again in a moment.",
        ),
        ("ledger", FULL, "The ledger is busy. Try again in a moment."),
        ("ledger", FAILED, "The ledger failed: a bug (ValueError)."),
        (
            "reconciler",
            NoSuchActor("reconciler"),
            "The settings have no Betfair account, so no names are matched.",
        ),
        ("exchange", NoSuchActor("exchange"), "The settings have no Betfair account."),
        ("desk", SystemNotRunning("nothing runs; start it first"), "Nothing runs; start it first."),
        (
            "desk",
            MessageRefused("desk", "no such field."),
            "Desk: the message was refused: no such field.",
        ),
    ],
)
def test_a_fault_is_a_sentence_with_what_to_do(
    actor: str, fault: RuntimeFault, sentence: str
) -> None:
    asked = Actor(fault)
    with pytest.raises(WaitAndRetry) as unavailable:
        Asker(asked).ask(actor, GetCatalogue(), CatalogueListed)
    assert str(unavailable.value) == sentence
    assert sentence.startswith(fault_words(actor, fault))
    assert unavailable.value.reason == fault_words(actor, fault)
    assert unavailable.value.remote == actor
    assert unavailable.value.__cause__ is fault
    assert len(asked.asked) == 1


def test_a_command_is_repeated_under_its_id_until_it_is_answered() -> None:
    ledger = Actor(DIED, LATE, FULL, NoSuchActor(LEDGER), RECORDED)
    assert Asker(ledger).do(COMMAND, CommandRecorded) == RECORDED
    assert ledger.asked == [(LEDGER, COMMAND, COMMAND_S)] * 5


@pytest.mark.parametrize("fault", [FAILED, UNSAVED, SystemNotRunning("nothing runs")])
def test_a_fault_that_does_not_pass_ends_the_repeats(fault: RuntimeFault) -> None:
    ledger = Actor(fault, RECORDED)
    with pytest.raises(ActorUnavailable):
        Asker(ledger).do(COMMAND, CommandRecorded)
    assert len(ledger.asked) == 1


@pytest.mark.parametrize(
    ("faults", "is_known"),
    [
        ((DIED,), False),
        ((LATE,), False),
        ((FAILED,), False),
        ((LATE, FULL), False),
        ((FULL,), True),
        ((NoSuchActor(LEDGER),), True),
        ((SystemNotRunning("nothing runs"),), True),
        ((UNSAVED,), True),
    ],
)
def test_when_no_answer_comes_it_says_whether_the_command_may_be_recorded(
    faults: tuple[RuntimeFault, ...], *, is_known: bool
) -> None:
    with pytest.raises(ActorUnavailable) as unavailable:
        Asker(Actor(*faults), patience_s=0.15).do(COMMAND, CommandRecorded)
    words = fault_words(LEDGER, faults[-1])
    assert str(unavailable.value) == (
        f"{words} Nothing was saved."
        if is_known
        else f"{words} {UNKNOWN} Send it again: it will not be recorded twice."
    )


def test_how_to_repeat_it_is_the_asker_s_to_say() -> None:
    with pytest.raises(ActorUnavailable, match=r"Run it with --key k: it will not be recorded"):
        Asker(Actor(DIED), patience_s=0).do(COMMAND, CommandRecorded, repeat="Run it with --key k")


def test_any_actor_that_knows_a_repeat_can_be_asked_until_it_answers() -> None:
    desk = Actor(PeerDied("desk", "killed"), CatalogueListed(offers=()))
    asker = Asker(desk)
    asker.ask_until_answered("desk", GetCatalogue(), CatalogueListed, 60.0)
    assert desk.asked == [("desk", GetCatalogue(), 60.0)] * 2


def test_what_is_told_does_not_wait_and_says_whether_there_is_anyone() -> None:
    told: list[tuple[str, Message]] = []

    def tell(actor: str, message: Message) -> None:
        if actor != "budget":
            raise NoSuchActor(actor)
        told.append((actor, message))

    asker = Asker(Actor(RECORDED), tell)
    assert asker.tell("budget", PauseChanged())
    assert not asker.tell("nobody", PauseChanged())
    assert told == [("budget", PauseChanged())]


def test_an_actor_that_is_away_is_asked_again_after_a_pause() -> None:
    ledger = Actor(DIED)
    with pytest.raises(ActorUnavailable):
        Asker(ledger, patience_s=0.25).do(COMMAND, CommandRecorded)
    assert 2 <= len(ledger.asked) <= 4, "every tenth of a second, not as fast as it can"
