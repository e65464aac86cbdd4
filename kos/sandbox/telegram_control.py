"""The user's side of the sandbox's Telegram over HTTP, below ``/__sandbox__/``.

POST ``say``, ``edit``, ``press``, ``block``, ``meet``, ``deliver``, ``replay``, ``expire_queries`` and ``flood`` with
a JSON object; GET ``happenings``, ``calls``, ``polled``, ``screen`` and ``file``. The first three wait for what is not there
yet, up to ``timeout`` seconds. :mod:`kos.sandbox.telegram_user` speaks this.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kos.sandbox.telegram_chats import Chats, Json
from kos.sandbox.telegram_flood import Flood
from kos.sandbox.web import Answer, Request


def _told(value: Any) -> bytes:
    """Gives JSON in ASCII: a call on record may hold text that has no UTF-8."""
    return json.dumps(value, separators=(",", ":")).encode()


def _words(text: str) -> str:
    """Gives what a person wrote; half a surrogate pair is none (ValueError), as no client sends it."""
    text.encode()
    return text


class Control:
    """Answers what a person does and what a test wants to know."""

    def __init__(self, chats: Chats, flood: Flood) -> None:
        self._chats = chats
        self._flood = flood
        self._acts: dict[str, Callable[[Json], Any]] = {
            "say": self._say,
            "edit": self._edit,
            "press": self._press,
            "block": self._block,
            "meet": self._meet,
            "deliver": self._deliver,
            "replay": self._replay,
            "expire_queries": self._expire_queries,
            "flood": self._switch_flood,
        }

    def __call__(self, request: Request) -> Answer:
        """Answers one request; its path is the act's name."""
        try:
            if request.method == "GET":
                return self._shown(request)
            return Answer(200, _told(self._acts[request.path](json.loads(request.body))))
        except (KeyError, TypeError, ValueError) as error:
            return Answer(400, _told({"message": f"{request.path}: {error!r}"[:300]}))

    def _shown(self, request: Request) -> Answer:
        chat = request.one("chat_id")
        chat_id = int(chat) if chat else None
        seconds = float(request.one("timeout") or 0)
        match request.path:
            case "happenings":
                after = int(request.one("after") or 0)
                kinds = frozenset(filter(None, (request.one("kinds") or "").split(",")))
                self._chats.wait(lambda: bool(self._chats.since(after, chat_id, kinds)), seconds)
                rows = self._chats.since(after, chat_id, kinds)
                return Answer(200, _told([row.json() for row in rows]))
            case "calls":
                method, count = request.one("method") or "", int(request.one("count") or 0)
                self._chats.wait(lambda: len(self._chats.called_with(method)) >= count, seconds)
                calls = self._chats.called_with(method)
                return Answer(200, _told([call.json() for call in calls]))
            case "polled":
                is_polled = self._chats.wait(self._chats.is_polled, seconds)
                return Answer(200, _told(is_polled))
            case "screen":
                return Answer(200, _told(self._chats.screen(chat_id or 0)))
            case "file":
                content = self._chats.files[request.one("file_id") or ""].content
                return Answer(200, content, content_type="application/octet-stream")
        raise KeyError(request.path)

    def _say(self, body: Json) -> Json:
        user_id, chat_id = int(body["user_id"]), int(body["chat_id"])
        update_id, message_id = self._chats.say(
            user_id, chat_id, _words(body["text"]), body.get("extra") or {}
        )
        return {"update_id": update_id, "message_id": message_id}

    def _edit(self, body: Json) -> Json:
        return {
            "update_id": self._chats.rewrite(
                int(body["chat_id"]), int(body["message_id"]), _words(body["text"])
            )
        }

    def _press(self, body: Json) -> Json:
        update_id, query_id = self._chats.press(
            int(body["user_id"]),
            int(body["chat_id"]),
            int(body["message_id"]),
            _words(body["data"]),
        )
        return {"update_id": update_id, "callback_query_id": query_id}

    def _block(self, body: Json) -> Json:
        update_id = self._chats.block(
            int(body["user_id"]), int(body["chat_id"]), is_blocked=bool(body["is_blocked"])
        )
        return {"update_id": update_id}

    def _meet(self, body: Json) -> Json:
        return self._chats.meet(
            int(body["user_id"]),
            int(body["chat_id"]),
            str(body.get("name", "")),
            str(body.get("username", "")),
        )

    def _deliver(self, body: Json) -> Json:
        return {"update_id": self._chats.deliver(body)}

    def _replay(self, body: Json) -> Json:
        if not self._chats.replay(int(body["update_id"])):
            raise KeyError(body["update_id"])
        return {}

    def _expire_queries(self, _body: Json) -> Json:
        self._chats.expire_queries()
        return {}

    def _switch_flood(self, body: Json) -> Json:
        self._flood.is_on = bool(body["is_on"])
        return {}
