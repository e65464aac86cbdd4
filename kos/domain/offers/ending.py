"""Rules of the ways back and out: void bets, lost tokens, the ends, and opening again."""

from __future__ import annotations

from msgspec.structs import replace

from kos.domain.books.calendar import uk_span
from kos.domain.books.double_entry import pounds
from kos.domain.market.places import place_name
from kos.domain.offers import facts
from kos.domain.offers.catalogue import BonusKind, Trigger
from kos.domain.offers.facts import Fact, Result, Settlement
from kos.domain.offers.settling import settle, settle_all
from kos.domain.offers.state import OfferOutcome, OfferState, Phase, Token, in_game
from kos.domain.offers.turn import Rule, Turn, refuse_open, settle_phase, token_in


def _qualifier_voided(turn: Turn, fact: facts.QualifierVoided) -> None:
    _void(turn, turn.state.qualifier, fact.settled)
    turn.change(phase=Phase.DEPOSIT_SENT, qualifier="")


def _free_bet_voided(turn: Turn, fact: facts.FreeBetVoided) -> None:
    token = token_in(turn, fact.token, Phase.FREE_BET_PLACED)
    _void(turn, token.bet, fact.settled)
    turn.credit_bonus(f"token {token.id} came back", token.face)
    expires_at = token.expires_at if fact.expires_at is None else fact.expires_at
    turn.put_token(replace(token, phase=Phase.FREE_BET_CREDITED, expires_at=expires_at, bet=""))
    settle_phase(turn)


def _free_bet_voided_lost(turn: Turn, fact: facts.FreeBetVoidedLost) -> None:
    token = token_in(turn, fact.token, Phase.FREE_BET_PLACED)
    _void(turn, token.bet, fact.settled)
    _lose_token(turn, token, OfferOutcome.VOIDED, fact.reason)


def _void(turn: Turn, bet: str, settled: tuple[Settlement, ...]) -> None:
    """Settle a back bet as void, and then what hedges it."""
    back = turn.state.bet(bet)
    if back.is_open:
        settle(turn, Settlement(bet=back.id, result=Result.VOID))
    elif back.result is not Result.VOID:
        raise turn.no(f"Bet {back.id} is {back.result}, not void.")
    settle_all(turn, settled)
    refuse_open(turn, turn.state.position(back.id))


def _free_bet_settled(turn: Turn, fact: facts.FreeBetSettled) -> None:
    token = token_in(turn, fact.token, Phase.FREE_BET_PLACED)
    settle_all(turn, fact.settled)
    refuse_open(turn, turn.state.position(token.bet))
    if turn.state.bet(token.bet).result is Result.VOID:
        raise turn.no(f"Bet {token.bet} is void. Record free_bet_voided or free_bet_voided_lost.")
    turn.put_token(replace(token, phase=Phase.FREE_BET_SETTLED))
    settle_phase(turn)


def _expired(turn: Turn, fact: facts.Expired) -> None:
    token = token_in(turn, fact.token, Phase.FREE_BET_CREDITED)
    if token.expires_at is None or turn.at < token.expires_at:
        valid = uk_span(None, token.expires_at)
        raise turn.no(f"Free bet {token.id} has not expired: it is valid {valid} (UK time).")
    _lose_token(turn, token, OfferOutcome.EXPIRED, f"token {token.id} expired")


def _lose_token(turn: Turn, token: Token, outcome: OfferOutcome, reason: str) -> None:
    """A token is gone: the instance ends with its last one, else goes on with the others."""
    before, start = turn.state, len(turn.moves)
    if token.phase is Phase.FREE_BET_CREDITED:
        turn.credit_bonus(reason, -token.face)
    turn.put_token(replace(token, lost=outcome))
    if in_game(turn.state) or turn.state.more_due:
        settle_phase(turn)
    else:
        _close(turn, outcome, reason, since=(before, start))


def _not_triggered(turn: Turn, fact: facts.NotTriggered) -> None:
    settle_all(turn, fact.settled)
    qualifier = turn.state.bet(turn.state.qualifier)
    missed = {
        Trigger.LOSS: qualifier.result is not Result.LOST,
        Trigger.WIN: qualifier.result is not Result.WON,
        Trigger.EVENT: True,
    }
    if not missed.get(turn.state.terms.trigger, False):
        raise turn.no(
            f"The free bet is earned on {turn.state.terms.trigger.value} and bet {qualifier.id} is "
            f"{qualifier.result or 'open'}, so you cannot record not_triggered."
        )
    _close(turn, OfferOutcome.NOT_TRIGGERED, fact.note)


def _close(
    turn: Turn, outcome: OfferOutcome, reason: str, since: tuple[OfferState, int] | None = None
) -> None:
    """End the instance; ``since`` is the state, and the count of moves, to reopen it at."""
    refuse_open(turn, turn.state.bets)
    transit = ", ".join(
        f"{pounds(amount)}, {place_name(at)}" for at, amount in turn.state.transit.items()
    )
    if transit:
        raise turn.no(
            f"Money is still in transit ({transit}). Record that it arrived or was returned first."
        )
    before, start = since or (turn.state, len(turn.moves))
    for token in in_game(turn.state):
        if token.phase is Phase.FREE_BET_CREDITED and token.kind is not BonusKind.CASH:
            turn.credit_bonus(f"token {token.id} given up", -token.face)
    turn.change(
        outcome=outcome,
        closed_at=turn.at,
        reason=reason,
        planned={},
        before=before,
        end=tuple(line for move in turn.moves[start:] for line in move.postings),
    )


def _reopened(turn: Turn, fact: facts.Reopened) -> None:
    state = turn.state
    assert state.before is not None  # noqa: S101 - every end keeps the state before it
    lines = [(line.account.kind, line.account.venue, -line.amount) for line in state.end]
    turn.post(f"reversal: {fact.reason}", *lines)
    turn.state = replace(state.before, version=state.version)


RULES: dict[type[Fact], Rule] = {
    facts.QualifierVoided: _qualifier_voided,
    facts.NotTriggered: _not_triggered,
    facts.Refused: lambda turn, fact: _close(turn, OfferOutcome.REFUSED, fact.reason),
    facts.Restricted: lambda turn, fact: _close(turn, OfferOutcome.RESTRICTED, fact.reason),
    facts.Expired: _expired,
    facts.FreeBetVoided: _free_bet_voided,
    facts.FreeBetVoidedLost: _free_bet_voided_lost,
    facts.FreeBetSettled: _free_bet_settled,
    facts.Completed: lambda turn, fact: _close(turn, OfferOutcome.COMPLETED, fact.note),
    facts.Abandoned: lambda turn, fact: _close(turn, OfferOutcome.ABANDONED, fact.reason),
    facts.Reopened: _reopened,
}
