"""How much of a back bet its lays cover; derived from the state, never stored."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.money import from_pence
from kos.domain.offers.state import OfferState


class HedgeStatus(StrEnum):
    """How much of a back bet its matched lays cover; derived, never stored."""

    UNHEDGED = "unhedged"
    PART = "part"
    HEDGED = "hedged"


def hedge_status(state: OfferState, back: str) -> HedgeStatus:
    """How much of a back bet its matched lays cover.

    A lay of L at l with commission c moves ``L (l - c)`` between the two outcomes; the back is
    hedged when that makes up what the back itself pays (its return), to the penny of lay stake.
    A £10 cash bet at 2.50 pays 25.00; £9.92 laid at 2.54 with 2% moves 24.998: hedged.
    """
    bet = state.bet(back)
    wanted = from_pence(bet.stake) * (bet.odds - (0 if bet.returns_stake else 1))
    moved, tolerance = Decimal(0), Decimal(0)
    for position_bet in state.position(back):
        if not position_bet.is_exchange:
            continue
        stake = from_pence(position_bet.stake)
        sign = 1 if position_bet.side is ExchangeSide.LAY else -1
        moved += sign * stake * (position_bet.odds - position_bet.commission)
        tolerance += position_bet.odds * from_pence(1)
    if moved <= 0:
        return HedgeStatus.UNHEDGED
    return HedgeStatus.HEDGED if moved >= wanted - tolerance else HedgeStatus.PART
