"""Calculators of dutches and arbitrages over two or more outcomes.

Return and profit are those of the exact stakes, as dutching pages print them; what the typed
stakes pay is given outcome by outcome beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kos.domain.bets import dutch
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ONE, ZERO, Cover, CoverLeg, FeeBase, FreeBet, spread
from kos.domain.calculators.outputs import ODDS_PLACES, Outputs, money, numbered, percent, yes_no
from kos.domain.calculators.outputs import typed as typed_lay
from kos.domain.market.commission import (
    back_odds_after_commission,
    back_odds_after_fee_on_return,
    lay_as_back_odds,
)
from kos.domain.money import PENNY, shown, to_step
from kos.errors import InvalidInput

NO_FEES: tuple[Fraction, ...] = (ZERO,)
A_PENNY = Fraction(PENNY)
TWO_WAYS = 2


def _effective(
    odds: Sequence[Fraction], fees: tuple[Fraction, ...], base: FeeBase, field: str = "fees"
) -> tuple[Fraction, ...]:
    rates = spread(field, fees, len(odds))
    after = back_odds_after_fee_on_return if base is FeeBase.RETURN else back_odds_after_commission
    return tuple(after(price, rate) for price, rate in zip(odds, rates, strict=True))


def _spread_outputs(amount: Fraction, effective: Sequence[Fraction], step: Fraction) -> Outputs:
    """Stakes that each return `amount`, what they leave, and the book."""
    stakes = dutch.stakes_returning(amount, effective)
    total = sum(stakes, ZERO)
    typed = [to_step(stake, step) for stake in stakes]
    results = dutch.profits(typed, effective)
    book = dutch.book_sum(effective)
    outputs = numbered("stake", typed)
    outputs["total_stake"] = money(sum(typed, ZERO))
    outputs["return_"] = money(amount)
    outputs["profit"] = money(amount - total)
    outputs["profit_pct"] = percent(1 / book - 1)
    outputs["book_pct"] = percent(book)
    outputs |= numbered("profit_if", results)
    outputs["guaranteed"] = money(min(results))
    return outputs


def dutch_total(
    *,
    total_stake: inputs.Money,
    odds: inputs.OutcomeOdds,
    fees: inputs.Rates = NO_FEES,
    fee_base: inputs.Fees = FeeBase.WINNINGS,
    step: inputs.Money = A_PENNY,
) -> Outputs:
    """A total stake spread so that each selection that wins returns the same."""
    effective = _effective(odds, fees, fee_base)
    return _spread_outputs(dutch.return_of_total(total_stake, effective), effective, step)


def arb_back_back(
    *,
    total_stake: inputs.Money,
    odds: inputs.OutcomeOdds,
    fees: inputs.Rates = NO_FEES,
    fee_base: inputs.Fees = FeeBase.WINNINGS,
    step: inputs.Money = A_PENNY,
) -> Outputs:
    """All outcomes backed at different bookmakers: an arbitrage if the book is below 100 %."""
    effective = _effective(odds, fees, fee_base)
    outputs = _spread_outputs(dutch.return_of_total(total_stake, effective), effective, step)
    return outputs | {"is_arb": yes_no(dutch.book_sum(effective) < 1)}


def dutch_target_profit(
    *,
    target_profit: inputs.Money,
    odds: inputs.OddsList,
    fees: inputs.Rates = NO_FEES,
    fee_base: inputs.Fees = FeeBase.WINNINGS,
    step: inputs.Money = A_PENNY,
) -> Outputs:
    """Stakes on selections so that each that wins leaves the same target profit."""
    effective = _effective(odds, fees, fee_base)
    return _spread_outputs(dutch.return_for_profit(target_profit, effective), effective, step)


def _first_side(
    free_bet: FreeBet, stake: Fraction, odds: Fraction, fee: Fraction, base: FeeBase
) -> tuple[Fraction, Fraction]:
    """(what the first bet returns if it wins, what it costs)."""
    if free_bet is FreeBet.SNR:
        return stake * (odds - 1) * (1 - fee), ZERO
    returned = stake * _effective((odds,), (fee,), base)[0]
    return returned, stake if free_bet is FreeBet.NONE else ZERO


def dutch_fixed_first(
    *,
    first_stake: inputs.Money,
    first_odds: inputs.Odds,
    other_odds: inputs.OddsList,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    first_fee: inputs.Rate = ZERO,
    other_fees: inputs.Rates = NO_FEES,
    fee_base: inputs.Fees = FeeBase.WINNINGS,
    refund_if_first_loses: inputs.Amount = ZERO,
    bonus_if_first_wins: inputs.Amount = ZERO,
    retention: inputs.Retention = ONE,
    step: inputs.Money = A_PENNY,
) -> Outputs:
    """The other outcomes covered for a first bet with a fixed stake, such as an offer's."""
    others = _effective(other_odds, other_fees, fee_base, "other_fees")
    returned, cost = _first_side(free_bet, first_stake, first_odds, first_fee, fee_base)
    returned += bonus_if_first_wins * retention
    refund = refund_if_first_loses * retention
    if refund > returned:
        raise InvalidInput(
            "refund_if_first_loses", money(refund), f"up to the return ({money(returned)})"
        )
    exact = dutch.stakes_returning(returned - refund, others)
    typed = [to_step(stake, step) for stake in exact]
    spent = sum(typed, cost)
    results = [
        returned - spent,
        *(stake * odds + refund - spent for stake, odds in zip(typed, others, strict=True)),
    ]
    outputs = numbered("stake", typed, 2)
    outputs["total_staked"] = money(spent)
    outputs["balance"] = money(returned - sum(exact, cost))
    outputs |= numbered("profit_if", results)
    outputs["guaranteed"] = money(min(results))
    if free_bet is not FreeBet.NONE:
        outputs["retention_pct"] = percent((returned - sum(exact, cost)) / first_stake)
    return outputs


def dutch_mixed(
    *,
    legs: inputs.CoverLegs,
    total_stake: inputs.Money | None = None,
    first_stake: inputs.Money | None = None,
    target_profit: inputs.Money | None = None,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    same_market: inputs.YesNo = False,
    step: inputs.Money = A_PENNY,
) -> Outputs:
    """Outcomes covered by any mix of bookmakers, exchange backs and a lay.

    A lay covers every outcome but its own, so it stands against one other leg only; its stake
    here is its liability, and its lay stake is given beside it. With `same_market`, exchange
    backs share one market's fee on net winnings.
    """
    _check_covers(legs)
    if free_bet is not FreeBet.NONE and first_stake is None:
        raise InvalidInput("free_bet", free_bet.value, "none, or give first_stake")
    effective = [_cover_odds(leg) for leg in legs]
    free = ZERO if free_bet is FreeBet.NONE else first_stake or ZERO
    match total_stake, first_stake, target_profit:
        case Fraction() as total, None, None:
            returned = dutch.return_of_total(total, effective)
        case None, Fraction() as first, None:
            returned = first * (effective[0] - (1 if free_bet is FreeBet.SNR else 0))
        case None, None, Fraction() as target:
            returned = dutch.return_for_profit(target, effective)
        case _:
            raise InvalidInput(
                "total_stake", None, "only one of total_stake, first_stake or target_profit"
            )
    typed = [
        _typed_cover(leg, stake, step)
        for leg, stake in zip(legs, dutch.stakes_returning(returned, effective), strict=True)
    ]
    if first_stake is not None:
        typed[0] = first_stake
    results = _mixed_profits(legs, typed, effective, same_market=same_market)
    # A free bet's stake is not lost; it is paid out with its own winnings only if SR.
    results = [
        result + (ZERO if free_bet is FreeBet.SNR and number == 0 else free)
        for number, result in enumerate(results)
    ]
    outputs = _cover_stakes(legs, typed)
    book = dutch.book_sum(effective)
    outputs["total_stake"] = money(sum(typed, ZERO) - free)
    outputs["return_"] = money(returned)
    outputs["book_pct"] = percent(book)
    outputs["is_arb"] = yes_no(book < 1)
    outputs |= numbered("profit_if", results)
    outputs["guaranteed"] = money(min(results))
    return outputs


def _check_covers(legs: inputs.CoverLegs) -> None:
    if len(legs) < TWO_WAYS or (
        len(legs) > TWO_WAYS and any(leg.type is Cover.LAY for leg in legs)
    ):
        raise InvalidInput(
            "legs",
            f"{len(legs)} legs",
            "two or more back bets, or one back bet and a lay of the same selection",
        )


def _cover_stakes(legs: inputs.CoverLegs, typed: list[Fraction]) -> Outputs:
    """What each leg stakes; of a lay that is its liability, so its lay stake stands beside it."""
    outputs: Outputs = {}
    for number, (stake, leg) in enumerate(zip(typed, legs, strict=True), start=1):
        outputs[f"stake_{number}"] = money(stake)
        if leg.type is Cover.LAY:
            outputs[f"lay_stake_{number}"] = money(stake / (leg.odds - 1))
    return outputs


def _typed_cover(leg: CoverLeg, stake: Fraction, step: Fraction) -> Fraction:
    """What a leg stakes once typed: of a lay it is the lay stake that is typed, to the penny."""
    if leg.type is Cover.LAY:
        return typed_lay(stake / (leg.odds - 1)) * (leg.odds - 1)
    return to_step(stake, step)


def _cover_odds(leg: CoverLeg) -> Fraction:
    if leg.type is Cover.LAY:
        return lay_as_back_odds(leg.odds, leg.commission)
    return back_odds_after_commission(leg.odds, leg.commission)


def _mixed_profits(
    legs: Sequence[CoverLeg],
    stakes: Sequence[Fraction],
    effective: Sequence[Fraction],
    *,
    same_market: bool,
) -> list[Fraction]:
    if not same_market:
        return list(dutch.profits(stakes, effective))
    if any(leg.type is Cover.LAY for leg in legs):
        raise InvalidInput("same_market", "yes", "no, as one leg is a lay")
    rates = {leg.commission for leg in legs if leg.type is Cover.EXCHANGE}
    if len(rates) > 1:
        raise InvalidInput("same_market", "yes", "no, as the exchange legs pay different rates")
    return list(
        dutch.profits_in_one_market(
            stakes,
            [leg.odds if leg.type is Cover.EXCHANGE else _cover_odds(leg) for leg in legs],
            [leg.commission if leg.type is Cover.EXCHANGE else None for leg in legs],
        )
    )


def dutch_or_lay(
    *,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    others: inputs.CoverLegs,
    commission: inputs.Rate = ZERO,
    free_bet: inputs.AnyBet = FreeBet.NONE,
) -> Outputs:
    """Two covers of one bet compared: laying it, or backing all the other outcomes."""
    if any(leg.type is Cover.LAY for leg in others):
        raise InvalidInput("others", "a lay", "back bets at bookmakers or on an exchange")
    returned, cost = _first_side(free_bet, back_stake, back_odds, ZERO, FeeBase.WINNINGS)
    by_lay = lay_as_back_odds(lay_odds, commission)
    by_dutch = dutch.group_odds([_cover_odds(leg) for leg in others])
    outputs = {
        "lay_effective_odds": shown(by_lay, ODDS_PLACES),
        "dutch_effective_odds": shown(by_dutch, ODDS_PLACES),
        "profit_by_lay": money(returned - cost - returned / by_lay),
        "profit_by_dutch": money(returned - cost - returned / by_dutch),
        "better": "lay" if by_lay >= by_dutch else "dutch",
    }
    return outputs | numbered("stake", (returned / _cover_odds(leg) for leg in others), 2)
