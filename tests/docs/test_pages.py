"""What README and docs name is there: links, pictures, commands, options, settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from kos.cli.app import app
from kos.config.described import rows as setting_rows
from kos.config.settings import tables
from kos.desk.table import TABLE
from kos.domain.calculators import KINDS
from kos.observability.vocabulary import EVENTS
from tests.docs.pages import PAGES, ROOT, blocks_of, inline_of, kos_commands, name_of, prose_of

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_GENERATED = re.compile(r'^    "([a-z-]+)": [a-z_]+_page,$', re.MULTILINE)
_SETTING = re.compile(r"([a-z_]+)\.([a-z_]+)")
_VARIABLE = re.compile(r"KOS_[A-Z_]+__[A-Z_]+")
_TABLE = re.compile(r"\[([a-z_]+)\]( [a-z_]+)?")
_DESK_PAGES = ("chat.md", "telegram.md", "alerts.md")
_TERMINAL: Any = typer.main.get_command(app)

pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


@pages
def test_every_link_and_picture_leads_to_a_file(page: Path) -> None:
    made = (ROOT / "docs" / "reference_pages.py").read_text("utf-8")
    generated = {ROOT / "docs" / "reference" / f"{name}.md" for name in _GENERATED.findall(made)}
    assert generated
    links = _LINK.findall(prose_of(page.read_text("utf-8")))
    targets = [link.partition("#")[0] for link in links if "://" not in link]
    files = [(page.parent / target).resolve() for target in targets if target]
    lost = [str(file) for file in files if not file.is_file() and file not in generated]
    assert lost == []


@pages
def test_every_command_and_option_of_the_terminal_exists(page: Path) -> None:
    wrong = [
        f"kos {' '.join(words)}: {fault}"
        for words in kos_commands(page.read_text("utf-8"))
        for fault in _faults(words)
    ]
    assert wrong == []


def test_commands_named_in_the_program_itself_exist() -> None:
    wrong = [
        f"{name_of(source)}: kos {' '.join(words)}: {fault}"
        for source in sorted((ROOT / "kos").rglob("*.py"))
        for words in kos_commands("\n".join(_quoted(source.read_text("utf-8"))))
        for fault in _faults(words)
    ]
    assert wrong == []


def _quoted(source: str) -> Iterator[str]:
    """What a source has between backticks, single or double, on one line."""
    for line in source.splitlines():
        yield from (f"`{found}`" for found in re.findall(r"`+(kos [^`{]+)`+", line))


def test_a_wrong_command_would_be_found() -> None:
    text = """
Type `kos nothing`, `kos books --nothing` or, as `kos`:
```
$ sudo -u kos /opt/kos/bin/kos status --nothing    # kos comment
$ kos calc qualifying --nothing 2 | kos logs -
```
"""
    found = [fault for words in kos_commands(text) for fault in _faults(words)]
    assert len(found) == 4, found


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name_of
)
def test_every_setting_named_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    variables = {row.variable for row in setting_rows()}
    wrong = [name for name in _VARIABLE.findall(text) if name not in variables]
    for block in blocks_of(text):
        if re.search(r"^\s*\[[a-z_]+\]\s*$", block, re.MULTILINE):
            wrong += _unknown_settings(tomllib.loads(block))
    events = set(EVENTS)
    for code in inline_of(text):
        found = _SETTING.fullmatch(code)
        if found and code not in events and found[1] in tables() and found[2] not in {"json", "py"}:
            wrong += _unknown_settings({found[1]: {found[2]: ""}})
        named = _TABLE.match(code)
        if named:
            wrong += _unknown_settings({named[1]: {named[2].strip(): ""} if named[2] else {}})
    assert wrong == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name in _DESK_PAGES], ids=name_of)
def test_every_command_of_the_desk_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    names = {each.name for each in TABLE}
    families = tuple(f"{each.name}_" for each in TABLE if each.is_family)
    lines = [line.strip() for block in blocks_of(text) for line in block.splitlines()]
    typed = [
        line.split()[0].strip("/")
        for line in (*inline_of(text), *lines)
        if line.startswith("/") and "/" not in line.split()[0][1:]
    ]
    assert typed
    assert [name for name in typed if name not in names and not name.startswith(families)] == []


def _faults(words: list[str]) -> Iterator[str]:
    """What is wrong with the words after ``kos``."""
    command = _TERMINAL
    rest = [word.strip("[],.") for word in words]
    path: list[str] = []
    while subs := getattr(command, "commands", None):
        if not rest or rest[0].startswith(("-", "...")) or rest[0].isupper():
            break
        if rest[0] not in subs:
            yield f"no command {rest[0]}"
            return
        path.append(rest[0])
        command = subs[rest.pop(0)]
    known = {"--help"} | {
        name for param in command.params for name in (*param.opts, *param.secondary_opts)
    }
    if path == ["calc"] and rest and rest[0] in KINDS:
        inputs = KINDS[rest[0]].inputs
        known |= {f"--{name.replace('_', '-')}" for name in inputs}
    for word in rest:
        name = word.partition("=")[0]
        if re.match(r"--?[a-zA-Z]", name) and name not in known:
            yield f"no option {name}"


def _unknown_settings(said: dict[str, Any]) -> list[str]:
    wrong = []
    for table, values in said.items():
        kind = tables().get(table)
        if kind is None:
            wrong.append(f"[{table}]")
            continue
        known = {field.name for field in msgspec.structs.fields(kind)}
        wrong += [
            f"{table}.{name}"
            for name in values
            if name not in known and name.removesuffix("_file") not in known
        ]
    return wrong
