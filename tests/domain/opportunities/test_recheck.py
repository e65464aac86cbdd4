"""What has become of an opportunity on the screen, and what can be asked for at all."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.quotes import EventQuotes
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import (
    BetKind,
    OpportunityQuery,
    OpportunityState,
    Rejection,
)
from kos.domain.opportunities.scoring import ScoringRules
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market
from tests.domain.opportunities.market_scenes import scene, told
from tests.profiles import examples

D = Decimal
RULES = ScoringRules()
QUERY = OpportunityQuery(stake=D(10))
PRICES = {"Leeds": "2.5", "York": "3.1", "Draw": "3.4"}
LAYS = quotes_market(
    {"Leeds": "2.54"}, key="h2h_lay", limits={"Leeds": 500}, updated_at=NOW - timedelta(seconds=1)
)


def coral(age_s: int = 60) -> EventQuotes:
    return event(
        bookmaker("coral", quotes_market(PRICES, updated_at=NOW - timedelta(seconds=age_s))),
        bookmaker("smarkets", LAYS),
    )


def picture(one: EventQuotes | None = None) -> MarketSnapshot:
    made = MarketSnapshot(RULES)
    made.apply_quotes("soccer_epl", (one or coral(),), NOW)
    return made


def matched(
    made: MarketSnapshot, *, status: str = "OPEN", lay: str = "2.54", later_s: int = 0
) -> None:
    """The own account's book of the event."""
    made.apply_matches(
        "soccer_epl",
        (match({"Leeds": 1, "York": 2, "Draw": 3}),),
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}),),
    )
    received_at = NOW + timedelta(seconds=later_s)
    made.apply_books((book({1: (lay, 700)}, status=status, received_at=received_at),))


def shown(made: MarketSnapshot, exchange: str = "smarkets") -> str:
    query = msgspec.structs.replace(QUERY, exchange=exchange)
    (found,) = made.best(query, NOW).opportunities
    return found.id


def gone(state: OpportunityState) -> tuple[Rejection | None, datetime | None]:
    assert state.opportunity is None
    return state.rejection, state.since


def test_while_it_is_offered_it_is_told_as_it_is_now_for_any_stake() -> None:
    made = picture()
    state = made.standing(shown(made), msgspec.structs.replace(QUERY, stake=D(25)), NOW)
    assert state.opportunity is not None
    assert (state.opportunity.stake, state.rejection, state.since) == (D(25), None, None)
    assert state.opportunity.lay_stake == D("24.80")
    free = OpportunityQuery(kind=BetKind.FREE_BET_SNR, stake=D(10), bookmaker="x", sport="y")
    assert made.standing(shown(made), free, NOW).opportunity is not None


def test_a_price_that_went_stale_is_told_with_the_moment() -> None:
    made = picture(coral(age_s=1000))
    wanted = shown(made)
    until = NOW + timedelta(seconds=800)
    assert made.standing(wanted, QUERY, until).opportunity is not None
    later = until + timedelta(seconds=1)
    assert gone(made.standing(wanted, QUERY, later)) == (Rejection.STALE_BACK, until)
    matched(made)
    own = shown(made, "betfair")
    later = NOW + timedelta(seconds=121)
    stale = gone(made.standing(own, QUERY, later))
    assert stale == (Rejection.STALE_LAY, NOW + timedelta(seconds=120))


def test_an_event_that_starts_or_is_halted_is_told() -> None:
    made = picture()
    wanted = shown(made)
    kickoff = NOW + timedelta(minutes=90)
    assert gone(made.standing(wanted, QUERY, kickoff)) == (Rejection.STARTED, kickoff)
    soon = kickoff - timedelta(minutes=4)
    too_soon = (Rejection.TOO_SOON, kickoff - timedelta(minutes=5))
    assert gone(made.standing(wanted, QUERY, soon)) == too_soon
    matched(made, status="SUSPENDED", later_s=7)
    halted = gone(made.standing(wanted, QUERY, NOW + timedelta(seconds=9)))
    assert halted == (Rejection.SUSPENDED, NOW + timedelta(seconds=7))


def test_what_is_quoted_no_longer_is_told() -> None:
    made = picture()
    wanted = shown(made)
    later = NOW + timedelta(seconds=60)
    without = event(bookmaker("betway", quotes_market(PRICES)), bookmaker("smarkets", LAYS))
    made.apply_quotes("soccer_epl", (without,), later)
    assert gone(made.standing(wanted, QUERY, later)) == (Rejection.NOT_QUOTED, later)
    made.apply_quotes("soccer_epl", (), later)
    assert gone(made.standing(wanted, QUERY, later)) == (Rejection.NOT_QUOTED, None)
    assert gone(made.standing("nonsense", QUERY, later)) == (Rejection.NOT_QUOTED, None)


def test_a_lay_that_went_or_moved_too_far_is_told() -> None:
    made = picture()
    wanted = shown(made)
    later = NOW + timedelta(seconds=60)
    alone = event(bookmaker("coral", quotes_market(PRICES, updated_at=later)))
    made.apply_quotes("soccer_epl", (alone,), later)
    assert gone(made.standing(wanted, QUERY, later)) == (Rejection.UNMATCHED, later)
    made = picture()
    matched(made)
    own = shown(made, "betfair")
    matched(made, lay="2.3", later_s=3)
    inverted = gone(made.standing(own, QUERY, NOW + timedelta(seconds=3)))
    assert inverted == (Rejection.INVERTED, NOW + timedelta(seconds=3))


def test_a_pair_too_good_is_told_from_the_end_of_its_credit() -> None:
    prices = {"Leeds": "2.65", "York": "3.1", "Draw": "3.4"}
    one = event(
        bookmaker("coral", quotes_market(prices)),
        bookmaker("smarkets", quotes_market({"Leeds": "2.54"}, "h2h_lay", limits={"Leeds": 500})),
    )
    made = MarketSnapshot(ScoringRules(max_rating=D("1.01")))
    made.apply_quotes("soccer_epl", (one,), NOW)
    state = made.standing(shown(made), QUERY, NOW + timedelta(seconds=31))
    assert gone(state) == (Rejection.TOO_GOOD, NOW + timedelta(seconds=30))


def test_the_feeds_copy_gives_way_to_the_own_account() -> None:
    prices = quotes_market({"Leeds": "2.54"}, "h2h_lay", limits={"Leeds": 500})
    made = picture(
        event(bookmaker("coral", quotes_market(PRICES)), bookmaker("betfair_ex_uk", prices))
    )
    wanted = shown(made, "betfair_ex_uk")
    matched(made)
    assert gone(made.standing(wanted, QUERY, NOW)) == (Rejection.SUPERSEDED, NOW)


def test_a_stake_too_small_to_lay_is_told() -> None:
    made = picture()
    query = msgspec.structs.replace(QUERY, stake=D("0.50"))
    assert gone(made.standing(shown(made), query, NOW)) == (Rejection.LAY_TOO_SMALL, NOW)


def test_a_price_of_another_form_of_bet_is_told() -> None:
    made = picture()
    wanted = shown(made)
    later = NOW + timedelta(seconds=60)
    two_way = quotes_market({"Leeds": "1.8", "York": "2.1"}, updated_at=later)
    made.apply_quotes(
        "soccer_epl", (event(bookmaker("coral", two_way), bookmaker("smarkets", LAYS)),), later
    )
    assert gone(made.standing(wanted, QUERY, later)) == (Rejection.OTHER_BET, later)


def test_a_pair_too_good_of_a_match_not_wholly_sure_is_never_believed() -> None:
    made = MarketSnapshot(ScoringRules(max_rating=D("1.01")))
    made.apply_quotes("soccer_epl", (coral(),), NOW)
    runners = {"Leeds": 1, "York": 2, "Draw": 3}
    made.apply_matches(
        "soccer_epl",
        (match(runners, confidence=0.9),),
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}),),
    )
    made.apply_books((book({1: ("2.54", 700)}, received_at=NOW),))
    wanted = shown(made, "betfair")
    later = NOW + timedelta(seconds=1)
    good = quotes_market({**PRICES, "Leeds": "2.65"}, updated_at=later)
    made.apply_quotes("soccer_epl", (event(bookmaker("coral", good)),), later)
    assert gone(made.standing(wanted, QUERY, later)) == (Rejection.TOO_GOOD, later)


@settings(max_examples=examples(60))
@given(
    st.integers(0, 10**6),
    st.sampled_from(BetKind),
    st.sampled_from([0, 11, 31, 101, 121, 901, 5100, 5400]),
)
def test_the_word_on_one_agrees_with_the_list(seed: int, kind: BetKind, later_s: int) -> None:
    made = told(scene(seed), random.Random(seed), RULES)
    query = OpportunityQuery(kind=kind, stake=D(10), limit=500)
    later = NOW + timedelta(seconds=later_s)
    for found in made.best(query, NOW).opportunities[:20]:
        narrow = msgspec.structs.replace(query, bookmaker=found.bookmaker, exchange=found.exchange)
        listed = {each.id: each for each in made.best(narrow, later).opportunities}
        state = made.standing(found.id, query, later)
        assert state.opportunity == listed.get(found.id)
        assert (state.rejection is None) == (state.opportunity is not None)
        assert state.since is None or state.since <= later


# --- what can be asked for -------------------------------------------------------------------------


def test_keys_are_those_in_the_data_right_now() -> None:
    made = picture()
    matched(made)
    past = event(bookmaker("skybet", quotes_market(PRICES)), id="e2", kickoff=NOW)
    made.apply_quotes("soccer_old", (past,), NOW)
    keys = made.keys(NOW)
    assert [(each.key, each.title, each.events) for each in keys.bookmakers] == [
        ("coral", "Coral", 1)
    ]
    assert [(each.key, each.title, each.events) for each in keys.exchanges] == [
        ("betfair", "Betfair", 1),
        ("smarkets", "Smarkets", 1),
    ]
    assert [(each.key, each.title, each.events) for each in keys.sports] == [
        ("soccer_epl", "SOCCER_EPL", 1)
    ]


@pytest.mark.parametrize(("later_s", "exchanges"), [(121, ["smarkets"]), (901, [])])
def test_a_stale_place_is_no_key(later_s: int, exchanges: list[str]) -> None:
    made = picture()
    matched(made)
    keys = made.keys(NOW + timedelta(seconds=later_s))
    assert [each.key for each in keys.exchanges] == exchanges
    assert [each.key for each in keys.bookmakers] == (["coral"] if exchanges else [])
