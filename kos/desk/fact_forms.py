"""What is asked for each fact of an offer, and what can be offered as an answer.

A row of the table says in the operator's words what happened, and which words of the fact a
person has to say. The rest is filled in: names of bets and tokens, and what the pair on screen
or the terms of the offer tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kos.desk.arguments import one_of, pounds_of, tidy
from kos.desk.dialogue import SKIP, Dialogue, Prompt
from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import BetLine
from kos.domain.market.odds import decimal_odds
from kos.domain.money import from_pence
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer
from kos.domain.offers.facts import Result
from kos.domain.offers.typed_facts import moment_of
from kos.errors import InvalidInput
from kos.messages import BooksDescribed, OfferDescribed

_TEXT_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where an offer stands while somebody tells a fact about it."""

    told: OfferDescribed
    terms: Offer | None
    """The latest terms in the catalogue; they only suggest."""
    books: BooksDescribed
    now: datetime

    @property
    def bookmaker(self) -> str:
        """Whose offer it is."""
        return self.told.line.bookmaker

    def open_bets(self) -> tuple[BetLine, ...]:
        """Bets not settled in full."""
        return tuple(bet for bet in self.told.bets if bet.open_stake > 0)

    def new_bet(self, letter: str) -> str:
        """A name that no bet of the offer has."""
        taken = {bet.bet for bet in self.told.bets}
        return next(name for n in range(1, 10_000) if (name := f"{letter}{n}") not in taken)

    def balance(self, account: str) -> int:
        """Pence on one of the participant's accounts."""
        return sum(line.balance for line in self.books.balances if line.account == account)

    def exchanges(self) -> tuple[str, ...]:
        """Where the participant has float, and where the offer has bets."""
        known = [line.exchange for line in self.books.floats]
        known += [bet.venue for bet in self.told.bets if bet.venue != self.bookmaker]
        return tuple(dict.fromkeys(known))


Ask = Callable[[Standing, Dialogue], Prompt | str | None]
"""A question, a value that needs no question, or None where the word is not wanted."""


@dataclass(frozen=True, kw_only=True)
class FactForm:
    """One fact as a dialogue."""

    label: str
    """What happened, as a button says it."""
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
    return pounds_of(field, given)


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
            text=f"{text} (2.5, 6/4 or evens)",
            choices=((hinted, hinted),) if hinted else (),
            read=_read_odds,
        )

    return ask


def _read_odds(given: str) -> str:
    if not decimal_odds(given, "odds") <= 1000:  # noqa: PLR2004 - no market has more
        raise InvalidInput("odds", tidy(given, 40), "odds of 1000 at most")
    return given.strip()


def _text(field: str, text: str, hint: str = "", *, may_skip: bool = False) -> Ask:
    def ask(_standing: Standing, dialogue: Dialogue) -> Prompt | str:
        if hint and dialogue.hints.get(hint):
            return dialogue.hints[hint]
        return Prompt(
            field=field,
            text=text,
            choices=(("Leave it open", SKIP),) if may_skip else (),
            read=lambda given: _read_text(field, given),
        )

    return ask


def _read_text(field: str, given: str) -> str:
    value = tidy(given, _TEXT_MOST)
    if not value:
        raise InvalidInput(field, "nothing", "a few words")
    return value


def _kickoff(_standing: Standing, dialogue: Dialogue) -> Prompt | str:
    if dialogue.hints.get("kickoff"):
        return dialogue.hints["kickoff"]

    def read(given: str) -> str:
        if given.strip() == SKIP:
            return SKIP
        if given.startswith("+"):
            return given.strip()
        return moment_of(given.strip(), "kickoff").isoformat()

    return Prompt(
        field="kickoff",
        text="When does it start? 2026-11-23T15:00Z, or +3h from now",
        choices=(("Leave it open", SKIP),),
        read=read,
    )


def _listed(field: str, text: str, offered: Callable[[Standing], tuple[str, ...]]) -> Ask:
    """One of the terms' own words, where the terms list some; else what the screen says."""

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
    """An open bet of the offer; without a question where there is only one."""

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
            text=text if bets else "No bet is open. Its name all the same, or /cancel",
            choices=tuple((_bet_label(bet), bet.bet) for bet in bets),
            read=lambda given: one_of("bet", given, names) if given not in names else given,
        )

    return ask


def _bet_label(bet: BetLine) -> str:
    return tidy(f"{bet.bet}: {bet.side} {bet.selection} {pounds(bet.open_stake)} {bet.venue}", 40)


def _covers(standing: Standing, _dialogue: Dialogue) -> Prompt | str | None:
    backs = [bet for bet in standing.open_bets() if bet.venue == standing.bookmaker]
    if len(backs) < 2:  # noqa: PLR2004 - one needs no question
        return None
    names = tuple(bet.bet for bet in backs)
    return Prompt(
        field="covers",
        text="Which bet does it cover?",
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
        text="At which exchange?",
        choices=tuple((name, name) for name in names),
        read=lambda given: _read_text("exchange", given).casefold(),
    )


def _lay_selection(standing: Standing, dialogue: Dialogue) -> Prompt | str:
    covered = dialogue.word("covers")
    for bet in standing.open_bets():
        if bet.venue == standing.bookmaker and bet.selection and covered in {"", bet.bet}:
            return bet.selection
    return dialogue.hints.get("selection") or Prompt(
        field="selection",
        text="Which selection was laid?",
        read=lambda given: _read_text("selection", given),
    )


def _lay_market(standing: Standing, dialogue: Dialogue) -> str:
    """The exchange's market id, or a name that is the position's own."""
    covered = dialogue.word("covers") or standing.new_bet("b")
    return dialogue.hints.get("lay_market") or f"{standing.told.line.instance}-{covered}"


def _lay_bet(standing: Standing, _dialogue: Dialogue) -> str:
    return standing.new_bet("l")


def _commission(_standing: Standing, dialogue: Dialogue) -> Prompt | str:
    if dialogue.hints.get("commission"):
        return dialogue.hints["commission"]
    return Prompt(
        field="commission",
        text="The exchange's commission? A fraction such as 0.02",
        choices=(("none", "0"), ("2%", "0.02"), ("5%", "0.05")),
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
        raise InvalidInput("commission", tidy(given, 40), "a fraction of one such as 0.02, or 2%")
    return f"{rate:f}"


def _result(_standing: Standing, dialogue: Dialogue) -> Prompt:
    bet = dialogue.word("bet")
    results = tuple(each.value for each in Result)
    return Prompt(
        field="result",
        text=f"How was {tidy(bet, 40)} settled? A lay wins when its selection does not.",
        choices=tuple((each.replace("_", " "), each) for each in results),
        read=lambda given: one_of("result", given.replace(" ", "_"), results),
    )


def _settled_amount(standing: Standing, dialogue: Dialogue) -> Prompt | None:
    """Stake and odds tell what came back, but for a part and a cash-out."""
    if dialogue.word("result") not in {Result.PARTIAL, Result.CASHED_OUT}:
        return None
    bet = next((b for b in standing.told.bets if b.bet == dialogue.word("bet")), None)
    is_back = bet is None or bet.venue == standing.bookmaker

    def read(given: str) -> str:
        sign = "-" if given.strip().startswith("-") and not is_back else ""
        return f"{sign}{pounds_of('amount', given.strip().lstrip('+-'), Decimal(0))}"

    return Prompt(
        field="amount",
        text="Pounds that came back in all"
        if is_back
        else "Net result on the exchange, with a minus for a loss",
        read=read,
    )


def _settled_commission(standing: Standing, dialogue: Dialogue) -> Prompt | None:
    bet = next((b for b in standing.told.bets if b.bet == dialogue.word("bet")), None)
    is_paying = dialogue.word("result") == Result.WON
    if bet is None or bet.venue == standing.bookmaker or not is_paying:
        return None
    return Prompt(
        field="commission",
        text="Commission that the exchange charged, in pounds",
        choices=(("none", "0"),),
        read=lambda given: f"{pounds_of('commission', given, Decimal(0))}",
    )


# --- tokens ----------------------------------------------------------------------------------------


def _bonus(standing: Standing) -> Bonus | None:
    """The bonus that the next token to be credited is, by the terms."""
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
        if given.startswith("+"):
            return given.strip()
        return moment_of(given.strip(), "expires_at").isoformat()

    return Prompt(
        field="expires_at",
        text="When does the token run out? +7d, or 2026-11-30T23:59Z",
        choices=((f"in {days} days", f"+{days}d"),),
        read=read,
    )


def _more_due(standing: Standing, _dialogue: Dialogue) -> str | None:
    if standing.terms is None:
        return None
    promised = sum(bonus.count for bonus in standing.terms.bonuses)
    return "true" if len(standing.told.tokens) + 1 < promised else None


def _token_in(*phases: str) -> Ask:
    """A token in one of these phases; without a question where there is only one."""

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
            text="Which token?",
            choices=tuple((f"{token.id}: {pounds(token.face)}", token.id) for token in there),
            read=lambda given: given if given in names else one_of("token", given, names),
        )

    return ask


# --- venues ----------------------------------------------------------------------------------------


def _venue(standing: Standing, _dialogue: Dialogue) -> Prompt:
    names = (standing.bookmaker, *standing.exchanges())
    return Prompt(
        field="venue",
        text="At which bookmaker or exchange?",
        choices=tuple((name, name) for name in dict.fromkeys(names)),
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
    ("selection", _text("selection", "What was backed?", "selection")),
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
            "The lay stake that was matched, in pounds",
            lambda _standing, dialogue: _hinted_pence(dialogue, "lay_stake"),
            "stake",
        ),
    ),
    ("odds", _odds("At which lay odds", "lay_odds")),
    ("commission", _commission),
)

FACTS: dict[str, FactForm] = {
    "deposit_cleared": FactForm(
        label="The deposit is there",
        asks=(("amount", _money("How much arrived, in pounds?", _on_its_way, "amount")),),
    ),
    "deposit_failed": FactForm(
        label="The deposit came back",
        asks=(
            ("amount", _money("How much came back, in pounds?", _on_its_way, "amount")),
            *_reason("Why?"),
        ),
    ),
    "float_sent": FactForm(
        label="Float sent to an exchange",
        asks=(
            ("exchange", _exchange),
            ("amount", _money("How much, in pounds?", _nothing, "amount")),
        ),
    ),
    "qualifier_placed": FactForm(
        label="Qualifying bet placed",
        asks=(
            ("bet", _bet_named("q")),
            ("stake", _money("The stake, in pounds", _min_stake, "stake")),
            ("odds", _odds("At which odds", "odds")),
            *_PAIR,
            ("sport", _listed("sport", "Which sport counts here?", _sports)),
            ("market", _listed("market", "Which market counts here?", _markets)),
        ),
    ),
    "lay_matched": FactForm(label="Lay matched", asks=_LAY),
    "hedge_added": FactForm(label="Another lay", asks=_LAY),
    "lay_cancelled": FactForm(
        label="Rest of the lay cancelled",
        asks=(("bet", _one_bet("Which lay?", backs=False)), ("exchange", _exchange)),
    ),
    "bet_settled": FactForm(
        label="A bet was settled",
        asks=(
            ("bet", _one_bet("Which bet?")),
            ("result", _result),
            ("amount", _settled_amount),
            ("commission", _settled_commission),
        ),
    ),
    "commission_charged": FactForm(
        label="Commission charged",
        asks=(
            ("exchange", _exchange),
            ("amount", _money("How much, in pounds?", _nothing, "amount")),
        ),
    ),
    "triggered": FactForm(
        label="The bonus is owed now", asks=(("met_by", lambda _s, _d: "terms met"),)
    ),
    "credited": FactForm(
        label="Free bet credited",
        asks=(
            ("token", _new_token),
            ("kind", _token_kind),
            ("face", _money("What is the token worth, in pounds?", _bonus_face, "face")),
            ("expires_at", _token_expiry),
            ("min_odds", _token_odds),
            ("more_due", _more_due),
        ),
    ),
    "qualifier_voided": FactForm(label="The qualifying bet is void", asks=_reason("Why?")),
    "not_triggered": FactForm(label="It earned nothing"),
    "refused": FactForm(label="The bookmaker refuses the bonus", asks=_reason("What does it say?")),
    "restricted": FactForm(label="The account is restricted", asks=_reason("What does it say?")),
    "free_bet_placed": FactForm(
        label="Free bet placed",
        asks=(
            ("token", _token_in("FREE_BET_CREDITED")),
            ("bet", _bet_named("f")),
            ("stake", _money("How much of the token, in pounds?", _face, "stake")),
            ("odds", _odds("At which odds", "odds")),
            *_PAIR,
            ("sport", _listed("sport", "Which sport?", _no_sports)),
            ("market", _listed("market", "Which market?", _no_sports)),
        ),
    ),
    "expired": FactForm(
        label="The token ran out", asks=(("token", _token_in("FREE_BET_CREDITED")),)
    ),
    "early_payout": FactForm(
        label="The bookmaker paid early",
        asks=(("bet", _one_bet("Which bet?", backs=True)),),
    ),
    "free_bet_voided": FactForm(
        label="Free bet void, token back", asks=(("token", _token_in("FREE_BET_PLACED")),)
    ),
    "free_bet_voided_lost": FactForm(
        label="Free bet void, token gone",
        asks=(("token", _token_in("FREE_BET_PLACED")), *_reason("What does the bookmaker say?")),
    ),
    "free_bet_settled": FactForm(
        label="Free bet settled, both sides", asks=(("token", _token_in("FREE_BET_PLACED")),)
    ),
    "withdrawal_requested": FactForm(
        label="Withdrawal requested",
        asks=(
            ("venue", _venue),
            ("amount", _money("How much, in pounds?", _withdrawable, "amount")),
        ),
    ),
    "withdrawal_arrived": FactForm(
        label="Withdrawal arrived",
        asks=(
            ("venue", _venue),
            ("amount", _money("How much arrived, in pounds?", _on_its_way, "amount")),
        ),
    ),
    "withdrawal_reversed": FactForm(
        label="Withdrawal reversed",
        asks=(("venue", _venue), ("amount", _money("How much, in pounds?", _on_its_way, "amount"))),
    ),
    "completed": FactForm(label="Done: close it"),
    "abandoned": FactForm(label="Give it up", asks=_reason("Why?")),
    "reopened": FactForm(label="Undo the end: open it again", asks=_reason("What was wrong?")),
}
"""Every fact that a person may say about an offer at the desk."""


def next_of(
    form: FactForm, standing: Standing, dialogue: Dialogue
) -> tuple[Dialogue, Prompt | None]:
    """The dialogue with every word filled in that needs no question, up to the next that does."""
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
