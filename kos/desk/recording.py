"""Recording what happened to an offer: a dialogue for anything missing, then a confirmation.

An offer moves only by facts that its phase accepts. KOS asks for everything a fact needs, shows
it with its amounts, and one button records it, once, and only if no one has recorded anything else
in the meantime.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec

from kos.desk.arguments import Arguments, tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject
from kos.desk.dialogue import Dialogue, DialogueForm, Prompt, confirm, go_on
from kos.desk.formatting import bold
from kos.desk.offers import ask_offer, described, find, may_record
from kos.desk.signals import pair_hints, pair_of
from kos.domain.offers.facts import OFFER_FACTS, MoneyFact, OfferFact, Role, Source
from kos.domain.offers.forms import STEP_FORMS, FactForm, is_headline
from kos.domain.offers.state import Phase
from kos.domain.offers.suggestions import LEFT_OUT, FormContext
from kos.domain.offers.table import not_allowed
from kos.domain.offers.typed_facts import spoken
from kos.domain.people.conversation import Seat
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    LEDGER,
    BooksDescribed,
    CatalogueListed,
    FactRecorded,
    GetBooks,
    GetCatalogue,
    RecordFact,
)
from kos.views.facts import answer_shown
from kos.views.names import fact_name
from kos.views.offers import form_context

_PAIR_FOR = timedelta(days=3)
_SOURCES = {"telegram": Source.TELEGRAM, "web": Source.WEB, "terminal": Source.TERMINAL}


def _record(visit: DeskContext) -> DeskReply:
    """Record what happened to an offer; a confirmed button records it immediately."""
    plain = visit.words.plain
    if len(plain) != 3:  # noqa: PLR2004 - who, which, what
        raise InvalidInput(
            "record", tidy(visit.words.text(), 80), "WHO N FACT, then any field=value"
        )
    participant, instance, fact = plain
    visit.about(participant)
    if visit.action is not None and visit.action.expected_version is not None:
        return _recorded(visit, participant, instance, fact)
    named = dict(visit.words.named)
    hints = _hints(visit, participant, instance, named.pop("pair", ""))
    if fact in STEP_FORMS:
        named = STEP_FORMS[fact].answers(named, visit.now)
    dialogue = Dialogue(form="record", words=Arguments(plain, named), hints=hints)
    return go_on(visit, dialogue)


def _hints(visit: DeskContext, participant: str, instance: str, pair: str) -> dict[str, str]:
    """Suggestions from the opportunity on screen, or from the one used for the offer's bet."""
    if pair:
        return pair_hints(pair_of(visit, pair))
    value = visit.kept_value(_pair_name(participant, instance))
    return msgspec.json.decode(value, type=dict[str, str]) if value else {}


def _pair_name(participant: str, instance: str) -> str:
    return f"pair:{participant}:{instance}"


def with_pair(
    visit: DeskContext, reply: DeskReply, hints: dict[str, str], participant: str, instance: str
) -> DeskReply:
    """The same, with the opportunity on screen stored for the offer's next facts."""
    if not hints:
        return reply
    kept = visit.keep(_pair_name(participant, instance), hints, visit.now + _PAIR_FOR)
    return msgspec.structs.replace(reply, kept=(*reply.kept, kept))


def _context(visit: DeskContext, dialogue: Dialogue) -> tuple[FactForm, FormContext, int]:
    """The form of the fact, what is known of its offer, and the offer's count of facts.

    Raises:
        CommandNotAllowed: The offer does not accept the fact now.
    """
    participant, instance, fact = dialogue.words.plain
    offer = ask_offer(visit, participant, instance)
    allowed = [name for name in offer.allowed if name in STEP_FORMS and may_record(visit, name)]
    if fact not in allowed:
        phase, outcome = Phase[offer.line.phase], offer.line.outcome
        name = f"{participant} {instance}"
        raise not_allowed(tidy(fact, 40), name, phase, outcome, allowed)
    books = visit.asker.ask(LEDGER, GetBooks(participant=participant), BooksDescribed)
    catalogue = visit.asker.ask(LEDGER, GetCatalogue(), CatalogueListed).offers
    context = replace(
        form_context(offer, books, catalogue),
        hints=dialogue.hints,
        answers=dialogue.words.named,
    )
    return STEP_FORMS[fact], context, offer.line.version


def _fact_missing(visit: DeskContext, dialogue: Dialogue) -> Prompt | None:
    form, context, _ = _context(visit, dialogue)
    context, field = form.next_field(context)
    if field is None:
        return None
    skip = (("Skip", LEFT_OUT),) if field.asking.may_skip else ()
    return Prompt(
        field=field.word,
        text=tidy(field.asking.question.format_map(context.answers)),
        choices=tuple(
            (tidy(label, 40), value) for label, value in (*field.choices(context), *skip)
        ),
        read=lambda text: field.answer(text, context, visit.now),
    )


def _fact_finish(visit: DeskContext, dialogue: Dialogue) -> DeskReply:
    form, context, version = _context(visit, dialogue)
    context, _ = form.next_field(context)
    participant, instance, fact = dialogue.words.plain
    named = {word: value for word, value in context.answers.items() if value != LEFT_OUT}
    # What cannot be recorded is refused before the confirmation, not after it.
    spoken(OFFER_FACTS, fact, [f"{word}={value}" for word, value in named.items()], visit.now)
    command = f"/record {Arguments((participant, instance, fact), named).text()}"
    lines = [
        (field, tidy(answer_shown(field, value, visit.now), 120))
        for field, value in form.shown(named)
    ]
    amount = next((f" {text}" for field, text in lines if is_headline(field)), "")
    reply = confirm(
        visit,
        bold(f"{participant} {instance}: {form.label}"),
        *(f"\n{field.label}: {text}" for field, text in lines),
        "\n\nRecord it?",
        command=command,
        label=f"Record{amount}",
        participant=participant,
        instance=instance,
        version=version,
    )
    return with_pair(visit, reply, dialogue.hints, participant, instance)


def _recorded(visit: DeskContext, participant: str, instance: str, fact: str) -> DeskReply:
    """Carry out the confirmed command."""
    if visit.action is None:
        raise CommandNotAllowed("Confirm first: nothing has been recorded.")
    is_supervised = fact == "reopened" and visit.person.seat is Seat.ADMIN
    words = [f"{field}={value}" for field, value in visit.words.named.items()]
    record_fact(
        visit,
        spoken(OFFER_FACTS, fact, words, visit.now),  # type: ignore[arg-type]
        participant,
        instance,
        role=Role.SUPERVISOR if is_supervised else Role.OPERATOR,
    )
    line = find(visit, (participant, instance))
    label = fact_name(fact)
    reply = described(visit, line, before=f"✓ Recorded: {label[:1].lower()}{label[1:]}.")
    return msgspec.structs.replace(reply, notice="recorded")


def record_fact(
    visit: DeskContext,
    fact: OfferFact | MoneyFact,
    participant: str,
    instance: str = "",
    role: Role = Role.OPERATOR,
) -> FactRecorded:
    """Have the ledger record a confirmed fact, under the id of the message.

    Raises:
        CommandNotAllowed: It is refused; nothing was recorded.
    """
    return visit.asker.do(
        RecordFact(
            command_id=visit.fact_id(),
            by=visit.user,
            occurred_at=visit.now,
            participant=participant,
            instance=instance,
            fact=fact,
            role=role,
            source=_SOURCES.get(visit.user.partition(":")[0], Source.SYSTEM),
            expected_version=visit.action.expected_version if visit.action else None,
        ),
        FactRecorded,
    )


FORMS = {"record": DialogueForm(missing=_fact_missing, finish=_fact_finish)}

COMMANDS = (
    Command(
        "record",
        _record,
        "Record what happened to an offer",
        Subject.OFFERS,
        "WHO N FACT [field=value ...]",
        details="KOS asks for anything you leave out, and you confirm before anything is recorded. "
        "The buttons under /offer do the same.\n\nFacts: "
        f"{', '.join(f'{name} ({form.label})' for name, form in STEP_FORMS.items())}.",
        examples=("/record ann 3 lay_matched stake=9.92 odds=2.54",),
        is_turn=True,
    ),
)
