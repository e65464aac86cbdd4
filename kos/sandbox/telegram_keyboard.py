"""Buttons under a message: what Telegram takes and what it refuses."""

from __future__ import annotations

from typing import Any, Final

from kos.sandbox.telegram_form import Form, bad
from kos.sandbox.telegram_text import check_url
from kos.sandbox.web import as_json

DATA_LIMIT: Final = 64
"""Bytes of UTF-8 that a button may carry."""
_BUTTON_LIMIT: Final = 100
_SIZE_LIMIT: Final = 10_240
_OTHER_KINDS: Final = (
    "callback_game", "copy_text", "login_url", "pay", "switch_inline_query", "switch_inline_query_chosen_chat",
    "switch_inline_query_current_chat", "web_app",
)  # fmt: skip

Keyboard = dict[str, Any]


def inline_keyboard(form: Form) -> Keyboard | None:
    """Gives the inline keyboard of a call, or None; a keyboard of another kind belongs to no message.

    Raises:
        Refusal: It is not one that Telegram would show.
    """
    markup = form.structure("reply_markup", "can't parse reply keyboard markup JSON object")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None
    if not isinstance(rows, list):
        raise bad('field "inline_keyboard" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    kept = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, kept)) > _BUTTON_LIMIT or len(as_json(kept)) > _SIZE_LIMIT:
        raise bad("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise bad("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    text, data = button.get("text"), button.get("callback_data")
    if text is None:
        raise bad("can't parse inline keyboard button: Can't find field \"text\"")
    if not isinstance(text, str):
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    if not text.strip():
        raise bad("inline keyboard button text must be non-empty")
    if button.get("url"):
        check_url(button["url"], "inline keyboard button")
    elif isinstance(data, str) and data:
        if len(data.encode("utf-8", "surrogatepass")) > DATA_LIMIT:
            raise bad("BUTTON_DATA_INVALID")
    elif not any(kind in button for kind in _OTHER_KINDS):
        raise bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    return {name: value for name, value in button.items() if value is not None}
