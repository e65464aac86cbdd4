"""The operator's desk: a message in, answers out, whatever the screen.

Each message takes the same path: who sent it (strangers get no answer), which command it is,
whether they have access, and then the command's function. Anything that changes something counts
once: the desk first asks the ledger whether the message was concluded, the facts are recorded
under ids that start with the message's own, and one commit at the end stores the rest: the
dialogue, the buttons shown and used, and the answers. A message that arrives again finds that
commit, changes nothing and gets the same answer.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec
import structlog
from rapidfuzz import fuzz, process

from kos.asking import Asker
from kos.desk.arguments import Arguments, Typed, read, tidy
from kos.desk.command import Command, DeskContext, DeskReply, Premises, kept_value
from kos.desk.formatting import fitted, say
from kos.desk.roles import CodeAttempts, Seats, role_of
from kos.desk.signals import families
from kos.desk.table import FORMS, TABLE, by_name
from kos.domain.people.conversation import (
    MAX_NOTICE,
    TELEGRAM,
    Action,
    Answer,
    MenuLine,
    Person,
    Promise,
)
from kos.domain.people.invitations import code_digest
from kos.errors import CommandNotAllowed, KosError
from kos.messages import (
    LEDGER,
    AcceptInvitation,
    ActionDescribed,
    CommandRecorded,
    Conclude,
    ConclusionDescribed,
    GetAction,
    GetConclusion,
    MenuDescribed,
    OperatorAnswered,
    OperatorSaid,
    PersonSeated,
)

MAX_MENU = 100
_ANSWERED = "answered:"
_ANSWERED_FOR = timedelta(hours=6)
"""How long a screen without an outbox can repeat a message and get the same answer."""
_EXPIRED = "That button has expired. Run the command again."
_CLOSE_ENOUGH = 60.0
_MAX_SAID_ID = 150

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode
_ANSWERS = msgspec.json.Decoder(tuple[Answer, ...])


@dataclass(frozen=True)
class Work:
    """A message that is understood, with the work it needs."""

    run: Callable[[], OperatorAnswered]
    is_slow: bool = False
    """It can take long, and the same person's next message need not wait."""


class Desk:
    """Answers every message from every person. Safe to use from several threads.

    Args:
        asker: Asks the other actors.
        premises: The facts about its installation.
        admins: Users that the settings make admins, e.g. ``telegram:42``.
        operators: Users that the settings make operators.
    """

    def __init__(
        self,
        asker: Asker,
        premises: Premises,
        admins: Iterable[str] = (),
        operators: Iterable[str] = (),
    ) -> None:
        self._asker = asker
        self._seats = Seats(asker, premises.clock, admins, operators)
        self._attempts = CodeAttempts()
        self._premises = replace(premises, commands=TABLE, forms=FORMS)
        self._commands: Mapping[str, Command] = by_name(TABLE)
        self._memory: dict[str, object] = {"seats": self._seats}
        self.strangers = 0
        """Messages from people without access."""

    def hear(self, said: OperatorSaid) -> OperatorAnswered:
        """Answer one message completely."""
        return self.understand(said).run()

    def understand(self, said: OperatorSaid) -> Work:
        """Find what a message asks for; the work is done when it is run."""
        if not 1 <= len(said.said_id) <= _MAX_SAID_ID:
            return _with_notice("said_id has 1 to 150 characters")
        person = self._seats.person(said.user, said.name)
        if person is None:
            return Work(lambda: self._of_a_stranger(said))
        if said.pressed and not said.pressed.startswith("/"):
            return self._understand_press(said, person)
        typed = read(said.pressed or said.text)
        if not typed.name:
            return self._work(
                said, person, self._commands["answer"], Arguments((typed.text,)), None
            )
        command, words = self._command(typed)
        if command is None:
            return Work(lambda: self._unknown(person, typed))
        return self._work(said, person, command, words, None)

    def menu(self, user: str) -> MenuDescribed:
        """The commands that a user can use, those for each bookmaker last."""
        person = self._seats.person(user)
        if person is None:
            return MenuDescribed(lines=())
        own = [command for command in self._commands.values() if person.seat in command.seats]
        lines = [
            MenuLine(command.name, command.summary) for command in own if not command.is_hidden
        ]
        lines += [
            MenuLine(name, summary)
            for name, summary in families(self._asker, self._memory, self._premises.clock(), own)
        ]
        return MenuDescribed(lines=tuple(lines[:MAX_MENU]))

    # --- understanding ---------------------------------------------------------------------------

    def _command(self, typed: Typed) -> tuple[Command | None, Arguments]:
        """The command of a name, or of the family that the name starts with."""
        exact = self._commands.get(typed.name)
        if exact is not None:
            return exact, typed.words
        head, _, tail = typed.name.partition("_")
        family = self._commands.get(head)
        if family is None or not family.is_family or not tail:
            return None, typed.words
        return family, Arguments((tail, *typed.words.plain), typed.words.named)

    def _understand_press(self, said: OperatorSaid, person: Person) -> Work:
        """A button that does something: treated as forged until it matches a stored action."""
        try:
            if (done := self._concluded(said)) is not None:
                return Work(lambda: msgspec.structs.replace(done, notice="Already done."))
            action = self._asker.ask(
                LEDGER, GetAction(action_id=tidy(said.pressed, 64)), ActionDescribed
            ).action
        except KosError as error:
            return _with_notice(tidy(str(error), MAX_NOTICE))
        why = self._disagreement(action, person)
        command, words = self._command(read(action.command if action else ""))
        if why or action is None or command is None:
            return _with_notice(why or _EXPIRED)
        return self._work(said, person, command, words, action)

    def _disagreement(self, action: Action | None, person: Person) -> str:
        """Why a pressed button is refused; empty if it is valid."""
        if action is None:
            return _EXPIRED
        if action.user != person.user:
            return "That button is for someone else."
        if action.used_at is not None:
            return "Already done."
        return "" if self._premises.clock() < action.expires_at else _EXPIRED

    def _work(
        self,
        said: OperatorSaid,
        person: Person,
        command: Command,
        words: Arguments,
        action: Action | None,
    ) -> Work:
        if person.seat not in command.seats:
            return Work(lambda: _not_done(say(f"You do not have access to /{command.name}.")))
        visit = DeskContext(
            said=said,
            person=person,
            asker=self._asker,
            premises=self._premises,
            name=command.name,
            words=words,
            action=action,
            memory=self._memory,
        )
        return Work(lambda: self._carry_out(visit, command), is_slow=command.is_slow)

    def _unknown(self, person: Person, typed: Typed) -> OperatorAnswered:
        own = [command.name for command in self._commands.values() if person.seat in command.seats]
        own = [name for name in own if not self._commands[name].is_hidden]
        head = typed.name.partition("_")[0]
        close = process.extractOne(typed.name, own, scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH)
        close = close or process.extractOne(
            head, own, scorer=fuzz.ratio, score_cutoff=_CLOSE_ENOUGH
        )
        hint = f" Did you mean /{close[0]}?" if close else ""
        return _not_done(
            say(f"Unknown command: /{typed.name}.{hint} Send /help for the full list.")
        )

    # --- doing -------------------------------------------------------------------------------------

    def _carry_out(self, visit: DeskContext, command: Command) -> OperatorAnswered:
        began = time.monotonic()
        try:
            return self._done(visit, command)
        finally:
            elapsed_ms = round((time.monotonic() - began) * 1000, 1)
            user = visit.said.user
            _log.info("word.answered", what=command.name, user=user, elapsed_ms=elapsed_ms)

    def _done(self, visit: DeskContext, command: Command) -> OperatorAnswered:
        try:
            is_turn = command.is_turn or visit.action is not None
            if is_turn and (done := self._concluded(visit.said)) is not None:
                return done
            if command.is_once and visit.action is not None:
                self._use_up(visit, visit.action)
            reply = command.run(visit)
            if reply.is_turn or visit.action is not None:
                return self._conclude(visit, reply, is_used_up=command.is_once)
            self._keep_shown(visit, reply)
            return OperatorAnswered(answers=tuple(map(fitted, reply.answers)), notice=reply.notice)
        except KosError as error:
            return _refused(visit, str(error))
        except Exception:  # noqa: BLE001 - the border: the person gets an answer, the log the fault
            reference = secrets.token_hex(4)
            _log.exception("word.failed", what=command.name, reference=reference)
            return _refused(
                visit,
                f"Something went wrong with /{command.name}. "
                f"The log has the details (reference {reference}).",
            )

    def _concluded(self, said: OperatorSaid) -> OperatorAnswered | None:
        """The answer this message got the first time; None if it is new.

        Raises:
            WaitAndRetry: The ledger does not answer; nothing can be changed then.
        """
        conclusion = self._asker.ask(
            LEDGER, GetConclusion(said_id=said.said_id), ConclusionDescribed
        )
        if not conclusion.is_concluded:
            return None
        if _has_outbox(said):
            return OperatorAnswered()  # the outbox sends the answers
        value = kept_value(self._asker, said.user, _ANSWERED + said.said_id)
        return OperatorAnswered(answers=_ANSWERS.decode(value or "[]"))

    def _use_up(self, visit: DeskContext, action: Action) -> None:
        """Mark a button as used before it acts, for actions that must not happen twice.

        Raises:
            CommandNotAllowed: It has already been used.
        """
        command = Conclude(
            # A new id each time: if two people use it, one is refused.
            command_id=f"{visit.said.said_id}:once:{secrets.token_hex(6)}",
            by=visit.user,
            occurred_at=visit.now,
            used=(action.action_id,),
        )
        try:
            self._asker.do(command, CommandRecorded)
        except CommandNotAllowed as refused:
            raise CommandNotAllowed("Already done.") from refused

    def _conclude(
        self, visit: DeskContext, reply: DeskReply, *, is_used_up: bool
    ) -> OperatorAnswered:
        """Commit the results of a message, including its answers."""
        said = visit.said
        answers = tuple(map(fitted, reply.answers))
        kept = reply.kept
        promises: tuple[Promise, ...] = ()
        if reply.is_private:
            pass
        elif _has_outbox(said):
            promises = tuple(
                Promise(
                    chat=said.chat,
                    answer=answer,
                    edits=said.message_id if answer.is_edit and said.pressed else 0,
                )
                for answer in answers
            )
        elif answers:
            name = _ANSWERED + said.said_id
            kept += (visit.keep(name, answers, visit.now + _ANSWERED_FOR, owner=said.user),)
        used = reply.used
        if visit.action is not None and not is_used_up:
            used = (visit.action.action_id, *used)
        self._asker.do(
            Conclude(
                command_id=said.said_id,
                by=visit.user,
                occurred_at=visit.now,
                kept=kept,
                actions=reply.actions,
                used=used,
                promises=promises,
            ),
            CommandRecorded,
        )
        for actor, message in reply.tells:
            self._asker.tell(actor, message)
        if promises:
            return OperatorAnswered(notice=reply.notice)
        return OperatorAnswered(answers=answers, notice=reply.notice)

    def _keep_shown(self, visit: DeskContext, reply: DeskReply) -> None:
        """Store the buttons of an answer that changes nothing: each showing has its own."""
        if not (reply.actions or reply.kept):
            return
        self._asker.do(
            Conclude(
                command_id=f"{visit.said.said_id}:shown:{secrets.token_hex(6)}",
                by=visit.user,
                occurred_at=visit.now,
                kept=reply.kept,
                actions=reply.actions,
            ),
            CommandRecorded,
        )

    # --- strangers -----------------------------------------------------------------------------------

    def _of_a_stranger(self, said: OperatorSaid) -> OperatorAnswered:
        """No answer, unless the message has a valid invitation."""
        self.strangers += 1
        silence = OperatorAnswered(is_stranger=True)
        typed = read(said.text)
        code = typed.words.first()
        if said.pressed or typed.name not in {"start", "join"} or not code:
            return silence
        if not self._attempts.is_allowed(said.user, self._premises.clock()):
            return silence
        try:
            person = self._asker.do(
                AcceptInvitation(
                    command_id=f"{said.said_id}:join",
                    by=said.user,
                    occurred_at=self._premises.clock(),
                    code_digest=code_digest(code),
                    user=said.user,
                    name=tidy(said.name, 64) or said.user,
                ),
                PersonSeated,
            ).person
        except CommandNotAllowed:
            _log.warning("invitation.refused", user=said.user)
            return silence
        except KosError as error:
            _log.warning("invitation.not_read", reason=str(error))
            return silence
        self._seats.forget()
        _log.info("invitation.accepted", user=said.user, seat=person.seat.value)
        welcome = (
            f"Welcome, {person.name}. You are now {role_of(person.seat)}."
            " Send /help to get started."
        )
        return OperatorAnswered(answers=(say(welcome),))


def _with_notice(notice: str) -> Work:
    return Work(lambda: OperatorAnswered(notice=notice, is_refused=True))


def _not_done(answer: Answer) -> OperatorAnswered:
    return OperatorAnswered(answers=(answer,), is_refused=True)


def _refused(visit: DeskContext, why: str) -> OperatorAnswered:
    """A sentence; for a button as its notice, and also in full if the notice is too short."""
    if not visit.said.pressed:
        return _not_done(say(why))
    notice = tidy(why, MAX_NOTICE)
    answers = () if notice == why else (say(why),)
    return OperatorAnswered(answers=answers, notice=notice, is_refused=True)


def _has_outbox(said: OperatorSaid) -> bool:
    return said.chat.startswith(TELEGRAM)
