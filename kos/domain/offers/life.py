"""The door: how an offer begins, and what each further fact makes of it."""

from __future__ import annotations

from datetime import datetime

from kos.domain.books.calendar import uk_span, uk_time
from kos.domain.books.double_entry import AccountKind, pounds
from kos.domain.offers import crediting, ending, facts, placing, settling, transit
from kos.domain.offers.catalogue import BonusKind
from kos.domain.offers.facts import Fact, Role
from kos.domain.offers.state import AppliedFact, OfferState, Phase
from kos.domain.offers.table import refuse_unless_allowed
from kos.domain.offers.transit import send
from kos.domain.offers.turn import Turn
from kos.errors import CommandNotAllowed


def begin(fact: facts.DepositSent, *, instance: str, participant: str, at: datetime) -> AppliedFact:
    """The first step of an instance: its deposit was sent. Its terms are in the fact.

    Raises:
        CommandNotAllowed: The offer is not open, or the deposit is below its minimum.
    """
    terms = fact.terms
    if terms is None or terms.key != fact.offer:
        raise CommandNotAllowed(f"Offer {fact.offer} is not in the catalogue. Import it first.")
    if not terms.is_open(at):
        raise CommandNotAllowed(
            f"Offer {terms.key} is open {uk_span(terms.starts_at, terms.ends_at)} (UK time), "
            f"not on {uk_time(at)}."
        )
    if fact.amount < terms.deposit_min:
        raise CommandNotAllowed(
            f"Offer {terms.key} needs a deposit of at least {pounds(terms.deposit_min)}. "
            f"You entered {pounds(fact.amount)}."
        )
    turn = Turn(
        OfferState(
            id=instance,
            participant=participant,
            terms=terms,
            phase=Phase.DEPOSIT_SENT,
            version=1,
            started_at=at,
        ),
        at,
    )
    send(turn, AccountKind.CASH, terms.bookmaker, fact.amount, is_instant=fact.is_instant)
    return AppliedFact(fact, turn.state, tuple(turn.moves))


def advance(
    state: OfferState, fact: Fact, *, at: datetime, role: Role = Role.OPERATOR
) -> tuple[AppliedFact, ...]:
    """The steps that a fact makes, mostly one; instant credit and cash bonuses make several.

    Args:
        state: Where the instance stands after its first fact (see :func:`begin`).
        fact: What happened.
        at: When it happened.
        role: What its recorder may do.

    Raises:
        CommandNotAllowed: The phase does not accept the fact, or a guard refuses it.
    """
    refuse_unless_allowed(state, fact, role)
    if isinstance(fact, facts.Credited):
        return _credit(state, fact, at)
    return (_step(state, fact, at),)


def _step(state: OfferState, fact: Fact, at: datetime) -> AppliedFact:
    turn = Turn(state, at)
    _RULES[type(fact)](turn, fact)
    turn.change(version=state.version + 1)
    return AppliedFact(fact, turn.state, tuple(turn.moves))


def _credit(state: OfferState, fact: facts.Credited, at: datetime) -> tuple[AppliedFact, ...]:
    steps: list[AppliedFact] = []
    if state.phase is Phase.QUALIFYING_PLACED:
        # Instant credit: the trigger is a fact of its own, at the same moment.
        steps.append(_step(state, facts.Triggered(met_by="credited at once"), at))
    steps.append(_step(steps[-1].state if steps else state, fact, at))
    cash = [token.token for token in fact.tokens if token.kind is BonusKind.CASH]
    for token in cash * 2:
        steps.append(_step(steps[-1].state, facts.CashAdvanced(token=token), at))
    return tuple(steps)


_RULES = transit.RULES | placing.RULES | settling.RULES | crediting.RULES | ending.RULES

_missing = set(facts.OFFER_FACTS.values()) - set(_RULES) - {facts.DepositSent}
assert not _missing, _missing  # noqa: S101 - a fact without a rule is found at import
