from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings

from kos.domain.bets import exposure, minimum_stake
from kos.domain.bets.exposure import ExchangeSide, MarketBet
from kos.domain.market import commission
from tests.domain.maths_strategies import MARKET_BETS, ODDS, RATES, STAKES
from tests.profiles import examples

OUTCOMES = ("a", "b", "c", "none of them")
F = Fraction


def at_stake(bets: list[MarketBet]) -> Fraction:
    return exposure.exposure(exposure.result_if(winner, bets) for winner in OUTCOMES)


@given(MARKET_BETS)
@settings(max_examples=examples(80))
def test_exposure_of_all_bets_is_at_most_the_sum_of_each(bets: list[MarketBet]) -> None:
    assert 0 <= at_stake(bets) <= sum(at_stake([bet]) for bet in bets)


@given(MARKET_BETS, MARKET_BETS)
@settings(max_examples=examples(60))
def test_unmatched_bets_are_counted_as_the_worst_of_them(
    matched: list[MarketBet], unmatched: list[MarketBet]
) -> None:
    for winner in OUTCOMES:
        worst = exposure.worst_result_if(winner, matched, unmatched)
        assert worst <= exposure.result_if(winner, matched)
        assert worst <= exposure.result_if(winner, [*matched, *unmatched])


@given(MARKET_BETS, RATES)
@settings(max_examples=examples(80))
def test_commission_is_charged_on_net_winnings_only(bets: list[MarketBet], rate: Fraction) -> None:
    for winner in OUTCOMES:
        results = [bet.result(won=bet.selection == winner) for bet in bets]
        net = exposure.result_if(winner, bets)
        fee = commission.commission_on(net, rate)
        assert 0 <= fee <= sum(commission.commission_on(result, rate) for result in results)
        assert (fee == 0) or net > 0
        assert commission.after_commission(net, rate) == net - fee


@given(STAKES, ODDS)
@settings(max_examples=examples(40))
def test_a_lay_is_the_other_side_of_a_back(stake: Fraction, odds: Fraction) -> None:
    back = MarketBet(ExchangeSide.BACK, "a", odds, stake)
    lay = MarketBet(ExchangeSide.LAY, "a", odds, stake)
    for won in (True, False):
        assert back.result(won=won) == -lay.result(won=won)
    assert at_stake([back]) == stake
    assert at_stake([lay]) == stake * (odds - 1)
    assert at_stake([back, lay]) == 0


def test_float_refuses_with_the_shortfall() -> None:
    assert exposure.shortfall(F(20), F(15)) == 5
    assert exposure.shortfall(F(15), F(15)) == 0


def test_lay_seen_as_a_back_has_the_worked_odds() -> None:
    assert commission.lay_as_back_odds(F("1.80"), F("0.02")) == F("2.225")
    assert commission.lay_as_back_odds(F(6), F("0.05")) == F("1.19")


@given(STAKES, ODDS)
@settings(max_examples=examples(40))
def test_minimum_is_met_by_stake_or_by_payout(stake: Fraction, odds: Fraction) -> None:
    assert minimum_stake.is_placeable(stake, odds) == (stake >= 1 or stake * odds >= 10)
    assert minimum_stake.is_placeable(F(1), F(2)), "the least stake itself may be placed"
    assert minimum_stake.pays_enough(F("0.50"), F(20)), "the least payout itself is enough"
    assert minimum_stake.undercuts_liability(F("0.02"), F("1.65"))
    assert not minimum_stake.undercuts_liability(F("9.92"), F("2.54"))
