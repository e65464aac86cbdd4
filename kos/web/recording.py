"""Pages on which facts are recorded by their forms, and which come back with what was refused."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kos.domain.offers.facts import Fact, MoneyFact
from kos.errors import ActorUnavailable, CommandNotAllowed, InvalidInput, WaitAndRetry
from kos.web.forms import FIELD, happened_at, typed_fact
from kos.web.ledger import LedgerAsking
from kos.web.live import Hub
from kos.web.pages import FormFields, Pages, key_of

PARTICIPANT: Final = re.compile(r"\S{1,100}")
"""What a participant's ID looks like."""


class RecordingPages(ABC):
    """Pages with forms of facts, which the ledger keeps."""

    def __init__(self, pages: Pages, hub: Hub, ledger: LedgerAsking) -> None:
        self._pages = pages
        self._hub = hub
        self._ledger = ledger

    @abstractmethod
    async def _show(
        self, request: Request, opened: str, refusal: str, typed: Mapping[str, str], key: str
    ) -> Response:
        """The page with one of its forms open, as it was typed, and why it was refused.

        ``key`` is the form's; a new one where it is empty.
        """

    async def _plain(self, request: Request) -> Response:
        return await self._show(request, "", "", {}, "")

    async def _record(
        self,
        request: Request,
        form: FormFields,
        facts: Mapping[str, type[Fact]],
        participant: str,
        **fields: Any,
    ) -> Response:
        """Have the fact of a form recorded and load the page again, or show what is wrong."""
        name = form.get("fact", "")
        try:
            if PARTICIPANT.fullmatch(participant) is None:
                raise InvalidInput("participant", participant[:80], "an ID without spaces")  # noqa: TRY301
            key, at = key_of(form), happened_at(form)
            fact = cast("MoneyFact", typed_fact(facts, name, form, at))
            note = form.get("note", "")
            await self._ledger.record(
                f"web:{key}", participant, fact, note=note, occurred_at=at, **fields
            )
        except (InvalidInput, CommandNotAllowed, WaitAndRetry) as why:
            typed = {field.removeprefix(FIELD): text for field, text in form.items()}
            # A refusal is remembered under its key; a corrected form gets a new one.
            kept = form.get("key", "") if isinstance(why, WaitAndRetry) else ""
            try:
                return await self._show(request, name, str(why), typed, kept)
            except ActorUnavailable:
                raise why from None
        self._hub.hurry()
        return RedirectResponse(request.url.path.removesuffix("/record"), 303)
