"""Offers: those open, those that need attention, and the progress of each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kos.desk.arguments import quoted, tidy
from kos.desk.command import Command, DeskContext, DeskReply, Subject
from kos.desk.formatting import TextPart, bold, button, in_rows, page_of, say, table
from kos.domain.books.calendar import uk_time
from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import OfferLine, ReminderLine
from kos.domain.market.places import place_name
from kos.domain.offers.due import ReminderKind
from kos.domain.offers.forms import STEP_FORMS
from kos.domain.people.conversation import MAX_DATA, Action, Answer, Button, Seat
from kos.errors import CommandNotAllowed
from kos.messages import (
    LEDGER,
    CatalogueListed,
    GetCatalogue,
    GetOffer,
    GetOffers,
    GetReminders,
    OfferDescribed,
    OffersListed,
    RemindersListed,
)
from kos.views.names import fact_name, free_bets_words, phase_name, readable
from kos.views.offers import bets_table, tokens_table
from kos.views.opportunities import from_now, odds, uk_day

_PAGE = 6
_DUE_PAGE = 8
_SHOWN_FOR = timedelta(hours=24)
_NO_OFFERS = "No offers. Send /start_offer to start one."
_DUE_VERBS = {
    ReminderKind.UNHEDGED: ("Starts", "Started"),
    ReminderKind.EXPIRING: ("Expires", "Expired"),
    ReminderKind.EXPIRED: ("Expires", "Expired"),
}


# --- lists -----------------------------------------------------------------------------------------


def _offers(visit: DeskContext) -> DeskReply:
    """Open offers, or all of them, with their progress."""
    visit.words.refuse_others("page")
    words = [word for word in visit.words.plain if word.casefold() != "all"]
    with_closed = len(words) != len(visit.words.plain)
    who = words[0] if words else ""
    question = GetOffers(with_closed=with_closed, **visit.about(who))
    lines = visit.asker.ask(LEDGER, question, OffersListed).offers
    blocks = [_line_of(line) for line in lines]
    title = "Offers" if with_closed else "Open offers"
    return _listed(visit, title, blocks, lines, size=_PAGE, empty=_NO_OFFERS)


def _listed(
    visit: DeskContext,
    title: str,
    blocks: Sequence[tuple[TextPart, ...]],
    lines: Sequence[OfferLine | ReminderLine],
    *,
    size: int,
    empty: str,
) -> DeskReply:
    """A page of blocks about offers, with a button for each offer on it."""
    first = (page_of(blocks, visit.page, size).number - 1) * size
    on_page = {(line.participant, line.instance): line for line in lines[first : first + size]}
    shown = Shown(visit)
    rows = in_rows(
        (
            shown.button(f"{who} {instance}", f"/offer {quoted(who)} {quoted(instance)}", line)
            for (who, instance), line in on_page.items()
        ),
        3,
    )
    typed = " ".join((f"/{visit.name}", *map(quoted, visit.words.plain)))
    return shown.told(*visit.listed(title, blocks, size, typed, empty=empty, buttons=rows).answers)


def _line_of(line: OfferLine) -> tuple[TextPart, ...]:
    where = phase_name(line.phase).lower() if line.outcome is None else _ended(line.outcome)
    made = f"Profit{'' if line.outcome else ' so far'} {pounds(line.profit)}"
    tied = f", {pounds(line.locked)} tied up" if line.locked else ""
    tokens = f", free bets {pounds(line.bonus)}" if line.bonus else ""
    return (
        bold(tidy(f"{line.participant} {line.instance}", 80)),
        f", {tidy(place_name(line.bookmaker), 40)}: {where}\n{made}{tied}{tokens}",
    )


def _ended(outcome: str) -> str:
    return f"closed, {readable(outcome)}"


def _due(visit: DeskContext) -> DeskReply:
    """Offers that need attention: unhedged bets, expiring free bets, overdue money."""
    visit.words.refuse_others("page")
    question = GetReminders(**visit.about(visit.words.first()))
    lines = visit.asker.ask(LEDGER, question, RemindersListed).reminders
    now = visit.now
    blocks: list[tuple[TextPart, ...]] = [
        (
            bold(tidy(f"{line.participant} {line.instance}", 80)),
            (
                f", {tidy(place_name(line.bookmaker), 40)}: {tidy(line.what, 200)}\n"
                f"{_due_at(line.kind, line.due_at, now)}"
            ),
        )
        for line in lines
    ]
    empty = "Nothing needs your attention."
    return _listed(visit, "Needs attention", blocks, lines, size=_DUE_PAGE, empty=empty)


def _due_at(kind: str, due: datetime, now: datetime) -> str:
    """``Starts today, 15:00 (in 40 min)``, in UK time."""
    coming, past = _DUE_VERBS.get(ReminderKind(kind), ("Due", "Due"))
    return f"{coming if due >= now else past} {uk_day(due, now)} ({from_now(due, now)})"


# --- one offer -------------------------------------------------------------------------------------


class Shown:
    """Buttons of one answer: plain commands, or stored actions if a command is too long."""

    def __init__(self, visit: DeskContext) -> None:
        self._visit = visit
        self._actions: list[Action] = []

    def button(
        self, label: str, command: str, line: OfferLine | ReminderLine | None = None
    ) -> Button:
        """A button for a command that changes nothing."""
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

    def told(self, *answers: Answer) -> DeskReply:
        """The answers with the actions behind their buttons."""
        return DeskReply(answers=answers, actions=tuple(self._actions))


def find(visit: DeskContext, plain: tuple[str, ...]) -> OfferLine:
    """The offer that ``N`` or ``WHO N`` means.

    Raises:
        CommandNotAllowed: There is none, or there are several.
    """
    who, instance = plain if len(plain) > 1 else ("", plain[0] if plain else "")
    question = GetOffers(**visit.about(who))
    lines = visit.asker.ask(LEDGER, question, OffersListed).offers
    matching = [line for line in lines if line.instance == instance]
    if len(matching) > 1:
        still_open = [line for line in matching if line.outcome is None]
        matching = still_open if len(still_open) == 1 else matching
    if len(matching) == 1:
        return matching[0]
    if matching:
        owners = [line.participant for line in matching[:10]]
        who = f"{', '.join(owners[:-1])} or {owners[-1]}"
        raise CommandNotAllowed(
            f"Say whose offer it is: {tidy(who, 400)}. "
            f"For example /offer {owners[0]} {tidy(instance, 40)}"
        )
    open_ones = [line for line in lines if line.outcome is None][:15]
    listed = ", ".join(f"{line.participant} {line.instance}" for line in open_ones)
    rest = (
        f"Open offers: {tidy(listed, 400)}." if listed else "No offers are open: send /start_offer."
    )
    raise CommandNotAllowed(f"There is no offer {tidy(instance, 40)}. {rest}")


def _offer(visit: DeskContext) -> DeskReply:
    """One offer with its bets and free bets, and buttons for the next step."""
    visit.words.refuse_others()
    if not visit.words.plain:
        return _offers(replace(visit, name="offers"))
    return described(visit, find(visit, visit.words.plain[:2]))


def ask_offer(visit: DeskContext, participant: str, instance: str) -> OfferDescribed:
    """Everything about one offer, if the person can see it."""
    question = GetOffer(instance=instance, **(visit.about(participant)))
    return visit.asker.ask(LEDGER, question, OfferDescribed)


def described(visit: DeskContext, line: OfferLine, before: str = "") -> DeskReply:
    """One offer, with buttons for the next step.

    Args:
        visit: The visit of the person.
        line: The offer.
        before: Shown first, such as what has just been recorded.
    """
    offer = ask_offer(visit, line.participant, line.instance)
    line = offer.line
    parts: list[TextPart] = [f"{before}\n\n"] if before else []
    parts += [bold(tidy(offer.title, 120)), "\n", *_line_of(line)]
    for name, view in (("Bets", bets_table(offer.bets)), ("Free bets", tokens_table(offer.tokens))):
        if view.rows:
            parts += [f"\n\n{name}\n", table(view)]
    for reminder in offer.reminders:
        what = tidy(reminder.what[:1].upper() + reminder.what[1:], 150)
        parts.append(f"\n⚠ {what}. {_due_at(reminder.kind, reminder.due_at, visit.now)}")
    last = offer.events[-1] if offer.events else None
    if last is not None:
        by = tidy(last.recorded_by, 40)
        what = fact_name(last.fact).lower()
        parts.append(f"\n\nStep {last.number}: {what}, {uk_time(last.occurred_at)}, by {by}")
    shown = Shown(visit)
    facts = [
        shown.button(
            STEP_FORMS[name].label,
            f"/record {quoted(line.participant)} {quoted(line.instance)} {name}",
            line,
        )
        for name in offer.allowed
        if name in STEP_FORMS and may_record(visit, name)
    ]
    if facts:
        parts.append("\n\nWhat happened next?")
    return shown.told(
        say(*parts, buttons=in_rows(facts), is_edit=visit.is_edit and visit.action is None)
    )


def may_record(visit: DeskContext, fact: str) -> bool:
    """Only admins can reopen an offer."""
    return fact != "reopened" or visit.person.seat is Seat.ADMIN


# --- the catalogue ---------------------------------------------------------------------------------


def _catalogue(visit: DeskContext) -> DeskReply:
    """The catalogue: offers available at bookmakers."""
    visit.words.refuse_others("page")
    listed = visit.asker.ask(LEDGER, GetCatalogue(), CatalogueListed).offers
    wanted = visit.words.first().casefold()
    there = [offer for offer in listed if wanted in {"", offer.bookmaker.casefold()}]
    blocks: list[tuple[TextPart, ...]] = []
    for offer in there:
        asked = offer.qualifying
        closed = "" if offer.is_open(visit.now) else " (closed)"
        blocks.append(
            (
                bold(tidy(offer.title, 100)),
                (
                    f"{closed}\n{tidy(place_name(offer.bookmaker), 40)}, {tidy(offer.key, 60)}\n"
                    f"Bet {pounds(asked.min_stake)} at odds of {odds(asked.min_odds)} or more. "
                    f"{tidy(free_bets_words(offer), 120)} credited after {offer.trigger}"
                ),
            )
        )
    typed = " ".join(("/catalogue", *map(quoted, visit.words.plain[:1])))
    empty = "No offers. Add some with kos offers import FILE."
    return visit.listed("Catalogue", blocks, _PAGE, typed, empty=empty)


COMMANDS = (
    Command(
        "due",
        _due,
        "What needs your attention: unhedged, expiring or overdue",
        Subject.OFFERS,
        "[WHO]",
    ),
    Command(
        "offers",
        _offers,
        "Open offers and their progress",
        Subject.OFFERS,
        "[WHO] [all]",
        examples=("/offers", "/offers ann", "/offers all"),
    ),
    Command(
        "offer",
        _offer,
        "One offer, with buttons for the next step",
        Subject.OFFERS,
        "[WHO] N",
        examples=("/offer 3", "/offer ann 3"),
    ),
    Command(
        "catalogue", _catalogue, "Offers available at bookmakers", Subject.OFFERS, "[BOOKMAKER]"
    ),
)
