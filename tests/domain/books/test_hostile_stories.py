"""Hostile stories, checked by a second account of the books that shares no rule with the first."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.books.double_entry import Account, AccountKind
from kos.domain.offers.portfolio import Portfolio, apply
from kos.errors import CommandNotAllowed
from tests.domain.books.model_books import Books, Fault
from tests.domain.offers.offer_stories import Telling, hostile_telling, opening
from tests.profiles import examples

RESULTS = ("pnl:", "equity:", "rounding")
"""Accounts that the second account leaves out: they are what the rest sums to."""
FLOOR = 20
"""How often each kind of fault must at least have been met, or the stories do not aim."""


def balances(portfolio: Portfolio) -> dict[str, int]:
    return {str(account): pence for account, pence in portfolio.balances.items() if pence}


def expected(books: Books) -> dict[str, int]:
    """The assets and the tokens as the second account has them."""
    exposure = books.exposure()
    available = {venue: books.float[venue] - exposure[venue] for venue in {*books.float, *exposure}}
    kinds: dict[AccountKind, dict[str, int]] = {
        AccountKind.BANK: {"": books.bank},
        AccountKind.CASH: books.cash,
        AccountKind.STAKED: books.staked,
        AccountKind.TRANSIT: books.transit,
        AccountKind.AVAILABLE: available,
        AccountKind.EXPOSURE: exposure,
        AccountKind.BONUS: books.bonus,
        AccountKind.CONTRA: {venue: -pence for venue, pence in books.bonus.items()},
    }
    return {
        str(Account(kind, venue)): pence
        for kind, by_venue in kinds.items()
        for venue, pence in by_venue.items()
        if pence
    }


def tell(portfolio: Portfolio, telling: Telling) -> Portfolio:
    after, _ = apply(
        portfolio, telling.fact, at=telling.at, instance=telling.instance, role=telling.role
    )
    return after


class Told:
    """One story so far, in both accounts."""

    def __init__(self, met: Counter[object]) -> None:
        self.portfolio = Portfolio(participant="A")
        self.books = Books()
        self.former: Telling | None = None
        self.met = met
        for telling in opening():
            self.portfolio = tell(self.portfolio, telling)
            self.books.take(telling)

    def step(self, telling: Telling) -> None:
        faults = self.books.faults(telling)
        try:
            self.portfolio = tell(self.portfolio, telling)
        except CommandNotAllowed:
            self.met.update(faults)
            return
        assert not faults, (telling, faults)
        self.met["taken"] += 1
        self.former = telling
        self.books.take(telling)
        here = {
            name: pence
            for name, pence in balances(self.portfolio).items()
            if not name.startswith(RESULTS)
        }
        assert here == expected(self.books), telling
        self.met.update(
            "filled at two prices"
            for offer in self.books.offers.values()
            for bet in offer.bets.values()
            if bet.open and len({odds for _, odds in bet.fills}) > 1
        )


def test_a_hostile_story_is_refused_where_it_must_be_and_leaves_right_books_behind() -> None:
    met: Counter[object] = Counter()

    @settings(max_examples=examples(60))
    @given(st.randoms(use_true_random=False), st.integers(10, 50))
    def tell_one(rnd: random.Random, length: int) -> None:
        told = Told(met)
        for step in range(length):
            told.step(hostile_telling(rnd, told.portfolio, step, told.former))

    tell_one()
    for seed in range(20):
        rnd = random.Random(seed)
        told = Told(met)
        for step in range(200):
            told.step(hostile_telling(rnd, told.portfolio, step, told.former))
    rare = {what: met[what] for what in (*Fault, "filled at two prices") if met[what] < FLOOR}
    assert not rare, met
    assert met["taken"] > 500, met
