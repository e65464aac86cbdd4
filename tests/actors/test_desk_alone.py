"""The desk alone: who may bring whose words, and that an answer comes whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from kos.actors import desk
from kos.config.settings import (
    OddsApiSettings,
    ServiceSettings,
    Settings,
    TelegramSettings,
)
from kos.desk.person_queues import MAX_WAITING
from kos.messages import (
    ConclusionDescribed,
    GetBudget,
    GetConclusion,
    GetKept,
    GetMenu,
    GetPeople,
    GetReminders,
    GetStatement,
    KeptListed,
    MenuDescribed,
    OperatorAnswered,
    OperatorSaid,
    PeopleListed,
    RemindersListed,
    StatementListed,
)
from kos.runtime import ActorFailed
from tests.actors.conftest import Staging
from tests.actors.stage import Stage, counted
from tests.builders import NOW

ANN = "telegram:1"


def word(text: str = "/help", user: str = ANN, number: int = 1) -> OperatorSaid:
    return OperatorSaid(
        said_id=f"word-{number}", user=user, name="Ann", chat=user, text=text, said_at=NOW
    )


@pytest.fixture
def stage(put_on_stage: Staging) -> Iterator[Stage]:
    args = desk.DeskArgs(is_simulated=True, recheck_credits=1, admins=(1,), operators=(2,))
    stage = put_on_stage(desk.spec(args))
    stage.answer("ledger", GetPeople, PeopleListed(people=()))
    stage.answer("ledger", GetKept, KeptListed(kept=()))
    stage.answer("ledger", GetConclusion, ConclusionDescribed(is_concluded=False))
    yield stage.start()
    stage.stop()


def test_the_settings_say_who_may_do_what_and_what_a_poll_costs() -> None:
    settings = Settings(
        odds_api=OddsApiSettings(regions=("uk", "eu")),
        telegram=TelegramSettings(admins=(1,), operators=(2, 3)),
        service=ServiceSettings(is_simulated=True),
    )
    assert desk.args_of(settings) == desk.DeskArgs(
        is_simulated=True, recheck_credits=2, admins=(1,), operators=(2, 3)
    )


@pytest.mark.parametrize(
    ("sender", "user"),
    [("bot", ANN), (None, ANN), (None, "terminal:ann"), (None, "web:ann"), ("dashboard", "web:x")],
)
def test_a_word_is_heard_from_whom_may_bring_it(
    stage: Stage, sender: str | None, user: str
) -> None:
    screen = user.partition(":")[0]
    before = counted("words_total", screen=screen)
    answer = stage.ask(word(user=user), sender)
    assert isinstance(answer, OperatorAnswered)
    assert stage.pulse()["heard"] == 1
    assert counted("words_total", screen=screen) == before + 1


@pytest.mark.parametrize(
    ("sender", "user"),
    [("bot", "terminal:ann"), ("bot", "web:ann"), ("dashboard", ANN), ("scorer", ANN)],
)
def test_nobody_brings_other_peoples_words(stage: Stage, sender: str, user: str) -> None:
    with pytest.raises(ActorFailed, match=f"{sender} cannot send commands for these people"):
        stage.ask(word(user=user), sender)


def test_words_of_no_known_screen_are_counted_together(stage: Stage) -> None:
    before = counted("words_total", screen="other")
    stage.ask(word(user="pigeon:7"))
    assert counted("words_total", screen="other") == before + 1


def test_the_settings_admins_are_known_and_strangers_are_counted(stage: Stage) -> None:
    assert not stage.ask(word(user=ANN)).is_stranger
    assert stage.ask(word(user="telegram:99")).is_stranger
    assert stage.pulse()["strangers"] == 1
    menu = stage.ask(GetMenu(user=ANN))
    assert isinstance(menu, MenuDescribed)
    commands = {line.command for line in menu.lines}
    assert "help" in commands
    assert {line.command for line in stage.ask(GetMenu(user="telegram:2")).lines} < commands
    assert stage.ask(GetMenu(user="telegram:99")).lines == ()


def test_a_failure_goes_to_the_asker_and_costs_no_life(stage: Stage) -> None:
    def fail(_: GetPeople) -> PeopleListed:
        raise ValueError("a bug")

    stage.answer("ledger", GetPeople, fail)
    with pytest.raises(ActorFailed, match="a bug"):
        stage.ask(GetMenu(user="telegram:99"))
    stage.answer("ledger", GetPeople, PeopleListed(people=()))
    assert stage.ask(word())


def test_whose_words_pile_up_is_told_so_and_others_are_answered(stage: Stage) -> None:
    gate, entered = threading.Event(), threading.Event()

    def held(_: GetReminders) -> RemindersListed:
        entered.set()
        assert gate.wait(20)
        return RemindersListed(reminders=())

    stage.answer("ledger", GetReminders, held)
    first = stage.put(word("/due", number=0))
    stage.handle()
    assert entered.wait(20)
    replies = [stage.put(word(number=number)) for number in range(1, MAX_WAITING + 6)]
    stage.handle()
    refused = [reply.result for reply in replies if reply.came.is_set()]
    assert len(refused) == 5
    assert all(isinstance(each, OperatorAnswered) and each.notice for each in refused)
    assert stage.ask(word(user="telegram:2", number=999)), "another person does not wait"
    gate.set()
    assert all(reply.came.wait(20) for reply in (first, *replies))


def test_a_slow_command_holds_up_no_other_word_of_its_person(stage: Stage) -> None:
    gate, entered = threading.Event(), threading.Event()

    def held(_: GetStatement) -> StatementListed:
        entered.set()
        assert gate.wait(20)
        return StatementListed(lines=())

    stage.answer("ledger", GetStatement, held)
    slow = stage.put(word("/statement", number=1))
    stage.handle()
    assert entered.wait(20)
    assert stage.ask(word(number=2))
    gate.set()
    assert slow.came.wait(20)
    assert isinstance(slow.result, OperatorAnswered)


def test_a_message_that_is_not_its_own_is_refused_by_name(stage: Stage) -> None:
    with pytest.raises(ActorFailed, match="desk takes no GetBudget"):
        stage.ask(GetBudget())
