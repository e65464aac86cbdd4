# ruff: noqa: PLR0911, PLR2004 - each refusal is its own way out; a match has two sides
"""Each outcome of a bookmaker's market to the exchange runner that means the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kos.domain.market.outcomes import is_draw
from kos.domain.matching.fixtures import OutcomesRefused
from kos.domain.matching.sides import POSSIBLE

_CLEAR = 0.1
"""How much the chosen order of two sides must beat the other order."""


def assign_outcomes(
    outcomes: Sequence[str],
    runners: Sequence[str],
    score: Callable[[str, str], float],
) -> dict[str, int] | OutcomesRefused:
    """The index of its runner for each outcome, by meaning and never by position.

    Args:
        outcomes: Outcome names of one bookmaker market, the draw among them where it has one.
        runners: Runner names of the exchange market.
        score: How sure an outcome and a runner are one side, 0 to 1.
    """
    if len(set(outcomes)) != len(outcomes) or len(set(runners)) != len(runners):
        return OutcomesRefused("two outcomes or two runners have the same name")
    drawn = [name for name in outcomes if is_draw(name)]
    drawn_runners = [i for i, name in enumerate(runners) if is_draw(name)]
    if len(drawn) > 1 or len(drawn_runners) > 1:
        return OutcomesRefused("more than one draw on one side")
    if drawn and not drawn_runners:
        return OutcomesRefused(
            "the bookmaker quotes a draw and the exchange market has none: another bet"
        )
    if drawn_runners and not drawn:
        return OutcomesRefused(
            "the exchange market has a draw and the bookmaker quotes none: another bet"
        )
    sides = [name for name in outcomes if not is_draw(name)]
    places = [i for i in range(len(runners)) if i not in drawn_runners]
    if len(sides) != 2 or len(places) != 2:
        return OutcomesRefused(
            f"{len(sides)} outcomes against {len(places)} runners, the draw aside"
        )
    (one, other), (first, second) = sides, places
    straight = min(score(one, runners[first]), score(other, runners[second]))
    turned = min(score(one, runners[second]), score(other, runners[first]))
    if max(straight, turned) < POSSIBLE:
        return OutcomesRefused(
            f"no runner surely means {one!r} or {other!r} among {list(runners)!r:.80}"
        )
    if abs(straight - turned) < _CLEAR:
        return OutcomesRefused(f"{one!r} and {other!r} fit the runners in both orders")
    runner_of = {one: first, other: second} if straight > turned else {one: second, other: first}
    if drawn:
        runner_of[drawn[0]] = drawn_runners[0]
    return runner_of
