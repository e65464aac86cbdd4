"""Plays Telegram's Bot API: long polling, messages, buttons, files and commands, as strict as the service is.

Sources: the Bot API's documentation (core.telegram.org/bots/api) and, for the order of checks and the words of
refusals, the public sources of its server. A webhook can be set, which stops polling, but nothing is delivered to it.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from kos.sandbox.faults import Fault
from kos.sandbox.telegram_chats import Chats, Json
from kos.sandbox.telegram_control import Control
from kos.sandbox.telegram_flood import Flood, too_many
from kos.sandbox.telegram_form import Form, Refusal, Upload, bad, read
from kos.sandbox.telegram_keyboard import inline_keyboard
from kos.sandbox.telegram_text import Formatted, caption, message_text
from kos.sandbox.web import Answer, Request, as_json

BOT_ID: Final = 7_000_000_001
BOT_TOKEN: Final = f"{BOT_ID}:{'sandbox' * 5}"
_PATH: Final = re.compile(r"/bot([^/]+)/(\w+)")
_FILE_PATH: Final = re.compile(r"/file/bot([^/]+)/(.+)")
_LONGEST_POLL_S: Final = 50
_UPLOAD_LIMIT: Final = 50 << 20
_PHOTO_LIMIT: Final = 10 << 20
_DOWNLOAD_LIMIT: Final = 20 << 20
_DELETABLE_S: Final = 48 * 3600
_ANSWER_LIMIT: Final = 200
_COMMAND_COUNT: Final = 100
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")
_ACTIONS: Final = frozenset({
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
})  # fmt: skip
_SCOPES: Final = frozenset({
    "default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat",
    "chat_administrators", "chat_member",
})  # fmt: skip
_MEANINGS: Final = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class Telegram:
    """The service.

    Args:
        now: The wall clock, seconds since 1970 UTC.
        token: The one token that is known.
    """

    def __init__(self, now: Callable[[], float], token: str = BOT_TOKEN) -> None:
        bot = {
            "id": BOT_ID,
            "is_bot": True,
            "first_name": "KOS sandbox",
            "username": "kos_sandbox_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.token = token
        self.chats = Chats(bot, now)
        self.flood = Flood(now)
        self._now = now
        self._poll = 0
        self._webhook = ""
        self._commands: dict[str, list[Json]] = {}
        self.control = Control(self.chats, self.flood)
        self._methods: dict[str, tuple[str, Callable[[Form], Any]]] = {
            name.lower(): (name, method)
            for name, method in {
                "getMe": self._get_me,
                "getUpdates": self._get_updates,
                "setWebhook": self._set_webhook,
                "deleteWebhook": self._delete_webhook,
                "getWebhookInfo": self._get_webhook_info,
                "sendMessage": self._send_message,
                "sendPhoto": self._send_photo,
                "sendDocument": self._send_document,
                "sendChatAction": self._send_chat_action,
                "editMessageText": self._edit_text,
                "editMessageCaption": self._edit_caption,
                "editMessageReplyMarkup": self._edit_markup,
                "deleteMessage": self._delete_message,
                "answerCallbackQuery": self._answer_callback_query,
                "setMyCommands": self._set_my_commands,
                "getMyCommands": self._get_my_commands,
                "deleteMyCommands": self._delete_my_commands,
                "getChat": self._get_chat,
                "getFile": self._get_file,
            }.items()
        }

    def __call__(self, request: Request) -> Answer:
        """Answers one request."""
        try:
            downloaded = _FILE_PATH.fullmatch(request.path)
            if downloaded is not None:
                return self._download(unquote(downloaded[1]), downloaded[2])
            result = self._method(request)(read(request))
        except Refusal as refusal:
            return refusal.answer()
        return Answer(200, as_json({"ok": True, "result": result}))

    def endpoint(self, request: Request) -> str:
        """Names the method of a request as Telegram spells it, never the token."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return "file" if _FILE_PATH.fullmatch(request.path) else "unknown"
        known = self._methods.get(found[2].lower())
        return found[2] if known is None else known[0]

    def seen(self, request: Request) -> None:
        """Writes a call down, whatever becomes of it."""
        try:
            parameters = read(request).described()
        except Refusal:
            parameters = {}
        self.chats.called(self.endpoint(request), parameters)

    def refusal(self, fault: Fault) -> Answer:
        """Gives the answer of a ``refusal`` or ``rate_limit`` rule."""
        if fault.kind == "rate_limit":
            return too_many(fault.retry_after_s or 1).answer()
        status = fault.status or 400
        return Refusal(status, fault.text or _MEANINGS.get(status, f"Error {status}")).answer()

    def _authorised(self, token: str) -> None:
        if token != self.token:
            raise Refusal(401, "Unauthorized")

    def _method(self, request: Request) -> Callable[[Form], Any]:
        found = _PATH.fullmatch(request.path)
        if found is None:
            raise Refusal(404, "Not Found")
        self._authorised(unquote(found[1]))
        if len(request.body) > _UPLOAD_LIMIT:
            raise Refusal(413, "Request Entity Too Large")
        if found[2].lower() not in self._methods:
            raise Refusal(404, "Not Found: method not found")
        return self._methods[found[2].lower()][1]

    # -- updates -----------------------------------------------------------------------------------

    def _get_me(self, _form: Form) -> Json:
        return self.chats.bot

    def _get_updates(self, form: Form) -> list[Json]:
        if self._webhook:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        self._allow(form)
        limit = form.number("limit", 100, 1, 100)
        seconds = form.number("timeout", 0, 0, _LONGEST_POLL_S)
        with self.chats.changed:
            self.chats.confirm(form.number("offset", 0, -(2**53)))
            if not seconds or self.chats.has_updates():
                return self.chats.take(limit)
            poll = self._next_poll(form.is_gone)
            self.chats.wait(lambda: self._is_over(poll) or self.chats.has_updates(), seconds)
            if not self._is_over(poll):
                self.chats.is_poller_gone = None
                return [] if form.is_gone() else self.chats.take(limit)
        raise self._ended_poll()

    def _ended_poll(self) -> Refusal:
        return Refusal(
            409, "Conflict: terminated by setWebhook request" if self._webhook else _MEANINGS[409]
        )

    def _next_poll(self, is_gone: Callable[[], bool] | None) -> int:
        """Ends the poll that waits, and gives the number of the one that follows."""
        with self.chats.changed:
            self._poll += 1
            self.chats.is_poller_gone = is_gone
            self.chats.changed.notify_all()
            return self._poll

    def _is_over(self, poll: int) -> bool:
        return poll != self._poll

    def _allow(self, form: Form) -> None:
        if "allowed_updates" in form.values:
            types = form.structure("allowed_updates", "can't parse allowed_updates JSON object")
            if not isinstance(types, list):
                raise bad("expected an Array of String as allowed_updates")
            self.chats.allow(map(str, types))

    def _set_webhook(self, form: Form) -> bool:
        url = form.text("url")
        if url and not url.startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        self._allow(form)
        with self.chats.changed:
            if form.flag("drop_pending_updates"):
                self.chats.pending.clear()
            self._webhook = url
            if url:
                self._next_poll(None)
        return True

    def _delete_webhook(self, form: Form) -> bool:
        form.values.pop("url", None)
        return self._set_webhook(form)

    def _get_webhook_info(self, _form: Form) -> Json:
        return {
            "url": self._webhook,
            "has_custom_certificate": False,
            "pending_update_count": len(self.chats.pending),
        }

    # -- messages ----------------------------------------------------------------------------------

    def _send(self, form: Form, content: Json) -> Json:
        keyboard = inline_keyboard(form)
        with self.chats.changed:
            chat = self.chats.chat(form.text("chat_id"))
            reply = form.structure("reply_parameters", "can't parse reply parameters JSON object")
            if isinstance(reply, dict):
                number = str(reply.get("message_id"))
                answered = self.chats.messages.get(
                    (
                        chat["id"],
                        int(number) if number.isdecimal() else 0,
                    )
                )
                if answered is not None:
                    content["reply_to_message"] = answered
                elif not reply.get("allow_sending_without_reply"):
                    raise bad("message to be replied not found")
            self.flood.admit(chat["id"])
            if keyboard is not None:
                content["reply_markup"] = keyboard
            return self.chats.send(chat, content)

    def _send_message(self, form: Form) -> Json:
        return self._send(form, _said(message_text(form), "text", "entities"))

    def _send_photo(self, form: Form) -> Json:
        upload = self._file(form, "photo")
        width, height = _picture(upload)
        content = _said(caption(form), "caption", "caption_entities")
        self.chats.chat(form.text("chat_id"))
        file_id = self.chats.keep(upload)
        size: Json = {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_size": len(upload.content),
            "width": width,
            "height": height,
        }
        return self._send(form, {"photo": [size], **content})

    def _send_document(self, form: Form) -> Json:
        upload = self._file(form, "document")
        content = _said(caption(form), "caption", "caption_entities")
        self.chats.chat(form.text("chat_id"))
        file_id = self.chats.keep(upload)
        document: Json = {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_size": len(upload.content),
            "file_name": upload.name,
            "mime_type": upload.content_type,
        }
        return self._send(form, {"document": document, **content})

    def _file(self, form: Form, name: str) -> Upload:
        upload = form.upload(name)
        if upload is None:
            raise bad(f"there is no {name} in the request")
        if isinstance(upload, str):
            known = self.chats.files.get(upload)
            if known is None:
                raise bad("wrong remote file identifier specified: Wrong string length")
            return known
        if not upload.content:
            raise bad("file must be non-empty")
        return upload

    def _send_chat_action(self, form: Form) -> bool:
        if form.text("action") not in _ACTIONS:
            raise bad("wrong parameter action in request")
        self.chats.chat(form.text("chat_id"))
        return True

    def _found(self, form: Form, purpose: str) -> Json:
        chat = self.chats.chat(form.text("chat_id"))
        message = self.chats.messages.get((chat["id"], form.number("message_id")))
        if message is None:
            raise bad(f"message to {purpose} not found")
        return message

    def _edit(self, form: Form, part: str, content: Json, without: tuple[str, ...]) -> Json:
        keyboard = inline_keyboard(form)
        if keyboard is not None:
            content["reply_markup"] = keyboard
        with self.chats.changed:
            message = self._found(form, "edit")
            if message["from"]["id"] != BOT_ID:
                raise bad("message can't be edited")
            if part == "text" and "text" not in message:
                raise bad("there is no text in the message to edit")
            if part == "caption" and "text" in message:
                raise bad("there is no caption in the message to edit")
            self.flood.admit(message["chat"]["id"])
            return self.chats.edit(message, content, (*without, "reply_markup"))

    def _edit_text(self, form: Form) -> Json:
        content = _said(message_text(form), "text", "entities")
        return self._edit(form, "text", content, ("entities",))

    def _edit_caption(self, form: Form) -> Json:
        content = _said(caption(form), "caption", "caption_entities")
        return self._edit(form, "caption", content, ("caption", "caption_entities"))

    def _edit_markup(self, form: Form) -> Json:
        return self._edit(form, "", {}, ())

    def _delete_message(self, form: Form) -> bool:
        if not form.text("chat_id"):
            raise bad("chat identifier is not specified")
        if not form.number("message_id"):
            raise bad("message identifier is not specified")
        with self.chats.changed:
            message = self._found(form, "delete")
            if message["date"] < self._now() - _DELETABLE_S:
                raise bad("message can't be deleted for everyone")
            self.chats.delete(message)
        return True

    def _answer_callback_query(self, form: Form) -> bool:
        text = form.text("text")
        if len(text) > _ANSWER_LIMIT:
            raise bad("MESSAGE_TOO_LONG")
        self.chats.answer(form.text("callback_query_id"), text, show_alert=form.flag("show_alert"))
        return True

    # -- commands, chats and files -----------------------------------------------------------------

    def _scope(self, form: Form) -> str:
        scope = form.structure("scope", "can't parse BotCommandScope JSON object") or {
            "type": "default"
        }
        if not isinstance(scope, dict):
            raise bad("can't parse BotCommandScope: BotCommandScope must be an Object")
        kind = scope.get("type")
        if kind not in _SCOPES:
            raise bad("can't parse BotCommandScope: Unsupported type specified")
        key = [kind, form.text("language_code")]
        if kind in {"chat", "chat_administrators", "chat_member"}:
            if not scope.get("chat_id"):
                raise bad("can't parse BotCommandScope: Empty chat_id specified")
            key += [self.chats.chat(str(scope["chat_id"]))["id"], scope.get("user_id")]
        return json.dumps(key)

    def _set_my_commands(self, form: Form) -> bool:
        rows = form.structure("commands", "can't parse commands JSON object") or []
        if not isinstance(rows, list):
            raise bad("expected an Array of BotCommand")
        commands = [_command(row) for row in rows]
        if len(commands) > _COMMAND_COUNT:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        self._commands[self._scope(form)] = commands
        return True

    def _get_my_commands(self, form: Form) -> list[Json]:
        return self._commands.get(self._scope(form), [])

    def _delete_my_commands(self, form: Form) -> bool:
        self._commands.pop(self._scope(form), None)
        return True

    def _get_chat(self, form: Form) -> Json:
        return {
            **self.chats.chat(form.text("chat_id")),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }

    def _get_file(self, form: Form) -> Json:
        file_id = form.text("file_id")
        upload = self.chats.files.get(file_id)
        if upload is None:
            raise bad("invalid file_id")
        if len(upload.content) > _DOWNLOAD_LIMIT:
            raise bad("file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": f"u{file_id}",
            "file_size": len(upload.content),
            "file_path": f"files/{file_id}",
        }

    def _download(self, token: str, path: str) -> Answer:
        self._authorised(token)
        upload = self.chats.files.get(path.removeprefix("files/"))
        if upload is None:
            raise Refusal(404, "Not Found")
        return Answer(200, upload.content, content_type="application/octet-stream")


def _said(formatted: Formatted, name: str, entities_name: str) -> Json:
    content: Json = {name: formatted.text} if formatted.text else {}
    return {**content, entities_name: formatted.entities} if formatted.entities else content


def _picture(upload: Upload) -> tuple[int, int]:
    """Gives a picture's width and height in pixels; those of a PNG are its own, others count as 1 by 1."""
    content = upload.content
    if len(content) > _PHOTO_LIMIT:
        raise bad(
            f"file of size {len(content)} bytes is too big for a photo;"
            f" the maximum size is {_PHOTO_LIMIT} bytes"
        )
    if not content.startswith(_PICTURES):
        raise bad("IMAGE_PROCESS_FAILED")
    if not content.startswith(_PICTURES[0]):
        return 1, 1
    if len(content) < 24:
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", content[16:24])
    if not width or not height or width + height > 10_000 or not 1 / 20 <= width / height <= 20:
        raise bad("PHOTO_INVALID_DIMENSIONS")
    return width, height


def _command(row: Any) -> Json:
    if not isinstance(row, dict):
        raise bad("can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if name not in row:
            raise bad(f"can't parse BotCommand: Can't find field \"{name}\"")
    name, description = (
        str(row["command"]).strip().removeprefix("/"),
        str(row["description"]).strip(),
    )
    if not name:
        raise bad("command must be non-empty")
    if len(name) > 32:
        raise bad("command length must not exceed 32")
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise bad("BOT_COMMAND_INVALID")
    if not description:
        raise bad("command description must be non-empty")
    if len(description) > 256:
        raise bad("command description length must not exceed 256")
    return {"command": name, "description": description}
