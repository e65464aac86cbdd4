"""Kinds of back bet as the two amounts that the lay is computed from.

Each builder gives (back_win, back_lose): what the bookmaker side pays in cash, net of the stake,
if the selection wins and if it does not. A bonus is valued in cash, its face times its
retention. Builders are generic over `Decimal` and `Fraction` and check nothing: the code that reads
the inputs has done so, and a ranking calls them thousands of times.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from kos.domain.money import Exact


def qualifying(stake: Exact, odds: Exact) -> tuple[Exact, Exact]:
    """A cash bet; also a price boost, with the boosted odds."""
    return stake * (odds - 1), -stake


def free_bet_snr(face: Exact, odds: Exact) -> tuple[Exact, Exact]:
    """A free bet whose stake is not returned."""
    return face * (odds - 1), face - face


def free_bet_sr(face: Exact, odds: Exact) -> tuple[Exact, Exact]:
    """A free bet whose stake is paid out with the winnings."""
    return face * odds, face - face


def refund_if_loses(
    stake: Exact, odds: Exact, refund: Exact, retention: Exact
) -> tuple[Exact, Exact]:
    """A cash bet with `refund` (face value) paid on every loss, worth `retention` per pound."""
    return stake * (odds - 1), refund * retention - stake


def bonus_if_wins(stake: Exact, odds: Exact, bonus: Exact, retention: Exact) -> tuple[Exact, Exact]:
    """A cash bet that earns `bonus` (face) if it wins, worth `retention` a pound."""
    return stake * (odds - 1) + bonus * retention, -stake


def wagered_bonus(
    stake: Exact, bonus: Exact, odds: Exact, wagering_cost: Exact
) -> tuple[Exact, Exact]:
    """Cash and bonus balance staked together; the bonus is gone if the bet loses.

    `wagering_cost` is what the turnover still due will cost, see `cost_of_wagering`.
    """
    return (stake + bonus) * odds - stake - wagering_cost, -stake


def cost_of_wagering(turnover_due: Exact, expected_rating: Exact) -> Exact:
    """What betting `turnover_due` through at an expected rating (0.97) loses; never below 0."""
    zero = turnover_due - turnover_due
    return max(turnover_due, zero) * (1 - expected_rating)


def exchange_back(stake: Exact, odds: Exact, commission: Exact) -> tuple[Exact, Exact]:
    """A cash bet on an exchange that charges `commission` on its winnings."""
    return stake * (odds - 1) * (1 - commission), -stake


def rating(back_odds: Exact, lay_odds: Exact, commission: Exact) -> Exact:
    """What is left of one pound staked in cash, b(1-c)/(l-c): 1 breaks even, above is an arb.

    A stake-returned free bet keeps the same share of its face.
    """
    return back_odds * (1 - commission) / (lay_odds - commission)


def snr_retention(back_odds: Exact, lay_odds: Exact, commission: Exact) -> Exact:
    """Cash made of one pound of a stake-not-returned free bet: (b-1)(1-c)/(l-c)."""
    return (back_odds - 1) * (1 - commission) / (lay_odds - commission)


def is_suspect_pair(back_odds: Decimal | Fraction, lay_odds: Decimal | Fraction) -> bool:
    """Whether the lay price is so far below the back price that the match must be wrong.

    True below 95 % of the back odds, compared exactly; 3.80 against 4.00 still passes.
    """
    return 100 * lay_odds < 95 * back_odds
