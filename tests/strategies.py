"""Hypothesis strategies, one per domain type."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st


def odds(max_value: Decimal | int = 1000) -> st.SearchStrategy[Decimal]:
    """Decimal odds from 1.01, most of them short, as markets have them."""
    most = Decimal(max_value)
    short = st.decimals(Decimal("1.01"), min(most, Decimal(12)), places=2)
    return short | st.decimals(Decimal("1.01"), most, places=2)


@st.composite
def lay_odds_near(draw: st.DrawFn, back: Decimal) -> Decimal:
    """Lay odds around a back price, from a little below the inversion guard to far above."""
    factor = draw(st.decimals(Decimal("0.93"), Decimal("1.4"), places=3))
    return max(Decimal("1.01"), (back * factor).quantize(Decimal("0.01")))


def pounds(
    min_value: Decimal | str = "0.01", max_value: Decimal | int = 10_000
) -> st.SearchStrategy[Decimal]:
    """An amount of money in pounds and pence."""
    return st.decimals(Decimal(min_value), Decimal(max_value), places=2)


def moments(
    first: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    last: datetime = datetime(2026, 12, 31, tzinfo=UTC),
) -> st.SearchStrategy[datetime]:
    """Timezone-aware moments in UTC, to the microsecond."""
    return st.datetimes(
        first.replace(tzinfo=None), last.replace(tzinfo=None), timezones=st.just(UTC)
    )
