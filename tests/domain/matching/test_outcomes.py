"""Outcomes to runners: by meaning, with the draw, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from kos.domain.matching import BookmakerFixture, ExchangeFixture, Matcher, OutcomesRefused

AT = datetime(2026, 3, 7, 15, 0, tzinfo=UTC)
FOOTBALL = (
    BookmakerFixture("L", "soccer_epl", AT, "Manchester United", "Nottingham Forest"),
    ExchangeFixture(
        "R", "Soccer", "English Premier League", "Man Utd v Nottm Forest", AT,
        ("Man Utd", "Nottm Forest", "The Draw"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("runners", list(permutations(("Man Utd", "Nottm Forest", "The Draw"))))
def test_outcomes_find_their_runners_wherever_they_stand(runners: tuple[str, ...]) -> None:
    outcomes = ["Nottingham Forest", "Draw", "Manchester United"]
    found = Matcher().outcomes(*FOOTBALL, runners, outcomes)
    assert isinstance(found, dict)
    assert {name: runners[i] for name, i in found.items()} == {
        "Manchester United": "Man Utd",
        "Nottingham Forest": "Nottm Forest",
        "Draw": "The Draw",
    }


@pytest.mark.parametrize(
    ("runners", "outcomes"),
    [
        (("Man Utd", "Nottm Forest"), ("Manchester United", "Nottingham Forest", "Draw")),
        (("Man Utd", "Nottm Forest", "The Draw"), ("Manchester United", "Nottingham Forest")),
        (("Man Utd", "The Draw"), ("Manchester United", "Draw")),
        (("Man City", "Everton", "The Draw"), ("Manchester United", "Nottingham Forest", "Draw")),
        (("Man Utd", "Man Utd", "The Draw"), ("Manchester United", "Nottingham Forest", "Draw")),
        (("Man Utd", "Nottm Forest", "The Draw"), ("Over", "Under", "Draw")),
        ((), ()),
    ],
)
def test_what_is_another_bet_or_unsure_is_refused(
    runners: tuple[str, ...], outcomes: tuple[str, ...]
) -> None:
    assert isinstance(Matcher().outcomes(*FOOTBALL, runners, outcomes), OutcomesRefused)


def test_away_at_home_and_a_swapped_fight_go_by_name() -> None:
    bout = BookmakerFixture("L", "mma_mixed_martial_arts", AT, "Diego Lopes", "Jean Silva")
    other = ExchangeFixture(
        "R", "Mixed Martial Arts", "UFC", "Jean Silva v Diego Lopes", AT, ("Jean Silva", "Diego Lopes")
    )  # fmt: skip
    found = Matcher().outcomes(bout, other, other.runners, ["Diego Lopes", "Jean Silva"])
    assert found == {"Diego Lopes": 1, "Jean Silva": 0}


def test_full_event_names_lead_to_short_runners() -> None:
    game = BookmakerFixture("L", "rugbyleague_nrl", AT, "New Zealand Warriors", "Sydney Roosters")
    runners = ("Sydney", "NZ Warriors")
    other = ExchangeFixture(
        "R", "Rugby League", "NRL", "Sydney Roosters v New Zealand Warriors", AT, runners
    )
    found = Matcher().outcomes(game, other, runners, ["New Zealand Warriors", "Sydney Roosters"])
    assert found == {"New Zealand Warriors": 1, "Sydney Roosters": 0}


def test_two_namesakes_are_not_guessed() -> None:
    bout = BookmakerFixture("L", "tennis_atp_dubai", AT, "Mikael Ymer", "Elias Ymer")
    other = ExchangeFixture("R", "Tennis", "ATP Dubai", "Ymer v Ymer", AT, ("Ymer ", "Ymer"))
    found = Matcher().outcomes(bout, other, other.runners, ["Mikael Ymer", "Elias Ymer"])
    assert isinstance(found, OutcomesRefused)
