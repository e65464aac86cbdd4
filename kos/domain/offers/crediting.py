"""Rules of the trigger, and of the tokens and cash that follow it."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from kos.domain.books.double_entry import AccountKind
from kos.domain.offers.catalogue import BonusKind, Trigger
from kos.domain.offers.facts import CashAdvanced, Credited, Fact, NewToken, Result, Triggered
from kos.domain.offers.settling import settle_all
from kos.domain.offers.state import Phase, Token
from kos.domain.offers.turn import Rule, Turn, refuse_below, settle_phase


def _triggered(turn: Turn, fact: Triggered) -> None:
    settle_all(turn, fact.settled)
    _refuse_unless_met(turn)
    due = fact.credit_due_by
    hours = turn.state.terms.credit_within_hours
    if due is None and hours is not None:
        due = turn.at + timedelta(hours=hours)
    turn.change(phase=Phase.FREE_BET_PENDING, credit_due_by=due)


def _refuse_unless_met(turn: Turn) -> None:
    trigger = turn.state.terms.trigger
    qualifier = turn.state.bet(turn.state.qualifier)
    if trigger is Trigger.PLACEMENT:
        return
    if qualifier.is_open:
        raise turn.no(
            f"The free bet is earned on {trigger.value} and bet {qualifier.id} is still open. "
            "Record bet_settled first."
        )
    wanted = {Trigger.LOSS: {Result.LOST}, Trigger.WIN: {Result.WON}}.get(trigger)
    if wanted is not None and qualifier.result not in wanted:
        raise turn.no(
            f"The free bet is earned on a {trigger.value} and bet {qualifier.id} is "
            f"{qualifier.result}. Record not_triggered."
        )
    if qualifier.result is Result.VOID:
        raise turn.no(f"Bet {qualifier.id} is void and does not count. Record qualifier_voided.")


def _credited(turn: Turn, fact: Credited) -> None:
    if not fact.tokens:
        raise turn.no("Enter at least one free bet.")
    for new in fact.tokens:
        refuse_below(turn, "face", new.face)
        if not new.token or any(token.id == new.token for token in turn.state.tokens):
            raise turn.no(f"Free bet ID {new.token!r} is already used or missing. Choose another.")
        turn.put_token(_new_token(turn, new))
        if new.kind is BonusKind.CASH:
            to, source = AccountKind.CASH, AccountKind.CASH_BONUS
            turn.transfer(f"cash bonus {new.token}", new.face, to=to, source=source)
        else:
            turn.credit_bonus(f"token {new.token} credited", new.face)
    turn.change(more_due=fact.more_due)
    settle_phase(turn)


def _new_token(turn: Turn, new: NewToken) -> Token:
    if new.kind is not BonusKind.CASH:
        if new.expires_at is None:
            raise turn.no(
                f"Enter expires_at for free bet {new.token}: the time at which it expires."
            )
        if new.expires_at <= turn.at:
            raise turn.no(f"Free bet {new.token} cannot expire before it is credited.")
    return Token(
        id=new.token,
        face=new.face,
        kind=new.kind,
        phase=Phase.FREE_BET_CREDITED,
        credited_at=turn.at,
        expires_at=new.expires_at,
        min_odds=new.min_odds,
        is_divisible=new.is_divisible,
        restrictions=new.restrictions,
    )


def _cash_advanced(turn: Turn, fact: CashAdvanced) -> None:
    token = next(token for token in turn.state.tokens if token.id == fact.token)
    turn.put_token(replace(token, phase=Phase(token.phase + 1)))
    settle_phase(turn)


RULES: dict[type[Fact], Rule] = {
    Triggered: _triggered,
    Credited: _credited,
    CashAdvanced: _cash_advanced,
}
