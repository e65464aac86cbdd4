"""Entries, exposure and the fold: examples and properties over any story."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.books.double_entry import (
    NEVER_NEGATIVE,
    RESULTS,
    Account,
    AccountKind,
    Entry,
    Posting,
    UnbalancedEntry,
    Wager,
    capital,
    entry,
    posted,
    profit,
    reserved,
    trial_balance,
)
from kos.domain.offers import facts as f
from kos.domain.offers.portfolio import Done, Portfolio, apply
from kos.domain.offers.state import Phase
from kos.errors import CommandNotAllowed
from tests.domain.offers.offer_stories import (
    NOON,
    Telling,
    broken_rules,
    next_telling,
    opening,
)
from tests.profiles import examples

BANK = Account(AccountKind.BANK)
OPENING = Account(AccountKind.OPENING)
BONUS = Account(AccountKind.BONUS, "coral")


def told(telling: Telling, portfolio: Portfolio) -> tuple[Portfolio, tuple[Done, ...]]:
    return apply(
        portfolio,
        telling.fact,
        at=telling.at,
        instance=telling.instance,
        role=telling.role,
    )


def story(rnd: random.Random, length: int) -> tuple[list[Telling], Portfolio, list[Entry]]:
    """What was accepted of a random story, and what it came to."""
    portfolio = Portfolio(participant="A")
    accepted, entries = [], []
    for telling in opening():
        portfolio, done = told(telling, portfolio)
        accepted.append(telling)
        entries += [each for one in done for each in one.entries]
    for step in range(length):
        telling = next_telling(rnd, portfolio, step)
        try:
            portfolio, done = told(telling, portfolio)
        except CommandNotAllowed:
            continue
        accepted.append(telling)
        entries += [each for one in done for each in one.entries]
    return accepted, portfolio, entries


STORIES = st.randoms(use_true_random=False)


def test_an_unbalanced_entry_cannot_be_made() -> None:
    with pytest.raises(UnbalancedEntry):
        entry("half", [Posting(BANK, 5)])
    with pytest.raises(UnbalancedEntry, match="memo"):
        entry("a token is no money", [Posting(BONUS, 5), Posting(BANK, -5)])
    assert entry("nothing", [Posting(BANK, 5), Posting(BANK, -5)]) is None


def test_an_asset_below_zero_is_refused_with_the_shortfall() -> None:
    made = entry("too much", [Posting(BANK, -500), Posting(OPENING, 500)])
    assert made is not None
    with pytest.raises(CommandNotAllowed, match=r"Bank: only £2\.00, £3\.00 too little"):
        posted({BANK: 200}, [made])


def wager(instance: str, selection: str, stake: int, liability: int, **rest: bool) -> Wager:
    return Wager(
        instance=instance,
        bet=f"{instance}-{selection}",
        exchange="betfair",
        market="m",
        selection=selection,
        if_selection=-liability,
        otherwise=stake,
        **rest,
    )


def test_bets_of_one_market_offset_each_other_as_published() -> None:
    home, draw = wager("a", "home", 2000, 3000), wager("a", "draw", 1500, 3900)
    assert reserved([home, draw]) == {"a": 1900}
    back = Wager("a", "b", "betfair", "m", "draw", if_selection=3000, otherwise=-1000)
    assert reserved([home, draw, back]) == {"a": 2500}


def test_exposure_is_shared_out_and_ends_with_the_last_open_bet() -> None:
    home, draw = wager("a", "home", 2000, 3000), wager("b", "draw", 1500, 3900)
    assert reserved([home, draw]) == {"a": 1900, "b": 0}
    lost = wager("a", "home", 0, 0, is_open=False, happened=True)
    assert reserved([lost, draw]) == {"b": 0}
    won = wager("a", "home", 0, 0, is_open=False, happened=False)
    assert reserved([won, draw]) == {"b": 3900}


def test_bets_of_a_place_market_do_not_offset() -> None:
    home = wager("a", "home", 2000, 3000, is_single_winner=False)
    assert reserved([home, wager("a", "draw", 1500, 3900)]) == {"a": 6900}


@settings(max_examples=examples(30))
@given(STORIES)
def test_any_story_keeps_every_invariant(rnd: random.Random) -> None:
    _, portfolio, entries = story(rnd, 50)
    for made in entries:
        assert sum(line.amount for line in made.postings) == 0
    assert trial_balance(portfolio.balances) == (0, 0)
    for account, balance in portfolio.balances.items():
        assert balance >= 0 or account.kind not in NEVER_NEGATIVE
    assert broken_rules(portfolio) == []
    equity = sum(portfolio.balances.get(Account(kind), 0) for kind in EQUITY_KINDS)
    assert capital(portfolio.balances) == -equity + profit(portfolio.balances)


EQUITY_KINDS = (AccountKind.OPENING, AccountKind.DRAWN)


@settings(max_examples=examples(30))
@given(STORIES)
def test_a_closed_offer_holds_nothing_and_has_made_what_its_bets_made(rnd: random.Random) -> None:
    _, portfolio, entries = story(rnd, 50)
    held: dict[tuple[str, AccountKind], int] = defaultdict(int)
    for made in entries:
        for line in made.postings:
            held[line.instance, line.account.kind] += line.amount
    for state in portfolio.offers.values():
        bets = sum(bet.profit for bet in state.bets)
        commission = held[state.id, AccountKind.COMMISSION]
        bonus = -held[state.id, AccountKind.CASH_BONUS]
        made_here = -sum(held[state.id, kind] for kind in RESULTS)
        assert made_here == bets - commission + bonus
        if state.is_closed or state.phase is Phase.FREE_BET_SETTLED:
            for kind in (AccountKind.STAKED, AccountKind.EXPOSURE, AccountKind.BONUS):
                assert held[state.id, kind] == 0, (state.id, kind)
        if state.is_closed:
            assert held[state.id, AccountKind.TRANSIT] == 0


@settings(max_examples=examples(20))
@given(STORIES)
def test_replaying_all_facts_from_nothing_gives_the_same(rnd: random.Random) -> None:
    accepted, portfolio, _ = story(rnd, 50)
    again = Portfolio(participant="A")
    for telling in accepted:
        again, _ = told(telling, again)
    assert again == portfolio


@settings(max_examples=examples(30))
@given(STORIES, st.permutations(["c1", "c2", "c3", ""]))
def test_offers_told_in_another_order_come_to_the_same_balances(
    rnd: random.Random, order: list[str]
) -> None:
    accepted, portfolio, _ = story(rnd, 50)
    start = len(opening())
    by_order = accepted[:start] + [
        telling for name in order for telling in accepted[start:] if telling.instance == name
    ]
    again = Portfolio(participant="A")
    try:
        for telling in by_order:
            again, _ = told(telling, again)
    except CommandNotAllowed:
        return  # in this order some money was not there in time
    nonzero = {account: pence for account, pence in portfolio.balances.items() if pence}
    assert {account: pence for account, pence in again.balances.items() if pence} == nonzero
    assert again.offers == portfolio.offers


def test_other_orders_are_mostly_possible() -> None:
    same = 0
    for seed in range(30):
        accepted, _, _ = story(random.Random(seed), 50)
        start = len(opening())
        again = Portfolio(participant="A")
        try:
            for telling in accepted[:start] + sorted(
                accepted[start:], key=lambda each: each.instance
            ):
                again, _ = told(telling, again)
        except CommandNotAllowed:
            continue
        same += 1
    assert same >= 5


def test_stories_reach_every_phase_and_most_facts() -> None:
    seen: set[str] = set()
    outcomes: set[object] = set()
    phases: set[Phase] = set()
    for seed in range(120):
        accepted, portfolio, _ = story(random.Random(seed), 80)
        seen |= {f.name_of(telling.fact) for telling in accepted}
        outcomes |= {state.outcome for state in portfolio.offers.values()}
        phases |= {state.phase for state in portfolio.offers.values()}
    missing = set(f.OFFER_FACTS) - seen - {"cash_advanced"}
    assert not missing
    assert phases == set(Phase)
    assert len(outcomes) >= 7


def test_a_once_imported_past_bet_is_not_imported_again() -> None:
    portfolio, _ = told(opening()[0], Portfolio(participant="A"))
    bet = Telling("", f.PastBetImported(reference="r", venue="coral", profit=700), NOON)
    portfolio, _ = told(bet, portfolio)
    assert profit(portfolio.balances) == 700
    assert capital(portfolio.balances) == 0
    with pytest.raises(CommandNotAllowed, match="already imported"):
        told(bet, portfolio)


def test_a_supervisor_takes_an_own_entry_back_once() -> None:
    portfolio, _ = told(opening()[0], Portfolio(participant="A"))
    portfolio, done = told(Telling("", f.Opened(amount=700), NOON), portfolio)
    lines = done[0].entries[0].postings
    back = f.EntryReversed(transaction=1, reason="typed twice", postings=lines)
    with pytest.raises(CommandNotAllowed, match="supervisor"):
        told(Telling("", back, NOON, f.Role.OPERATOR), portfolio)
    portfolio, _ = told(Telling("", back, NOON), portfolio)
    assert capital(portfolio.balances) == 0
    with pytest.raises(CommandNotAllowed, match="already reversed"):
        told(Telling("", back, NOON + timedelta(1)), portfolio)


@pytest.mark.parametrize(
    ("account", "title"),
    [
        (BANK, "Bank"),
        (Account(AccountKind.CASH, "williamhill"), "William Hill"),
        (Account(AccountKind.AVAILABLE, "betfair"), "Betfair"),
        (Account(AccountKind.EXPOSURE, "betfair"), "Betfair, exposure"),
        (Account(AccountKind.TRANSIT, "coral"), "Coral, in transit"),
        (Account(AccountKind.BONUS, "coral"), "Coral, free bets held"),
        (Account(AccountKind.FREE_BET, "coral"), "Coral, free bets"),
    ],
)
def test_an_account_is_told_by_its_place_and_by_what_it_holds(account: Account, title: str) -> None:
    assert account.title == title
