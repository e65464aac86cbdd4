"""One sport key's bookmaker prices: asks leave, polls, tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_never

import msgspec

from kos.actors.proxies import Route
from kos.adapters.oddsapi.client import OddsApi, Quota
from kos.adapters.oddsapi.questions import OddsQuestion, odds_cost
from kos.config.settings import OddsApiSettings, ProxySettings
from kos.domain.market.quotes import EventQuotes, Sport
from kos.domain.matching import BookmakerFixture
from kos.domain.matching.reconciliation import bookmaker_fixture
from kos.errors import KosError, OperatorMustAct, WaitAndRetry
from kos.messages import (
    FETCHER,
    CreditsGranted,
    CreditsRefused,
    CreditsSpent,
    FetchAnswered,
    FetchNow,
    FixturesListed,
    QuotesFetched,
    RequestCredits,
    Subscribe,
    Tick,
)
from kos.runtime import Actor, ChildSpec, Context, Message, OnExhausted, RuntimeFault, meters
from kos.storage.snapshots import SnapshotFile

FetcherMessage = FetchNow | Subscribe | Tick
"""The messages that it takes."""

STAGGER_S = 0.05
"""Between the first polls of two sport keys: twenty a second, below the feed's limit of thirty."""

_POLL = Tick(what="poll")
_ASK_TIMEOUT_S = 10.0
_NO_BUDGET_RETRY_S = 1.0
_FAILURE_FIRST_S = 5.0
_FAILURE_CAP_S = 300.0
_SAVE_EVERY = timedelta(seconds=30)


class FetcherArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetcher is told at its start."""

    odds_api: OddsApiSettings
    proxies: ProxySettings
    sport: Sport
    is_matching: bool
    first_after_s: float
    snapshot_dir: str
    """Where the last poll is kept for a restart."""


def spec(args: FetcherArgs) -> ChildSpec:
    """How it is supervised: one sport key that keeps failing is parked and takes no one along."""
    return ChildSpec(
        name=FETCHER + args.sport.key,
        factory="kos.actors.fetcher:FetcherActor",
        args=args,
        on_exhausted=OnExhausted.PARK,
        # Longer than a call with its repeats and a question to the budget: one sport key that goes
        # out of season in the middle of a slow poll must not cost the node.
        stop_timeout_s=60.0,
        mailbox_capacity=50,
    )


class FetcherActor(Actor):
    """Polls its sport key whenever the budget grants it, and tells scorer and reconciler.

    It keeps its last poll, in memory for a consumer that restarts and in a file for a restart of
    its own, so that neither costs a call. A
    failed poll waits longer each time; a refusal that an operator must mend waits the longest.
    """

    def __init__(self, context: Context, args: FetcherArgs) -> None:
        super().__init__(context, args)
        self._args = args
        self._sport_key = args.sport.key
        self._question = question_of(args.odds_api)
        self._file = SnapshotFile(Path(args.snapshot_dir), args.sport.key)
        self._saved_at: datetime | None = None
        self._last: QuotesFetched | None = None
        self._failures = 0
        self._problem = ""
        self._due_at: datetime | None = None
        """When credits are next asked for: the next poll, unless the budget puts it off again."""

    def started(self) -> None:
        self._client = open_feed(self._args.odds_api)
        self._route = Route(self.context, self._args.proxies, "odds_api", self._sport_key)
        kept = self._file.load()
        if kept is not None and kept.sport_key == self._sport_key:
            # A poll of a former life costs nothing; how old it is, it says itself.
            self._last = kept
            self._tell(kept, to=("scorer", "reconciler"))
        self._poll_in(self._args.first_after_s)

    def stopping(self) -> None:
        self._client.close()

    def receive(self, message: Message) -> Message | None:
        if not isinstance(message, FetcherMessage):
            raise TypeError(f"a fetcher takes no {type(message).__name__}")
        match message:
            case Tick():
                self._poll_when_granted()
            case Subscribe():
                if self._last is not None:
                    self._tell(self._last, to=(message.subscriber,))
            case FetchNow():
                return self._fetch_on_demand(message)
            case _:
                assert_never(message)
        return None

    def pulse(self) -> dict[str, str | int | float]:
        last = self._last
        return {
            "sport_key": self._sport_key,
            "fetched_at": last.fetched_at.isoformat() if last else "",
            "events": len(last.events) if last else 0,
            "next_poll_at": self._due_at.isoformat() if self._due_at else "",
            "problem": self._problem,
        }

    def _poll_when_granted(self) -> None:
        match answer := self._request(is_on_demand=False):
            case CreditsGranted():
                if self._due_at is not None:
                    late_s = (datetime.now(UTC) - self._due_at).total_seconds()
                    meters.observe("poll_lateness_seconds", max(0.0, late_s))
                self._poll_in(self._poll(answer))
            case CreditsRefused():
                self._poll_in(max(answer.retry_after_s, 0.05))
            case None:
                self._poll_in(_NO_BUDGET_RETRY_S)

    def _poll_in(self, delay_s: float) -> None:
        self._due_at = datetime.now(UTC) + timedelta(seconds=delay_s)
        self.context.after(delay_s, _POLL)

    def _fetch_on_demand(self, message: FetchNow) -> FetchAnswered:
        match answer := self._request(is_on_demand=True):
            case CreditsGranted():
                self._poll(answer, reason=message.reason)
                if self._problem:
                    return FetchAnswered(is_done=False, detail=self._problem)
                events = len(self._last.events) if self._last else 0
                return FetchAnswered(is_done=True, detail=f"{events} events read")
            case CreditsRefused():
                return FetchAnswered(is_done=False, detail=answer.reason)
            case None:
                return FetchAnswered(
                    is_done=False, detail="The credit budget is not responding. Try again."
                )

    def _request(self, *, is_on_demand: bool) -> CreditsGranted | CreditsRefused | None:
        now = datetime.now(UTC)
        events = self._last.events if self._last else ()
        request = RequestCredits(
            sport_key=self._sport_key,
            cost=odds_cost(self._question),
            next_kickoff=min((e.kickoff for e in events if e.kickoff > now), default=None),
            is_on_demand=is_on_demand,
        )
        try:
            answer = self.context.ref("budget").ask(request, timeout_s=_ASK_TIMEOUT_S)
        except RuntimeFault as fault:
            self.context.log.debug("budget.not_reached", error=str(fault))
            return None
        if isinstance(answer, CreditsGranted | CreditsRefused):
            return answer
        raise TypeError(f"budget answered {type(answer).__name__}")

    def _poll(self, grant: CreditsGranted, reason: str = "scheduled") -> float:
        """One call; what it cost is always told to the budget.

        Returns:
            Seconds until it makes sense to ask for credits again.
        """
        log = self.context.log.bind(sport_key=self._sport_key)
        try:
            self._client.go_through(self._route.url())
            answer = self._client.odds(self._sport_key, self._question)
        except KosError as error:
            self._route.used(error)
            self._spent(grant, Quota(), is_failed=True)
            self._failures += 1
            self._problem = str(error)
            delay = min(_FAILURE_FIRST_S * 2.0 ** (self._failures - 1), _FAILURE_CAP_S)
            if isinstance(error, OperatorMustAct):
                delay = _FAILURE_CAP_S
            elif isinstance(error, WaitAndRetry) and error.retry_after_s:
                delay = max(delay, error.retry_after_s)
            meters.count("polls_total", outcome="failed")
            log.warning("quotes.not_fetched", error=str(error), retry_s=delay, reason=reason)
            return delay
        self._route.used()
        self._spent(grant, answer.quota)
        fetched_at = datetime.now(UTC)
        self._failures, self._problem = 0, ""
        quotes = QuotesFetched(
            sport_key=self._sport_key,
            events=answer.value,
            fetched_at=fetched_at,
            drops=answer.drops,
            job_id=self.context.job_id,
        )
        self._last = quotes
        self._tell(quotes, to=("scorer", "reconciler"))
        self._save(quotes)
        meters.count("polls_total", outcome="done")
        meters.observe("poll_seconds", answer.elapsed_ms / 1000)
        meters.count("quotes_total", _prices(quotes.events))
        meters.count("drops_total", len(answer.drops), source="odds")
        log.info(
            "quotes.fetched",
            events=len(answer.value),
            drops=len(answer.drops),
            drop_reasons=sorted({drop.reason for drop in answer.drops}),
            credits_left=answer.quota.remaining,
            elapsed_ms=round(answer.elapsed_ms, 1),
            reason=reason,
        )
        return 0.0

    def _spent(self, grant: CreditsGranted, counters: Quota, *, is_failed: bool = False) -> None:
        self.context.ref("budget").tell(
            CreditsSpent(
                grant_id=grant.grant_id,
                sport_key=self._sport_key,
                cost=counters.last,
                used=counters.used,
                remaining=counters.remaining,
                is_failed=is_failed,
            )
        )

    def _save(self, quotes: QuotesFetched) -> None:
        """Keep the poll for a restart, not more often than a restart could gain by."""
        if self._saved_at is not None and quotes.fetched_at - self._saved_at < _SAVE_EVERY:
            return
        try:
            self._file.save(quotes)
        except OSError as error:
            # Only a restart is the poorer for it: it will have to poll.
            self.context.log.warning("snapshot.not_saved", error=str(error))
        else:
            self._saved_at = quotes.fetched_at

    def _tell(self, quotes: QuotesFetched, *, to: tuple[str, ...]) -> None:
        if "scorer" in to:
            self.context.ref("scorer").tell(quotes)
        if "reconciler" in to and self._args.is_matching:
            self.context.ref("reconciler").tell(
                FixturesListed(sport_key=quotes.sport_key, fixtures=fixtures(quotes.events))
            )


def open_feed(settings: OddsApiSettings) -> OddsApi:
    """A connection of one's own to the odds feed."""
    return OddsApi(settings.key.reveal(), settings.url, timeout_s=(5.0, settings.timeout_s))


def question_of(settings: OddsApiSettings) -> OddsQuestion:
    """What every poll asks: head-to-head prices, with which the exchanges' lay prices come free."""
    return OddsQuestion(
        regions=settings.regions,
        bookmakers=settings.bookmakers,
        include_links=settings.include_links,
        include_bet_limits=settings.include_bet_limits,
    )


def _prices(events: tuple[EventQuotes, ...]) -> int:
    """How many single prices they hold."""
    return sum(
        len(market.outcomes)
        for event in events
        for bookmaker in event.bookmakers
        for market in bookmaker.markets
    )


def fixtures(events: tuple[EventQuotes, ...]) -> tuple[BookmakerFixture, ...]:
    """The two-sided events without their prices, each with the outcomes it is quoted for."""
    listed = map(bookmaker_fixture, events)
    return tuple(fixture for fixture in listed if fixture is not None)
