"""What an operator reads about an opportunity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.books.calendar import uk_time
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import BetKind, OpportunityAnswer, OpportunityQuery
from kos.domain.opportunities.scoring import ScoringRules
from kos.views.opportunities import (
    COLUMNS,
    OpportunityRow,
    duration,
    exchange_name,
    odds,
    opportunities_view,
    pounds,
)
from tests.builders import NOW, book, bookmaker, event, exchange_market, match, quotes_market

D = Decimal
QUERY = OpportunityQuery(stake=D(10))


def answer(
    query: OpportunityQuery = QUERY, available: int = 180, later_s: int = 0
) -> OpportunityAnswer:
    picture = MarketSnapshot(ScoringRules(liquidity_floors={"soccer": D(1)}))
    prices = {"Leeds": "2.5", "York": "3.1", "Draw": "3.4"}
    picture.apply_quotes(
        "soccer_epl",
        (event(bookmaker("coral", quotes_market(prices, updated_at=NOW - timedelta(seconds=75)))),),
        NOW,
    )
    runners = {"Leeds": 1, "York": 2, "Draw": 3}
    picture.apply_matches(
        "soccer_epl",
        (match(runners, confidence=0.97),),
        (exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}, base_rate="0.02"),),
    )
    picture.apply_books((book({1: ("2.54", available), 2: None, 3: None}, is_delayed=True),))
    return picture.best(query, NOW + timedelta(seconds=later_s))


def row(query: OpportunityQuery = QUERY, available: int = 180, later_s: int = 0) -> OpportunityRow:
    return opportunities_view(answer(query, available, later_s), query).rows[0]


def test_a_row_says_all_that_is_needed_to_place_both_bets() -> None:
    shown = row(later_s=30)
    assert shown.event == "Leeds v York"
    assert shown.kickoff == "Sat 14 Mar, 13:30"
    assert shown.starts_in == "1h 29 min"
    assert (shown.selection, shown.bookmaker, shown.exchange) == ("Leeds", "Coral", "Betfair")
    assert (shown.back_odds, shown.lay_odds) == ("2.50", "2.54")
    assert (shown.available, shown.lay_stake, shown.liability) == ("£180.00", "£9.92", "£15.28")
    assert (shown.rating, shown.profit, shown.retention) == ("97.22%", "-£0.28", "")
    assert (shown.back_age, shown.lay_age) == ("1 min", "30s")


def test_warnings_name_delay_doubt_and_a_short_market() -> None:
    assert row(available=6).warnings == (
        "only £6.00 of the £9.92 you need is available at this price",
        "lay price may be delayed by up to 3 minutes",
        "team names matched with 97% confidence: check it is the same event",
    )


def test_an_arb_and_an_unknown_liquidity_are_marked() -> None:
    found = msgspec.structs.replace(answer().opportunities[0], tier=1, lay_available=None)
    marked = msgspec.structs.replace(answer(), opportunities=(found,))
    shown = opportunities_view(marked, QUERY).rows[0]
    assert shown.available == "unknown"
    assert shown.warnings[0].startswith("arb:")
    assert shown.warnings[1] == "liquidity unknown"


def test_a_free_bets_retention_is_shown() -> None:
    shown = row(OpportunityQuery(kind=BetKind.FREE_BET_SNR, stake=D(10)))
    assert shown.retention == "58.31%"
    assert shown.profit == "£5.83"


def test_what_was_left_out_is_counted_by_reason() -> None:
    view = opportunities_view(answer(), QUERY)
    assert view.title == "Qualifying bets, £10.00 stake"
    assert view.summary == "Showing 1 of 3. 0 rank lower and 2 were excluded"
    assert view.left_out == ("2 no lay price",)


def test_the_title_says_what_was_asked() -> None:
    query = OpportunityQuery(
        stake=D(10), bookmaker="coral", free_bet_value=D(30), sport="soccer_epl"
    )
    assert opportunities_view(answer(query), query).title == (
        "Qualifying bets at Coral, £10.00 stake, to earn a £30.00 free bet, in Soccer EPL"
    )


def test_every_column_is_a_field_of_the_row() -> None:
    assert {field for field, _ in COLUMNS} <= set(OpportunityRow.__struct_fields__)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "Sun 29 Mar, 00:59"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Sun 29 Mar, 02:00"),
        (datetime(2026, 7, 4, 19, 0, tzinfo=UTC), "Sat 4 Jul, 20:00"),
    ],
)
def test_kickoffs_follow_british_summer_time(moment: datetime, text: str) -> None:
    assert uk_time(moment) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (59.9, "59s"),
        (60, "1 min"),
        (3600, "1h"),
        (5400, "1h 30 min"),
        (86_400, "1d"),
        (180_000, "2d 2h"),
    ],
)
def test_durations_are_said_in_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_money_and_odds_are_said_as_printed_on_a_slip() -> None:
    assert pounds(D("-1234.005")) == "-£1,234.01"
    assert pounds(D("-0.001")) == "£0.00"
    assert (odds(D(5)), odds(D("2.5")), odds(D("14.999"))) == ("5.00", "2.50", "14.999")
    assert exchange_name("betfair_ex_uk") == "Betfair (feed)"
    assert exchange_name("smarkets") == "Smarkets"
