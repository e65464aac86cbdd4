"""Keeps the set of fetchers equal to the odds feed's list of sports in season."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_never

import msgspec

from kos.actors import fetcher
from kos.actors.fetcher import open_feed
from kos.actors.proxies import Route
from kos.config.settings import OddsApiSettings, ProxySettings
from kos.domain.market.quotes import Sport
from kos.errors import KosError, WaitAndRetry
from kos.messages import ServerCountersRead, SportsListed, Subscribe, Tick
from kos.runtime import Actor, ChildSpec, Context, Message, RuntimeFault

SportsMessage = Subscribe | Tick
"""The messages that it takes."""

_LIST = Tick(what="list sports")
_RETRY_S = 15.0
_REFUSED_RETRY_S = 300.0


class SportsArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What the sports actor is told at its start."""

    odds_api: OddsApiSettings
    proxies: ProxySettings
    snapshot_dir: str
    is_matching: bool
    """Tell the reconciler of fixtures; False where no exchange account is read."""


def spec(args: SportsArgs) -> ChildSpec:
    """How it is supervised: always there; after a restart it lists again, for free."""
    return ChildSpec(name="sports", factory="kos.actors.sports:SportsActor", args=args)


class SportsActor(Actor):
    """Reads the free list of sports, starts a fetcher for each, stops those out of season.

    The same call brings the server's credit counters, which the budget waits for. A refused key
    is a state to show and to ask again about every five minutes, not a crash.
    """

    def __init__(self, context: Context, args: SportsArgs) -> None:
        super().__init__(context, args)
        self._args = args
        self._fetching: dict[str, str] = {}
        """Sport key to its fetcher's name."""
        self._problem = ""
        self._has_answer = False

    def started(self) -> None:
        self._client = open_feed(self._args.odds_api)
        self._route = Route(self.context, self._args.proxies, "odds_api", "sports")
        self.context.every(self._args.odds_api.sports_interval_s, _LIST, first_after_s=0)

    def stopping(self) -> None:
        self._client.close()

    def receive(self, message: Message) -> None:
        if not isinstance(message, SportsMessage):
            raise TypeError(f"sports takes no {type(message).__name__}")
        match message:
            case Tick():
                self._list()
            case Subscribe():
                self._forward(message)
            case _:
                assert_never(message)

    def renewed(self, args: SportsArgs) -> bool:
        """Another choice of sport keys holds from now on; the free list is read again for it."""
        self._args = args
        self._list()
        return True

    def pulse(self) -> dict[str, str | int | float]:
        return {
            "sport_keys": len(self._fetching),
            "problem": self._problem,
            "awaits": "" if self._has_answer else "the list of sports",
        }

    def _list(self) -> None:
        self._has_answer = True
        try:
            self._client.go_through(self._route.url())
            answer = self._client.sports()
        except KosError as error:
            self._route.used(error)
            self._problem = str(error)
            self.context.log.warning("sports.not_listed", error=str(error))
            delay = _RETRY_S if isinstance(error, WaitAndRetry) else _REFUSED_RETRY_S
            self.context.after(delay, _LIST)
            return
        self._route.used()
        self._problem = ""
        quota = answer.quota
        if quota.used is not None and quota.remaining is not None:
            self.context.ref("budget").tell(
                ServerCountersRead(used=quota.used, remaining=quota.remaining)
            )
        wanted = chosen_sports(answer.value, self._args.odds_api)
        self._adjust(wanted)
        self.context.ref("scorer").tell(SportsListed(sports=wanted, listed_at=datetime.now(UTC)))

    def _forward(self, message: Subscribe) -> None:
        """To every fetcher; one that is just starting or stopping tells its prices anyway, or never."""
        for name in self._fetching.values():
            try:
                self.context.ref(name).tell(message)
            except RuntimeFault as fault:
                self.context.log.debug("fetcher.not_reached", fetcher=name, error=str(fault))

    def _adjust(self, wanted: tuple[Sport, ...]) -> None:
        """Start the fetchers that are missing, stop those no longer wanted."""
        keys = {sport.key for sport in wanted}
        for key in [key for key in self._fetching if key not in keys]:
            self.context.stop_child(self._fetching.pop(key))
        for index, sport in enumerate(wanted):
            if sport.key in self._fetching:
                continue
            child = fetcher.spec(
                fetcher.FetcherArgs(
                    odds_api=self._args.odds_api,
                    proxies=self._args.proxies,
                    sport=sport,
                    is_matching=self._args.is_matching,
                    first_after_s=index * fetcher.STAGGER_S,
                    snapshot_dir=self._args.snapshot_dir,
                )
            )
            if child.name not in self.context.children():
                # After a restart of this actor alone its fetchers are still there.
                self.context.start_child(child)
            self._fetching[sport.key] = child.name
        self.context.log.info("sports.listed", sport_keys=len(keys))


def chosen_sports(sports: tuple[Sport, ...], settings: OddsApiSettings) -> tuple[Sport, ...]:
    """The sport keys to poll, by the settings: in season, two-sided, wanted, not excluded.

    Where the settings allow fewer than there are, the list's order decides, as the feed's own
    order is alphabetical and stable.
    """
    chosen = [
        sport
        for sport in sports
        if sport.active
        and not sport.has_outrights
        and (not settings.sports or sport.key.startswith(settings.sports))
        and not (settings.sports_excluded and sport.key.startswith(settings.sports_excluded))
    ]
    return tuple(chosen[: settings.max_sports])
