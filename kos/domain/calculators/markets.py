"""Calculators of exchange markets: fees, exposure, floats, ticks and smallest bets."""

from __future__ import annotations

import re
from fractions import Fraction

from kos.domain.bets import exposure as exposures
from kos.domain.bets import lay, minimum_stake
from kos.domain.bets.exposure import ExchangeSide, MarketBet
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ZERO, FreeBet, needed
from kos.domain.calculators.outputs import RATIO_PLACES, Outputs, money, percent, yes_no
from kos.domain.calculators.positions import back_side
from kos.domain.market import commission as fees
from kos.domain.market.ladder import BETFAIR, Ladder
from kos.domain.money import PENNY, Rounding, shown, to_step
from kos.errors import InvalidInput

OUTCOMES_OF = {
    "1x2": ("home", "draw", "away"),
    "match_odds": ("home", "draw", "away"),
    "moneyline": ("home", "away"),
    "two_way": ("home", "away"),
}
OTHER = "other"
A_PENNY = Fraction(PENNY)


def commission(
    *,
    bets: inputs.Bets | None = None,
    rate: inputs.Rate | None = None,
    net_winnings: inputs.Balance | None = None,
    market_base_rate: inputs.Rate | None = None,
    discount: inputs.Retention = ZERO,
    model: inputs.FeeModel = "net_win",
) -> Outputs:
    """An exchange's fee on a market's net winnings, from its bets or from the net itself.

    Bets that name no selection are all on the same one. The other model in use takes a fee on
    the smaller of stake and winnings of every bet, won or lost.
    """
    if rate is None:
        base = needed("market_base_rate", market_base_rate, "unless rate is given")
        rate = fees.discounted_rate(base, discount)
    outputs: Outputs = {}
    if bets is not None and net_winnings is None:
        for outcome, net in _nets(bets).items():
            if model == "net_win":
                fee = fees.commission_on(net, rate)
            else:
                fee = sum((_fee_on_smaller(bet, rate) for bet in bets), ZERO)
            outputs[f"commission_if_{outcome}"] = money(fee)
            outputs[f"net_if_{outcome}"] = money(net - fee)
    elif net_winnings is not None and bets is None:
        fee = fees.commission_on(net_winnings, rate)
        outputs["commission"] = money(fee)
        outputs["net"] = money(net_winnings - fee)
        outputs["points"] = shown(fee * fees.POINTS_PER_POUND)
    else:
        raise InvalidInput("net_winnings", None, "either net_winnings or bets")
    outputs["rate_pct"] = percent(rate)
    return outputs


def _nets(bets: tuple[MarketBet, ...]) -> dict[str, Fraction]:
    """Gross result of each outcome: of one selection ``wins`` and ``loses``, else by name."""
    if not any(bet.selection for bet in bets):
        return {
            "wins": exposures.result_if("", bets),
            "loses": exposures.result_if(OTHER, bets),
        }
    named = _named(bets)
    return {
        outcome: exposures.result_if(outcome, named) for outcome in _outcomes(named, None, None)
    }


def _fee_on_smaller(bet: MarketBet, rate: Fraction) -> Fraction:
    return fees.commission_on_smaller_of_stake_and_winnings(
        bet.stake, bet.stake * (bet.odds - 1), rate
    )


def exposure(
    *,
    lays: inputs.Lays = (),
    backs: inputs.Backs = (),
    bets: inputs.Bets = (),
    unmatched: inputs.Bets = (),
    market: inputs.NameText | None = None,
    selections: inputs.Names | None = None,
    available: inputs.Amount | None = None,
) -> Outputs:
    """The result of several bets in one market on each outcome before fees, and the maximum loss.

    The outcomes are those of `market` (1X2, moneyline) or `selections`; without either, those
    that were bet on and any other. Unmatched bets count in the worst liability alone, as if the
    worst choice of them were matched.
    """
    named = _named((*lays, *backs, *bets, *unmatched))
    matched = named[: len(named) - len(unmatched)]
    waiting = named[len(matched) :]
    outcomes = _outcomes(named, market, selections)
    results = {outcome: exposures.result_if(outcome, matched) for outcome in outcomes}
    outputs = {f"if_{outcome}": money(result) for outcome, result in results.items()}
    outputs["net_liability"] = money(exposures.exposure(results.values()))
    at_stake = exposures.exposure(
        exposures.worst_result_if(outcome, matched, waiting) for outcome in outcomes
    )
    if waiting:
        outputs["worst_liability"] = money(at_stake)
    if available is not None:
        ceiling = Fraction(money(at_stake, Rounding.CEILING))
        missing = exposures.shortfall(ceiling, available)
        outputs["shortfall"] = money(missing)
        outputs["is_allowed"] = yes_no(not missing)
    return outputs


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _named(bets: tuple[MarketBet, ...]) -> tuple[MarketBet, ...]:
    """The bets under names that an output can carry.

    Raises:
        InvalidInput: There is no bet, one names no selection, or two names look the same.
    """
    names = {bet.selection.casefold(): _slug(bet.selection) for bet in bets}
    if not names or "" in names.values() or len(set(names.values())) < len(names):
        raise InvalidInput(
            "selection", list(names), "one bet or more, each with the name of its selection"
        )
    return tuple(
        MarketBet(bet.side, names[bet.selection.casefold()], bet.odds, bet.stake) for bet in bets
    )


def _outcomes(
    bets: tuple[MarketBet, ...], market: str | None, selections: tuple[str, ...] | None
) -> tuple[str, ...]:
    bet_on = tuple(dict.fromkeys(bet.selection for bet in bets))
    outcomes = OUTCOMES_OF.get(_slug(market)) if market is not None else None
    if selections is not None:
        outcomes = tuple(dict.fromkeys(_slug(name) for name in selections))
    if outcomes is None:
        return bet_on if OTHER in bet_on else (*bet_on, OTHER)
    for name in bet_on:
        if name not in outcomes:
            raise InvalidInput("selection", name, "one of " + ", ".join(outcomes))
    return outcomes


def liability_float(
    *,
    available: inputs.Amount,
    lay_stake: inputs.Money,
    lay_odds: inputs.Odds,
    open_exposures: inputs.Amounts = (),
) -> Outputs:
    """Whether a float carries one more lay beside the exposures of other markets."""
    liability = Fraction(money(lay_stake * (lay_odds - 1), Rounding.CEILING))
    free = available - sum(open_exposures, ZERO)
    missing = exposures.shortfall(liability, free)
    return {
        "liability": money(liability),
        "free": money(free, Rounding.FLOOR),
        "shortfall": money(missing, Rounding.CEILING),
        "is_allowed": yes_no(not missing),
        "max_lay_stake": money(max(free, ZERO) / (lay_odds - 1), Rounding.FLOOR),
    }


def liability_cap(
    *,
    available: inputs.Amount,
    back_stake: inputs.Money,
    back_odds: inputs.Odds,
    lay_odds: inputs.Odds,
    commission: inputs.Rate = ZERO,
    free_bet: inputs.AnyBet = FreeBet.NONE,
    bookmaker_max_stake: inputs.Money | None = None,
    payout_limit: inputs.Money | None = None,
    cash: inputs.Money | None = None,
    offer_max_stake: inputs.Money | None = None,
) -> Outputs:
    """The largest stake within all limits, the limit that decides it, and the money needed."""
    win, lose = back_side(free_bet, Fraction(1), back_odds)
    needs = lay.equalising_stake(win, lose, lay_odds, commission) * (lay_odds - 1)
    caps = {"available": available / needs}
    if bookmaker_max_stake is not None:
        caps["bookmaker_max_stake"] = bookmaker_max_stake
    if payout_limit is not None:
        caps["payout_limit"] = payout_limit / back_odds
    if cash is not None and free_bet is FreeBet.NONE:
        caps["cash"] = cash
    if offer_max_stake is not None:
        caps["offer_max_stake"] = offer_max_stake
    binding = min(caps, key=lambda name: caps[name])
    required = Fraction(money(back_stake * needs, Rounding.CEILING))
    kept = lay.outcomes(win, lose, needs / (lay_odds - 1), lay_odds, commission)[0]
    return {
        "liability": money(required),
        "shortfall": money(exposures.shortfall(required, available), Rounding.CEILING),
        "max_stake": money(caps[binding], Rounding.FLOOR),
        "stake_used": money(min(back_stake, caps[binding]), Rounding.FLOOR),
        "binding": binding if caps[binding] < back_stake else "none",
        "retention_pct": percent(kept + (1 if free_bet is FreeBet.NONE else 0)),
    }


def ladder(
    *,
    ladder: inputs.LadderName = BETFAIR,
    price: inputs.Price | None = None,
    to_price: inputs.Price | None = None,
    ticks: inputs.Ticks | None = None,
) -> Outputs:
    """How many prices a ladder has; ticks between two of them, or away from one."""
    rungs: Ladder = ladder
    outputs = {"count": shown(Fraction(rungs.count), RATIO_PLACES)}
    if price is None:
        if to_price is not None or ticks is not None:
            raise InvalidInput("price", None, "a price, since ticks or to_price is given")
        return outputs
    outputs["is_valid"] = yes_no(rungs.is_valid(price))
    outputs["up"] = str(rungs.up(price))
    outputs["down"] = str(rungs.down(price))
    outputs["nearest"] = str(rungs.nearest(price))
    if price < rungs.highest:
        outputs["next_up"] = str(rungs.next_up(price))
    if price > rungs.lowest:
        outputs["next_down"] = str(rungs.next_down(price))
    if to_price is not None:
        outputs["ticks"] = str(rungs.ticks_between(price, to_price))
    if ticks is not None:
        outputs["moved"] = str(rungs.offset(price, ticks))
    return outputs


def min_stake(
    *,
    odds: inputs.Odds,
    stake: inputs.Money,
    side: inputs.BetSide | None = None,
    min_stake: inputs.Money = minimum_stake.GBP_MIN_STAKE,
    min_payout: inputs.Money = minimum_stake.GBP_MIN_PAYOUT,
) -> Outputs:
    """Whether an exchange takes a bet this small, by its stake or by its payout.

    ``liability_pence`` is what a lay owes in pounds before pence are made of it.
    """
    outputs = {
        "valid_by_stake": yes_no(stake >= min_stake),
        "valid_by_payout": yes_no(minimum_stake.pays_enough(stake, odds, min_payout)),
        "is_placeable": yes_no(minimum_stake.is_placeable(stake, odds, min_stake, min_payout)),
    }
    if side is ExchangeSide.LAY:
        owed = stake * (odds - 1)
        outputs["liability_exact"] = shown(owed, RATIO_PLACES)
        outputs["liability_pence"] = shown(owed, RATIO_PLACES)
        outputs["rounding_undercuts_liability"] = yes_no(
            minimum_stake.undercuts_liability(stake, odds)
        )
    return outputs


def typed_stake(
    *, stake: inputs.Amount, step: inputs.Money = A_PENNY, minimum: inputs.Amount = ZERO
) -> Outputs:
    """The stake to type where stakes go in steps, never below an offer's minimum."""
    return {"stake": money(to_step(stake, step, minimum))}


def offer_value(
    *,
    qualifying_profit: inputs.Balance,
    free_bets: inputs.Bonuses = (),
    costs: inputs.Amount = ZERO,
) -> Outputs:
    """A whole offer: the qualifier's result, the cash made of its free bets, less costs."""
    bonuses = sum(free_bets, ZERO)
    return {"value": money(qualifying_profit + bonuses - costs), "bonuses": money(bonuses)}
