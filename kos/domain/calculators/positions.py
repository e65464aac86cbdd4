"""Calculators of lays in parts, of several lays, and of getting out of a position."""

from __future__ import annotations

from fractions import Fraction

from kos.domain.bets import kinds, lay, multi_lay, part_lay, trading, triggers
from kos.domain.bets.part_lay import MatchedLay
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ONE, ZERO, FreeBet, spread
from kos.domain.calculators.outputs import ODDS_PLACES, Outputs, by_result, money, percent, typed
from kos.domain.market.commission import after_commission
from kos.domain.money import PENNY, shown
from kos.errors import InvalidInput


def back_side(
    free_bet: FreeBet,
    stake: Fraction,
    odds: Fraction,
    refund: Fraction = ZERO,
    bonus: Fraction = ZERO,
) -> tuple[Fraction, Fraction]:
    """(back_win, back_lose) of any kind of stake, with cash values of a refund and a bonus."""
    if free_bet is FreeBet.SNR:
        won, lost = kinds.free_bet_snr(stake, odds)
    elif free_bet is FreeBet.SR:
        won, lost = kinds.free_bet_sr(stake, odds)
    else:
        won, lost = kinds.qualifying(stake, odds)
    return won + bonus, lost + refund


def part_lay_(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    next_lay_odds: inputs.Odds | None = None,
    matched: inputs.Matched = (),
    commission: inputs.Rate = ZERO,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    refund_if_back_loses: inputs.Amount = ZERO,
    bonus_if_back_wins: inputs.Amount = ZERO,
    retention: inputs.Retention = ONE,
) -> Outputs:
    """The remaining lay, given what is matched; below zero if too much is laid.

    Without `next_lay_odds` it says where the lays stand.
    """
    bet = back_side(
        free_bet,
        back_stake,
        back_odds,
        refund_if_back_loses * retention,
        bonus_if_back_wins * retention,
    )
    lays = [
        MatchedLay(stake, odds, commission if rate is None else rate)
        for stake, odds, rate in matched
    ]
    wins_now, loses_now = part_lay.totals(*bet, lays)
    outputs: Outputs = {}
    if next_lay_odds is not None:
        remaining = part_lay.remaining_stake(*bet, lays, next_lay_odds, commission)
        outputs["remaining_lay_stake"] = money(remaining)
        outputs["overlaid_stake"] = money(max(-remaining, ZERO))
        if remaining > 0:
            lays.append(MatchedLay(typed(remaining), next_lay_odds, commission))
    wins, loses = part_lay.totals(*bet, lays)
    outputs["liability"] = money(part_lay.liability(lays))
    outputs |= by_result(wins, loses)
    outputs["profit_if_back_wins_now"] = money(wins_now)
    outputs["profit_if_back_loses_now"] = money(loses_now)
    return outputs


def lay_fill(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    levels: inputs.Levels,
    commission: inputs.Rate = ZERO,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    minimum: inputs.Money = Fraction(PENNY),
) -> Outputs:
    """The lay filled at the available prices, best first, and the unhedged rest."""
    bet = back_side(free_bet, back_stake, back_odds)
    fill = part_lay.walk(*bet, sorted(levels), commission, minimum)
    wins, loses = part_lay.totals(*bet, fill.matched)
    outputs: Outputs = {}
    for number, part in enumerate(fill.matched, start=1):
        outputs[f"lay_{number}"] = money(part.stake)
        outputs[f"lay_odds_{number}"] = shown(part.odds, 2)
    outputs["total_laid"] = money(sum((part.stake for part in fill.matched), ZERO))
    outputs["unmatched"] = money(fill.unmatched)
    if fill.average_odds is not None:
        outputs["average_odds"] = shown(fill.average_odds, ODDS_PLACES)
    outputs["liability"] = money(part_lay.liability(fill.matched))
    return outputs | by_result(wins, loses)


def multi_lay_(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.OddsList,
    commission: inputs.Rates = (ZERO,),
    free_bet: inputs.AnyBet = FreeBet.NONE,
    same_market: inputs.YesNo = True,
) -> Outputs:
    """A bet that wins on any of several runners, each of them laid."""
    bet = back_side(free_bet, back_stake, back_odds)
    rates = spread("commission", commission, len(lay_odds))
    if same_market:
        if len(set(rates)) > 1:
            raise InvalidInput("commission", "several rates", "one rate per market")
        stakes = multi_lay.stakes_in_one_market(*bet, lay_odds, rates[0])
        laid = [typed(stake) for stake in stakes]
        winning, losing = multi_lay.results_in_one_market(
            *bet, list(zip(lay_odds, laid, strict=True)), rates[0]
        )
        nets = [sum(laid, ZERO) - stake * odds for odds, stake in zip(lay_odds, laid, strict=True)]
        liability = max(-min(nets), ZERO)
    else:
        stakes = multi_lay.stakes_in_markets_apart(*bet, list(zip(lay_odds, rates, strict=True)))
        laid = [typed(stake) for stake in stakes]
        winning, losing = multi_lay.results_in_markets_apart(
            *bet, list(zip(lay_odds, laid, rates, strict=True))
        )
        liability = sum(
            (stake * (odds - 1) for odds, stake in zip(lay_odds, laid, strict=True)), ZERO
        )
    outputs: Outputs = {}
    for number, (stake, total) in enumerate(zip(laid, winning, strict=True), start=1):
        outputs[f"lay_{number}"] = money(stake)
        outputs[f"profit_if_{number}_wins"] = money(total)
    outputs["liability"] = money(liability)
    outputs["profit_if_back_loses"] = money(losing)
    outputs["guaranteed"] = money(min(*winning, losing))
    return outputs


def unwanted_lay(
    *,
    lay_stake: inputs.Money,
    lay_odds: inputs.Odds,
    back_odds: inputs.Odds,
    lay_commission: inputs.Rate = ZERO,
    back_commission: inputs.Rate = ZERO,
    same_market: inputs.YesNo = False,
) -> Outputs:
    """The back that neutralises a lay too many, elsewhere or in the lay's own market."""
    if same_market:
        stake = typed(trading.closing_stake(lay_stake, lay_odds, back_odds))
        wins, loses = trading.pair_result(stake, back_odds, lay_stake, lay_odds, lay_commission)
    else:
        stake = typed(
            trading.back_against_lay(
                lay_stake, lay_odds, lay_commission, back_odds, back_commission
            )
        )
        back_win, back_lose = kinds.exchange_back(stake, back_odds, back_commission)
        wins, loses = lay.outcomes(back_win, back_lose, lay_stake, lay_odds, lay_commission)
    return {
        "back_stake": money(stake),
        "total_if_selection_wins": money(wins),
        "total_if_selection_loses": money(loses),
        "guaranteed": money(min(wins, loses)),
    }


def trade_out(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
) -> Outputs:
    """A back closed by a lay in the same market; profit and outlay are those of the exact lay."""
    exact = trading.closing_stake(back_stake, back_odds, lay_odds)
    stake = typed(exact)
    wins, loses = trading.pair_result(back_stake, back_odds, stake, lay_odds, commission)
    return {
        "lay_stake": money(stake),
        "liability": money(stake * (lay_odds - 1)),
        "profit": money(after_commission(exact - back_stake, commission)),
        "total_staked": money(back_stake + exact * (lay_odds - 1)),
        "profit_if_selection_wins": money(wins),
        "profit_if_selection_loses": money(loses),
        "guaranteed": money(min(wins, loses)),
    }


def early_payout(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    trigger_probability: inputs.Probability | None = None,
) -> Outputs:
    """A bet paid out early, left to run: what it costs and how often it must go wrong to pay.

    `trigger_probability` is the chance of an early payout on a selection that does not win.
    """
    bet = kinds.qualifying(back_stake, back_odds)
    stake = typed(lay.equalising_stake(*bet, lay_odds, commission))
    wins, loses = lay.outcomes(*bet, stake, lay_odds, commission)
    least, payout = min(wins, loses), back_stake * back_odds
    outputs = {
        "lay_stake": money(stake),
        "liability": money(stake * (lay_odds - 1)),
        **by_result(wins, loses),
        "profit_if_both_pay": money(loses + payout),
        "break_even_probability_pct": percent(
            triggers.trigger_break_even(max(-least, ZERO), payout)
        ),
    }
    if trigger_probability is not None:
        outputs["expected_value"] = money(
            triggers.trigger_value(least, payout, trigger_probability)
        )
    return outputs


def early_payout_lock_in(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    in_play_back_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    win_probability: inputs.Probability | None = None,
) -> Outputs:
    """The lay closed in play once the bookmaker has paid out: profit locked either way."""
    bet = kinds.qualifying(back_stake, back_odds)
    laid = typed(lay.equalising_stake(*bet, lay_odds, commission))
    backed = typed(trading.closing_stake(laid, lay_odds, in_play_back_odds))
    wins, loses = trading.pair_result(backed, in_play_back_odds, laid, lay_odds, commission)
    outputs = {
        "lay_stake": money(laid),
        "back_stake_in_play": money(backed),
        "exchange_net_if_selection_wins": money(wins),
        "exchange_net_if_selection_loses": money(loses),
        "locked_profit": money(bet[0] + min(wins, loses)),
    }
    if win_probability is not None:
        if_wins, if_loses = lay.outcomes(*bet, laid, lay_odds, commission)
        paid_twice = if_loses + back_stake * back_odds
        outputs["expected_value_of_waiting"] = money(
            lay.expected_value(if_wins, paid_twice, win_probability)
        )
    return outputs
