"""Answers that are likely while someone records a fact, from the state of its offer.

The dialogue of the desk and the page's form both take them from here, so that they name bets in
one way and suggest the same amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kos.domain.books.double_entry import Pence, pounds
from kos.domain.books.lines import BalanceLine, BetLine, FloatLine
from kos.domain.market.places import EXCHANGES_IN_BOOKS, place_name
from kos.domain.money import amount_in, from_pence, to_pence
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer
from kos.domain.offers.facts import Result
from kos.domain.offers.state import Token

LEFT_OUT: Final = "-"
"""The answer that leaves an optional field out."""
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

    def with_answer(self, word: str, value: str) -> FormContext:
        """The same with one more answer."""
        return replace(self, answers={**self.answers, word: value})

    def open_bets(self, *, backs: bool | None = None) -> tuple[BetLine, ...]:
        """Bets not settled in full: all, only those at the bookmaker, or only the others."""
        return tuple(
            bet
            for bet in self.bets
            if bet.open_stake > 0 and backs in {None, bet.venue == self.bookmaker}
        )

    def exchanges(self) -> tuple[str, ...]:
        """The exchange on screen, and those where the participant has float or the offer bets."""
        keys = [self.hints.get("lay_exchange", ""), *(line.exchange for line in self.floats)]
        keys += [bet.venue for bet in self.bets if bet.venue != self.bookmaker]
        return tuple(dict.fromkeys(filter(None, keys)))

    def balance(self, account: str) -> Pence:
        """The balance of one of the participant's accounts."""
        return sum(line.balance for line in self.balances if line.account == account)

    def next_bonus(self) -> Bonus:
        """The next free bet to be credited, from the terms; without them one of unknown value, 0."""
        due = self.terms.bonuses if self.terms else ()
        single = [bonus for bonus in due for _ in range(bonus.count)] or [Bonus(face=0)]
        return single[min(len(self.tokens), len(single) - 1)]


Choice = tuple[str, str]
"""A label, and the answer it stands for as it would be typed."""
Suggests = Callable[[FormContext], tuple[Choice, ...]]
Amount = Callable[[FormContext], Pence | None]


def choices(*choices: Choice) -> Suggests:
    """The same suggestions at any time."""
    return lambda _: choices


def of(value: Callable[[FormContext], str]) -> Suggests:
    """One value; no suggestion if it is empty."""
    return lambda context: ((value(context),) * 2,) if value(context) else ()


def hint(name: str) -> Suggests:
    """A value of the opportunity on screen."""
    return of(lambda context: context.hints.get(name, ""))


def money(amount: Amount) -> Suggests:
    """An amount above 0."""

    def suggest(context: FormContext) -> tuple[Choice, ...]:
        pence = amount(context) or 0
        return ((pounds(pence), f"{from_pence(pence):f}"),) if pence > 0 else ()

    return suggest


def hinted_money(name: str) -> Amount:
    """An amount of the opportunity on screen."""

    def pence(context: FormContext) -> Pence | None:
        amount = amount_in(context.hints.get(name, ""))
        return None if amount is None else to_pence(amount)

    return pence


# --- bets -------------------------------------------------------------------------------------------


def _unused(letter: str, taken: Iterable[str]) -> str:
    names = frozenset(taken)
    return next(name for n in range(1, len(names) + 2) if (name := f"{letter}{n}") not in names)


def new_bet(letter: str) -> Suggests:
    """A name for a new bet: ``q1`` for a qualifying bet, ``f1`` for a free bet, ``l1`` for a lay."""
    return of(lambda context: _unused(letter, (bet.bet for bet in context.bets)))


def open_bets(*, backs: bool | None = None) -> Suggests:
    """The open bets: all, only those at the bookmaker, or only the others."""
    return lambda context: _labelled(context.open_bets(backs=backs))


def hedgeable(context: FormContext) -> tuple[Choice, ...]:
    """The bets that a lay may hedge, if there is more than one."""
    backs = context.open_bets(backs=True)
    return _labelled(backs) if len(backs) > 1 else ()


def _labelled(bets: Iterable[BetLine]) -> tuple[Choice, ...]:
    label = "{0.bet}: {0.side} {0.selection} {1} {2}"
    return tuple(
        (label.format(bet, pounds(bet.open_stake), place_name(bet.venue)), bet.bet) for bet in bets
    )


def laid_selection(context: FormContext) -> str:
    """The selection of the bet that a lay hedges, or the one on screen."""
    covered = context.answer("covers")
    backs = (bet for bet in context.open_bets(backs=True) if covered in {"", bet.bet})
    backed = next((bet.selection for bet in backs if bet.selection), "")
    return backed or context.hints.get("selection", "")


def lay_market(context: FormContext) -> str:
    """The exchange's market id, or a name made up for this position."""
    back = context.answer("covers") or _unused("b", (bet.bet for bet in context.bets))
    made_up = f"{context.instance}-{back}" if context.instance else ""
    return context.hints.get("lay_market") or made_up


def within_terms(name: str) -> Suggests:
    """The sport or market on screen as the terms name it, or those that the terms list."""

    def suggest(context: FormContext) -> tuple[Choice, ...]:
        on_screen = context.hints.get(name, "")
        asked = context.terms.qualifying if context.terms else None
        keys = {"sport": asked.sports, "market": asked.markets}[name] if asked else ()
        near = [key for key in keys if on_screen.startswith(key)] or keys or [on_screen]
        return tuple((key, key) for key in near if key)

    return suggest


def commission(context: FormContext) -> tuple[Choice, ...]:
    """The rate of the opportunity on screen, or the usual ones."""
    return hint("commission")(context) or (("None", "0"), ("2%", "0.02"), ("5%", "0.05"))


def qualifying_stake(context: FormContext) -> Pence | None:
    """The stake on screen, or the least that qualifies if that is more."""
    least = context.terms.qualifying.min_stake if context.terms else None
    return max(filter(None, (hinted_money("stake")(context), least)), default=None)


def needs_amount(context: FormContext) -> bool:
    """Stake and odds give the return, except for a part settlement and a cash-out."""
    return context.answer("result") in {Result.PARTIAL, Result.CASHED_OUT}


def pays_commission(context: FormContext) -> bool:
    """Only an exchange charges, and only for what was won."""
    venues = {bet.venue for bet in context.bets if bet.bet == context.answer("bet")}
    return context.answer("result") == Result.WON and bool(venues - {context.bookmaker})


# --- free bets --------------------------------------------------------------------------------------


def new_token(context: FormContext) -> str:
    """A name for a new free bet: ``t1``."""
    return _unused("t", (token.id for token in context.tokens))


def tokens(phase: str) -> Suggests:
    """The free bets in a phase."""
    return lambda context: tuple(
        (f"{token.id}: {pounds(token.face)}", token.id)
        for token in context.tokens
        if token.is_in_game and token.phase.name == phase
    )


def token_value(context: FormContext) -> Pence | None:
    """The value of the free bet that is used."""
    wanted = context.answer("token")
    latest = (token.face for token in reversed(context.tokens) if wanted in {"", token.id})
    return next(latest, None)


def bonus_min_odds(context: FormContext) -> str:
    """The least odds for the next free bet in the terms."""
    least = context.next_bonus().min_odds
    return f"{least:f}" if least > 1 else ""


def bonus_expiry(context: FormContext) -> tuple[Choice, ...]:
    """The days that the terms give for using the free bet."""
    days = context.next_bonus().expires_after_days or _USUAL_DAYS
    return ((f"in {days} days", f"+{days}d"),)


def expires(context: FormContext) -> bool:
    """Cash does not expire."""
    return context.answer("kind") != BonusKind.CASH


def more_due(context: FormContext) -> str:
    """Whether the terms promise more free bets than were credited."""
    promised = sum(bonus.count for bonus in context.terms.bonuses) if context.terms else 0
    return "true" if len(context.tokens) + 1 < promised else ""


# --- places -----------------------------------------------------------------------------------------


def _named(keys: Iterable[str]) -> tuple[Choice, ...]:
    return tuple((place_name(key), key) for key in dict.fromkeys(filter(None, keys)))


def exchanges(context: FormContext) -> tuple[Choice, ...]:
    """The participant's exchanges, or the usual ones if there are none yet."""
    return _named(context.exchanges() or EXCHANGES_IN_BOOKS)


def venues(context: FormContext) -> tuple[Choice, ...]:
    """The offer's bookmaker, and the exchanges."""
    return _named((context.bookmaker, *context.exchanges())) or _named(EXCHANGES_IN_BOOKS)


def restricted(context: FormContext) -> tuple[Choice, ...]:
    """The bookmakers that limit someone."""
    return _named(context.restricted)


def withdrawable(context: FormContext) -> Pence | None:
    """All the cash at the place named."""
    venue = context.answer("venue")
    kind = "bookmaker:{}:cash" if venue == context.bookmaker else "exchange:{}:available"
    return context.balance(kind.format(venue)) if venue else None


def in_transit(context: FormContext) -> Pence | None:
    """The money on its way between the bank and the place named, or the offer's bookmaker."""
    return context.balance(f"transit:{context.answer('venue') or context.bookmaker}")
