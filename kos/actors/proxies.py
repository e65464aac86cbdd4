"""Hands out proxy sessions, retires those that fail, and tries them again."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import assert_never

import msgspec

from kos.adapters.proxies import check_session, is_proxys_fault, proxy_url
from kos.asking import Asker
from kos.config.settings import ProxySettings
from kos.domain.polling.proxies import (
    assign,
    due_check,
    failed,
    next_trial,
    open_pool,
    refreshed,
    serves,
    succeeded,
)
from kos.errors import ActorUnavailable, KosError, WaitAndRetry
from kos.messages import GetProxySession, ProxySessionGiven, ProxyUsed, Tick
from kos.runtime import Actor, ChildSpec, Context, Message, RuntimeFault

ProxiesMessage = GetProxySession | ProxyUsed | Tick
"""The messages that it takes."""

NAME = "proxies"

_CHECK = Tick(what="check a session")
_ASK_TIMEOUT_S = 20.0
"""Longer than a check, for which a question may wait."""
_RETRY_S = 15.0


class ProxiesArgs(msgspec.Struct, frozen=True, kw_only=True):
    """What it is told at its start."""

    proxies: ProxySettings
    target: str
    """What a check asks for: a data service's address."""


def spec(args: ProxiesArgs) -> ChildSpec:
    """How it is supervised: always there; a restart begins with new sessions."""
    return ChildSpec(name=NAME, factory="kos.actors.proxies:ProxiesActor", args=args)


class ProxiesActor(Actor):
    """The pool and its checks; who calls builds the address from the settings by itself.

    So no message carries a login. A check blocks it for some seconds at most.
    """

    def __init__(self, context: Context, args: ProxiesArgs) -> None:
        super().__init__(context, args)
        self._settings = args.proxies
        self._target = args.target
        self._seed = secrets.token_hex(8)
        self._pool = open_pool(args.proxies.sessions, self._seed)
        self._given = 0
        self._failures = 0

    def started(self) -> None:
        every = min(self._settings.check_every_s / self._settings.sessions, 5.0)
        self.context.every(every, _CHECK, first_after_s=0)

    def receive(self, message: Message) -> Message | None:
        if not isinstance(message, ProxiesMessage):
            raise TypeError(f"proxies takes no {type(message).__name__}")
        now = datetime.now(UTC)
        match message:
            case GetProxySession():
                return self._give(message, now)
            case ProxyUsed():
                self._hear(message.session_id, message.problem, now)
            case Tick():
                self._check(now)
            case _:
                assert_never(message)
        return None

    def pulse(self) -> dict[str, str | int | float]:
        sessions = self._pool.sessions
        serving = sum(map(serves, sessions))
        problem = next((session.last_problem for session in sessions if session.last_problem), "")
        return {
            "sessions": len(sessions),
            "serving": serving,
            "keys": len(self._pool.assigned),
            "given": self._given,
            "failures": self._failures,
            "problem": "" if serving else f"no proxy session is working: {problem}",
        }

    def _give(self, message: GetProxySession, now: datetime) -> ProxySessionGiven:
        self._pool, session = assign(self._pool, message.key)
        if session is not None:
            self._given += 1
            return ProxySessionGiven(session_id=session.session_id, retry_after_s=0.0)
        trial = next_trial(self._pool)
        wait_s = (trial - now).total_seconds() if trial else 1.0
        return ProxySessionGiven(session_id="", retry_after_s=max(1.0, wait_s))

    def _hear(self, session_id: str, problem: str, now: datetime) -> None:
        before = self._pool
        if problem:
            self._failures += 1
            rest_first = timedelta(seconds=self._settings.check_every_s / 4)
            self._pool = failed(
                before, session_id, problem, now, seed=self._seed, rest_first=rest_first
            )
        else:
            self._pool = succeeded(before, session_id, now)
        for old, new in zip(before.sessions, self._pool.sessions, strict=True):
            if old.lives != new.lives:
                self.context.log.warning(
                    "proxy.retired", slot=new.slot, error=problem, until=new.resting_until
                )
            elif not serves(old) and serves(new):
                self.context.log.info("proxy.returned", slot=new.slot)

    def _check(self, now: datetime) -> None:
        self._pool = refreshed(self._pool, now)
        every = timedelta(seconds=self._settings.check_every_s)
        session = due_check(self._pool, now, every)
        if session is None:
            return
        try:
            check_session(self._settings, session.session_id, self._target)
        except KosError as error:
            self._hear(session.session_id, str(error), datetime.now(UTC))
        else:
            self._hear(session.session_id, "", datetime.now(UTC))


class Route:
    """One caller's way to one service: straight, or through its session of the pool.

    Args:
        context: The calling actor's.
        proxies: The settings; where they do not name the service, the way is straight.
        service: ``odds_api`` or ``betfair``.
        key: Who calls; keeps its session.
    """

    def __init__(self, context: Context, proxies: ProxySettings, service: str, key: str) -> None:
        self._context = context
        self._proxies = proxies
        self._is_straight = service not in proxies.used_by
        self._key = key
        self._session_id = ""

    def url(self) -> str | None:
        """The proxy's address for the next call; None for the straight way.

        Raises:
            WaitAndRetry: No session serves now. The call is not made by another way instead.
        """
        if self._is_straight:
            return None
        self._session_id = ""
        try:
            lease = Asker.within(self._context).ask(
                NAME, GetProxySession(key=self._key), ProxySessionGiven, _ASK_TIMEOUT_S
            )
        except ActorUnavailable as away:
            raise WaitAndRetry(NAME, str(away), _RETRY_S) from away
        if not lease.session_id:
            reason = "no proxy session is working; KOS will try again"
            raise WaitAndRetry("proxies", reason, lease.retry_after_s)
        self._session_id = lease.session_id
        return proxy_url(self._proxies, lease.session_id)

    def used(self, error: KosError | None = None) -> None:
        """Tell the pool how the call went; the remote's own refusals came through all right."""
        if not self._session_id:
            return
        problem = str(error) if error is not None and is_proxys_fault(error) else ""
        try:
            self._context.ref(NAME).tell(ProxyUsed(session_id=self._session_id, problem=problem))
        except RuntimeFault as fault:
            self._context.log.debug("proxies.not_reached", error=str(fault))
