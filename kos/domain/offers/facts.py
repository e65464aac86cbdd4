"""The facts about offers and participants' money, each a frozen value.

Facts are what the ledger keeps: append-only, numbered per offer. Everything else (phase, bets,
tokens, balances) is a fold of them. Amounts are whole pence, odds decimal with the stake included.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Union

import msgspec
from msgspec import Meta

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books.double_entry import Pence, Posting
from kos.domain.offers.catalogue import BonusKind, Offer

Moment = Annotated[datetime, Meta(tz=True)]
"""A time with its zone; one without is refused where it comes in."""


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag=_snake, tag_field="fact"):
    """Base of all facts; its tag is its name, e.g. ``qualifier_placed``."""


def name_of(fact: Fact | type[Fact]) -> str:
    """The name of a fact as the transition table and the command line call it."""
    return str(fact.__struct_config__.tag)


class Result(StrEnum):
    """How a bet, or a part of it, was settled."""

    WON = "won"
    LOST = "lost"
    VOID = "void"
    PARTIAL = "partial"
    """Dead heat, Rule 4, an each-way part: the amounts really paid count."""
    CASHED_OUT = "cashed_out"


class Role(StrEnum):
    """What the one who records a fact may do."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    SYSTEM = "system"


class Source(StrEnum):
    """How a fact reached KOS."""

    TELEGRAM = "telegram"
    WEB = "web"
    TERMINAL = "terminal"
    IMPORT = "import"
    SYSTEM = "system"


# --- what facts are made of --------------------------------------------------------------------


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """A bet at a bookmaker as it was accepted."""

    bet: str
    """The bookmaker's reference, or any name that is unique within the instance."""
    stake: Pence
    """Cash, or the part of the token that was used."""
    odds: Decimal
    odds_shown: str = ""
    """As the bookmaker printed them, e.g. ``6/4``."""
    bookmaker: str = ""
    """Empty: the offer's own."""
    event_id: str = ""
    event: str = ""
    market: str = ""
    selection: str = ""
    sport: str = ""
    kickoff: Moment | None = None
    legs: int = 1
    placed_at: Moment | None = None
    """None: when the fact occurred."""


class Lay(msgspec.Struct, frozen=True, kw_only=True):
    """A matched amount on an exchange; the same bet id again is a further fill of that bet."""

    bet: str
    exchange: str
    market: str
    """The exchange's market id: bets of one market offset each other."""
    selection: str
    stake: Pence
    """The backer's stake that was matched."""
    odds: Decimal
    """Average price of this fill."""
    commission: Decimal = Decimal(0)
    """Rate on net winnings, a fraction of one."""
    side: ExchangeSide = ExchangeSide.LAY
    """BACK when an earlier lay is traded out."""
    is_single_winner: bool = True
    """False in place markets, where bets do not offset each other."""
    covers: str = ""
    """The back bet it hedges; empty when only one is open."""
    matched_at: Moment | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """Liability that the placement is going to need; it is reserved until it is matched."""

    exchange: str
    liability: Pence


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How one bet was settled, with the amount read from the account."""

    bet: str
    result: Result
    amount: Pence | None = None
    """Back: cash that came back, stake included. Lay won: stake gained. Lay lost: liability
    paid. Partial lay: net result, with its sign. None: what stake and odds come to."""
    part: Pence | None = None
    """The stake settled when it is not all of it."""
    commission: Pence = 0
    """Charged by the exchange with it."""


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A free bet, or cash, as it was credited."""

    token: str
    face: Pence
    kind: BonusKind = BonusKind.SNR
    expires_at: Moment | None = None
    """None only for cash."""
    min_odds: Decimal = Decimal(1)
    is_divisible: bool = False
    restrictions: str = ""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Money that reached the bank from a venue."""

    venue: str
    amount: Pence


class Place(StrEnum):
    """Where a participant's money is."""

    BANK = "bank"
    BOOKMAKER = "bookmaker"
    EXCHANGE = "exchange"


# --- facts of an offer -------------------------------------------------------------------------


class DepositSent(Fact, frozen=True, kw_only=True):
    """An offer is taken up: the deposit left the bank, or is earmarked (0 for a reload)."""

    offer: str
    """Its key in the catalogue."""
    amount: Pence
    method: str = ""
    reference: str = ""
    is_instant: bool = False
    """It is at the bookmaker already."""
    terms: Offer | None = None
    """The terms it begins with; filled in by the ledger from the catalogue."""


class DepositCleared(Fact, frozen=True, kw_only=True):
    """The money in transit has arrived."""

    amount: Pence
    venue: str = ""
    """Empty: the offer's bookmaker."""


class DepositFailed(Fact, frozen=True, kw_only=True):
    """The money in transit was returned to the bank."""

    amount: Pence
    venue: str = ""
    reason: str = ""


class FloatSent(Fact, frozen=True, kw_only=True):
    """Float is sent to an exchange; immediately by default."""

    exchange: str
    amount: Pence
    is_instant: bool = True


class QualifierPlaced(Fact, frozen=True, kw_only=True):
    """The qualifying bet was accepted."""

    back: Back
    lays: tuple[Lay, ...] = ()
    planned: tuple[Planned, ...] = ()
    hold: str = ""
    """A hold on the float that this bet uses."""
    expected_win: Pence | None = None
    expected_lose: Pence | None = None


class LayMatched(Fact, frozen=True, kw_only=True):
    """A lay was matched, in full or a further part."""

    lay: Lay


class LayCancelled(Fact, frozen=True, kw_only=True):
    """The unmatched part was cancelled; its reserved float is released."""

    bet: str
    exchange: str
    released: Pence | None = None
    """Liability no longer needed; None: all that is still reserved there."""


class HedgeAdded(Fact, frozen=True, kw_only=True):
    """A further bet on an exchange: another lay, or a back that trades one out."""

    lay: Lay


class BetSettled(Fact, frozen=True, kw_only=True):
    """One side was settled."""

    settled: Settlement


class CommissionCharged(Fact, frozen=True, kw_only=True):
    """The exchange's share of a market's net winnings, as read from the account."""

    exchange: str
    amount: Pence
    market: str = ""


class Triggered(Fact, frozen=True, kw_only=True):
    """The offer terms are met: the free bet is due."""

    met_by: str
    """What met the terms, e.g. ``qualifier settled``."""
    credit_due_by: Moment | None = None
    settled: tuple[Settlement, ...] = ()


class Credited(Fact, frozen=True, kw_only=True):
    """The bonus is in the account."""

    tokens: tuple[NewToken, ...]
    more_due: bool = False
    """Further tokens of this offer are still to come."""


class CashAdvanced(Fact, frozen=True, kw_only=True):
    """A cash bonus needs no bet: KOS records its last phases automatically."""

    token: str


class QualifierVoided(Fact, frozen=True, kw_only=True):
    """The qualifying bet is void and does not count; its hedges are void or traded out."""

    reason: str
    settled: tuple[Settlement, ...] = ()


class NotTriggered(Fact, frozen=True, kw_only=True):
    """The qualifying bet was settled in a way that earns no free bet."""

    settled: tuple[Settlement, ...] = ()
    note: str = ""


class Refused(Fact, frozen=True, kw_only=True):
    """The bookmaker declined the bonus."""

    reason: str


class Restricted(Fact, frozen=True, kw_only=True):
    """The account lost promotions and this offer ends with it."""

    reason: str


class FreeBetPlaced(Fact, frozen=True, kw_only=True):
    """A token was staked."""

    back: Back
    token: str = ""
    """Empty when only one is in the wallet."""
    lays: tuple[Lay, ...] = ()
    planned: tuple[Planned, ...] = ()
    hold: str = ""
    expected_win: Pence | None = None
    expected_lose: Pence | None = None


class Expired(Fact, frozen=True, kw_only=True):
    """A token ran out unused."""

    token: str = ""


class EarlyPayout(Fact, frozen=True, kw_only=True):
    """The bookmaker paid early; the exchange market is still open."""

    bet: str
    amount: Pence | None = None


class FreeBetVoided(Fact, frozen=True, kw_only=True):
    """The free bet is void and the token is back."""

    token: str = ""
    expires_at: Moment | None = None
    """None: the old one."""
    settled: tuple[Settlement, ...] = ()


class FreeBetVoidedLost(Fact, frozen=True, kw_only=True):
    """The free bet is void and is not returned."""

    reason: str
    token: str = ""
    settled: tuple[Settlement, ...] = ()


class FreeBetSettled(Fact, frozen=True, kw_only=True):
    """Both sides of a free bet are settled, all legs."""

    token: str = ""
    settled: tuple[Settlement, ...] = ()


class WithdrawalRequested(Fact, frozen=True, kw_only=True):
    """A withdrawal from a bookmaker or an exchange was requested."""

    venue: str
    amount: Pence
    method: str = ""
    place: Place | None = None
    """None: an exchange where the participant has float, else a bookmaker."""


class WithdrawalArrived(Fact, frozen=True, kw_only=True):
    """The withdrawal reached the bank."""

    arrivals: tuple[Arrival, ...]
    method: str = ""


class WithdrawalReversed(Fact, frozen=True, kw_only=True):
    """A withdrawal went back to the account it came from."""

    venue: str
    amount: Pence
    place: Place | None = None


class Completed(Fact, frozen=True, kw_only=True):
    """Nothing is open; the cash is withdrawn, or stays at the venue for other offers."""

    note: str = ""


class Abandoned(Fact, frozen=True, kw_only=True):
    """You gave up the offer, with no bet open."""

    reason: str


class Reopened(Fact, frozen=True, kw_only=True):
    """A supervisor reopens an offer closed by mistake; the closing entries are reversed."""

    reason: str


OfferFact = Union[  # noqa: UP007 - a list of this length reads best as one
    DepositSent, DepositCleared, DepositFailed, FloatSent, QualifierPlaced, LayMatched,
    LayCancelled, HedgeAdded, BetSettled, CommissionCharged, Triggered, Credited, CashAdvanced,
    QualifierVoided, NotTriggered, Refused, Restricted, FreeBetPlaced, Expired, EarlyPayout,
    FreeBetVoided, FreeBetVoidedLost, FreeBetSettled, WithdrawalRequested, WithdrawalArrived,
    WithdrawalReversed, Completed, Abandoned, Reopened,
]  # fmt: skip

# --- facts of a participant's money ------------------------------------------------------------


class Joined(Fact, frozen=True, kw_only=True):
    """Add a new participant."""

    name: str


class Paused(Fact, frozen=True, kw_only=True):
    """Start no new offers for this participant."""

    reason: str = ""


class Resumed(Fact, frozen=True, kw_only=True):
    """Start new offers for this participant again."""


class Opened(Fact, frozen=True, kw_only=True):
    """The participant's starting money, and where it is now."""

    amount: Pence
    place: Place = Place.BANK
    venue: str = ""


class Drawn(Fact, frozen=True, kw_only=True):
    """Money taken out of the project for good."""

    amount: Pence


class MoneySent(Fact, frozen=True, kw_only=True):
    """Money sent from the bank to a bookmaker or an exchange, outside any offer."""

    place: Place
    venue: str
    amount: Pence
    is_instant: bool = True
    method: str = ""


class MoneyArrived(Fact, frozen=True, kw_only=True):
    """The money sent to a venue has arrived."""

    place: Place
    venue: str
    amount: Pence


class MoneyReturned(Fact, frozen=True, kw_only=True):
    """The money sent to a venue was returned to the bank."""

    venue: str
    amount: Pence
    reason: str = ""


class BonusPaid(Fact, frozen=True, kw_only=True):
    """A bookmaker paid cash outside any offer."""

    venue: str
    amount: Pence
    reason: str = ""


class Adjusted(Fact, frozen=True, kw_only=True):
    """The account has more than the books show, or less if negative; give the reason."""

    place: Place
    difference: Pence
    reason: str
    venue: str = ""


class FloatHeld(Fact, frozen=True, kw_only=True):
    """Float is kept for a placement that is about to be made."""

    hold: str
    exchange: str
    amount: Pence
    expires_at: Moment


class HoldReleased(Fact, frozen=True, kw_only=True):
    """A hold is no longer needed."""

    hold: str


class BookmakerRestricted(Fact, frozen=True, kw_only=True):
    """The bookmaker restricted this participant: no new offers there; earned free bets stay."""

    bookmaker: str
    reason: str


class BookmakerCleared(Fact, frozen=True, kw_only=True):
    """The bookmaker lifted the restriction."""

    bookmaker: str
    reason: str = ""


class PastBetImported(Fact, frozen=True, kw_only=True):
    """A bet settled before the books began; its result is already in the opening balances."""

    reference: str
    """Unique per participant, so that a file read twice counts once."""
    venue: str
    category: str = "value"
    """``qualifier``, ``free_bet``, ``commission``, ``cash_bonus`` or ``value``."""
    profit: Pence
    """With its sign."""
    side: ExchangeSide = ExchangeSide.BACK
    description: str = ""
    stake: Pence | None = None
    odds: Decimal | None = None


class EntryReversed(Fact, frozen=True, kw_only=True):
    """A supervisor takes a participant's own entry back."""

    transaction: int
    reason: str
    postings: tuple[Posting, ...] = ()
    """The lines it had; filled in by the ledger."""


MoneyFact = Union[  # noqa: UP007 - a list of this length reads best as one
    Joined, Paused, Resumed, Opened, Drawn, MoneySent, MoneyArrived, MoneyReturned, BonusPaid,
    Adjusted, FloatHeld, HoldReleased, BookmakerRestricted, BookmakerCleared, PastBetImported,
    EntryReversed, CommissionCharged, WithdrawalRequested, WithdrawalArrived, WithdrawalReversed,
]  # fmt: skip


def _named(union: Any) -> dict[str, type[Fact]]:
    return {name_of(fact): fact for fact in union.__args__}


OFFER_FACTS: dict[str, type[Fact]] = _named(OfferFact)
MONEY_FACTS: dict[str, type[Fact]] = _named(MoneyFact)
