"""Calculators of accumulators."""

from __future__ import annotations

from fractions import Fraction

from kos.domain.bets import accumulator
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ONE, ZERO, AccumulatorMode, FreeBet
from kos.domain.calculators.outputs import Outputs, money, numbered, percent, typed
from kos.domain.money import shown
from kos.errors import InvalidInput


def _stake_side(
    free_bet: FreeBet, stake: Fraction, odds: Fraction, fee: Fraction, fee_on_return: Fraction
) -> tuple[Fraction, Fraction]:
    """(at risk, payout above that) of an accumulator after fees on winnings or on the return."""
    winnings = stake * (odds - 1) * (1 - fee)
    if free_bet is FreeBet.SNR:
        return ZERO, winnings * (1 - fee_on_return)
    at_risk = stake if free_bet is FreeBet.NONE else ZERO
    return at_risk, (winnings + stake) * (1 - fee_on_return)


def _combined(odds: tuple[Fraction, ...], field: str) -> Fraction:
    combined = accumulator.combined_odds(odds)
    if not combined > 1:
        raise InvalidInput(field, shown(combined), "legs whose odds multiply to more than 1")
    return combined


def _refund(cash: Fraction, payout: Fraction) -> Fraction:
    if cash > payout:
        allowed = f"up to the return of the bet ({money(payout)})"
        raise InvalidInput("refund_on_losing_leg", money(cash), allowed)
    return cash


def sequential_lay(
    *,
    stake: inputs.Money,
    legs: inputs.Legs,
    mode: inputs.Mode = AccumulatorMode.NORMAL,
    refund_on_losing_leg: inputs.Amount = ZERO,
    retention: inputs.Retention = ONE,
    back_commission: inputs.Rate = ZERO,
    back_fee_on_return: inputs.Rate = ZERO,
    liability_paid: inputs.Amount = ZERO,
) -> Outputs:
    """Each leg laid once all before it have won; every path ends with the same balance.

    `lock_in` is for insurance that refunds when exactly one leg loses, `refund` for one that
    pays on any. With `liability_paid` the legs are those still to come; `legs` then keep the
    odds product of the whole bet on any of them.
    """
    odds = _combined(tuple(leg.back_odds for leg in legs), "legs")
    free_bet = {AccumulatorMode.SNR: FreeBet.SNR, AccumulatorMode.SR: FreeBet.SR}.get(
        mode, FreeBet.NONE
    )
    at_risk, payout = _stake_side(free_bet, stake, odds, back_commission, back_fee_on_return)
    refund = _refund(refund_on_losing_leg * retention, payout)
    if mode is AccumulatorMode.LOCK_IN:
        plan = accumulator.lock_in(at_risk, payout, legs, refund, liability_paid)
        refunds = [ZERO] * (len(legs) - 1) + [refund]
    else:
        plan = accumulator.sequential(at_risk, payout, legs, refund, liability_paid)
        refunds = [refund] * len(legs)
    laid = [typed(max(exact, ZERO)) for exact in plan.lay_stakes]
    liabilities = accumulator.liabilities(laid, legs)
    win = payout - at_risk
    paths = accumulator.sequential_results(win, at_risk, laid, legs, refunds)
    outputs: Outputs = {}
    for number, (lay, owed, leg) in enumerate(zip(laid, liabilities, legs, strict=True), start=1):
        outputs[f"lay_{number}"] = money(lay)
        outputs[f"liability_{number}"] = money(owed)
        outputs[f"net_win_{number}"] = money(lay * (1 - leg.commission))
    outputs["combined_back_odds"] = shown(odds)
    outputs["combined_lay_odds"] = shown(accumulator.combined_odds([leg.lay_odds for leg in legs]))
    outputs["total_liability"] = money(sum(liabilities, ZERO))
    outputs["balance"] = money(plan.balance)
    outputs["bookmaker_if_all_win"] = money(win)
    outputs["guaranteed"] = money(min(paths) - liability_paid)
    outputs["rating_pct"] = percent(accumulator.rating(legs))
    return outputs


def accumulator_lay_all(
    *,
    stake: inputs.Money,
    legs: inputs.Legs,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    refund_on_losing_leg: inputs.Amount = ZERO,
    retention: inputs.Retention = ONE,
) -> Outputs:
    """All legs laid together because their kick-offs overlap; the refund is for one loser."""
    odds = _combined(tuple(leg.back_odds for leg in legs), "legs")
    at_risk, payout = _stake_side(free_bet, stake, odds, ZERO, ZERO)
    refund = _refund(refund_on_losing_leg * retention, payout)
    laid = [typed(exact) for exact in accumulator.all_at_once(payout, legs, refund)]
    all_win, one_loses, all_lose = accumulator.all_at_once_results(
        payout - at_risk, at_risk, laid, legs, refund
    )
    outputs = numbered("lay", laid)
    outputs["total_liability"] = money(sum(accumulator.liabilities(laid, legs), ZERO))
    outputs["profit_if_all_win"] = money(all_win)
    outputs["profit_if_one_loses"] = money(one_loses)
    outputs["profit_if_all_lose"] = money(all_lose)
    outputs["guaranteed"] = money(min(all_win, one_loses))
    return outputs


def accumulator_no_lay(
    *,
    stake: inputs.Money,
    probabilities: inputs.Chances,
    odds: inputs.LegOdds | None = None,
    combined_odds: inputs.Odds | None = None,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    refund_on_losing_leg: inputs.Amount = ZERO,
    retention: inputs.Retention = ONE,
) -> Outputs:
    """The expected value of an accumulator left unlaid, refunded when exactly one leg loses."""
    if (odds is None) == (combined_odds is None):
        raise InvalidInput("odds", odds, "either odds, one per leg, or combined_odds")
    if odds is not None and len(odds) != len(probabilities):
        raise InvalidInput("probabilities", f"{len(probabilities)} values", "one for each leg")
    total = _combined(odds, "odds") if odds is not None else combined_odds or ONE
    at_risk, payout = _stake_side(free_bet, stake, total, ZERO, ZERO)
    value = accumulator.unlaid_value(
        at_risk, payout - at_risk, probabilities, refund_on_losing_leg * retention
    )
    return {"combined_odds": shown(total), "expected_value": money(value)}


def accumulator_odds(*, odds: inputs.LegOdds, stake: inputs.Money | None = None) -> Outputs:
    """The combined odds of the legs, and the return of a stake; a void leg counts as 1."""
    combined = accumulator.combined_odds(odds)
    outputs = {
        "combined_odds": shown(combined),
        "combined_odds_minus_one": shown(combined - 1),
    }
    if stake is not None:
        outputs["return_"] = money(stake * combined)
        outputs["profit"] = money(stake * (combined - 1))
    return outputs
