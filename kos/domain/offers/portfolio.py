"""Everything of one participant: offers, balances, reservations. The fold of all their facts.

:func:`apply` takes a portfolio and one fact and gives the next portfolio with the entries to
post, or refuses. It holds what an offer alone cannot know: the netting of exposure over all
bets of a market, the float that others have reserved, and the once-only offers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from kos.domain.books.double_entry import (
    Account,
    AccountKind,
    Entry,
    Pence,
    Posting,
    Wager,
    entry,
    posted,
    pounds,
    reserved,
)
from kos.domain.market.places import place_name
from kos.domain.offers import facts
from kos.domain.offers.facts import Fact, Place, Role, name_of
from kos.domain.offers.life import advance, begin
from kos.domain.offers.state import AppliedFact, Move, OfferState, Phase
from kos.errors import CommandNotAllowed

_TAKES_FLOAT = (
    facts.QualifierPlaced, facts.FreeBetPlaced, facts.LayMatched, facts.HedgeAdded,
    facts.FloatHeld, facts.WithdrawalRequested,
)  # fmt: skip
"""Facts that someone chose: they must leave what others have reserved."""

_PAST = {
    "qualifier": AccountKind.QUALIFIER,
    "free_bet": AccountKind.FREE_BET,
    "commission": AccountKind.COMMISSION,
    "cash_bonus": AccountKind.CASH_BONUS,
    "value": AccountKind.VALUE,
}


_Value = TypeVar("_Value")


class Hold(msgspec.Struct, frozen=True):
    """Float kept for a placement that is about to be made."""

    exchange: str
    amount: Pence
    expires_at: datetime


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """One participant as the facts have made them."""

    participant: str
    name: str = ""
    is_active: bool = False
    balances: dict[Account, int] = {}
    offers: dict[str, OfferState] = {}
    markets: dict[tuple[str, str], tuple[Wager, ...]] = {}
    """Exchange and market to every bet there, settled ones included: they say who won."""
    holds: dict[str, Hold] = {}
    restricted: dict[str, str] = {}
    """Bookmaker to the reason of its limit."""
    past: frozenset[str] = frozenset()
    """References of imported bets."""
    reversed_entries: frozenset[int] = frozenset()

    @property
    def has_joined(self) -> bool:
        """Whether there is such a participant."""
        return bool(self.name)

    def reserved_at(self, exchange: str, at: datetime) -> int:
        """Float on an exchange that is spoken for: holds that run, and lays still to match."""
        held = sum(
            hold.amount
            for hold in self.holds.values()
            if hold.exchange == exchange and at < hold.expires_at
        )
        return held + sum(
            state.reserved_at(exchange) for state in self.offers.values() if state.planned
        )

    def free_float(self, exchange: str, at: datetime) -> int:
        """Pence on an exchange that a new placement may use; negative when overbooked."""
        available = self.balances.get(Account(AccountKind.AVAILABLE, exchange), 0)
        return available - self.reserved_at(exchange, at)


class Done(msgspec.Struct, frozen=True):
    """One fact recorded: its name, its phases where it is an offer's, and its entries."""

    fact: Fact
    entries: tuple[Entry, ...]
    state: OfferState | None = None
    phase_before: Phase | None = None
    is_said: bool = True
    """False for what KOS writes along with the fact that was said, such as an instant trigger."""


def apply(
    portfolio: Portfolio,
    fact: Fact,
    *,
    at: datetime,
    instance: str = "",
    role: Role = Role.OPERATOR,
) -> tuple[Portfolio, tuple[Done, ...]]:
    """The portfolio after a fact, with what was recorded.

    Args:
        portfolio: Before.
        fact: An offer's fact with its instance, or a participant's own without one.
        at: When it occurred.
        instance: The offer instance; a ``deposit_sent`` begins it.
        role: What the recorder may do.

    Raises:
        CommandNotAllowed: The fact is refused; the text says where things stand and why.
    """
    if not portfolio.has_joined and not isinstance(fact, facts.Joined):
        raise CommandNotAllowed(
            f"There is no participant {portfolio.participant}. Record joined first."
        )
    after, done = (
        _apply_to_offer(portfolio, fact, at, instance, role)
        if instance
        else _apply_to_money(portfolio, fact, at, role)
    )
    if isinstance(fact, _TAKES_FLOAT):
        _refuse_overbooked(portfolio, after, at)
    return after, done


def _with(portfolio: Portfolio, **fields: Any) -> Portfolio:
    return msgspec.structs.replace(portfolio, **fields)


# --- offers --------------------------------------------------------------------------------------


def _apply_to_offer(
    portfolio: Portfolio, fact: Fact, at: datetime, instance: str, role: Role
) -> tuple[Portfolio, tuple[Done, ...]]:
    state = portfolio.offers.get(instance)
    if state is None:
        if not isinstance(fact, facts.DepositSent):
            raise CommandNotAllowed(
                f"{portfolio.participant} has no offer {instance}, so you cannot record "
                f"{name_of(fact)}. You can record: deposit_sent"
            )
        _refuse_beginning(portfolio, fact)
        first = begin(fact, instance=instance, participant=portfolio.participant, at=at)
        steps: tuple[AppliedFact, ...] = (first,)
    else:
        steps = advance(state, fact, at=at, role=role)
    hold = getattr(fact, "hold", "")
    if hold:
        portfolio = _without_hold(portfolio, hold)
    done = []
    phase = None if state is None else state.phase
    for step in steps:
        portfolio, entries = _post(portfolio, step.moves)
        done.append(Done(step.fact, entries, step.state, phase, step.fact is fact))
        phase = step.state.phase
    return _with(portfolio, offers={**portfolio.offers, instance: steps[-1].state}), tuple(done)


def _refuse_beginning(portfolio: Portfolio, fact: facts.DepositSent) -> None:
    if not portfolio.is_active:
        raise CommandNotAllowed(f"{portfolio.participant} is paused. Record resumed first.")
    if fact.terms is None:
        return
    bookmaker = fact.terms.bookmaker
    if bookmaker in portfolio.restricted:
        raise CommandNotAllowed(
            f"{place_name(bookmaker)} has restricted {portfolio.participant} "
            f"({portfolio.restricted[bookmaker]}), so no new offer can start there."
        )
    earlier = (state.id for state in portfolio.offers.values() if state.terms.key == fact.offer)
    if fact.terms.is_once_only and (other := next(earlier, None)) is not None:
        raise CommandNotAllowed(
            f"Offer {fact.offer} can only be used once. {portfolio.participant} already "
            f"has it (offer {other})."
        )


def _post(portfolio: Portfolio, moves: Iterable[Move]) -> tuple[Portfolio, tuple[Entry, ...]]:
    entries: list[Entry] = []
    markets = portfolio.markets
    for move in moves:
        lines = list(move.postings)
        if move.wager is not None:
            markets, exposure = _exposed(markets, move.wager)
            lines += exposure
        made = entry(move.what, lines)
        if made is not None:
            entries.append(made)
    balances = posted(portfolio.balances, entries) if entries else portfolio.balances
    return _with(portfolio, balances=balances, markets=markets), tuple(entries)


def _exposed(
    markets: dict[tuple[str, str], tuple[Wager, ...]], wager: Wager
) -> tuple[dict[tuple[str, str], tuple[Wager, ...]], list[Posting]]:
    """The markets with the bet as it is now, and the lines for what its exposure changed."""
    key = (wager.exchange, wager.market)
    earlier_wagers = markets.get(key, ())
    bet = (wager.instance, wager.bet)
    others = (earlier for earlier in earlier_wagers if (earlier.instance, earlier.bet) != bet)
    now = (*others, wager)
    before, after = reserved(earlier_wagers), reserved(now)
    lines = []
    for instance in sorted({*before, *after}):
        change = after.get(instance, 0) - before.get(instance, 0)
        if change:
            exposure = Account(AccountKind.EXPOSURE, wager.exchange)
            available = Account(AccountKind.AVAILABLE, wager.exchange)
            lines.append(Posting(exposure, change, instance, wager.bet))
            lines.append(Posting(available, -change, wager.instance, wager.bet))
    return {**markets, key: now}, lines


def _refuse_overbooked(before: Portfolio, after: Portfolio, at: datetime) -> None:
    exchanges = {
        account.venue for account in after.balances if account.kind is AccountKind.AVAILABLE
    }
    for state in after.offers.values():
        exchanges.update(*(amounts.keys() for amounts in state.planned.values()))
    exchanges.update(hold.exchange for hold in after.holds.values())
    for exchange in sorted(exchanges):
        left = after.free_float(exchange, at)
        if left < 0 and left < before.free_float(exchange, at):
            available = after.balances.get(Account(AccountKind.AVAILABLE, exchange), 0)
            raise CommandNotAllowed(
                f"The balance at {place_name(exchange)} is {pounds(-left)} short: {pounds(available)} would be left "
                f"and {pounds(available - left)} is reserved. Add money, or lay less."
            )


def _without_hold(portfolio: Portfolio, name: str) -> Portfolio:
    if name not in portfolio.holds:
        names = ", ".join(sorted(portfolio.holds)) or "none"
        raise CommandNotAllowed(f"{portfolio.participant} has no hold {name!r}. Holds: {names}.")
    return _with(portfolio, holds=_without(portfolio.holds, name))


def _without(named: dict[str, _Value], name: str) -> dict[str, _Value]:
    return {key: value for key, value in named.items() if key != name}


# --- a participant's own money ---------------------------------------------------------------------


def _apply_to_money(
    portfolio: Portfolio, fact: Fact, at: datetime, role: Role
) -> tuple[Portfolio, tuple[Done, ...]]:
    changed, moves = _money(portfolio, fact, at, role)
    after, entries = _post(changed, moves)
    return after, (Done(fact, entries),)


def _money(  # noqa: PLR0911 - one line of books for each fact, side by side
    portfolio: Portfolio, fact: Fact, at: datetime, role: Role
) -> tuple[Portfolio, list[Move]]:
    match fact:
        case facts.Joined():
            if portfolio.has_joined:
                raise CommandNotAllowed(f"{portfolio.participant} is already a participant.")
            if not fact.name.strip():
                raise CommandNotAllowed("Enter a name for the participant.")
            return _with(portfolio, name=fact.name, is_active=True), []
        case facts.Paused() | facts.Resumed():
            return _with(portfolio, is_active=isinstance(fact, facts.Resumed)), []
        case facts.FloatHeld():
            return _held(portfolio, fact, at), []
        case facts.HoldReleased():
            return _without_hold(portfolio, fact.hold), []
        case facts.BookmakerRestricted():
            limits = {**portfolio.restricted, fact.bookmaker: fact.reason}
            return _with(portfolio, restricted=limits), []
        case facts.BookmakerCleared():
            return _with(portfolio, restricted=_without(portfolio.restricted, fact.bookmaker)), []
        case facts.PastBetImported():
            return _past_bet(portfolio, fact)
        case facts.EntryReversed():
            return _reversal(portfolio, fact, role)
        case _:
            return portfolio, [_moved(portfolio, fact)]


def _moved(  # noqa: PLR0911 - one move of money for each fact, side by side
    portfolio: Portfolio, fact: Fact
) -> Move:
    """The move of money that is all a fact does."""
    match fact:
        case facts.Opened():
            return _move("opening balance", fact.amount, _at(fact.place, fact.venue), _OPENING)
        case facts.Drawn():
            return _move("money taken out", fact.amount, _DRAWN, _BANK)
        case facts.MoneySent():
            there = _at_venue(fact.place, fact.venue)
            to = there if fact.is_instant else Account(AccountKind.TRANSIT, fact.venue)
            return _move(f"money to {fact.venue}", fact.amount, to, _BANK)
        case facts.MoneyArrived():
            source = _own_transit(portfolio, fact.venue, fact.amount)
            there = _at_venue(fact.place, fact.venue)
            return _move(f"money cleared at {fact.venue}", fact.amount, there, source)
        case facts.MoneyReturned():
            source = _own_transit(portfolio, fact.venue, fact.amount)
            return _move(f"money for {fact.venue} came back", fact.amount, _BANK, source)
        case facts.WithdrawalRequested():
            there = _withdrawable(portfolio, fact.venue, fact.place)
            transit = Account(AccountKind.TRANSIT, fact.venue)
            return _move(f"withdrawal requested at {fact.venue}", fact.amount, transit, there)
        case facts.WithdrawalArrived():
            return _arrived(portfolio, fact)
        case facts.WithdrawalReversed():
            source = _own_transit(portfolio, fact.venue, fact.amount)
            there = _withdrawable(portfolio, fact.venue, fact.place)
            return _move(f"withdrawal reversed at {fact.venue}", fact.amount, there, source)
        case facts.CommissionCharged():
            cost = Account(AccountKind.COMMISSION, fact.exchange)
            available = Account(AccountKind.AVAILABLE, fact.exchange)
            return _move(f"commission at {fact.exchange}", fact.amount, cost, available)
        case facts.BonusPaid():
            cash = Account(AccountKind.CASH, fact.venue)
            bonus = Account(AccountKind.CASH_BONUS, fact.venue)
            return _move(f"bonus of {fact.venue}", fact.amount, cash, bonus)
        case facts.Adjusted():
            return _adjusted(fact)
        case _:
            raise CommandNotAllowed(
                f"{name_of(fact)} needs an offer. Without one you can record: {', '.join(facts.MONEY_FACTS)}"
            )


_BANK = Account(AccountKind.BANK)
_OPENING = Account(AccountKind.OPENING)
_DRAWN = Account(AccountKind.DRAWN)


def _move(what: str, amount: int, to: Account, source: Account) -> Move:
    if amount < 1:
        raise CommandNotAllowed(
            f"The amount cannot be {pounds(amount)}. Enter at least {pounds(1)}."
        )
    return Move(what, (Posting(to, amount), Posting(source, -amount)))


def _at(place: Place, venue: str) -> Account:
    if place is Place.BANK:
        return _BANK
    if not venue:
        raise CommandNotAllowed(f"Enter the venue: which {place.value} it is.")
    kind = AccountKind.CASH if place is Place.BOOKMAKER else AccountKind.AVAILABLE
    return Account(kind, venue)


def _at_venue(place: Place, venue: str) -> Account:
    if place is Place.BANK:
        raise CommandNotAllowed("Place cannot be bank. Enter bookmaker or exchange.")
    return _at(place, venue)


def _withdrawable(portfolio: Portfolio, venue: str, place: Place | None) -> Account:
    if place is not None:
        return _at_venue(place, venue)
    exchange = Account(AccountKind.AVAILABLE, venue)
    return exchange if exchange in portfolio.balances else Account(AccountKind.CASH, venue)


def _own_transit(portfolio: Portfolio, venue: str, amount: int) -> Account:
    """The transit account, after a check that the amount is not on its way for an offer."""
    account = Account(AccountKind.TRANSIT, venue)
    all_of_it = portfolio.balances.get(account, 0)
    of_offers = sum(state.transit.get(venue, 0) for state in portfolio.offers.values())
    if amount > all_of_it - of_offers:
        raise CommandNotAllowed(
            f"{pounds(all_of_it - of_offers)} is in transit between {place_name(venue)} and the bank "
            f"outside offers, not {pounds(amount)}. Record money that belongs to an offer there."
        )
    return account


def _adjusted(fact: facts.Adjusted) -> Move:
    if not fact.reason.strip() or not fact.difference:
        raise CommandNotAllowed("Enter a difference and a reason for the adjustment.")
    lines = (
        Posting(_at(fact.place, fact.venue), fact.difference),
        Posting(Account(AccountKind.ADJUSTMENT, fact.venue), -fact.difference),
    )
    return Move(f"adjustment: {fact.reason}", lines)


def _arrived(portfolio: Portfolio, fact: facts.WithdrawalArrived) -> Move:
    lines: list[Posting] = []
    for arrival in fact.arrivals:
        source = _own_transit(portfolio, arrival.venue, arrival.amount)
        lines += _move("withdrawals arrived", arrival.amount, _BANK, source).postings
    if not lines:
        raise CommandNotAllowed(
            "withdrawal_arrived needs a withdrawal. Enter its venue and amount."
        )
    return Move("withdrawals arrived", tuple(lines))


def _held(portfolio: Portfolio, fact: facts.FloatHeld, at: datetime) -> Portfolio:
    if fact.amount < 1 or not fact.hold:
        raise CommandNotAllowed("Enter a name and an amount above £0.00 for the hold.")
    if fact.expires_at <= at:
        raise CommandNotAllowed(f"Hold {fact.hold} has already expired. Enter a later expires_at.")
    earlier = portfolio.holds.get(fact.hold)
    if earlier is not None and at < earlier.expires_at:
        raise CommandNotAllowed(f"Hold {fact.hold} is already used. Release it first.")
    running = {name: hold for name, hold in portfolio.holds.items() if at < hold.expires_at}
    held = Hold(fact.exchange, fact.amount, fact.expires_at)
    return _with(portfolio, holds={**running, fact.hold: held})


def _past_bet(portfolio: Portfolio, fact: facts.PastBetImported) -> tuple[Portfolio, list[Move]]:
    if fact.category not in _PAST:
        raise CommandNotAllowed(
            f"Category cannot be {fact.category!r}. Enter one of {', '.join(sorted(_PAST))}."
        )
    if not fact.reference:
        raise CommandNotAllowed("Enter a unique reference for the past bet.")
    if fact.reference in portfolio.past:
        raise CommandNotAllowed(f"Past bet {fact.reference} is already imported.")
    # The money itself is in the opening balances: only the result moves, against the opening.
    lines = (
        Posting(Account(_PAST[fact.category], fact.venue), -fact.profit, "", fact.reference),
        Posting(_OPENING, fact.profit, "", fact.reference),
    )
    after = _with(portfolio, past=portfolio.past | {fact.reference})
    return after, [Move(f"past bet {fact.reference}", lines)]


def _reversal(
    portfolio: Portfolio, fact: facts.EntryReversed, role: Role
) -> tuple[Portfolio, list[Move]]:
    if role is not Role.SUPERVISOR:
        raise CommandNotAllowed("Only the supervisor role can record entry_reversed.")
    if not fact.reason.strip():
        raise CommandNotAllowed("Enter a reason for the reversal.")
    if fact.transaction in portfolio.reversed_entries:
        raise CommandNotAllowed(f"Entry {fact.transaction} is already reversed.")
    if any(line.instance for line in fact.postings):
        raise CommandNotAllowed(
            f"Entry {fact.transaction} belongs to an offer, so it cannot be undone. "
            "Reopen a wrong end, or record an adjustment with its reason."
        )
    lines = tuple(
        Posting(line.account, -line.amount, line.instance, line.bet) for line in fact.postings
    )
    after = _with(portfolio, reversed_entries=portfolio.reversed_entries | {fact.transaction})
    return after, [Move(f"reversal of {fact.transaction}: {fact.reason}", lines)]
