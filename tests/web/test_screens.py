"""Every page as agreed: what a reader sees of it, and where its links and fields lead."""

from __future__ import annotations

import re

from tests.agreed import assert_agreed
from tests.desk.conftest import building  # noqa: F401 - a fixture
from tests.desk.offices import Building
from tests.desk.test_conversation import ANN, conversation
from tests.desk.test_offers import shop  # noqa: F401 - a fixture
from tests.desk.test_operations import works  # noqa: F401 - a fixture
from tests.web.served import Cast, call, serving

PAGES = (
    "/opportunities", "/opportunities?bookmaker=coral&stake=25", "/opportunities?kind=snr&stake=25",
    "/opportunities?kind=refund&refund=5", "/opportunities?stake=-1", "/opportunities?sport=epl",
    "/opportunities?bookmaker=nowhere", "/offers", "/offers/new", "/offers/ann/1", "/offers/ann/9",
    "/offers/start?offer=settle&participant=ann", "/offers/start", "/books",
    "/books?participant=ann&period=all", "/books?period=never", "/books?participant=someday", "/system",
    "/login", "/healthz", "/readyz", "/nowhere", "/books/statement.csv?participant=ann&period=all",
)  # fmt: skip
STORY = (
    "/start_offer ann settle amount=10 there=yes", "[Start offer]", "[Qualifying bet placed]", "5",
    "5/2", "Leeds & York <b>", "+3h", "[Record £5.00]", "[Lay matched]", "4.95", "3.6", "[2%]",
    "[Record £4.95]",
)  # fmt: skip

INVISIBLE = re.compile(r"<(script|style|svg)\b.*?</\1>|<!--.*?-->|<head>.*?</head>", re.DOTALL)
KEPT = re.compile(r'(href|action|name|value|placeholder|min|max|step|datetime|title)="([^"]*)"')
TAG = re.compile(r"<(/?)(\w+)([^>]*)>")
DRAWN = re.compile(
    r"[0-9a-f-]{32,36}|[\w-]{43}=?|\d{4}-\d\d-\d\dT\d\d:\d\d(?=>)|\d{3,}d( \d+h)?( \d+ min)?"
)
"""Tokens and keys, which are drawn, the time now, and how long ago the story was."""


def seen(html: str) -> str:
    """The text of a page, with its links and fields, without what is drawn or for the eye alone."""

    def tag(found: re.Match[str]) -> str:
        kept = " ".join(f"{name}={value}" for name, value in KEPT.findall(found[3]) if value)
        return f"\n<{found[2]} {kept}>" if kept and not found[1] else "\n"

    text = TAG.sub(tag, INVISIBLE.sub("", html))
    lines = (" ".join(line.split()) for line in DRAWN.sub("*", text).splitlines())
    return "\n".join(filter(None, lines))


def test_every_page_reads_as_agreed(shop: Building, works: Building) -> None:  # noqa: F811
    assert shop is works
    conversation(shop, ANN, STORY)
    cast = Cast(**{name.removeprefix("@"): peer for name, peer in shop.peers.items()})
    shown = []
    with serving(cast) as server:
        for path in PAGES:
            answered = call(server, path)
            shown.append(f"\n### {path} ({answered.status})\n{seen(answered.text)}")
    assert_agreed("pages.txt", "\n".join(shown))
