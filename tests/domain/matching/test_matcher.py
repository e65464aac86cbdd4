from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kos.domain.market import Verdict
from kos.domain.matching import BookmakerFixture, ExchangeFixture, FixtureMatch, Matcher

NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)


def left(
    home: str, away: str, key: str = "soccer_epl", *, at: int = 0, name: str = "L"
) -> BookmakerFixture:
    return BookmakerFixture(name, key, NOON + timedelta(minutes=at), home, away)


def right(
    name: str,
    event_type: str = "Soccer",
    competition: str = "English Premier League",
    *,
    at: int = 0,
    runners: tuple[str, ...] = (),
    event: str = "R",
) -> ExchangeFixture:
    return ExchangeFixture(
        event, event_type, competition, name, NOON + timedelta(minutes=at), runners
    )


def only(one: BookmakerFixture, *others: ExchangeFixture) -> FixtureMatch:
    (found,) = Matcher().match([one], others)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (left("Manchester United", "Nottingham Forest"), right("Man Utd v Nottm Forest")),
        (left("Brøndby IF", "Odense Boldklub", "soccer_denmark_superliga"), right("Brondby v OB")),
        (left("Vaasan PS", "FF Jaro", "soccer_finland_veikkausliiga"), right("VPS v Jaro")),
        (
            left("Boston Celtics", "Los Angeles Lakers", "basketball_nba"),
            right("LA Lakers @ Boston", "Basketball", "NBA"),
        ),
        (
            left("Alexander Zverev", "Cameron Norrie", "tennis_atp_paris_masters", at=200),
            right("A Zverev v Norrie", "Tennis", "ATP Paris"),
        ),
        (
            left("Song Yadong", "Mauricio Ruffy", "mma_mixed_martial_arts"),
            right("Yadong Song v Maricio Ruffy", "Mixed Martial Arts", "UFC"),
        ),
    ],
)
def test_short_forms_of_the_exchange_are_known(
    one: BookmakerFixture, other: ExchangeFixture
) -> None:
    found = only(one, other)
    assert found.verdict is Verdict.MATCH
    assert not found.is_swapped


@pytest.mark.parametrize(
    "name",
    [
        "Chelsea (W) v Arsenal (W)",
        "Chelsea Women v Arsenal",
        "Chelsea U21 v Arsenal U21",
        "Chelsea B v Arsenal B",
        "Chelsea (Res) v Arsenal (Res)",
        "Chelsea v Aston Villa",
        "xxDNDxx Chelsea v Arsenal",
        "Chelsea",
    ],
)
def test_another_kind_of_side_or_another_opponent_is_refused(name: str) -> None:
    assert only(left("Chelsea", "Arsenal"), right(name)).verdict is Verdict.NONE


def test_swapped_sides_are_told() -> None:
    found = only(left("Chelsea", "Arsenal"), right("Arsenal v Chelsea"))
    assert (found.verdict, found.is_swapped) == (Verdict.MATCH, True)


def test_away_at_home_is_not_swapped() -> None:
    one = left("Boston Bruins", "New York Rangers", "icehockey_nhl")
    found = only(one, right("NY Rangers @ Boston Bruins", "Ice Hockey", "NHL"))
    assert (found.verdict, found.is_swapped) == (Verdict.MATCH, False)


def test_a_kickoff_beyond_the_window_unmatches() -> None:
    one, far = left("Chelsea", "Arsenal"), right("Chelsea v Arsenal", at=400)
    assert only(one, far).verdict is Verdict.NONE
