"""The pages for operators name only commands and options that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from kos.cli.app import app

PAGES = Path(__file__).resolve().parents[2] / "docs" / "operate"
NAMES = ("install", "configure", "service", "troubleshoot")


def commands_in(page: str) -> Iterator[list[str]]:
    """Every ``kos ...`` in a console block or between backticks, cut at a comment."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in lines:
        said = re.search(r"(?:^(?:[$#] )?|bin/|exec kos )kos ([a-z-][^#&|]*)", line)
        if said:
            yield said[1].split()


@pytest.fixture(scope="module")
def root() -> Any:
    return get_command(app)


@pytest.mark.parametrize("page", NAMES)
def test_every_command_on_the_page_exists(root: Any, page: str) -> None:
    found = list(commands_in(page))
    assert found
    for words in found:
        assert words[0].startswith("--") or words[0] in root.commands, words
        command = root
        for word in words:
            if word.startswith("--"):
                known = {name for each in command.params for name in each.opts}
                assert word in known, words
            else:
                command = getattr(command, "commands", {}).get(word, command)
