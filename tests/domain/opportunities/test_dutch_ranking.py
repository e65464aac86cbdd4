"""Dutches: worked examples and refusals."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.market.quotes import EventQuotes
from kos.domain.opportunities.dutches import DutchOpportunity, DutchQuery, LegSide
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, OpportunityQuery, Ranking, Rejection
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market

D = Decimal
RULES = ScoringRules()
LIQUID = ScoringRules(liquidity_floors={"": D(1)})


def picture(*events: EventQuotes, rules: ScoringRules = RULES) -> MarketSnapshot:
    made = MarketSnapshot(rules)
    made.apply_quotes(events[0].sport_key, events, NOW)
    return made


def three_way(coral: str = "2.9", betway: str = "3.6", skybet: str = "2.8") -> EventQuotes:
    """Each outcome's best price at another bookmaker; the others are poor."""
    prices = {
        "coral": (coral, "3.0", "2.0"),
        "betway": ("2.0", betway, "2.0"),
        "skybet": ("2.0", "3.0", skybet),
    }
    return event(
        *(
            bookmaker(key, quotes_market(dict(zip(("Leeds", "Draw", "York"), odds, strict=True))))
            for key, odds in prices.items()
        )
    )


def tennis(*makers: tuple[str, str, str], age_s: float = 0) -> EventQuotes:
    return event(
        *(
            bookmaker(
                key,
                quotes_market({"Leeds": a, "York": b}, updated_at=NOW - timedelta(seconds=age_s)),
            )
            for key, a, b in makers
        ),
        sport_key="tennis_atp_x",
    )


def bets_of(found: DutchOpportunity) -> list[tuple[str, str, str, str]]:
    return [(leg.side.value, leg.outcome, leg.place, str(leg.stake)) for leg in found.legs]


def profits_of(found: DutchOpportunity) -> dict[str, str]:
    return {each.outcome: str(each.profit) for each in found.outcomes}


def test_a_total_is_spread_over_three_outcomes_as_published() -> None:
    (found,) = picture(three_way()).dutches(DutchQuery(stake=D(300)), NOW).dutches
    assert sorted(bets_of(found)) == [
        ("back", "Draw", "betway", "85.06"),
        ("back", "Leeds", "coral", "105.59"),
        ("back", "York", "skybet", "109.36"),
    ]
    assert found.total == D("300.01")
    assert profits_of(found) == {"Leeds": "6.20", "York": "6.20", "Draw": "6.21"}
    assert found.profit == D("6.20")
    assert round(found.book_sum, 4) == D("0.9797")
    assert found.tier == 1


def test_a_stake_at_one_bookmaker_is_covered_at_others_as_published() -> None:
    seen = picture(three_way(coral="3.1", betway="3.5", skybet="2.5"))
    answer = seen.dutches(DutchQuery(bookmaker="coral", stake=D(40), ranking=Ranking.VALUE), NOW)
    found = next(each for each in answer.dutches if each.legs[0].outcome == "Leeds")
    assert bets_of(found) == [
        ("back", "Leeds", "coral", "40"),
        ("back", "York", "skybet", "49.60"),
        ("back", "Draw", "betway", "35.43"),
    ]
    assert found.profit == D("-1.03")
    assert answer.considered == 3


def test_a_free_bet_is_dutched_as_published() -> None:
    query = DutchQuery(bookmaker="coral", kind=BetKind.FREE_BET_SNR, stake=D(10))
    seen = picture(tennis(("coral", "3.0", "1.2"), ("skybet", "1.3", "1.5")))
    found = seen.dutches(query, NOW).dutches[0]
    assert bets_of(found) == [("back", "Leeds", "coral", "10"), ("back", "York", "skybet", "13.33")]
    assert found.profit == D("6.67")
    assert profits_of(found) == {"Leeds": "6.67", "York": "6.67"}
    assert found.total == D("13.33")
    assert found.legs[0].outlay == 0
    assert round(found.retention, 3) == D("0.666")


def test_a_refund_counts_on_every_outcome_but_its_own() -> None:
    query = DutchQuery(bookmaker="coral", kind=BetKind.REFUND, stake=D(10), is_refund_cash=True)
    seen = picture(tennis(("coral", "3.0", "1.2"), ("skybet", "1.3", "1.5")))
    found = next(x for x in seen.dutches(query, NOW).dutches if x.legs[0].outcome == "Leeds")
    assert bets_of(found)[1] == ("back", "York", "skybet", "13.33")
    assert profits_of(found) == {"Leeds": "6.67", "York": "6.67"}
    assert (found.refund, found.refund_worth) == (D("10.00"), D("10.00"))
    assert found.total == D("23.33")


def with_exchange(lay: str, available: str = "900") -> MarketSnapshot:
    """Home at 2.60, draw 3.20, away 2.90; Leeds can be laid on the own account."""
    seen = picture(
        event(
            bookmaker("coral", quotes_market({"Leeds": "2.60", "Draw": "3.0", "York": "2.0"})),
            bookmaker("skybet", quotes_market({"Leeds": "2.0", "Draw": "3.0", "York": "2.90"})),
            bookmaker("betway", quotes_market({"Leeds": "2.0", "Draw": "3.2", "York": "2.0"})),
        )
    )
    runners = {"Leeds": 1, "York": 2, "Draw": 3}
    seen.apply_matches(
        "soccer_epl",
        (match(runners),),
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}, base_rate="0.02"),),
    )
    seen.apply_books((book({1: (lay, available), 2: None, 3: None}),))
    return seen


def test_a_lay_replaces_two_backs_where_it_is_better_and_only_there() -> None:
    query = DutchQuery(bookmaker="coral", stake=D(20), max_odds=D("2.7"), min_odds=D("2.5"))
    (laid,) = with_exchange("2.64").dutches(query, NOW).dutches
    assert bets_of(laid) == [("back", "Leeds", "coral", "20"), ("lay", "Leeds", "betfair", "19.85")]
    assert laid.profit == D("-0.55")
    assert laid.legs[1].covers == ("York", "Draw")
    (pair,) = (
        with_exchange("2.64")
        .best(OpportunityQuery(bookmaker="coral", stake=D(20)), NOW)
        .opportunities
    )
    assert (pair.lay_stake, pair.profit) == (laid.legs[1].stake, laid.profit)
    assert round(laid.rating, 12) == round(pair.rating, 12)
    (backed,) = with_exchange("3.00").dutches(query, NOW).dutches
    assert [leg.side for leg in backed.legs] == [LegSide.BACK] * 3


def test_exchanges_can_be_left_out_and_their_liquidity_asked_for() -> None:
    query = DutchQuery(bookmaker="coral", stake=D(20), max_odds=D("2.7"), min_odds=D("2.5"))
    for narrower in (
        msgspec.structs.replace(query, with_exchanges=False),
        msgspec.structs.replace(query, min_liquidity=D(901)),
    ):
        (found,) = with_exchange("2.64").dutches(narrower, NOW).dutches
        assert not any(leg.is_exchange for leg in found.legs)
    (found,) = with_exchange("2.64", available="49").dutches(query, NOW).dutches
    assert not any(leg.is_exchange for leg in found.legs)  # the floor is 50


def test_a_back_on_the_own_exchange_needs_the_floor() -> None:
    for available, count in (("49.99", 0), ("50", 1)):
        seen = with_exchange("2.64")
        backs: dict[int, tuple[str | int | Decimal, str | int | Decimal]] = {2: ("9", available)}
        seen.apply_books(
            (msgspec.structs.replace(book({1: None, 2: None, 3: None}, backs=backs), version=2),)
        )
        (found,) = seen.dutches(DutchQuery(stake=D(30)), NOW).dutches
        assert sum(leg.place == "betfair" for leg in found.legs) == count


def test_an_outcome_that_is_no_side_of_the_event_is_no_leg() -> None:
    prices = {"Leeds": "2.1", "York": "2.1"}
    one = event(
        bookmaker("coral", quotes_market({**prices, "Hull": "9"})),
        *(
            bookmaker(key, quotes_market({"Leeds": "2.2", "Draw": "4", "York": "2.2"}))
            for key in ("skybet", "betway")
        ),
    )
    answer = picture(one).dutches(DutchQuery(bookmaker="coral"), NOW)
    assert {dutch.legs[0].outcome for dutch in answer.dutches} == set(prices)
    assert answer.rejected == {Rejection.INCOMPLETE.value: 1}


def test_a_price_whose_other_outcomes_no_one_quotes_is_no_dutch() -> None:
    one = event(bookmaker("coral", quotes_market({"Leeds": "2.1"})), sport_key="tennis_atp_x")
    answer = picture(one).dutches(DutchQuery(bookmaker="coral"), NOW)
    assert answer.rejected == {Rejection.INCOMPLETE.value: 1}


def test_the_feeds_copy_of_the_own_exchange_alone_is_no_dutch() -> None:
    prices = {"Leeds": "2.6", "Draw": "3.2", "York": "2.9"}
    seen = picture(event(bookmaker("betfair_ex_uk", quotes_market(prices))))
    seen.apply_matches("soccer_epl", (match({"Leeds": 1, "York": 2, "Draw": 3}),), ())
    seen.apply_books((book({1: None, 2: None, 3: None}),))
    answer = seen.dutches(DutchQuery(bookmaker="betfair_ex_uk"), NOW)
    assert answer.rejected == {Rejection.INCOMPLETE.value: 3}


def test_a_question_can_be_kept_to_a_sport_and_an_event() -> None:
    seen = picture(three_way())
    assert seen.dutches(DutchQuery(sport="soccer"), NOW).considered == 1
    assert seen.dutches(DutchQuery(sport="tennis"), NOW).considered == 0
    assert seen.dutches(DutchQuery(event_id="e1"), NOW).considered == 1
    assert seen.dutches(DutchQuery(event_id="e2"), NOW).considered == 0


def test_no_place_is_used_twice() -> None:
    seen = picture(tennis(("coral", "2.2", "2.2"), ("skybet", "2.1", "1.9")))
    (found,) = seen.dutches(DutchQuery(stake=D(100)), NOW).dutches
    assert {leg.place for leg in found.legs} == {"coral", "skybet"}
    assert [leg.odds for leg in found.legs] == [D("2.1"), D("2.2")]


def test_one_bookmaker_alone_is_no_dutch() -> None:
    answer = picture(tennis(("coral", "2.2", "2.2"))).dutches(DutchQuery(), NOW)
    assert answer.dutches == ()
    assert answer.rejected == {Rejection.INCOMPLETE.value: 1}


def test_a_stale_leg_counts_for_nothing() -> None:
    seen = MarketSnapshot(RULES)
    old = quotes_market({"Leeds": "2.1", "York": "2.1"}, updated_at=NOW - timedelta(seconds=1790))
    new = quotes_market({"Leeds": "1.95", "York": "1.95"})
    makers = (bookmaker("coral", old), bookmaker("skybet", new), bookmaker("betway", new))
    seen.apply_quotes("tennis_atp_x", (event(*makers, sport_key="tennis_atp_x"),), NOW)
    (found,) = seen.dutches(DutchQuery(), NOW).dutches
    assert "coral" in {leg.place for leg in found.legs}
    later = NOW + timedelta(seconds=11)
    (found,) = seen.dutches(DutchQuery(), later).dutches
    assert "coral" not in {leg.place for leg in found.legs}
    asked = seen.dutches(DutchQuery(bookmaker="coral"), later)
    assert asked.dutches == ()
    assert asked.rejected == {Rejection.STALE_BACK.value: 2}


def test_what_has_started_or_is_in_play_is_never_covered() -> None:
    query = DutchQuery()
    started = NOW + timedelta(minutes=90)
    assert picture(three_way()).dutches(query, started).rejected == {Rejection.STARTED.value: 1}
    soon = NOW + timedelta(minutes=86)
    assert picture(three_way()).dutches(query, soon).rejected == {Rejection.TOO_SOON.value: 1}
    seen = with_exchange("2.64")
    for status, in_play, reason in (
        ("OPEN", True, Rejection.IN_PLAY),
        ("SUSPENDED", False, Rejection.SUSPENDED),
    ):
        halted = book({1: ("2.64", "900")}, status=status, is_in_play=in_play)
        seen.apply_books((msgspec.structs.replace(halted, version=2),))
        assert seen.dutches(query, NOW).rejected == {reason.value: 1}


def test_other_forms_of_the_bet_are_never_mixed() -> None:
    three = quotes_market({"Leeds": "2.6", "Draw": "9.0", "York": "2.6"})
    two = quotes_market({"Leeds": "2.3", "York": "2.3"})
    seen = picture(
        event(
            bookmaker("coral", three), bookmaker("skybet", two), sport_key="rugbyunion_six_nations"
        )
    )
    assert seen.dutches(DutchQuery(), NOW).rejected == {Rejection.INCOMPLETE.value: 1}
    hockey = event(bookmaker("coral", three), bookmaker("skybet", two), sport_key="icehockey_nhl")
    answer = picture(hockey).dutches(DutchQuery(bookmaker="coral"), NOW)
    assert answer.dutches == ()
    assert set(answer.rejected) == {Rejection.OTHER_BET.value, Rejection.DRAW.value}


def test_what_is_too_good_is_believed_only_while_brand_new() -> None:
    query = DutchQuery()
    wrong = ("coral", "3.5", "1.2")
    right = (("skybet", "1.9", "1.9"), ("betway", "1.85", "1.95"))
    (new,) = picture(tennis(wrong, *right)).dutches(query, NOW).dutches
    assert new.legs[0].place == "coral"
    (old,) = picture(tennis(wrong, *right, age_s=31)).dutches(query, NOW).dutches
    assert {leg.place for leg in old.legs} == {"skybet", "betway"}


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("bookmaker", DutchQuery(kind=BetKind.FREE_BET_SNR)),
        ("bookmaker", DutchQuery(free_bet_value=D(10))),
        ("ranking", DutchQuery(ranking=Ranking.VALUE_PER_LIABILITY)),
        ("only_arbs", DutchQuery(bookmaker="a", kind=BetKind.REFUND, only_arbs=True)),
        ("stake", DutchQuery(stake=D(0))),
        ("refund_value", DutchQuery(refund_value=D(5))),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(field: str, query: DutchQuery) -> None:
    with pytest.raises(InvalidInput) as refused:
        MarketSnapshot(RULES).dutches(query, NOW)
    assert refused.value.field == field
