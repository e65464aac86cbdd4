"""Calculators of each-way bets and of how a race is settled."""

from __future__ import annotations

from fractions import Fraction

from kos.domain.bets import each_way as each_way_bets
from kos.domain.bets import lay, settlement
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ZERO, FreeBet, needed
from kos.domain.calculators.outputs import Outputs, money, percent, typed
from kos.domain.market.commission import after_commission
from kos.domain.money import shown
from kos.errors import InvalidInput


def each_way(
    *,
    win_odds: inputs.Odds,
    place_fraction: inputs.Share,
    unit_stake: inputs.Money,
    win_lay_odds: inputs.Odds | None = None,
    place_lay_odds: inputs.Odds | None = None,
    commission: inputs.Rate = ZERO,
    place_commission: inputs.Rate | None = None,
    free_bet: inputs.StakeOrSnr = FreeBet.NONE,
    extra_place_probability: inputs.Probability | None = None,
) -> Outputs:
    """An each-way bet, twice the unit stake; with both lay odds also its lays and extra place.

    The place lay must pay as many places as the exchange does; the extra place is one that only
    the bookmaker pays.
    """
    is_free = free_bet is FreeBet.SNR
    place_odds = each_way_bets.place_odds(win_odds, place_fraction)
    win_part = each_way_bets.part(unit_stake, win_odds, is_free_bet=is_free)
    place_part = each_way_bets.part(unit_stake, place_odds, is_free_bet=is_free)
    outputs = {
        "place_odds": shown(place_odds),
        "win_return": money(win_part[0]),
        "place_return": money(place_part[0]),
        "total_return": money(win_part[0] + place_part[0]),
        "total_staked": money(win_part[1] + place_part[1]),
    }
    if win_lay_odds is None and place_lay_odds is None:
        return outputs
    win_lay = needed("win_lay_odds", win_lay_odds, "place_lay_odds is given")
    place_lay = needed("place_lay_odds", place_lay_odds, "win_lay_odds is given")
    place_rate = commission if place_commission is None else place_commission
    win_stake = typed(lay.equalising_stake(win_part[0], ZERO, win_lay, commission))
    place_stake = typed(lay.equalising_stake(place_part[0], ZERO, place_lay, place_rate))
    outputs |= {
        "win_lay_stake": money(win_stake),
        "win_liability": money(win_stake * (win_lay - 1)),
        "place_lay_stake": money(place_stake),
        "place_liability": money(place_stake * (place_lay - 1)),
    }
    results = each_way_bets.results(
        win_part,
        place_part,
        (win_stake, win_lay, commission),
        (place_stake, place_lay, place_rate),
    )
    return outputs | _each_way_results(results, place_part[0], extra_place_probability)


def _each_way_results(
    results: each_way_bets.EachWayResults,
    place_return: Fraction,
    extra_place_probability: Fraction | None,
) -> Outputs:
    loss = -results.if_unplaced
    outputs = {
        "profit_if_wins": money(results.if_wins),
        "profit_if_places": money(results.if_places),
        "profit_if_unplaced": money(results.if_unplaced),
        "profit_if_extra_place": money(results.if_extra_place),
        "guaranteed": money(min(results.if_wins, results.if_places, results.if_unplaced)),
        "break_even_extra_place_pct": percent(max(loss, ZERO) / place_return),
    }
    if loss > 0:
        outputs["implied_extra_place_odds"] = shown(place_return / loss)
    if extra_place_probability is not None:
        outputs["expected_value"] = money(
            results.if_unplaced + extra_place_probability * place_return
        )
    return outputs


def each_way_fair_edge(
    *, runners: inputs.Count, odds: inputs.Odds, places: inputs.Count, place_fraction: inputs.Share
) -> Outputs:
    """The edge of an each-way bet on one runner among equals."""
    win, place = each_way_bets.fair_edges(runners, odds, places, place_fraction)
    return {
        "win_edge_pct": percent(win),
        "place_edge_pct": percent(place),
        "total_edge_pct": percent((win + place) / 2),
    }


def rule4(
    *,
    odds: inputs.Odds,
    deductions: inputs.Deductions,
    stake: inputs.Money | None = None,
    cap: inputs.Rate = settlement.MAX_RULE4_DEDUCTION,
) -> Outputs:
    """Winnings less the deductions of withdrawn runners, added up to the cap."""
    deduction = settlement.rule4_deduction(deductions, cap)
    new_odds = settlement.rule4_odds(odds, deduction)
    outputs = {"new_odds": shown(new_odds), "deduction_pct": percent(deduction)}
    if stake is not None:
        outputs["profit"] = money(stake * (new_odds - 1))
        outputs["return_"] = money(stake * new_odds)
    return outputs


def dead_heat(
    *,
    stake: inputs.Money,
    odds: inputs.Odds,
    tied: inputs.Count,
    places_left: inputs.Count = 1,
    lay_stake: inputs.Money | None = None,
    lay_odds: inputs.Odds | None = None,
    commission: inputs.Rate = ZERO,
) -> Outputs:
    """A bet on one of `tied` runners that share `places_left` places; also its lay."""
    if places_left > tied:
        raise InvalidInput("places_left", places_left, f"up to the number of tied runners ({tied})")
    returned = settlement.dead_heat_return(stake, odds, tied, places_left)
    outputs = {"return_": money(returned), "profit": money(returned - stake)}
    if lay_stake is not None or lay_odds is not None:
        laid = needed("lay_stake", lay_stake, "lay_odds is given")
        against = needed("lay_odds", lay_odds, "lay_stake is given")
        gross = settlement.dead_heat_lay(laid, against, tied, places_left)
        net = after_commission(gross, commission)
        outputs["lay_result"] = money(net)
        outputs["total"] = money(returned - stake + net)
    return outputs
