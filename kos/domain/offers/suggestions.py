"""Answers that are known or likely while someone records a fact, from the state of the offer.

The dialogue of the desk and the page's form both take them from here, so that they name bets in
one way and suggest the same amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kos.domain.books.double_entry import Pence, pounds
from kos.domain.books.lines import BalanceLine, BetLine, FloatLine
from kos.domain.market.places import place_name
from kos.domain.money import amount_in, from_pence, to_pence
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer
from kos.domain.offers.facts import Result
from kos.domain.offers.state import Token

LEFT_OUT: Final = "-"
"""The answer that leaves an optional field out."""
USUAL_EXCHANGES: Final = ("betfair", "smarkets", "matchbook")
_USUAL_DAYS = 7
"""A free bet is good for this long unless its terms say otherwise."""


@dataclass(frozen=True, kw_only=True)
class FormContext:
    """The state of an offer while someone records a fact about it. Money is pence."""

    bookmaker: str = ""
    instance: str = ""
    bets: tuple[BetLine, ...] = ()
    tokens: tuple[Token, ...] = ()
    terms: Offer | None = None
    """The latest terms in the catalogue; they only suggest."""
    balances: tuple[BalanceLine, ...] = ()
    floats: tuple[FloatLine, ...] = ()
    restricted: tuple[str, ...] = ()
    """Bookmakers that limit someone."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """The opportunity on screen: its prices, stakes and names."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """The answers so far, by the words of their fields."""

    def answer(self, word: str) -> str:
        """An answer; empty if it was left out or not given."""
        value = self.answers.get(word, "")
        return "" if value == LEFT_OUT else value

    def hint(self, name: str) -> str:
        """What the opportunity on screen says; empty if nothing."""
        return self.hints.get(name, "")

    def with_answer(self, word: str, value: str) -> FormContext:
        """The same with one more answer."""
        return replace(self, answers={**self.answers, word: value})

    def open_bets(self) -> tuple[BetLine, ...]:
        """Bets not settled in full."""
        return tuple(bet for bet in self.bets if bet.open_stake > 0)

    def open_backs(self) -> tuple[BetLine, ...]:
        """Open bets at the bookmaker."""
        return tuple(bet for bet in self.open_bets() if bet.venue == self.bookmaker)

    def exchanges(self) -> tuple[str, ...]:
        """The exchange on screen, and those where the participant has float or the offer bets."""
        keys = [self.hint("lay_exchange"), *(line.exchange for line in self.floats)]
        keys += [bet.venue for bet in self.bets if bet.venue != self.bookmaker]
        return tuple(dict.fromkeys(filter(None, keys)))

    def balance(self, account: str) -> Pence:
        """The balance of one of the participant's accounts."""
        return sum(line.balance for line in self.balances if line.account == account)

    def next_bonus(self) -> Bonus | None:
        """The next free bet to be credited, from the terms."""
        due = self.terms.bonuses if self.terms else ()
        single = [bonus for bonus in due for _ in range(bonus.count)]
        return single[min(len(self.tokens), len(single) - 1)] if single else None


Choice = tuple[str, str]
"""A label, and the answer it stands for as it would be typed."""
Known = Callable[[FormContext], str]
"""An answer that needs no question; empty if there is none, LEFT_OUT if none is needed."""
Suggests = Callable[[FormContext], tuple[Choice, ...]]


def _unused(letter: str, taken: Iterable[str]) -> str:
    names = frozenset(taken)
    number = 1
    while f"{letter}{number}" in names:
        number += 1
    return f"{letter}{number}"


def _only(keys: tuple[str, ...]) -> str:
    return keys[0] if len(keys) == 1 else ""


# --- any field --------------------------------------------------------------------------------------


def not_known(_: FormContext) -> str:
    """No answer is known."""
    return ""


def nothing(_: FormContext) -> tuple[Choice, ...]:
    """No suggestion."""
    return ()


def always(_: FormContext) -> bool:
    """Needed whatever the answers."""
    return True


def fixed(text: str) -> Known:
    """Always the same answer."""
    return lambda _: text


def hinted(name: str) -> Known:
    """What the opportunity on screen says."""
    return lambda context: context.hint(name)


def hints(name: str) -> Suggests:
    """What the opportunity on screen says, to confirm."""
    return lambda context: ((context.hint(name),) * 2,) if context.hint(name) else ()


def listed(*choices: Choice) -> Suggests:
    """Always the same suggestions."""
    return lambda _: choices


def money(amount: Callable[[FormContext], Pence | None]) -> Suggests:
    """An amount above 0."""

    def suggest(context: FormContext) -> tuple[Choice, ...]:
        pence = amount(context) or 0
        return ((pounds(pence), f"{from_pence(pence):f}"),) if pence > 0 else ()

    return suggest


def hinted_pence(name: str) -> Callable[[FormContext], Pence | None]:
    """An amount of the opportunity on screen."""

    def pence(context: FormContext) -> Pence | None:
        amount = amount_in(context.hint(name))
        return None if amount is None else to_pence(amount)

    return pence


# --- bets -------------------------------------------------------------------------------------------


def new_bet(letter: str) -> Known:
    """A name for a new bet: ``q1`` for a qualifying bet, ``f1`` for a free bet, ``l1`` for a lay."""
    return lambda context: _unused(letter, (bet.bet for bet in context.bets))


def bet_choices(backs: bool | None = None) -> Suggests:
    """The open bets: all, only those at the bookmaker, or only those at exchanges."""
    return lambda context: tuple(
        (_bet_label(bet), bet.bet)
        for bet in context.open_bets()
        if backs is None or backs == (bet.venue == context.bookmaker)
    )


def only_bet(backs: bool | None = None) -> Known:
    """The open bet, if there is one only."""
    return lambda context: _only(tuple(bet for _, bet in bet_choices(backs)(context)))


def _bet_label(bet: BetLine) -> str:
    stake = pounds(bet.open_stake)
    return f"{bet.bet}: {bet.side} {bet.selection} {stake} {place_name(bet.venue)}"


def hedged_bet(context: FormContext) -> str:
    """Which bet a lay hedges is asked only if several are open."""
    return "" if len(context.open_backs()) > 1 else LEFT_OUT


def laid_selection(context: FormContext) -> str:
    """The selection of the bet that a lay hedges."""
    covered = context.answer("covers")
    backs = (bet for bet in context.open_backs() if covered in {"", bet.bet})
    backed = next((bet.selection for bet in backs if bet.selection), "")
    return backed or context.hint("selection")


def lay_market(context: FormContext) -> str:
    """The exchange's market id, or a name made up for this position."""
    if context.hint("lay_market") or not context.instance:
        return context.hint("lay_market")
    return f"{context.instance}-{context.answer('covers') or new_bet('b')(context)}"


def from_terms(name: str) -> Suggests:
    """The sports or markets that the terms list."""

    def suggest(context: FormContext) -> tuple[Choice, ...]:
        asked = context.terms.qualifying if context.terms else None
        keys = {"sport": asked.sports, "market": asked.markets}[name] if asked else ()
        return tuple((key, key) for key in keys)

    return suggest


def within_terms(name: str) -> Known:
    """The sport or market on screen, as the terms name it; not asked if the terms list none."""

    def known(context: FormContext) -> str:
        on_screen = context.hint(name)
        keys = [key for _, key in from_terms(name)(context)]
        if not keys:
            return on_screen or LEFT_OUT
        return next((key for key in keys if on_screen.startswith(key)), "")

    return known


def qualifying_stake(context: FormContext) -> Pence | None:
    """The stake on screen, or the least that qualifies if that is more."""
    on_screen = hinted_pence("stake")(context)
    least = context.terms.qualifying.min_stake if context.terms else None
    return max(filter(None, (on_screen, least)), default=None)


def needs_amount(context: FormContext) -> bool:
    """Stake and odds give the return, except for a part settlement and a cash-out."""
    return context.answer("result") in {Result.PARTIAL, Result.CASHED_OUT}


def pays_commission(context: FormContext) -> bool:
    """Only an exchange charges, and only for what was won."""
    bet = next((bet for bet in context.bets if bet.bet == context.answer("bet")), None)
    is_won = context.answer("result") == Result.WON
    return bet is not None and bet.venue != context.bookmaker and is_won


# --- free bets --------------------------------------------------------------------------------------


def new_token(context: FormContext) -> str:
    """A name for a new free bet: ``t1``."""
    return _unused("t", (token.id for token in context.tokens))


def tokens_at(phase: str) -> Suggests:
    """The free bets in a phase."""
    return lambda context: tuple(
        (f"{token.id}: {pounds(token.face)}", token.id)
        for token in context.tokens
        if token.is_in_game and token.phase.name == phase
    )


def only_token(phase: str) -> Known:
    """The free bet in a phase, if there is one only; not asked if there is none."""

    def known(context: FormContext) -> str:
        tokens = tuple(token for _, token in tokens_at(phase)(context))
        return _only(tokens) if tokens else LEFT_OUT

    return known


def token_value(context: FormContext) -> Pence | None:
    """The value of the free bet that is used."""
    wanted = context.answer("token")
    values = [token.face for token in context.tokens if wanted in {"", token.id}]
    return values[-1] if values else None


def bonus_value(context: FormContext) -> Pence | None:
    """The value of the next free bet in the terms."""
    bonus = context.next_bonus()
    return bonus.face if bonus else None


def bonus_kind(context: FormContext) -> str:
    """What the next free bet in the terms is."""
    bonus = context.next_bonus()
    return (bonus.kind if bonus else BonusKind.SNR).value


def bonus_min_odds(context: FormContext) -> str:
    """The least odds for the next free bet in the terms."""
    bonus = context.next_bonus()
    return f"{bonus.min_odds:f}" if bonus and bonus.min_odds > 1 else LEFT_OUT


def expires(context: FormContext) -> bool:
    """Cash does not expire."""
    return context.answer("kind") != BonusKind.CASH


def bonus_expiry(context: FormContext) -> tuple[Choice, ...]:
    """The days that the terms give for using the free bet."""
    bonus = context.next_bonus()
    days = (bonus.expires_after_days if bonus else None) or _USUAL_DAYS
    return ((f"in {days} days", f"+{days}d"),)


def more_due(context: FormContext) -> str:
    """Whether the terms promise more free bets than were credited."""
    promised = sum(bonus.count for bonus in context.terms.bonuses) if context.terms else 0
    return "true" if len(context.tokens) + 1 < promised else LEFT_OUT


# --- places -----------------------------------------------------------------------------------------


def exchange_choices(context: FormContext) -> tuple[Choice, ...]:
    """The participant's exchanges, or the usual ones if there are none yet."""
    return tuple((place_name(key), key) for key in context.exchanges() or USUAL_EXCHANGES)


def only_exchange(context: FormContext) -> str:
    """The participant's exchange, if there is one only."""
    return _only(context.exchanges())


def venue_choices(context: FormContext) -> tuple[Choice, ...]:
    """The offer's bookmaker, and the exchanges."""
    keys = dict.fromkeys(filter(None, (context.bookmaker, *context.exchanges())))
    return tuple((place_name(key), key) for key in keys or USUAL_EXCHANGES)


def restricted_bookmakers(context: FormContext) -> tuple[Choice, ...]:
    """The bookmakers that limit someone."""
    return tuple((place_name(key), key) for key in context.restricted)


def withdrawable(context: FormContext) -> Pence | None:
    """All the cash at the place named."""
    venue = context.answer("venue")
    kind = "bookmaker:{}:cash" if venue == context.bookmaker else "exchange:{}:available"
    return context.balance(kind.format(venue)) if venue else None


def in_transit(context: FormContext) -> Pence | None:
    """The money on its way between the bank and the offer's bookmaker."""
    return context.balance(f"transit:{context.bookmaker}")


def in_transit_from(context: FormContext) -> Pence | None:
    """The money on its way from the place named."""
    return context.balance(f"transit:{context.answer('venue')}")
