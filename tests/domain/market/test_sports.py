"""Facts per sport key."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.sports import SPORT_KEYS, SPORT_WORDS, sport_of, sport_of_event_type
from tests.agreed import assert_agreed
from tests.profiles import examples


@pytest.mark.parametrize(
    ("key", "sport", "outcomes", "event_type_id", "market_type"),
    [
        ("soccer_epl", "soccer", 3, "1", "MATCH_ODDS"),
        ("soccer_a_new_league", "soccer", 3, "1", "MATCH_ODDS"),
        ("tennis_atp_munich", "tennis", 2, "2", "MATCH_ODDS"),
        ("basketball_nba", "basketball", 2, "7522", "MATCH_ODDS"),
        ("icehockey_nhl", "icehockey", 2, "7524", "MONEY_LINE"),
        ("cricket_ipl", "cricket", 2, "4", "MATCH_ODDS"),
        ("cricket_test_match", "cricket", 3, "4", "MATCH_ODDS"),
        ("mma_mixed_martial_arts", "mma", 2, "26420387", "MATCH_ODDS"),
        ("rugbyleague_nrl", "rugbyleague", None, "1477", "MATCH_ODDS"),
        ("golf_the_open_championship_winner", "golf", None, "3", "WINNER"),
    ],
)
def test_key_gives_sport_form_of_bet_and_exchange_codes(
    key: str, sport: str, outcomes: int | None, event_type_id: str, market_type: str
) -> None:
    facts = sport_of(key)
    assert facts.sport == sport
    assert facts.h2h_outcomes == outcomes
    assert facts.event_type_id == event_type_id
    assert facts.market_type == market_type


@pytest.mark.parametrize(
    ("key", "is_away_first"),
    [
        ("basketball_nba", True),
        ("basketball_nba_preseason", True),
        ("basketball_euroleague", False),
        ("basketball_nbl", False),
        ("icehockey_nhl", True),
        ("icehockey_liiga", False),
        ("americanfootball_nfl", True),
        ("baseball_mlb", True),
        ("baseball_kbo", False),
        ("soccer_usa_mls", False),
    ],
)
def test_only_north_american_leagues_are_named_away_at_home(key: str, is_away_first: bool) -> None:
    assert sport_of(key).is_away_first is is_away_first


@pytest.mark.parametrize(
    ("key", "is_excluded"),
    [
        ("americanfootball_nfl", True),
        ("basketball_nba", True),
        ("icehockey_nhl", True),
        ("tennis_wta_dubai", True),
        ("soccer_epl", False),
        ("cricket_test_match", False),
        ("boxing_boxing", False),
    ],
)
def test_draw_is_excluded_where_the_match_market_settles_without_one(
    key: str, is_excluded: bool
) -> None:
    assert sport_of(key).is_draw_excluded is is_excluded


def test_liquidity_floors() -> None:
    assert sport_of("soccer_epl").liquidity_floor == Decimal(50)
    assert sport_of("basketball_nba").liquidity_floor == Decimal(30)
    assert sport_of("soccer_spl").liquidity_floor == Decimal(20)
    assert sport_of("quidditch").liquidity_floor == Decimal(20)


def test_outright_keys_have_no_match_market() -> None:
    facts = sport_of("basketball_nba_championship_winner")
    assert facts.is_outright
    assert not facts.is_away_first
    assert (facts.h2h_outcomes, facts.market_type) == (None, None)


def test_durations_differ_between_formats_of_cricket() -> None:
    assert sport_of("cricket_test_match").duration == timedelta(days=5)
    assert sport_of("cricket_ipl").duration < timedelta(hours=5)


def test_group_decides_where_the_key_is_unknown() -> None:
    assert sport_of("footie_epl", "Soccer").sport == "soccer"


@settings(max_examples=examples(50))
@given(st.text(max_size=60), st.text(max_size=20))
def test_any_key_has_facts_and_a_draw_only_with_three_outcomes(key: str, group: str) -> None:
    facts = sport_of(key, group)
    assert facts.h2h_outcomes in {None, 2, 3}
    assert not (facts.h2h_outcomes == 3 and facts.is_draw_excluded)
    assert facts.liquidity_floor > 0
    assert facts.duration > timedelta(0)


def test_a_sport_is_known_by_the_exchanges_id() -> None:
    for key in ("soccer_epl", "tennis_atp_munich", "golf_the_open_championship_winner"):
        facts = sport_of(key)
        assert facts.event_type_id is not None
        found = sport_of_event_type(facts.event_type_id)
        assert found is not None
        assert found.sport == facts.sport
    assert sport_of_event_type("0") is None


def test_the_facts_of_every_sport_and_of_competitions_with_their_own_are_as_agreed() -> None:
    keys = sorted({*SPORT_KEYS, *SPORT_WORDS.values(), "golf_masters_tournament_winner"})
    lines = [f"{key}: {msgspec.structs.asdict(sport_of(key))}" for key in keys]
    assert_agreed("sports.txt", "\n".join(lines))
