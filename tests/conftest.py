"""A clean environment for every test, and what the suite shares."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.testing

import tests.profiles  # noqa: F401 - loads the hypothesis profile before any property test
from tests.telegram_world import TelegramWorld, running_world

# The tree of commands is the same for every line that is typed, and takes a fifth of a second to make.
typer.testing._get_command = functools.cache(typer.testing._get_command)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, secret or proxy of the machine reaches a test; state goes to a folder of its own."""
    for name in list(os.environ):
        if name.startswith(("KOS_", "CREDENTIALS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


LONG = (
    "tests/system/",
    "tests/web/test_browser.py",
    "tests/actors/",
    "tests/tools/",
    "tests/runtime/",
    "tests/adapters/telegram/",
    "tests/cli/",
    "tests/domain/opportunities/",
)
"""Folders of tests that take longest, longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the long files first, so that no worker ends the suite alone with one of them."""

    def place(item: pytest.Item) -> int:
        return next(
            (n for n, folder in enumerate(LONG) if item.nodeid.startswith(folder)), len(LONG)
        )

    items.sort(key=place)


WORLDS = ["sandbox", pytest.param("emulator", marks=pytest.mark.emulator)]
"""Where the bot's tests run: on the sandbox, and with ``-m emulator`` on what others wrote."""


@pytest.fixture(params=WORLDS)
def own_telegram_world(request: pytest.FixtureRequest) -> Iterator[TelegramWorld]:
    """A Telegram server for one test alone."""
    with running_world(request.param) as world:
        yield world


@pytest.fixture(scope="module", params=WORLDS)
def telegram_world(request: pytest.FixtureRequest) -> Iterator[TelegramWorld]:
    """A Telegram server for the bot: the sandbox's own, or with ``-m emulator`` one by other authors."""
    with running_world(request.param) as world:
        yield world
