"""The pages that ship, and what they say in code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(
    sorted(
        [
            *(
                ROOT / name
                for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
            ),
            *(ROOT / "docs").rglob("*.md"),
        ]
    )
)

_FENCE = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4}[^\n]*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")
_COMMENT = re.compile(r"\s+# .*")
_PARTS = re.compile(r"\|\||&&|[|;]")


def name_of(page: Path) -> str:
    """How a failed test names it."""
    return page.relative_to(ROOT).as_posix()


def prose_of(text: str) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", text)


def blocks_of(text: str) -> list[str]:
    """The blocks of code of a page."""
    return [found.group(2) for found in _FENCE.finditer(text)] + [
        found.group() for found in _INDENTED.finditer(prose_of(text))
    ]


def inline_of(text: str) -> list[str]:
    """The code within the sentences of a page, each on one line."""
    return [" ".join(found.split()) for found in _INLINE.findall(prose_of(text))]


def lines_of(text: str) -> Iterator[str]:
    """Every line of code, without its prompt and its comment; continued lines are joined."""
    for block in blocks_of(text):
        joined = block.replace("\\\n", " ")
        for line in joined.splitlines():
            yield _COMMENT.sub("", line.strip().removeprefix("$ ").removeprefix("# "))
    yield from inline_of(text)


def kos_commands(text: str) -> Iterator[list[str]]:
    """The words after ``kos`` of every call of it, such as ``["config", "check"]``."""
    for line in lines_of(text):
        for part in _PARTS.split(line):
            try:
                words = shlex.split(part)
            except ValueError:  # a quotation mark of prose
                words = part.split()
            for place, word in enumerate(words[:-1]):
                is_command = word == "kos" or word.endswith("/bin/kos")
                is_user = place > 0 and words[place - 1] in {"-u", "exec"}
                if is_command and not is_user:
                    yield words[place + 1 :]
                    break
