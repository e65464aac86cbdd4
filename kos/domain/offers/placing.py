"""Rules of bets placed, matched, hedged and cancelled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books.calendar import uk_span, uk_time
from kos.domain.books.double_entry import AccountKind, Wager, pounds
from kos.domain.market.places import place_name
from kos.domain.money import Rounding, from_pence, rounded, to_pence
from kos.domain.offers import facts
from kos.domain.offers.catalogue import BonusKind
from kos.domain.offers.facts import Back, Fact, Lay, Planned
from kos.domain.offers.state import Bet, OfferState, Phase, in_game
from kos.domain.offers.turn import Rule, Turn, refuse_below, settle_phase, token_in

_EXACT_PLACES = 9
"""Decimals of a pound that pence times odds of a slip, or of an exchange, can have at most."""


def _qualifier_placed(turn: Turn, fact: facts.QualifierPlaced) -> None:
    terms = turn.state.terms
    asked, back = terms.qualifying, fact.back
    _fit(turn, back)
    if back.stake < asked.min_stake:
        raise turn.no(
            f"A {pounds(back.stake)} stake does not qualify. This offer needs at least "
            f"{pounds(asked.min_stake)} in a single bet."
        )
    _fit_odds(turn, back.odds, asked.min_odds, is_inclusive=asked.is_inclusive)
    placed_at = back.placed_at or turn.at
    days = asked.within_days
    until = None if days is None else turn.state.started_at + timedelta(days=days)
    if not terms.is_open(placed_at) or (until is not None and placed_at > until):
        end = min(filter(None, (until, terms.ends_at)), default=None)
        raise turn.no(
            f"A bet placed on {uk_time(placed_at)} does not qualify. This offer needs one placed "
            f"{uk_span(terms.starts_at, end)} (UK time)."
        )
    if back.legs < asked.min_legs:
        raise turn.no(f"{back.legs} legs do not qualify. This offer needs {asked.min_legs}.")
    _fit_list(turn, "sport", back.sport, asked.sports)
    _fit_list(turn, "market", back.market, asked.markets)
    what = f"back {pounds(back.stake)} at {back.odds}"
    to, source = AccountKind.STAKED, AccountKind.CASH
    turn.transfer(what, back.stake, to=to, source=source, bet=back.bet)
    turn.put_bet(_back_bet(turn, back))
    turn.change(phase=Phase.QUALIFYING_PLACED, qualifier=back.bet)
    _hedge(turn, back.bet, fact.lays, fact.planned)


def _free_bet_placed(turn: Turn, fact: facts.FreeBetPlaced) -> None:
    token = token_in(turn, fact.token, Phase.FREE_BET_CREDITED)
    back = fact.back
    _fit(turn, back)
    if token.expires_at is not None and turn.at >= token.expires_at:
        raise turn.no(
            f"Free bet {token.id} expired on {uk_time(token.expires_at)} (UK time). Record expired."
        )
    if back.stake > token.face:
        raise turn.no(
            f"Free bet {token.id} is worth {pounds(token.face)}, not {pounds(back.stake)}. "
            "Record the rest as a separate cash bet."
        )
    _fit_odds(turn, back.odds, token.min_odds)
    turn.credit_bonus(f"free bet {pounds(back.stake)} at {back.odds}", -back.stake, back.bet)
    rest, placed = token.face - back.stake, Phase.FREE_BET_PLACED
    turn.put_token(replace(token, face=back.stake, phase=placed, bet=back.bet))
    if rest and token.is_divisible:
        turn.put_token(replace(token, id=_rest_name(turn.state, token.id), face=rest))
    elif rest:
        turn.credit_bonus(f"rest of token {token.id} forfeited", -rest, back.bet)
    returns_stake = token.kind is not BonusKind.SNR
    turn.put_bet(replace(_back_bet(turn, back), token=token.id, returns_stake=returns_stake))
    _hedge(turn, back.bet, fact.lays, fact.planned)
    settle_phase(turn)


def _rest_name(state: OfferState, token: str) -> str:
    stem = token.partition("/")[0]
    taken = sum(other.id.partition("/")[0] == stem for other in state.tokens)
    return f"{stem}/{taken + 1}"


def _fit(turn: Turn, back: Back) -> None:
    refuse_below(turn, "stake", back.stake)
    bookmaker = turn.state.terms.bookmaker
    if back.bookmaker and back.bookmaker != bookmaker:
        raise turn.no(
            f"A bet at {place_name(back.bookmaker)} does not count. "
            f"This offer is at {place_name(bookmaker)}."
        )
    _new_bet_id(turn, back.bet)


def _fit_odds(turn: Turn, odds: Decimal, least: Decimal, *, is_inclusive: bool = True) -> None:
    if not odds.is_finite() or odds <= 1:
        raise turn.no(f"Odds cannot be {odds}. Enter decimal odds above 1.")
    if odds < least or (odds == least and not is_inclusive):
        shown = _shown_odds(least)
        needed = f"{shown} or more" if is_inclusive else f"more than {shown}"
        raise turn.no(f"Odds of {_shown_odds(odds)} do not qualify. This offer needs {needed}.")


def _shown_odds(odds: Decimal) -> str:
    """Two places, or all of them where two would round."""
    text = f"{odds:.2f}"
    return text if Decimal(text) == odds else f"{odds:f}"


def _fit_list(turn: Turn, what: str, value: str, counting: tuple[str, ...]) -> None:
    if counting and value not in counting:
        raise turn.no(
            f"The {what} {value} does not count. This offer needs {' or '.join(counting)}."
        )


def _new_bet_id(turn: Turn, bet_id: str) -> None:
    if not bet_id:
        raise turn.no("A bet needs its own ID.")
    if any(bet.id == bet_id for bet in turn.state.bets):
        raise turn.no(f"Bet ID {bet_id} is already used. Choose another.")


def _back_bet(turn: Turn, back: Back) -> Bet:
    return Bet(
        id=back.bet,
        side=ExchangeSide.BACK,
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


def _hedge(turn: Turn, back: str, lays: tuple[Lay, ...], planned: tuple[Planned, ...]) -> None:
    for planned_lay in planned:
        refuse_below(turn, "planned liability", planned_lay.liability)
        _reserve(turn, back, planned_lay.exchange, planned_lay.liability)
    for lay in lays:
        _match(turn, lay, back)


def _lay_matched(turn: Turn, fact: facts.LayMatched) -> None:
    _match(turn, fact.lay, _covered(turn, fact.lay))


def _hedge_added(turn: Turn, fact: facts.HedgeAdded) -> None:
    _new_bet_id(turn, fact.lay.bet)
    _match(turn, fact.lay, _covered(turn, fact.lay))


def _covered(turn: Turn, lay: Lay) -> str:
    """The back bet of the position that a lay belongs to."""
    earlier_bet = next((bet for bet in turn.state.bets if bet.id == lay.bet), None)
    if earlier_bet is not None:
        return earlier_bet.covers
    backs = [bet.id for bet in turn.state.bets if not bet.is_exchange and _is_live(turn.state, bet)]
    covered = [back for back in backs if lay.covers in {"", back}]
    if len(covered) == 1:
        return covered[0]
    problem = (
        f"Lay {lay.bet} cannot cover bet {lay.covers!r}."
        if lay.covers
        else f"Enter the bet that lay {lay.bet} covers."
    )
    raise turn.no(f"{problem} Open bets: {', '.join(backs) or 'none'}.")


def _is_live(state: OfferState, back: Bet) -> bool:
    """Whether a position may still be hedged: it is the qualifier in 2, or a token's in 5."""
    if back.token:
        placed = (token for token in in_game(state) if token.phase is Phase.FREE_BET_PLACED)
        return any(token.bet == back.id for token in placed)
    return state.phase is Phase.QUALIFYING_PLACED and back.id == state.qualifier


def _match(turn: Turn, lay: Lay, back: str) -> None:
    refuse_below(turn, "stake", lay.stake)
    _fit_odds(turn, lay.odds, Decimal(1))
    if not 0 <= lay.commission < 1:
        raise turn.no(f"Commission cannot be {lay.commission}. Enter a fraction such as 0.02.")
    if not (lay.bet and lay.exchange and lay.market and lay.selection):
        raise turn.no("An exchange bet needs bet, exchange, market and selection.")
    earlier_bet = next((bet for bet in turn.state.bets if bet.id == lay.bet), None)
    if earlier_bet is None:
        bet = Bet(
            id=lay.bet,
            side=lay.side,
            venue=lay.exchange,
            is_exchange=True,
            covers=back,
            stake=lay.stake,
            open_stake=lay.stake,
            odds=lay.odds,
            liability=liability_of(lay.side, lay.stake, lay.odds),
            market=lay.market,
            selection=lay.selection,
            commission=lay.commission,
            is_single_winner=lay.is_single_winner,
        )
    else:
        bet = _filled_further(turn, earlier_bet, lay)
    turn.put_bet(bet)
    more = bet.liability - (0 if earlier_bet is None else earlier_bet.liability)
    _reserve(turn, bet.covers, lay.exchange, -more)
    turn.post(
        f"{lay.side.value} {pounds(lay.stake)} at {lay.odds} matched",
        bet=lay.bet,
        wager=wager_of(turn.state.id, bet),
    )


def _filled_further(turn: Turn, bet: Bet, lay: Lay) -> Bet:
    same = (bet.is_exchange, bet.side, bet.venue, bet.market, bet.selection)
    if same != (True, lay.side, lay.exchange, lay.market, lay.selection):
        raise turn.no(
            f"Bet ID {lay.bet} is already used: {bet.side} {bet.selection} at {place_name(bet.venue)}."
        )
    if bet.result is not None:
        raise turn.no(f"Bet {lay.bet} is at least partly settled, so it cannot be matched further.")
    stake = bet.stake + lay.stake
    odds = (bet.odds * bet.stake + lay.odds * lay.stake) / stake
    liability = liability_of(bet.side, stake, odds)
    return replace(bet, stake=stake, open_stake=stake, odds=odds, liability=liability)


def liability_of(side: ExchangeSide, stake: int, odds: Decimal) -> int:
    """What an exchange bet can lose, rounded up to the penny."""
    if side is ExchangeSide.BACK:
        return stake
    return to_pence(_made_at(stake, odds), Rounding.CEILING)


def wager_of(instance: str, bet: Bet, happened: bool | None = None) -> Wager:
    """An exchange bet as its market's exposure sees it."""
    if bet.side is ExchangeSide.LAY:
        if_selection, otherwise = -bet.liability, bet.open_stake
    else:
        if_selection, otherwise = winnings_of(bet, bet.open_stake), -bet.open_stake
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


def winnings_of(bet: Bet, stake: int) -> int:
    """What a back bet wins on a stake, in pence, without the stake."""
    return to_pence(_made_at(stake, bet.odds))


def _made_at(stake: int, odds: Decimal) -> Decimal:
    """Pounds that the backer makes, without the last digits that an average of fills gets wrong.

    £19.95 at 5.65 and £1.25 at 4.65 is £97.33; their average odds alone give a trace more, which
    a ceiling would make a penny.
    """
    return rounded(from_pence(stake) * (odds - 1), _EXACT_PLACES)


def _lay_cancelled(turn: Turn, fact: facts.LayCancelled) -> None:
    backs = [back for back, at in turn.state.planned.items() if fact.exchange in at]
    kept = sum(turn.state.planned[back][fact.exchange] for back in backs)
    released = kept if fact.released is None else fact.released
    if not 0 <= released <= kept:
        raise turn.no(
            f"{pounds(kept)} is reserved at {place_name(fact.exchange)}, not {pounds(released)}."
        )
    for back in backs:
        share = min(released, turn.state.planned[back][fact.exchange])
        _reserve(turn, back, fact.exchange, -share)
        released -= share


def _reserve(turn: Turn, back: str, exchange: str, change: int) -> None:
    """Reserve more or less float for the lays of one back bet, never less than nothing."""
    at = turn.state.planned.get(back, {})
    at = at | {exchange: max(0, at.get(exchange, 0) + change)}
    planned = turn.state.planned | {back: {name: amount for name, amount in at.items() if amount}}
    turn.change(planned={name: amounts for name, amounts in planned.items() if amounts})


RULES: dict[type[Fact], Rule] = {
    facts.QualifierPlaced: _qualifier_placed,
    facts.LayMatched: _lay_matched,
    facts.LayCancelled: _lay_cancelled,
    facts.HedgeAdded: _hedge_added,
    facts.FreeBetPlaced: _free_bet_placed,
}
