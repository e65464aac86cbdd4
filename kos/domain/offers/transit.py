"""Rules of money on its way between the bank and a venue."""

from __future__ import annotations

from kos.domain.books.double_entry import AccountKind, pounds
from kos.domain.market.places import place_name
from kos.domain.offers import facts
from kos.domain.offers.facts import Fact, Place
from kos.domain.offers.turn import Rule, Turn, refuse_below

_BANK, _TRANSIT = AccountKind.BANK, AccountKind.TRANSIT


def send(turn: Turn, kind: AccountKind, venue: str, amount: int, *, is_instant: bool) -> None:
    """Post money from the bank to a venue; it is on its way unless it arrives at once."""
    refuse_below(turn, "amount", amount, least=0)
    if is_instant:
        turn.transfer(f"money to {venue}", amount, to=kind, source=_BANK, venue=venue)
        return
    turn.transfer(f"money sent to {venue}", amount, to=_TRANSIT, source=_BANK, venue=venue)
    _in_transit(turn, venue, amount)


def _in_transit(turn: Turn, venue: str, change: int) -> None:
    before = turn.state.transit.get(venue, 0)
    if before + change < 0:
        raise turn.no(
            f"{pounds(before)} is in transit between {place_name(venue)} and the bank "
            f"for this offer, not {pounds(-change)}."
        )
    transit = turn.state.transit | {venue: before + change}
    since = turn.state.transit_since | ({venue: turn.at} if change > 0 else {})
    turn.change(
        transit={place: amount for place, amount in transit.items() if amount},
        transit_since={place: at for place, at in since.items() if transit.get(place)},
    )


def _arrive(turn: Turn, what: str, venue: str, amount: int, to: AccountKind) -> None:
    refuse_below(turn, "amount", amount)
    _in_transit(turn, venue, -amount)
    turn.transfer(what, amount, to=to, source=_TRANSIT, venue=venue)


def _deposit_cleared(turn: Turn, fact: facts.DepositCleared) -> None:
    venue = fact.venue or turn.state.terms.bookmaker
    to = _kind_of(turn, venue, None)
    _arrive(turn, f"money cleared at {venue}", venue, fact.amount, to)


def _deposit_failed(turn: Turn, fact: facts.DepositFailed) -> None:
    venue = fact.venue or turn.state.terms.bookmaker
    _arrive(turn, f"money for {venue} came back", venue, fact.amount, _BANK)


def _float_sent(turn: Turn, fact: facts.FloatSent) -> None:
    refuse_below(turn, "amount", fact.amount)
    send(turn, AccountKind.AVAILABLE, fact.exchange, fact.amount, is_instant=fact.is_instant)


def _withdrawal_requested(turn: Turn, fact: facts.WithdrawalRequested) -> None:
    refuse_below(turn, "amount", fact.amount)
    source, what = _kind_of(turn, fact.venue, fact.place), f"withdrawal requested at {fact.venue}"
    turn.transfer(what, fact.amount, to=_TRANSIT, source=source, venue=fact.venue)
    _in_transit(turn, fact.venue, fact.amount)


def _withdrawal_arrived(turn: Turn, fact: facts.WithdrawalArrived) -> None:
    lines = [(AccountKind.BANK, "", sum(arrival.amount for arrival in fact.arrivals))]
    for arrival in fact.arrivals:
        refuse_below(turn, "amount", arrival.amount)
        _in_transit(turn, arrival.venue, -arrival.amount)
        lines.append((AccountKind.TRANSIT, arrival.venue, -arrival.amount))
    if not fact.arrivals:
        raise turn.no("withdrawal_arrived needs a withdrawal. Enter its venue and amount.")
    turn.post("withdrawals arrived", *lines)


def _withdrawal_reversed(turn: Turn, fact: facts.WithdrawalReversed) -> None:
    to = _kind_of(turn, fact.venue, fact.place)
    _arrive(turn, f"withdrawal reversed at {fact.venue}", fact.venue, fact.amount, to)


def _kind_of(turn: Turn, venue: str, place: Place | None) -> AccountKind:
    """What money at a venue is kept in; without a place, by whether it is the offer's bookmaker."""
    is_bookmaker = (
        venue == turn.state.terms.bookmaker if place is None else place is Place.BOOKMAKER
    )
    return AccountKind.CASH if is_bookmaker else AccountKind.AVAILABLE


RULES: dict[type[Fact], Rule] = {
    facts.DepositCleared: _deposit_cleared,
    facts.DepositFailed: _deposit_failed,
    facts.FloatSent: _float_sent,
    facts.WithdrawalRequested: _withdrawal_requested,
    facts.WithdrawalArrived: _withdrawal_arrived,
    facts.WithdrawalReversed: _withdrawal_reversed,
}
