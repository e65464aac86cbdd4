"""Typed text as a command with its words; foreign text is tidied, never refused.

``/qualifier_coral stake=10 odds=2-5`` is a name, words in order and words by name. Put a word
with spaces in double quotes. Any text can be read: there are no errors here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import msgspec

from kos.errors import InvalidInput

MAX_TYPED = 4096
"""The maximum number of characters read from one message."""
MAX_WORDS = 100

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that are invisible or change the direction of the line."""
_JOINERS = frozenset("\u200c\u200d")
"""Parts of letters and emoji; they do not change the direction."""
_WORD = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+|"')
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
_ESCAPE = re.compile(r"\\(.)")
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,40})=(.*)", re.DOTALL)
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@[A-Za-z0-9_]+)?(?=\s|$)")


class Arguments(msgspec.Struct, frozen=True):
    """The words of a command, in order and by name."""

    plain: tuple[str, ...] = ()
    named: dict[str, str] = {}

    def first(self) -> str:
        """The first word in order; empty without one."""
        return self.plain[0] if self.plain else ""

    def rest(self, start: int = 1) -> Arguments:
        """The same without the first words in order."""
        return Arguments(self.plain[start:], self.named)

    def get(self, *names: str) -> str:
        """The value of the first of these names that was given; empty if none was."""
        return next((self.named[name] for name in names if name in self.named), "")

    def refuse_others(self, *names: str) -> None:
        """Refuse words with any other name.

        Raises:
            InvalidInput: There is one; lists those allowed.
        """
        for name, value in self.named.items():
            if name not in names:
                raise InvalidInput(
                    name, value, f"one of {', '.join(sorted(names))}" if names else "no options"
                )

    def text(self) -> str:
        """As it would be typed."""
        named = [f"{name}={quoted(value)}" for name, value in self.named.items()]
        return " ".join((*map(quoted, self.plain), *named))


class Typed(msgspec.Struct, frozen=True):
    """A command as typed."""

    name: str
    """Without the slash, lower case; empty for text that is no command."""
    words: Arguments
    text: str
    """The whole text, tidied."""


def read(text: str) -> Typed:
    """A command and its words, or plain text."""
    tidied = tidy(text, MAX_TYPED)
    command = _COMMAND.match(tidied)
    if command is None:
        return Typed("", Arguments(), tidied)
    return Typed(command[1].lower(), words_of(tidied[command.end() :]), tidied)


def words_of(text: str) -> Arguments:
    """The words of a text."""
    plain: list[str] = []
    named: dict[str, str] = {}
    for number, match in enumerate(_WORD.finditer(text)):
        if number >= MAX_WORDS:
            break
        word = match[0]
        pair = _NAMED.fullmatch(word)
        if pair is None:
            plain.append(_bare(word))
        else:
            named.setdefault(pair[1].lower(), _bare(pair[2]))
    return Arguments(tuple(word for word in plain if word), named)


def quoted(word: str) -> str:
    """A word as it can be typed, in quotes where it needs them."""
    if word and not re.search(r'[\s"\\=]', word):
        return word
    inner = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def tidy(text: str, most: int = 200) -> str:
    """Foreign text on one line, without hidden characters, cut to a length."""
    shown = "".join(
        " " if char.isspace() else char
        for char in text[: most * 4]
        if char.isspace() or char in _JOINERS or unicodedata.category(char) not in _HIDDEN
    )
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _bare(word: str) -> str:
    return _QUOTED.sub(lambda match: _ESCAPE.sub(r"\1", match[1]), word)


def one_of(field: str, text: str, choices: Iterable[str]) -> str:
    """One of the choices, in any case, or the only one that starts with the text.

    Raises:
        InvalidInput: It matches none of them, or several.
    """
    options = tuple(choices)
    wanted = text.strip().casefold()
    if wanted in options:
        return wanted
    begun = [option for option in options if wanted and option.startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    raise InvalidInput(field, text, f"one of {', '.join(options)}")
