"""A second, smaller account of the books: what must be refused, and what must be where.

It shares no rule with ``kos.domain.offers`` or ``kos.domain.offers.portfolio``: exact fractions, no
postings, the exposure of a market by trying every winner, one list of what fits which phase.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

import msgspec

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import BonusKind, Offer
from tests.domain.offers.offer_stories import Telling


class Fault(StrEnum):
    """Why a fact must be refused."""

    NEGATIVE = "negative"
    """An amount of nothing or less."""
    DOUBLED = "doubled"
    """A name that is taken."""
    FOREIGN = "foreign"
    """A bet, token, hold, offer or money that is not there, or is another's."""
    LATE = "late"
    """After, or before, the time that it belongs to."""
    OUT_OF_ORDER = "out of order"
    """A fact of another phase."""
    SHORT = "short"
    """More than there is."""


_LEAST = {
    "amount": 1,
    "stake": 1,
    "face": 1,
    "liability": 1,
    "part": 1,
    "commission": 0,
    "released": 0,
}


def amounts(value: object, owner: str = "") -> Iterator[tuple[str, int]]:
    """Every amount of a fact that has a least value, by the name of its field."""
    if isinstance(value, tuple):
        for item in value:
            yield from amounts(item, owner)
    if not isinstance(value, msgspec.Struct) or isinstance(value, Offer):
        return
    for name in value.__struct_fields__:
        inner = getattr(value, name)
        if name in _LEAST and isinstance(inner, int):
            if not (isinstance(value, f.Settlement) and name == "amount"):
                yield name, inner
        else:
            yield from amounts(inner, name)


@dataclass
class Bet:
    """One bet: its fills, and what is open of it."""

    venue: str
    side: ExchangeSide
    fills: list[tuple[int, Fraction]]
    is_exchange: bool
    market: str = ""
    selection: str = ""
    is_single_winner: bool = True
    token: BonusKind | None = None
    open: int = 0
    happened: bool | None = None

    def gains(self, stake: int) -> Fraction:
        """What the backer of that part of it makes, in pence."""
        whole = sum(size for size, _ in self.fills)
        return sum(size * (odds - 1) for size, odds in self.fills) * Fraction(stake, whole)

    def risk(self, stake: int) -> int:
        return stake if self.side is ExchangeSide.BACK else ceil(self.gains(stake))

    def if_happened(self) -> int:
        return (
            -self.risk(self.open)
            if self.side is ExchangeSide.LAY
            else half_up(self.gains(self.open))
        )

    def if_not(self) -> int:
        return self.open if self.side is ExchangeSide.LAY else -self.open


@dataclass
class Token:
    """One free bet."""

    face: int
    kind: BonusKind
    phase: int
    expires_at: datetime | None
    is_divisible: bool
    bet: str = ""
    is_lost: bool = False


@dataclass
class Instance:
    """One offer: 1 to 6, or closed."""

    terms: Offer
    phase: int = 1
    is_closed: bool = False
    more_due: bool = False
    qualifier: str = ""
    bets: dict[str, Bet] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    transit: Counter[str] = field(default_factory=Counter)
    before: Instance | None = None

    def live(self) -> list[Token]:
        return [token for token in self.tokens.values() if not token.is_lost]

    def in_phase(self, phase: int) -> dict[str, Token]:
        return {
            name: token
            for name, token in self.tokens.items()
            if token.phase == phase and not token.is_lost
        }

    def settle_phase(self) -> None:
        phases = [token.phase for token in self.live()] + [3] * self.more_due
        if phases:
            self.phase = min(phases)

    def fits(self, name: str) -> bool:
        """Whether that fact may be told where the offer is."""
        if self.is_closed or name == "reopened":
            return self.is_closed and name == "reopened"
        wallet, staked = bool(self.in_phase(4)), bool(self.in_phase(5))
        return {
            "deposit_cleared": self.phase == 1,
            "deposit_failed": self.phase == 1,
            "float_sent": self.phase == 1,
            "qualifier_placed": self.phase == 1,
            "lay_cancelled": self.phase == 2,
            "triggered": self.phase == 2,
            "qualifier_voided": self.phase == 2,
            "not_triggered": self.phase == 2,
            "lay_matched": self.phase == 2 or staked,
            "hedge_added": self.phase == 2 or staked,
            "credited": self.phase == 3 or (self.phase == 2 and self.terms.is_credited_at_once),
            "bet_settled": 2 <= self.phase <= 5,
            "commission_charged": 2 <= self.phase <= 5,
            "free_bet_placed": wallet,
            "expired": wallet,
            "early_payout": staked,
            "free_bet_settled": staked,
            "free_bet_voided": staked,
            "free_bet_voided_lost": staked,
            "refused": self.phase <= 4,
            "restricted": self.phase <= 4,
            "withdrawal_requested": self.phase == 6,
            "withdrawal_arrived": self.phase == 6,
            "withdrawal_reversed": self.phase == 6,
            "completed": self.phase == 6,
            "abandoned": True,
        }.get(name, False)


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


class Books:
    """What the accepted facts come to."""

    def __init__(self) -> None:
        self.bank = 0
        self.cash: Counter[str] = Counter()
        self.staked: Counter[str] = Counter()
        self.float: Counter[str] = Counter()
        """At an exchange, what is at risk included."""
        self.transit: Counter[str] = Counter()
        """All of it, an offer's own included."""
        self.bonus: Counter[str] = Counter()
        self.offers: dict[str, Instance] = {}
        self.holds: dict[str, tuple[str, int, datetime]] = {}
        self.past: set[str] = set()
        self.has_joined = False

    # --- what must be refused ---------------------------------------------------------------------

    def faults(self, telling: Telling) -> set[Fault]:
        """The reasons for which a fact must be refused; none does not say that it is taken."""
        fact, offer = telling.fact, self.offers.get(telling.instance)
        found = set()
        least = {"amount": 0} if isinstance(fact, f.DepositSent) else {}
        if any(amount < (_LEAST | least)[name] for name, amount in amounts(fact)):
            found.add(Fault.NEGATIVE)
        if telling.instance:
            if offer is None and not isinstance(fact, f.DepositSent):
                found.add(Fault.FOREIGN)
            if offer is not None:
                found |= self._faults_of_offer(fact, offer, telling.at)
        else:
            found |= self._faults_of_money(fact, telling.at)
        if not found:
            found |= self._faults_of_balances(telling)
        return found

    def _faults_of_offer(  # noqa: C901, PLR0912 - one line for each fact
        self, fact: f.Fact, offer: Instance, at: datetime
    ) -> set[Fault]:
        if not offer.fits(f.name_of(fact)):
            return {Fault.OUT_OF_ORDER}
        found = set()
        match fact:
            case f.QualifierPlaced() | f.FreeBetPlaced():
                if fact.back.bet in offer.bets:
                    found.add(Fault.DOUBLED)
                if fact.back.bookmaker not in {"", offer.terms.bookmaker}:
                    found.add(Fault.FOREIGN)
                if isinstance(fact, f.FreeBetPlaced):
                    found |= self._token_faults(fact.token, offer, phase=4)
                    if all(over(token, at) for token in named(offer, fact.token)):
                        found.add(Fault.LATE)
            case f.HedgeAdded() if fact.lay.bet in offer.bets:
                found.add(Fault.DOUBLED)
            case f.LayMatched() if fact.lay.bet in offer.bets:
                bet, lay = offer.bets[fact.lay.bet], fact.lay
                if (bet.venue, bet.market, bet.selection, bet.side) != (
                    lay.exchange,
                    lay.market,
                    lay.selection,
                    lay.side,
                ):
                    found.add(Fault.FOREIGN)
            case f.Credited():
                for token in fact.tokens:
                    if token.token in offer.tokens:
                        found.add(Fault.DOUBLED)
                    if token.kind is not BonusKind.CASH and (
                        token.expires_at is None or token.expires_at <= at
                    ):
                        found.add(Fault.LATE)
            case f.Expired():
                found |= self._token_faults(fact.token, offer, phase=4)
                if not any(over(token, at) for token in named(offer, fact.token)):
                    found.add(Fault.LATE)
            case f.FreeBetSettled() | f.FreeBetVoided() | f.FreeBetVoidedLost():
                found |= self._token_faults(fact.token, offer, phase=5)
            case f.DepositCleared() | f.DepositFailed():
                if fact.amount > offer.transit[fact.venue or offer.terms.bookmaker]:
                    found.add(Fault.FOREIGN)
            case f.WithdrawalReversed() if fact.amount > offer.transit[fact.venue]:
                found.add(Fault.FOREIGN)
            case _:
                pass
        for one in settlements(fact):
            bet_or_none = offer.bets.get(one.bet)
            if bet_or_none is None:
                found.add(Fault.FOREIGN)
            elif not bet_or_none.open:
                found.add(Fault.LATE)
            elif one.part is not None and one.part > bet_or_none.open:
                found.add(Fault.SHORT)
        return found

    def _token_faults(self, name: str, offer: Instance, phase: int) -> set[Fault]:
        there = offer.in_phase(phase)
        if name and name not in there:
            return {Fault.FOREIGN}
        return set()

    def _faults_of_money(self, fact: f.Fact, at: datetime) -> set[Fault]:
        match fact:
            case f.Joined() if self.has_joined:
                return {Fault.DOUBLED}
            case f.PastBetImported() if fact.reference in self.past:
                return {Fault.DOUBLED}
            case f.FloatHeld():
                found = {Fault.LATE} if fact.expires_at <= at else set()
                if fact.hold in self.holds and at < self.holds[fact.hold][2]:
                    found.add(Fault.DOUBLED)
                return found
            case f.HoldReleased() if fact.hold not in self.holds:
                return {Fault.FOREIGN}
            case f.MoneyArrived() | f.MoneyReturned() | f.WithdrawalReversed():
                own = self.transit[fact.venue] - sum(
                    offer.transit[fact.venue] for offer in self.offers.values()
                )
                return {Fault.FOREIGN} if fact.amount > own else set()
            case _:
                return set() if f.name_of(fact) in f.MONEY_FACTS else {Fault.OUT_OF_ORDER}

    def _faults_of_balances(self, telling: Telling) -> set[Fault]:
        after = copy.deepcopy(self)
        try:
            after.take(telling)
        except (KeyError, ValueError):
            return set()  # which token is meant is not said: not judged here
        own = Counter(after.transit)
        for offer in after.offers.values():
            own.subtract(offer.transit)
        transits = [offer.transit for offer in after.offers.values()]
        places = (after.cash, after.staked, after.transit, after.bonus, own, *transits)
        is_short = after.bank < 0 or any(
            amount < 0 for place in places for amount in place.values()
        )
        return {Fault.SHORT} if is_short or after.available_below_zero() else set()

    def available_below_zero(self) -> bool:
        exposure = self.exposure()
        return any(self.float[venue] < exposure[venue] for venue in {*self.float, *exposure})

    # --- what is where ----------------------------------------------------------------------------

    def exposure(self) -> Counter[str]:
        """At risk by exchange: in each market what the worst winner still possible would cost."""
        markets: dict[tuple[str, str], list[Bet]] = defaultdict(list)
        for offer in self.offers.values():
            for bet in offer.bets.values():
                if bet.is_exchange:
                    markets[bet.venue, bet.market].append(bet)
        total: Counter[str] = Counter()
        for (venue, _), bets in markets.items():
            total[venue] += worst(bets)
        return total

    def put(self, place: f.Place, venue: str, amount: int) -> None:
        if place is f.Place.BANK:
            self.bank += amount
        elif place is f.Place.BOOKMAKER:
            self.cash[venue] += amount
        else:
            self.float[venue] += amount

    def take(self, telling: Telling) -> None:
        """A fact that was accepted."""
        fact = telling.fact
        if not telling.instance:
            self._take_money(fact)
            if isinstance(fact, f.FloatHeld):
                running = {name: hold for name, hold in self.holds.items() if telling.at < hold[2]}
                self.holds = running | {fact.hold: (fact.exchange, fact.amount, fact.expires_at)}
        elif isinstance(fact, f.DepositSent):
            assert fact.terms is not None
            offer = self.offers[telling.instance] = Instance(fact.terms)
            self._send(offer, f.Place.BOOKMAKER, fact.terms.bookmaker, fact.amount, fact.is_instant)
        else:
            self._take_of_offer(fact, self.offers[telling.instance], telling.instance)

    def _send(
        self, offer: Instance | None, place: f.Place, venue: str, amount: int, is_instant: bool
    ) -> None:
        self.bank -= amount
        if is_instant:
            self.put(place, venue, amount)
            return
        self.transit[venue] += amount
        if offer is not None:
            offer.transit[venue] += amount

    def _arrive(self, offer: Instance | None, place: f.Place, venue: str, amount: int) -> None:
        self.transit[venue] -= amount
        if offer is not None:
            offer.transit[venue] -= amount
        self.put(place, venue, amount)

    def _own_place(self, venue: str) -> f.Place:
        return f.Place.EXCHANGE if venue in self.float else f.Place.BOOKMAKER

    def _take_money(self, fact: f.Fact) -> None:  # noqa: C901, PLR0912 - one line for each fact
        match fact:
            case f.Joined():
                self.has_joined = True
            case f.Opened():
                self.put(fact.place, fact.venue, fact.amount)
            case f.Drawn():
                self.bank -= fact.amount
            case f.MoneySent():
                self._send(None, fact.place, fact.venue, fact.amount, fact.is_instant)
            case f.MoneyArrived():
                self._arrive(None, fact.place, fact.venue, fact.amount)
            case f.MoneyReturned():
                self._arrive(None, f.Place.BANK, fact.venue, fact.amount)
            case f.BonusPaid():
                self.cash[fact.venue] += fact.amount
            case f.Adjusted():
                self.put(fact.place, fact.venue, fact.difference)
            case f.CommissionCharged():
                self.float[fact.exchange] -= fact.amount
            case f.PastBetImported():
                self.past.add(fact.reference)
            case f.HoldReleased():
                del self.holds[fact.hold]
            case f.WithdrawalRequested():
                self.put(self._own_place(fact.venue), fact.venue, -fact.amount)
                self.transit[fact.venue] += fact.amount
            case f.WithdrawalReversed():
                self._arrive(None, self._own_place(fact.venue), fact.venue, fact.amount)
            case f.WithdrawalArrived():
                for each in fact.arrivals:
                    self._arrive(None, f.Place.BANK, each.venue, each.amount)

    def _take_of_offer(  # noqa: C901, PLR0912, PLR0915 - one line for each fact
        self, fact: f.Fact, offer: Instance, name: str
    ) -> None:
        bookmaker = offer.terms.bookmaker
        self._settle_all(fact, offer)
        match fact:
            case f.DepositCleared():
                venue = fact.venue or bookmaker
                is_exchange = venue != bookmaker
                place = f.Place.EXCHANGE if is_exchange else f.Place.BOOKMAKER
                self._arrive(offer, place, venue, fact.amount)
            case f.DepositFailed():
                self._arrive(offer, f.Place.BANK, fact.venue or bookmaker, fact.amount)
            case f.FloatSent():
                self._send(offer, f.Place.EXCHANGE, fact.exchange, fact.amount, fact.is_instant)
            case f.QualifierPlaced():
                stake = fact.back.stake
                self.cash[bookmaker] -= stake
                self.staked[bookmaker] += stake
                self._place(offer, fact.back, None)
                offer.qualifier, offer.phase = fact.back.bet, 2
                for lay in fact.lays:
                    fill(offer, lay)
            case f.FreeBetPlaced():
                self._stake_token(offer, fact)
                for lay in fact.lays:
                    fill(offer, lay)
            case f.LayMatched() | f.HedgeAdded():
                fill(offer, fact.lay)
            case f.CommissionCharged():
                self.float[fact.exchange] -= fact.amount
            case f.Triggered():
                offer.phase = 3
            case f.Credited():
                self._credit(offer, fact)
            case f.QualifierVoided():
                offer.phase, offer.qualifier = 1, ""
            case f.Expired():
                self._lose(offer, fact.token, 4)
            case f.FreeBetVoidedLost():
                self._lose(offer, fact.token, 5)
            case f.FreeBetVoided():
                token = chosen(offer, fact.token, 5)
                token.phase, token.bet = 4, ""
                token.expires_at = fact.expires_at or token.expires_at
                self.bonus[bookmaker] += token.face
                offer.settle_phase()
            case f.FreeBetSettled():
                chosen(offer, fact.token, 5).phase = 6
                offer.settle_phase()
            case f.WithdrawalRequested():
                self.put(place_of(offer, fact.venue), fact.venue, -fact.amount)
                self.transit[fact.venue] += fact.amount
                offer.transit[fact.venue] += fact.amount
            case f.WithdrawalReversed():
                self._arrive(offer, place_of(offer, fact.venue), fact.venue, fact.amount)
            case f.WithdrawalArrived():
                for each in fact.arrivals:
                    self._arrive(offer, f.Place.BANK, each.venue, each.amount)
            case f.NotTriggered() | f.Refused() | f.Restricted() | f.Abandoned() | f.Completed():
                self._close(offer, copy.deepcopy(offer))
            case f.Reopened():
                assert offer.before is not None
                self.offers[name] = offer.before
                self.bonus[bookmaker] += sum(t.face for t in offer.before.in_phase(4).values())

    def _place(self, offer: Instance, back: f.Back, token: BonusKind | None) -> None:
        offer.bets[back.bet] = Bet(
            venue=offer.terms.bookmaker,
            side=ExchangeSide.BACK,
            fills=[(back.stake, Fraction(back.odds))],
            is_exchange=False,
            token=token,
            open=back.stake,
        )

    def _stake_token(self, offer: Instance, fact: f.FreeBetPlaced) -> None:
        token = chosen(offer, fact.token, 4)
        rest = token.face - fact.back.stake
        name = next(key for key, each in offer.tokens.items() if each is token)
        self._place(offer, fact.back, token.kind)
        self.bonus[offer.terms.bookmaker] -= fact.back.stake
        if rest and token.is_divisible:
            stem = name.partition("/")[0]
            number = sum(key.partition("/")[0] == stem for key in offer.tokens) + 1
            offer.tokens[f"{stem}/{number}"] = Token(
                rest, token.kind, 4, token.expires_at, is_divisible=True
            )
        else:
            self.bonus[offer.terms.bookmaker] -= rest
        token.face, token.phase, token.bet = fact.back.stake, 5, fact.back.bet
        offer.settle_phase()

    def _credit(self, offer: Instance, fact: f.Credited) -> None:
        for new in fact.tokens:
            is_cash = new.kind is BonusKind.CASH
            (self.cash if is_cash else self.bonus)[offer.terms.bookmaker] += new.face
            offer.tokens[new.token] = Token(
                new.face, new.kind, 6 if is_cash else 4, new.expires_at, new.is_divisible
            )
        offer.more_due = fact.more_due
        offer.settle_phase()

    def _lose(self, offer: Instance, name: str, phase: int) -> None:
        before = copy.deepcopy(offer)
        token = chosen(offer, name, phase)
        if phase == 4:
            self.bonus[offer.terms.bookmaker] -= token.face
        token.is_lost = True
        if offer.live() or offer.more_due:
            offer.settle_phase()
        else:
            self._close(offer, before)

    def _close(self, offer: Instance, before: Instance) -> None:
        self.bonus[offer.terms.bookmaker] -= sum(t.face for t in offer.in_phase(4).values())
        offer.is_closed, offer.before = True, before

    def _settle_all(self, fact: f.Fact, offer: Instance) -> None:
        void = None
        if isinstance(fact, f.QualifierVoided):
            void = offer.qualifier
        elif isinstance(fact, f.FreeBetVoided | f.FreeBetVoidedLost):
            void = chosen(offer, fact.token, 5).bet
        if void is not None and offer.bets[void].open:
            self._settle(offer.bets[void], f.Settlement(bet=void, result=f.Result.VOID))
        for one in settlements(fact):
            self._settle(offer.bets[one.bet], one)

    def _settle(self, bet: Bet, one: f.Settlement) -> None:
        part = bet.open if one.part is None else one.part
        gains, is_lay = bet.gains(part), bet.side is ExchangeSide.LAY
        if not bet.is_exchange:
            stake = part if bet.token is None else 0
            own = 0 if bet.token is BonusKind.SNR else part
            made = {
                f.Result.WON: half_up(gains) + own,
                f.Result.LOST: 0,
                f.Result.VOID: stake,
            }.get(one.result, 0)
            self.staked[bet.venue] -= stake
            self.cash[bet.venue] += made if one.amount is None else one.amount
            bet.open -= part
            return
        lost = bet.risk(bet.open) - bet.risk(bet.open - part)
        won = part if is_lay else half_up(gains)
        forecast = {f.Result.WON: won, f.Result.LOST: lost, f.Result.VOID: 0}.get(one.result, 0)
        amount = forecast if one.amount is None else one.amount
        self.float[bet.venue] += -amount if one.result is f.Result.LOST else amount
        self.float[bet.venue] -= one.commission
        bet.open -= part
        bet.happened = {f.Result.WON: not is_lay, f.Result.LOST: is_lay}.get(one.result)


def chosen(offer: Instance, name: str, phase: int) -> Token:
    """The token of that name, or the only one there."""
    there = offer.in_phase(phase)
    if name:
        return there[name]
    (only,) = there.values()
    return only


def named(offer: Instance, name: str) -> list[Token]:
    """The tokens in the wallet that a name may mean."""
    return [token for key, token in offer.in_phase(4).items() if name in {"", key}]


def over(token: Token, at: datetime) -> bool:
    return token.expires_at is not None and at >= token.expires_at


def place_of(offer: Instance, venue: str) -> f.Place:
    return f.Place.BOOKMAKER if venue == offer.terms.bookmaker else f.Place.EXCHANGE


def settlements(fact: f.Fact) -> tuple[f.Settlement, ...]:
    """What a fact settles."""
    match fact:
        case f.BetSettled():
            return (fact.settled,)
        case f.EarlyPayout():
            return (f.Settlement(bet=fact.bet, result=f.Result.WON, amount=fact.amount),)
        case _:
            return getattr(fact, "settled", ())


def fill(offer: Instance, lay: f.Lay) -> None:
    """A new exchange bet, or more of one."""
    known = offer.bets.get(lay.bet)
    if known is None:
        known = offer.bets[lay.bet] = Bet(
            venue=lay.exchange,
            side=lay.side,
            fills=[],
            is_exchange=True,
            market=lay.market,
            selection=lay.selection,
            is_single_winner=lay.is_single_winner,
        )
    known.fills.append((lay.stake, Fraction(lay.odds)))
    known.open += lay.stake


def worst(bets: list[Bet]) -> int:
    """What the bets of one market cost at worst."""
    still_open = [bet for bet in bets if bet.open]
    if not all(bet.is_single_winner for bet in bets):
        return sum(max(0, -min(bet.if_happened(), bet.if_not())) for bet in still_open)
    every = {*(bet.selection for bet in bets), ""}
    won = {bet.selection for bet in bets if bet.happened}
    possible = (won or every) - {bet.selection for bet in bets if bet.happened is False}
    return max(
        0,
        *(
            -sum(
                bet.if_happened() if bet.selection == winner else bet.if_not() for bet in still_open
            )
            for winner in possible or every
        ),
    )
