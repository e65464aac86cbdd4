"""Dialogues: KOS asks for anything missing, one question at a time, then for confirmation.

The state of a dialogue is stored in the ledger with the message that led to it, so that it
survives any restart, and a message that arrives twice counts once. A form says which question
comes next and what to do when none is left; a button carries the turn it belongs to, so that an
old button cannot answer a later question.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from kos.desk.arguments import Arguments, tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject, reply_of
from kos.desk.formatting import Rows, TextPart, button, in_rows, say
from kos.domain.offers.suggestions import LEFT_OUT
from kos.domain.people.conversation import Action, Button, Kept
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import LEDGER, ActionDescribed, GetAction

DIALOGUE = "dialogue"
CONFIRMING = "confirming"
PATIENCE = timedelta(minutes=30)
"""A dialogue unused for this long is forgotten."""
CONFIRM_WITHIN = timedelta(minutes=10)
_MOST_CHOICES = 40


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One thing that is missing."""

    field: str
    """The word that the answer fills in."""
    text: str
    read: Callable[[str], str]
    """Reads the typed answer; raises InvalidInput with what is allowed."""
    choices: tuple[tuple[str, str], ...] = ()
    """Labels of buttons, each with the answer it stands for."""


class Dialogue(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a dialogue."""

    form: str
    words: Arguments = Arguments()
    """The answers so far."""
    hints: dict[str, str] = {}
    """Suggested answers, such as the prices of the opportunity on screen."""
    asked: str = ""
    """The field of the open question."""
    turn: str = ""
    choices: tuple[str, ...] = ()
    """The answers behind the buttons of the open question."""

    def knows(self, field: str) -> bool:
        """Whether that word was given."""
        return field in self.words.named

    def word(self, field: str) -> str:
        """The value of that word; empty if skipped or not given."""
        value = self.words.get(field)
        return "" if value == LEFT_OUT else value

    def with_word(self, field: str, value: str) -> Dialogue:
        """The dialogue with one more answer."""
        named = self.words.named | {field: value}
        return msgspec.structs.replace(self, words=Arguments(self.words.plain, named))


@dataclass(frozen=True, kw_only=True)
class DialogueForm:
    """A kind of dialogue."""

    missing: Callable[[DeskContext, Dialogue], Prompt | None]
    """The next question; None when all is known."""
    finish: Callable[[DeskContext, Dialogue], DeskReply]
    """The result of all the answers: usually a request to confirm."""


def go_on(visit: DeskContext, dialogue: Dialogue, why: str = "") -> DeskReply:
    """Ask for anything missing, or finish.

    Args:
        visit: The message that led here.
        dialogue: Its state.
        why: Shown before the question, such as why the last answer was refused.
    """
    form: DialogueForm = visit.premises.forms[dialogue.form]
    question = form.missing(visit, dialogue)
    if question is None:
        reply = form.finish(visit, dialogue)
        return msgspec.structs.replace(
            reply, kept=(_forget(visit, DIALOGUE), *reply.kept), is_turn=True
        )
    choices = question.choices[:_MOST_CHOICES]
    asked = msgspec.structs.replace(
        dialogue,
        asked=question.field,
        turn=secrets.token_hex(3),
        choices=tuple(value for _, value in choices),
    )
    buttons = [
        button(label, f"/answer {asked.turn} {number}") for number, (label, _) in enumerate(choices)
    ]
    return DeskReply(
        answers=(
            say(
                f"{why}\n\n" if why else "",
                question.text,
                buttons=(*in_rows(buttons), (button("Cancel", "/cancel"),)),
            ),
        ),
        kept=(visit.keep(DIALOGUE, asked, visit.now + PATIENCE),),
        is_turn=True,
    )


def confirm(
    visit: DeskContext,
    *parts: TextPart,
    command: str,
    label: str = "Confirm",
    participant: str = "",
    instance: str = "",
    version: int | None = None,
    others: tuple[Button, ...] = (),
) -> DeskReply:
    """Ask for confirmation of a command: a button that works once, for ten minutes.

    Args:
        visit: The visit of the person asked.
        parts: What will be done, with its amounts.
        command: As it would be typed.
        label: The label of the button.
        participant: The participant it is about.
        instance: The offer it is about.
        version: The offer's count of facts for which it was decided.
        others: More buttons, before the one that cancels.
    """
    action = Action(
        action_id=secrets.token_urlsafe(12),
        user=visit.user,
        command=command,
        participant=participant,
        instance=instance,
        expected_version=version,
        expires_at=visit.now + CONFIRM_WITHIN,
    )
    buttons: Rows = ((button(label, action.action_id), *others, button("Cancel", "/cancel")),)
    return DeskReply(
        answers=(say(*parts, buttons=buttons),),
        actions=(action,),
        kept=(visit.keep(CONFIRMING, action.action_id, action.expires_at),),
        is_turn=True,
    )


def _forget(visit: DeskContext, name: str) -> Kept:
    return Kept(owner=visit.user, name=name, value="")


def _open_dialogue(visit: DeskContext) -> Dialogue | None:
    value = visit.kept_value(DIALOGUE)
    if not value:
        return None
    try:
        dialogue = msgspec.json.decode(value, type=Dialogue)
    except msgspec.MsgspecError:  # of another version of KOS
        return None
    return dialogue if dialogue.form in visit.premises.forms else None


def _answer(visit: DeskContext) -> DeskReply:
    """The answer to the open question: typed, or a button with its turn and number."""
    dialogue = _open_dialogue(visit)
    is_free_text = not (visit.said.pressed or visit.said.text.lstrip().startswith("/"))
    if dialogue is None:
        if is_free_text:
            return reply_of("There is no open question. Send /help for the commands.")
        raise CommandNotAllowed("That question has closed.")
    if is_free_text:
        text = visit.words.first()
    else:
        turn, _, number = " ".join(visit.words.plain).partition(" ")
        if turn != dialogue.turn or number not in map(str, range(len(dialogue.choices))):
            raise CommandNotAllowed("That was an earlier question. Answer the latest one.")
        text = dialogue.choices[int(number)]
    form: DialogueForm = visit.premises.forms[dialogue.form]
    question = form.missing(visit, dialogue)
    if question is None or question.field != dialogue.asked:
        return go_on(visit, dialogue, "Something has changed since. Check and try again.")
    try:
        value = question.read(text)
    except InvalidInput as error:
        return go_on(visit, dialogue, f"{tidy(str(error), 400).rstrip('.')}.")
    return go_on(visit, dialogue.with_word(question.field, value))


def _cancel(visit: DeskContext) -> DeskReply:
    """Forget the open question and the confirmation that is waiting."""
    used: tuple[str, ...] = ()
    is_open = bool(visit.kept_value(DIALOGUE))
    waiting = visit.kept_value(CONFIRMING)
    if waiting:
        name = msgspec.json.decode(waiting, type=str)
        action = visit.asker.ask(LEDGER, GetAction(action_id=name), ActionDescribed).action
        used = (name,) if action is not None and action.used_at is None else ()
    outcome = (
        "Cancelled. Nothing was recorded." if is_open or used else "There is nothing to cancel."
    )
    return DeskReply(
        answers=(say(outcome, is_edit=visit.is_edit),),
        kept=(_forget(visit, DIALOGUE), _forget(visit, CONFIRMING)),
        used=used,
        is_turn=True,
    )


COMMANDS = (
    Command("cancel", _cancel, "Cancel the current question", Subject.HELP, is_turn=True),
    Command(
        "answer", _answer, "Answer the last question", Subject.HELP, is_turn=True, is_hidden=True
    ),
)
