"""From two lists of names to the word the picture needs."""

from __future__ import annotations

import msgspec
import pytest

from kos.domain.market.quotes import (
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    OutcomeRunner,
    Verdict,
)
from kos.domain.matching import Matcher
from kos.domain.matching.reconcile import (
    bookmaker_fixture,
    event_match,
    exchange_fixture,
    head_to_head_outcomes,
)
from tests.builders import bookmaker, event, exchange_market, quotes_market

PRICES = {"Leeds": "2.5", "York": "3.1", "Draw": "3.4"}
RUNNERS = {"York": 2, "Leeds": 1, "The Draw": 3}


def quotes() -> EventQuotes:
    return event(
        bookmaker("coral", quotes_market(PRICES), quotes_market({"Over": "1.9"}, key="totals")),
        bookmaker("bet365", quotes_market({"York": "3", "Leeds": "2.4"})),
    )


def decided(
    market: ExchangeMarket, outcomes: tuple[str, ...] = ("Leeds", "York", "Draw")
) -> EventMatch:
    matcher = Matcher()
    fixture = bookmaker_fixture(quotes())
    assert fixture is not None
    (verdict,) = matcher.match([fixture], [exchange_fixture(market)])
    found = market if verdict.right_id == market.market_id else None
    return event_match(matcher, fixture, outcomes, verdict, found)


@pytest.mark.parametrize("missing", ["home", "away"])
def test_an_event_without_two_sides_is_none_for_the_matcher(missing: str) -> None:
    assert bookmaker_fixture(msgspec.structs.replace(quotes(), **{missing: None})) is None


def test_the_outcomes_are_those_of_head_to_head_markets_each_once() -> None:
    assert head_to_head_outcomes(quotes()) == ("Leeds", "York", "Draw")


def test_each_outcome_of_a_match_is_given_its_runner() -> None:
    market = exchange_market(RUNNERS)
    found = decided(market)
    assert (found.verdict, found.market_id, found.exchange_event_id) == (
        Verdict.MATCH,
        market.market_id,
        market.event_id,
    )
    assert set(found.outcomes) == {
        OutcomeRunner("Leeds", 1, "Leeds"),
        OutcomeRunner("York", 2, "York"),
        OutcomeRunner("Draw", 3, "The Draw"),
    }


def test_a_match_of_another_form_of_bet_is_a_doubt_with_the_reason_and_no_runners() -> None:
    found = decided(exchange_market({"York": 2, "Leeds": 1}))
    assert (found.verdict, found.outcomes) == (Verdict.DOUBT, ())
    assert "draw" in found.reasons[-1]
    assert len(found.reasons) > 1


def test_where_nothing_is_quoted_a_match_stays_one_and_gives_no_runner() -> None:
    found = decided(exchange_market(RUNNERS), ())
    assert (found.verdict, found.outcomes) == (Verdict.MATCH, ())


def test_without_a_partner_no_market_is_named() -> None:
    found = decided(msgspec.structs.replace(exchange_market(RUNNERS), event_name="Hull v Barnsley"))
    assert (found.verdict, found.market_id, found.exchange_event_id) == (Verdict.NONE, None, None)
    assert found.outcomes == ()
