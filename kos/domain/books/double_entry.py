"""Double entry for one participant: accounts, entries that sum to zero, exposure, balances.

Amounts are whole pence; a debit is positive, a credit negative. An entry that does not sum to
zero, or whose memo accounts do not, cannot be made. Assets never fall below zero: what would
take them there is refused with the shortfall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from kos.domain.market.places import place_name
from kos.domain.money import from_pence
from kos.errors import CommandNotAllowed, KosBug

Pence = Annotated[int, Meta(description="pence")]
"""Whole pence. The command line takes and shows pounds where a field has this type."""


class AccountKind(StrEnum):
    """What a balance means. With a venue and a participant it names an account."""

    BANK = "bank"
    """Cash at the bank that is given to the project."""
    TRANSIT = "transit"
    """Sent or requested, not arrived."""
    CASH = "bookmaker:cash"
    """Withdrawable balance at a bookmaker."""
    STAKED = "bookmaker:staked"
    """Cash stakes on open back bets."""
    AVAILABLE = "exchange:available"
    """Available to bet on an exchange."""
    EXPOSURE = "exchange:exposure"
    """Reserved for open bets, netted per market."""
    BONUS = "bookmaker:bonus"
    """Memo: face of the tokens in the wallet."""
    CONTRA = "bonus:contra"
    """Memo: minus the same."""
    OPENING = "equity:opening"
    DRAWN = "equity:drawn"
    QUALIFIER = "pnl:qualifier"
    FREE_BET = "pnl:free_bet"
    COMMISSION = "pnl:commission"
    CASH_BONUS = "pnl:cash_bonus"
    VALUE = "pnl:value"
    ADJUSTMENT = "pnl:adjustment"
    ROUNDING = "rounding"

    @property
    def label(self) -> str:
        """As people read it."""
        return _LABELS[self]


_LABELS = {
    AccountKind.BANK: "Bank",
    AccountKind.TRANSIT: "In transit",
    AccountKind.CASH: "Balance",
    AccountKind.STAKED: "Open bets",
    AccountKind.AVAILABLE: "Available",
    AccountKind.EXPOSURE: "Exposure",
    AccountKind.BONUS: "Free bets held",
    AccountKind.CONTRA: "Free bets held (contra)",
    AccountKind.OPENING: "Opening balance",
    AccountKind.DRAWN: "Money drawn",
    AccountKind.QUALIFIER: "Qualifying bets",
    AccountKind.FREE_BET: "Free bets",
    AccountKind.COMMISSION: "Commission",
    AccountKind.CASH_BONUS: "Cash bonuses",
    AccountKind.VALUE: "Value bets",
    AccountKind.ADJUSTMENT: "Adjustments",
    AccountKind.ROUNDING: "Rounding",
}

ASSETS = frozenset(
    {
        AccountKind.BANK,
        AccountKind.TRANSIT,
        AccountKind.CASH,
        AccountKind.STAKED,
        AccountKind.AVAILABLE,
        AccountKind.EXPOSURE,
    }
)
MEMO = frozenset({AccountKind.BONUS, AccountKind.CONTRA})
RESULTS = frozenset(AccountKind) - ASSETS - MEMO - {AccountKind.OPENING, AccountKind.DRAWN}
"""Profit is minus the sum of these."""
NEVER_NEGATIVE = ASSETS | {AccountKind.BONUS}


class Account(msgspec.Struct, frozen=True, gc=False):
    """One account of a participant; ``venue`` is empty for the bank and for equity."""

    kind: AccountKind
    venue: str = ""

    def __str__(self) -> str:
        head, colon, tail = self.kind.partition(":")
        if not self.venue:
            return self.kind.value
        return f"{head}:{self.venue}{colon}{tail}"

    @property
    def title(self) -> str:
        """As people read it: its place, where that says enough, else with what it holds.

        >>> Account(AccountKind.CASH, "williamhill").title, Account(AccountKind.QUALIFIER).title
        ('William Hill', 'Qualifying bets')
        >>> Account(AccountKind.EXPOSURE, "betfair").title
        'Betfair, exposure'
        """
        if not self.venue:
            return self.kind.label
        place = place_name(self.venue)
        if self.kind in {AccountKind.CASH, AccountKind.AVAILABLE}:
            return place
        return f"{place}, {self.kind.label.lower()}"


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One line of an entry."""

    account: Account
    amount: Pence
    instance: str = ""
    """The offer instance that moved it; empty for the participant's own movements."""
    bet: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One transaction: what happened and its lines, debits first, each account and instance once."""

    what: str
    postings: tuple[Posting, ...]


class UnbalancedEntry(KosBug):
    """A transaction that does not sum to zero: never posted."""


MAX_PENCE = 10**12
"""A line of more is a slip of the hand: ten thousand million pounds."""

Balances = Mapping[Account, int]
"""Account to pence; an account that is not there has nothing."""


def pounds(pence: int) -> str:
    """An amount as people read it: ``£12.30``, ``-£0.28``.

    >>> pounds(-28)
    '-£0.28'
    """
    return f"{'-' if pence < 0 else ''}£{from_pence(abs(pence)):,}"


def entry(what: str, postings: Iterable[Posting]) -> Entry | None:
    """A balanced entry of the lines, those of one account and instance joined; None for nothing.

    Raises:
        UnbalancedEntry: The lines, or those of the memo accounts alone, do not sum to zero.
        CommandNotAllowed: A line is of more than anybody has.
    """
    joined: dict[tuple[Account, str], Posting] = {}
    for line in postings:
        key = (line.account, line.instance)
        first = joined.get(key)
        amount = line.amount + (0 if first is None else first.amount)
        joined[key] = msgspec.structs.replace(first or line, amount=amount)
    lines = sorted((line for line in joined.values() if line.amount), key=_debits_first)
    if any(abs(line.amount) > MAX_PENCE for line in lines):
        raise CommandNotAllowed(f"{what}: an amount cannot be above {pounds(MAX_PENCE)}.")
    total = sum(line.amount for line in lines)
    memo = sum(line.amount for line in lines if line.account.kind in MEMO)
    if total or memo:
        raise UnbalancedEntry(
            f"{what}: the lines sum to {total} and the memo lines to {memo} pence, both must be 0"
        )
    return Entry(what, tuple(lines)) if lines else None


def _debits_first(line: Posting) -> tuple[bool, str, str, str]:
    # Debits first, so that an account never dips below zero in the middle of an entry.
    return line.amount < 0, line.account.kind, line.account.venue, line.instance


def posted(balances: Balances, entries: Iterable[Entry]) -> dict[Account, int]:
    """The balances after the entries, which are posted in order.

    Raises:
        CommandNotAllowed: An account that must not be negative would be; names the shortfall.
    """
    after = dict(balances)
    for one in entries:
        for line in one.postings:
            after[line.account] = after.get(line.account, 0) + line.amount
        for line in one.postings:
            left = after[line.account]
            if left < 0 and line.account.kind in NEVER_NEGATIVE:
                before = balances.get(line.account, 0)
                raise CommandNotAllowed(
                    f"{line.account.title}: only {pounds(before)}, {pounds(-left)} too little. "
                    f"{_REMEDY[line.account.kind]}"
                )
    return after


_REMEDY = {
    AccountKind.BANK: "Record the money added to the bank first.",
    AccountKind.TRANSIT: "No matching payment is in transit.",
    AccountKind.CASH: "Record a deposit first, or enter less.",
    AccountKind.STAKED: "No open bet has this stake.",
    AccountKind.AVAILABLE: (
        "Add money to the exchange, lay less, or settle the winning bets in that market first."
    ),
    AccountKind.EXPOSURE: "No open bet has this exposure.",
    AccountKind.BONUS: "There is no such free bet in the account.",
}


class Wager(msgspec.Struct, frozen=True):
    """One bet on an exchange market as the exposure of that market sees it."""

    instance: str
    bet: str
    exchange: str
    market: str
    selection: str
    if_selection: Pence
    """Gross result if the selection wins: minus the liability of a lay."""
    otherwise: Pence
    """Gross result if it does not."""
    is_single_winner: bool = True
    """Whether exactly one selection of the market wins; only then do bets offset each other."""
    is_open: bool = True
    happened: bool | None = None
    """Whether the selection won, once that is known from the settlement."""


def reserved(wagers: Iterable[Wager]) -> dict[str, int]:
    """The exposure of one market by instance: what the worst outcome still possible would cost.

    Bets of one market offset each other, whichever offer they belong to: lays of £20 at 2.5 and £15 at 3.6
    on two runners reserve £19.00, not £69.00. The total is shared out in the order of the
    instances' names, to each no more than it would need alone, so that an instance without open
    bets holds nothing. A pure function of the bets: their order does not matter.
    """
    everyone = list(wagers)
    open_ones = [wager for wager in everyone if wager.is_open]
    by_instance: dict[str, list[Wager]] = {}
    for wager in open_ones:
        by_instance.setdefault(wager.instance, []).append(wager)
    if not all(wager.is_single_winner for wager in everyone):
        return {
            instance: sum(max(0, -min(one.if_selection, one.otherwise)) for one in own)
            for instance, own in by_instance.items()
        }
    outcomes = _still_possible(everyone)
    left = _worst(open_ones, outcomes)
    shares = {}
    for instance in sorted(by_instance):
        shares[instance] = min(left, _worst(by_instance[instance], outcomes))
        left -= shares[instance]
    return shares


def _still_possible(wagers: list[Wager]) -> frozenset[str | None]:
    """The selections that may yet win; None stands for all that no one has a bet on."""
    outcomes = frozenset[str | None](wager.selection.casefold() for wager in wagers) | {None}
    winners = {wager.selection.casefold() for wager in wagers if wager.happened}
    losers = {wager.selection.casefold() for wager in wagers if wager.happened is False}
    possible = (outcomes & winners if winners else outcomes) - losers
    # Results that contradict each other (a dead heat) rule nothing out.
    return possible or outcomes


def _worst(wagers: Iterable[Wager], outcomes: Iterable[str | None]) -> int:
    """What the worst of the outcomes would cost; 0 if none costs anything."""
    bets = [(wager.selection.casefold(), wager.if_selection, wager.otherwise) for wager in wagers]
    return -min(
        0,
        *(
            sum(won if name == outcome else lost for name, won, lost in bets)
            for outcome in outcomes
        ),
    )


def profit(balances: Balances) -> int:
    """Pence made: minus the sum of the result accounts."""
    return -sum(amount for account, amount in balances.items() if account.kind in RESULTS)


def capital(balances: Balances) -> int:
    """Pence of all assets, memo accounts left out; equals minus equity plus profit."""
    return sum(amount for account, amount in balances.items() if account.kind in ASSETS)


def trial_balance(balances: Balances) -> tuple[int, int]:
    """The sum of all accounts and of the memo accounts alone; both are 0 in sound books."""
    total = sum(balances.values())
    memo = sum(amount for account, amount in balances.items() if account.kind in MEMO)
    return total, memo
