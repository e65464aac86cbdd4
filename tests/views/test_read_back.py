"""What KOS prints for people is read back as the same value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kos.domain.books import double_entry
from kos.domain.books.calendar import LONDON, read_duration, read_moment, uk_time
from kos.domain.market import odds as market_odds
from kos.domain.market.commission import read_rate
from kos.domain.market.odds import read_odds
from kos.domain.money import MOST_POUNDS, from_pence, read_pence, read_pounds
from kos.views import opportunities as views
from kos.views.offers import shown_time
from tests.profiles import examples

PENCE = st.integers(-(10**9), 10**9)
MOMENTS = st.integers(0, 2**32 // 60).map(
    lambda minutes: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(PENCE)
@settings(max_examples=examples(100))
def test_an_amount_as_the_books_print_it(pence: int) -> None:
    assert read_pence("amount", double_entry.pounds(pence)) == pence


@given(st.integers(int(-MOST_POUNDS * 100), int(MOST_POUNDS * 100)))
@settings(max_examples=examples(100))
def test_an_amount_as_a_list_prints_it(pence: int) -> None:
    amount = from_pence(pence)
    assert read_pounds("amount", views.pounds(amount), least=-MOST_POUNDS) == amount


@given(st.decimals("1.01", 1000, places=2) | st.decimals("1.001", 20, places=3))
@settings(max_examples=examples(100))
def test_decimal_odds(price: Decimal) -> None:
    assert read_odds("odds", views.odds(price)) == price


@given(st.sampled_from(sorted(market_odds._TRADITIONAL)))
@settings(max_examples=examples(100))
def test_odds_as_a_bookmaker_chalks_them(profit: Fraction) -> None:
    odds = 1 + profit
    assert read_odds("odds", market_odds.to_traditional(odds)) == odds
    assert read_odds("odds", market_odds.to_fractional(odds)) == odds


@given(st.integers(0, 9999))
@settings(max_examples=examples(100))
def test_a_rate(points: int) -> None:
    rate = Decimal(points) / 10_000
    assert read_rate("commission", views.percent(rate)) == rate
    assert read_rate("commission", views.brief_percent(rate)) == rate


@given(st.integers(1, 59) | st.integers(1, 24 * 60).map(lambda minutes: minutes * 60))
@settings(max_examples=examples(100))
def test_a_length_of_time_of_two_units(seconds: int) -> None:
    assert read_duration("within", views.duration(seconds)) == timedelta(seconds=seconds)


@given(st.integers(1, 400))
@settings(max_examples=examples(50))
def test_days_and_hours(hours: int) -> None:
    assert read_duration("within", views.duration(hours * 3600)) == timedelta(hours=hours)


@given(MOMENTS, st.integers(-180 * 24 * 60, 180 * 24 * 60))
@settings(max_examples=examples(300))
def test_a_moment_of_the_nearest_half_year(now: datetime, minutes: int) -> None:
    moment = now + timedelta(minutes=minutes)
    assume(not _comes_twice(moment))
    assert read_moment("kickoff", uk_time(moment), now) == moment
    assert read_moment("kickoff", views.uk_day(moment, now), now) == moment


@given(MOMENTS)
@settings(max_examples=examples(100))
def test_a_moment_with_its_year(moment: datetime) -> None:
    assume(not _comes_twice(moment))
    assert read_moment("kickoff", shown_time(moment), None) == moment


@given(MOMENTS)
@settings(max_examples=examples(100))
def test_a_moment_as_it_is_kept(moment: datetime) -> None:
    assert read_moment("kickoff", moment.isoformat(), None) == moment


def _comes_twice(moment: datetime) -> bool:
    """Whether it is in the second of two equal hours: the first is meant."""
    return moment.astimezone(LONDON).fold == 1
