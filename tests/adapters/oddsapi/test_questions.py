"""What a question costs, and how it is written."""

from __future__ import annotations

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
    ],
)
def test_cost_is_markets_times_regions(question: OddsQuestion, cost: int) -> None:
    assert odds_cost(question) == cost


def test_params_name_what_was_asked_and_nothing_else() -> None:
    question = OddsQuestion(
        bookmakers=("coral", "smarkets"),
        markets=("h2h", "h2h"),
        include_links=True,
        include_bet_limits=True,
    )
    assert question.params() == {
        "bookmakers": "coral,smarkets",
        "markets": "h2h",
        "oddsFormat": "decimal",
        "dateFormat": "iso",
        "includeLinks": "true",
        "includeBetLimits": "true",
    }
    assert OddsQuestion().params() == {
        "regions": "uk",
        "markets": "h2h",
        "oddsFormat": "decimal",
        "dateFormat": "iso",
    }
