"""What a question costs, and how it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kos.adapters.oddsapi.questions import (
    OddsQuestion,
    odds_cost,
)


@pytest.mark.parametrize(
    ("question", "cost"),
    [
        (OddsQuestion(), 1),
        (OddsQuestion(regions=("uk", "eu"), markets=("h2h", "totals", "spreads")), 6),
        (OddsQuestion(regions=("uk", "uk")), 1),
        (OddsQuestion(bookmakers=tuple("abcdefghij")), 1),
        (OddsQuestion(bookmakers=tuple("abcdefghijk")), 2),
        (OddsQuestion(regions=("uk", "eu", "us"), bookmakers=("coral",)), 1),
        (OddsQuestion(event_ids=("a",)), 1),
    ],
)
def test_cost_is_markets_times_regions(question: OddsQuestion, cost: int) -> None:
    assert odds_cost(question) == cost


def test_params_name_what_was_asked_and_nothing_else() -> None:
    zone = timezone(timedelta(hours=1))
    question = OddsQuestion(
        bookmakers=("coral", "smarkets"),
        markets=("h2h", "h2h"),
        event_ids=("a", "b"),
        commence_from=datetime(2026, 7, 1, 13, 0, 0, 5, tzinfo=zone),
        commence_to=datetime(2026, 7, 2, tzinfo=UTC),
        include_links=True,
        include_bet_limits=True,
    )
    assert question.params() == {
        "bookmakers": "coral,smarkets",
        "markets": "h2h",
        "oddsFormat": "decimal",
        "dateFormat": "iso",
        "eventIds": "a,b",
        "commenceTimeFrom": "2026-07-01T12:00:00Z",
        "commenceTimeTo": "2026-07-02T00:00:00Z",
        "includeLinks": "true",
        "includeBetLimits": "true",
    }
    assert OddsQuestion().params() == {
        "regions": "uk",
        "markets": "h2h",
        "oddsFormat": "decimal",
        "dateFormat": "iso",
    }
