"""What each fact is called, and what KOS asks to record it: one description per fact.

The dialogue of the desk, the page's form, ``kos offers facts``, the history of an offer and the
reference page are made from these descriptions. The fields and their kinds come from the fact's
own struct (:mod:`kos.domain.offers.typed_facts`); the table adds labels, questions and
suggestions, in the order in which a dialogue asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from kos.domain.offers import facts as f
from kos.domain.offers import suggestions as s
from kos.domain.offers.suggestions import LEFT_OUT, Amount, Choice, FormContext, Suggests
from kos.domain.offers.typed_facts import FieldKind, StructField, fields_of, resolve, spoken_names

_NOTHING = s.choices()
_HIDDEN = frozenset({"odds_shown", "event_id", "hold"})
"""Typed at the terminal only: no form shows them."""
_HEADLINES = frozenset({"stake", "amount", "face"})


@dataclass(frozen=True)
class Asking:
    """What a form adds to a field of a fact."""

    word: str
    question: str = ""
    """What a dialogue asks, with earlier answers in braces; empty: it does not ask."""
    suggests: Suggests = _NOTHING
    _: KW_ONLY
    fills: bool = False
    """The only suggestion is taken without a question."""
    needs_choices: bool = False
    """Without suggestions the field is left out."""
    may_skip: bool = False
    is_needed: Callable[[FormContext], bool] = lambda _: True
    """Whether a dialogue needs it after the answers so far."""


@dataclass(frozen=True)
class FieldForm:
    """One field of a fact with all that its forms need."""

    path: str
    """Its full name, e.g. ``back.stake``."""
    field: StructField
    asking: Asking

    @property
    def word(self) -> str:
        """Its shortest name at the terminal, e.g. ``stake``."""
        return self.asking.word

    def known(self, context: FormContext) -> str:
        """The answer that needs no question; LEFT_OUT if none is needed, empty to ask."""
        choices = self.choices(context)
        if not self.asking.is_needed(context):
            return LEFT_OUT
        if self.asking.fills and len(choices) == 1:
            return choices[0][1]
        is_asked = self.asking.question and (choices or not self.asking.needs_choices)
        return "" if is_asked else LEFT_OUT

    def choices(self, context: FormContext) -> tuple[Choice, ...]:
        """Suggested answers with their labels."""
        return self.asking.suggests(context) or tuple(
            (choice.replace("_", " "), choice) for choice in self.field.choices
        )

    def answer(self, text: str, context: FormContext, now: datetime) -> str:
        """A typed answer as it is stored, read as the terminal reads it.

        The start of one suggestion only is taken for all of it.

        Raises:
            InvalidInput: It is not a value of this field.
        """
        if self.asking.may_skip and text.strip() == LEFT_OUT:
            return LEFT_OUT
        typed = text.strip().casefold()
        near = [value for _, value in self.choices(context) if typed and value.startswith(typed)]
        is_name = self.field.kind in _NAMES and len(near) == 1
        return stored(self.field, near[0] if is_name else text, now)


_NAMES = frozenset({FieldKind.BET, FieldKind.TOKEN, FieldKind.PLACE, FieldKind.TEXT})


def stored(field: StructField, text: str, now: datetime) -> str:
    """A typed value as text that means the same at any later moment.

    Raises:
        InvalidInput: It is not a value of this field.
    """
    value = field.read(text, now)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str) else text.strip()


@dataclass(frozen=True, kw_only=True)
class PartForm:
    """A part of a fact that may be left out, or be there several times: a lay, a settlement."""

    name: str
    legend: str
    decides: str
    """The field without which the part is left out."""
    is_per_bet: bool
    """There can be one for each open bet."""
    fields: tuple[FieldForm, ...]
    """Of the first: ``lays.0.stake``."""

    def path(self, name: str, number: int) -> str:
        """The full name of a field of one of them."""
        return f"{self.name}.{number}.{name}"

    def numbered(self, number: int) -> tuple[FieldForm, ...]:
        """The fields of one of them."""
        return tuple(
            replace(field, path=self.path(field.field.name, number)) for field in self.fields
        )


@dataclass(frozen=True, kw_only=True)
class FactForm:
    """One fact: its name, its label, what it means, and its fields in the order they are asked."""

    name: str
    label: str
    meaning: str
    kind: type[f.Fact]
    fields: tuple[FieldForm, ...]
    parts: tuple[PartForm, ...]

    def answers(self, typed: Mapping[str, str], now: datetime) -> dict[str, str]:
        """Typed words as answers, under the shortest names of their fields.

        Raises:
            InvalidInput: A word is unknown or its value wrong.
        """
        words = {field.path: field.word for field in self.fields}
        answers = {}
        for word, text in typed.items():
            path, field = resolve(self.kind, word, self.name)
            name = ".".join(path)
            is_left_out = text.strip() == LEFT_OUT and not field.is_required
            answers[words.get(name, name)] = LEFT_OUT if is_left_out else stored(field, text, now)
        return answers

    def next_field(self, context: FormContext) -> tuple[FormContext, FieldForm | None]:
        """The context with every known answer filled in, up to the field to ask for next."""
        for field in self.fields:
            if field.word in context.answers:
                continue
            value = field.known(context)
            if not value:
                return context, field
            context = context.with_answer(field.word, value)
        return context, None

    def shown(self, answers: Mapping[str, str]) -> Iterator[tuple[StructField, str]]:
        """The answers to confirm, in the order of the fields."""
        words = [field.word for field in self.fields if field.word in answers]
        for word in dict.fromkeys((*words, *answers)):
            _, field = resolve(self.kind, word, self.name)
            if answers[word] != LEFT_OUT and is_shown(field):
                yield field, answers[word]


def is_shown(field: StructField) -> bool:
    """Whether forms and confirmations show a field."""
    return field.is_required or field.name not in _HIDDEN


def is_headline(field: StructField) -> bool:
    """Whether the button of a confirmation names the amount of this field."""
    return field.name in _HEADLINES


# --- how a form is made -----------------------------------------------------------------------------


def _form(kind: type[f.Fact], label: str, *asked: Asking) -> FactForm:
    name = f.name_of(kind)
    askings = {".".join(resolve(kind, asking.word, name)[0]): asking for asking in asked}
    fields = dict(_plain(kind, ""))
    ordered = [*askings, *(path for path in fields if path not in askings)]
    return FactForm(
        name=name,
        label=label,
        meaning=(kind.__doc__ or "").partition("\n")[0],
        kind=kind,
        fields=tuple(
            FieldForm(path, fields[path], askings.get(path) or Asking(_word(kind, path, name)))
            for path in ordered
        ),
        parts=tuple(
            _part_form(field.name, field.part)
            for field in fields_of(kind).values()
            if field.part is not None and not field.is_required
        ),
    )


def _plain(kind: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, StructField]]:
    """The fields of a fact and of the parts that it needs, by their full names."""
    for field in fields_of(kind).values():
        name = f"{prefix}{field.name}"
        if field.part is None:
            yield name, field
        elif field.is_required:
            yield from _plain(field.part, f"{name}.0." if field.is_many else f"{name}.")


def _word(kind: type[f.Fact], path: str, fact: str) -> str:
    last = path.rpartition(".")[2]
    return last if ".".join(resolve(kind, last, fact)[0]) == path else path


def _part_form(name: str, part: type[msgspec.Struct]) -> PartForm:
    legend, decides, asked = _PARTS[part]
    askings = {asking.word: asking for asking in asked}
    return PartForm(
        name=name,
        legend=legend,
        decides=decides,
        is_per_bet=part is f.Settlement,
        fields=tuple(
            FieldForm(f"{name}.0.{word}", field, askings.get(word) or Asking(word))
            for word, field in fields_of(part).items()
        ),
    )


# --- what is asked ----------------------------------------------------------------------------------


def _given(word: str, suggests: Suggests) -> Asking:
    return Asking(word, "", suggests, fills=True)


def _bet(question: str, *, backs: bool | None = None) -> Asking:
    return Asking("bet", question, s.open_bets(backs=backs), fills=True)


def _placed(letter: str, question: str, stake: Amount) -> tuple[Asking, ...]:
    return (
        _given("bet", s.new_bet(letter)),
        Asking("stake", question, s.money(stake)),
        Asking("odds", "What odds? For example 2.50, 6/4 or evens", s.hint("odds")),
        Asking("selection", "Which selection did you back?", s.hint("selection"), fills=True),
        Asking(
            "kickoff",
            "Start time (UK)? For example thu 18:15, 3 dec 12:30 or 3h",
            s.hint("kickoff"),
            fills=True,
            may_skip=True,
        ),
        _given("event", s.hint("event")),
        _given("event_id", s.hint("event_id")),
    )


_WHY = Asking("reason", "Why?")
_THEIR_REASON = Asking("reason", "What reason did they give?")
_AMOUNT = Asking("amount", "Amount (£)?")
_RECEIVED = replace(_AMOUNT, question="Amount received (£)?", suggests=s.money(s.in_transit))
_RETURNED = replace(_RECEIVED, question="Amount returned (£)?")
_SENT_BACK = replace(_RECEIVED, question=_AMOUNT.question)
_WITHDRAWN = replace(_AMOUNT, suggests=s.money(s.withdrawable))
_IN_WALLET, _STAKED = (
    Asking("token", "Which free bet?", s.tokens(phase), fills=True, needs_choices=True)
    for phase in ("FREE_BET_CREDITED", "FREE_BET_PLACED")
)
_EXCHANGE = Asking("exchange", "Which exchange?", s.exchanges, fills=True)
_VENUE = Asking("venue", "Which bookmaker or exchange?", s.venues)
_SPORT, _MARKET = (
    Asking(word, f"Which {word} was it?", s.within_terms(word), fills=True, needs_choices=True)
    for word in ("sport", "market")
)
_QUALIFIER = (*_placed("q", "Stake (£)?", s.qualifying_stake), _SPORT, _MARKET)
_FREE_BET = (
    *_placed("f", "How much of the free bet did you use (£)?", s.token_value),
    *(_given(word, s.hint(word)) for word in ("sport", "market")),
)
_LAY = (
    _given("bet", s.new_bet("l")),
    Asking("covers", "Which back bet does it hedge?", s.hedgeable, needs_choices=True),
    _EXCHANGE,
    Asking("selection", "Which selection did you lay?", s.of(s.laid_selection), fills=True),
    _given("market", s.of(s.lay_market)),
    Asking("stake", "Matched lay stake (£)?", s.money(s.hinted_money("lay_stake"))),
    Asking("odds", "Lay odds? For example 2.50, 6/4 or evens", s.hint("lay_odds")),
    Asking("commission", "Exchange commission? For example 2%", s.commission, fills=True),
)
_NO_COMMISSION = s.choices(("None", "0"))
_SETTLEMENT = (
    _bet("Which bet?"),
    Asking("result", "How was {bet} settled? (A lay wins if the selection does not.)"),
    Asking(
        "amount",
        "Total returned (£), including the stake? For an exchange bet: the net result, with a "
        "minus sign for a loss.",
        is_needed=s.needs_amount,
    ),
    Asking("commission", "Commission charged (£)?", _NO_COMMISSION, is_needed=s.pays_commission),
)
_PARTS: Final[Mapping[type[msgspec.Struct], tuple[str, str, tuple[Asking, ...]]]] = {
    f.Lay: ("Lay (if matched)", "stake", _LAY),
    f.Planned: ("Liability to reserve for the lay", "liability", (_EXCHANGE,)),
    f.Settlement: ("Settlement of {bet}", "result", _SETTLEMENT),
}
"""For each part that may be left out: its legend, the field that decides, and what is asked."""

_OFFER_FORMS = (
    _form(f.DepositSent, "Deposit sent"),
    _form(f.DepositCleared, "Deposit received", _RECEIVED),
    _form(f.DepositFailed, "Deposit returned", _RETURNED, _WHY),
    _form(f.FloatSent, "Money sent to an exchange", _EXCHANGE, _AMOUNT),
    _form(f.QualifierPlaced, "Qualifying bet placed", *_QUALIFIER),
    _form(f.LayMatched, "Lay matched", *_LAY),
    _form(f.HedgeAdded, "Another lay or trade-out", *_LAY),
    _form(f.LayCancelled, "Unmatched lay cancelled", _bet("Which lay?", backs=False), _EXCHANGE),
    _form(f.BetSettled, "Bet settled", *_SETTLEMENT),
    _form(f.CommissionCharged, "Commission charged", _EXCHANGE, _AMOUNT),
    _form(f.Triggered, "Offer terms met", _given("met_by", s.choices(("terms met", "terms met")))),
    _form(
        f.Credited,
        "Free bet credited",
        _given("token", s.of(s.new_token)),
        _given("kind", s.of(lambda context: context.next_bonus().kind.value)),
        Asking("face", "Free bet value (£)?", s.money(lambda context: context.next_bonus().face)),
        Asking(
            "expires_at",
            "When does the free bet expire (UK time)? For example 7d, or 8 dec 23:59",
            s.bonus_expiry,
            is_needed=s.expires,
        ),
        _given("min_odds", s.of(s.bonus_min_odds)),
        _given("more_due", s.of(s.more_due)),
    ),
    _form(f.CashAdvanced, "Cash bonus finished"),
    _form(f.QualifierVoided, "Qualifying bet void", _WHY),
    _form(f.NotTriggered, "No free bet earned"),
    _form(f.Refused, "Bookmaker declined the bonus", _THEIR_REASON),
    _form(f.Restricted, "Account restricted", _THEIR_REASON),
    _form(f.FreeBetPlaced, "Free bet placed", _IN_WALLET, *_FREE_BET),
    _form(f.Expired, "Free bet expired", _IN_WALLET),
    _form(f.EarlyPayout, "Early payout", _bet("Which bet?", backs=True)),
    _form(f.FreeBetVoided, "Free bet void, returned", _STAKED),
    _form(f.FreeBetVoidedLost, "Free bet void, not returned", _STAKED, _THEIR_REASON),
    _form(f.FreeBetSettled, "Free bet fully settled", _STAKED),
    _form(f.WithdrawalRequested, "Withdrawal requested", _VENUE, _WITHDRAWN),
    _form(f.WithdrawalArrived, "Withdrawal arrived", _VENUE, _RECEIVED),
    _form(f.WithdrawalReversed, "Withdrawal reversed", _VENUE, _SENT_BACK),
    _form(f.Completed, "Close offer"),
    _form(f.Abandoned, "Abandon offer", _WHY),
    _form(f.Reopened, "Reopen offer", Asking("reason", "What was wrong?")),
)
_MONEY_FORMS = (
    _form(f.Joined, "Participant joined"),
    _form(f.Paused, "Participant paused"),
    _form(f.Resumed, "Participant resumed"),
    _form(f.Opened, "Opening balance", _VENUE),
    _form(f.Drawn, "Money drawn"),
    _form(f.MoneySent, "Money sent", _VENUE),
    _form(f.MoneyArrived, "Money arrived", _VENUE),
    _form(f.MoneyReturned, "Money returned", _VENUE),
    _form(f.BonusPaid, "Bonus paid", _VENUE),
    _form(f.Adjusted, "Balance adjusted", _VENUE),
    _form(f.FloatHeld, "Float held", _EXCHANGE),
    _form(f.HoldReleased, "Hold released"),
    _form(f.BookmakerRestricted, "Bookmaker restricted"),
    _form(f.BookmakerCleared, "Bookmaker restriction lifted", _given("bookmaker", s.restricted)),
    _form(f.PastBetImported, "Past bet imported"),
    _form(f.EntryReversed, "Entry reversed"),
)
FACT_FORMS: Final[Mapping[str, FactForm]] = {
    form.name: form for form in (*_OFFER_FORMS, *_MONEY_FORMS)
}
"""Every fact by its name: those of offers, then those of a participant's own money."""
STEP_FORMS: Final[Mapping[str, FactForm]] = {
    name: FACT_FORMS[name]
    for name in spoken_names(f.OFFER_FACTS)
    if name != f.name_of(f.DepositSent)
}
"""The facts that people record about an offer that has started."""
