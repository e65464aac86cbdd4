"""What people and scripts rely on: commands, options, filters, facts, settings, log events, metrics.

Each page of the reference is agreed, so that no name, limit, default or unit changes by accident:
what changes on purpose stands in the CHANGELOG.
"""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from tests.agreed import AGREED, assert_agreed
from tests.docs.pages import ROOT

NAMES = ("commands", "terminal", "filters", "facts", "settings", "log-events", "metrics", "errors")


def pages() -> dict[str, Any]:
    """What makes each page, by its name."""
    made: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "reference_pages.py"))["PAGES"]
    return made


@pytest.mark.parametrize("name", NAMES)
def test_what_people_and_scripts_rely_on_is_as_agreed(name: str) -> None:
    assert_agreed(f"references/{name}.md", pages()[name]().rstrip("\n"))


def test_every_page_is_agreed_but_the_messages_between_our_own_processes() -> None:
    stored = {path.stem for path in (AGREED / "references").iterdir()}
    assert stored == set(NAMES) == pages().keys() - {"messages"}
