"""Each calculator's figures against the same sums done again by hand from the stakes it prints.

A figure that people act on is what happens if they place exactly the printed stakes. The sums here
share nothing with the code that they check: they are written out per kind in pounds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, prod
from typing import Any

import pytest

from kos.domain.calculators import KINDS, calculate
from kos.errors import InvalidInput

F = Fraction
Printed = Mapping[str, Fraction]
Sums = Callable[[Printed], dict[str, Fraction]]
HALF_PENNY = F(1, 200)


class Given:
    """Inputs drawn one by one, to the penny and the hundredth."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)

    def stake(self, most: int = 500) -> F:
        return F(self._chance.randint(100, most * 100), 100)

    def odds(self) -> F:
        return F(self._chance.randint(120, 2000), 100)

    def share(self) -> F:
        return F(self._chance.randint(1, 99), 100)

    def rate(self) -> F:
        return F(self._chance.choice([0, 2, 5, 10]), 100)

    def prices(self) -> list[F]:
        return [self.odds() for _ in range(self._chance.randint(2, 5))]


def net(amount: F, rate: F) -> F:
    """What an exchange leaves of a result."""
    return amount * (1 - rate) if amount > 0 else amount


def lay_of(win: F, lose: F, odds: F, rate: F) -> Sums:
    """A bet that brings ``win`` or ``lose`` by itself, and the printed lay."""

    def sums(printed: Printed) -> dict[str, F]:
        laid = printed["lay_stake"]
        wins, loses = win - laid * (odds - 1), lose + laid * (1 - rate)
        # A penny of the stake moves the difference by the odds less the commission.
        assert abs(wins - loses) <= HALF_PENNY * (odds - rate), "not the balanced stake"
        return {
            "liability": laid * (odds - 1),
            "profit_if_back_wins": wins,
            "profit_if_back_loses": loses,
            "guaranteed": min(wins, loses),
            "lay_winnings_net": laid * (1 - rate),
            # Where one outcome breaks even: the lesser stake, and the greater.
            "underlay_stake": min(-lose / (1 - rate), win / (odds - 1)),
            "overlay_stake": max(-lose / (1 - rate), win / (odds - 1)),
        }

    return sums


def rated(sums: Sums, stake: F, win: F, odds: F, rate: F) -> Sums:
    def more(printed: Printed) -> dict[str, F]:
        found = sums(printed)
        return found | {
            "qualifying_loss": max(-found["guaranteed"], F(0)),
            "rating_pct": 100 * (win + stake) / stake * (1 - rate) / (odds - rate),
        }

    return more


def also(sums: Sums, **more: F) -> Sums:
    return lambda printed: sums(printed) | more


def plain(**figures: F) -> Sums:
    return lambda _: figures


Oracle = Callable[[Given], tuple[dict[str, Any], Sums]]


def qualifying(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, fee = g.stake(), g.odds(), g.odds(), g.rate(), g.rate()
    win = s * (b - 1) * (1 - fee)
    inputs = {
        "back_stake": s,
        "back_odds": b,
        "lay_odds": o,
        "commission": c,
        "back_commission": fee,
    }
    return inputs, rated(lay_of(win, -s, o, c), s, win, o, c)


def qualifying_back_fee_on_return(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, fee = g.stake(), g.odds(), g.odds(), g.rate(), g.rate()
    win = s * b * (1 - fee) - s
    inputs = {"back_stake": s, "back_odds": b, "lay_odds": o, "commission": c, "back_fee": fee}
    return inputs, rated(lay_of(win, -s, o, c), s, win, o, c)


def price_boost(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()
    boosted = b + g.share()
    win = s * (boosted - 1)
    inputs = {
        "back_stake": s,
        "back_odds": b,
        "boosted_odds": boosted,
        "lay_odds": o,
        "commission": c,
    }
    sums = rated(lay_of(win, -s, o, c), s, win, o, c)
    return inputs, also(sums, boost_value=s * (boosted - b) * (1 - c) / (o - c))


def arb_back_lay(g: Given) -> tuple[dict[str, Any], Sums]:
    inputs, sums = qualifying(g)
    b, o, c, fee = (
        F(inputs[n]) for n in ("back_odds", "lay_odds", "commission", "back_commission")
    )
    book = 1 / (1 + (b - 1) * (1 - fee)) + 1 / (1 + (1 - c) / (o - 1))
    return inputs, also(sums, book_pct=100 * book)


def free_bet_snr(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()
    inputs = {"back_stake": s, "back_odds": b, "lay_odds": o, "commission": c}
    kept = (b - 1) * (1 - c) / (o - c)
    return inputs, also(lay_of(s * (b - 1), F(0), o, c), retention_pct=100 * kept)


def free_bet_sr(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()
    inputs = {"back_stake": s, "back_odds": b, "lay_odds": o, "commission": c}
    return inputs, also(lay_of(s * b, F(0), o, c), retention_pct=100 * b * (1 - c) / (o - c))


def snr_retention(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()
    kept = (b - 1) * (1 - c) / (o - c)
    inputs = {"back_stake": s, "back_odds": b, "lay_odds": o, "commission": c}
    return inputs, plain(retention_pct=100 * kept, retained=kept * s)


def sr_retention(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()
    kept = b * (1 - c) / (o - c)
    inputs = {"back_stake": s, "back_odds": b, "lay_odds": o, "commission": c}
    return inputs, plain(retention_pct=100 * kept, retained=kept * s)


def refund_if_loses(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, kept = g.stake(), g.odds(), g.odds(), g.rate(), g.share()
    back = s * g.share()
    inputs = {
        "back_stake": s,
        "back_odds": b,
        "lay_odds": o,
        "commission": c,
        "refund_if_back_loses": back,
        "retention": kept,
    }
    return inputs, lay_of(s * (b - 1), back * kept - s, o, c)


def refund_back_fee_on_return(g: Given) -> tuple[dict[str, Any], Sums]:
    inputs, _ = refund_if_loses(g)
    s, b, o, c = (inputs[n] for n in ("back_stake", "back_odds", "lay_odds", "commission"))
    fee = g.rate()
    lose = inputs["refund_if_back_loses"] * inputs["retention"] - s
    return inputs | {"back_fee": fee}, lay_of(s * b * (1 - fee) - s, lose, o, c)


def win_bonus(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, kept, bonus = g.stake(), g.odds(), g.odds(), g.rate(), g.share(), g.stake()
    inputs = {
        "back_stake": s,
        "back_odds": b,
        "lay_odds": o,
        "commission": c,
        "bonus_if_back_wins": bonus,
        "retention": kept,
    }
    return inputs, lay_of(s * (b - 1) + bonus * kept, -s, o, c)


def rollover_bonus(g: Given) -> tuple[dict[str, Any], Sums]:
    s, bonus, b, o, c, rating = g.stake(), g.stake(), 1 + g.odds(), g.odds(), g.rate(), g.share()
    due = s * g.share()
    inputs = {
        "stake": s,
        "bonus": bonus,
        "back_odds": b,
        "lay_odds": o,
        "commission": c,
        "remaining_rollover": due,
        "expected_rating": rating,
    }
    cost = due * (1 - rating)
    return inputs, also(lay_of((s + bonus) * b - s - cost, -s, o, c), wagering_cost=cost)


def money_back_trigger(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, kept, chance = g.stake(), g.odds(), g.odds(), g.rate(), g.share(), g.share()
    back, against = s * g.share(), g.odds()
    inputs = {
        "back_stake": s,
        "back_odds": b,
        "lay_odds": o,
        "commission": c,
        "refund": back,
        "retention": kept,
        "trigger_probability": chance,
        "trigger_lay_odds": against,
    }
    lay = lay_of(s * (b - 1), -s, o, c)

    def sums(printed: Printed) -> dict[str, F]:
        found, cash = lay(printed), back * kept
        least, gain = found["guaranteed"], cash * (1 - c) / (against - c)
        return found | {
            "profit_if_triggered": found["profit_if_back_loses"] + cash,
            "break_even_probability_pct": 100 * max(-least, F(0)) / cash,
            "expected_value": least + chance * cash,
            "trigger_lay_stake": cash / (against - c),
            "trigger_gain": gain,
            "guaranteed_with_trigger_lay": least + gain,
        }

    return inputs, sums


def back_matched_by_lay(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()
    inputs = {"lay_stake": s, "back_odds": b, "lay_odds": o, "commission": c}
    return inputs, plain(back_stake_covered=s * (o - c) / b, liability=s * (o - 1))


def unwanted_lay(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o = g.stake(), g.odds(), g.odds()

    def sums(printed: Printed) -> dict[str, F]:
        backed = printed["back_stake"]
        wins, loses = backed * (b - 1) - s * (o - 1), s - backed
        assert abs(wins - loses) <= HALF_PENNY * b
        return {
            "total_if_selection_wins": wins,
            "total_if_selection_loses": loses,
            "guaranteed": min(wins, loses),
        }

    return {"lay_stake": s, "lay_odds": o, "back_odds": b}, sums


def trade_out(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c = g.stake(), g.odds(), g.odds(), g.rate()

    def sums(printed: Printed) -> dict[str, F]:
        laid = printed["lay_stake"]
        wins, loses = net(s * (b - 1) - laid * (o - 1), c), net(laid - s, c)
        return {
            "liability": laid * (o - 1),
            "profit_if_selection_wins": wins,
            "profit_if_selection_loses": loses,
            "guaranteed": min(wins, loses),
        }

    return {"back_stake": s, "back_odds": b, "lay_odds": o, "commission": c}, sums


def early_payout(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, chance = g.stake(), g.odds(), g.odds(), g.rate(), g.share()
    lay = lay_of(s * (b - 1), -s, o, c)

    def sums(printed: Printed) -> dict[str, F]:
        found = lay(printed)
        least = found["guaranteed"]
        names = ("liability", "profit_if_back_wins", "profit_if_back_loses", "guaranteed")
        return {name: found[name] for name in names} | {
            "profit_if_both_pay": found["profit_if_back_loses"] + s * b,
            "break_even_probability_pct": 100 * max(-least, F(0)) / (s * b),
            "expected_value": least + chance * s * b,
        }

    return {
        "back_stake": s,
        "back_odds": b,
        "lay_odds": o,
        "commission": c,
        "trigger_probability": chance,
    }, sums


def sequential_lay(g: Given) -> tuple[dict[str, Any], Sums]:
    s, c = g.stake(), g.rate()
    legs = [(1 + g.share(), 1 + g.share()) for _ in range(3)]

    def sums(printed: Printed) -> dict[str, F]:
        lost, results, figures = F(0), [], {}
        for number, (_, odds) in enumerate(legs, start=1):
            laid = printed[f"lay_{number}"]
            results.append(laid * (1 - c) - s - lost)
            lost += laid * (odds - 1)
            figures[f"liability_{number}"] = laid * (odds - 1)
        results.append(s * prod(back for back, _ in legs) - s - lost)
        assert max(results) - min(results) <= F(1, 20), "a path ends with another balance"
        assert abs(printed["guaranteed"] - min(results)) <= F(1, 20)
        return figures | {"total_liability": lost}

    return {
        "stake": s,
        "legs": [{"back_odds": b, "lay_odds": o, "commission": c} for b, o in legs],
    }, sums


def accumulator_odds(g: Given) -> tuple[dict[str, Any], Sums]:
    s, odds = g.stake(), [1 + g.share() for _ in range(3)]
    return {"odds": odds, "stake": s}, plain(return_=s * prod(odds), profit=s * (prod(odds) - 1))


def spread(odds: list[F]) -> Sums:
    def sums(printed: Printed) -> dict[str, F]:
        stakes = [printed[f"stake_{n}"] for n, _ in enumerate(odds, start=1)]
        profits = [stake * price - sum(stakes) for stake, price in zip(stakes, odds, strict=True)]
        # Half a penny of its own stake, and of each other's.
        slack = HALF_PENNY * 2 * (max(odds) + len(odds))
        assert max(profits) - min(profits) <= slack, "the outcomes do not pay alike"
        figures = {f"profit_if_{n}": profit for n, profit in enumerate(profits, start=1)}
        return figures | {"guaranteed": min(profits)}

    return sums


def dutch_total(g: Given) -> tuple[dict[str, Any], Sums]:
    total, odds = g.stake(), g.prices()
    book = sum(1 / price for price in odds)
    return {"total_stake": total, "odds": odds}, also(spread(odds), book_pct=100 * F(book))


def dutch_target_profit(g: Given) -> tuple[dict[str, Any], Sums]:
    odds = [2 * size + g.odds() for size in (2, 2)]
    return {"target_profit": g.stake(), "odds": odds}, spread(odds)


def dutch_fixed_first(g: Given) -> tuple[dict[str, Any], Sums]:
    first, odds = g.stake(), g.prices()
    inputs = {"first_stake": first, "first_odds": odds[0], "other_odds": odds[1:]}
    return inputs, lambda printed: spread(odds)({**printed, "stake_1": first})


def dutch_mixed(g: Given) -> tuple[dict[str, Any], Sums]:
    total, odds = g.stake(), g.prices()
    return {"total_stake": total, "legs": [{"odds": price} for price in odds]}, spread(odds)


def each_way(g: Given) -> tuple[dict[str, Any], Sums]:
    u, w, wo, po, c = g.stake(), 2 + g.odds(), g.odds(), g.odds(), g.rate()
    place = 1 + (w - 1) / 5

    def sums(printed: Printed) -> dict[str, F]:
        won, placed = printed["win_lay_stake"], printed["place_lay_stake"]
        lays_win, lays_place = (1 - c) * won, (1 - c) * placed
        figures = {
            "profit_if_wins": u * (w - 1) + u * (place - 1) - won * (wo - 1) - placed * (po - 1),
            "profit_if_places": -u + u * (place - 1) + lays_win - placed * (po - 1),
            "profit_if_unplaced": -2 * u + lays_win + lays_place,
        }
        return figures | {
            "guaranteed": min(figures.values()),
            "profit_if_extra_place": -u + u * (place - 1) + lays_win + lays_place,
            "win_return": u * w, "place_return": u * place, "total_return": u * (w + place),
            "total_staked": 2 * u, "win_liability": won * (wo - 1), "place_liability": placed * (po - 1),
        }  # fmt: skip

    return {
        "unit_stake": u,
        "win_odds": w,
        "place_fraction": "1/5",
        "win_lay_odds": wo,
        "place_lay_odds": po,
        "commission": c,
    }, sums


def each_way_fair_edge(g: Given) -> tuple[dict[str, Any], Sums]:
    o = g.odds()
    win, place = o / 16 - 1, F(4, 16) * (1 + (o - 1) / 4) - 1
    figures = {"win_edge_pct": win, "place_edge_pct": place, "total_edge_pct": (win + place) / 2}
    return {"runners": 16, "odds": o, "places": 4, "place_fraction": "1/4"}, plain(
        **{name: 100 * edge for name, edge in figures.items()}
    )


def rule4(g: Given) -> tuple[dict[str, Any], Sums]:
    s, o, one, other = g.stake(), g.odds(), g.share() / 2, g.share() / 2
    off = min(one + other, F(9, 10))
    profit = s * (o - 1) * (1 - off)
    return {"stake": s, "odds": o, "deductions": [one, other]}, plain(
        deduction_pct=100 * off, profit=profit, return_=s + profit
    )


def dead_heat(g: Given) -> tuple[dict[str, Any], Sums]:
    s, o, laid, against, c = g.stake(), g.odds(), g.stake(), g.odds(), g.rate()
    # Two of three places: that share of the stake wins, the rest loses.
    back = s * F(2, 3) * o - s
    lay = net(laid * F(1, 3) - laid * F(2, 3) * (against - 1), c)
    inputs = {
        "stake": s,
        "odds": o,
        "tied": 3,
        "places_left": 2,
        "lay_stake": laid,
        "lay_odds": against,
        "commission": c,
    }
    return inputs, plain(return_=back + s, profit=back, lay_result=lay, total=back + lay)


def commission(g: Given) -> tuple[dict[str, Any], Sums]:
    s, o, laid, against, rate = g.stake(), g.odds(), g.stake(), g.odds(), g.rate()
    wins, loses = s * (o - 1) - laid * (against - 1), laid - s
    bets = [
        {"side": "back", "odds": o, "stake": s},
        {"side": "lay", "odds": against, "stake": laid},
    ]
    figures = {
        "net_if_wins": net(wins, rate),
        "net_if_loses": net(loses, rate),
        "rate_pct": 100 * rate,
    }
    return {"bets": bets, "rate": rate}, plain(**figures)


def liability_float(g: Given) -> tuple[dict[str, Any], Sums]:
    free, taken, s, o = g.stake(), g.stake(), g.stake(), g.odds()
    # An exchange takes the liability to the penny above.
    owed, left = F(ceil(100 * s * (o - 1)), 100), free - taken
    inputs = {"available": free, "open_exposures": [taken], "lay_stake": s, "lay_odds": o}
    return inputs, plain(liability=owed, free=left, shortfall=max(owed - left, F(0)))


def offer_value(g: Given) -> tuple[dict[str, Any], Sums]:
    loss, face, kept = g.stake(), g.stake(), g.share()
    inputs = {"qualifying_profit": -loss, "free_bets": [{"face": face, "retention": kept}]}
    return inputs, plain(value=face * kept - loss, bonuses=face * kept)


def expected_value(g: Given) -> tuple[dict[str, Any], Sums]:
    s, o, p, c = g.stake(), g.odds(), g.share(), g.rate()
    worth = p * s * (o - 1) * (1 - c) - (1 - p) * s
    return {"stake": s, "odds": o, "probability": p, "commission": c}, plain(
        expected_value=worth, edge_pct=100 * worth / s
    )


def kelly(g: Given) -> tuple[dict[str, Any], Sums]:
    o, p, bank = g.odds(), g.share(), g.stake()
    share = max((p * o - 1) / (o - 1), F(0))
    return {"decimal_odds": o, "probability": p, "bank": bank}, plain(
        stake_fraction=share, stake=share * bank
    )


def overround(g: Given) -> tuple[dict[str, Any], Sums]:
    odds = g.prices()
    book = F(sum(1 / price for price in odds))
    fair = {f"p{n}": 1 / price / book for n, price in enumerate(odds, start=1)}
    return {"odds": odds, "method": "multiplicative"}, plain(
        book_pct=100 * book, margin_pct=100 * (book - 1), **fair
    )


def exchange_mid(g: Given) -> tuple[dict[str, Any], Sums]:
    b = g.odds()
    o = b + g.share()
    return {"best_back": b, "best_lay": o}, plain(probability=(1 / b + 1 / o) / 2)


def lay_as_back(g: Given) -> tuple[dict[str, Any], Sums]:
    o, c = g.odds(), g.rate()
    return {"lay_odds": o, "commission": c}, plain(equivalent_back_odds=1 + (1 - c) / (o - 1))


def odds_conversion(g: Given) -> tuple[dict[str, Any], Sums]:
    o = g.odds()
    american = 100 * (o - 1) if o >= 2 else -100 / (o - 1)
    return {"decimal": o}, plain(decimal=o, hong_kong=o - 1, implied_pct=100 / o, american=american)


def minimum_odds(g: Given) -> tuple[dict[str, Any], Sums]:
    odds = g.prices()
    return {"odds": odds, "minimum": 2}, plain(shortest_leg=min(odds), combined_odds=F(prod(odds)))


def lay_fill(g: Given) -> tuple[dict[str, Any], Sums]:
    s, b, o, c, waiting = g.stake(), g.odds(), g.odds(), g.rate(), g.stake(50)

    def sums(printed: Printed) -> dict[str, F]:
        parts = [
            (printed[f"lay_{n}"], odds) for n, odds in ((1, o), (2, o + 1)) if f"lay_{n}" in printed
        ]
        assert parts[0][0] <= waiting
        owed = F(sum(stake * (odds - 1) for stake, odds in parts))
        laid = F(sum(stake for stake, _ in parts))
        wins, loses = s * (b - 1) - owed, laid * (1 - c) - s
        return {
            "total_laid": laid,
            "liability": owed,
            "profit_if_back_wins": wins,
            "profit_if_back_loses": loses,
            "guaranteed": min(wins, loses),
        }

    levels = [{"odds": o, "available": waiting}, {"odds": o + 1, "available": "99999"}]
    return {"back_stake": s, "back_odds": b, "commission": c, "levels": levels}, sums


ORACLES: dict[str, Oracle] = {
    oracle.__name__: oracle
    for oracle in (
        qualifying, qualifying_back_fee_on_return, price_boost, arb_back_lay, free_bet_snr, free_bet_sr,
        snr_retention, sr_retention, refund_if_loses, refund_back_fee_on_return, win_bonus, rollover_bonus,
        money_back_trigger, back_matched_by_lay, unwanted_lay, trade_out, early_payout, sequential_lay,
        accumulator_odds, dutch_total, dutch_target_profit, dutch_fixed_first, dutch_mixed, each_way,
        each_way_fair_edge, rule4, dead_heat, commission, liability_float, offer_value, expected_value, kelly,
        overround, exchange_mid, lay_as_back, odds_conversion, minimum_odds, lay_fill,
    )
}  # fmt: skip
ORACLES["arb_back_back"] = dutch_total
BY_EXAMPLE_ALONE = {
    "accumulator_lay_all", "accumulator_no_lay", "dutch_or_lay", "early_payout_lock_in", "exposure", "ladder",
    "liability_cap", "min_stake", "multi_lay", "part_lay", "typed_stake",
}  # fmt: skip
"""Kinds whose figures rest on their worked examples."""


def test_every_kind_is_recomputed_or_named_as_resting_on_its_examples() -> None:
    assert set(ORACLES) | BY_EXAMPLE_ALONE == set(KINDS)
    assert not set(ORACLES) & BY_EXAMPLE_ALONE


def number(text: str) -> F | None:
    try:
        return F(text)
    except ValueError:
        return None


def as_typed(value: object) -> object:
    """Exact numbers as the text of a decimal."""
    if isinstance(value, list):
        return [as_typed(entry) for entry in value]
    if isinstance(value, dict):
        return {name: as_typed(entry) for name, entry in value.items()}
    if isinstance(value, Fraction):
        return str(Decimal(value.numerator) / value.denominator)
    return str(value)


@pytest.mark.parametrize("kind", sorted(ORACLES))
def test_the_figures_are_those_of_the_printed_stakes(kind: str) -> None:
    for draw in range(40):
        inputs, sums = ORACLES[kind](Given(f"{kind} {draw}"))
        outputs = calculate(kind, {name: as_typed(value) for name, value in inputs.items()})
        exact = {name: number(text) for name, text in outputs.items()}
        printed = {name: value for name, value in exact.items() if value is not None}
        figures = sums(printed)
        assert figures
        for name, figure in figures.items():
            told = f"{name} of {inputs}: {outputs[name]}, by hand {float(figure)}"
            assert abs(printed[name] - figure) <= HALF_PENNY, told


def test_an_input_left_out_leaves_out_what_hangs_on_it() -> None:
    lay = {"back_stake": "10", "back_odds": "5", "lay_odds": "5.2", "commission": "0.02"}
    trigger = {**lay, "refund": "10"}
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("accumulator_odds", {"odds": ["2", "3"]}, "return_"),
        ("rule4", {"odds": "6", "deductions": ["0.2"]}, "profit"),
        ("dead_heat", {"stake": "20", "odds": "4.5", "tied": "2"}, "lay_result"),
        ("exchange_mid", {"best_back": "3", "best_lay": "3.1"}, "micro_probability"),
        ("early_payout", lay, "expected_value"),
        ("money_back_trigger", lay, "profit_if_triggered"),
        ("money_back_trigger", trigger, "expected_value"),
        ("money_back_trigger", {**trigger, "trigger_probability": "0.1"}, "trigger_lay_stake"),
        ("ladder", {"price": "1000"}, "next_up"),
        ("ladder", {"price": "1.01"}, "next_down"),
        (
            "each_way",
            {
                "unit_stake": "1",
                "win_odds": "21",
                "place_fraction": "1/4",
                "win_lay_odds": "8",
                "place_lay_odds": "2",
            },
            "implied_extra_place_odds",
        ),
        (
            "lay_fill",
            {"back_stake": "1", "back_odds": "2", "minimum": "50", "levels": ["2:9"]},
            "average_odds",
        ),
    ]
    for kind, inputs, absent in cases:
        outputs = calculate(kind, inputs)
        assert outputs
        assert absent not in outputs, kind


def test_a_rollover_with_nothing_left_to_turn_over_costs_nothing_more() -> None:
    inputs = {"stake": "50", "bonus": "50", "back_odds": "2", "lay_odds": "2.04"}
    assert calculate("rollover_bonus", inputs)["wagering_cost"] == "0.00"


def test_a_level_of_less_than_a_penny_is_passed_over() -> None:
    levels = ["2:0.004", "2.1:100"]
    outputs = calculate("lay_fill", {"back_stake": "10", "back_odds": "2", "levels": levels})
    assert outputs["lay_odds_1"] == "2.10"
    assert "lay_2" not in outputs


@pytest.mark.parametrize("text", ["x", "+", "1e3", "+100" + "0" * 99])
def test_american_odds_that_are_no_number_are_refused(text: str) -> None:

    with pytest.raises(InvalidInput) as refused:
        calculate("odds_conversion", {"american": text})
    assert refused.value.field == "american"
