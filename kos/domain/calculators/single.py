"""Calculators of one back bet and one lay."""

from __future__ import annotations

from fractions import Fraction
from typing import TypedDict, Unpack

from kos.domain.bets import kinds, lay, triggers
from kos.domain.bets.dutch import book_sum
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ONE, ZERO, FeeBase, FreeBet, needed
from kos.domain.calculators.outputs import (
    EQUIVALENT_ODDS_PLACES,
    Outputs,
    by_result,
    money,
    percent,
    typed,
    yes_no,
)
from kos.domain.market.commission import lay_as_back_odds
from kos.domain.money import Rounding, shown
from kos.errors import InvalidInput


class LayChoices(TypedDict, total=False):
    """What a person may choose about the lay of any bet."""

    bias: inputs.Bias
    """Where on the slider between underlay and overlay; 0 is balanced."""
    laid: inputs.Amount
    """A lay stake of one's own, in place of the balanced one."""
    probability: inputs.Probability
    """A belief that the selection wins, for the expected value."""
    rounding: inputs.RoundingMode
    """``conservative`` rounds every figure against the user."""


def lay_outputs(
    bet: tuple[Fraction, Fraction],
    lay_odds: Fraction,
    commission: Fraction,
    choices: LayChoices,
    field: str = "refund_if_back_loses",
) -> Outputs:
    """Stake, liability and outcomes of the lay of one bet, recomputed from the typed stake.

    Raises:
        InvalidInput: The bet pays more if it loses, which no lay balances; names `field`.
    """
    back_win, back_lose = bet
    if back_lose > back_win:
        raise InvalidInput(
            field,
            f"paid {money(back_lose)} if it loses, {money(back_win)} if it wins",
            "a bet that pays at least as much if it wins",
        )
    exact = choices.get("laid")
    if exact is None:
        exact = lay.biased_stake(
            back_win, back_lose, lay_odds, commission, choices.get("bias", ZERO)
        )
    stake = typed(exact)
    wins, loses = lay.outcomes(back_win, back_lose, stake, lay_odds, commission)
    conservative = choices.get("rounding", False)
    less = Rounding.FLOOR if conservative else Rounding.CALCULATOR
    more = Rounding.CEILING if conservative else Rounding.CALCULATOR
    underlay, overlay = lay.break_even_stakes(back_win, back_lose, lay_odds, commission)
    outputs = {
        "lay_stake": money(stake),
        "liability": money(stake * (lay_odds - 1), more),
        **by_result(wins, loses, less),
        "lay_winnings_net": money(stake * (1 - commission), less),
        "underlay_stake": money(underlay),
        "overlay_stake": money(overlay),
    }
    if "probability" in choices:
        value = lay.expected_value(wins, loses, choices["probability"])
        outputs["expected_value"] = money(value, less)
    return outputs


def after_back_fee(
    bet: tuple[Fraction, Fraction],
    stake: Fraction,
    odds: Fraction,
    rate: Fraction,
    base: FeeBase = FeeBase.WINNINGS,
) -> tuple[Fraction, Fraction]:
    """A bet after a fee on what its stake wins at the odds, or on that and the stake."""
    back_win, back_lose = bet
    return back_win - rate * stake * (odds if base is FeeBase.RETURN else odds - 1), back_lose


def qualifying(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    back_commission: inputs.Rate = ZERO,
    free_bet: inputs.CashBet = FreeBet.NONE,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A cash bet and the lay that costs the same either way."""
    del free_bet
    bet = kinds.exchange_back(back_stake, back_odds, back_commission)
    return _rated(bet, back_stake, lay_odds, commission, choices)


def qualifying_back_fee_on_return(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    back_fee: inputs.Rate,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    fee_base: inputs.Fees = FeeBase.RETURN,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A cash bet with a fee on its whole return, as some calculators define it."""
    bet = kinds.qualifying(back_stake, back_odds)
    bet = after_back_fee(bet, back_stake, back_odds, back_fee, fee_base)
    return _rated(bet, back_stake, lay_odds, commission, choices)


def price_boost(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    boosted_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A cash bet at boosted odds, with the value of the boost."""
    if boosted_odds < back_odds:
        raise InvalidInput("boosted_odds", str(boosted_odds), "odds of at least back_odds")
    bet = kinds.qualifying(back_stake, boosted_odds)
    gain = kinds.rating(boosted_odds - back_odds, lay_odds, commission) * back_stake
    return {**_rated(bet, back_stake, lay_odds, commission, choices), "boost_value": money(gain)}


def arb_back_lay(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    back_commission: inputs.Rate = ZERO,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A cash bet and its lay as a two-way book: an arbitrage if its sum is below 100 %."""
    bet = kinds.exchange_back(back_stake, back_odds, back_commission)
    book = book_sum((1 + bet[0] / back_stake, lay_as_back_odds(lay_odds, commission)))
    return {
        **_rated(bet, back_stake, lay_odds, commission, choices),
        "book_pct": percent(book),
        "is_arb": yes_no(book < 1),
    }


def _rated(
    bet: tuple[Fraction, Fraction],
    back_stake: Fraction,
    lay_odds: Fraction,
    commission: Fraction,
    choices: LayChoices,
) -> Outputs:
    rating = kinds.rating((bet[0] - bet[1]) / back_stake, lay_odds, commission)
    outputs = lay_outputs(bet, lay_odds, commission, choices)
    least = outputs["guaranteed"]
    outputs["qualifying_loss"] = least[1:] if least.startswith("-") else "0.00"
    outputs["rating_pct"] = percent(rating)
    return outputs


def _free_bet(
    bet: tuple[Fraction, Fraction],
    face: Fraction,
    lay_odds: Fraction,
    commission: Fraction,
    choices: LayChoices,
) -> Outputs:
    kept = lay.equalising_stake(*bet, lay_odds, commission) * (1 - commission)
    return {
        **lay_outputs(bet, lay_odds, commission, choices),
        "retention_pct": percent(kept / face),
    }


def free_bet_snr(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    back_commission: inputs.Rate = ZERO,
    free_bet: inputs.SnrBet = FreeBet.SNR,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A free bet (stake not returned) and its lay."""
    del free_bet
    bet = kinds.free_bet_snr(back_stake, back_odds)
    bet = after_back_fee(bet, back_stake, back_odds, back_commission)
    return _free_bet(bet, back_stake, lay_odds, commission, choices)


def free_bet_sr(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    back_commission: inputs.Rate = ZERO,
    free_bet: inputs.SrBet = FreeBet.SR,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A free bet (stake returned) and its lay."""
    del free_bet
    bet = kinds.free_bet_sr(back_stake, back_odds)
    bet = after_back_fee(bet, back_stake, back_odds, back_commission)
    return _free_bet(bet, back_stake, lay_odds, commission, choices)


def snr_retention(
    *,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    back_stake: inputs.Money = ONE,
    free_bet: inputs.SnrBet = FreeBet.SNR,
) -> Outputs:
    """The retention of a free bet (stake not returned)."""
    del free_bet
    retention = kinds.snr_retention(back_odds, lay_odds, commission)
    return {"retention_pct": percent(retention), "retained": money(retention * back_stake)}


def sr_retention(
    *,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    back_stake: inputs.Money = ONE,
    free_bet: inputs.SrBet = FreeBet.SR,
) -> Outputs:
    """The retention of a free bet (stake returned)."""
    del free_bet
    retention = kinds.rating(back_odds, lay_odds, commission)
    return {"retention_pct": percent(retention), "retained": money(retention * back_stake)}


def refund_if_loses(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    refund_if_back_loses: inputs.Amount,
    commission: inputs.Rate = ZERO,
    retention: inputs.Retention = ONE,
    back_commission: inputs.Rate = ZERO,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A cash bet refunded whenever it loses; `retention` values a refund in free bets."""
    bet = kinds.refund_if_loses(back_stake, back_odds, refund_if_back_loses, retention)
    bet = after_back_fee(bet, back_stake, back_odds, back_commission)
    return lay_outputs(bet, lay_odds, commission, choices)


def refund_back_fee_on_return(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    back_fee: inputs.Rate,
    lay_odds: inputs.Odds,
    refund_if_back_loses: inputs.Amount,
    commission: inputs.Rate = ZERO,
    retention: inputs.Retention = ONE,
    fee_base: inputs.Fees = FeeBase.RETURN,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """The same with a fee on the whole return of the back bet."""
    bet = kinds.refund_if_loses(back_stake, back_odds, refund_if_back_loses, retention)
    bet = after_back_fee(bet, back_stake, back_odds, back_fee, fee_base)
    return lay_outputs(bet, lay_odds, commission, choices)


def win_bonus(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    bonus_if_back_wins: inputs.Amount,
    commission: inputs.Rate = ZERO,
    retention: inputs.Retention = ONE,
    back_commission: inputs.Rate = ZERO,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A cash bet that earns a bonus if it wins; `retention` values a bonus in free bets."""
    bet = kinds.bonus_if_wins(back_stake, back_odds, bonus_if_back_wins, retention)
    bet = after_back_fee(bet, back_stake, back_odds, back_commission)
    return lay_outputs(bet, lay_odds, commission, choices)


def rollover_bonus(
    *,
    bonus: inputs.Money,
    stake: inputs.Money | None = None,
    back_odds: inputs.Odds | None = None,
    lay_odds: inputs.Odds | None = None,
    commission: inputs.Rate = ZERO,
    back_fee: inputs.Rate = ZERO,
    remaining_rollover: inputs.Amount = ZERO,
    expected_rating: inputs.Rating | None = None,
    turnover_multiple: inputs.Multiple | None = None,
    retention_per_bet: inputs.Rating | None = None,
    **choices: Unpack[LayChoices],
) -> Outputs:
    """A bonus with wagering: one bet of it laid, or what turning it over leaves.

    With `turnover_multiple` the whole rollover is estimated; otherwise cash and bonus are staked
    on one bet, and the turnover still due after it is valued at the expected rating.
    """
    if turnover_multiple is not None:
        retention = needed("retention_per_bet", retention_per_bet, "turnover_multiple is given")
        lost = triggers.turnover_cost(bonus, turnover_multiple, retention)
        return {"retained": money(bonus - lost), "lost": money(lost)}
    why = "unless turnover_multiple is given"
    cash = needed("stake", stake, why)
    odds = needed("back_odds", back_odds, why)
    against = needed("lay_odds", lay_odds, why)
    cost = ZERO
    if remaining_rollover:
        rating = needed("expected_rating", expected_rating, "remaining_rollover is given")
        cost = kinds.cost_of_wagering(remaining_rollover, rating)
    bet = after_back_fee(kinds.wagered_bonus(cash, bonus, odds, cost), cash + bonus, odds, back_fee)
    outputs = lay_outputs(bet, against, commission, choices, "remaining_rollover")
    return {**outputs, "wagering_cost": money(cost)}


def money_back_trigger(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    refund: inputs.Amount = ZERO,
    retention: inputs.Retention = ONE,
    trigger_probability: inputs.Probability | None = None,
    trigger_lay_odds: inputs.Odds | None = None,
    trigger_commission: inputs.Rate | None = None,
) -> Outputs:
    """A cash bet with a refund that needs more than a loss; the lay ignores the refund.

    `trigger_probability` is the chance that the bet loses and the trigger happens.
    """
    bet = kinds.qualifying(back_stake, back_odds)
    outputs = lay_outputs(bet, lay_odds, commission, {})
    stake = Fraction(outputs["lay_stake"])
    wins, loses = lay.outcomes(*bet, stake, lay_odds, commission)
    least = min(wins, loses)
    cash = refund * retention
    if cash:
        outputs["profit_if_triggered"] = money(loses + cash)
        break_even = triggers.trigger_break_even(max(-least, ZERO), cash)
        outputs["break_even_probability_pct"] = percent(break_even)
        if trigger_probability is not None:
            value = triggers.trigger_value(least, cash, trigger_probability)
            outputs["expected_value"] = money(value)
        if trigger_lay_odds is not None:
            rate = commission if trigger_commission is None else trigger_commission
            trigger_stake, locked = triggers.trigger_lay(cash, trigger_lay_odds, rate)
            outputs["trigger_lay_stake"] = money(trigger_stake)
            outputs["trigger_gain"] = money(locked)
            outputs["guaranteed_with_trigger_lay"] = money(least + locked)
    return outputs


def back_matched_by_lay(
    *,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    lay_stake: inputs.Money,
    commission: inputs.Rate = ZERO,
    free_bet: inputs.AnyBet = FreeBet.NONE,
) -> Outputs:
    """How much of a back bet a matched lay covers."""
    covered = lay_stake * (lay_odds - commission)
    per_pound = back_odds - 1 if free_bet is FreeBet.SNR else back_odds
    return {
        "back_stake_covered": money(covered / per_pound),
        "liability": money(lay_stake * (lay_odds - 1)),
    }


def lay_as_back(*, lay_odds: inputs.Odds, commission: inputs.Rate = ZERO) -> Outputs:
    """The back odds that a lay amounts to, staking its liability on everything else."""
    equivalent = lay_as_back_odds(lay_odds, commission)
    return {"equivalent_back_odds": shown(equivalent, EQUIVALENT_ODDS_PLACES)}
