"""Names that people read for the keys of the books: accounts, phases, facts and free bets."""

from __future__ import annotations

import calendar
from typing import Final

from kos.domain.books.double_entry import Account, AccountKind, pounds
from kos.domain.offers.catalogue import BonusKind, Offer
from kos.domain.offers.forms import FACT_FORMS
from kos.domain.offers.state import Phase, Token

MONTHS: Final = tuple(calendar.month_name)[1:]
_ACCOUNT_KINDS: Final = frozenset(AccountKind)

PHASE_NAMES: Final = {phase.name: phase.label for phase in Phase}
"""The phases of an offer, in order."""

BONUS_NAMES: Final = {
    BonusKind.SNR: "stake not returned",
    BonusKind.SR: "stake returned",
    BonusKind.CASH: "cash",
    BonusKind.BONUS: "bonus money",
}
"""What a free bet is."""
_PAID_IN: Final = {
    BonusKind.SNR: "free bet (stake not returned)",
    BonusKind.SR: "free bet (stake returned)",
    BonusKind.CASH: "cash",
    BonusKind.BONUS: "bonus money",
}


def account_name(account: str) -> str:
    """An account of the books for people; keys that name no account stay as they are.

    >>> account_name("bookmaker:williamhill:cash")
    'William Hill'
    >>> account_name("exchange:betfair:exposure")
    'Betfair, exposure'
    >>> account_name("transit:coral")
    'Coral, in transit'
    >>> account_name("pnl:qualifier")
    'Qualifying bets'
    """
    if account in _ACCOUNT_KINDS:
        return AccountKind(account).label
    head, _, rest = account.partition(":")
    venue, _, tail = rest.partition(":")
    key = f"{head}:{tail}" if tail else head
    if not venue or key not in _ACCOUNT_KINDS:
        return account
    return Account(AccountKind(key), venue).title


def profit_name(name: str) -> str:
    """The source of a profit: a kind of bet, a month, or the name as it is."""
    if name in _ACCOUNT_KINDS:
        return AccountKind(name).label
    year, dash, month = name.partition("-")
    if dash and year.isdecimal() and month.isdecimal() and 1 <= int(month) <= len(MONTHS):
        return f"{MONTHS[int(month) - 1]} {year}"
    return name


def phase_name(phase: str) -> str:
    """A phase in words."""
    return PHASE_NAMES.get(phase, readable(phase).capitalize())


def fact_name(fact: str) -> str:
    """A fact in words."""
    form = FACT_FORMS.get(fact)
    return form.label if form else readable(fact).capitalize()


def readable(key: str) -> str:
    """A key in lower case and without underscores."""
    return key.replace("_", " ").lower()


def free_bets_words(offer: Offer) -> str:
    """What an offer pays: ``£30.00 free bet (stake not returned)``, ``2 x £5.00 cash``."""
    return ", ".join(
        (f"{bonus.count} x " if bonus.count > 1 else "")
        + f"{pounds(bonus.face)} {_PAID_IN[bonus.kind]}"
        for bonus in offer.bonuses
    )


def token_status(token: Token) -> str:
    """Where a free bet is, or how it was lost."""
    return readable(token.phase.name if token.lost is None else token.lost.value)
