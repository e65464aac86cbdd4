"""The Offers pages: the board by phase, one offer with its next steps, and starting an offer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kos.domain.books.double_entry import pounds
from kos.domain.books.lines import OfferLine, ReminderLine
from kos.domain.money import NOTHING, from_pence, read_pounds, to_pence
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.due import Reminder
from kos.domain.offers.facts import OFFER_FACTS, DepositSent, QualifierPlaced
from kos.domain.offers.forms import STEP_FORMS
from kos.errors import CommandNotAllowed, InvalidInput, WaitAndRetry
from kos.messages import LEDGER
from kos.views.names import PHASE_NAMES, free_bets_words
from kos.views.offers import bets_table, form_context, story_table, tokens_table
from kos.views.opportunities import duration, from_now, odds, uk_day
from kos.web.forms import FIELD, moment_shown, page_forms, typed_fact
from kos.web.pages import FormFields, key_of, new_key, routes_of_parts, words_of
from kos.web.recording import RecordingPages

_MAX_CLOSED = 100


class OfferPages(RecordingPages):
    """The offers of all participants."""

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            *routes_of_parts(self._pages, self._hub, LEDGER, "/offers", self._parts),
            Route("/offers/new", self._new),
            Route("/offers/start", self._start_form),
            self._pages.post("/offers/start", self._start),
            Route("/offers/{participant}/{instance:path}", self._plain),
            self._pages.post("/offers/{participant}/{instance:path}", self._record_step),
        ]

    # --- the board -----------------------------------------------------------------------------

    async def _parts(self) -> dict[str, str]:
        lines, due, catalogue, people = await asyncio.gather(
            self._ledger.offers(),
            self._ledger.reminders(),
            self._ledger.catalogue(),
            self._ledger.participants(),
        )
        now = datetime.now(UTC)
        names = {person.participant: person.name for person in people}
        closed = sorted(
            (line for line in lines if line.outcome is not None),
            key=lambda line: line.closed_at or line.started_at,
            reverse=True,
        )
        titles = {key: offer.title for key, offer in catalogue.items()}
        show = self._pages.render
        return {
            "due": show(
                "part_due.html", due=[_due(reminder, now) for reminder in due], names=names
            ),
            "board": show(
                "part_board.html",
                columns=_columns(lines),
                titles=titles,
                names=names,
                has_people=bool(people),
                has_catalogue=bool(catalogue),
                duration=duration,
                now=now,
            ),
            "closed": show(
                "part_closed.html",
                closed=closed[:_MAX_CLOSED],
                more=max(0, len(closed) - _MAX_CLOSED),
                names=names,
                titles=titles,
            ),
        }

    # --- one offer -------------------------------------------------------------------------------

    async def _show(
        self, request: Request, opened: str, refusal: str, typed: Mapping[str, str], key: str
    ) -> Response:
        now = datetime.now(UTC)
        of = request.path_params
        offer, books, catalogue = await asyncio.gather(
            self._ledger.offer(of["participant"], of["instance"]),
            self._ledger.books(of["participant"], None),
            self._ledger.catalogue(),
        )
        context = form_context(offer, books, catalogue.values())
        steps = [STEP_FORMS[name] for name in offer.allowed if name in STEP_FORMS]
        tables = (bets_table(offer.bets), tokens_table(offer.tokens))
        return self._pages.page(
            request,
            "offer.html",
            told=offer,
            line=offer.line,
            phases=list(PHASE_NAMES.items()),
            due=[_due(reminder, now) for reminder in offer.reminders],
            tables=[table for table in tables if table.rows],
            story=story_table(offer.events),
            forms=page_forms(steps, context, opened, typed, now),
            opened=opened,
            refusal=refusal,
            key=key or new_key(),
            now=moment_shown(now),
        )

    async def _record_step(self, request: Request, form: FormFields) -> Response:
        return await self._record(
            request,
            form,
            OFFER_FACTS,
            request.path_params["participant"],
            instance=request.path_params["instance"],
            expected_version=_version(form),
            is_supervisor=bool(form.get("supervisor")),
        )

    # --- starting ------------------------------------------------------------------------------

    async def _new(self, request: Request) -> Response:
        return self._pages.page(request, "offer_new.html", form=await self._form_of(request))

    async def _start_form(self, request: Request) -> Response:
        """The form for an opportunity, as part of another page."""
        text = self._pages.part(request, "part_start.html", **await self._form_of(request))
        return Response(text, media_type="text/html")

    async def _form_of(self, request: Request) -> dict[str, Any]:
        about = words_of(request)
        people, catalogue = await asyncio.gather(
            self._ledger.participants(), self._ledger.catalogue()
        )
        now = datetime.now(UTC)
        bookmaker = about.get("bookmaker", "")
        offers = sorted(
            (offer for offer in catalogue.values() if _is_open(offer, now)),
            key=lambda offer: (offer.bookmaker != bookmaker, offer.bookmaker, offer.title),
        )
        if bookmaker and any(offer.bookmaker == bookmaker for offer in offers):
            offers = [offer for offer in offers if offer.bookmaker == bookmaker]
        return {
            "people": [person for person in people if person.is_active],
            "offers": [(offer, _terms(offer)) for offer in offers],
            "is_other": bool(bookmaker and offers and offers[0].bookmaker != bookmaker),
            "chosen": about.get("offer", ""),
            "about": about,
            "key": new_key(),
            "deposit": f"{from_pence(offers[0].deposit_min):f}" if offers else "",
            "answer": None,
        }

    async def _start(self, request: Request, form: FormFields) -> Response:
        """Start an offer, and record bets already placed, one fact at a time."""
        done: list[str] = []
        participant, instance = form.get("participant", ""), ""
        refusal, is_open = "", False
        try:
            key = key_of(form)
            offer = _offer_of(form, await self._ledger.catalogue())
            # The same key gives the same name, so that a repeat is the same command.
            instance = f"{offer.key}-{key[:6]}"[:80]
            at = datetime.now(UTC)
            begun = DepositSent(
                offer=offer.key,
                amount=_pence(form, "deposit"),
                is_instant=bool(form.get("is_instant")),
            )
            note = form.get("note", "")[:200]
            qualifier = _qualifier(form, offer, at) if form.get("with_bet") else None
            await self._ledger.record(
                f"web:{key}:1", participant, begun, instance=instance, note=note, occurred_at=at
            )
            done.append("Offer started.")
            if qualifier is not None:
                await self._ledger.record(
                    f"web:{key}:2", participant, qualifier, instance=instance, occurred_at=at
                )
                done.append("Qualifying bet recorded.")
        except (InvalidInput, CommandNotAllowed, WaitAndRetry) as why:
            refusal, is_open = str(why), isinstance(why, WaitAndRetry)
        if done:
            self._hub.hurry()
        text = self._pages.part(
            request,
            "part_started.html",
            done=done,
            refusal=refusal,
            is_open=is_open,
            participant=participant,
            instance=instance,
        )
        return Response(text, media_type="text/html")


# --- views ------------------------------------------------------------------------------


def _columns(lines: Iterable[OfferLine]) -> list[tuple[str, list[OfferLine]]]:
    open_lines = (line for line in lines if line.outcome is None)
    ordered = sorted(open_lines, key=lambda line: line.started_at)
    return [
        (name, [line for line in ordered if line.phase == phase])
        for phase, name in PHASE_NAMES.items()
    ]


def _due(reminder: ReminderLine | Reminder, now: datetime) -> dict[str, object]:
    return {
        "line": reminder,
        "when": from_now(reminder.due_at, now),
        "is_past": reminder.due_at <= now,
        "at": uk_day(reminder.due_at, now),
    }


def _terms(offer: Offer) -> str:
    asked = offer.qualifying
    return (
        f"Bet {pounds(asked.min_stake)} at odds of {odds(asked.min_odds)} or more,"
        f" get {free_bets_words(offer)}"
    )


def _is_open(offer: Offer, now: datetime) -> bool:
    return (offer.starts_at is None or offer.starts_at <= now) and (
        offer.ends_at is None or now < offer.ends_at
    )


# --- typed values ------------------------------------------------------------------------------


def _offer_of(form: FormFields, catalogue: Mapping[str, Offer]) -> Offer:
    offer = catalogue.get(form.get("offer", ""))
    if offer is None:
        raise InvalidInput("offer", form.get("offer", "")[:80], "an offer from the catalogue")
    if not form.get("participant"):
        raise InvalidInput("participant", "", "the participant")
    return offer


def _qualifier(form: FormFields, offer: Offer, at: datetime) -> QualifierPlaced:
    """The qualifying bet of the form, with its lay if that is matched."""
    words = {name: form.get(name, "") for name in ("event", "selection", "sport", "market")}
    back = {
        "back.bet": form.get("bet") or "q1",
        "back.stake": form.get("stake", ""),
        "back.odds": form.get("back_odds", ""),
        "back.bookmaker": form.get("bookmaker", ""),
        **{f"back.{name}": text for name, text in words.items()},
        "back.kickoff": _kickoff(form.get("kickoff_at", "")),
        "back.legs": "1",
    }
    lay = {
        "lays.0.bet": form.get("lay_bet") or "l1",
        "lays.0.exchange": form.get("exchange", ""),
        "lays.0.market": form.get("market_id") or words["event"] or offer.key,
        "lays.0.selection": words["selection"] or "selection",
        "lays.0.stake": form.get("lay_stake", ""),
        "lays.0.odds": form.get("lay_odds", ""),
        "lays.0.commission": _percent(form.get("commission", "")),
        "lays.0.is_single_winner": "true",
    }
    bets = back | (lay if form.get("with_lay") else {})
    typed = {FIELD + name: text for name, text in bets.items() if text}
    fact = typed_fact(OFFER_FACTS, "qualifier_placed", typed, at)
    assert isinstance(fact, QualifierPlaced)  # noqa: S101 - by its name
    return fact


def _percent(typed: str) -> str:
    """The form shows the percent sign beside the field."""
    return f"{typed.strip().removesuffix('%')}%" if typed.strip() else ""


def _kickoff(seconds: str) -> str:
    try:
        return datetime.fromtimestamp(float(seconds), UTC).isoformat() if seconds else ""
    except (ValueError, OverflowError, OSError):
        raise InvalidInput("kickoff", seconds, "Unix seconds") from None


def _pence(form: FormFields, name: str) -> int:
    text = form.get(name, "").strip()
    return to_pence(read_pounds(name, text, least=NOTHING)) if text else 0


def _version(form: FormFields) -> int | None:
    text = form.get("version", "")
    return int(text[:9]) if text.isascii() and text.isdecimal() else None
