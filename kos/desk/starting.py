"""Starting an offer from the catalogue, alone or with the opportunity on screen."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from kos.desk.arguments import Arguments, one_of, quoted, tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject
from kos.desk.dialogue import Dialogue, DialogueForm, Prompt, confirm, go_on
from kos.desk.formatting import bold, in_rows, say
from kos.desk.offers import Shown, described, find
from kos.desk.recording import record_fact, with_pair
from kos.desk.roles import NO_PARTICIPANTS
from kos.desk.signals import pair_hints, pair_of
from kos.domain.books.double_entry import pounds
from kos.domain.market.places import place_name
from kos.domain.money import read_pounds, to_pence
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.facts import DepositSent
from kos.domain.offers.forms import FACT_FORMS
from kos.domain.offers.state import Phase
from kos.domain.people.conversation import Seat
from kos.errors import CommandNotAllowed
from kos.messages import (
    LEDGER,
    CatalogueListed,
    GetCatalogue,
    GetOffers,
    GetParticipants,
    OffersListed,
    ParticipantsListed,
)
from kos.views.names import free_bets_words
from kos.views.opportunities import odds

_NOTHING = Decimal(0)
_START_WORDS = ("who", "offer", "amount", "there")
"""In the order they are asked: each can need those before it."""


def _start_offer(visit: DeskContext) -> DeskReply:
    """Start an offer from the catalogue: who, which, and the deposit."""
    named = dict(visit.words.named)
    for word, field in zip(visit.words.plain, ("who", "offer"), strict=False):
        named.setdefault(field, word)
    pair = named.pop("pair", "")
    visit.about(named.get("who", ""))
    Arguments((), named).refuse_others(*_START_WORDS)
    hints = pair_hints(pair_of(visit, pair)) if pair else {}
    dialogue = Dialogue(form="start_offer", hints=hints)
    for field in _START_WORDS:
        question = _start_question(visit, dialogue, field) if field in named else None
        if question is not None:
            dialogue = dialogue.with_word(field, question.read(named[field]))
    return go_on(visit, dialogue)


def _start_missing(visit: DeskContext, dialogue: Dialogue) -> Prompt | None:
    for field in _START_WORDS:
        if not dialogue.knows(field):
            question = _start_question(visit, dialogue, field)
            if question is not None:
                return question
    return None


def _start_question(visit: DeskContext, dialogue: Dialogue, field: str) -> Prompt | None:
    match field:
        case "who":
            return _who(visit)
        case "offer":
            return _which_offer(visit, dialogue)
        case "amount":
            least = _terms(visit, dialogue).deposit_min
            return Prompt(
                field="amount",
                text="Deposit (£)? Enter 0 for none.",
                choices=((pounds(least), f"{least / 100:.2f}"),),
                read=lambda text: f"{read_pounds('amount', text, least=_NOTHING)}",
            )
        case _:
            if dialogue.word("amount") == "0.00":
                return None
            return Prompt(
                field="there",
                text="Has the deposit reached the bookmaker?",
                choices=(("Yes", "yes"), ("No, in transit", "no")),
                read=lambda text: one_of("answer", text, ("yes", "no")),
            )


def _who(visit: DeskContext) -> Prompt | None:
    if visit.person.seat is Seat.PARTICIPANT:
        return None
    listed = visit.asker.ask(
        LEDGER, GetParticipants(operator=visit.user), ParticipantsListed
    ).participants
    names = tuple(line.participant for line in listed if line.is_active)
    if not names:
        raise CommandNotAllowed(NO_PARTICIPANTS)
    return Prompt(
        field="who",
        text="Who is it for?",
        choices=tuple((f"{line.name} ({line.participant})", line.participant) for line in listed
                      if line.is_active),
        read=lambda text: text if text in names else one_of("who", text, names),
    )  # fmt: skip


def _owner(visit: DeskContext, dialogue: Dialogue) -> str:
    return dialogue.word("who") or visit.person.participant


def _open_terms(visit: DeskContext, dialogue: Dialogue) -> list[Offer]:
    bookmaker = dialogue.hints.get("bookmaker", "")
    listed = visit.asker.ask(LEDGER, GetCatalogue(), CatalogueListed).offers
    return [
        offer for offer in listed if offer.is_open(visit.now) and bookmaker in {"", offer.bookmaker}
    ]


def _which_offer(visit: DeskContext, dialogue: Dialogue) -> Prompt:
    there = _open_terms(visit, dialogue)
    if not there:
        at = dialogue.hints.get("bookmaker")
        where = f" for {tidy(place_name(at), 40)}" if at else ""
        raise CommandNotAllowed(f"No open offers{where}. Import some: kos offers import FILE")
    names = tuple(offer.key for offer in there)
    return Prompt(
        field="offer",
        text="Which offer?",
        choices=tuple(
            (f"{place_name(offer.bookmaker)}: {offer.title}", offer.key) for offer in there
        ),
        read=lambda text: text if text in names else one_of("offer", text, names),
    )


def _terms(visit: DeskContext, dialogue: Dialogue) -> Offer:
    wanted = dialogue.word("offer")
    for offer in _open_terms(visit, dialogue):
        if offer.key == wanted:
            return offer
    raise CommandNotAllowed(f"Offer {tidy(wanted, 60)} has closed.")


def _start_finish(visit: DeskContext, dialogue: Dialogue) -> DeskReply:
    participant, terms = _owner(visit, dialogue), _terms(visit, dialogue)
    lines = visit.asker.ask(LEDGER, GetOffers(participant=participant), OffersListed).offers
    taken = {line.instance for line in lines}
    instance = next(name for n in range(1, 100_000) if (name := str(n)) not in taken)
    amount = dialogue.word("amount")
    is_there = dialogue.word("there") != "no"
    asked = terms.qualifying
    named = {"offer": terms.key, "amount": amount, "is_instant": "yes" if is_there else "no"}
    reply = confirm(
        visit,
        bold(f"Start “{tidy(terms.title, 120)}” for {participant}?"),
        f"\n{tidy(place_name(terms.bookmaker), 40)}, offer {instance}"
        f"\nDeposit £{amount}, {'already received' if is_there else 'in transit'}"
        f"\nQualifying bet: {pounds(asked.min_stake)} at odds of {odds(asked.min_odds)} or more"
        f"\nYou get: {tidy(free_bets_words(terms), 120)}",
        command=f"/begin {Arguments((participant, instance), named).text()}",
        label="Start offer",
        participant=participant,
        instance=instance,
        version=0,
    )
    return with_pair(visit, reply, dialogue.hints, participant, instance)


def _begin(visit: DeskContext) -> DeskReply:
    """Carry out the confirmed command: the first fact of an offer."""
    if visit.action is None or len(visit.words.plain) != 2:  # noqa: PLR2004 - who and which
        raise CommandNotAllowed("To start an offer, send /start_offer.")
    participant, instance = visit.words.plain
    visit.about(participant)
    amount = read_pounds("amount", visit.words.get("amount"), least=_NOTHING)
    fact = DepositSent(
        offer=visit.words.get("offer"),
        amount=to_pence(amount),
        is_instant=visit.words.get("is_instant") == "yes",
    )
    record_fact(visit, fact, participant, instance)
    reply = described(visit, find(visit, (participant, instance)), before="✓ Offer started.")
    return msgspec.structs.replace(reply, notice="recorded")


def _take(visit: DeskContext) -> DeskReply:
    """The opportunity on screen, for an offer that needs a bet at its bookmaker, or for a new one."""
    short = tidy(visit.words.first(), 60)
    pair = pair_of(visit, short)
    lines = visit.asker.ask(
        LEDGER, GetOffers(with_closed=False, **visit.about()), OffersListed
    ).offers
    shown = Shown(visit)
    buttons = []
    for line in lines:
        fact = _WAITING_FOR.get(line.phase)
        if line.bookmaker == pair.bookmaker and fact is not None:
            command = f"/record {quoted(line.participant)} {quoted(line.instance)} {fact}"
            label = f"{line.participant} {line.instance}: {FACT_FORMS[fact].label}"
            buttons.append(shown.button(label, f"{command} pair={short}", line))
    buttons.append(shown.button("Start a new offer", f"/start_offer pair={short}"))
    hints = pair_hints(pair)
    return shown.told(
        say(
            bold(f"{hints['selection']} ({hints['event']})"),
            f"\nBack {hints['odds']} at {tidy(pair.bookmaker_title, 40)}\n\nWhich offer is this for?",
            buttons=in_rows(buttons[:30], 1),
        )
    )


_WAITING_FOR = {
    Phase.DEPOSIT_SENT.name: "qualifier_placed",
    Phase.FREE_BET_CREDITED.name: "free_bet_placed",
}


FORMS = {"start_offer": DialogueForm(missing=_start_missing, finish=_start_finish)}

COMMANDS = (
    Command(
        "start_offer",
        _start_offer,
        "Start an offer from the catalogue",
        Subject.OFFERS,
        "[WHO] [OFFER] [amount=10] [there=yes]",
        details="KOS asks for anything you leave out. You confirm before it is recorded.",
        is_turn=True,
    ),
    Command(
        "take", _take, "Use an opportunity for an offer", Subject.OFFERS, "PAIR", is_hidden=True
    ),
    Command(
        "begin", _begin, "Start a confirmed offer", Subject.OFFERS, is_turn=True, is_hidden=True
    ),
)
