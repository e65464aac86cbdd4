"""A real browser, headless, that tells on the page: no error, no request to anybody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
IS_REQUIRED = os.environ.get("KOS_REQUIRE_BROWSER") == "1"
"""Read here: the tests' clean environment has no such variable any more."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DEADLINE_MS = 60_000
AXE = Path(__file__).parents[1] / "data" / "axe" / "axe-4.14.1.min.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module, no longer: while Playwright's synchronous interface is open an
    event loop runs in this thread, and no other module's test could run one of its own.
    """
    if not CHROMIUM.exists():
        why = f"{CHROMIUM} is missing: apt-get install chromium"
        if IS_REQUIRED:
            pytest.fail(why)
        pytest.skip(why)
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield running
        running.close()


class Watched:
    """What a context's pages said and asked for."""

    def __init__(self, context: BrowserContext) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        context.on("console", lambda said: self._hear(said.type, said.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda asked: self.hosts.add(urlsplit(asked.url).hostname or ""))

    def _hear(self, kind: str, text: str) -> None:
        # A browser reports a refused question too: that is an answer, not a fault.
        if kind in {"error", "warning"} and "status of 400" not in text:
            self.errors.append(text)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile; at the end nothing may have gone wrong in it."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    made.set_default_timeout(DEADLINE_MS)
    made.add_init_script(path=str(AXE))
    watched = Watched(made)
    yield made
    made.close()
    assert not watched.errors
    assert watched.hosts <= {"127.0.0.1"}


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of it."""
    return context.new_page()
