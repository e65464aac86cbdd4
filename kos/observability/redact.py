"""The one place that knows what a secret looks like.

Two nets, one behind the other: the very values of this installation's secrets, registered when
a process starts, in every spelling they may have on their way; and the shapes that secrets have
in URLs, headers and bodies, for those that were never registered (a proxy login from a redirect,
a session token of a moment ago).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"

_MIN_LITERAL = 4
"""Shorter values would mask ordinary text; settings refuse secrets this short."""

_MIN_USER = 8
"""A login's user name of this length is hidden by itself, too; a shorter one may be a word."""

_NAMES = (
    r"api_?key|app_?key|access_?token|auth_?token|session_?token|bot_?token|token|password"
    r"|passwd|pwd|secret|ssoid|username"
)

_SECRET_KEY = re.compile(
    rf"(?i)\A(?:{_NAMES}|session|cookie|set-cookie|x-authentication|x-application"
    r"|(?:proxy-)?authorization)\Z"
)
"""Names under which a secret is stored: the value of such a key is masked whatever it is."""

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # key=value in a query string or a form body
    (re.compile(rf"(?i)\b((?:{_NAMES}|key)=)[^&\s\"'<>#;,)]+"), r"\1" + MASK),
    # "key": "value" in JSON, and 'key': 'value' in a repr
    (
        re.compile(
            rf"(?i)([\"'](?:{_NAMES}|session|x-authentication|x-application"
            r"|(?:proxy-)?authorization)[\"']\s*:\s*)([\"'])(?:\\.|(?!\2).)*\2"
        ),
        r"\1\2" + MASK + r"\2",
    ),
    # headers
    (
        re.compile(
            r"(?i)\b((?:x-authentication|x-application|(?:proxy-)?authorization)\s*:\s*)\S.*"
        ),
        r"\1" + MASK,
    ),
    # an authorization without its header's name
    (re.compile(r"(?i)\b((?:basic|bearer)\s+)[A-Za-z0-9+/=_.~-]{16,}"), r"\1" + MASK),
    # user:password@host in any URL, up to the last @ before the path
    (re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s\"']*@"), r"\1" + MASK + "@"),
    # a Telegram bot token, alone or in a path, plain or as a URL spells it; its first part is
    # the bot's public id. No \b before it: it follows "bot" there.
    (re.compile(r"(?<!\d)(\d{5,12})(?::|%3[Aa])[A-Za-z0-9_-]{30,}"), r"\1:" + MASK),
)


class Redactor:
    """Replaces secrets in text by ``***``.

    Args:
        secrets: Literal values to hide, in every spelling of :func:`spellings`; those shorter
            than four characters are ignored, as hiding them would blank out ordinary text.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        literals = {
            form for value in secrets for form in spellings(value) if len(form) >= _MIN_LITERAL
        }
        # Longest first: a secret that contains another must vanish whole.
        ordered = sorted(literals, key=lambda text: (-len(text), text))
        self._literals = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The same text without secrets."""
        if self._literals is not None:
            text = self._literals.sub(MASK, text)
        for pattern, replacement in _SHAPES:
            text = pattern.sub(replacement, text)
        return text

    def fact(self, key: str, value: object) -> object:
        """The value of ``key`` without secrets: nothing of it where the key itself is one's name."""
        if _SECRET_KEY.match(key) and value not in (None, ""):
            return MASK
        return self.value(value)

    def value(self, value: object) -> object:
        """The same log value without secrets, looking into containers and exceptions."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case bytes():
                return self.text(value.decode("utf-8", "replace"))
            case dict():
                return {
                    self.text(str(key)): self.fact(str(key), item) for key, item in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self.value(item) for item in value]
            case _:
                return self.text(str(value))


def spellings(secret: str) -> Iterator[str]:
    """The forms in which ``secret`` may show: plain, as URLs, reprs and JSON spell it.

    Of an address with a login, so are the login's parts, and the two as a Basic authorization
    carries them.
    """
    yield from _spelled(secret)
    try:
        parts = urlsplit(secret)
        user, password = parts.username, parts.password
    except ValueError:
        return
    if not parts.scheme or not password:
        return
    yield from _spelled(password)
    yield from _spelled(unquote(password))
    if user and len(user) >= _MIN_USER:
        yield from _spelled(user)
        yield from _spelled(unquote(user))
    for pair in (f"{user}:{password}", f"{unquote(user or '')}:{unquote(password)}"):
        yield from _spelled(pair)
        code = base64.b64encode(pair.encode()).decode()
        yield from (code, code.rstrip("="))


def _spelled(text: str) -> Iterator[str]:
    yield text
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda match: match.group().lower(), quoted)
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
