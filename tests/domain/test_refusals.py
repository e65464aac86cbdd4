# ruff: noqa: S106 - a token is a free bet here, no password
"""Every refusal of offers, books and what is read into them: what is told, and what it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import msgspec
import pytest

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books import double_entry
from kos.domain.books.double_entry import Account, AccountKind, Posting, UnbalancedEntry
from kos.domain.market.places import PLACE_NAMES
from kos.domain.money import read_pence
from kos.domain.offers import (
    catalogue,
    crediting,
    due,
    ending,
    facts,
    life,
    past_bets,
    placing,
    portfolio,
    settling,
    state,
    table,
    transit,
    turn,
    typed_facts,
)
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer, Qualifying, Trigger
from kos.domain.offers.state import Phase
from kos.errors import CommandNotAllowed, InvalidInput, KosError
from tests.agreed import assert_agreed
from tests.domain.offers.offer_stories import Telling
from tests.domain.offers.one_offer import (
    CORAL,
    NOON,
    WEEK,
    Story,
    back,
    lay,
    refund,
    settled,
    token,
)
from tests.refusals import noting_refusals, refusals_in

HOUR = timedelta(hours=1)
KEYS = re.compile(
    rf"(?<![\w-])({'|'.join([*Phase.__members__, *AccountKind.__members__, *sorted(PLACE_NAMES)])})(?![\w-])"
    r"|\bpnl:|\bbookmaker:|Decimal\(|\d\dT\d\d:"
)
"""What a program calls phases, accounts, places, amounts and times."""
STRICT = msgspec.structs.replace(
    CORAL,
    qualifying=Qualifying(
        min_stake=1000,
        min_odds=Decimal("1.5"),
        is_inclusive=False,
        min_legs=3,
        sports=("soccer", "tennis"),
        markets=("h2h",),
        within_days=7,
    ),
    ends_at=NOON + 2 * WEEK,
)
WIN = msgspec.structs.replace(refund(), trigger=Trigger.WIN)
EVENT = msgspec.structs.replace(refund(), trigger=Trigger.EVENT, trigger_event="a goal")
INSTANT = msgspec.structs.replace(
    CORAL, trigger=Trigger.PLACEMENT, is_credited_at_once=True, key="instant"
)
VOID_QUALIFIER = settled("q", f.Result.VOID)


class Row(msgspec.Struct, frozen=True):
    """A story so far, the fact told next, and the words that its refusal must have."""

    stage: str
    """Where the story stands: a method of :class:`Story`, or ``joined`` or empty for less."""
    fact: f.Fact
    says: tuple[str, ...]
    before: tuple[f.Fact | Telling, ...] = ()
    """Facts after the stage: an offer's own go to ``c1``."""
    instance: str | None = None
    """None: ``c1`` for an offer's fact, none for money's own."""
    at: datetime = NOON
    role: f.Role = f.Role.OPERATOR
    offer: Offer = CORAL

    def story(self) -> Story:
        story = Story(self.offer)
        if self.stage == "joined":
            story.tell(f.Joined(name="Ann"), "")
            story.tell(f.Opened(amount=10_000), "")
        elif self.stage:
            getattr(story, self.stage)()
        for fact in self.before:
            one = fact if isinstance(fact, Telling) else Telling(home_of(fact), fact, NOON)
            story.tell(one.fact, one.instance, one.at, one.role)
        return story

    def tell(self) -> None:
        instance = home_of(self.fact) if self.instance is None else self.instance
        self.story().tell(self.fact, instance, self.at, self.role)


def home_of(fact: f.Fact) -> str:
    return "c1" if f.name_of(fact) in f.OFFER_FACTS else ""


def own(fact: f.Fact) -> Telling:
    return Telling("", fact, NOON)


def placed(**terms: object) -> f.QualifierPlaced:
    """A qualifying bet that fits :data:`STRICT`, but for the terms given."""
    fits = {"odds": "1.6", "legs": 3, "sport": "soccer", "market": "h2h"} | terms
    odds = Decimal(str(fits.pop("odds")))
    fits.setdefault("stake", 1000)
    return f.QualifierPlaced(back=msgspec.convert({"bet": "q", "odds": odds} | fits, f.Back))


def new_lay(**terms: object) -> f.Lay:
    return msgspec.structs.replace(lay("ql", "m1", 992, "2.54"), **terms)


def settlement(bet: str, result: f.Result, **terms: int) -> f.BetSettled:
    return f.BetSettled(settled=f.Settlement(bet=bet, result=result, **terms))


def two_tokens(*, more_due: bool = False) -> tuple[f.Fact, ...]:
    """The qualifier of :meth:`Story.qualified` lost, and two tokens credited for it."""
    return (
        settled("q", f.Result.LOST),
        settled("ql", f.Result.WON),
        f.Triggered(met_by="settled"),
        f.Credited(tokens=(token("t1"), token("t2")), more_due=more_due),
    )


def held(hold: str = "h", amount: int = 100, until: datetime = NOON + HOUR) -> f.FloatHeld:
    return f.FloatHeld(hold=hold, exchange="betfair", amount=amount, expires_at=until)


def past(**fields: object) -> f.PastBetImported:
    return msgspec.convert(
        {"reference": "r", "venue": "coral", "profit": 5} | fields, f.PastBetImported
    )


def deposit(amount: int = 1000, offer: Offer | None = CORAL, key: str = CORAL.key) -> f.DepositSent:
    return f.DepositSent(offer=key, amount=amount, terms=offer)


LINES = (
    Posting(Account(AccountKind.BANK), 5),
    Posting(Account(AccountKind.OPENING), -5),
)
REVERSED = f.EntryReversed(transaction=1, reason="twice", postings=LINES)
BOSS = f.Role.SUPERVISOR
ABANDON_ALL = f.Abandoned(reason="enough")

BEGINNING = [
    Row("", deposit(), ("joined",)),
    Row("joined", f.Credited(tokens=()), ("c1", "deposit_sent")),
    Row("joined", deposit(offer=None), (CORAL.key,)),
    Row("joined", deposit(key="another"), ("another",)),
    Row("joined", deposit(offer=STRICT), (CORAL.key, "until Mon 7 Dec, 12:00"), at=NOON + 2 * WEEK),
    Row("joined", deposit(999), ("£10.00", "£9.99")),
    Row("joined", deposit(-1, msgspec.structs.replace(CORAL, deposit_min=-5)), ("-£0.01",)),
    Row("joined", deposit(), ("resumed",), before=(f.Paused(),)),
    Row(
        "joined",
        deposit(),
        ("Coral", "gubbed"),
        before=(f.BookmakerRestricted(bookmaker="coral", reason="gubbed"),),
    ),
    Row("begun", deposit(), (CORAL.key, "c1"), instance="c2"),
    Row("begun", f.Credited(tokens=(token("t"),)), ("deposit sent", "credited")),
    Row(
        "begun",
        f.Reopened(reason="wrong"),
        ("supervisor", "reopened"),
        before=(ABANDON_ALL,),
    ),
    Row("credited", f.CashAdvanced(token="t1"), ("cash_advanced",)),
]

ON_THE_WAY = [
    Row(
        "begun",
        f.DepositCleared(amount=1),
        ("£0.00", "£0.01", "Coral"),
        before=(f.MoneySent(place=f.Place.BOOKMAKER, venue="coral", amount=100, is_instant=False),),
    ),
    Row("begun", f.DepositCleared(amount=0), ("£0.00", "£0.01")),
    Row("begun", f.DepositFailed(amount=-5), ("-£0.05",)),
    Row("begun", f.DepositFailed(amount=5), ("£0.05", "Coral")),
    Row("begun", f.FloatSent(exchange="betfair", amount=0), ("£0.01",)),
    Row("begun", f.FloatSent(exchange="betfair", amount=3001), ("£30.00", "£0.01", "bank")),
]
AT_THE_END: tuple[f.Fact, ...] = (
    settled("b", f.Result.WON),
    f.FreeBetSettled(settled=(f.Settlement(bet="bl", result=f.Result.LOST),)),
)
GOING_HOME = [
    Row(
        "converted",
        f.WithdrawalRequested(venue="coral", amount=0),
        ("£0.01",),
        AT_THE_END,
        instance="c1",
    ),
    Row(
        "converted",
        f.WithdrawalArrived(arrivals=()),
        ("withdrawal_arrived",),
        AT_THE_END,
        instance="c1",
    ),
    Row(
        "converted",
        f.WithdrawalArrived(arrivals=(f.Arrival(venue="coral", amount=-3),)),
        ("-£0.03",),
        AT_THE_END,
        instance="c1",
    ),
    Row(
        "converted",
        f.WithdrawalReversed(venue="coral", amount=0),
        ("£0.01",),
        AT_THE_END,
        instance="c1",
    ),
    Row(
        "converted",
        f.WithdrawalReversed(venue="coral", amount=7),
        ("£0.07", "Coral"),
        AT_THE_END,
        instance="c1",
    ),
]

PLACING = [
    Row("begun", placed(stake=999), ("£9.99", "£10.00"), offer=STRICT),
    Row("begun", placed(odds="1.5"), ("1.5",), offer=STRICT),
    Row("begun", placed(odds="1.4"), ("1.4", "1.5")),
    Row("begun", placed(odds="1"), ("1", "odds")),
    Row("begun", placed(odds="NaN"), ("NaN",)),
    Row("begun", placed(legs=2), ("2", "3", "legs"), offer=STRICT),
    Row("begun", placed(sport="golf"), ("golf", "soccer", "tennis"), offer=STRICT),
    Row("begun", placed(market="totals"), ("totals", "h2h"), offer=STRICT),
    Row(
        "begun",
        placed(),
        ("Mon 30 Nov, 13:00", "until Mon 30 Nov, 12:00"),
        offer=STRICT,
        at=NOON + WEEK + HOUR,
    ),
    Row("begun", placed(placed_at=NOON + 2 * WEEK), ("placed", "until"), offer=STRICT),
    Row("begun", placed(stake=0), ("£0.00", "£0.01")),
    Row("begun", placed(bookmaker="sky"), ("Sky", "Coral")),
    Row("begun", placed(bet=""), ("ID",)),
    Row("qualified", f.HedgeAdded(lay=new_lay()), ("ql", "already")),
    Row("begun", placed(stake=1001), ("£10.00", "£0.01", "Coral")),
    Row(
        "begun",
        f.QualifierPlaced(back=back("q"), planned=(f.Planned(exchange="betfair", liability=0),)),
        ("£0.01",),
    ),
    Row("begun", f.QualifierPlaced(back=back("q"), hold="h"), ("'h'",)),
    Row(
        "credited",
        f.FreeBetPlaced(back=back("b", odds="6")),
        ("t1", "expired"),
        at=NOON + WEEK,
    ),
    Row("credited", f.FreeBetPlaced(back=back("b", 1001, "6")), ("t1", "£10.00", "£10.01")),
    Row("credited", f.FreeBetPlaced(back=back("b", odds="6"), token="t9"), ("t9", "t1")),
    Row(
        "qualified",
        f.FreeBetPlaced(back=back("b", odds="6")),
        ("t1", "t2"),
        before=two_tokens(),
    ),
    Row(
        "qualified",
        f.FreeBetPlaced(back=back("b", odds="1.99")),
        ("1.99", "2"),
        before=(
            *two_tokens()[:-1],
            f.Credited(tokens=(msgspec.structs.replace(token("t"), min_odds=Decimal(2)),)),
        ),
    ),
    Row("qualified", f.LayMatched(lay=new_lay(bet="x", covers="b")), ("x", "b", "q")),
    Row(
        "converted",
        f.LayMatched(lay=new_lay(bet="x", covers="q")),
        ("x", "q", "b"),
    ),
    Row(
        "qualified",
        f.LayMatched(lay=new_lay(bet="x")),
        ("x", "b1", "b2"),
        before=(
            *two_tokens(),
            f.FreeBetPlaced(back=back("b1", odds="6"), token="t1"),
            f.FreeBetPlaced(back=back("b2", odds="6"), token="t2"),
        ),
    ),
    Row("qualified", f.LayMatched(lay=new_lay(stake=0)), ("£0.01",)),
    Row("qualified", f.LayMatched(lay=new_lay(odds=Decimal(1))), ("1", "odds")),
    Row("qualified", f.LayMatched(lay=new_lay(commission=Decimal(1))), ("1", "0.02")),
    Row("qualified", f.LayMatched(lay=new_lay(commission=Decimal("-0.02"))), ("-0.02",)),
    Row("qualified", f.LayMatched(lay=new_lay(bet="")), ("selection",)),
    Row("qualified", f.LayMatched(lay=new_lay(market="")), ("selection",)),
    Row("qualified", f.LayMatched(lay=new_lay(exchange="")), ("selection",)),
    Row("qualified", f.LayMatched(lay=new_lay(selection="")), ("selection",)),
    Row("qualified", f.LayMatched(lay=new_lay(selection="York")), ("ql", "Leeds", "Betfair")),
    Row("qualified", f.LayMatched(lay=new_lay(market="m2")), ("ql", "Leeds", "Betfair")),
    Row("qualified", f.LayMatched(lay=new_lay(side=ExchangeSide.BACK)), ("ql", "lay")),
    Row("qualified", f.LayMatched(lay=new_lay(exchange="smarkets")), ("ql", "Betfair")),
    Row("qualified", f.LayMatched(lay=new_lay(bet="q")), ("q", "Coral")),
    Row(
        "qualified",
        f.LayMatched(lay=new_lay()),
        ("ql", "settled"),
        before=(settlement("ql", f.Result.WON, part=500),),
    ),
    Row("qualified", f.LayCancelled(bet="ql", exchange="betfair", released=1), ("£0.00", "£0.01")),
    Row(
        "begun",
        f.LayCancelled(bet="ql", exchange="betfair", released=-1),
        ("£7.00", "-£0.01"),
        before=(
            f.QualifierPlaced(
                back=back("q"), planned=(f.Planned(exchange="betfair", liability=700),)
            ),
        ),
    ),
    Row(
        "begun",
        f.LayMatched(lay=new_lay(stake=4000)),
        ("Betfair", "£1.60"),
        before=(f.QualifierPlaced(back=back("q")),),
    ),
    Row(
        "qualified",
        f.WithdrawalRequested(venue="betfair", amount=4472),
        ("Betfair", "£1.00"),
        before=(held(),),
        instance="",
    ),
]

SETTLING = [
    Row("qualified", settled("zz", f.Result.WON), ("'zz'", "q, ql")),
    Row(
        "qualified",
        settled("q", f.Result.WON),
        ("q", "lost"),
        before=(settled("q", f.Result.LOST),),
    ),
    Row("qualified", settlement("q", f.Result.WON, part=1001), ("£10.00", "£10.01")),
    Row("qualified", settlement("q", f.Result.WON, part=0), ("£10.00", "£0.00")),
    Row("qualified", settlement("ql", f.Result.WON, part=-5), ("£9.92", "-£0.05")),
    Row("qualified", settlement("q", f.Result.WON, commission=5), ("q", "commission")),
    Row("qualified", settled("q", f.Result.PARTIAL), ("q", "partial")),
    Row("qualified", settled("q", f.Result.CASHED_OUT, -1), ("q", "cashed_out")),
    Row("qualified", settled("ql", f.Result.CASHED_OUT), ("ql", "cashed_out")),
    Row("qualified", settled("q", f.Result.WON, 2506), ("£25.00", "£25.06", "partial")),
    Row("qualified", settled("ql", f.Result.WON, 986), ("£9.92", "£9.86")),
    Row("qualified", settled("ql", f.Result.LOST, 1522), ("£15.28", "£15.22")),
    Row("qualified", settled("q", f.Result.LOST, 1), ("£0.00", "£0.01")),
    Row("qualified", settled("q", f.Result.VOID, 999), ("£10.00", "£9.99")),
    Row("qualified", settled("ql", f.Result.VOID, 1), ("£0.00", "£0.01")),
    Row("converted", settled("b", f.Result.VOID, 1), ("£0.00", "£0.01")),
    Row("converted", f.EarlyPayout(bet="bl"), ("bl",)),
    Row(
        "qualified",
        f.CommissionCharged(exchange="betfair", amount=0),
        ("£0.01",),
        instance="c1",
    ),
    Row("qualified", settlement("ql", f.Result.WON, commission=-2), ("-£0.02",)),
]

CREDITING = [
    Row("qualified", f.Triggered(met_by="hope"), ("q", "bet_settled")),
    Row(
        "begun",
        f.Triggered(met_by="hope"),
        ("loss", "won", "not_triggered"),
        before=(f.QualifierPlaced(back=back("q")), settled("q", f.Result.WON)),
        offer=refund(),
    ),
    Row(
        "begun",
        f.Triggered(met_by="hope"),
        ("win", "lost", "not_triggered"),
        before=(f.QualifierPlaced(back=back("q")), settled("q", f.Result.LOST)),
        offer=WIN,
    ),
    Row(
        "qualified",
        f.Triggered(met_by="hope"),
        ("q", "qualifier_voided"),
        before=(VOID_QUALIFIER,),
    ),
    Row("qualified", f.Credited(tokens=()), ("one free bet",), before=two_tokens()[:-1]),
    Row(
        "qualified",
        f.Credited(tokens=(token("t", 0),)),
        ("£0.01",),
        before=two_tokens()[:-1],
    ),
    Row("qualified", f.Credited(tokens=(token(""),)), ("''",), before=two_tokens()[:-1]),
    Row(
        "qualified",
        f.Credited(tokens=(token("t"), token("t"))),
        ("'t'",),
        before=two_tokens()[:-1],
    ),
    Row(
        "qualified",
        f.Credited(tokens=(token("t1"),)),
        ("'t1'",),
        before=two_tokens(more_due=True),
    ),
    Row(
        "qualified",
        f.Credited(tokens=(f.NewToken(token="t", face=100),)),
        ("t", "expires_at"),
        before=two_tokens()[:-1],
    ),
    Row(
        "qualified",
        f.Credited(tokens=(token("t"),)),
        ("t", "before"),
        before=two_tokens()[:-1],
        at=NOON + WEEK,
    ),
    Row(
        "begun",
        f.Credited(tokens=(f.NewToken(token="r", face=1000, kind=BonusKind.CASH),)),
        ("ql",),
        before=(
            f.QualifierPlaced(back=back("q"), lays=(new_lay(),)),
            settled("q", f.Result.LOST),
            f.Triggered(met_by="lost"),
        ),
        offer=refund(),
    ),
]

ENDING = [
    Row(
        "qualified",
        f.QualifierVoided(reason="off"),
        ("q", "lost"),
        before=(settled("q", f.Result.LOST),),
    ),
    Row("qualified", f.QualifierVoided(reason="off"), ("ql",)),
    Row(
        "converted",
        f.FreeBetVoided(),
        ("b", "lost"),
        before=(settled("b", f.Result.LOST),),
    ),
    Row("converted", f.FreeBetVoided(), ("bl",)),
    Row("converted", f.FreeBetVoidedLost(reason="terms"), ("bl",)),
    Row(
        "converted",
        f.FreeBetSettled(settled=(f.Settlement(bet="bl", result=f.Result.VOID),)),
        ("b", "free_bet_voided"),
        before=(settled("b", f.Result.VOID),),
    ),
    Row("converted", f.FreeBetSettled(), ("b", "bl")),
    Row("credited", f.Expired(), ("t1", "Mon 30 Nov, 12:00"), at=NOON + WEEK - HOUR),
    Row("qualified", f.NotTriggered(), ("settlement", "q")),
    Row(
        "begun",
        f.NotTriggered(),
        ("loss", "q", "lost"),
        before=(f.QualifierPlaced(back=back("q")), settled("q", f.Result.LOST)),
        offer=refund(),
    ),
    Row(
        "begun",
        f.NotTriggered(),
        ("win", "q", "won"),
        before=(f.QualifierPlaced(back=back("q")), settled("q", f.Result.WON)),
        offer=WIN,
    ),
    Row(
        "begun",
        f.NotTriggered(),
        ("q",),
        before=(f.QualifierPlaced(back=back("q")),),
        offer=EVENT,
    ),
    Row("qualified", ABANDON_ALL, ("q, ql",)),
    Row(
        "begun",
        f.Expired(token="t1"),
        ("q",),
        before=(
            f.QualifierPlaced(back=back("q")),
            f.Credited(tokens=(token("t1"), token("t2"))),
            f.FreeBetPlaced(back=back("b2", odds="6"), token="t2"),
            settled("b2", f.Result.LOST),
            f.FreeBetSettled(token="t2"),
        ),
        at=NOON + WEEK,
        offer=INSTANT,
    ),
    Row(
        "begun",
        f.FreeBetSettled(settled=(f.Settlement(bet="b", result=f.Result.LOST),)),
        ("q",),
        before=(
            f.QualifierPlaced(back=back("q")),
            f.Credited(tokens=(token("t"),)),
            f.FreeBetPlaced(back=back("b", odds="6")),
        ),
        offer=INSTANT,
    ),
    Row("joined", ABANDON_ALL, ("£10.00", "Coral"), before=(deposit(),)),
    Row("joined", f.Restricted(reason="gubbed"), ("£10.00", "Coral"), before=(deposit(),)),
]

MONEY = [
    Row("", f.Paused(), ("joined",)),
    Row("joined", f.Joined(name="Ann"), ("A",)),
    Row("", f.Joined(name="  "), ("name",)),
    Row("joined", f.Triggered(met_by="x"), ("triggered", "offer", "joined"), instance=""),
    Row("joined", f.Opened(amount=0), ("£0.00", "£0.01")),
    Row("joined", f.Opened(amount=5, place=f.Place.EXCHANGE), ("exchange", "venue")),
    Row("joined", f.Opened(amount=10**12 + 1), ("£10,000,000,000.00",)),
    Row("joined", f.Drawn(amount=-500), ("-£5.00",)),
    Row("joined", f.Drawn(amount=10_001), ("£100.00", "£0.01", "bank")),
    Row("joined", f.MoneySent(place=f.Place.BANK, venue="x", amount=5), ("bank", "exchange")),
    Row("joined", f.MoneySent(place=f.Place.BOOKMAKER, venue="", amount=5), ("bookmaker",)),
    Row(
        "joined",
        f.MoneyArrived(place=f.Place.EXCHANGE, venue="betfair", amount=5),
        ("£0.00", "£0.05", "Betfair"),
    ),
    Row(
        "joined",
        f.MoneyReturned(venue="coral", amount=1000),
        ("£0.00", "£10.00"),
        before=(deposit(),),
    ),
    Row("joined", f.MoneyReturned(venue="coral", amount=0), ("£0.01",)),
    Row(
        "joined",
        f.WithdrawalRequested(venue="x", amount=5, place=f.Place.BANK),
        ("bank", "exchange"),
        instance="",
    ),
    Row("joined", f.WithdrawalArrived(arrivals=()), ("withdrawal_arrived",), instance=""),
    Row(
        "joined",
        f.WithdrawalArrived(arrivals=(f.Arrival(venue="coral", amount=5),)),
        ("£0.05",),
        instance="",
    ),
    Row("joined", f.BonusPaid(venue="coral", amount=-1), ("-£0.01",)),
    Row("joined", f.Adjusted(place=f.Place.BANK, difference=0, reason="seen"), ("reason",)),
    Row("joined", f.Adjusted(place=f.Place.BANK, difference=5, reason=" "), ("reason",)),
    Row("begun", held(amount=0), ("hold", "amount")),
    Row("begun", held(hold=""), ("hold", "name")),
    Row("begun", held(until=NOON), ("Hold h", "expires_at")),
    Row("begun", held(), ("h",), before=(held(),)),
    Row("begun", held(amount=6001), ("Betfair", "£0.01")),
    Row("begun", f.HoldReleased(hold="h"), ("'h'",)),
    Row("begun", f.HoldReleased(hold="g"), ("'g'", "h"), before=(held(),)),
    Row("joined", past(category="luck"), ("'luck'", "qualifier")),
    Row("joined", past(reference=""), ("reference",)),
    Row("joined", past(), ("r",), before=(past(),)),
    Row("joined", REVERSED, ("supervisor", "entry_reversed")),
    Row("joined", f.EntryReversed(transaction=1, reason=" "), ("reason",), role=BOSS),
    Row("joined", REVERSED, ("1",), before=(Telling("", REVERSED, NOON, BOSS),), role=BOSS),
    Row(
        "joined",
        f.EntryReversed(
            transaction=4,
            reason="twice",
            postings=(msgspec.structs.replace(LINES[0], instance="c1"), LINES[1]),
        ),
        ("4", "offer"),
        role=BOSS,
    ),
]

FACTS = [
    *BEGINNING, *ON_THE_WAY, *GOING_HOME, *PLACING, *SETTLING, *CREDITING, *ENDING, *MONEY,
]  # fmt: skip


@pytest.mark.parametrize("row", FACTS, ids=lambda row: f"{f.name_of(row.fact)}-{row.says[0]}")
def test_a_fact_that_does_not_fit_is_refused_and_says_what_is_wrong(row: Row) -> None:
    story = row.story()
    instance = home_of(row.fact) if row.instance is None else row.instance
    with pytest.raises(CommandNotAllowed) as refusal:
        story.tell(row.fact, instance, row.at, row.role)
    for word in row.says:
        assert word in str(refusal.value)
    assert not KEYS.search(str(refusal.value)), "people read names, not keys"


def test_every_refusal_of_a_fact_reads_as_agreed() -> None:
    lines = []
    for row in FACTS:
        with pytest.raises(CommandNotAllowed) as refusal:
            row.tell()
        lines.append(f"{f.name_of(row.fact)}: {refusal.value}")
    assert_agreed("refusals.txt", "\n".join(lines))


# --- what is read: entries, the catalogue, past bets, typed words ---------------------------------

OFFER = """
[[offer]]
key = "a"
bookmaker = "b"
title = "c"
[offer.qualifying]
min_stake = 10
[[offer.bonuses]]
face = 10
"""


def sound(**changes: object) -> Offer:
    return msgspec.structs.replace(CORAL, **changes)


def told(*words: str, fact: str = "qualifier_placed") -> Callable[[], object]:
    return partial(typed_facts.spoken, f.OFFER_FACTS, fact, words, NOON)


def amount_of(pence: int) -> Callable[[], object]:
    return partial(double_entry.entry, "too much", [Posting(Account(AccountKind.BANK), pence)])


Reading = tuple[Callable[[], object], str, object]
"""What is read, the field that the refusal names, and the value it gives back; None: any."""

READ: dict[str, Reading] = {
    "no toml": (partial(catalogue.from_toml, "nonsense"), "catalogue", None),
    "no tables": (partial(catalogue.from_toml, "[offer]"), "catalogue", ["offer"]),
    "more than offers": (
        partial(catalogue.from_toml, "x = 1\n" + OFFER),
        "catalogue",
        ["offer", "x"],
    ),
    "key twice": (partial(catalogue.from_toml, OFFER + OFFER), "catalogue", "a"),
    "no offer": (partial(catalogue.from_toml, '[[offer]]\nkey = "a"'), "offer 1", None),
    "no column": (partial(catalogue.from_csv, "colour\nred\n"), "catalogue", ["colour"]),
    "no head": (partial(catalogue.from_csv, ""), "catalogue", []),
    "too many cells": (partial(catalogue.from_csv, "key\na,b\n"), "line 2", None),
    "too few cells": (partial(catalogue.from_csv, "key,title\na\n"), "line 2", None),
    "bonuses no json": (
        partial(catalogue.from_csv, "bonuses\n[1\n"),
        "line 2 bonuses",
        "[1",
    ),
    "no amount": (partial(read_pence, "stake", "ten"), "stake", "ten"),
    "endless amount": (partial(read_pence, "stake", "Infinity"), "stake", "Infinity"),
    "part of a penny": (partial(read_pence, "stake", "0.001"), "stake", "0.001"),
    "cells missing": (
        partial(past_bets.from_csv, "date,venue,profit\n2026-01-02,coral\n"),
        "line 2",
        None,
    ),
    "columns missing": (partial(past_bets.from_csv, "date,venue\n2026-01-02,x\n"), "columns", None),
    "columns of others": (
        partial(past_bets.from_csv, "date,venue,profit,hue\n2026-01-02,x,1,red\n"),
        "columns",
        None,
    ),
    "no venue": (
        partial(past_bets.from_csv, "date,venue,profit\n2026-01-02,,1\n"),
        "line 2 venue",
        "",
    ),
    "no side": (
        partial(past_bets.from_csv, "date,venue,profit,side\n2026-01-02,x,1,left\n"),
        "line 2 side",
        "left",
    ),
    "no date": (
        partial(past_bets.from_csv, "date,venue,profit\nyesterday,coral,1\n"),
        "line 2 date",
        "yesterday",
    ),
    "no amount column": (partial(past_bets.from_betfair, "Date,Market\n1,x\n"), "columns", None),
    "no date column": (partial(past_bets.from_betfair, "Market,Amount\nx,1\n"), "columns", None),
    "no such fact": (told(fact="guessed"), "fact", "guessed"),
    "not for people": (told(fact="cash_advanced"), "fact", "cash_advanced"),
    "no value": (told("bet"), "qualifier_placed", "bet"),
    "no name": (told("=a"), "qualifier_placed", "=a"),
    "a field that is missing": (told("bet=a"), "stake", None),
    "no such word": (told("bet=a", "colour=red"), "qualifier_placed", "colour"),
    "no such word of a part": (told("lays.0.colour=red"), "qualifier_placed", "colour"),
    "hidden": (told("terms=x", fact="deposit_sent"), "deposit_sent", "terms"),
    "twice": (told("bet=a", "bet=b"), "word", "bet=b"),
    "no such part": (told("nope.bet=a"), "qualifier_placed", "nope.bet"),
    "a number and no word": (told("lays.0=a"), "qualifier_placed", "lays.0"),
    "several without a word": (told("lays=a"), "qualifier_placed", "lays"),
    "a word below a word": (told("stake.pence=1"), "qualifier_placed", "stake.pence"),
    "a word below a word of a part": (told("back.stake.p=1"), "qualifier_placed", "stake.p"),
    "a part and a word": (told("back=a", "back.bet=b"), "qualifier_placed", "back"),
    "empty": (told("bet=a", "stake=", "odds=2"), "stake", ""),
    "neither yes nor no": (
        told("offer=a", "amount=1", "is_instant=maybe", fact="deposit_sent"),
        "is_instant",
        "maybe",
    ),
    "none of the choices": (told("bet=a", "result=x", fact="bet_settled"), "result", "x"),
    "no moment": (told("bet=a", "stake=1", "odds=2", "kickoff=soon"), "kickoff", "soon"),
}

UNSOUND: dict[str, Offer] = {
    "key": sound(key=" "),
    "bookmaker": sound(bookmaker=""),
    "title": sound(title=""),
    "deposit_min": sound(deposit_min=-1),
    "min_stake": sound(qualifying=Qualifying(min_stake=0)),
    "min_legs": sound(qualifying=Qualifying(min_stake=1, min_legs=0)),
    "qualifying.min_odds": sound(qualifying=Qualifying(min_stake=1, min_odds=Decimal("0.9"))),
    "bonuses": sound(bonuses=()),
    "bonus 1": sound(bonuses=(Bonus(face=0),)),
    "bonus 2": sound(bonuses=(Bonus(face=1), Bonus(face=1, count=0))),
    "min_odds": sound(bonuses=(Bonus(face=1, min_odds=Decimal("0.5")),)),
    "ends_at": sound(starts_at=NOON, ends_at=NOON),
    "starts_at": sound(starts_at=NOON.replace(tzinfo=None)),
    "terms_seen_at": sound(terms_seen_at=NOON.replace(tzinfo=None)),
    "trigger_event": sound(trigger=Trigger.EVENT),
}


@pytest.mark.parametrize("name", READ)
def test_what_cannot_be_read_is_refused_with_its_field_and_value(name: str) -> None:
    read, field, value = READ[name]
    with pytest.raises(InvalidInput) as refusal:
        read()
    assert refusal.value.field == field
    if value is not None:
        assert refusal.value.value == value


@pytest.mark.parametrize("field", UNSOUND)
def test_terms_that_contradict_themselves_are_refused_by_their_field(field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        catalogue.checked(UNSOUND[field])
    assert field in str(refusal.value.value)
    assert len(UNSOUND[field].problems()) == 1, "nothing else is wrong with it"


@pytest.mark.parametrize(
    ("pence", "refusal"),
    [
        (double_entry.MAX_PENCE, UnbalancedEntry),
        (-double_entry.MAX_PENCE, UnbalancedEntry),
        (double_entry.MAX_PENCE + 1, CommandNotAllowed),
        (-double_entry.MAX_PENCE - 1, CommandNotAllowed),
    ],
)
def test_a_line_above_the_highest_amount_is_refused(pence: int, refusal: type[KosError]) -> None:
    with pytest.raises(refusal):
        amount_of(pence)()


MODULES = (
    double_entry, catalogue, facts, past_bets, portfolio, typed_facts,
    crediting, due, ending, life, placing, settling, state, table, transit, turn,
)  # fmt: skip


def test_every_refusal_is_reached_by_a_row() -> None:
    attempts: list[Callable[[], object]] = [
        *(row.tell for row in FACTS),
        *(read for read, _, _ in READ.values()),
        *(partial(catalogue.checked, offer) for offer in UNSOUND.values()),
        amount_of(5),
        amount_of(double_entry.MAX_PENCE + 1),
    ]
    with noting_refusals(MODULES) as reached:
        for attempt in attempts:
            with pytest.raises(KosError):
                attempt()
    assert refusals_in(MODULES) - reached == set()
