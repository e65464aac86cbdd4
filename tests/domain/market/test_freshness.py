"""How long a price counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kos.domain.market.freshness import age_s, fresh_until
from tests.builders import NOW
from tests.strategies import moments


@pytest.mark.parametrize(
    ("updated_s_before", "fresh_for_s"),
    [
        (None, 900),  # the source says nothing: the fetch alone decides
        (0, 900),
        (899, 900),
        (900, 900),  # both limits end together
        (1000, 800),
        (1800, 0),
        (1801, -1),  # too old already when it came
        (-3600, 900),  # the source's clock runs ahead
    ],
)
def test_a_price_counts_until_the_earlier_of_its_two_limits(
    updated_s_before: int | None, fresh_for_s: int
) -> None:
    updated_at = None if updated_s_before is None else NOW - timedelta(seconds=updated_s_before)
    until = fresh_until(NOW, 900.0, updated_at, 1800.0)
    assert until == NOW + timedelta(seconds=fresh_for_s)


@given(moments(), st.none() | moments(), st.floats(1, 1e5), st.floats(1, 1e5))
def test_no_source_time_makes_a_price_fresher_than_its_fetch_allows(
    received_at: datetime, updated_at: datetime | None, received_limit: float, updated_limit: float
) -> None:
    until = fresh_until(received_at, received_limit, updated_at, updated_limit)
    assert until <= received_at + timedelta(seconds=received_limit)


def test_age_is_never_negative() -> None:
    assert age_s(NOW, NOW + timedelta(seconds=2)) == 0.0
    assert age_s(NOW + timedelta(seconds=90), NOW) == 90.0
