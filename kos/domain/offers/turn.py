"""One fact being applied: the state it changes, what it posts, and the guards all rules share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from kos.domain.books.double_entry import Account, AccountKind, Posting, Wager, pounds
from kos.domain.offers.catalogue import BonusKind
from kos.domain.offers.state import Bet, Move, OfferState, Phase, Token, in_game
from kos.errors import CommandNotAllowed

_Item = TypeVar("_Item", bound=Bet | Token)


@dataclass
class Turn:
    """One fact being applied."""

    state: OfferState
    at: datetime
    moves: list[Move] = field(default_factory=list)

    def change(self, **fields: Any) -> None:
        """Another state, in these fields."""
        self.state = replace(self.state, **fields)

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

    def transfer(
        self,
        what: str,
        amount: int,
        *,
        to: AccountKind,
        source: AccountKind,
        venue: str | None = None,
        bet: str = "",
    ) -> None:
        """A transaction of one amount at a venue, the offer's bookmaker unless another is named."""
        venue = self.state.terms.bookmaker if venue is None else venue
        kinds = ((to, amount), (source, -amount))
        lines = [(kind, "" if kind is AccountKind.BANK else venue, part) for kind, part in kinds]
        self.post(what, *lines, bet=bet)

    def credit_bonus(self, what: str, face: int, bet: str = "") -> None:
        """A memo entry: free bets worth that much are in the wallet, or out of it if negative."""
        self.transfer(what, face, to=AccountKind.BONUS, source=AccountKind.CONTRA, bet=bet)

    def put_bet(self, bet: Bet) -> None:
        """A new bet, or a known one as it is now, in its place."""
        self.change(bets=_put(self.state.bets, bet))

    def put_token(self, token: Token) -> None:
        """A new token, or a known one as it is now, in its place."""
        self.change(tokens=_put(self.state.tokens, token))

    def no(self, why: str) -> CommandNotAllowed:
        """A refusal that begins with the phase of the offer; ``why`` is one sentence or more."""
        return CommandNotAllowed(
            f'Offer {self.state.id} is at "{self.state.phase.label.lower()}". {why}'
        )


def _put(items: tuple[_Item, ...], new: _Item) -> tuple[_Item, ...]:
    if all(item.id != new.id for item in items):
        return (*items, new)
    return tuple(new if item.id == new.id else item for item in items)


def settle_phase(turn: Turn) -> None:
    """Set the phase to that of the least advanced token still in the game; one is, or is due.

    The last phase is refused while any bet is open.
    """
    phases = [token.phase for token in in_game(turn.state)]
    if turn.state.more_due:
        phases.append(Phase.FREE_BET_PENDING)
    turn.change(phase=min(phases))
    if turn.state.phase is Phase.FREE_BET_SETTLED:
        refuse_open(turn, turn.state.bets)


def token_in(turn: Turn, name: str, phase: Phase) -> Token:
    """The token of that name, or the only one in that phase."""
    there = [
        token
        for token in in_game(turn.state)
        if token.phase is phase and token.kind is not BonusKind.CASH and name in {"", token.id}
    ]
    if len(there) == 1:
        return there[0]
    tokens = (
        ", ".join(f"{token.id} ({token.phase.label.lower()})" for token in turn.state.tokens)
        or "none"
    )
    problem = f'Free bet {name} is not at "{phase.label.lower()}".' if name else "Enter a free bet."
    raise turn.no(f"{problem} Its free bets: {tokens}.")


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
