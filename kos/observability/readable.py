"""A log line for a person: time, level, where, what, then the facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_COLOURS = {"debug": "2", "warning": "33", "error": "31", "critical": "1;31"}
_APART = frozenset({"ts", "level", "event", "node", "actor", "pid", "incarnation"})
_BLOCKS = ("exception", "stack", "stacks")
"""Texts of several lines, which stand below the line."""


def readable(line: Mapping[str, Any], *, has_colour: bool) -> str:
    """The line as a person reads it. Nothing in it can move the terminal's cursor."""
    level = str(line.get("level", ""))
    where = str(line.get("actor") or line.get("node") or "")
    head = f"{_moment(str(line.get('ts', '')))} {level:<8} {where:<10} {line.get('event', '')}"
    facts = " ".join(
        f"{key}={_shown(value)}"
        for key, value in line.items()
        if key not in _APART and key not in _BLOCKS
    )
    blocks = "".join(
        "\n    " + _harmless(str(line[key])).strip().replace("\n", "\n    ")
        for key in _BLOCKS
        if line.get(key)
    )
    head = _harmless(head)
    if has_colour:
        head = f"\x1b[{_COLOURS.get(level, '0')}m{head}\x1b[0m"
        facts = f"\x1b[2m{facts}\x1b[0m" if facts else ""
    return f"{head}  {facts}{blocks}".rstrip()


def _moment(ts: str) -> str:
    """To the second, in UTC as it stands; what is no time is left as it is."""
    return ts[:19].replace("T", " ")


def _shown(value: object) -> str:
    """A fact in a form that ends where it ends: texts with blanks in quotes."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    if isinstance(value, str) and (not value or any(sign in value for sign in " \"'=\n\r\t\x1b")):
        return _harmless(json.dumps(value, ensure_ascii=False))
    return _harmless(text)


def _harmless(text: str) -> str:
    """Without signs that a terminal obeys, but for the end of a line."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text
    )
