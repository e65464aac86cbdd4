"""Words that nothing shipped may say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT, name_of

_FORBIDDEN = {
    "a promise of earnings": re.compile(
        r"risk[ -]?free|without (?:any )?risk\b|no[- ]risk\b|can(?:no|')t lose money"
        r"|guaranteed (?:profits?|income|earnings?|winnings|returns?|money)(?!\w)"
        r"|(?:easy|sure|free) (?:money|profits?|income)\b",
        re.IGNORECASE,
    ),
    "a path of somebody's machine": re.compile(r"(?<![\w.-])/(?:work|Users/\w+)/"),
    "a package registry": re.compile(
        r"pypi\.org|pythonhosted\.org|registry\.npmjs|devpi|artifactory", re.IGNORECASE
    ),
    "something left to do": re.compile(r"\b(?:TODO|FIXME|XXX)\b"),
}
_FOLDERS = ("kos", "docs", "packaging", "benchmarks", "tests", ".ci")
_FILES = ("*.md", "*.cfg", "*.toml", "*.txt", "*.yml", "*.yaml", "Makefile", "Dockerfile", "*.in")
_UNREAD = {".png", ".pyc", ".woff2", ".gz", ".lock", ".db", ".pem", ".ico"}
_APART = {"node_modules", "__pycache__", "vendor"}


def _texts() -> Iterator[tuple[Path, str]]:
    files = [path for pattern in _FILES for path in ROOT.glob(pattern)]
    files += [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in sorted(files):
        is_apart = _APART & set(path.parts) or path.is_relative_to(Path(__file__).parent)
        if path.is_file() and path.suffix not in _UNREAD and not is_apart:
            yield path, path.read_text("utf-8", "replace")


def test_nothing_shipped_says_what_may_not_be_said() -> None:
    found = [
        f"{name_of(path)}:{text.count(chr(10), 0, each.start()) + 1}: {what}: {each.group()}"
        for path, text in _texts()
        for what, pattern in _FORBIDDEN.items()
        for each in pattern.finditer(text)
    ]
    assert found == []


def test_the_words_would_be_found() -> None:
    said = ("It is risk-free.", "a guaranteed income", "see /Users/ann/kos", "# TODO: later")
    assert [any(each.search(text) for each in _FORBIDDEN.values()) for text in said] == [True] * 4
