"""The transition table: which facts each phase accepts."""

from __future__ import annotations

from collections.abc import Iterable

from kos.domain.offers.facts import (
    Abandoned,
    BetSettled,
    CommissionCharged,
    Completed,
    Credited,
    DepositCleared,
    DepositFailed,
    EarlyPayout,
    Expired,
    Fact,
    FloatSent,
    FreeBetPlaced,
    FreeBetSettled,
    FreeBetVoided,
    FreeBetVoidedLost,
    HedgeAdded,
    LayCancelled,
    LayMatched,
    NotTriggered,
    QualifierPlaced,
    QualifierVoided,
    Refused,
    Reopened,
    Restricted,
    Role,
    Triggered,
    WithdrawalArrived,
    WithdrawalRequested,
    WithdrawalReversed,
    name_of,
)
from kos.domain.offers.state import OfferState, Phase, in_game
from kos.errors import CommandNotAllowed

ALLOWED: dict[Phase, tuple[type[Fact], ...]] = {
    Phase.DEPOSIT_SENT: (
        DepositCleared, FloatSent, DepositFailed, QualifierPlaced, Refused, Restricted, Abandoned,
    ),
    Phase.QUALIFYING_PLACED: (
        LayMatched, LayCancelled, HedgeAdded, BetSettled, CommissionCharged, Triggered, Credited,
        QualifierVoided, NotTriggered, Refused, Restricted, Abandoned,
    ),
    Phase.FREE_BET_PENDING: (
        BetSettled, CommissionCharged, Credited, Refused, Restricted, Abandoned,
    ),
    Phase.FREE_BET_CREDITED: (
        BetSettled, CommissionCharged, FreeBetPlaced, Expired, Refused, Restricted, Abandoned,
    ),
    Phase.FREE_BET_PLACED: (
        LayMatched, HedgeAdded, BetSettled, EarlyPayout, CommissionCharged, FreeBetVoided,
        FreeBetSettled, FreeBetVoidedLost, Abandoned,
    ),
    Phase.FREE_BET_SETTLED: (
        WithdrawalRequested, WithdrawalArrived, WithdrawalReversed, Completed, Abandoned,
    ),
}  # fmt: skip
"""The transition table: the facts that each phase accepts. A closed instance accepts ``reopened``."""


_OF_A_TOKEN = frozenset(
    {
        LayMatched, HedgeAdded, BetSettled, EarlyPayout, CommissionCharged, FreeBetPlaced,
        FreeBetVoided, FreeBetSettled, FreeBetVoidedLost, Expired,
    }
)  # fmt: skip
"""Facts that a token's own phase may allow where its instance waits for another token."""


def allowed_facts(state: OfferState) -> tuple[str, ...]:
    """The names of the facts that the instance accepts where it stands."""
    if state.is_closed:
        return (name_of(Reopened),)
    names = [name_of(fact) for fact in ALLOWED[state.phase]]
    if state.phase is Phase.QUALIFYING_PLACED and not state.terms.is_credited_at_once:
        names.remove(name_of(Credited))
    for token in in_game(state):
        if token.phase != state.phase:
            names += [name_of(fact) for fact in ALLOWED[token.phase] if fact in _OF_A_TOKEN]
    return tuple(dict.fromkeys(names))


def refuse_unless_allowed(state: OfferState, fact: Fact, role: Role) -> None:
    """Check a fact against the transition table.

    Raises:
        CommandNotAllowed: Names the phase, what was asked and what is allowed.
    """
    allowed = allowed_facts(state)
    if name_of(fact) not in allowed:
        raise not_allowed(name_of(fact), state.id, state.phase, state.outcome, allowed)
    if isinstance(fact, Reopened) and role is not Role.SUPERVISOR:
        raise CommandNotAllowed(
            f"Offer {state.id} is closed. Only the supervisor role can record reopened."
        )


def not_allowed(
    fact: str, offer: str, phase: Phase, outcome: str | None, allowed: Iterable[str]
) -> CommandNotAllowed:
    """The refusal of a fact that an offer does not accept now."""
    where = f'at "{phase.label.lower()}"' if outcome is None else f"closed ({outcome.lower()})"
    names = ", ".join(allowed) or "nothing"
    return CommandNotAllowed(
        f"You cannot record {fact} while offer {offer} is {where}. You can record: {names}"
    )
