"""The bot's actor alone, its loop on the sandbox's Telegram: what it asks of whom, and its ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from kos.actors import bot
from kos.adapters.telegram.service import TelegramService
from kos.config.settings import Secret, TelegramSettings
from kos.domain.people.conversation import (
    Answer,
    MenuLine,
    OutboxEntry,
    Promise,
    PromiseOutcome,
    Span,
)
from kos.errors import WaitAndRetry
from kos.messages import (
    CommandRecorded,
    CommandRefused,
    GetBudget,
    GetMenu,
    GetOutbox,
    MarkDelivered,
    MenuDescribed,
    OperatorAnswered,
    OperatorSaid,
    OutboxFilled,
    OutboxListed,
)
from kos.runtime import ActorFailed, Message, PeerDied, RuntimeFault
from tests.actors.conftest import Staging
from tests.actors.stage import Stage
from tests.builders import NOW
from tests.telegram_world import TelegramWorld

ANN = 42
NOTHING = OutboxListed(entries=(), waiting=0)


def say(text: str) -> Answer:
    return Answer(spans=(Span(text),))


def word(text: str = "/help") -> OperatorSaid:
    return OperatorSaid(
        said_id="w", user="telegram:42", name="Ann", chat="telegram:42", text=text, said_at=NOW
    )


@pytest.fixture
def quiet(put_on_stage: Staging) -> Stage:
    """A bot that has not started: its side of the conversations can be had by themselves."""
    settings = TelegramSettings(token=Secret("1:x"), url="http://127.0.0.1:9")
    return put_on_stage(bot.spec(bot.BotArgs(telegram=settings)))


@pytest.fixture
def rest(quiet: Stage) -> bot._ActorsBehind:
    """The rest of KOS as the bot's threads reach it."""
    return bot._ActorsBehind(quiet.context)


@pytest.fixture
def stage(put_on_stage: Staging, telegram_world: TelegramWorld) -> Iterator[Stage]:
    """A bot that polls, behind it a desk that echoes and a ledger that owes nothing."""
    telegram_world.meet(ANN, name="Ann")
    telegram_world.forget(ANN)
    settings = TelegramSettings(
        token=Secret(telegram_world.token), url=telegram_world.url, poll_s=10
    )
    stage = put_on_stage(bot.spec(bot.BotArgs(telegram=settings)))
    stage.answer("desk", GetMenu, MenuDescribed(lines=(MenuLine("help", "What there is"),)))
    stage.answer(
        "desk",
        OperatorSaid,
        lambda said: OperatorAnswered(answers=(say(f"heard {said.text}"),)),
    )
    stage.answer("ledger", GetOutbox, NOTHING)
    stage.start()
    stage.until(lambda: stage.pulse().get("state") == "polling", "it polls")
    yield stage
    if stage.ended is None:
        stage.stop()


def test_a_persons_word_goes_to_the_desk_and_the_answer_back(
    stage: Stage, telegram_world: TelegramWorld
) -> None:
    telegram_world.say(ANN, "/hello")
    assert telegram_world.next_message(ANN).text == "heard /hello"
    (said,) = stage.asked("desk", OperatorSaid)
    assert (said.user, said.chat, said.text) == ("telegram:42", "telegram:42", "/hello")
    stage.stop()
    assert not [each for each in threading.enumerate() if each.name == "telegram-loop"]


def test_what_was_promised_is_sent_as_soon_as_it_is_told_of(
    stage: Stage, telegram_world: TelegramWorld
) -> None:
    entry = OutboxEntry(
        entry_id=7, promise=Promise(chat=f"telegram:{ANN}", answer=say("paid")), promised_at=NOW
    )
    marked = threading.Event()

    def mark(command: MarkDelivered) -> CommandRecorded:
        stage.answer("ledger", GetOutbox, NOTHING)
        marked.set()
        return CommandRecorded(command_id=command.command_id, sequence=1)

    stage.answer("ledger", MarkDelivered, mark)
    stage.answer("ledger", GetOutbox, OutboxListed(entries=(entry,), waiting=1))
    stage.tell(OutboxFilled())
    message = telegram_world.next_message(ANN)
    assert message.text == "paid"
    assert marked.wait(20)
    (command,) = stage.asked("ledger", MarkDelivered)
    assert command.command_id == "outbox:7:sent"
    assert command.by == "bot"
    assert command.occurred_at == NOW
    assert (command.entry_id, command.outcome) == (7, PromiseOutcome.SENT)
    assert command.message_id == message.message_id


def test_a_word_that_reaches_nobody_may_be_asked_again(
    quiet: Stage, rest: bot._ActorsBehind
) -> None:
    for fault in (None, PeerDied("desk", "its process is down")):
        quiet.answer("desk", OperatorSaid, fault)
        with pytest.raises(WaitAndRetry, match="desk"):
            rest.hear(word())
    quiet.answer("desk", OperatorSaid, GetBudget())
    with pytest.raises(WaitAndRetry, match="desk answered with GetBudget"):
        rest.hear(word())


def test_a_word_at_which_the_desk_fails_is_answered_so_and_not_repeated(
    quiet: Stage, rest: bot._ActorsBehind
) -> None:
    failure = ActorFailed("desk", "ValueError", "a bug")
    quiet.answer("desk", OperatorSaid, failure)
    answer = rest.hear(word())
    assert "could not do this" in answer.notice
    assert len(quiet.logged("telegram.not_answered")) == 1
    quiet.answer("desk", GetMenu, failure)
    with pytest.raises(WaitAndRetry):
        rest.menu("telegram:42")
    quiet.answer("ledger", GetOutbox, ActorFailed("ledger", "ValueError", "a bug"))
    with pytest.raises(WaitAndRetry):
        rest.outbox(())


def test_the_outbox_is_asked_for_without_the_chats_that_rest(
    quiet: Stage, rest: bot._ActorsBehind
) -> None:
    quiet.answer("ledger", GetOutbox, NOTHING)
    assert rest.outbox(("telegram:7",)) == ()
    assert quiet.asked("ledger") == [GetOutbox(without_chats=("telegram:7",))]
    quiet.answer("ledger", GetOutbox, GetBudget())
    with pytest.raises(WaitAndRetry, match="answered with GetBudget"):
        rest.outbox(())


@pytest.mark.parametrize(
    ("answer", "is_done"),
    [
        (CommandRecorded(command_id="x", sequence=1), True),
        (CommandRefused(command_id="x", reason="long gone"), True),
        (GetBudget(), False),
        (None, False),
    ],
)
def test_a_delivery_is_marked_when_the_ledger_has_had_its_say(
    quiet: Stage, rest: bot._ActorsBehind, answer: Message | RuntimeFault | None, *, is_done: bool
) -> None:
    quiet.answer("ledger", MarkDelivered, answer)
    if is_done:
        rest.mark(7, PromiseOutcome.EXPIRED, 0, "too late")
    else:
        with pytest.raises(WaitAndRetry):
            rest.mark(7, PromiseOutcome.EXPIRED, 0, "too late")
    (command,) = quiet.asked("ledger")
    assert (command.command_id, command.reason) == ("outbox:7:expired", "too late")


def test_a_menu_is_what_the_desk_describes(quiet: Stage, rest: bot._ActorsBehind) -> None:
    lines = (MenuLine("help", "What there is"),)
    quiet.answer("desk", GetMenu, MenuDescribed(lines=lines))
    assert rest.menu("telegram:42") == lines
    quiet.answer("desk", GetMenu, GetBudget())
    with pytest.raises(WaitAndRetry):
        rest.menu("telegram:42")


def test_a_loop_that_ends_by_itself_ends_the_actor_with_every_reason(
    quiet: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def end(_self: TelegramService) -> None:
        raise ExceptionGroup("the loop", [ValueError("one"), OSError("two")])

    monkeypatch.setattr(TelegramService, "run", end)
    quiet.start()
    quiet.until(lambda: quiet.ended, "it ends")
    assert quiet.ended is not None
    assert quiet.ended.is_failure
    assert "ValueError: one; OSError: two" in quiet.ended.error


def test_without_its_package_the_bot_says_what_to_install_and_lives_on(
    quiet: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kos.adapters.telegram.service", None)
    quiet.start()
    quiet.until(lambda: quiet.pulse().get("state") == "misconfigured", "it is named")
    assert "install kos-engine[telegram]" in str(quiet.pulse()["problem"])
    quiet.tell(OutboxFilled())
    assert quiet.ended is None
    assert len(quiet.logged("telegram.not_made")) == 1
    quiet.stop()


def test_a_message_that_is_not_its_own_is_refused_by_name(quiet: Stage) -> None:
    quiet.start()
    with pytest.raises(ActorFailed, match="bot takes no GetBudget"):
        quiet.ask(GetBudget())
    quiet.stop()
