"""Hypothesis strategies for exact stakes, odds and rates."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from kos.domain.bets.accumulator import AccumulatorLeg
from kos.domain.bets.exposure import ExchangeSide, MarketBet

STAKES = st.integers(1, 100_000).map(lambda pence: Fraction(pence, 100))
ODDS = st.integers(101, 30_000).map(lambda hundredths: Fraction(hundredths, 100))
RATES = st.integers(0, 50).map(lambda percent: Fraction(percent, 100))
CHANCES = st.integers(1, 99).map(lambda percent: Fraction(percent, 100))
ODDS_LISTS = st.lists(ODDS, min_size=2, max_size=8)
LEGS = st.lists(st.builds(AccumulatorLeg, ODDS, ODDS, RATES), min_size=1, max_size=6)
MARKET_BETS = st.lists(
    st.builds(
        MarketBet, st.sampled_from(ExchangeSide), st.sampled_from(["a", "b", "c"]), ODDS, STAKES
    ),
    min_size=1,
    max_size=8,
)
