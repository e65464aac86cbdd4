"""The page in a real browser, on a real daemon with simulated markets."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from kos.domain.calculators import calculate
from kos.domain.offers.catalogue import Bonus, Offer, Qualifying
from kos.domain.offers.facts import (
    DepositSent,
    FloatSent,
    Joined,
    MoneyFact,
    OfferFact,
    Opened,
)
from kos.messages import CommandRecorded, FactRecorded, PutOffers, RecordFact
from kos.sandbox import Sandbox
from tests.system.conftest import MONTHLY_CREDITS, Daemon
from tests.web.markets import Market
from tests.web.served import Cast, serving

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(400),
]

START_S = 120.0
"""Two daemons may start at once on a small machine."""
OFFER = Offer(
    key="coral-bet10-get10",
    bookmaker="coral",
    title="Bet £10, get a £10 free bet",
    is_once_only=False,
    deposit_min=1000,
    qualifying=Qualifying(min_stake=1000, min_odds=Decimal("1.2")),
    bonuses=(Bonus(face=1000),),
)
FIGURES = ("lay_stake", "liability", "profit_if_back_wins", "profit_if_back_loses", "guaranteed")
"""Of a calculation, in the order in which the browser is asked for them."""
PAGES = ("/opportunities", "/offers", "/offers/ann/c1", "/offers/new", "/books", "/system")


@pytest.fixture(scope="module")
def daemon(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that answers, with one participant and one offer in its books."""
    assert browser.is_connected()  # without a browser no daemon is needed
    with Sandbox(
        seed=7, tempo=1e-9, credits_a_month=MONTHLY_CREDITS, calls_a_second=100
    ) as sandbox:
        running = Daemon(
            sandbox,
            tmp_path_factory.mktemp("page"),
            # A few sports are enough for a page, and spare the machine.
            KOS_ODDS_API__SPORTS="soccer_epl,soccer_efl_champ,soccer_spain_la_liga",
        )
        try:
            running.until(running.has_betfair_prices, "opportunities against Betfair", START_S)
            running.until(lambda: bool(address_of(running)), "the page's address", START_S)
            fill_the_books(running)
            yield running
        finally:
            running.stop()


def address_of(daemon: Daemon) -> str:
    """Where the page is, as the dashboard tells."""
    for actor in daemon.node("web").actors:
        if actor.name == "dashboard":
            return str(actor.pulse.get("address", "")).rstrip("/")
    return ""


def fill_the_books(daemon: Daemon) -> None:
    """Somebody takes part, and has begun an offer."""
    now = datetime.now(UTC)
    put = PutOffers(command_id="offers", by="test", occurred_at=now, offers=(OFFER,))
    assert isinstance(daemon.client().ask("ledger", put, 30.0), CommandRecorded)
    facts: tuple[tuple[str, OfferFact | MoneyFact], ...] = (
        ("", Joined(name="Ann")),
        ("", Opened(amount=50_000)),
        ("c1", DepositSent(offer=OFFER.key, amount=1000, is_instant=True)),
        ("c1", FloatSent(exchange="betfair", amount=20_000)),
    )
    for number, (instance, fact) in enumerate(facts):
        record = RecordFact(
            command_id=f"fact{number}",
            by="test",
            occurred_at=now,
            participant="ann",
            instance=instance,
            fact=fact,
        )
        assert isinstance(daemon.client().ask("ledger", record, 30.0), FactRecorded)


def first_row(page: Page) -> dict[str, str]:
    """The figures of the row on top, by column."""
    row = page.locator("#rows tr[data-id]").first
    expect(row).to_be_visible()
    found: dict[str, str] = row.evaluate(
        """row => Object.fromEntries([...row.children].map(cell =>
            [cell.className.split(" ").filter(Boolean).at(-1),
             (cell.querySelector(".odds, .event-name") ?? cell.firstChild ?? cell).textContent]))"""
    )
    return found


def lay_of(  # noqa: PLR0917 - the terms of a lay, in the order of the calculator
    stake: str, back: str, lay: str, commission: str, kind: str, refund: str = "", keeps: str = ""
) -> dict[str, str]:
    """What ``kos calc`` says."""
    inputs = {"back_stake": stake, "back_odds": back, "lay_odds": lay, "commission": commission}
    if refund:
        inputs |= {"refund_if_back_loses": refund, "retention": keeps}
    return {name: str(value) for name, value in calculate(kind, dict(inputs)).items()}


# --- every page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(
    page: Page, daemon: Daemon, theme: str
) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for path in PAGES:
        page.goto(address_of(daemon) + path)
        expect(page.locator("h1")).to_be_visible()
        if path == "/opportunities":
            expect(page.locator("#rows tr[data-id]").first).to_be_visible()
            assert not faults(page), path
            page.locator(".event-name").first.click()
            expect(page.locator(".factors dt").first).to_be_visible()
        if path == "/offers/ann/c1":
            page.locator(".fact > summary").first.click()
        assert not faults(page), path


def faults(page: Page) -> list[str]:
    """What axe finds that keeps anybody from using the page."""
    found = page.evaluate(
        """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations
            .filter(each => ["serious", "critical"].includes(each.impact))
            .map(each => each.id + ": " + each.nodes.map(node =>
                node.target + " " + node.failureSummary).join("; ")))"""
    )
    return [str(each) for each in found]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(page: Page, daemon: Daemon, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address_of(daemon) + path)
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_simulated_markets_are_named_on_the_page(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon))
    expect(page.get_by_text("SIMULATED MARKETS")).to_be_visible()


def test_the_theme_is_chosen_and_kept(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/system")
    html = page.locator("html")
    page.locator("#theme").click()
    expect(html).to_have_attribute("data-theme", "light")
    page.locator("#theme").click()
    expect(html).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")


# --- opportunities ---------------------------------------------------------------------------------


def test_filters_ask_the_engine_and_are_kept_in_the_address(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/opportunities")
    expect(page.locator("#rows tr[data-id]").first).to_be_visible()
    expect(page.locator("select[name=bookmaker] option[value=coral]")).to_be_attached()
    page.select_option("select[name=bookmaker]", "coral")
    expect(page).to_have_url(re.compile("bookmaker=coral"))
    expect(page.locator("#rows td.bookmaker").filter(has_not_text="Coral")).to_have_count(0)
    page.reload()
    expect(page.locator("#rows td.bookmaker").first).to_have_text("Coral")
    expect(page.locator("select[name=bookmaker]")).to_have_value("coral")
    page.get_by_role("radio", name="Free bet (SNR)").check()
    expect(page.locator("#heads .retention")).to_be_visible()


def test_the_form_follows_the_mode_and_says_why_it_is_refused(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/opportunities")
    page.fill("#stake", "£1,000")
    expect(page.locator("#stake-state")).to_have_attribute("data-state", "confirmed")
    order = page.locator("select[name=rank]")
    expect(order).to_have_value("seed")
    page.get_by_role("radio", name="Arbs").check()
    expect(order).to_have_value("rating")
    expect(page).to_have_url(re.compile(r"kind=arbs(?!.*rank=)"))
    page.get_by_role("radio", name="Free bet (SR)").check()
    expect(order).to_have_value("seed")
    page.locator("#more > summary").click()
    expect(page.get_by_label("Free bet you earn")).to_be_hidden()
    odds = page.get_by_label("Minimum back odds")
    odds.fill("1")
    trouble = page.locator("#trouble")
    expect(trouble).to_contain_text("Minimum back odds cannot be '1'.")
    page.reload()
    expect(trouble).to_contain_text("Minimum back odds cannot be '1'.")
    expect(odds).to_have_value("1")
    page.locator("#more > summary").click()
    expect(page.locator("#more-count")).to_have_text("1")
    page.get_by_role("button", name="Clear filters").click()
    expect(odds).to_have_value("")
    expect(trouble).to_be_hidden()


def test_rows_are_found_sorted_and_shown_in_chosen_columns(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/opportunities")
    expect(page.locator("#rows tr[data-id]").first).to_be_visible()
    head = page.locator("#heads .rating")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    ratings = page.locator("#rows td.rating").all_text_contents()
    figures = [float(text.rstrip("%")) for text in ratings]
    assert figures == sorted(figures, reverse=True)
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.locator("#columns > summary").click()
    page.get_by_label("Liability", exact=True).uncheck()
    expect(page.locator("#heads .liability")).to_have_count(0)
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#heads .rating")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("#heads .liability")).to_have_count(0)
    team = page.locator(".event-name").first.inner_text().partition(" v ")[0]
    page.fill("#find", team)
    expect(page.locator(".event-name").filter(has_not_text=team)).to_have_count(0)
    page.fill("#find", "no such team at all")
    expect(page.get_by_text("No results for that search")).to_be_visible()


def test_the_table_is_used_by_keys_alone(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/opportunities")
    expect(page.locator("#rows tr[data-id]").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#box").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(".event-name:focus")
    expect(active).to_be_visible()
    event = active.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text(event)
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).not_to_be_visible()
    expect(page.locator(".event-name:focus")).to_be_visible()


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Qualifying", "qualifying"),
        ("Free bet (SNR)", "free_bet_snr"),
        ("Free bet (SR)", "free_bet_sr"),
    ],
)
def test_the_stake_box_recomputes_at_once_and_the_engine_confirms(
    page: Page, daemon: Daemon, label: str, kind: str
) -> None:
    page.goto(address_of(daemon) + "/opportunities?bookmaker=coral&exchange=betfair")
    page.get_by_role("radio", name=label, exact=True).check()
    expect(page.locator("#stake-state")).to_have_attribute("data-state", "confirmed")
    commission = page.locator("#rows tr[data-id]")
    expect(commission.first).to_be_visible()
    for stake in ("25", "7.77", "1000"):
        page.fill("#stake", stake)
        expect(page.locator("#stake-state")).to_have_attribute("data-state", "confirmed")
        expect(page).to_have_url(re.compile(f"stake={stake}"))
        row = first_row(page)
        page.locator(".event-name").first.click()
        rate = page.locator(".calculator [name=commission]").input_value()
        said = lay_of(stake, row["back"], row["lay"], str(Decimal(rate) / 100), kind)
        expect(page.locator("[data-of=lay-stake]")).to_have_text(f"£{Decimal(said['lay_stake']):,}")
        expect(page.locator("[data-of=liability]")).to_have_text(f"£{Decimal(said['liability']):,}")
        page.keyboard.press("Escape")
    page.fill("#stake", "nonsense")
    expect(page.locator("#stake-state")).to_have_attribute("data-state", "invalid")


def test_the_browsers_arithmetic_is_that_of_kos_calc(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/opportunities")
    chance = random.Random(5)
    kinds = {
        "qualifying": "qualifying",
        "snr": "free_bet_snr",
        "sr": "free_bet_sr",
        "refund": "refund_if_loses",
    }
    cases = [
        (
            chance.choice(list(kinds)),
            f"{chance.randint(1, 200_000) / 100:.2f}",
            f"{chance.randint(101, 3000) / 100:.2f}",
            f"{chance.randint(102, 3000) / 100:.2f}",
            chance.choice(["0", "0.02", "0.05", "0.0325", "0.065"]),
            f"{chance.randint(1, 5000) / 100:.2f}",
            chance.choice(["1", "0.75", "0.8"]),
        )
        for _ in range(600)
    ]
    computed = page.evaluate(
        """cases => import("/static/money.js").then(({balance}) => cases.map(each => {
            const found = balance(...each);
            return [found.layStake, found.liability, found.ifWins, found.ifLoses, found.profit]
                .map(String);
        }))""",
        cases,
    )
    for case, figures in zip(cases, computed, strict=True):
        kind, stake, back, lay, commission, refund, keeps = case
        refund = refund if kind == "refund" else ""
        said = lay_of(stake, back, lay, commission, kinds[kind], refund, keeps)
        assert [Decimal(figure) / 100 for figure in figures] == [
            Decimal(said[name]) for name in FIGURES
        ]


def test_the_calculator_of_the_drawer_takes_other_prices(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/opportunities")
    page.locator(".event-name").first.click()
    for name, text in (("stake", "10"), ("back", "2.5"), ("lay", "2.54"), ("commission", "2")):
        page.fill(f".calculator [name={name}]", text)
    expect(page.locator("[data-of=lay-stake]")).to_have_text("£9.92")
    expect(page.locator("[data-of=liability]")).to_have_text("£15.28")
    expect(page.locator("[data-of=win]")).to_have_text("-£0.28")
    page.get_by_text("Reset to live prices").click()
    expect(page.get_by_text("Reset to live prices")).to_be_hidden()
    link = page.locator("[data-of=link] a")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert str(link.get_attribute("href")).startswith("https://")


def test_an_offer_is_started_from_an_opportunity(page: Page, daemon: Daemon) -> None:
    address = address_of(daemon)
    page.goto(address + "/opportunities?bookmaker=coral&min_odds=1.5")
    page.locator(".event-name").first.click()
    form = page.locator("form[data-start]")
    expect(form.locator("[name=participant]")).to_have_value("ann")
    expect(form.locator("[name=offer]")).to_have_value(OFFER.key)
    expect(form.locator("[name=stake]")).to_have_value("10.00")
    form.get_by_text("Start offer").click()
    page.locator(".done a").click()
    expect(page.locator("h1")).to_have_text(OFFER.title)
    expect(page.locator("[aria-current=step]")).to_contain_text("Qualifying bet placed")
    instance = page.locator("p code").inner_text()
    page.goto(address + "/offers")
    expect(page.locator(".phase").nth(1)).to_contain_text(instance)
    listed = json.loads(daemon.command("offers", "list", "--json").stdout)
    (line,) = [line for line in listed if line["instance"] == instance]
    assert (line["phase"], line["locked"]) == ("QUALIFYING_PLACED", 1000)
    lines = json.loads(daemon.command("books", "statement", "ann", "--json").stdout)
    assert {line["account"] for line in lines if line["instance"] == instance} >= {
        "bookmaker:cash",
        "bookmaker:staked",
    }


# --- offers, books, system ---------------------------------------------------------------------------


def test_a_fact_is_recorded_by_its_form_or_refused_in_words(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/offers/ann/c1")
    fact = page.locator("#fact-qualifier_placed")
    fact.locator("summary").first.click()
    fact.locator("[name='f.back.stake']").fill("5")
    fact.locator("[name='f.back.odds']").fill("6/4")
    fact.locator("button.primary").click()
    expect(page.locator("#fact-qualifier_placed .refusal")).to_contain_text("£10.00")
    expect(fact.locator("[name='f.back.odds']")).to_have_value("6/4")
    fact.locator("[name='f.back.stake']").fill("10")
    fact.locator("button.primary").click()
    expect(page.locator("[aria-current=step]")).to_contain_text("Qualifying bet placed")
    expect(page.locator(".story")).to_contain_text("Qualifying bet placed")
    expect(page.locator("#fact-deposit_cleared")).to_have_count(0)


def test_money_recorded_on_the_page_is_in_the_books(page: Page, daemon: Daemon) -> None:
    address = address_of(daemon)
    page.goto(address + "/books#record")
    for fact, fields in (("joined", {"name": "Bea"}), ("opened", {"amount": "120.50"})):
        form = page.locator(f"#fact-{fact}")
        form.locator("summary").click()
        if fact == "joined":
            form.locator("[name=participant]").fill("bea")
        else:
            form.locator("[name=participant]").select_option("bea")
        for name, text in fields.items():
            form.locator(f"[name='f.{name}']").fill(text)
        form.locator("button.primary").click()
        expect(page.locator(".fact[open]")).to_have_count(0)
    expect(page.locator("#balances")).to_contain_text("£120.50")
    with page.expect_download() as saved:
        page.get_by_text("Download CSV").click()
    text = saved.value.path().read_text("utf-8")
    assert text.splitlines()[0].startswith("transaction,when,who,account")
    assert ",bea,bank,,120.50," in text
    balances = json.loads(daemon.command("books", "show", "--json").stdout)
    assert any(
        line["participant"] == "bea" and line["balance"] == 12_050 for line in balances["balances"]
    )


def test_the_system_page_names_every_node_and_its_actors(page: Page, daemon: Daemon) -> None:
    page.goto(address_of(daemon) + "/system")
    tree = page.locator("#tree")
    for name in ("ledger", "engine", "exchange", "feeds", "web", "scorer", "dashboard"):
        expect(tree.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.locator("#feeds")).to_contain_text("Soccer EPL")
    expect(page.locator("#health")).to_contain_text("Credits left")


# --- what a daemon does not do on demand ----------------------------------------------------------------


def test_a_price_that_moves_is_shown_without_a_reload(page: Page) -> None:
    market = Market()
    with serving(Cast(scorer=market)) as server:
        page.goto(server.address + "opportunities")
        expect(page.locator("#rows td.back .odds").first).to_have_text("2.50")
        market.first_back = "2.60"
        expect(page.locator("#rows td.back .odds").first).to_have_text("2.60")
        market.size = 1
        expect(page.locator("#rows tr[data-id]")).to_have_count(1)
        page.goto("about:blank")


def test_a_stale_price_is_never_shown_as_fresh(page: Page) -> None:
    market = Market()
    market.seen_at = datetime.fromtimestamp(datetime.now(UTC).timestamp() - 86_400, UTC)
    with serving(Cast(scorer=market)) as server:
        page.goto(server.address + "opportunities")
        cell = page.locator("#rows td.back").first
        expect(cell).to_have_attribute("data-age", "stale")
        expect(cell).to_contain_text("stale, 1d")
        page.goto("about:blank")


def test_twenty_thousand_rows_are_a_few_in_the_document(page: Page) -> None:
    with serving(Cast(scorer=Market(size=20_000))) as server:
        page.goto(server.address + "opportunities")
        expect(page.locator("#grid")).to_have_attribute("aria-rowcount", "20001")
        expect(page.get_by_text("Home 00000 v Away 00000")).to_be_visible()
        assert page.locator("#rows tr").count() < 100
        page.locator("#box").focus()
        page.keyboard.press("End")
        expect(page.get_by_text("Home 19999 v Away 19999")).to_be_visible()
        assert page.locator("#rows tr").count() < 100
        page.locator("#heads .event button").click()
        page.locator("#heads .event button").click()
        page.locator("#box").focus()
        page.keyboard.press("Home")
        expect(page.locator(".event-name").first).to_have_text("Home 19999 v Away 19999")
        page.goto("about:blank")
