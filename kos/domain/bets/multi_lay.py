"""One back bet that wins on any of several runners, covered by laying each of them.

The runners must exclude each other: at most one can win. All numbers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from kos.errors import InvalidInput

ZERO = Fraction(0)


def stakes_in_one_market(
    back_win: Fraction, back_lose: Fraction, lay_odds: Sequence[Fraction], commission: Fraction
) -> tuple[Fraction, ...]:
    """Lay stakes of equal payout V = (back_win - back_lose) / (1 - c q), q = sum 1/l_i.

    The fee is on the net of the one market. A £10 bet at 5.0 laid at 9.0 and 12.0 with 2 %
    takes £5.58 and £4.18.

    Raises:
        InvalidInput: The lays together cost more than they can win (q of 1 or more).
    """
    q = sum((1 / odds for odds in lay_odds), ZERO)
    if q >= 1:
        raise InvalidInput(
            "lay_odds",
            [str(odds) for odds in lay_odds],
            "runners of one market whose inverse lay odds add up to less than 1",
        )
    payout = (back_win - back_lose) / (1 - commission * q)
    return tuple(payout / odds for odds in lay_odds)


def stakes_in_markets_apart(
    back_win: Fraction,
    back_lose: Fraction,
    lays: Sequence[tuple[Fraction, Fraction]],
) -> tuple[Fraction, ...]:
    """Lay stakes where each runner has its own market: (back_win - back_lose) / (l_i - c_i).

    `lays` are (odds, commission).
    """
    return tuple((back_win - back_lose) / (odds - rate) for odds, rate in lays)


def results_in_one_market(
    back_win: Fraction,
    back_lose: Fraction,
    lays: Sequence[tuple[Fraction, Fraction]],
    commission: Fraction,
) -> tuple[tuple[Fraction, ...], Fraction]:
    """(total if each runner wins, total if none does) of any (odds, stake) lays in one market."""
    gathered = sum((stake for _, stake in lays), ZERO)
    nets = [gathered - stake * odds for odds, stake in lays]
    return (
        tuple(back_win + net - commission * max(net, ZERO) for net in nets),
        back_lose + gathered * (1 - commission),
    )


def results_in_markets_apart(
    back_win: Fraction,
    back_lose: Fraction,
    lays: Sequence[tuple[Fraction, Fraction, Fraction]],
) -> tuple[tuple[Fraction, ...], Fraction]:
    """The same with (odds, stake, commission) lays, each in a market of its own."""
    kept = [stake * (1 - rate) for _, stake, rate in lays]
    total = sum(kept, ZERO)
    return (
        tuple(
            back_win + total - own - stake * (odds - 1)
            for own, (odds, stake, _) in zip(kept, lays, strict=True)
        ),
        back_lose + total,
    )
