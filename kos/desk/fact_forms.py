"""The questions for each fact of an offer, and suggested answers.

A row of the table has the questions that a person has to answer. The rest is filled in: names of
bets and free bets, and anything known from the opportunity on screen or the terms of the offer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kos.desk.arguments import one_of, tidy
from kos.desk.dialogue import SKIP, Dialogue, Prompt
from kos.domain.books.calendar import read_moment
from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import BetLine
from kos.domain.market.odds import MOST_ODDS, read_odds
from kos.domain.market.places import place_name
from kos.domain.money import from_pence, read_pounds
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer
from kos.domain.offers.facts import Result
from kos.errors import InvalidInput
from kos.messages import BooksDescribed, OfferDescribed
from kos.views.names import FACT_NAMES

_TEXT_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The state of an offer while someone records a fact about it."""

    told: OfferDescribed
    terms: Offer | None
    """The latest terms in the catalogue; they only suggest."""
    books: BooksDescribed
    now: datetime

    @property
    def bookmaker(self) -> str:
        """The bookmaker of the offer."""
        return self.told.line.bookmaker

    def open_bets(self) -> tuple[BetLine, ...]:
        """Bets not settled in full."""
        return tuple(bet for bet in self.told.bets if bet.open_stake > 0)

    def new_bet(self, letter: str) -> str:
        """An unused name for a bet of the offer."""
        taken = {bet.bet for bet in self.told.bets}
        return next(name for n in range(1, 10_000) if (name := f"{letter}{n}") not in taken)

    def balance(self, account: str) -> int:
        """Pence on one of the participant's accounts."""
        return sum(line.balance for line in self.books.balances if line.account == account)

    def exchanges(self) -> tuple[str, ...]:
        """Exchanges where the participant has float or the offer has bets."""
        known = [line.exchange for line in self.books.floats]
        known += [bet.venue for bet in self.told.bets if bet.venue != self.bookmaker]
        return tuple(dict.fromkeys(known))


Ask = Callable[[Standing, Dialogue], Prompt | str | None]
"""A question, a value that needs no question, or None if the word is not needed."""


@dataclass(frozen=True, kw_only=True)
class FactForm:
    """One fact as a dialogue."""

    label: str
    """What happened, as a button label."""
    asks: tuple[tuple[str, Ask], ...] = ()
    """Words of the fact in the order they are asked."""


# --- questions -------------------------------------------------------------------------------------


def _money(text: str, suggest: Callable[[Standing, Dialogue], int | None], field: str) -> Ask:
    def ask(standing: Standing, dialogue: Dialogue) -> Prompt:
        suggested = suggest(standing, dialogue)
        choices = (
            () if not suggested or suggested < 0 else ((pounds(suggested), _typed(suggested)),)
        )
        return Prompt(
            field=field, text=text, choices=choices, read=lambda given: f"{_pounds(field, given)}"
        )

    return ask


def _pounds(field: str, given: str) -> Decimal:
    return read_pounds(field, given)


def _typed(pence: int) -> str:
    return f"{from_pence(pence)}"


def _hinted_pence(dialogue: Dialogue, hint: str) -> int | None:
    value = dialogue.hints.get(hint, "")
    try:
        return int(Decimal(value) * 100) if value else None
    except ArithmeticError:
        return None


def _odds(text: str, hint: str) -> Ask:
    def ask(_standing: Standing, dialogue: Dialogue) -> Prompt:
        hinted = dialogue.hints.get(hint, "")
        return Prompt(
            field="odds",
            text=f"{text} For example 2.50, 6/4 or evens",
            choices=((hinted, hinted),) if hinted else (),
            read=_read_odds,
        )

    return ask


def _read_odds(given: str) -> str:
    read_odds("odds", given, MOST_ODDS)
    return given.strip()


def _text(field: str, text: str, hint: str = "", *, may_skip: bool = False) -> Ask:
    def ask(_standing: Standing, dialogue: Dialogue) -> Prompt | str:
        if hint and dialogue.hints.get(hint):
            return dialogue.hints[hint]
        return Prompt(
            field=field,
            text=text,
            choices=(("Skip", SKIP),) if may_skip else (),
            read=lambda given: _read_text(field, given),
        )

    return ask


def _read_text(field: str, given: str) -> str:
    value = tidy(given, _TEXT_MOST)
    if not value:
        raise InvalidInput(field, "", "a few words")
    return value


def _kickoff(standing: Standing, dialogue: Dialogue) -> Prompt | str:
    if dialogue.hints.get("kickoff"):
        return dialogue.hints["kickoff"]

    def read(given: str) -> str:
        if given.strip() == SKIP:
            return SKIP
        return read_moment("kickoff", given, standing.now).isoformat()

    return Prompt(
        field="kickoff",
        text="Start time (UK)? For example thu 18:15, 3 dec 12:30 or 3h",
        choices=(("Skip", SKIP),),
        read=read,
    )


def _listed(field: str, text: str, offered: Callable[[Standing], tuple[str, ...]]) -> Ask:
    """One of those the terms list; if they list none, the one on screen."""

    def ask(standing: Standing, dialogue: Dialogue) -> Prompt | str | None:
        words = offered(standing)
        hinted = dialogue.hints.get(field, "")
        if not words:
            return hinted or None
        near = [word for word in words if hinted.startswith(word) and hinted]
        if near:
            return near[0]
        return Prompt(
            field=field,
            text=text,
            choices=tuple((word, word) for word in words),
            read=lambda given: one_of(field, given, words),
        )

    return ask


def _sports(standing: Standing) -> tuple[str, ...]:
    return standing.terms.qualifying.sports if standing.terms else ()


def _markets(standing: Standing) -> tuple[str, ...]:
    return standing.terms.qualifying.markets if standing.terms else ()


def _no_sports(_standing: Standing) -> tuple[str, ...]:
    return ()


def _bet_named(letter: str) -> Ask:
    return lambda standing, _dialogue: standing.new_bet(letter)


def _one_bet(text: str, *, backs: bool | None = None) -> Ask:
    """An open bet of the offer; no question if there is only one."""

    def ask(standing: Standing, _dialogue: Dialogue) -> Prompt | str:
        bets = [
            bet
            for bet in standing.open_bets()
            if backs is None or backs == (bet.venue == standing.bookmaker)
        ]
        if len(bets) == 1:
            return bets[0].bet
        names = tuple(bet.bet for bet in bets)
        return Prompt(
            field="bet",
            text=text if bets else "No open bets. Type the bet's name, or /cancel.",
            choices=tuple((_bet_label(bet), bet.bet) for bet in bets),
            read=lambda given: one_of("bet", given, names) if given not in names else given,
        )

    return ask


def _bet_label(bet: BetLine) -> str:
    return tidy(
        f"{bet.bet}: {bet.side} {bet.selection} {pounds(bet.open_stake)} {place_name(bet.venue)}",
        40,
    )


def _covers(standing: Standing, _dialogue: Dialogue) -> Prompt | str | None:
    backs = [bet for bet in standing.open_bets() if bet.venue == standing.bookmaker]
    if len(backs) < 2:  # noqa: PLR2004 - one needs no question
        return None
    names = tuple(bet.bet for bet in backs)
    return Prompt(
        field="covers",
        text="Which back bet does it hedge?",
        choices=tuple((_bet_label(bet), bet.bet) for bet in backs),
        read=lambda given: given if given in names else one_of("covers", given, names),
    )


def _exchange(standing: Standing, dialogue: Dialogue) -> Prompt | str:
    known = standing.exchanges()
    hinted = dialogue.hints.get("lay_exchange", "")
    names = tuple(dict.fromkeys((*([hinted] if hinted else []), *known)))
    if len(names) == 1:
        return names[0]
    return Prompt(
        field="exchange",
        text="Which exchange?",
        choices=tuple((place_name(name), name) for name in names),
        read=lambda given: _read_text("exchange", given).casefold(),
    )


def _lay_selection(standing: Standing, dialogue: Dialogue) -> Prompt | str:
    covered = dialogue.word("covers")
    for bet in standing.open_bets():
        if bet.venue == standing.bookmaker and bet.selection and covered in {"", bet.bet}:
            return bet.selection
    return dialogue.hints.get("selection") or Prompt(
        field="selection",
        text="Which selection did you lay?",
        read=lambda given: _read_text("selection", given),
    )


def _lay_market(standing: Standing, dialogue: Dialogue) -> str:
    """The exchange's market id, or a name made up for this position."""
    covered = dialogue.word("covers") or standing.new_bet("b")
    return dialogue.hints.get("lay_market") or f"{standing.told.line.instance}-{covered}"


def _lay_bet(standing: Standing, _dialogue: Dialogue) -> str:
    return standing.new_bet("l")


def _commission(_standing: Standing, dialogue: Dialogue) -> Prompt | str:
    if dialogue.hints.get("commission"):
        return dialogue.hints["commission"]
    return Prompt(
        field="commission",
        text="Exchange commission? For example 2%",
        choices=(("None", "0"), ("2%", "0.02"), ("5%", "0.05")),
        read=_read_rate,
    )


def _read_rate(given: str) -> str:
    typed = given.strip()
    divisor = 100 if typed.endswith("%") else 1
    try:
        rate = Decimal(typed.removesuffix("%")) / divisor if len(typed) < 12 else None  # noqa: PLR2004 - no rate is longer
    except ArithmeticError:
        rate = None
    if rate is None or not rate.is_finite() or not 0 <= rate < 1:
        raise InvalidInput("commission", tidy(given, 40), "a commission such as 2% or 0.02")
    return f"{rate:f}"


def _result(_standing: Standing, dialogue: Dialogue) -> Prompt:
    bet = dialogue.word("bet")
    results = tuple(each.value for each in Result)
    return Prompt(
        field="result",
        text=f"How was {tidy(bet, 40)} settled? (A lay wins if the selection does not.)",
        choices=tuple((each.replace("_", " "), each) for each in results),
        read=lambda given: one_of("result", given.replace(" ", "_"), results),
    )


def _settled_amount(standing: Standing, dialogue: Dialogue) -> Prompt | None:
    """Stake and odds give the return, except for a part settlement and a cash-out."""
    if dialogue.word("result") not in {Result.PARTIAL, Result.CASHED_OUT}:
        return None
    bet = next((b for b in standing.told.bets if b.bet == dialogue.word("bet")), None)
    is_back = bet is None or bet.venue == standing.bookmaker

    def read(given: str) -> str:
        sign = "-" if given.strip().startswith("-") and not is_back else ""
        return f"{sign}{read_pounds('amount', given.strip().lstrip('+-'), Decimal(0))}"

    return Prompt(
        field="amount",
        text="Total returned (£), including the stake?"
        if is_back
        else "Net exchange result (£)? Use a minus sign for a loss.",
        read=read,
    )


def _settled_commission(standing: Standing, dialogue: Dialogue) -> Prompt | None:
    bet = next((b for b in standing.told.bets if b.bet == dialogue.word("bet")), None)
    is_paying = dialogue.word("result") == Result.WON
    if bet is None or bet.venue == standing.bookmaker or not is_paying:
        return None
    return Prompt(
        field="commission",
        text="Commission charged (£)?",
        choices=(("None", "0"),),
        read=lambda given: f"{read_pounds('commission', given, Decimal(0))}",
    )


# --- free bets ----------------------------------------------------------------------------------------


def _bonus(standing: Standing) -> Bonus | None:
    """The next free bet to be credited, from the terms."""
    due = [] if standing.terms is None else list(standing.terms.bonuses)
    each = [bonus for bonus in due for _ in range(bonus.count)]
    return each[min(len(standing.told.tokens), len(each) - 1)] if each else None


def _new_token(standing: Standing, _dialogue: Dialogue) -> str:
    taken = {token.id for token in standing.told.tokens}
    return next(name for n in range(1, 10_000) if (name := f"t{n}") not in taken)


def _token_kind(standing: Standing, _dialogue: Dialogue) -> str:
    bonus = _bonus(standing)
    return (bonus.kind if bonus else BonusKind.SNR).value


def _token_odds(standing: Standing, _dialogue: Dialogue) -> str | None:
    bonus = _bonus(standing)
    return f"{bonus.min_odds:f}" if bonus and bonus.min_odds > 1 else None


def _token_expiry(standing: Standing, dialogue: Dialogue) -> Prompt | None:
    if dialogue.word("kind") == BonusKind.CASH:
        return None
    bonus = _bonus(standing)
    days = bonus.expires_after_days if bonus and bonus.expires_after_days else 7

    def read(given: str) -> str:
        return read_moment("expires_at", given, standing.now).isoformat()

    return Prompt(
        field="expires_at",
        text="When does the free bet expire (UK time)? For example 7d, or 8 dec 23:59",
        choices=((f"in {days} days", f"+{days}d"),),
        read=read,
    )


def _more_due(standing: Standing, _dialogue: Dialogue) -> str | None:
    if standing.terms is None:
        return None
    promised = sum(bonus.count for bonus in standing.terms.bonuses)
    return "true" if len(standing.told.tokens) + 1 < promised else None


def _token_in(*phases: str) -> Ask:
    """A free bet in one of these phases; no question if there is only one."""

    def ask(standing: Standing, _dialogue: Dialogue) -> Prompt | str | None:
        there = [
            token
            for token in standing.told.tokens
            if token.is_in_game and token.phase.name in phases
        ]
        if len(there) < 2:  # noqa: PLR2004 - one needs no question
            return there[0].id if there else None
        names = tuple(token.id for token in there)
        return Prompt(
            field="token",
            text="Which free bet?",
            choices=tuple((f"{token.id}: {pounds(token.face)}", token.id) for token in there),
            read=lambda given: given if given in names else one_of("token", given, names),
        )

    return ask


# --- venues ----------------------------------------------------------------------------------------


def _venue(standing: Standing, _dialogue: Dialogue) -> Prompt:
    names = (standing.bookmaker, *standing.exchanges())
    return Prompt(
        field="venue",
        text="Which bookmaker or exchange?",
        choices=tuple((place_name(name), name) for name in dict.fromkeys(names)),
        read=lambda given: _read_text("venue", given).casefold(),
    )


def _withdrawable(standing: Standing, dialogue: Dialogue) -> int:
    venue = dialogue.word("venue")
    account = (
        f"bookmaker:{venue}:cash" if venue == standing.bookmaker else f"exchange:{venue}:available"
    )
    return standing.balance(account)


def _on_its_way(standing: Standing, dialogue: Dialogue) -> int:
    return standing.balance(f"transit:{dialogue.word('venue') or standing.bookmaker}")


def _nothing(_standing: Standing, _dialogue: Dialogue) -> int | None:
    return None


def _min_stake(standing: Standing, dialogue: Dialogue) -> int | None:
    hinted = _hinted_pence(dialogue, "stake")
    least = standing.terms.qualifying.min_stake if standing.terms else None
    return max(filter(None, (hinted, least)), default=None)


def _face(standing: Standing, dialogue: Dialogue) -> int | None:
    wanted = dialogue.word("token")
    faces = [token.face for token in standing.told.tokens if wanted in {"", token.id}]
    return faces[-1] if faces else None


def _bonus_face(standing: Standing, _dialogue: Dialogue) -> int | None:
    bonus = _bonus(standing)
    return bonus.face if bonus else None


def _reason(text: str) -> tuple[tuple[str, Ask], ...]:
    return (("reason", _text("reason", text)),)


_PAIR: tuple[tuple[str, Ask], ...] = (
    ("selection", _text("selection", "Which selection did you back?", "selection")),
    ("kickoff", _kickoff),
    ("event", lambda _standing, dialogue: dialogue.hints.get("event") or None),
    ("event_id", lambda _standing, dialogue: dialogue.hints.get("event_id") or None),
)
_LAY: tuple[tuple[str, Ask], ...] = (
    ("bet", _lay_bet),
    ("covers", _covers),
    ("exchange", _exchange),
    ("selection", _lay_selection),
    ("market", _lay_market),
    (
        "stake",
        _money(
            "Matched lay stake (£)?",
            lambda _standing, dialogue: _hinted_pence(dialogue, "lay_stake"),
            "stake",
        ),
    ),
    ("odds", _odds("Lay odds?", "lay_odds")),
    ("commission", _commission),
)

FACTS: dict[str, FactForm] = {
    "deposit_cleared": FactForm(
        label=FACT_NAMES["deposit_cleared"],
        asks=(("amount", _money("Amount received (£)?", _on_its_way, "amount")),),
    ),
    "deposit_failed": FactForm(
        label=FACT_NAMES["deposit_failed"],
        asks=(
            ("amount", _money("Amount returned (£)?", _on_its_way, "amount")),
            *_reason("Why?"),
        ),
    ),
    "float_sent": FactForm(
        label=FACT_NAMES["float_sent"],
        asks=(
            ("exchange", _exchange),
            ("amount", _money("Amount (£)?", _nothing, "amount")),
        ),
    ),
    "qualifier_placed": FactForm(
        label=FACT_NAMES["qualifier_placed"],
        asks=(
            ("bet", _bet_named("q")),
            ("stake", _money("Stake (£)?", _min_stake, "stake")),
            ("odds", _odds("What odds?", "odds")),
            *_PAIR,
            ("sport", _listed("sport", "Which sport was it?", _sports)),
            ("market", _listed("market", "Which market was it?", _markets)),
        ),
    ),
    "lay_matched": FactForm(label=FACT_NAMES["lay_matched"], asks=_LAY),
    "hedge_added": FactForm(label=FACT_NAMES["hedge_added"], asks=_LAY),
    "lay_cancelled": FactForm(
        label=FACT_NAMES["lay_cancelled"],
        asks=(("bet", _one_bet("Which lay?", backs=False)), ("exchange", _exchange)),
    ),
    "bet_settled": FactForm(
        label=FACT_NAMES["bet_settled"],
        asks=(
            ("bet", _one_bet("Which bet?")),
            ("result", _result),
            ("amount", _settled_amount),
            ("commission", _settled_commission),
        ),
    ),
    "commission_charged": FactForm(
        label=FACT_NAMES["commission_charged"],
        asks=(
            ("exchange", _exchange),
            ("amount", _money("Amount (£)?", _nothing, "amount")),
        ),
    ),
    "triggered": FactForm(
        label=FACT_NAMES["triggered"], asks=(("met_by", lambda _s, _d: "terms met"),)
    ),
    "credited": FactForm(
        label=FACT_NAMES["credited"],
        asks=(
            ("token", _new_token),
            ("kind", _token_kind),
            ("face", _money("Free bet value (£)?", _bonus_face, "face")),
            ("expires_at", _token_expiry),
            ("min_odds", _token_odds),
            ("more_due", _more_due),
        ),
    ),
    "qualifier_voided": FactForm(label=FACT_NAMES["qualifier_voided"], asks=_reason("Why?")),
    "not_triggered": FactForm(label=FACT_NAMES["not_triggered"]),
    "refused": FactForm(label=FACT_NAMES["refused"], asks=_reason("What reason did they give?")),
    "restricted": FactForm(
        label=FACT_NAMES["restricted"], asks=_reason("What reason did they give?")
    ),
    "free_bet_placed": FactForm(
        label=FACT_NAMES["free_bet_placed"],
        asks=(
            ("token", _token_in("FREE_BET_CREDITED")),
            ("bet", _bet_named("f")),
            ("stake", _money("How much of the free bet did you use (£)?", _face, "stake")),
            ("odds", _odds("At which odds", "odds")),
            *_PAIR,
            ("sport", _listed("sport", "Which sport?", _no_sports)),
            ("market", _listed("market", "Which market?", _no_sports)),
        ),
    ),
    "expired": FactForm(
        label=FACT_NAMES["expired"], asks=(("token", _token_in("FREE_BET_CREDITED")),)
    ),
    "early_payout": FactForm(
        label=FACT_NAMES["early_payout"],
        asks=(("bet", _one_bet("Which bet?", backs=True)),),
    ),
    "free_bet_voided": FactForm(
        label=FACT_NAMES["free_bet_voided"], asks=(("token", _token_in("FREE_BET_PLACED")),)
    ),
    "free_bet_voided_lost": FactForm(
        label=FACT_NAMES["free_bet_voided_lost"],
        asks=(("token", _token_in("FREE_BET_PLACED")), *_reason("What reason did they give?")),
    ),
    "free_bet_settled": FactForm(
        label=FACT_NAMES["free_bet_settled"], asks=(("token", _token_in("FREE_BET_PLACED")),)
    ),
    "withdrawal_requested": FactForm(
        label=FACT_NAMES["withdrawal_requested"],
        asks=(
            ("venue", _venue),
            ("amount", _money("Amount (£)?", _withdrawable, "amount")),
        ),
    ),
    "withdrawal_arrived": FactForm(
        label=FACT_NAMES["withdrawal_arrived"],
        asks=(
            ("venue", _venue),
            ("amount", _money("Amount received (£)?", _on_its_way, "amount")),
        ),
    ),
    "withdrawal_reversed": FactForm(
        label=FACT_NAMES["withdrawal_reversed"],
        asks=(("venue", _venue), ("amount", _money("Amount (£)?", _on_its_way, "amount"))),
    ),
    "completed": FactForm(label=FACT_NAMES["completed"]),
    "abandoned": FactForm(label=FACT_NAMES["abandoned"], asks=_reason("Why?")),
    "reopened": FactForm(label=FACT_NAMES["reopened"], asks=_reason("What was wrong?")),
}
"""Every fact about an offer that can be recorded at the desk."""


def next_of(
    form: FactForm, standing: Standing, dialogue: Dialogue
) -> tuple[Dialogue, Prompt | None]:
    """The dialogue with every known word filled in, up to the next question."""
    for field, ask in form.asks:
        if dialogue.knows(field):
            continue
        found = ask(standing, dialogue)
        if isinstance(found, Prompt):
            return dialogue, found
        dialogue = dialogue.with_word(field, SKIP if found is None else found)
    return dialogue, None


def spoken_words(dialogue: Dialogue) -> tuple[str, ...]:
    """The words of the fact, as :func:`kos.domain.offers.typed_facts.spoken` takes them."""
    return tuple(
        f"{field}={value}" for field, value in dialogue.words.named.items() if value != SKIP
    )
