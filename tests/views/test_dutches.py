"""What an operator reads about a dutch, a refund and one opportunity in detail."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import (
    BetKind,
    OpportunityQuery,
    OpportunityState,
    Rejection,
)
from kos.domain.opportunities.scoring import ScoringRules
from kos.views.detail import factor_rows, opportunity_detail_view
from kos.views.dutches import LEG_COLUMNS, LegRow, dutches_view
from kos.views.opportunities import columns_of, opportunities_view
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market

D = Decimal
PRICES = {"Leeds": "2.5", "York": "2.0", "Draw": "3.1"}
OTHERS = {"Leeds": "2.0", "York": "2.9", "Draw": "3.0"}
THIRD = {"Leeds": "2.0", "York": "2.0", "Draw": "3.5"}


def picture(available: int = 180) -> MarketSnapshot:
    made = MarketSnapshot(ScoringRules(liquidity_floors={"soccer": D(1)}))
    seen = NOW - timedelta(seconds=75)
    makers = {"coral": PRICES, "skybet": OTHERS, "betway": THIRD}
    made.apply_quotes(
        "soccer_epl",
        (event(*(bookmaker(k, quotes_market(p, updated_at=seen)) for k, p in makers.items())),),
        NOW,
    )
    made.apply_matches(
        "soccer_epl",
        (match({"Leeds": 1, "York": 2, "Draw": 3}, confidence=0.97),),
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}, base_rate="0.02"),),
    )
    made.apply_books((book({1: ("2.54", available)}, is_delayed=True),))
    return made


def test_a_dutch_is_told_bet_by_bet_with_each_outcome() -> None:
    query = DutchQuery(stake=D(100), with_exchanges=False)
    view = dutches_view(picture().dutches(query, NOW), query)
    assert view.title == "Dutching, £100.00 total stake, bookmakers only"
    assert view.summary == "Showing 1 of 1"
    (row,) = view.rows
    assert (row.event, row.kickoff, row.starts_in) == (
        "Leeds v York",
        "Sat 14 Mar, 13:30",
        "1h 30 min",
    )
    assert [(leg.action, leg.covers, leg.place, leg.odds, leg.stake) for leg in row.legs] == [
        ("Back Leeds", "Leeds", "Coral", "2.50", "£38.81"),
        ("Back York", "York", "Skybet", "2.90", "£33.46"),
        ("Back Draw", "Draw", "Betway", "3.50", "£27.72"),
    ]
    assert row.legs[0].age == "1 min"
    assert row.outcomes == (("Leeds", "-£2.97"), ("York", "-£2.96"), ("Draw", "-£2.97"))
    assert (row.total, row.profit, row.rating, row.book) == (
        "£99.99",
        "-£2.97",
        "97.04%",
        "103.05%",
    )
    assert row.warnings == (
        "check that every site settles the same way: extra time, dead heats, retirements",
    )


def test_a_lay_leg_tells_what_it_covers_and_what_is_short() -> None:
    query = DutchQuery(bookmaker="coral", stake=D(100), min_odds=D("2.5"), max_odds=D("2.5"))
    view = dutches_view(picture(available=20).dutches(query, NOW), query)
    assert view.title == "Dutching using a £100.00 qualifying bet at Coral"
    leg = view.rows[0].legs[1]
    assert (leg.action, leg.covers, leg.place) == ("Lay Leeds", "York or Draw", "Betfair")
    assert (leg.stake, leg.outlay, leg.available) == ("£99.21", "£152.78", "£20.00")
    assert view.rows[0].warnings == (
        "Betfair, Leeds: only £20.00 of the £99.21 you need is available at this price",
        "Betfair, Leeds: price may be delayed by up to 3 minutes",
        ("Betfair, Leeds: team names matched with 97% confidence: check it is the same event"),
        "check that every site settles the same way: extra time, dead heats, retirements",
    )


@pytest.mark.parametrize(
    ("query", "title"),
    [
        (
            DutchQuery(only_arbs=True, sport="soccer"),
            "Dutching arbs, £10.00 total stake, in Soccer",
        ),
        (
            DutchQuery(bookmaker="coral", kind=BetKind.REFUND, refund_value=D(5)),
            "Dutching using a £10.00 bet at Coral with £5.00 back as a free bet",
        ),
        (
            DutchQuery(bookmaker="coral", free_bet_value=D(30)),
            "Dutching using a £10.00 qualifying bet at Coral, to earn a £30.00 free bet",
        ),
    ],
)
def test_a_dutchs_title_says_what_was_asked(query: DutchQuery, title: str) -> None:
    assert dutches_view(picture().dutches(query, NOW), query).title == title


def test_every_column_of_a_leg_is_a_field_of_its_row() -> None:
    assert {field for field, _ in LEG_COLUMNS} <= set(LegRow.__struct_fields__)


def test_a_refund_is_told_with_what_it_counts_for() -> None:
    query = OpportunityQuery(kind=BetKind.REFUND, stake=D(10))
    view = opportunities_view(picture().best(query, NOW), query)
    assert view.title == ("£10.00 bets with £10.00 back as a free bet if they lose")
    row = view.rows[0]
    assert row.refund == "£10.00 as £7.50"
    assert (row.lay_stake, row.if_back_wins, row.if_back_loses) == ("£6.94", "£4.31", "£4.30")
    assert not any(warning.startswith("arb") for warning in row.warnings)
    in_cash = OpportunityQuery(kind=BetKind.REFUND, is_refund_cash=True)
    assert opportunities_view(picture().best(in_cash, NOW), in_cash).rows[0].refund == (
        "£10.00 in cash"
    )


def test_columns_are_those_that_say_something_of_the_kind() -> None:
    by_kind = {kind: {field for field, _ in columns_of(kind)} for kind in BetKind}
    assert "refund" in by_kind[BetKind.REFUND]
    assert "retention" not in by_kind[BetKind.REFUND] | by_kind[BetKind.QUALIFYING]
    assert "retention" in by_kind[BetKind.FREE_BET_SNR]
    assert "refund" not in by_kind[BetKind.FREE_BET_SR]


def detail(kind: BetKind = BetKind.QUALIFYING, available: int = 180) -> OpportunityState:
    made = picture(available)
    query = OpportunityQuery(kind=kind)
    found = made.best(query, NOW).opportunities[0]
    return made.standing(found.id, query, NOW)


def test_a_detail_says_what_to_do_what_it_brings_and_why_it_ranks_there() -> None:
    view = opportunity_detail_view(detail())
    assert view.row is not None
    assert view.gone == ""
    assert view.steps == (
        "Back Leeds at Coral: £10.00 at 2.50",
        "Lay Leeds at Betfair: £9.92 at 2.54, liability £15.28",
    )
    assert view.outcomes == (("If Leeds win", "-£0.28"), ("Any other result", "-£0.28"))
    assert [(each.name, each.value) for each in view.factors] == [
        ("Free bet value", "£10.00"),
        ("Qualifying loss", "£0.28"),
        ("Minutes to start", "90 min"),
        ("Retention", "75%"),
        ("Fill", "100%"),
        ("Score", "0.29933 per minute"),
        ("Tier", "0"),
        ("Liquidity floor", "£1.00"),
        ("Rating", "97.22%"),
        ("Commission", "2%"),
        ("Name match", "97%"),
    ]
    assert all(each.why for each in view.factors)


def test_a_refunds_detail_names_the_refund() -> None:
    view = opportunity_detail_view(detail(BetKind.REFUND))
    assert view.steps[0].endswith(", refunded if it loses")
    assert view.outcomes[1][1] == "£4.30, including the £10.00 as £7.50 refund"
    why = {each.name: each.why for each in view.factors}
    assert why["Retention"] == "what £1 of refund is valued at"
    assert why["Qualifying loss"].startswith("divides: no loss")


def test_a_free_bets_factors_speak_of_its_face() -> None:
    state = detail(BetKind.FREE_BET_SNR, available=3)
    assert state.opportunity is not None
    why = {each.name: each.why for each in factor_rows(state.opportunity)}
    assert why["Free bet value"] == "value of the free bet"
    assert why["Fill"] == "£3.00 available at this price; you need £5.95"
    unknown = msgspec.structs.replace(state.opportunity, lay_available=None)
    why = {each.name: each.why for each in factor_rows(unknown)}
    assert why["Fill"].startswith("liquidity unknown")


@pytest.mark.parametrize(
    ("since", "text"),
    [
        (None, "No longer available: stale lay price. Check both sites before you bet."),
        (
            NOW - timedelta(minutes=3),
            (
                "No longer available since 11:57 (3 min ago): stale lay price. "
                "Check both sites before you bet."
            ),
        ),
    ],
)
def test_what_is_gone_says_why_and_since_when(since: object, text: str) -> None:
    state = msgspec.structs.replace(
        OpportunityState(as_of=NOW, opportunity=None, rejection=Rejection.STALE_LAY), since=since
    )
    assert opportunity_detail_view(state).gone == text
