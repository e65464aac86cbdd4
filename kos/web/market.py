"""The Opportunities page: the table, its stream, and what stands behind one line."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kos.domain.opportunity import OpportunityQuery
from kos.domain.score import ScoringRules
from kos.messages import GetOpportunities, OpportunitiesRanked
from kos.web.asking import Asking
from kos.web.changes import Picture
from kos.web.opportunities import factors_of, picture_of
from kos.web.pages import Pages, events, words_of
from kos.web.questions import KIND_NAMES, LIMITS, RANKING_NAMES, Choices, question_of
from kos.web.watch import Hub


class MarketPages:
    """What can be bet now.

    Args:
        pages: The templates.
        hub: The live questions.
        asking: The way to the scorer.
        rules: What counts as fresh.
    """

    def __init__(self, pages: Pages, hub: Hub, asking: Asking, rules: ScoringRules) -> None:
        self._pages = pages
        self._hub = hub
        self._asking = asking
        self._rules = rules
        self._choices = Choices()

    def routes(self) -> list[Route]:
        """Its addresses."""
        return [
            Route("/opportunities", self._page),
            Route("/opportunities/stream", self._stream),
            Route("/opportunities/why", self._why),
        ]

    async def _page(self, request: Request) -> Response:
        query = question_of(words_of(request))
        return self._pages.page(
            request,
            "opportunities.html",
            query=query,
            kinds=KIND_NAMES,
            rankings=RANKING_NAMES,
            limits=LIMITS,
            within_hours=(
                "" if query.max_minutes_to_kickoff is None else query.max_minutes_to_kickoff / 60
            ),
        )

    async def _stream(self, request: Request) -> Response:
        query = question_of(words_of(request))
        return events(self._hub.stream("scorer", query, lambda: self._picture(query)))

    async def _why(self, request: Request) -> Response:
        """The factors of one opportunity's score, by name."""
        words = words_of(request)
        query = question_of(words)
        ranked = await self._ranked(query)
        wanted = words.get("id", "")
        for found in ranked.answer.opportunities:
            if found.id == wanted:
                return Response(
                    msgspec.json.encode(factors_of(found)), media_type="application/json"
                )
        raise HTTPException(410, "This pair is not offered any more.")

    async def _ranked(self, query: OpportunityQuery) -> OpportunitiesRanked:
        return await self._asking.of("scorer", GetOpportunities(query=query), OpportunitiesRanked)

    async def _picture(self, query: OpportunityQuery) -> Picture:
        ranked = await self._ranked(query)
        self._choices.note(ranked.answer.opportunities)
        # Thousands of rows take a while to write; the loop serves others meanwhile.
        return await asyncio.to_thread(
            picture_of, ranked, query, self._rules, self._choices.as_json()
        )
