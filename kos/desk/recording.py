"""Recording what happened to an offer: a dialogue for anything missing, then a confirmation.

An offer moves only by facts that its phase accepts. KOS asks for everything a fact needs, shows
it with its amounts, and one button records it, once, and only if no one has recorded anything else
in the meantime.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from kos.desk.arguments import Arguments, tidy
from kos.desk.command import EVERYBODY, Command, CommandGroup, DeskContext, DeskReply
from kos.desk.dialogue import (
    SKIP,
    Dialogue,
    DialogueForm,
    Prompt,
    confirm,
    go_on,
    kept_value,
)
from kos.desk.fact_forms import FACTS, FactForm, Standing, next_of, spoken_words
from kos.desk.formatting import TextPart, bold
from kos.desk.offers import ask_offer, described, find, may_record
from kos.desk.signals import pair_hints, pair_of
from kos.domain.books.double_entry import pounds
from kos.domain.market.places import place_name
from kos.domain.offers.catalogue import pence_of
from kos.domain.offers.facts import OFFER_FACTS, MoneyFact, OfferFact, Role, Source
from kos.domain.offers.typed_facts import spoken
from kos.domain.people.conversation import Kept, Seat
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
from kos.views.names import phase_name

_PAIR_FOR = timedelta(days=3)
_SOURCES = {"telegram": Source.TELEGRAM, "web": Source.WEB, "terminal": Source.TERMINAL}


def _record(visit: DeskContext) -> DeskReply:
    """Record what happened to an offer; a confirmed button records it immediately."""
    plain = visit.words.plain
    if len(plain) != 3:  # noqa: PLR2004 - who, which, what
        raise InvalidInput("record", tidy(visit.words.text(), 80), "WHO N FACT field=value ...")
    participant, instance, fact = plain
    visit.about(participant)
    if visit.action is not None and visit.action.expected_version is not None:
        return _recorded(visit, participant, instance, fact)
    named = dict(visit.words.named)
    hints = _hints(visit, participant, instance, named.pop("pair", ""))
    dialogue = Dialogue(form="record", words=Arguments(plain, named), hints=hints)
    return go_on(visit, dialogue)


def _hints(visit: DeskContext, participant: str, instance: str, pair: str) -> dict[str, str]:
    """Suggestions from the opportunity on screen, or from the one used for the offer's bet."""
    if pair:
        return pair_hints(pair_of(visit, pair))
    found = kept_value(visit, _pair_name(participant, instance))
    return msgspec.json.decode(found, type=dict[str, str]) if found else {}


def _pair_name(participant: str, instance: str) -> str:
    return f"pair:{participant}:{instance}"


def with_pair(
    visit: DeskContext, told: DeskReply, hints: dict[str, str], participant: str, instance: str
) -> DeskReply:
    """The same, with the opportunity on screen stored for the offer's next facts."""
    if not hints:
        return told
    kept = Kept(
        owner=visit.user,
        name=_pair_name(participant, instance),
        value=msgspec.json.encode(hints).decode(),
        expires_at=visit.now + _PAIR_FOR,
    )
    return msgspec.structs.replace(told, kept=(*told.kept, kept))


def _standing(visit: DeskContext, dialogue: Dialogue) -> tuple[Standing, FactForm]:
    participant, instance, fact = dialogue.words.plain
    told = ask_offer(visit, participant, instance)
    form = FACTS.get(fact)
    allowed = [name for name in told.allowed if name in FACTS and may_record(visit, name)]
    if form is None or fact not in allowed:
        where = phase_name(told.line.phase).lower()
        fits = ", ".join(allowed) or "nothing"
        raise CommandNotAllowed(
            f"You cannot record {tidy(fact, 40)} now: offer {participant} {instance} is at "
            f'"{where}". You can record: {fits}'
        )
    books = visit.asker.ask(LEDGER, GetBooks(participant=participant), BooksDescribed)
    catalogue = visit.asker.ask(LEDGER, GetCatalogue(), CatalogueListed).offers
    terms = next((offer for offer in catalogue if offer.key == told.line.offer), None)
    return Standing(told=told, terms=terms, books=books, now=visit.now), form


def _fact_missing(visit: DeskContext, dialogue: Dialogue) -> Prompt | None:
    standing, form = _standing(visit, dialogue)
    _, question = next_of(form, standing, dialogue)
    return question


def _fact_finish(visit: DeskContext, dialogue: Dialogue) -> DeskReply:
    standing, form = _standing(visit, dialogue)
    dialogue, _ = next_of(form, standing, dialogue)
    participant, instance, fact = dialogue.words.plain
    words = spoken_words(dialogue)
    spoken(
        OFFER_FACTS, fact, words, visit.now
    )  # refuses what cannot be recorded before asking for confirmation
    named = {field: value for field, value in dialogue.words.named.items() if value != SKIP}
    command = f"/record {Arguments((participant, instance, fact), named).text()}"
    amounts = [_pounds(named[field]) for field in ("stake", "amount", "face") if field in named]
    told = confirm(
        visit,
        bold(f"{participant} {instance}: {form.label}"),
        *_read_back(named),
        "\n\nRecord it?",
        command=command,
        label=f"Record {amounts[0]}" if amounts else "Record",
        participant=participant,
        instance=instance,
        version=standing.told.line.version,
    )
    return with_pair(visit, told, dialogue.hints, participant, instance)


_UNSAID = frozenset({"event_id", "min_odds"})
_MONEY = frozenset({"stake", "amount", "face"})
_PLACES = frozenset({"exchange", "venue", "bookmaker"})


def _read_back(named: dict[str, str]) -> list[TextPart]:
    """The words of a fact, for checking."""
    lines: list[TextPart] = []
    for field, value in named.items():
        if field not in _UNSAID:
            shown = _pounds(value) if field in _MONEY else tidy(value, 120)
            shown = place_name(value) if field in _PLACES else shown
            lines.append(f"\n{field.replace('_', ' ').capitalize()}: {shown}")
    return lines


def _pounds(typed: str) -> str:
    return pounds(pence_of(typed, "amount"))


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
    label = FACTS[fact].label if fact in FACTS else fact
    told = described(visit, line, before=f"✓ Recorded: {label[:1].lower()}{label[1:]}.")
    return msgspec.structs.replace(told, notice="recorded")


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
        name="record",
        run=_record,
        summary="Record what happened to an offer",
        subject=CommandGroup.OFFERS,
        seats=EVERYBODY,
        arguments="WHO N FACT [field=value ...]",
        details="KOS asks for anything you leave out, and you confirm before anything is recorded. "
        "The buttons under /offer do the same.",
        examples=("/record ann 3 lay_matched stake=9.92 odds=2.54",),
        is_turn=True,
    ),
)
