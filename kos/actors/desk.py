"""The operator's desk as an actor: words of people from every screen come here."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import msgspec

from kos import __version__
from kos.actors.fetcher import question_of
from kos.adapters.oddsapi.questions import odds_cost
from kos.asking import Asker
from kos.config.settings import Settings
from kos.desk import Desk, Premises
from kos.desk.person_queues import PersonQueues
from kos.domain.people.conversation import TELEGRAM
from kos.messages import GetMenu, OperatorAnswered, OperatorSaid
from kos.runtime import DEFERRED, Actor, ChildSpec, Context, Deferred, Message, Reply, meters

DeskMessage = OperatorSaid | GetMenu
"""The messages that it takes."""

_SPEAKS_FOR = {"bot": TELEGRAM, "dashboard": "web:"}
"""Actors that bring people's words, and the only people whose they may bring. What comes from no
actor comes from a process of this user's, which may say anything."""


_SCREENS = frozenset({"telegram", "web", "terminal"})


class DeskArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk is told at its start."""

    is_simulated: bool
    recheck_credits: int
    """What one poll of a sport key costs at most."""
    admins: tuple[int, ...] = ()
    """Telegram users whom the settings make admins."""
    operators: tuple[int, ...] = ()


def args_of(settings: Settings) -> DeskArgs:
    """What the settings tell the desk."""
    return DeskArgs(
        is_simulated=settings.service.is_simulated,
        recheck_credits=odds_cost(question_of(settings.odds_api)),
        admins=settings.telegram.admins,
        operators=settings.telegram.operators,
    )


def spec(args: DeskArgs) -> ChildSpec:
    """How it is supervised: always there; what it keeps is in the ledger."""
    return ChildSpec(name="desk", factory="kos.actors.desk:DeskActor", args=args)


class DeskActor(Actor):
    """Hands each word to a thread of its person's lane, which asks, answers and concludes.

    So a question that waits for a peer holds up no one else, and a slow command not even the
    same person's next word.
    """

    def __init__(self, context: Context, args: DeskArgs) -> None:
        super().__init__(context, args)
        self._lanes = PersonQueues()
        self._heard = 0
        self._desk = Desk(
            Asker.within(context),
            Premises(
                is_simulated=args.is_simulated,
                recheck_credits=args.recheck_credits,
                version=__version__,
            ),
            admins=tuple(f"{TELEGRAM}{user}" for user in args.admins),
            operators=tuple(f"{TELEGRAM}{user}" for user in args.operators),
        )

    def receive(self, message: Message) -> Message | Deferred | None:
        if not isinstance(message, DeskMessage):
            raise TypeError(f"desk takes no {type(message).__name__}")
        match message:
            case OperatorSaid():
                return self._hear(message)
            case GetMenu():
                reply = self.context.reply_later()
                user = message.user
                self._lanes.beside(lambda: _answer(reply, lambda: self._desk.menu(user)))
                return DEFERRED
            case _:
                assert_never(message)

    def stopping(self) -> None:
        self._lanes.close()

    def pulse(self) -> dict[str, str | int | float]:
        return {"heard": self._heard, "strangers": self._desk.strangers}

    def _hear(self, said: OperatorSaid) -> Message | Deferred:
        self._heard += 1
        screen = said.user.partition(":")[0]
        meters.count("words_total", screen=screen if screen in _SCREENS else "other")
        sender = self.context.sender()
        prefix = "" if sender is None else _SPEAKS_FOR.get(sender)
        if prefix is None or not said.user.startswith(prefix):
            raise PermissionError(f"{sender} cannot send commands for these people")
        reply = self.context.reply_later()
        if not self._lanes.put(said.user, lambda: self._do(said, reply)):
            reply.send(
                OperatorAnswered(notice="Too many messages are waiting. Please wait for a reply.")
            )
        return DEFERRED

    def _do(self, said: OperatorSaid, reply: Reply) -> None:
        """In a lane: understand the word, and do what it asks for here or, slow, beside."""

        def first() -> Message | None:
            work = self._desk.understand(said)
            if not work.is_slow:
                return work.run()
            self._lanes.beside(lambda: _answer(reply, work.run))
            return None

        _answer(reply, first)


def _answer(reply: Reply, work: Callable[[], Message | None]) -> None:
    """Answer with what the work gives; its error goes to the asker and no further."""
    try:
        message = work()
        if message is not None:
            reply.send(message)
    except Exception as error:  # noqa: BLE001 - a thread's end: the asker gets the reason
        reply.fail(error)
