"""What Telegram remembers of one bot: people, chats, messages, updates not yet confirmed, and what the bot did.

Everything is guarded by one condition, which every change wakes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from kos.sandbox.telegram_form import Refusal, Upload, bad
from kos.sandbox.telegram_text import units

UPDATE_TYPES: Final = (
    "message", "edited_message", "channel_post", "edited_channel_post", "inline_query", "chosen_inline_result",
    "callback_query", "shipping_query", "pre_checkout_query", "poll", "poll_answer", "my_chat_member",
    "chat_join_request",
)  # fmt: skip
"""Delivered unless a bot asks for others."""
FURTHER_TYPES: Final = ("chat_member", "message_reaction", "message_reaction_count")
"""Delivered only to a bot that asks for them."""
_COMMAND: Final = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the bot did in a chat."""

    number: int
    """Counts from 1 over all chats."""
    kind: str
    """``sent``, ``edited``, ``deleted`` or ``answered`` (a button's press)."""
    chat_id: int
    at: float
    """Seconds since 1970 UTC."""
    message: Json = field(default_factory=dict)
    """As the Bot API gives it, at that moment; empty for an answer."""
    callback_query_id: str = ""
    text: str = ""
    """Of an answer."""
    show_alert: bool = False

    def json(self) -> Json:
        """Gives it as it is told to the driver."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the bot, refused or not."""

    number: int
    method: str
    parameters: Json
    at: float

    def json(self) -> Json:
        """Gives it as it is told to the driver."""
        return {name: getattr(self, name) for name in self.__slots__}


def user_json(user_id: int, name: str = "", username: str = "") -> Json:
    """Gives a person as the Bot API does."""
    person: Json = {"id": user_id, "is_bot": False, "first_name": name or f"Person {user_id}"}
    return {**person, "username": username} if username else person


class Chats:
    """The memory. Safe to use from any thread.

    Args:
        bot: The bot's own user.
        now: The wall clock, seconds since 1970 UTC.
    """

    def __init__(self, bot: Json, now: Callable[[], float]) -> None:
        self.bot = bot
        self.now = now
        self.changed = threading.Condition(threading.RLock())
        self.people: dict[int, Json] = {}
        self.chats: dict[int, Json] = {}
        self.shut: set[int] = set()
        """Chats whose person blocked the bot, and groups that threw it out."""
        self.messages: dict[tuple[int, int], Json] = {}
        self.files: dict[str, Upload] = {}
        self.happenings: list[Happening] = []
        self.calls: list[Call] = []
        self.pending: list[Json] = []
        self.allowed: frozenset[str] = frozenset(UPDATE_TYPES)
        self._replayed: list[Json] = []
        self._updates: dict[int, Json] = {}
        self._queries: dict[str, int] = {}
        self._update_id = 0
        self._message_id = 0
        self.is_poller_gone: Callable[[], bool] | None = None
        """Of the long poll that waits; None where none does."""
        self.is_closed = False

    def close(self) -> None:
        """Wakes everyone who waits, for good."""
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Waits for a change that makes ``until`` true; says whether it is."""
        with self.changed:
            self.changed.wait_for(lambda: self.is_closed or until(), seconds)
            return until()

    # -- the user's side ---------------------------------------------------------------------------

    def meet(self, user_id: int, chat_id: int, name: str = "", username: str = "") -> Json:
        """Gives the chat of a person, private or a group, and makes what is not there yet."""
        with self.changed:
            if user_id not in self.people or name or username:
                self.people[user_id] = user_json(user_id, name, username)
            person = self.people[user_id]
            if chat_id not in self.chats:
                private = {"id": chat_id, "type": "private", "first_name": person["first_name"]}
                if username:
                    private["username"] = username
                group = {"id": chat_id, "type": "group", "title": f"Group {-chat_id}"}
                self.chats[chat_id] = private if chat_id > 0 else group
            return self.chats[chat_id]

    def say(self, user_id: int, chat_id: int, text: str, extra: Json) -> tuple[int, int]:
        """Lets a person write a message; gives the update's id (0 where it is not delivered) and its own."""
        with self.changed:
            chat = self.meet(user_id, chat_id)
            self.shut.discard(chat_id)
            self._message_id += 1
            message: Json = {
                "message_id": self._message_id,
                "date": int(self.now()),
                "chat": chat,
                "from": self.people[user_id],
                "text": text,
            }
            commands = [
                {
                    "type": "bot_command",
                    "offset": units(text[: found.start()]),
                    "length": len(found[0]),
                }
                for found in _COMMAND.finditer(text)
            ]
            if commands:
                message["entities"] = commands
            message.update(extra)
            self.messages[chat_id, self._message_id] = message
            return self.deliver({"message": message}), self._message_id

    def rewrite(self, chat_id: int, message_id: int, text: str) -> int:
        """Lets a person edit a message of theirs; gives the update's id."""
        with self.changed:
            message = {**self.messages[chat_id, message_id], "text": text}
            message["edit_date"] = int(self.now())
            self.messages[chat_id, message_id] = message
            return self.deliver({"edited_message": message})

    def press(self, user_id: int, chat_id: int, message_id: int, data: str) -> tuple[int, str]:
        """Lets a person press a button; Telegram does not check that the message has such a button."""
        with self.changed:
            chat = self.meet(user_id, chat_id)
            query_id = str(4_000_000_000 + len(self._queries) + 1)
            self._queries[query_id] = chat_id
            gone: Json = {"message_id": message_id, "date": 0, "chat": chat}
            query = {
                "id": query_id,
                "from": self.people[user_id],
                "message": self.messages.get((chat_id, message_id), gone),
                "chat_instance": str(8_000_000 + abs(chat_id)),
                "data": data,
            }
            return self.deliver({"callback_query": query}), query_id

    def block(self, user_id: int, chat_id: int, *, is_blocked: bool) -> int:
        """Lets a person block the bot or take it back (or a group throw it out).

        Gives the update's id, or 0 where nothing changed.
        """
        with self.changed:
            chat = self.meet(user_id, chat_id)
            if is_blocked == (chat_id in self.shut):
                return 0
            (self.shut.add if is_blocked else self.shut.discard)(chat_id)
            there: Json = {"status": "member", "user": self.bot}
            gone: Json = {"status": "kicked", "user": self.bot, "until_date": 0}
            change = {
                "chat": chat,
                "from": self.people[user_id],
                "date": int(self.now()),
                "old_chat_member": there if is_blocked else gone,
                "new_chat_member": gone if is_blocked else there,
            }
            return self.deliver({"my_chat_member": change})

    def deliver(self, update: Json) -> int:
        """Puts an update in the queue; gives its id, or 0 when the bot did not ask for its type."""
        with self.changed:
            if self.allowed.isdisjoint(update):
                return 0
            self._update_id += 1
            whole = {"update_id": self._update_id, **update}
            self._updates[self._update_id] = whole
            self.pending.append(whole)
            self.changed.notify_all()
            return self._update_id

    def replay(self, update_id: int) -> bool:
        """Delivers an update once more, confirmed or not; says whether there was such an update."""
        with self.changed:
            update = self._updates.get(update_id)
            if update is not None:
                self._replayed.append(update)
                self.changed.notify_all()
            return update is not None

    def expire_queries(self) -> None:
        """Makes all presses so far too old to be answered."""
        with self.changed:
            self._queries = dict.fromkeys(self._queries, 0)

    # -- the bot's side ----------------------------------------------------------------------------

    def allow(self, types: Iterable[str]) -> None:
        """Sets which updates are queued from now on; none means the usual ones."""
        chosen = frozenset(types) & {*UPDATE_TYPES, *FURTHER_TYPES}
        with self.changed:
            self.allowed = chosen or frozenset(UPDATE_TYPES)

    def confirm(self, offset: int) -> None:
        """Forgets updates below an offset; a negative one keeps so many of the last."""
        with self.changed:
            if offset < 0:
                self.pending = self.pending[offset:]
            else:
                self.pending = [row for row in self.pending if row["update_id"] >= offset]

    def is_polled(self) -> bool:
        """Says whether the bot waits in a long poll."""
        return self.is_poller_gone is not None and not self.is_poller_gone()

    def has_updates(self) -> bool:
        """Says whether a poll has something to bring."""
        return bool(self.pending or self._replayed)

    def take(self, limit: int) -> list[Json]:
        """Gives what a poll brings; replays come first and come once."""
        with self.changed:
            again, self._replayed = self._replayed, []
            repeated = {row["update_id"] for row in again}
            return (again + [row for row in self.pending if row["update_id"] not in repeated])[
                :limit
            ]

    def chat(self, text: str) -> Json:
        """Gives a chat by its id.

        Raises:
            Refusal: The bot doesn't know it, or may not write there.
        """
        if not text:
            raise bad("chat_id is empty")
        with self.changed:
            try:
                chat = self.chats[int(text)]
            except (KeyError, ValueError):
                raise bad("chat not found") from None
            if chat["id"] not in self.shut:
                return chat
        reason = (
            "bot was blocked by the user"
            if chat["id"] > 0
            else "bot was kicked from the group chat"
        )
        raise Refusal(403, f"Forbidden: {reason}")

    def send(self, chat: Json, content: Json) -> Json:
        """Puts a message of the bot in a chat and gives it."""
        with self.changed:
            self._message_id += 1
            message: Json = {
                "message_id": self._message_id,
                "date": int(self.now()),
                "chat": chat,
                "from": self.bot,
                **content,
            }
            self.messages[chat["id"], self._message_id] = message
            self.happened("sent", chat["id"], message=message)
            return message

    def edit(self, old: Json, content: Json, without: tuple[str, ...]) -> Json:
        """Changes a message: parts go, parts come.

        Raises:
            Refusal: It would stay as it is.
        """
        kept = {name: value for name, value in old.items() if name not in without}
        message = {**kept, **content}
        if {**message, "edit_date": 0} == {**old, "edit_date": 0}:
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same"
                " as a current content and reply markup of the message"
            )
        with self.changed:
            message["edit_date"] = int(self.now())
            self.messages[old["chat"]["id"], old["message_id"]] = message
            self.happened("edited", old["chat"]["id"], message=message)
        return message

    def delete(self, message: Json) -> None:
        """Takes a message away."""
        with self.changed:
            self.messages.pop((message["chat"]["id"], message["message_id"]), None)
            self.happened("deleted", message["chat"]["id"], message=message)

    def answer(self, query_id: str, text: str, *, show_alert: bool) -> None:
        """Answers a press.

        Raises:
            Refusal: There is no such press, or it is too old.
        """
        with self.changed:
            chat_id = self._queries.get(query_id, 0)
            if not chat_id:
                raise bad("query is too old and response timeout expired or query ID is invalid")
            self.happened(
                "answered", chat_id, callback_query_id=query_id, text=text, show_alert=show_alert
            )

    def keep(self, upload: Upload) -> str:
        """Keeps a file and gives its id."""
        with self.changed:
            file_id = f"file_{len(self.files) + 1}"
            self.files[file_id] = upload
            return file_id

    def happened(self, kind: str, chat_id: int, **what: Any) -> None:
        """Writes down what the bot did."""
        with self.changed:
            number = len(self.happenings) + 1
            self.happenings.append(Happening(number, kind, chat_id, self.now(), **what))
            self.changed.notify_all()

    def called(self, method: str, parameters: Json) -> None:
        """Writes down a call."""
        with self.changed:
            self.calls.append(Call(len(self.calls) + 1, method, parameters, self.now()))
            self.changed.notify_all()

    # -- reading -----------------------------------------------------------------------------------

    def since(self, number: int, chat_id: int | None, kinds: frozenset[str]) -> list[Happening]:
        """Gives what happened after a number, in one chat or all, of some kinds or all."""
        with self.changed:
            return [
                row
                for row in self.happenings[number:]
                if chat_id in {None, row.chat_id} and (not kinds or row.kind in kinds)
            ]

    def called_with(self, method: str) -> list[Call]:
        """Gives the calls of one method, or all, in order."""
        with self.changed:
            return [row for row in self.calls if method in {"", row.method}]

    def screen(self, chat_id: int) -> list[Json]:
        """Gives the messages that stand in a chat now, both sides', in order."""
        with self.changed:
            return [message for (chat, _), message in self.messages.items() if chat == chat_id]
