"""A person at the other end of the bot, and an eye on what the bot does: the driver of tests and benchmarks.

It speaks to the user's side of a Telegram server over HTTP (see :mod:`kos.sandbox.telegram_control`) and waits for
what the bot does; nothing sleeps.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from kos.sandbox.web import CONTROL

PATIENCE_S: Final = 45.0
"""How long the driver waits unless told; no wait of a healthy bot comes near it."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message."""

    label: str
    data: str
    """What its press sends; empty for a link."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class BotMessage:
    """A message that the bot sent, edited or deleted, as it stood then."""

    number: int
    """Counts what the bot did over all chats."""
    kind: str
    """``sent``, ``edited`` or ``deleted``."""
    at: float
    """When, by the server's clock; seconds since 1970 UTC."""
    chat_id: int
    message_id: int
    text: str
    """The text, or a file's caption."""
    entities: tuple[dict[str, Any], ...]
    rows: tuple[tuple[Button, ...], ...]
    file_id: str
    """Of a photo or a document; empty without."""
    file_name: str
    """Of a document."""
    raw: dict[str, Any]
    """The message in the Bot API's own form."""

    @property
    def buttons(self) -> tuple[Button, ...]:
        """All buttons, row by row."""
        return tuple(button for row in self.rows for button in row)

    @property
    def labels(self) -> list[str]:
        """What the buttons say."""
        return [button.label for button in self.buttons]

    def button(self, label: str) -> Button:
        """Gives the button that says this, or the only one whose label holds it.

        Raises:
            LookupError: There is none, or there are several.
        """
        found = [button for button in self.buttons if button.label == label]
        found = found or [button for button in self.buttons if label in button.label]
        if len(found) == 1:
            return found[0]
        raise LookupError(f"{len(found)} buttons say {label!r}; there are {self.labels}")


@dataclass(frozen=True, slots=True)
class ButtonAnswer:
    """What the bot answered to a press."""

    text: str
    is_alert: bool


@dataclass(frozen=True, slots=True)
class BotCall:
    """One call of the bot to the server, refused or not."""

    number: int
    method: str
    parameters: dict[str, Any]
    """Text, but for those that are JSON and for files."""
    at: float
    """Seconds since 1970 UTC."""


def _message(row: dict[str, Any]) -> BotMessage:
    raw = row["message"]
    keyboard = (raw.get("reply_markup") or {}).get("inline_keyboard", [])
    document = raw.get("document") or {}
    photo = (raw.get("photo") or [{}])[-1]
    return BotMessage(
        number=row["number"],
        kind=row["kind"],
        at=row["at"],
        chat_id=row["chat_id"],
        message_id=raw["message_id"],
        text=raw.get("text") or raw.get("caption") or "",
        entities=tuple(raw.get("entities") or raw.get("caption_entities") or ()),
        rows=tuple(
            tuple(
                Button(one["text"], one.get("callback_data", ""), one.get("url", ""))
                for one in line
            )
            for line in keyboard
        ),
        file_id=document.get("file_id") or photo.get("file_id", ""),
        file_name=document.get("file_name", ""),
        raw=raw,
    )


class TelegramUser:
    """Everyone who talks to the bot, by user id; a private chat has its person's id, a group a negative one.

    Args:
        url: The server's address.
        token: The bot's token.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._read: dict[int, int] = {}

    # -- what people do ----------------------------------------------------------------------------

    def meet(
        self, user_id: int, *, chat_id: int | None = None, name: str = "", username: str = ""
    ) -> None:
        """Lets the bot know a person or a group to whom it may write, without a word of theirs."""
        body = {"user_id": user_id, "chat_id": chat_id or user_id}
        self._post("meet", {**body, "name": name, "username": username})

    def say(
        self,
        user_id: int,
        text: str,
        *,
        chat_id: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> int:
        """Writes to the bot, or to a group with it; ``extra`` adds fields to the message. Gives the update's id."""
        body = {"user_id": user_id, "chat_id": chat_id or user_id, "text": text, "extra": extra}
        return int(self._post("say", body)["update_id"])

    def edit(self, chat_id: int, message_id: int, text: str) -> int:
        """Edits a person's own message; gives the update's id."""
        body = {"chat_id": chat_id, "message_id": message_id, "text": text}
        return int(self._post("edit", body)["update_id"])

    def press(self, user_id: int, message: BotMessage, button: Button | str) -> str:
        """Presses a button of a message, or sends forged data (text) as if one had it; gives the press's id."""
        data = button if isinstance(button, str) else button.data
        body = {"user_id": user_id, "chat_id": message.chat_id, "message_id": message.message_id}
        return str(self._post("press", {**body, "data": data})["callback_query_id"])

    def block(self, user_id: int, *, chat_id: int | None = None, is_blocked: bool = True) -> None:
        """Blocks the bot, or takes it back; in a group: throws it out."""
        body = {"user_id": user_id, "chat_id": chat_id or user_id, "is_blocked": is_blocked}
        self._post("block", body)

    def deliver(self, update: dict[str, Any]) -> int:
        """Puts any update in the bot's queue, without its id, which it gives."""
        return int(self._post("deliver", update)["update_id"])

    def replay(self, update_id: int) -> None:
        """Delivers an update once more under the same id, as Telegram does when a confirmation was lost."""
        self._post("replay", {"update_id": update_id})

    def expire_presses(self) -> None:
        """Makes all presses so far too old to be answered."""
        self._post("expire_queries", {})

    # -- what the bot does -------------------------------------------------------------------------

    def next_message(self, chat_id: int, *, timeout_s: float = PATIENCE_S) -> BotMessage:
        """Gives the next message that the bot sent or edited in a chat, each once; waits for it.

        Raises:
            TimeoutError: Nothing came.
        """
        after = self._read.get(chat_id, 0)
        rows = self._happenings(after, "sent,edited", chat_id, timeout_s)
        if not rows:
            raise TimeoutError(
                f"the bot said nothing in chat {chat_id} for {timeout_s:g} s after message number {after};"
                f" its last calls: {[call.method for call in self.calls()[-5:]]}"
            )
        self._read[chat_id] = rows[0]["number"]
        return _message(rows[0])

    def next_answer(self, press_id: str, *, timeout_s: float = PATIENCE_S) -> ButtonAnswer:
        """Gives what the bot answered to a press; waits for it.

        Raises:
            TimeoutError: It did not answer.
        """
        after = 0
        while rows := self._happenings(after, "answered", None, timeout_s):
            for row in rows:
                if row["callback_query_id"] == press_id:
                    return ButtonAnswer(row["text"], row["show_alert"])
            after = rows[-1]["number"]
        raise TimeoutError(f"the bot left press {press_id} without an answer for {timeout_s:g} s")

    def messages(self, chat_id: int) -> list[BotMessage]:
        """Gives all that the bot sent, edited and deleted in a chat so far, in order."""
        return [_message(row) for row in self._happenings(0, "sent,edited,deleted", chat_id, 0)]

    def forget(self, chat_id: int) -> None:
        """Counts what the bot did in a chat so far as read: ``next_message`` gives what comes after."""
        rows = self._happenings(0, "", chat_id, 0)
        self._read[chat_id] = rows[-1]["number"] if rows else 0

    def screen(self, chat_id: int) -> list[dict[str, Any]]:
        """Gives the messages that stand in a chat now, both sides', in the Bot API's own form."""
        rows: list[dict[str, Any]] = self._get("screen", chat_id=chat_id)
        return rows

    def calls(self, method: str = "") -> list[BotCall]:
        """Gives the bot's calls so far, of one method or all."""
        return self.wait_for_calls(method, 0)

    def wait_for_calls(
        self, method: str, count: int, *, timeout_s: float = PATIENCE_S
    ) -> list[BotCall]:
        """Gives the bot's calls of a method once there are so many.

        Raises:
            TimeoutError: There were fewer.
        """
        rows = self._get("calls", timeout_s, method=method, count=count)
        if len(rows) < count:
            raise TimeoutError(f"{len(rows)} calls of {method} in {timeout_s:g} s, not {count}")
        return [BotCall(**row) for row in rows]

    def wait_for_poll(self, *, timeout_s: float = PATIENCE_S) -> None:
        """Returns once the bot waits in a long poll: it is up and has handed over all updates so far.

        Raises:
            TimeoutError: It does not poll.
        """
        if not self._get("polled", timeout_s):
            raise TimeoutError(f"the bot did not poll for {timeout_s:g} s")

    def file(self, file_id: str) -> bytes:
        """Gives the bytes of a file that the bot sent."""
        return self._call("GET", f"file?{urlencode({'file_id': file_id})}")

    # -- what the server does ----------------------------------------------------------------------

    def fault(self, kind: str, method: str = "", *, count: int | None = None, **how: Any) -> None:
        """Lets calls of a method (or all) meet a fault of :mod:`kos.sandbox.faults`, so many times or from now on."""
        body = {"kind": kind, "service": "telegram", "path": method, "count": count, **how}
        self._post("faults", body)

    def clear_faults(self) -> None:
        """Ends all faults."""
        self._call("DELETE", "faults")

    def limit_flood(self, *, is_on: bool = True) -> None:
        """Switches Telegram's flood limits on or off."""
        self._post("flood", {"is_on": is_on})

    def _happenings(
        self, after: int, kinds: str, chat_id: int | None, timeout_s: float
    ) -> list[dict[str, Any]]:
        where = {} if chat_id is None else {"chat_id": chat_id}
        rows: list[dict[str, Any]] = self._get(
            "happenings", timeout_s, after=after, kinds=kinds, **where
        )
        return rows

    def _get(self, path: str, timeout_s: float = 0.0, **query: int | str) -> Any:
        asked = urlencode({**query, "timeout": timeout_s})
        return json.loads(self._call("GET", f"{path}?{asked}", timeout_s=timeout_s))

    def _post(self, path: str, body: Any) -> Any:
        return json.loads(self._call("POST", path, json.dumps(body).encode()))

    def _call(
        self, verb: str, path: str, body: bytes | None = None, *, timeout_s: float = 0.0
    ) -> bytes:
        host = urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=timeout_s + PATIENCE_S)
        try:
            connection.request(verb, CONTROL + path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(f"{verb} {path}: {answer.status} {content.decode(errors='replace')}")
        return content
