"""What of an event's blocks counts, and what is passed over."""

from __future__ import annotations

import gc
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kos.domain.market.quotes import BookmakerQuotes, EventQuotes
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.event_prices import EventPrices
from kos.domain.opportunities.market_snapshot import MarketSnapshot
from kos.domain.opportunities.opportunity import OpportunityQuery, Rejection
from kos.domain.opportunities.scoring import ScoringRules
from tests.builders import NOW, book, bookmaker, event, exchange_market, quotes_market
from tests.domain.opportunities.test_market_snapshot import BACKS, LAYS, ask, coral, picture_of

D = Decimal
TOTALS = quotes_market({"Over": "1.9", "Under": "1.9"}, key="totals")
LAYABLE = quotes_market({"Leeds": "2.54"}, key="h2h_lay", limits={"Leeds": 500})


def outcome_of(*blocks: BookmakerQuotes, rules: ScoringRules | None = None) -> tuple[int, int]:
    """How many prices were considered, and how many pairs are offered."""
    made = MarketSnapshot(rules or ScoringRules())
    made.apply_quotes("soccer_epl", (event(*blocks),), NOW)
    answer = made.best(OpportunityQuery(), NOW)
    return answer.considered, len(answer.opportunities)


def test_other_markets_beside_head_to_head_change_nothing() -> None:
    h2h = quotes_market(BACKS)
    plain = outcome_of(bookmaker("coral", h2h), bookmaker("smarkets", LAYABLE))
    assert plain == (3, 1)
    assert (
        outcome_of(bookmaker("coral", TOTALS, h2h, TOTALS), bookmaker("smarkets", TOTALS, LAYABLE))
        == plain
    )
    assert outcome_of(bookmaker("coral", TOTALS), bookmaker("smarkets", LAYABLE)) == (0, 0)


def test_an_exchange_that_lists_nothing_to_lay_gives_none() -> None:
    blocks = (bookmaker("coral", quotes_market(BACKS)), bookmaker("smarkets", quotes_market(BACKS)))
    assert outcome_of(*blocks) == (3, 0)


def test_an_exchange_without_a_known_commission_is_no_place_to_back_or_lay() -> None:
    rules = ScoringRules(commissions={})
    blocks = (
        bookmaker("coral", quotes_market(BACKS)),
        bookmaker("smarkets", quotes_market(BACKS), LAYABLE),
        bookmaker("matchbook", quotes_market(BACKS)),
    )
    assert outcome_of(*blocks, rules=rules) == (3, 0)


def test_a_lay_price_of_one_is_none() -> None:
    none = quotes_market({"Leeds": "1"}, key="h2h_lay", limits={"Leeds": 500})
    blocks = (bookmaker("coral", quotes_market(BACKS)), bookmaker("smarkets", none))
    assert outcome_of(*blocks) == (3, 0)


def test_a_market_without_a_base_rate_is_charged_the_usual_one() -> None:
    market = exchange_market({"Leeds": 1, "York": 2, "The Draw": 3}, base_rate=None)
    rules = ScoringRules(commissions={"betfair": D("0.03")})
    made = picture_of(event(coral()), books=(book(LAYS),), markets=(market,), rules=rules)
    assert {found.commission for found in ask(made).opportunities} == {D("0.03")}


@pytest.mark.parametrize("side", ["home", "away"])
def test_an_event_without_two_sides_has_no_dutch(side: str) -> None:
    dutch = event(
        *(
            bookmaker(key, quotes_market({**BACKS, name: "9"}))
            for key, name in zip(("a", "b", "c"), BACKS, strict=True)
        )
    )
    found = [dutches(one) for one in (dutch, msgspec.structs.replace(dutch, **{side: None}))]
    assert [bool(answer.dutches) for answer in found] == [True, False]


def dutches(one: EventQuotes, **query: Any) -> Any:
    made = MarketSnapshot(ScoringRules())
    made.apply_quotes("soccer_epl", (one,), NOW)
    return made.dutches(DutchQuery(**query), NOW)


def test_an_event_that_is_gone_is_freed_at_once_after_a_dutch_was_asked_of_it() -> None:
    made = MarketSnapshot(ScoringRules())
    gone = event(coral(), id="gone")
    made.apply_quotes("soccer_epl", (gone,), NOW)
    assert made.dutches(DutchQuery(), NOW).considered == 1
    gc.disable()  # no collector's round: what is left is freed by its last user
    try:
        made.apply_quotes("soccer_epl", (), NOW)
        kept = [one for one in gc.get_objects() if type(one) is EventPrices]
        assert not [one for one in kept if one.quotes is gone]
    finally:
        gc.enable()


@pytest.mark.parametrize("spelling", ["The Draw", "tie", "X"])
def test_a_draw_is_covered_however_its_source_spells_it(spelling: str) -> None:
    prices = {("Draw" if name == spelling else name): odds for name, odds in BACKS.items()}
    spelt = {(spelling if name == "Draw" else name): odds for name, odds in prices.items()}
    picture = picture_of(event(coral(spelt)), books=(book(LAYS),))
    assert {pair.outcome for pair in ask(picture).opportunities} == {"Leeds", "York", "Draw"}


def test_a_bookmaker_that_quotes_nothing_has_no_first_leg() -> None:
    one = event(*(bookmaker(key, quotes_market(BACKS)) for key in ("coral", "betway", "bet365")))
    assert dutches(one, bookmaker="coral").dutches
    assert dutches(one, bookmaker="skybet").dutches == ()


@pytest.mark.parametrize(
    ("sport_key", "age_s", "reasons"),
    [
        ("basketball_nba", 0, {Rejection.DRAW: 1, Rejection.OTHER_BET: 2}),
        ("basketball_nba", 1801, {Rejection.DRAW: 1, Rejection.OTHER_BET: 2}),
        ("basketball_nba_championship_winner", 0, {Rejection.DRAW: 1, Rejection.OTHER_BET: 1}),
        ("basketball_nba_championship_winner", 1801, {Rejection.DRAW: 1, Rejection.STALE_BACK: 2}),
    ],
)
def test_a_draw_is_refused_where_a_match_settles_without_one(
    sport_key: str, age_s: int, reasons: dict[Rejection, int]
) -> None:
    prices = quotes_market(
        {"Leeds": "1.9", "York": "2.0", "Draw": "30"}, updated_at=NOW - timedelta(seconds=age_s)
    )
    lays = quotes_market({"Leeds": "1.92"}, "h2h_lay", limits={"Leeds": 500})
    one = event(
        bookmaker("coral", prices),
        bookmaker("betway", quotes_market({"Leeds": "1.9", "York": "2.0"})),
        bookmaker("smarkets", lays),
        sport_key=sport_key,
    )
    made = MarketSnapshot(ScoringRules())
    made.apply_quotes(sport_key, (one,), NOW)
    rejected = made.best(OpportunityQuery(), NOW).rejected
    counted = {Rejection.DRAW, Rejection.OTHER_BET, Rejection.STALE_BACK}
    assert {reason: rejected[reason] for reason in counted if reason in rejected} == reasons
