"""Each-way bets: one stake on the win, one on the place, and the extra place between them.

Each-way S costs 2S. The place part is paid at ``1 + (b - 1) f``. Each part is laid by itself,
in the win and in the place market, the latter with as many places as the exchange pays. All
numbers are exact.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from kos.errors import InvalidInput


class EachWayResults(msgspec.Struct, frozen=True):
    """Totals over bookmaker and exchange for each way the race can end. Pounds."""

    if_wins: Fraction
    if_places: Fraction
    if_unplaced: Fraction
    if_extra_place: Fraction
    """The bookmaker pays the place, the exchange does not."""


def place_odds(win_odds: Fraction, place_fraction: Fraction) -> Fraction:
    """Decimal odds of the place part: 13.0 at 1/5 is 3.40."""
    return 1 + (win_odds - 1) * place_fraction


def part(unit_stake: Fraction, odds: Fraction, *, is_free_bet: bool) -> tuple[Fraction, Fraction]:
    """(payout, cost) of one half: S b against S, or F (b - 1) against nothing for a free bet."""
    if is_free_bet:
        return unit_stake * (odds - 1), Fraction(0)
    return unit_stake * odds, unit_stake


def results(
    win_part: tuple[Fraction, Fraction],
    place_part: tuple[Fraction, Fraction],
    win_lay: tuple[Fraction, Fraction, Fraction],
    place_lay: tuple[Fraction, Fraction, Fraction],
) -> EachWayResults:
    """The four totals of any two lays, each (stake, odds, commission); parts as in `part`."""
    cost = win_part[1] + place_part[1]
    win_stake, win_odds, win_rate = win_lay
    place_stake, place_odds_, place_rate = place_lay
    win_kept, place_kept = win_stake * (1 - win_rate), place_stake * (1 - place_rate)
    placed = place_part[0] - place_stake * (place_odds_ - 1)
    unplaced = win_kept + place_kept - cost
    return EachWayResults(
        if_wins=win_part[0] - win_stake * (win_odds - 1) + placed - cost,
        if_places=win_kept + placed - cost,
        if_unplaced=unplaced,
        if_extra_place=unplaced + place_part[0],
    )


def fair_edges(
    runners: int, odds: Fraction, places: int, place_fraction: Fraction
) -> tuple[Fraction, Fraction]:
    """(win edge, place edge) per pound of a runner in a race of equals.

    At 10.0 among 11 runners with 4 places at 1/5 the win part loses 9.09 % and the place part
    gains 1.82 %.

    Raises:
        InvalidInput: More places than runners.
    """
    if places > runners:
        raise InvalidInput("places", places, f"up to the number of runners ({runners})")
    win = odds / runners - 1
    return win, place_odds(odds, place_fraction) * places / runners - 1
