from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.market.ladder import BETFAIR, BETFAIR_LINES
from kos.errors import InvalidInput
from tests.agreed import assert_agreed
from tests.profiles import examples

D = Decimal


def test_odds_market_has_350_prices_each_above_the_last() -> None:
    prices = BETFAIR.prices()
    assert len(prices) == BETFAIR.count == 350
    assert list(prices) == sorted(set(prices))
    assert (prices[0], prices[-1]) == (D("1.01"), D(1000))


def test_every_price_of_an_odds_market_is_as_agreed() -> None:
    assert_agreed("ladder.txt", "\n".join(map(str, BETFAIR.prices())))


def test_line_market_steps_by_a_hundredth() -> None:
    assert BETFAIR_LINES.count == 99_900
    assert BETFAIR_LINES.offset(D("999.99"), 1) == 1000


def test_ticks_cross_the_bands() -> None:
    assert BETFAIR.ticks_between(D("2.48"), D("2.54")) == 3
    assert BETFAIR.offset(D("5.9"), 3) == D("6.4")
    assert (BETFAIR.offset(D(2), 1), BETFAIR.offset(D(2), -1)) == (D("2.02"), D("1.99"))


@given(st.integers(0, 349))
@settings(max_examples=examples(60))
def test_number_and_price_are_inverse(index: int) -> None:
    price = BETFAIR.price(index)
    assert BETFAIR.is_valid(price)
    assert BETFAIR.index(price) == index
    if index > 0:
        assert BETFAIR.next_up(BETFAIR.next_down(price)) == price
    assert BETFAIR.up(price) == BETFAIR.down(price) == BETFAIR.nearest(price) == price


@given(st.integers(1_010_000, 1_000_000_000).map(lambda n: D(n) / 1_000_000))
@settings(max_examples=examples(150))
def test_any_price_lies_between_neighbours_at_most_one_tick_apart(price: Decimal) -> None:
    down, up = BETFAIR.down(price), BETFAIR.up(price)
    assert down <= price <= up
    if price < BETFAIR.highest:
        assert down <= price < BETFAIR.next_up(price)
    assert BETFAIR.ticks_between(down, up) in {0, 1}
    assert BETFAIR.nearest(price) in {down, up}


@pytest.mark.parametrize("price", ["1", "1.00", "1000.01", "-2"])
def test_price_off_the_ends_is_refused(price: str) -> None:
    with pytest.raises(InvalidInput, match=r"1\.01"):
        BETFAIR.up(D(price))


def test_price_between_ticks_has_no_number() -> None:
    with pytest.raises(InvalidInput, match="ladder"):
        BETFAIR.index(D("2.01"))
    with pytest.raises(InvalidInput, match="Tick cannot be"):
        BETFAIR.offset(D(1000), 1)
