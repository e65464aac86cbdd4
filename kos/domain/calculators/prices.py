"""Calculators of odds and chances: spellings, margins, expected values and stakes by edge."""

from __future__ import annotations

from fractions import Fraction

from kos.domain.bets import value
from kos.domain.bets.accumulator import combined_odds
from kos.domain.calculators import inputs
from kos.domain.calculators.inputs import ONE, ZERO, needed
from kos.domain.calculators.outputs import (
    ODDS_PLACES,
    PROBABILITY_PLACES,
    RATIO_PLACES,
    Outputs,
    money,
    percent,
    yes_no,
)
from kos.domain.market import fair_odds
from kos.domain.market import odds as spellings
from kos.domain.money import shown
from kos.errors import InvalidInput


def odds_conversion(
    *,
    decimal: inputs.Odds | None = None,
    fractional: inputs.Spelling | None = None,
    american: inputs.Spelling | None = None,
) -> Outputs:
    """One price in every spelling; ``fractional`` is exact, ``traditional`` the nearest chalked."""
    by_spelling = {"decimal": decimal, "fractional": fractional, "american": american}
    names = [name for name, spelt in by_spelling.items() if spelt is not None]
    if len(names) != 1:
        raise InvalidInput("decimal", names, "only one of decimal, fractional or american")
    if fractional is not None:
        exact = spellings.from_fractional(fractional)
    elif american is not None:
        exact = spellings.from_american_text(american)
    else:
        exact = needed("decimal", decimal, "odds to convert")
    return {
        "decimal": shown(exact),
        "fractional": spellings.to_fractional(exact),
        "traditional": spellings.to_traditional(exact),
        "american": shown(spellings.to_american(exact)),
        "american_display": spellings.to_american_display(exact),
        "hong_kong": shown(exact - 1),
        "implied_probability": shown(spellings.implied_probability(exact), RATIO_PLACES),
        "implied_pct": percent(spellings.implied_probability(exact)),
    }


def minimum_odds(
    *,
    odds: inputs.LegOdds,
    minimum: inputs.Odds,
    leg_minimum: inputs.Odds | None = None,
    is_inclusive: inputs.YesNo = True,
) -> Outputs:
    """Whether a bet meets an offer's minimum odds, compared exactly; a void leg counts as 1."""
    combined, shortest = combined_odds(odds), min(odds)
    meets = spellings.is_at_least(combined, minimum, is_inclusive=is_inclusive)
    if leg_minimum is not None:
        meets = meets and spellings.is_at_least(shortest, leg_minimum, is_inclusive=is_inclusive)
    return {
        "combined_odds": shown(combined),
        "shortest_leg": shown(shortest),
        "qualifies": yes_no(meets),
    }


def overround(
    *,
    odds: inputs.OutcomeOdds,
    method: inputs.MarginMethod | None = None,
    winners: inputs.Count = 1,
) -> Outputs:
    """Fair probabilities of all outcomes with the bookmaker's margin taken out."""
    if winners >= len(odds):
        raise InvalidInput("winners", winners, f"fewer than the outcomes ({len(odds)})")
    book = fair_odds.remove_overround(odds, method or fair_odds.default_method(len(odds)), winners)
    outputs: Outputs = {}
    for number, probability in enumerate(book.probabilities, start=1):
        exact = Fraction(probability)
        outputs[f"p{number}"] = shown(exact, PROBABILITY_PLACES)
        outputs[f"fair_odds_{number}"] = shown(1 / exact, ODDS_PLACES)
    if book.parameter is not None:
        outputs["param"] = shown(Fraction(book.parameter), PROBABILITY_PLACES)
    total = sum((1 / price for price in odds), ZERO)
    outputs["book_pct"] = percent(total)
    outputs["margin_pct"] = percent(total / winners - 1)
    outputs["method"] = book.method.value
    return outputs


def exchange_mid(
    *,
    best_back: inputs.Odds,
    best_lay: inputs.Odds,
    back_size: inputs.Money | None = None,
    lay_size: inputs.Money | None = None,
) -> Outputs:
    """The chance between an exchange's best prices, weighted by the money waiting if given."""
    middle = fair_odds.exchange_mid(best_back, best_lay)
    outputs = {
        "probability": shown(middle, PROBABILITY_PLACES),
        "fair_odds": shown(1 / middle, ODDS_PLACES),
    }
    if back_size is not None or lay_size is not None:
        micro = fair_odds.micro_price(
            best_back,
            best_lay,
            needed("back_size", back_size, "lay_size is given"),
            needed("lay_size", lay_size, "back_size is given"),
        )
        outputs["micro_probability"] = shown(micro, PROBABILITY_PLACES)
        outputs["micro_fair_odds"] = shown(1 / micro, ODDS_PLACES)
    return outputs


def expected_value(
    *,
    stake: inputs.Money,
    odds: inputs.Odds,
    probability: inputs.Probability,
    side: inputs.BackOrLay = "back",
    commission: inputs.Rate = ZERO,
) -> Outputs:
    """The average value of an unlaid bet: a back bet, a lay, or a free bet (SNR)."""
    if side == "lay":
        worth = value.value_of_lay(stake, odds, probability, commission)
    elif side == "snr":
        worth = value.value_of_free_bet(stake, odds, probability)
    else:
        worth = value.value_of_back(stake, odds, probability, commission)
    return {"expected_value": money(worth), "edge_pct": percent(worth / stake)}


def kelly(
    *,
    decimal_odds: inputs.Odds | None = None,
    probability: inputs.Probability | None = None,
    fraction: inputs.Share = ONE,
    side: inputs.BackOrLay = "back",
    commission: inputs.Rate = ZERO,
    bank: inputs.Money | None = None,
    bets: inputs.ValueBets | None = None,
    cap: inputs.Share = value.SIMULTANEOUS_CAP,
) -> Outputs:
    """The share of a bank to stake on one bet, or on several together within the cap.

    For a lay it is a share put up as liability. `commission` is an exchange's.
    """
    if bets is not None:
        shares = value.scaled_to_cap([fraction * value.kelly(*bet) for bet in bets], cap)
        outputs: Outputs = {}
        for number, share in enumerate(shares, start=1):
            outputs[f"stake_fraction_{number}"] = shown(share, RATIO_PLACES)
            if bank is not None:
                outputs[f"stake_{number}"] = money(share * bank)
        return outputs
    price = needed("decimal_odds", decimal_odds, "unless bets are given")
    chance = needed("probability", probability, "unless bets are given")
    if side == "lay":
        share = fraction * value.kelly_lay(price, chance, commission)
    else:
        effective = 1 + (price - 1) * (1 - commission)
        share = fraction * value.kelly(effective, chance)
    outputs = {"stake_fraction": shown(share, RATIO_PLACES)}
    if bank is not None:
        outputs["stake"] = money(share * bank)
        if side == "lay":
            outputs["lay_stake"] = money(share * bank / (price - 1))
    return outputs
