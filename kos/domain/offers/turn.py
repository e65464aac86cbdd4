"""One fact being applied: the state it changes, what it posts, and the guards all rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from kos.domain.books.double_entry import Account, AccountKind, Posting, Wager, pounds
from kos.domain.offers.catalogue import BonusKind
from kos.domain.offers.state import Bet, Move, OfferState, Phase, Token, in_game
from kos.errors import CommandNotAllowed


@dataclass
class Turn:
    """One fact being applied."""

    state: OfferState
    at: datetime
    moves: list[Move] = field(default_factory=list)

    def change(self, **fields: Any) -> None:
        """Another state, in these fields."""
        self.state = msgspec.structs.replace(self.state, **fields)

    def post(
        self,
        what: str,
        *lines: tuple[AccountKind, str, int],
        bet: str = "",
        wager: Wager | None = None,
    ) -> None:
        """A transaction of the lines that are not zero, and the exposure that follows."""
        postings = tuple(
            Posting(Account(kind, venue), amount, self.state.id, bet)
            for kind, venue, amount in lines
            if amount
        )
        if postings or wager is not None:
            self.moves.append(Move(what, postings, wager))

    def put_bet(self, bet: Bet) -> None:
        """A new bet, or a known one as it is now, in its place."""
        others = [other for other in self.state.bets if other.id != bet.id]
        place = next(
            (n for n, other in enumerate(self.state.bets) if other.id == bet.id), len(others)
        )
        others.insert(place, bet)
        self.change(bets=tuple(others))

    def put_token(self, token: Token) -> None:
        """A new token, or a known one as it is now, in its place."""
        others = [other for other in self.state.tokens if other.id != token.id]
        place = next(
            (n for n, other in enumerate(self.state.tokens) if other.id == token.id), len(others)
        )
        others.insert(place, token)
        self.change(tokens=tuple(others))

    def no(self, why: str) -> CommandNotAllowed:
        """A refusal that begins with the phase of the offer; ``why`` is one sentence or more."""
        return CommandNotAllowed(
            f'Offer {self.state.id} is at "{self.state.phase.label.lower()}". {why}'
        )


def settle_phase(turn: Turn) -> None:
    """Set the phase to that of the least advanced token still in the game; one is, or is due."""
    phases = [token.phase for token in in_game(turn.state)]
    if turn.state.more_due:
        phases.append(Phase.FREE_BET_PENDING)
    turn.change(phase=min(phases))


def token_in(turn: Turn, name: str, phase: Phase) -> Token:
    """The token of that name, or the only one in that phase."""
    there = [
        token
        for token in in_game(turn.state)
        if token.phase is phase and token.kind is not BonusKind.CASH
    ]
    if name:
        there = [token for token in there if token.id == name]
    if len(there) == 1:
        return there[0]
    free_bets = (
        ", ".join(f"{token.id} ({token.phase.name})" for token in turn.state.tokens) or "none"
    )
    raise turn.no(
        f"Free bet {name} is not at {phase.name}. Its free bets: {free_bets}."
        if name
        else f"Enter a free bet. Its free bets: {free_bets}."
    )


def refuse_open(turn: Turn, bets: Iterable[Bet]) -> None:
    """Refuse to continue while any of the bets is open."""
    still = [bet.id for bet in bets if bet.is_open]
    if still:
        raise turn.no(
            f"Some bets are still open: {', '.join(still)}. Settle or trade them out first."
        )


def refuse_below(turn: Turn, what: str, amount: int, least: int = 1) -> None:
    """Refuse an amount below the minimum."""
    if amount < least:
        raise turn.no(f"The {what} cannot be {pounds(amount)}. Enter at least {pounds(least)}.")


Rule = Callable[[Turn, Any], None]
"""Applies one kind of fact, or refuses it."""
