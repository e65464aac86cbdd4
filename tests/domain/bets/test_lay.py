from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.bets import kinds
from kos.domain.bets.lay import balance, equalising_stake, outcomes
from kos.errors import InvalidInput
from tests.profiles import examples

D = Decimal

ODDS = st.integers(102, 50_000).map(lambda hundredths: D(hundredths) / 100)
STAKES = st.integers(1, 100_000).map(lambda pence: D(pence) / 100)
COMMISSIONS = st.integers(0, 99).map(lambda percent: D(percent) / 100)


@pytest.mark.parametrize(
    ("bet", "lay"),
    [
        ("10 2.50 2.54 0.02", "9.92 15.28 -0.28 -0.28"),
        ("25 1.91 1.94 0.05", "25.26 23.74 -0.99 -1.00"),
    ],
)
def test_qualifying_bets_come_out_as_worked_by_hand(bet: str, lay: str) -> None:
    stake, back_odds, lay_odds, commission = map(D, bet.split())
    solution = balance(*kinds.qualifying(stake, back_odds), lay_odds, commission)
    lay_stake, liability, wins, loses = map(D, lay.split())
    assert (solution.lay_stake, solution.liability) == (lay_stake, liability)
    assert (solution.if_back_wins, solution.if_back_loses) == (wins, loses)
    assert solution.profit == min(wins, loses)


def test_free_bets_refunds_and_bonuses_come_out_as_worked_by_hand() -> None:
    snr = balance(*kinds.free_bet_snr(D(10), D(6)), D("6.4"), D("0.02"))
    assert (snr.lay_stake, snr.liability) == (D("7.84"), D("42.34"))
    assert (snr.if_back_wins, snr.if_back_loses) == (D("7.66"), D("7.68"))
    sr = balance(*kinds.free_bet_sr(D(20), D("3.2")), D("3.3"), D("0.02"))
    assert (sr.lay_stake, sr.if_back_wins, sr.if_back_loses) == (
        D("19.51"),
        D("19.13"),
        D("19.12"),
    )
    refund = balance(*kinds.refund_if_loses(D(10), D(5), D(10), D("0.75")), D("5.2"), D("0.02"))
    assert (refund.lay_stake, refund.profit) == (D("8.20"), D("5.54"))
    bonus = balance(*kinds.bonus_if_wins(D(10), D(4), D(5), D("0.8")), D("4.2"), D("0.02"))
    assert (bonus.lay_stake, bonus.profit) == (D("10.53"), D("0.30"))


@given(stake=STAKES, back=ODDS, lay=ODDS, commission=COMMISSIONS)
@settings(max_examples=examples(150))
def test_exact_stake_pays_the_same_either_way(
    stake: Decimal, back: Decimal, lay: Decimal, commission: Decimal
) -> None:
    back_win, back_lose = kinds.qualifying(stake, back)
    exact = equalising_stake(back_win, back_lose, lay, commission)
    wins, loses = outcomes(back_win, back_lose, exact, lay, commission)
    assert abs(wins - loses) < D("1e-15")


@given(stake=STAKES, back=ODDS, lay=ODDS, commission=COMMISSIONS)
@settings(max_examples=examples(150))
def test_rounded_stake_leaves_less_than_a_penny_times_the_odds(
    stake: Decimal, back: Decimal, lay: Decimal, commission: Decimal
) -> None:
    solution = balance(*kinds.free_bet_snr(stake, back), lay, commission)
    assert abs(solution.exact_lay_stake - solution.lay_stake) <= D("0.005")
    spread = abs(solution.if_back_wins - solution.if_back_loses)
    assert spread <= D("0.005") * (lay - commission) + D("0.01")
    assert solution.profit == min(solution.if_back_wins, solution.if_back_loses)


@pytest.mark.parametrize("odds", ["1", "0.5", "-2", "NaN", "Infinity", "sNaN"])
def test_lay_odds_that_are_no_odds_are_refused(odds: str) -> None:
    with pytest.raises(InvalidInput, match="lay_odds"):
        balance(D(15), D(-10), D(odds), D("0.02"))


@pytest.mark.parametrize("commission", ["1", "-0.01", "2", "NaN", "Infinity"])
def test_commission_outside_zero_to_one_is_refused(commission: str) -> None:
    with pytest.raises(InvalidInput, match="Commission cannot be"):
        balance(D(15), D(-10), D("2.54"), D(commission))


def test_back_side_that_pays_more_when_it_loses_cannot_be_balanced_by_a_lay() -> None:
    with pytest.raises(InvalidInput, match="back_lose"):
        balance(D(1), D(2), D("2.54"), D(0))
    for nonsense in ("NaN", "Infinity"):
        with pytest.raises(InvalidInput, match="back_"):
            balance(D(nonsense), D(-10), D("2.54"), D(0))


def test_lay_far_below_the_back_is_suspect_and_the_edge_is_not() -> None:
    assert kinds.is_suspect_pair(D("4.0"), D("3.75"))
    assert not kinds.is_suspect_pair(D("4.0"), D("3.80"))
    assert not kinds.is_suspect_pair(D("1.10"), D("1.05"))
