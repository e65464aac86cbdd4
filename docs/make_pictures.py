"""``make pictures``: the docs' pictures of the page, taken of the real page on the sandbox.

    python docs/make_pictures.py

Starts a daemon with simulated markets, fills the books with a few invented offers, and takes each
page with a headless Chromium, in light and in dark, and as a phone shows it.
"""

# ruff: noqa: E402, INP001 - run as a script, it must find the package beside it first

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright

from kos.domain.offers.catalogue import Bonus, Offer, Qualifying
from kos.domain.offers.facts import (
    Back,
    BetSettled,
    Credited,
    DepositSent,
    FloatSent,
    FreeBetPlaced,
    FreeBetSettled,
    Joined,
    Lay,
    LayMatched,
    MoneyFact,
    NewToken,
    OfferFact,
    Opened,
    QualifierPlaced,
    Result,
    Settlement,
    Triggered,
)
from kos.messages import FactRecorded, PutOffers, RecordFact
from kos.sandbox import Sandbox
from tests.system.conftest import MONTHLY_CREDITS, Daemon
from tests.web.conftest import ARGUMENTS, CHROMIUM
from tests.web.test_browser import address_of

PICTURES = ROOT / "docs" / "pictures"
SIZES = {"": (1440, 900), "-phone": (390, 844)}
WANTED = frozenset(
    {
        "opportunities-light.png",
        "opportunities-dark.png",
        "opportunities-light-phone.png",
        "detail-dark.png",
        "detail-light-phone.png",
        "offers-light.png",
        "books-light.png",
        "system-dark.png",
    }
)
"""What the docs show; all are taken, so that a fault of any is seen."""
_TIMEOUT_S = 30.0
_WAIT_MS = 2500
_START_S = 180.0


def offer(bookmaker: str, stake: int, face: int) -> Offer:
    """An invented offer; amounts in pounds."""
    return Offer(
        key=f"{bookmaker}-bet{stake}-get{face}",
        bookmaker=bookmaker,
        title=f"Bet £{stake}, get a £{face} free bet",
        deposit_min=stake * 100,
        is_credited_at_once=False,
        qualifying=Qualifying(min_stake=stake * 100, min_odds=Decimal("1.5")),
        bonuses=(Bonus(face=face * 100),),
    )


OFFERS = (
    offer("coral", 10, 10),
    offer("ladbrokes_uk", 5, 20),
    offer("williamhill", 10, 30),
    offer("skybet", 10, 30),
)


class Books:
    """Fills the daemon's books, one fact after the other."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._number = 0

    def offers(self) -> None:
        """The catalogue."""
        put = PutOffers(
            command_id="offers", by="pictures", occurred_at=datetime.now(UTC), offers=OFFERS
        )
        self._daemon.client().ask("ledger", put, _TIMEOUT_S)

    def say(
        self, days_ago: float, who: str, fact: OfferFact | MoneyFact, instance: str = ""
    ) -> None:
        """Record one fact."""
        self._number += 1
        answer = self._daemon.client().ask(
            "ledger",
            RecordFact(
                command_id=f"picture{self._number}",
                by="pictures",
                occurred_at=datetime.now(UTC) - timedelta(days=days_ago),
                participant=who,
                instance=instance,
                fact=fact,
            ),
            _TIMEOUT_S,
        )
        assert isinstance(answer, FactRecorded), answer  # noqa: S101 - a picture of nothing

    def qualify(self, days_ago: float, who: str, terms: Offer) -> str:
        """An offer up to its matched qualifying bet; the instance's name."""
        name, stake = terms.bookmaker, terms.qualifying.min_stake
        self.say(days_ago, who, DepositSent(offer=terms.key, amount=stake, is_instant=True), name)
        back = Back(bet="q", stake=stake, odds=Decimal("2.50"), selection="Leeds United")
        self.say(days_ago, who, QualifierPlaced(back=back), name)
        self.say(days_ago, who, LayMatched(lay=lay("ql", stake * 992 // 1000, "2.54")), name)
        return name

    def convert(self, days_ago: float, who: str, terms: Offer) -> None:
        """The same to the end, with a profit."""
        name = self.qualify(days_ago + 3, who, terms)
        self.settle(days_ago + 2, who, name, "q", "ql")
        self.say(days_ago + 2, who, Triggered(met_by="qualifier settled"), name)
        face = terms.bonuses[0].face
        token = NewToken(
            token="t1",  # noqa: S106 - a free bet
            face=face,
            expires_at=datetime.now(UTC) + timedelta(days=2),
        )
        self.say(days_ago + 1, who, Credited(tokens=(token,)), name)
        back = Back(bet="f", stake=face, odds=Decimal("5.0"), selection="Draw")
        self.say(days_ago + 1, who, FreeBetPlaced(back=back, token="t1"), name)  # noqa: S106
        self.say(days_ago + 1, who, LayMatched(lay=lay("fl", face * 77 // 100, "5.2")), name)
        settled = (
            Settlement(bet="f", result=Result.LOST),
            Settlement(bet="fl", result=Result.WON, commission=face * 77 // 100 * 2 // 100),
        )
        self.say(days_ago, who, FreeBetSettled(settled=settled), name)

    def settle(self, days_ago: float, who: str, instance: str, back: str, laid: str) -> None:
        """The bookmaker's side lost, the exchange's won."""
        for bet, result in ((back, Result.LOST), (laid, Result.WON)):
            settled = Settlement(bet=bet, result=result)
            self.say(days_ago, who, BetSettled(settled=settled), instance)


def lay(bet: str, stake: int, odds: str) -> Lay:
    """A matched lay."""
    return Lay(
        bet=bet,
        exchange="betfair",
        market="1.200000001",
        selection="Leeds United" if bet == "ql" else "Draw",
        stake=stake,
        odds=Decimal(odds),
        commission=Decimal("0.02"),
    )


def fill(books: Books) -> None:
    """Two people, four offers each in another place."""
    books.offers()
    for who, name, pounds in (("ann", "Ann", 900), ("ben", "Ben", 600)):
        books.say(40, who, Joined(name=name))
        books.say(40, who, Opened(amount=pounds * 100))
        first = OFFERS[0] if who == "ann" else OFFERS[1]
        books.say(
            39.5,
            who,
            DepositSent(offer=first.key, amount=first.deposit_min, is_instant=True),
            "float",
        )
        books.say(39, who, FloatSent(exchange="betfair", amount=30_000), "float")
    books.convert(20, "ann", OFFERS[1])
    books.convert(12, "ann", OFFERS[2])
    books.convert(6, "ben", OFFERS[2])
    books.qualify(0.4, "ann", OFFERS[3])
    books.qualify(0.1, "ben", OFFERS[0])


def shoot(page: Page, name: str) -> None:
    """A picture, kept where the docs show it."""
    taken = page.screenshot()
    if name in WANTED:
        (PICTURES / name).write_bytes(taken)


def take(browser: Browser, address: str) -> None:
    """Every page, in each theme and size."""
    for theme in ("light", "dark"):
        for ending, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name in ("opportunities", "offers", "books", "system"):
                page.goto(f"{address}/{name}")
                page.wait_for_timeout(_WAIT_MS)
                shoot(page, f"{name}-{theme}{ending}.png")
                if name == "opportunities":
                    page.locator(".event-name").first.click()
                    page.locator(".factors dt").first.wait_for()
                    shoot(page, f"detail-{theme}{ending}.png")
            context.close()


def main() -> None:
    """Take the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(seed=7, credits_a_month=MONTHLY_CREDITS, calls_a_second=100) as sandbox,
        sync_playwright() as playwright,
    ):
        daemon = Daemon(sandbox, Path(folder) / "state")
        try:
            daemon.until(daemon.has_betfair_prices, "opportunities against Betfair", _START_S)
            daemon.until(lambda: bool(address_of(daemon)), "the page's address", _START_S)
            fill(Books(daemon))
            browser = playwright.chromium.launch(
                executable_path=str(CHROMIUM), args=list(ARGUMENTS)
            )
            take(browser, address_of(daemon))
            browser.close()
        finally:
            daemon.stop()


if __name__ == "__main__":
    main()
