"""The bot at work: polls, hands each word on, sends what is to be sent, and says how it is.

Everything here runs in one event loop. A word is confirmed to Telegram, by the next poll, only
after it was handled: what a crash interrupts is delivered again, and the desk knows a word that
comes twice. A person's words are handled one after another, those of different people side by
side. A word that takes long does not stop the others: polling goes on from the earliest that is
not done, and what comes again with it is known.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
from aiogram.types import CallbackQuery, Message, Update, User

from kos.adapters.telegram.api import BotIdentity, FaultKind, TelegramApi, TelegramFault
from kos.adapters.telegram.outgoing import Job, Limits, OutgoingQueue, Rank
from kos.adapters.telegram.render import (
    MessageForm,
    Outgoing,
    StyledText,
    notice_text,
    rendered,
    shown_text,
)
from kos.config.settings import TelegramSettings
from kos.domain.people.conversation import (
    TELEGRAM,
    Answer,
    MenuLine,
    OutboxEntry,
    PromiseOutcome,
    Span,
    Urgency,
)
from kos.errors import WaitAndRetry
from kos.messages import OperatorAnswered, OperatorSaid
from kos.runtime import job as one_job
from kos.runtime import meters

_HANDLED_WITHIN_S = 0.5
"""Longer than nearly every word takes; then polling goes on beside it, once in so many seconds."""
_DESK_PATIENCE_S = 20.0
_DESK_RETRY_S = 0.3
_SENT_WITHIN_S = 5.0
_ANSWER_KEPT_S = 120.0
"""A direct answer that could not be sent for so long is of no use any more."""
_OUTBOX_EVERY_S = 5.0
_MENU_EVERY_S = 600.0
_STRANGERS_EVERY_S = 3600.0
_KNOWN_UPDATES = 2000
_DRAIN_S = 3.0
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_REFUSED_WAIT_S = 300.0
_THREADS = 16
_MAX_SAID = 4096
_PRESS_KEPT_S = 600.0
"""After so long without a poll, buttons under older messages are not pressed any more: what waited
at Telegram all that time was meant for other prices."""

_RANKS = {
    Urgency.CONFIRMATION: Rank.CONFIRMATION,
    Urgency.ALERT: Rank.ALERT,
    Urgency.DIGEST: Rank.DIGEST,
}

_AWAY = "KOS is restarting. Try again in a moment."
_EXPIRED = "This button has expired. Run the command again."

Given = TypeVar("Given")


class Port(Protocol):
    """What the bot needs of the rest of KOS. Each call may block its thread for some seconds.

    Raises:
        WaitAndRetry: From any of them: no one answers now.
    """

    def hear(self, said: OperatorSaid) -> OperatorAnswered:
        """Have a word answered."""

    def outbox(self, without_chats: tuple[str, ...]) -> tuple[OutboxEntry, ...]:
        """What is promised and waits."""

    def mark(self, entry_id: int, outcome: PromiseOutcome, message_id: int, reason: str) -> None:
        """Have it written down what became of a promise."""

    def menu(self, user: str) -> tuple[MenuLine, ...]:
        """The commands that a user may use."""


@dataclass
class Status:
    """How the bot is; written in the loop, read from any thread."""

    state: str = "connecting"
    """connecting, polling, unreachable, unauthorized, conflict or misconfigured."""
    problem: str = ""
    """What is wrong and what to do; empty when all is well."""
    bot: str = ""
    updates: int = 0
    strangers: int = 0
    sent: int = 0
    waited: int = 0
    """Times that Telegram asked for patience."""
    failures: int = 0
    waiting: int = 0


@dataclass
class _MessageParts:
    """A message on its way, in its parts."""

    parts: tuple[Outgoing, ...]
    done: asyncio.Future[_Delivered]
    edits: int
    is_promise: bool
    queued_at: float
    sent: int = 0
    first_id: int = 0
    is_plain: bool = False


@dataclass(frozen=True)
class _Delivered:
    outcome: PromiseOutcome
    message_id: int = 0
    reason: str = ""


@dataclass(frozen=True)
class _Word:
    """A person's word, and the pressed button that waits for an answer."""

    update_id: int
    said: OperatorSaid
    chat: int
    user: int
    press_id: str = ""
    is_expired: bool = False
    """A press that waited too long: it is not done."""


@dataclass
class _People:
    """What is remembered of those who spoke in this life of the bot."""

    known_updates: OrderedDict[int, None] = field(default_factory=OrderedDict)
    last_task: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    menus: dict[int, tuple[float, tuple[MenuLine, ...]]] = field(default_factory=dict)
    strangers_since: int = 0
    strangers_said_at: float = -_STRANGERS_EVERY_S


class TelegramService:
    """One bot. :meth:`run` in a loop of its own; :meth:`stop` and :meth:`wake` from any thread.

    Args:
        settings: The table of the settings.
        port: The rest of KOS.
        log: Bound logger.
    """

    def __init__(self, settings: TelegramSettings, port: Port, log: Any) -> None:
        self.status = Status()
        self._settings = settings
        self._port = port
        self._log = log
        self._people = _People()
        self._queue: OutgoingQueue[_MessageParts] = OutgoingQueue(Limits(), time.monotonic())
        self._busy: set[int] = set()
        self._in_flight: set[int] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._me: BotIdentity | None = None
        self._fetched: int | None = None
        """The update after the last that came."""
        self._unfinished: set[int] = set()
        """Updates that are being handled."""
        self._polled_at = -math.inf
        self._stopped = asyncio.Event()
        self._outbox_filled = asyncio.Event()
        self._queue_changed = asyncio.Event()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="telegram")
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- from other threads ------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop polling, finish what is being said, give the connections back."""
        self._call_in_loop(self._stopped.set)

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._call_in_loop(self._outbox_filled.set)

    def _call_in_loop(self, what: Callable[[], None]) -> None:
        if self._loop is None:
            what()  # no one waits for it yet
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what)

    # --- the loop ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until :meth:`stop`."""
        self._loop = asyncio.get_running_loop()
        settings = self._settings
        try:
            self._api = TelegramApi(
                settings.token.reveal(), settings.url, settings.proxy.reveal() or None
            )
        except ValueError as error:
            # Trying again would change nothing; other settings start a new actor.
            problem = f"{error}; correct it in [telegram] and restart KOS"
            self._log.error("telegram.not_made", error=problem)
            self._set_state("misconfigured", problem)
            await self._stopped.wait()
            return
        try:
            async with asyncio.TaskGroup() as group:
                work = [
                    group.create_task(self._poll_for_ever()),
                    group.create_task(self._send_for_ever()),
                    group.create_task(self._promise_for_ever()),
                ]
                await self._stopped.wait()
                work[0].cancel()
                await self._drain()
                for task in work:
                    task.cancel()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._api.close()
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def _drain(self) -> None:
        """Let words that are being handled come to their end, and answers go out; not for long."""
        deadline = time.monotonic() + _DRAIN_S
        while time.monotonic() < deadline:
            if not self._unfinished and not len(self._queue) and not self._busy:
                break
            await asyncio.sleep(0.02)
        offset = self._unconfirmed()
        if offset is None or self.status.state != "polling":
            return
        with suppress(TelegramFault, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._api.updates(offset, 0)  # confirms what was handled

    # --- words in ----------------------------------------------------------------------------------

    async def _poll_for_ever(self) -> None:
        wait_s = _FIRST_WAIT_S
        is_backlog = True
        while True:
            if time.monotonic() - self._polled_at > _PRESS_KEPT_S:
                is_backlog = True
            try:
                if self._me is None:
                    await self._connect()
                poll_s = 0 if is_backlog or self._unfinished else self._settings.poll_s
                updates = await self._api.updates(self._unconfirmed(), poll_s)
            except TelegramFault as fault:
                await self._rest_after(fault, wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
                continue
            wait_s = _FIRST_WAIT_S
            self._set_state("polling", "")
            self._polled_at = time.monotonic()
            if updates:
                self._fetched = updates[-1].update_id + 1
            # What is said from now on, when nothing new came, did not wait.
            is_backlog = self._take_up(updates, is_backlog=is_backlog) and is_backlog
            if self._people.last_task:
                await asyncio.wait(self._people.last_task.values(), timeout=_HANDLED_WITHIN_S)

    def _unconfirmed(self) -> int | None:
        """The earliest update that is not done, which the next poll begins with."""
        return min(self._unfinished, default=self._fetched)

    async def _connect(self) -> None:
        me = await self._api.me()
        await self._api.take_over()
        await self._api.set_menu(None, ())
        self._me = me
        self.status.bot = me.username
        self._log.info("telegram.connected", bot=me.username)
        self._outbox_filled.set()  # what was promised meanwhile
        for user in (*self._settings.admins, *self._settings.operators):
            self._start(self._refresh_menu(user))

    async def _rest_after(self, fault: TelegramFault, wait_s: float) -> None:
        self.status.failures += 1
        problem = str(fault)
        match fault.kind:
            case FaultKind.UNAUTHORIZED:
                self._me = None
                state, wait_s = "unauthorized", _REFUSED_WAIT_S
            case FaultKind.CONFLICT:
                # A webhook is taken away by connecting again; of two pollers one must stop.
                self._me = None
                state = "conflict"
                problem = (
                    "another program polls with this bot's token, or a webhook was set: stop the "
                    "other one, or make a bot of its own with @BotFather"
                )
            case FaultKind.WAIT:
                state, wait_s = self.status.state, fault.retry_after_s
                self.status.waited += 1
            case _:
                state = "unreachable"
        if problem != self.status.problem or state != self.status.state:
            self._log.warning("telegram.not_polled", state=state, error=problem, retry_s=wait_s)
        self._set_state(state, problem)
        await asyncio.sleep(_jittered(wait_s))

    def _set_state(self, state: str, problem: str) -> None:
        if self.status.state != state:
            self._log.info("telegram.changed", state=state)
        self.status.state = state
        self.status.problem = problem

    def _take_up(self, updates: Iterable[Update], *, is_backlog: bool) -> bool:
        """Begin to handle what is new; says whether anything was."""
        by_user: dict[int, list[_Word]] = {}
        known_updates = self._people.known_updates
        is_any_new = False
        for update in updates:
            if update.update_id in known_updates:
                continue
            is_any_new = True
            self.status.updates += 1
            meters.count("updates_total")
            known_updates[update.update_id] = None
            if len(known_updates) > _KNOWN_UPDATES:
                known_updates.popitem(last=False)
            word = self._word_of(update)
            if word is not None:
                if is_backlog and _is_long_ago(update.callback_query):
                    word = replace(word, is_expired=True)
                self._unfinished.add(word.update_id)
                by_user.setdefault(word.user, []).append(word)
        for user, words in by_user.items():
            before = self._people.last_task.get(user)
            task = asyncio.create_task(self._one_after_another(before, words))
            self._people.last_task[user] = task
            task.add_done_callback(partial(self._forget_task, user))
        return is_any_new

    def _forget_task(self, user: int, done: asyncio.Task[None]) -> None:
        if self._people.last_task.get(user) is done:
            del self._people.last_task[user]

    async def _one_after_another(
        self, before: asyncio.Task[None] | None, words: Iterable[_Word]
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        for word in words:
            try:
                with one_job():  # its id goes along to the desk, and on to the ledger
                    await self._hear(word)
            except Exception:  # noqa: BLE001 - the border: one word's fault is not another's
                self._log.exception("telegram.word_failed")
            self._unfinished.discard(word.update_id)

    async def _hear(self, word: _Word) -> None:
        try:
            ask = self._expired if word.is_expired else self._ask_desk
            answered = await ask(word.said)
        except WaitAndRetry:
            answered = OperatorAnswered(answers=(Answer(spans=(Span(_AWAY),)),), notice=_AWAY)
        if answered.is_stranger:
            self._count_stranger(word)
            return
        if word.press_id:
            self._start(self._answer_press(word.press_id, notice_text(answered.notice)))
        message_id = word.said.message_id
        waits = [
            self._submit(word.chat, answer, Rank.ANSWER, edits=message_id if answer.is_edit else 0)
            for answer in answered.answers
        ]
        if word.chat == word.user:
            self._start(self._refresh_menu(word.user))
        if waits:
            await asyncio.wait(waits, timeout=_SENT_WITHIN_S)

    async def _expired(self, said: OperatorSaid) -> OperatorAnswered:
        """What a late press hears: a word, but a stranger not even that.

        Raises:
            WaitAndRetry: No one said who it is.
        """
        lines = await self._in_thread(lambda: self._port.menu(said.user))
        return OperatorAnswered(notice=_EXPIRED, is_stranger=not lines)

    async def _ask_desk(self, said: OperatorSaid) -> OperatorAnswered:
        """The desk's answer; while it is away the word is said again, for it knows a repeat.

        Raises:
            WaitAndRetry: It stayed away.
        """
        deadline = time.monotonic() + _DESK_PATIENCE_S
        while True:
            try:
                return await self._in_thread(lambda: self._port.hear(said))
            except WaitAndRetry:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_DESK_RETRY_S)

    def _word_of(self, update: Update) -> _Word | None:
        """The word of an update; None for what is no one's command."""
        if update.message is not None:
            return self._typed(update.update_id, update.message)
        if update.callback_query is not None:
            return self._pressed(update.update_id, update.callback_query)
        return None

    def _typed(self, update_id: int, message: Message) -> _Word | None:
        sender, text = message.from_user, message.text
        if sender is None or sender.is_bot or text is None:
            return None
        if message.sender_chat or message.forward_origin or message.via_bot:
            return None  # not the sender's own words
        if not self._is_allowed(message.chat.type, message.chat.id):
            return None
        if message.chat.type != "private" and not text.startswith("/"):
            return None  # people talk to each other there
        return self._word(update_id, sender, message.chat.id, message.date, text=text[:_MAX_SAID])

    def _pressed(self, update_id: int, query: CallbackQuery) -> _Word | None:
        message, sender = query.message, query.from_user
        if message is None or not query.data or sender.is_bot:
            return None
        if not self._is_allowed(message.chat.type, message.chat.id):
            return None
        word = self._word(update_id, sender, message.chat.id, datetime.now(UTC))
        said = msgspec.structs.replace(word.said, pressed=query.data, message_id=message.message_id)
        return replace(word, said=said, press_id=query.id)

    def _is_allowed(self, kind: str, chat: int) -> bool:
        return kind == "private" or chat in self._settings.groups

    def _word(
        self, update_id: int, sender: User, chat: int, at: datetime, *, text: str = ""
    ) -> _Word:
        assert self._me is not None  # noqa: S101 - no one speaks before we are connected
        said = OperatorSaid(
            said_id=f"{TELEGRAM}{self._me.bot_id}:{update_id}",
            user=f"{TELEGRAM}{sender.id}",
            name=shown_text(sender.full_name)[:100],
            chat=f"{TELEGRAM}{chat}",
            text=text,
            said_at=at.astimezone(UTC),
        )
        return _Word(update_id, said, chat, sender.id)

    def _count_stranger(self, word: _Word) -> None:
        """Silence; the log hears of them once an hour."""
        people = self._people
        self.status.strangers += 1
        people.strangers_since += 1
        now = time.monotonic()
        if now - people.strangers_said_at >= _STRANGERS_EVERY_S:
            self._log.warning(
                "telegram.strangers_ignored", count=people.strangers_since, user=word.said.user
            )
            people.strangers_said_at, people.strangers_since = now, 0

    async def _answer_press(self, press_id: str, notice: str) -> None:
        try:
            await self._api.answer_press(press_id, notice)
        except TelegramFault as fault:
            if fault.kind is not FaultKind.TOO_OLD:
                self._log.debug("telegram.press_not_answered", error=str(fault))

    async def _refresh_menu(self, user: int) -> None:
        """Show a person the commands that they may use, when they have changed."""
        shown_at, shown = self._people.menus.get(user, (-_MENU_EVERY_S, ()))
        now = time.monotonic()
        if now - shown_at < _MENU_EVERY_S:
            return
        self._people.menus[user] = (now, shown)
        try:
            lines = await self._in_thread(lambda: self._port.menu(f"{TELEGRAM}{user}"))
            if lines != shown:
                await self._api.set_menu(user, lines)
                self._people.menus[user] = (now, lines)
        except (TelegramFault, WaitAndRetry) as fault:
            self._people.menus.pop(user, None)  # tried again at the next word
            self._log.debug("telegram.menu_not_set", error=str(fault))

    # --- messages out ------------------------------------------------------------------------------

    def _submit(
        self, chat: int, answer: Answer, rank: Rank, *, edits: int = 0, is_promise: bool = False
    ) -> asyncio.Future[_Delivered]:
        """Queue an answer; the future tells what became of it."""
        parts = rendered(answer)
        if parts[0].form is not MessageForm.TEXT:
            edits = 0
        done: asyncio.Future[_Delivered] = asyncio.get_running_loop().create_future()
        letter = _MessageParts(parts, done, edits, is_promise, queued_at=time.monotonic())
        for job in self._queue.put(Job(chat, rank, letter, replaces=edits or None)):
            _settle(job.content, _Delivered(PromiseOutcome.SUPERSEDED))
        self._queue_changed.set()
        return done

    async def _send_for_ever(self) -> None:
        while True:
            self._queue_changed.clear()
            taken = self._queue.take(time.monotonic(), self._busy)
            self.status.waiting = len(self._queue)
            if isinstance(taken, Job):
                self._busy.add(taken.chat)
                self._start(self._send(taken))
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, taken)):
                    await self._queue_changed.wait()

    async def _send(self, job: Job[_MessageParts]) -> None:
        """Send the next part of a letter."""
        letter, chat = job.content, job.chat
        part = letter.parts[letter.sent]
        try:
            if letter.edits and not letter.sent:
                await self._api.edit(chat, letter.edits, part)
                number = letter.edits
            else:
                number = await self._api.send(chat, part)
        except TelegramFault as fault:
            self._after_fault(job, fault)
        else:
            self._after_sent(job, number)
        finally:
            self._busy.discard(chat)
            self._queue_changed.set()

    def _after_sent(self, job: Job[_MessageParts], number: int) -> None:
        letter = job.content
        self.status.sent += 1
        letter.first_id = letter.first_id or number
        letter.sent += 1
        job.attempts = 0
        if letter.sent < len(letter.parts):
            self._queue.put_back(job, time.monotonic())
        else:
            _settle(letter, _Delivered(PromiseOutcome.SENT, letter.first_id))

    def _after_fault(self, job: Job[_MessageParts], fault: TelegramFault) -> None:
        now = time.monotonic()
        letter = job.content
        match fault.kind:
            case FaultKind.UNCHANGED:
                self._after_sent(job, letter.edits)
            case FaultKind.NOT_EDITABLE:
                letter.edits = 0
                job.replaces = None
                self._queue.put_back(job, now)
            case FaultKind.WAIT:
                self.status.waited += 1
                self._queue.pause(fault.retry_after_s, now, job.chat)
                self._queue.pause(min(1.0, fault.retry_after_s), now)
                self._again_or_never(job, now, fault)
            case FaultKind.UNAUTHORIZED | FaultKind.CONFLICT:
                self._queue.pause(_FIRST_WAIT_S * 10, now)
                self._again_or_never(job, now, fault)
            case FaultKind.UNREACHABLE:
                wait_s = _jittered(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0**job.attempts))
                self._again_or_never(job, now + wait_s, fault)
            case FaultKind.MIGRATED:
                self._log.warning("telegram.chat_migrated", chat=job.chat, new_chat=fault.new_chat)
                job.chat = fault.new_chat
                self._queue.put_back(job, now)
            case FaultKind.FORBIDDEN:
                self._log.warning("telegram.chat_closed", chat=job.chat, reason=fault.reason)
                _settle(letter, _Delivered(PromiseOutcome.UNDELIVERABLE, reason=fault.reason))
            case FaultKind.TOO_LARGE | FaultKind.REFUSED | FaultKind.TOO_OLD:
                self._refused(job, fault, now)

    def _refused(self, job: Job[_MessageParts], fault: TelegramFault, now: float) -> None:
        """A message that Telegram does not take: once more without any style, then never."""
        letter = job.content
        has_style = any(part.text.entities for part in letter.parts)
        is_final = letter.is_plain or not has_style or fault.kind is FaultKind.TOO_LARGE
        self._log.error("telegram.message_refused", reason=fault.reason, is_final=is_final)
        if is_final:
            _settle(letter, _Delivered(PromiseOutcome.UNDELIVERABLE, reason=fault.reason))
            return
        letter.is_plain = True
        letter.parts = tuple(
            msgspec.structs.replace(part, text=StyledText(part.text.text)) for part in letter.parts
        )
        self._queue.put_back(job, now)

    def _again_or_never(
        self, job: Job[_MessageParts], not_before: float, fault: TelegramFault
    ) -> None:
        """A promise is kept however long it takes; a direct answer is of use for a while."""
        self.status.failures += 1
        letter = job.content
        if letter.is_promise or not_before - letter.queued_at < _ANSWER_KEPT_S:
            self._queue.put_back(job, not_before)
        else:
            _settle(letter, _Delivered(PromiseOutcome.UNDELIVERABLE, reason=fault.reason))

    # --- promises ----------------------------------------------------------------------------------

    async def _promise_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_OUTBOX_EVERY_S):
                    await self._outbox_filled.wait()
            self._outbox_filled.clear()
            if self._me is None:
                continue  # nothing could be sent, and the ledger keeps it
            try:
                entries = await self._in_thread(lambda: self._port.outbox(()))
            except WaitAndRetry as fault:
                self._log.debug("telegram.outbox_not_read", error=str(fault))
                continue
            for entry in entries:
                self._take_on(entry)

    def _take_on(self, entry: OutboxEntry) -> None:
        """Send a promise, unless it is on its way already."""
        if entry.entry_id in self._in_flight:
            return
        self._in_flight.add(entry.entry_id)
        promise = entry.promise
        chat = promise.chat.removeprefix(TELEGRAM)
        if not promise.chat.startswith(TELEGRAM) or not chat.lstrip("-").isdigit():
            lost = _Delivered(PromiseOutcome.UNDELIVERABLE, reason="no chat of Telegram")
            self._start(self._mark(entry, lost))
            return
        done = self._submit(
            int(chat),
            promise.answer,
            _RANKS[promise.urgency],
            edits=promise.edits or entry.topic_message,
            is_promise=True,
        )
        self._start(self._mark_when(entry, done))

    async def _mark_when(self, entry: OutboxEntry, done: Awaitable[_Delivered]) -> None:
        await self._mark(entry, await done)

    async def _mark(self, entry: OutboxEntry, delivered: _Delivered) -> None:
        """Have it written down, however often that must be said."""
        outcome, message_id, reason = delivered.outcome, delivered.message_id, delivered.reason
        mark = partial(self._port.mark, entry.entry_id, outcome, message_id, reason)
        while True:
            try:
                await self._in_thread(mark)
            except WaitAndRetry as fault:
                self._log.debug("telegram.outbox_not_marked", error=str(fault))
                await asyncio.sleep(_FIRST_WAIT_S)
            else:
                break
        self._in_flight.discard(entry.entry_id)

    # --- small things ------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_thread(self, work: Callable[[], Given]) -> Given:
        run = partial(copy_context().run, work)
        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _is_long_ago(query: CallbackQuery | None) -> bool:
    """Whether a button stands under a message that was last changed too long ago, or is gone."""
    if query is None or query.message is None:
        return False
    message = query.message
    at: float = message.date.timestamp() if isinstance(message.date, datetime) else message.date
    if isinstance(message, Message) and message.edit_date:
        at = float(message.edit_date)
    return datetime.now(UTC).timestamp() - at > _PRESS_KEPT_S


def _jittered(seconds: float) -> float:
    """A wait that many bots do not share."""
    return seconds * random.uniform(1.0, 1.1)  # noqa: S311 - no secret


def _settle(letter: _MessageParts, delivered: _Delivered) -> None:
    if not letter.done.done():
        letter.done.set_result(delivered)
