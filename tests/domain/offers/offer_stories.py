"""Random but plausible facts for a participant: what an operator might record next."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer, Qualifying, Trigger
from kos.domain.offers.portfolio import Portfolio
from kos.domain.offers.state import Bet, OfferState, Phase
from kos.domain.offers.table import allowed_facts

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

OFFERS = tuple(
    Offer(
        key=key,
        bookmaker=bookmaker,
        title=key,
        is_once_only=False,
        qualifying=Qualifying(min_stake=500, min_odds=Decimal("1.5")),
        trigger=trigger,
        is_credited_at_once=trigger is Trigger.PLACEMENT,
        bonuses=(Bonus(face=1000),),
    )
    for key, bookmaker, trigger in (
        ("settle", "coral", Trigger.SETTLEMENT),
        ("place", "betfred", Trigger.PLACEMENT),
        ("refund", "coral", Trigger.LOSS),
    )
)
_EXCHANGES = ("betfair", "smarkets")
_SELECTIONS = ("Leeds", "York", "Draw")


class Telling(msgspec.Struct, frozen=True):
    """A fact with where and when it is told."""

    instance: str
    fact: f.Fact
    at: datetime
    role: f.Role = f.Role.SUPERVISOR


def opening() -> list[Telling]:
    """Enough money everywhere that most stories go on."""
    return [
        Telling("", fact, NOON)
        for fact in (
            f.Joined(name="Ann"),
            f.Opened(amount=100_000),
            f.Opened(amount=30_000, place=f.Place.BOOKMAKER, venue="coral"),
            f.Opened(amount=30_000, place=f.Place.BOOKMAKER, venue="betfred"),
            f.Opened(amount=40_000, place=f.Place.EXCHANGE, venue="betfair"),
            f.Opened(amount=40_000, place=f.Place.EXCHANGE, venue="smarkets"),
        )
    ]


def next_telling(rnd: random.Random, portfolio: Portfolio, step: int) -> Telling:
    """Something that may follow, mostly allowed, now and then not."""
    at = NOON + timedelta(hours=step)
    if rnd.random() < 0.15:
        return Telling("", _money(rnd, at, step), at)
    instance = rnd.choice(("c1", "c2", "c3"))
    state = portfolio.offers.get(instance)
    if state is None:
        offer = rnd.choice(OFFERS)
        amount = rnd.choice((0, 1000, 2500))
        fact = f.DepositSent(
            offer=offer.key, amount=amount, is_instant=rnd.random() < 0.5, terms=offer
        )
        return Telling(instance, fact, at)
    names = allowed_facts(state) if rnd.random() < 0.9 else tuple(f.OFFER_FACTS)
    name = rnd.choice(names)
    if name in {"abandoned", "refused", "restricted"} and rnd.random() < 0.8:
        name = rnd.choice(names)
    return Telling(instance, _offer_fact(rnd, state, name, at, step), at)


HOSTILE = ("negative", "doubled", "foreign", "late", "out of order", "filled further")
"""The ways in which :func:`hostile_telling` spoils what might have been recorded."""


def hostile_telling(
    rnd: random.Random, portfolio: Portfolio, step: int, former: Telling | None
) -> Telling:
    """Something that may follow, every other time spoilt: most of that must be refused."""
    told = next_telling(rnd, portfolio, step)
    match rnd.choice((*HOSTILE, *([""] * len(HOSTILE)))):
        case "negative":
            told = _with(told, lambda name, value: _lowered(rnd, name, value))
        case "doubled":
            again = [
                Telling(instance, f.HedgeAdded(lay=_further(rnd, known)), told.at)
                for instance, known in open_lays(portfolio)
            ]
            told = rnd.choice([*again, told if former is None else former])
        case "foreign":
            told = _with(told, lambda name, value: _strange(rnd, name, value))
        case "filled further" if lays := open_lays(portfolio):
            instance, known = rnd.choice(lays)
            told = Telling(instance, f.LayMatched(lay=_further(rnd, known)), told.at)
        case "late":
            late = msgspec.structs.replace(told, at=told.at + timedelta(days=rnd.choice((-2, 40))))
            told = rnd.choice([*_too_late(rnd, portfolio, step, told.at), late])
        case "out of order" if told.instance in portfolio.offers:
            state = portfolio.offers[told.instance]
            fact = _offer_fact(rnd, state, rnd.choice(tuple(f.OFFER_FACTS)), told.at, step)
            told = msgspec.structs.replace(told, fact=fact)
        case _:
            pass
    return told


def _too_late(rnd: random.Random, portfolio: Portfolio, step: int, at: datetime) -> list[Telling]:
    """A settled bet settled again, a token staked after its end, or expired before it."""
    found = []
    for state in portfolio.offers.values():
        found += [
            Telling(state.id, f.BetSettled(settled=_settled(rnd, bet.id)), at)
            for bet in state.bets
            if not bet.is_open
        ]
        for token in state.tokens:
            placed = f.FreeBetPlaced(token=token.id, back=_back(rnd, f"late{step}"))
            found.append(Telling(state.id, placed, at + timedelta(days=40)))
            early = f.Expired(token=token.id)
            found.append(Telling(state.id, early, at - timedelta(days=2)))
    return found


def open_lays(portfolio: Portfolio) -> list[tuple[str, Bet]]:
    """The exchange bets of all offers of which more may be matched."""
    return [
        (state.id, bet)
        for state in portfolio.offers.values()
        for bet in state.open_bets()
        if bet.is_exchange and bet.result is None
    ]


def _with(told: Telling, change: Callable[[str, object], object]) -> Telling:
    return msgspec.structs.replace(told, fact=_changed(told.fact, "", change))


def _changed(value: object, name: str, change: Callable[[str, object], object]) -> Any:
    """The same with its innermost fields changed; an offer's terms stay."""
    if isinstance(value, tuple):
        return tuple(_changed(item, name, change) for item in value)
    if not isinstance(value, msgspec.Struct) or isinstance(value, Offer):
        return change(name, value)
    if isinstance(value, f.Settlement):
        return msgspec.structs.replace(
            value, bet=change("bet", value.bet), part=change("part", value.part)
        )
    fields = {
        name: _changed(getattr(value, name), name, change) for name in value.__struct_fields__
    }
    return msgspec.structs.replace(value, **fields)


def _lowered(rnd: random.Random, name: str, value: object) -> object:
    if name in {"amount", "stake", "face", "liability", "part"} and isinstance(value, int):
        return rnd.choice((0, -1, -value))
    return value


def _strange(rnd: random.Random, name: str, value: object) -> object:
    if name in {"bet", "token", "hold", "selection", "venue"} and value:
        return rnd.choice((value, "another"))
    return "sky" if name == "bookmaker" else value


def _money(rnd: random.Random, at: datetime, step: int) -> f.Fact:
    venue = rnd.choice(_EXCHANGES)
    amount = rnd.choice((1, 500, 2000, 60_000))
    return rnd.choice(
        (
            f.Opened(amount=amount),
            f.Drawn(amount=amount),
            f.MoneySent(
                place=f.Place.EXCHANGE, venue=venue, amount=amount, is_instant=rnd.random() < 0.5
            ),
            f.MoneyArrived(place=f.Place.EXCHANGE, venue=venue, amount=amount),
            f.MoneyReturned(venue=venue, amount=amount),
            f.BonusPaid(venue="coral", amount=amount),
            f.Adjusted(
                place=f.Place.EXCHANGE, venue=venue, difference=rnd.choice((-3, 3)), reason="read"
            ),
            f.FloatHeld(
                hold=f"h{step}", exchange=venue, amount=amount, expires_at=at + timedelta(hours=9)
            ),
            f.HoldReleased(hold=f"h{step - 1}"),
            f.WithdrawalRequested(venue=venue, amount=amount),
            f.WithdrawalReversed(venue=venue, amount=amount),
            f.WithdrawalArrived(arrivals=(f.Arrival(venue=venue, amount=amount),)),
            f.CommissionCharged(exchange=venue, amount=amount),
            f.PastBetImported(reference=f"r{step}", venue="coral", profit=rnd.choice((-7, 9))),
        )
    )


def _offer_fact(  # noqa: C901, PLR0911, PLR0912 - one line for each fact
    rnd: random.Random, state: OfferState, name: str, at: datetime, step: int
) -> f.Fact:
    bookmaker = state.terms.bookmaker
    open_bets = [bet.id for bet in state.open_bets()]
    some_bet = rnd.choice(open_bets or ["nothing"])
    token = rnd.choice([each.id for each in state.tokens] or [""])
    match name:
        case "deposit_sent":
            return f.DepositSent(offer="settle", amount=1000, terms=OFFERS[0])
        case "deposit_cleared" | "deposit_failed":
            venue, amount = rnd.choice([*state.transit.items()] or [(bookmaker, 1000)])
            if name == "deposit_cleared":
                return f.DepositCleared(amount=amount, venue=venue)
            return f.DepositFailed(amount=amount, venue=venue)
        case "float_sent":
            return f.FloatSent(exchange=rnd.choice(_EXCHANGES), amount=rnd.choice((1000, 99_000)))
        case "qualifier_placed":
            return f.QualifierPlaced(
                back=_back(rnd, f"q{step}"),
                lays=tuple(_lay(rnd, f"ql{step}") for _ in range(rnd.choice((0, 1)))),
                planned=tuple(
                    f.Planned(exchange="betfair", liability=700) for _ in range(rnd.choice((0, 1)))
                ),
            )
        case "free_bet_placed":
            return f.FreeBetPlaced(
                token=token,
                back=_back(rnd, f"f{step}"),
                lays=tuple(_lay(rnd, f"fl{step}") for _ in range(rnd.choice((0, 1)))),
            )
        case "lay_matched":
            lays = [bet for bet in state.bets if bet.is_exchange]
            known = rnd.choice([*lays, None])
            if known is None:
                return f.LayMatched(lay=_lay(rnd, f"l{step}"))
            return f.LayMatched(lay=_further(rnd, known))
        case "hedge_added":
            return f.HedgeAdded(lay=_lay(rnd, f"h{step}"))
        case "lay_cancelled":
            return f.LayCancelled(bet="l", exchange="betfair")
        case "bet_settled":
            return f.BetSettled(settled=_settled(rnd, some_bet))
        case "commission_charged":
            return f.CommissionCharged(exchange=rnd.choice(_EXCHANGES), amount=rnd.choice((1, 20)))
        case "triggered":
            return f.Triggered(met_by="it", settled=_rest(rnd, open_bets))
        case "credited":
            kind = rnd.choice((BonusKind.SNR, BonusKind.SR, BonusKind.CASH))
            tokens = tuple(
                f.NewToken(
                    token=f"t{step}{letter}",
                    face=rnd.choice((500, 1000)),
                    kind=kind,
                    expires_at=at + timedelta(hours=rnd.choice((1, 30))),
                    is_divisible=rnd.random() < 0.3,
                )
                for letter in "ab"[: rnd.choice((1, 2))]
            )
            return f.Credited(tokens=tokens, more_due=rnd.random() < 0.2)
        case "cash_advanced":
            return f.CashAdvanced(token=token)
        case "qualifier_voided":
            rest = tuple(bet for bet in open_bets if bet != state.qualifier)
            void = tuple(f.Settlement(bet=bet, result=f.Result.VOID) for bet in rest)
            return f.QualifierVoided(reason="void", settled=void)
        case "not_triggered":
            return f.NotTriggered(settled=_rest(rnd, open_bets))
        case "expired":
            return f.Expired(token=token)
        case "early_payout":
            return f.EarlyPayout(bet=some_bet)
        case "free_bet_voided" | "free_bet_voided_lost":
            backs = {each.bet for each in state.tokens}
            void = tuple(
                f.Settlement(bet=bet, result=f.Result.VOID) for bet in open_bets if bet not in backs
            )
            if name == "free_bet_voided":
                return f.FreeBetVoided(token=token, settled=void)
            return f.FreeBetVoidedLost(reason="void", token=token, settled=void)
        case "free_bet_settled":
            return f.FreeBetSettled(token=token, settled=_rest(rnd, open_bets))
        case "withdrawal_requested":
            return f.WithdrawalRequested(venue=bookmaker, amount=rnd.choice((1, 500)))
        case "withdrawal_arrived":
            arrivals = tuple(f.Arrival(venue=v, amount=a) for v, a in state.transit.items())
            return f.WithdrawalArrived(arrivals=arrivals)
        case "withdrawal_reversed":
            return f.WithdrawalReversed(venue=bookmaker, amount=rnd.choice((1, 500)))
        case "completed":
            return f.Completed()
        case "reopened":
            return f.Reopened(reason="mistake")
        case "refused":
            return f.Refused(reason="no")
        case "restricted":
            return f.Restricted(reason="gubbed")
        case _:
            return f.Abandoned(reason="enough")


def _back(rnd: random.Random, bet: str) -> f.Back:
    odds = Decimal(rnd.choice(("1.4", "2.5", "6")))
    return f.Back(bet=bet, stake=rnd.choice((400, 500, 1000)), odds=odds)


def _lay(rnd: random.Random, bet: str) -> f.Lay:
    return f.Lay(
        bet=bet,
        exchange=rnd.choice(_EXCHANGES),
        market=rnd.choice(("m1", "m2")),
        selection=rnd.choice(_SELECTIONS),
        stake=rnd.choice((333, 500, 992)),
        odds=Decimal(rnd.choice(("1.75", "2.54", "6.4"))),
        side=rnd.choice((ExchangeSide.LAY, ExchangeSide.LAY, ExchangeSide.BACK)),
        is_single_winner=rnd.random() < 0.9,
    )


def _further(rnd: random.Random, known: Bet) -> f.Lay:
    """More of a bet that is there, at a price of its own."""
    return f.Lay(
        bet=known.id,
        exchange=known.venue,
        market=known.market,
        selection=known.selection,
        stake=rnd.choice((333, 500, 992)),
        odds=Decimal(rnd.choice(("1.75", "2.54", "6.4"))),
        side=known.side,
        is_single_winner=known.is_single_winner,
    )


def _settled(rnd: random.Random, bet: str) -> f.Settlement:
    result = rnd.choice((*f.Result, f.Result.WON, f.Result.LOST))
    is_read = result in {f.Result.PARTIAL, f.Result.CASHED_OUT}
    return f.Settlement(
        bet=bet,
        result=result,
        amount=rnd.choice((0, 150)) if is_read else None,
        part=rnd.choice((None, None, 100)),
    )


def _rest(rnd: random.Random, open_bets: list[str]) -> tuple[f.Settlement, ...]:
    if rnd.random() < 0.3:
        return ()
    return tuple(
        f.Settlement(bet=bet, result=rnd.choice((f.Result.WON, f.Result.LOST))) for bet in open_bets
    )


def broken_rules(portfolio: Portfolio) -> list[str]:
    """Invariants of phases, bets and tokens that do not hold."""
    broken = []
    for state in portfolio.offers.values():
        backs = [bet.id for bet in state.open_bets() if not bet.is_exchange]
        is_placement = state.terms.trigger is Trigger.PLACEMENT
        has_own = {token.bet for token in state.tokens}
        if state.phase >= Phase.FREE_BET_CREDITED and not state.tokens:
            broken.append(f"{state.id} is in {state.phase.name} without a token")
        if state.phase is Phase.DEPOSIT_SENT and state.open_bets():
            broken.append(f"{state.id} is in 1 with open bets")
        if state.phase in {Phase.FREE_BET_PENDING, Phase.FREE_BET_CREDITED} and not is_placement:
            stray = [bet for bet in backs if bet not in has_own]
            if stray:
                broken.append(f"{state.id} is in {state.phase.name} with open {stray}")
        if (state.is_closed or state.phase is Phase.FREE_BET_SETTLED) and state.open_bets():
            broken.append(f"{state.id} has ended with open bets")
        if state.is_closed and (state.transit or state.planned):
            broken.append(f"{state.id} is closed with money on its way or reserved")
    return broken
