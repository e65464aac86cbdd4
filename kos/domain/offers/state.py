"""What the facts of one offer fold to: its phase, bets, tokens and money on its way."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

import msgspec

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books.double_entry import Pence, Posting, Wager
from kos.domain.money import from_pence
from kos.domain.offers.catalogue import BonusKind, Offer
from kos.domain.offers.facts import Fact, Result
from kos.errors import CommandNotAllowed


class Phase(IntEnum):
    """Where an instance is. Forward by one; back only when a bet is void."""

    DEPOSIT_SENT = 1
    QUALIFYING_PLACED = 2
    FREE_BET_PENDING = 3
    FREE_BET_CREDITED = 4
    FREE_BET_PLACED = 5
    FREE_BET_SETTLED = 6

    @property
    def label(self) -> str:
        """Its name in words."""
        if self is Phase.QUALIFYING_PLACED:
            return "Qualifying bet placed"
        return self.name.replace("_", " ").capitalize()


class OfferOutcome(StrEnum):
    """How an instance ended."""

    COMPLETED = "COMPLETED"
    NOT_TRIGGERED = "NOT_TRIGGERED"
    EXPIRED = "EXPIRED"
    VOIDED = "VOIDED"
    REFUSED = "REFUSED"
    RESTRICTED = "RESTRICTED"
    ABANDONED = "ABANDONED"


class Bet(msgspec.Struct, frozen=True, kw_only=True):
    """One bet of an instance, back or lay, over its fills and settlements."""

    id: str
    side: ExchangeSide
    venue: str
    is_exchange: bool
    covers: str
    """The back bet of its position; a back's own id."""
    stake: Pence
    """Over all fills."""
    open_stake: Pence
    """Not settled yet; the bet is open while this is above 0."""
    odds: Decimal
    """Average over all fills, weighted by stake."""
    liability: Pence = 0
    """Of an exchange bet's open part, rounded up: what it can lose."""
    market: str = ""
    selection: str = ""
    kickoff: datetime | None = None
    commission: Decimal = Decimal(0)
    is_single_winner: bool = True
    token: str = ""
    """The token it was staked with; empty for cash."""
    returns_stake: bool = True
    result: Result | None = None
    profit: Pence = 0
    """Settled so far, before commission."""
    settled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether any of it is still to be settled."""
        return self.open_stake > 0


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One free bet in its own phases 4 to 6."""

    id: str
    face: Pence
    kind: BonusKind
    phase: Phase
    credited_at: datetime
    expires_at: datetime | None
    min_odds: Decimal = Decimal(1)
    is_divisible: bool = False
    restrictions: str = ""
    bet: str = ""
    """The back bet it is staked on."""
    lost: OfferOutcome | None = None
    """Expired or voided: it is out of the game."""

    @property
    def is_in_game(self) -> bool:
        """Whether it counts for the phase of its instance."""
        return self.lost is None


class OfferState(msgspec.Struct, frozen=True, kw_only=True):
    """What the facts of one instance fold to."""

    id: str
    participant: str
    terms: Offer
    phase: Phase
    version: int
    """Facts so far."""
    started_at: datetime
    transit: dict[str, Pence] = {}
    """Venue to what is on its way for this instance."""
    transit_since: dict[str, datetime] = {}
    """Venue to when money was last sent on its way."""
    bets: tuple[Bet, ...] = ()
    tokens: tuple[Token, ...] = ()
    planned: dict[str, dict[str, Pence]] = {}
    """Back bet to exchange to liability that is reserved for lays not matched yet."""
    qualifier: str = ""
    """The back bet that is to qualify."""
    credit_due_by: datetime | None = None
    more_due: bool = False
    outcome: OfferOutcome | None = None
    closed_at: datetime | None = None
    reason: str = ""
    before: OfferState | None = None
    """The state before the end, for a supervisor who opens it again."""
    end: tuple[Posting, ...] = ()
    """What the end posted."""

    @property
    def is_closed(self) -> bool:
        """Whether an outcome ended it."""
        return self.outcome is not None

    def bet(self, bet_id: str) -> Bet:
        """The bet of that name.

        Raises:
            CommandNotAllowed: There is none; names those there are.
        """
        for bet in self.bets:
            if bet.id == bet_id:
                return bet
        bet_ids = ", ".join(bet.id for bet in self.bets) or "none"
        raise CommandNotAllowed(f"Offer {self.id} has no bet {bet_id!r}. Its bets: {bet_ids}.")

    def reserved_at(self, exchange: str) -> int:
        """Pence of float that lays not matched yet are going to need there."""
        return sum(amounts.get(exchange, 0) for amounts in self.planned.values())

    def open_bets(self) -> tuple[Bet, ...]:
        """Those not settled in full."""
        return tuple(bet for bet in self.bets if bet.is_open)

    def position(self, back: str) -> tuple[Bet, ...]:
        """A back bet and what hedges it."""
        return tuple(bet for bet in self.bets if bet.covers == back)


class Move(msgspec.Struct, frozen=True):
    """One transaction to be: its lines, and the change of an exchange bet whose exposure follows."""

    what: str
    postings: tuple[Posting, ...] = ()
    wager: Wager | None = None


class AppliedFact(msgspec.Struct, frozen=True):
    """One fact applied: the state after it and what it moves."""

    fact: Fact
    state: OfferState
    moves: tuple[Move, ...] = ()


def in_game(state: OfferState) -> tuple[Token, ...]:
    """The tokens that count for the phase of their instance."""
    return tuple(token for token in state.tokens if token.is_in_game)


class HedgeStatus(StrEnum):
    """How much of a back bet its matched lays cover; derived from the state, never stored."""

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
