"""Checks the remote services as the daemon would use them.

A running daemon is asked instead of a remote wherever a second caller would disturb it: another
login at Betfair, another reader of the bot's updates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from kos.adapters.betfair.session import BetfairSession, Credentials
from kos.adapters.http import ANY_STATUS, HttpRemote, RetryPolicy
from kos.adapters.oddsapi.client import OddsApi
from kos.adapters.proxies import check_session, proxy_url
from kos.config.settings import Secret, Settings
from kos.doctor import judge
from kos.doctor.finding import Finding, Level, failure, ok, warning
from kos.doctor.subject import ExaminedSystem
from kos.errors import InvalidSettings, KosError

_ASK_S = 8.0
_CALL_S = (3.0, 5.0)
"""To connect, and of silence."""
_ONCE = RetryPolicy(attempts=1, total_s=_ASK_S)
_OWN_SESSION = "doctor"
"""Of the proxies; a session of its own disturbs none of the daemon's."""


def clock(subject: ExaminedSystem) -> Sequence[Finding]:
    """Against the Date header of the odds feed's host, asked without a key; any status will do."""
    proxy = _way(subject.settings, "odds_api")
    with closing(_remote(subject, "odds feed", subject.settings.odds_api.url, proxy)) as remote:
        try:
            before = time.time()
            answer = remote.get("/v4/", accept=ANY_STATUS)
            after = time.time()
        except KosError as error:
            reason = f"no reference time: {error}"
            return (warning("clock", reason, "see the odds api check below"),)
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return (ok("clock", "the odds feed did not send a time"),)
    # Their second is cut off, and was theirs at some moment between ours: within that, no skew.
    skew_s = max(before - (theirs + 1), 0.0) or min(after - theirs, 0.0)
    return (judge.clock(skew_s),)


def _remote(
    subject: ExaminedSystem,
    name: str,
    url: str,
    proxy: str | None,
    *,
    client_cert: tuple[str, str] | None = None,
    ca: str | None = None,
) -> HttpRemote:
    """A remote that is called once, and given up soon."""
    return HttpRemote(
        name,
        url,
        timeout_s=_CALL_S,
        proxy=proxy,
        secrets=subject.settings.secrets(),
        client_cert=client_cert,
        ca=ca,
        retries=_ONCE,
    )


def proxies(subject: ExaminedSystem) -> Sequence[Finding]:
    """One session of the proxies, unless they are off or the daemon looks after them."""
    settings = subject.settings.proxies
    if not settings.used_by:
        return ()
    if (actor := subject.actor("proxies")) is not None:
        return (judge.actor_pulse("proxies", "pool", *actor),)
    refusal: KosError | None = None
    try:
        check_session(settings, _OWN_SESSION, subject.settings.odds_api.url)
    except KosError as error:
        refusal = error
    return (judge.proxies(refusal),)


def _way(settings: Settings, service: str) -> str | None:
    """The proxy through which the daemon would call a service."""
    used = settings.proxies.used_by
    return proxy_url(settings.proxies, _OWN_SESSION) if service in used else None


def odds_api(subject: ExaminedSystem) -> Sequence[Finding]:
    """The free list of sports, which brings the counters of the credits."""
    settings = subject.settings.odds_api
    if (actor := subject.actor("sports")) is not None and not settings.key:
        return (judge.actor_pulse("odds api", "sports", *actor),)
    if not settings.key:
        return (judge.no_odds_key(),)

    def ask() -> Finding:
        feed = OddsApi(
            settings.key.reveal(),
            settings.url,
            timeout_s=_CALL_S,
            proxy=_way(subject.settings, "odds_api"),
            retries=_ONCE,
        )
        plan = settings.monthly_credits, settings.reserve_credits
        with closing(feed):
            try:
                quota = feed.sports().quota
            except KosError as error:
                return judge.odds_key(error, None, None, *plan)
        return judge.odds_key(None, quota.remaining, quota.used, *plan)

    return (_refused_settings("odds api", ask),)


def betfair(subject: ExaminedSystem) -> Sequence[Finding]:
    """A login and a logout, unless the daemon holds a session."""
    settings = subject.settings.betfair
    if (actor := subject.actor("exchange")) is not None:
        return (judge.actor_pulse("betfair", "exchange", *actor),)
    if not settings.app_key:
        return (ok("betfair", "not set up: lay prices come from the odds feed"),)

    def remote(url: str, certificate: tuple[str, str] | None) -> HttpRemote:
        proxy, ca = _way(subject.settings, "betfair"), settings.ca_file or None
        return _remote(subject, "betfair", url, proxy, client_cert=certificate, ca=ca)

    def log_in() -> Finding:
        certificate = (settings.certificate, settings.certificate_key)
        session = BetfairSession(
            Credentials(
                settings.username.reveal(), settings.password.reveal(), settings.app_key.reveal()
            ),
            remote(settings.identity_url, None),
            remote(settings.identity_cert_url, certificate) if settings.certificate else None,
        )
        try:
            session.token()
        except KosError as error:
            return judge.betfair(error)
        session.log_out()
        return judge.betfair(None)

    return (_refused_settings("betfair", log_in),)


def _refused_settings(check: str, ask: Callable[[], Finding]) -> Finding:
    """What ``ask`` finds; an invalid address or file is a finding too."""
    try:
        return ask()
    except InvalidSettings as refused:
        return failure(check, "; ".join(refused.problems), "fix the settings")


class _BotResult(msgspec.Struct):
    """As much of the Bot API's results as is looked at: the bot's name, or its webhook."""

    username: str = ""
    url: str = ""


class _BotAnswer(msgspec.Struct):
    result: _BotResult = msgspec.field(default_factory=_BotResult)


def telegram(subject: ExaminedSystem) -> Sequence[Finding]:
    """The bot's token, webhook and other readers, unless the daemon reads."""
    if (actor := subject.actor("bot")) is not None:
        return (judge.actor_pulse("telegram", "bot", *actor),)
    settings = subject.settings.telegram
    if not settings.token:
        return (ok("telegram", "not set up (optional)"),)
    try:
        remote = _remote(subject, "telegram", settings.url, settings.proxy.reveal() or None)
    except InvalidSettings as refused:
        return (failure("telegram", "; ".join(refused.problems), "fix the settings"),)
    try:
        return _ask_telegram(remote, settings.token)
    except KosError as error:
        return (failure("telegram", str(error), "check the network and the address"),)
    finally:
        remote.close()


def _ask_telegram(remote: HttpRemote, token: Secret) -> Sequence[Finding]:
    """Who the bot is, whether a webhook is set, and whether another program is using it."""

    def call(method: str, **params: str) -> tuple[int, _BotResult]:
        answer = remote.get(f"/bot{token.reveal()}/{method}", params, accept=ANY_STATUS)
        try:
            return answer.status, msgspec.json.decode(answer.body, type=_BotAnswer).result
        except msgspec.MsgspecError:
            return answer.status, _BotResult()

    status, me = call("getMe")
    findings = [judge.telegram_token(status, me.username)]
    if findings[0].level is not Level.OK:
        return findings
    webhook = call("getWebhookInfo")[1].url
    findings.append(judge.telegram_webhook((urlsplit(webhook).hostname or "?") if webhook else ""))
    if not webhook:
        # Without an offset nothing is confirmed: every update stays for the daemon.
        findings.append(judge.telegram_poller(call("getUpdates", limit="1", timeout="2")[0]))
    return findings
