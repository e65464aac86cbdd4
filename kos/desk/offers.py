"""Offers: what is open, what needs somebody, and each step recorded by a short dialogue.

An offer moves only by facts that its phase accepts: the buttons under it are those facts. What
a fact needs is asked for, the whole is read back with its amounts, and one button records it,
once, and only if nobody has recorded anything else meanwhile.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from kos.desk.command import EVERYBODY, Command, Subject, Told, Visit
from kos.desk.dialogue import SKIP, Dialogue, Form, Question, confirm, go_on
from kos.desk.fact_forms import FACTS, FactForm, Standing, next_of, spoken_words
from kos.desk.signals import pair_hints, pair_of
from kos.desk.speech import (
    MAX_DATA,
    Part,
    bold,
    button,
    in_rows,
    page_of,
    say,
    table,
)
from kos.desk.words import Words, count_of, one_of, pounds_of, quoted, tidy
from kos.domain.books import pounds
from kos.domain.catalogue import Offer, pence_of
from kos.domain.conversation import Action, Answer, Button, Kept, Seat
from kos.domain.facts import OFFER_FACTS, DepositSent, Role, Source
from kos.domain.money import to_pence
from kos.domain.offers import Phase
from kos.domain.spoken_facts import spoken
from kos.domain.told import OfferLine
from kos.errors import CommandNotAllowed, InvalidInput
from kos.messages import (
    BooksDescribed,
    CatalogueListed,
    CommandRefused,
    FactRecorded,
    GetBooks,
    GetCatalogue,
    GetKept,
    GetOffer,
    GetOffers,
    GetParticipants,
    GetReminders,
    KeptListed,
    OfferDescribed,
    OffersListed,
    ParticipantsListed,
    RecordFact,
    RemindersListed,
)
from kos.views.offers import bets_table, tokens_table
from kos.views.opportunities import duration, uk_time

_PAGE = 6
_DUE_PAGE = 8
_SHOWN_FOR = timedelta(hours=24)
_PAIR_FOR = timedelta(days=3)
_NOTHING = Decimal(0)
_START_WORDS = ("who", "offer", "amount", "there")
"""In the order they are asked: each may need those before it."""
PHASES = {
    Phase.DEPOSIT_SENT.name: "deposit sent",
    Phase.QUALIFYING_PLACED.name: "qualifying bet placed",
    Phase.FREE_BET_PENDING.name: "free bet pending",
    Phase.FREE_BET_CREDITED.name: "free bet credited",
    Phase.FREE_BET_PLACED.name: "free bet placed",
    Phase.FREE_BET_SETTLED.name: "free bet settled",
}
_SOURCES = {"telegram": Source.TELEGRAM, "web": Source.WEB, "terminal": Source.TERMINAL}


# --- lists -----------------------------------------------------------------------------------------


def _offers(visit: Visit) -> Told:
    """Open offers, or all of them, with where each stands."""
    visit.words.refuse_others("page")
    words = [word for word in visit.words.plain if word.casefold() != "all"]
    with_closed = len(words) != len(visit.words.plain)
    who = words[0] if words else ""
    question = GetOffers(with_closed=with_closed, **visit.about(who))
    lines = visit.office.ask("ledger", question, OffersListed).offers
    blocks = [_line_of(line) for line in lines]
    page = page_of(blocks, count_of("page", visit.words.get("page") or "1"), _PAGE)
    first = (page.number - 1) * _PAGE
    shown = _Shown(visit)
    rows = in_rows(
        (
            shown.button(f"{line.participant} {line.instance}", _offer_command(line), line)
            for line in lines[first : first + _PAGE]
        ),
        3,
    )
    typed = " ".join(("/offers", *map(quoted, visit.words.plain)))
    turners = page.turners(typed) if len(typed.encode()) < MAX_DATA - 9 else ()
    title = "Offers" if with_closed else "Open offers"
    body = page.parts() if lines else ("none",)
    return shown.told(say(
        bold(title), "\n\n", *body, buttons=(*rows, *turners), is_edit=visit.is_edit
    ))  # fmt: skip


def _line_of(line: OfferLine) -> tuple[Part, ...]:
    where = PHASES.get(line.phase, line.phase) if line.outcome is None else _ended(line.outcome)
    made = f"profit {pounds(line.profit)}" + ("" if line.outcome else " so far")
    tied = f", {pounds(line.locked)} tied up" if line.locked else ""
    tokens = f", tokens {pounds(line.bonus)}" if line.bonus else ""
    return (
        bold(tidy(f"{line.participant} {line.instance}", 80)),
        f" {tidy(line.bookmaker, 40)}: {where}\n{made}{tied}{tokens}",
    )


def _ended(outcome: str) -> str:
    return f"closed, {outcome.lower().replace('_', ' ')}"


def _due(visit: Visit) -> Told:
    """What needs a person: unhedged bets, tokens about to run out, overdue money."""
    visit.words.refuse_others("page")
    question = GetReminders(**visit.about(visit.words.first()))
    lines = visit.office.ask("ledger", question, RemindersListed).reminders
    now = visit.now
    blocks: list[tuple[Part, ...]] = [
        (
            bold(tidy(f"{line.participant} {line.instance}", 80)),
            f" {tidy(line.bookmaker, 40)}: {tidy(line.what, 200)}\n{_due_at(line.due_at, now)}",
        )
        for line in lines
    ]
    page = page_of(blocks, count_of("page", visit.words.get("page") or "1"), _DUE_PAGE)
    first = (page.number - 1) * _DUE_PAGE
    shown = _Shown(visit)
    names = dict.fromkeys(
        (line.participant, line.instance) for line in lines[first : first + _DUE_PAGE]
    )
    rows = in_rows((shown.offer_button(who, instance) for who, instance in names), 3)
    typed = " ".join(("/due", *map(quoted, visit.words.plain)))
    turners = page.turners(typed) if len(typed.encode()) < MAX_DATA - 9 else ()
    body = page.parts() if lines else ("Nothing needs you now.",)
    return shown.told(
        say(bold("Due"), "\n\n", *body, buttons=(*rows, *turners), is_edit=visit.is_edit)
    )


def _due_at(due: datetime, now: datetime) -> str:
    seconds = (due - now).total_seconds()
    when = f"in {duration(seconds)}" if seconds >= 0 else f"{duration(-seconds)} ago"
    return f"{uk_time(due)} UK time, {when}"


# --- one offer -------------------------------------------------------------------------------------


class _Shown:
    """Buttons of one answer: plain commands, or stored actions where a command is too long."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._actions: list[Action] = []

    def button(self, label: str, command: str, line: OfferLine | None = None) -> Button:
        """A button for a command that changes nothing by itself."""
        if len(command.encode()) <= MAX_DATA:
            return button(label, command)
        action = Action(
            action_id=secrets.token_urlsafe(12),
            user=self._visit.user,
            command=command,
            participant=line.participant if line else "",
            instance=line.instance if line else "",
            expires_at=self._visit.now + _SHOWN_FOR,
        )
        self._actions.append(action)
        return button(label, action.action_id)

    def offer_button(self, who: str, instance: str) -> Button:
        """A button that shows an offer."""
        return self.button(f"{who} {instance}", f"/offer {quoted(who)} {quoted(instance)}")

    def told(self, answer: Answer) -> Told:
        """The answer with the actions behind its buttons."""
        return Told(answers=(answer,), actions=tuple(self._actions))


def _offer_command(line: OfferLine) -> str:
    return f"/offer {quoted(line.participant)} {quoted(line.instance)}"


def _find(visit: Visit, plain: tuple[str, ...]) -> OfferLine:
    """The offer that ``N`` or ``WHO N`` means.

    Raises:
        InvalidInput: There is none, or there are several.
    """
    who, instance = plain if len(plain) > 1 else ("", plain[0] if plain else "")
    question = GetOffers(**visit.about(who))
    lines = visit.office.ask("ledger", question, OffersListed).offers
    found = [line for line in lines if line.instance == instance]
    if len(found) > 1:
        still_open = [line for line in found if line.outcome is None]
        found = still_open if len(still_open) == 1 else found
    if len(found) == 1:
        return found[0]
    if found:
        people = ", ".join(f"/offer {line.participant} {instance}" for line in found[:10])
        raise InvalidInput("offer", tidy(instance, 40), f"whose it is: {tidy(people, 400)}")
    open_ones = [line for line in lines if line.outcome is None][:15]
    known = ", ".join(f"{line.participant} {line.instance}" for line in open_ones)
    if not known:
        raise CommandNotAllowed(
            f"no offer {tidy(instance, 40)}: none is open; /start_offer begins one"
        )
    raise InvalidInput("offer", tidy(instance, 40), tidy(f"one of {known}", 400))


def _offer(visit: Visit) -> Told:
    """One offer with its bets and tokens, what it waits for, and what may be recorded now."""
    visit.words.refuse_others()
    if not visit.words.plain:
        return _offers(visit)
    return _described(visit, _find(visit, visit.words.plain[:2]))


def _ask_offer(visit: Visit, participant: str, instance: str) -> OfferDescribed:
    question = GetOffer(instance=instance, **(visit.about(participant)))
    return visit.office.ask("ledger", question, OfferDescribed)


def _described(visit: Visit, line: OfferLine, before: str = "") -> Told:
    told = _ask_offer(visit, line.participant, line.instance)
    line = told.line
    parts: list[Part] = [f"{before}\n\n"] if before else []
    parts += [bold(tidy(told.title, 120)), "\n", *_line_of(line)]
    for name, view in (("Bets", bets_table(told.bets)), ("Tokens", tokens_table(told.tokens))):
        if view.rows:
            parts += [f"\n\n{name}\n", table(view)]
    for each in told.reminders:
        parts.append(f"\n⚠ {tidy(each.what, 150)}: {_due_at(each.due_at, visit.now)}")
    last = told.events[-1] if told.events else None
    if last is not None:
        by = tidy(last.recorded_by, 40)
        parts.append(f"\n\nfact {last.number}, {last.fact}, {uk_time(last.occurred_at)} by {by}")
    shown = _Shown(visit)
    facts = [
        shown.button(
            FACTS[name].label,
            f"/record {quoted(line.participant)} {quoted(line.instance)} {name}",
            line,
        )
        for name in told.allowed
        if name in FACTS and _may(visit, name)
    ]
    if facts:
        parts.append("\n\nWhat happened?")
    return shown.told(
        say(*parts, buttons=in_rows(facts), is_edit=visit.is_edit and visit.action is None)
    )


def _may(visit: Visit, fact: str) -> bool:
    """A wrong end is opened again by admins."""
    return fact != "reopened" or visit.person.seat is Seat.ADMIN


# --- a fact ----------------------------------------------------------------------------------------


def _record(visit: Visit) -> Told:
    """Record what happened to an offer; from a button that was confirmed, at once."""
    plain = visit.words.plain
    if len(plain) != 3:  # noqa: PLR2004 - who, which, what
        raise InvalidInput("record", tidy(visit.words.text(), 80), "WHO N FACT field=value ...")
    participant, instance, fact = plain
    visit.about(participant)
    if visit.action is not None and visit.action.expected_version is not None:
        return _recorded(visit, participant, instance, fact)
    named = dict(visit.words.named)
    hints = _hints(visit, participant, instance, named.pop("pair", ""))
    dialogue = Dialogue(form="record", words=Words(plain, named), hints=hints)
    return go_on(visit, dialogue)


def _hints(visit: Visit, participant: str, instance: str, pair: str) -> dict[str, str]:
    """What the pair on screen tells, or the one that the offer's bet was placed with."""
    if pair:
        return pair_hints(pair_of(visit, pair))
    name = f"pair:{participant}:{instance}"
    kept = visit.office.ask("ledger", GetKept(owner=visit.user, prefix=name), KeptListed).kept
    found = next((each.value for each in kept if each.name == name), "")
    return msgspec.json.decode(found, type=dict[str, str]) if found else {}


def _standing(visit: Visit, dialogue: Dialogue) -> tuple[Standing, FactForm]:
    participant, instance, fact = dialogue.words.plain
    told = _ask_offer(visit, participant, instance)
    form = FACTS.get(fact)
    allowed = [name for name in told.allowed if name in FACTS and _may(visit, name)]
    if form is None or fact not in allowed:
        where = PHASES.get(told.line.phase, told.line.phase)
        raise CommandNotAllowed(
            f"{participant} {instance} is at {where}: {tidy(fact, 40)} does not fit; "
            f"now fits: {', '.join(allowed) or 'nothing'}"
        )
    books = visit.office.ask("ledger", GetBooks(participant=participant), BooksDescribed)
    catalogue = visit.office.ask("ledger", GetCatalogue(), CatalogueListed).offers
    terms = next((offer for offer in catalogue if offer.key == told.line.offer), None)
    return Standing(told=told, terms=terms, books=books, now=visit.now), form


def _fact_missing(visit: Visit, dialogue: Dialogue) -> Question | None:
    standing, form = _standing(visit, dialogue)
    _, question = next_of(form, standing, dialogue)
    return question


def _fact_finish(visit: Visit, dialogue: Dialogue) -> Told:
    standing, form = _standing(visit, dialogue)
    dialogue, _ = next_of(form, standing, dialogue)
    participant, instance, fact = dialogue.words.plain
    words = spoken_words(dialogue)
    spoken(
        OFFER_FACTS, fact, words, visit.now
    )  # refuses what cannot be recorded, before it is asked
    named = {field: value for field, value in dialogue.words.named.items() if value != SKIP}
    command = f"/record {Words((participant, instance, fact), named).text()}"
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
    if not dialogue.hints:
        return told
    kept = Kept(
        owner=visit.user,
        name=f"pair:{participant}:{instance}",
        value=msgspec.json.encode(dialogue.hints).decode(),
        expires_at=visit.now + _PAIR_FOR,
    )
    return msgspec.structs.replace(told, kept=(*told.kept, kept))


_UNSAID = frozenset({"event_id", "min_odds"})
_MONEY = frozenset({"stake", "amount", "face"})


def _read_back(named: dict[str, str]) -> list[Part]:
    """The words of a fact, as a person checks them."""
    lines: list[Part] = []
    for field, value in named.items():
        if field not in _UNSAID:
            shown = _pounds(value) if field in _MONEY else tidy(value, 120)
            lines.append(f"\n{field.replace('_', ' ')}: {shown}")
    return lines


def _pounds(typed: str) -> str:
    return pounds(pence_of(typed, "amount"))


def _recorded(visit: Visit, participant: str, instance: str, fact: str) -> Told:
    """Carry out what was confirmed."""
    if visit.action is None:
        raise CommandNotAllowed("nothing is recorded without a confirmation")
    is_supervised = fact == "reopened" and visit.person.seat is Seat.ADMIN
    words = [f"{field}={value}" for field, value in visit.words.named.items()]
    answer = visit.office.do(
        RecordFact(
            command_id=visit.fact_id(),
            by=visit.user,
            occurred_at=visit.now,
            participant=participant,
            instance=instance,
            fact=spoken(OFFER_FACTS, fact, words, visit.now),  # type: ignore[arg-type]
            role=Role.SUPERVISOR if is_supervised else Role.OPERATOR,
            source=source_of(visit.user),
            expected_version=visit.action.expected_version,
        ),
        FactRecorded,
    )
    if isinstance(answer, CommandRefused):
        raise CommandNotAllowed(f"not recorded: {answer.reason}")
    line = _find(visit, (participant, instance))
    label = FACTS[fact].label if fact in FACTS else fact
    told = _described(visit, line, before=f"✓ {label}: recorded.")
    return msgspec.structs.replace(told, notice="recorded")


def source_of(user: str) -> Source:
    """By which screen a person speaks."""
    return _SOURCES.get(user.partition(":")[0], Source.SYSTEM)


# --- a new offer -----------------------------------------------------------------------------------


def _start_offer(visit: Visit) -> Told:
    """Take up an offer of the catalogue: who, which, and the deposit."""
    named = dict(visit.words.named)
    for word, field in zip(visit.words.plain, ("who", "offer"), strict=False):
        named.setdefault(field, word)
    pair = named.pop("pair", "")
    visit.about(named.get("who", ""))
    Words((), named).refuse_others(*_START_WORDS)
    hints = pair_hints(pair_of(visit, pair)) if pair else {}
    dialogue = Dialogue(form="start_offer", hints=hints)
    for field in _START_WORDS:
        question = _start_question(visit, dialogue, field) if field in named else None
        if question is not None:
            dialogue = dialogue.with_word(field, question.read(named[field]))
    return go_on(visit, dialogue)


def _start_missing(visit: Visit, dialogue: Dialogue) -> Question | None:
    for field in _START_WORDS:
        if not dialogue.knows(field):
            question = _start_question(visit, dialogue, field)
            if question is not None:
                return question
    return None


def _start_question(visit: Visit, dialogue: Dialogue, field: str) -> Question | None:
    match field:
        case "who":
            return _who(visit)
        case "offer":
            return _which_offer(visit, dialogue)
        case "amount":
            least = _terms(visit, dialogue).deposit_min
            return Question(
                field="amount",
                text="The deposit, in pounds (0 when nothing is deposited)",
                choices=((pounds(least), f"{least / 100:.2f}"),),
                read=lambda given: f"{pounds_of('amount', given, least=_NOTHING)}",
            )
        case _:
            if dialogue.word("amount") == "0.00":
                return None
            return Question(
                field="there",
                text="Is the money at the bookmaker already?",
                choices=(("Yes, it is there", "yes"), ("No, on its way", "no")),
                read=lambda given: one_of("there", given, ("yes", "no")),
            )


def _who(visit: Visit) -> Question | None:
    if visit.person.seat is Seat.PARTICIPANT:
        return None
    listed = visit.office.ask(
        "ledger", GetParticipants(operator=visit.user), ParticipantsListed
    ).participants
    names = tuple(line.participant for line in listed if line.is_active)
    if not names:
        raise CommandNotAllowed("nobody takes part yet: kos books record WHO joined name=NAME")
    return Question(
        field="who",
        text="Whose offer?",
        choices=tuple((f"{line.name} ({line.participant})", line.participant) for line in listed
                      if line.is_active),
        read=lambda given: given if given in names else one_of("who", given, names),
    )  # fmt: skip


def _owner(visit: Visit, dialogue: Dialogue) -> str:
    return dialogue.word("who") or visit.person.participant


def _open_terms(visit: Visit, dialogue: Dialogue) -> list[Offer]:
    bookmaker = dialogue.hints.get("bookmaker", "")
    listed = visit.office.ask("ledger", GetCatalogue(), CatalogueListed).offers
    return [
        offer for offer in listed if offer.is_open(visit.now) and bookmaker in {"", offer.bookmaker}
    ]


def _which_offer(visit: Visit, dialogue: Dialogue) -> Question:
    there = _open_terms(visit, dialogue)
    if not there:
        at = dialogue.hints.get("bookmaker")
        where = f" of {tidy(at, 40)}" if at else ""
        raise CommandNotAllowed(f"no offer{where} is open in the catalogue: kos offers import FILE")
    names = tuple(offer.key for offer in there)
    return Question(
        field="offer",
        text="Which offer?",
        choices=tuple((f"{offer.bookmaker}: {offer.title}", offer.key) for offer in there),
        read=lambda given: given if given in names else one_of("offer", given, names),
    )


def _terms(visit: Visit, dialogue: Dialogue) -> Offer:
    wanted = dialogue.word("offer")
    for offer in _open_terms(visit, dialogue):
        if offer.key == wanted:
            return offer
    raise CommandNotAllowed(f"offer {tidy(wanted, 60)} is not open in the catalogue any more")


def _start_finish(visit: Visit, dialogue: Dialogue) -> Told:
    participant, terms = _owner(visit, dialogue), _terms(visit, dialogue)
    lines = visit.office.ask("ledger", GetOffers(participant=participant), OffersListed).offers
    taken = {line.instance for line in lines}
    instance = next(name for n in range(1, 100_000) if (name := str(n)) not in taken)
    amount = dialogue.word("amount")
    is_there = dialogue.word("there") != "no"
    asked = terms.qualifying
    bonus = ", ".join(f"{each.count} x {pounds(each.face)} {each.kind}" for each in terms.bonuses)
    named = {"offer": terms.key, "amount": amount, "is_instant": "yes" if is_there else "no"}
    told = confirm(
        visit,
        bold(f"{participant} takes up {tidy(terms.title, 120)}"),
        f"\nat {tidy(terms.bookmaker, 40)}, as offer {instance}"
        f"\ndeposit £{amount}, {'there already' if is_there else 'on its way'}"
        f"\nthen a bet of {pounds(asked.min_stake)} at odds of {asked.min_odds:f} at least"
        f" (bonus: {tidy(bonus, 120)})",
        "\n\nStart it?",
        command=f"/begin {Words((participant, instance), named).text()}",
        label=f"Start, deposit £{amount}",
        participant=participant,
        instance=instance,
        version=0,
    )
    if not dialogue.hints:
        return told
    kept = Kept(
        owner=visit.user,
        name=f"pair:{participant}:{instance}",
        value=msgspec.json.encode(dialogue.hints).decode(),
        expires_at=visit.now + _PAIR_FOR,
    )
    return msgspec.structs.replace(told, kept=(*told.kept, kept))


def _begin(visit: Visit) -> Told:
    """Carry out what was confirmed: the first fact of an offer."""
    if visit.action is None or len(visit.words.plain) != 2:  # noqa: PLR2004 - who and which
        raise CommandNotAllowed("an offer begins with /start_offer")
    participant, instance = visit.words.plain
    visit.about(participant)
    amount = pounds_of("amount", visit.words.get("amount"), least=_NOTHING)
    answer = visit.office.do(
        RecordFact(
            command_id=visit.fact_id(),
            by=visit.user,
            occurred_at=visit.now,
            participant=participant,
            instance=instance,
            fact=DepositSent(
                offer=visit.words.get("offer"),
                amount=to_pence(amount),
                is_instant=visit.words.get("is_instant") == "yes",
            ),
            source=source_of(visit.user),
            expected_version=visit.action.expected_version,
        ),
        FactRecorded,
    )
    if isinstance(answer, CommandRefused):
        raise CommandNotAllowed(f"not recorded: {answer.reason}")
    told = _described(visit, _find(visit, (participant, instance)), before="✓ The offer has begun.")
    return msgspec.structs.replace(told, notice="recorded")


def _take(visit: Visit) -> Told:
    """The pair on screen, for an offer that waits for a bet at its bookmaker, or for a new one."""
    short = tidy(visit.words.first(), 60)
    found = pair_of(visit, short)
    lines = visit.office.ask(
        "ledger", GetOffers(with_closed=False, **visit.about()), OffersListed
    ).offers
    shown = _Shown(visit)
    buttons = []
    for line in lines:
        fact = _WAITING_FOR.get(line.phase)
        if line.bookmaker == found.bookmaker and fact is not None:
            command = f"/record {quoted(line.participant)} {quoted(line.instance)} {fact}"
            label = f"{line.participant} {line.instance}: {FACTS[fact].label}"
            buttons.append(shown.button(label, f"{command} pair={short}", line))
    buttons.append(shown.button("Start a new offer", f"/start_offer pair={short}"))
    hints = pair_hints(found)
    return shown.told(
        say(
            bold(f"{hints['selection']} in {hints['event']}"),
            f"\nback {hints['odds']} at {tidy(found.bookmaker_title, 40)}\n\nFor which offer?",
            buttons=in_rows(buttons[:30], 1),
        )
    )


_WAITING_FOR = {
    Phase.DEPOSIT_SENT.name: "qualifier_placed",
    Phase.FREE_BET_CREDITED.name: "free_bet_placed",
}


def _catalogue(visit: Visit) -> Told:
    """What bookmakers promise, as the catalogue has it."""
    visit.words.refuse_others("page")
    listed = visit.office.ask("ledger", GetCatalogue(), CatalogueListed).offers
    wanted = visit.words.first().casefold()
    there = [offer for offer in listed if wanted in {"", offer.bookmaker.casefold()}]
    blocks: list[tuple[Part, ...]] = []
    for offer in there:
        asked = offer.qualifying
        bonus = ", ".join(
            f"{each.count} x {pounds(each.face)} {each.kind}" for each in offer.bonuses
        )
        closed = "" if offer.is_open(visit.now) else " (not open now)"
        blocks.append(
            (
                bold(tidy(offer.title, 100)),
                (
                    f"{closed}\n{tidy(offer.bookmaker, 40)}, {tidy(offer.key, 60)}\n"
                    f"bet {pounds(asked.min_stake)} at {asked.min_odds:f} or more, "
                    f"paid after {offer.trigger}: {tidy(bonus, 120)}"
                ),
            )
        )
    page = page_of(blocks, count_of("page", visit.words.get("page") or "1"), _PAGE)
    typed = " ".join(("/catalogue", *map(quoted, visit.words.plain[:1])))
    turners = page.turners(typed) if len(typed.encode()) < MAX_DATA - 9 else ()
    body = page.parts() if there else ("none; kos offers import FILE adds some",)
    return Told(
        answers=(say(bold("Catalogue"), "\n\n", *body, buttons=turners, is_edit=visit.is_edit),)
    )


FORMS = {
    "record": Form(missing=_fact_missing, finish=_fact_finish),
    "start_offer": Form(missing=_start_missing, finish=_start_finish),
}

COMMANDS = (
    Command(
        name="due",
        run=_due,
        summary="What needs you: unhedged, expiring, overdue",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="[WHO]",
    ),
    Command(
        name="offers",
        run=_offers,
        summary="Open offers and where they stand",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="[WHO] [all]",
        examples=("/offers", "/offers ann", "/offers all"),
    ),
    Command(
        name="offer",
        run=_offer,
        summary="One offer, with buttons for what may happen next",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="[WHO] N",
        examples=("/offer 3", "/offer ann 3"),
    ),
    Command(
        name="start_offer",
        run=_start_offer,
        summary="Take up an offer of the catalogue",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="[WHO] [OFFER] [amount=10] [there=yes]",
        details="What is left out is asked for. It is confirmed before it is recorded.",
        is_turn=True,
    ),
    Command(
        name="record",
        run=_record,
        summary="Record what happened to an offer",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="WHO N FACT [field=value ...]",
        details="What is left out is asked for; everything is confirmed before it is recorded. "
        "The buttons under /offer do the same.",
        examples=("/record ann 3 lay_matched stake=9.92 odds=2.54",),
        is_turn=True,
    ),
    Command(
        name="catalogue",
        run=_catalogue,
        summary="Offers that bookmakers make",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="[BOOKMAKER]",
    ),
    Command(
        name="take",
        run=_take,
        summary="A pair for an offer",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        arguments="PAIR",
        is_hidden=True,
    ),
    Command(
        name="begin",
        run=_begin,
        summary="Begin an offer that was confirmed",
        subject=Subject.OFFERS,
        seats=EVERYBODY,
        is_turn=True,
        is_hidden=True,
    ),
)
