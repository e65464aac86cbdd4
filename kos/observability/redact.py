"""The one place that knows what a secret looks like.

Two nets, one behind the other: the very values of this installation's secrets, registered when
a process starts, and the shapes that secrets have in URLs, headers and bodies, for those that
were never registered (a proxy login from a redirect, a session token of a moment ago).
"""

from __future__ import annotations

import re
from urllib.parse import quote

MASK = "***"

_MIN_LITERAL = 4
"""Shorter values would mask ordinary text; settings refuse secrets this short."""

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # key=value in a query string or a form body
    (
        re.compile(
            r"(?i)\b((?:api_?key|app_?key|access_?token|auth_?token|session_?token|token|password"
            r"|passwd|pwd|secret|ssoid|username)=)[^&\s\"'<>#;,)]+"
        ),
        r"\1" + MASK,
    ),
    # "key": "value" in JSON, and 'key': 'value' in a repr
    (
        re.compile(
            r"(?i)([\"'](?:api_?key|app_?key|session(?:_?token)?|token|password|secret|username"
            r"|x-authentication|x-application|authorization)[\"']\s*:\s*)([\"'])(?:\\.|(?!\2).)*\2"
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
    # user:password@host in any URL
    (re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@\"']+@"), r"\1" + MASK + "@"),
    # a Telegram bot token, alone or in a path
    (re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}"), MASK),
)


class Redactor:
    """Replaces secrets in text by ``***``.

    Args:
        secrets: Literal values to hide, in plain and URL-quoted form; those shorter than four
            characters are ignored, as hiding them would blank out ordinary text.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        literals = {
            form
            for value in secrets
            if len(value) >= _MIN_LITERAL
            for form in (value, quote(value, safe=""))
        }
        # Longest first: a secret that contains another must vanish whole.
        ordered = sorted(literals, key=len, reverse=True)
        self._literals = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The same text without secrets."""
        if self._literals is not None:
            text = self._literals.sub(MASK, text)
        for pattern, replacement in _SHAPES:
            text = pattern.sub(replacement, text)
        return text

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
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(item) for item in value]
            case _:
                return self.text(str(value))
