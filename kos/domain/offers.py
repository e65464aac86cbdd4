"""The life of an offer: six phases, and which fact may follow in which of them.

A pure state machine. :func:`advance` takes a state and a fact and gives the next states with
the movements of money, or refuses with a sentence that says the phase, what was asked and what
is allowed. Nothing is stored but the facts: a state is what they fold to.

An instance may hold several tokens. Each has its own phases 4 to 6; the instance is in the
phase of its least advanced open token, or in 3 while further tokens are due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from kos.domain.books import Account, AccountKind, Pence, Posting, Wager, pounds
from kos.domain.catalogue import BonusKind, Offer, Trigger
from kos.domain.facts import (
    OFFER_FACTS,
    Abandoned,
    Back,
    BetSettled,
    CashAdvanced,
    CommissionCharged,
    Completed,
    Credited,
    DepositCleared,
    DepositFailed,
    DepositSent,
    EarlyPayout,
    Expired,
    Fact,
    FloatSent,
    FreeBetPlaced,
    FreeBetSettled,
    FreeBetVoided,
    FreeBetVoidedLost,
    HedgeAdded,
    Lay,
    LayCancelled,
    LayMatched,
    NewToken,
    NotTriggered,
    Place,
    Planned,
    QualifierPlaced,
    QualifierVoided,
    Refused,
    Reopened,
    Restricted,
    Result,
    Role,
    Settlement,
    Side,
    Triggered,
    WithdrawalArrived,
    WithdrawalRequested,
    WithdrawalReversed,
    name_of,
)
from kos.domain.money import Rounding, from_pence, to_pence
from kos.errors import CommandNotAllowed

PENNY_DIFFERENCE = 5
"""Pence that a settlement may differ from stake times odds and still be a rounding."""


class Phase(IntEnum):
    """Where an instance is. Forward by one; back only when a bet is void."""

    DEPOSIT_SENT = 1
    QUALIFYING_PLACED = 2
    FREE_BET_PENDING = 3
    FREE_BET_CREDITED = 4
    FREE_BET_PLACED = 5
    FREE_BET_SETTLED = 6


class Outcome(StrEnum):
    """How an instance ended."""

    COMPLETED = "COMPLETED"
    NOT_TRIGGERED = "NOT_TRIGGERED"
    EXPIRED = "EXPIRED"
    VOIDED = "VOIDED"
    REFUSED = "REFUSED"
    RESTRICTED = "RESTRICTED"
    ABANDONED = "ABANDONED"


class HedgeStatus(StrEnum):
    """How much of a back bet its matched lays cover; derived, never stored."""

    UNHEDGED = "unhedged"
    PART = "part"
    HEDGED = "hedged"


class Bet(msgspec.Struct, frozen=True, kw_only=True):
    """One bet of an instance, back or lay, over its fills and settlements."""

    id: str
    side: Side
    venue: str
    is_exchange: bool
    covers: str
    """The back bet of its position; a back's own id."""
    stake: Pence
    """Over all fills."""
    open_stake: Pence
    """Not settled yet; the bet is open while this is above 0."""
    odds: Decimal
    """Average over all fills, weighted by stake."""
    liability: Pence = 0
    """Of an exchange bet's open part, rounded up: what it can lose."""
    market: str = ""
    selection: str = ""
    kickoff: datetime | None = None
    commission: Decimal = Decimal(0)
    is_single_winner: bool = True
    token: str = ""
    """The token it was staked with; empty for cash."""
    returns_stake: bool = True
    result: Result | None = None
    profit: Pence = 0
    """Settled so far, before commission."""
    settled_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether any of it is still to be settled."""
        return self.open_stake > 0


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One free bet in its own phases 4 to 6."""

    id: str
    face: Pence
    kind: BonusKind
    phase: Phase
    credited_at: datetime
    expires_at: datetime | None
    min_odds: Decimal = Decimal(1)
    is_divisible: bool = False
    restrictions: str = ""
    bet: str = ""
    """The back bet it is staked on."""
    lost: Outcome | None = None
    """Expired or voided: it is out of the game."""

    @property
    def is_in_game(self) -> bool:
        """Whether it counts for the phase of its instance."""
        return self.lost is None


class OfferState(msgspec.Struct, frozen=True, kw_only=True):
    """What the facts of one instance fold to."""

    id: str
    participant: str
    terms: Offer
    phase: Phase
    version: int
    """Facts so far."""
    started_at: datetime
    deposited: Pence = 0
    transit: dict[str, Pence] = {}
    """Venue to what is on its way for this instance."""
    transit_since: dict[str, datetime] = {}
    """Venue to when money was last sent on its way."""
    bets: tuple[Bet, ...] = ()
    tokens: tuple[Token, ...] = ()
    planned: dict[str, dict[str, Pence]] = {}
    """Back bet to exchange to liability that is reserved for lays not matched yet."""
    qualifier: str = ""
    """The back bet that is to qualify."""
    triggered_at: datetime | None = None
    credit_due_by: datetime | None = None
    more_due: bool = False
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    reason: str = ""
    before: OfferState | None = None
    """The state before the end, for a supervisor who opens it again."""
    end: tuple[Posting, ...] = ()
    """What the end posted."""

    @property
    def is_closed(self) -> bool:
        """Whether an outcome ended it."""
        return self.outcome is not None

    def bet(self, bet_id: str) -> Bet:
        """The bet of that name.

        Raises:
            CommandNotAllowed: There is none; names those there are.
        """
        for bet in self.bets:
            if bet.id == bet_id:
                return bet
        known = ", ".join(bet.id for bet in self.bets) or "none"
        raise CommandNotAllowed(f"offer {self.id} has no bet {bet_id!r}; its bets: {known}")

    def reserved_at(self, exchange: str) -> int:
        """Pence of float that lays not matched yet are going to need there."""
        return sum(each.get(exchange, 0) for each in self.planned.values())

    def open_bets(self) -> tuple[Bet, ...]:
        """Those not settled in full."""
        return tuple(bet for bet in self.bets if bet.is_open)

    def position(self, back: str) -> tuple[Bet, ...]:
        """A back bet and what hedges it."""
        return tuple(bet for bet in self.bets if bet.covers == back)


class Move(msgspec.Struct, frozen=True):
    """One transaction to be: its lines, and the change of an exchange bet whose exposure follows."""

    what: str
    postings: tuple[Posting, ...] = ()
    wager: Wager | None = None


class Step(msgspec.Struct, frozen=True):
    """One fact applied: the state after it and what it moves."""

    fact: Fact
    state: OfferState
    moves: tuple[Move, ...] = ()


ALLOWED: dict[Phase, tuple[type[Fact], ...]] = {
    Phase.DEPOSIT_SENT: (
        DepositCleared, FloatSent, DepositFailed, QualifierPlaced, Refused, Restricted, Abandoned,
    ),
    Phase.QUALIFYING_PLACED: (
        LayMatched, LayCancelled, HedgeAdded, BetSettled, CommissionCharged, Triggered, Credited,
        QualifierVoided, NotTriggered, Refused, Restricted, Abandoned,
    ),
    Phase.FREE_BET_PENDING: (
        BetSettled, CommissionCharged, Credited, Refused, Restricted, Abandoned,
    ),
    Phase.FREE_BET_CREDITED: (
        BetSettled, CommissionCharged, FreeBetPlaced, Expired, Refused, Restricted, Abandoned,
    ),
    Phase.FREE_BET_PLACED: (
        LayMatched, HedgeAdded, BetSettled, EarlyPayout, CommissionCharged, FreeBetVoided,
        FreeBetSettled, FreeBetVoidedLost, Abandoned,
    ),
    Phase.FREE_BET_SETTLED: (
        WithdrawalRequested, WithdrawalArrived, WithdrawalReversed, Completed, Abandoned,
    ),
}  # fmt: skip
"""The transition table: the facts that each phase accepts. A closed instance accepts ``reopened``."""

_OF_A_TOKEN = frozenset(
    {
        LayMatched, HedgeAdded, BetSettled, EarlyPayout, CommissionCharged, FreeBetPlaced,
        FreeBetVoided, FreeBetSettled, FreeBetVoidedLost, Expired,
    }
)  # fmt: skip
"""Facts that a token's own phase may allow where its instance waits for another token."""


@dataclass
class _Turn:
    """One fact being applied."""

    state: OfferState
    at: datetime
    moves: list[Move] = field(default_factory=list)

    def change(self, **fields: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **fields)

    def post(
        self,
        what: str,
        *lines: tuple[AccountKind, str, int],
        bet: str = "",
        wager: Wager | None = None,
    ) -> None:
        postings = tuple(
            Posting(Account(kind, venue), amount, self.state.id, bet)
            for kind, venue, amount in lines
            if amount
        )
        if postings or wager is not None:
            self.moves.append(Move(what, postings, wager))

    def put_bet(self, bet: Bet) -> None:
        others = [each for each in self.state.bets if each.id != bet.id]
        place = next(
            (n for n, each in enumerate(self.state.bets) if each.id == bet.id), len(others)
        )
        others.insert(place, bet)
        self.change(bets=tuple(others))

    def put_token(self, token: Token) -> None:
        others = [each for each in self.state.tokens if each.id != token.id]
        place = next(
            (n for n, each in enumerate(self.state.tokens) if each.id == token.id), len(others)
        )
        others.insert(place, token)
        self.change(tokens=tuple(others))

    def no(self, why: str) -> CommandNotAllowed:
        return CommandNotAllowed(f"offer {self.state.id} is in {self.state.phase.name}: {why}")


# --- the door --------------------------------------------------------------------------------


def begin(fact: DepositSent, *, instance: str, participant: str, at: datetime) -> Step:
    """The first step of an instance: its deposit was sent. Its terms are in the fact.

    Raises:
        CommandNotAllowed: The offer is not open, or the deposit is below its minimum.
    """
    terms = fact.terms
    if terms is None or terms.key != fact.offer:
        raise CommandNotAllowed(
            f"there is no offer {fact.offer!r} in the catalogue; import it first"
        )
    if not terms.is_open(at):
        raise CommandNotAllowed(
            f"offer {terms.key} is open from {terms.starts_at} until {terms.ends_at}, not at {at}"
        )
    if fact.amount < terms.deposit_min:
        raise CommandNotAllowed(
            f"offer {terms.key} wants a deposit of {pounds(terms.deposit_min)} at least, "
            f"not {pounds(fact.amount)}"
        )
    turn = _Turn(
        OfferState(
            id=instance,
            participant=participant,
            terms=terms,
            phase=Phase.DEPOSIT_SENT,
            version=1,
            started_at=at,
            deposited=fact.amount,
        ),
        at,
    )
    _send(turn, AccountKind.CASH, terms.bookmaker, fact.amount, is_instant=fact.is_instant)
    return Step(fact, turn.state, tuple(turn.moves))


def advance(
    state: OfferState | None, fact: Fact, *, at: datetime, role: Role = Role.OPERATOR
) -> tuple[Step, ...]:
    """The steps that a fact makes, mostly one; instant credit and cash bonuses make several.

    Args:
        state: Where the instance stands; None before its first fact (see :func:`begin`).
        fact: What happened.
        at: When it happened.
        role: What its recorder may do.

    Raises:
        CommandNotAllowed: The phase does not accept the fact, or a guard refuses it.
    """
    if state is None:
        raise CommandNotAllowed(
            f"the offer has not begun: {name_of(fact)} is not allowed; allowed now: deposit_sent"
        )
    refuse_unless_allowed(state, fact, role)
    if isinstance(fact, Credited):
        return _credit(state, fact, at)
    return (_step(state, fact, at),)


def allowed_facts(state: OfferState) -> tuple[str, ...]:
    """The names of the facts that the instance accepts where it stands."""
    if state.is_closed:
        return (name_of(Reopened),)
    names = [name_of(each) for each in ALLOWED[state.phase]]
    if state.phase is Phase.QUALIFYING_PLACED and not state.terms.is_credited_at_once:
        names.remove(name_of(Credited))
    for token in _in_game(state):
        if token.phase != state.phase:
            names += [name_of(each) for each in ALLOWED[token.phase] if each in _OF_A_TOKEN]
    return tuple(dict.fromkeys(names))


def refuse_unless_allowed(state: OfferState, fact: Fact, role: Role) -> None:
    """Check a fact against the transition table.

    Raises:
        CommandNotAllowed: Names the phase, what was asked and what is allowed.
    """
    allowed = allowed_facts(state)
    where = state.phase.name if not state.is_closed else f"closed ({state.outcome})"
    if name_of(fact) not in allowed:
        raise CommandNotAllowed(
            f"offer {state.id} is in {where}: {name_of(fact)} is not allowed; "
            f"allowed now: {', '.join(allowed)}"
        )
    if isinstance(fact, Reopened) and role is not Role.SUPERVISOR:
        raise CommandNotAllowed(
            f"offer {state.id} is in {where}: reopened takes the supervisor role, not {role.value}"
        )


def _step(state: OfferState, fact: Fact, at: datetime) -> Step:
    turn = _Turn(state, at)
    _RULES[type(fact)](turn, fact)
    turn.change(version=state.version + 1)
    return Step(fact, turn.state, tuple(turn.moves))


# --- rules: money on its way -----------------------------------------------------------------


def _send(turn: _Turn, kind: AccountKind, venue: str, amount: int, *, is_instant: bool) -> None:
    _positive(turn, "amount", amount, least=0)
    if is_instant:
        turn.post(f"money to {venue}", (AccountKind.BANK, "", -amount), (kind, venue, amount))
        return
    turn.post(
        f"money sent to {venue}",
        (AccountKind.BANK, "", -amount),
        (AccountKind.TRANSIT, venue, amount),
    )
    _in_transit(turn, venue, amount)


def _in_transit(turn: _Turn, venue: str, change: int) -> None:
    transit = dict(turn.state.transit)
    left = transit.get(venue, 0) + change
    if left < 0:
        raise turn.no(
            f"{pounds(transit.get(venue, 0))} is on its way between {venue} and the bank for this "
            f"offer, not {pounds(-change)}"
        )
    transit[venue] = left
    since = {**turn.state.transit_since, **({venue: turn.at} if change > 0 else {})}
    turn.change(
        transit={each: amount for each, amount in transit.items() if amount},
        transit_since={each: at for each, at in since.items() if transit.get(each)},
    )


def _deposit_cleared(turn: _Turn, fact: DepositCleared) -> None:
    _positive(turn, "amount", fact.amount)
    bookmaker = turn.state.terms.bookmaker
    venue = fact.venue or bookmaker
    kind = AccountKind.CASH if venue == bookmaker else AccountKind.AVAILABLE
    _in_transit(turn, venue, -fact.amount)
    turn.post(
        f"money cleared at {venue}",
        (AccountKind.TRANSIT, venue, -fact.amount),
        (kind, venue, fact.amount),
    )


def _deposit_failed(turn: _Turn, fact: DepositFailed) -> None:
    _positive(turn, "amount", fact.amount)
    venue = fact.venue or turn.state.terms.bookmaker
    _in_transit(turn, venue, -fact.amount)
    turn.post(
        f"money for {venue} came back",
        (AccountKind.TRANSIT, venue, -fact.amount),
        (AccountKind.BANK, "", fact.amount),
    )


def _float_sent(turn: _Turn, fact: FloatSent) -> None:
    _positive(turn, "amount", fact.amount)
    _send(turn, AccountKind.AVAILABLE, fact.exchange, fact.amount, is_instant=fact.is_instant)


def _withdrawal_requested(turn: _Turn, fact: WithdrawalRequested) -> None:
    _positive(turn, "amount", fact.amount)
    turn.post(
        f"withdrawal requested at {fact.venue}",
        (_withdrawable(turn, fact.venue, fact.place), fact.venue, -fact.amount),
        (AccountKind.TRANSIT, fact.venue, fact.amount),
    )
    _in_transit(turn, fact.venue, fact.amount)


def _withdrawal_arrived(turn: _Turn, fact: WithdrawalArrived) -> None:
    lines = [(AccountKind.BANK, "", sum(each.amount for each in fact.arrivals))]
    for each in fact.arrivals:
        _positive(turn, "amount", each.amount)
        _in_transit(turn, each.venue, -each.amount)
        lines.append((AccountKind.TRANSIT, each.venue, -each.amount))
    if not fact.arrivals:
        raise turn.no("withdrawal_arrived names no venue and amount")
    turn.post("withdrawals arrived", *lines)


def _withdrawal_reversed(turn: _Turn, fact: WithdrawalReversed) -> None:
    _positive(turn, "amount", fact.amount)
    _in_transit(turn, fact.venue, -fact.amount)
    turn.post(
        f"withdrawal reversed at {fact.venue}",
        (AccountKind.TRANSIT, fact.venue, -fact.amount),
        (_withdrawable(turn, fact.venue, fact.place), fact.venue, fact.amount),
    )


def _withdrawable(turn: _Turn, venue: str, place: Place | None) -> AccountKind:
    if place is None:
        is_bookmaker = venue == turn.state.terms.bookmaker
        return AccountKind.CASH if is_bookmaker else AccountKind.AVAILABLE
    return AccountKind.CASH if place is Place.BOOKMAKER else AccountKind.AVAILABLE


# --- rules: bets -------------------------------------------------------------------------------


def _qualifier_placed(turn: _Turn, fact: QualifierPlaced) -> None:
    terms = turn.state.terms
    asked = terms.qualifying
    back = fact.back
    _fit(turn, back)
    if back.stake < asked.min_stake:
        raise turn.no(
            f"a stake of {pounds(back.stake)} does not qualify; the offer wants "
            f"{pounds(asked.min_stake)} at least in one bet"
        )
    _fit_odds(turn, back.odds, asked.min_odds, is_inclusive=asked.is_inclusive)
    placed_at = back.placed_at or turn.at
    until = _qualify_until(turn.state)
    if not terms.is_open(placed_at) or (until is not None and placed_at > until):
        raise turn.no(
            f"a bet placed at {placed_at} is outside the offer's window "
            f"({terms.starts_at or 'any time'} to {until or terms.ends_at or 'any time'})"
        )
    if back.legs < asked.min_legs:
        raise turn.no(f"{back.legs} legs do not qualify; the offer wants {asked.min_legs}")
    _fit_list(turn, "sport", back.sport, asked.sports)
    _fit_list(turn, "market", back.market, asked.markets)
    bookmaker = terms.bookmaker
    turn.post(
        f"back {pounds(back.stake)} at {back.odds}",
        (AccountKind.CASH, bookmaker, -back.stake),
        (AccountKind.STAKED, bookmaker, back.stake),
        bet=back.bet,
    )
    turn.put_bet(_back_bet(turn, back))
    turn.change(phase=Phase.QUALIFYING_PLACED, qualifier=back.bet)
    _hedge(turn, back.bet, fact.lays, fact.planned)


def _qualify_until(state: OfferState) -> datetime | None:
    days = state.terms.qualifying.within_days
    return None if days is None else state.started_at + timedelta(days=days)


def _free_bet_placed(turn: _Turn, fact: FreeBetPlaced) -> None:
    token = _token(turn, fact.token, Phase.FREE_BET_CREDITED)
    back = fact.back
    _fit(turn, back)
    if token.expires_at is not None and turn.at >= token.expires_at:
        raise turn.no(f"token {token.id} expired at {token.expires_at}; record expired")
    if back.stake > token.face:
        raise turn.no(
            f"token {token.id} is worth {pounds(token.face)}, not {pounds(back.stake)}; "
            "record the excess as a cash bet of its own"
        )
    _fit_odds(turn, back.odds, token.min_odds)
    bookmaker = turn.state.terms.bookmaker
    rest = token.face - back.stake
    turn.post(
        f"free bet {pounds(back.stake)} at {back.odds}",
        (AccountKind.BONUS, bookmaker, -back.stake),
        (AccountKind.CONTRA, bookmaker, back.stake),
        bet=back.bet,
    )
    staked = msgspec.structs.replace(
        token, face=back.stake, phase=Phase.FREE_BET_PLACED, bet=back.bet
    )
    turn.put_token(staked)
    if rest and token.is_divisible:
        turn.put_token(
            msgspec.structs.replace(token, id=_rest_name(turn.state, token.id), face=rest)
        )
    elif rest:
        turn.post(
            f"rest of token {token.id} forfeited",
            (AccountKind.BONUS, bookmaker, -rest),
            (AccountKind.CONTRA, bookmaker, rest),
            bet=back.bet,
        )
    turn.put_bet(
        msgspec.structs.replace(
            _back_bet(turn, back), token=token.id, returns_stake=token.kind is not BonusKind.SNR
        )
    )
    _hedge(turn, back.bet, fact.lays, fact.planned)
    _settle_phase(turn)


def _rest_name(state: OfferState, token: str) -> str:
    stem = token.partition("/")[0]
    taken = sum(each.id.partition("/")[0] == stem for each in state.tokens)
    return f"{stem}/{taken + 1}"


def _fit(turn: _Turn, back: Back) -> None:
    _positive(turn, "stake", back.stake)
    bookmaker = turn.state.terms.bookmaker
    if back.bookmaker and back.bookmaker != bookmaker:
        raise turn.no(f"a bet at {back.bookmaker} does not count; the offer is {bookmaker}'s")
    _new_bet_id(turn, back.bet)


def _fit_odds(turn: _Turn, odds: Decimal, least: Decimal, *, is_inclusive: bool = True) -> None:
    if not odds.is_finite() or odds <= 1:
        raise turn.no(f"odds of {odds} do not exist; decimal odds are above 1")
    if odds < least or (odds == least and not is_inclusive):
        relation = "at least" if is_inclusive else "more than"
        raise turn.no(f"odds of {odds} do not count; the terms want {relation} {least}")


def _fit_list(turn: _Turn, what: str, given: str, counting: tuple[str, ...]) -> None:
    if counting and given not in counting:
        raise turn.no(f"{what} {given!r} does not count; the terms want {' or '.join(counting)}")


def _new_bet_id(turn: _Turn, bet_id: str) -> None:
    if not bet_id:
        raise turn.no("a bet needs an id that is its own")
    if any(bet.id == bet_id for bet in turn.state.bets):
        raise turn.no(f"bet {bet_id} is there already; give the new one its own id")


def _back_bet(turn: _Turn, back: Back) -> Bet:
    return Bet(
        id=back.bet,
        side=Side.BACK,
        venue=turn.state.terms.bookmaker,
        is_exchange=False,
        covers=back.bet,
        stake=back.stake,
        open_stake=back.stake,
        odds=back.odds,
        market=back.market,
        selection=back.selection,
        kickoff=back.kickoff,
    )


def _hedge(turn: _Turn, back: str, lays: tuple[Lay, ...], planned: tuple[Planned, ...]) -> None:
    for each in planned:
        _positive(turn, "planned liability", each.liability)
        _reserve(turn, back, each.exchange, each.liability)
    for lay in lays:
        _match(turn, lay, back)


def _lay_matched(turn: _Turn, fact: LayMatched) -> None:
    _match(turn, fact.lay, _covered(turn, fact.lay))


def _hedge_added(turn: _Turn, fact: HedgeAdded) -> None:
    _new_bet_id(turn, fact.lay.bet)
    _match(turn, fact.lay, _covered(turn, fact.lay))


def _covered(turn: _Turn, lay: Lay) -> str:
    """The back bet of the position that a lay belongs to."""
    known = next((bet for bet in turn.state.bets if bet.id == lay.bet), None)
    if known is not None:
        return known.covers
    backs = [bet.id for bet in turn.state.bets if not bet.is_exchange and _is_live(turn.state, bet)]
    if lay.covers:
        if lay.covers not in backs:
            raise turn.no(
                f"lay {lay.bet} covers {lay.covers!r}; open are {', '.join(backs) or 'none'}"
            )
        return lay.covers
    if len(backs) != 1:
        raise turn.no(f"say which bet lay {lay.bet} covers: {', '.join(backs) or 'none is open'}")
    return backs[0]


def _is_live(state: OfferState, back: Bet) -> bool:
    """Whether a position may still be hedged: it is the qualifier in 2, or a token's in 5."""
    if back.token:
        return any(
            token.bet == back.id and token.phase is Phase.FREE_BET_PLACED and token.is_in_game
            for token in state.tokens
        )
    return state.phase is Phase.QUALIFYING_PLACED and back.id == state.qualifier


def _match(turn: _Turn, lay: Lay, back: str) -> None:
    _positive(turn, "stake", lay.stake)
    _fit_odds(turn, lay.odds, Decimal(1))
    if not 0 <= lay.commission < 1:
        raise turn.no(f"a commission of {lay.commission} is no fraction of one such as 0.02")
    if not (lay.bet and lay.exchange and lay.market and lay.selection):
        raise turn.no("an exchange bet needs bet, exchange, market and selection")
    known = next((bet for bet in turn.state.bets if bet.id == lay.bet), None)
    if known is None:
        bet = Bet(
            id=lay.bet,
            side=lay.side,
            venue=lay.exchange,
            is_exchange=True,
            covers=back,
            stake=lay.stake,
            open_stake=lay.stake,
            odds=lay.odds,
            liability=_liability(lay.side, lay.stake, lay.odds),
            market=lay.market,
            selection=lay.selection,
            commission=lay.commission,
            is_single_winner=lay.is_single_winner,
        )
    else:
        bet = _filled_further(turn, known, lay)
    turn.put_bet(bet)
    more = bet.liability - (0 if known is None else known.liability)
    _reserve(turn, bet.covers, lay.exchange, -more)
    turn.post(
        f"{lay.side.value} {pounds(lay.stake)} at {lay.odds} matched",
        bet=lay.bet,
        wager=_wager(turn.state.id, bet),
    )


def _filled_further(turn: _Turn, known: Bet, lay: Lay) -> Bet:
    same = (known.is_exchange, known.side, known.venue, known.market, known.selection)
    if same != (True, lay.side, lay.exchange, lay.market, lay.selection):
        raise turn.no(
            f"bet {lay.bet} is another bet: {known.side} {known.selection} at {known.venue}"
        )
    if known.result is not None:
        raise turn.no(f"bet {lay.bet} is settled, in part or whole; no more of it can be matched")
    stake = known.stake + lay.stake
    odds = (known.odds * known.stake + lay.odds * lay.stake) / stake
    return msgspec.structs.replace(
        known,
        stake=stake,
        open_stake=stake,
        odds=odds,
        liability=_liability(known.side, stake, odds),
    )


def _liability(side: Side, stake: int, odds: Decimal) -> int:
    """What an exchange bet can lose, rounded up to the penny."""
    if side is Side.BACK:
        return stake
    return to_pence(from_pence(stake) * (odds - 1), Rounding.CEILING)


def _wager(instance: str, bet: Bet, happened: bool | None = None) -> Wager:
    if bet.side is Side.LAY:
        if_selection, otherwise = -bet.liability, bet.open_stake
    else:
        if_selection, otherwise = _winnings(bet, bet.open_stake), -bet.open_stake
    return Wager(
        instance=instance,
        bet=bet.id,
        exchange=bet.venue,
        market=bet.market,
        selection=bet.selection,
        if_selection=if_selection,
        otherwise=otherwise,
        is_single_winner=bet.is_single_winner,
        is_open=bet.is_open,
        happened=happened,
    )


def _winnings(bet: Bet, stake: int) -> int:
    return to_pence(from_pence(stake) * (bet.odds - 1))


def _lay_cancelled(turn: _Turn, fact: LayCancelled) -> None:
    backs = [back for back, at in turn.state.planned.items() if fact.exchange in at]
    kept = sum(turn.state.planned[back][fact.exchange] for back in backs)
    released = kept if fact.released is None else fact.released
    if not 0 <= released <= kept:
        raise turn.no(f"{pounds(kept)} is reserved at {fact.exchange}, not {pounds(released)}")
    for back in backs:
        share = min(released, turn.state.planned[back][fact.exchange])
        _reserve(turn, back, fact.exchange, -share)
        released -= share


def _reserve(turn: _Turn, back: str, exchange: str, change: int) -> None:
    """Reserve more or less float for the lays of one back bet, never less than nothing."""
    at = dict(turn.state.planned.get(back, {}))
    at[exchange] = max(0, at.get(exchange, 0) + change)
    planned = {**turn.state.planned, back: {name: amount for name, amount in at.items() if amount}}
    turn.change(planned={name: each for name, each in planned.items() if each})


# --- rules: settlement -------------------------------------------------------------------------


def _settle_all(turn: _Turn, settled: Iterable[Settlement]) -> None:
    for one in settled:
        _settle(turn, one)


def _settle(turn: _Turn, one: Settlement) -> None:
    bet = turn.state.bet(one.bet)
    if not bet.is_open:
        raise turn.no(f"bet {bet.id} is settled already ({bet.result})")
    part = bet.open_stake if one.part is None else one.part
    if not 0 < part <= bet.open_stake:
        raise turn.no(f"bet {bet.id} has {pounds(bet.open_stake)} open, not {pounds(part)}")
    if bet.is_exchange:
        _settle_on_exchange(turn, bet, one, part)
        return
    _settle_back(turn, bet, one, part)
    # Once the back is settled nothing more will be laid against it.
    turn.change(planned={back: at for back, at in turn.state.planned.items() if back != bet.id})


def _settle_back(turn: _Turn, bet: Bet, one: Settlement, part: int) -> None:
    if one.commission:
        raise turn.no(f"bet {bet.id} is at a bookmaker, which charges no commission")
    own = part if bet.returns_stake or not bet.token else 0
    match one.result:
        case Result.WON:
            forecast = _winnings(bet, part) + own
            returned, rounding = _read(turn, bet, one, forecast)
        case Result.LOST:
            returned, rounding = _read(turn, bet, one, 0, is_exact=True)
        case Result.VOID:
            returned, rounding = _read(turn, bet, one, 0 if bet.token else part, is_exact=True)
        case Result.PARTIAL | Result.CASHED_OUT:
            if one.amount is None or one.amount < 0:
                raise turn.no(f"bet {bet.id}: {one.result} needs the amount that came back")
            returned, rounding = one.amount, 0
    cash_stake = 0 if bet.token else part
    kind = AccountKind.FREE_BET if bet.token else AccountKind.QUALIFIER
    made = returned - cash_stake
    turn.post(
        f"bet {bet.id} {one.result.value}",
        (AccountKind.CASH, bet.venue, returned),
        (AccountKind.STAKED, bet.venue, -cash_stake),
        (kind, bet.venue, -(made - rounding)),
        (AccountKind.ROUNDING, bet.venue, -rounding),
        bet=bet.id,
    )
    _put_settled(turn, bet, one, part, made)


def _settle_on_exchange(turn: _Turn, bet: Bet, one: Settlement, part: int) -> None:
    lost_if_wrong = bet.liability - _liability_left(bet, bet.open_stake - part)
    is_lay = bet.side is Side.LAY
    rounding = 0
    happened: bool | None = None
    match one.result:
        case Result.WON:
            forecast = part if is_lay else _winnings(bet, part)
            amount, rounding = _read(turn, bet, one, forecast)
            net, happened = amount, not is_lay
        case Result.LOST:
            amount, rounding = _read(turn, bet, one, lost_if_wrong)
            net, rounding, happened = -amount, -rounding, is_lay
        case Result.VOID:
            _read(turn, bet, one, 0, is_exact=True)
            net = 0
        case Result.PARTIAL | Result.CASHED_OUT:
            if one.amount is None:
                raise turn.no(f"bet {bet.id}: {one.result} needs the net amount with its sign")
            net = one.amount
    back = turn.state.bet(bet.covers)
    kind = AccountKind.FREE_BET if back.token else AccountKind.QUALIFIER
    settled = _put_settled(turn, bet, one, part, net)
    turn.post(
        f"{bet.side.value} {bet.id} {one.result.value}",
        (AccountKind.AVAILABLE, bet.venue, net),
        (kind, bet.venue, -(net - rounding)),
        (AccountKind.ROUNDING, bet.venue, -rounding),
        bet=bet.id,
        wager=_wager(turn.state.id, settled, happened),
    )
    if one.commission:
        _commission(turn, bet.venue, one.commission, bet.id)


def _read(
    turn: _Turn, bet: Bet, one: Settlement, forecast: int, *, is_exact: bool = False
) -> tuple[int, int]:
    """The amount read from the account and its penny difference from the forecast."""
    if one.amount is None:
        return forecast, 0
    difference = one.amount - forecast
    if abs(difference) > (0 if is_exact else PENNY_DIFFERENCE):
        raise turn.no(
            f"bet {bet.id} {one.result.value} comes to {pounds(forecast)}, not "
            f"{pounds(one.amount)}; check the figures, or record it as partial"
        )
    return one.amount, difference


def _liability_left(bet: Bet, stake: int) -> int:
    return _liability(bet.side, stake, bet.odds) if stake else 0


def _put_settled(turn: _Turn, bet: Bet, one: Settlement, part: int, made: int) -> Bet:
    left = bet.open_stake - part
    settled = msgspec.structs.replace(
        bet,
        open_stake=left,
        liability=_liability_left(bet, left) if bet.is_exchange else 0,
        result=one.result if bet.result in {None, one.result} else Result.PARTIAL,
        profit=bet.profit + made,
        settled_at=turn.at,
    )
    turn.put_bet(settled)
    return settled


def _bet_settled(turn: _Turn, fact: BetSettled) -> None:
    _settle(turn, fact.settled)


def _early_payout(turn: _Turn, fact: EarlyPayout) -> None:
    bet = turn.state.bet(fact.bet)
    if bet.is_exchange:
        raise turn.no(f"bet {bet.id} is on an exchange; only a bookmaker pays early")
    _settle(turn, Settlement(bet=fact.bet, result=Result.WON, amount=fact.amount))


def _commission_charged(turn: _Turn, fact: CommissionCharged) -> None:
    _positive(turn, "amount", fact.amount)
    _commission(turn, fact.exchange, fact.amount, "")


def _commission(turn: _Turn, exchange: str, amount: int, bet: str) -> None:
    _positive(turn, "commission", amount)
    turn.post(
        f"commission at {exchange}",
        (AccountKind.COMMISSION, exchange, amount),
        (AccountKind.AVAILABLE, exchange, -amount),
        bet=bet,
    )


# --- rules: trigger and credit -------------------------------------------------------------------


def _triggered(turn: _Turn, fact: Triggered) -> None:
    _settle_all(turn, fact.settled)
    _refuse_unless_met(turn)
    due = fact.credit_due_by
    hours = turn.state.terms.credit_within_hours
    if due is None and hours is not None:
        due = turn.at + timedelta(hours=hours)
    turn.change(phase=Phase.FREE_BET_PENDING, triggered_at=turn.at, credit_due_by=due)


def _refuse_unless_met(turn: _Turn) -> None:
    trigger = turn.state.terms.trigger
    qualifier = turn.state.bet(turn.state.qualifier)
    if trigger is Trigger.PLACEMENT:
        return
    if qualifier.is_open:
        raise turn.no(
            f"the terms pay after {trigger.value} and bet {qualifier.id} is still open; "
            "record bet_settled first"
        )
    wanted = {Trigger.LOSS: {Result.LOST}, Trigger.WIN: {Result.WON}}.get(trigger)
    if wanted is not None and qualifier.result not in wanted:
        raise turn.no(
            f"the terms pay after a {trigger.value} and bet {qualifier.id} is "
            f"{qualifier.result}; record not_triggered"
        )
    if qualifier.result is Result.VOID:
        raise turn.no(f"bet {qualifier.id} is void and does not count; record qualifier_voided")


def _credit(state: OfferState, fact: Credited, at: datetime) -> tuple[Step, ...]:
    steps: list[Step] = []
    if state.phase is Phase.QUALIFYING_PLACED:
        # Instant credit: the trigger is a fact of its own, at the same moment.
        steps.append(_step(state, Triggered(met_by="credited at once"), at))
    steps.append(_step(steps[-1].state if steps else state, fact, at))
    cash = [token.token for token in fact.tokens if token.kind is BonusKind.CASH]
    for token in cash * 2:
        steps.append(_step(steps[-1].state, CashAdvanced(token=token), at))
    return tuple(steps)


def _credited(turn: _Turn, fact: Credited) -> None:
    if not fact.tokens:
        raise turn.no("credited names no token")
    bookmaker = turn.state.terms.bookmaker
    for new in fact.tokens:
        _positive(turn, "face", new.face)
        if not new.token or any(token.id == new.token for token in turn.state.tokens):
            raise turn.no(f"token {new.token!r} needs a name that is its own")
        turn.put_token(_new_token(turn, new))
        if new.kind is BonusKind.CASH:
            turn.post(
                f"cash bonus {new.token}",
                (AccountKind.CASH, bookmaker, new.face),
                (AccountKind.CASH_BONUS, bookmaker, -new.face),
            )
        else:
            turn.post(
                f"token {new.token} credited",
                (AccountKind.BONUS, bookmaker, new.face),
                (AccountKind.CONTRA, bookmaker, -new.face),
            )
    turn.change(more_due=fact.more_due)
    _settle_phase(turn)


def _new_token(turn: _Turn, new: NewToken) -> Token:
    if new.kind is not BonusKind.CASH:
        if new.expires_at is None:
            raise turn.no(f"token {new.token} needs expires_at: when it runs out")
        if new.expires_at <= turn.at:
            raise turn.no(f"token {new.token} would run out before it was credited")
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


def _cash_advanced(turn: _Turn, fact: CashAdvanced) -> None:
    token = next(each for each in turn.state.tokens if each.id == fact.token)
    turn.put_token(msgspec.structs.replace(token, phase=Phase(token.phase + 1)))
    _settle_phase(turn)
    if turn.state.phase is Phase.FREE_BET_SETTLED:
        _refuse_open(turn, turn.state.bets)


def _settle_phase(turn: _Turn) -> None:
    """Set the phase to that of the least advanced token still in the game."""
    phases = [token.phase for token in _in_game(turn.state)]
    if turn.state.more_due:
        phases.append(Phase.FREE_BET_PENDING)
    if phases:
        turn.change(phase=min(phases))


def _in_game(state: OfferState) -> tuple[Token, ...]:
    return tuple(token for token in state.tokens if token.is_in_game)


def _token(turn: _Turn, name: str, phase: Phase) -> Token:
    """The token of that name, or the only one in that phase."""
    there = [
        token
        for token in _in_game(turn.state)
        if token.phase is phase and token.kind is not BonusKind.CASH
    ]
    if name:
        there = [token for token in there if token.id == name]
    if len(there) == 1:
        return there[0]
    known = ", ".join(f"{token.id} ({token.phase.name})" for token in turn.state.tokens) or "none"
    raise turn.no(
        f"token {name!r} is not in {phase.name}; its tokens: {known}"
        if name
        else f"say which token; its tokens: {known}"
    )


# --- rules: the ways back and out ---------------------------------------------------------------


def _qualifier_voided(turn: _Turn, fact: QualifierVoided) -> None:
    back = turn.state.bet(turn.state.qualifier)
    if back.is_open:
        _settle(turn, Settlement(bet=back.id, result=Result.VOID))
    elif back.result is not Result.VOID:
        raise turn.no(f"bet {back.id} is {back.result}, not void")
    _settle_all(turn, fact.settled)
    _refuse_open(turn, turn.state.position(back.id))
    turn.change(phase=Phase.DEPOSIT_SENT, qualifier="")


def _free_bet_voided(turn: _Turn, fact: FreeBetVoided) -> None:
    token = _token(turn, fact.token, Phase.FREE_BET_PLACED)
    _void_free_bet(turn, token, fact.settled)
    bookmaker = turn.state.terms.bookmaker
    turn.post(
        f"token {token.id} came back",
        (AccountKind.BONUS, bookmaker, token.face),
        (AccountKind.CONTRA, bookmaker, -token.face),
    )
    expires_at = token.expires_at if fact.expires_at is None else fact.expires_at
    turn.put_token(
        msgspec.structs.replace(token, phase=Phase.FREE_BET_CREDITED, expires_at=expires_at, bet="")
    )
    _settle_phase(turn)


def _free_bet_voided_lost(turn: _Turn, fact: FreeBetVoidedLost) -> None:
    token = _token(turn, fact.token, Phase.FREE_BET_PLACED)
    _void_free_bet(turn, token, fact.settled)
    _lose_token(turn, token, Outcome.VOIDED, fact.reason)


def _void_free_bet(turn: _Turn, token: Token, settled: tuple[Settlement, ...]) -> None:
    back = turn.state.bet(token.bet)
    if back.is_open:
        _settle(turn, Settlement(bet=back.id, result=Result.VOID))
    elif back.result is not Result.VOID:
        raise turn.no(f"bet {back.id} is {back.result}, not void")
    _settle_all(turn, settled)
    _refuse_open(turn, turn.state.position(back.id))


def _free_bet_settled(turn: _Turn, fact: FreeBetSettled) -> None:
    token = _token(turn, fact.token, Phase.FREE_BET_PLACED)
    _settle_all(turn, fact.settled)
    _refuse_open(turn, turn.state.position(token.bet))
    if turn.state.bet(token.bet).result is Result.VOID:
        raise turn.no(f"bet {token.bet} is void; record free_bet_voided or free_bet_voided_lost")
    turn.put_token(msgspec.structs.replace(token, phase=Phase.FREE_BET_SETTLED))
    _settle_phase(turn)
    if turn.state.phase is Phase.FREE_BET_SETTLED:
        _refuse_open(turn, turn.state.bets)


def _expired(turn: _Turn, fact: Expired) -> None:
    token = _token(turn, fact.token, Phase.FREE_BET_CREDITED)
    if token.expires_at is None or turn.at < token.expires_at:
        raise turn.no(f"token {token.id} runs until {token.expires_at}; it has not expired")
    _lose_token(turn, token, Outcome.EXPIRED, f"token {token.id} expired")


def _forfeit(turn: _Turn, token: Token, what: str) -> None:
    bookmaker = turn.state.terms.bookmaker
    turn.post(
        what,
        (AccountKind.BONUS, bookmaker, -token.face),
        (AccountKind.CONTRA, bookmaker, token.face),
    )


def _lose_token(turn: _Turn, token: Token, outcome: Outcome, reason: str) -> None:
    """A token is gone: the instance ends with its last one, else goes on with the others."""
    before, start = turn.state, len(turn.moves)
    if token.phase is Phase.FREE_BET_CREDITED:
        _forfeit(turn, token, reason)
    turn.put_token(msgspec.structs.replace(token, lost=outcome))
    if _in_game(turn.state) or turn.state.more_due:
        _settle_phase(turn)
        if turn.state.phase is Phase.FREE_BET_SETTLED:
            _refuse_open(turn, turn.state.bets)
        return
    _close(turn, outcome, reason, since=(before, start))


def _not_triggered(turn: _Turn, fact: NotTriggered) -> None:
    _settle_all(turn, fact.settled)
    qualifier = turn.state.bet(turn.state.qualifier)
    missed = {
        Trigger.LOSS: qualifier.result is not Result.LOST,
        Trigger.WIN: qualifier.result is not Result.WON,
        Trigger.EVENT: True,
    }
    if not missed.get(turn.state.terms.trigger, False):
        raise turn.no(
            f"the terms pay after {turn.state.terms.trigger.value} and bet {qualifier.id} is "
            f"{qualifier.result or 'open'}; not_triggered does not fit"
        )
    _close(turn, Outcome.NOT_TRIGGERED, fact.note)


def _refused(turn: _Turn, fact: Refused) -> None:
    _close(turn, Outcome.REFUSED, fact.reason)


def _restricted(turn: _Turn, fact: Restricted) -> None:
    _close(turn, Outcome.RESTRICTED, fact.reason)


def _abandoned(turn: _Turn, fact: Abandoned) -> None:
    _close(turn, Outcome.ABANDONED, fact.reason)


def _completed(turn: _Turn, fact: Completed) -> None:
    _close(turn, Outcome.COMPLETED, fact.note)


def _close(
    turn: _Turn, outcome: Outcome, reason: str, since: tuple[OfferState, int] | None = None
) -> None:
    """End the instance; ``since`` is the state, and the count of moves, to reopen it at."""
    _refuse_open(turn, turn.state.bets)
    if turn.state.transit:
        on_way = ", ".join(
            f"{pounds(amount)} {venue}" for venue, amount in turn.state.transit.items()
        )
        raise turn.no(f"money is on its way ({on_way}); record that it arrived or came back first")
    before, start = since or (turn.state, len(turn.moves))
    for token in _in_game(turn.state):
        if token.phase is Phase.FREE_BET_CREDITED and token.kind is not BonusKind.CASH:
            _forfeit(turn, token, f"token {token.id} given up")
    turn.change(
        outcome=outcome,
        closed_at=turn.at,
        reason=reason,
        planned={},
        before=before,
        end=tuple(line for move in turn.moves[start:] for line in move.postings),
    )


def _reopened(turn: _Turn, fact: Reopened) -> None:
    state = turn.state
    if state.before is None:
        raise turn.no("there is no state to go back to")
    lines = [(line.account.kind, line.account.venue, -line.amount) for line in state.end]
    turn.post(f"reversal: {fact.reason}", *lines)
    turn.state = msgspec.structs.replace(state.before, version=state.version)


def _refuse_open(turn: _Turn, bets: Iterable[Bet]) -> None:
    still = [bet.id for bet in bets if bet.is_open]
    if still:
        raise turn.no(f"still open: {', '.join(still)}; settle or trade them out first")


def _positive(turn: _Turn, what: str, amount: int, least: int = 1) -> None:
    if amount < least:
        raise turn.no(f"{what} is {pounds(amount)}; at least {pounds(least)}")


_Rule = Callable[[_Turn, Any], None]

_RULES: dict[type[Fact], _Rule] = {
    DepositCleared: _deposit_cleared,
    DepositFailed: _deposit_failed,
    FloatSent: _float_sent,
    QualifierPlaced: _qualifier_placed,
    LayMatched: _lay_matched,
    LayCancelled: _lay_cancelled,
    HedgeAdded: _hedge_added,
    BetSettled: _bet_settled,
    CommissionCharged: _commission_charged,
    Triggered: _triggered,
    Credited: _credited,
    CashAdvanced: _cash_advanced,
    QualifierVoided: _qualifier_voided,
    NotTriggered: _not_triggered,
    Refused: _refused,
    Restricted: _restricted,
    FreeBetPlaced: _free_bet_placed,
    Expired: _expired,
    EarlyPayout: _early_payout,
    FreeBetVoided: _free_bet_voided,
    FreeBetVoidedLost: _free_bet_voided_lost,
    FreeBetSettled: _free_bet_settled,
    WithdrawalRequested: _withdrawal_requested,
    WithdrawalArrived: _withdrawal_arrived,
    WithdrawalReversed: _withdrawal_reversed,
    Completed: _completed,
    Abandoned: _abandoned,
    Reopened: _reopened,
}


# --- derived, never stored -----------------------------------------------------------------------


def hedge_status(state: OfferState, back: str) -> HedgeStatus:
    """How much of a back bet its matched lays cover.

    A lay of L at l with commission c moves ``L (l - c)`` between the two outcomes; the back is
    hedged when that makes up what the back itself pays (its return), to the penny of lay stake.
    A £10 cash bet at 2.50 pays 25.00; £9.92 laid at 2.54 with 2% moves 24.998: hedged.
    """
    bet = state.bet(back)
    wanted = from_pence(bet.stake) * (bet.odds - (0 if bet.returns_stake else 1))
    moved, tolerance = Decimal(0), Decimal(0)
    for each in state.position(back):
        if not each.is_exchange:
            continue
        stake = from_pence(each.stake)
        sign = 1 if each.side is Side.LAY else -1
        moved += sign * stake * (each.odds - each.commission)
        tolerance += each.odds * from_pence(1)
    if moved <= 0:
        return HedgeStatus.UNHEDGED
    return HedgeStatus.HEDGED if moved >= wanted - tolerance else HedgeStatus.PART


class ReminderKind(StrEnum):
    """What a reminder is about."""

    UNHEDGED = "unhedged"
    UNSETTLED = "unsettled"
    IN_TRANSIT = "in_transit"
    CREDIT_OVERDUE = "credit_overdue"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class Reminder(msgspec.Struct, frozen=True):
    """Something about an instance that time alone has made urgent."""

    instance: str
    what: str
    due_at: datetime
    kind: ReminderKind


_Due = tuple[ReminderKind, str, datetime]

_TOKEN_WARNINGS = (timedelta(hours=3), timedelta(hours=24), timedelta(hours=48))
_SETTLEMENT_OVERDUE = timedelta(hours=5)
"""Kickoff, two hours of play and three of patience."""


_TRANSIT_OVERDUE = timedelta(days=5)


def reminders(state: OfferState, now: datetime) -> tuple[Reminder, ...]:
    """What an operator should look at now, the earliest due first; nothing of a closed offer."""
    if state.is_closed:
        return ()
    said = (*_about_bets(state, now), *_about_money(state, now), *_about_tokens(state, now))
    found = [Reminder(state.id, what, due, kind) for kind, what, due in said]
    return tuple(sorted(found, key=lambda each: each.due_at))


def _about_bets(state: OfferState, now: datetime) -> Iterator[_Due]:
    for bet in state.open_bets():
        if bet.kickoff is None or bet.is_exchange:
            continue
        status = hedge_status(state, bet.id)
        if status is not HedgeStatus.HEDGED:
            yield ReminderKind.UNHEDGED, f"bet {bet.id} is {status.value}", bet.kickoff
        overdue = bet.kickoff + _SETTLEMENT_OVERDUE
        if now >= overdue:
            yield ReminderKind.UNSETTLED, f"bet {bet.id} should be settled by now", overdue


def _about_money(state: OfferState, now: datetime) -> Iterator[_Due]:
    for venue, since in state.transit_since.items():
        overdue = since + _TRANSIT_OVERDUE
        if now >= overdue:
            amount = pounds(state.transit[venue])
            what = f"{amount} is still on its way between {venue} and the bank"
            yield ReminderKind.IN_TRANSIT, what, overdue
    due = state.credit_due_by
    if state.phase is Phase.FREE_BET_PENDING and due is not None and now >= due:
        yield ReminderKind.CREDIT_OVERDUE, "the bonus is overdue", due


def _about_tokens(state: OfferState, now: datetime) -> Iterator[_Due]:
    for token in _in_game(state):
        if token.phase is not Phase.FREE_BET_CREDITED or token.expires_at is None:
            continue
        left = token.expires_at - now
        warning = next((each for each in _TOKEN_WARNINGS if left <= each), None)
        if left <= timedelta(0):
            yield ReminderKind.EXPIRED, f"token {token.id} has expired", token.expires_at
        elif warning is not None:
            hours = warning // timedelta(hours=1)
            what = f"token {token.id} expires within {hours} h"
            yield ReminderKind.EXPIRING, what, token.expires_at


_missing = set(OFFER_FACTS.values()) - set(_RULES) - {DepositSent}
assert not _missing, _missing  # noqa: S101 - a fact without a rule is found at import
