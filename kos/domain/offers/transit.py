"""Rules of money on its way between the bank and a venue."""

from __future__ import annotations

from kos.domain.books.double_entry import AccountKind, pounds
from kos.domain.offers.facts import (
    DepositCleared,
    DepositFailed,
    Fact,
    FloatSent,
    Place,
    WithdrawalArrived,
    WithdrawalRequested,
    WithdrawalReversed,
)
from kos.domain.offers.turn import Rule, Turn, refuse_below


def send(turn: Turn, kind: AccountKind, venue: str, amount: int, *, is_instant: bool) -> None:
    """Post money from the bank to a venue; it is on its way unless it arrives at once."""
    refuse_below(turn, "amount", amount, least=0)
    if is_instant:
        turn.post(f"money to {venue}", (AccountKind.BANK, "", -amount), (kind, venue, amount))
        return
    turn.post(
        f"money sent to {venue}",
        (AccountKind.BANK, "", -amount),
        (AccountKind.TRANSIT, venue, amount),
    )
    _in_transit(turn, venue, amount)


def _in_transit(turn: Turn, venue: str, change: int) -> None:
    transit = dict(turn.state.transit)
    left = transit.get(venue, 0) + change
    if left < 0:
        raise turn.no(
            f"{pounds(transit.get(venue, 0))} is in transit between {venue} and the bank for this "
            f"offer, not {pounds(-change)}."
        )
    transit[venue] = left
    since = {**turn.state.transit_since, **({venue: turn.at} if change > 0 else {})}
    turn.change(
        transit={place: amount for place, amount in transit.items() if amount},
        transit_since={place: at for place, at in since.items() if transit.get(place)},
    )


def _deposit_cleared(turn: Turn, fact: DepositCleared) -> None:
    refuse_below(turn, "amount", fact.amount)
    bookmaker = turn.state.terms.bookmaker
    venue = fact.venue or bookmaker
    kind = AccountKind.CASH if venue == bookmaker else AccountKind.AVAILABLE
    _in_transit(turn, venue, -fact.amount)
    turn.post(
        f"money cleared at {venue}",
        (AccountKind.TRANSIT, venue, -fact.amount),
        (kind, venue, fact.amount),
    )


def _deposit_failed(turn: Turn, fact: DepositFailed) -> None:
    refuse_below(turn, "amount", fact.amount)
    venue = fact.venue or turn.state.terms.bookmaker
    _in_transit(turn, venue, -fact.amount)
    turn.post(
        f"money for {venue} came back",
        (AccountKind.TRANSIT, venue, -fact.amount),
        (AccountKind.BANK, "", fact.amount),
    )


def _float_sent(turn: Turn, fact: FloatSent) -> None:
    refuse_below(turn, "amount", fact.amount)
    send(turn, AccountKind.AVAILABLE, fact.exchange, fact.amount, is_instant=fact.is_instant)


def _withdrawal_requested(turn: Turn, fact: WithdrawalRequested) -> None:
    refuse_below(turn, "amount", fact.amount)
    turn.post(
        f"withdrawal requested at {fact.venue}",
        (_withdrawable(turn, fact.venue, fact.place), fact.venue, -fact.amount),
        (AccountKind.TRANSIT, fact.venue, fact.amount),
    )
    _in_transit(turn, fact.venue, fact.amount)


def _withdrawal_arrived(turn: Turn, fact: WithdrawalArrived) -> None:
    lines = [(AccountKind.BANK, "", sum(arrival.amount for arrival in fact.arrivals))]
    for arrival in fact.arrivals:
        refuse_below(turn, "amount", arrival.amount)
        _in_transit(turn, arrival.venue, -arrival.amount)
        lines.append((AccountKind.TRANSIT, arrival.venue, -arrival.amount))
    if not fact.arrivals:
        raise turn.no("withdrawal_arrived needs a withdrawal. Enter its venue and amount.")
    turn.post("withdrawals arrived", *lines)


def _withdrawal_reversed(turn: Turn, fact: WithdrawalReversed) -> None:
    refuse_below(turn, "amount", fact.amount)
    _in_transit(turn, fact.venue, -fact.amount)
    turn.post(
        f"withdrawal reversed at {fact.venue}",
        (AccountKind.TRANSIT, fact.venue, -fact.amount),
        (_withdrawable(turn, fact.venue, fact.place), fact.venue, fact.amount),
    )


def _withdrawable(turn: Turn, venue: str, place: Place | None) -> AccountKind:
    if place is None:
        is_bookmaker = venue == turn.state.terms.bookmaker
        return AccountKind.CASH if is_bookmaker else AccountKind.AVAILABLE
    return AccountKind.CASH if place is Place.BOOKMAKER else AccountKind.AVAILABLE


RULES: dict[type[Fact], Rule] = {
    DepositCleared: _deposit_cleared,
    DepositFailed: _deposit_failed,
    FloatSent: _float_sent,
    WithdrawalRequested: _withdrawal_requested,
    WithdrawalArrived: _withdrawal_arrived,
    WithdrawalReversed: _withdrawal_reversed,
}
