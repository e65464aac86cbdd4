"""Rules of settlement: what bets made, and the commission on it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books.double_entry import AccountKind, pounds
from kos.domain.offers import facts
from kos.domain.offers.facts import Fact, Result, Settlement
from kos.domain.offers.placing import liability_of, wager_of, winnings_of
from kos.domain.offers.state import Bet
from kos.domain.offers.turn import Rule, Turn, refuse_below

PENNY_DIFFERENCE = 5
"""Pence that a settlement may differ from stake times odds and still be a rounding."""


def settle_all(turn: Turn, settled: Iterable[Settlement]) -> None:
    """Settle bets in the order given."""
    for one in settled:
        settle(turn, one)


def settle(turn: Turn, one: Settlement) -> None:
    """Settle a bet, or a part of it, and post what it made."""
    bet = turn.state.bet(one.bet)
    if not bet.is_open:
        raise turn.no(f"Bet {bet.id} is already settled ({bet.result}).")
    part = bet.open_stake if one.part is None else one.part
    if not 0 < part <= bet.open_stake:
        raise turn.no(f"Bet {bet.id} has {pounds(bet.open_stake)} open, not {pounds(part)}.")
    if bet.is_exchange:
        _settle_on_exchange(turn, bet, one, part)
        return
    _settle_back(turn, bet, one, part)
    # Once the back is settled nothing more will be laid against it.
    turn.change(planned={back: at for back, at in turn.state.planned.items() if back != bet.id})


def _settle_back(turn: Turn, bet: Bet, one: Settlement, part: int) -> None:
    if one.commission:
        raise turn.no(f"Bet {bet.id} is at a bookmaker, which charges no commission.")
    own = part if bet.returns_stake or not bet.token else 0
    match one.result:
        case Result.WON:
            returned, rounding = _read(turn, bet, one, winnings_of(bet, part) + own)
        case Result.LOST:
            returned, rounding = _read(turn, bet, one, 0, is_exact=True)
        case Result.VOID:
            returned, rounding = _read(turn, bet, one, 0 if bet.token else part, is_exact=True)
        case _:  # partial or cashed out: the amount read is all there is
            if one.amount is None or one.amount < 0:
                raise turn.no(f"Enter the amount returned for bet {bet.id} ({one.result}).")
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


def _settle_on_exchange(turn: Turn, bet: Bet, one: Settlement, part: int) -> None:
    lost_if_wrong = bet.liability - _liability_left(bet, bet.open_stake - part)
    is_lay = bet.side is ExchangeSide.LAY
    rounding = 0
    happened: bool | None = None
    match one.result:
        case Result.WON:
            net, rounding = _read(turn, bet, one, part if is_lay else winnings_of(bet, part))
            happened = not is_lay
        case Result.LOST:
            amount, rounding = _read(turn, bet, one, lost_if_wrong)
            net, rounding, happened = -amount, -rounding, is_lay
        case Result.VOID:
            _read(turn, bet, one, 0, is_exact=True)
            net = 0
        case _:  # partial or cashed out: the amount read is all there is
            if one.amount is None:
                raise turn.no(
                    f"Enter the net amount for bet {bet.id} ({one.result}), with its sign."
                )
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
        wager=wager_of(turn.state.id, settled, happened),
    )
    if one.commission:
        _commission(turn, bet.venue, one.commission, bet.id)


def _read(
    turn: Turn, bet: Bet, one: Settlement, forecast: int, *, is_exact: bool = False
) -> tuple[int, int]:
    """The amount read from the account and its penny difference from the forecast."""
    if one.amount is None:
        return forecast, 0
    difference = one.amount - forecast
    if abs(difference) > (0 if is_exact else PENNY_DIFFERENCE):
        raise turn.no(
            f"Bet {bet.id} should return {pounds(forecast)}, not {pounds(one.amount)}. "
            "Check the amount, or record a partial settlement."
        )
    return one.amount, difference


def _liability_left(bet: Bet, stake: int) -> int:
    return liability_of(bet.side, stake, bet.odds) if stake else 0


def _put_settled(turn: Turn, bet: Bet, one: Settlement, part: int, made: int) -> Bet:
    left = bet.open_stake - part
    settled = replace(
        bet,
        open_stake=left,
        liability=_liability_left(bet, left) if bet.is_exchange else 0,
        result=one.result if bet.result in {None, one.result} else Result.PARTIAL,
        profit=bet.profit + made,
        settled_at=turn.at,
    )
    turn.put_bet(settled)
    return settled


def _early_payout(turn: Turn, fact: facts.EarlyPayout) -> None:
    bet = turn.state.bet(fact.bet)
    if bet.is_exchange:
        raise turn.no(f"Bet {bet.id} is on an exchange. Only bookmakers pay out early.")
    settle(turn, Settlement(bet=fact.bet, result=Result.WON, amount=fact.amount))


def _commission_charged(turn: Turn, fact: facts.CommissionCharged) -> None:
    refuse_below(turn, "amount", fact.amount)
    _commission(turn, fact.exchange, fact.amount, "")


def _commission(turn: Turn, exchange: str, amount: int, bet: str) -> None:
    refuse_below(turn, "commission", amount)
    what, to, source = f"commission at {exchange}", AccountKind.COMMISSION, AccountKind.AVAILABLE
    turn.transfer(what, amount, to=to, source=source, venue=exchange, bet=bet)


RULES: dict[type[Fact], Rule] = {
    facts.BetSettled: lambda turn, fact: settle(turn, fact.settled),
    facts.CommissionCharged: _commission_charged,
    facts.EarlyPayout: _early_payout,
}
