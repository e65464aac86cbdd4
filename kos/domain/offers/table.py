"""The transition table: which facts each phase accepts."""

from __future__ import annotations

from collections.abc import Iterable

from kos.domain.offers import facts
from kos.domain.offers.facts import Fact, Role, name_of
from kos.domain.offers.state import OfferState, Phase, in_game
from kos.errors import CommandNotAllowed

_SETTLING = (facts.BetSettled, facts.CommissionCharged)
_ENDING = (facts.Refused, facts.Restricted, facts.Abandoned)
ALLOWED: dict[Phase, tuple[type[Fact], ...]] = {
    Phase.DEPOSIT_SENT: (
        facts.DepositCleared, facts.FloatSent, facts.DepositFailed, facts.QualifierPlaced, *_ENDING,
    ),
    Phase.QUALIFYING_PLACED: (
        facts.LayMatched, facts.LayCancelled, facts.HedgeAdded, *_SETTLING, facts.Triggered,
        facts.Credited, facts.QualifierVoided, facts.NotTriggered, *_ENDING,
    ),
    Phase.FREE_BET_PENDING: (*_SETTLING, facts.Credited, *_ENDING),
    Phase.FREE_BET_CREDITED: (*_SETTLING, facts.FreeBetPlaced, facts.Expired, *_ENDING),
    Phase.FREE_BET_PLACED: (
        facts.LayMatched, facts.HedgeAdded, facts.BetSettled, facts.EarlyPayout,
        facts.CommissionCharged, facts.FreeBetVoided, facts.FreeBetSettled,
        facts.FreeBetVoidedLost, facts.Abandoned,
    ),
    Phase.FREE_BET_SETTLED: (
        facts.WithdrawalRequested, facts.WithdrawalArrived, facts.WithdrawalReversed,
        facts.Completed, facts.Abandoned,
    ),
}  # fmt: skip
"""The transition table: the facts that each phase accepts. A closed instance accepts ``reopened``."""


_OF_A_TOKEN = frozenset(
    {
        facts.LayMatched, facts.HedgeAdded, facts.BetSettled, facts.EarlyPayout,
        facts.CommissionCharged, facts.FreeBetPlaced, facts.FreeBetVoided,
        facts.FreeBetSettled, facts.FreeBetVoidedLost, facts.Expired,
    }
)  # fmt: skip
"""Facts that a token's own phase may allow where its instance waits for another token."""


def allowed_facts(state: OfferState) -> tuple[str, ...]:
    """The names of the facts that the instance accepts where it stands."""
    if state.is_closed:
        return (name_of(facts.Reopened),)
    names = [name_of(fact) for fact in ALLOWED[state.phase]]
    if state.phase is Phase.QUALIFYING_PLACED and not state.terms.is_credited_at_once:
        names.remove(name_of(facts.Credited))
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
    if isinstance(fact, facts.Reopened) and role is not Role.SUPERVISOR:
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
