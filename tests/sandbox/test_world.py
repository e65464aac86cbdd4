"""What holds in every world, whatever its seed and hour."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.sandbox import ticks
from kos.sandbox.bookmakers import BOOKMAKERS, BY_KEY, FRACTIONAL, Bookmaker, uk_bookmakers
from kos.sandbox.clock import WorldClock, iso, iso_ms
from kos.sandbox.exchange import WorldExchange
from kos.sandbox.fixtures import Fixture
from kos.sandbox.leagues import LEAGUES, Style
from kos.sandbox.prices import Prices, outcome_names
from kos.sandbox.world import World
from tests.profiles import examples

NOON = 1_800_000_000.0
MOMENTS = st.floats(min_value=1_767_225_600, max_value=1_893_456_000)
SEEDS = st.integers(min_value=0, max_value=10**9)
KEYS = st.sampled_from([league.key for league in LEAGUES])


def fixtures(world: World, at: float) -> list[Fixture]:
    return [fixture for league in LEAGUES for fixture in world.on_feed(league.key, at)]


def test_there_are_at_least_66_leagues_of_real_names_in_both_dialects() -> None:
    assert len(LEAGUES) >= 66
    assert len({league.key for league in LEAGUES}) == len(LEAGUES)
    for league in LEAGUES:
        assert len(league.sides) % 2 == 0
        for names in (
            [s.feed for s in league.sides],
            [s.exchange for s in league.sides],
            [s.runner for s in league.sides],
        ):
            assert len(set(names)) == len(names), league.key
        for side in league.sides:
            assert side.feed
            assert side.exchange.isascii()
            assert side.runner.isascii()
            assert max(len(side.exchange), len(side.runner)) <= 23


def test_there_are_25_uk_bookmakers_beside_three_exchanges() -> None:
    assert len(uk_bookmakers()) == 25
    assert len({bookmaker.key for bookmaker in BOOKMAKERS}) == len(BOOKMAKERS)
    exchanges = {
        bookmaker.key
        for bookmaker in BOOKMAKERS
        if bookmaker.is_exchange and "uk" in bookmaker.regions
    }
    assert exchanges == {"betfair_ex_uk", "smarkets", "matchbook"}


def test_the_ladder_has_the_350_prices_of_the_exchange() -> None:
    assert len(ticks.TICKS) == 350
    assert ticks.TICKS[0] == 1.01
    assert ticks.TICKS[-1] == 1000
    assert ticks.TICKS[ticks.at_or_below(2.99)] == 2.98
    assert ticks.TICKS[ticks.at_or_above(2.99)] == 3.0
    assert ticks.TICKS[ticks.at_or_below(0.5)] == 1.01
    assert ticks.TICKS[ticks.at_or_above(2000)] == 1000


@settings(max_examples=examples(25))
@given(seed=SEEDS, at=MOMENTS, key=KEYS)
def test_a_league_lists_five_to_25_fixtures_and_no_uid_twice(
    seed: int, at: float, key: str
) -> None:
    world = World(seed)
    listed = world.on_feed(key, at)
    assert 5 <= len(listed) <= 25
    known = world.fixtures(key, at)
    assert len({fixture.uid for fixture in known}) == len(known)
    assert len({fixture.feed_id for fixture in known}) == len(known)
    for fixture in known:
        assert world.by_uid(fixture.uid, at) is fixture
        assert fixture.home != fixture.away


@settings(max_examples=examples(25))
@given(seed=SEEDS, at=MOMENTS, key=KEYS)
def test_probabilities_sum_to_one_before_and_in_play(seed: int, at: float, key: str) -> None:
    for fixture in World(seed).fixtures(key, at):
        for moment in (at, fixture.off_at - 1, fixture.off_at + 1, fixture.ends_at):
            chances = fixture.probabilities(moment)
            assert len(chances) == len(outcome_names(fixture))
            assert math.isclose(sum(chances), 1.0)
            assert min(chances) > 0


@settings(max_examples=examples(25))
@given(seed=SEEDS, at=MOMENTS, key=KEYS, bookmaker=st.sampled_from(BOOKMAKERS))
def test_prices_are_above_one_and_keep_to_the_bookmaker_s_margin_and_grid(
    seed: int, at: float, key: str, bookmaker: Bookmaker
) -> None:
    world, prices = World(seed), Prices(seed)
    for fixture in world.on_feed(key, at):
        reading = prices.reading(bookmaker, fixture, at)
        assert at - 900 <= reading.read_at <= at
        for market, offers in reading.markets:
            assert all(offer.price > 1 for offer in offers)
            if bookmaker.is_exchange:
                assert all(offer.price in ticks.TICKS for offer in offers)
            elif bookmaker.grid == "fractional":
                assert all(offer.price in FRACTIONAL for offer in offers)
            if market == "h2h" and not bookmaker.is_exchange:
                implied = sum(1 / offer.price for offer in offers)
                assert 0.93 < implied < bookmaker.overround(fixture.league.popularity) + 0.12


@settings(max_examples=examples(20))
@given(seed=SEEDS, at=MOMENTS, key=KEYS)
def test_the_exchange_s_books_never_cross_and_run_outwards(seed: int, at: float, key: str) -> None:
    prices = Prices(seed)
    for fixture in World(seed).fixtures(key, at):
        for runner in prices.ladder(fixture, at):
            back = [level.price for level in runner.to_back]
            lay = [level.price for level in runner.to_lay]
            assert back == sorted(set(back), reverse=True)
            assert lay == sorted(set(lay))
            assert set(back + lay) <= set(ticks.TICKS)
            assert all(level.size >= 2 for level in runner.to_back + runner.to_lay)
            if back and lay:
                assert back[0] < lay[0]


def test_the_same_seed_and_moment_give_the_same_world_in_any_order() -> None:
    one, two = World(5), World(5)
    two.fixtures("soccer_epl", NOON + 40 * 86400)
    two.fixtures("soccer_epl", NOON - 40 * 86400)
    assert one.fixtures("soccer_epl", NOON) == two.fixtures("soccer_epl", NOON)
    assert one.fixtures("soccer_epl", NOON) != World(6).fixtures("soccer_epl", NOON)


def test_fixtures_roll_forward() -> None:
    world = World(5)
    today = {fixture.feed_id for fixture in fixtures(world, NOON)}
    tomorrow = {fixture.feed_id for fixture in fixtures(world, NOON + 86400)}
    next_week = {fixture.feed_id for fixture in fixtures(world, NOON + 8 * 86400)}
    assert today & tomorrow
    assert tomorrow - today
    assert not today & next_week


def test_kickoffs_lie_from_minutes_to_days_ahead_and_some_games_are_under_way() -> None:
    listed = fixtures(World(5), NOON)
    ahead = [fixture.kickoff(NOON) - NOON for fixture in listed]
    assert any(0 < seconds < 3600 for seconds in ahead)
    assert any(seconds > 3 * 86400 for seconds in ahead)
    assert any(fixture.is_in_play(NOON) for fixture in listed)


def test_the_odd_things_of_life_happen() -> None:
    world = World(5)
    known = [fixture for league in LEAGUES for fixture in world.fixtures(league.key, NOON)]
    kinds = Counter(fixture.kind for fixture in known)
    assert min(kinds[kind] for kind in ("double", "women", "reserves", "doubles")) > 0
    assert any(math.isfinite(fixture.moved_at) for fixture in known)
    assert any(fixture.on_feed and not fixture.on_exchange for fixture in known)
    assert any(
        fixture.on_exchange and not fixture.on_feed and fixture.kind == "plain" for fixture in known
    )
    assert any(fixture.is_swapped for fixture in known)
    assert any(fixture.start_shift_s for fixture in known)
    assert any(fixture.pauses for fixture in known)
    assert any(fixture.event_name.endswith(" (W)") for fixture in known)


def test_a_postponed_game_keeps_its_id_and_moves_its_kickoff() -> None:
    world = World(5)
    moved = next(
        f for key in LEAGUES for f in world.fixtures(key.key, NOON) if math.isfinite(f.moved_at)
    )
    assert moved.kickoff(moved.moved_at - 1) == moved.planned_at
    assert moved.kickoff(moved.moved_at) == moved.planned_at + moved.moved_by


def test_american_events_put_the_away_side_first() -> None:
    for fixture in World(5).fixtures("basketball_nba", NOON):
        assert fixture.league.discipline.style is Style.AWAY_AT_HOME
        assert fixture.event_name == f"{fixture.away.exchange} @ {fixture.home.exchange}"


def test_prices_drift_and_jump() -> None:
    fixture = next(
        f for f in World(5).on_feed("soccer_epl", NOON) if f.off_at > NOON + 86400 and f.jumps
    )
    before = [fixture.probabilities(NOON + minute * 60)[0] for minute in range(0, 1440, 10)]
    assert len(set(before)) > 100
    moment, change = fixture.jumps[0]
    rise = fixture.probabilities(moment)[0] - fixture.probabilities(moment - 1)[0]
    assert rise * change > 0
    assert abs(rise) > 0.005


def test_a_suspended_market_rises_in_version_and_most_bookmakers_leave_it() -> None:
    world, prices = World(5), Prices(5)
    fixture = next(
        f for f in fixtures(world, NOON) if f.pauses and f.on_exchange and f.pauses[0][1] < f.off_at
    )
    start, end = fixture.pauses[0]
    middle = (start + end) / 2
    assert fixture.is_paused(middle)
    assert fixture.version(start - 1) < fixture.version(middle) < fixture.version(end)
    assert prices.reading(BY_KEY["betfair_ex_uk"], fixture, end - 1).read_at <= end
    exchange = WorldExchange(world, prices, WorldClock(now=lambda: middle))
    book = exchange.book(f"1.{200_000_000 + fixture.uid * 4}", is_virtual=True, is_delayed=False)
    assert book is not None
    assert book.status == "SUSPENDED"


def test_ratings_have_a_real_spread() -> None:
    """The best back price of 25 bookmakers against the exchange's lay at 2 % commission."""
    world, prices = World(5), Prices(5)
    exchange, books = BY_KEY["betfair_ex_uk"], uk_bookmakers()
    ratings = []
    for fixture in fixtures(world, NOON):
        lay = dict(prices.reading(exchange, fixture, NOON).markets).get("h2h_lay", ())
        best: dict[str, float] = {}
        for bookmaker in books:
            for market, offers in prices.reading(bookmaker, fixture, NOON).markets:
                for offer in offers if market == "h2h" else ():
                    best[offer.name] = max(best.get(offer.name, 0), offer.price)
        ratings += [
            98 * best[o.name] / (o.price - 0.02) for o in lay if 1.2 < best.get(o.name, 0) < 12
        ]
    ratings.sort()
    assert len(ratings) > 400
    assert 92 < ratings[len(ratings) // 2] < 97
    assert 1 <= sum(rating > 100 for rating in ratings) < len(ratings) * 0.05
    assert ratings[len(ratings) // 20] < 93


def test_a_fast_world_agrees_with_the_clock_on_the_wall() -> None:
    wall = [NOON]
    clock = WorldClock(speed=60, now=lambda: wall[0])
    assert clock.wall(clock.world(NOON + 5)) == NOON + 5
    wall[0] += 60
    assert clock.now() == NOON + 3600
    assert clock.wall(NOON + 86400) == NOON + 1440
    with clock.held(NOON):
        assert clock.now() == NOON
    with pytest.raises(ValueError, match="speed"):
        WorldClock(speed=0)


def test_a_world_can_start_at_another_time() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    clock = WorldClock(now=lambda: NOON, start=start)
    assert clock.now() == start.timestamp()


def test_times_are_printed_as_each_service_prints_them() -> None:
    assert iso(NOON + 0.9) == "2027-01-15T08:00:00Z"
    assert iso_ms(NOON + 0.25) == "2027-01-15T08:00:00.250Z"
