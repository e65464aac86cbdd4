from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kos.domain.bets import kinds, lay, part_lay, trading, triggers
from kos.domain.bets.part_lay import MatchedLay
from tests.domain.maths_strategies import CHANCES, ODDS, RATES, STAKES
from tests.profiles import examples

BIASES = st.integers(-100, 100).map(lambda percent: Fraction(percent, 100))
MATCHED = st.lists(st.builds(MatchedLay, STAKES, ODDS, RATES), max_size=5)


def balanced_profit(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction
) -> Fraction:
    bet = kinds.qualifying(stake, back)
    exact = lay.equalising_stake(*bet, lay_odds, rate)
    wins, loses = lay.outcomes(*bet, exact, lay_odds, rate)
    assert wins == loses
    return wins


@given(STAKES, ODDS, ODDS, RATES, st.integers(1, 50))
@settings(max_examples=examples(80))
def test_profit_rises_with_back_odds_and_falls_with_lay_odds_and_commission(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction, more: int
) -> None:
    step = Fraction(more, 100)
    profit = balanced_profit(stake, back, lay_odds, rate)
    assert balanced_profit(stake, back + step, lay_odds, rate) > profit
    assert balanced_profit(stake, back, lay_odds + step, rate) < profit
    assert balanced_profit(stake, back, lay_odds, rate + (1 - rate) * step / 2) < profit
    assert balanced_profit(stake * more, back, lay_odds, rate) == profit * more


@given(STAKES, ODDS, ODDS, RATES)
@settings(max_examples=examples(80))
def test_cash_bet_gains_exactly_when_its_rating_reaches_one(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction
) -> None:
    profit = balanced_profit(stake, back, lay_odds, rate)
    rating = kinds.rating(back, lay_odds, rate)
    assert profit == stake * (rating - 1)
    assert (profit >= 0) == (back * (1 - rate) >= lay_odds - rate)


@given(STAKES, ODDS, ODDS, RATES)
@settings(max_examples=examples(60))
def test_free_bet_keeps_its_retention_and_its_liability_hangs_on_the_lay_odds_alone(
    face: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction
) -> None:
    bet = kinds.free_bet_snr(face, back)
    stake = lay.equalising_stake(*bet, lay_odds, rate)
    wins, loses = lay.outcomes(*bet, stake, lay_odds, rate)
    assert wins == loses == face * kinds.snr_retention(back, lay_odds, rate)
    assert stake * (lay_odds - 1) / wins == (lay_odds - 1) / (1 - rate)


@given(STAKES, ODDS, ODDS, RATES, BIASES)
@settings(max_examples=examples(80))
def test_slider_runs_from_underlay_over_balanced_to_overlay(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction, bias: Fraction
) -> None:
    bet = kinds.qualifying(stake, back)
    terms = (*bet, lay_odds, rate)
    underlay, overlay = lay.break_even_stakes(*terms)
    assert underlay <= lay.biased_stake(*terms, bias) <= overlay
    assert lay.biased_stake(*terms, Fraction(0)) == lay.equalising_stake(*terms)
    for bound, end in ((underlay, Fraction(-1)), (overlay, Fraction(1))):
        assert lay.biased_stake(*terms, end) == bound
        assert 0 in lay.outcomes(*bet, bound, lay_odds, rate)


@given(STAKES, ODDS, ODDS, RATES, CHANCES)
@settings(max_examples=examples(60))
def test_each_pound_laid_costs_expected_value_above_the_break_even_chance(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction, chance: Fraction
) -> None:
    bet = kinds.qualifying(stake, back)

    def value(laid: Fraction) -> Fraction:
        return lay.expected_value(*lay.outcomes(*bet, laid, lay_odds, rate), chance)

    break_even = (1 - rate) / (lay_odds - rate)
    gained = value(stake + 1) - value(stake)
    assert (gained < 0) == (chance > break_even)
    assert (gained == 0) == (chance == break_even)


@given(STAKES, ODDS, MATCHED, ODDS, RATES)
@settings(max_examples=examples(80))
def test_remaining_lay_balances_whatever_is_matched(
    stake: Fraction, back: Fraction, matched: list[MatchedLay], lay_odds: Fraction, rate: Fraction
) -> None:
    bet = kinds.qualifying(stake, back)
    remaining = part_lay.remaining_stake(*bet, matched, lay_odds, rate)
    wins, loses = part_lay.totals(*bet, [*matched, MatchedLay(remaining, lay_odds, rate)])
    assert wins == loses


@given(
    STAKES,
    ODDS,
    st.lists(st.tuples(ODDS, STAKES), min_size=1, max_size=6),
    RATES,
    STAKES,
)
@settings(max_examples=examples(80))
def test_walk_takes_no_more_than_is_offered_or_needed_and_shows_the_rest(
    stake: Fraction,
    back: Fraction,
    levels: list[tuple[Fraction, Fraction]],
    rate: Fraction,
    minimum: Fraction,
) -> None:
    bet = kinds.qualifying(stake, back)
    fill = part_lay.walk(*bet, sorted(levels), rate, minimum)
    offered: dict[Fraction, Fraction] = {}
    for odds, available in levels:
        offered[odds] = offered.get(odds, Fraction(0)) + available
    for part in fill.matched:
        assert 0 < part.stake <= offered[part.odds]
    last = fill.matched[-1].odds if fill.matched else min(levels)[0]
    overlaid = -part_lay.remaining_stake(*bet, fill.matched, last, rate)
    assert overlaid <= Fraction("0.005")
    assert fill.unmatched >= 0
    if fill.matched:
        average = fill.average_odds
        assert average is not None
        assert fill.matched[0].odds <= average <= fill.matched[-1].odds
    else:
        assert fill.average_odds is None


@given(STAKES, ODDS, RATES, ODDS, RATES)
@settings(max_examples=examples(60))
def test_unwanted_lay_is_neutral_once_backed_elsewhere(
    stake: Fraction, lay_odds: Fraction, rate: Fraction, back: Fraction, back_rate: Fraction
) -> None:
    backed = trading.back_against_lay(stake, lay_odds, rate, back, back_rate)
    wins, loses = lay.outcomes(*kinds.exchange_back(backed, back, back_rate), stake, lay_odds, rate)
    assert wins == loses


@given(STAKES, ODDS, ODDS, RATES)
@settings(max_examples=examples(60))
def test_trade_in_one_market_pays_the_same_either_way_and_gains_iff_the_odds_fell(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction
) -> None:
    laid = trading.closing_stake(stake, back, lay_odds)
    wins, loses = trading.pair_result(stake, back, laid, lay_odds, rate)
    assert wins == loses
    assert (wins > 0) == (lay_odds < back)
    assert trading.closing_stake(laid, lay_odds, back) == stake


@given(STAKES, ODDS, ODDS, RATES)
@settings(max_examples=examples(60))
def test_early_payout_breaks_even_at_its_break_even_chance(
    stake: Fraction, back: Fraction, lay_odds: Fraction, rate: Fraction
) -> None:
    profit = balanced_profit(stake, back, lay_odds, rate)
    assume(profit <= 0)
    chance = triggers.trigger_break_even(-profit, stake * back)
    assert triggers.trigger_value(profit, stake * back, chance) == 0
