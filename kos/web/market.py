"""The Opportunities page: the table, its stream, and the ranking of one opportunity."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kos.domain.opportunities.filters import BY_NAME
from kos.domain.opportunities.opportunity import OpportunityQuery, SignalKeys
from kos.domain.opportunities.queries import needs_names
from kos.domain.opportunities.scoring import ScoringRules
from kos.errors import InvalidInput, WaitAndRetry
from kos.messages import GetOpportunities, GetSignalKeys, OpportunitiesRanked, SignalKeysListed
from kos.web.asker import PageAsker
from kos.web.changes import Picture
from kos.web.live import MAX_QUESTIONS, Hub
from kos.web.opportunities import factors_of, picture_of
from kos.web.pages import Pages, events, words_of
from kos.web.questions import (
    KINDS,
    LIMITS,
    MORE,
    Choices,
    default_of,
    fields_of,
    modes_of,
    question_of,
)


class MarketPages:
    """The opportunities now, asked of the scorer; the rules say until when prices are fresh."""

    def __init__(self, pages: Pages, hub: Hub, asker: PageAsker, rules: ScoringRules) -> None:
        self._pages = pages
        self._hub = hub
        self._asker = asker
        self._rules = rules
        self._choices = Choices()
        self._latest: dict[OpportunityQuery, OpportunitiesRanked] = {}

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/opportunities", self._page),
            Route("/opportunities/stream", self._stream),
            Route("/opportunities/why", self._why),
        ]

    async def _page(self, request: Request) -> Response:
        words, query, refusal = words_of(request), None, ""
        try:
            query = await self._query(words)
        except InvalidInput as why:
            refusal = str(why)
        return self._pages.page(
            request,
            "opportunities.html",
            400 if refusal else 200,
            refusal=refusal,
            fields=fields_of(words, query),
            filters=BY_NAME,
            more=MORE,
            kinds=KINDS,
            rankings=[(choice.value, choice.title) for choice in BY_NAME["rank"].choices],
            limits=[(limit, limit) for limit in LIMITS],
            modes_of=modes_of,
            default_of=default_of,
        )

    async def _stream(self, request: Request) -> Response:
        query = await self._query(words_of(request))
        return events(self._hub.stream("scorer", query, lambda: self._picture(query)))

    async def _why(self, request: Request) -> Response:
        """The factors of one opportunity's score, by name; none if it is no longer available."""
        words = dict(words_of(request))
        wanted = words.pop("id", "")
        query = await self._query(words)
        ranked = self._latest.get(query) or await self._ranked(query)
        by_id = {opportunity.id: opportunity for opportunity in ranked.answer.opportunities}
        factors = factors_of(by_id[wanted]) if wanted in by_id else ()
        return Response(msgspec.json.encode(factors), media_type="application/json")

    async def _query(self, words: Mapping[str, str]) -> OpportunityQuery:
        """The query of an address; names are read without the scorer while it is away.

        Raises:
            InvalidInput: A word of it is wrong; says what is allowed.
        """
        seen: SignalKeys | None = None
        if needs_names(words):
            with suppress(WaitAndRetry):
                listed = await self._asker.ask("scorer", GetSignalKeys(), SignalKeysListed)
                seen = listed.keys
        return question_of(words, seen)

    async def _ranked(self, query: OpportunityQuery) -> OpportunitiesRanked:
        return await self._asker.ask("scorer", GetOpportunities(query=query), OpportunitiesRanked)

    async def _picture(self, query: OpportunityQuery) -> Picture:
        ranked = await self._ranked(query)
        self._choices.note(ranked.answer.opportunities)
        self._latest.pop(query, None)
        self._latest[query] = ranked
        while len(self._latest) > MAX_QUESTIONS:
            del self._latest[next(iter(self._latest))]
        # Thousands of rows take a while to write; the loop serves others in the meantime.
        return await asyncio.to_thread(
            picture_of, ranked, query, self._rules, self._choices.as_json()
        )
