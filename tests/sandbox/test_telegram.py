"""The sandbox's Bot API takes what Telegram takes and refuses in Telegram's own words."""

from __future__ import annotations

import http.client
import json
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from kos.sandbox import Sandbox
from kos.sandbox.telegram_user import PATIENCE_S, TelegramUser

ANNA, BEN, GROUP = 5_000_000_001, 42, -77
Json = dict[str, Any]


def png(width: int, height: int) -> bytes:
    """Gives a whole grey picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Bot:
    """Calls the Bot API as a bot would, with nothing but HTTP."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc
        self.token = token

    def exchange(
        self, verb: str, path: str, body: bytes = b"", content_type: str = ""
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE_S)
        try:
            headers = {"Content-Type": content_type} if content_type else {}
            connection.request(verb, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def raw(self, method: str, **parameters: object) -> tuple[int, Json]:
        """Posts a form, as aiogram does, structures as JSON."""
        form = {
            name: json.dumps(value) if isinstance(value, (dict, list, bool)) else value
            for name, value in parameters.items()
        }
        status, body = self.exchange(
            "POST",
            f"/bot{quote(self.token, safe='')}/{method}",
            urlencode(form).encode(),
            "application/x-www-form-urlencoded",
        )
        return status, json.loads(body)

    def call(self, method: str, **parameters: object) -> Any:
        """Gives the result, which must be there."""
        status, body = self.raw(method, **parameters)
        assert (status, body["ok"]) == (200, True), body
        return body["result"]

    def refusal(self, method: str, **parameters: object) -> str:
        """Gives what stands behind ``Bad Request:``."""
        status, body = self.raw(method, **parameters)
        assert (status, body["ok"], body["error_code"]) == (400, False, 400), body
        kind, _, reason = body["description"].partition(": ")
        assert kind == "Bad Request"
        return str(reason)

    def upload(
        self, method: str, field: str, name: str, content: bytes, **parameters: object
    ) -> tuple[int, Json]:
        """Sends a file as multipart."""
        lines = [
            f'--xx\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in parameters.items()
        ]
        lines.append(
            f'--xx\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: text/csv\r\n\r\n".encode()
            + content
            + b"\r\n--xx--\r\n"
        )
        status, body = self.exchange(
            "POST",
            f"/bot{self.token}/{method}",
            b"".join(lines),
            "multipart/form-data; boundary=xx",
        )
        return status, json.loads(body)


@pytest.fixture(scope="module")
def telegram() -> Iterator[Sandbox]:
    with Sandbox(7) as running:
        yield running


@pytest.fixture
def bot(telegram: Sandbox) -> Bot:
    bot = Bot(telegram.telegram_url, telegram.addresses.telegram_token)
    bot.call("deleteWebhook", drop_pending_updates=True, allowed_updates=[])
    return bot


@pytest.fixture
def people(telegram: Sandbox) -> Iterator[TelegramUser]:
    people = TelegramUser(telegram.telegram_url, telegram.addresses.telegram_token)
    people.meet(ANNA, name="Anna")
    people.forget(ANNA)
    yield people
    people.block(ANNA, is_blocked=False)
    people.clear_faults()
    people.limit_flood(is_on=False)


def updates(bot: Bot, **parameters: object) -> list[Json]:
    found: list[Json] = bot.call("getUpdates", **parameters)
    return found


# -- transport ---------------------------------------------------------------------------------------


def test_every_body_form_and_an_encoded_token_are_read(bot: Bot, people: TelegramUser) -> None:
    encoded = quote(bot.token, safe="")
    assert "%3A" in encoded
    for verb, path, body, kind in (
        ("GET", f"/bot{encoded}/sendMessage?chat_id={ANNA}&text=a%26b", b"", ""),
        (
            "POST",
            f"/bot{bot.token}/SENDMESSAGE",
            urlencode({"chat_id": ANNA, "text": "a&b"}).encode(),
            "application/x-www-form-urlencoded",
        ),
        (
            "POST",
            f"/bot{bot.token}/sendMessage",
            json.dumps({"chat_id": ANNA, "text": "a&b", "reply_markup": None}).encode(),
            "application/json",
        ),
        (
            "POST",
            f"/bot{bot.token}/sendMessage",
            (
                '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\na&b\r\n--b\r\n'
                f'Content-Disposition: form-data; name="chat_id"\r\n\r\n{ANNA}\r\n--b--\r\n'
            ).encode(),
            "multipart/form-data; boundary=b",
        ),
    ):
        status, answer = bot.exchange(verb, path, body, kind)
        assert status == 200, answer
        assert people.next_message(ANNA).text == "a&b"
    assert {call.method for call in people.calls()[-4:]} == {"sendMessage"}


def test_a_chunked_body_is_read_whole(bot: Bot, people: TelegramUser) -> None:
    connection = http.client.HTTPConnection(bot.host, timeout=PATIENCE_S)
    parts = [f"chat_id={ANNA}".encode(), b"&text=" + b"x" * 3000]
    connection.request(
        "POST",
        f"/bot{bot.token}/sendMessage",
        iter(parts),
        {"Content-Type": "application/x-www-form-urlencoded"},
        encode_chunked=True,
    )
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()
    assert people.next_message(ANNA).text == "x" * 3000


@pytest.mark.parametrize(
    ("path", "status", "description"),
    [
        ("/bot7000000001:wrong/getMe", 401, "Unauthorized"),
        ("/bot7000000001%3Awrong/noSuchMethod", 401, "Unauthorized"),
        ("/bot{token}/noSuchMethod", 404, "Not Found: method not found"),
        ("/bot{token}/setMyDescription", 404, "Not Found: method not found"),
        ("/bot{token}", 404, "Not Found"),
        ("/", 404, "Not Found"),
        ("/file/bot{token}/files/none", 404, "Not Found"),
        ("/file/bot7:wrong/files/none", 401, "Unauthorized"),
    ],
)
def test_strangers_and_unknown_paths_are_turned_away(
    bot: Bot, path: str, status: int, description: str
) -> None:
    got, body = bot.exchange("POST", path.format(token=bot.token))
    assert got == status
    assert json.loads(body) == {"ok": False, "error_code": status, "description": description}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"no parts", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b"),
        (b"", "multipart/form-data"),
        (b"text=%ff&chat_id=1", "application/x-www-form-urlencoded"),
        (b'{"text": "\\ud83c", "chat_id": 1}', "application/json"),
        (
            b'{"text": "x", "chat_id": 1, "reply_markup": "{\\"x\\": \\"\\\\ud83c\\"}"}',
            "application/json",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(bot: Bot, body: bytes, kind: str) -> None:
    status, answer = bot.exchange("POST", f"/bot{bot.token}/sendMessage", body, kind)
    assert status == 400
    assert json.loads(answer)["description"].startswith("Bad Request: ")


# -- updates -----------------------------------------------------------------------------------------


def test_updates_stay_until_an_offset_confirms_them(bot: Bot, people: TelegramUser) -> None:
    first = people.say(ANNA, "one")
    second = people.say(ANNA, "two")
    assert second == first + 1
    assert [row["update_id"] for row in updates(bot)] == [first, second]
    assert [row["update_id"] for row in updates(bot, limit=1)] == [first]
    assert bot.call("getWebhookInfo")["pending_update_count"] == 2
    assert [row["message"]["text"] for row in updates(bot, offset=second)] == ["two"]
    assert updates(bot, offset=second + 1) == []
    assert updates(bot) == []


def test_a_negative_offset_keeps_only_the_last_updates(bot: Bot, people: TelegramUser) -> None:
    ids = [people.say(ANNA, str(number)) for number in range(3)]
    assert [row["update_id"] for row in updates(bot, offset=-1)] == ids[-1:]
    assert bot.call("getWebhookInfo")["pending_update_count"] == 1


def test_a_long_poll_ends_with_the_update_it_waited_for(bot: Bot, people: TelegramUser) -> None:
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(updates, bot, timeout=50)
        people.wait_for_poll()
        people.say(ANNA, "/start now")
        (update,) = poll.result(timeout=PATIENCE_S)
    message = update["message"]
    assert message["from"]["id"] == message["chat"]["id"] == ANNA
    assert message["chat"]["type"] == "private"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


def test_a_second_poller_ends_the_first_with_a_conflict(bot: Bot, people: TelegramUser) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(bot.raw, "getUpdates", timeout=50)
        people.wait_for_poll()
        second = pool.submit(bot.raw, "getUpdates", timeout=50)
        assert first.result(timeout=PATIENCE_S) == (
            409,
            {
                "ok": False,
                "error_code": 409,
                "description": "Conflict: terminated by other getUpdates request;"
                " make sure that only one bot instance is running",
            },
        )
        people.say(ANNA, "who hears me")
        status, body = second.result(timeout=PATIENCE_S)
    assert status == 200
    assert [row["message"]["text"] for row in body["result"]] == ["who hears me"]


def test_a_webhook_ends_a_poll(bot: Bot, people: TelegramUser) -> None:
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(bot.raw, "getUpdates", timeout=50)
        people.wait_for_poll()
        bot.call("setWebhook", url="https://example.org/hook")
        status, body = poll.result(timeout=PATIENCE_S)
    assert (status, body["description"]) == (
        409,
        "Conflict: terminated by setWebhook request",
    )


def test_a_webhook_stops_polling_until_it_is_deleted(bot: Bot, people: TelegramUser) -> None:
    assert "HTTPS" in bot.refusal("setWebhook", url="http://example.org/hook")
    bot.call("setWebhook", url="https://example.org/hook")
    assert bot.call("getWebhookInfo")["url"] == "https://example.org/hook"
    status, body = bot.raw("getUpdates")
    assert status == 409
    assert body["description"] == (
        "Conflict: can't use getUpdates method while webhook is active;"
        " use deleteWebhook to delete the webhook first"
    )
    people.say(ANNA, "kept meanwhile")
    bot.call("deleteWebhook")
    assert [row["message"]["text"] for row in updates(bot)] == ["kept meanwhile"]


def test_only_updates_that_the_bot_asks_for_are_queued(bot: Bot, people: TelegramUser) -> None:
    assert updates(bot, allowed_updates=["callback_query"]) == []
    assert people.say(ANNA, "unheard") == 0
    updates(bot, allowed_updates=[])
    assert people.say(ANNA, "heard") > 0
    people.block(ANNA)
    kinds = [set(row) - {"update_id"} for row in updates(bot)]
    assert kinds == [{"message"}, {"my_chat_member"}]


def test_a_replayed_update_comes_again_although_it_was_confirmed(
    bot: Bot, people: TelegramUser
) -> None:
    update_id = people.say(ANNA, "/once")
    updates(bot, offset=update_id + 1)
    people.replay(update_id)
    (again,) = updates(bot, offset=update_id + 1)
    assert (again["update_id"], again["message"]["text"]) == (update_id, "/once")
    assert updates(bot, offset=update_id + 1) == []
    with pytest.raises(ValueError, match="999999"):
        people.replay(999_999)


def test_a_poll_that_the_bot_left_counts_no_more_and_swallows_nothing(
    bot: Bot, people: TelegramUser
) -> None:
    update_id = people.say(ANNA, "/once")
    bot.call("getUpdates", offset=update_id + 1)
    connection = http.client.HTTPConnection(bot.host, timeout=PATIENCE_S)
    connection.request("GET", f"/bot{bot.token}/getUpdates?timeout=50")
    people.wait_for_poll()
    connection.close()
    with pytest.raises(TimeoutError, match="did not poll"):
        people.wait_for_poll(timeout_s=0.01)
    people.replay(update_id)
    assert [row["update_id"] for row in updates(bot)] == [update_id]


def test_an_edited_message_is_an_update_of_its_own_kind(bot: Bot, people: TelegramUser) -> None:
    people.say(ANNA, "befor")
    (message,) = [row for row in people.screen(ANNA) if row.get("text") == "befor"]
    people.edit(ANNA, message["message_id"], "before")
    edited = updates(bot)[-1]["edited_message"]
    assert edited["text"] == "before"
    assert edited["edit_date"] >= edited["date"]


def test_any_update_can_be_delivered(bot: Bot, people: TelegramUser) -> None:
    post = {"message_id": 1, "date": 1, "chat": {"id": -100, "type": "channel"}, "text": "news"}
    update_id = people.deliver({"channel_post": post})
    assert updates(bot) == [{"update_id": update_id, "channel_post": post}]


# -- messages ----------------------------------------------------------------------------------------


def test_entities_and_buttons_arrive_as_they_were_sent(bot: Bot, people: TelegramUser) -> None:
    text = "🏇 Kempton <b>&_* 15:40"
    entities = [
        {"type": "bold", "offset": 3, "length": 7},
        {"type": "code", "offset": 18, "length": 5},
    ]
    keyboard = {"inline_keyboard": [[{"text": "Next", "callback_data": "n:2"}]]}
    sent = bot.call(
        "sendMessage", chat_id=ANNA, text=text, entities=entities, reply_markup=keyboard
    )
    message = people.next_message(ANNA)
    assert (message.kind, message.text, message.message_id) == ("sent", text, sent["message_id"])
    assert list(message.entities) == sent["entities"] == entities
    assert message.button("Next").data == "n:2"
    assert sent["from"]["is_bot"] is True
    with pytest.raises(LookupError, match="Next"):
        message.button("Back")


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "message text is empty"),
        ({"text": ""}, "message text is empty"),
        ({"text": " \n\u202e "}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "🏇" * 2049}, "message is too long"),
        ({"text": "x" * 32769}, "text is too long"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "chat_id": 31_337}, "chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
        ({"text": "x", "parse_mode": "Markdwon"}, "unsupported parse_mode"),
        (
            {"text": "x", "reply_parameters": {"message_id": 999_999}},
            "message to be replied not found",
        ),
        (
            {"text": "abc", "entities": [{"type": "bold", "offset": 1, "length": 3}]},
            "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 4",
        ),
        (
            {"text": "🏇", "entities": [{"type": "bold", "offset": 1, "length": 1}]},
            "entity begins in a middle of a UTF-16 symbol at byte offset 1",
        ),
        (
            {"text": "🏇", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
            "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 1",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": -1, "length": 1}]},
            "receive an entity with incorrect offset -1",
        ),
        (
            {"text": "x", "entities": [{"type": "shout", "offset": 0, "length": 1}]},
            "can't parse MessageEntity: Unsupported type specified",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0}]},
            "can't parse MessageEntity: Can't find field \"length\"",
        ),
        (
            {
                "text": "x",
                "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": "x"}],
            },
            "entity URL 'x' is invalid: Wrong HTTP URL",
        ),
    ],
)
def test_a_message_that_telegram_would_not_take_is_refused(
    bot: Bot, people: TelegramUser, parameters: Json, reason: str
) -> None:
    before = len(people.messages(ANNA))
    assert bot.refusal("sendMessage", **{"chat_id": ANNA, **parameters}) == reason
    assert len(people.messages(ANNA)) == before


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("£<br>", 'Unsupported start tag "br" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ("<a href", 'Unclosed start tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_that_does_not_parse_is_refused(
    bot: Bot, people: TelegramUser, html: str, reason: str
) -> None:
    people.meet(ANNA)
    refusal = bot.refusal("sendMessage", chat_id=ANNA, text=html, parse_mode="HTML")
    assert refusal == f"can't parse entities: {reason}"


def test_html_becomes_text_and_entities(bot: Bot, people: TelegramUser) -> None:
    bot.call(
        "sendMessage",
        chat_id=ANNA,
        parse_mode="HTML",
        text=' 🏇<b>Ascot <i>&lt;1&amp;2&gt;</i></b> <a href="https://example.org/?a=1&amp;b=2">odds</a> &nbsp;',
    )
    message = people.next_message(ANNA)
    assert message.text == "🏇Ascot <1&2> odds &nbsp;"
    assert sorted((row["type"], row["offset"], row["length"]) for row in message.entities) == [
        ("bold", 2, 11),
        ("italic", 8, 5),
        ("text_link", 14, 4),
    ]
    assert message.entities[-1]["url"] == "https://example.org/?a=1&b=2"


def test_text_is_cleaned_and_its_entities_move_along(bot: Bot, people: TelegramUser) -> None:
    bot.call(
        "sendMessage",
        chat_id=ANNA,
        text="\n a\x07b\u202ec  \n",
        entities=[{"type": "bold", "offset": 5, "length": 3}],
    )
    message = people.next_message(ANNA)
    assert message.text == "a bc"
    assert list(message.entities) == [{"type": "bold", "offset": 3, "length": 1}]


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "x", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"callback_data": "x"},
            "can't parse inline keyboard button: Can't find field \"text\"",
        ),
        ({"text": " ", "callback_data": "x"}, "inline keyboard button text must be non-empty"),
        (
            {"text": "x", "url": "localhost"},
            "inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL",
        ),
    ],
)
def test_a_button_that_telegram_would_not_show_is_refused(
    bot: Bot, people: TelegramUser, button: Json, reason: str
) -> None:
    people.meet(ANNA)
    markup = {"inline_keyboard": [[button]]}
    assert bot.refusal("sendMessage", chat_id=ANNA, text="x", reply_markup=markup) == reason


def test_a_keyboard_has_its_limits(bot: Bot, people: TelegramUser) -> None:
    people.meet(ANNA)
    button = {"text": "x", "callback_data": "y" * 64}
    for markup, reason in (
        ("{", "can't parse reply keyboard markup JSON object"),
        ([1], "object expected as reply markup"),
        ({"inline_keyboard": 1}, 'field "inline_keyboard" must be of type Array'),
        ({"inline_keyboard": [[button]] * 101}, "reply markup is too long"),
    ):
        assert bot.refusal("sendMessage", chat_id=ANNA, text="x", reply_markup=markup) == reason
    bot.call(
        "sendMessage", chat_id=ANNA, text="x", reply_markup={"inline_keyboard": [[button]] * 90}
    )


def test_an_edit_changes_the_message_and_drops_the_keyboard(bot: Bot, people: TelegramUser) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    sent = bot.call("sendMessage", chat_id=ANNA, text="page 1", reply_markup=keyboard)
    where = {"chat_id": ANNA, "message_id": sent["message_id"]}
    same = bot.refusal("editMessageText", text="page 1", reply_markup=keyboard, **where)
    assert same == (
        "message is not modified: specified new message content and reply markup are exactly the same"
        " as a current content and reply markup of the message"
    )
    edited = bot.call("editMessageText", text="page 2", **where)
    assert edited["edit_date"] >= edited["date"]
    bot.call("editMessageReplyMarkup", reply_markup=keyboard, **where)
    kinds = [people.next_message(ANNA) for _ in range(3)]
    assert [(row.kind, row.text, row.labels) for row in kinds] == [
        ("sent", "page 1", ["Go"]),
        ("edited", "page 2", []),
        ("edited", "page 2", ["Go"]),
    ]
    assert people.screen(ANNA)[-1]["text"] == "page 2"


def test_only_the_bots_own_messages_that_exist_are_edited(bot: Bot, people: TelegramUser) -> None:
    people.say(ANNA, "mine")
    mine = people.screen(ANNA)[-1]["message_id"]
    sent = bot.call("sendMessage", chat_id=ANNA, text="text")["message_id"]
    for method, message_id, parameters, reason in (
        ("editMessageText", 999_999, {"text": "x"}, "message to edit not found"),
        ("editMessageText", mine, {"text": "x"}, "message can't be edited"),
        ("editMessageText", sent, {"text": ""}, "message text is empty"),
        (
            "editMessageCaption",
            sent,
            {"caption": "x"},
            "there is no caption in the message to edit",
        ),
        ("deleteMessage", 999_999, {}, "message to delete not found"),
        ("deleteMessage", 0, {}, "message identifier is not specified"),
    ):
        assert bot.refusal(method, chat_id=ANNA, message_id=message_id, **parameters) == reason


def test_a_deleted_message_is_gone(bot: Bot, people: TelegramUser) -> None:
    sent = bot.call("sendMessage", chat_id=ANNA, text="soon gone")
    assert bot.call("deleteMessage", chat_id=ANNA, message_id=sent["message_id"]) is True
    assert people.messages(ANNA)[-1].kind == "deleted"
    assert sent["message_id"] not in {row["message_id"] for row in people.screen(ANNA)}


def test_a_person_who_blocked_the_bot_is_out_of_reach(bot: Bot, people: TelegramUser) -> None:
    people.block(ANNA)
    status, body = bot.raw("sendMessage", chat_id=ANNA, text="hello?")
    assert (status, body["description"]) == (403, "Forbidden: bot was blocked by the user")
    people.say(ANNA, "/start")
    bot.call("sendMessage", chat_id=ANNA, text="hello")


def test_a_group_that_threw_the_bot_out_is_out_of_reach(bot: Bot, people: TelegramUser) -> None:
    people.say(BEN, "/status@kos_sandbox_bot", chat_id=GROUP)
    message = updates(bot)[-1]["message"]
    assert (message["chat"]["type"], message["from"]["id"]) == ("group", BEN)
    bot.call("sendMessage", chat_id=GROUP, text="fine")
    people.block(BEN, chat_id=GROUP)
    status, body = bot.raw("sendMessage", chat_id=GROUP, text="hello?")
    assert (status, body["description"]) == (
        403,
        "Forbidden: bot was kicked from the group chat",
    )


# -- buttons -----------------------------------------------------------------------------------------


def test_a_press_reaches_the_bot_and_its_answer_the_person(bot: Bot, people: TelegramUser) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go:1"}]]}
    bot.call("sendMessage", chat_id=ANNA, text="ready?", reply_markup=keyboard)
    message = people.next_message(ANNA)
    press = people.press(ANNA, message, message.button("Go"))
    query = updates(bot)[-1]["callback_query"]
    assert (query["id"], query["data"], query["from"]["id"]) == (press, "go:1", ANNA)
    assert query["message"]["message_id"] == message.message_id
    assert query["chat_instance"]
    assert bot.refusal("answerCallbackQuery", callback_query_id=press, text="x" * 201)
    bot.call("answerCallbackQuery", callback_query_id=press, text="gone", show_alert=True)
    answer = people.next_answer(press)
    assert (answer.text, answer.is_alert) == ("gone", True)


def test_forged_data_and_buttons_of_deleted_messages_are_delivered_too(
    bot: Bot, people: TelegramUser
) -> None:
    sent = bot.call("sendMessage", chat_id=ANNA, text="no buttons here")
    message = people.next_message(ANNA)
    people.press(BEN, message, "admin:all")
    bot.call("deleteMessage", chat_id=ANNA, message_id=sent["message_id"])
    people.press(ANNA, message, "late")
    forged, late = (row["callback_query"] for row in updates(bot)[-2:])
    assert (forged["data"], forged["from"]["id"]) == ("admin:all", BEN)
    assert late["message"]["date"] == 0


def test_an_old_press_can_not_be_answered(bot: Bot, people: TelegramUser) -> None:
    bot.call("sendMessage", chat_id=ANNA, text="x")
    press = people.press(ANNA, people.next_message(ANNA), "go")
    people.expire_presses()
    for query_id in (press, "77"):
        assert bot.refusal("answerCallbackQuery", callback_query_id=query_id) == (
            "query is too old and response timeout expired or query ID is invalid"
        )


# -- files -------------------------------------------------------------------------------------------


def test_files_are_kept_byte_for_byte(bot: Bot, people: TelegramUser) -> None:
    picture, table = png(3, 2), bytes(range(256)) * 40
    status, body = bot.upload(
        "sendPhoto", "abc", "p.png", picture, chat_id=ANNA, photo="attach://abc", caption="profit"
    )
    assert status == 200, body
    assert (body["result"]["photo"][0]["width"], body["result"]["photo"][0]["height"]) == (3, 2)
    status, body = bot.upload("sendDocument", "document", "books.csv", table, chat_id=ANNA)
    assert status == 200, body
    photo, document = people.next_message(ANNA), people.next_message(ANNA)
    assert (photo.text, people.file(photo.file_id)) == ("profit", picture)
    assert (document.file_name, people.file(document.file_id)) == ("books.csv", table)
    path = bot.call("getFile", file_id=document.file_id)["file_path"]
    assert bot.exchange("GET", f"/file/bot{bot.token}/{path}") == (200, table)
    again = bot.call("sendDocument", chat_id=ANNA, document=document.file_id, caption="again")
    assert again["document"]["file_name"] == "books.csv"


def test_a_caption_can_be_edited_and_has_its_own_limit(bot: Bot, people: TelegramUser) -> None:
    _, body = bot.upload("sendPhoto", "photo", "p.png", png(1, 1), chat_id=ANNA)
    where = {"chat_id": ANNA, "message_id": body["result"]["message_id"]}
    assert bot.call("editMessageCaption", caption="x" * 1024, **where)["caption"] == "x" * 1024
    assert (
        bot.refusal("editMessageCaption", caption="x" * 1025, **where)
        == "message caption is too long"
    )
    assert (
        bot.refusal("editMessageText", text="x", **where)
        == "there is no text in the message to edit"
    )
    assert "caption" not in bot.call("editMessageCaption", **where)
    assert [row.text for row in people.messages(ANNA)[-2:]] == ["x" * 1024, ""]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file must be non-empty"),
        (b"not a picture", "IMAGE_PROCESS_FAILED"),
        (png(21, 1), "PHOTO_INVALID_DIMENSIONS"),
        (
            b"\xff\xd8\xff\xe0" * 17 + b"x" * (10 << 20),
            f"file of size {(10 << 20) + 68} bytes is too big for a photo; the maximum size is 10485760 bytes",
        ),
    ],
)
def test_a_photo_that_is_none_is_refused(
    bot: Bot, people: TelegramUser, content: bytes, reason: str
) -> None:
    people.meet(ANNA)
    status, body = bot.upload("sendPhoto", "photo", "p.png", content, chat_id=ANNA)
    assert (status, body["description"]) == (400, f"Bad Request: {reason}")


def test_a_missing_file_is_refused(bot: Bot, people: TelegramUser) -> None:
    people.meet(ANNA)
    assert bot.refusal("sendPhoto", chat_id=ANNA) == "there is no photo in the request"
    assert bot.refusal("sendDocument", chat_id=ANNA, document="attach://none")
    assert bot.refusal("sendDocument", chat_id=ANNA, document="BAADwrong")
    assert bot.refusal("getFile", file_id="file_0") == "invalid file_id"


# -- commands and chats ------------------------------------------------------------------------------


def test_commands_belong_to_their_scope_and_language(bot: Bot, people: TelegramUser) -> None:
    people.meet(ANNA)
    commands = [{"command": "due", "description": "what needs me"}]
    mine = {"type": "chat", "chat_id": ANNA}
    bot.call("setMyCommands", commands=commands, scope=mine)
    assert bot.call("getMyCommands", scope=mine) == commands
    assert bot.call("getMyCommands") == []
    assert bot.call("getMyCommands", scope=mine, language_code="en") == []
    bot.call("deleteMyCommands", scope=mine)
    assert bot.call("getMyCommands", scope=mine) == []


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"commands": [{"command": "Due", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "a-b", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        (
            {"commands": [{"command": "a" * 33, "description": "x"}]},
            "command length must not exceed 32",
        ),
        (
            {"commands": [{"command": "a", "description": " "}]},
            "command description must be non-empty",
        ),
        (
            {"commands": [{"command": "a", "description": "x" * 257}]},
            "command description length must not exceed 256",
        ),
        (
            {"commands": [{"command": "a"}]},
            "can't parse BotCommand: Can't find field \"description\"",
        ),
        (
            {"commands": [{"command": f"a{n}", "description": "x"} for n in range(101)]},
            "BOT_COMMANDS_TOO_MUCH",
        ),
        (
            {"commands": [], "scope": {"type": "everybody"}},
            "can't parse BotCommandScope: Unsupported type specified",
        ),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 31_337}}, "chat not found"),
    ],
)
def test_commands_that_no_menu_shows_are_refused(bot: Bot, parameters: Json, reason: str) -> None:
    assert bot.refusal("setMyCommands", **parameters) == reason


def test_small_calls_answer(bot: Bot, people: TelegramUser) -> None:
    people.meet(ANNA, name="Anna")
    assert bot.call("getMe")["is_bot"] is True
    assert bot.call("getChat", chat_id=ANNA)["first_name"] == "Anna"
    assert bot.call("sendChatAction", chat_id=ANNA, action="upload_photo") is True
    assert bot.refusal("sendChatAction", chat_id=ANNA, action="dancing")


# -- limits and faults -------------------------------------------------------------------------------


def test_flood_limits_hold_once_switched_on() -> None:
    moment = [1_800_000_000.0]
    with Sandbox(7, now=lambda: moment[0]) as sandbox:
        bot = Bot(sandbox.telegram_url, sandbox.addresses.telegram_token)
        people = TelegramUser(bot.url, bot.token)
        for chat_id in (GROUP, *range(1, 40)):
            people.meet(BEN, chat_id=chat_id)
        bot.call("sendMessage", chat_id=1, text="no limit")
        bot.call("sendMessage", chat_id=1, text="yet")
        people.limit_flood()

        def sent(chat_id: int) -> tuple[int, Json]:
            return bot.raw("sendMessage", chat_id=chat_id, text="x")

        assert sent(1)[0] == 200
        assert sent(1) == (
            429,
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1},
            },
        )
        assert [sent(chat_id)[0] for chat_id in range(2, 33)] == [200] * 29 + [429] * 2
        for _ in range(20):
            moment[0] += 1
            assert sent(GROUP)[0] == 200
        moment[0] += 1
        status, body = sent(GROUP)
        assert (status, body["parameters"]["retry_after"]) == (429, 40)


@pytest.mark.parametrize(
    ("kind", "how", "status", "description"),
    [
        ("rate_limit", {"retry_after_s": 7}, 429, "Too Many Requests: retry after 7"),
        ("refusal", {"status": 401}, 401, "Unauthorized"),
        ("refusal", {"status": 403}, 403, "Forbidden: bot was blocked by the user"),
        ("refusal", {"status": 409}, 409, "Conflict: terminated by other getUpdates request"),
        ("refusal", {"status": 400, "text": "Bad Request: so"}, 400, "Bad Request: so"),
        ("refusal", {"status": 500}, 500, "Internal Server Error"),
    ],
)
def test_a_refusal_on_demand_comes_in_telegrams_form(
    bot: Bot, people: TelegramUser, *, kind: str, how: Json, status: int, description: str
) -> None:
    people.fault(kind, "sendMessage", count=1, **how)
    got, body = bot.raw("sendMessage", chat_id=ANNA, text="x")
    assert (got, body["error_code"]) == (status, status)
    assert body["description"].startswith(description)
    bot.call("getMe")
    bot.call("sendMessage", chat_id=ANNA, text="well again")
    assert people.next_message(ANNA).text == "well again"


def test_broken_answers_on_demand(bot: Bot, people: TelegramUser) -> None:
    path = f"/bot{bot.token}/sendMessage?chat_id={ANNA}&text="
    people.fault("html", "sendMessage", count=1, status=502)
    status, body = bot.exchange("GET", path + "never")
    assert status == 502
    assert body.startswith(b"<html>")
    people.fault("server_error", "sendMessage", count=1, status=503)
    assert bot.exchange("GET", path + "never") == (503, b"Internal Server Error")
    people.fault("disconnect", "sendMessage", count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        bot.exchange("GET", path + "never")
    people.fault("cut_body", "sendMessage", count=1)
    with pytest.raises(http.client.IncompleteRead):
        bot.exchange("GET", path + "half")
    people.fault("lost_reply", "sendMessage", count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        bot.exchange("GET", path + "lost")
    people.fault("slow", "sendMessage", count=1, delay_s=0.01)
    assert bot.exchange("GET", path + "late")[0] == 200
    assert [people.next_message(ANNA).text for _ in range(3)] == ["half", "lost", "late"]
    texts = [call.parameters["text"] for call in people.calls("sendMessage")[-6:]]
    assert texts == ["never", "never", "never", "half", "lost", "late"]


def test_updates_whose_poll_was_lost_come_again(bot: Bot, people: TelegramUser) -> None:
    update_id = people.say(ANNA, "lost once")
    people.fault("lost_reply", "getUpdates", count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        updates(bot)
    assert [row["update_id"] for row in updates(bot)] == [update_id]


def test_a_closed_port_refuses_and_keeps_what_it_knew(
    telegram: Sandbox, bot: Bot, people: TelegramUser
) -> None:
    people.say(ANNA, "before the cut")
    telegram.refuse("telegram")
    with pytest.raises(ConnectionRefusedError):
        bot.call("getMe")
    telegram.accept("telegram")
    assert updates(bot)[-1]["message"]["text"] == "before the cut"


def test_the_driver_says_what_it_waited_for_in_vain(bot: Bot, people: TelegramUser) -> None:
    bot.call("getMe")
    with pytest.raises(TimeoutError, match=rf"chat {ANNA} .*getMe"):
        people.next_message(ANNA, timeout_s=0.01)
    with pytest.raises(TimeoutError, match="press 77"):
        people.next_answer("77", timeout_s=0.01)
    with pytest.raises(TimeoutError, match="calls of sendMessage"):
        people.wait_for_calls("sendMessage", 10_000, timeout_s=0.01)


def test_the_token_is_in_no_counter(telegram: Sandbox, bot: Bot) -> None:
    bot.call("getMe")
    bot.exchange("GET", f"/bot{bot.token}/nothing")
    assert telegram.counters["telegram.getMe"] >= 1
    assert not any(bot.token in name for name in telegram.counters.snapshot())
