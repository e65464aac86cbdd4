"""What each fact is called, and what KOS asks to record it: one description per fact.

The dialogue of the desk, the page's form, ``kos offers facts``, the history of an offer and the
reference page are made from these descriptions. The fields and their kinds come from the fact's
own struct (:mod:`kos.domain.offers.typed_facts`); the table adds labels, questions and
suggestions, in the order in which a dialogue asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from kos.domain.offers import facts as f
from kos.domain.offers import suggestions as s
from kos.domain.offers.suggestions import LEFT_OUT, Choice, FormContext, Known, Suggests
from kos.domain.offers.typed_facts import (
    FieldKind,
    StructField,
    field_at,
    fields_of,
    path_of,
    spoken_names,
)

_HIDDEN = frozenset({"odds_shown", "event_id", "hold"})
"""Typed at the terminal only: no form shows them."""
_HEADLINES = ("stake", "amount", "face")
_LABELS = {
    "bet": "Bet reference",
    "covers": "Hedges bet",
    "credit_due_by": "Credit due by",
    "difference": "Difference (minus if the account shows less)",
    "expected_lose": "Expected result if it loses",
    "expected_win": "Expected result if it wins",
    "expires_at": "Expires",
    "face": "Free bet value",
    "is_divisible": "Can be split",
    "is_instant": "Already received",
    "is_single_winner": "One winner",
    "kickoff": "Start time",
    "matched_at": "Matched at",
    "met_by": "Triggered by",
    "min_odds": "Minimum odds",
    "more_due": "More free bets to come",
    "odds_shown": "Odds as printed",
    "part": "Part-settled stake (leave blank if all)",
    "placed_at": "Placed at",
    "released": "Liability released (leave blank if all)",
    "token": "Free bet",
}


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What a form adds to a field of a fact."""

    word: str
    question: str = ""
    """What a dialogue asks, with earlier answers in braces; empty: it does not ask."""
    known: Known = s.not_known
    suggests: Suggests = s.nothing
    is_needed: Callable[[FormContext], bool] = s.always
    """Whether a dialogue needs it after the answers so far."""


@dataclass(frozen=True, kw_only=True)
class FieldForm:
    """One field of a fact with all that its forms need."""

    path: str
    """Its full name, e.g. ``back.stake``."""
    label: str
    field: StructField
    asking: Asking

    @property
    def word(self) -> str:
        """Its shortest name at the terminal, e.g. ``stake``."""
        return self.asking.word

    @property
    def is_shown(self) -> bool:
        """Whether forms and confirmations show it."""
        return is_shown(self.field)

    def known(self, context: FormContext) -> str:
        """The answer that needs no question; LEFT_OUT if none is needed, empty to ask."""
        return self.asking.known(context) if self.asking.is_needed(context) else LEFT_OUT

    def choices(self, context: FormContext) -> tuple[Choice, ...]:
        """Suggested answers with their labels."""
        return self.asking.suggests(context) or tuple(
            (choice.replace("_", " "), choice) for choice in self.field.choices
        )

    def question(self, context: FormContext) -> str:
        """What a dialogue asks."""
        return self.asking.question.format_map(context.answers)

    def answer(self, text: str, context: FormContext, now: datetime) -> str:
        """A typed answer as it is stored, read as the terminal reads it.

        The start of one suggestion only is taken for all of it.

        Raises:
            InvalidInput: It is not a value of this field.
        """
        values = [value for _, value in self.choices(context)]
        near = [value for value in values if text and value.startswith(text.strip().casefold())]
        text = near[0] if self.field.kind in _NAMES and len(near) == 1 else text
        if text.strip() == LEFT_OUT and LEFT_OUT in values:
            return LEFT_OUT
        return stored(self.field, text, now)


_NAMES = frozenset({FieldKind.BET, FieldKind.TOKEN, FieldKind.PLACE, FieldKind.TEXT})


def stored(field: StructField, text: str, now: datetime) -> str:
    """A typed value in the form that means the same at any later moment; odds as they were typed.

    Raises:
        InvalidInput: It is not a value of this field.
    """
    value = field.read(text, now)
    return text.strip() if field.kind is FieldKind.ODDS else field.written(value)


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
            path = path_of(self.kind, word, self.name)
            field = field_at(self.kind, path, self.name)
            name = ".".join(path)
            is_left_out = text.strip() == LEFT_OUT and not field.is_required
            answers[words.get(name, name)] = LEFT_OUT if is_left_out else stored(field, text, now)
        return answers

    def next_field(self, context: FormContext) -> tuple[FormContext, FieldForm | None]:
        """The context with every known answer filled in, up to the field to ask for next."""
        for field in self.fields:
            if field.word in context.answers:
                continue
            known = field.known(context)
            if known:
                context = context.with_answer(field.word, known)
            elif field.asking.question:
                return context, field
        return context, None

    def shown(self, answers: Mapping[str, str]) -> Iterator[tuple[str, StructField, str]]:
        """The answers to confirm, in the order of the fields: label, field and value of each."""
        words = [field.word for field in self.fields if field.word in answers]
        for word in dict.fromkeys((*words, *answers)):
            field = field_at(self.kind, path_of(self.kind, word, self.name), self.name)
            if answers[word] != LEFT_OUT and is_shown(field):
                yield label_of(field), field, answers[word]

    def headline(self, answers: Mapping[str, str]) -> str:
        """The amount that the button of the confirmation names; empty without one."""
        return next((answers[word] for word in _HEADLINES if word in answers), "")


def is_shown(field: StructField) -> bool:
    """Whether forms and confirmations show a field."""
    return field.is_required or field.name not in _HIDDEN


def label_of(field: StructField) -> str:
    """A field in words."""
    return _LABELS.get(field.name, field.name.replace("_", " ").capitalize())


# --- how a form is made -----------------------------------------------------------------------------


def _form(kind: type[f.Fact], label: str, *asked: Asking) -> FactForm:
    name = f.name_of(kind)
    askings = {".".join(path_of(kind, asking.word, name)): asking for asking in asked}
    fields = dict(_plain(kind, ""))
    ordered = [*askings, *(path for path in fields if path not in askings)]
    return FactForm(
        name=name,
        label=label,
        meaning=(kind.__doc__ or "").partition("\n")[0],
        kind=kind,
        fields=tuple(
            FieldForm(
                path=path,
                label=label_of(fields[path]),
                field=fields[path],
                asking=askings.get(path) or Asking(word=_word(kind, path, name)),
            )
            for path in ordered
        ),
        parts=tuple(
            _part_form(field)
            for field in fields_of(kind).values()
            if field.part is not None and not field.is_required
        ),
    )


def _plain(kind: type[Any], prefix: str) -> Iterator[tuple[str, StructField]]:
    """The fields of a fact and of the parts that it needs, by their full names."""
    for field in fields_of(kind).values():
        name = f"{prefix}{field.name}"
        if field.part is None:
            yield name, field
        elif field.is_required:
            yield from _plain(field.part, f"{name}.0." if field.is_many else f"{name}.")


def _word(kind: type[f.Fact], path: str, fact: str) -> str:
    last = path.rpartition(".")[2]
    return last if ".".join(path_of(kind, last, fact)) == path else path


def _part_form(field: StructField) -> PartForm:
    part = field.part
    assert part is not None  # noqa: S101 - only parts come here
    legend, decides, asked = _PARTS[part]
    askings = {asking.word: asking for asking in asked}
    return PartForm(
        name=field.name,
        legend=legend,
        decides=decides,
        is_per_bet=part is f.Settlement,
        fields=tuple(
            FieldForm(
                path=f"{field.name}.0.{name}",
                label=label_of(inner),
                field=inner,
                asking=askings.get(name) or Asking(word=name),
            )
            for name, inner in fields_of(part).items()
        ),
    )


# --- what is asked ----------------------------------------------------------------------------------


def _amount(question: str, amount: Callable[[FormContext], int | None] | None = None) -> Asking:
    suggests = s.nothing if amount is None else s.money(amount)
    return Asking(word="amount", question=question, suggests=suggests)


def _reason(question: str) -> Asking:
    return Asking(word="reason", question=question)


def _token(phase: str) -> Asking:
    return Asking(
        word="token",
        question="Which free bet?",
        known=s.only_token(phase),
        suggests=s.tokens_at(phase),
    )


def _odds(question: str, hint: str) -> Asking:
    example = "For example 2.50, 6/4 or evens"
    return Asking(word="odds", question=f"{question} {example}", suggests=s.hints(hint))


def _bet(question: str, *, backs: bool | None = None) -> Asking:
    return Asking(
        word="bet",
        question=question,
        known=s.only_bet(backs),
        suggests=s.bet_choices(backs),
    )


_EXCHANGE = Asking(
    word="exchange",
    question="Which exchange?",
    known=s.only_exchange,
    suggests=s.exchange_choices,
)
_VENUE = Asking(word="venue", question="Which bookmaker or exchange?", suggests=s.venue_choices)
_BACK = (
    Asking(
        word="selection",
        question="Which selection did you back?",
        known=s.hinted("selection"),
    ),
    Asking(
        word="kickoff",
        question="Start time (UK)? For example thu 18:15, 3 dec 12:30 or 3h",
        known=s.hinted("kickoff"),
        suggests=s.listed(("Skip", LEFT_OUT)),
    ),
    Asking(word="event", known=s.hinted("event")),
    Asking(word="event_id", known=s.hinted("event_id")),
    Asking(
        word="sport",
        question="Which sport was it?",
        known=s.within_terms("sport"),
        suggests=s.from_terms("sport"),
    ),
    Asking(
        word="market",
        question="Which market was it?",
        known=s.within_terms("market"),
        suggests=s.from_terms("market"),
    ),
)
_LAY = (
    Asking(word="bet", known=s.new_bet("l")),
    Asking(
        word="covers",
        question="Which back bet does it hedge?",
        known=s.hedged_bet,
        suggests=s.bet_choices(backs=True),
    ),
    _EXCHANGE,
    Asking(
        word="selection",
        question="Which selection did you lay?",
        known=s.laid_selection,
    ),
    Asking(word="market", known=s.lay_market),
    Asking(
        word="stake",
        question="Matched lay stake (£)?",
        suggests=s.money(s.hinted_pence("lay_stake")),
    ),
    _odds("Lay odds?", "lay_odds"),
    Asking(
        word="commission",
        question="Exchange commission? For example 2%",
        known=s.hinted("commission"),
        suggests=s.listed(("None", "0"), ("2%", "0.02"), ("5%", "0.05")),
    ),
)
_SETTLEMENT = (
    _bet("Which bet?"),
    Asking(
        word="result",
        question="How was {bet} settled? (A lay wins if the selection does not.)",
    ),
    Asking(
        word="amount",
        question="Total returned (£), including the stake? For an exchange bet: the net result, "
        "with a minus sign for a loss.",
        is_needed=s.needs_amount,
    ),
    Asking(
        word="commission",
        question="Commission charged (£)?",
        suggests=s.listed(("None", "0")),
        is_needed=s.pays_commission,
    ),
)
_PARTS: Final[Mapping[type[msgspec.Struct], tuple[str, str, tuple[Asking, ...]]]] = {
    f.Lay: ("Lay (if matched)", "stake", _LAY),
    f.Planned: ("Liability to reserve for the lay", "liability", (_EXCHANGE,)),
    f.Settlement: ("Settlement of {bet}", "result", _SETTLEMENT),
}

_OFFER_FORMS = (
    _form(f.DepositSent, "Deposit sent"),
    _form(f.DepositCleared, "Deposit received", _amount("Amount received (£)?", s.in_transit)),
    _form(
        f.DepositFailed,
        "Deposit returned",
        _amount("Amount returned (£)?", s.in_transit),
        _reason("Why?"),
    ),
    _form(f.FloatSent, "Money sent to an exchange", _EXCHANGE, _amount("Amount (£)?")),
    _form(
        f.QualifierPlaced,
        "Qualifying bet placed",
        Asking(word="bet", known=s.new_bet("q")),
        Asking(word="stake", question="Stake (£)?", suggests=s.money(s.qualifying_stake)),
        _odds("What odds?", "odds"),
        *_BACK,
    ),
    _form(f.LayMatched, "Lay matched", *_LAY),
    _form(f.HedgeAdded, "Another lay or trade-out", *_LAY),
    _form(f.LayCancelled, "Unmatched lay cancelled", _bet("Which lay?", backs=False), _EXCHANGE),
    _form(f.BetSettled, "Bet settled", *_SETTLEMENT),
    _form(f.CommissionCharged, "Commission charged", _EXCHANGE, _amount("Amount (£)?")),
    _form(f.Triggered, "Offer terms met", Asking(word="met_by", known=s.fixed("terms met"))),
    _form(
        f.Credited,
        "Free bet credited",
        Asking(word="token", known=s.new_token),
        Asking(word="kind", known=s.bonus_kind),
        Asking(word="face", question="Free bet value (£)?", suggests=s.money(s.bonus_value)),
        Asking(
            word="expires_at",
            question="When does the free bet expire (UK time)? For example 7d, or 8 dec 23:59",
            suggests=s.bonus_expiry,
            is_needed=s.expires,
        ),
        Asking(word="min_odds", known=s.bonus_min_odds),
        Asking(word="more_due", known=s.more_due),
    ),
    _form(f.CashAdvanced, "Cash bonus finished"),
    _form(f.QualifierVoided, "Qualifying bet void", _reason("Why?")),
    _form(f.NotTriggered, "No free bet earned"),
    _form(f.Refused, "Bookmaker declined the bonus", _reason("What reason did they give?")),
    _form(f.Restricted, "Account restricted", _reason("What reason did they give?")),
    _form(
        f.FreeBetPlaced,
        "Free bet placed",
        _token("FREE_BET_CREDITED"),
        Asking(word="bet", known=s.new_bet("f")),
        Asking(
            word="stake",
            question="How much of the free bet did you use (£)?",
            suggests=s.money(s.token_value),
        ),
        _odds("What odds?", "odds"),
        *_BACK[:4],
        Asking(word="sport", known=s.hinted("sport")),
        Asking(word="market", known=s.hinted("market")),
    ),
    _form(f.Expired, "Free bet expired", _token("FREE_BET_CREDITED")),
    _form(f.EarlyPayout, "Early payout", _bet("Which bet?", backs=True)),
    _form(f.FreeBetVoided, "Free bet void, returned", _token("FREE_BET_PLACED")),
    _form(
        f.FreeBetVoidedLost,
        "Free bet void, not returned",
        _token("FREE_BET_PLACED"),
        _reason("What reason did they give?"),
    ),
    _form(f.FreeBetSettled, "Free bet fully settled", _token("FREE_BET_PLACED")),
    _form(
        f.WithdrawalRequested,
        "Withdrawal requested",
        _VENUE,
        _amount("Amount (£)?", s.withdrawable),
    ),
    _form(
        f.WithdrawalArrived,
        "Withdrawal arrived",
        _VENUE,
        _amount("Amount received (£)?", s.in_transit_from),
    ),
    _form(
        f.WithdrawalReversed,
        "Withdrawal reversed",
        _VENUE,
        _amount("Amount (£)?", s.in_transit_from),
    ),
    _form(f.Completed, "Close offer"),
    _form(f.Abandoned, "Abandon offer", _reason("Why?")),
    _form(f.Reopened, "Reopen offer", _reason("What was wrong?")),
)
_MONEY_FORMS = (
    _form(f.Joined, "Participant joined"),
    _form(f.Paused, "Participant paused"),
    _form(f.Resumed, "Participant resumed"),
    _form(f.Opened, "Opening balance", Asking(word="venue", suggests=s.venue_choices)),
    _form(f.Drawn, "Money drawn"),
    _form(f.MoneySent, "Money sent", _VENUE),
    _form(f.MoneyArrived, "Money arrived", _VENUE),
    _form(f.MoneyReturned, "Money returned", _VENUE),
    _form(f.BonusPaid, "Bonus paid", _VENUE),
    _form(f.Adjusted, "Balance adjusted", Asking(word="venue", suggests=s.venue_choices)),
    _form(f.FloatHeld, "Float held", _EXCHANGE),
    _form(f.HoldReleased, "Hold released"),
    _form(f.BookmakerRestricted, "Bookmaker restricted"),
    _form(
        f.BookmakerCleared,
        "Bookmaker restriction lifted",
        Asking(word="bookmaker", suggests=s.restricted_bookmakers),
    ),
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
